/* Entries and changes are one fact: COMMIT that fails, that is lost, that is asynchronous. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"
#include "drivers/testkit/proxy.h"

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

#define COUNT_ALL                                                                                  \
    "SELECT (SELECT count(*) FROM migrator.history), (SELECT count(*) FROM migrator.event), "      \
    "(SELECT count(*) FROM pg_tables WHERE schemaname = 'public')"

/* ---- commits that the server refuses ---- */

static void a_deferred_constraint_fails_at_commit_with_its_words(void **state UNUSED)
{
    struct kit k = open_fresh("deferred");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {
        kit_statement("CREATE TABLE a (id int PRIMARY KEY)"),
        kit_statement("CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)"),
        kit_statement("INSERT INTO b VALUES (1)"),
    };

    KIT_OK(kit_begin(&k, s, 3, &f));
    assert_false(kit_commit(&k, &f));
    assert_string_equal(f.sqlstate, "23503");
    assert_int_equal(f.kind, FAIL_SERVER);
    assert_non_null(strstr(f.detail, "Key (a)=(1) is not present"));
    assert_non_null(strstr(f.context, "while committing"));
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("deferred", COUNT_ALL), "0|0|0");
    KIT_OK(kit_unit(&k, "CREATE TABLE c ()", &f));
    kit_close(&k);
}

static void a_commit_answered_with_rollback_is_a_failure(void **state UNUSED)
{
    struct kit k = open_fresh("answered");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("CREATE TABLE a ()");

    KIT_OK(kit_begin(&k, &s, 1, &f));
    assert_false(kit_commit_own(&k, "ROLLBACK", &f));
    assert_int_equal(f.kind, FAIL_SERVER);
    assert_int_equal(f.code, EXIT_FAILED);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("answered", COUNT_ALL), "0|0|0");
    KIT_OK(kit_unit(&k, "CREATE TABLE a ()", &f));
    kit_close(&k);
}

/* ---- what migrations do to their session ---- */

static void entries_are_written_whatever_a_migration_does_to_its_session(void **state UNUSED)
{
    static const char *const does[] = {
        "SET ROLE weak",
        "SET SESSION AUTHORIZATION weak",
        "SET search_path TO ''",
        "SET default_transaction_read_only TO on",
        "SET statement_timeout TO '1ms'",
        "SET client_min_messages TO error",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SET DateStyle TO 'German, DMY'",
        "SET TimeZone TO 'Asia/Kolkata'",
        "SET standard_conforming_strings TO off",
        "SET session_replication_role TO replica",
        "SET row_security TO off",
        "SET default_transaction_isolation TO serializable",
        "SET synchronous_commit TO off",
        "DEALLOCATE ALL",
        "SELECT pg_catalog.set_config('client_encoding', 'LATIN1', false)",
        "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT "
        "NULL::timestamptz'",
    };

    (void)pg_cluster_database(cluster, "session_of");
    pg_cluster_execute(cluster, "session_of", "CREATE ROLE weak");
    struct kit k = kit_open_run(driver, pg_cluster_url(cluster, "session_of", NULL), NULL);
    for (size_t i = 0; i < ARRAY_LEN(does); i++) {
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct statement s = kit_session_statement(does[i]);
        for (int is_alone = 0; is_alone < 2; is_alone++) {
            if (is_alone && strncmp(does[i], "SET CONSTRAINTS", 15) == 0)
                continue;
            if (strncmp(does[i], "CREATE", 6) == 0 && is_alone)
                continue;
            if (is_alone)
                KIT_OK(kit_alone(&k, &s, &f));
            else
                KIT_OK(kit_begin(&k, &s, 1, &f) && kit_commit(&k, &f));
            /* The next unit of the file, and an entry by itself. */
            struct statement none = kit_statement("SELECT 'é'");
            if (strstr(does[i], "statement_timeout") == NULL)
                KIT_OK(kit_begin(&k, &none, 1, &f) && kit_commit(&k, &f));
            KIT_OK(kit_append(&k, true, &f));
            KIT_OK(driver->reset_session(k.connection, &f));
        }
    }
    kit_close(&k);
}

