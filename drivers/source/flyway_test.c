/* Flyway's names, settings in both syntaxes, and the .conf files beside migrations. */
#include "drivers/source/flyway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "drivers/source/directory.h"
#include "drivers/source/properties.h"
#include "drivers/testkit/fixture.h"

static void names_are_cut_as_flyway_cuts_them(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum flyway_kind kind;
        const char *version;
        const char *description;
    } rows[] = {
        {"V1__create_users.sql", FLYWAY_VERSIONED, "1", "create users"},
        {"V1_2_3__a.SQL", FLYWAY_VERSIONED, "1.2.3", "a"},
        {"V1.2__a__b.sql", FLYWAY_VERSIONED, "1.2", "a  b"},
        {"V20240131120000__\xC3\xA5pne.sql", FLYWAY_VERSIONED, "20240131120000", "\xC3\xA5pne"},
        {"V007.sql", FLYWAY_VERSIONED, "007", ""},
        {"V1__.sql", FLYWAY_VERSIONED, "1", ""},
        {"U1__a.sql", FLYWAY_UNDO, "1", "a"},
        {"B5__a.sql", FLYWAY_BASELINE, "5", "a"},
        {"R__a_view.sql", FLYWAY_REPEATABLE, "", "a view"},
        {"R1__a.sql", FLYWAY_MALFORMED, "", "a"},
        {"R__.sql", FLYWAY_MALFORMED, "", ""},
        {"R_a.sql", FLYWAY_MALFORMED, "", ""},
        {"V1_create_users.sql", FLYWAY_MALFORMED, "", ""},
        {"V__a.sql", FLYWAY_MALFORMED, "", "a"},
        {"V1..2__a.sql", FLYWAY_MALFORMED, "", "a"},
        {"V1.__a.sql", FLYWAY_MALFORMED, "", "a"},
        {"Vx__a.sql", FLYWAY_MALFORMED, "", "a"},
        {"v1__a.sql", FLYWAY_NONE, "", ""},
        {"V1__a.txt", FLYWAY_NONE, "", ""},
        {"V1__a.sql.conf", FLYWAY_NONE, "", ""},
        {".sql", FLYWAY_NONE, "", ""},
        {"beforeMigrate.sql", FLYWAY_CALLBACK, "", ""},
        {"afterEachMigrate__vacuum.sql", FLYWAY_CALLBACK, "", ""},
        {"beforeMigration.sql", FLYWAY_NONE, "", ""},
        {"V2__Fill.java", FLYWAY_VERSIONED, "2", "Fill"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    struct flyway_settings s = flyway_settings_default(a);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct flyway_name n = flyway_name_parse(a, &s, str_of(rows[i].name));
        if (n.kind != rows[i].kind || !str_equal(n.version, str_of(rows[i].version)) ||
            !str_equal(n.description, str_of(rows[i].description)))
            fail_msg("%s: %d \"%.*s\" \"%.*s\"", rows[i].name, n.kind, STR_ARG(n.version),
                     STR_ARG(n.description));
        assert_int_equal(n.why != NULL, n.kind == FLYWAY_MALFORMED);
    }
}

static void check_settings(const struct flyway_settings *s)
{
    assert_true(str_equal(s->versioned_prefix, STR("VER")));
    assert_true(str_equal(s->repeatable_prefix, STR("RR")));
    assert_true(str_equal(s->separator, STR("-")));
    assert_int_equal(s->suffixes.count, 2);
    assert_true(str_equal(s->suffixes.at[1], STR(".pgsql")));
    assert_false(s->replaces_placeholders);
    assert_int_equal(s->placeholders.count, 2);
    assert_true(str_equal(s->placeholders.at[0].name, STR("owner")));
    assert_true(str_equal(s->placeholders.at[0].value, STR("app = x")));
}

static void both_syntaxes_say_the_same(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct flyway_settings s = flyway_settings_default(a);
    assert_true(flyway_settings_parse(
        a,
        STR("# settings\nflyway.url=jdbc:postgresql://x/y\nflyway.sqlMigrationPrefix = VER\n"
            "flyway.repeatableSqlMigrationPrefix: RR\nflyway.sqlMigrationSeparator -\n"
            "flyway.sqlMigrationSuffixes=.sql, \\\n   .pgsql\nflyway.placeholderReplacement=FALSE\n"
            "flyway.placeholders.owner=app \\= x\nflyway.placeholders.other=\\u00e9\n"
            "flyway.encoding=utf-8\n"),
        STR("flyway.conf"), false, &s, &f));
    check_settings(&s);
    s = flyway_settings_default(a);
    assert_true(flyway_settings_parse(
        a,
        STR("[environments.default]\nurl = \"jdbc:postgresql://x/y\"\n[flyway]\n"
            "sqlMigrationPrefix = \"VER\"\nrepeatableSqlMigrationPrefix = 'RR'\n"
            "sqlMigrationSeparator = \"-\"\nsqlMigrationSuffixes = [\".sql\", \".pgsql\"]\n"
            "placeholderReplacement = false\n[flyway.placeholders]\nowner = \"app = x\"\n"
            "other = \"\\u00e9\"\n"),
        STR("flyway.toml"), true, &s, &f));
    check_settings(&s);
}

static void settings_that_change_the_text_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "flyway.encoding=ISO-8859-1\n",      "flyway.placeholderPrefix=#[\n",
        "flyway.placeholderSuffix=]\n",      "flyway.placeholderReplacement=maybe\n",
        "flyway.sqlMigrationSuffixes= , \n", "flyway.placeholders.a=x\\ny\n",
        "flyway.placeholders.a=\\u12\n",     "flyway.sqlMigrationSeparator=\n",
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fail f = FAIL_NONE;
        struct flyway_settings s = flyway_settings_default(a);
        if (flyway_settings_parse(a, str_of(rows[i]), STR("flyway.conf"), false, &s, &f))
            fail_msg("%s was read", rows[i]);
        assert_int_equal(f.line, 1);
        assert_non_null(f.hint);
        fail_clear(&f);
    }
}

