/*
 * A project of fake migrations (drivers/testkit/fake_dialect.h) on a database in memory
 * (drivers/testkit/fake_driver.h) for tests of execution and apply: what is pending is planned and
 * run, one process after another, and what is left behind is checked against the files.
 */
#ifndef CORE_RUN_RUN_TESTING_H
#define CORE_RUN_RUN_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/vec.h"
#include "core/run/apply.h"
#include "core/run/reconcile.h"
#include "core/run/verify.h"
#include "drivers/testkit/fake_dialect.h"
#include "drivers/testkit/fake_driver.h"
#include "drivers/testkit/fixture.h"

#define FILES_MAX 6

struct file_text {
    const char *name; /* "1_users.sql"; what is in front of '_' is the version, none: repeatable */
    const char *text;
    enum transaction_mode mode;
};

/* A statement that a whole run must have executed once. */
struct expected_statement {
    struct str text;
    size_t file;
    uint32_t unit;
    enum transaction_role role;
    bool is_undone; /* its unit ends in the file's ROLLBACK */
};

struct fake_project {
    struct arena *arena;
    struct fake_database *db;
    struct migrations files;
    struct {
        struct expected_statement *at;
        size_t count, room;
    } statements;
    volatile sig_atomic_t stop_signal;
    uint64_t runs;
    bool goes_ahead;                      /* on a driver with commit_ahead() */
    size_t watched_before, watched_after; /* calls of the apply's watch */
};

/* What became of one process. */
struct fake_run {
    enum exit_code code;
    struct fail fail; /* texts in the project's arena */
    struct outcome outcome;
    int64_t calls;
    bool was_struck;
};

static inline struct script_context fake_script_context(void)
{
    return (struct script_context){.dialect = fake_dialect(), .server_version = 1};
}

/* Reads a script through the grouping, as the planner does. */
static inline void plan_file(const struct migration *m, struct planned_migration *out)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct script_context context = fake_script_context();
    SCOPED(script) struct script *script = script_open(m, false, &context, &f);
    assert_non_null(script);
    struct grouping g = grouping_start(ENGINE_SQLITE, m->transaction);
    struct script_batch batch;
    *out = (struct planned_migration){.migration = m, .class = CLASS_ADDITIVE};
    while (script_next(script, &batch, &f) && batch.count) {
        for (size_t i = 0; i < batch.count; i++) {
            struct grouping_step step;
            out->has_session_effect |= batch.statements[i].session != SESSION_NONE;
            if (!grouping_feed(&g, &batch.statements[i], false, m->path, &step, &f))
                break; /* the run says so, too */
            out->statement_count += step.send;
        }
        struct str data = {.len = batch.statements[batch.count - 1].is_copy_from_stdin};
        while (data.len)
            assert_true(script_copy_data(script, &data, &f));
    }
    out->unit_count = g.unit;
    out->is_single = g.unit <= 1;
    if (!fail_is_set(&f))
        assert_true(script_finish(script, &out->checksums, &f));
    else
        out->checksums = m->checksums;
}

/* Notes what a file is made of. */
static inline void list_statements(struct fake_project *p, size_t file)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct migration *m = &p->files.at[file];
    struct script_context context = fake_script_context();
    SCOPED(script) struct script *script = script_open(m, false, &context, &f);
    assert_non_null(script);
    struct grouping g = grouping_start(ENGINE_SQLITE, m->transaction);
    struct script_batch batch;
    while (script_next(script, &batch, &f) && batch.count) {
        for (size_t i = 0; i < batch.count; i++) {
            const struct statement *s = &batch.statements[i];
            struct grouping_step step = {0};
            if (!grouping_feed(&g, s, false, m->path, &step, &f))
                return;
            bool is_effect = step.send && s->role != ROLE_BEGIN && s->role != ROLE_COMMIT &&
                             s->session != SESSION_SETS;
            struct expected_statement e = {arena_str(p->arena, s->text), file, g.unit, s->role,
                                           false};
            if (is_effect)
                vec_push(p->arena, &p->statements, e);
            for (size_t k = 0; step.rollback_after && k < p->statements.count; k++)
                p->statements.at[k].is_undone |=
                    p->statements.at[k].file == file && p->statements.at[k].unit == g.unit;
        }
        struct str data = {.len = batch.statements[batch.count - 1].is_copy_from_stdin};
        while (data.len)
            assert_true(script_copy_data(script, &data, &f));
    }
}

