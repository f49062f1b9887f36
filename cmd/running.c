/* See running.h. */
#include "cmd/running.h"

#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "core/base/clock.h"
#include "core/base/json.h"

bool running_start(struct running *r, struct session *s, enum run_goal goal, struct fail *f)
{
    *r = (struct running){.session = s, .goal = goal};
    if (!session_format(s->options, &r->format, f))
        return false;
    if (r->format == FORMAT_JSON)
        r->done = json_make_array();
    return true;
}

/* What a migration is when the run has done with it. */
static const char *end_word(enum run_goal goal, bool waits)
{
    switch (goal) {
    case GOAL_APPLY:
        return waits ? "expanded" : "applied";
    case GOAL_CONTRACT:
        return waits ? "switched" : "contracted";
    case GOAL_ROLLBACK:
        return "rolled back";
    }
    BUG("a goal that is not in the list");
}

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
    struct running *r = context;
    struct arena *a = r->session->arena;
    const struct migration *m = p->migration;
    const char *word = end_word(r->goal, result->is_waiting);
    r->leaves_phases |= result->is_waiting;
    if (r->format == FORMAT_JSON) {
        struct json *one = json_make_object();
        json_set_str(one, "version", m->version);
        json_set_str(one, "description", m->description);
        json_set_str(one, "script", m->script);
        json_set_cstr(one, "state", word);
        json_set_i64(one, "statements", result->statements);
        json_set_i64(one, "duration_us", result->duration_us);
        json_set_i64(one, "retries", result->retries);
        json_set_bool(one, "resumed", result->was_resumed);
        json_push(r->done, one);
        return;
    }
    progress_clear();
    struct arena_mark mark = arena_mark(a);
    struct str label = migration_label(m);
    terminal_print("%s%s%s  %.*s  %.*s  %s%s\n", ink_on(INK_GOOD), word, ink_off(INK_GOOD),
                   STR_ARG(label), STR_ARG(m->description),
                   clock_duration_text(a, result->duration_us),
                   result->was_resumed ? "  (resumed)" : "");
    fflush(stdout); /* who watches through a pipe sees it now, and a killed run has said it */
    arena_reset(a, mark);
}

static void show_batches(void *context, const struct backfill_progress *p)
{
    struct running *r = context;
    backfill_show(&r->batches, p);
}

struct run_context running_context(struct running *r, struct running_parts *parts)
{
    struct session *s = r->session;
    parts->who = session_identity(s);
    parts->journal = journal_start(&parts->who, &s->history);
    parts->script = session_script_context(s, false);
    return (struct run_context){
        .goal = r->goal,
        .reason = r->reason,
        .is_early = r->is_early,
        .is_first_run = s->is_first_run,
        .driver = s->driver,
        .connection = s->connection,
        .journal = &parts->journal,
        .script = &parts->script,
        .lock_attempts = s->config.lock_attempts,
        .lock_budget_ms = s->config.lock_budget_ms,
        .backfill = {.batch_target_ms = s->config.batch_target_ms,
                     .batch_wait_ms = s->config.batch_wait_ms,
                     .replica_lag_ms = s->config.replica_lag_ms},
        .progress = show_batches,
        .progress_context = r,
        .concurrently_wait_ms = (uint32_t)s->config.concurrently_wait_ms,
        .stop_signal = &stop_signal,
        .target_changed = r->has_changed,
    };
}

bool running_run(struct running *r, const struct selection *selection, const struct plan *plan,
                 struct fail *f)
{
    struct session *s = r->session;
    struct outcome outcome = {0};
    struct running_parts parts;
    struct run_context run = running_context(r, &parts);
    struct apply_request request = {
        .plan = plan,
        .rows = selection->rows,
        .watch = {.before = show_before, .after = show_after, .context = r},
    };
    signals_cancel_on(s->driver, s->connection);
    bool is_done = apply_run(&run, &request, &outcome, f);
    signals_cancel_on(NULL, NULL);
    r->has_changed = run.target_changed;
    r->total.applied += outcome.applied;
    r->total.statements += outcome.statements;
    r->total.duration_us += outcome.duration_us;
    return is_done;
}

static void print_json(struct running *r, const struct open_phases *phases, const struct fail *f)
{
    SCOPED(json) struct json *root = json_make_object();
    const char *const names[] = {
        [GOAL_APPLY] = "applied", [GOAL_CONTRACT] = "contracted", [GOAL_ROLLBACK] = "rolled_back"};
    json_set_i64(root, "format", 1);
    json_set_cstr(root, "run", r->session->run);
    json_set_cstr(root, "target", r->session->url.safe);
    json_set(root, names[r->goal], r->done);
    json_set(root, "waiting", phases_json(phases));
    json_set_i64(root, "duration_us", r->total.duration_us);
    json_set_cstr(root, "exit", exit_code_name(f->code));
    if (fail_is_set(f))
        json_set(root, "error", failure_json(f));
    else
        json_set_null(root, "error");
    SCOPED(buf) struct buf text = {0};
    json_print(&text, root, true);
    puts(buf_cstr(&text));
}

void running_print(struct running *r, const struct open_phases *phases, const struct fail *f)
{
    if (r->format == FORMAT_JSON) {
        print_json(r, phases, f);
        return;
    }
    if (fail_is_set(f))
        return;
    if (r->total.applied == 0)
        puts("nothing to do");
    else
        terminal_print("%zu migration%s %s in %s\n", r->total.applied,
                       r->total.applied == 1 ? "" : "s", end_word(r->goal, false),
                       clock_duration_text(r->session->arena, r->total.duration_us));
    phases_print(phases);
}
