/* migrator.yml: what is read, where failures are, that no secret is in them, and the example. */
#include "core/model/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "core/base/yaml.h"

#define DIRECTORY "testdata/config/"
#define BAD DIRECTORY "bad.yml"
#define SECRET "hunter2"

static const char *lookup(void *context, const char *name)
{
    (void)context;
    static const char *const variables[][2] = {
        {"PASSWORD", SECRET},
        {"NAME", "${PASSWORD}"},
        {"EXTRA_DIR", "more"},
        {"EMPTY", ""},
        {"DATABASE_URL", "postgres://h/db"},
    };
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        if (strcmp(name, variables[i][0]) == 0)
            return variables[i][1];
    }
    return NULL;
}

static struct str read_file(struct arena *a, const char *path)
{
    struct fail f = FAIL_NONE;
    struct str text;
    if (!fs_read(a, path, YAML_MAX_BYTES, &text, &f))
        fail_msg("%s", f.message);
    return text;
}

static struct config parse_file(struct arena *a, const char *path)
{
    struct fail f = FAIL_NONE;
    struct config c;
    if (!config_parse(a, read_file(a, path), str_of(path), lookup, NULL, &c, &f))
        fail_msg("%s:%u:%u: %s", path, f.line, f.column, f.message);
    return c;
}

static void assert_str(struct str found, const char *expected)
{
    if (!str_equal(found, str_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(found), expected);
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    struct config c = config_default();
    assert_int_equal(c.layout, LAYOUT_AUTO);
    assert_int_equal(c.lock_timeout_ms, 400);
    assert_int_equal(c.lock_attempts, 12);
    assert_int_equal(c.lock_budget_ms, 600000);
    assert_int_equal(c.concurrently_wait_ms, 900000);
    assert_int_equal(c.migrations.count, 0);
    assert_int_equal(c.placeholders.count, 0);
    assert_int_equal(c.targets.count, 0);
    assert_int_equal(c.default_target.len, 0);
    assert_int_equal(c.path.len, 0);
}

static void every_key_is_read(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct config c = parse_file(a, DIRECTORY "full.yml");
    assert_str(c.path, DIRECTORY "full.yml");
    assert_int_equal(c.migrations.count, 3);
    assert_str(c.migrations.at[0], "testdata/config/db/migrations");
    assert_str(c.migrations.at[1], "/srv/shared/migrations");
    assert_str(c.migrations.at[2], "testdata/config/more");
    assert_int_equal(c.layout, LAYOUT_FLYWAY);
    assert_int_equal(c.lock_timeout_ms, 2000);
    assert_int_equal(c.lock_attempts, 3);
    assert_int_equal(c.lock_budget_ms, 3600000);
    assert_int_equal(c.concurrently_wait_ms, 7200000);
    assert_str(c.default_target, "dev");
    assert_int_equal(c.targets.count, 5);
    assert_str(c.targets.at[0].name, "dev");
    assert_str(c.targets.at[0].history, "");
    assert_str(c.targets.at[1].name, "staging");
    assert_str(c.targets.at[1].history, "staging_history");
    assert_str(c.targets.at[4].name, "bare");
}

static void values_are_expanded_once(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct config c = parse_file(a, DIRECTORY "full.yml");
    static const char *const expected[][2] = {
        {"role", "app_user"},
        {"quoted", "two words, #not a comment"},
        {"price", "$5 for ${PASSWORD}"},
        {"lone", "a$b"},
        {"empty", ""},
    };
    assert_int_equal(c.placeholders.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_str(c.placeholders.at[i].name, expected[i][0]);
        assert_str(c.placeholders.at[i].value, expected[i][1]);
    }
}

static void the_url_of_a_target_is_expanded_when_it_is_used(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct config c = parse_file(a, DIRECTORY "full.yml");
    static const char *const expected[] = {
        "sqlite:dev.db",
        "postgres://app:from-a-file@db.example/shop",
        "postgres://app:" SECRET "@db.example/shop",
        NULL, /* its variable is not set */
        "",
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct str url;
        bool is_done = config_target_url(a, &c, &c.targets.at[i], lookup, NULL, &url, &f);
        assert_int_equal(is_done, expected[i] != NULL);
        if (is_done)
            assert_str(url, expected[i]);
    }
    assert_string_equal(f.message, "environment variable \"NOT_SET_ANYWHERE\" is not set");
    assert_string_equal(f.file, DIRECTORY "full.yml");
    assert_int_equal(f.line, 23);
    assert_int_equal(f.column, 10);
    assert_string_equal(f.excerpt, "    url: ");
    assert_int_equal(f.code, EXIT_USAGE);
    assert_non_null(f.hint);
}

static void a_url_that_expands_to_nothing_is_no_url(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    static const struct {
        const char *url;
        const char *message; /* NULL: is fine */
    } rows[] = {
        {"${EMPTY}", "the URL of target \"a\" is empty"},
        {" ${EMPTY} ", "the URL of target \"a\" is empty"},
        {"", NULL},
        {"postgres://u:" SECRET "@h/${GONE}", "environment variable \"GONE\" is not set"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct config c;
        const char *text = arena_printf(a, "targets: { a: { url: '%s' } }", rows[i].url);
        assert_true(config_parse(a, str_of(text), STR("m.yml"), lookup, NULL, &c, &f));
        struct str url;
        bool is_done = config_target_url(a, &c, &c.targets.at[0], lookup, NULL, &url, &f);
        assert_int_equal(is_done, rows[i].message == NULL);
        if (is_done)
            continue;
        assert_string_equal(f.message, rows[i].message);
        assert_int_equal(f.line, 1);
        assert_null(strstr(f.excerpt, SECRET));
    }
}

static void directories_are_against_that_of_the_file(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"migrator.yml", "db", "db"},    {"", "db", "db"},
        {"./migrator.yml", "db", "db"},  {"/etc/m.yml", "db", "/etc/db"},
        {"../m.yml", "db/x", "../db/x"}, {"a/b/m.yml", ".", "a/b/."},
        {"a/m.yml", "/abs", "/abs"},     {"a/m.yml", "../c", "a/../c"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fail f = FAIL_NONE;
        struct config c;
        const char *text = arena_printf(a, "migrations: %s", rows[i][1]);
        assert_true(config_parse(a, str_of(text), str_of(rows[i][0]), lookup, NULL, &c, &f));
        assert_str(c.migrations.at[0], rows[i][2]);
    }
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "# nothing\n", "---\n", "~", "targets:\nlocks:\nplaceholders: {}\nmigrations: []\n",
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fail f = FAIL_NONE;
        struct config c;
        assert_true(config_parse(a, str_of(rows[i]), STR("m.yml"), NULL, NULL, &c, &f));
        assert_int_equal(c.lock_attempts, 12);
        assert_int_equal(c.targets.count, 0);
        assert_int_equal(c.migrations.count, 0);
    }
}

