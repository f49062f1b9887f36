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

/* A look takes half of the lock timeout and then a connection, for which a busy machine may need longer
   than the other half: who saw nobody is given ten times as long. */
#define LEAST_MS 200
#define MOST_MS 20000
static const uint32_t timeouts_ms[] = {LEAST_MS, 2000, MOST_MS};
/* Nobody looks before half of it has passed. */
#define NEVER_MS 600000

static bool begin_within(struct kit *k, const struct statement *at, size_t count,
                         uint32_t timeout_ms, struct fail *f)
{
    struct unit_options options = {.lock_timeout_ms = timeout_ms,
                                   .expected_head_id = k->next_id - 1};
    struct statement_result results[4];

    assert_in_range(count, 1, ARRAY_LEN(results));
    return driver->begin(k->connection, &options, f) &&
           driver->execute(k->connection, at, count, NULL, results, &k->done, &k->offset, f);
}

/* Runs it into the lock timeout and says what was seen. */
static struct awaited_lock wait_in_vain(struct kit *k, const char *sql, uint32_t timeout_ms)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("SELECT 1"), kit_statement(sql),
                            kit_statement("SELECT 2")};
    struct awaited_lock seen;

    assert_false(begin_within(k, s, ARRAY_LEN(s), timeout_ms, &f));
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    driver->last_wait(k->arena, k->connection, &seen);
    fail_clear(&f);
    KIT_OK(driver->rollback(k->connection, &f));
    return seen;
}

/* The same, long enough to see somebody. */
static struct awaited_lock wait_and_see(struct kit *k, const char *sql)
{
    struct awaited_lock seen = {0};

    for (size_t i = 0; i < ARRAY_LEN(timeouts_ms) && !seen.count; i++)
        seen = wait_in_vain(k, sql, timeouts_ms[i]);
    assert_int_equal(seen.count, 1);
    return seen;
}

static void a_table_that_is_read_names_its_reader(void **state UNUSED)
{
    struct pair p = make_pair("reader", "SELECT count(*) FROM busy");
    struct awaited_lock seen = wait_and_see(&p.ours, "ALTER TABLE busy ADD n int");

    assert_string_equal(seen.wanted, "AccessExclusiveLock on table public.busy");
    assert_non_null(strstr(seen.at[0].who, "role web, application shop"));
    assert_string_equal(seen.at[0].state, "idle in transaction");
    assert_string_equal(seen.at[0].holds, "AccessShareLock");
    assert_in_range(seen.at[0].open_us, 1, (uint64_t)10 * MOST_MS * 1000);
    assert_false(seen.at[0].is_waiting);
    close_pair(&p);
}

static void a_row_that_is_changed_names_the_transaction(void **state UNUSED)
{
    struct pair p = make_pair("row", "UPDATE busy SET id = 2 WHERE id = 1");
    struct awaited_lock seen = wait_and_see(&p.ours, "DELETE FROM busy WHERE id = 1");

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
    struct awaited_lock seen = {0};

    for (size_t i = 0; i < ARRAY_LEN(timeouts_ms) && !seen.count; i++) {
        driver->limit(p.ours.connection, timeouts_ms[i], 0);
        assert_false(kit_alone(&p.ours, &s, &f));
        assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
        driver->last_wait(p.ours.arena, p.ours.connection, &seen);
        fail_clear(&f);
    }
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.at[0].holds, "AccessExclusiveLock");
    close_pair(&p);
}

/* A foreign key that COMMIT looks at meets a row that another one changes. */
enum taker { BY_COMMIT, BY_THE_NEXT_ONE, BY_WAITING };

/* Returns how many were seen in the way. */
static size_t commit_in_vain(enum taker taker, uint32_t timeout_ms)
{
    struct statement insert = kit_statement("INSERT INTO child VALUES (1)");
    struct statement next = kit_statement("CREATE TABLE never ()");
    const char *database = fixture_text("commit%d_%u", (int)taker, (unsigned)timeout_ms);
    struct pair p = make_pair(database, "UPDATE busy SET id = 2 WHERE id = 1");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead = {0};
    struct awaited_lock seen;

    KIT_OK(begin_within(&p.ours, &insert, 1, timeout_ms, &f));
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
    if (seen.count)
        assert_non_null(strstr(seen.at[0].who, "role web"));
    fail_clear(&f);
    KIT_OK(driver->rollback(p.ours.connection, &f));
    close_pair(&p);
    return seen.count;
}

