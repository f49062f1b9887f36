/* The statements of migrations: transactions, pipelines, errors and their places, killed runs. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"
#include "drivers/testkit/proxy.h"

/* The address sanitizer keeps 256 MB of freed memory for a while. */
#ifdef SANITIZES_ADDRESS
#define BOUNDED_KB 290000
#else
#define BOUNDED_KB 40000
#endif

static struct pg_cluster *cluster;
static const struct driver *driver;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    driver = postgres_driver();
    return 0;
}

static const char *ask(const char *database, const char *sql)
{
    return pg_cluster_query(cluster, database, sql);
}

static struct kit open_fresh(const char *database)
{
    return kit_open_run(driver, pg_cluster_database(cluster, database), NULL);
}

/* ---- round trips ---- */

static void a_small_migration_is_two_round_trips(void **state UNUSED)
{
    struct kit first = open_fresh("trips");
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    struct kit k = kit_open_run(driver, proxy_url(p, "trips", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {
        kit_statement("CREATE TABLE a ()"),
        kit_statement("CREATE TABLE b ()"),
        kit_statement("INSERT INTO a DEFAULT VALUES"),
    };

    for (int i = 0; i < 2; i++) {
        driver->announce(k.connection, "1/2");
        unsigned before = proxy_round_trips(p);
        KIT_OK(kit_begin(&k, s, i == 0 ? 3 : 0, &f));
        KIT_OK(kit_commit(&k, &f));
        /* Without statements there is nothing to wait for before COMMIT. */
        assert_int_equal(proxy_round_trips(p) - before, i == 0 ? 2 : 1);
    }
    assert_string_equal(ask("trips", "SELECT count(*) FROM migrator.history"), "2");
    kit_close(&k);
    proxy_stop(p);
}

static void ten_thousand_statements_are_few_round_trips(void **state UNUSED)
{
    struct kit first = open_fresh("many");
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    struct kit k = kit_open_run(driver, proxy_url(p, "many", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    enum { COUNT = 10000 };
    struct statement *s = arena_array(k.arena, struct statement, COUNT);

    s[0] = kit_statement("CREATE TABLE t (n int, filler text)");
    for (int i = 1; i < COUNT; i++)
        s[i] =
            kit_statement(arena_printf(k.arena, "INSERT INTO t VALUES (%d, repeat('x', 10))", i));
    unsigned before = proxy_round_trips(p);
    KIT_OK(kit_begin(&k, s, COUNT, &f) && kit_commit(&k, &f));
    assert_int_equal(k.done, COUNT);
    assert_true(proxy_round_trips(p) - before < 1000);
    assert_string_equal(ask("many", "SELECT count(*), sum(n) FROM t"), "9999|49995000");
    kit_close(&k);
    proxy_stop(p);
}

static void large_statements_and_large_answers_do_not_lock_up(void **state UNUSED)
{
    struct kit k = open_fresh("large");
    SCOPED(fail) struct fail f = FAIL_NONE;
    enum { COUNT = 200, BYTES = 200000 };
    struct statement s[COUNT];
    char *filler = arena_alloc(k.arena, BYTES + 1);

    memset(filler, 'x', BYTES);
    for (int i = 0; i < COUNT; i++)
        s[i] = kit_statement(arena_printf(k.arena, "SELECT '%s', generate_series(1, 3)", filler));
    KIT_OK(kit_begin(&k, s, COUNT, &f) && kit_commit(&k, &f));
    kit_close(&k);
}

static void a_huge_result_is_dropped_as_it_comes(void **state UNUSED)
{
    struct kit k = open_fresh("huge");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("SELECT repeat('x', 1000) FROM generate_series(1, 300000)");
    struct rusage before, after;

    (void)getrusage(RUSAGE_SELF, &before);
    KIT_OK(kit_begin(&k, &s, 1, &f) && kit_commit(&k, &f));
    KIT_OK(kit_alone(&k, &s, &f));
    (void)getrusage(RUSAGE_SELF, &after);
    /* 300 MB went by. */
    assert_true(after.ru_maxrss - before.ru_maxrss < BOUNDED_KB);
    kit_close(&k);
}

static void rows_and_durations_are_told_per_statement(void **state UNUSED)
{
    struct kit k = open_fresh("rows");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {
        kit_statement("CREATE TABLE t AS SELECT generate_series(1, 5) AS n"),
        kit_statement("DELETE FROM t WHERE n > 3"),
        kit_statement("SELECT n FROM t"),
        kit_statement("SELECT pg_sleep(0.05)"),
        kit_statement("ALTER TABLE t ADD x int"),
    };
    static const int64_t rows[] = {5, 2, 3, 1, -1};
    struct statement_result results[ARRAY_LEN(s)];
    struct unit_options options = {0};
    size_t done, offset;

    KIT_OK(driver->begin(k.connection, &options, &f));
    int64_t from_us = clock_monotonic_us();
    KIT_OK(driver->execute(k.connection, s, ARRAY_LEN(s), NULL, results, &done, &offset, &f));
    int64_t took_us = clock_monotonic_us() - from_us;
    int64_t sum_us = 0;
    for (size_t i = 0; i < ARRAY_LEN(s); i++) {
        assert_int_equal(results[i].rows, rows[i]);
        sum_us += results[i].duration_us;
    }
    assert_true(results[3].duration_us > 40000);
    /* Each has its own time, and none that of another. */
    assert_true(sum_us <= took_us);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("rows", "SELECT to_regclass('t')"), "");
    kit_close(&k);
}

/* ---- errors ---- */

static void errors_carry_their_place_in_bytes(void **state UNUSED)
{
    static const struct {
        const char *sql;
        const char *at; /* the text at the offset */
        const char *sqlstate;
    } cases[] = {
        {"SELECT 'é→😀', missing", "missing", "42703"},
        {"SELEC 1", "SELEC 1", "42601"},
        {"SELECT 1 FROM (", "", "42601"},
        {"INSERT INTO nowhere VALUES (1)", "nowhere VALUES (1)", "42P01"},
        {"SELECT 1/0", NULL, "22012"},
    };
    struct kit k = open_fresh("places");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct statement s[] = {kit_statement("CREATE TABLE x ()"), kit_statement(cases[i].sql),
                                kit_statement("CREATE TABLE y ()")};
        for (int is_alone = 0; is_alone < 2; is_alone++) {
            SCOPED(fail) struct fail f = FAIL_NONE;
            bool ok = is_alone ? kit_alone(&k, &s[1], &f) : kit_begin(&k, s, 3, &f);
            assert_false(ok);
            assert_int_equal(k.done, is_alone ? 0 : 1);
            assert_string_equal(f.sqlstate, cases[i].sqlstate);
            assert_int_equal(f.kind, FAIL_SERVER);
            assert_int_equal(f.code, EXIT_FAILED);
            if (cases[i].at)
                assert_string_equal(cases[i].sql + k.offset, cases[i].at);
            else
                assert_true(k.offset == SIZE_MAX);
            SCOPED(fail) struct fail second = FAIL_NONE;
            if (!is_alone)
                assert_true(driver->rollback(k.connection, &second));
        }
        assert_string_equal(ask("places", "SELECT to_regclass('x'), to_regclass('y')"), "|");
    }
    kit_close(&k);
}

static void detail_hint_and_context_of_the_server_are_kept(void **state UNUSED)
{
    struct kit k = open_fresh("words");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement(
        "DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'more', HINT = 'do', ERRCODE = 'ZZ001'; "
        "END $$");

    assert_false(kit_begin(&k, &s, 1, &f));
    assert_string_equal(f.message, "no");
    assert_string_equal(f.detail, "more");
    assert_string_equal(f.hint, "do");
    assert_string_equal(f.sqlstate, "ZZ001");
    assert_non_null(strstr(f.context, "PL/pgSQL function"));
    kit_close(&k);
}

static void failures_have_the_kind_that_retries_look_at(void **state UNUSED)
{
    struct kit a = open_fresh("kinds");
    struct kit b = kit_open(driver, pg_cluster_url(cluster, "kinds", NULL),
                            &(struct connect_options){.lock_timeout_ms = 50});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement lock = kit_statement("LOCK TABLE migrator.history");
    struct statement late = kit_statement("SET LOCAL statement_timeout TO 20");
    struct statement sleep[] = {late, kit_statement("SELECT pg_sleep(10)")};
    struct statement clash = kit_statement("DO $$ BEGIN RAISE EXCEPTION '' USING ERRCODE = "
                                           "'serialization_failure'; END $$");

    KIT_OK(kit_begin(&a, &lock, 1, &f));
    assert_false(kit_begin(&b, &lock, 1, &f));
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    assert_string_equal(f.sqlstate, "55P03");
    fail_clear(&f);
    KIT_OK(driver->rollback(b.connection, &f));
    assert_false(kit_begin(&b, sleep, 2, &f));
    assert_int_equal(f.kind, FAIL_CANCELLED);
    fail_clear(&f);
    KIT_OK(driver->rollback(b.connection, &f));
    assert_false(kit_begin(&b, &clash, 1, &f));
    assert_int_equal(f.kind, FAIL_DEADLOCK);
    kit_close(&a);
    kit_close(&b);
}

/* Only the server itself ends a connection, and says so with FATAL: a function may raise any SQLSTATE. */
static void a_sqlstate_alone_is_no_lost_connection(void **state UNUSED)
{
    static const char *const states[] = {"57P01", "57P02", "57P03", "08006", "08P01", "25P03"};
    struct kit k = open_fresh("states");
    SCOPED(fail) struct fail f = FAIL_NONE;

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct statement s = kit_statement(fixture_text(
            "DO $$ BEGIN RAISE EXCEPTION 'mine' USING ERRCODE = '%s'; END $$", states[i]));
        assert_false(kit_begin(&k, &s, 1, &f));
        assert_int_equal(f.kind, FAIL_SERVER);
        assert_string_equal(f.sqlstate, states[i]);
        assert_null(f.hint);
        fail_clear(&f);
        KIT_OK(driver->rollback(k.connection, &f));
    }
    struct statement end = kit_statement("SELECT pg_terminate_backend(pg_backend_pid())");
    assert_false(kit_begin(&k, &end, 1, &f));
    assert_int_equal(f.kind, FAIL_CONNECTION);
    kit_close(&k);
}

static void timeouts_of_a_unit_end_with_it(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "limits"),
                                &(struct connect_options){.lock_timeout_ms = 700});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct unit_options options = {.lock_timeout_ms = 1234, .statement_timeout_ms = 5678};
    struct statement s[] = {
        kit_statement("CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS lock, "
                      "current_setting('statement_timeout') AS statement"),
        kit_statement("INSERT INTO seen SELECT current_setting('lock_timeout'), "
                      "current_setting('statement_timeout')"),
    };
    struct statement_result results[2];
    size_t done, offset;

    KIT_OK(driver->begin(k.connection, &options, &f));
    KIT_OK(driver->execute(k.connection, s, 1, NULL, results, &done, &offset, &f));
    KIT_OK(kit_commit(&k, &f));
    KIT_OK(kit_begin(&k, s + 1, 1, &f) && kit_commit(&k, &f));
    assert_string_equal(ask("limits", "TABLE seen"), "1234ms|5678ms\n700ms|0");
    kit_close(&k);
}

