/*
 * The loop over a script: core/model/grouping.h says what each statement needs, unit.c does it. Units
 * that earlier runs committed are read over, not sent; only statements that set the session are sent
 * again, since the session is a new one. A lock timeout or deadlock rolls the unit back and the
 * script is read again up to it: nothing is kept in memory for that.
 */
#include "core/run/execution.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/run/blockers.h"
#include "core/run/retry.h"
#include "core/run/unit.h"

bool execution_append_entries(struct run_context *run, struct journal_entries *entries,
                              struct event *events, bool is_durable, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    if (!execution_await(run, f))
        return false;
    journal_link(a, run->journal, events, entries->event_count);
    entries->events = events;
    if (!run->driver->append(run->connection, entries, is_durable, f))
        return false;
    journal_committed(run->journal, events, entries->event_count);
    if (entries->insert_row)
        run->journal->next_rank++;
    return true;
}

bool execution_append(struct run_context *run, const struct history_row *insert_row,
                      const struct history_row *update_row, struct event *events, size_t count,
                      bool is_durable, struct fail *f)
{
    struct journal_entries entries = {
        .insert_row = insert_row,
        .update_row = update_row,
        .event_count = count,
    };
    return execution_append_entries(run, &entries, events, is_durable, f);
}

/* ---- one pass over the script ---- */

static bool skip_copy_data(struct script *script, struct fail *f)
{
    struct str piece;
    do {
        if (!script_copy_data(script, &piece, f))
            return false;
    } while (piece.len);
    return true;
}

/* A statement of a unit that is already committed: read over, but for what set the session. */
static bool pass_over(struct execution *x, const struct statement *s, struct digest_stream *d,
                      struct fail *f)
{
    unit_digest_add(d, s);
    x->statements++;
    if (s->is_copy_from_stdin)
        return skip_copy_data(x->script, f);
    if (s->session != SESSION_SETS)
        return true;
    struct statement_result result;
    size_t done;
    size_t offset;
    return x->run->driver->execute(x->run->connection, s, 1, NULL, &result, &done, &offset, f);
}

static bool check_skipped(const struct execution *x, uint32_t unit, struct digest_stream *d,
                          struct fail *f)
{
    struct digest now = digest_finish(d);
    if (unit > x->records.count || x->records.at[unit - 1].digest.len == 0 ||
        str_equal(x->records.at[unit - 1].digest, digest_str(&now)))
        return true;
    return unit_refuse_edited(x, unit, f);
}

/* Reads over the units of earlier runs. */
struct skipping {
    uint32_t unit; /* being skipped; 0: none */
    struct digest_stream *digest;
};

static bool skip_statement(struct execution *x, struct skipping *skip, const struct statement *s,
                           const struct grouping_step *step, struct fail *f)
{
    if (skip->unit != x->grouping.unit) {
        if (skip->unit && !check_skipped(x, skip->unit, skip->digest, f)) {
            skip->unit = 0;
            return false;
        }
        skip->unit = x->grouping.unit;
        skip->digest = digest_start();
    }
    if (!step->send)
        return true;
    if (s->role == ROLE_BEGIN || s->role == ROLE_COMMIT) {
        unit_digest_add(skip->digest, s);
        return true;
    }
    return pass_over(x, s, skip->digest, f);
}

static bool end_skipping(struct execution *x, struct skipping *skip, struct fail *f)
{
    uint32_t unit = skip->unit;
    skip->unit = 0;
    return !unit || check_skipped(x, unit, skip->digest, f);
}

static bool run_statement(struct execution *x, const struct statement *s,
                          const struct grouping_step *step, struct fail *f)
{
    uint32_t number = x->grouping.unit;
    if (!execution_check_stop(x->run, f))
        return false;
    if (step->open == UNIT_ALONE)
        return unit_run_alone(x, number, s, f);
    if (step->open == UNIT_RANGES)
        return unit_run_ranges(x, number, s, f);
    if (step->open != UNIT_NONE && unit_has_intent(x, number))
        return unit_refuse_edited(x, number, f);
    if (step->open != UNIT_NONE && !unit_open(x, number, step->open, f))
        return false;
    if (step->rollback_after)
        return unit_send(x, f) && unit_abandon(x, f);
    if (step->commit_after && s->role == ROLE_COMMIT)
        return unit_commit(x, step->send ? s : NULL, f);
    if (step->send && !unit_queue(x, s, f))
        return false;
    return !step->commit_after || unit_commit(x, NULL, f);
}

static bool feed(struct execution *x, struct skipping *skip, const struct script_batch *batch,
                 size_t i, struct fail *f)
{
    const struct statement *s = &batch->statements[i];
    bool is_used_later =
        s->new_enum_value &&
        (!batch->is_last || grouping_mentions(s + 1, batch->count - i - 1, s->new_enum_value));
    struct grouping_step step;
    if (!grouping_feed(&x->grouping, s, is_used_later, x->planned->migration->path, &step, f))
        return false;
    if (step.commit_before && x->unit && !unit_commit(x, NULL, f))
        return false;
    if ((int64_t)x->grouping.unit <= x->units_before && x->unit == 0 && x->grouping.unit > 0)
        return skip_statement(x, skip, s, &step, f);
    if (!end_skipping(x, skip, f))
        return false;
    bool waits = x->grouping.unit > x->last_unit; /* as does all that is behind it */
    return waits || run_statement(x, s, &step, f);
}

