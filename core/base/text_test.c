/* UTF-8, places and widths, against tables of RFC 3629's edges and a slow second implementation. */
#include "core/base/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/base/arena.h"

#define NONE SIZE_MAX
/* A literal that may hold NUL. Octal escapes: a hexadecimal one would take the letter behind it. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

struct utf8_row {
    const char *name;
    struct str text;
    size_t invalid; /* offset with is_end */
    size_t valid;   /* *out_valid_len */
    bool is_cut;    /* only its end is missing: without is_end it is fine so far */
};

static const struct utf8_row utf8_rows[] = {
    {"empty", BYTES(""), NONE, 0, false},
    {"ASCII", BYTES("select 1"), NONE, 8, false},
    {"ASCII, not a multiple of eight", BYTES("select 12345"), NONE, 12, false},
    {"first of two bytes, U+0080", BYTES("\302\200"), NONE, 2, false},
    {"last of two bytes, U+07FF", BYTES("\337\277"), NONE, 2, false},
    {"first of three bytes, U+0800", BYTES("\340\240\200"), NONE, 3, false},
    {"before the surrogates, U+D7FF", BYTES("\355\237\277"), NONE, 3, false},
    {"behind the surrogates, U+E000", BYTES("\356\200\200"), NONE, 3, false},
    {"last of three bytes, U+FFFF", BYTES("\357\277\277"), NONE, 3, false},
    {"a byte order mark", BYTES("\357\273\277a"), NONE, 4, false},
    {"first of four bytes, U+10000", BYTES("\360\220\200\200"), NONE, 4, false},
    {"last of all, U+10FFFF", BYTES("\364\217\277\277"), NONE, 4, false},
    {"a mixture", BYTES("a\303\251\342\202\254\360\237\230\200z"), NONE, 11, false},
    {"NUL alone", BYTES("\0"), 0, 0, false},
    {"NUL in the first word", BYTES("abc\0defg"), 3, 3, false},
    {"NUL in the second word", BYTES("abcdefgh12\0xyzuv"), 10, 10, false},
    {"NUL at the end", BYTES("abcdefgh\0"), 8, 8, false},
    {"NUL behind a two-byte character", BYTES("\303\251\0"), 2, 2, false},
    {"overlong NUL", BYTES("\300\200"), 0, 0, false},
    {"overlong slash, two bytes", BYTES("\300\257"), 0, 0, false},
    {"overlong U+007F, two bytes", BYTES("\301\277"), 0, 0, false},
    {"overlong slash, three bytes", BYTES("\340\200\257"), 0, 0, false},
    {"overlong U+07FF, three bytes", BYTES("\340\237\277"), 0, 0, false},
    {"overlong slash, four bytes", BYTES("\360\200\200\257"), 0, 0, false},
    {"overlong U+FFFF, four bytes", BYTES("\360\217\277\277"), 0, 0, false},
    {"first surrogate, U+D800", BYTES("\355\240\200"), 0, 0, false},
    {"last surrogate, U+DFFF", BYTES("\355\277\277"), 0, 0, false},
    {"a pair of surrogates", BYTES("a\355\240\275\355\270\200"), 1, 1, false},
    {"above the last, U+110000", BYTES("\364\220\200\200"), 0, 0, false},
    {"five bytes", BYTES("\370\210\200\200\200"), 0, 0, false},
    {"six bytes", BYTES("\374\204\200\200\200\200"), 0, 0, false},
    {"byte FE", BYTES("ab\376"), 2, 2, false},
    {"byte FF", BYTES("ab\377"), 2, 2, false},
    {"a lone continuation", BYTES("abc\200"), 3, 3, false},
    {"a continuation too many", BYTES("\303\251\251"), 2, 2, false},
    {"Latin-1", BYTES("caf\351 au lait"), 3, 3, false},
    {"UTF-16 with its mark", BYTES("\377\376s\0e\0"), 0, 0, false},
    {"a start followed by ASCII", BYTES("\342\202x"), 0, 0, false},
    {"a start followed by a start", BYTES("\342\342\202\254"), 0, 0, false},
    {"cut after one of two", BYTES("ab\303"), 2, 2, true},
    {"cut after one of three", BYTES("ab\342"), 2, 2, true},
    {"cut after two of three", BYTES("ab\342\202"), 2, 2, true},
    {"cut after one of four", BYTES("\360"), 0, 0, true},
    {"cut after two of four", BYTES("\360\237"), 0, 0, true},
    {"cut after three of four", BYTES("\360\237\230"), 0, 0, true},
    {"cut, and wrong already", BYTES("\340\200"), 0, 0, false},
    {"cut in what would be a surrogate", BYTES("\355\240"), 0, 0, false},
};

