/* Who blocks a statement is named, and only those that are blocked pay for it. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

static struct pg_cluster *cluster;
static const struct driver *driver;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    driver = postgres_driver();
    pg_cluster_execute(cluster, "postgres", "CREATE ROLE web LOGIN");
    pg_cluster_execute(cluster, "postgres", "CREATE ROLE small LOGIN CONNECTION LIMIT 1");
    return 0;
}

/* The connection under test, and one of somebody else with an open transaction. */
struct pair {
    struct kit ours, theirs;
};

static struct pair make_pair(const char *database, const char *their_sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *url = pg_cluster_database(cluster, database);
    pg_cluster_execute(cluster, database,
                       "CREATE TABLE busy (id int PRIMARY KEY); INSERT INTO busy VALUES (1); "
                       "CREATE TABLE child (id int REFERENCES busy DEFERRABLE INITIALLY DEFERRED); "
                       "GRANT ALL ON busy TO web");
    struct pair p = {
        .ours = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 200}),
        .theirs = kit_open(driver, pg_cluster_url(cluster, database, "web"),
                           &(struct connect_options){.application_name = "shop"}),
    };
    struct statement s = kit_statement(their_sql);
    KIT_OK(kit_begin(&p.theirs, &s, 1, &f));
    return p;
}

static void close_pair(struct pair *p)
{
    kit_close(&p->ours);
    kit_close(&p->theirs);
}

/* Runs it into the lock timeout and says what was seen. */
static struct awaited_lock wait_in_vain(struct kit *k, const char *sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("SELECT 1"), kit_statement(sql),
                            kit_statement("SELECT 2")};
    struct awaited_lock seen;

    assert_false(kit_begin(k, s, ARRAY_LEN(s), &f));
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    driver->last_wait(k->arena, k->connection, &seen);
    fail_clear(&f);
    KIT_OK(driver->rollback(k->connection, &f));
    return seen;
}

static void a_table_that_is_read_names_its_reader(void **state UNUSED)
{
    struct pair p = make_pair("reader", "SELECT count(*) FROM busy");
    struct awaited_lock seen = wait_in_vain(&p.ours, "ALTER TABLE busy ADD n int");

    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.wanted, "AccessExclusiveLock on table public.busy");
    assert_non_null(strstr(seen.at[0].who, "role web, application shop"));
    assert_string_equal(seen.at[0].state, "idle in transaction");
    assert_string_equal(seen.at[0].holds, "AccessShareLock");
    assert_true(seen.at[0].open_us > 0 && seen.at[0].open_us < 60000000);
    assert_false(seen.at[0].is_waiting);
    close_pair(&p);
}

static void a_row_that_is_changed_names_the_transaction(void **state UNUSED)
{
    struct pair p = make_pair("row", "UPDATE busy SET id = 2 WHERE id = 1");
    struct awaited_lock seen = wait_in_vain(&p.ours, "DELETE FROM busy WHERE id = 1");

    assert_int_equal(seen.count, 1);
    assert_string_equal(
        seen.wanted, "a row of table public.busy that another transaction has changed or locked");
    assert_non_null(strstr(seen.at[0].who, "role web"));
    close_pair(&p);
}

static void outside_a_transaction_too(void **state UNUSED)
{
    struct pair p = make_pair("alone", "LOCK TABLE busy");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("VACUUM busy");
    struct awaited_lock seen;

    assert_false(kit_alone(&p.ours, &s, &f));
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    driver->last_wait(p.ours.arena, p.ours.connection, &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.at[0].holds, "AccessExclusiveLock");
    close_pair(&p);
}

/* A foreign key that COMMIT looks at meets a row that another one changes. */
enum taker { BY_COMMIT, BY_THE_NEXT_ONE, BY_WAITING };

static void a_commit_that_waits_names_who_is_in_its_way(void **state UNUSED)
{
    struct statement insert = kit_statement("INSERT INTO child VALUES (1)");
    struct statement next = kit_statement("CREATE TABLE never ()");

    for (enum taker taker = BY_COMMIT; taker <= BY_WAITING; taker++) {
        const char *database = fixture_text("commit%d", (int)taker);
        struct pair p = make_pair(database, "UPDATE busy SET id = 2 WHERE id = 1");
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct kit_ahead ahead = {0};
        struct awaited_lock seen;

        KIT_OK(kit_begin(&p.ours, &insert, 1, &f));
        if (taker == BY_COMMIT) {
            assert_false(kit_commit(&p.ours, &f));
        } else {
            KIT_OK(kit_commit_ahead(&p.ours, &ahead, &f));
            assert_false(taker == BY_WAITING ? driver->await_commit(p.ours.connection, &f)
                                             : kit_begin(&p.ours, &next, 1, &f));
        }
        assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
        assert_non_null(strstr(f.context, "while committing"));
        assert_false(ahead.is_committed);
        driver->last_wait(p.ours.arena, p.ours.connection, &seen);
        assert_int_equal(seen.count, 1);
        assert_non_null(strstr(seen.at[0].who, "role web"));
        fail_clear(&f);
        KIT_OK(driver->rollback(p.ours.connection, &f));
        close_pair(&p);
    }
}

