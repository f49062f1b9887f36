/* Rules about ALTER TABLE … ADD COLUMN: SQLite refuses some columns, others only where the table has rows. */
#include "planner/sqlite/rules_tables.h"

#include "planner/sqlite/state.h"

static bool is_about(const char *error, const char *words)
{
    return error && strstr(error, words) != NULL;
}

/* Said of the empty table, or of one with a row. */
static bool is_refused(const struct sqlite_facts *f, const char *words)
{
    return f->alter == ALTER_ADD && (is_about(f->error, words) || is_about(f->row_error, words));
}

static void report(struct rule_subject *s, const char *message)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    const struct catalog_relation *r = f->table ? f->table->relation : NULL;
    struct str name = f->table ? catalog_identifier(s->a, f->table->name) : STR("the table");
    bool needs_row = f->error == NULL;
    const char *error = f->error ? f->error : f->row_error ? f->row_error : f->key_error;
    rule_report_at(s, &(struct rule_finding){.name = name, .relation = r}, "%.*s %s%s: %s",
                   STR_ARG(name), message, needs_row ? " where it has rows" : "", error);
}

static void check_not_null(struct rule_subject *s)
{
    if (is_refused(&state_of(s)->facts, "NOT NULL column with default value NULL"))
        report(s, "takes no NOT NULL column without a default");
}

static void check_default(struct rule_subject *s)
{
    if (is_refused(&state_of(s)->facts, "non-constant default"))
        report(s, "takes no column whose default is computed");
}

static void check_check(struct rule_subject *s)
{
    if (is_refused(&state_of(s)->facts, "constraint failed"))
        report(s, "takes no column whose check fails");
}

static void check_unique(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (is_refused(f, "UNIQUE column") || is_refused(f, "PRIMARY KEY column"))
        report(s, "takes no new column that is a key");
}

static void check_stored(struct rule_subject *s)
{
    if (is_refused(&state_of(s)->facts, "STORED column"))
        report(s, "takes no stored generated column");
}

static void check_foreign_key(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    bool is_refused_there = is_about(p->facts.key_error, "REFERENCES column");
    if (p->facts.alter == ALTER_ADD && is_refused_there && p->keys != KEYS_OFF)
        report(s, "takes no REFERENCES column with a default, while foreign keys are on,");
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "sqlite-add-not-null-no-default",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_EMPTY,
                .title = "a NOT NULL column without a default cannot be added to a table with rows",
                .why = "It passes on an empty development database and fails on a filled one: "
                       "\"Cannot add a NOT NULL column with default value NULL\". Code that "
                       "inserts without the column fails, too.",
                .fix = "Give it a DEFAULT that is a constant; or say in front of it what the rows "
                       "get, -- migrate: using forward=<expression>, and the table is rebuilt.",
                .example = "ALTER TABLE users ADD COLUMN country text NOT NULL;",
                .safe = "ALTER TABLE users ADD COLUMN country text NOT NULL DEFAULT '';",
                .sources = "lang_altertable.html#altertabaddcol; alter.c",
            },
        .check = check_not_null,
    },
    {
        .rule =
            {
                .id = "sqlite-add-non-constant-default",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_EMPTY,
                .title = "a column with a computed default cannot be added to a table with rows",
                .why = "CURRENT_TIMESTAMP, CURRENT_DATE, CURRENT_TIME and defaults in parentheses "
                       "are computed for each row: \"Cannot add a column with non-constant "
                       "default\". It passes on an empty development database.",
                .fix = "Add it without a default, fill it with UPDATE, and let the code write it; "
                       "where the default must be the database's, rebuild the table.",
                .example = "ALTER TABLE users ADD COLUMN created_at text DEFAULT "
                           "CURRENT_TIMESTAMP;",
                .safe = "ALTER TABLE users ADD COLUMN created_at text;\n"
                        "UPDATE users SET created_at = CURRENT_TIMESTAMP WHERE created_at IS NULL;",
                .sources = "lang_altertable.html#altertabaddcol; alter.c",
            },
        .check = check_default,
    },
    {
        .rule =
            {
                .id = "sqlite-add-check-violated",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_EMPTY,
                .title = "rows that are there may break the new column's check",
                .why = "SQLite checks all rows (3.37 and later) and refuses the column when one "
                       "fails, be it CHECK, or NOT NULL of a generated column. Older ones let it "
                       "in and fail at the next write of such a row. Our own rows were tried: "
                       "some fail.",
                .fix = "Choose a default that passes the check, or count the rows that fail "
                       "before.",
                .example = "ALTER TABLE users ADD COLUMN level integer DEFAULT 0 CHECK (level > "
                           "0);",
                .safe = "ALTER TABLE users ADD COLUMN level integer DEFAULT 1 CHECK (level > 0);",
                .sources = "lang_altertable.html#altertabaddcol; alter.c",
            },
        .check = check_check,
    },
    {
        .rule =
            {
                .id = "sqlite-add-unique-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "a UNIQUE or PRIMARY KEY column cannot be added",
                .why = "SQLite refuses it, even in an empty table: \"Cannot add a UNIQUE column\".",
                .fix = "Add the column, fill it, and CREATE UNIQUE INDEX.",
                .example = "ALTER TABLE users ADD COLUMN email text UNIQUE;",
                .safe = "ALTER TABLE users ADD COLUMN email text;\n"
                        "CREATE UNIQUE INDEX users_email ON users (email);",
                .sources = "lang_altertable.html#altertabaddcol; alter.c",
            },
        .check = check_unique,
    },
    {
        .rule =
            {
                .id = "sqlite-add-stored-generated",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_EMPTY,
                .title = "a STORED generated column cannot be added to a table with rows",
                .why = "\"cannot add a STORED column\": every row would have to be written anew. "
                       "It passes on an empty development database.",
                .fix = "Make it VIRTUAL, with an index on it where it is searched for, or rebuild "
                       "the table.",
                .example =
                    "ALTER TABLE users ADD COLUMN lower_email text AS (lower(email)) STORED;",
                .safe = "ALTER TABLE users ADD COLUMN lower_email text AS (lower(email)) VIRTUAL;",
                .sources = "gencol.html; alter.c",
            },
        .check = check_stored,
    },
    {
        .rule =
            {
                .id = "sqlite-add-fk-default",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_EMPTY,
                .title = "a REFERENCES column with a default cannot be added while foreign keys "
                         "are on",
                .why = "\"Cannot add a REFERENCES column with non-NULL default value\", where "
                       "foreign_keys is on and the table has rows. Where it is off it passes, and "
                       "the rows may lack their parent.",
                .fix = "Add it without a default, then UPDATE.",
                .example = "ALTER TABLE users ADD COLUMN team_id integer DEFAULT 1 REFERENCES "
                           "teams (id);",
                .safe = "ALTER TABLE users ADD COLUMN team_id integer REFERENCES teams (id);\n"
                        "UPDATE users SET team_id = 1 WHERE team_id IS NULL;",
                .sources = "lang_altertable.html#altertabaddcol; foreignkeys.html",
            },
        .check = check_foreign_key,
    },
};
const struct rule_table sqlite_rules_add_column = {rows, ARRAY_LEN(rows)};
