/* Detection: which layout a set of files is, or why none is chosen. One row, one directory. */
#include "drivers/source/directory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "drivers/testkit/fixture.h"

#define FILES_MAX 8

struct file {
    const char *name;
    const char *text;
};

struct row {
    const char *what;
    struct file files[FILES_MAX]; /* up to the first without a name */
    enum layout layout;           /* where it is found */
    const char *message;          /* else: part of the message */
    const char *hint;             /* part of the hint, or NULL */
    enum engine engine;
};

#define GOOSE "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"
#define DBMATE "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"

static const struct row rows[] = {
    {.what = "numbered files", .files = {{"001_a.sql", "SELECT 1;"}}, .layout = LAYOUT_PLAIN},
    {.what = "a number alone", .files = {{"1.sql", ""}, {"2.sql", ""}}, .layout = LAYOUT_PLAIN},
    {.what = "dashes", .files = {{"001-a.sql", "SELECT 1;"}}, .layout = LAYOUT_PLAIN},
    {.what = "pairs are golang-migrate's",
     .files = {{"1_a.up.sql", "SELECT 1;"}, {"1_a.down.sql", "SELECT 2;"}},
     .layout = LAYOUT_GOLANG_MIGRATE},
    {.what = "pairs and single files are nobody's in particular",
     .files = {{"1_a.up.sql", "SELECT 1;"}, {"1_a.down.sql", ""}, {"2_b.sql", ""}},
     .layout = LAYOUT_PLAIN},
    {.what = "pairs without underscore",
     .files = {{"1-a.up.sql", ""}, {"1-a.down.sql", ""}},
     .layout = LAYOUT_PLAIN},
    {.what = "the comment of sqlx's template",
     .files = {{"1_a.up.sql", "-- Add up migration script here\n"}, {"1_a.down.sql", ""}},
     .layout = LAYOUT_SQLX},
    {.what = "sqlx's opt-out at the first byte",
     .files = {{"20240101000000_a.sql", "-- no-transaction\nVACUUM;"}},
     .layout = LAYOUT_SQLX},
    {.what = "a blank line in front of the opt-out",
     .files = {{"1_a.sql", "\n-- no-transaction\nVACUUM;"}},
     .layout = LAYOUT_PLAIN},
    {.what = "goose", .files = {{"00001_a.sql", GOOSE}}, .layout = LAYOUT_GOOSE},
    {.what = "goose beside atlas.sum",
     .files = {{"00001_a.sql", GOOSE}, {"atlas.sum", "h1:x=\n"}},
     .layout = LAYOUT_GOOSE},
    {.what = "goose beside a drizzle journal",
     .files = {{"00001_a.sql", GOOSE}, {"meta/_journal.json", "{}"}},
     .layout = LAYOUT_GOOSE},
    {.what = "a goose marker in capitals, behind a licence",
     .files = {{"1_a.sql", "/* licence\n * text */\n\n-- +GOOSE UP\nSELECT 1;"}},
     .layout = LAYOUT_GOOSE},
    {.what = "dbmate", .files = {{"1_a.sql", DBMATE}, {"schema.sql", ""}}, .layout = LAYOUT_DBMATE},
    {.what = "dbmate without blanks",
     .files = {{"1_a.sql", "--migrate:up\r\nSELECT 1;\r\n"}},
     .layout = LAYOUT_DBMATE},
    {.what = "goose and dbmate",
     .files = {{"1_a.sql", GOOSE}, {"2_b.sql", DBMATE}},
     .message = "could be of goose or of dbmate",
     .hint = "--layout goose or --layout dbmate"},
    {.what = "flyway", .files = {{"V1__a.sql", ""}, {"R__b.sql", ""}}, .layout = LAYOUT_FLYWAY},
    {.what = "flyway in directories by year",
     .files = {{"2024/03/V1__a.sql", ""}},
     .layout = LAYOUT_FLYWAY},
    {.what = "flyway with a prefix of its own",
     .files = {{"flyway.conf", "flyway.sqlMigrationPrefix=mig-\n"}, {"mig-1__a.sql", ""}},
     .layout = LAYOUT_FLYWAY},
    {.what = "flyway's settings without flyway's files",
     .files = {{"flyway.toml", "[flyway]\n"}, {"1_a.up.sql", ""}},
     .layout = LAYOUT_GOLANG_MIGRATE},
    {.what = "flyway and numbered files",
     .files = {{"V1__a.sql", ""}, {"002_b.sql", ""}},
     .message = "could be of flyway or of plain",
     .hint = "--layout"},
    {.what = "refinery's U",
     .files = {{"V1__a.sql", ""}, {"U2__b.sql", ""}},
     .message = "no migration of version 2 to undo",
     .hint = "--layout flyway"},
    {.what = "prisma",
     .files = {{"migration_lock.toml", "provider = \"sqlite\"\n"},
               {"20240101000000_a/migration.sql", "SELECT 1;"}},
     .layout = LAYOUT_PRISMA},
    {.what = "prisma by its headings",
     .files = {{"20240101000000_a/migration.sql", "-- CreateTable\nCREATE TABLE a (b);"}},
     .layout = LAYOUT_PRISMA},
    {.what = "drizzle 1 by its breakpoints",
     .files = {{"20240101000000_a/migration.sql",
                "SELECT 1;\n--> statement-breakpoint\nSELECT 2;"}},
     .layout = LAYOUT_DRIZZLE},
    {.what = "drizzle 1 by its snapshot",
     .files = {{"20240101000000_a/migration.sql", "SELECT 1;"},
               {"20240101000000_a/snapshot.json", "{}"}},
     .layout = LAYOUT_DRIZZLE},
    {.what = "prisma or drizzle",
     .files = {{"20240101000000_a/migration.sql", "SELECT 1;"}},
     .message = "could be of prisma or of drizzle",
     .hint = "--layout prisma"},
    {.what = "drizzle 0 with its journal",
     .files = {{"meta/_journal.json", "{\"entries\": [{\"idx\": 0, \"tag\": \"0000_a\"}]}"},
               {"0000_a.sql", "SELECT 1;"}},
     .layout = LAYOUT_DRIZZLE},
    {.what = "drizzle 0 without its journal",
     .files = {{"0000_a.sql", "SELECT 1;--> statement-breakpoint\nSELECT 2;"},
               {"0001_b.sql", "SELECT 1;\n--> statement-breakpoint\nSELECT 2;"}},
     .layout = LAYOUT_DRIZZLE},
    {.what = "diesel", .files = {{"2024-01-01-000000_a/up.sql", ""}}, .layout = LAYOUT_DIESEL},
    {.what = "diesel and numbered files",
     .files = {{"1_a/up.sql", ""}, {"2_b.sql", ""}},
     .message = "could be of diesel or of plain",
     .hint = "--layout"},
    {.what = "only atlas.sum",
     .files = {{"atlas.sum", "h1:x=\n"}, {"1_a.sql", ""}},
     .message = "a file of Atlas, which is not read",
     .hint = "--layout"},
    {.what = "atlas.sum beside flyway's names",
     .files = {{"atlas.sum", "h1:x=\n"}, {"V1__a.sql", ""}},
     .layout = LAYOUT_FLYWAY},
    {.what = "Liquibase formatted SQL",
     .files = {{"1_a.sql", "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;"}},
     .message = "1_a.sql\" is a file of Liquibase formatted SQL",
     .hint = "plain"},
    {.what = "Liquibase's changelog",
     .files = {{"db.changelog-master.xml", "<x/>"}, {"a.sql", ""}},
     .message = "a file of Liquibase",
     .hint = "flyway"},
    {.what = "Sqitch",
     .files = {{"sqitch.plan", "%project=x\n"}, {"deploy/users.sql", ""}},
     .message = "a file of Sqitch"},
    {.what = "sql-migrate",
     .files = {{"1_a.sql", "-- +migrate Up\nSELECT 1;"}},
     .message = "a file of sql-migrate"},
    {.what = "tern",
     .files = {{"001_a.sql",
                "create table a();\n---- create above / drop below ----\ndrop table a;"}},
     .message = "a file of tern"},
    {.what = "graphile-migrate",
     .files = {{"000001.sql", "--! Previous: -\n--! Hash: sha1:x\n"}},
     .message = "a file of graphile-migrate"},
    {.what = "node-pg-migrate",
     .files = {{"1_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;"}},
     .message = "a file of node-pg-migrate"},
    {.what = "a heading in a file of one direction",
     .files = {{"1_a.up.sql", "-- Up Migration\nSELECT 1;"}},
     .layout = LAYOUT_GOLANG_MIGRATE},
    {.what = "MyBatis",
     .files = {{"1_a.sql", "SELECT 1;\n-- //@UNDO\nSELECT 2;"}},
     .message = "a file of MyBatis"},
    {.what = "Alembic",
     .files = {{"env.py", ""}, {"script.py.mako", ""}, {"versions/a.py", ""}},
     .message = "a file of Alembic"},
    {.what = "code only",
     .files = {{"0001_initial.py", ""}, {"__init__.py", ""}},
     .layout = LAYOUT_PLAIN},
    {.what = "a directory per engine",
     .files = {{"postgresql/1_a.sql", ""}, {"sqlite/1_a.sql", ""}},
     .message = "only in directories below",
     .hint = "/sqlite.",
     .engine = ENGINE_SQLITE},
    {.what = "a directory per engine, with flyway's names",
     .files = {{"postgresql/V1__a.sql", ""}, {"mysql/V1__a.sql", ""}},
     .message = "only in directories below",
     .hint = "/postgresql.",
     .engine = ENGINE_POSTGRES},
    {.what = "a directory per engine, prisma",
     .files = {{"postgresql/20240101_a/migration.sql", ""}},
     .message = "only in directories below",
     .hint = "/postgresql."},
    {.what = "several projects below",
     .files = {{"shop/V1__a.sql", ""}, {"blog/001_a.sql", ""}, {"list/1_a.sql", ""}},
     .message = "only in directories below",
     .hint = "/blog."},
    {.what = "flyway's directories beside each other",
     .files = {{"2024/V1__a.sql", ""}, {"views/R__b.sql", ""}, {"docs/README.md", ""}},
     .layout = LAYOUT_FLYWAY},
    {.what = "names of no layout",
     .files = {{"init.sql", ""}, {"users.sql", ""}},
     .message = "no layout fits",
     .hint = "Rename"},
    {.what = "neither SQL nor code",
     .files = {{"embed.go", ""}, {"data.txt", ""}},
     .layout = LAYOUT_PLAIN},
    {.what = "a marker in one file only",
     .files = {{"1_a.up.sql", "-- x\n"}, {"2_b.up.sql", "SELECT 1;\n-- +goose Down\nSELECT 2;"}},
     .message = "no line \"-- +goose Up\"",
     .hint = "--layout"},
};