static void a_unit_of_the_file_itself_uses_its_begin(void **state UNUSED)
{
    struct kit k = open_fresh("own");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct unit_options options = {.is_own = true, .lock_timeout_ms = 1234};
    struct statement s[] = {
        kit_statement("BEGIN ISOLATION LEVEL SERIALIZABLE"),
        kit_statement("CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS i, "
                      "current_setting('lock_timeout') AS t"),
    };
    struct statement_result results[2];
    size_t done, offset;

    KIT_OK(driver->begin(k.connection, &options, &f));
    KIT_OK(driver->execute(k.connection, s, 2, NULL, results, &done, &offset, &f));
    assert_int_equal(done, 2);
    KIT_OK(kit_commit_own(&k, "END", &f));
    assert_string_equal(ask("own", "TABLE seen"), "serializable|1234ms");
    assert_string_equal(ask("own", "SELECT count(*) FROM migrator.history"), "1");
    kit_close(&k);
}

static void set_transaction_may_be_the_first_statement(void **state UNUSED)
{
    struct kit k = open_fresh("isolation");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {
        kit_session_statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
        kit_statement("CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS i"),
    };

    driver->announce(k.connection, "first");
    KIT_OK(kit_begin(&k, s, 2, &f) && kit_commit(&k, &f));
    assert_string_equal(ask("isolation", "TABLE seen"), "repeatable read");
    kit_close(&k);
}

