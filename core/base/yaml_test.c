/* YAML: the tree and its places, and everything that is refused, with its place. */
#include "core/base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/base/buf.h"

/* The tree as one line: {key:value} [item] plain "quoted". */
static void print(struct buf *out, const struct yaml *node)
{
    switch (node->type) {
    case YAML_NOTHING:
        buf_add_cstr(out, "nothing");
        return;
    case YAML_SCALAR:
        buf_printf(out, node->is_quoted ? "\"%s\"" : "%s", node->text.at);
        assert_int_equal(strlen(node->text.at), node->text.len);
        return;
    case YAML_LIST:
    case YAML_MAP:
        break;
    }
    buf_add_char(out, node->type == YAML_MAP ? '{' : '[');
    for (const struct yaml *child = node->children; child; child = child->next) {
        if (node->type == YAML_MAP)
            buf_printf(out, "%s:", child->key.at);
        print(out, child);
        if (child->next)
            buf_add_char(out, ' ');
    }
    buf_add_char(out, node->type == YAML_MAP ? '}' : ']');
}

static void the_tree_is_that_of_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", "nothing"},
        {"# only a comment\n", "nothing"},
        {"---\n", "nothing"},
        {"''", "\"\""},
        {"a", "a"},
        {"a: 1\nb: 'x y'\nc:\n", "{a:1 b:\"x y\" c:}"},
        {"a: null\nb: \"null\"\nc: ~", "{a:null b:\"null\" c:~}"},
        {"z: 1\na: 2\n", "{z:1 a:2}"},
        {"- 1\n- [2, {a: b}]\n- {}\n- []\n", "[1 [2 {a:b}] {} []]"},
        {"a:\n  b:\n    c: d\n  e: f\ng: h\n", "{a:{b:{c:d} e:f} g:h}"},
        {"\xEF\xBB\xBF"
         "a: 1\r\nb: 2\r\n",
         "{a:1 b:2}"},
        {"a: |\n  one\n  two\n", "{a:\"one\ntwo\n\"}"},
        {"a: >-\n  one\n  two\n", "{a:\"one two\"}"},
        {"url: ${X}\npath: db/migrations # here\n", "{url:${X} path:db/migrations}"},
        {"h\xC3\xA9: \"\\u00e9\"\n", "{h\xC3\xA9:\"\xC3\xA9\"}"},
        {"%YAML 1.1\n---\na: 1\n...\n", "{a:1}"},
        {"a: 1\nA: 2\n", "{a:1 A:2}"},
        {"a: {b: 1}\nc: {b: 1}\n", "{a:{b:1} c:{b:1}}"},
        {"? a\n: 1\n", "{a:1}"},
        {"'<<': 1\n", "{<<:1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        const struct yaml *root = yaml_parse(a, str_of(rows[i].text), STR("x.yml"), &f);
        if (!root)
            fail_msg("%s: %s", rows[i].text, f.message);
        SCOPED(buf) struct buf out = {0};
        print(&out, root);
        assert_string_equal(buf_cstr(&out), rows[i].expected);
    }
}

static void every_node_has_its_place(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    const struct yaml *root =
        yaml_parse(a, STR("# first\n\xC3\xA9: 1\nlist:\n  - x\n  - {k: v}\n"), STR("x.yml"), &f);
    assert_non_null(root);
    assert_int_equal(root->line, 2);
    const struct yaml *accent = yaml_get(root, STR("\xC3\xA9"));
    assert_int_equal(accent->key_line, 2);
    assert_int_equal(accent->key_column, 1);
    assert_int_equal(accent->column, 4); /* characters, not bytes */
    const struct yaml *list = yaml_get(root, STR("list"));
    assert_int_equal(list->key_line, 3);
    assert_int_equal(list->line, 4);
    assert_int_equal(list->column, 3);
    const struct yaml *map = list->children->next;
    assert_int_equal(map->line, 5);
    assert_int_equal(yaml_get(map, STR("k"))->column, 9);
    assert_null(yaml_get(root, STR("lis")));
    assert_null(yaml_get(list, STR("k")));
    assert_null(yaml_get(NULL, STR("k")));
}

