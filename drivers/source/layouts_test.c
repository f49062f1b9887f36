/* What is particular to one layout: its traps, and what it says of files that do not fit. */
#include "drivers/source/directory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <unistd.h>

#include "drivers/testkit/fixture.h"

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_make();
    return 0;
}

static int release_arena(void **state)
{
    (void)state;
    arena_release(arena);
    arena = NULL;
    return 0;
}

static bool try_reading(const char *directory, enum layout layout, struct migrations *out,
                        struct fail *f)
{
    struct str path = str_of(directory);
    struct source_request r = {
        .directories = &path, .count = 1, .layout = layout, .engine = ENGINE_POSTGRES};
    return directory_read(arena, &r, out, f);
}

static struct migrations read_directory(const char *directory, enum layout layout)
{
    struct migrations m;
    struct fail f = FAIL_NONE;
    if (!try_reading(directory, layout, &m, &f))
        fail_msg("%s", f.message);
    return m;
}

static void expect_failure(const char *directory, enum layout layout, enum exit_code code,
                           const char *message)
{
    struct migrations m;
    struct fail f = FAIL_NONE;
    if (try_reading(directory, layout, &m, &f))
        fail_msg("no failure \"%s\"", message);
    if (!strstr(f.message, message) || f.code != code || !f.hint)
        fail_msg("%d \"%s\" instead of %d \"%s\"", f.code, f.message, code, message);
    fail_clear(&f);
}

static void assert_version(const struct migrations *m, size_t at, const char *version)
{
    assert_true(at < m->count);
    if (!str_equal(m->at[at].version, str_of(version)))
        fail_msg("\"%.*s\" instead of \"%s\"", STR_ARG(m->at[at].version), version);
}

static void assert_note(const struct migrations *m, const char *name, const char *text)
{
    for (size_t i = 0; i < m->notes.count; i++)
        if (str_ends(m->notes.at[i].path, str_of(name)) &&
            str_find(m->notes.at[i].text, str_of(text)) != SIZE_MAX)
            return;
    fail_msg("no note about %s", name);
}

static void write_journal(const char *d, const char *dialect, const char *entries)
{
    fixture_write(d, "meta/_journal.json",
                  fixture_text("{\"dialect\": \"%s\", \"entries\": [%s]}", dialect, entries));
}

static void drizzle_runs_what_its_journal_names_in_its_order(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "0000_a.sql", "SELECT 0;");
    fixture_write(d, "0001_b.sql", "SELECT 1;");
    fixture_write(d, "0001_c.sql", "SELECT 2;");
    fixture_write(d, "0009_lost.sql", "SELECT 3;");
    write_journal(d, "postgresql",
                  "{\"idx\": 0, \"tag\": \"0001_b\"}, {\"idx\": 1, \"tag\": \"0000_a\"},"
                  "{\"idx\": 7, \"tag\": \"0001_c\"}");
    struct migrations m = read_directory(d, LAYOUT_AUTO);
    assert_int_equal(m.layout, LAYOUT_DRIZZLE);
    assert_int_equal(m.count, 3);
    assert_true(str_equal(m.at[0].script, STR("0001_b.sql")));
    assert_version(&m, 2, "7");
    assert_note(&m, "0009_lost.sql", "does not name it");
}

