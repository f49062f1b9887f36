/*
 * What a run says and writes: progress, exit codes, entries, resumed and edited scripts, retries and
 * signals. What happens when calls fail is in anomaly_test.c.
 */
#include "core/run/run_testing.h"

#include <signal.h>

#include "core/base/clock.h"
#include "core/base/log.h"

static const char *directory;
static struct fake_project *signalled; /* gets a signal while a retry pauses */

/* Pauses between retries take no time, but a signal may come in them. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    if (signalled)
        signalled->stop_signal = SIGTERM;
    return 0;
}

static int make_directory(void **state)
{
    (void)state;
    directory = fixture_directory();
    log_configure(-2, false);
    return 0;
}

#define FILES(...) ((const struct file_text[FILES_MAX]){__VA_ARGS__})

static const struct event *event_of(const struct fake_project *p, const char *kind, size_t skip)
{
    for (size_t i = 0; i < p->db->events.count; i++) {
        if (str_equal(p->db->events.at[i].kind, str_of(kind)) && skip-- == 0)
            return &p->db->events.at[i];
    }
    return NULL;
}

static size_t count_events(const struct fake_project *p, const char *kind)
{
    size_t count = 0;
    while (event_of(p, kind, count))
        count++;
    return count;
}

static void a_run_is_framed_and_each_migration_recorded(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p =
        fake_project_make(a, directory, FILES({"1_a.sql", "a; b;", 0}, {"2_b.sql", "c", 0}));
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_DONE);
    assert_int_equal(run.outcome.applied, 2);
    assert_int_equal(run.outcome.statements, 3);
    assert_int_equal(p->watched_before, 2);
    assert_int_equal(p->watched_after, 2);
    static const char *const kinds[] = {"run started", "applied", "applied", "run finished"};
    assert_int_equal(p->db->events.count, ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_true(str_equal(p->db->events.at[i].kind, str_of(kinds[i])));
    assert_true(str_equal(p->db->events.at[1].sql, STR("a;\nb;\n")));
    assert_true(str_equal(p->db->events.at[1].actor, STR("ada")));
    assert_int_equal(p->db->events.at[1].rows, 2);
    assert_non_null(strstr(p->db->events.at[3].detail.at, "\"exit\":\"done\""));
    assert_int_equal(p->db->history.at[0].statements, 2);
    assert_int_equal(p->db->history.at[1].rank, 2);
}

static void a_single_migration_that_fails_changes_nothing_and_exits_1(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p =
        fake_project_make(a, directory, FILES({"1_a.sql", "a;\n  wrong here;\nb;", 0}));
    p->db->refused_text = STR("wrong here");
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_FAILED);
    assert_int_equal(p->db->effects.count, 0);
    assert_int_equal(p->db->history.count, 0);
    assert_int_equal(run.fail.line, 2);
    assert_int_equal(run.fail.column, 3);
    assert_string_equal(run.fail.excerpt, "  wrong here;");
    const struct event *failed = event_of(p, EVENT_FAILED, 0);
    assert_true(str_equal(failed->sqlstate, STR("42601")));
    assert_non_null(strstr(failed->detail.at, "the server never likes this"));
    assert_non_null(strstr(failed->detail.at, "\"line\":2"));
}

static void what_was_applied_before_a_failure_stays_and_exits_5(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(
        a, directory, FILES({"1_a.sql", "a;", 0}, {"2_b.sql", "wrong;", 0}, {"3_c.sql", "c;", 0}));
    p->db->refused_text = STR("wrong");
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    assert_int_equal(run.outcome.applied, 1);
    assert_int_equal(fake_count(p->db, STR("a")), 1);
    assert_int_equal(p->db->history.count, 1);
    assert_non_null(strstr(run.fail.detail, "1 of 3. 2 is not applied"));
    assert_non_null(strstr(run.fail.hint, "migrate status"));
}

static void a_failure_behind_a_done_step_does_not_speak_of_that_step(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p =
        fake_project_make(a, directory, FILES({"1_a.sql", "a; alone x; wrong;", 0}));
    p->db->refused_text = STR("wrong");
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    const struct event *failed = event_of(p, EVENT_FAILED, 0);
    assert_int_equal(failed->unit, 3);
    assert_true(str_equal(failed->sql, STR("wrong;\n")));
}

static void secrets_are_not_in_the_history(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(
        a, directory,
        FILES({"1_a.sql", "secret hunter2;", 0}, {"2_b.sql", "a; secret hunter2; wrong;", 0}));
    p->db->refused_text = STR("wrong");
    (void)run_project(p, FAKE_NO_FAULT, 0);
    for (size_t i = 0; i < p->db->events.count; i++) {
        assert_int_equal(str_find(p->db->events.at[i].sql, STR("hunter2")), SIZE_MAX);
        assert_int_equal(str_find(p->db->events.at[i].detail, STR("hunter2")), SIZE_MAX);
    }
    assert_true(str_equal(event_of(p, EVENT_APPLIED, 0)->sql, STR("secret;\n")));
}

static void long_sql_is_cut_in_the_history(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    char *text = arena_alloc(a, 200001);
    memset(text, 'x', 200000);
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", text, 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    struct str sql = event_of(p, EVENT_APPLIED, 0)->sql;
    assert_true(sql.len > EVENT_SQL_MAX_BYTES - 16 && sql.len <= EVENT_SQL_MAX_BYTES);
    assert_true(str_ends(sql, STR("x…")));
    assert_whole(p, "cut");
}

/* ---- resumed ---- */