/* What was read are the bytes that were planned. Asked when all of them were read and before the last
   unit is sent, so that a row is never completed by a text that was changed meanwhile. */
static bool check_bytes(struct execution *x, struct fail *f)
{
    struct checksums checksums;
    if (x->is_proved)
        return true;
    if (!script_finish(x->script, &checksums, f))
        return false;
    x->is_proved = digest_equal(&checksums.raw, &x->planned->checksums.raw);
    if (x->is_proved)
        return true;
    fail_set(f, EXIT_INTEGRITY, "%.*s was changed while it was being applied",
             STR_ARG(x->planned->migration->path));
    return fail_hint(f, "Put it back as it was, and run again when nothing writes to it.");
}

/* All statements are sent, or passed over: nothing that earlier runs did is missing from the script. */
static bool end_script(struct execution *x, struct skipping *skip, struct fail *f)
{
    if (!end_skipping(x, skip, f))
        return false;
    if (x->units_before > (int64_t)x->grouping.unit) /* statements that were executed are gone */
        return unit_refuse_edited(x, x->grouping.unit + 1, f);
    for (size_t i = x->grouping.unit; i < x->records.count; i++) {
        if (x->records.at[i].has_intent)
            return unit_refuse_edited(x, (uint32_t)i + 1, f);
    }
    if (!check_bytes(x, f))
        return false;
    if (x->unit)
        return unit_commit_last(x, f);
    return x->is_complete || unit_complete_row(x, f);
}

static bool run_script(struct execution *x, struct fail *f)
{
    struct skipping skip = {0};
    struct script_batch batch;
    for (;;) {
        if (!execution_check_stop(x->run, f) || !script_next(x->script, &batch, f) ||
            (batch.is_last && !check_bytes(x, f)))
            goto failed;
        if (batch.count == 0)
            return end_script(x, &skip, f);
        for (size_t i = 0; i < batch.count; i++) {
            if (!feed(x, &skip, &batch, i, f))
                goto failed;
        }
        if (x->unit && !unit_send(x, f))
            goto failed;
    }
failed:
    if (skip.unit)
        digest_abandon(skip.digest);
    return false;
}

/* ---- failures and retries ---- */

/* unit: the one that was under way; 0: none. */
static void record_failure(struct execution *x, const char *kind, int64_t unit,
                           const struct fail *why)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(json) struct json *detail = json_make_object();
    SCOPED(fail) struct fail second = FAIL_NONE;
    json_set_cstr(detail, "message", why->message);
    if (why->line)
        json_set_i64(detail, "line", why->line);
    if (x->intent_is_open)
        json_set_bool(detail, "outcome_unknown", true);
    struct event e = journal_event(a, x->run->journal, kind, x->label);
    bool is_counted = x->planned->unit_count > 1 || x->kind == UNIT_ALONE;
    e.unit = is_counted || x->run->goal == GOAL_ROLLBACK ? unit : 0;
    e.sql = buf_done(a, &x->sql);
    e.duration_us = clock_monotonic_us() - x->unit_started_us;
    e.lock_wait_us = table_wait_us(x);
    e.sqlstate = str_of(why->sqlstate);
    e.detail = json_line(a, detail);
    if (!execution_append(x->run, NULL, NULL, &e, 1, true, &second) &&
        second.kind != FAIL_HISTORY_MOVED)
        log_line(LOG_WARN, "the failure could not be written to the history: %s", second.message);
}

static bool roll_back(struct execution *x)
{
    SCOPED(fail) struct fail second = FAIL_NONE;
    if (unit_abandon(x, &second))
        return true;
    log_line(LOG_WARN, "the rollback failed, too: %s", second.message);
    return false;
}

static bool run_once(struct execution *x, struct fail *f)
{
    const struct planned_migration *p = x->planned;
    x->statements = 0;
    x->is_complete = false;
    x->is_proved = false;
    x->grouping = grouping_start(x->run->driver->engine, p->migration->transaction);
    x->script = p->kept ? script_open_kept(p->migration, p->kept)
                        : script_open(p->migration, false, x->run->script, f);
    bool is_done = x->script && run_script(x, f);
    script_close(x->script);
    x->script = NULL;
    return is_done;
}