static void what_runs_at_commit_runs_as_the_role_of_the_migration(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "roles");
    pg_cluster_execute(
        cluster, "roles",
        "CREATE ROLE painter; GRANT CREATE ON SCHEMA public TO painter;"
        "CREATE TABLE seen (who text); GRANT INSERT ON seen TO painter;"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO seen VALUES (current_user); RETURN NULL; END';"
        "CREATE TABLE t (); GRANT INSERT ON t TO painter;"
        "CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION note()");
    struct kit k = kit_open_run(driver, pg_cluster_url(cluster, "roles", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_session_statement("SET ROLE painter"),
                            kit_statement("INSERT INTO t DEFAULT VALUES")};
    struct statement next = kit_statement("INSERT INTO seen VALUES ('then ' || current_user)");

    KIT_OK(kit_begin(&k, s, 2, &f) && kit_commit(&k, &f));
    KIT_OK(kit_begin(&k, &next, 1, &f) && kit_commit(&k, &f));
    assert_string_equal(ask("roles", "TABLE seen"), "painter\nthen painter");
    assert_string_equal(ask("roles", "SELECT count(*) FROM migrator.history"), "2");
    kit_close(&k);
}

static void an_ordinary_role_can_do_all_this(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "ordinary");
    pg_cluster_execute(cluster, "ordinary",
                       "CREATE ROLE app LOGIN; CREATE ROLE other; GRANT other TO app;"
                       "GRANT ALL ON DATABASE ordinary TO app; GRANT ALL ON SCHEMA public TO app");
    struct kit k = kit_open_run(driver, pg_cluster_url(cluster, "ordinary", "app"),
                                &(struct connect_options){.is_bulk = true});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_session_statement("SET ROLE other");

    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    KIT_OK(kit_begin(&k, &s, 1, &f) && kit_commit(&k, &f));
    KIT_OK(kit_append(&k, true, &f));
    KIT_OK(driver->reset_session(k.connection, &f));
    KIT_OK(driver->flush(k.connection, &f));
    struct lock_holder holder;
    bool is_ours = true;
    struct kit b = kit_open(driver, pg_cluster_url(cluster, "ordinary", "app"), NULL);
    KIT_OK(driver->try_lock(b.arena, b.connection, "x", &is_ours, &holder, &f));
    assert_false(is_ours);
    kit_close(&b);
    kit_close(&k);
}

/* ---- connections lost at COMMIT ---- */

struct lost_case {
    const char *name;
    enum proxy_cut cut;
    bool has_happened;
};

static const struct lost_case lost_cases[] = {
    {"before the server got it", PROXY_CUT_BEFORE, false},
    {"after it was answered", PROXY_CUT_AFTER_ANSWER, true},
};

static void a_commit_lost_on_the_way_is_settled(void **state UNUSED)
{
    struct kit first = open_fresh("lost");
    kit_close(&first);
    for (size_t i = 0; i < ARRAY_LEN(lost_cases); i++) {
        const struct lost_case *one = &lost_cases[i];
        struct proxy *p = proxy_start(cluster);
        struct kit k = kit_open_run(driver, proxy_url(p, "lost", NULL), NULL);
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct statement s = kit_statement(arena_printf(k.arena, "CREATE TABLE t%zu ()", i));

        KIT_OK(kit_begin(&k, &s, 1, &f));
        proxy_cut_at_text(p, one->cut, "COMMIT");
        bool is_done = kit_commit(&k, &f);
        assert_int_equal(proxy_cuts(p), 1);
        if (is_done != one->has_happened)
            fail_msg("lost %s: %s", one->name, is_done ? "taken for done" : f.message);
        if (!is_done) {
            assert_int_equal(f.kind, FAIL_CONNECTION);
            assert_int_equal(f.code, EXIT_FAILED);
            assert_non_null(f.hint);
            fail_clear(&f);
            KIT_OK(driver->rollback(k.connection, &f));
        }
        assert_string_equal(
            ask("lost", arena_printf(k.arena, "SELECT to_regclass('t%zu') IS NOT NULL", i)),
            one->has_happened ? "t" : "f");
        /* The run goes on: with the lock, on the new connection. */
        struct kit other = kit_open(driver, pg_cluster_url(cluster, "lost", NULL), NULL);
        struct lock_holder holder;
        bool is_ours = true;
        KIT_OK(driver->try_lock(other.arena, other.connection, "x", &is_ours, &holder, &f));
        assert_false(is_ours);
        kit_close(&other);
        KIT_OK(kit_unit(&k, arena_printf(k.arena, "CREATE TABLE next%zu ()", i), &f));
        kit_close(&k);
        proxy_stop(p);
    }
    assert_string_equal(ask("lost", COUNT_ALL), "3|3|3");
}

