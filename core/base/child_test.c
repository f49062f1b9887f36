/* Other programs: their ends, their words, and ours. */
#include "core/base/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "drivers/testkit/fixture.h"

static struct arena *arena;

static int start(void **state UNUSED)
{
    arena = arena_make();
    return 0;
}

static int end(void **state UNUSED)
{
    arena_release(arena);
    return 0;
}

static int run_shell(const char *script, const char *const *env, struct str *said)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *argv[] = {"sh", "-c", script, NULL};
    int status = -1;
    assert_true(child_run(arena, &(struct child){.argv = argv, .env = env}, &status, said, &f));
    return status;
}

static void its_status_and_words_come_back(void **state UNUSED)
{
    struct str said;
    assert_int_equal(run_shell("echo out; echo err >&2; exit 7", NULL, &said), 7);
    assert_true(str_equal(said, STR("out\nerr\n")));
    assert_int_equal(run_shell("kill -KILL $$", NULL, &said), 128 + SIGKILL);
    assert_int_equal(run_shell("read line || echo none", NULL, &said), 0);
    assert_true(str_equal(said, STR("none\n")));
}

static void its_environment_is_ours_and_more(void **state UNUSED)
{
    const char *env[] = {"HOME=/elsewhere", "MIGRATE_CHILD=a b", "MIGRATE_GONE", NULL};
    struct str said;
    assert_int_equal(setenv("MIGRATE_GONE", "here", 1), 0);
    assert_int_equal(
        run_shell("echo \"$HOME|$MIGRATE_CHILD|${MIGRATE_GONE-gone}|${PATH:+path}\"", env, &said),
        0);
    assert_true(str_equal(said, STR("/elsewhere|a b|gone|path\n")));
}

static void many_words_are_cut(void **state UNUSED)
{
    struct str said;
    assert_int_equal(run_shell("yes | head -c 1000000", NULL, &said), 0);
    assert_int_equal(said.len, 65536);
}

static void what_is_not_there_is_told(void **state UNUSED)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *argv[] = {"no-such-program", NULL};
    int status;
    struct str said;
    assert_false(child_run(arena, &(struct child){.argv = argv}, &status, &said, &f));
    assert_int_equal(f.code, EXIT_USAGE);
    assert_string_equal(f.message, "there is no program no-such-program in PATH");
}

static void it_ends_when_we_are_to_end(void **state UNUSED)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    volatile sig_atomic_t stop = SIGTERM;
    const char *argv[] = {"sleep", "600", NULL};
    int status;
    struct str said;
    assert_false(
        child_run(arena, &(struct child){.argv = argv, .stop_signal = &stop}, &status, &said, &f));
    assert_int_equal(f.kind, FAIL_CANCELLED);
    assert_int_equal(f.code, EXIT_SIGTERM);
    assert_int_equal(status, 128 + SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_status_and_words_come_back),
        cmocka_unit_test(its_environment_is_ours_and_more),
        cmocka_unit_test(many_words_are_cut),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(it_ends_when_we_are_to_end),
    };
    return cmocka_run_group_tests(tests, start, end);
}
