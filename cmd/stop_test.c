/*
 * Runs that are stopped, killed, cut off or not alone, end to end: whatever happens, the next apply
 * finishes, and the history says what happened.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "drivers/testkit/project.h"
#include "drivers/testkit/proxy.h"

#define LONG_SECONDS 60.0

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

/* A migration, then one that is slow in its middle. */
static struct project *make_slow(void **state, double seconds)
{
    struct project *p = project_for(state, cluster);

    project_make_slow(p, seconds);
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    project_write(p, "0002_slow.sql",
                  fixture_text("CREATE TABLE b (id integer);\n%s"
                               "INSERT INTO b VALUES (1);\n",
                               project_slow_sql(p)));
    project_write(p, "0003_c.sql", "CREATE TABLE c (id integer);\n");
    return p;
}

static void finish_it(const struct project *p)
{
    project_make_slow(p, 0.0);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(
        p, "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c)",
        "0|1|0");
    assert_answer(p,
                  fixture_text("SELECT count(*), min(state), max(state) FROM %s",
                               project_table(p, "history")),
                  "3|applied|applied");
    assert_whole(p);
    r = project_run(p, "apply", NULL);
    assert_string_equal(r.out, "nothing to do\n");
}

/* ---------------------------------------------------------------------------------- signals */