/* Looks come as often as the timeout asks that is in force: of the COMMIT, then of what follows it. */
static void behind_a_commit_its_own_timeout_counts(void **state UNUSED)
{
    struct pair p = make_pair("behind", "SELECT count(*) FROM busy");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead;
    struct unit_options options = {.lock_timeout_ms = 20000};
    struct statement first = kit_statement("CREATE TABLE first ()");
    struct statement next = kit_statement("ALTER TABLE busy ADD n int");
    struct statement_result result;
    struct awaited_lock seen;
    size_t done;
    size_t offset;

    KIT_OK(driver->begin(p.ours.connection, &options, &f));
    KIT_OK(driver->execute(p.ours.connection, &first, 1, NULL, &result, &done, &offset, &f));
    KIT_OK(kit_commit_ahead(&p.ours, &ahead, &f));
    assert_false(kit_begin(&p.ours, &next, 1, &f)); /* 200 ms */
    assert_true(ahead.is_committed);
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    driver->last_wait(p.ours.arena, p.ours.connection, &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.wanted, "AccessExclusiveLock on table public.busy");
    close_pair(&p);
}

static void who_did_not_wait_has_seen_nobody(void **state UNUSED)
{
    struct pair p = make_pair("nowait", "LOCK TABLE busy");
    struct awaited_lock seen = wait_in_vain(&p.ours, "LOCK TABLE busy NOWAIT");

    assert_int_equal(seen.count, 0);
    assert_non_null(strstr(seen.why_unseen, "did not wait"));
    close_pair(&p);
}

/* A wait that ended well is not taken for the one that failed. */
static void an_earlier_wait_is_not_blamed(void **state UNUSED)
{
    struct pair p = make_pair("earlier", "LOCK TABLE busy");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {
        kit_statement("SET LOCAL lock_timeout TO '20s'"),
        kit_statement("LOCK TABLE busy"),
        kit_statement("DO $$ BEGIN RAISE 'no' USING ERRCODE = 'lock_not_available'; END $$"),
    };
    struct program *killer = program_start(&(struct program_options){
        .argv = (const char *const[]){
            "sh", "-c",
            fixture_text(
                "sleep 0.4; %s/psql -qAtX -d '%s' -c \"SELECT pg_terminate_backend(pid) FROM "
                "pg_stat_activity WHERE usename = 'web' AND datname = 'earlier'\"",
                pg_cluster_bin(), pg_cluster_url(cluster, "earlier", NULL)),
            NULL}});
    struct awaited_lock seen;

    assert_false(kit_begin(&p.ours, s, ARRAY_LEN(s), &f));
    assert_string_equal(f.message, "no");
    driver->last_wait(p.ours.arena, p.ours.connection, &seen);
    assert_int_equal(seen.count, 0);
    struct program_result r = program_finish(killer);
    program_result_release(&r);
    close_pair(&p);
}

static void without_a_second_connection_that_is_said(void **state UNUSED)
{
    pg_cluster_database(cluster, "alone2");
    pg_cluster_execute(cluster, "alone2", "CREATE TABLE busy (); GRANT ALL ON busy TO small");
    struct kit theirs = kit_open(driver, pg_cluster_url(cluster, "alone2", NULL), NULL);
    struct kit ours = kit_open(driver, pg_cluster_url(cluster, "alone2", "small"),
                               &(struct connect_options){.lock_timeout_ms = 200});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("LOCK TABLE busy");

    KIT_OK(kit_begin(&theirs, &s, 1, &f));
    for (int i = 0; i < 2; i++) { /* the second time it is not even tried */
        struct awaited_lock seen = wait_in_vain(&ours, "LOCK TABLE busy");
        assert_int_equal(seen.count, 0);
        assert_non_null(strstr(seen.why_unseen, "too many connections"));
    }
    kit_close(&ours);
    kit_close(&theirs);
}

static void what_does_not_wait_makes_no_second_connection(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "quiet"),
                                &(struct connect_options){.lock_timeout_ms = 400});
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'quiet'";

    for (int i = 0; i < 50; i++)
        KIT_OK(kit_unit(&k, "SELECT pg_sleep(0.01)", &f));
    assert_string_equal(pg_cluster_query(cluster, "postgres", count), "1");
    /* One that takes long without waiting is looked after, and left again. */
    struct statement s = kit_statement("SELECT pg_sleep(0.5)");
    KIT_OK(kit_begin(&k, &s, 1, &f));
    assert_string_equal(pg_cluster_query(cluster, "postgres", count), "2");
    KIT_OK(kit_commit(&k, &f));
    assert_true(pg_cluster_wait_for(cluster, "postgres", count, "1", 5000));
    kit_close(&k);
}

static void a_database_is_copied_without_our_looking(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "original"),
                                &(struct connect_options){.lock_timeout_ms = 20});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("CREATE DATABASE copied TEMPLATE original");

    s.kind = "CREATE DATABASE";
    KIT_OK(kit_alone(&k, &s, &f));
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_that_is_read_names_its_reader),
        cmocka_unit_test(a_row_that_is_changed_names_the_transaction),
        cmocka_unit_test(outside_a_transaction_too),
        cmocka_unit_test(a_commit_that_waits_names_who_is_in_its_way),
        cmocka_unit_test(behind_a_commit_its_own_timeout_counts),
        cmocka_unit_test(who_did_not_wait_has_seen_nobody),
        cmocka_unit_test(an_earlier_wait_is_not_blamed),
        cmocka_unit_test(without_a_second_connection_that_is_said),
        cmocka_unit_test(what_does_not_wait_makes_no_second_connection),
        cmocka_unit_test(a_database_is_copied_without_our_looking),
    };

    return cmocka_run_group_tests_name("postgres blockers", tests, start, NULL);
}