static void a_commit_that_waits_names_who_is_in_its_way(void **state UNUSED)
{
    for (enum taker taker = BY_COMMIT; taker <= BY_WAITING; taker++) {
        size_t count = 0;
        for (size_t i = 0; i < ARRAY_LEN(timeouts_ms) && !count; i++)
            count = commit_in_vain(taker, timeouts_ms[i]);
        assert_int_equal(count, 1);
    }
}

static size_t wait_behind_a_commit(uint32_t timeout_ms)
{
    struct pair p =
        make_pair(fixture_text("behind_%u", (unsigned)timeout_ms), "SELECT count(*) FROM busy");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead;
    struct statement first = kit_statement("CREATE TABLE first ()");
    struct statement next = kit_statement("ALTER TABLE busy ADD n int");
    struct awaited_lock seen;

    KIT_OK(begin_within(&p.ours, &first, 1, NEVER_MS, &f));
    KIT_OK(kit_commit_ahead(&p.ours, &ahead, &f));
    assert_false(begin_within(&p.ours, &next, 1, timeout_ms, &f));
    assert_true(ahead.is_committed);
    assert_int_equal(f.kind, FAIL_LOCK_TIMEOUT);
    driver->last_wait(p.ours.arena, p.ours.connection, &seen);
    if (seen.count)
        assert_string_equal(seen.wanted, "AccessExclusiveLock on table public.busy");
    close_pair(&p);
    return seen.count;
}

/* Looks come as often as the timeout asks that is in force: of the COMMIT, then of what follows it. */
static void behind_a_commit_its_own_timeout_counts(void **state UNUSED)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(timeouts_ms) && !count; i++)
        count = wait_behind_a_commit(timeouts_ms[i]);
    assert_int_equal(count, 1);
}

static void who_did_not_wait_has_seen_nobody(void **state UNUSED)
{
    struct pair p = make_pair("nowait", "LOCK TABLE busy");
    struct awaited_lock seen = wait_in_vain(&p.ours, "LOCK TABLE busy NOWAIT", LEAST_MS);

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
        kit_statement("SET LOCAL lock_timeout TO 0"),
        kit_statement("LOCK TABLE busy"),
        kit_statement("DO $$ BEGIN RAISE 'no' USING ERRCODE = 'lock_not_available'; END $$"),
    };
    struct program *killer = program_start(&(struct program_options){
        .argv = (const char *const[]){
            "sh", "-c", "exec \"$1\" -qAtX -d \"$2\" -c \"$3\"", "sh",
            fixture_path(pg_cluster_bin(), "psql"), pg_cluster_url(cluster, "earlier", NULL),
            /* behind a look that has seen somebody */
            "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'earlier' "
            "AND pid <> pg_backend_pid() AND state = 'idle' AND query LIKE '%a.usename%') "
            "LOOP PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); END LOOP; "
            "PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web' AND "
            "datname = 'earlier'; END $$",
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
    struct kit ours = kit_open(driver, pg_cluster_url(cluster, "alone2", "small"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("LOCK TABLE busy");

    KIT_OK(kit_begin(&theirs, &s, 1, &f));
    for (int i = 0; i < 2; i++) { /* the second time it is not even tried */
        const char *refused = NULL;
        for (size_t t = 0; t < ARRAY_LEN(timeouts_ms) && !refused; t++) {
            struct awaited_lock seen = wait_in_vain(&ours, "LOCK TABLE busy", timeouts_ms[t]);
            assert_int_equal(seen.count, 0);
            refused = strstr(seen.why_unseen, "too many connections");
        }
        assert_non_null(refused);
    }
    kit_close(&ours);
    kit_close(&theirs);
}

static void what_does_not_wait_makes_no_second_connection(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "quiet"),
                                &(struct connect_options){.lock_timeout_ms = NEVER_MS});
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'quiet'";

    for (int i = 0; i < 50; i++)
        KIT_OK(kit_unit(&k, "SELECT pg_sleep(0.01)", &f));
    assert_string_equal(pg_cluster_query(cluster, "postgres", count), "1");
    /* One that takes long without waiting is looked after, and left again. */
    struct statement s = kit_statement(
        "DO $$ BEGIN WHILE (SELECT count(*) FROM pg_stat_activity WHERE datname = 'quiet') < 2 "
        "LOOP PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); END LOOP; END $$");
    KIT_OK(begin_within(&k, &s, 1, LEAST_MS, &f));
    assert_string_equal(pg_cluster_query(cluster, "postgres", count), "2");
    KIT_OK(kit_commit(&k, &f));
    assert_true(pg_cluster_wait_for(cluster, "postgres", count, "1"));
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
