/*
 * The marker table and the few rules that go beyond comparing words. Sources: the parsers of goose
 * (internal/sqlparser), dbmate (pkg/dbmate/migration.go), sql-migrate, tern, graphile-migrate,
 * node-pg-migrate (sqlMigration.ts), MyBatis migrations, Liquibase (FormattedSqlChangeLogParser)
 * and the templates of sqlx-cli and Prisma.
 */
#include "drivers/source/marker.h"

static const struct marker_row rows[] = {
    {MARKER_GOOSE, "goose", LAYOUT_GOOSE, true},
    {MARKER_DBMATE, "dbmate", LAYOUT_DBMATE, true},
    {MARKER_SQLX, "sqlx", LAYOUT_SQLX, false},
    {MARKER_DRIZZLE, "drizzle", LAYOUT_DRIZZLE, false},
    {MARKER_PRISMA, "prisma", LAYOUT_PRISMA, false},
    {MARKER_LIQUIBASE, "Liquibase formatted SQL", LAYOUT_AUTO, true},
    {MARKER_SQL_MIGRATE, "sql-migrate", LAYOUT_AUTO, true},
    {MARKER_TERN, "tern", LAYOUT_AUTO, true},
    {MARKER_GRAPHILE, "graphile-migrate", LAYOUT_AUTO, true},
    {MARKER_NODE_PG_MIGRATE, "node-pg-migrate", LAYOUT_AUTO, true},
    {MARKER_MYBATIS, "MyBatis Migrations", LAYOUT_AUTO, true},
    {MARKER_ATLAS, "Atlas", LAYOUT_AUTO, true},
};
static_assert(ARRAY_LEN(rows) == MARKER_MAX - 1, "one row for each marker");

const struct marker_row *marker_row(enum marker m)
{
    assert(m > MARKER_NONE && m < MARKER_MAX);
    return &rows[m - 1];
}

static struct str skip_blanks(struct str s)
{
    while (s.len && char_is_space(s.at[0]))
        s = str_skip(s, 1);
    return s;
}

static size_t find_nocase(struct str s, struct str what)
{
    size_t done = 0;
    for (;;) { /* what begins with no letter */
        struct str rest = str_skip(s, done);
        size_t at = str_find_char(rest, what.at[0]);
        if (at == SIZE_MAX)
            return SIZE_MAX;
        if (str_starts_nocase(str_skip(rest, at), what))
            return done + at;
        done += at + 1;
    }
}

enum goose_annotation goose_annotation_of(struct str line)
{
    static const struct {
        const char *words;
        enum goose_annotation annotation;
    } annotations[] = {
        {"up", GOOSE_UP},
        {"down", GOOSE_DOWN},
        {"statementbegin", GOOSE_STATEMENT_BEGIN},
        {"statementend", GOOSE_STATEMENT_END},
        {"no transaction", GOOSE_NO_TRANSACTION},
        {"envsub on", GOOSE_ENVSUB_ON},
        {"envsub off", GOOSE_ENVSUB_OFF},
    };
    struct str rest = skip_blanks(line);
    if (!str_starts(rest, STR("--")))
        return GOOSE_NONE;
    size_t at = find_nocase(rest, STR("+goose"));
    if (at == SIZE_MAX)
        return GOOSE_NONE;
    if (rest.len != line.len)
        return GOOSE_INDENTED;
    struct str between = str_trim((struct str){.at = rest.at + 2, .len = at - 2});
    struct str words = str_trim(str_skip(rest, at + strlen("+goose")));
    for (size_t i = 0; i < ARRAY_LEN(annotations); i++)
        if (between.len == 0 && str_equal_nocase(words, str_of(annotations[i].words)))
            return annotations[i].annotation;
    return GOOSE_UNKNOWN;
}

