/* Connecting, settings and the reset of sessions, on a real server. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

/* ---- opening and reading ---- */

static void nothing_to_do_is_one_round_trip(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "roundtrip");
    struct kit k = kit_open_run(driver, url, NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    kit_close(&k);

    struct proxy *p = proxy_start(cluster);
    struct history h;
    struct server_identity who;
    k = kit_open(driver, proxy_url(p, "roundtrip", NULL), NULL);
    KIT_OK(driver->read_history(k.arena, k.connection, &h, &f));
    KIT_OK(driver->identity(k.arena, k.connection, &who, &f));
    KIT_OK(driver->check_session(k.connection, &f));
    assert_int_equal(proxy_round_trips(p), 1);
    assert_true(h.exists);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.head_id, 1);
    kit_close(&k);
    proxy_stop(p);
}

static void identity_tells_who_and_where_without_a_password(void **state UNUSED)
{
    struct pg_cluster *guarded =
        pg_cluster_start(&(struct pg_cluster_options){.is_tcp = true, .password = "mouse-trap"});
    struct kit k = kit_open(driver, pg_cluster_tcp_url(guarded, "postgres", NULL), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct server_identity who;

    KIT_OK(driver->identity(k.arena, k.connection, &who, &f));
    assert_string_equal(who.safe_url, fixture_text("postgres://postgres@127.0.0.1:%d/postgres",
                                                   pg_cluster_tcp_port(guarded)));
    assert_string_equal(who.database, "postgres");
    assert_string_equal(who.role, "postgres");
    assert_int_equal(who.version_number, pg_cluster_version(guarded));
    assert_true(llabs(who.clock_offset_us) < (int64_t)FIXTURE_PATIENCE_MS * 1000);
    kit_close(&k);
    pg_cluster_stop(guarded);
}

static void a_wrong_password_is_refused_and_never_shown(void **state UNUSED)
{
    struct pg_cluster *guarded =
        pg_cluster_start(&(struct pg_cluster_options){.is_tcp = true, .password = "mouse-trap"});
    const char *const urls[] = {
        fixture_text("postgres://postgres:s3cr3t-x@127.0.0.1:%d/postgres",
                     pg_cluster_tcp_port(guarded)),
        fixture_text("postgres://postgres:s3c@r3t-x@127.0.0.1:%d/postgres",
                     pg_cluster_tcp_port(guarded)),
        fixture_text("host=127.0.0.1 port=%d user=postgres password=s3c r3t-x",
                     pg_cluster_tcp_port(guarded)),
        "postgres://postgres:s3c/r3t-x@nowhere.invalid/postgres",
        "postgres://postgres:s3cr3t-x@nowhere.invalid/postgres",
    };

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct connect_options options = {.url = str_of(urls[i]), .connect_timeout_ms = 2000};
        assert_null(driver->open(a, &options, &f));
        const char *const texts[] = {f.message, f.detail, f.hint, f.context};
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            if (texts[t] && (strstr(texts[t], "s3c") || strstr(texts[t], "r3t-x")))
                fail_msg("%s shows a password: %s", urls[i], texts[t]);
        }
        assert_non_null(f.hint);
        assert_true(f.code == EXIT_USAGE || f.code == EXIT_BUSY);
    }
    pg_cluster_stop(guarded);
}

static void what_cannot_be_reached_is_said_with_a_hint(void **state UNUSED)
{
    static const struct {
        const char *url;
        enum exit_code code;
        const char *word;
    } cases[] = {
        {"postgres://postgres@/nodb?host=", EXIT_USAGE, "does not exist"},
        {"postgres://nobody@/postgres?host=", EXIT_USAGE, "does not exist"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        const char *url = fixture_text("%s%s", cases[i].url, pg_cluster_socket_directory(cluster));
        struct connect_options options = {.url = str_of(url)};
        assert_null(driver->open(a, &options, &f));
        assert_int_equal(f.code, cases[i].code);
        assert_non_null(strstr(f.message, cases[i].word));
        assert_non_null(f.hint);
    }
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct connect_options options = {.url = STR("postgres://u@/db?host=/nonexistent")};
    assert_null(driver->open(a, &options, &f));
    assert_int_equal(f.code, EXIT_BUSY);
    assert_int_equal(f.kind, FAIL_CONNECTION);
}

static void service_files_and_pg_variables_work(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "served");
    const char *directory = fixture_directory();
    fixture_write(directory, "services",
                  fixture_text("[shop]\nhost=%s\nport=%d\nuser=postgres\ndbname=served\n",
                               pg_cluster_socket_directory(cluster), PG_CLUSTER_PORT));
    assert_int_equal(setenv("PGSERVICEFILE", fixture_path(directory, "services"), 1), 0);
    const char *const urls[] = {"service=shop", "postgres:///?service=shop"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct kit k = kit_open(driver, urls[i], NULL);
        struct server_identity who;
        SCOPED(fail) struct fail f = FAIL_NONE;
        KIT_OK(driver->identity(k.arena, k.connection, &who, &f));
        assert_string_equal(who.database, "served");
        kit_close(&k);
    }
    assert_int_equal(unsetenv("PGSERVICEFILE"), 0);
    assert_int_equal(setenv("PGHOST", pg_cluster_socket_directory(cluster), 1), 0);
    assert_int_equal(setenv("PGUSER", "postgres", 1), 0);
    assert_int_equal(setenv("PGDATABASE", "served", 1), 0);
    struct kit k = kit_open(driver, "", NULL);
    struct server_identity who;
    SCOPED(fail) struct fail f = FAIL_NONE;
    KIT_OK(driver->identity(k.arena, k.connection, &who, &f));
    assert_string_equal(who.database, "served");
    kit_close(&k);
    (void)unsetenv("PGHOST");
    (void)unsetenv("PGUSER");
    (void)unsetenv("PGDATABASE");
}

