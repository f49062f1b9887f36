/* The run lock and the poolers that would break it: F4 to F7, F10, F11 of the field's failures. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "drivers/testkit/bouncer.h"
#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

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

/* ---- the run lock: F4, F5, F6, F7 ---- */

static bool try_lock(struct kit *k, struct lock_holder *holder)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    bool is_ours = false;

    KIT_OK(driver->try_lock(k->arena, k->connection, "12345678", &is_ours, holder, &f));
    return is_ours;
}

static void the_run_lock_excludes_and_names_its_holder(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "locked");
    struct kit a = kit_open_run(driver, url, NULL);
    struct kit b =
        kit_open(driver, url, &(struct connect_options){.application_name = "migrate run=other"});
    struct lock_holder holder = {0};
    SCOPED(fail) struct fail f = FAIL_NONE;

    assert_true(try_lock(&a, &holder));
    driver->announce(a.connection, "3/10 0042_x");
    KIT_OK(kit_append(&a, false, &f));
    assert_false(try_lock(&b, &holder));
    assert_non_null(strstr(holder.who, "migrate run=12345678 (role postgres"));
    assert_string_equal(holder.doing, "3/10 0042_x");
    assert_true(llabs(holder.since_us - clock_wall_us()) < 60000000);
    driver->unlock(a.connection);
    assert_true(try_lock(&b, &holder));
    kit_close(&b);
    /* It dies with its session. */
    for (int i = 0; i < FIXTURE_PATIENCE_MS / 2 && !try_lock(&a, &holder); i++)
        (void)usleep(2000);
    assert_true(try_lock(&a, &holder));
    kit_close(&a);
}

/* pg_advisory_unlock_all() in a migration. */
static void a_lock_that_a_migration_lets_go_is_taken_back_with_its_commit(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "let_go");
    struct kit a = kit_open_run(driver, url, NULL);
    struct kit b = kit_open(driver, url, NULL);
    struct lock_holder holder = {0};
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_session_statement("SELECT pg_advisory_unlock_all()"),
                            kit_statement("CREATE TABLE t ()")};

    s[0].session = SESSION_PERHAPS;
    KIT_OK(kit_begin(&a, s, 1, &f) && kit_commit(&a, &f));
    assert_false(try_lock(&b, &holder));
    KIT_OK(kit_begin(&a, s, 2, &f));
    assert_true(try_lock(&b, &holder));
    /* Now somebody else has it: nothing may be committed. */
    assert_false(kit_commit(&a, &f));
    assert_int_equal(f.code, EXIT_BUSY);
    assert_non_null(strstr(f.message, "run lock"));
    assert_non_null(f.hint);
    fail_clear(&f);
    KIT_OK(driver->rollback(a.connection, &f));
    assert_string_equal(ask("let_go", "SELECT to_regclass('t'), count(*) FROM migrator.history"),
                        "|1");
    assert_false(kit_append(&a, true, &f));
    assert_int_equal(f.code, EXIT_BUSY);
    fail_clear(&f);
    driver->unlock(b.connection);
    KIT_OK(kit_append(&a, true, &f));
    assert_false(try_lock(&b, &holder));
    kit_close(&a);
    kit_close(&b);
}

/* The same with a COMMIT that goes ahead. */
static void a_commit_that_goes_ahead_keeps_the_lock_too(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "ahead");
    struct kit a = kit_open_run(driver, url, NULL);
    struct kit b = kit_open(driver, url, NULL);
    struct lock_holder holder = {0};
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_session_statement("SELECT pg_advisory_unlock_all()"),
                            kit_statement("CREATE TABLE t ()")};
    struct statement next = kit_statement("CREATE TABLE u ()");
    struct kit_ahead ahead[2];

    s[0].session = SESSION_PERHAPS;
    KIT_OK(kit_begin(&a, s, 1, &f) && kit_commit_ahead(&a, &ahead[0], &f));
    KIT_OK(kit_begin(&a, s, 2, &f));
    assert_true(ahead[0].is_committed);
    assert_true(try_lock(&b, &holder));
    KIT_OK(kit_commit_ahead(&a, &ahead[1], &f));
    assert_false(kit_begin(&a, &next, 1, &f));
    assert_false(ahead[1].is_committed);
    assert_int_equal(f.code, EXIT_BUSY);
    assert_non_null(strstr(f.message, "run lock"));
    fail_clear(&f);
    KIT_OK(driver->rollback(a.connection, &f));
    assert_string_equal(
        ask("ahead", "SELECT to_regclass('t'), to_regclass('u'), count(*) FROM migrator.history"),
        "||1");
    kit_close(&a);
    kit_close(&b);
}

static void two_histories_in_one_database_do_not_meet(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "two_histories");
    struct kit a = kit_open_run(driver, url, &(struct connect_options){.history_name = STR("one")});
    struct kit b = kit_open_run(driver, url, &(struct connect_options){.history_name = STR("two")});

    kit_close(&a);
    kit_close(&b);
}

static struct statement concurrent_index(const char *sql, const struct probe *p)
{
    struct statement s = kit_statement(sql);

    s.role = ROLE_ALONE;
    s.probe = p;
    return s;
}