static void a_damaged_journal_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *entries;
        const char *message;
    } rows[] = {
        {"{\"idx\": 0, \"tag\": \"0000_a\"}, {\"idx\": 0, \"tag\": \"0000_b\"}", "entry 2"},
        {"{\"idx\": 1, \"tag\": \"0000_a\"}, {\"idx\": 0, \"tag\": \"0000_b\"}", "entry 2"},
        {"{\"idx\": 0, \"tag\": \"gone\"}", "\"gone.sql\", which is not there"},
        {"{\"idx\": 0, \"tag\": \"../0000_a\"}", "entry 1"},
        {"{\"idx\": 0, \"tag\": \"\"}", "entry 1"},
        {"{\"idx\": \"0\", \"tag\": \"0000_a\"}", "entry 1"},
        {"{\"idx\": -1, \"tag\": \"0000_a\"}", "entry 1"},
        {"7", "entry 1"},
    };
    const char *d = fixture_directory();
    fixture_write(d, "0000_a.sql", "SELECT 0;");
    fixture_write(d, "0000_b.sql", "SELECT 1;");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_journal(d, "postgresql", rows[i].entries);
        expect_failure(d, LAYOUT_DRIZZLE, EXIT_INTEGRITY, rows[i].message);
    }
    write_journal(d, "sqlite", "{\"idx\": 0, \"tag\": \"0000_a\"}");
    expect_failure(d, LAYOUT_AUTO, EXIT_USAGE, "written for sqlite, not for postgres");
    fixture_write(d, "meta/_journal.json", "{}");
    expect_failure(d, LAYOUT_AUTO, EXIT_USAGE, "no list of entries");
    fixture_write(d, "meta/_journal.json", "{\"entries\": [");
    expect_failure(d, LAYOUT_AUTO, EXIT_USAGE, "");
}

static void drizzle_without_a_journal_goes_by_numbers(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "0010_b.sql", "SELECT 1;--> statement-breakpoint\nSELECT 2;");
    fixture_write(d, "9_a.sql", "SELECT 0;\n--> statement-breakpoint\nSELECT 2;");
    fixture_write(d, "20250101000000_c/migration.sql", "SELECT 3;");
    fixture_write(d, "20250102000000_empty/snapshot.json", "{}");
    fixture_write(d, "helpers/x.sql", "SELECT 4;");
    struct migrations m = read_directory(d, LAYOUT_DRIZZLE);
    assert_int_equal(m.count, 3);
    assert_version(&m, 0, "9");
    assert_version(&m, 1, "10");
    assert_version(&m, 2, "20250101000000");
    assert_note(&m, "20250102000000_empty", "no migration.sql");
    assert_note(&m, "helpers", "no number in front");
}

static void prisma_takes_every_directory_by_its_whole_name(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "migration_lock.toml", "provider = 'postgresql'\n");
    fixture_write(d, "20240101000000_b copy/migration.sql", "SELECT 1;");
    fixture_write(d, "20240101000000_b/migration.sql", "SELECT 1;");
    fixture_write(d, "0_init/migration.sql", "SELECT 0;");
    fixture_write(d, "20250101000000_gone/README.md", "");
    fixture_write(d, "20250101000000_loose.sql", "SELECT 2;");
    struct migrations m = read_directory(d, LAYOUT_AUTO);
    assert_int_equal(m.count, 3);
    assert_version(&m, 0, "0_init");
    assert_version(&m, 1, "20240101000000_b");
    assert_version(&m, 2, "20240101000000_b copy");
    assert_note(&m, "20250101000000_gone", "no migration.sql");
    assert_note(&m, "20250101000000_loose.sql", "migration.sql");
    fixture_write(d, "migration_lock.toml", "provider = \"mysql\"\n");
    expect_failure(d, LAYOUT_PRISMA, EXIT_USAGE, "written for mysql");
    fixture_write(d, "migration_lock.toml", "provider = {}\n");
    expect_failure(d, LAYOUT_PRISMA, EXIT_USAGE, "inline tables");
}

static void diesel_metadata_without_its_key_means_no_transaction(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "2024-01-01-000000_a/up.sql", "SELECT 1;");
    fixture_write(d, "2024-01-02-000000_b/up.sql", "SELECT 2;");
    fixture_write(d, "2024-01-02-000000_b/metadata.toml", "# nothing\n");
    fixture_write(d, "2024-01-03-000000_c/up.sql", "SELECT 3;");
    fixture_write(d, "2024-01-03-000000_c/metadata.toml", "run_in_transaction = true\n");
    fixture_write(d, "2024-01-04-000000_d/down.sql", "SELECT 4;");
    fixture_write(d, ".hidden/up.sql", "SELECT 5;");
    struct migrations m = read_directory(d, LAYOUT_AUTO);
    assert_int_equal(m.layout, LAYOUT_DIESEL);
    assert_int_equal(m.count, 3);
    assert_version(&m, 0, "20240101000000");
    assert_int_equal(m.at[0].transaction, TRANSACTION_AUTO);
    assert_int_equal(m.at[1].transaction, TRANSACTION_NONE);
    assert_int_equal(m.at[2].transaction, TRANSACTION_AUTO);
    assert_note(&m, "2024-01-04-000000_d", "no up.sql");
    fixture_write(d, "2024-01-03-000000_c/metadata.toml", "run_in_transaction = \"false\"\n");
    expect_failure(d, LAYOUT_AUTO, EXIT_USAGE, "must be true or false");
    fixture_write(d, "2024-01-03-000000_c/metadata.toml", "");
    fixture_write(d, "20240101-000000_same/up.sql", "SELECT 6;");
    expect_failure(d, LAYOUT_AUTO, EXIT_INTEGRITY, "two migrations have the version");
}

