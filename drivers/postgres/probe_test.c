/* Statements outside transactions: what the catalog says about them after a crash. F8 and F9. */
#include "drivers/postgres/probe_testing.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/testkit/fixture.h"

static struct statement alone(const char *sql, const struct probe *p)
{
    struct statement s = kit_statement(sql);

    s.role = ROLE_ALONE;
    s.probe = p;
    return s;
}

/* A table with duplicates: a unique build fails and leaves an invalid index, as it always does. */
static struct kit open_with_duplicates(const char *database)
{
    const char *url = pg_cluster_database(cluster, database);

    pg_cluster_execute(cluster, database, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
    return kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 100});
}

static void f9_a_failed_build_is_cleaned_away_and_built_again(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_a"};
    struct kit k = open_with_duplicates("failed_build");
    struct statement s = alone("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)", &p);
    SCOPED(fail) struct fail f = FAIL_NONE;

    const char *before = fixture_text("%s", probe_before(&k, &p));
    assert_string_equal(before, "");
    assert_false(kit_alone(&k, &s, &f));
    assert_string_equal(f.sqlstate, "23505");
    fail_clear(&f);
    assert_string_equal(ask("failed_build", INVALID), "1");
    /* In the same session before is remembered. */
    assert_int_equal(probe(&k, &p, NULL), PROBE_NOT_DONE);
    assert_string_equal(ask("failed_build", INVALID), "0");
    /* After a crash it comes from the intent. */
    assert_false(kit_alone(&k, &s, &f));
    fail_clear(&f);
    kit_close(&k);
    k = kit_open_run(driver, pg_cluster_url(cluster, "failed_build", NULL), NULL);
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    assert_string_equal(ask("failed_build", INVALID), "0");
    pg_cluster_execute(cluster, "failed_build", "DELETE FROM t");
    KIT_OK(kit_alone(&k, &s, &f));
    KIT_OK(driver->check_after(k.connection, &p, &f));
    assert_int_equal(probe(&k, &p, before), PROBE_IS_DONE);
    kit_close(&k);
}

static void
an_invalid_index_of_somebody_else_is_left_alone_but_not_taken_for_done(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "public", .name = "t_a"};
    struct kit k = open_with_duplicates("foreign_build");
    struct statement s = alone("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)", &p);
    SCOPED(fail) struct fail f = FAIL_NONE;

    assert_string_not_equal(ask("foreign_build", "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"),
                            "");
    const char *before = probe_before(&k, &p);
    assert_string_not_equal(before, "");
    KIT_OK(kit_alone(&k, &s, &f));
    assert_false(driver->check_after(k.connection, &p, &f));
    assert_non_null(strstr(f.hint, "DROP INDEX CONCURRENTLY public.t_a"));
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    assert_int_equal(probe(&k, &p, NULL), PROBE_NOT_DONE);
    assert_string_equal(ask("foreign_build", INVALID), "1");
    kit_close(&k);
}

static void an_index_without_a_name_is_known_by_what_was_there_before(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_ON_TABLE, .schema = "", .name = "t"};
    struct kit k = open_with_duplicates("unnamed");
    struct statement s = alone("CREATE UNIQUE INDEX CONCURRENTLY ON t (a)", &p);
    SCOPED(fail) struct fail f = FAIL_NONE;

    pg_cluster_execute(cluster, "unnamed", "CREATE INDEX old ON t (a)");
    assert_int_equal(probe(&k, &p, NULL), PROBE_UNKNOWN);
    const char *before = probe_before(&k, &p);
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    assert_false(kit_alone(&k, &s, &f));
    fail_clear(&f);
    assert_string_equal(ask("unnamed", INVALID), "1");
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    assert_string_equal(ask("unnamed", INVALID), "0");
    pg_cluster_execute(cluster, "unnamed", "DELETE FROM t");
    KIT_OK(kit_alone(&k, &s, &f));
    KIT_OK(driver->check_after(k.connection, &p, &f));
    assert_int_equal(probe(&k, &p, before), PROBE_IS_DONE);
    kit_close(&k);
}

