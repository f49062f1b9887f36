/*
 * Reading directories: the projects of testdata/migrations against their expected lists, and what
 * all layouts share: order, duplicates, down files, several directories, large files, digests.
 */
#include "drivers/source/directory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/vec.h"
#include "drivers/testkit/fixture.h"

#define PROJECTS "testdata/migrations"
#define LIST_BYTES_MAX ((size_t)1 << 20)

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

static struct str cell(struct str *line)
{
    struct str text;
    *line = str_cut(*line, '\t', &text);
    return text;
}

static void assert_text(struct str where, const char *what, struct str actual, struct str expected)
{
    if (!str_equal(actual, expected))
        fail_msg("%.*s: %s is \"%.*s\", not \"%.*s\"", STR_ARG(where), what, STR_ARG(actual),
                 STR_ARG(expected));
}

/* One directory, nothing named. The message of a failure ends the test. */
static struct migrations read_directory(const char *directory, enum layout layout,
                                        enum engine engine)
{
    struct str path = str_of(directory);
    struct source_request request = {
        .directories = &path, .count = 1, .layout = layout, .engine = engine};
    struct migrations m;
    struct fail f = FAIL_NONE;
    if (!directory_read(arena, &request, &m, &f))
        fail_msg("%s: %s %s", directory, f.message, f.detail ? f.detail : "");
    return m;
}

/* Expects a failure whose message holds the text. The failure is returned in the arena. */
static struct fail read_failing(const struct str *directories, size_t count, enum layout layout,
                                enum exit_code code, const char *text)
{
    struct source_request request = {
        .directories = directories, .count = count, .layout = layout, .engine = ENGINE_SQLITE};
    struct migrations m;
    struct fail f = FAIL_NONE;
    if (directory_read(arena, &request, &m, &f))
        fail_msg("no failure \"%s\"", text);
    if (!strstr(f.message, text) || f.code != code)
        fail_msg("%d \"%s\" instead of %d \"%s\"", f.code, f.message, code, text);
    assert_non_null(f.hint);
    struct fail copy = fail_copy(arena, &f);
    fail_clear(&f);
    return copy;
}

static struct fail read_one_failing(const char *directory, enum exit_code code, const char *text)
{
    struct str path = str_of(directory);
    return read_failing(&path, 1, LAYOUT_AUTO, code, text);
}

static struct str flags_of(const struct migration *m)
{
    return m->is_opaque ? STR("opaque") : m->has_placeholders ? STR("placeholders") : STR("-");
}

static struct str down_of(const struct migration *m, struct str directory)
{
    if (m->down_path.len == 0)
        return STR("-");
    return str_equal(m->down_path, m->path) ? STR("same")
                                            : str_skip(m->down_path, directory.len + 1);
}

static void check_project(const char *project, enum engine engine, struct str *list)
{
    struct str directory = str_of(fs_join(arena, STR(PROJECTS), str_of(project)));
    struct migrations all = read_directory(directory.at, LAYOUT_AUTO, engine);
    assert_int_equal(all.notes.count, 0);
    for (size_t i = 0; i < all.count; i++) {
        const struct migration *m = &all.at[i];
        struct str line;
        *list = str_cut_line(*list, &line);
        assert_text(m->path, "project", cell(&line), str_of(project));
        assert_text(m->path, "layout", str_of(layout_name(all.layout)), cell(&line));
        assert_text(m->path, "kind", str_of(migration_kind_name(m->kind)), cell(&line));
        assert_text(m->path, "version", m->version, cell(&line));
        assert_text(m->path, "description", m->description, cell(&line));
        assert_text(m->path, "transaction",
                    m->transaction == TRANSACTION_NONE ? STR("none") : STR("auto"), cell(&line));
        assert_text(m->path, "flags", flags_of(m), cell(&line));
        assert_text(m->path, "down", down_of(m, directory), cell(&line));
        assert_text(m->path, "script", m->script, line);
        assert_int_equal(m->layout, all.layout);
    }
}

static void the_projects_in_testdata_are_read_as_expected(void **state)
{
    (void)state;
    struct fail f = FAIL_NONE;
    struct str projects;
    struct str list;
    assert_true(fs_read(arena, PROJECTS "/projects.tsv", LIST_BYTES_MAX, &projects, &f));
    assert_true(fs_read(arena, PROJECTS "/expected.tsv", LIST_BYTES_MAX, &list, &f));
    while (projects.len) {
        struct str line;
        projects = str_cut_line(projects, &line);
        const char *project = arena_cstr(arena, cell(&line));
        check_project(project, engine_of_name(line), &list);
    }
    assert_int_equal(list.len, 0);
}

