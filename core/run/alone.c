/*
 * A statement that stands alone cannot share a transaction with its entry, so a durable intent goes
 * before it and the entry follows; between the two, only the catalog knows (struct probe).
 */
#include "core/run/unit.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/run/blockers.h"

/* A durable word before the deed: which statement, and what the catalog held then. */
static bool write_intent(struct execution *x, const struct statement *s, struct fail *f)
{
    const char *before = NULL;
    const struct driver *driver = x->run->driver;
    if (s->probe && !driver->probe_before(x->arena, x->run->connection, s->probe, &before, f))
        return false;
    SCOPED(json) struct json *detail = json_make_object();
    unit_advance_row(x, (int64_t)x->unit - 1, false);
    journal_row_claim(detail, &x->row);
    struct digest d = digest_of(s->text);
    json_set_str(detail, "statement", digest_str(&d));
    if (before)
        json_set_cstr(detail, "before", before);
    if (x->planned->is_down)
        json_set_str(detail, "down", digest_str(&x->planned->checksums.raw));
    struct event e = unit_event(x, EVENT_STARTED);
    e.unit = unit_number(x);
    e.rows = -1;
    e.detail = json_line(x->arena, detail);
    bool is_new = !x->row_is_written;
    if (!execution_append(x->run, is_new ? &x->row : NULL, is_new ? NULL : &x->row, &e, 1, true, f))
        return false;
    x->row_is_written = true;
    return true;
}

static bool write_done(struct execution *x, struct fail *f)
{
    unit_advance_row(x, x->unit, unit_is_last(x));
    struct event e = unit_done_event(x);
    if (!execution_append(x->run, NULL, &x->row, &e, 1, true, f))
        return false;
    unit_close(x);
    return true;
}

/* Behind a crash: asks the catalog whether the statement happened. */
static bool settle_intent(struct execution *x, const struct statement *s,
                          const struct unit_record *record, bool *out_is_done, struct fail *f)
{
    enum probe_answer answer = PROBE_UNKNOWN;
    const char *before = record->has_before ? arena_cstr(x->arena, record->before) : NULL;
    if (s->probe && s->probe->kind != PROBE_NONE &&
        !x->run->driver->probe(x->run->connection, s->probe, before, &answer, f))
        return false;
    *out_is_done = answer == PROBE_IS_DONE;
    if (answer != PROBE_UNKNOWN)
        return true;
    struct str label = x->label;
    fail_set(f, EXIT_INCOMPLETE,
             "cannot tell whether a statement of %.*s happened before the last run was cut off",
             STR_ARG(label));
    fail_detail(f, "It runs outside a transaction, and nothing in the catalog proves its effect.");
    fail_hint(f,
              "Look at the database, then say: migrate resolve %.*s --applied --reason \"…\" "
              "or --not-applied.",
              STR_ARG(label));
    script_locate(x->script, s, 0, f);
    return false;
}

/* Whether a statement that met a lock timeout outside a transaction did nothing, or only what may be
   done again. Not what works in several transactions (CONCURRENTLY, CALL), nor what reaches another
   server (subscriptions). */
static bool is_all_or_nothing(const struct statement *s)
{
    if (!s->probe)
        return false;
    switch (s->probe->kind) {
    case PROBE_RERUN:
        return !s->probe->is_reindex;
    case PROBE_ENUM_VALUE:
    case PROBE_DATABASE_EXISTS:
    case PROBE_DATABASE_ABSENT:
    case PROBE_TABLESPACE_EXISTS:
    case PROBE_TABLESPACE_ABSENT:
        return true;
    case PROBE_NONE:
    case PROBE_INDEX_VALID:
    case PROBE_INDEX_ABSENT:
    case PROBE_INDEX_ON_TABLE:
    case PROBE_PARTITION_DETACHED:
    case PROBE_SUBSCRIPTION_EXISTS:
    case PROBE_SUBSCRIPTION_ABSENT:
        return false;
    }
    BUG("a kind of probe that is not in the list");
}

/* The statement failed (is_refused: the server said no, so it did not happen), or what it made is not
   as it should be. What a failed build left behind is ours to clean; where nothing proves that the
   target is as before, it counts as changed. A clean-up that could not be done leaves the intent open:
   only what it says of the state before tells the next run which leftover is ours. */
