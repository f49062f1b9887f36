/* Which statements and functions use a name: tables in testdata/mentions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/fixture.h"
#include "planner/postgres/mentions.h"

static const char *const names[] = {
    [MENTION_NONE] = "none", [MENTION_CERTAIN] = "certain", [MENTION_POSSIBLE] = "possible"};

static struct retired_name name_of(struct str text)
{
    struct retired_name name = {0};
    struct str table = str_cut(text, '.', &name.schema);
    size_t plus = str_find_char(table, '+');
    name.is_required = plus < table.len;
    name.column = str_cut(table, name.is_required ? '+' : '.', &name.table);
    return name;
}

static struct str next_field(struct str *rest)
{
    struct str field;
    *rest = str_cut(*rest, '\t', &field);
    return field;
}

static void assert_mention(enum mention found, struct str wanted, struct str line)
{
    if (!str_equal(wanted, str_of(names[found])))
        fail_msg("%s: %.*s", names[found], STR_ARG(line));
}

static size_t each_line(const char *file, void (*check)(struct arena *a, struct str line))
{
    struct arena *a = arena_make();
    struct str text = str_of(fixture_text_of(fixture_text("testdata/mentions/%s", file)));
    size_t count = 0;
    while (text.len) {
        struct str line;
        text = str_cut_line(text, &line);
        if (!line.len || line.at[0] == '#')
            continue;
        check(a, line);
        count++;
    }
    arena_release(a);
    return count;
}

static void check_statement(struct arena *a, struct str line)
{
    struct str rest = line;
    struct str wanted = next_field(&rest);
    struct retired_name name = name_of(next_field(&rest));
    assert_mention(postgres_mention(a, rest, &name), wanted, line);
}

static void check_function(struct arena *a, struct str line)
{
    struct str rest = line;
    struct str wanted = next_field(&rest);
    struct retired_name name = name_of(next_field(&rest));
    struct seen_function f = {.language = next_field(&rest)};
    f.is_trigger = next_field(&rest).len > 0;
    f.body = rest;
    f.definition = str_of(
        arena_printf(a, "CREATE FUNCTION f() RETURNS %s LANGUAGE %.*s AS $f$%.*s$f$",
                     f.is_trigger ? "trigger" : "void", STR_ARG(f.language), STR_ARG(f.body)));
    assert_mention(postgres_mention_in_function(a, &f, &name), wanted, line);
}

static void statements_are_told_by_their_trees(void **state UNUSED)
{
    assert_true(each_line("statements.tsv", check_statement) > 30);
}

static void functions_are_told_by_what_they_run(void **state UNUSED)
{
    assert_true(each_line("functions.tsv", check_function) > 10);
}

static void values_are_not_shown(void **state UNUSED)
{
    struct arena *a = arena_make();
    assert_string_equal(postgres_mention_shown(a, STR("SELECT *\n  FROM t WHERE name = 'secret'")),
                        "SELECT * FROM t WHERE name = $1");
    assert_string_equal(postgres_mention_shown(a, STR("SELECT /* secret */ 1 FROM t")),
                        "a statement whose text cannot be shown");
    arena_release(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_told_by_their_trees),
        cmocka_unit_test(functions_are_told_by_what_they_run),
        cmocka_unit_test(values_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
