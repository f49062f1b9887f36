/* Slices: comparing, cutting, searching, numbers; each with the empty slice and its NULL. */
#include "core/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define EMPTY ((struct str){0})

static void assert_str(struct str is, const char *wanted)
{
    if (!str_equal(is, str_of(wanted)))
        fail_msg("\"%.*s\" should be \"%s\"", STR_ARG(is), wanted);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void slices_are_made_of_texts_and_of_nothing(void **state)
{
    (void)state;
    assert_str(STR("abc"), "abc");
    assert_str(str_of("abc"), "abc");
    assert_true(str_is_empty(str_of(NULL)));
    assert_true(str_is_empty(STR("")));
    assert_false(str_is_empty(STR(" ")));
    const char *text = "select";
    assert_str(str_range(text + 1, text + 4), "ele");
    assert_true(str_is_empty(str_range(text, text)));
    char line[8];
    (void)snprintf(line, sizeof(line), "<%.*s>", STR_ARG(EMPTY));
    assert_string_equal(line, "<>");
}

static void order_is_bytewise(void **state)
{
    (void)state;
    static const struct {
        struct str a, b;
        int order;
    } rows[] = {
        {{NULL, 0}, {NULL, 0}, 0},      {{NULL, 0}, {"", 0}, 0},   {{NULL, 0}, {"a", 1}, -1},
        {{"a", 1}, {NULL, 0}, 1},       {{"a", 1}, {"a", 1}, 0},   {{"a", 1}, {"ab", 2}, -1},
        {{"b", 1}, {"ab", 2}, 1},       {{"Z", 1}, {"a", 1}, -1},  {{"z", 1}, {"\303\251", 2}, -1},
        {{"a\0b", 3}, {"a\0c", 3}, -1}, {{"10", 2}, {"9", 1}, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (sign(str_compare(rows[i].a, rows[i].b)) != rows[i].order)
            fail_msg("row %zu: order of \"%.*s\" and \"%.*s\"", i, STR_ARG(rows[i].a),
                     STR_ARG(rows[i].b));
        assert_int_equal(str_equal(rows[i].a, rows[i].b), rows[i].order == 0);
    }
}

static void case_is_ignored_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(str_equal_nocase(STR("BEGIN"), STR("begin")));
    assert_true(str_equal_nocase(EMPTY, STR("")));
    assert_false(str_equal_nocase(STR("begin"), STR("begins")));
    assert_false(str_equal_nocase(STR("begins"), STR("begin")));
    assert_false(str_equal_nocase(STR("\303\204"), STR("\303\244"))); /* Ä, ä */
    assert_false(str_equal_nocase(STR("@[`{"), STR("`{@[")));
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("V1__a.sql"), STR("V1")));
    assert_true(str_starts(STR("a"), EMPTY));
    assert_true(str_starts(EMPTY, EMPTY));
    assert_false(str_starts(EMPTY, STR("a")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_starts_nocase(STR("COPY t"), STR("copy ")));
    assert_false(str_starts_nocase(STR("COP"), STR("copy")));
    assert_true(str_ends(STR("a.sql"), STR(".sql")));
    assert_true(str_ends(STR(".sql"), STR(".sql")));
    assert_true(str_ends(EMPTY, EMPTY));
    assert_false(str_ends(STR("sql"), STR(".sql")));
    assert_false(str_ends(STR("a.sqlx"), STR(".sql")));
}

static void skipping_stops_at_the_end(void **state)
{
    (void)state;
    assert_str(str_skip(STR("abc"), 0), "abc");
    assert_str(str_skip(STR("abc"), 1), "bc");
    assert_str(str_skip(STR("abc"), 3), "");
    assert_str(str_skip(STR("abc"), SIZE_MAX), "");
    assert_str(str_skip(EMPTY, 5), "");
}

static void trimming_takes_ascii_white_space_from_both_ends(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t\r\n\v\fa b \n")), "a b");
    assert_str(str_trim(STR(" \n ")), "");
    assert_str(str_trim(STR("a")), "a");
    assert_str(str_trim(EMPTY), "");
    assert_str(str_trim(STR("\302\240a")), "\302\240a"); /* no-break space stays */
}

