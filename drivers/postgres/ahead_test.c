/* A COMMIT whose answer comes with the next migration's: whose failure is it, what stays. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

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

static void many_small_migrations_are_one_round_trip_each(void **state UNUSED)
{
    struct kit first = open_fresh("trips");
    kit_close(&first);
    struct proxy *p = proxy_start(cluster);
    struct kit k = kit_open_run(driver, proxy_url(p, "trips", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead[20];
    unsigned before = proxy_round_trips(p);

    for (int i = 0; i < 20; i++) {
        struct statement s = kit_statement(fixture_text("CREATE TABLE t%d ()", i));
        driver->announce(k.connection, fixture_text("%d/20", i));
        KIT_OK(kit_begin(&k, &s, 1, &f));
        assert_true(i == 0 || ahead[i - 1].is_committed);
        KIT_OK(kit_commit_ahead(&k, &ahead[i], &f));
    }
    KIT_OK(driver->await_commit(k.connection, &f));
    assert_true(ahead[19].is_committed);
    /* The proxy may see the answer to COMMIT between two pieces of one request: twice as many, never more. */
    assert_in_range(proxy_round_trips(p) - before, 20, 42);
    assert_string_equal(ask("trips", COUNT_ALL), "20|20|20");
    KIT_OK(kit_unit(&k, "CREATE TABLE z ()", &f));
    kit_close(&k);
    proxy_stop(p);
}

static void a_commit_that_fails_takes_nothing_of_the_next_one_along(void **state UNUSED)
{
    struct kit k = open_fresh("deferred");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead;
    struct statement s[] = {
        kit_statement("CREATE TABLE a (id int PRIMARY KEY)"),
        kit_statement("CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)"),
        kit_statement("INSERT INTO b VALUES (1)"),
    };
    struct statement next = kit_statement("CREATE TABLE c ()");

    KIT_OK(kit_unit(&k, "CREATE SEQUENCE seen", &f));
    int64_t id = k.next_id;
    int64_t rank = k.next_rank;
    struct str head = k.head;
    struct statement outside = kit_statement("SELECT nextval('seen')"); /* survives a rollback */
    struct statement two[] = {next, outside};
    KIT_OK(kit_begin(&k, s, 3, &f));
    KIT_OK(kit_commit_ahead(&k, &ahead, &f));
    assert_false(kit_begin(&k, two, 2, &f));
    assert_int_equal(k.done, 0);
    assert_false(ahead.is_committed);
    assert_string_equal(f.sqlstate, "23503");
    assert_non_null(strstr(f.context, "while committing"));
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("deferred", COUNT_ALL), "1|1|0");
    assert_string_equal(ask("deferred", "SELECT is_called FROM seen"), "f");
    k.next_id = id;
    k.next_rank = rank;
    k.head = head;
    KIT_OK(kit_unit(&k, "CREATE TABLE c ()", &f));
    kit_close(&k);
}

static void a_failure_of_the_next_one_leaves_the_commit(void **state UNUSED)
{
    struct kit k = open_fresh("next");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead;
    struct statement first = kit_statement("CREATE TABLE a ()");
    struct statement next[] = {kit_statement("CREATE TABLE b ()"),
                               kit_statement("SELECT * FROM nowhere")};

    KIT_OK(kit_begin(&k, &first, 1, &f));
    KIT_OK(kit_commit_ahead(&k, &ahead, &f));
    assert_false(kit_begin(&k, next, 2, &f));
    assert_true(ahead.is_committed);
    assert_int_equal(k.done, 1);
    assert_int_equal(k.offset, 14);
    assert_string_equal(f.sqlstate, "42P01");
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("next", COUNT_ALL), "1|1|1");
    KIT_OK(kit_unit(&k, "CREATE TABLE c ()", &f));
    kit_close(&k);
}

static void what_cannot_share_the_pipeline_waits_for_the_answer(void **state UNUSED)
{
    struct kit k = open_fresh("alone");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead;
    struct statement first = kit_statement("CREATE TABLE a (i int)");
    struct statement copy = kit_statement("COPY a TO stdout");

    copy.kind = "COPY";
    KIT_OK(kit_begin(&k, &first, 1, &f));
    KIT_OK(kit_commit_ahead(&k, &ahead, &f));
    KIT_OK(kit_begin(&k, &copy, 1, &f));
    assert_true(ahead.is_committed);
    KIT_OK(kit_commit(&k, &f));
    assert_string_equal(ask("alone", COUNT_ALL), "2|2|1");
    kit_close(&k);
}

/* The connection breaks at the nth byte of a commit and the statements behind it: what the driver says of
   either is true. */
