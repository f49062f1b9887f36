/* Failures: the first message stays, details add up, copies live on their own. */
#include "core/base/fail.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void none_is_no_failure(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_false(fail_is_set(&f));
    fail_clear(&f);
    assert_false(fail_is_set(&f));
    assert_null(f.arena);
}

static void setting_fills_and_returns_false(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_false(fail_set(&f, EXIT_USAGE, "no such key \"%s\"", "lokcs"));
    assert_true(fail_is_set(&f));
    assert_int_equal(f.code, EXIT_USAGE);
    assert_int_equal(f.kind, FAIL_OTHER);
    assert_string_equal(f.message, "no such key \"lokcs\"");
    assert_null(f.detail);
    assert_null(f.hint);
    assert_null(f.context);
    assert_string_equal(f.sqlstate, "");
}

static void the_first_message_and_code_stay(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    fail_set(&f, EXIT_BUSY, "first");
    assert_false(fail_set(&f, EXIT_FAILED, "second"));
    errno = ENOENT;
    assert_false(fail_errno(&f, EXIT_USAGE, "third"));
    assert_string_equal(f.message, "first");
    assert_int_equal(f.code, EXIT_BUSY);
    assert_int_equal(f.kind, FAIL_OTHER);
}

static void the_systems_words_follow_the_message(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    errno = EACCES;
    assert_false(fail_errno(&f, EXIT_USAGE, "could not open \"%s\"", "a.sql"));
    assert_string_equal(f.message, "could not open \"a.sql\": Permission denied");
    assert_int_equal(f.kind, FAIL_OTHER);
}

static void a_missing_file_is_its_own_kind(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    errno = ENOENT;
    fail_errno(&f, EXIT_USAGE, "could not open");
    assert_int_equal(f.kind, FAIL_NOT_FOUND);
}

static void lines_add_up_in_order(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    fail_set(&f, EXIT_FAILED, "message");
    assert_false(fail_detail(&f, "First %d.", 1));
    assert_false(fail_detail(&f, "Second."));
    assert_false(fail_hint(&f, "Do it."));
    assert_false(fail_wrap(&f, "while reading %s", "a"));
    assert_false(fail_wrap(&f, "while applying b"));
    assert_string_equal(f.detail, "First 1.\nSecond.");
    assert_string_equal(f.hint, "Do it.");
    assert_string_equal(f.context, "while reading a\nwhile applying b");
    assert_string_equal(f.message, "message");
}

static void the_place_is_copied(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    char name[] = "a.sql";
    char line[] = "selec 1";
    fail_set(&f, EXIT_FAILED, "syntax error");
    assert_false(fail_at(&f, str_of(name), 3, 7, str_of(line)));
    name[0] = line[0] = '?';
    assert_string_equal(f.file, "a.sql");
    assert_int_equal(f.line, 3);
    assert_int_equal(f.column, 7);
    assert_string_equal(f.excerpt, "selec 1");
    fail_at(&f, STR("b.sql"), 1, 1, STR(""));
    assert_string_equal(f.file, "b.sql");
    assert_null(f.excerpt);
}

static void clearing_makes_it_usable_again(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    fail_set(&f, EXIT_FAILED, "one");
    fail_hint(&f, "Hint.");
    fail_kind_set(&f, FAIL_DEADLOCK);
    fail_clear(&f);
    assert_false(fail_is_set(&f));
    fail_set(&f, EXIT_BUSY, "two");
    assert_string_equal(f.message, "two");
    assert_null(f.hint);
    assert_int_equal(f.kind, FAIL_OTHER);
}

static void a_copy_outlives_the_failure(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    fail_set(&f, EXIT_FAILED, "message");
    fail_detail(&f, "Detail.");
    fail_hint(&f, "Hint.");
    fail_wrap(&f, "while");
    fail_at(&f, STR("a.sql"), 1, 2, STR("x"));
    memcpy(f.sqlstate, "42P01", 6);
    assert_false(fail_kind_set(&f, FAIL_SERVER));
    struct fail copy = fail_copy(a, &f);
    fail_clear(&f);
    assert_null(copy.arena);
    assert_int_equal(copy.code, EXIT_FAILED);
    assert_int_equal(copy.kind, FAIL_SERVER);
    assert_string_equal(copy.message, "message");
    assert_string_equal(copy.detail, "Detail.");
    assert_string_equal(copy.hint, "Hint.");
    assert_string_equal(copy.context, "while");
    assert_string_equal(copy.file, "a.sql");
    assert_string_equal(copy.excerpt, "x");
    assert_int_equal(copy.line, 1);
    assert_int_equal(copy.column, 2);
    assert_string_equal(copy.sqlstate, "42P01");
}

static void a_copy_may_have_gaps_and_be_added_to(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    fail_set(&f, EXIT_FAILED, "message");
    SCOPED(fail) struct fail copy = fail_copy(a, &f);
    assert_null(copy.hint);
    fail_hint(&copy, "New.");
    assert_string_equal(copy.hint, "New.");
    assert_null(f.hint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_no_failure),
        cmocka_unit_test(setting_fills_and_returns_false),
        cmocka_unit_test(the_first_message_and_code_stay),
        cmocka_unit_test(the_systems_words_follow_the_message),
        cmocka_unit_test(a_missing_file_is_its_own_kind),
        cmocka_unit_test(lines_add_up_in_order),
        cmocka_unit_test(the_place_is_copied),
        cmocka_unit_test(clearing_makes_it_usable_again),
        cmocka_unit_test(a_copy_outlives_the_failure),
        cmocka_unit_test(a_copy_may_have_gaps_and_be_added_to),
    };
    return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