static void settle_failure(struct execution *x, const struct statement *s, bool is_refused)
{
    enum probe_answer answer = PROBE_UNKNOWN;
    SCOPED(fail) struct fail second = FAIL_NONE;
    bool has_probe = s->probe && s->probe->kind != PROBE_NONE;
    bool is_settled =
        !has_probe || x->run->driver->probe(x->run->connection, s->probe, NULL, &answer, &second);
    /* FINALIZE has completed what the server refused to: the next run finds it done. */
    bool is_finished = is_refused && is_settled && answer == PROBE_IS_DONE &&
                       s->probe->kind == PROBE_PARTITION_DETACHED;
    if (!is_settled) {
        answer = PROBE_UNKNOWN;
        log_line(LOG_WARN, "could not clean up behind %.*s: %s; the next run does it",
                 STR_ARG(x->label), second.message);
    }
    if (is_settled && !is_finished && (is_refused || answer == PROBE_NOT_DONE))
        x->intent_is_open = false;
    bool is_as_before = is_refused ? answer != PROBE_UNKNOWN : answer == PROBE_NOT_DONE;
    if (!is_as_before || is_finished)
        x->run->target_changed = x->run->failed_alone = true;
}

static bool was_refused(const struct fail *f)
{
    return f->kind == FAIL_SERVER || f->kind == FAIL_CANCELLED || f->kind == FAIL_DEADLOCK ||
           f->kind == FAIL_LOCK_TIMEOUT;
}

/* A statement that waits for others by nature does so for long. */
static void tell_of_wait(void *context, const struct awaited_lock *seen, int64_t waited_us)
{
    const struct execution *x = context;
    SCOPED(arena) struct arena *a = arena_make();
    log_line(LOG_NOTE, "%.*s: %s has waited %s%s%s%s for %s", STR_ARG(x->label), x->queued->kind,
             clock_duration_text(a, waited_us), seen->phase ? " (" : "",
             seen->phase ? seen->phase : "", seen->phase ? ")" : "", blockers_text(a, seen));
}

static bool send_alone(struct execution *x, const struct statement *s, struct fail *f)
{
    x->queued = s;
    x->queued_count = 1;
    const struct patience patience = {
        .limit_ms = x->run->concurrently_wait_ms, .tell = tell_of_wait, .context = x};
    if (x->run->driver->wait_patiently)
        x->run->driver->wait_patiently(x->run->connection, &patience);
    if (!unit_send(x, f)) {
        x->may_be_resent = f->kind == FAIL_LOCK_TIMEOUT && is_all_or_nothing(s);
        if (was_refused(f))
            settle_failure(x, s, true);
        else
            x->run->target_changed = x->run->failed_alone = true;
        return false;
    }
    if (!s->probe || x->run->driver->check_after(x->run->connection, s->probe, f))
        return true;
    settle_failure(x, s, false);
    if (!f->file)
        script_locate(x->script, s, 0, f);
    return false;
}

bool unit_has_intent(const struct execution *x, uint32_t number)
{
    return number <= x->records.count && x->records.at[number - 1].has_intent;
}

bool unit_refuse_edited(const struct execution *x, uint32_t unit, struct fail *f)
{
    fail_set(f, EXIT_INTEGRITY, "the part of %.*s that was already executed was edited",
             STR_ARG(x->label));
    fail_detail(f, "An earlier run executed step %u of it; only what follows may still be changed.",
                unit);
    return fail_hint(f, "Put that part back as it was; write what must change behind it.");
}

bool unit_run_alone(struct execution *x, uint32_t number, const struct statement *s, struct fail *f)
{
    if (!execution_await(x->run, f))
        return false;
    unit_start(x, number, UNIT_ALONE);
    unit_record_statement(x, s);
    const struct unit_record *record =
        number <= x->records.count ? &x->records.at[number - 1] : NULL;
    bool is_done = false;
    x->intent_is_open = record && record->has_intent;
    struct digest now = digest_of(s->text);
    if (x->intent_is_open && record->intent.len && !str_equal(record->intent, digest_str(&now))) {
        unit_refuse_edited(x, number, f);
        return fail_hint(f,
                         "If it did not happen, say so: migrate resolve %.*s --not-applied "
                         "--reason \"…\".",
                         STR_ARG(x->label));
    }
    if (x->intent_is_open && !settle_intent(x, s, record, &is_done, f))
        return false;
    if (is_done) {
        x->statements++;
        x->run->target_changed = true; /* the history says more than before */
        return write_done(x, f);
    }
    x->intent_is_open = false;
    if (x->run->driver->limit)
        x->run->driver->limit(x->run->connection, x->planned->migration->lock_timeout_ms,
                              x->planned->migration->statement_timeout_ms);
    if (!write_intent(x, s, f))
        return false;
    x->intent_is_open = true;
    if (!send_alone(x, s, f))
        return false;
    x->run->target_changed = true;
    return write_done(x, f);
}
