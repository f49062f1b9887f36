/*
 * Looks for rows that must not be, range by range, holding nothing: each range is a statement of its
 * own, and no row is locked. There is no checkpoint: what a verification says is said of one pass over
 * the whole table.
 */
#include "core/run/backfill.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define KEYS_SHOWN 20

struct verification {
    struct execution *x;
    const struct statement *s;
    const struct online_range *range;
    const struct range_driver *driver;
    struct arena *arena;
    struct range_extent extent;
    struct buf lo;
    struct servo servo;
    struct throttle throttle;
    struct offenders found;
    int64_t visited, paused_us, tries;
    int64_t started_us;
};

/* On a way back: what was written since does not fit into what was there before. */
static bool refuse_way_back(const struct verification *v, const char *keys, struct fail *f)
{
    const struct offenders *o = &v->found;
    bool is_one = o->count == 1;
    fail_set(
        f, EXIT_REFUSED,
        "%.*s cannot be taken back: %lld row%s of %.*s %s a value that the old form cannot hold",
        STR_ARG(v->x->label), (long long)o->count, is_one ? "" : "s", STR_ARG(v->range->table),
        is_one ? "has" : "have");
    fail_detail(f, "%s by %.*s: %s%s.", is_one ? "It is" : "They are",
                STR_ARG(v->range->key.count ? backfill_key_text(v->arena, v->range) : STR("ctid")),
                keys, o->count > (int64_t)o->keys.count ? ", …" : "");
    fail_hint(f, "Change them so that they fit, and run it again; or stay, and end it with "
                 "`migrate contract`.");
    backfill_locate(v->x, v->s, 0, f);
    return false;
}

static bool refuse_rows(const struct verification *v, struct fail *f)
{
    SCOPED(buf) struct buf keys = {0};
    const struct offenders *o = &v->found;
    for (size_t i = 0; i < o->keys.count; i++)
        buf_printf(&keys, "%s%.*s", i ? ", " : "", STR_ARG(o->keys.at[i]));
    if (v->x->run->goal == GOAL_ROLLBACK)
        return refuse_way_back(v, buf_cstr(&keys), f);
    fail_set(f, EXIT_FAILED, "%lld row%s of %.*s %s not as the change wants %s",
             (long long)o->count, o->count == 1 ? "" : "s", STR_ARG(v->range->table),
             o->count == 1 ? "is" : "are", o->count == 1 ? "it" : "them");
    fail_detail(f, "%s by %.*s: %s%s. What comes behind them was not looked at.",
                o->keys.count == 1 ? "It is" : "They are",
                STR_ARG(v->range->key.count ? backfill_key_text(v->arena, v->range) : STR("ctid")),
                buf_cstr(&keys), o->count > (int64_t)o->keys.count ? ", …" : "");
    fail_hint(f, "Mend them, then run `migrate apply` again: it looks at the whole table anew.");
    backfill_locate(v->x, v->s, 0, f);
    return false;
}

static void tell(const struct verification *v)
{
    struct run_context *run = v->x->run;
    int64_t total = v->range->key.count ? v->extent.rows : v->extent.pages;
    int64_t took_us = clock_monotonic_us() - v->started_us - v->paused_us;
    double per_us = (double)v->visited / (double)(took_us > 0 ? took_us : 1);
    double left = total > v->visited ? (double)(total - v->visited) : 0;
    struct backfill_progress progress = {
        .label = v->x->label,
        .table = v->range->table,
        .is_verification = true,
        .is_by_pages = !v->range->key.count,
        .rows = v->found.count,
        .visited = total > 0 && v->visited > total ? total : v->visited,
        .total = total > 0 ? total : 0,
        .per_second = per_us * 1e6,
        .left_us = total > 0 && per_us > 0 ? (int64_t)(left / per_us) : -1,
        .paused_us = v->paused_us,
    };
    if (run->progress)
        run->progress(run->progress_context, &progress);
}

static bool look(struct verification *v, struct arena *a, struct fail *f)
{
    struct connection *c = v->x->run->connection;
    struct str hi;
    int64_t started_us = clock_monotonic_us();
    if (!v->driver->next(a, c, v->range, buf_str(&v->lo), v->extent.upto, v->servo.size, &hi, f))
        return false;
    struct str sql = v->driver->restrict_to(a, c, v->range, v->s->text, buf_str(&v->lo), hi);
    struct offenders found = v->found;
    if (!v->driver->find(v->arena, c, v->range, sql, KEYS_SHOWN, &found, f))
        return false;
    v->found = found;
    buf_clear(&v->lo);
    buf_add_str(&v->lo, hi);
    v->visited += v->servo.size;
    servo_note(&v->servo, clock_monotonic_us() - started_us);
    return true;
}

static bool step(struct verification *v, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct run_context *run = v->x->run;
    if (!execution_check_stop(run, f))
        return false;
    int64_t started_us = clock_monotonic_us();
    if (throttle_wait(&v->throttle, run, v->x->label, v->range, &v->paused_us, f) &&
        look(v, a, f)) {
        v->tries = 0;
        tell(v);
        return true;
    }
    return backfill_may_try_again(v->x, &v->servo, &v->tries, clock_monotonic_us() - started_us, f);
}

static bool run(struct verification *v, struct fail *f)
{
    struct run_context *r = v->x->run;
    if (!v->driver->measure(v->arena, r->connection, v->range, &v->extent, f))
        return false;
    v->started_us = clock_monotonic_us();
    v->servo = servo_start(!v->range->key.count, r->backfill.batch_target_ms, 0);
    v->throttle = (struct throttle){.limits = &r->backfill};
    while (!str_equal(buf_str(&v->lo), v->extent.upto)) {
        if (!step(v, f))
            return false;
        /* The first ones are enough to mend them; who wants to go back has to know how many. */
        if (v->found.count && r->goal != GOAL_ROLLBACK)
            break;
    }
    return !v->found.count || refuse_rows(v, f);
}

bool unit_run_verification(struct execution *x, uint32_t number UNUSED, const struct statement *s,
                           struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct verification v = {
        .x = x, .s = s, .range = s->ranged->range, .driver = x->run->driver->ranges, .arena = a};
    bool is_good = run(&v, f);
    buf_release(&v.lo);
    if (!is_good) {
        backfill_locate(x, s, 0, f);
        return false;
    }
    struct backfill_point none = {.version = x->label, .unit = x->unit, .paused_us = v.paused_us};
    return backfill_finish(x, &none, f);
}
