/* The table of exit codes is what DESIGN promises to pipelines. */
#include "core/base/exit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_numbers_are_the_promised_ones(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *name;
    } promised[] = {
        {0, "done"},      {1, "failed"},        {2, "usage"},        {3, "refused"},
        {4, "integrity"}, {5, "incomplete"},    {6, "busy"},         {10, "pending"},
        {70, "bug"},      {130, "interrupted"}, {143, "terminated"},
    };
    size_t count;
    const struct exit_code_row *rows = exit_code_rows(&count);
    assert_int_equal(count, ARRAY_LEN(promised));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].code, promised[i].number);
        assert_string_equal(rows[i].name, promised[i].name);
        assert_string_equal(exit_code_name(rows[i].code), promised[i].name);
    }
}

static void rows_ascend_and_say_what_they_mean(void **state)
{
    (void)state;
    size_t count;
    const struct exit_code_row *rows = exit_code_rows(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || rows[i - 1].code < rows[i].code);
        assert_true(strlen(rows[i].sentence) > 5);
        assert_true(strlen(rows[i].advice) > 3);
        for (const char *c = rows[i].name; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '-');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_the_promised_ones),
        cmocka_unit_test(rows_ascend_and_say_what_they_mean),
    };
    return cmocka_run_group_tests_name("exit", tests, NULL, NULL);
}