static void a_transaction_sent_all_at_once_is_settled_without_its_number(void **state UNUSED)
{
    struct kit first = open_fresh("at_once");
    kit_close(&first);
    for (size_t i = 0; i < ARRAY_LEN(lost_cases); i++) {
        struct proxy *p = proxy_start(cluster);
        struct kit k = kit_open_run(driver, proxy_url(p, "at_once", NULL), NULL);
        SCOPED(fail) struct fail f = FAIL_NONE;
        proxy_cut_at_text(p, lost_cases[i].cut, "COMMIT");
        assert_int_equal(kit_append(&k, true, &f), lost_cases[i].has_happened);
        assert_int_equal(proxy_cuts(p), 1);
        kit_close(&k);
        proxy_stop(p);
    }
    assert_string_equal(ask("at_once", COUNT_ALL), "0|1|0");
}

static void a_commit_still_in_progress_is_waited_for(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "in_progress");
    /* A deferred trigger makes COMMIT last. */
    pg_cluster_execute(
        cluster, "in_progress",
        "CREATE TABLE t ();"
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION late()");
    struct kit first = kit_open_run(driver, pg_cluster_url(cluster, "in_progress", NULL), NULL);
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    struct kit k = kit_open_run(driver, proxy_url(p, "in_progress", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("INSERT INTO t DEFAULT VALUES");

    KIT_OK(kit_begin(&k, &s, 1, &f));
    proxy_cut_at_text(p, PROXY_CUT_AFTER_SEND, "COMMIT");
    bool is_done = kit_commit(&k, &f);
    /* Whichever way it went, what is said must be what is. */
    assert_string_equal(ask("in_progress", "SELECT count(*) FROM t"), is_done ? "1" : "0");
    assert_string_equal(ask("in_progress", "SELECT count(*) FROM migrator.history"),
                        is_done ? "1" : "0");
    assert_true(is_done || f.kind == FAIL_CONNECTION);
    kit_close(&k);
    proxy_stop(p);
}

static void a_commit_that_nobody_can_tell_about_is_said_to_be_unknown(void **state UNUSED)
{
    struct kit first = open_fresh("nobody");
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    struct kit k = kit_open_run(driver, proxy_url(p, "nobody", NULL),
                                &(struct connect_options){.connect_timeout_ms = 2000});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("CREATE TABLE t ()");

    KIT_OK(kit_begin(&k, &s, 1, &f));
    proxy_cut_at_text(p, PROXY_CUT_AFTER_ANSWER, "COMMIT");
    proxy_refuse(p, true);
    assert_false(kit_commit(&k, &f));
    assert_int_equal(f.kind, FAIL_COMMIT_UNKNOWN);
    assert_int_equal(f.code, EXIT_INCOMPLETE);
    assert_non_null(strstr(f.hint, "migrate status"));
    kit_close(&k);
    proxy_stop(p);
}

static void a_server_that_restarts_at_commit_is_asked_when_it_is_back(void **state UNUSED)
{
    struct kit k = open_fresh("restarted");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("CREATE TABLE t ()");

    KIT_OK(kit_begin(&k, &s, 1, &f));
    pg_cluster_restart(cluster, true);
    assert_false(kit_commit(&k, &f));
    assert_int_equal(f.kind, FAIL_CONNECTION);
    assert_string_equal(ask("restarted", COUNT_ALL), "0|0|0");
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    kit_close(&k);
}

static void a_connection_lost_within_a_unit_rolls_it_back(void **state UNUSED)
{
    struct kit k = open_fresh("terminated");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("CREATE TABLE t ()"),
                            kit_statement("SELECT pg_terminate_backend(pg_backend_pid())")};

    assert_false(kit_begin(&k, s, 2, &f));
    assert_int_equal(f.kind, FAIL_CONNECTION);
    assert_string_equal(f.sqlstate, "57P01");
    assert_int_equal(k.done, 1);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("terminated", COUNT_ALL), "0|0|0");
    KIT_OK(kit_append(&k, true, &f));
    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    kit_close(&k);
}