static void sqlx_takes_64_bit_numbers_only(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "9223372036854775807_a.sql", "-- no-transaction\nVACUUM;");
    fixture_write(d, "9223372036854775808_b.sql", "SELECT 1;");
    fixture_write(d, "1-c.sql", "SELECT 1;");
    fixture_write(d, "2_d.sql", "\xEF\xBB\xBF-- no-transaction\nVACUUM;");
    struct migrations m = read_directory(d, LAYOUT_SQLX);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.at[0].transaction, TRANSACTION_AUTO);
    assert_int_equal(m.at[1].transaction, TRANSACTION_NONE);
    assert_note(&m, "9223372036854775808_b.sql", "64-bit");
    assert_note(&m, "1-c.sql", "64-bit");
}

static void the_opt_out_of_sqlx_counts_in_files_detected_as_sqlx(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    for (int i = 10; i < 40; i++) /* more than detection looks into */
        fixture_write(d, fixture_text("%d_x.up.sql", i),
                      i == 12 ? "-- no-transaction\nVACUUM;" : "SELECT 1;");
    struct migrations m = read_directory(d, LAYOUT_AUTO);
    assert_int_equal(m.layout, LAYOUT_SQLX);
    assert_int_equal(m.at[2].transaction, TRANSACTION_NONE);
    assert_int_equal(m.at[3].transaction, TRANSACTION_AUTO);
    assert_int_equal(m.at[3].layout, LAYOUT_SQLX);
    m = read_directory(d, LAYOUT_GOLANG_MIGRATE);
    assert_int_equal(m.at[2].transaction, TRANSACTION_AUTO);
}

static void goose_counts_from_one(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "00000_zero.sql", "-- +goose Up\n");
    fixture_write(d, "00001_one.sql", "-- +goose Up\n");
    fixture_write(d, "2-two.sql", "-- +goose Up\n");
    struct migrations m = read_directory(d, LAYOUT_GOOSE);
    assert_int_equal(m.count, 1);
    assert_note(&m, "00000_zero.sql", "from 1");
    assert_note(&m, "2-two.sql", "from 1");
}

static void dbmate_takes_whatever_stands_behind_the_digits(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "1.sql", "-- migrate:up\n");
    fixture_write(d, "2name.sql", "-- migrate:up\n");
    fixture_write(d, "3_name.sql.sql", "-- migrate:up\n");
    fixture_write(d, "4_go.up.sql", "-- migrate:up\n");
    struct migrations m = read_directory(d, LAYOUT_AUTO);
    assert_int_equal(m.count, 4);
    assert_true(str_equal(m.at[1].description, STR("name")));
    assert_true(str_equal(m.at[2].description, STR("name.sql")));
    assert_true(str_equal(m.at[3].description, STR("go.up")));
}

static void capitals_in_the_extension_are_noticed(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "1_A.SQL", "SELECT 1;");
    assert_int_equal(read_directory(d, LAYOUT_AUTO).count, 1);
    fixture_write(d, "1_A.SQL", "-- +goose Up\n");
    fixture_write(d, "2_b.sql", "-- +goose Up\n");
    struct migrations m = read_directory(d, LAYOUT_AUTO);
    assert_int_equal(m.count, 1);
    assert_note(&m, "1_A.SQL", "not a migration");
}

