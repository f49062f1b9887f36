/*
 * What the tests of this directory share: databases in files, a second connection beside the
 * driver's (plain sqlite3, as an application would use it), and units with their entries.
 */
#ifndef DRIVERS_SQLITE_TESTING_H
#define DRIVERS_SQLITE_TESTING_H

#include <setjmp.h> /* cmocka.h wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/base/base.h"
#include "drivers/sqlite/driver.h"
#include "drivers/testkit/fixture.h"

/* One test's things: made by test_setup(), let go by test_teardown(). */
struct bench {
    struct arena *arena;
    const struct driver *driver;
    const char *path;
    struct fail fail;
    struct connection *connection;
    struct connection *others[4];
    sqlite3 *application;
    int64_t next_id; /* of the chain */
    int64_t next_rank;
    struct digest head;
};

static inline int test_setup(void **state)
{
    static int number;
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    b->arena = arena_make();
    b->driver = sqlite_driver();
    b->path = fixture_path(fixture_directory(), fixture_text("test%d.db", number++));
    b->next_id = 1;
    b->next_rank = 1;
    *state = b;
    return 0;
}

static inline int test_teardown(void **state)
{
    struct bench *b = *state;
    if (b->application)
        sqlite3_close(b->application);
    b->driver->close(b->connection);
    for (size_t i = 0; i < ARRAY_LEN(b->others); i++)
        b->driver->close(b->others[i]);
    fail_clear(&b->fail);
    arena_release(b->arena);
    free(b);
    return 0;
}

/* Shows what went wrong when an operation that must succeed does not. */
#define must(b, call)                                                                              \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s (%s)", #call, (b)->fail.message,                                      \
                     (b)->fail.detail ? (b)->fail.detail : "");                                    \
    } while (0)

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!(text) || !strstr((text), (part)))                                                    \
            fail_msg("\"%s\" does not contain \"%s\"", (text) ? (text) : "(nothing)", (part));     \
    } while (0)

static inline struct connect_options test_options(const struct bench *b)
{
    return (struct connect_options){
        .url = str_of(b->path),
        .application_name = "migrate test run=1",
        .lock_timeout_ms = 150,
    };
}

static inline struct connection *test_open_with(struct bench *b,
                                                const struct connect_options *options)
{
    struct connection *c = b->driver->open(b->arena, options, &b->fail);
    if (!c)
        fail_msg("open: %s (%s)", b->fail.message, b->fail.detail ? b->fail.detail : "");
    return c;
}

/* The driver's connection, with history tables. */
static inline struct connection *test_open(struct bench *b)
{
    struct connect_options options = test_options(b);
    b->connection = test_open_with(b, &options);
    must(b, b->driver->prepare_history(b->connection, &b->fail));
    return b->connection;
}

/* The application's connection, made at first use. */
static inline sqlite3 *test_application(struct bench *b)
{
    if (!b->application)
        assert_int_equal(sqlite3_open(b->path, &b->application), SQLITE_OK);
    return b->application;
}

/* Runs SQL as the application. */
static inline void test_run(struct bench *b, const char *sql)
{
    char *words = NULL;
    if (sqlite3_exec(test_application(b), sql, NULL, NULL, &words) != SQLITE_OK)
        fail_msg("%s: %s", sql, words);
}

/* The first value that a query gives the application, as text; "" for NULL or no row. */
static inline const char *test_ask(struct bench *b, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(test_application(b), sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(b->application));
    int code = sqlite3_step(s);
    const char *value = "";
    if (code == SQLITE_ROW && sqlite3_column_text(s, 0))
        value = arena_cstr(b->arena, str_of((const char *)sqlite3_column_text(s, 0)));
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(b->application));
    sqlite3_finalize(s);
    return value;
}

static inline struct statement test_statement(const char *sql)
{
    return (struct statement){.text = str_of(sql), .role = ROLE_ORDINARY, .kind = ""};
}

static inline bool test_execute(struct bench *b, struct connection *c, const char *sql)
{
    struct statement st = test_statement(sql);
    struct statement_result result;
    size_t done;
    size_t offset;
    return b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail);
}

/* The next event of the chain, linked. */
static inline struct event test_event(struct bench *b, const char *kind)
{
    struct event e = {
        .id = b->next_id,
        .run = STR("run1"),
        .at = STR("2026-11-20T20:43:00.123456Z"),
        .kind = str_of(kind),
        .version = STR("1"),
        .lock_wait_us = -1,
        .rows = -1,
        .previous = arena_str(b->arena, digest_str(&b->head)),
    };
    struct digest d = event_digest(&e);
    e.digest = arena_str(b->arena, digest_str(&d));
    return e;
}

static inline void test_event_is_written(struct bench *b, const struct event *e)
{
    b->next_id = e->id + 1;
    assert_true(digest_parse(e->digest, &b->head));
}

static inline struct history_row test_row(struct bench *b, const char *version)
{
    return (struct history_row){
        .rank = b->next_rank,
        .version = str_of(version),
        .description = STR("a test"),
        .kind = STR("versioned"),
        .layout = STR("plain"),
        .script = STR("001_a.sql"),
        .state = STR("applied"),
        .units_done = 1,
        .statements = 1,
        .installed_by = STR("tester"),
        .installed_at = STR("2026-11-20T20:43:00.123456Z"),
        .run = STR("run1"),
    };
}

static inline bool test_begin(struct bench *b, struct connection *c)
{
    struct unit_options options = {.expected_head_id = b->next_id - 1};
    return b->driver->begin(c, &options, &b->fail);
}

/* Commits the open unit with a row and an event. */
static inline bool test_commit(struct bench *b, struct connection *c)
{
    struct event e = test_event(b, EVENT_APPLIED);
    struct history_row row = test_row(b, "1");
    struct journal_entries entries = {.insert_row = &row, .events = &e, .event_count = 1};
    if (!b->driver->commit(c, &entries, NULL, &b->fail))
        return false;
    test_event_is_written(b, &e);
    b->next_rank++;
    return true;
}

/* A whole unit; statements end with NULL. False: it failed, and was rolled back. */
static inline bool test_unit(struct bench *b, struct connection *c, enum enforcement enforcement,
                             const char *const *sql)
{
    struct unit_options options = {
        .expected_head_id = b->next_id - 1,
        .enforcement = enforcement,
    };
    bool is_done = b->driver->begin(c, &options, &b->fail);
    for (size_t i = 0; is_done && sql[i]; i++)
        is_done = test_execute(b, c, sql[i]);
    if (is_done && test_commit(b, c))
        return true;
    SCOPED(fail) struct fail second = FAIL_NONE;
    assert_true(b->driver->rollback(c, &second));
    return false;
}
#define STATEMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_setup, test_teardown)

#endif