/* Writes the files and reads them as migrations; called again with other texts, they are edited. */
static inline void project_files(struct fake_project *p, const char *directory,
                                 const struct file_text *texts)
{
    p->files = (struct migrations){.layout = LAYOUT_PLAIN, .order = VERSION_ORDER_NUMBER};
    p->statements.count = 0;
    for (size_t i = 0; i < FILES_MAX && texts[i].name; i++) {
        fixture_write(directory, texts[i].name, texts[i].text);
        struct str name = str_of(texts[i].name);
        struct str version;
        struct str rest = str_cut(name, '_', &version);
        struct migration m = {
            .version = version.len == name.len ? (struct str){0} : version,
            .description = rest,
            .kind = version.len == name.len ? MIGRATION_REPEATABLE : MIGRATION_VERSIONED,
            .layout = LAYOUT_PLAIN,
            .path = str_of(fixture_path(directory, texts[i].name)),
            .script = name,
            .up = {0, UINT64_MAX},
            .transaction = texts[i].mode,
            .size_bytes = strlen(texts[i].text),
            .checksums.raw = digest_of(str_of(texts[i].text)),
        };
        vec_push(p->arena, &p->files, m);
    }
    for (size_t i = 0; i < p->files.count; i++)
        list_statements(p, i);
}

static inline struct fake_project *fake_project_make(struct arena *a, const char *directory,
                                                     const struct file_text *texts)
{
    struct fake_project *p = arena_new(a, struct fake_project);
    p->arena = a;
    p->db = fake_database_make(a);
    project_files(p, directory, texts);
    return p;
}

static inline bool read_fake_digests(void *context, const struct migration *m,
                                     struct checksums *out, struct fail *f)
{
    (void)context;
    (void)f;
    struct planned_migration planned;
    plan_file(m, &planned);
    *out = planned.checksums;
    return true;
}

static inline void count_before(void *context, size_t index, size_t total,
                                const struct planned_migration *m)
{
    struct fake_project *p = context;
    assert_true(index < total && m->migration);
    p->watched_before++;
}

static inline void count_after(void *context, size_t index, size_t total,
                               const struct planned_migration *m,
                               const struct execution_result *result)
{
    struct fake_project *p = context;
    assert_true(index < total && m->migration && result->units >= 0);
    p->watched_after++;
}

/* Plans what is pending. */
static inline void plan_pending(struct fake_project *p, const struct history *h, struct plan *out,
                                const struct history_row ***out_rows)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct reconciliation r;
    assert_true(reconcile(p->arena, &p->files, h, read_fake_digests, p, &r, &f));
    *out = (struct plan){
        .engine = ENGINE_SQLITE,
        .migrations = arena_array(p->arena, struct planned_migration, r.pending + 1),
        .digest = digest_of(STR("plan")),
    };
    *out_rows = arena_array(p->arena, const struct history_row *, r.pending + 1);
    for (size_t i = 0; i < r.count; i++) {
        if (!reconciled_is_pending(&r.at[i]))
            continue;
        (*out_rows)[out->count] = r.at[i].state == STATE_INCOMPLETE ? r.at[i].row : NULL;
        plan_file(r.at[i].migration, &out->migrations[out->count++]);
    }
}

/* One process: plans what is pending and runs it. */
static inline struct fake_run run_project(struct fake_project *p, enum fake_fault fault,
                                          int64_t fault_at)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fake_run run = {0};
    struct history h = p->db->history;
    struct plan plan;
    const struct history_row **rows;
    plan_pending(p, &h, &plan, &rows);
    struct run_identity who = {
        .run = arena_printf(p->arena, "%032llx", (unsigned long long)++p->runs),
        .actor = "ada",
        .db_role = "fake",
        .host = "here",
        .git_commit = "",
        .git_author = "",
    };
    struct journal journal = journal_start(&who, &h);
    struct script_context script = fake_script_context();
    struct run_context context = {
        .driver = p->goes_ahead ? fake_driver_ahead() : fake_driver(),
        .connection = fake_connect(p->arena, p->db, fault, fault_at),
        .journal = &journal,
        .script = &script,
        .lock_attempts = 3,
        .lock_budget_ms = 60000,
        .stop_signal = &p->stop_signal,
    };
    struct apply_request request = {
        .plan = &plan,
        .rows = rows,
        .watch = {.before = count_before, .after = count_after, .context = p},
    };
    bool is_done = apply_run(&context, &request, &run.outcome, &f);
    assert_int_equal(is_done, !fail_is_set(&f));
    run.code = f.code;
    run.fail = fail_copy(p->arena, &f);
    run.calls = fake_calls(context.connection);
    run.was_struck = fake_was_struck(context.connection);
    context.driver->close(context.connection);
    return run;
}

