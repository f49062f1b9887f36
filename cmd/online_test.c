/*
 * testdata/rewrites/<case>/: migration.sql behind schema.sql, run as it is written and in its online form.
 * Both end in the same schema and the same rows; the steps are those in the file steps.
 * Runs that are cut off: online_cut_test.c.
 * Where steps is empty no form is exact: the statements run as they are written.
 * MIGRATE_ACCEPT=1 writes the file steps anew: look at the difference.
 */
#include "cmd/rewrites_testing.h"

#include <stdlib.h>

#include "core/base/json.h"

/* ---- the steps ---- */

static void add_form(struct buf *out, const struct json *form)
{
    const struct json *steps = json_get(form, "steps");
    buf_printf(out, "%.*s\n", STR_ARG(json_str_of(json_get(form, "recipe"))));
    for (size_t i = 0; i < json_count(steps); i++) {
        const struct json *step = json_at(steps, i);
        buf_printf(out, "  %.*s, transaction %.*s: %.*s;\n",
                   STR_ARG(json_str_of(json_get(step, "phase"))),
                   STR_ARG(json_str_of(json_get(step, "transaction"))),
                   STR_ARG(json_str_of(json_get(step, "sql"))));
        struct str undo = json_str_of(json_get(step, "undo"));
        buf_printf(out, "    undo, %.*s: %.*s\n", STR_ARG(json_str_of(json_get(step, "undo_cost"))),
                   STR_ARG(undo));
    }
}

static void steps_are_those(const char *name)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(buf) struct buf found = {0};
    struct project *p = make_case(name);
    struct ran r = project_run(p, "plan", "--format", "json", "--no-gate", NULL);
    assert_exit(&r, 0);
    SCOPED(json) struct json *plan = json_parse(str_of(r.out), STR("plan"), &f);
    const struct json *statements =
        json_get(json_at(json_get(plan, "migrations"), 0), "statements");
    for (size_t i = 0; i < json_count(statements); i++) {
        const struct json *form = json_get(json_at(statements, i), "online");
        if (json_is_object(form))
            add_form(&found, form);
    }
    if (getenv("MIGRATE_ACCEPT"))
        fixture_write(CASES, fixture_text("%s/steps", name), buf_cstr(&found));
    assert_string_equal(buf_cstr(&found), text_of(name, "steps"));
}

static void statements_have_the_steps_that_are_written_down(void **state UNUSED)
{
    for_each_case(steps_are_those);
}

/* ---- the end ---- */

static void end_is_the_same(const char *name)
{
    struct project *p = make_case(name);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "contract", "--now", "--reason", "a test", NULL);
    assert_exit(&r, 0);
    assert_same(sorted_dump(p), end_as_written(name));
    assert_answer(p, "SELECT count(*) > 0 FROM migrator.event WHERE kind = 'planned'",
                  text_of(name, "steps")[0] ? "t" : "f");
    assert_no_leftovers(p);
    assert_whole(p);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "nothing to do");
}

static void both_forms_end_in_the_same_schema_and_rows(void **state UNUSED)
{
    for_each_case(end_is_the_same);
}

/* ---- files that are edited meanwhile ---- */

static struct project *make_duplicates(const char *migration)
{
    return make("CREATE TABLE users (id int, email text); "
                "INSERT INTO users SELECT n, 'user' || n / 2 FROM generate_series(1, 20000) n; "
                "ANALYZE users",
                migration);
}

static void a_statement_of_which_nothing_is_done_may_be_edited(void **state UNUSED)
{
    struct project *p = make_duplicates("CREATE TABLE first (id int);\n"
                                        "ALTER TABLE users ADD CONSTRAINT one UNIQUE (email);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_err(&r, "SQLSTATE 23505");
    assert_err(&r, "step 1 of 2 of the online form (alter-table)");
    assert_err(&r, "0001_case.sql:2");
    assert_no_leftovers(p);
    project_write(p, "0001_case.sql",
                  "CREATE TABLE first (id int);\n"
                  "ALTER TABLE users ADD CONSTRAINT one UNIQUE (id), ALTER id SET NOT NULL;\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one'",
                  "UNIQUE (id)");
    assert_answer(p, "SELECT count(*) FROM migrator.event WHERE kind = 'planned'", "2");
    assert_no_leftovers(p);
    assert_whole(p);
}

static void a_statement_that_was_begun_may_not_be_edited(void **state UNUSED)
{
    struct project *p = make_duplicates("ALTER TABLE users ADD CHECK (id > 1);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_err(&r, "SQLSTATE 23514");
    project_write(p, "0001_case.sql", "ALTER TABLE users ADD CHECK (id > 0);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    assert_err(&r, "a statement that was begun in its online form was edited");
    project_write(p, "0001_case.sql", "ALTER TABLE users ADD CHECK (id > 1);\n");
    project_execute(p, "DELETE FROM users WHERE id = 1");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p,
                  "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'c' AND "
                  "conrelid = 'users'::regclass",
                  "users_id_check|t");
    assert_whole(p);
}

static void what_a_file_allows_or_says_is_run_as_written(void **state UNUSED)
{
    static const char *const migrations[] = {
        "-- migrate: as-written\nCREATE INDEX ON users (id);\n",
        "SELECT 1;\n-- migrate: as-written\nCREATE INDEX ON users (id);\n",
        "-- migrate: allow create-index-blocking reason=\"at night\"\nCREATE INDEX ON users "
        "(id);\n",
        "BEGIN;\nCREATE INDEX ON users (id);\nCOMMIT;\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(migrations); i++) {
        struct project *p = make_duplicates(migrations[i]);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(p, "SELECT count(*) FROM migrator.event WHERE kind = 'planned'", "0");
        assert_answer(p, "SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass", "1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_have_the_steps_that_are_written_down),
        cmocka_unit_test(both_forms_end_in_the_same_schema_and_rows),
        cmocka_unit_test(a_statement_of_which_nothing_is_done_may_be_edited),
        cmocka_unit_test(a_statement_that_was_begun_may_not_be_edited),
        cmocka_unit_test(what_a_file_allows_or_says_is_run_as_written),
    };
    return cmocka_run_group_tests(tests, start, end);
}