static void every_layout_has_a_project(void **state)
{
    (void)state;
    struct fail f = FAIL_NONE;
    struct fs_entries projects;
    assert_true(fs_list(arena, PROJECTS, &projects, &f));
    for (enum layout l = LAYOUT_AUTO + 1; l < LAYOUT_MAX; l++) {
        bool is_there = false;
        for (size_t i = 0; i < projects.count; i++)
            is_there |= str_starts(projects.at[i].name, str_of(layout_name(l)));
        if (!is_there)
            fail_msg("no project of layout %s", layout_name(l));
    }
}

static void a_lock_file_for_another_engine_is_refused(void **state)
{
    (void)state;
    struct fail f = read_one_failing(PROJECTS "/prisma-blog", EXIT_USAGE,
                                     "written for postgresql, not for sqlite");
    assert_string_equal(f.file, PROJECTS "/prisma-blog/migration_lock.toml");
    assert_int_equal(f.line, 2);
}

static void versions_are_ordered_as_numbers_and_not_as_names(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "9_nine.sql", "SELECT 9;");
    fixture_write(d, "10_ten.sql", "SELECT 10;");
    fixture_write(d, "0011_eleven.sql", "SELECT 11;");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 3);
    assert_text(STR("first"), "version", m.at[0].version, STR("9"));
    assert_text(STR("last"), "version", m.at[2].version, STR("0011"));
}

static void dbmate_orders_versions_as_text_and_says_so(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "9_nine.sql", "-- migrate:up\nSELECT 9;\n-- migrate:down\n");
    fixture_write(d, "10_ten.sql", "-- migrate:up\nSELECT 10;\n-- migrate:down\n");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 2);
    assert_text(STR("first"), "version", m.at[0].version, STR("10"));
    assert_int_equal(m.notes.count, 1);
}

static void two_files_with_one_version_are_refused_by_name(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "7_a.sql", "SELECT 1;");
    fixture_write(d, "007_b.sql", "SELECT 2;");
    struct fail f = read_one_failing(d, EXIT_INTEGRITY, "two migrations have the same version");
    assert_non_null(strstr(f.detail, "007_b.sql"));
    assert_non_null(strstr(f.detail, "/7_a.sql"));

    d = fixture_directory();
    fixture_write(d, "V1__a.sql", "SELECT 1;");
    fixture_write(d, "sub/V1.0__b.sql", "SELECT 2;");
    read_one_failing(d, EXIT_INTEGRITY, "the same version, ");

    d = fixture_directory();
    fixture_write(d, "R__views.sql", "SELECT 1;");
    fixture_write(d, "sub/R__views.sql", "SELECT 2;");
    read_one_failing(d, EXIT_INTEGRITY, "two repeatable migrations");
}

static void a_baseline_may_have_the_version_of_a_migration(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "V1__a.sql", "SELECT 1;");
    fixture_write(d, "V2__b.sql", "SELECT 2;");
    fixture_write(d, "B2__all.sql", "SELECT 3;");
    fixture_write(d, "V3__c.sql", "SELECT 4;");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 4);
    assert_int_equal(m.at[1].kind, MIGRATION_VERSIONED);
    assert_int_equal(m.at[2].kind, MIGRATION_BASELINE);
}

static void several_directories_are_merged(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "core/001_a.up.sql", "SELECT 1;");
    fixture_write(d, "core/003_c.up.sql", "SELECT 3;");
    fixture_write(d, "plugin/002_b.up.sql", "SELECT 2;");
    fixture_write(d, "plugin/003_c.down.sql", "SELECT -3;");
    fixture_write(d, "empty/README.md", "nothing yet");
    struct str three[] = {str_of(fixture_path(d, "core")), str_of(fixture_path(d, "plugin")),
                          str_of(fixture_path(d, "empty"))};
    struct source_request request = {.directories = three, .count = 3};
    struct migrations m;
    struct fail f = FAIL_NONE;
    assert_true(directory_read(arena, &request, &m, &f));
    assert_int_equal(m.count, 3);
    assert_int_equal(m.layout, LAYOUT_GOLANG_MIGRATE);
    assert_text(STR("second"), "script", m.at[1].script, STR("002_b.up.sql"));
    assert_true(str_ends(m.at[2].down_path, STR("plugin/003_c.down.sql")));

    struct str twice[] = {three[0], three[0]};
    struct fail same = read_failing(twice, 2, LAYOUT_AUTO, EXIT_INTEGRITY, "the version 001");
    assert_non_null(strstr(same.hint, "given twice"));
}

