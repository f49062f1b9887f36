/*
 * migrate apply: what is pending, once. Reads without a lock first, so that nothing to do costs one
 * round trip; then takes the run lock, reads again, and runs.
 */
#include "cmd/command.h"
#include "cmd/running.h"
#include "cmd/signals.h"
#include "cmd/usage.h"
#include "core/base/log.h"
#include "core/run/run_lock.h"

/* SQLite has no lock that spans migrations: another run may get in between two of ours. */
#define MOVED_TRIES 20

/* Edits that do not stop a run still deserve a word. */
static void warn_of_changes(const struct reconciliation *r)
{
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].state == STATE_CHANGED)
            log_line(LOG_WARN, "%s", reconciled_sentence(a, &r->at[i]));
    }
}

static void print_plan_warnings(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *p = &plan->migrations[i];
        for (size_t w = 0; w < p->warnings.count; w++)
            log_line(LOG_WARN, "%.*s: %s", STR_ARG(p->migration->path), p->warnings.at[w]);
    }
}

/* Under the run lock: reads again, since another run may have been faster. */
static bool apply_locked(struct running *run, struct fail *f)
{
    struct session *s = run->session;
    struct reconciliation r;
    struct selection selection;
    for (int attempt = 0;; attempt++) {
        if (!s->driver->prepare_history(s->connection, f) || !session_read_history(s, f) ||
            !session_select_pending(s, &r, &selection, f))
            return false;
        if (selection.count == 0)
            return true;
        struct plan plan;
        if (!session_plan(s, &selection, false, &plan, f) || !phases_check(s, &plan, f))
            return false;
        print_plan_warnings(&plan);
        if (running_run(run, &selection, &plan, f))
            return true;
        if (f->kind != FAIL_HISTORY_MOVED)
            return false;
        if (attempt >= MOVED_TRIES) {
            f->code = run->has_changed ? EXIT_INCOMPLETE : f->code;
            return false;
        }
        fail_clear(f);
    }
}

/* What is counted when a migration has just been expanded is what later counts are held against. The run is
   done: that this is missing is no failure of it. */
static bool read_phases(struct running *run, struct open_phases *phases, struct fail *f)
{
    struct session *s = run->session;
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    if (!run->leaves_phases)
        return true;
    if (!phases_read(s, phases, f))
        return false;
    if (!usage_look(s, phases, &ignored) || !usage_keep(s, phases, &ignored))
        log_line(LOG_WARN, "who uses what waits for its contract could not be counted: %s",
                 ignored.message);
    for (size_t i = 0; i < phases->count; i++)
        phases->at[i].usage = NULL; /* who deploys step by step knows that it is used */
    return true;
}

static bool apply_pending(struct running *run, struct open_phases *phases, struct fail *f)
{
    struct session *s = run->session;
    const struct options *o = s->options;
    int64_t wait_ms = o->wait_is_given ? o->wait_ms : SESSION_WAIT_MS;
    if (!session_require_direct(s, f) ||
        !run_lock_acquire(s->driver, s->connection, s->run, wait_ms, &stop_signal, f))
        return false;
    bool is_done = apply_locked(run, f) && read_phases(run, phases, f);
    s->driver->unlock(s->connection);
    return is_done;
}

/* *phases: what waits when it is done; an interrupted run says it the next time. */
static bool apply(struct running *run, struct open_phases *phases, struct fail *f)
{
    struct session *s = run->session;
    struct reconciliation r;
    struct selection selection;
    bool is_settled;
    if (!session_start(s->arena, s->options, s, f) || !session_open_for_run(s, &is_settled, f))
        return false;
    session_print_notes(s);
    if (is_settled && !s->options->to) /* --to may name a version that is not there */
        return true;
    if (is_settled && !session_read_history(s, f))
        return false;
    if (!session_select_pending(s, &r, &selection, f))
        return false;
    warn_of_changes(&r);
    log_line(LOG_DEBUG, "%zu applied, %zu to run on %s", r.applied, selection.count,
             s->server.safe_url);
    *phases = phases_find(s, &r);
    if (selection.count == 0)
        return true;
    return apply_pending(run, phases, f);
}

enum exit_code cmd_apply(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s = {.arena = a, .options = o};
    struct running run;
    struct open_phases phases = {0};
    if (!running_start(&run, &s, GOAL_APPLY, f))
        return f->code;
    signals_expect_run(true);
    (void)apply(&run, &phases, f);
    running_print(&run, &phases, f);
    session_close(&s);
    return f->code;
}
