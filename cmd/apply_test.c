/*
 * `migrate apply`, end to end: what is run, in which order, what a failure shows and leaves. Every test
 * runs on both engines; what only one of them has is in cmd/concurrently_test.c and the like.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"
#include "drivers/testkit/proxy.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

/* ------------------------------------------------------------------------------ what is applied */

static void apply_runs_what_is_pending_once(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_users.sql", "CREATE TABLE users (id integer PRIMARY KEY, name text);\n");
    project_write(p, "0002_ada.sql", "INSERT INTO users VALUES (1, 'ada');\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "applied  0001  users");
    assert_out(&r, "applied  0002  ada");
    assert_out(&r, "2 migrations applied in ");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_string_equal(r.err, "");
    assert_answer(p, "SELECT name FROM users", "ada");
    assert_answer(p,
                  fixture_text("SELECT version, state FROM %s ORDER BY installed_rank",
                               project_table(p, "history")),
                  "0001|applied\n0002|applied");
    assert_whole(p);
    r = project_run(p, "status", "--exit-code", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "2 applied, 0 pending");
}

static void pending_is_told_by_exit_code_10(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_users.sql", "CREATE TABLE users (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_write(p, "0002_more.sql", "CREATE TABLE more (id integer);\n");
    r = project_run(p, "status", "--exit-code", NULL);
    assert_exit(&r, 10);
    assert_out(&r, "1 applied, 1 pending");
    r = project_run(p, "plan", "--exit-code", NULL);
    assert_exit(&r, 10);
    assert_out(&r, "0002");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
}

static void to_and_steps_stop_early(void **state)
{
    struct project *p = project_for(state, cluster);

    for (int i = 1; i <= 5; i++)
        project_write(p, fixture_text("%04d_t%d.sql", i, i),
                      fixture_text("CREATE TABLE t%d (id integer);\n", i));
    struct ran r = project_run(p, "apply", "--to", "0002", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "2 migrations applied");
    r = project_run(p, "apply", "--steps", "1", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "applied  0003");
    assert_out(&r, "1 migration applied");
    r = project_run(p, "apply", "--to", "9999", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "there is no migration with version \"9999\"");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "2 migrations applied");
    assert_answer(p, fixture_text("SELECT count(*) FROM %s", project_table(p, "history")), "5");
}

static void a_file_out_of_order_is_refused_unless_allowed(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    project_write(p, "0003_c.sql", "CREATE TABLE c (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_write(p, "0002_b.sql", "CREATE TABLE b (id integer);\n");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 4);
    assert_out(&r, "0002_b.sql is pending but sorts before");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    assert_err(&r, "0002_b.sql is pending but sorts before");
    assert_err(&r, "hint: ");
    assert_err(&r, "--allow-out-of-order");
    assert_answer(p, fixture_text("SELECT count(*) FROM %s", project_table(p, "history")), "2");
    r = project_run(p, "apply", "--allow-out-of-order", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "applied  0002");
    assert_answer(p, "SELECT count(*) FROM b", "0");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

static void a_repeatable_runs_again_when_it_changed(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "V1__users.sql", "CREATE TABLE users (id integer, name text);\n");
    project_write(p, "R__names.sql",
                  "DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT name FROM users;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "2 migrations applied");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    project_write(p, "R__names.sql",
                  "DROP VIEW IF EXISTS names;\n"
                  "CREATE VIEW names AS SELECT id, name FROM users;\n");
    r = project_run(p, "status", "--exit-code", NULL);
    assert_exit(&r, 10);
    assert_out(&r, "outdated");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 migration applied");
    project_execute(p, "INSERT INTO users VALUES (7, 'ada')");
    assert_answer(p, "SELECT * FROM names", "7|ada");
    r = project_run(p, "apply", NULL);
    assert_string_equal(r.out, "nothing to do\n");
    project_write(p, "R__names.sql",
                  "DROP VIEW IF EXISTS names;\r\n"
                  "CREATE VIEW names AS SELECT id, name FROM users;\r\n");
    r = project_run(p, "apply", NULL);
    assert_string_equal(r.out, "nothing to do\n");
    assert_answer(p,
                  fixture_text("SELECT count(*) FROM %s WHERE script = 'R__names.sql'",
                               project_table(p, "history")),
                  "2");
    assert_whole(p);
}

/* -------------------------------------------------------------------------------------- failures */

static void a_failing_statement_shows_its_place_and_leaves_nothing(void **state)
{
    struct project *p = project_for(state, cluster);
    bool is_postgres = p->engine == ENGINE_POSTGRES;

    project_execute(p, "CREATE TABLE users (id integer, name text)");
    const char *before = project_dump(p);
    project_write(p, "0001_bad.sql",
                  "-- adds a city\n"
                  "CREATE TABLE cities (id integer);\n"
                  "\n"
                  "INSERT INTO cities\n"
                  "  SELECT nme FROM users;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "error: ");
    assert_err(&r, "nme");
    assert_err(&r, "  at migrations/0001_bad.sql:5:10\n");
    assert_err(&r, "     5 |   SELECT nme FROM users;\n");
    assert_err(&r, "       |          ^\n");
    if (is_postgres) {
        assert_err(&r, "column \"nme\" does not exist (SQLSTATE 42703)");
        assert_err(&r, "hint: Perhaps you meant to reference the column \"users.name\".");
    }
    assert_err(&r, "exit 1: ");
    assert_not_out(&r, "applied");
    assert_same(project_dump(p), before);
    assert_answer(p, fixture_text("SELECT count(*) FROM %s", project_table(p, "history")), "0");
    assert_answer(p,
                  fixture_text("SELECT count(*) FROM %s WHERE kind = 'failed' AND version = '0001'",
                               project_table(p, "event")),
                  "1");
    assert_whole(p);
    project_write(p, "0001_bad.sql", "CREATE TABLE cities (id integer, name text);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

static void a_failure_behind_an_applied_migration_exits_5(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    project_write(p, "0002_b.sql", "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);\n");
    project_write(p, "0003_c.sql", "CREATE TABLE c (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_out(&r, "applied  0001");
    assert_not_out(&r, "applied  0002");
    assert_err(&r, "  at migrations/0002_b.sql:2");
    assert_err(&r, "Applied by this run: 1 of 3.");
    assert_err(&r, "migrate apply");
    assert_answer(p, "SELECT count(*) FROM a", "0");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 applied, 2 pending");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 1); /* this run changed nothing */
    project_write(p, "0002_b.sql", "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* The statements of 0003 are under way when COMMIT of 0002 is answered. */
static void a_commit_that_fails_is_told_of_its_own_migration(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    project_write(p, "0001_a.sql",
                  "CREATE TABLE a (id integer PRIMARY KEY);\n"
                  "CREATE TABLE b (a integer REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);\n");
    project_write(p, "0002_b.sql", "INSERT INTO b VALUES (7);\n");
    project_write(p, "0003_c.sql", "CREATE TABLE c (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_out(&r, "applied  0001");
    assert_not_out(&r, "applied  0002");
    assert_not_out(&r, "applied  0003");
    assert_err(&r, "Applied by this run: 1 of 3. 0002 is not applied");
    assert_not_err(&r, "0003_c.sql");
    assert_answer(p, "SELECT count(*) FROM b", "0");
    assert_answer(
        p, fixture_text("SELECT version FROM %s WHERE kind = 'failed'", project_table(p, "event")),
        "0002");
    r = project_run(p, "status", NULL);
    assert_out(&r, "1 applied, 2 pending");
    project_write(p, "0002_b.sql", "INSERT INTO a VALUES (7);\nINSERT INTO b VALUES (7);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM c", "0");
    assert_whole(p);
}

/* ----------------------------------------------------------------------------- own transactions */

static void a_files_own_transaction_is_honoured(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_own.sql",
                  "BEGIN;\nCREATE TABLE a (id integer);\n"
                  "INSERT INTO a VALUES (1);\nCOMMIT;\n");
    project_write(p, "0002_two.sql",
                  "BEGIN TRANSACTION;\nINSERT INTO a VALUES (2);\nCOMMIT;\n\n"
                  "BEGIN;\nINSERT INTO a VALUES (3);\nEND;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT id FROM a ORDER BY id", "1\n2\n3");
    assert_answer(p,
                  fixture_text("SELECT version, state, units_done FROM %s ORDER BY installed_rank",
                               project_table(p, "history")),
                  "0001|applied|1\n0002|applied|2");
    assert_whole(p);
}

static void a_failing_own_transaction_leaves_nothing(void **state)
{
    struct project *p = project_for(state, cluster);

    project_execute(p, "CREATE TABLE u (id integer PRIMARY KEY)");
    project_execute(p, "INSERT INTO u VALUES (1)");
    const char *before = project_dump(p);
    project_write(p, "0001_own.sql",
                  "BEGIN;\nCREATE TABLE a (id integer);\n"
                  "INSERT INTO u VALUES (1);\nCOMMIT;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "migrations/0001_own.sql:3");
    assert_same(project_dump(p), before);
    assert_whole(p);
}

static void a_half_done_file_goes_on_behind_its_last_commit(void **state)
{
    struct project *p = project_for(state, cluster);
    static const char first[] = "BEGIN;\nCREATE TABLE a (id integer PRIMARY KEY);\n"
                                "INSERT INTO a VALUES (1);\nCOMMIT;\n";

    project_write(p, "0001_two.sql",
                  fixture_text("%sBEGIN;\nINSERT INTO a VALUES (2);\n"
                               "INSERT INTO a VALUES (1);\nCOMMIT;\n",
                               first));
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_err(&r, "migrations/0001_two.sql:7");
    assert_answer(p, "SELECT id FROM a", "1");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "incomplete");
    assert_out(&r, "1 step");
    assert_whole(p);
    /* What is done may not be edited any more … */
    project_write(p, "0001_two.sql",
                  "BEGIN;\nCREATE TABLE a (id integer PRIMARY KEY);\n"
                  "INSERT INTO a VALUES (9);\nCOMMIT;\n"
                  "BEGIN;\nINSERT INTO a VALUES (2);\nCOMMIT;\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    assert_err(&r, "already executed was edited");
    /* … what is not, may. */
    project_write(p, "0001_two.sql",
                  fixture_text("%sBEGIN;\nINSERT INTO a VALUES (2);\nCOMMIT;\n", first));
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "(resumed)");
    assert_answer(p, "SELECT id FROM a ORDER BY id", "1\n2");
    assert_whole(p);
}

/* ------------------------------------------------------------------------------ where and with what */

static void the_history_may_have_another_name(void **state)
{
    struct project *p = project_for(state, cluster);
    bool is_postgres = p->engine == ENGINE_POSTGRES;

    fixture_write(
        p->home, "migrator.yml",
        fixture_text("targets:\n  here:\n    url: \"%s\"\n    history: Audit Trail\n", p->url));
    p->url = NULL;
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p,
                  is_postgres ? "SELECT version FROM \"Audit Trail\".history"
                              : "SELECT version FROM \"Audit Trail_history\"",
                  "0001");
    assert_answer(p,
                  is_postgres ? "SELECT count(*) FROM pg_namespace WHERE nspname = 'migrator'"
                              : "SELECT count(*) FROM sqlite_master WHERE name LIKE 'migrator%'",
                  "0");
    r = project_run(p, "apply", NULL);
    assert_string_equal(r.out, "nothing to do\n");
    assert_whole(p);
}

static void several_directories_are_one_history(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    project_write(p, "0003_c.sql", "INSERT INTO b VALUES (3);\n");
    fixture_write(p->home, "more/0002_b.sql", "CREATE TABLE b (id integer);\n");
    struct ran r = project_run(p, "apply", "--dir", "more", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "3 migrations applied");
    assert_answer(p, "SELECT id FROM b", "3");
    r = project_run(p, "history", "--verify", "--dir", "more", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "status", NULL); /* half of the files */
    assert_exit(&r, 4);
    assert_out(&r, "0002_b.sql, which is no longer there");
}

static void a_role_without_rights_is_told_so(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    const char *mine = p->url;

    project_execute(p, "CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    p->url = pg_cluster_url(cluster, p->database, "guest");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "permission denied");
    assert_err(&r, "SQLSTATE 42501");
    assert_err(&r, "hint: ");
    p->url = mine;
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    p->url = pg_cluster_url(cluster, p->database, "guest");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "permission denied");
    project_execute(p, "DROP OWNED BY guest; DROP ROLE guest");
}

static void nothing_to_do_costs_one_round_trip(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    struct proxy *proxy = proxy_start(cluster);

    for (int i = 1; i <= 50; i++)
        project_write(p, fixture_text("%04d_t.sql", i),
                      fixture_text("CREATE TABLE t%d (id integer);\n", i));
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    p->url = proxy_url(proxy, p->database, NULL);
    unsigned before = proxy_round_trips(proxy);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_int_equal(proxy_round_trips(proxy) - before, 1);
    proxy_stop(proxy);
}

/* ------------------------------------------------------------------------------- what goes out */

static void results_are_on_stdout_and_json_is_json(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    struct ran r = project_run(p, "apply", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_int_equal(r.out[0], '{');
    assert_out(&r, "\"version\": \"0001\"");
    assert_out(&r, "\"exit\": \"done\"");
    r = project_run(p, "status", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "\"pending\": 0");
    r = project_run(p, "history", "--events", "--show-sql", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "CREATE TABLE a (id integer)");
    assert_not_out(&r, "\033[");
}

static void readers_write_nothing(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    if (p->engine == ENGINE_SQLITE)
        project_execute(p, "CREATE TABLE here (id integer)");
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "0 applied, 1 pending");
    r = project_run(p, "plan", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "history", NULL);
    assert_exit(&r, 0);
    assert_answer(p,
                  p->engine == ENGINE_POSTGRES
                      ? "SELECT count(*) FROM pg_namespace WHERE nspname = 'migrator'"
                      : "SELECT count(*) FROM sqlite_master WHERE name LIKE 'migrator%'",
                  "0");
}

static void a_commit_that_fails_names_its_file(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES t "
                       "DEFERRABLE INITIALLY DEFERRED)");
    project_write(p, "0001_orphan.sql", "INSERT INTO c VALUES (7);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "  at migrations/0001_orphan.sql\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(apply_runs_what_is_pending_once),
        ON_BOTH(pending_is_told_by_exit_code_10),
        ON_BOTH(to_and_steps_stop_early),
        ON_BOTH(a_file_out_of_order_is_refused_unless_allowed),
        ON_BOTH(a_repeatable_runs_again_when_it_changed),
        ON_BOTH(a_failing_statement_shows_its_place_and_leaves_nothing),
        ON_BOTH(a_failure_behind_an_applied_migration_exits_5),
        cmocka_unit_test(a_commit_that_fails_is_told_of_its_own_migration),
        cmocka_unit_test(a_commit_that_fails_names_its_file),
        ON_BOTH(a_files_own_transaction_is_honoured),
        ON_BOTH(a_failing_own_transaction_leaves_nothing),
        ON_BOTH(a_half_done_file_goes_on_behind_its_last_commit),
        ON_BOTH(the_history_may_have_another_name),
        ON_BOTH(several_directories_are_one_history),
        cmocka_unit_test(a_role_without_rights_is_told_so),
        cmocka_unit_test(nothing_to_do_costs_one_round_trip),
        ON_BOTH(results_are_on_stdout_and_json_is_json),
        ON_BOTH(readers_write_nothing),
    };

    return cmocka_run_group_tests_name("apply", tests, start_cluster, NULL);
}