static void properties_are_read_as_java_reads_them(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF! comment\n # another\\\nkey=value\n\n"
                               "  spaced  :  out  \nno separator here\nlone\n"
                               "a\\=b\\ c=d\nlong=1,\\\r\n   2,\\\n# 3\nend=\\\\";
    static const struct {
        const char *key, *value;
        uint32_t line;
    } expected[] = {
        {"key", "value", 3}, {"spaced", "out  ", 5}, {"no", "separator here", 6}, {"lone", "", 7},
        {"a=b c", "d", 8},   {"long", "1,2,# 3", 9}, {"end", "\\", 12},
    };
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct properties p;
    assert_true(properties_parse(a, str_of(text), STR("x"), &p, &f));
    assert_int_equal(p.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < p.count; i++)
        if (!str_equal(p.at[i].key, str_of(expected[i].key)) ||
            !str_equal(p.at[i].value, str_of(expected[i].value)) ||
            p.at[i].line != expected[i].line)
            fail_msg("%zu: \"%.*s\" = \"%.*s\" at line %u", i, STR_ARG(p.at[i].key),
                     STR_ARG(p.at[i].value), p.at[i].line);
}

static bool read_project(struct arena *a, const char *directory, struct migrations *out,
                         struct fail *f)
{
    struct str path = str_of(directory);
    struct source_request r = {.directories = &path, .count = 1, .layout = LAYOUT_FLYWAY};
    return directory_read(a, &r, out, f);
}

static void settings_are_found_above_the_directory_but_not_too_far(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct migrations m;
    const char *d = fixture_directory();
    fixture_write(d, "flyway.conf", "flyway.placeholders.a=far\n");
    fixture_write(d, "1/2/3/V1__a.sql", "SELECT '${a}';");
    fixture_write(d, "1/2/3/4/V1__a.sql", "SELECT '${a}';");
    assert_true(read_project(a, fixture_path(d, "1/2/3/4"), &m, &f));
    assert_int_equal(m.placeholders.count, 0);
    fixture_remove(fixture_path(d, "1/2/3/4"));
    assert_true(read_project(a, fixture_path(d, "1/2/3"), &m, &f));
    assert_int_equal(m.placeholders.count, 1);
    assert_true(m.at[0].has_placeholders);
    fixture_write(d, "1/2/flyway.toml", "[flyway.placeholders]\na = \"near\"\n");
    assert_true(read_project(a, fixture_path(d, "1/2/3"), &m, &f));
    assert_true(str_equal(m.placeholders.at[0].value, STR("near")));
}

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct migrations m;
    const char *d = fixture_directory();
    fixture_write(d, "flyway.conf",
                  "flyway.placeholders.Owner=file\nflyway.placeholders.b=1\n"
                  "flyway.placeholders.b=2\n");
    fixture_write(d, "V1__a.sql", "SELECT '${owner}';");
    assert_int_equal(setenv("FLYWAY_PLACEHOLDERS_OWNER", "environment", 1), 0);
    bool is_read = read_project(a, d, &m, &f);
    assert_int_equal(unsetenv("FLYWAY_PLACEHOLDERS_OWNER"), 0);
    assert_true(is_read);
    assert_int_equal(m.placeholders.count, 2);
    assert_true(str_equal(m.placeholders.at[0].name, STR("owner")));
    assert_true(str_equal(m.placeholders.at[0].value, STR("environment")));
    assert_true(str_equal(m.placeholders.at[1].value, STR("2")));
}

static void a_conf_file_steers_its_migration_alone(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct migrations m;
    const char *d = fixture_directory();
    fixture_write(d, "V1__a.sql", "SELECT '${x}';");
    fixture_write(d, "V1__a.sql.conf",
                  "executeInTransaction=false\nplaceholderReplacement=false\n");
    fixture_write(d, "V2__b.sql", "SELECT '${x}';");
    fixture_write(d, "V3__c.sql", "SELECT 3;");
    fixture_write(d, "V3__c.sql.conf", "shouldExecute=false\nencoding=UTF-8\n");
    fixture_write(d, "afterMigrate.sql", "SELECT 4;");
    assert_true(read_project(a, d, &m, &f));
    assert_int_equal(m.count, 2);
    assert_int_equal(m.at[0].transaction, TRANSACTION_NONE);
    assert_false(m.at[0].has_placeholders);
    assert_int_equal(m.at[1].transaction, TRANSACTION_AUTO);
    assert_true(m.at[1].has_placeholders);
    assert_int_equal(m.notes.count, 2); /* left out, and the callback */
    static const char *const refused[] = {"shouldExecute=${env}==prod", "encoding=latin1",
                                          "executeInTransactions=false"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        fixture_write(d, "V3__c.sql.conf", refused[i]);
        assert_false(read_project(a, d, &m, &f));
        assert_non_null(strstr(f.file, "V3__c.sql.conf"));
        assert_non_null(f.hint);
        fail_clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cut_as_flyway_cuts_them),
        cmocka_unit_test(both_syntaxes_say_the_same),
        cmocka_unit_test(settings_that_change_the_text_are_refused),
        cmocka_unit_test(properties_are_read_as_java_reads_them),
        cmocka_unit_test(settings_are_found_above_the_directory_but_not_too_far),
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(a_conf_file_steers_its_migration_alone),
    };
    return cmocka_run_group_tests_name("flyway", tests, NULL, NULL);
}
