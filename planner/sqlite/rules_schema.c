/* Rules about changes that SQLite refuses, or takes although something breaks. */
#include "planner/sqlite/rules_tables.h"

#include "planner/sqlite/rebuild.h"

static bool begins_with(const char *text, const char *words)
{
    return text && strncmp(text, words, strlen(words)) == 0;
}

static const struct catalog_relation *relation(const struct rule_subject *s)
{
    const struct sqlite_object *table = state_of(s)->facts.table;
    return table ? table->relation : NULL;
}

/* ---- refused ---- */

static bool is_view_error(const char *error)
{
    return begins_with(error, "error in view ");
}

static void check_drop_column(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    bool is_blocked = f->alter == ALTER_DROP && f->error && !begins_with(f->error, "no such ") &&
                      !strstr(f->error, "syntax error") && !strstr(f->error, "not find");
    if (is_blocked)
        rule_report(s, relation(s), "the column cannot be dropped: %s", f->error);
}

static void check_alter(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (f->alter != ALTER_NONE && f->error && strstr(f->error, "syntax error"))
        rule_report(s, NULL, "SQLite has no such ALTER TABLE: %s", f->error);
}

/* ---- views and triggers ---- */

static void check_view(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (f->alter == ALTER_RENAME && is_view_error(f->error))
        rule_report(s, relation(s), "a view is in the way: %s", f->error);
}

/* What the file leaves broken. */
static void report_broken(struct rule_subject *s, enum object_kind kind, const char *format)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.healths.count; i++) {
        const struct health *h = &p->file.healths.at[i];
        const struct sqlite_object *o = h->object;
        if (!h->error || !h->line || o->kind != kind || !objects_find(&p->now, kind, o->name))
            continue;
        struct str name = catalog_identifier(s->a, o->name);
        const char *on =
            kind == OBJECT_TRIGGER ? arena_printf(s->a, " on %.*s", STR_ARG(o->table)) : "";
        rule_report_at(s, &(struct rule_finding){.name = name, .line = h->line},
                       "%s %.*s%s fails behind the %s: %s", format, STR_ARG(name), on, h->breaks,
                       h->error);
    }
}

static void end_view(struct rule_subject *s)
{
    report_broken(s, OBJECT_VIEW, "view");
}

static void end_trigger(struct rule_subject *s)
{
    report_broken(s, OBJECT_TRIGGER, "trigger");
}

/* ---- foreign keys ---- */

static const char *deed_of(const char *on_delete)
{
    if (sqlite3_stricmp(on_delete, "CASCADE") == 0)
        return "its rows are deleted";
    if (sqlite3_stricmp(on_delete, "SET NULL") == 0)
        return "its column is set to NULL";
    if (sqlite3_stricmp(on_delete, "SET DEFAULT") == 0)
        return "its column is set to its default";
    return "DROP fails where a row refers to it";
}

/* All tables whose foreign keys point at this one, as they were before it was dropped. */
static void report_children(struct rule_subject *s, const struct sqlite_object *parent)
{
    const struct sqlite_analysis *p = state_of(s);
    enum { PARENT = 2, ON_DELETE = 6 };
    for (size_t i = 0; i < p->before.count; i++) {
        const struct sqlite_object *o = p->before.at[i];
        if (o->kind != OBJECT_TABLE || o == parent || !catalog_may_have_rows(o->relation))
            continue;
        sqlite3_stmt *q =
            scratch_ask(p->scratch, "PRAGMA foreign_key_list(\"%w\")", arena_cstr(s->a, o->name));
        const char *deed = NULL;
        while (q && sqlite3_step(q) == SQLITE_ROW) {
            struct str to = scratch_text(s->a, q, PARENT);
            if (str_equal_nocase(to, parent->name))
                deed = deed_of((const char *)sqlite3_column_text(q, ON_DELETE));
        }
        scratch_end(p->scratch, q);
        if (deed)
            rule_report_at(s,
                           &(struct rule_finding){.name = catalog_identifier(s->a, o->name),
                                                  .relation = parent->relation},
                           "%.*s refers to %.*s: %s", STR_ARG(o->name), STR_ARG(parent->name),
                           deed);
    }
}

static void check_cascade(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    if (p->keys == KEYS_OFF || !state_is_kind(s->statement, "DROP TABLE"))
        return;
    const struct sqlite_object *o =
        objects_find(&p->before, OBJECT_TABLE, str_of(p->scratch->heard.dropped));
    if (o)
        report_children(s, o);
}

/* ---- texts in double quotes ---- */

static void report_defaults(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        const struct sqlite_object *old = objects_successor(&p->before, o);
        for (size_t k = 0; o != old && k < o->columns.count; k++) {
            const struct sqlite_column *c = &o->columns.at[k];
            bool is_new = !old || !object_column(old, c->name);
            if (is_new && c->default_value.len && c->default_value.at[0] == '"' &&
                o->kind == OBJECT_TABLE)
                rule_report(s, NULL,
                            "the default of %.*s is a name in double quotes, not a text: %.*s",
                            STR_ARG(c->name), STR_ARG(c->default_value));
        }
    }
}