static void the_first_wrong_byte_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(utf8_rows); i++) {
        const struct utf8_row *row = &utf8_rows[i];
        size_t valid = 77;
        size_t at_end = text_find_invalid(row->text, true, &valid);
        if (at_end != row->invalid || valid != row->valid)
            fail_msg("%s: %zd, valid %zu", row->name, (ssize_t)at_end, valid);
        size_t in_piece = text_find_invalid(row->text, false, &valid);
        if (in_piece != (row->is_cut ? NONE : row->invalid) || valid != row->valid)
            fail_msg("%s, in a piece: %zd, valid %zu", row->name, (ssize_t)in_piece, valid);
    }
}

static void it_is_found_wherever_it_stands(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(utf8_rows); i++) {
        const struct utf8_row *row = &utf8_rows[i];
        for (size_t before = 1; before <= 17; before++) {
            char *at = arena_alloc(a, before + row->text.len);
            memset(at, 'x', before);
            memcpy(at + before, row->text.at, row->text.len);
            struct str moved = {at, before + row->text.len};
            size_t valid;
            size_t wanted = row->invalid == NONE ? NONE : row->invalid + before;
            if (text_find_invalid(moved, true, &valid) != wanted || valid != row->valid + before)
                fail_msg("%s, behind %zu bytes", row->name, before);
        }
    }
}

/* Every code point, and every three-byte start, judged by arithmetic rather than by table. */
static void every_code_point_but_the_surrogates_is_valid(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x110100; point++) {
        char at[4];
        size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const unsigned char starts[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = len; i-- > 1;)
            at[i] = (char)(0x80 | (point >> 6 * (len - 1 - i) & 0x3F));
        at[0] = (char)(starts[len] | point >> 6 * (len - 1));
        size_t valid;
        bool is_valid = text_find_invalid((struct str){at, len}, true, &valid) == NONE;
        if (is_valid != (point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF)))
            fail_msg("U+%04X", point);
    }
}

static void places_are_lines_and_characters(void **state)
{
    (void)state;
    /* 0 a, 1 \n, 2-3 é, 4 b, 5 \r, 6 \n, 7 \n, 8-10 €, 11 c */
    struct str text = STR("a\n\303\251b\r\n\n\342\202\254c");
    static const struct {
        size_t offset;
        uint32_t line, column;
        const char *line_text;
    } rows[] = {
        {0, 1, 1, "a"},
        {1, 1, 2, "a"},
        {2, 2, 1, "\303\251b"},
        {3, 2, 1, "\303\251b"},
        {4, 2, 2, "\303\251b"},
        {5, 2, 3, "\303\251b"},
        {6, 2, 4, "\303\251b"},
        {7, 3, 1, ""},
        {8, 4, 1, "\342\202\254c"},
        {10, 4, 1, "\342\202\254c"},
        {11, 4, 2, "\342\202\254c"},
        {12, 4, 3, "\342\202\254c"},
        {1000, 4, 3, "\342\202\254c"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct text_place place = text_place_of(text, rows[i].offset);
        if (place.line != rows[i].line || place.column != rows[i].column ||
            !str_equal(place.line_text, str_of(rows[i].line_text)))
            fail_msg("offset %zu: line %u column %u \"%.*s\"", rows[i].offset, place.line,
                     place.column, STR_ARG(place.line_text));
    }
}

static void an_empty_text_has_a_place(void **state)
{
    (void)state;
    struct text_place place = text_place_of((struct str){0}, 0);
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 1);
    assert_int_equal(place.line_text.len, 0);
}

static void the_end_behind_a_last_line_end_is_a_line_of_its_own(void **state)
{
    (void)state;
    struct text_place place = text_place_of(STR("a\n"), 2);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 1);
    assert_int_equal(place.line_text.len, 0);
}

static void characters_are_counted_as_postgresql_counts_them(void **state)
{
    (void)state;
    /* SELECT 'é' FRM t: the server says 16 (1-based) for t, byte 16 (0-based) */
    struct str text = STR("SELECT '\303\251' FRM t");
    assert_int_equal(text_offset_of_character(text, 0), 0);
    assert_int_equal(text_offset_of_character(text, 8), 8);
    assert_int_equal(text_offset_of_character(text, 9), 10);
    assert_int_equal(text_offset_of_character(text, 15), 16);
    assert_int_equal(text_offset_of_character(text, 16), text.len);
    assert_int_equal(text_offset_of_character(text, 1000), text.len);
    assert_int_equal(text_offset_of_character((struct str){0}, 3), 0);
}

