/*
 * testdata/rewrites/<case>/: migration.sql behind schema.sql, run as it is written and in its online form.
 * Both end in the same schema and the same rows; the steps are those in the file steps; and a run that is cut
 * off, at any of its commits or by SIGKILL at any time, is ended by the next one without leftovers.
 * Where steps is empty no form is exact: the statements run as they are written.
 * MIGRATE_ACCEPT=1 writes the file steps anew: look at the difference.
 */
#include "cmd/rewrites_testing.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/json.h"
#include "drivers/testkit/proxy.h"

#define KILLS 4

/* Indexes and constraints that nobody finished. */
static void assert_no_leftovers(const struct project *p)
{
    assert_answer(p,
                  "SELECT (SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready) + "
                  "(SELECT count(*) FROM pg_constraint WHERE NOT convalidated)",
                  "0");
}

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

static const char *as_written(const char *name)
{
    struct project *p = make_case(name);
    struct ran r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    return sorted_dump(p);
}

static void end_is_the_same(const char *name)
{
    struct project *p = make_case(name);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "contract", "--now", "--reason", "a test", NULL);
    assert_exit(&r, 0);
    assert_same(sorted_dump(p), as_written(name));
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

/* ---- runs that are cut off ---- */

/* Those with every kind of step; CUT=case for another one, CASE=case for none. */
static const char *const cut_cases[] = {"create-index-partitioned", "primary-key-replaced",
                                        "many-commands"};

static void for_each_cut_case(void (*check)(const char *name))
{
    const char *only = getenv("CUT");
    for (size_t i = 0; !only && !getenv("CASE") && i < ARRAY_LEN(cut_cases); i++) {
        print_message("%s\n", cut_cases[i]);
        check(cut_cases[i]);
    }
    if (only)
        check(only);
}

static void assert_ends(struct project *p, const char *wanted)
{
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_same(sorted_dump(p), wanted);
    assert_no_leftovers(p);
    assert_whole(p);
}

/* false: the run has fewer commits. */
static bool cut_at_commit(const char *name, enum proxy_cut cut, unsigned nth, const char *wanted)
{
    struct project *p = make_case(name);
    struct proxy *proxy = proxy_start(cluster);
    const char *direct = p->url;
    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, cut, "COMMIT", nth);
    (void)project_run(p, "apply", NULL);
    bool is_cut = proxy_cuts(proxy) > 0;
    proxy_stop(proxy);
    p->url = direct;
    assert_ends(p, wanted);
    return is_cut;
}

static void cut_at_every_commit(const char *name)
{
    const char *wanted = as_written(name);
    unsigned cuts = 0;
    for (unsigned nth = 1; cut_at_commit(name, PROXY_CUT_BEFORE, nth, wanted); nth++)
        cuts++;
    for (unsigned nth = 1; cut_at_commit(name, PROXY_CUT_AFTER_ANSWER, nth, wanted); nth++)
        cuts++;
    assert_true(cuts > 4);
}

static void a_run_that_loses_its_connection_at_a_commit_is_ended_by_the_next(void **state UNUSED)
{
    for_each_cut_case(cut_at_every_commit);
}

static void kill_at_times(const char *name)
{
    const char *wanted = as_written(name);
    struct project *p = make_case(name);
    struct ran whole = project_run(p, "apply", NULL);
    for (int i = 1; i <= KILLS; i++) {
        p = make_case(name);
        struct program *program = project_start(p, "apply", NULL);
        usleep((useconds_t)(whole.duration_us * i / (KILLS + 1)));
        program_signal(program, SIGKILL);
        (void)project_finish(program);
        assert_ends(p, wanted);
    }
}

static void a_run_that_is_killed_is_ended_by_the_next(void **state UNUSED)
{
    for_each_cut_case(kill_at_times);
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
        cmocka_unit_test(a_run_that_loses_its_connection_at_a_commit_is_ended_by_the_next),
        cmocka_unit_test(a_run_that_is_killed_is_ended_by_the_next),
        cmocka_unit_test(a_statement_of_which_nothing_is_done_may_be_edited),
        cmocka_unit_test(a_statement_that_was_begun_may_not_be_edited),
        cmocka_unit_test(what_a_file_allows_or_says_is_run_as_written),
    };
    return cmocka_run_group_tests(tests, start, end);
}
