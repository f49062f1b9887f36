/* The normalised digest: what it hides, what it shows, and that pieces make no difference. */
#include "core/model/migration.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *text;
    const char *normalized;
} rows[] = {
    {"", ""},
    {"SELECT 1;", "SELECT 1;"},
    {"SELECT 1;\n", "SELECT 1;"},
    {"SELECT 1;\r\n\r\n", "SELECT 1;"},
    {"\xEF\xBB\xBFSELECT 1;", "SELECT 1;"},
    {"\xEF\xBB", "\xEF\xBB"},
    {"\xEF\xBBx\xBF", "\xEF\xBBx\xBF"},
    {"\xEF\xBB \n", "\xEF\xBB"},
    {" \xEF\xBB\xBFx", " \xEF\xBB\xBFx"},
    {"\xEF\xBB\xBF\xEF\xBB\xBFx", "\xEF\xBB\xBFx"},
    {"\xEF\xBB\xBF \n\n", ""},
    {"a  \nb\t\r\n  c \t d  ", "a\nb\n  c \t d"},
    {"\n\n a", "\n\n a"},
    {"a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nb", "a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nb"},
    {"a\rb\r", "a\rb"},
    {"a\r\r\nb", "a\nb"},
    {" \t\n \n", ""},
    {"x\v\f\n", "x"},
};

static struct digest in_pieces(struct str text, size_t piece)
{
    struct normalizer n;
    normalizer_start(&n);
    while (text.len) {
        size_t len = text.len < piece ? text.len : piece;
        normalizer_add(&n, (struct str){.at = text.at, .len = len});
        text = str_skip(text, len);
    }
    return normalizer_finish(&n);
}

static void line_ends_and_trailing_blanks_do_not_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct digest expected = digest_of(str_of(rows[i].normalized));
        struct digest whole = checksum_normalized(str_of(rows[i].text));
        if (!digest_equal(&whole, &expected))
            fail_msg("row %zu differs", i);
        for (size_t piece = 1; piece < 5; piece++) {
            struct digest cut = in_pieces(str_of(rows[i].text), piece);
            if (!digest_equal(&cut, &expected))
                fail_msg("row %zu differs in pieces of %zu", i, piece);
        }
    }
}

static void runs_of_blanks_beyond_the_limit_stay_wherever_they_are_cut(void **state)
{
    (void)state;
    static char text[3 * NORMALIZER_MAX_BLANKS + 8];
    for (size_t blanks = NORMALIZER_MAX_BLANKS - 1; blanks <= NORMALIZER_MAX_BLANKS + 1; blanks++) {
        memset(text, ' ', sizeof(text));
        text[0] = 'a';
        struct str s = {.at = text, .len = blanks + 1};
        size_t kept = blanks > NORMALIZER_MAX_BLANKS ? NORMALIZER_MAX_BLANKS + 1 : 1;
        struct digest expected = digest_of((struct str){.at = text, .len = kept});
        struct digest whole = checksum_normalized(s);
        assert_true(digest_equal(&whole, &expected));
        for (size_t piece = 1; piece < NORMALIZER_MAX_BLANKS; piece = piece * 3 + 1) {
            struct digest cut = in_pieces(s, piece);
            assert_true(digest_equal(&cut, &expected));
        }
    }
    memset(text, ' ', sizeof(text));
    text[sizeof(text) - 1] = 'x';
    struct str s = {.at = text, .len = sizeof(text)};
    struct digest expected = digest_of(s);
    struct digest cut = in_pieces(s, 1000);
    assert_true(digest_equal(&cut, &expected));
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(migration_kind_name(MIGRATION_UNKNOWN), "unknown");
    assert_string_equal(migration_kind_name(MIGRATION_VERSIONED), "versioned");
    assert_string_equal(migration_kind_name(MIGRATION_REPEATABLE), "repeatable");
    assert_string_equal(migration_kind_name(MIGRATION_BASELINE), "baseline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_and_trailing_blanks_do_not_count),
        cmocka_unit_test(runs_of_blanks_beyond_the_limit_stay_wherever_they_are_cut),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests_name("migration", tests, NULL, NULL);
}
