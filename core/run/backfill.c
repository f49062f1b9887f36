/* Batches: see backfill.h. */
#include "core/run/backfill.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "core/run/blockers.h"

/* A large change leaves as many dead rows as it changes. Cleared away while it goes on, their room is
   used again; where it changes few of the rows, autovacuum comes in time. */
#define VACUUM_SHARE 5 /* a fifth of the table's rows is dead */
#define VACUUM_ROWS_MIN 10000
#define VACUUM_BATCHES_MIN 10

struct backfill {
    struct execution *x;
    const struct statement *s;
    const struct online_range *range;
    const struct range_driver *driver;
    struct backfill_point point; /* what is committed */
    struct buf lo;               /* point.lo lies here */
    struct servo servo;
    struct throttle throttle;
    struct range_extent extent;
    int64_t tries; /* of the batch that is next */
    int64_t unvacuumed_rows, unvacuumed_batches;
    double per_us; /* visited, of late */
};

/* ---- texts ---- */

struct str backfill_key_text(struct arena *a, const struct online_range *range)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(&out, "%s%.*s", i ? ", " : "", STR_ARG(range->key.at[i]));
    return buf_done(a, &out);
}

static void add_part(struct digest_stream *d, struct str part)
{
    char len[24];
    int written = snprintf(len, sizeof(len), "%zu:", part.len);
    digest_add(d, (struct str){len, (size_t)written});
    digest_add(d, part);
}

static struct digest digest_of_step(const struct statement *s, const struct online_range *range,
                                    struct str key)
{
    struct digest_stream *d = digest_start();
    add_part(d, s->text);
    add_part(d, range->table);
    add_part(d, key);
    return digest_finish(d);
}

void backfill_locate(const struct execution *x, const struct statement *s, size_t offset,
                     struct fail *f)
{
    if (!f->file)
        script_locate(x->script, s, offset < s->text.len ? offset : 0, f);
}

/* ---- the checkpoint ---- */

/* Whether the rows behind the checkpoint are still those that are not done. */
static bool fits(const struct backfill_point *found, const struct backfill_point *fresh,
                 const struct range_extent *extent)
{
    bool is_by_pages = !fresh->key.len;
    return str_equal(found->digest, fresh->digest) && str_equal(found->table, fresh->table) &&
           str_equal(found->key, fresh->key) &&
           (!is_by_pages || found->filenode == extent->filenode);
}

static bool refuse_format(const struct backfill *b, const struct backfill_point *found,
                          struct fail *f)
{
    fail_set(f, EXIT_INTEGRITY,
             "the checkpoint of %.*s is of another version of migrate (format %lld)",
             STR_ARG(b->x->label), (long long)found->format);
    return fail_hint(f, "Go on with the version that began it; or remove its row from the table "
                        "`backfill` of the history, and it begins anew.");
}

static void take_position(struct backfill *b, struct str lo)
{
    struct buf now = {0};
    buf_add_str(&now, lo);
    buf_release(&b->lo);
    b->lo = now;
    b->point.lo = buf_str(&b->lo);
}

/* *out_is_found: what an earlier run left is in b->point. */
static bool find_point(struct backfill *b, const struct backfill_point *fresh, bool *out_is_found,
                       struct fail *f)
{
    struct backfill_points all;
    *out_is_found = false;
    if (!b->driver->read(b->x->arena, b->x->run->connection, &all, f))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        const struct backfill_point *one = &all.at[i];
        if (one->unit != fresh->unit || !str_equal(one->version, fresh->version))
            continue;
        if (one->format != BACKFILL_FORMAT)
            return refuse_format(b, one, f);
        *out_is_found = fits(one, fresh, &b->extent);
        if (!*out_is_found) {
            log_line(LOG_NOTE, "%.*s: the step or its table has changed; its batches begin anew",
                     STR_ARG(b->x->label));
            continue;
        }
        b->point = *one;
        b->point.run = fresh->run;
        take_position(b, one->lo);
        log_line(LOG_NOTE, "%.*s: goes on behind batch %lld, %lld rows are changed",
                 STR_ARG(b->x->label), (long long)one->batches, (long long)one->rows);
    }
    return true;
}

