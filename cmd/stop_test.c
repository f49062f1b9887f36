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

/* Longer than a program may run: what is not stopped in it fails. */
#define LONG_SECONDS 600.0
/* Long enough to be found in it and held there. */
#define HELD_SECONDS 2.0

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

    assert_true(program_wait_for_text(program, "applied  0001"));
    project_wait_until_slow(p, program, NULL);
    program_signal(program, signal_number);
    struct ran r = project_finish(program);
    assert_exit(&r, exit_code);
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

    assert_true(program_wait_for_text(program, "applied  0001"));
    project_wait_until_slow(p, program, NULL);
    program_signal(program, SIGINT);
    program_signal(program, SIGTERM);
    struct ran r = project_finish(program);
    assert_true(r.exit_code == 130 || r.exit_code == 143);
    finish_it(p);
}

/* --------------------------------------------------------------------------------- two at once */

/* A run that is stopped in its tracks in its second migration, and holds the run lock. */
static struct program *start_held(const struct project *p)
{
    struct program *program = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(program, "applied  0001"));
    project_hold_when_slow(p, program);
    return program;
}

static void a_second_apply_waits_and_says_for_whom(void **state)
{
    struct project *p = make_slow(state, HELD_SECONDS);
    struct program *first = start_held(p);
    struct ran busy = project_run(p, "apply", "--wait", "0", NULL);

    assert_exit(&busy, 6);
    assert_err(&busy, "another run is under way: ");
    assert_err(&busy, "migrate");
    assert_err(&busy, "hint: ");
    assert_not_out(&busy, "applied");
    struct program *second = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(second, "waiting for another run: "));
    program_signal(first, SIGCONT);
    struct ran r = project_finish(first);
    assert_exit(&r, 0);
    assert_out(&r, "3 migrations applied");
    r = project_finish(second);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    finish_it(p);
}

static void readers_do_not_wait_for_a_run(void **state)
{
    struct project *p = make_slow(state, HELD_SECONDS);
    struct program *first = start_held(p);
    struct ran r = project_run(p, "status", NULL);

    assert_exit(&r, 0);
    assert_out(&r, "1 applied, 2 pending");
    r = project_run(p, "history", "--events", NULL);
    assert_exit(&r, 0);
    program_signal(first, SIGCONT);
    r = project_finish(first);
    assert_exit(&r, 0);
}

static void a_waiter_can_be_stopped(void **state)
{
    struct project *p = make_slow(state, HELD_SECONDS);
    struct program *first = start_held(p);
    struct program *second = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(second, "waiting for another run"));
    program_signal(second, SIGINT);
    struct ran r = project_finish(second);
    assert_exit(&r, 130);
    assert_err(&r, "nothing was changed");
    program_signal(first, SIGCONT);
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

/* ---------------------------------------------------------------------------------- SIGKILL */

static void killed_inside_a_transaction_nothing_of_it_stays(void **state)
{
    struct project *p = make_slow(state, LONG_SECONDS);
    struct program *program = project_start(p, "apply", NULL);

    assert_true(program_wait_for_text(program, "applied  0001"));
    project_wait_until_slow(p, program, NULL);
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
            "0"));
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
    project_wait_until_slow(p, program, NULL);
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

    assert_true(program_wait_for_text(program, "applied  0001"));
    project_wait_until_slow(p, program, NULL);
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
        ON_BOTH(killed_inside_a_transaction_nothing_of_it_stays),
        ON_BOTH(an_own_transaction_that_is_killed_goes_on_behind_its_last_commit),
        cmocka_unit_test(the_server_ends_our_session_and_the_next_apply_finishes),
        cmocka_unit_test(a_lost_answer_to_commit_is_settled),
        cmocka_unit_test(cut_at_any_byte_the_next_apply_finishes),
    };

    return cmocka_run_group_tests_name("stop", tests, start_cluster, NULL);
}