static void down_files_without_or_with_too_many_partners_are_named(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "001_a.up.sql", "SELECT 1;");
    fixture_write(d, "002_b.down.sql", "SELECT 2;");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 1);
    assert_int_equal(m.at[0].down_path.len, 0);
    assert_int_equal(m.notes.count, 1);
    assert_true(str_ends(m.notes.at[0].path, STR("002_b.down.sql")));

    fixture_write(d, "2_again.down.sql", "SELECT 2;");
    read_one_failing(d, EXIT_INTEGRITY, "two down files");
}

static void missing_directories_and_files_in_their_place_are_refused(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "001_a.sql", "SELECT 1;");
    struct fail f = read_one_failing(fixture_path(d, "none"), EXIT_USAGE, "No such file");
    assert_int_equal(f.kind, FAIL_NOT_FOUND);
    read_one_failing(fixture_path(d, "001_a.sql"), EXIT_USAGE, "Not a directory");
    read_failing(NULL, 0, LAYOUT_AUTO, EXIT_USAGE, "no directory");
}

static void an_empty_directory_has_no_migrations(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 0);
    assert_int_equal(m.notes.count, 0);
    fixture_write(d, ".gitkeep", "");
    fixture_write(d, "README.md", "later");
    m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count + m.notes.count, 0);
    m = read_directory(d, LAYOUT_FLYWAY, ENGINE_SQLITE);
    assert_int_equal(m.count + m.notes.count, 0);
    assert_int_equal(m.layout, LAYOUT_FLYWAY);
}

static void migrations_written_as_code_keep_their_place(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "00001_a.sql", "-- +goose Up\nSELECT 1;\n");
    fixture_write(d, "00002_b.go", "package migrations\n");
    fixture_write(d, "00002_b_test.go", "package migrations\n");
    fixture_write(d, "00003_c.sql", "-- +goose Up\nSELECT 3;\n");
    fixture_write(d, "embed.go", "package migrations\n");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.layout, LAYOUT_GOOSE);
    assert_int_equal(m.count, 3);
    assert_true(m.at[1].is_opaque);
    assert_false(m.at[0].is_opaque || m.at[2].is_opaque);

    d = fixture_directory();
    fixture_write(d, "V1__a.sql", "SELECT 1;");
    fixture_write(d, "V2__Fill.java", "class V2__Fill {}");
    m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 2);
    assert_true(m.at[1].is_opaque);
}

static void what_looks_like_a_migration_but_is_none_is_noted(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "001_a.sql", "SELECT 1;");
    fixture_write(d, "002_b.sql.bak", "SELECT 2;");
    fixture_write(d, "003 c.sql", "SELECT 3;");
    fixture_write(d, "seed.sql", "SELECT 4;");
    fixture_write(d, "old/004_d.sql", "SELECT 5;");
    fixture_write(d, "schema.sql", "SELECT 6;");
    fixture_write(d, "LICENSE", "free");
    fixture_write(d, "notes/README.md", "no SQL here");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.count, 1);
    assert_int_equal(m.notes.count, 4);
}

static void a_layout_that_takes_no_file_is_the_wrong_one(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "001_a.sql", "SELECT 1;");
    struct str path = str_of(d);
    struct fail f = read_failing(&path, 1, LAYOUT_FLYWAY, EXIT_USAGE, "is a migration of flyway");
    assert_non_null(strstr(f.hint, "V1__"));
}

/* "-- x\n" lines up to len bytes, then the tail. */
static const char *long_text(size_t len, const char *tail)
{
    SCOPED(buf) struct buf text = {0};
    while (text.len < len)
        buf_add_cstr(&text, "INSERT INTO t VALUES (1, 'some text that is not very long');\n");
    buf_add_cstr(&text, tail);
    return buf_done(arena, &text).at;
}