static struct backfill_point fresh_point(struct backfill *b)
{
    struct execution *x = b->x;
    struct str key = backfill_key_text(x->arena, b->range);
    struct digest d = digest_of_step(b->s, b->range, key);
    struct str now = journal_now(x->arena, x->run->journal);
    int64_t total = key.len ? b->extent.rows : b->extent.pages;
    return (struct backfill_point){
        .format = BACKFILL_FORMAT,
        .version = x->label,
        .unit = x->unit,
        .digest = arena_str(x->arena, digest_str(&d)),
        .table = b->range->table,
        .key = key,
        .upto = b->extent.upto,
        .filenode = b->extent.filenode,
        .total = total > 0 ? total : 0,
        .started_at = now,
        .updated_at = now,
        .run = str_of(x->run->journal->identity.run),
    };
}

/* An entry with the migration's row and the checkpoint. */
static bool append(struct execution *x, struct event *e, const struct backfill_point *point,
                   bool removes_point, struct fail *f)
{
    struct journal_entries entries = {
        .insert_row = x->row_is_written ? NULL : &x->row,
        .update_row = x->row_is_written ? &x->row : NULL,
        .event_count = 1,
        .point = point,
        .removes_point = removes_point,
    };
    if (!execution_append_entries(x->run, &entries, e, true, f))
        return false;
    x->row_is_written = true;
    return true;
}

/* A durable word before the first batch: the row of the migration, so that the next run knows that it
   is begun, and the checkpoint. */
static bool write_begin(struct backfill *b, struct fail *f)
{
    struct execution *x = b->x;
    SCOPED(json) struct json *detail = json_make_object();
    unit_advance_row(x, (int64_t)x->unit - 1, false);
    journal_row_claim(detail, &x->row);
    json_set_str(detail, "statement", b->point.digest);
    json_set_bool(detail, "batches", true);
    json_set_str(detail, "table", b->range->table);
    json_set_str(detail, "key", b->point.key);
    struct event e = unit_event(x, EVENT_STARTED);
    e.unit = x->unit;
    e.rows = -1;
    e.detail = json_line(x->arena, detail);
    return append(x, &e, &b->point, false, f);
}

static bool begin(struct backfill *b, struct fail *f)
{
    struct run_context *run = b->x->run;
    bool is_found;
    if (!b->driver->prepare(run->connection, f) ||
        !b->driver->measure(b->x->arena, run->connection, b->range, &b->extent, f))
        return false;
    struct backfill_point fresh = fresh_point(b);
    b->point = fresh;
    if (!find_point(b, &fresh, &is_found, f) || (!is_found && !write_begin(b, f)))
        return false;
    b->servo = servo_start(!b->range->key.count, run->backfill.batch_target_ms,
                           is_found ? b->point.batch_size : 0);
    b->throttle = (struct throttle){.limits = &run->backfill};
    return true;
}

bool backfill_finish(struct execution *x, const struct backfill_point *point, struct fail *f)
{
    x->statements++;
    x->rows = point->rows;
    x->batches = point;
    unit_advance_row(x, x->unit, unit_is_last(x));
    struct event e = unit_done_event(x);
    bool is_done = append(x, &e, point->format ? point : NULL, true, f);
    x->batches = NULL;
    if (!is_done)
        return false;
    x->run->target_changed = true;
    unit_close(x);
    return true;
}

/* ---- one batch ---- */

static struct unit_options batch_options(const struct backfill *b)
{
    const struct migration *m = b->x->planned->migration;
    int64_t limit_ms = b->x->run->backfill.batch_wait_ms;
    /* The smallest batch that there is may take its time: it could never be done otherwise. */
    bool is_smallest = b->servo.size <= b->servo.floor;
    uint32_t own_ms = m->statement_timeout_ms;
    return (struct unit_options){
        .lock_timeout_ms = m->lock_timeout_ms,
        .enforcement = enforcement_of(&b->x->planned->enforcements, b->x->unit).enforcement,
        .statement_timeout_ms =
            is_smallest || (own_ms && own_ms < limit_ms) ? own_ms : (uint32_t)limit_ms,
        .skips_triggers = b->range->skips_triggers,
        .expected_head_id = b->x->run->journal->next_id - 1,
    };
}

static bool send(struct backfill *b, struct arena *a, struct str hi,
                 struct statement_result *result, struct fail *f)
{
    struct execution *x = b->x;
    struct run_context *run = x->run;
    struct statement one = *b->s;
    one.text = b->driver->restrict_to(a, run->connection, b->range, b->s->text, b->point.lo, hi);
    struct unit_options options = batch_options(b);
    size_t done, offset;
    int64_t started_us = clock_monotonic_us();
    x->in_transaction = true;
    if (!run->driver->begin(run->connection, &options, f))
        return false;
    bool is_done = run->driver->execute(run->connection, &one, 1, NULL, result, &done, &offset, f);
    if (log_is_on(LOG_SQL))
        log_sql(run->script->dialect->redact(a, &one), clock_monotonic_us() - started_us,
                is_done ? NULL : "failed");
    if (!is_done)
        backfill_locate(x, b->s, offset, f);
    return is_done;
}

