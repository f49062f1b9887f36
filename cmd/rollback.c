/*
 * migrate rollback: takes back a migration that is expanded or switched, or was cut off on its way there,
 * by the undo of its steps, the last one first. What was applied as a whole has no way back but another
 * migration.
 */
#include "cmd/command.h"
#include "cmd/running.h"
#include "cmd/signals.h"
#include "core/base/json.h"
#include "core/run/run_lock.h"
#include "planner/planner.h"

static bool check_options(const struct options *o, struct fail *f)
{
    if (!o->lossy || (o->reason && o->reason[0]))
        return true;
    fail_set(f, EXIT_USAGE, "--lossy needs a reason");
    return fail_hint(f, "Add --reason \"why what was written may go\"; it is kept in the history.");
}

static bool refuse_state(const struct reconciled *one, struct str wanted, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "%.*s cannot be taken back: it is %s", STR_ARG(wanted),
             migration_state_name(one->state));
    if (one->state == STATE_APPLIED)
        return fail_hint(f, "Write what takes it back as another migration.");
    return fail_hint(f, "Only what is expanded or switched, or was cut off, can be taken back.");
}

/* A rollback that has come to its end may be called again. */
static bool is_taken_back(const struct session *s, const struct reconciled *one)
{
    for (size_t i = s->history.count; reconciled_is_pending(one) && !one->row && i > 0; i--) {
        const struct history_row *row = &s->history.at[i - 1];
        if (str_equal(history_row_label(row), migration_label(one->migration)))
            return str_equal(row->state, STR(HISTORY_ROLLED_BACK));
    }
    return false;
}

static const struct reconciled *find(const struct session *s, const struct reconciliation *r,
                                     struct fail *f)
{
    struct str wanted = str_of(s->options->arguments.at[0]);
    const struct reconciled *one = reconciliation_find(r, s->migrations.order, wanted);
    if (!one) {
        fail_set(f, EXIT_USAGE, "there is no migration with version \"%.*s\"", STR_ARG(wanted));
        fail_hint(f, "`migrate status` lists the versions.");
        return NULL;
    }
    if (one->state == STATE_EXPANDED || one->state == STATE_SWITCHED ||
        one->state == STATE_INCOMPLETE || one->state == STATE_ROLLING_BACK || is_taken_back(s, one))
        return one;
    (void)refuse_state(one, wanted, f);
    return NULL;
}

/* Whether a statement outside a transaction was begun, and nobody knows how it ended. */
static bool weigh_intent(void *context, const struct event *e, struct fail *f UNUSED)
{
    bool *is_open = context;
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *detail = e->detail.len ? json_parse(e->detail, STR("event"), &ignored) : NULL;
    bool is_unknown = false;
    if (str_equal(e->kind, STR(EVENT_STARTED)))
        *is_open = true;
    else if (!json_bool_of(json_get(detail, "outcome_unknown"), &is_unknown) || !is_unknown)
        *is_open = false;
    return true;
}

/* Of the unit that is undone next, how many steps of its undo are done. */
struct undone {
    int64_t unit;
    size_t steps;
};

static bool count_undone(void *context, const struct event *e, struct fail *f UNUSED)
{
    struct undone *undone = context;
    if (str_equal(e->kind, STR(EVENT_PLANNED)) || str_equal(e->kind, STR(EVENT_ROLLED_BACK)))
        undone->steps = 0;
    if (str_equal(e->kind, STR(EVENT_STEP_UNDONE)))
        undone->steps += e->unit == undone->unit;
    return true;
}

static bool read_undone(struct session *s, const struct reconciled *one, size_t *out,
                        struct fail *f)
{
    struct undone undone = {.unit = one->row->units_done};
    *out = 0;
    if (one->state != STATE_ROLLING_BACK)
        return true;
    if (!s->driver->read_events(s->connection, 1, history_row_label(one->row), count_undone,
                                &undone, f))
        return false;
    *out = undone.steps;
    return true;
}

/* The contract takes away what the way back needs. */
static bool check_begun(struct session *s, const struct reconciled *one,
                        const struct planned_migration *p, struct fail *f)
{
    bool is_open = false;
    struct str label = history_row_label(one->row);
    if (one->state == STATE_ROLLING_BACK)
        return true; /* its own intents are settled as it goes on */
    if (!s->driver->read_events(s->connection, 1, label, weigh_intent, &is_open, f))
        return false;
    if (one->row->units_done <= (int64_t)planned_last_with_undo(p) && !is_open)
        return true;
    bool is_expanded = one->state == STATE_EXPANDED || one->state == STATE_SWITCHED;
    fail_set(f, EXIT_REFUSED, "%.*s cannot be taken back: %s", STR_ARG(label),
             is_expanded ? "its contract has begun"
                         : "a step outside a transaction was cut off, and may have happened");
    return fail_hint(
        f, "Go on with it: %s",
        session_command(s, is_expanded ? "contract" : "apply", is_expanded ? label : STR("")));
}

static bool rollback_locked(struct running *run, struct fail *f)
{
    struct session *s = run->session;
    struct reconciliation r;
    struct plan done;
    struct planned_migration undo;
    if (!s->driver->prepare_history(s->connection, f) || !session_read_history(s, f) ||
        !session_check_record(s, f) || !session_reconcile(s, &r, f))
        return false;
    const struct reconciled *one = find(s, &r, f);
    if (!one || is_taken_back(s, one))
        return one != NULL;
    const struct migration *only[] = {one->migration};
    const struct history_row *rows[] = {one->row};
    const struct selection selection = {.migrations = only, .rows = rows, .count = 1};
    size_t undone;
    if (!session_plan(s, &selection, false, &done, f) || !check_begun(s, one, done.migrations, f) ||
        !read_undone(s, one, &undone, f))
        return false;
    const struct undo_request request = {.dialect = dialect_for(s->url.engine),
                                         .server_version = s->server.version_number,
                                         .done = done.migrations,
                                         .units_done = one->row->units_done,
                                         .undone_steps = undone,
                                         .may_lose = s->options->lossy};
    if (!plan_undo(s->arena, &request, &undo, f))
        return false;
    struct plan plan = {
        .engine = done.engine, .migrations = &undo, .count = 1, .digest = done.digest};
    return running_run(run, &selection, &plan, f);
}

static bool rollback(struct running *run, struct fail *f)
{
    struct session *s = run->session;
    const struct options *o = s->options;
    int64_t wait_ms = o->wait_is_given ? o->wait_ms : SESSION_WAIT_MS;
    if (!check_options(o, f) || !session_start(s->arena, o, s, f) || !session_open(s, false, f))
        return false;
    session_print_notes(s);
    if (!session_require_direct(s, f) ||
        !run_lock_acquire(s->driver, s->connection, s->run, wait_ms, &stop_signal, f))
        return false;
    bool is_done = rollback_locked(run, f);
    s->driver->unlock(s->connection);
    return is_done;
}

enum exit_code cmd_rollback(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s = {.arena = a, .options = o};
    struct running run;
    const struct open_phases none = {0};
    if (!running_start(&run, &s, GOAL_ROLLBACK, f))
        return f->code;
    run.reason = o->reason;
    signals_expect_run(true);
    (void)rollback(&run, f);
    running_print(&run, &none, f);
    session_close(&s);
    return f->code;
}
