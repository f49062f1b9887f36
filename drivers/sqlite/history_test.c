/* The tables of the audit trail: what is written comes back byte for byte. */
#include "drivers/sqlite/testing.h"

#include "core/base/vec.h"

static void without_tables_there_is_no_history(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    struct history h;
    test_run(b, "CREATE TABLE t (a)");
    b->connection = test_open_with(b, &options);
    must(b, b->driver->read_history(b->arena, b->connection, &h, &b->fail));
    assert_false(h.exists);
    assert_int_equal(h.count, 0);
    assert_int_equal(h.head_id, 0);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM sqlite_schema"), "1");
}

static void tables_that_another_connection_makes_are_seen(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    struct history h;
    b->others[0] = test_open_with(b, &options);
    must(b, b->driver->read_history(b->arena, b->others[0], &h, &b->fail));
    assert_false(h.exists);
    struct connection *c = test_open(b);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    must(b, b->driver->read_history(b->arena, b->others[0], &h, &b->fail));
    assert_true(h.exists);
    assert_int_equal(h.count, 1);
}

static struct history_row full_row(void)
{
    return (struct history_row){
        .rank = 7,
        .version = STR("20261120.1"),
        .description = STR("naïve \"quoted\" ; 'text'"),
        .kind = STR("repeatable"),
        .layout = STR("flyway"),
        .script = STR("R__x.sql"),
        .state = STR("incomplete"),
        .units_done = 3,
        .statements = INT64_MAX,
        .digest_raw = STR("aa"),
        .digest_normalized = STR("bb"),
        .digest_tree = STR("sqlite-tokens:cc"),
        .installed_by = STR("root"),
        .installed_at = STR("2026-11-20T20:43:00.123456Z"),
        .duration_us = INT64_MIN,
        .run = STR("0123456789abcdef"),
    };
}

static struct event full_event(struct bench *b)
{
    struct event e = test_event(b, EVENT_FAILED);
    e.version = STR("R__x.sql");
    e.unit = 2;
    e.actor = STR("Ann <ann@example.org>");
    e.db_role = STR("root");
    e.host = STR("db1");
    e.git_commit = STR("0123");
    e.git_author = STR("Bob");
    e.plan_digest = STR("11");
    e.evidence_digest = STR("22");
    e.sql = STR("INSERT INTO t VALUES ('a\0b');\n");
    e.duration_us = 12;
    e.lock_wait_us = 34;
    e.rows = 56;
    e.sqlstate = STR("23505");
    e.detail = STR("{\"a\":\"ä\"}");
    struct digest d = event_digest(&e);
    e.digest = arena_str(b->arena, digest_str(&d));
    return e;
}

struct seen {
    struct bench *bench;
    VEC_OF(struct event) events;
};

static bool keep_event(void *context, const struct event *e, struct fail *f)
{
    struct seen *s = context;
    (void)f;
    struct event copy = *e;
    copy.version = arena_str(s->bench->arena, e->version);
    copy.digest = arena_str(s->bench->arena, e->digest);
    struct digest d = event_digest(e);
    assert_string_equal(d.hex, copy.digest.at); /* every field came back */
    vec_push(s->bench->arena, &s->events, copy);
    return true;
}

static void all_fields_come_back_as_they_were_written(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct history h;
    struct history_row row = full_row();
    struct event e = full_event(b);
    struct journal_entries entries = {.insert_row = &row, .events = &e, .event_count = 1};
    must(b, b->driver->append(c, &entries, true, &b->fail));
    must(b, b->driver->read_history(b->arena, c, &h, &b->fail));
    assert_true(h.exists);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.head_id, 1);
    assert_true(str_equal(h.head_digest, e.digest));
    struct digest wanted = history_row_digest(&row);
    struct digest got = history_row_digest(&h.at[0]);
    assert_string_equal(wanted.hex, got.hex);
    struct seen s = {.bench = b};
    must(b, b->driver->read_events(c, 1, STR(""), keep_event, &s, &b->fail));
    assert_int_equal(s.events.count, 1);
    assert_true(str_equal(s.events.at[0].digest, e.digest));
}

static void a_row_is_updated_in_all_its_fields(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct history h;
    struct history_row row = test_row(b, "1");
    row.rank = 7;
    struct event e = test_event(b, EVENT_STARTED);
    struct journal_entries first = {.insert_row = &row, .events = &e, .event_count = 1};
    must(b, b->driver->append(c, &first, true, &b->fail));
    test_event_is_written(b, &e);
    row = full_row();
    e = full_event(b);
    struct journal_entries second = {.update_row = &row, .events = &e, .event_count = 1};
    must(b, b->driver->append(c, &second, true, &b->fail));
    must(b, b->driver->read_history(b->arena, c, &h, &b->fail));
    assert_int_equal(h.count, 1);
    struct digest wanted = history_row_digest(&row);
    struct digest got = history_row_digest(&h.at[0]);
    assert_string_equal(wanted.hex, got.hex);
}