static void an_undo_file_without_its_migration_is_left_aside_when_flyway_is_named(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "V1__a.sql", "SELECT 1;");
    fixture_write(d, "U1.0__a.sql", "SELECT 2;");
    fixture_write(d, "U2__b.sql", "SELECT 3;");
    fixture_write(d, "R__c.sql", "SELECT 4;");
    struct migrations m = read_directory(d, LAYOUT_FLYWAY);
    assert_int_equal(m.count, 2);
    assert_true(str_ends(m.at[0].down_path, STR("U1.0__a.sql")));
    assert_note(&m, "U2__b.sql", "without an up file");
}

static void flyway_does_not_follow_links_for_ever(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "V1__a.sql", "SELECT 1;");
    assert_int_equal(symlink(".", fixture_path(d, "again")), 0);
    expect_failure(d, LAYOUT_FLYWAY, EXIT_USAGE, "nested more than");
}

static void flyway_reads_as_deep_as_it_says(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    const char *name = "V1__a.sql";
    for (int depth = 1; depth <= 16; depth++)
        name = fixture_text("d/%s", name);
    fixture_write(d, name, "SELECT 1;");
    assert_int_equal(read_directory(d, LAYOUT_FLYWAY).count, 1);
    fixture_write(d, fixture_text("d/%s", name), "SELECT 1;");
    expect_failure(d, LAYOUT_FLYWAY, EXIT_USAGE, "nested more than");
}

/* One directory given so often that its files are count migrations; they are then all duplicates,
   which is only looked for when all are read. */
static void expect_reading_often(const char *directory, size_t count, size_t files,
                                 enum exit_code code, const char *message)
{
    size_t times = count / files;
    struct str *directories = arena_array(arena, struct str, times + 1);
    for (size_t i = 0; i < times; i++)
        directories[i] = str_of(directory);
    directories[times] = str_of(fixture_path(directory, "rest"));
    struct source_request r = {.directories = directories,
                               .count = times + (count % files ? 1 : 0),
                               .layout = LAYOUT_PLAIN};
    struct migrations m;
    struct fail f = FAIL_NONE;
    assert_false(directory_read(arena, &r, &m, &f));
    if (!strstr(f.message, message) || f.code != code)
        fail_msg("\"%s\"", f.message);
    fail_clear(&f);
}

static void there_is_a_limit_to_the_number_of_migrations(void **state)
{
    (void)state;
    enum { FILES = 2000 };
    static_assert(LIMIT_MIGRATIONS % FILES == 0, "whole directories reach the limit");
    const char *d = fixture_directory();
    for (int i = 0; i < FILES; i++)
        fixture_write(d, fixture_text("%d.sql", i), "");
    fixture_write(d, "rest/1.sql", "");
    struct arena *before = arena;
    arena = arena_make();
    expect_reading_often(d, LIMIT_MIGRATIONS, FILES, EXIT_INTEGRITY, "two migrations");
    expect_reading_often(d, LIMIT_MIGRATIONS + 1, FILES, EXIT_USAGE, "more than 200000 migrations");
    arena_release(arena);
    arena = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drizzle_runs_what_its_journal_names_in_its_order),
        cmocka_unit_test(a_damaged_journal_is_refused),
        cmocka_unit_test(drizzle_without_a_journal_goes_by_numbers),
        cmocka_unit_test(prisma_takes_every_directory_by_its_whole_name),
        cmocka_unit_test(diesel_metadata_without_its_key_means_no_transaction),
        cmocka_unit_test(sqlx_takes_64_bit_numbers_only),
        cmocka_unit_test(the_opt_out_of_sqlx_counts_in_files_detected_as_sqlx),
        cmocka_unit_test(goose_counts_from_one),
        cmocka_unit_test(dbmate_takes_whatever_stands_behind_the_digits),
        cmocka_unit_test(capitals_in_the_extension_are_noticed),
        cmocka_unit_test(an_undo_file_without_its_migration_is_left_aside_when_flyway_is_named),
        cmocka_unit_test(flyway_does_not_follow_links_for_ever),
        cmocka_unit_test(flyway_reads_as_deep_as_it_says),
        cmocka_unit_test(there_is_a_limit_to_the_number_of_migrations),
    };
    return cmocka_run_group_tests_name("layouts", tests, make_arena, release_arena);
}