/* Stops behind the second of three steps. */
static struct fake_project *make_half_done(struct arena *a)
{
    struct fake_project *p =
        fake_project_make(a, directory, FILES({"1_a.sql", "a; alone x; wrong;", 0}));
    p->db->refused_text = STR("wrong");
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_INCOMPLETE);
    assert_int_equal(p->db->history.at[0].units_done, 2);
    return p;
}

static void the_part_that_failed_may_be_mended(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_half_done(a);
    project_files(p, directory, FILES({"1_a.sql", "a; alone x; right; alone y;", 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "mended");
    assert_whole(p, "mended");
    assert_int_equal(p->db->history.at[0].units_done, 4);
    struct digest now = digest_of(STR("a; alone x; right; alone y;"));
    assert_true(str_equal(p->db->history.at[0].digest_raw, digest_str(&now)));
}

static void the_part_that_is_done_may_not_be_edited(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_half_done(a);
    size_t effects = p->db->effects.count;
    project_files(p, directory, FILES({"1_a.sql", "a2; alone x; right;", 0}));
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INTEGRITY);
    assert_string_equal(run.fail.message, "the part of 1 that was already executed was edited");
    assert_non_null(strstr(run.fail.detail, "step 1"));
    assert_int_equal(p->db->effects.count, effects);
    assert_whole(p, "edited");
}

static void a_script_cut_down_to_what_is_done_is_complete(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_half_done(a);
    project_files(p, directory, FILES({"1_a.sql", "a; alone x;", 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "cut down");
    assert_whole(p, "cut down");
}

static void a_script_cut_down_to_less_than_is_done_is_refused(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_half_done(a);
    project_files(p, directory, FILES({"1_a.sql", "a;", 0}));
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INTEGRITY);
    assert_non_null(strstr(run.fail.message, "was edited"));
    assert_whole(p, "cut down");
}

static void comments_do_not_matter_to_what_is_done(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_half_done(a);
    project_files(p, directory, FILES({"1_a.sql", "-- why\na;\n\nalone x;  right", 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "comments");
}

static void a_repeatable_runs_again_when_its_text_changes(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"r.sql", "a; alone x; b;", 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    project_files(p, directory, FILES({"r.sql", "c; alone y; d;", 0}));
    assert_int_equal(run_project(p, FAKE_KILL_AFTER, 6).code, EXIT_INCOMPLETE);
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "again");
    assert_whole(p, "again");
    assert_int_equal(p->db->history.count, 2);
    assert_int_equal(p->db->history.at[1].rank, 2);
}

/* ---- retries ---- */

static void a_lock_timeout_is_tried_again_and_told(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", "a; b;", 0}));
    struct fake_run run = run_project(p, FAKE_LOCK_TIMEOUT, 4);
    assert_true(run.was_struck);
    assert_int_equal(run.code, EXIT_DONE);
    assert_int_equal(count_events(p, EVENT_RETRIED), 1);
    assert_true(str_equal(event_of(p, EVENT_RETRIED, 0)->sqlstate, STR("55P03")));
    assert_int_equal(p->db->history.at[0].statements, 2);
    assert_finished(p, "retried");
}

static void a_lock_that_is_never_had_ends_busy(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", "a; b;", 0}));
    p->db->is_locked = true;
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_BUSY);
    assert_int_equal(count_events(p, EVENT_RETRIED), 2);
    assert_int_equal(count_events(p, EVENT_FAILED), 1);
    assert_non_null(strstr(run.fail.hint, "through 3 tries"));
    assert_int_equal(p->db->effects.count, 0);
}

static void outside_a_transaction_only_what_did_nothing_is_tried_again(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum transaction_mode mode;
        int64_t tries;
    } cases[] = {
        {"again x;", 0, 2}, {"a;", TRANSACTION_NONE, 2}, {"set a;", TRANSACTION_NONE, 2},
        {"alone x;", 0, 0}, {"blind x;", 0, 0},          {"perhaps x;", TRANSACTION_NONE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *arena = arena_make();
        struct fake_project *tried =
            fake_project_make(arena, directory, FILES({"1_a.sql", cases[i].text, cases[i].mode}));
        tried->db->is_locked = true;
        (void)run_project(tried, FAKE_NO_FAULT, 0);
        if ((int64_t)count_events(tried, EVENT_RETRIED) != cases[i].tries)
            fail_msg("%s", cases[i].text);
        assert_int_equal(count_events(tried, EVENT_FAILED), 1);
        tried->db->is_locked = false;
        assert_int_equal(run_project(tried, FAKE_NO_FAULT, 0).code, EXIT_DONE);
        assert_finished(tried, cases[i].text);
    }
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", "alone x;", 0}));
    p->db->is_locked = true;
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_BUSY);
    assert_int_equal(count_events(p, EVENT_RETRIED), 0);
    p->db->is_locked = false;
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "alone");
}

