/* Units: what is committed, what is not, and who had the lock. */
#include "drivers/sqlite/testing.h"

#include "core/base/clock.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_unit_and_its_entries_are_one_fact(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct history h;
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")));
    assert_false(
        test_unit(b, c, false, STATEMENTS("CREATE TABLE u (a)", "INSERT INTO nowhere VALUES (1)")));
    assert_contains(b->fail.message, "no such table: nowhere");
    assert_string_equal(test_ask(b, "SELECT group_concat(name) FROM sqlite_schema "
                                    "WHERE name IN ('t', 'u')"),
                        "t");
    fail_clear(&b->fail);
    must(b, b->driver->read_history(b->arena, c, &h, &b->fail));
    assert_int_equal(h.count, 1);
    assert_int_equal(h.head_id, 1);
}

static void a_moved_history_is_noticed_before_anything_runs(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    struct unit_options options = {.expected_head_id = 0};
    assert_false(b->driver->begin(c, &options, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    assert_int_equal(b->fail.code, EXIT_BUSY);
    fail_clear(&b->fail);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE u (a)")));
}

static void what_another_run_commits_is_noticed(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct connect_options options = test_options(b);
    struct connection *other = b->others[0] = test_open_with(b, &options);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    must(b, test_unit(b, other, false, STATEMENTS("CREATE TABLE u (a)")));
    struct unit_options of_the_first = {.expected_head_id = 1};
    assert_false(b->driver->begin(c, &of_the_first, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    fail_clear(&b->fail);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE v (a)")));
    assert_false(b->driver->begin(other, &(struct unit_options){.expected_head_id = 2}, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
}

static void entries_that_do_not_follow_the_head_are_refused(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    struct event e = test_event(b, EVENT_RUN_FINISHED);
    struct journal_entries entries = {.events = &e, .event_count = 1};
    must(b, b->driver->append(c, &entries, true, &b->fail));
    /* The same number again, and then one too far. */
    assert_false(b->driver->append(c, &entries, true, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    fail_clear(&b->fail);
    e.id = 9;
    assert_false(b->driver->append(c, &entries, true, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    fail_clear(&b->fail);
    /* The right number behind another event than we think. */
    e.id = 3;
    e.previous = STR("0000");
    assert_false(b->driver->append(c, &entries, true, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_event"), "2");
}

static void a_rank_that_is_taken_means_the_history_moved(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    b->next_rank = 1;
    assert_false(test_unit(b, c, false, STATEMENTS("CREATE TABLE u (a)")));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
}

static void updating_a_row_that_is_gone_is_refused(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct event e = test_event(b, EVENT_STEP_DONE);
    struct history_row row = test_row(b, "1");
    struct journal_entries entries = {.update_row = &row, .events = &e, .event_count = 1};
    assert_false(b->driver->append(c, &entries, true, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_event"), "0");
}

/* ---- the file's own transaction ---- */

static bool own_unit(struct bench *b, struct connection *c, const char *begin, const char *sql)
{
    struct unit_options options = {.expected_head_id = b->next_id - 1, .is_own = true};
    struct statement st[] = {test_statement(begin), test_statement(sql)};
    struct statement own_commit = test_statement("END TRANSACTION");
    struct statement_result results[2];
    size_t done;
    size_t offset;
    st[0].role = ROLE_BEGIN;
    own_commit.role = ROLE_COMMIT;
    struct event e = test_event(b, EVENT_APPLIED);
    struct history_row row = test_row(b, "1");
    struct journal_entries entries = {.insert_row = &row, .events = &e, .event_count = 1};
    if (b->driver->begin(c, &options, &b->fail) &&
        b->driver->execute(c, st, 2, NULL, results, &done, &offset, &b->fail) &&
        b->driver->commit(c, &entries, &own_commit, &b->fail)) {
        test_event_is_written(b, &e);
        b->next_rank++;
        return true;
    }
    SCOPED(fail) struct fail second = FAIL_NONE;
    assert_true(b->driver->rollback(c, &second));
    return false;
}

static void a_files_own_transaction_holds_its_entries_too(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, own_unit(b, c, "BEGIN", "CREATE TABLE t (a)"));
    must(b, own_unit(b, c, "BEGIN EXCLUSIVE", "CREATE TABLE u (a)"));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "2");
    assert_false(own_unit(b, c, "BEGIN", "CREATE TABLE t (a)"));
    assert_contains(b->fail.message, "already exists");
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "2");
}

static void a_files_own_plain_begin_takes_the_write_lock_and_checks_the_head(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct unit_options options = {.expected_head_id = 0, .is_own = true};
    struct statement st = test_statement("BEGIN");
    struct statement_result result;
    size_t done;
    size_t offset;
    st.role = ROLE_BEGIN;
    must(b, b->driver->begin(c, &options, &b->fail));
    must(b, b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail));
    assert_int_equal(sqlite3_exec(test_application(b), "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_BUSY);
    must(b, b->driver->rollback(c, &b->fail));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    must(b, b->driver->begin(c, &options, &b->fail));
    assert_false(b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
    fail_clear(&b->fail);
    must(b, b->driver->rollback(c, &b->fail));
}

static void a_statement_that_ends_our_transaction_is_an_error(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    assert_false(test_execute(b, c, "ROLLBACK"));
    assert_contains(b->fail.message, "ended the transaction");
    fail_clear(&b->fail);
    assert_false(test_commit(b, c));
    assert_contains(b->fail.message, "ended by one of its own statements");
    fail_clear(&b->fail);
    must(b, b->driver->rollback(c, &b->fail));
}

static void sqlite_rolling_back_by_itself_is_no_second_failure(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_execute(b, c, "CREATE TABLE t (a UNIQUE ON CONFLICT ROLLBACK)"));
    assert_false(
        test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")));
    assert_contains(b->fail.message, "UNIQUE constraint failed: t.a");
    assert_contains(b->fail.detail, "SQLITE_CONSTRAINT_UNIQUE");
    assert_string_equal(test_ask(b, "SELECT count(*) FROM t"), "0");
}

/* ---- locks of others ---- */

static void a_writer_keeps_us_out_for_as_long_as_we_said(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    test_run(b, "BEGIN IMMEDIATE");
    int64_t from_us = clock_monotonic_us();
    assert_false(test_begin(b, c));
    int64_t waited_us = clock_monotonic_us() - from_us;
    assert_int_equal(b->fail.kind, FAIL_LOCK_TIMEOUT);
    assert_int_equal(b->fail.code, EXIT_BUSY);
    assert_contains(b->fail.message, "within 150 ms");
    assert_non_null(b->fail.hint);
    assert_true(waited_us >= 140000);
    fail_clear(&b->fail);
    test_run(b, "ROLLBACK");
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
}

/* In another process, so that the owner of the lock can be told by its number. */
static void the_process_that_holds_the_lock_is_named(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db;
        bool is_held = sqlite3_open(b->path, &db) == SQLITE_OK &&
                       sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
        (void)!write(ready[1], is_held ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    char answer;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_false(test_begin(b, c));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(b->fail.kind, FAIL_LOCK_TIMEOUT);
    assert_contains(b->fail.detail, fixture_text("process %d (", (int)child));
    fail_clear(&b->fail);
    must(b, test_begin(b, c)); /* a killed holder keeps nobody out */
    must(b, b->driver->rollback(c, &b->fail));
}

static void *end_reading_soon(void *context)
{
    sqlite3_stmt *s = context;
    clock_sleep_ms(60);
    sqlite3_finalize(s);
    return NULL;
}

static void a_reader_delays_commit_but_does_not_fail_it(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    sqlite3_stmt *reader;
    pthread_t thread;
    test_run(b, "CREATE TABLE big (a); INSERT INTO big VALUES (1), (2)");
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    assert_int_equal(sqlite3_prepare_v2(b->application, "SELECT a FROM big", -1, &reader, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(reader), SQLITE_ROW);
    assert_int_equal(pthread_create(&thread, NULL, end_reading_soon, reader), 0);
    bool is_done = test_commit(b, c);
    assert_int_equal(pthread_join(thread, NULL), 0);
    must(b, is_done);
}

static void a_reader_that_stays_fails_commit_which_can_be_tried_again(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    sqlite3_stmt *reader;
    test_run(b, "CREATE TABLE big (a); INSERT INTO big VALUES (1), (2)");
    assert_int_equal(sqlite3_prepare_v2(b->application, "SELECT a FROM big", -1, &reader, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(reader), SQLITE_ROW);
    assert_false(test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    assert_int_equal(b->fail.kind, FAIL_LOCK_TIMEOUT);
    fail_clear(&b->fail);
    sqlite3_finalize(reader);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "1");
}

static void readers_do_not_delay_commit_in_wal_mode(void **state)
{
    struct bench *b = *state;
    sqlite3_stmt *reader;
    test_run(b, "PRAGMA journal_mode = WAL; CREATE TABLE big (a); INSERT INTO big VALUES (1), (2)");
    struct connection *c = test_open(b);
    assert_int_equal(sqlite3_prepare_v2(b->application, "SELECT a FROM big", -1, &reader, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(reader), SQLITE_ROW);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    must(b, own_unit(b, c, "BEGIN", "CREATE TABLE u (a)"));
    sqlite3_finalize(reader);
    test_run(b, "BEGIN IMMEDIATE");
    assert_false(test_begin(b, c));
    assert_int_equal(b->fail.kind, FAIL_LOCK_TIMEOUT);
}

/* ---- stopping ---- */

static void *cancel_soon(void *context)
{
    struct bench *b = context;
    clock_sleep_ms(40);
    b->driver->cancel(b->connection);
    return NULL;
}

#define ENDLESS                                                                                    \
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

static void a_running_statement_is_cancelled(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, b), 0);
    assert_false(test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)", ENDLESS)));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(b->fail.kind, FAIL_CANCELLED);
    fail_clear(&b->fail);
    /* What follows is not cancelled once more. */
    struct event e = test_event(b, EVENT_FAILED);
    struct journal_entries entries = {.events = &e, .event_count = 1};
    must(b, b->driver->append(c, &entries, true, &b->fail));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM sqlite_schema WHERE name = 't'"), "0");
}

static void waiting_for_a_lock_is_cancelled(void **state)
{
    struct bench *b = *state;
    (void)test_open(b);
    struct connect_options options = test_options(b);
    options.lock_timeout_ms = 0; /* would wait for ever */
    b->others[0] = b->connection;
    b->connection = test_open_with(b, &options);
    pthread_t thread;
    test_run(b, "BEGIN IMMEDIATE");
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, b), 0);
    assert_false(test_begin(b, b->connection));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(b->fail.kind, FAIL_CANCELLED);
}

static void a_cancel_between_two_statements_is_not_lost(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    b->driver->cancel(c);
    assert_false(test_execute(b, c, "CREATE TABLE u (a)"));
    assert_int_equal(b->fail.kind, FAIL_CANCELLED);
    fail_clear(&b->fail);
    must(b, b->driver->rollback(c, &b->fail));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
}

static void a_statement_timeout_ends_a_statement(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct unit_options options = {.statement_timeout_ms = 30};
    must(b, b->driver->begin(c, &options, &b->fail));
    assert_false(test_execute(b, c, ENDLESS));
    assert_int_equal(b->fail.kind, FAIL_CANCELLED);
    assert_contains(b->fail.message, "30 ms");
    fail_clear(&b->fail);
    must(b, b->driver->rollback(c, &b->fail));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
}

/* ---- crashes and full disks ---- */

/* Changes so much that pages are written to the file before COMMIT, then dies. */
static void die_in_the_middle(struct bench *b, bool after_commit)
{
    struct connect_options options = test_options(b);
    struct connection *c = b->driver->open(b->arena, &options, &b->fail);
    bool is_ready = c && test_execute(b, c, "PRAGMA cache_size = 10") && test_begin(b, c) &&
                    test_execute(b, c, "CREATE TABLE t (a)") &&
                    test_execute(b, c,
                                 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                                 "FROM n LIMIT 3000) INSERT INTO t SELECT randomblob(600) FROM n");
    if (is_ready && (!after_commit || test_commit(b, c)))
        kill(getpid(), SIGKILL);
    _exit(1);
}

static void a_killed_run_leaves_all_or_nothing(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct history h;
    for (int after_commit = 0; after_commit < 2; after_commit++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            die_in_the_middle(b, after_commit);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        must(b, b->driver->read_history(b->arena, c, &h, &b->fail));
        assert_int_equal(h.count, after_commit);
        assert_string_equal(test_ask(b, "SELECT count(*) FROM sqlite_schema WHERE name = 't'"),
                            after_commit ? "1" : "0");
    }
    assert_string_equal(test_ask(b, "SELECT count(*) FROM t"), "3000");
    assert_string_equal(test_ask(b, "PRAGMA integrity_check"), "ok");
}

static void a_full_database_undoes_the_unit(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_execute(b, c, "PRAGMA max_page_count = 20"));
    assert_false(test_unit(
        b, c, false, STATEMENTS("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(200000))")));
    assert_contains(b->fail.message, "full");
    assert_contains(b->fail.detail, "SQLITE_FULL");
    assert_non_null(b->fail.hint);
    fail_clear(&b->fail);
    must(b, b->driver->reset_session(c, &b->fail));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
}

/* A write that the system refuses, at COMMIT: the reopened file decides. */
static void a_write_error_at_commit_is_settled_by_the_history(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct rlimit before;
    (void)signal(SIGXFSZ, SIG_IGN);
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "INSERT INTO t VALUES (zeroblob(300000))"));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 100000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool is_done = test_commit(b, c);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(is_done);
    assert_int_equal(b->fail.code, EXIT_FAILED);
    assert_int_equal(b->fail.kind, FAIL_SERVER);
    assert_contains(b->fail.detail, "SQLITE_IOERR");
    fail_clear(&b->fail);
    must(b, b->driver->rollback(c, &b->fail));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM t"), "0");
    must(b, test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (1)")));
    assert_string_equal(test_ask(b, "PRAGMA integrity_check"), "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_unit_and_its_entries_are_one_fact),
        TEST(a_moved_history_is_noticed_before_anything_runs),
        TEST(what_another_run_commits_is_noticed),
        TEST(entries_that_do_not_follow_the_head_are_refused),
        TEST(a_rank_that_is_taken_means_the_history_moved),
        TEST(updating_a_row_that_is_gone_is_refused),
        TEST(a_files_own_transaction_holds_its_entries_too),
        TEST(a_files_own_plain_begin_takes_the_write_lock_and_checks_the_head),
        TEST(a_statement_that_ends_our_transaction_is_an_error),
        TEST(sqlite_rolling_back_by_itself_is_no_second_failure),
        TEST(a_writer_keeps_us_out_for_as_long_as_we_said),
        TEST(the_process_that_holds_the_lock_is_named),
        TEST(a_reader_delays_commit_but_does_not_fail_it),
        TEST(a_reader_that_stays_fails_commit_which_can_be_tried_again),
        TEST(readers_do_not_delay_commit_in_wal_mode),
        TEST(a_running_statement_is_cancelled),
        TEST(waiting_for_a_lock_is_cancelled),
        TEST(a_cancel_between_two_statements_is_not_lost),
        TEST(a_statement_timeout_ends_a_statement),
        TEST(a_killed_run_leaves_all_or_nothing),
        TEST(a_full_database_undoes_the_unit),
        TEST(a_write_error_at_commit_is_settled_by_the_history),
    };
    return cmocka_run_group_tests_name("sqlite transactions", tests, NULL, NULL);
}
