/* Growing text: always terminated, bounded just under and just over its maximum, and sticky then.
 */
#include "core/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void an_empty_one_is_a_text(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {0};
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(buf_str(&b).len, 0);
    buf_clear(&b);
    buf_drop(&b, 5);
    buf_add(&b, NULL, 0);
    assert_string_equal(buf_cstr(&b), "");
    assert_false(b.is_overflown);
}

static void pieces_follow_each_other(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {0};
    buf_add_cstr(&b, "select");
    buf_add_char(&b, ' ');
    buf_add_str(&b, STR("1"));
    buf_printf(&b, ", %d, '%s'", 22, "x");
    buf_add(&b, "\0y", 2);
    assert_int_equal(b.len, sizeof("select 1, 22, 'x'\0y") - 1);
    assert_memory_equal(buf_cstr(&b), "select 1, 22, 'x'\0y", b.len + 1);
}

static void it_grows_and_stays_terminated(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {0};
    for (size_t i = 0; i < 100000; i++) {
        buf_add_char(&b, (char)('a' + i % 26));
        if (b.at[b.len] != '\0')
            fail_msg("no NUL behind %zu bytes", b.len);
    }
    assert_int_equal(b.len, 100000);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.at[i], (char)('a' + i % 26));
}

static void the_maximum_can_be_filled_and_not_passed(void **state)
{
    (void)state;
    static const size_t maxima[] = {1, 2, 127, 128, 129, 1000};
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        SCOPED(buf) struct buf b = {.max = maxima[i]};
        for (size_t n = 0; n < maxima[i]; n++)
            buf_add_char(&b, 'x');
        assert_false(b.is_overflown);
        assert_int_equal(b.len, maxima[i]);
        buf_add(&b, NULL, 0);
        assert_false(b.is_overflown);
        buf_add_char(&b, 'y');
        assert_true(b.is_overflown);
        assert_int_equal(b.len, maxima[i]);
        assert_int_equal(strlen(buf_cstr(&b)), maxima[i]);
        assert_null(strchr(buf_cstr(&b), 'y'));
    }
}

static void the_maximum_holds_for_printf_as_well(void **state)
{
    (void)state;
    SCOPED(buf) struct buf under = {.max = 10};
    buf_printf(&under, "%s", "0123456789");
    assert_false(under.is_overflown);
    assert_string_equal(buf_cstr(&under), "0123456789");
    SCOPED(buf) struct buf over = {.max = 10};
    buf_printf(&over, "%s", "0123456789+");
    assert_true(over.is_overflown);
    assert_string_equal(buf_cstr(&over), "");
}

static void nothing_follows_a_piece_that_was_dropped(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {.max = 8};
    buf_add_cstr(&b, "one ");
    buf_add_cstr(&b, "two three");
    buf_add_cstr(&b, "4");
    assert_true(b.is_overflown);
    assert_string_equal(buf_cstr(&b), "one ");
    buf_clear(&b);
    assert_false(b.is_overflown);
    buf_add_cstr(&b, "4");
    assert_string_equal(buf_cstr(&b), "4");
}

static void a_length_near_the_end_of_numbers_is_refused(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {0};
    buf_add_cstr(&b, "abc");
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_true(b.is_overflown);
    buf_clear(&b);
    assert_false(buf_reserve(&b, BUF_MAX_DEFAULT + 1));
    assert_int_equal(b.len, 0);
}

static void reserved_room_can_be_written_to(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {.max = 5000};
    buf_add_cstr(&b, "ab");
    assert_true(buf_reserve(&b, 4998));
    const char *before = b.at;
    memset(b.at + b.len, 'z', 4998);
    b.len += 4998;
    buf_add(&b, NULL, 0); /* puts the NUL */
    assert_ptr_equal(before, b.at);
    assert_int_equal(strlen(buf_cstr(&b)), 5000);
    assert_false(buf_reserve(&b, 1));
}

static void dropping_takes_from_the_front(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {0};
    buf_add_cstr(&b, "abcdef");
    buf_drop(&b, 2);
    assert_string_equal(buf_cstr(&b), "cdef");
    buf_drop(&b, 0);
    assert_string_equal(buf_cstr(&b), "cdef");
    buf_drop(&b, 100);
    assert_string_equal(buf_cstr(&b), "");
    buf_add_cstr(&b, "g");
    assert_string_equal(buf_cstr(&b), "g");
}

static void clearing_keeps_the_memory_and_releasing_the_maximum(void **state)
{
    (void)state;
    SCOPED(buf) struct buf b = {.max = 300};
    buf_printf(&b, "%0200d", 1);
    const char *at = b.at;
    buf_clear(&b);
    assert_string_equal(buf_cstr(&b), "");
    buf_printf(&b, "%0200d", 1);
    assert_ptr_equal(at, b.at);
    buf_release(&b);
    assert_null(b.at);
    assert_int_equal(b.max, 300);
    buf_add_cstr(&b, "again");
    assert_string_equal(buf_cstr(&b), "again");
}

static void done_is_a_copy(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf b = {0};
    struct str empty = buf_done(a, &b);
    buf_add_cstr(&b, "text");
    struct str text = buf_done(a, &b);
    buf_clear(&b);
    buf_add_cstr(&b, "else");
    assert_string_equal(text.at, "text");
    assert_string_equal(empty.at, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_is_a_text),
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(it_grows_and_stays_terminated),
        cmocka_unit_test(the_maximum_can_be_filled_and_not_passed),
        cmocka_unit_test(the_maximum_holds_for_printf_as_well),
        cmocka_unit_test(nothing_follows_a_piece_that_was_dropped),
        cmocka_unit_test(a_length_near_the_end_of_numbers_is_refused),
        cmocka_unit_test(reserved_room_can_be_written_to),
        cmocka_unit_test(dropping_takes_from_the_front),
        cmocka_unit_test(clearing_keeps_the_memory_and_releasing_the_maximum),
        cmocka_unit_test(done_is_a_copy),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