static bool commit(struct backfill *b, const struct backfill_point *point, struct fail *f)
{
    const struct journal_entries entries = {.point = point};
    struct run_context *run = b->x->run;
    if (!run->driver->commit(run->connection, &entries, NULL, f)) {
        backfill_locate(b->x, b->s, 0, f);
        return false;
    }
    b->x->in_transaction = false;
    run->target_changed = true;
    return true;
}

static void note_speed(struct backfill *b, int64_t visited, int64_t took_us)
{
    double now = (double)visited / (double)(took_us > 0 ? took_us : 1);
    b->per_us = b->per_us > 0 ? 0.1 * now + 0.9 * b->per_us : now;
}

static void tell(const struct backfill *b)
{
    struct run_context *run = b->x->run;
    const struct backfill_point *p = &b->point;
    double left = p->total > p->visited ? (double)(p->total - p->visited) : 0;
    struct backfill_progress progress = {
        .label = b->x->label,
        .table = b->range->table,
        .is_by_pages = !b->range->key.count,
        .rows = p->rows,
        .visited = p->visited,
        .total = p->total,
        .per_second = b->per_us * 1e6,
        .left_us = p->total && b->per_us > 0 ? (int64_t)(left / b->per_us) : -1,
        .paused_us = p->paused_us,
    };
    if (run->progress)
        run->progress(run->progress_context, &progress);
}

static bool run_batch(struct backfill *b, struct arena *a, bool *out_is_sent, struct fail *f)
{
    struct execution *x = b->x;
    struct statement_result result = {0};
    struct backfill_point next = b->point;
    int64_t size = b->servo.size;
    int64_t started_us = clock_monotonic_us();
    *out_is_sent = false;
    if (!b->driver->next(a, x->run->connection, b->range, b->point.lo, b->point.upto, size,
                         &next.lo, f))
        return false;
    *out_is_sent = true;
    int64_t sent_us = clock_monotonic_us();
    if (!send(b, a, next.lo, &result, f))
        return false;
    next.rows += result.rows > 0 ? result.rows : 0;
    next.batches++;
    next.visited += size;
    if (next.total && next.visited > next.total)
        next.visited = next.total;
    next.batch_size = size;
    next.updated_at = journal_now(a, x->run->journal);
    if (!commit(b, &next, f))
        return false;
    int64_t now_us = clock_monotonic_us();
    b->unvacuumed_rows += next.rows - b->point.rows;
    b->unvacuumed_batches++;
    struct str lo = next.lo;
    b->point = next;
    b->point.updated_at = STR("");
    take_position(b, lo);
    servo_note(&b->servo, now_us - sent_us);
    note_speed(b, size, now_us - started_us);
    tell(b);
    return true;
}

/* ---- failures ---- */

static bool is_passing(const struct execution *x, const struct servo *servo, int64_t took_us,
                       const struct fail *f)
{
    if (*x->run->stop_signal)
        return false;
    switch (f->kind) {
    case FAIL_LOCK_TIMEOUT:
    case FAIL_TABLES_HELD:
    case FAIL_DEADLOCK:
    case FAIL_CONNECTION:
        return true;
    case FAIL_CANCELLED: /* by our own limit, rather than by somebody */
        return servo->size > servo->floor && took_us >= x->run->backfill.batch_wait_ms * 1000;
    case FAIL_OTHER:
    case FAIL_SERVER:
    case FAIL_COMMIT_UNKNOWN:
    case FAIL_HISTORY_MOVED:
    case FAIL_NOT_FOUND:
        return false;
    }
    BUG("a kind of failure that is not in the list");
}

static void explain(int64_t tries, struct fail *f)
{
    if (f->kind != FAIL_LOCK_TIMEOUT && f->kind != FAIL_DEADLOCK)
        return;
    if (f->code == EXIT_FAILED)
        f->code = EXIT_BUSY;
    fail_hint(f,
              "Others held the rows of one batch through %lld tries; run again later, or raise "
              "locks.timeout, locks.attempts or locks.budget in migrator.yml.",
              (long long)tries);
}