/* Rolls back and writes down what f says. true: may be tried again. */
static bool clean_up(struct execution *x, struct fail *f)
{
    retry_count(x);
    int64_t unit = unit_number(x);
    bool is_rolled_back = roll_back(x);
    if (*x->run->stop_signal && !execution_check_stop(x->run, f))
        f->code = *x->run->stop_signal == SIGTERM ? EXIT_SIGTERM : EXIT_SIGINT;
    if (is_rolled_back)
        unit_tell_whose_doing(x, f);
    if (f->kind == FAIL_HISTORY_MOVED)
        return false;
    if (!is_rolled_back || !retry_is_left(x, f)) {
        record_failure(x, EVENT_FAILED, unit, f);
        retry_explain(x, f);
        return false;
    }
    record_failure(x, EVENT_RETRIED, unit, f);
    fail_clear(f);
    x->result.retries++;
    retry_pause(x);
    return true;
}

/* A pass has failed: where the COMMIT of the migration before is still under way, it comes first, and f may
   become its failure. */
static void settle_the_one_before(struct run_context *run, struct fail *f)
{
    SCOPED(fail) struct fail earlier = FAIL_NONE;
    if (execution_await(run, &earlier))
        return;
    fail_clear(f);
    *f = earlier;
    earlier = FAIL_NONE;
}

static bool run_with_retries(struct execution *x, struct fail *f)
{
    while (!run_once(x, f)) {
        settle_the_one_before(x->run, f);
        if (x->run->failed_ahead) { /* what is known of this one is worth nothing then */
            (void)roll_back(x);
            return false;
        }
        blockers_name(x->run, f);
        if (!clean_up(x, f))
            return false;
    }
    return true;
}

void execution_done(struct execution *x)
{
    x->result.duration_us = clock_monotonic_us() - x->started_us;
    x->result.statements = x->statements;
    x->result.units = x->units_before - x->units_at_start;
    x->done(x->done_context, &x->result);
}

static uint32_t last_unit_of(const struct execution *x)
{
    switch (x->run->goal) {
    case GOAL_APPLY:
        return planned_last_at_once(x->planned);
    case GOAL_CONTRACT:
        return planned_last_of_contract(x->planned, x->units_before);
    case GOAL_ROLLBACK:
        return x->planned->unit_count;
    }
    BUG("a goal that is not in the list");
}

struct execution *execution_start(struct run_context *run, const struct planned_migration *planned,
                                  const struct history_row *row,
                                  void (*done)(void *context, const struct execution_result *r),
                                  void *context)
{
    struct arena *a = arena_make();
    struct execution *x = arena_new(a, struct execution);
    const struct migration *m = planned->migration;
    x->run = run;
    x->planned = planned;
    x->arena = a;
    x->earlier_row = row;
    x->done = done;
    x->done_context = context;
    x->started_us = x->unit_started_us = clock_monotonic_us();
    x->label = m->version.len ? m->version : m->script;
    x->row = journal_row(a, run->journal, m, &planned->checksums);
    if (row) {
        /* 1 and 01 may be one version: what earlier runs wrote is found under the name they used. */
        x->label = row->version.len ? row->version : row->script;
        x->row.version = row->version;
        x->row.rank = row->rank;
        x->row_is_written = true;
        x->units_before = run->goal == GOAL_ROLLBACK ? planned->units_passed : row->units_done;
    }
    if (row && planned->is_down) { /* the row is that of what is taken back */
        struct history_row now = x->row;
        x->row = *row;
        x->row.installed_by = now.installed_by;
        x->row.run = now.run;
    }
    x->units_at_start = x->units_before;
    x->last_unit = last_unit_of(x);
    x->result.is_waiting = x->last_unit < planned->unit_count;
    x->result.was_resumed = row != NULL && run->goal == GOAL_APPLY;
    return x;
}

static bool finish(struct execution *x, struct fail *f)
{
    if (x->is_ahead)
        return true; /* commit_answered() does the rest, or has done it */
    execution_done(x);
    return !x->planned->has_session_effect || x->run->driver->reset_session(x->run->connection, f);
}

/* In which form its statements are run: what comes after a crash goes on with that, since the catalog is no
   longer what it was when the form was chosen. */
static bool write_planned(struct execution *x, struct fail *f)
{
    SCOPED(json) struct json *detail = json_make_object();
    json_set(detail, "online", online_forms_json(&x->planned->online));
    struct event e = journal_event(x->arena, x->run->journal, EVENT_PLANNED, x->label);
    e.detail = json_line(x->arena, detail);
    return execution_append(x->run, NULL, NULL, &e, 1, true, f);
}

bool execution_run(struct execution *x, struct fail *f)
{
    if (x->earlier_row && !unit_records_read(x, f))
        return false;
    if (x->planned->has_new_forms && !write_planned(x, f))
        return false;
    x->mark = arena_mark(x->arena);
    return run_with_retries(x, f) && finish(x, f);
}

bool execution_resume(struct execution *x, struct fail *f)
{
    *x->run->journal = x->journal_before;
    x->run->failed_ahead = NULL;
    x->is_ahead = false;
    return clean_up(x, f) && run_with_retries(x, f) && finish(x, f);
}

void execution_end(struct execution *x)
{
    if (!x)
        return;
    buf_release(&x->sql);
    digest_abandon(x->digest);
    table_wait_end(x);
    arena_release(x->arena);
}