static void settings_lost_with_a_connection_stop_the_file(void **state UNUSED)
{
    struct kit first = open_fresh("forgotten");
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    struct kit k = kit_open_run(driver, proxy_url(p, "forgotten", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_session_statement("SET search_path TO pg_catalog");
    struct statement t = kit_statement("CREATE TABLE public.t ()");

    KIT_OK(kit_begin(&k, &s, 1, &f));
    proxy_cut_at_text(p, PROXY_CUT_AFTER_ANSWER, "COMMIT");
    KIT_OK(kit_commit(&k, &f));
    assert_false(kit_begin(&k, &t, 1, &f));
    assert_int_equal(f.kind, FAIL_CONNECTION);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    KIT_OK(driver->reset_session(k.connection, &f));
    KIT_OK(kit_begin(&k, &t, 1, &f) && kit_commit(&k, &f));
    kit_close(&k);
    proxy_stop(p);
}

static void cut_anywhere_the_history_and_the_schema_agree(void **state UNUSED)
{
    struct kit first = open_fresh("anywhere");
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    SCOPED(fail) struct fail none = FAIL_NONE;
    struct kit whole = kit_open_run(driver, proxy_url(p, "anywhere", NULL), NULL);
    uint64_t before = proxy_bytes(p);
    kit_check(kit_unit(&whole, "CREATE TABLE t0 ()", &none), &none, "a unit");
    unsigned unit_bytes = (unsigned)(proxy_bytes(p) - before);
    kit_close(&whole);
    int done = 1;

    for (unsigned bytes = 1; bytes < unit_bytes + 40; bytes += unit_bytes / 40) {
        struct kit k = kit_open_run(driver, proxy_url(p, "anywhere", NULL), NULL);
        SCOPED(fail) struct fail f = FAIL_NONE;
        proxy_cut_after_bytes(p, bytes);
        if (kit_unit(&k, fixture_text("CREATE TABLE t%u ()", bytes), &f))
            done++;
        else
            assert_int_equal(f.kind, FAIL_CONNECTION);
        proxy_cut_at_text(p, PROXY_PASS, "");
        kit_close(&k);
        assert_string_equal(ask("anywhere", COUNT_ALL), fixture_text("%d|%d|%d", done, done, done));
    }
    assert_true(done > 1 && done < 40);
    proxy_stop(p);
}

/* ---- asynchronous commits ---- */

/* A durable cluster whose WAL writer is stopped: nothing reaches the disk but by a commit that waits. */
static struct pg_cluster *start_lazy(int *out_writer)
{
    struct pg_cluster *lazy = pg_cluster_start(&(struct pg_cluster_options){.is_durable = true});

    (void)pg_cluster_database(lazy, "lazy");
    *out_writer = (int)strtol(
        pg_cluster_query(lazy, "lazy",
                         "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"),
        NULL, 10);
    assert_true(*out_writer > 1);
    assert_int_equal(kill(*out_writer, SIGSTOP), 0);
    return lazy;
}

static const char *is_flushed(const struct pg_cluster *c, const char *lsn)
{
    return pg_cluster_query(c, "lazy",
                            fixture_text("SELECT pg_current_wal_flush_lsn() >= '%s'::pg_lsn", lsn));
}

static void flush_puts_asynchronous_commits_on_disk(void **state UNUSED)
{
    int writer = 0;
    struct pg_cluster *lazy = start_lazy(&writer);
    const char *url = pg_cluster_url(lazy, "lazy", NULL);
    struct kit k = kit_open_run(driver, url, &(struct connect_options){.is_bulk = true});
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_unit(&k, "CREATE TABLE warm ()", &f));
    const char *before = pg_cluster_query(lazy, "lazy", "SELECT pg_current_wal_insert_lsn()");
    KIT_OK(kit_unit(&k, "CREATE TABLE t AS SELECT 1 AS a", &f));
    const char *inserted = pg_cluster_query(lazy, "lazy", "SELECT pg_current_wal_insert_lsn()");
    assert_string_not_equal(before, inserted);
    assert_string_equal(is_flushed(lazy, inserted), "f");
    KIT_OK(driver->flush(k.connection, &f));
    assert_string_equal(is_flushed(lazy, inserted), "t");
    /* A durable entry needs no flush. */
    KIT_OK(kit_append(&k, false, &f));
    inserted = pg_cluster_query(lazy, "lazy", "SELECT pg_current_wal_insert_lsn()");
    assert_string_equal(is_flushed(lazy, inserted), "f");
    KIT_OK(kit_append(&k, true, &f));
    assert_string_equal(is_flushed(lazy, inserted), "t");
    kit_close(&k);
    (void)kill(writer, SIGCONT);
    pg_cluster_stop(lazy);
}

static void asynchronous_commits_lost_in_a_crash_are_noticed(void **state UNUSED)
{
    int writer = 0;
    struct pg_cluster *lazy = start_lazy(&writer);
    const char *url = pg_cluster_url(lazy, "lazy", NULL);
    struct kit k = kit_open_run(driver, url, &(struct connect_options){.is_bulk = true});
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_append(&k, true, &f));
    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    /* A crash of any process is one of all: what was in memory is gone. */
    pg_cluster_kill_backend(lazy, writer);
    assert_string_equal(pg_cluster_query(lazy, "lazy",
                                         "SELECT to_regclass('t'), count(*) FROM "
                                         "migrator.history"),
                        "|0");
    assert_false(driver->flush(k.connection, &f));
    /* The broken connection is noticed first; the next try asks the server. */
    fail_clear(&f);
    assert_false(kit_append(&k, true, &f));
    assert_int_equal(f.kind, FAIL_HISTORY_MOVED);
    assert_int_equal(f.code, EXIT_INCOMPLETE);
    kit_close(&k);
    pg_cluster_stop(lazy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deferred_constraint_fails_at_commit_with_its_words),
        cmocka_unit_test(a_commit_answered_with_rollback_is_a_failure),
        cmocka_unit_test(entries_are_written_whatever_a_migration_does_to_its_session),
        cmocka_unit_test(what_runs_at_commit_runs_as_the_role_of_the_migration),
        cmocka_unit_test(an_ordinary_role_can_do_all_this),
        cmocka_unit_test(a_commit_lost_on_the_way_is_settled),
        cmocka_unit_test(a_transaction_sent_all_at_once_is_settled_without_its_number),
        cmocka_unit_test(a_commit_still_in_progress_is_waited_for),
        cmocka_unit_test(a_commit_that_nobody_can_tell_about_is_said_to_be_unknown),
        cmocka_unit_test(a_connection_lost_within_a_unit_rolls_it_back),
        cmocka_unit_test(settings_lost_with_a_connection_stop_the_file),
        cmocka_unit_test(cut_anywhere_the_history_and_the_schema_agree),
        cmocka_unit_test(flush_puts_asynchronous_commits_on_disk),
        cmocka_unit_test(asynchronous_commits_lost_in_a_crash_are_noticed),
        cmocka_unit_test(a_server_that_restarts_at_commit_is_asked_when_it_is_back),
    };

    return cmocka_run_group_tests_name("postgres commit", tests, start, NULL);
}