static void cut_anywhere_both_are_told_truly(void **state UNUSED)
{
    struct kit setup = open_fresh("cut");
    kit_close(&setup);
    struct proxy *p = proxy_start(cluster);
    bool was_committed[2] = {false, false};
    int rows = 0;
    bool was_cut = true;

    for (unsigned bytes = 1; was_cut; bytes += 60) {
        struct kit k = kit_open_run(driver, proxy_url(p, "cut", NULL), NULL);
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct kit_ahead ahead = {0};
        struct statement first = kit_statement(fixture_text("CREATE TABLE a%u ()", bytes));
        struct statement next = kit_statement(fixture_text("CREATE TABLE b%u ()", bytes));
        unsigned cuts = proxy_cuts(p);

        KIT_OK(kit_begin(&k, &first, 1, &f));
        proxy_cut_after_bytes(p, bytes);
        bool is_done = kit_commit_ahead(&k, &ahead, &f) && kit_begin(&k, &next, 1, &f);
        was_cut = proxy_cuts(p) != cuts;
        proxy_cut_at_text(p, PROXY_PASS, "");
        assert_true(is_done || f.kind == FAIL_CONNECTION);
        assert_true(!is_done || ahead.is_committed);
        was_committed[ahead.is_committed] |= was_cut;
        fail_clear(&f);
        KIT_OK(driver->rollback(k.connection, &f));
        rows += ahead.is_committed;
        assert_string_equal(ask("cut", COUNT_ALL), fixture_text("%d|%d|%d", rows, rows, rows));
        kit_close(&k);
    }
    assert_true(was_committed[false] && was_committed[true]);
    proxy_stop(p);
}

static const struct lost_case {
    const char *name;
    enum proxy_cut cut;
    bool has_happened;
} lost_cases[] = {
    {"before the server got it", PROXY_CUT_BEFORE, false},
    {"after it was answered", PROXY_CUT_AFTER_ANSWER, true},
};

static void an_awaited_commit_that_is_lost_is_settled(void **state UNUSED)
{
    struct kit setup = open_fresh("lost");
    kit_close(&setup);
    for (size_t i = 0; i < ARRAY_LEN(lost_cases); i++) {
        struct proxy *p = proxy_start(cluster);
        struct kit k = kit_open_run(driver, proxy_url(p, "lost", NULL), NULL);
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct kit_ahead ahead;
        struct statement s = kit_statement(fixture_text("CREATE TABLE t%zu ()", i));

        KIT_OK(kit_begin(&k, &s, 1, &f));
        proxy_cut_at_text(p, lost_cases[i].cut, "COMMIT");
        bool is_done = kit_commit_ahead(&k, &ahead, &f) && driver->await_commit(k.connection, &f);
        assert_int_equal(proxy_cuts(p), 1);
        if (is_done != lost_cases[i].has_happened)
            fail_msg("lost %s: %s", lost_cases[i].name, is_done ? "taken for done" : f.message);
        assert_int_equal(ahead.is_committed, is_done);
        fail_clear(&f);
        KIT_OK(driver->rollback(k.connection, &f));
        kit_close(&k);
        proxy_stop(p);
    }
    assert_string_equal(ask("lost", COUNT_ALL), "1|1|1");
}

/* begin() itself finds the connection broken, or commit_ahead() does: neither guesses. */
static void a_server_that_ends_us_in_between_is_asked(void **state UNUSED)
{
    struct kit k = open_fresh("ended");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit_ahead ahead;
    struct statement s = kit_statement("CREATE TABLE a ()");
    struct statement next = kit_statement("CREATE TABLE b ()");
    static const char end_us[] = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                                 "WHERE datname = 'ended' AND pid <> pg_backend_pid()";

    KIT_OK(kit_begin(&k, &s, 1, &f));
    KIT_OK(kit_commit_ahead(&k, &ahead, &f));
    (void)ask("ended", "SELECT count(*) FROM pg_stat_activity"); /* the commit may be done or not */
    (void)ask("ended", end_us);
    assert_false(kit_begin(&k, &next, 1, &f));
    assert_int_equal(f.kind, FAIL_CONNECTION);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("ended", COUNT_ALL), ahead.is_committed ? "1|1|1" : "0|0|0");
    kit_close(&k);

    k = open_fresh("ended_before");
    KIT_OK(kit_begin(&k, &s, 1, &f));
    pg_cluster_execute(cluster, "ended_before",
                       "DO $$ BEGIN PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                       "WHERE datname = 'ended_before' AND pid <> pg_backend_pid(); END $$");
    assert_false(kit_commit_ahead(&k, &ahead, &f) && driver->await_commit(k.connection, &f));
    assert_false(ahead.is_committed);
    assert_int_equal(f.kind, FAIL_CONNECTION);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    assert_string_equal(ask("ended_before", COUNT_ALL), "0|0|0");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_small_migrations_are_one_round_trip_each),
        cmocka_unit_test(a_commit_that_fails_takes_nothing_of_the_next_one_along),
        cmocka_unit_test(a_failure_of_the_next_one_leaves_the_commit),
        cmocka_unit_test(what_cannot_share_the_pipeline_waits_for_the_answer),
        cmocka_unit_test(cut_anywhere_both_are_told_truly),
        cmocka_unit_test(an_awaited_commit_that_is_lost_is_settled),
        cmocka_unit_test(a_server_that_ends_us_in_between_is_asked),
    };
    return cmocka_run_group_tests_name("drivers/postgres/ahead", tests, start, NULL);
}