/* F8: CREATE INDEX CONCURRENTLY waits for old snapshots; our lock_timeout must not count that. */
static void f8_our_lock_timeout_does_not_end_a_concurrent_build(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_b"};
    const char *url = pg_cluster_database(cluster, "patient");
    pg_cluster_execute(cluster, "patient", "CREATE TABLE t (a int); CREATE TABLE other ()");
    struct kit k = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 50});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = alone("CREATE INDEX CONCURRENTLY t_b ON t (a)", &p);
    /* Ends its transaction when the build has waited for it ten times as long. */
    const char *const argv[] = {
        "psql",
        "-XAtqc",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "-c",
        "TABLE other",
        "-c",
        "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE "
        "INDEX%' "
        "AND datname = current_database() AND wait_event_type = 'Lock' AND clock_timestamp() - "
        "state_change > '500 ms') LOOP PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); END LOOP; "
        "END $$",
        "-c",
        "COMMIT",
        url,
        NULL};
    struct program *old = program_start(&(struct program_options){.argv = argv});

    assert_true(pg_cluster_wait_for(cluster, "patient",
                                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = "
                                    "'PgSleep' AND datname = current_database()",
                                    "1"));
    KIT_OK(kit_alone(&k, &s, &f));
    KIT_OK(driver->check_after(k.connection, &p, &f));
    struct program_result r = program_finish(old);
    program_result_release(&r);
    /* Afterwards the limit is there again. */
    KIT_OK(kit_unit(&k, "CREATE TABLE seen AS SELECT current_setting('lock_timeout')", &f));
    assert_string_equal(ask("patient", "TABLE seen"), "50ms");
    kit_close(&k);
}

static void a_lock_timeout_that_the_migration_sets_stays(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_b"};
    const char *url = pg_cluster_database(cluster, "impatient");
    pg_cluster_execute(cluster, "impatient", "CREATE TABLE t (a int)");
    struct kit k = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 5000});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement set = kit_session_statement("SET lock_timeout TO '30ms'");
    struct statement s = alone("CREATE INDEX CONCURRENTLY t_b ON t (a)", &p);
    struct kit holder = kit_open(driver, url, NULL);
    struct statement lock = kit_statement("LOCK TABLE t");

    KIT_OK(kit_begin(&holder, &lock, 1, &f));
    KIT_OK(kit_alone(&k, &set, &f));
    assert_false(kit_alone(&k, &s, &f));
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    kit_close(&holder);
    kit_close(&k);
}

static void a_killed_build_is_cleaned_by_the_next_run(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_a"};
    if (pg_cluster_version(cluster) < 140000)
        skip(); /* client_connection_check_interval came with 14 */
    const char *url = pg_cluster_database(cluster, "killed_build");
    pg_cluster_execute(cluster, "killed_build", "CREATE TABLE t (a int); CREATE TABLE other ()");
    struct kit old = kit_open(driver, url, NULL);
    struct statement lock = kit_statement("LOCK TABLE other IN ACCESS SHARE MODE");
    struct statement snapshot[] = {kit_statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
                                   lock};
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_begin(&old, snapshot, 2, &f));
    pid_t child = fork();
    if (child == 0) {
        struct kit k = kit_open_run(driver, url, NULL);
        struct statement s = alone("CREATE INDEX CONCURRENTLY t_a ON t (a)", &p);
        (void)!kit_alone(&k, &s, &f);
        _exit(0);
    }
    assert_true(pg_cluster_wait_for(cluster, "killed_build",
                                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                                    "'CREATE INDEX%' AND wait_event = 'virtualxid'",
                                    "1"));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    /* The next run gets the lock when the old backend has noticed. */
    struct kit k = kit_open_run(driver, url, NULL);
    assert_string_equal(ask("killed_build", INVALID), "1");
    KIT_OK(driver->rollback(old.connection, &f));
    assert_int_equal(probe(&k, &p, ""), PROBE_NOT_DONE);
    assert_string_equal(ask("killed_build", INVALID), "0");
    kit_close(&k);
    kit_close(&old);
}

