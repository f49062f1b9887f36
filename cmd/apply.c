/*
 * migrate apply: what is pending, once. Reads without a lock first, so that nothing to do costs one
 * round trip; then takes the run lock, reads again, and runs.
 */
#include "core/run/apply.h"
#include "cmd/backfill.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/run/run_lock.h"

/* SQLite has no lock that spans migrations: another run may get in between two of ours. */
#define MOVED_TRIES 20

struct apply_view {
    struct arena *arena;
    enum output_format format;
    struct json *applied; /* JSON only */
    size_t applied_before;
    struct backfill_view batches;
};

static void show_before(void *context, size_t index, size_t total,
                        const struct planned_migration *p)
{
    (void)context;
    struct str label = migration_label(p->migration);
    progress_show("[%zu/%zu] %.*s %.*s …", index + 1, total, STR_ARG(label),
                  STR_ARG(p->migration->description));
}

static void show_after(void *context, size_t index, size_t total, const struct planned_migration *p,
                       const struct execution_result *result)
{
    (void)index;
    (void)total;
    struct apply_view *view = context;
    const struct migration *m = p->migration;
    if (view->format == FORMAT_JSON) {
        struct json *one = json_make_object();
        json_set_str(one, "version", m->version);
        json_set_str(one, "description", m->description);
        json_set_str(one, "script", m->script);
        json_set_i64(one, "statements", result->statements);
        json_set_i64(one, "duration_us", result->duration_us);
        json_set_i64(one, "retries", result->retries);
        json_set_bool(one, "resumed", result->was_resumed);
        json_push(view->applied, one);
        return;
    }
    progress_clear();
    struct arena_mark mark = arena_mark(view->arena);
    struct str label = migration_label(m);
    terminal_print("%sapplied%s  %.*s  %.*s  %s%s\n", ink_on(INK_GOOD), ink_off(INK_GOOD),
                   STR_ARG(label), STR_ARG(m->description),
                   clock_duration_text(view->arena, result->duration_us),
                   result->was_resumed ? "  (resumed)" : "");
    fflush(stdout); /* who watches through a pipe sees it now, and a killed run has said it */
    arena_reset(view->arena, mark);
}

static void show_batches(void *context, const struct backfill_progress *p)
{
    struct apply_view *view = context;
    backfill_show(&view->batches, p);
}

static bool read_state(struct session *s, struct reconciliation *r, struct selection *selection,
                       struct fail *f)
{
    return session_check_record(s, f) && session_reconcile(s, r, f) &&
           reconciliation_check(r, s->options->allow_out_of_order, f) &&
           session_select(s, r, selection, f) && session_refuse_opaque(selection, f);
}

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

static bool run_plan(struct session *s, const struct selection *selection, const struct plan *plan,
                     struct apply_view *view, bool *changed, struct outcome *outcome,
                     struct fail *f)
{
    struct run_identity who = session_identity(s);
    struct journal journal = journal_start(&who, &s->history);
    struct script_context script = session_script_context(s, false);
    struct run_context run = {
        .driver = s->driver,
        .connection = s->connection,
        .journal = &journal,
        .script = &script,
        .lock_attempts = s->config.lock_attempts,
        .lock_budget_ms = s->config.lock_budget_ms,
        .backfill = {.batch_target_ms = s->config.batch_target_ms,
                     .batch_wait_ms = s->config.batch_wait_ms,
                     .replica_lag_ms = s->config.replica_lag_ms},
        .progress = show_batches,
        .progress_context = view,
        .concurrently_wait_ms = (uint32_t)s->config.concurrently_wait_ms,
        .stop_signal = &stop_signal,
        .target_changed = *changed,
    };
    struct apply_request request = {
        .plan = plan,
        .rows = selection->rows,
        .watch = {.before = show_before, .after = show_after, .context = view},
    };
    signals_cancel_on(s->driver, s->connection);
    bool is_done = apply_run(&run, &request, outcome, f);
    signals_cancel_on(NULL, NULL);
    *changed = run.target_changed;
    return is_done;
}