enum dbmate_block dbmate_block_of(struct str line, struct str *out_options)
{
    if (!str_starts(line, STR("--")))
        return DBMATE_NONE;
    struct str rest = skip_blanks(str_skip(line, 2));
    enum dbmate_block block = DBMATE_NONE;
    if (str_starts(rest, STR("migrate:up"))) {
        block = DBMATE_UP;
        rest = str_skip(rest, strlen("migrate:up"));
    } else if (str_starts(rest, STR("migrate:down"))) {
        block = DBMATE_DOWN;
        rest = str_skip(rest, strlen("migrate:down"));
    }
    if (block == DBMATE_NONE || (rest.len && !char_is_space(rest.at[0])))
        return DBMATE_NONE;
    *out_options = str_trim(rest);
    return block;
}

/* The comment is one of these words, whatever its case. */
static bool is_one_of(struct str comment, const char *const *words, size_t count)
{
    for (size_t i = 0; comment.len && i < count; i++)
        if (char_lower(words[i][0]) == char_lower(comment.at[0]) &&
            str_equal_nocase(comment, str_of(words[i])))
            return true;
    return false;
}

static bool is_sqlx_template(struct str comment)
{
    static const char *const words[] = {"add migration script here", "add up migration script here",
                                        "add down migration script here"};
    return is_one_of(comment, words, ARRAY_LEN(words));
}

/* Prisma's schema engine heads each statement with one of these. */
static bool is_prisma_heading(struct str comment)
{
    static const char *const words[] = {
        "CreateTable", "AlterTable",       "DropTable",      "CreateIndex",   "DropIndex",
        "CreateEnum",  "AlterEnum",        "DropEnum",       "AddForeignKey", "DropForeignKey",
        "RenameIndex", "RenameForeignKey", "RedefineTables", "CreateSchema",  "CreateExtension"};
    return is_one_of(comment, words, ARRAY_LEN(words));
}

static bool is_liquibase(struct str comment)
{
    if (!str_starts_nocase(comment, STR("liquibase")))
        return false;
    return str_starts_nocase(skip_blanks(str_skip(comment, strlen("liquibase"))), STR("formatted"));
}

/* "-- Up Migration", with any number of dashes and blanks. */
static bool is_node_pg_migrate(struct str comment)
{
    while (comment.len && (comment.at[0] == '-' || char_is_space(comment.at[0])))
        comment = str_skip(comment, 1);
    return str_equal_nocase(comment, STR("up migration")) ||
           str_equal_nocase(comment, STR("down migration"));
}

static bool is_atlas(struct str comment)
{
    return str_starts(comment, STR("atlas:delimiter")) ||
           str_starts(comment, STR("atlas:checkpoint")) || str_starts(comment, STR("atlas:import"));
}

enum marker marker_of_line(struct str line)
{
    struct str rest = skip_blanks(line);
    bool is_at_start = rest.len == line.len;
    if (!str_starts(rest, STR("--")))
        return MARKER_NONE;
    struct str options;
    enum goose_annotation annotation = goose_annotation_of(line);
    if (annotation == GOOSE_UP || annotation == GOOSE_DOWN)
        return MARKER_GOOSE;
    if (dbmate_block_of(line, &options) != DBMATE_NONE)
        return MARKER_DBMATE;
    if (str_starts(rest, STR("--> statement-breakpoint")))
        return MARKER_DRIZZLE;
    struct str comment = str_trim(str_skip(rest, 2));
    if (is_liquibase(comment))
        return MARKER_LIQUIBASE;
    if (!is_at_start)
        return MARKER_NONE;
    if (is_sqlx_template(comment))
        return MARKER_SQLX;
    if (is_prisma_heading(comment))
        return MARKER_PRISMA;
    if (str_starts(line, STR("-- +migrate ")))
        return MARKER_SQL_MIGRATE;
    if (str_starts(line, STR("---- create above")) || str_starts(line, STR("---- tern:")))
        return MARKER_TERN;
    if (str_starts(line, STR("--! Previous")) || str_starts(line, STR("--! Hash:")))
        return MARKER_GRAPHILE;
    if (str_starts(comment, STR("//@UNDO")))
        return MARKER_MYBATIS;
    if (is_atlas(comment))
        return MARKER_ATLAS;
    return is_node_pg_migrate(comment) ? MARKER_NODE_PG_MIGRATE : MARKER_NONE;
}