static void dropped_indexes_databases_and_others_are_looked_up(void **state UNUSED)
{
    static const struct {
        const char *sql; /* makes it done */
        struct probe p;
        bool is_done_before;
    } cases[] = {
        {"DROP INDEX CONCURRENTLY i",
         {.kind = PROBE_INDEX_ABSENT, .schema = "", .name = "i"},
         false},
        {"DROP INDEX CONCURRENTLY s.\"I\"\"2\"",
         {.kind = PROBE_INDEX_ABSENT, .schema = "s", .name = "I\"2"},
         false},
        {"CREATE DATABASE \"New\"",
         {.kind = PROBE_DATABASE_EXISTS, .schema = "", .name = "New"},
         false},
        {"DROP DATABASE \"New\"",
         {.kind = PROBE_DATABASE_ABSENT, .schema = "", .name = "New"},
         false},
        {"DROP TABLESPACE IF EXISTS nowhere",
         {.kind = PROBE_TABLESPACE_ABSENT, .schema = "", .name = "nowhere"},
         true},
        {"SELECT 1", {.kind = PROBE_TABLESPACE_EXISTS, .schema = "", .name = "pg_default"}, true},
        {"ALTER TYPE mood ADD VALUE 'it''s'",
         {.kind = PROBE_ENUM_VALUE, .schema = "", .name = "mood", .detail = "it's"},
         false},
        {"ALTER TYPE s.mood ADD VALUE 'new'",
         {.kind = PROBE_ENUM_VALUE, .schema = "s", .name = "mood", .detail = "new"},
         false},
        {"CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
         {.kind = PROBE_SUBSCRIPTION_EXISTS, .schema = "", .name = "sub"},
         false},
        {"DROP SUBSCRIPTION sub",
         {.kind = PROBE_SUBSCRIPTION_ABSENT, .schema = "", .name = "sub"},
         false},
        {"ALTER TABLE parent DETACH PARTITION part CONCURRENTLY",
         {.kind = PROBE_PARTITION_DETACHED, .schema = "", .name = "part"},
         false},
    };
    const char *url = pg_cluster_database(cluster, "lookups");
    pg_cluster_execute(cluster, "lookups",
                       "CREATE SCHEMA s; CREATE TABLE t (a int); CREATE INDEX i ON t (a);"
                       "CREATE TABLE s.t (a int); CREATE INDEX \"I\"\"2\" ON s.t (a);"
                       "CREATE TYPE mood AS ENUM ('a'); CREATE TYPE s.mood AS ENUM ('a');"
                       "CREATE TABLE parent (a int) PARTITION BY LIST (a);"
                       "CREATE TABLE part PARTITION OF parent FOR VALUES IN (1)");
    struct kit k = kit_open_run(driver, url, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct statement s = alone(cases[i].sql, &cases[i].p);
        if (cases[i].p.kind == PROBE_SUBSCRIPTION_ABSENT)
            pg_cluster_execute(cluster, "lookups", "ALTER SUBSCRIPTION sub SET (slot_name = NONE)");
        assert_int_equal(probe(&k, &cases[i].p, NULL),
                         cases[i].is_done_before ? PROBE_IS_DONE : PROBE_NOT_DONE);
        KIT_OK(kit_alone(&k, &s, &f));
        if (probe(&k, &cases[i].p, NULL) != PROBE_IS_DONE)
            fail_msg("not done: %s", cases[i].sql);
    }
    kit_close(&k);
}

static void what_held_before_the_statement_is_no_proof_of_it(void **state UNUSED)
{
    static const struct {
        const char *before;
        struct probe p;
    } cases[] = {
        {"absent", {.kind = PROBE_INDEX_ABSENT, .schema = "", .name = "nothing"}},
        {"present", {.kind = PROBE_DATABASE_EXISTS, .schema = "", .name = "postgres"}},
        {"absent", {.kind = PROBE_DATABASE_ABSENT, .schema = "", .name = "nothing"}},
        {"present", {.kind = PROBE_TABLESPACE_EXISTS, .schema = "", .name = "pg_default"}},
        {"absent", {.kind = PROBE_TABLESPACE_ABSENT, .schema = "", .name = "nothing"}},
        {"present", {.kind = PROBE_ENUM_VALUE, .schema = "", .name = "mood", .detail = "a"}},
        {"absent", {.kind = PROBE_PARTITION_DETACHED, .schema = "", .name = "t"}},
        {"present", {.kind = PROBE_SUBSCRIPTION_EXISTS, .schema = "", .name = "here"}},
        {"absent", {.kind = PROBE_SUBSCRIPTION_ABSENT, .schema = "", .name = "nothing"}},
    };
    const char *url = pg_cluster_database(cluster, "unproven");
    pg_cluster_execute(cluster, "unproven",
                       "CREATE TABLE t (a int); CREATE TYPE mood AS ENUM ('a');"
                       "CREATE SUBSCRIPTION here CONNECTION 'dbname=x' PUBLICATION p "
                       "WITH (connect = false)");
    struct kit k = kit_open_run(driver, url, NULL);
    struct kit next = kit_open(driver, url, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *before = probe_before(&k, &cases[i].p);
        assert_string_equal(before, cases[i].before);
        assert_int_equal(probe(&next, &cases[i].p, before), PROBE_NOT_DONE);
        assert_int_equal(probe(&k, &cases[i].p, NULL), PROBE_NOT_DONE); /* remembered */
        assert_int_equal(probe(&next, &cases[i].p, NULL), PROBE_IS_DONE);
    }
    pg_cluster_execute(cluster, "unproven", "ALTER SUBSCRIPTION here SET (slot_name = NONE)");
    pg_cluster_execute(cluster, "unproven", "DROP SUBSCRIPTION here");
    kit_close(&next);
    kit_close(&k);
}