/* ---- what must hold at every moment ---- */

static inline const struct history_row *row_of_file(const struct fake_project *p, size_t file)
{
    const struct history *h = &p->db->history;
    for (size_t i = h->count; i > 0; i--) {
        if (str_equal(h->at[i - 1].script, p->files.at[file].script))
            return &h->at[i - 1];
    }
    return NULL;
}

/* A statement outside a transaction was announced and its end is not known. */
static inline bool has_open_intent(const struct fake_project *p, const struct expected_statement *e)
{
    bool is_open = false;
    for (size_t i = 0; i < p->db->events.count; i++) {
        const struct event *event = &p->db->events.at[i];
        if (event->unit != e->unit ||
            !str_equal(event->version, migration_label(&p->files.at[e->file])))
            continue;
        bool is_unknown = str_find(event->detail, STR("outcome_unknown")) != SIZE_MAX;
        if (str_equal(event->kind, STR(EVENT_STARTED)))
            is_open = true;
        else if (!is_unknown)
            is_open = false;
    }
    return is_open;
}

/* What the history says is what happened: no unit is done that it does not know, and the other way
   round. */
static inline void assert_truthful(const struct fake_project *p, const char *when)
{
    for (size_t i = 0; i < p->statements.count; i++) {
        const struct expected_statement *e = &p->statements.at[i];
        const struct history_row *row = row_of_file(p, e->file);
        size_t count = fake_count(p->db, e->text);
        if (str_starts(e->text, STR("again ")))
            continue; /* nobody minds how often */
        bool is_recorded = row && (int64_t)e->unit <= row->units_done;
        if (e->is_undone) {
            if (count)
                fail_msg("%s: \"%.*s\" was rolled back by its file, but is there", when,
                         STR_ARG(e->text));
        } else if (is_recorded && count != 1) {
            fail_msg("%s: \"%.*s\" is recorded, but was done %zu times", when, STR_ARG(e->text),
                     count);
        } else if (!is_recorded && count && !has_open_intent(p, e)) {
            fail_msg("%s: \"%.*s\" was done, but nothing says so", when, STR_ARG(e->text));
        }
    }
}

static inline void assert_whole(const struct fake_project *p, const char *when)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct verification v = verification_start(a, (struct str){0});
    for (size_t i = 0; i < p->db->events.count; i++)
        assert_true(verification_event(&v, &p->db->events.at[i], &f));
    verification_rows(&v, &p->db->history);
    if (v.findings.count)
        fail_msg("%s: %zu findings: %s", when, v.findings.count, v.findings.at[0].text);
}

/* Everything was done once and is recorded as applied; what may be run again, at least once. */
static inline void assert_finished(const struct fake_project *p, const char *when)
{
    for (size_t i = 0; i < p->files.count; i++) {
        const struct history_row *row = row_of_file(p, i);
        if (!row || !str_equal(row->state, STR("applied")))
            fail_msg("%s: %.*s is %s", when, STR_ARG(p->files.at[i].script),
                     row ? "incomplete" : "not recorded");
    }
    for (size_t i = 0; i < p->statements.count; i++) {
        const struct expected_statement *e = &p->statements.at[i];
        size_t count = fake_count(p->db, e->text);
        bool may_repeat = str_starts(e->text, STR("again "));
        if (count != !e->is_undone && !(may_repeat && count > 1))
            fail_msg("%s: \"%.*s\" was done %zu times", when, STR_ARG(e->text), count);
    }
}

#endif