static void large_files_are_read_in_pieces(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    const char *text = long_text((size_t)3 << 20, "-- +goose Down\nDELETE FROM t;\n");
    const char *whole = fixture_text("-- +goose Up\n%s", text);
    fixture_write(d, "1_large.sql", whole);
    struct arena_mark before = arena_mark(arena);
    size_t used = arena_used_bytes(arena);
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_true(arena_used_bytes(arena) - used < ((size_t)64 << 10));
    struct str all = str_of(whole);
    struct digest expected = digest_of(all);
    assert_true(digest_equal(&m.at[0].checksums.raw, &expected));
    assert_int_equal(m.at[0].size_bytes, all.len);
    size_t down = str_find(all, STR("-- +goose Down"));
    assert_int_equal(m.at[0].up.to, down);
    assert_int_equal(m.at[0].down.from, down + strlen("-- +goose Down\n"));
    struct fail f = FAIL_NONE;
    struct digest normalized;
    assert_true(source_normalized_digest(&m.at[0], &normalized, &f));
    expected = checksum_normalized(all);
    assert_true(digest_equal(&normalized, &expected));
    arena_reset(arena, before);
}

static void a_byte_more_or_less_around_a_piece_changes_nothing(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    const size_t piece = (size_t)1 << 20;
    char *text = arena_alloc(arena, piece + 64);
    for (size_t len = piece - 2; len <= piece + 2; len++) {
        memset(text, ' ', len);
        memcpy(text + len - 20, "\n-- migrate:down\nX;\n", 20);
        memcpy(text, "-- migrate:up\n", 14);
        fixture_write_bytes(d, "1_a.sql", text, len);
        struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
        assert_int_equal(m.at[0].size_bytes, len);
        assert_int_equal(m.at[0].up.to, len - 19);
        struct digest expected = digest_of((struct str){.at = text, .len = len});
        assert_true(digest_equal(&m.at[0].checksums.raw, &expected));
    }
}

static void odd_files_are_refused_and_empty_ones_are_not(void **state)
{
    (void)state;
    const char *d = fixture_directory();
    fixture_write(d, "001_empty.sql", "");
    struct migrations m = read_directory(d, LAYOUT_AUTO, ENGINE_SQLITE);
    assert_int_equal(m.at[0].size_bytes, 0);
    struct digest expected = digest_of(STR(""));
    assert_true(digest_equal(&m.at[0].checksums.raw, &expected));
    assert_int_equal(mkfifo(fixture_path(d, "002_pipe.sql"), 0600), 0);
    read_one_failing(d, EXIT_USAGE, "not a regular file");
    fixture_remove(fixture_path(d, "002_pipe.sql"));
    assert_int_equal(symlink("nowhere", fixture_path(d, "002_gone.sql")), 0);
    read_one_failing(d, EXIT_USAGE, "No such file");
}

static void the_same_migration_read_twice_is_the_same(void **state)
{
    (void)state;
    struct migrations a = read_directory(PROJECTS "/flyway-shop", LAYOUT_AUTO, ENGINE_POSTGRES);
    struct migrations b = read_directory(PROJECTS "/flyway-shop/", LAYOUT_FLYWAY, ENGINE_POSTGRES);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_text(a.at[i].path, "script", a.at[i].script, b.at[i].script);
        assert_text(a.at[i].path, "path", a.at[i].path, b.at[i].path);
        assert_true(digest_equal(&a.at[i].checksums.raw, &b.at[i].checksums.raw));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_projects_in_testdata_are_read_as_expected),
        cmocka_unit_test(every_layout_has_a_project),
        cmocka_unit_test(a_lock_file_for_another_engine_is_refused),
        cmocka_unit_test(versions_are_ordered_as_numbers_and_not_as_names),
        cmocka_unit_test(dbmate_orders_versions_as_text_and_says_so),
        cmocka_unit_test(two_files_with_one_version_are_refused_by_name),
        cmocka_unit_test(a_baseline_may_have_the_version_of_a_migration),
        cmocka_unit_test(several_directories_are_merged),
        cmocka_unit_test(down_files_without_or_with_too_many_partners_are_named),
        cmocka_unit_test(missing_directories_and_files_in_their_place_are_refused),
        cmocka_unit_test(an_empty_directory_has_no_migrations),
        cmocka_unit_test(migrations_written_as_code_keep_their_place),
        cmocka_unit_test(what_looks_like_a_migration_but_is_none_is_noted),
        cmocka_unit_test(a_layout_that_takes_no_file_is_the_wrong_one),
        cmocka_unit_test(large_files_are_read_in_pieces),
        cmocka_unit_test(a_byte_more_or_less_around_a_piece_changes_nothing),
        cmocka_unit_test(odd_files_are_refused_and_empty_ones_are_not),
        cmocka_unit_test(the_same_migration_read_twice_is_the_same),
    };
    return cmocka_run_group_tests_name("directory", tests, make_arena, release_arena);
}