static bool shows_secret(const char *text)
{
    return text && strstr(text, SECRET);
}

static void check_bad(struct arena *a, const struct yaml *row)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct config untouched = {.lock_attempts = -1};
    struct str text = yaml_get(row, STR("text"))->text;
    if (config_parse(a, text, STR(DIRECTORY "m.yml"), lookup, NULL, &untouched, &f))
        fail_msg(BAD ":%u: was taken", row->line);
    const struct yaml *hint = yaml_get(row, STR("hint"));
    const char *place = arena_printf(a, "%u:%u", f.line, f.column);
    if (!str_starts(str_of(f.message), yaml_get(row, STR("message"))->text) ||
        !str_equal(yaml_get(row, STR("place"))->text, str_of(place)) || !f.hint ||
        (hint && !str_starts(str_of(f.hint), hint->text)))
        fail_msg(BAD ":%u: %s: %s (%s)", row->line, place, f.message, f.hint ? f.hint : "no hint");
    if (shows_secret(f.message) || shows_secret(f.excerpt) || shows_secret(f.hint) ||
        shows_secret(f.detail))
        fail_msg(BAD ":%u: shows the secret: %s, %s", row->line, f.message, f.excerpt);
    assert_string_equal(f.file, DIRECTORY "m.yml");
    assert_int_equal(f.code, EXIT_USAGE);
    assert_null(strchr(f.message, '\n'));
    assert_int_equal(untouched.lock_attempts, -1);
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    const struct yaml *rows = yaml_parse(a, read_file(a, BAD), STR(BAD), &f);
    if (!rows)
        fail_msg("%s:%u: %s", BAD, f.line, f.message);
    assert_int_equal(rows->type, YAML_LIST);
    for (const struct yaml *row = rows->children; row; row = row->next)
        check_bad(a, row);
}

static void a_file_for_a_value_is_limited_and_must_be_text(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        char filler;
        bool is_taken;
    } rows[] = {{65536, 'x', true}, {65537, 'x', false}, {10, '\xFF', false}, {10, '\0', false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        char path[] = "/tmp/config_test.XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        char *content = arena_alloc(a, rows[i].len);
        memset(content, rows[i].filler, rows[i].len);
        assert_int_equal(write(fd, content, rows[i].len), (ssize_t)rows[i].len);
        assert_int_equal(close(fd), 0);
        const char *text = arena_printf(a, "placeholders: { a: '${file:%s}' }", path);
        struct config c;
        bool is_taken = config_parse(a, str_of(text), STR("m.yml"), lookup, NULL, &c, &f);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(is_taken, rows[i].is_taken);
        if (is_taken)
            assert_int_equal(c.placeholders.at[0].value.len, rows[i].len);
    }
}

static void the_example_is_what_the_table_says(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf printed = {0};
    config_print_example(&printed);
    struct str file = read_file(a, "migrator.yml.example");
    if (!str_equal(file, buf_str(&printed)))
        fail_msg("migrator.yml.example is not what config_print_example() prints:\n%s",
                 buf_cstr(&printed));
}

static void the_example_can_be_used_and_holds_the_defaults(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct config c = parse_file(a, "migrator.yml.example");
    struct config d = config_default();
    assert_int_equal(c.layout, d.layout);
    assert_int_equal(c.lock_timeout_ms, d.lock_timeout_ms);
    assert_int_equal(c.lock_attempts, d.lock_attempts);
    assert_int_equal(c.lock_budget_ms, d.lock_budget_ms);
    assert_int_equal(c.migrations.count, 1);
    assert_int_equal(c.placeholders.count, 1);
    assert_int_equal(c.targets.count, 1);
    assert_str(c.default_target, "production");
    assert_str(c.targets.at[0].history, "migrator");
    struct fail f = FAIL_NONE;
    struct str url;
    assert_true(config_target_url(a, &c, &c.targets.at[0], lookup, NULL, &url, &f));
    assert_str(url, "postgres://h/db");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(values_are_expanded_once),
        cmocka_unit_test(the_url_of_a_target_is_expanded_when_it_is_used),
        cmocka_unit_test(a_url_that_expands_to_nothing_is_no_url),
        cmocka_unit_test(directories_are_against_that_of_the_file),
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(a_file_for_a_value_is_limited_and_must_be_text),
        cmocka_unit_test(the_example_is_what_the_table_says),
        cmocka_unit_test(the_example_can_be_used_and_holds_the_defaults),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