static void what_a_settings_file_does_not_need_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        uint32_t line, column;
        const char *message; /* how it begins */
        const char *excerpt; /* NULL: none */
    } rows[] = {
        {{"a: 1\n---\nb: 2\n", 14}, 2, 1, "there is more than one document", "---"},
        {{"a: &x 1\n", 8}, 1, 4, "anchors are not supported", "a: &x 1"},
        {{"a: &x {b: 1}\n", 13}, 1, 4, "anchors are not supported", "a: &x {b: 1}"},
        {{"a: 1\nb: *x\n", 11}, 2, 4, "aliases are not supported", "b: *x"},
        {{"a: !!str 1\n", 11}, 1, 4, "tags are not supported", "a: !!str 1"},
        {{"a: ! 1\n", 7}, 1, 4, "tags are not supported", "a: ! 1"},
        {{"a: !x [1]\n", 10}, 1, 4, "tags are not supported", "a: !x [1]"},
        {{"b: 1\n<<: {a: 1}\n", 16}, 2, 1, "merge keys are not supported", "<<: {a: 1}"},
        {{"a: 1\nb: 2\n\na: 3\n", 16}, 4, 1, "key \"a\" is given twice", "a: 3"},
        {{"x: {b: 1, b: 2}\n", 16}, 1, 11, "key \"b\" is given twice", "x: {b: 1, b: 2}"},
        {{"? [a]\n: 1\n", 10}, 1, 3, "a key must be a text", "? [a]"},
        {{"\"a\\nb\": 1", 9}, 1, 1, "a key must be one line", "\"a\\nb\": 1"},
        {{"a: \"x\\0y\"\n", 10}, 1, 4, "a text cannot hold a NUL", "a: \"x\\0y\""},
        {{"a: 1\nb: \xFF\n", 10}, 2, 4, "the file is not valid UTF-8", NULL},
        {{"a: \0\n", 5}, 1, 4, "the file holds a NUL byte", NULL},
        {{"a: \x01\n", 5}, 1, 4, "invalid YAML: control", "a: \x01"},
        {{"a: 1\n\tb: 2\n", 11}, 2, 1, "invalid YAML: found a tab", "\tb: 2"},
        {{"a: b: c\n", 8}, 1, 5, "invalid YAML: mapping", "a: b: c"},
        {{"a: [1, 2\n", 9}, 2, 1, "invalid YAML: did not find", NULL},
        {{"a: @x\r\n", 7}, 1, 4, "invalid YAML: found", "a: @x"},
        {{"a: 'x\n", 6}, 2, 1, "invalid YAML: found", NULL},
        {{"a: 1\n b: 2\n", 11}, 2, 3, "invalid YAML: mapping", " b: 2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        if (yaml_parse(a, rows[i].text, STR("x.yml"), &f))
            fail_msg("%s: was taken", rows[i].text.at);
        if (!str_starts(str_of(f.message), str_of(rows[i].message)) || f.line != rows[i].line ||
            f.column != rows[i].column || f.code != EXIT_USAGE || !f.hint)
            fail_msg("%s: %u:%u: %s", rows[i].text.at, f.line, f.column, f.message);
        assert_string_equal(f.file, "x.yml");
        assert_true(str_equal(str_of(f.excerpt), str_of(rows[i].excerpt)));
    }
}

static void a_tab_gets_its_own_hint(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_null(yaml_parse(a, STR("a:\n\tb: 2\n"), STR("x.yml"), &f));
    assert_string_equal(f.hint, "Indent with spaces: YAML does not allow tabs there.");
}

static bool parses(struct str text, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    return yaml_parse(a, text, STR("x.yml"), f) != NULL;
}

static void depth_is_limited(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        SCOPED(buf) struct buf text = {0};
        for (int i = 0; i < YAML_MAX_DEPTH + extra; i++)
            buf_add_char(&text, '[');
        for (int i = 0; i < YAML_MAX_DEPTH + extra; i++)
            buf_add_char(&text, ']');
        SCOPED(fail) struct fail f = FAIL_NONE;
        assert_int_equal(parses(buf_str(&text), &f), extra == 0);
        if (extra) {
            assert_string_equal(f.message, "lists and maps are nested more than 32 deep");
            assert_int_equal(f.column, YAML_MAX_DEPTH + 1);
        }
    }
}

static void size_is_limited(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        SCOPED(buf) struct buf text = {0};
        buf_add_cstr(&text, "a: 1 #");
        while (text.len < YAML_MAX_BYTES + extra)
            buf_add_char(&text, '#');
        SCOPED(fail) struct fail f = FAIL_NONE;
        assert_int_equal(parses(buf_str(&text), &f), extra == 0);
        if (extra)
            assert_string_equal(f.message,
                                "the file has 1048577 bytes, more than the 1048576 that are read");
    }
}

/* Compared each with each, these would take minutes. */
static void a_hundred_thousand_keys_are_checked_for_duplicates(void **state)
{
    (void)state;
    SCOPED(buf) struct buf text = {0};
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "k%x: 1\n", i);
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_true(parses(buf_str(&text), &f));
    buf_add_cstr(&text, "k7: 2\n");
    assert_false(parses(buf_str(&text), &f));
    assert_int_equal(f.line, 100001);
    assert_string_equal(f.hint, "It is already given in line 8; keep one of the two.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_is_that_of_the_text),
        cmocka_unit_test(every_node_has_its_place),
        cmocka_unit_test(what_a_settings_file_does_not_need_is_refused),
        cmocka_unit_test(a_tab_gets_its_own_hint),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(a_hundred_thousand_keys_are_checked_for_duplicates),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