static void lines_are_counted_by_their_ends(void **state)
{
    (void)state;
    assert_int_equal(text_count_lines((struct str){0}), 0);
    assert_int_equal(text_count_lines(STR("a")), 0);
    assert_int_equal(text_count_lines(STR("a\n")), 1);
    assert_int_equal(text_count_lines(STR("\n\n")), 2);
    assert_int_equal(text_count_lines(STR("a\r\nb\rc\n")), 2);
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *shown;
    } rows[] = {
        {STR(""), ""},
        {STR("plain, gr\303\274n \346\274\242 \360\237\230\200"),
         "plain, gr\303\274n \346\274\242 \360\237\230\200"},
        {STR("a\tb"), "a\\tb"},
        {STR("\033[31mred\r\n"), "\\x1b[31mred\\r\\n"},
        {STR("\0\001\177"), "\\x00\\x01\\x7f"},
        {STR("\302\233m\302\240"), "\\u009bm\302\240"}, /* C1 CSI; no-break space */
        {STR("\342\200\256x\342\200\250y\342\201\251\330\234\342\200\217"),
         "\\u202ex\\u2028y\\u2069\\u061c\\u200f"},
        {STR("\342\200\246"), "\342\200\246"}, /* … */
        {STR("\377\303"), "\\xff\\xc3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(buf) struct buf shown = {0};
        text_escape(&shown, rows[i].text, false);
        assert_string_equal(buf_cstr(&shown), rows[i].shown);
        bool is_same = str_equal(buf_str(&shown), rows[i].text);
        assert_int_equal(text_needs_escape(rows[i].text, false), !is_same);
    }
    SCOPED(buf) struct buf kept = {0};
    text_escape(&kept, STR("a\tb"), true);
    assert_string_equal(buf_cstr(&kept), "a\tb");
    assert_false(text_needs_escape(STR("a\tb"), true));
}

static void width_is_that_of_a_terminal(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    assert_int_equal(text_width((struct str){0}), 0);
    assert_int_equal(text_width(STR("abc")), 3);
    assert_int_equal(text_width(STR("\303\251")), 1);
    assert_int_equal(text_width(STR("\346\274\242\345\255\227")), 4); /* 漢字 */
    assert_int_equal(text_width(STR("e\314\201")), 1);                /* with a combining accent */
    assert_int_equal(text_width(STR("a\377\376b")), 4);               /* not UTF-8 */
    assert_int_equal(text_width(STR("a\303")), 2);
    assert_int_equal(text_width(STR("a\0b")), 3);
}

static void words_are_compared_by_edits(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"apply", "apply", 0},
        {"aply", "apply", 1},
        {"applly", "apply", 1},
        {"apple", "apply", 1},
        {"aplpy", "apply", 2},
        {"status", "apply", 6},
        {"kitten", "sitting", 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t distance = text_edit_distance(str_of(rows[i].a), str_of(rows[i].b));
        if (distance != rows[i].distance)
            fail_msg("\"%s\" and \"%s\": %zu", rows[i].a, rows[i].b, distance);
    }
}

static void words_beyond_any_name_are_simply_far(void **state)
{
    (void)state;
    char word[66];
    memset(word, 'a', sizeof(word));
    struct str longest = {word, 64};
    struct str too_long = {word, 65};
    assert_int_equal(text_edit_distance(longest, longest), 0);
    assert_int_equal(text_edit_distance(longest, STR("a")), 63);
    assert_int_equal(text_edit_distance(too_long, STR("a")), 65);
    assert_int_equal(text_edit_distance(STR("a"), too_long), 65);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_wrong_byte_is_found),
        cmocka_unit_test(it_is_found_wherever_it_stands),
        cmocka_unit_test(every_code_point_but_the_surrogates_is_valid),
        cmocka_unit_test(places_are_lines_and_characters),
        cmocka_unit_test(an_empty_text_has_a_place),
        cmocka_unit_test(the_end_behind_a_last_line_end_is_a_line_of_its_own),
        cmocka_unit_test(characters_are_counted_as_postgresql_counts_them),
        cmocka_unit_test(lines_are_counted_by_their_ends),
        cmocka_unit_test(what_a_terminal_obeys_is_escaped),
        cmocka_unit_test(width_is_that_of_a_terminal),
        cmocka_unit_test(words_are_compared_by_edits),
        cmocka_unit_test(words_beyond_any_name_are_simply_far),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
