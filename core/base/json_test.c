/* JSON: what is written can be read again, in order, and broken text is repaired or refused. */
#include "core/base/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void an_object_keeps_the_order_of_its_keys(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(json) struct json *j = json_make_object();
    json_set_str(j, "zebra", STR("stripes"));
    json_set_i64(j, "ant", INT64_MIN);
    json_set_bool(j, "bee", true);
    json_set_cstr(j, "cat", NULL);
    json_set_null(j, "dog");
    struct json *list = json_make_array();
    json_push_i64(list, 1);
    json_push_str(list, STR("two"));
    json_push(list, json_make_object());
    json_set(j, "aardvark", list);
    json_set_str(j, "zebra", STR("no stripes"));
    assert_string_equal(json_line(a, j).at,
                        "{\"zebra\":\"no stripes\",\"ant\":-9223372036854775808,\"bee\":true,"
                        "\"cat\":null,\"dog\":null,\"aardvark\":[1,\"two\",{}]}");
}

static void pretty_text_is_indented_by_two(void **state)
{
    (void)state;
    SCOPED(json) struct json *j = json_make_object();
    json_set_i64(j, "format", 1);
    SCOPED(buf) struct buf out = {0};
    buf_add_cstr(&out, "before ");
    json_print(&out, j, true);
    assert_string_equal(buf_cstr(&out), "before {\n  \"format\": 1\n}");
}

static void invalid_text_is_repaired_and_never_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str text;
        const char *expected;
    } rows[] = {
        {"empty", {NULL, 0}, "[\"\"]"},
        {"valid", {"h\xC3\xA9", 3}, "[\"h\xC3\xA9\"]"},
        {"quote and line end", {"a\"b\n", 4}, "[\"a\\\"b\\n\"]"},
        {"Latin-1", {"h\xE9!", 3}, "[\"h\xEF\xBF\xBD!\"]"},
        {"cut off", {"h\xE2\x82", 3}, "[\"h\xEF\xBF\xBD\"]"},
        {"two broken ones", {"\xFF\xFE", 2}, "[\"\xEF\xBF\xBD\xEF\xBF\xBD\"]"},
        {"surrogate", {"\xED\xA0\x80x", 4}, "[\"\xEF\xBF\xBDx\"]"},
        {"NUL",
         {"a\0b", 3},
         "[\"a\xEF\xBF\xBD"
         "b\"]"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(json) struct json *j = json_make_array();
        json_push_str(j, rows[i].text);
        struct str line = json_line(a, j);
        if (!str_equal(line, str_of(rows[i].expected)))
            fail_msg("%s: %s", rows[i].name, line.at);
    }
}

static void a_broken_key_is_repaired(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(json) struct json *j = json_make_object();
    json_set_i64(j, "\xFF", 1);
    assert_string_equal(json_line(a, j).at, "{\"\xEF\xBF\xBD\":1}");
}

static void what_was_read_can_be_asked(void **state)
{
    (void)state;
    struct fail f = FAIL_NONE;
    SCOPED(json)
    struct json *j =
        json_parse(STR("{\"s\": \"a\\u0041\", \"n\": -7, \"b\": false, \"l\": [1, 2], \"r\": 1.5}"),
                   STR("x.json"), &f);
    assert_non_null(j);
    assert_true(json_is_object(j));
    assert_true(str_equal(json_str_of(json_get(j, "s")), STR("aA")));
    int64_t number = 0;
    assert_true(json_i64_of(json_get(j, "n"), &number));
    assert_int_equal(number, -7);
    bool answer = true;
    assert_true(json_bool_of(json_get(j, "b"), &answer));
    assert_false(answer);
    const struct json *list = json_get(j, "l");
    assert_true(json_is_array(list));
    assert_int_equal(json_count(list), 2);
    assert_true(json_i64_of(json_at(list, 1), &number));
    assert_int_equal(number, 2);
    assert_null(json_at(list, 2));
}

static void a_missing_key_or_another_type_is_no_crash(void **state)
{
    (void)state;
    struct fail f = FAIL_NONE;
    SCOPED(json) struct json *j = json_parse(STR("{\"s\": \"a\"}"), STR("x.json"), &f);
    int64_t number = 3;
    bool answer = true;
    assert_null(json_get(j, "t"));
    assert_null(json_get(NULL, "t"));
    assert_null(json_get(json_get(j, "s"), "t"));
    assert_int_equal(json_str_of(NULL).len, 0);
    assert_int_equal(json_str_of(j).len, 0);
    assert_false(json_i64_of(json_get(j, "s"), &number));
    assert_false(json_i64_of(NULL, &number));
    assert_int_equal(number, 3);
    assert_false(json_bool_of(json_get(j, "s"), &answer));
    assert_false(json_bool_of(NULL, &answer));
    assert_false(json_is_array(NULL));
    assert_false(json_is_object(NULL));
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_at(NULL, 0));
}

static void text_that_is_no_json_fails_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str text;
        uint32_t line;
    } rows[] = {
        {"empty", {"", 0}, 1},
        {"missing comma", {"{\n \"a\": 1\n \"b\": 2\n}", 20}, 3},
        {"duplicate key", {"{\"a\": 1, \"a\": 2}", 16}, 1},
        {"not UTF-8", {"\"\xFF\"", 3}, 1},
        {"text behind it", {"{} {}", 5}, 1},
        {"number too large", {"9223372036854775808", 19}, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(fail) struct fail f = FAIL_NONE;
        if (json_parse(rows[i].text, STR("x.json"), &f))
            fail_msg("%s: was taken", rows[i].name);
        if (f.code != EXIT_USAGE || f.line != rows[i].line || !f.hint || strchr(f.message, '\n'))
            fail_msg("%s: %d, line %u: %s", rows[i].name, f.code, f.line, f.message);
        assert_string_equal(f.file, "x.json");
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    SCOPED(buf) struct buf deep = {0};
    for (int i = 0; i < 100000; i++)
        buf_add_char(&deep, '[');
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_null(json_parse(buf_str(&deep), STR("x.json"), &f));
    assert_int_equal(f.code, EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_keeps_the_order_of_its_keys),
        cmocka_unit_test(pretty_text_is_indented_by_two),
        cmocka_unit_test(invalid_text_is_repaired_and_never_dropped),
        cmocka_unit_test(a_broken_key_is_repaired),
        cmocka_unit_test(what_was_read_can_be_asked),
        cmocka_unit_test(a_missing_key_or_another_type_is_no_crash),
        cmocka_unit_test(text_that_is_no_json_fails_with_its_place),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