static void f4_f5_f7_the_holder_builds_concurrently_while_others_poll(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "polled");
    pg_cluster_execute(cluster, "polled", "CREATE TABLE t AS SELECT generate_series(1, 200000) a");
    static const struct probe probe = {.kind = PROBE_INDEX_VALID, .schema = "", .name = "t_a"};
    struct statement s = concurrent_index("CREATE INDEX CONCURRENTLY t_a ON t (a)", &probe);
    struct kit a = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 400});
    SCOPED(fail) struct fail f = FAIL_NONE;

    /* Others poll all the time, and one is idle after polling: none of them may pin a snapshot. */
    pid_t child = fork();
    if (child == 0) {
        struct kit b = kit_open(driver, url, NULL);
        struct lock_holder holder = {0};
        for (;;) {
            if (try_lock(&b, &holder))
                _exit(7);
        }
    }
    assert_true(pg_cluster_wait_for(cluster, "polled",
                                    "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE "
                                    "'%pg_locks AS l%' AND pid <> pg_backend_pid()",
                                    "t"));
    KIT_OK(kit_alone(&a, &s, &f));
    KIT_OK(driver->check_after(a.connection, &probe, &f));
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it never got the lock */
    (void)kill(child, SIGKILL);
    kit_close(&a);
}

static void f6_the_lock_pins_no_snapshot(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "snapshots");
    struct kit k = kit_open_run(driver, url, NULL);

    assert_string_equal(ask("snapshots", "SELECT count(*), count(backend_xmin), count(backend_xid) "
                                         "FROM pg_stat_activity WHERE application_name LIKE "
                                         "'migrate%' AND datname = 'snapshots' AND state = 'idle'"),
                        "1|0|0");
    kit_close(&k);
}

/* ---- poolers: F10, F11 ---- */

static void f10_f11_a_transaction_pooler_is_refused_by_name(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "pooled");
    for (int pool_size = 1; pool_size <= 5; pool_size += 4) {
        struct bouncer *b = bouncer_start(cluster, BOUNCER_TRANSACTION, pool_size);
        struct kit k =
            kit_open(driver, bouncer_url(b, "pooled"),
                     &(struct connect_options){.lock_timeout_ms = 123, .is_read_only = true});
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct history h;
        KIT_OK(driver->read_history(k.arena, k.connection, &h, &f));
        assert_false(driver->check_session(k.connection, &f));
        assert_int_equal(f.code, EXIT_USAGE);
        assert_non_null(strstr(f.hint, "MIGRATE_DIRECT_URL"));
        kit_close(&k);
        /* Nothing of ours has leaked into the shared session. */
        const char *const psql[] = {"psql", "-XAtc",
                                    "SELECT current_setting('lock_timeout'), "
                                    "current_setting('default_transaction_read_only')",
                                    bouncer_url(b, "pooled"), NULL};
        struct program_result r = run_argv(psql);
        assert_string_equal(r.out, "0|off\n");
        program_result_release(&r);
        bouncer_stop(b);
    }
}

static void a_transaction_pooler_is_recognised_while_others_use_it(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "busy_pool");
    struct bouncer *b = bouncer_start(cluster, BOUNCER_TRANSACTION, 4);
    struct program *busy[2];
    for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
        const char *const argv[] = {"psql", "-XAtc", "SELECT pg_sleep(60)",
                                    bouncer_url(b, "busy_pool"), NULL};
        busy[i] = program_start(&(struct program_options){.argv = argv});
    }
    assert_true(pg_cluster_wait_for(cluster, "busy_pool",
                                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                                    "'%pg_sleep(60)%' AND pid <> pg_backend_pid()",
                                    "2"));
    struct kit k = kit_open(driver, bouncer_url(b, "busy_pool"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_false(driver->check_session(k.connection, &f));
    assert_int_equal(f.code, EXIT_USAGE);
    kit_close(&k);
    for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
        program_signal(busy[i], SIGKILL);
        struct program_result r = program_finish(busy[i]);
        program_result_release(&r);
    }
    bouncer_stop(b);
}

static void a_session_pooler_is_accepted_and_set_up(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "sessions");
    pg_cluster_execute(cluster, "sessions", "CREATE TABLE seen (value text)");
    for (int pool_size = 1; pool_size <= 5; pool_size += 4) {
        struct bouncer *b = bouncer_start(cluster, BOUNCER_SESSION, pool_size);
        struct kit k = kit_open_run(driver, bouncer_url(b, "sessions"),
                                    &(struct connect_options){.lock_timeout_ms = 321});
        SCOPED(fail) struct fail f = FAIL_NONE;
        pg_cluster_execute(cluster, "sessions", "TRUNCATE seen");
        KIT_OK(kit_unit(&k, "INSERT INTO seen VALUES (current_setting('lock_timeout'))", &f));
        assert_string_equal(ask("sessions", "TABLE seen"), "321ms");
        kit_close(&k);
        bouncer_stop(b);
    }
}

static void a_statement_pooler_is_refused(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "statements");
    struct bouncer *b = bouncer_start(cluster, BOUNCER_STATEMENT, 3);
    struct kit k = kit_open(driver, bouncer_url(b, "statements"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;

    assert_false(driver->check_session(k.connection, &f));
    assert_int_equal(f.code, EXIT_USAGE);
    kit_close(&k);
    bouncer_stop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_run_lock_excludes_and_names_its_holder),
        cmocka_unit_test(a_lock_that_a_migration_lets_go_is_taken_back_with_its_commit),
        cmocka_unit_test(a_commit_that_goes_ahead_keeps_the_lock_too),
        cmocka_unit_test(two_histories_in_one_database_do_not_meet),
        cmocka_unit_test(f4_f5_f7_the_holder_builds_concurrently_while_others_poll),
        cmocka_unit_test(f6_the_lock_pins_no_snapshot),
        cmocka_unit_test(f10_f11_a_transaction_pooler_is_refused_by_name),
        cmocka_unit_test(a_transaction_pooler_is_recognised_while_others_use_it),
        cmocka_unit_test(a_session_pooler_is_accepted_and_set_up),
        cmocka_unit_test(a_statement_pooler_is_refused),
    };

    return cmocka_run_group_tests_name("postgres lock", tests, start, NULL);
}
