/* The eight modes: their names, and who waits for whom. */
#include "core/model/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

/* The table of https://www.postgresql.org/docs/18/explicit-locking.html#LOCKING-TABLES: a row for the
   mode that is asked for, a column for the one that is held. */
static const char *const matrix[] = {
    /* AS  RS  RX SUE   S SRX   X  AX */
    ".......x", /* ACCESS SHARE */
    "......xx", /* ROW SHARE */
    "....xxxx", /* ROW EXCLUSIVE */
    "...xxxxx", /* SHARE UPDATE EXCLUSIVE */
    "..xx.xxx", /* SHARE */
    "..xxxxxx", /* SHARE ROW EXCLUSIVE */
    ".xxxxxxx", /* EXCLUSIVE */
    "xxxxxxxx", /* ACCESS EXCLUSIVE */
};

static void conflicts_are_those_of_the_manual(void **state)
{
    (void)state;
    for (size_t asked = 0; asked < ARRAY_LEN(matrix); asked++) {
        for (size_t held = 0; held < ARRAY_LEN(matrix); held++) {
            bool expected = matrix[asked][held] == 'x';
            enum lock_mode a = (enum lock_mode)(asked + LOCK_ACCESS_SHARE);
            enum lock_mode b = (enum lock_mode)(held + LOCK_ACCESS_SHARE);
            if (lock_modes_conflict(a, b) != expected || lock_modes_conflict(b, a) != expected)
                fail_msg("%s and %s", lock_mode_sql(a), lock_mode_sql(b));
        }
    }
}

static void no_lock_conflicts_with_nothing(void **state)
{
    (void)state;
    for (int m = LOCK_NONE; m < LOCK_MODE_MAX; m++) {
        assert_false(lock_modes_conflict(LOCK_NONE, (enum lock_mode)m));
        assert_false(lock_modes_conflict((enum lock_mode)m, LOCK_NONE));
    }
    assert_string_equal(lock_mode_name(LOCK_NONE), "");
    assert_string_equal(lock_mode_sql(LOCK_NONE), "");
}

/* "SHARE UPDATE EXCLUSIVE" is ShareUpdateExclusiveLock. */
static void both_names_are_the_same_words(void **state)
{
    (void)state;
    for (int m = LOCK_ACCESS_SHARE; m < LOCK_MODE_MAX; m++) {
        char joined[64] = "";
        size_t len = 0;
        bool is_first = true;
        for (const char *at = lock_mode_sql((enum lock_mode)m); *at; at++) {
            if (*at != ' ')
                joined[len++] = is_first ? *at : char_lower(*at);
            is_first = *at == ' ';
        }
        memcpy(joined + len, "Lock", sizeof("Lock"));
        assert_string_equal(joined, lock_mode_name((enum lock_mode)m));
    }
}

static void readers_and_writers_wait_for_what_they_must(void **state)
{
    (void)state;
    for (int m = LOCK_NONE; m < LOCK_MODE_MAX; m++) {
        assert_int_equal(lock_blocks_reads((enum lock_mode)m), m == LOCK_ACCESS_EXCLUSIVE);
        assert_int_equal(lock_blocks_writes((enum lock_mode)m), m >= LOCK_SHARE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conflicts_are_those_of_the_manual),
        cmocka_unit_test(no_lock_conflicts_with_nothing),
        cmocka_unit_test(both_names_are_the_same_words),
        cmocka_unit_test(readers_and_writers_wait_for_what_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
