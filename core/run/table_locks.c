/* See table_locks.h. */
#include "core/run/table_locks.h"

#include "core/base/clock.h"
#include "core/run/blockers.h"
#include "core/run/unit.h"

#define POLL_MS 20
#define TRY_US 2000000
/* Older transactions are not of those that come and go. */
#define SHORT_US 1000000
/* Beyond deadlock_timeout, when the server asks an autovacuum worker to end. */
#define VACUUM_BEYOND_MS 300
#define QUEUE_LEAST_MS 20

/* How long to wait in the queue, try after try. Each must end before somebody looks for a deadlock, so that
   it is we who give way, and is shared by the tables. */
static uint32_t queue_ms(const struct table_wait *w)
{
    static const uint32_t tiers[] = {100, 100, 200, 300, 400};
    size_t tier = w->queued_tries < ARRAY_LEN(tiers) ? w->queued_tries : ARRAY_LEN(tiers) - 1;
    uint32_t most = w->seen.deadlock_timeout_ms / 2;
    uint32_t ms = most && tiers[tier] > most ? most : tiers[tier];
    ms /= (uint32_t)w->tables->count;
    return ms > QUEUE_LEAST_MS ? ms : QUEUE_LEAST_MS;
}

void table_wait_set(const struct execution *x, struct unit_options *options)
{
    const struct table_wait *w = &x->wait;
    options->tables = w->tables;
    options->tables_wait_ms = w->is_queued ? queue_ms(w) : 0;
    options->vacuum_wait_ms = w->vacuum_wait_ms;
}

void table_wait_begin(struct execution *x, struct unit_options *options)
{
    struct table_wait *w = &x->wait;
    const struct table_locks *tables = units_locks_find(&x->planned->locks, x->unit);
    if (!tables || !x->run->driver->table_holders)
        return;
    if (w->unit != x->unit) {
        table_wait_end(x);
        *w = (struct table_wait){.unit = x->unit};
    }
    w->tables = tables;
    w->try_since_us = 0;
    w->vacuum_wait_ms = 0;
    w->has_met_vacuum = false;
    table_wait_set(x, options);
}

/* ---- who is in the way ---- */

static bool look(struct execution *x, struct arena *a, struct awaited_lock *out, struct fail *f)
{
    return x->run->driver->table_holders(a, x->run->connection, x->wait.tables, out, f);
}

static void keep(struct table_wait *w, struct arena *a, const struct awaited_lock *seen)
{
    arena_release(w->arena);
    w->arena = a;
    w->seen = *seen;
}

/* Whether one that is in the way was there before, or is open so long that it may stay. */
static bool has_stayed(const struct awaited_lock *before, const struct awaited_lock *now)
{
    for (size_t k = 0; k < now->count; k++) {
        if (now->at[k].open_us > SHORT_US)
            return true;
    }
    for (size_t i = 0; i < before->count; i++) {
        for (size_t k = 0; k < now->count; k++) {
            const char *one = before->at[i].transaction;
            const char *other = now->at[k].transaction;
            if (one && other && strcmp(one, other) == 0)
                return true;
        }
    }
    return false;
}

static bool give_way(const struct awaited_lock *seen)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (!seen->at[i].gives_way)
            return false;
    }
    return seen->count > 0;
}

/* ---- one try ---- */

static void explain(struct execution *x, int64_t waited_us, struct fail *f)
{
    struct table_wait *w = &x->wait;
    SCOPED(arena) struct arena *a = arena_make();
    f->message =
        arena_printf(f->arena, "%s within %s%s", f->message, clock_duration_text(a, waited_us),
                     w->is_queued ? " in the queue" : "");
    blockers_tell(x->run, &w->seen, f);
}

/* How the next one is done: in the queue where all who were in the way are gone, and others are there. */
static bool end_try(struct execution *x, struct fail *f)
{
    struct table_wait *w = &x->wait;
    SCOPED(fail) struct fail second = FAIL_NONE;
    struct arena *a = arena_make();
    struct awaited_lock now;
    int64_t waited_us =
        w->is_queued ? queue_ms(w) * (int64_t)1000 : clock_monotonic_us() - w->try_since_us;
    if (!look(x, a, &now, &second)) {
        arena_release(a);
        explain(x, waited_us, f);
        return false;
    }
    bool is_starving = !has_stayed(&w->seen, &now);
    if (now.count || !w->arena) /* else those of before are named */
        keep(w, a, &now);
    else
        arena_release(a);
    explain(x, waited_us, f);
    w->queued_tries += w->is_queued ? 1 : 0;
    w->is_queued = is_starving;
    return false;
}

static bool begin_anew(struct execution *x, uint32_t vacuum_wait_ms, struct fail *f)
{
    x->wait.vacuum_wait_ms = vacuum_wait_ms;
    return unit_begin_again(x, f);
}

bool table_wait_again(struct execution *x, struct fail *f)
{
    struct table_wait *w = &x->wait;
    int64_t now_us = clock_monotonic_us();
    if (*x->run->stop_signal) {
        fail_clear(f);
        return execution_check_stop(x->run, f);
    }
    w->since_us = w->since_us ? w->since_us : now_us;
    if (w->is_queued)
        return end_try(x, f);
    if (!w->try_since_us) {
        struct arena *a = arena_make();
        struct awaited_lock seen = {0};
        SCOPED(fail) struct fail ignored = FAIL_NONE;
        w->try_since_us = now_us;
        (void)!look(x, a, &seen, &ignored);
        keep(w, a, &seen);
    }
    if (now_us - w->try_since_us >= TRY_US || now_us - w->since_us >= x->run->lock_budget_ms * 1000)
        return end_try(x, f);
    fail_clear(f);
    if (w->vacuum_wait_ms) /* it did not give way */
        return begin_anew(x, 0, f);
    if (give_way(&w->seen) && !w->has_met_vacuum) {
        w->has_met_vacuum = true;
        return begin_anew(x, w->seen.deadlock_timeout_ms + VACUUM_BEYOND_MS, f);
    }
    clock_sleep_ms(POLL_MS);
    return true;
}

void table_wait_over(struct execution *x, int64_t asked_us, const struct statement_result *results,
                     size_t count)
{
    struct table_wait *w = &x->wait;
    if (!w->tables || w->locked_at_us)
        return;
    w->locked_at_us =
        asked_us; /* had at once; after a while in the queue, when the statements began */
    if (w->is_queued || w->vacuum_wait_ms) {
        w->locked_at_us = clock_monotonic_us();
        for (size_t i = 0; i < count; i++)
            w->locked_at_us -= results[i].duration_us;
    }
    w->waited_us = w->since_us ? w->locked_at_us - w->since_us : 0;
}

void table_wait_reset(struct execution *x)
{
    x->wait.tables = NULL;
    x->wait.locked_at_us = 0;
}

int64_t table_wait_us(const struct execution *x)
{
    const struct table_wait *w = &x->wait;
    if (!w->tables)
        return -1;
    if (w->locked_at_us)
        return w->waited_us;
    return w->since_us ? clock_monotonic_us() - w->since_us : 0;
}

void table_wait_end(struct execution *x)
{
    arena_release(x->wait.arena);
    x->wait.arena = NULL;
}
