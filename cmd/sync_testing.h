/* The cases of testdata/sync, with their steps, for tests that run them one by one. Included once, by
   the test program itself. */
#ifndef CMD_SYNC_TESTING_H
#define CMD_SYNC_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "core/base/json.h"
#include "core/base/vec.h"
#include "drivers/testkit/project.h"

#define SYNC_CASES "testdata/sync"

static struct pg_cluster *sync_cluster;
static struct arena *sync_arena;

static inline int sync_start(void **state UNUSED)
{
    sync_cluster = pg_cluster_start(NULL);
    sync_arena = arena_make();
    return 0;
}

static inline int sync_end(void **state UNUSED)
{
    arena_release(sync_arena);
    return 0;
}

static inline const char *sync_text_of(const char *name, const char *file)
{
    return fixture_text_of(fixture_text(SYNC_CASES "/%s/%s", name, file));
}

struct sync_step {
    const char *form, *kind, *phase, *sql, *undo, *undo_cost;
    unsigned waits; /* so many calls of `migrate contract` it takes */
    struct sync_steps {
        struct sync_step *at;
        size_t count, room;
    } undo_steps;
};
struct sync_case {
    struct project *project;
    struct sync_step *at;
    size_t count, room;
};

static inline const char *sync_member(const struct json *j, const char *name)
{
    return arena_cstr(sync_arena, json_str_of(json_get(j, name)));
}

/* A database made by schema, and one migration; not run yet. */
static inline struct project *sync_project_of(const char *schema, const char *migration)
{
    struct project *p = project_make(sync_cluster);
    project_execute(p, schema);
    project_write(p, "0001_case.sql", migration);
    return p;
}

static inline struct project *sync_project(const char *name)
{
    return sync_project_of(sync_text_of(name, "schema.sql"), sync_text_of(name, "migration.sql"));
}

static inline bool sync_flag(const struct json *step, const char *name)
{
    bool value = false;
    if (json_get(step, name))
        assert_true(json_bool_of(json_get(step, name), &value));
    return value;
}

/* NOLINTNEXTLINE(misc-no-recursion): the undo of an undo has none */
static inline struct sync_step sync_step_of(const struct json *step, const char *form)
{
    struct sync_step one = {
        .form = form,
        .kind = json_get(step, "kind") ? sync_member(step, "kind") : "statement",
        .phase = sync_member(step, "phase"),
        .sql = sync_member(step, "sql"),
        .undo = sync_member(step, "undo"),
        .undo_cost = sync_member(step, "undo_cost"),
        .waits = sync_flag(step, "waits_again") ? 2 : sync_flag(step, "waits"),
    };
    const struct json *undo = json_get(step, "undo_steps");
    for (size_t i = 0; i < json_count(undo); i++)
        vec_push(sync_arena, &one.undo_steps, sync_step_of(json_at(undo, i), form));
    return one;
}

static inline void sync_add_form(struct sync_case *c, const struct json *form, size_t number)
{
    const struct json *steps = json_get(form, "steps");
    const char *name = arena_printf(sync_arena, "%zu. %s", number + 1, sync_member(form, "recipe"));
    for (size_t i = 0; i < json_count(steps); i++)
        vec_push(sync_arena, c, sync_step_of(json_at(steps, i), name));
}

static inline struct sync_case sync_case_of(struct project *p)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct sync_case c = {.project = p};
    struct ran r = project_run(p, "plan", "--format", "json", "--no-gate", NULL);
    assert_exit(&r, 0);
    SCOPED(json) struct json *plan = json_parse(str_of(r.out), STR("plan"), &f);
    const struct json *statements =
        json_get(json_at(json_get(plan, "migrations"), 0), "statements");
    for (size_t i = 0; i < json_count(statements); i++) {
        const struct json *form = json_get(json_at(statements, i), "online");
        if (json_is_object(form))
            sync_add_form(&c, form, i);
    }
    return c;
}

static inline struct sync_case sync_case_make(const char *name)
{
    return sync_case_of(sync_project(name));
}

static inline void sync_run_step(const struct project *p, const struct sync_step *step)
{
    if (strcmp(step->kind, "verification") == 0)
        assert_answer(p, step->sql, "");
    else
        project_execute(p, step->sql);
}

/* Those that wait so often. A verification finds nothing. */
static inline void sync_run(const struct sync_case *c, unsigned waits)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->at[i].waits == waits)
            sync_run_step(c->project, &c->at[i]);
    }
}

static inline size_t sync_forms(const struct sync_case *c)
{
    size_t forms = 0;
    for (size_t i = 0; i < c->count; i++)
        forms += i == 0 || strcmp(c->at[i].form, c->at[i - 1].form) != 0;
    return forms;
}

/* Whether there is a way back from what the first contract does. */
static inline bool sync_waits_twice(const struct sync_case *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->at[i].waits == 2)
            return true;
    }
    return false;
}

/* All that wait no more often than that. */
static inline void sync_undo(const struct sync_case *c, unsigned waits)
{
    for (size_t i = c->count; i-- > 0;) {
        const struct sync_step *step = &c->at[i];
        if (step->waits > waits)
            continue;
        assert_string_not_equal(step->undo_cost, "impossible");
        if (step->undo[0])
            project_execute(c->project, step->undo);
        for (size_t k = 0; k < step->undo_steps.count; k++)
            sync_run_step(c->project, &step->undo_steps.at[k]);
    }
}

static inline int sync_by_line(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* The lines of the schema without the commas behind them, sorted. */
static inline const char *sync_schema(const struct project *p)
{
    SCOPED(buf) struct buf out = {0};
    struct {
        struct str *at;
        size_t count, room;
    } lines = {0};
    struct str rest = str_of(project_schema(p));
    struct str line;
    while (rest.len) {
        rest = str_cut_line(rest, &line);
        if (str_ends(line, STR(",")))
            line.len--;
        vec_push(sync_arena, &lines, line);
    }
    qsort(lines.at, lines.count, sizeof(lines.at[0]), sync_by_line);
    for (size_t i = 0; i < lines.count; i++)
        buf_printf(&out, "%.*s\n", STR_ARG(lines.at[i]));
    return fixture_text("%s", buf_cstr(&out));
}

/* The same, and all rows, sorted, as objects. */
static inline const char *sync_state(const struct project *p)
{
    SCOPED(buf) struct buf out = {0};
    buf_add_cstr(&out, sync_schema(p));
    buf_add_cstr(
        &out,
        project_query(
            p,
            "SELECT string_agg(c.oid::regclass::text || query_to_xml('SELECT to_jsonb(t)::text "
            "AS row FROM ONLY ' || c.oid::regclass || ' AS t ORDER BY to_jsonb(t)::text', true, "
            "true, '')::text, E'\\n' ORDER BY c.relname) FROM pg_class AS c JOIN pg_namespace AS "
            "n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ "
            "'^(pg_|information_schema|migrator)'"));
    return fixture_text("%s", buf_cstr(&out));
}

static inline void sync_each_case(void (*check)(const char *name))
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries names = {0};
    const char *only = getenv("SYNC_ONLY");
    assert_true(fs_list(sync_arena, SYNC_CASES, &names, &f));
    for (size_t i = 0; i < names.count; i++) {
        const char *name = arena_cstr(sync_arena, names.at[i].name);
        if (only && strcmp(only, name) != 0)
            continue;
        print_message("%s\n", name);
        check(name);
    }
}

#endif