/* ---- signals ---- */

static void a_signal_between_migrations_stops_the_run(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", "a;", 0}));
    p->stop_signal = SIGINT;
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_SIGINT);
    assert_string_equal(run.fail.message, "stopped by SIGINT");
    assert_int_equal(p->db->effects.count, 0);
    assert_int_equal(count_events(p, EVENT_RUN_FINISHED), 1);
    p->stop_signal = 0;
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
}

static void a_signal_during_the_pause_before_a_retry_stops_the_run(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", "a;", 0}));
    p->db->is_locked = true;
    signalled = p;
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    signalled = NULL;
    assert_int_equal(run.code, EXIT_SIGTERM);
    assert_int_equal(p->db->effects.count, 0);
}

/* ---- scripts ---- */

static void never_done(void *context, const struct execution_result *result)
{
    (void)context;
    (void)result;
    fail_msg("it is not done");
}

static void a_file_that_changes_under_the_run_is_not_committed(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, FILES({"1_a.sql", "a;", 0}));
    struct plan plan;
    const struct history_row **rows;
    plan_pending(p, &p->db->history, &plan, &rows);
    fixture_write(directory, "1_a.sql", "b;");
    struct run_identity who = {
        .run = "r", .actor = "", .db_role = "", .host = "", .git_commit = "", .git_author = ""};
    struct journal journal = journal_start(&who, &p->db->history);
    struct script_context script = fake_script_context();
    struct run_context context = {
        .driver = fake_driver(),
        .connection = fake_connect(a, p->db, FAKE_NO_FAULT, 0),
        .journal = &journal,
        .script = &script,
        .lock_attempts = 1,
        .lock_budget_ms = 1,
        .stop_signal = &p->stop_signal,
    };
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct execution *x = execution_start(&context, &plan.migrations[0], NULL, never_done, NULL);
    assert_false(execution_run(x, &f));
    execution_end(x);
    context.driver->close(context.connection);
    assert_int_equal(f.code, EXIT_INTEGRITY);
    assert_non_null(strstr(f.message, "was changed while it was being applied"));
    assert_int_equal(p->db->effects.count, 0);
    assert_int_equal(p->db->history.count, 0);
}