static void
a_statement_that_ends_or_begins_a_transaction_in_disguise_is_noticed(void **state UNUSED)
{
    struct kit k = open_fresh("disguise");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("CREATE TABLE a ()"), kit_statement("COMMIT")};
    struct statement begin = kit_statement("BEGIN");

    s[1].is_analysed = begin.is_analysed = false;
    assert_false(kit_begin(&k, s, 2, &f));
    assert_int_equal(f.code, EXIT_INCOMPLETE);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_false(kit_alone(&k, &begin, &f));
    assert_int_equal(f.code, EXIT_FAILED);
    fail_clear(&f);
    KIT_OK(kit_unit(&k, "CREATE TABLE b ()", &f));
    kit_close(&k);
}

static void unknown_statements_are_sent_all_the_same(void **state UNUSED)
{
    struct kit k = open_fresh("unknown");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("CREATE TABLE a ()"), kit_statement("CREATE TABLE b ()"),
                            kit_statement("CREATE TABLE c ()")};

    s[0].is_analysed = s[1].is_analysed = false;
    KIT_OK(kit_begin(&k, s, 3, &f) && kit_commit(&k, &f));
    assert_string_equal(
        ask("unknown", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "3");
    kit_close(&k);
}

/* ---- notices ---- */

static void notices_are_logged_and_warnings_warn(void **state UNUSED)
{
    int ends[2];
    char text[4096] = {0};
    struct kit k = open_fresh("notices");
    SCOPED(fail) struct fail f = FAIL_NONE;

    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    (void)dup2(ends[1], STDERR_FILENO);
    KIT_OK(kit_unit(&k,
                    "DO $$ BEGIN RAISE NOTICE 'quiet %', 1; RAISE WARNING 'loud' USING HINT = "
                    "'do'; END $$",
                    &f));
    (void)fflush(stderr);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(ends[1]);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    (void)close(ends[0]);
    (void)close(saved);
    assert_non_null(strstr(text, "quiet 1\n"));
    assert_non_null(strstr(text, "warning: loud (do)\n"));
    kit_close(&k);
}

