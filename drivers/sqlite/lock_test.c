/* The note that names the run under way: who waits for whom, and who never has to. */
#include "drivers/sqlite/testing.h"

#include "core/base/clock.h"
#include "drivers/sqlite/connection.h"

#include <sys/wait.h>
#include <unistd.h>

static struct connection *open_other(struct bench *b, size_t i)
{
    struct connect_options options = test_options(b);
    options.application_name = "migrate test run=2";
    b->others[i] = test_open_with(b, &options);
    return b->others[i];
}

static bool take(struct bench *b, struct connection *c, const char *run, struct lock_holder *holder)
{
    bool is_ours = false;
    *holder = (struct lock_holder){0};
    must(b, b->driver->try_lock(b->arena, c, run, &is_ours, holder, &b->fail));
    return is_ours;
}

static void the_first_run_has_it_and_is_named_to_the_second(void **state)
{
    struct bench *b = *state;
    struct lock_holder holder;
    struct connect_options options = test_options(b);
    b->connection = test_open_with(b, &options);
    struct connection *other = open_other(b, 0);
    int64_t before_us = clock_wall_us();
    assert_true(take(b, b->connection, "one", &holder)); /* before there are any tables */
    assert_true(take(b, b->connection, "one", &holder));
    b->driver->announce(b->connection, "3/7 0042_add_index");
    assert_false(take(b, other, "two", &holder));
    assert_contains(holder.who, "migrate test run=1");
    assert_contains(holder.who, fixture_text("process %d", (int)getpid()));
    assert_string_equal(holder.doing, "3/7 0042_add_index");
    assert_true(holder.since_us >= before_us && holder.since_us <= clock_wall_us());
    b->driver->unlock(b->connection);
    assert_true(take(b, other, "two", &holder));
    b->driver->unlock(b->connection); /* not ours any more: nothing happens */
    assert_false(take(b, b->connection, "three", &holder));
}

static void asking_does_not_wait_while_another_writes(void **state)
{
    struct bench *b = *state;
    struct lock_holder holder;
    struct connect_options options = test_options(b);
    options.lock_timeout_ms = 0; /* who waited would wait for ever */
    struct connection *c = b->connection = test_open_with(b, &options);
    must(b, b->driver->prepare_history(c, &b->fail));
    struct connection *other = open_other(b, 0);
    test_run(b, "BEGIN EXCLUSIVE");
    assert_false(take(b, c, "one", &holder));
    assert_non_null(holder.who);
    test_run(b, "ROLLBACK");
    assert_true(take(b, c, "one", &holder));
    /* In the middle of a unit the note still answers. */
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    assert_false(take(b, other, "two", &holder));
    assert_contains(holder.who, "migrate test run=1");
    must(b, b->driver->rollback(c, &b->fail));
}

static void a_killed_run_never_blocks_the_next(void **state)
{
    struct bench *b = *state;
    struct lock_holder holder;
    struct connection *c = test_open(b);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct connection *other = open_other(b, 0);
        bool is_ours = take(b, other, "killed", &holder);
        kill(getpid(), is_ours ? SIGKILL : SIGTERM);
    }
    /* Not yet asked for by its parent (a zombie), and then. */
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, SIGKILL);
    assert_string_equal(test_ask(b, "SELECT run FROM migrator_lock"), "killed");
    assert_true(take(b, c, "next", &holder));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_string_equal(test_ask(b, "SELECT run FROM migrator_lock"), "next");
}

static void a_number_given_out_again_is_another_process(void **state)
{
    struct bench *b = *state;
    struct lock_holder holder;
    struct connection *c = test_open(b);
    struct connection *other = open_other(b, 0);
    assert_true(take(b, other, "old", &holder));
    /* Our own number with another start time. */
    test_run(b, "UPDATE migrator_lock SET process = process || '9'");
    assert_true(take(b, c, "new", &holder));
}

static void a_note_from_elsewhere_is_replaced(void **state)
{
    struct bench *b = *state;
    struct lock_holder holder;
    struct connection *c = test_open(b);
    struct connection *other = open_other(b, 0);
    assert_true(take(b, other, "there", &holder));
    test_run(b, "UPDATE migrator_lock SET host = 'elsewhere', process = 'other-boot pid:[1] 77'");
    assert_true(take(b, c, "here", &holder));
    assert_string_equal(test_ask(b, "SELECT run FROM migrator_lock"), "here");
    /* Should it work on, it changes nothing: */
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE t (a)")));
    struct unit_options options = {.expected_head_id = 0};
    assert_false(b->driver->begin(other, &options, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_HISTORY_MOVED);
}

static void announcing_costs_no_commit_of_its_own_while_units_commit(void **state)
{
    struct bench *b = *state;
    struct lock_holder holder;
    struct connection *c = test_open(b);
    assert_true(take(b, c, "one", &holder));
    const char *version = test_ask(b, "PRAGMA data_version");
    b->driver->announce(c, "1/3 first"); /* the first is written at once */
    const char *first = test_ask(b, "PRAGMA data_version");
    assert_string_not_equal(version, first);
    b->driver->announce(c, "2/3 second"); /* too soon */
    assert_string_equal(test_ask(b, "PRAGMA data_version"), first);
    assert_string_equal(test_ask(b, "SELECT doing FROM migrator_lock"), "1/3 first");
    c->doing_written_us -= 2000000;
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    b->driver->announce(c, "3/3 third");
    must(b, test_commit(b, c));
    assert_string_equal(test_ask(b, "SELECT doing FROM migrator_lock"), "3/3 third");
}

static void processes_prove_themselves(void **state)
{
    struct bench *b = *state;
    struct str own = str_of(sqlite_process_identity(b->arena));
    assert_true(own.len > 0);
    assert_int_equal(sqlite_process_ask(getpid(), own), PROCESS_RUNS);
    struct str later = str_of(arena_printf(b->arena, "%.*s9", STR_ARG(own)));
    assert_int_equal(sqlite_process_ask(getpid(), later), PROCESS_IS_GONE);
    assert_int_equal(sqlite_process_ask(getpid(), STR("elsewhere 1 2")), PROCESS_UNKNOWN);
    assert_int_equal(sqlite_process_ask(getpid(), STR("")), PROCESS_UNKNOWN);
    assert_int_equal(sqlite_process_ask(0, own), PROCESS_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_run_has_it_and_is_named_to_the_second),
        TEST(asking_does_not_wait_while_another_writes),
        TEST(a_killed_run_never_blocks_the_next),
        TEST(a_number_given_out_again_is_another_process),
        TEST(a_note_from_elsewhere_is_replaced),
        TEST(announcing_costs_no_commit_of_its_own_while_units_commit),
        TEST(processes_prove_themselves),
    };
    return cmocka_run_group_tests_name("sqlite run lock", tests, NULL, NULL);
}
