/* The subset of TOML, and what lies outside of it. */
#include "drivers/source/toml.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char document[] = "\xEF\xBB\xBF# comment\r\n"
                               "provider = \"postgresql\" # behind\r\n"
                               "\n"
                               "[flyway]\n"
                               "  locations = [ \"a\", 'b', # in between\n"
                               "     \"c\",\n"
                               "  ]\n"
                               "empty = []\n"
                               "on=true\n"
                               "port = 5_432\n"
                               "at = 2024-01-31T12:00:00+01:00\n"
                               "[flyway.placeholders]\n"
                               "\"a b\" = 'c:\\d'\n"
                               "dotted.key = \"\\t\\\"\\\\ \\u00e9\\u20ac\\U0001F600\"\n"
                               "[[many]]\n"
                               "x = false";

static void keys_and_values_are_read_with_their_tables(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum toml_type type;
        const char *text;
        uint32_t line;
    } expected[] = {
        {"provider", TOML_STRING, "postgresql", 2},
        {"flyway.locations", TOML_STRINGS, "", 5},
        {"flyway.empty", TOML_STRINGS, "", 8},
        {"flyway.on", TOML_BOOLEAN, "true", 9},
        {"flyway.port", TOML_OTHER, "5_432", 10},
        {"flyway.at", TOML_OTHER, "2024-01-31T12:00:00+01:00", 11},
        {"flyway.placeholders.a b", TOML_STRING, "c:\\d", 13},
        {"flyway.placeholders.dotted.key", TOML_STRING,
         "\t\"\\ \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 14},
        {"many.x", TOML_BOOLEAN, "false", 16},
    };
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct toml t;
    assert_true(toml_parse(a, str_of(document), STR("x.toml"), &t, &f));
    assert_int_equal(t.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const struct toml_pair *p = toml_get(&t, str_of(expected[i].key));
        assert_ptr_equal(p, &t.at[i]);
        assert_int_equal(p->type, expected[i].type);
        assert_int_equal(p->line, expected[i].line);
        assert_true(str_equal(p->text, str_of(expected[i].text)));
    }
    const struct toml_pair *locations = toml_get(&t, STR("flyway.locations"));
    assert_int_equal(locations->strings.count, 3);
    assert_true(str_equal(locations->strings.at[1], STR("b")));
    assert_true(toml_get(&t, STR("flyway.on"))->boolean);
    assert_null(toml_get(&t, STR("nothing")));
}

static void what_is_not_understood_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        const char *message;
    } rows[] = {
        {"a = \"\"\"\nx\"\"\"\n", 1, "several lines"},
        {"\na = {b = 1}\n", 2, "inline tables"},
        {"a = [1, 2]\n", 1, "arrays of strings"},
        {"a = [\"x\" \"y\"]\n", 1, "expected \",\""},
        {"a = [\"x\"\n\n", 3, "expected \",\""},
        {"a = [\n", 2, "arrays of strings"},
        {"a = \"x\n\"\n", 1, "unterminated"},
        {"a = \"x", 1, "unterminated"},
        {"a = \"\\x\"\n", 1, "invalid escape"},
        {"a = \"\\u12\"\n", 1, "invalid escape"},
        {"a = \"\\u0000\"\n", 1, "invalid escape"},
        {"a = \"\\uD800\"\n", 1, "invalid escape"},
        {"a = \"\\U00110000\"\n", 1, "invalid escape"},
        {"a =\n", 1, "expected a value"},
        {"a\n", 1, "expected \"=\""},
        {"= 1\n", 1, "expected a key"},
        {"a. = 1\n", 1, "expected a key"},
        {"[a\n", 1, "expected \"]\""},
        {"[[a]\n", 1, "expected \"]\""},
        {"[a] b\n", 1, "end of the line"},
        {"a = 1 b = 2\n", 1, "end of the line"},
        {"a = 1\r", 1, "end of the line"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fail f = FAIL_NONE;
        struct toml t;
        if (toml_parse(a, str_of(rows[i].text), STR("x.toml"), &t, &f))
            fail_msg("row %zu was read", i);
        if (!strstr(f.message, rows[i].message) || f.line != rows[i].line || !f.hint)
            fail_msg("row %zu: %s at line %u", i, f.message, f.line);
        fail_clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values_are_read_with_their_tables),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_line),
    };
    return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