bool backfill_may_try_again(struct execution *x, struct servo *servo, int64_t *tries,
                            int64_t took_us, struct fail *f)
{
    SCOPED(fail) struct fail second = FAIL_NONE;
    struct run_context *run = x->run;
    if (!is_passing(x, servo, took_us, f))
        return false;
    bool was_limit = f->kind == FAIL_CANCELLED; /* the servo at work: it ends with the smallest */
    *tries += was_limit ? 0 : 1;
    if (f->kind == FAIL_LOCK_TIMEOUT)
        blockers_name(run, f);
    if (*tries >= run->lock_attempts) {
        explain(*tries, f);
        return false;
    }
    if (!was_limit)
        log_line(LOG_NOTE, "%.*s: %s; a smaller batch follows, try %lld of %lld", STR_ARG(x->label),
                 f->message, (long long)*tries + 1, (long long)run->lock_attempts);
    if (!run->driver->rollback(run->connection, &second)) {
        if (second.kind != FAIL_CONNECTION) { /* else the next call reconnects */
            log_line(LOG_WARN, "the rollback failed, too: %s", second.message);
            return false;
        }
    }
    x->in_transaction = false;
    x->result.retries++;
    fail_clear(f);
    servo_shrink(servo);
    if (!was_limit)
        execution_pause(run, unit_retry_pause_ms(*tries));
    return true;
}

/* ---- all of them ---- */

static void vacuum(struct backfill *b)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    int64_t due = b->extent.rows / VACUUM_SHARE;
    due = due > VACUUM_ROWS_MIN ? due : VACUUM_ROWS_MIN;
    if (!b->extent.may_vacuum || !b->driver->vacuum || b->unvacuumed_rows < due ||
        b->unvacuumed_batches < VACUUM_BATCHES_MIN)
        return;
    b->unvacuumed_rows = b->unvacuumed_batches = 0;
    int64_t started_us = clock_monotonic_us();
    if (!b->driver->vacuum(b->x->run->connection, b->range, &ignored))
        log_line(LOG_DEBUG, "%.*s: VACUUM: %s", STR_ARG(b->x->label), ignored.message);
    SCOPED(arena) struct arena *a = arena_make();
    log_line(LOG_DEBUG, "%.*s: VACUUM took %s", STR_ARG(b->x->label),
             clock_duration_text(a, clock_monotonic_us() - started_us));
}

static bool is_done(const struct backfill *b)
{
    return str_equal(b->point.lo, b->point.upto);
}

static bool step(struct backfill *b, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct run_context *run = b->x->run;
    bool is_sent = false;
    if (!execution_check_stop(run, f))
        return false;
    int64_t started_us = clock_monotonic_us();
    bool is_done = throttle_wait(&b->throttle, run, b->x->label, b->range, &b->point.paused_us, f);
    if (is_done) {
        started_us = clock_monotonic_us();
        is_done = run_batch(b, a, &is_sent, f);
    }
    if (is_done) {
        b->tries = 0;
        vacuum(b);
    } else if (!backfill_may_try_again(b->x, &b->servo, &b->tries,
                                       clock_monotonic_us() - started_us, f)) {
        return false;
    }
    if (b->driver->yield && !str_equal(b->point.lo, b->point.upto))
        b->driver->yield(run->connection, clock_monotonic_us() - started_us);
    return true;
}

static bool run_batches(struct backfill *b, struct fail *f)
{
    if (!begin(b, f)) {
        backfill_locate(b->x, b->s, 0, f);
        return false;
    }
    while (!is_done(b)) {
        if (step(b, f))
            continue;
        b->x->run->failed_in_batches = b->point.batches > 0;
        backfill_locate(b->x, b->s, 0, f);
        return false;
    }
    return backfill_finish(b->x, &b->point, f);
}

bool unit_run_ranges(struct execution *x, uint32_t number, const struct statement *s,
                     struct fail *f)
{
    if (!execution_await(x->run, f))
        return false;
    unit_start(x, number, UNIT_RANGES);
    unit_record_statement(x, s);
    struct backfill b = {
        .x = x, .s = s, .range = s->ranged->range, .driver = x->run->driver->ranges};
    if (!b.driver)
        BUG("a step in batches on an engine that has none");
    bool is_good = s->ranged->kind == STEP_VERIFICATION ? unit_run_verification(x, number, s, f)
                                                        : run_batches(&b, f);
    buf_release(&b.lo);
    return is_good;
}
