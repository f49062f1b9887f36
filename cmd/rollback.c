/*
 * migrate rollback: takes back a migration that is expanded or switched, or was cut off on its way there,
 * by the undo of its steps, the last one first; one that was applied as a whole by its down file, if it has
 * one.
 */
#include "cmd/command.h"
#include "cmd/running.h"
#include "cmd/signals.h"
#include "cmd/way_back.h"
#include "core/run/run_lock.h"

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
    if (one->state == STATE_APPLIED && one->migration) {
        fail_detail(f,
                    "There is no down file with it, as other tools have: 0042_name.down.sql, or a "
                    "part of the file.");
        return fail_hint(f, "Write what takes it back as another migration.");
    }
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
    const struct reconciled *one = reconciliation_find_named(r, s->migrations.order, wanted, f);
    if (!one)
        return NULL;
    if (one->state == STATE_EXPANDED || one->state == STATE_SWITCHED ||
        one->state == STATE_INCOMPLETE || one->state == STATE_ROLLING_BACK ||
        is_taken_back(s, one) ||
        (one->state == STATE_APPLIED && one->migration && one->migration->down_path.len))
        return one;
    (void)refuse_state(one, wanted, f);
    return NULL;
}

static bool rollback_locked(struct running *run, struct fail *f)
{
    struct session *s = run->session;
    struct reconciliation r;
    struct plan plan;
    if (!s->driver->prepare_history(s->connection, f) || !session_read_history(s, f) ||
        !session_check_record(s, f) || !session_reconcile(s, &r, f))
        return false;
    const struct reconciled *one = find(s, &r, f);
    if (!one || is_taken_back(s, one))
        return one != NULL;
    const struct migration *only[] = {one->migration};
    const struct history_row *rows[] = {one->row};
    const struct selection selection = {.migrations = only, .rows = rows, .count = 1};
    if (!way_back_plan(s, one, &plan, f))
        return false;
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