static void events_are_read_from_a_number_and_for_a_version(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct event events[20];
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        struct event e = test_event(b, EVENT_STEP_DONE);
        e.version = i % 2 ? STR("odd") : STR("even");
        struct digest d = event_digest(&e);
        e.digest = arena_str(b->arena, digest_str(&d));
        test_event_is_written(b, &e);
        events[i] = e;
    }
    struct journal_entries entries = {.events = events, .event_count = ARRAY_LEN(events)};
    must(b, b->driver->append(c, &entries, false, &b->fail));
    static const struct {
        int64_t from_id;
        const char *version;
        size_t count;
        int64_t first;
    } cases[] = {
        {1, "", 20, 1},     {11, "", 10, 11}, {11, "odd", 5, 12},
        {1, "even", 10, 1}, {21, "", 0, 0},   {1, "none", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen s = {.bench = b};
        must(b, b->driver->read_events(c, cases[i].from_id, str_of(cases[i].version), keep_event,
                                       &s, &b->fail));
        assert_int_equal(s.events.count, cases[i].count);
        if (s.events.count)
            assert_int_equal(s.events.at[0].id, cases[i].first);
    }
}

static bool refuse_event(void *context, const struct event *e, struct fail *f)
{
    (void)e;
    ++*(int *)context;
    return fail_set(f, EXIT_INTEGRITY, "enough");
}

static void a_visitor_that_fails_ends_the_reading(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    int visits = 0;
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE u (a)")));
    assert_false(b->driver->read_events(c, 1, STR(""), refuse_event, &visits, &b->fail));
    assert_string_equal(b->fail.message, "enough");
    assert_int_equal(visits, 1);
    fail_clear(&b->fail);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE v (a)"))); /* no lock stays behind */
}

static void a_number_edited_into_a_text_is_not_read_as_a_number(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct history h;
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    test_run(b, "UPDATE migrator_history SET duration_us = '0x'");
    assert_false(b->driver->read_history(b->arena, c, &h, &b->fail));
    assert_int_equal(b->fail.code, EXIT_INTEGRITY);
    assert_contains(b->fail.message, "row 1 of table \"migrator_history\"");
    assert_contains(b->fail.message, "duration_us");
}

static void a_missing_table_beside_the_other_is_an_integrity_failure(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct history h;
    test_run(b, "DROP TABLE migrator_event");
    assert_false(b->driver->read_history(b->arena, c, &h, &b->fail));
    assert_int_equal(b->fail.code, EXIT_INTEGRITY);
    assert_contains(b->fail.message, "\"migrator_event\" is missing");
}

static void tables_of_somebody_else_are_not_taken_for_ours(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    struct history h;
    test_run(b, "CREATE TABLE migrator_history (a); CREATE TABLE migrator_event (a)");
    b->connection = test_open_with(b, &options);
    assert_false(b->driver->read_history(b->arena, b->connection, &h, &b->fail));
    assert_contains(b->fail.message, "no such column");
    assert_contains(b->fail.hint, "another prefix");
}

static void any_prefix_works_but_those_of_sqlite(void **state)
{
    struct bench *b = *state;
    static const char *const good[] = {"audit", "my-app", "a\"b", "select", "ünï", "x y"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct connect_options options = test_options(b);
        struct history h;
        struct lock_holder holder;
        bool is_ours;
        options.history_name = str_of(good[i]);
        struct connection *c = test_open_with(b, &options);
        must(b, b->driver->try_lock(b->arena, c, "run", &is_ours, &holder, &b->fail));
        must(b, b->driver->prepare_history(c, &b->fail));
        b->next_id = 1;
        b->next_rank = 1;
        b->head = (struct digest){0};
        must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE IF NOT EXISTS t (a)")));
        must(b, b->driver->read_history(b->arena, c, &h, &b->fail));
        assert_int_equal(h.count, 1);
        const char *sql =
            fixture_text("SELECT count(*) FROM sqlite_schema WHERE name = '%s_event'", good[i]);
        assert_string_equal(test_ask(b, sql), "1");
        b->driver->close(c);
    }
    struct connect_options options = test_options(b);
    options.history_name = STR("sqlite_x");
    assert_null(b->driver->open(b->arena, &options, &b->fail));
    assert_int_equal(b->fail.code, EXIT_USAGE);
}

static void preparing_twice_writes_once(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    const char *before = test_ask(b, "PRAGMA data_version");
    must(b, b->driver->prepare_history(c, &b->fail));
    assert_string_equal(test_ask(b, "PRAGMA data_version"), before);
}

static void temporary_tables_do_not_hide_ours(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_execute(b, c, "CREATE TEMP TABLE migrator_event (id)"));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_event"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_tables_there_is_no_history),
        TEST(tables_that_another_connection_makes_are_seen),
        TEST(all_fields_come_back_as_they_were_written),
        TEST(a_row_is_updated_in_all_its_fields),
        TEST(events_are_read_from_a_number_and_for_a_version),
        TEST(a_visitor_that_fails_ends_the_reading),
        TEST(a_number_edited_into_a_text_is_not_read_as_a_number),
        TEST(a_missing_table_beside_the_other_is_an_integrity_failure),
        TEST(tables_of_somebody_else_are_not_taken_for_ours),
        TEST(any_prefix_works_but_those_of_sqlite),
        TEST(preparing_twice_writes_once),
        TEST(temporary_tables_do_not_hide_ours),
    };
    return cmocka_run_group_tests_name("sqlite history", tests, NULL, NULL);
}