static void check_row(struct arena *a, const struct row *row)
{
    const char *directory = fixture_directory();
    for (size_t i = 0; i < FILES_MAX && row->files[i].name; i++)
        fixture_write(directory, row->files[i].name, row->files[i].text);
    struct str path = str_of(directory);
    struct source_request request = {.directories = &path, .count = 1, .engine = row->engine};
    struct migrations m;
    struct fail f = FAIL_NONE;
    bool is_read = directory_read(a, &request, &m, &f);
    if (row->message && is_read)
        fail_msg("%s: read as %s", row->what, layout_name(m.layout));
    if (!row->message && !is_read)
        fail_msg("%s: %s", row->what, f.message);
    if (is_read && m.layout != row->layout)
        fail_msg("%s: read as %s", row->what, layout_name(m.layout));
    if (!is_read && (!strstr(f.message, row->message) || f.code != EXIT_USAGE))
        fail_msg("%s: \"%s\"", row->what, f.message);
    if (!is_read && (!f.hint || (row->hint && !strstr(f.hint, row->hint))))
        fail_msg("%s: hint \"%s\"", row->what, f.hint ? f.hint : "");
    fail_clear(&f);
}

static void each_set_of_files_is_known_for_what_it_is(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_row(a, &rows[i]);
}

static void a_file_marked_for_another_tool_is_refused_wherever_it_lies(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    const char *directory = fixture_directory();
    for (int i = 100; i < 150; i++) /* more than the sample */
        fixture_write(directory, fixture_text("%d_x.sql", i), i == 103 ? GOOSE : "SELECT 1;");
    struct str path = str_of(directory);
    struct source_request request = {.directories = &path, .count = 1};
    struct migrations m;
    struct fail f = FAIL_NONE;
    assert_false(directory_read(a, &request, &m, &f));
    assert_non_null(strstr(f.message, "marked for goose, but is read as plain"));
    assert_non_null(strstr(f.file, "103_x.sql"));
    assert_int_equal(f.line, 1);
    assert_non_null(strstr(f.hint, "--layout goose"));
    fail_clear(&f);
}

static void several_directories_are_detected_together(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    const char *directory = fixture_directory();
    fixture_write(directory, "a/V1__a.sql", "");
    fixture_write(directory, "b/002_b.sql", "");
    struct str two[] = {str_of(fixture_path(directory, "a")), str_of(fixture_path(directory, "b"))};
    struct source_request request = {.directories = two, .count = 2};
    struct migrations m;
    struct fail f = FAIL_NONE;
    assert_false(directory_read(a, &request, &m, &f));
    assert_non_null(strstr(f.message, "could be of flyway or of plain"));
    fail_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_set_of_files_is_known_for_what_it_is),
        cmocka_unit_test(a_file_marked_for_another_tool_is_refused_wherever_it_lies),
        cmocka_unit_test(several_directories_are_detected_together),
    };
    return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