static void searching_tells_the_first_place_or_none(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a -- b -- c"), STR("--")), 2);
    assert_int_equal(str_find(STR("abc"), EMPTY), 0);
    assert_int_equal(str_find(EMPTY, EMPTY), 0);
    assert_true(str_find(EMPTY, STR("a")) == SIZE_MAX);
    assert_true(str_find(STR("ab"), STR("abc")) == SIZE_MAX);
    assert_int_equal(str_find(STR("a\0b"), STR("b")), 2);
    assert_int_equal(str_find_char(STR("a.b.c"), '.'), 1);
    assert_true(str_find_char(STR("abc"), '.') == SIZE_MAX);
    assert_true(str_find_char(EMPTY, '.') == SIZE_MAX);
}

static void cutting_at_a_character(void **state)
{
    (void)state;
    struct str head;
    assert_str(str_cut(STR("a=b=c"), '=', &head), "b=c");
    assert_str(head, "a");
    assert_str(str_cut(STR("=b"), '=', &head), "b");
    assert_str(head, "");
    assert_str(str_cut(STR("a="), '=', &head), "");
    assert_str(head, "a");
    assert_str(str_cut(STR("abc"), '=', &head), "");
    assert_str(head, "abc");
    assert_str(str_cut(EMPTY, '=', &head), "");
    assert_str(head, "");
}

static void cutting_lines_drops_either_line_end(void **state)
{
    (void)state;
    struct str line;
    struct str rest = STR("one\r\ntwo\n\nthree\r");
    rest = str_cut_line(rest, &line);
    assert_str(line, "one");
    rest = str_cut_line(rest, &line);
    assert_str(line, "two");
    rest = str_cut_line(rest, &line);
    assert_str(line, "");
    rest = str_cut_line(rest, &line);
    assert_str(line, "three");
    assert_true(str_is_empty(rest));
}

static void cutting_the_line_in_hand_does_not_spoil_it(void **state)
{
    (void)state;
    struct str text = STR("head\nrest");
    text = str_cut_line(text, &(struct str){0});
    assert_str(text, "rest");
    struct str same = STR("a,b");
    (void)str_cut(same, ',', &same);
    assert_str(same, "a");
}

static void whole_numbers_without_sign(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_number;
        uint64_t number;
    } rows[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
        {"1e3", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t number = 42;
        bool is_number = str_to_u64(str_of(rows[i].text), &number);
        if (is_number != rows[i].is_number || number != (is_number ? rows[i].number : 42))
            fail_msg("\"%s\" was read as %llu", rows[i].text, (unsigned long long)number);
    }
}

static void whole_numbers_with_sign(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_number;
        int64_t number;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-12", true, -12},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t number = 42;
        bool is_number = str_to_i64(str_of(rows[i].text), &number);
        if (is_number != rows[i].is_number || number != (is_number ? rows[i].number : 42))
            fail_msg("\"%s\" was read as %lld", rows[i].text, (long long)number);
    }
}

static void characters_are_classed_as_in_the_c_locale(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool is_upper = i >= 'A' && i <= 'Z';
        assert_int_equal(char_is_space(c), i && i < 128 && strchr(" \t\n\v\f\r", i) != NULL);
        assert_int_equal(char_is_digit(c), i >= '0' && i <= '9');
        assert_int_equal(char_is_alpha(c), is_upper || (i >= 'a' && i <= 'z'));
        assert_int_equal(char_lower(c), (char)(is_upper ? i + 32 : i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_made_of_texts_and_of_nothing),
        cmocka_unit_test(order_is_bytewise),
        cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(skipping_stops_at_the_end),
        cmocka_unit_test(trimming_takes_ascii_white_space_from_both_ends),
        cmocka_unit_test(searching_tells_the_first_place_or_none),
        cmocka_unit_test(cutting_at_a_character),
        cmocka_unit_test(cutting_lines_drops_either_line_end),
        cmocka_unit_test(cutting_the_line_in_hand_does_not_spoil_it),
        cmocka_unit_test(whole_numbers_without_sign),
        cmocka_unit_test(whole_numbers_with_sign),
        cmocka_unit_test(characters_are_classed_as_in_the_c_locale),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