static void stop_with(void **state, int signal_number, int exit_code)
{
    struct project *p = make_slow(state, LONG_SECONDS);
    struct program *program = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(program, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    program_signal(program, signal_number);
    struct ran r = project_finish(program);
    assert_exit(&r, exit_code);
    assert_true(r.duration_us < 20000000);
    assert_err(&r, "stopping");
    assert_out(&r, "applied  0001");
    assert_not_out(&r, "applied  0002");
    assert_answer(p,
                  p->engine == ENGINE_POSTGRES
                      ? "SELECT count(*) FROM pg_class WHERE relname = 'b'"
                      : "SELECT count(*) FROM sqlite_master WHERE name = 'b'",
                  "0");
    assert_answer(p, fixture_text("SELECT version FROM %s", project_table(p, "history")), "0001");
    assert_answer(p,
                  fixture_text("SELECT kind, version FROM %s ORDER BY id DESC LIMIT 2",
                               project_table(p, "event")),
                  "run finished|\nfailed|0002");
    assert_whole(p);
    finish_it(p);
}

static void sigint_rolls_back_and_exits_130(void **state)
{
    stop_with(state, SIGINT, 130);
}

static void sigterm_rolls_back_and_exits_143(void **state)
{
    stop_with(state, SIGTERM, 143);
}

static void a_second_signal_ends_at_once(void **state)
{
    struct project *p = make_slow(state, LONG_SECONDS);
    struct program *program = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(program, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    program_signal(program, SIGINT);
    program_signal(program, SIGTERM);
    struct ran r = project_finish(program);
    assert_true(r.exit_code == 130 || r.exit_code == 143);
    finish_it(p);
}

/* --------------------------------------------------------------------------------- two at once */

static void a_second_apply_waits_and_says_for_whom(void **state)
{
    struct project *p = make_slow(state, 2.5);
    struct program *first = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(first, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    struct ran busy = project_run(p, "apply", "--wait", "0", NULL);
    assert_exit(&busy, 6);
    assert_err(&busy, "another run is under way: ");
    assert_err(&busy, "migrate");
    assert_err(&busy, "hint: ");
    assert_not_out(&busy, "applied");
    struct ran second = project_run(p, "apply", NULL);
    struct ran r = project_finish(first);
    assert_exit(&r, 0);
    assert_out(&r, "3 migrations applied");
    assert_exit(&second, 0);
    assert_err(&second, "waiting for another run: ");
    assert_string_equal(second.out, "nothing to do\n");
    finish_it(p);
}

static void readers_do_not_wait_for_a_run(void **state)
{
    struct project *p = make_slow(state, 3.0);
    struct program *first = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(first, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_true(r.duration_us < 2000000);
    assert_out(&r, "1 applied, 2 pending");
    r = project_run(p, "history", "--events", NULL);
    assert_exit(&r, 0);
    r = project_finish(first);
    assert_exit(&r, 0);
}

static void a_waiter_can_be_stopped(void **state)
{
    struct project *p = make_slow(state, 4.0);
    struct program *first = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(first, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    struct program *second = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(second, "waiting for another run", 20000));
    program_signal(second, SIGINT);
    struct ran r = project_finish(second);
    assert_exit(&r, 130);
    assert_err(&r, "nothing was changed");
    r = project_finish(first);
    assert_exit(&r, 0);
    finish_it(p);
}

static void ten_at_once_apply_everything_once(void **state)
{
    struct project *p = project_for(state, cluster);
    struct program *programs[10];

    project_execute(p, "CREATE TABLE log (n integer)");
    for (int i = 1; i <= 12; i++)
        project_write(
            p, fixture_text("%04d_log.sql", i),
            fixture_text("INSERT INTO log VALUES (%d);\nCREATE TABLE t%d (id integer);\n", i, i));
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        programs[i] = project_start(p, "apply", NULL);
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        struct ran r = project_finish(programs[i]);
        assert_exit(&r, 0);
    }
    assert_answer(p, "SELECT count(*), count(DISTINCT n) FROM log", "12|12");
    assert_whole(p);
}

/* What pg_advisory_unlock_all() in a migration does to the run lock. */
static void a_run_lock_that_is_let_go_is_taken_back_or_the_run_ends(void **state UNUSED)
{
    static const char take[] =
        "SELECT pg_advisory_lock(('x' || left(h, 8))::bit(32)::int, ('x' || substr(h, 9, "
        "8))::bit(32)::int) FROM encode(sha256('migrate:migrator'), 'hex') AS h";
    struct project *p = project_make(cluster);

    project_write(p, "0001_a.sql", "SELECT pg_advisory_unlock_all();\nCREATE TABLE a (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "let the run lock go");
    project_write(p, "0002_b.sql", "CREATE TABLE b (id int);\n");
    project_write(p, "0003_c.sql",
                  "SELECT pg_advisory_unlock_all();\nSELECT pg_sleep(3);\n"
                  "CREATE TABLE c (id int);\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, "pg_sleep(3)");
    struct blocker *b = blocker_start(p, take);
    r = project_finish(program);
    assert_exit(&r, 5);
    assert_err(&r, "another run has taken it");
    assert_err(&r, "Applied by this run: 1 of 2.");
    assert_answer(p, "SELECT to_regclass('b') IS NULL, to_regclass('c') IS NULL", "f|t");
    blocker_stop(b);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* ------------------------------------------------------------------------- locks of others */

static void a_lock_that_is_held_is_asked_for_again_and_then_given_up(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    fixture_write(p->home, "migrator.yml",
                  "migrations: migrations\n"
                  "locks: { timeout: 100ms, attempts: 3, budget: 30s }\n");
    project_execute(p, "CREATE TABLE busy (id int)");
    project_write(p, "0001_a.sql",
                  "CREATE TABLE a (id int);\nALTER TABLE busy ADD COLUMN b int;\n");
    struct blocker *b = blocker_start(p, "SELECT count(*) FROM busy");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 6);

    assert_err(&r, "SQLSTATE 55P03");
    assert_err(&r, "migrations/0001_a.sql:2");
    assert_err(&r, "try 3 of 3");
    /* Who is in the way stands in each line about a try, and in the failure. */
    assert_err(&r, "in the way: process ");
    assert_err(&r, ", its transaction open for ");
    assert_err(&r, "rolled back, try 2 of 3");
    assert_err(&r, "It waited for AccessExclusiveLock on table public.busy.");
    assert_err(&r, "detail: Process ");
    assert_err(&r, "holds AccessShareLock, statement: SELECT pg_sleep($1).");
    assert_err(&r, "hint: ");
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname = 'a'", "0");
    assert_answer(p, "SELECT string_agg(kind, ', ' ORDER BY id) FROM migrator.event",
                  "run started, retried, retried, failed, run finished");
    assert_whole(p);
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "try 2 of 3", 20000));
    blocker_stop(b);
    r = project_finish(program);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(b) FROM busy", "0");
    assert_whole(p);
}

/* 0003 is under way when COMMIT of 0002 waits for a row. */
static void a_commit_that_meets_a_lock_is_tried_again_as_its_own_migration(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    fixture_write(p->home, "migrator.yml",
                  "migrations: migrations\n"
                  "locks: { timeout: 600ms, attempts: 2, budget: 30s }\n");
    project_execute(p, "CREATE TABLE busy (id int PRIMARY KEY); INSERT INTO busy VALUES (1);"
                       "CREATE TABLE child (id int REFERENCES busy DEFERRABLE INITIALLY DEFERRED)");
    project_write(p, "0001_a.sql", "CREATE TABLE a (id int);\n");
    project_write(p, "0002_b.sql", "INSERT INTO child VALUES (1);\n");
    project_write(p, "0003_c.sql", "CREATE TABLE c (id int);\n");
    struct blocker *b = blocker_start(p, "UPDATE busy SET id = 2");
    struct ran r = project_run(p, "apply", "-vv", NULL);
    assert_exit(&r, 5);
    assert_out(&r, "applied  0001");
    assert_not_out(&r, "applied  0002");
    assert_err(&r, "0002: canceling statement due to lock timeout; in the way: process ");
    assert_err(&r, "It waited for a row of table public.busy that another transaction has changed");
    assert_err(&r, "while committing");
    assert_err(&r, "Applied by this run: 1 of 3. 0002 is not applied");
    assert_err(&r, "COMMIT  ("); /* of 0001, with how long it took; that of 0002: */
    assert_err(&r, ", with what follows)");
    assert_err(&r, ", failed)");
    assert_not_err(&r, "CREATE TABLE c (id int)  ("); /* it was skipped */
    assert_answer(p,
                  "SELECT string_agg(kind || ' ' || version, ', ' ORDER BY id) FROM migrator.event",
                  "run started , applied 0001, retried 0002, failed 0002, run finished ");
    blocker_stop(b);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM child, c", "0");
    assert_whole(p);
}

static void a_statement_of_another_sqlite_program_is_waited_for(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    const char *const argv[] = {"sqlite3", "-batch", "-init", "/dev/null", p->database, NULL};

    project_execute(p, "CREATE TABLE busy (id integer)");
    project_write(p, "0001_a.sql", "INSERT INTO busy VALUES (1);\n");
    struct program *other = program_start(&(struct program_options){
        .argv = argv,
        .input = "BEGIN IMMEDIATE;\nINSERT INTO busy VALUES (2);\n.print locked\n"
                 "CREATE TEMP TABLE t AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                 "FROM c "
                 "WHERE x < 12000000) SELECT count(*) FROM c;\nCOMMIT;\n"});
    /* Feeds it; what it prints comes when it ends. */
    (void)program_wait_for_text(other, "locked", 300);
    struct ran r = project_run(p, "apply", "--wait", "0", NULL);
    assert_exit(&r, 6);
    r = project_run(p, "apply", NULL);
    struct program_result ended = program_finish(other);
    assert_int_equal(ended.exit_code, 0);
    program_result_release(&ended);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM busy", "2");
    assert_whole(p);
}

static void an_exclusive_lock_is_waited_for_as_long_as_is_said(void **state UNUSED)
{
    static const char *const waits[] = {"0", "1s"};
    struct project *p = project_make(NULL);
    sqlite3 *other;

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    assert_int_equal(sqlite3_open(p->database, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        struct ran r = project_run(p, "apply", "--wait", waits[i], NULL);
        assert_exit(&r, 6);
        assert_err(&r, "--wait");
        assert_true(r.duration_us >= (int64_t)i * 1000000 && r.duration_us < 8000000);
    }
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    struct ran r = project_run(p, "apply", "--wait", "0", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* ---------------------------------------------------------------------------------- SIGKILL */

static void killed_inside_a_transaction_nothing_of_it_stays(void **state)
{
    struct project *p = make_slow(state, LONG_SECONDS);
    struct program *program = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(program, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    program_signal(program, SIGKILL);
    struct ran r = project_finish(program);
    assert_int_equal(r.signal_number, SIGKILL);
    /* The server notices that nobody is there (client_connection_check_interval): well before the
       statement's own end. */
    if (p->engine == ENGINE_POSTGRES)
        assert_true(pg_cluster_wait_for(
            cluster, "postgres",
            fixture_text("SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND "
                         "application_name LIKE 'migrate%%'",
                         p->database),
            "0", 20000));
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 applied, 2 pending");
    finish_it(p);
}

static void an_own_transaction_that_is_killed_goes_on_behind_its_last_commit(void **state)
{
    struct project *p = project_for(state, cluster);

    project_make_slow(p, LONG_SECONDS);
    project_write(p, "0001_own.sql",
                  fixture_text("BEGIN;\nCREATE TABLE a (id integer);\nCOMMIT;\n"
                               "BEGIN;\nINSERT INTO a VALUES (1);\n%sCOMMIT;\n",
                               project_slow_sql(p)));
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, NULL);
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    project_make_slow(p, 0.0);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "(resumed)");
    assert_answer(p, "SELECT id FROM a", "1");
    assert_whole(p);
}

/* ------------------------------------------------------------------------- lost connections */

static void the_server_ends_our_session_and_the_next_apply_finishes(void **state)
{
    struct project *p = make_slow(state, LONG_SECONDS);
    struct program *program = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(program, "applied  0001", 30000));
    project_wait_until_slow(p, NULL);
    project_execute(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                       "current_database() AND application_name LIKE 'migrate%'");
    struct ran r = project_finish(program);
    assert_exit(&r, 5); /* 0001 was applied by this run */
    assert_err(&r, "hint: ");
    finish_it(p);
}

static void a_lost_answer_to_commit_is_settled(void **state UNUSED)
{
    static const enum proxy_cut cuts[] = {PROXY_CUT_BEFORE, PROXY_CUT_AFTER_SEND,
                                          PROXY_CUT_AFTER_ANSWER};

    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct project *p = project_make(cluster);
        struct proxy *proxy = proxy_start(cluster);
        p->url = proxy_url(proxy, p->database, NULL);
        project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
        project_write(p, "0002_b.sql", "CREATE TABLE b (id integer);\n");
        struct ran r = project_run(p, "apply", "--to", "0001", NULL);
        assert_exit(&r, 0);
        proxy_cut_at_text(proxy, cuts[i], "COMMIT");
        r = project_run(p, "apply", NULL);
        assert_int_equal(proxy_cuts(proxy), 1);
        if (r.exit_code != 0) { /* told, not guessed: then the next one finishes */
            assert_not_out(&r, "applied  0002");
            r = project_run(p, "apply", NULL);
            assert_exit(&r, 0);
        }
        assert_answer(p, "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)", "0|0");
        assert_answer(p, "SELECT count(*) FROM migrator.history", "2");
        assert_whole(p);
        proxy_stop(proxy);
    }
}

static void cut_at_any_byte_the_next_apply_finishes(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    struct proxy *proxy = proxy_start(cluster);
    bool is_quick = getenv("MIGRATE_QUICK") != NULL;
    uint64_t bytes = 0;

    for (int i = 1; i <= 3; i++)
        project_write(p, fixture_text("%04d_t%d.sql", i, i),
                      fixture_text("CREATE TABLE t%d (id integer);\nINSERT INTO t%d VALUES (%d);\n",
                                   i, i, i));
    p->url = proxy_url(proxy, p->database, NULL);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    bytes = proxy_bytes(proxy);
    for (uint64_t at = 300; at < bytes; at += bytes / (is_quick ? 12 : 60)) {
        struct project again = *p;
        again.database = fixture_text("cut_%d", (int)at);
        (void)pg_cluster_database(cluster, again.database);
        again.url = proxy_url(proxy, again.database, NULL);
        proxy_cut_after_bytes(proxy, at);
        (void)project_run(&again, "apply", NULL);
        again.url = pg_cluster_url(cluster, again.database, NULL);
        r = project_run(&again, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(&again,
                      "SELECT id FROM t1 UNION ALL SELECT id FROM t2 UNION ALL SELECT id FROM t3",
                      "1\n2\n3");
        assert_whole(&again);
        pg_cluster_execute(cluster, "postgres",
                           fixture_text("DROP DATABASE \"%s\" WITH (FORCE)", again.database));
    }
    proxy_stop(proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(sigint_rolls_back_and_exits_130),
        ON_BOTH(sigterm_rolls_back_and_exits_143),
        ON_BOTH(a_second_signal_ends_at_once),
        ON_BOTH(a_second_apply_waits_and_says_for_whom),
        ON_BOTH(readers_do_not_wait_for_a_run),
        ON_BOTH(a_waiter_can_be_stopped),
        ON_BOTH(ten_at_once_apply_everything_once),
        cmocka_unit_test(a_run_lock_that_is_let_go_is_taken_back_or_the_run_ends),
        cmocka_unit_test(a_lock_that_is_held_is_asked_for_again_and_then_given_up),
        cmocka_unit_test(a_commit_that_meets_a_lock_is_tried_again_as_its_own_migration),
        cmocka_unit_test(a_statement_of_another_sqlite_program_is_waited_for),
        cmocka_unit_test(an_exclusive_lock_is_waited_for_as_long_as_is_said),
        ON_BOTH(killed_inside_a_transaction_nothing_of_it_stays),
        ON_BOTH(an_own_transaction_that_is_killed_goes_on_behind_its_last_commit),
        cmocka_unit_test(the_server_ends_our_session_and_the_next_apply_finishes),
        cmocka_unit_test(a_lost_answer_to_commit_is_settled),
        cmocka_unit_test(cut_at_any_byte_the_next_apply_finishes),
    };

    return cmocka_run_group_tests_name("stop", tests, start_cluster, NULL);
}
