/* A run over a plan: see apply.h. */
#include "core/run/apply.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"

static bool write_run_event(struct run_context *run, const char *kind, const struct plan *plan,
                            const struct outcome *outcome, const struct fail *why, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(json) struct json *detail = json_make_object();
    json_set_i64(detail, "pending", (int64_t)plan->count);
    if (run->is_first_run && !outcome)
        json_set_bool(detail, "first", true);
    if (outcome) {
        json_set_i64(detail, "applied", (int64_t)outcome->applied);
        json_set_cstr(detail, "exit", exit_code_name(why->code));
    }
    struct event e = journal_event(a, run->journal, kind, STR(""));
    e.detail = json_line(a, detail);
    e.duration_us = outcome ? outcome->duration_us : 0;
    return execution_append(run, NULL, NULL, &e, 1, false, f);
}

/* The migrations under way: one that runs, and the one before, whose COMMIT may not be answered yet. */
struct applying {
    struct run_context *run;
    const struct apply_request *request;
    struct outcome *out;
    size_t at; /* the one that runs */
    struct execution *current, *before;
};

static void show_start(const struct applying *a)
{
    const struct apply_watch *watch = &a->request->watch;
    const struct plan *plan = a->request->plan;
    if (watch->before)
        watch->before(watch->context, a->at, plan->count, &plan->migrations[a->at]);
}

/* Migrations are done in order: it is the one behind those that were. */
static void note_done(void *context, const struct execution_result *result)
{
    struct applying *a = context;
    const struct apply_watch *watch = &a->request->watch;
    const struct plan *plan = a->request->plan;
    size_t index = a->out->applied++;
    a->out->statements += result->statements;
    if (watch->after)
        watch->after(watch->context, index, plan->count, &plan->migrations[index], result);
    if (index != a->at)
        show_start(a);
}

static void announce(const struct applying *a)
{
    SCOPED(arena) struct arena *scratch = arena_make();
    const struct plan *plan = a->request->plan;
    const struct migration *m = plan->migrations[a->at].migration;
    struct str label = m->version.len ? m->version : m->script;
    const char *what =
        arena_printf(scratch, "%zu/%zu %.*s", a->at + 1, plan->count, STR_ARG(label));
    a->run->driver->announce(a->run->connection, what);
}

static bool apply_one(struct applying *a, struct fail *f)
{
    const struct plan *plan = a->request->plan;
    if (!a->run->ahead)
        show_start(a);
    announce(a);
    a->run->may_go_ahead =
        a->run->driver->commit_ahead && !a->run->watch.begins && a->at + 1 < plan->count;
    a->current =
        execution_start(a->run, &plan->migrations[a->at], a->request->rows[a->at], note_done, a);
    return execution_run(a->current, f);
}

/* The COMMIT of the one before has failed: that one is what runs now. */
static bool step_back(struct applying *a, struct fail *f)
{
    execution_end(a->current);
    a->current = a->before;
    a->before = NULL;
    a->at--;
    a->run->may_go_ahead = false;
    announce(a);
    return execution_resume(a->current, f);
}

static bool apply_all(struct applying *a, struct fail *f)
{
    bool is_done = true;
    for (; is_done && a->at < a->request->plan->count; a->at++) {
        is_done = apply_one(a, f);
        if (!is_done && a->run->failed_ahead)
            is_done = step_back(a, f);
        execution_end(a->before);
        a->before = a->current;
        a->current = NULL;
    }
    execution_end(a->before);
    return is_done;
}

/* What the exit code means depends on whether this run changed anything. */
static void explain_state(const struct run_context *run, const struct outcome *out,
                          const struct plan *plan, struct fail *f)
{
    if (!run->target_changed) {
        if (f->kind == FAIL_SERVER && !f->hint)
            fail_hint(f,
                      "Nothing of it stays: correct the statement and run `migrate apply` again.");
        return;
    }
    if (f->code == EXIT_FAILED || f->code == EXIT_BUSY)
        f->code = EXIT_INCOMPLETE;
    if (out->applied < plan->count) {
        const struct migration *m = plan->migrations[out->applied].migration;
        struct str label = m->version.len ? m->version : m->script;
        const char *fate =
            f->kind == FAIL_COMMIT_UNKNOWN ? "may be applied or not"
            : run->failed_in_batches ? "is not applied: its batches stay, but for the last one"
            : run->failed_alone      ? "is not applied: what its last statement did outside a "
                                       "transaction may stay"
                                : "is not applied: what it did since its last committed step is "
                                  "rolled back";
        fail_detail(f, "Applied by this run: %zu of %zu. %.*s %s.", out->applied, plan->count,
                    STR_ARG(label), fate);
    }
    /* Until the flush at the end, commits need not have waited for the disk. */
    if (f->kind == FAIL_CONNECTION || f->kind == FAIL_COMMIT_UNKNOWN)
        fail_detail(f,
                    "If the server crashed, the newest of them may be lost, in schema and history "
                    "alike.");
    fail_hint(f, "`migrate status` shows where it stands; `migrate apply` goes on from there.");
}

static bool skips_triggers(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (planned_skips_triggers(&plan->migrations[i]))
            return true;
    }
    return false;
}

/* What a role may not is better known before anything is changed. */
static bool check_rights(const struct run_context *run, const struct plan *plan, struct fail *f)
{
    const struct range_driver *ranges = run->driver->ranges;
    if (!skips_triggers(plan) || !ranges || !ranges->may_skip_triggers ||
        ranges->may_skip_triggers(run->connection, f))
        return true;
    fail_wrap(f, "while asking whether batches may skip triggers");
    return fail_hint(f,
                     "GRANT SET ON PARAMETER session_replication_role TO %s (PostgreSQL 15 and "
                     "later; before, only a superuser may); or let them fire: -- migrate: batch "
                     "triggers=fire",
                     run->journal->identity.db_role);
}

bool apply_run(struct run_context *run, const struct apply_request *request, struct outcome *out,
               struct fail *f)
{
    int64_t started_us = clock_monotonic_us();
    *out = (struct outcome){0};
    run->journal->plan_digest = request->plan->digest.hex;
    if (!check_rights(run, request->plan, f))
        return false;
    if (!write_run_event(run, EVENT_RUN_STARTED, request->plan, NULL, f, f))
        return false;
    struct applying applying = {.run = run, .request = request, .out = out};
    bool is_done = apply_all(&applying, f);
    out->duration_us = clock_monotonic_us() - started_us;
    if (!is_done && f->kind == FAIL_HISTORY_MOVED)
        return false;
    if (!is_done)
        explain_state(run, out, request->plan, f);
    SCOPED(fail) struct fail second = FAIL_NONE;
    if (!write_run_event(run, EVENT_RUN_FINISHED, request->plan, out, f, &second) ||
        !run->driver->flush(run->connection, &second)) {
        if (!is_done) {
            log_line(LOG_WARN, "the end of the run could not be recorded: %s", second.message);
            return false;
        }
        fail_set(f, EXIT_INCOMPLETE, "%s", second.message);
        return fail_hint(f, "All migrations were applied, but this could not be confirmed; run "
                            "`migrate status`.");
    }
    return is_done;
}