/* Under the run lock: reads again, since another run may have been faster. */
static bool apply_locked(struct session *s, struct apply_view *view, struct outcome *total,
                         struct fail *f)
{
    struct reconciliation r;
    struct selection selection;
    bool changed = false; /* by any of the attempts */
    for (int attempt = 0;; attempt++) {
        if (!s->driver->prepare_history(s->connection, f) || !session_read_history(s, f) ||
            !read_state(s, &r, &selection, f))
            return false;
        if (selection.count == 0)
            return true;
        struct plan plan;
        struct outcome outcome = {0};
        if (!session_plan(s, &selection, false, &plan, f))
            return false;
        print_plan_warnings(&plan);
        bool is_done = run_plan(s, &selection, &plan, view, &changed, &outcome, f);
        total->applied += outcome.applied;
        total->statements += outcome.statements;
        total->duration_us += outcome.duration_us;
        if (is_done || f->kind != FAIL_HISTORY_MOVED)
            return is_done;
        if (attempt >= MOVED_TRIES) {
            f->code = changed ? EXIT_INCOMPLETE : f->code;
            return false;
        }
        fail_clear(f);
    }
}

static bool apply_pending(struct session *s, struct apply_view *view, struct outcome *total,
                          struct fail *f)
{
    const struct options *o = s->options;
    int64_t wait_ms = o->wait_is_given ? o->wait_ms : SESSION_WAIT_MS;
    if (!session_require_direct(s, f) ||
        !run_lock_acquire(s->driver, s->connection, s->run, wait_ms, &stop_signal, f))
        return false;
    bool is_done = apply_locked(s, view, total, f);
    s->driver->unlock(s->connection);
    return is_done;
}

static void print_json(const struct session *s, struct apply_view *view,
                       const struct outcome *total, const struct fail *f)
{
    SCOPED(json) struct json *root = json_make_object();
    json_set_i64(root, "format", 1);
    json_set_cstr(root, "run", s->run);
    json_set_cstr(root, "target", s->url.safe);
    json_set(root, "applied", view->applied);
    json_set_i64(root, "duration_us", total->duration_us);
    json_set_cstr(root, "exit", exit_code_name(f->code));
    if (fail_is_set(f))
        json_set(root, "error", failure_json(f));
    else
        json_set_null(root, "error");
    SCOPED(buf) struct buf text = {0};
    json_print(&text, root, true);
    puts(buf_cstr(&text));
}

static void print_text(struct apply_view *view, const struct outcome *total, const struct fail *f)
{
    if (fail_is_set(f))
        return;
    if (total->applied == 0)
        puts("nothing to do");
    else
        terminal_print("%zu migration%s applied in %s\n", total->applied,
                       total->applied == 1 ? "" : "s",
                       clock_duration_text(view->arena, total->duration_us));
}

static bool apply(struct session *s, struct apply_view *view, struct outcome *total, struct fail *f)
{
    struct reconciliation r;
    struct selection selection;
    bool is_settled;
    if (!session_start(view->arena, s->options, s, f) || !session_open_for_run(s, &is_settled, f))
        return false;
    session_print_notes(s);
    if (is_settled && !s->options->to) /* --to may name a version that is not there */
        return true;
    if (is_settled && !session_read_history(s, f))
        return false;
    if (!read_state(s, &r, &selection, f))
        return false;
    warn_of_changes(&r);
    log_line(LOG_DEBUG, "%zu applied, %zu to run on %s", r.applied, selection.count,
             s->server.safe_url);
    return selection.count == 0 || apply_pending(s, view, total, f);
}

enum exit_code cmd_apply(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s = {.options = o};
    struct apply_view view = {.arena = a};
    struct outcome total = {0};
    if (!session_format(o, &view.format, f))
        return f->code;
    if (view.format == FORMAT_JSON)
        view.applied = json_make_array();
    signals_expect_run(true);
    (void)apply(&s, &view, &total, f);
    if (view.format == FORMAT_JSON)
        print_json(&s, &view, &total, f);
    else
        print_text(&view, &total, f);
    session_close(&s);
    return f->code;
}