static void a_session_is_set_up_as_the_run_needs_it(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "settings");
    struct kit k = kit_open_run(driver, fixture_text("%s&schema=app", url),
                                &(struct connect_options){.lock_timeout_ms = 400, .is_bulk = true});
    SCOPED(fail) struct fail f = FAIL_NONE;
    static const struct {
        const char *name;
        const char *value;
    } settings[] = {
        {"client_connection_check_interval", "2s"},
        {"idle_in_transaction_session_timeout", "0"},
        {"idle_session_timeout", "0"},
        {"statement_timeout", "0"},
        {"lock_timeout", "400ms"},
        {"synchronous_commit", "off"},
        {"standard_conforming_strings", "on"},
        {"search_path", "\"app\""},
        {"client_encoding", "UTF8"},
        {"default_transaction_read_only", "off"},
    };

    pg_cluster_execute(cluster, "settings", "CREATE TABLE seen (name text, value text)");
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        KIT_OK(kit_unit(&k,
                        fixture_text("INSERT INTO public.seen VALUES ('%s', "
                                     "current_setting('%s'))",
                                     settings[i].name, settings[i].name),
                        &f));
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        assert_string_equal(ask("settings", fixture_text("SELECT value FROM seen WHERE name = '%s'",
                                                         settings[i].name)),
                            settings[i].value);
    kit_close(&k);
}

static void a_read_only_connection_cannot_write(void **state UNUSED)
{
    struct kit k = kit_open(driver, pg_cluster_database(cluster, "readonly"),
                            &(struct connect_options){.is_read_only = true});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s = kit_statement("CREATE TABLE t ()");

    assert_false(kit_begin(&k, &s, 1, &f));
    assert_string_equal(f.sqlstate, "25006");
    kit_close(&k);
}

/* ---- reset ---- */

static void a_reset_session_is_as_it_was_opened(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "reset");
    pg_cluster_execute(cluster, "reset", "CREATE ROLE other; CREATE TABLE seen (value text)");
    struct kit k = kit_open_run(driver, fixture_text("%s&schema=public", url),
                                &(struct connect_options){.lock_timeout_ms = 456});
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {
        kit_session_statement("SET search_path TO ''"),
        kit_session_statement("SET lock_timeout TO '1h'"),
        kit_session_statement("SET ROLE other"),
        kit_session_statement("CREATE TEMP TABLE leftover ()"),
        kit_session_statement("LISTEN noise"),
        kit_session_statement("PREPARE mine AS SELECT 1"),
        kit_session_statement("SELECT pg_catalog.pg_advisory_unlock_all()"),
    };
    struct lock_holder holder;

    KIT_OK(kit_begin(&k, s, ARRAY_LEN(s), &f) && kit_commit(&k, &f));
    KIT_OK(driver->reset_session(k.connection, &f));
    KIT_OK(kit_unit(&k,
                    "INSERT INTO seen SELECT concat_ws(' ', current_user, "
                    "current_setting('lock_timeout'), current_setting('search_path'), "
                    "to_regclass('leftover'), (SELECT count(*) FROM pg_listening_channels()), "
                    "(SELECT count(*) FROM pg_prepared_statements WHERE name = 'mine'))",
                    &f));
    assert_string_equal(ask("reset", "TABLE seen"), "postgres 456ms \"public\" 0 0");
    /* The lock was taken back. */
    struct kit other = kit_open(driver, url, NULL);
    bool is_ours = true;
    KIT_OK(driver->try_lock(other.arena, other.connection, "x", &is_ours, &holder, &f));
    assert_false(is_ours);
    kit_close(&other);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_is_one_round_trip),
        cmocka_unit_test(identity_tells_who_and_where_without_a_password),
        cmocka_unit_test(a_wrong_password_is_refused_and_never_shown),
        cmocka_unit_test(what_cannot_be_reached_is_said_with_a_hint),
        cmocka_unit_test(service_files_and_pg_variables_work),
        cmocka_unit_test(a_session_is_set_up_as_the_run_needs_it),
        cmocka_unit_test(a_read_only_connection_cannot_write),
        cmocka_unit_test(a_reset_session_is_as_it_was_opened),
    };

    return cmocka_run_group_tests_name("postgres session", tests, start, NULL);
}