static void a_valid_index_of_that_name_that_was_there_is_not_ours(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_a"};
    const char *url = pg_cluster_database(cluster, "same_name");
    pg_cluster_execute(cluster, "same_name",
                       "CREATE TABLE t (a int, b int); CREATE INDEX t_a ON t (b)");
    struct kit k = kit_open_run(driver, url, NULL);

    const char *before = probe_before(&k, &p);
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    pg_cluster_execute(cluster, "same_name", "DROP INDEX t_a; CREATE INDEX t_a ON t (a)");
    assert_int_equal(probe(&k, &p, before), PROBE_IS_DONE);
    kit_close(&k);
}

static void cleaning_up_leaves_the_lock_timeout_that_the_migration_set(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_a"};
    struct kit k = open_with_duplicates("own_limit");
    struct statement set = kit_session_statement("SET lock_timeout TO '1234ms'");
    struct statement s = alone("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)", &p);
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_alone(&k, &set, &f));
    assert_false(kit_alone(&k, &s, &f));
    fail_clear(&f);
    assert_int_equal(probe(&k, &p, ""), PROBE_NOT_DONE);
    assert_string_equal(ask("own_limit", INVALID), "0");
    KIT_OK(kit_unit(&k, "CREATE TABLE seen AS SELECT current_setting('lock_timeout')", &f));
    assert_string_equal(ask("own_limit", "TABLE seen"), "1234ms");
    kit_close(&k);
}

static void a_half_detached_partition_is_finalised(void **state UNUSED)
{
    static const struct probe p = {.kind = PROBE_PARTITION_DETACHED, .schema = "", .name = "part"};
    const char *url = pg_cluster_database(cluster, "half");
    pg_cluster_execute(cluster, "half",
                       "CREATE TABLE parent (a int) PARTITION BY LIST (a);"
                       "CREATE TABLE part PARTITION OF parent FOR VALUES IN (1)");
    struct kit reader = kit_open(driver, url, NULL);
    struct statement lock = kit_statement("SELECT * FROM parent");
    struct statement detach =
        kit_statement("ALTER TABLE parent DETACH PARTITION part CONCURRENTLY");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit k = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 100});

    /* Not lifted without its probe: the wait for the reader ends it half-way. */
    KIT_OK(kit_begin(&reader, &lock, 1, &f));
    assert_false(kit_alone(&k, &detach, &f));
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    fail_clear(&f);
    assert_string_equal(ask("half", "SELECT inhdetachpending FROM pg_inherits"), "t");
    KIT_OK(driver->rollback(reader.connection, &f));
    /* Pending before: somebody else's. */
    const char *before = probe_before(&reader, &p);
    assert_string_equal(before, "pending");
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    assert_string_equal(ask("half", "SELECT inhdetachpending FROM pg_inherits"), "t");
    assert_int_equal(probe(&k, &p, "present"), PROBE_IS_DONE);
    assert_string_equal(ask("half", "SELECT count(*) FROM pg_inherits"), "0");
    kit_close(&reader);
    kit_close(&k);
}

static void what_leaves_no_trace_is_not_guessed(void **state UNUSED)
{
    static const struct probe none = {.kind = PROBE_NONE, .schema = "", .name = ""};
    static const struct probe rerun = {.kind = PROBE_RERUN, .schema = "", .name = ""};
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "guess"), NULL);

    assert_int_equal(probe(&k, &none, NULL), PROBE_UNKNOWN);
    assert_int_equal(probe(&k, &rerun, NULL), PROBE_NOT_DONE);
    assert_null(probe_before(&k, &rerun));
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f9_a_failed_build_is_cleaned_away_and_built_again),
        cmocka_unit_test(an_invalid_index_of_somebody_else_is_left_alone_but_not_taken_for_done),
        cmocka_unit_test(an_index_without_a_name_is_known_by_what_was_there_before),
        cmocka_unit_test(f8_our_lock_timeout_does_not_end_a_concurrent_build),
        cmocka_unit_test(a_lock_timeout_that_the_migration_sets_stays),
        cmocka_unit_test(a_killed_build_is_cleaned_by_the_next_run),
        cmocka_unit_test(dropped_indexes_databases_and_others_are_looked_up),
        cmocka_unit_test(what_held_before_the_statement_is_no_proof_of_it),
        cmocka_unit_test(a_valid_index_of_that_name_that_was_there_is_not_ours),
        cmocka_unit_test(cleaning_up_leaves_the_lock_timeout_that_the_migration_set),
        cmocka_unit_test(a_half_detached_partition_is_finalised),
        cmocka_unit_test(what_leaves_no_trace_is_not_guessed),
    };

    return cmocka_run_group_tests_name("postgres probe", tests, start, NULL);
}