static void data_of_copy_reach_the_database(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p =
        fake_project_make(a, directory, FILES({"1_a.sql", "a; copy t;\n1;2\n3\n\\.\nb;", 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "copy");
    assert_int_equal(p->db->effects.at[1].copied_bytes, 6);
}

static void the_session_is_reset_behind_a_migration_that_touched_it(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p =
        fake_project_make(a, directory, FILES({"1_a.sql", "set s; a;", 0}, {"2_b.sql", "b;", 0}));
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_true(str_equal(p->db->effects.at[0].session, STR("set s")));
    assert_true(str_is_empty(p->db->effects.at[1].session));
}

static void the_journal_goes_on_behind_the_highest_rank_and_the_last_event(void **state)
{
    (void)state;
    struct history_row rows[] = {{.rank = 7}, {.rank = 3}};
    struct digest head = digest_of(STR("head"));
    struct history h = {
        .exists = true, .at = rows, .count = 2, .head_id = 41, .head_digest = digest_str(&head)};
    struct journal j = journal_start(&(struct run_identity){.run = "r"}, &h);
    assert_int_equal(j.next_rank, 8);
    assert_int_equal(j.next_id, 42);
    assert_string_equal(j.head.hex, head.hex);
}

static void entries_carry_the_servers_time(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct run_identity who = {.run = "r", .clock_offset_us = 86400LL * 1000000};
    struct journal j = journal_start(&who, &(struct history){0});
    const char *tomorrow = clock_iso(a, clock_wall_us() + 86400LL * 1000000);
    assert_int_equal(strncmp(journal_now(a, &j).at, tomorrow, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_framed_and_each_migration_recorded),
        cmocka_unit_test(a_single_migration_that_fails_changes_nothing_and_exits_1),
        cmocka_unit_test(what_was_applied_before_a_failure_stays_and_exits_5),
        cmocka_unit_test(a_failure_behind_a_done_step_does_not_speak_of_that_step),
        cmocka_unit_test(secrets_are_not_in_the_history),
        cmocka_unit_test(long_sql_is_cut_in_the_history),
        cmocka_unit_test(the_part_that_failed_may_be_mended),
        cmocka_unit_test(the_part_that_is_done_may_not_be_edited),
        cmocka_unit_test(a_script_cut_down_to_what_is_done_is_complete),
        cmocka_unit_test(a_script_cut_down_to_less_than_is_done_is_refused),
        cmocka_unit_test(comments_do_not_matter_to_what_is_done),
        cmocka_unit_test(a_repeatable_runs_again_when_its_text_changes),
        cmocka_unit_test(a_lock_timeout_is_tried_again_and_told),
        cmocka_unit_test(a_lock_that_is_never_had_ends_busy),
        cmocka_unit_test(outside_a_transaction_only_what_did_nothing_is_tried_again),
        cmocka_unit_test(a_signal_between_migrations_stops_the_run),
        cmocka_unit_test(a_signal_during_the_pause_before_a_retry_stops_the_run),
        cmocka_unit_test(a_file_that_changes_under_the_run_is_not_committed),
        cmocka_unit_test(data_of_copy_reach_the_database),
        cmocka_unit_test(the_session_is_reset_behind_a_migration_that_touched_it),
        cmocka_unit_test(the_journal_goes_on_behind_the_highest_rank_and_the_last_event),
        cmocka_unit_test(entries_carry_the_servers_time),
    };
    return cmocka_run_group_tests_name("core/run/apply", tests, make_directory, NULL);
}