/* ---- cancelled and killed: F1, F2, F3 ---- */

static void cancel_ends_a_statement_from_outside(void **state UNUSED)
{
    struct kit k = open_fresh("cancelled");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("SELECT pg_sleep(30)");
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            (void)usleep(20000);
            driver->cancel(k.connection);
        }
    }
    assert_false(kit_begin(&k, &s, 1, &f));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    assert_int_equal(f.kind, FAIL_CANCELLED);
    assert_string_equal(f.sqlstate, "57014");
    kit_close(&k);
}

/* Runs statements in a child that is killed while the server sleeps in one of them. */
static void kill_while_sleeping(const char *database, const struct statement *s, size_t count,
                                bool is_alone)
{
    const char *url = pg_cluster_database(cluster, database);
    if (pg_cluster_version(cluster) < 140000)
        skip(); /* client_connection_check_interval came with 14 */
    const char *sleeping = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                           "'migrate%' AND datname = current_database() AND wait_event = 'PgSleep'";
    pid_t child = fork();

    if (child == 0) {
        struct kit k = kit_open_run(driver, url, NULL);
        SCOPED(fail) struct fail f = FAIL_NONE;
        if (!is_alone)
            (void)!(kit_begin(&k, s, count, &f) && kit_commit(&k, &f));
        for (size_t i = 0; is_alone && i < count; i++)
            (void)!kit_alone(&k, &s[i], &f);
        _exit(0);
    }
    assert_true(pg_cluster_wait_for(cluster, database, sleeping, "1"));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    /* client_connection_check_interval: the server looks every 2 s. */
    assert_true(pg_cluster_wait_for(cluster, database,
                                    "SELECT count(*) FROM pg_stat_activity WHERE application_name "
                                    "LIKE 'migrate%' AND datname = current_database()",
                                    "0"));
}

static void f1_f3_a_killed_run_leaves_nothing_of_its_transaction(void **state UNUSED)
{
    struct statement s[] = {kit_statement("CREATE TABLE z ()"),
                            kit_statement("SELECT pg_sleep(600)")};

    kill_while_sleeping("killed", s, 2, false);
    assert_string_equal(ask("killed", "SELECT to_regclass('z'), count(*) FROM migrator.history"),
                        "|0");
}

static void f2_a_killed_run_does_not_go_on_by_itself(void **state UNUSED)
{
    struct statement s[] = {
        kit_statement("CREATE TABLE z ()"),
        kit_statement("DO $$ BEGIN PERFORM pg_sleep(600); CREATE TABLE y (); END $$")};

    kill_while_sleeping("killed_alone", s, 2, true);
    assert_string_equal(ask("killed_alone", "SELECT to_regclass('z'), to_regclass('y')"), "z|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_migration_is_two_round_trips),
        cmocka_unit_test(ten_thousand_statements_are_few_round_trips),
        cmocka_unit_test(large_statements_and_large_answers_do_not_lock_up),
        cmocka_unit_test(a_huge_result_is_dropped_as_it_comes),
        cmocka_unit_test(rows_and_durations_are_told_per_statement),
        cmocka_unit_test(errors_carry_their_place_in_bytes),
        cmocka_unit_test(detail_hint_and_context_of_the_server_are_kept),
        cmocka_unit_test(failures_have_the_kind_that_retries_look_at),
        cmocka_unit_test(a_sqlstate_alone_is_no_lost_connection),
        cmocka_unit_test(timeouts_of_a_unit_end_with_it),
        cmocka_unit_test(a_unit_of_the_file_itself_uses_its_begin),
        cmocka_unit_test(set_transaction_may_be_the_first_statement),
        cmocka_unit_test(a_statement_that_ends_or_begins_a_transaction_in_disguise_is_noticed),
        cmocka_unit_test(unknown_statements_are_sent_all_the_same),
        cmocka_unit_test(notices_are_logged_and_warnings_warn),
        cmocka_unit_test(cancel_ends_a_statement_from_outside),
        cmocka_unit_test(f1_f3_a_killed_run_leaves_nothing_of_its_transaction),
        cmocka_unit_test(f2_a_killed_run_does_not_go_on_by_itself),
    };

    return cmocka_run_group_tests_name("postgres execute", tests, start, NULL);
}