static void check_quotes(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    if (p->facts.quoted)
        rule_report(s, NULL, "a name in double quotes that there is not becomes a text: %s",
                    p->facts.quoted);
    if (p->scratch->is_ddl && !p->facts.error && p->facts.alter != ALTER_RENAME &&
        p->facts.alter != ALTER_DROP)
        report_defaults(s);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "sqlite-drop-column-blocked",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "the column cannot be dropped: something uses it",
                .why = "SQLite refuses DROP COLUMN for a column of a key, an index, a CHECK or "
                       "FOREIGN KEY of the table, a generated column, a view, or a trigger of the "
                       "same table. A CHECK or REFERENCES written with the column goes with it. "
                       "Before 3.35 there is no DROP COLUMN.",
                .fix = "Drop what uses it first (indexes, views, triggers), and make it again "
                       "without the column. For keys and checks, rebuild the table.",
                .example = "CREATE INDEX users_nick ON users (nick);\n"
                           "ALTER TABLE users DROP COLUMN nick;",
                .safe = "DROP INDEX users_nick;\n"
                        "ALTER TABLE users DROP COLUMN nick;",
                .sources = "lang_altertable.html#altertabdropcol; alter.c",
            },
        .check = check_drop_column,
    },
    {
        .rule =
            {
                .id = "sqlite-unsupported-alter",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "SQLite has no such ALTER TABLE",
                .why = "It knows RENAME TO, RENAME COLUMN (3.25), ADD COLUMN, DROP COLUMN (3.35), "
                       "and one of them in a statement. Types, constraints and defaults of a "
                       "column that is there cannot be altered.",
                .fix = "Rebuild the table: make the new one, copy the rows, drop the old one, "
                       "rename the new one, make indexes and triggers again.",
                .example = "ALTER TABLE users ALTER COLUMN age TYPE integer;",
                .safe = "CREATE TABLE new_users (id integer PRIMARY KEY, age integer);\n"
                        "INSERT INTO new_users (id, age) SELECT id, CAST(age AS integer) FROM "
                        "users;\n"
                        "DROP TABLE users;\n"
                        "ALTER TABLE new_users RENAME TO users;",
                .sources = "lang_altertable.html#otheralter",
            },
        .check = check_alter,
    },
    {
        .rule =
            {
                .id = "sqlite-view-breaks-rename",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "a view does not survive the change",
                .why = "RENAME looks at every view and fails with \"error in view\" where one "
                       "cannot be read, be it only between DROP TABLE and RENAME of a rebuild. "
                       "DROP TABLE does not look, nor does RENAME with legacy_alter_table = ON: "
                       "the view is left, and fails when it is read.",
                .fix = "Drop the views that read the table first, and make them again at the end, "
                       "in the same transaction.",
                .example = "CREATE VIEW names AS SELECT name FROM users;\n"
                           "DROP TABLE users;",
                .safe = "DROP VIEW names;\n"
                        "DROP TABLE users;",
                .sources = "lang_altertable.html; pragma.html#pragma_legacy_alter_table",
            },
        .check = check_view,
        .check_end = end_view,
    },
    {
        .rule =
            {
                .id = "sqlite-trigger-elsewhere-dangling",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "a trigger on another table uses what is dropped or renamed",
                .why = "SQLite takes the change, and every INSERT, UPDATE or DELETE that fires the "
                       "trigger fails from then on: \"no such column\", \"no such table\". Each "
                       "trigger was compiled before and behind the file.",
                .fix = "Drop the trigger first, and make it again with the new names.",
                .example = "CREATE TRIGGER log AFTER INSERT ON orders BEGIN\n"
                           "    UPDATE users SET seen = 1 WHERE id = new.user_id;\n"
                           "END;\n"
                           "ALTER TABLE users DROP COLUMN seen;",
                .safe = "DROP TRIGGER log;\n"
                        "ALTER TABLE users DROP COLUMN seen;",
                .sources = "lang_createtrigger.html; alter.c",
            },
        .check_end = end_trigger,
    },
    {
        .rule =
            {
                .id = "sqlite-drop-table-cascades",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "DROP TABLE deletes its rows first, and foreign keys act on that",
                .why = "While foreign_keys is on, DROP TABLE begins with an implicit DELETE: "
                       "children with ON DELETE CASCADE are emptied, SET NULL is done, all others "
                       "make it fail. In a rebuild that loses the rows of other tables.",
                .fix =
                    "Write PRAGMA foreign_keys = OFF in front of the file's transaction (migrate "
                    "looks for rows without parents before it commits), or drop the children "
                    "first.",
                .example = "DROP TABLE users;",
                .safe = "PRAGMA foreign_keys = OFF;\n"
                        "DROP TABLE users;",
                .sources = "foreignkeys.html#fk_schemacommands",
            },
        .check = check_cascade,
    },
    {
        .rule =
            {
                .id = "sqlite-double-quoted-literal",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "a name in double quotes that does not exist becomes a text",
                .why = "\"active\" is a column, or else, without an error, the text 'active'. A "
                       "slip in a column's name copies its name into every row; a column of that "
                       "name that comes later changes what the statement means. SQLite built "
                       "without it (SQLITE_DQS=0) refuses the schema.",
                .fix = "Write texts in single quotes. Correct the name, where a column was meant.",
                .example = "CREATE TABLE jobs (state text CHECK (state IN (\"new\", \"done\")));",
                .safe = "CREATE TABLE jobs (state text CHECK (state IN ('new', 'done')));",
                .sources = "quirks.html#double_quoted_string_literals_are_accepted",
            },
        .check = check_quotes,
    },
};
const struct rule_table sqlite_rules_schema = {rows, ARRAY_LEN(rows)};
