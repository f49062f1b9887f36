/* The last COMMIT of a migration is not waited for: whose failure it is, and what was told when. */
#include "core/run/run_testing.h"

static const char *directory;

static int make_directory(void **state)
{
    (void)state;
    directory = fixture_directory();
    return 0;
}

#define FILES(...) ((const struct file_text[FILES_MAX]){__VA_ARGS__})

static struct fake_project *project(struct arena *a, const struct file_text *files)
{
    struct fake_project *p = fake_project_make(a, directory, files);
    p->goes_ahead = true;
    return p;
}

static size_t count_events(const struct fake_project *p, const char *kind, const char *version)
{
    size_t count = 0;
    for (size_t i = 0; i < p->db->events.count; i++)
        count += str_equal(p->db->events.at[i].kind, str_of(kind)) &&
                 str_equal(p->db->events.at[i].version, str_of(version));
    return count;
}

#define THREE FILES({"1_a.sql", "a;", 0}, {"2_b.sql", "b;\nb2;", 0}, {"3_c.sql", "c;", 0})

static void all_is_done_in_order_and_told(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_DONE);
    assert_int_equal(run.outcome.applied, 3);
    assert_int_equal(run.outcome.statements, 4);
    assert_int_equal(p->watched_after, 3);
    assert_finished(p, "ahead");
    assert_whole(p, "ahead");
}

static void a_failure_in_the_next_one_leaves_the_one_before(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    p->db->refused_text = STR("b2");
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    assert_int_equal(run.outcome.applied, 1);
    assert_int_equal(p->watched_after, 1);
    assert_non_null(strstr(run.fail.file, "2_b.sql"));
    assert_int_equal(run.fail.line, 2);
    assert_non_null(strstr(run.fail.detail, "1 of 3. 2 is not applied"));
    assert_int_equal(p->db->history.count, 1);
    assert_int_equal(count_events(p, EVENT_APPLIED, "1"), 1);
    assert_int_equal(count_events(p, EVENT_FAILED, "2"), 1);
    assert_truthful(p, "failed");
    assert_whole(p, "failed");
}

static void a_commit_that_fails_is_the_failure_of_its_migration(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    p->db->refused_at_commit = STR("b");
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    assert_int_equal(run.outcome.applied, 1);
    assert_int_equal(p->watched_after, 1);
    assert_string_equal(run.fail.message, "a deferred constraint says no");
    assert_non_null(strstr(run.fail.file, "b")); /* no statement of the next file is to blame */
    assert_int_equal(run.fail.line, 0);
    assert_non_null(strstr(run.fail.detail, "1 of 3. 2 is not applied"));
    assert_int_equal(fake_count(p->db, STR("c")), 0);
    assert_int_equal(count_events(p, EVENT_FAILED, "2"), 1);
    assert_int_equal(count_events(p, EVENT_FAILED, "3"), 0);
    assert_truthful(p, "failed");
    assert_whole(p, "failed");
    p->db->refused_at_commit = STR("");
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_finished(p, "mended");
    assert_whole(p, "mended");
}

static void the_first_commit_that_fails_changes_nothing(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    p->db->refused_at_commit = STR("a");
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_FAILED);
    assert_int_equal(p->db->effects.count, 0);
    assert_int_equal(p->db->history.count, 0);
    assert_int_equal(count_events(p, EVENT_FAILED, "1"), 1);
    assert_whole(p, "failed");
}

/* Calls: 1 run started, 2 begin, 3 a, 4 COMMIT. */
static void a_deadlock_at_commit_is_tried_again_and_what_followed_goes_back(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    struct fake_run run = run_project(p, FAKE_LOCK_TIMEOUT, 4);
    assert_true(run.was_struck);
    assert_int_equal(run.code, EXIT_DONE);
    assert_int_equal(run.outcome.applied, 3);
    assert_int_equal(count_events(p, EVENT_RETRIED, "1"), 1);
    assert_int_equal(count_events(p, EVENT_RETRIED, "2"), 0);
    assert_finished(p, "retried");
    assert_whole(p, "retried");
}

/* Calls: as above, 5 begin, 6 b: the COMMIT is answered before. */
static void a_lock_timeout_in_the_next_one_leaves_the_commit(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    struct fake_run run = run_project(p, FAKE_LOCK_TIMEOUT, 6);
    assert_true(run.was_struck);
    assert_int_equal(run.code, EXIT_DONE);
    assert_int_equal(run.outcome.applied, 3);
    assert_int_equal(p->watched_after, 3);
    assert_int_equal(count_events(p, EVENT_RETRIED, "1"), 0);
    assert_int_equal(count_events(p, EVENT_RETRIED, "2"), 1);
    assert_int_equal(fake_count(p->db, STR("a")), 1);
    assert_finished(p, "retried");
    assert_whole(p, "retried");
}

/* The session is reset behind the COMMIT, which a failure there does not undo. */
static void what_fails_behind_a_commit_leaves_it_applied(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, FILES({"1_a.sql", "set x; a;", 0}, {"2_b.sql", "b;", 0}));
    /* Calls: 1 run started, 2 begin, 3 set x, 4 a, 5 COMMIT, 6 reset. */
    struct fake_run run = run_project(p, FAKE_REFUSED, 6);
    assert_true(run.was_struck);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    assert_int_equal(run.outcome.applied, 1);
    assert_int_equal(p->watched_after, 1);
    assert_int_equal(count_events(p, EVENT_APPLIED, "1"), 1);
    assert_int_equal(count_events(p, EVENT_FAILED, "1"), 0);
    assert_whole(p, "reset");
}

/* The driver knows which statement COMMIT failed for: it is one of the file before. */
static void a_commit_that_fails_shows_the_line_of_its_own_file(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = project(a, THREE);
    p->db->refused_at_commit = STR("b2");
    p->db->refused_line = 2;
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    assert_non_null(strstr(run.fail.file, "2_b.sql"));
    assert_int_equal(run.fail.line, 2);
}

/* The next script cannot even be read: the one before is settled first. */
static void a_script_that_cannot_be_run_does_not_lose_the_one_before(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p =
        project(a, FILES({"1_a.sql", "a;", 0}, {"2_b.sql", "BEGIN; alone x; COMMIT;", 0}));
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    assert_int_equal(run.code, EXIT_INCOMPLETE);
    assert_int_equal(run.outcome.applied, 1);
    assert_int_equal(p->db->history.count, 1);
    assert_int_equal(count_events(p, EVENT_APPLIED, "1"), 1);
    assert_whole(p, "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_done_in_order_and_told),
        cmocka_unit_test(a_failure_in_the_next_one_leaves_the_one_before),
        cmocka_unit_test(a_commit_that_fails_is_the_failure_of_its_migration),
        cmocka_unit_test(the_first_commit_that_fails_changes_nothing),
        cmocka_unit_test(a_deadlock_at_commit_is_tried_again_and_what_followed_goes_back),
        cmocka_unit_test(a_lock_timeout_in_the_next_one_leaves_the_commit),
        cmocka_unit_test(what_fails_behind_a_commit_leaves_it_applied),
        cmocka_unit_test(a_commit_that_fails_shows_the_line_of_its_own_file),
        cmocka_unit_test(a_script_that_cannot_be_run_does_not_lose_the_one_before),
    };
    return cmocka_run_group_tests_name("core/run/ahead", tests, make_directory, NULL);
}
