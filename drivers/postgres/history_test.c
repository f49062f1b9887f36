/* The tables of the history: made, written and read as they are. */
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
    return 0;
}

static const char *ask(const char *database, const char *sql)
{
    return pg_cluster_query(cluster, database, sql);
}

/* ---- the history ---- */

static void missing_tables_are_no_failure(void **state UNUSED)
{
    struct kit k = kit_open(driver, pg_cluster_database(cluster, "fresh"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct history h;

    KIT_OK(driver->read_history(k.arena, k.connection, &h, &f));
    assert_false(h.exists);
    assert_int_equal(h.count, 0);
    assert_int_equal(h.head_id, 0);
    kit_close(&k);
}

static void one_missing_table_is_an_integrity_failure(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "halved");
    struct kit k = kit_open_run(driver, url, NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct history h;

    pg_cluster_execute(cluster, "halved", "DROP TABLE migrator.event");
    assert_false(driver->read_history(k.arena, k.connection, &h, &f));
    assert_int_equal(f.code, EXIT_INTEGRITY);
    assert_non_null(strstr(f.message, "\"migrator\".event"));
    kit_close(&k);
}

static bool check_event(void *context, const struct event *e, struct fail *f UNUSED)
{
    const struct event *expected = context;

    assert_int_equal(e->id, expected->id);
    assert_string_equal(fixture_text("%.*s", STR_ARG(e->at)),
                        fixture_text("%.*s", STR_ARG(expected->at)));
    assert_true(str_equal(e->kind, expected->kind));
    assert_true(str_equal(e->version, expected->version));
    assert_true(str_equal(e->actor, expected->actor));
    assert_true(str_equal(e->db_role, expected->db_role));
    assert_true(str_equal(e->host, expected->host));
    assert_true(str_equal(e->git_commit, expected->git_commit));
    assert_true(str_equal(e->git_author, expected->git_author));
    assert_true(str_equal(e->plan_digest, expected->plan_digest));
    assert_true(str_equal(e->evidence_digest, expected->evidence_digest));
    assert_true(str_equal(e->sql, expected->sql));
    assert_true(str_equal(e->sqlstate, expected->sqlstate));
    assert_true(str_equal(e->detail, expected->detail));
    assert_true(str_equal(e->previous, expected->previous));
    assert_true(str_equal(e->digest, expected->digest));
    assert_int_equal(e->unit, expected->unit);
    assert_int_equal(e->duration_us, expected->duration_us);
    assert_int_equal(e->lock_wait_us, expected->lock_wait_us);
    assert_int_equal(e->rows, expected->rows);
    return true;
}

static const struct history_row full_row = {
    .rank = 7,
    .version = STR("1.2"),
    .description = STR("dé'sc\\"),
    .kind = STR("versioned"),
    .layout = STR("flyway"),
    .script = STR("V1.2__x.sql"),
    .state = STR("incomplete"),
    .units_done = 3,
    .statements = 9,
    .digest_raw = STR("r"),
    .digest_normalized = STR("n"),
    .digest_tree = STR("pg15:t"),
    .installed_by = STR("me"),
    .installed_at = STR("2026-11-20T20:43:00.123400Z"),
    .duration_us = 5000000000,
    .run = STR("run"),
};

static const struct event full_event = {
    .id = 1,
    .run = STR("run"),
    .at = STR("1999-12-31T23:59:59.999999Z"),
    .kind = STR("started"),
    .version = STR("1.2"),
    .unit = 2,
    .actor = STR("a"),
    .db_role = STR("b"),
    .host = STR("c"),
    .git_commit = STR("d"),
    .git_author = STR("e <e@f>"),
    .plan_digest = STR("g"),
    .evidence_digest = STR("h"),
    .sql = STR("SELECT '\n\t$1 \\ \"ü\"'"),
    .duration_us = 1,
    .lock_wait_us = -1,
    .rows = 9000000000,
    .sqlstate = STR("42P01"),
    .detail = STR("{\"a\":1}"),
    .previous = STR(""),
    .digest = STR("digest"),
};

static void every_field_of_the_history_comes_back_as_it_went(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "fields");
    pg_cluster_execute(cluster, "fields",
                       "ALTER DATABASE fields SET timezone TO 'Asia/Kolkata'; "
                       "ALTER DATABASE fields SET datestyle TO 'German'");
    struct kit k = kit_open_run(driver, url, NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct history_row row = full_row;
    struct event e = full_event;
    struct history h;

    KIT_OK(driver->append(
        k.connection, &(struct journal_entries){.insert_row = &row, .events = &e, .event_count = 1},
        true, &f));
    row.state = STR("applied");
    row.units_done = 4;
    e.id = 2;
    e.previous = STR("digest");
    KIT_OK(driver->append(
        k.connection, &(struct journal_entries){.update_row = &row, .events = &e, .event_count = 1},
        false, &f));
    KIT_OK(driver->read_history(k.arena, k.connection, &h, &f));
    assert_int_equal(h.count, 1);
    assert_int_equal(h.head_id, 2);
    assert_true(str_equal(h.head_digest, STR("digest")));
    const struct history_row *got = &h.at[0];
    assert_int_equal(got->rank, 7);
    assert_true(str_equal(got->description, row.description));
    assert_true(str_equal(got->state, STR("applied")));
    assert_int_equal(got->units_done, 4);
    assert_true(str_equal(got->installed_at, row.installed_at));
    assert_int_equal(got->duration_us, row.duration_us);
    assert_true(str_equal(got->digest_tree, row.digest_tree));
    KIT_OK(driver->read_events(k.connection, 2, STR("1.2"), check_event, &e, &f));
    KIT_OK(driver->read_events(k.connection, 1, STR("other"), check_event, NULL, &f));
    kit_close(&k);
}

static void an_event_is_written_only_behind_the_one_it_follows(void **state UNUSED)
{
    static const struct {
        int64_t id;
        const char *previous;
    } strays[] = {{3, "digest"}, {2, "another"}, {2, ""}, {1, ""}};
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "chain"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct event e = full_event;
    const struct journal_entries entries = {.events = &e, .event_count = 1};

    KIT_OK(driver->append(k.connection, &entries, true, &f));
    for (size_t i = 0; i < ARRAY_LEN(strays); i++) {
        e.id = strays[i].id;
        e.previous = str_of(strays[i].previous);
        assert_false(driver->append(k.connection, &entries, true, &f));
        assert_int_equal(f.kind, FAIL_HISTORY_MOVED);
        fail_clear(&f);
    }
    e.id = 2;
    e.previous = STR("digest");
    KIT_OK(driver->append(k.connection, &entries, true, &f));
    kit_close(&k);
}

static bool refuse_visit(void *context, const struct event *e UNUSED, struct fail *f)
{
    ++*(int *)context;
    return fail_set(f, EXIT_FAILED, "enough");
}

static void a_visitor_that_fails_ends_the_reading_but_not_the_connection(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "visits"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    int visits = 0;

    KIT_OK(kit_append(&k, false, &f) && kit_append(&k, false, &f));
    assert_false(driver->read_events(k.connection, 1, STR(""), refuse_visit, &visits, &f));
    assert_int_equal(visits, 1);
    assert_string_equal(f.message, "enough");
    fail_clear(&f);
    KIT_OK(kit_append(&k, false, &f));
    kit_close(&k);
}

static void an_event_that_is_gone_says_so_before_anything_is_committed(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "gone"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_unit(&k, "CREATE TABLE before ()", &f));
    pg_cluster_execute(cluster, "gone", "DELETE FROM migrator.event");
    assert_false(kit_unit(&k, "CREATE TABLE t ()", &f));
    assert_int_equal(f.kind, FAIL_HISTORY_MOVED);
    assert_string_equal(ask("gone", "SELECT to_regclass('t')"), "");
    assert_string_equal(ask("gone", "SELECT count(*) FROM migrator.history"), "1");
    kit_close(&k);
}

static void an_event_that_exists_says_that_the_history_moved(void **state UNUSED)
{
    struct kit k = kit_open_run(driver, pg_cluster_database(cluster, "moved"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_append(&k, false, &f));
    k.next_id = 1;
    assert_false(kit_unit(&k, "CREATE TABLE t ()", &f));
    assert_int_equal(f.kind, FAIL_HISTORY_MOVED);
    assert_int_equal(f.code, EXIT_BUSY);
    assert_string_equal(ask("moved", "SELECT to_regclass('t')"), "");
    fail_clear(&f);
    k.next_id = 2;
    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    kit_close(&k);
}

static void a_role_without_rights_is_told_what_to_ask_for(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "rights");
    pg_cluster_execute(cluster, "postgres", "CREATE ROLE poor LOGIN");
    struct kit k = kit_open(driver, pg_cluster_url(cluster, "rights", "poor"), NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;

    assert_false(driver->prepare_history(k.connection, &f));
    assert_string_equal(f.sqlstate, "42501");
    assert_non_null(strstr(f.hint, "CREATE SCHEMA \"migrator\" AUTHORIZATION"));
    fail_clear(&f);
    pg_cluster_execute(cluster, "rights", "CREATE SCHEMA migrator AUTHORIZATION poor");
    KIT_OK(driver->prepare_history(k.connection, &f));
    KIT_OK(driver->prepare_history(k.connection, &f));
    pg_cluster_execute(cluster, "rights", "CREATE ROLE reader LOGIN");
    kit_close(&k);
    struct history h;
    k = kit_open(driver, pg_cluster_url(cluster, "rights", "reader"), NULL);
    assert_false(driver->read_history(k.arena, k.connection, &h, &f));
    assert_string_equal(f.sqlstate, "42501");
    assert_non_null(f.hint);
    kit_close(&k);
}

static void a_schema_may_have_any_name(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "odd");
    struct kit k = kit_open_run(
        driver, url, &(struct connect_options){.history_name = STR("My \"odd\" 'name'")});
    SCOPED(fail) struct fail f = FAIL_NONE;

    KIT_OK(kit_unit(&k, "CREATE TABLE t ()", &f));
    assert_string_equal(ask("odd", "SELECT count(*) FROM \"My \"\"odd\"\" 'name'\".history"), "1");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_tables_are_no_failure),
        cmocka_unit_test(one_missing_table_is_an_integrity_failure),
        cmocka_unit_test(every_field_of_the_history_comes_back_as_it_went),
        cmocka_unit_test(an_event_is_written_only_behind_the_one_it_follows),
        cmocka_unit_test(a_visitor_that_fails_ends_the_reading_but_not_the_connection),
        cmocka_unit_test(an_event_that_is_gone_says_so_before_anything_is_committed),
        cmocka_unit_test(an_event_that_exists_says_that_the_history_moved),
        cmocka_unit_test(a_role_without_rights_is_told_what_to_ask_for),
        cmocka_unit_test(a_schema_may_have_any_name),
    };

    return cmocka_run_group_tests_name("postgres history", tests, start, NULL);
}
