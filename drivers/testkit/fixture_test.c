/* The test kit itself: programs are run and killed, clusters start, answer, crash and come back. */
#include "drivers/testkit/fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/testkit/pg_cluster.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static void run_program_captures_output_and_status(void **state UNUSED)
{
    const char *const argv[] = {"sh", "-c", "cat; echo \"$WORD\" >&2; exit 7", NULL};
    const char *const env[] = {"WORD=mouse", NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .env = env, .input = "cheese"});

    assert_int_equal(r.exit_code, 7);
    assert_string_equal(r.out, "cheese");
    assert_string_equal(r.err, "mouse\n");
    assert_false(r.is_timed_out);
    program_result_release(&r);
}

static void run_program_kills_at_the_moment_asked_for(void **state UNUSED)
{
    const char *const argv[] = {"sleep", "600", NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .kill_after_ms = 20});

    assert_int_equal(r.signal_number, SIGKILL);
    assert_false(r.is_timed_out);
    program_result_release(&r);
}

static void run_program_ends_what_takes_too_long(void **state UNUSED)
{
    const char *const argv[] = {"sleep", "30", NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .timeout_ms = 20});

    assert_true(r.is_timed_out);
    program_result_release(&r);
}

/* What the test below runs as another program. */
static void make_a_directory_and_crash(void)
{
    const char *directory = fixture_directory();

    fixture_write(directory, "deep/file", "x");
    (void)printf("%s", directory);
    (void)fflush(stdout);
    (void)raise(SIGKILL);
}

static void everything_vanishes_when_the_test_program_is_killed(void **state UNUSED)
{
    const char *const argv[] = {"/proc/self/exe", "crash", NULL};
    struct program_result r = run_argv(argv);
    struct stat st;

    assert_int_equal(r.signal_number, SIGKILL);
    assert_true(r.out_len > 0);
    for (int i = 0; i < FIXTURE_PATIENCE_MS / 5 && stat(r.out, &st) == 0; i++)
        (void)usleep(5000);
    assert_int_not_equal(stat(r.out, &st), 0);
    program_result_release(&r);
}

static void a_cluster_gives_each_test_its_database(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "one");
    (void)pg_cluster_database(cluster, "two");
    pg_cluster_execute(cluster, "one",
                       "CREATE TABLE t (a int, b text); INSERT INTO t "
                       "VALUES (1, NULL), (2, 'x')");
    assert_string_equal(pg_cluster_query(cluster, "one", "SELECT * FROM t ORDER BY a"), "1|\n2|x");
    assert_string_equal(pg_cluster_query(cluster, "two", "SELECT * FROM t"),
                        "ERROR: 42P01 relation \"t\" does not exist");
}

static void a_cluster_comes_back_after_crashes(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "crash");
    pg_cluster_execute(cluster, "crash", "CREATE TABLE t AS SELECT 1 AS a");
    pg_cluster_restart(cluster, true);
    assert_string_equal(pg_cluster_query(cluster, "crash", "TABLE t"), "1");
    pg_cluster_restart(cluster, false);
    assert_string_equal(pg_cluster_query(cluster, "crash", "TABLE t"), "1");
}

static void a_cluster_can_ask_for_passwords_over_tcp(void **state UNUSED)
{
    struct pg_cluster *c =
        pg_cluster_start(&(struct pg_cluster_options){.is_tcp = true, .password = "mouse-trap"});

    const char *const argv[] = {"psql", "-XAtc", "SELECT 'in'",
                                pg_cluster_tcp_url(c, "postgres", NULL), NULL};
    struct program_result r = run_argv(argv);
    assert_string_equal(r.out, "in\n");
    program_result_release(&r);
    const char *const wrong[] = {"psql", "-XAtwc", "SELECT 'in'",
                                 pg_cluster_url(c, "postgres", NULL), NULL};
    r = run_argv(wrong);
    assert_int_equal(r.exit_code, 2);
    program_result_release(&r);
    pg_cluster_stop(c);
}

int main(int argc, char **argv UNUSED)
{
    if (argc > 1)
        make_a_directory_and_crash();

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_program_captures_output_and_status),
        cmocka_unit_test(run_program_kills_at_the_moment_asked_for),
        cmocka_unit_test(run_program_ends_what_takes_too_long),
        cmocka_unit_test(everything_vanishes_when_the_test_program_is_killed),
        cmocka_unit_test(a_cluster_gives_each_test_its_database),
        cmocka_unit_test(a_cluster_comes_back_after_crashes),
        cmocka_unit_test(a_cluster_can_ask_for_passwords_over_tcp),
    };

    return cmocka_run_group_tests_name("fixture", tests, start_cluster, NULL);
}
