/* Rules about what is there and what is not, and about the design of tables; ids shared with PostgreSQL. */
#include "planner/sqlite/rules_tables.h"

#include "planner/sqlite/rebuild.h"

static bool begins_with(const char *text, const char *words)
{
    return text && strncmp(text, words, strlen(words)) == 0;
}

static bool is_taken(const char *error)
{
    return error && (strstr(error, "already exists") || strstr(error, "duplicate column name") ||
                     begins_with(error, "there is already "));
}

static bool is_missing(const char *error)
{
    return begins_with(error, "no such ") || (error && strstr(error, "has no column named"));
}

static void check_missing(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (is_missing(f->error) && !s->effects->opaque)
        rule_report(s, NULL, "SQLite refuses it: %s", f->error);
}

static void check_duplicate(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (is_taken(f->error) && !s->effects->opaque)
        rule_report(s, NULL, "SQLite refuses it: %s", f->error);
}

/* Errors that have a rule of their own. */
static bool has_own_rule(const struct sqlite_facts *f)
{
    bool is_syntax = strstr(f->error, "syntax error") != NULL;
    return is_taken(f->error) || is_missing(f->error) ||
           (f->alter != ALTER_NONE &&
            (is_syntax || f->alter == ALTER_DROP || begins_with(f->error, "Cannot add a") ||
             begins_with(f->error, "cannot add a") || begins_with(f->error, "error in view ")));
}

static void check_opaque(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (s->effects->opaque)
        rule_report(s, NULL, "it cannot be looked into: %s", s->effects->opaque);
    else if (f->error && !has_own_rule(f))
        rule_report(s, NULL, "SQLite refuses it: %s", f->error);
}

static void end_uncommitted(struct rule_subject *s)
{
    if (s->file->is_own_transaction && state_of(s)->file.has_written)
        rule_report(s, NULL, "the file ends inside its transaction");
}

/* ---- design ---- */

static bool has_key(const struct sqlite_object *o)
{
    for (size_t i = 0; i < o->columns.count; i++) {
        if (o->columns.at[i].key)
            return true;
    }
    return false;
}

/* Tables that this file has made. */
static bool is_made_here(const struct sqlite_analysis *p, const struct sqlite_object *o)
{
    return o->kind == OBJECT_TABLE && !o->is_module && !o->is_part_of_module && !o->is_temporary &&
           o->relation->created_in == p->catalog->migration;
}

static void end_key(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        if (!is_made_here(p, o) || has_key(o))
            continue;
        struct str name = catalog_identifier(s->a, o->name);
        rule_report_at(s, &(struct rule_finding){.name = name, .line = o->line},
                       "table %.*s has no primary key", STR_ARG(name));
    }
}

static bool is_led_by(const struct sqlite_analysis *p, const struct sqlite_object *table,
                      struct str column)
{
    const struct sqlite_column *c = object_column(table, column);
    if (c && c->key == 1)
        return true;
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        struct str first;
        (void)str_cut(o->keys, ',', &first);
        if (o->kind == OBJECT_INDEX && o->owner == table && !o->is_partial &&
            str_equal_nocase(first, column))
            return true;
    }
    return false;
}

static void end_foreign_key(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    enum { PLACE = 1, PARENT = 2, FROM = 3 };
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        if (!is_made_here(p, o))
            continue;
        sqlite3_stmt *q =
            scratch_ask(p->scratch, "PRAGMA foreign_key_list(\"%w\")", arena_cstr(s->a, o->name));
        while (q && sqlite3_step(q) == SQLITE_ROW) {
            struct str column = scratch_text(s->a, q, FROM);
            if (sqlite3_column_int(q, PLACE) != 0 || is_led_by(p, o, column))
                continue;
            struct str name = catalog_identifier(s->a, o->name);
            rule_report_at(s, &(struct rule_finding){.name = name, .line = o->line},
                           "%.*s.%.*s refers to %s, and no index begins with it", STR_ARG(name),
                           STR_ARG(column), (const char *)sqlite3_column_text(q, PARENT));
        }
        scratch_end(p->scratch, q);
    }
}

static void check_list(struct rule_subject *s)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if (f->omits_columns && f->table)
        rule_report(s, f->table->relation, "INSERT INTO %.*s does not list its columns",
                    STR_ARG(f->table->name));
}

/* The index that the statement has made. */
static const struct sqlite_object *new_index(const struct sqlite_analysis *p)
{
    for (size_t i = 0; i < p->now.count && p->scratch->heard.indexed[0] && !p->facts.error; i++) {
        const struct sqlite_object *o = p->now.at[i];
        if (o->kind == OBJECT_INDEX && o->sql.len && !objects_successor(&p->before, o))
            return o;
    }
    return NULL;
}

static void check_duplicate_index(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    const struct sqlite_object *new = new_index(p);
    for (size_t i = 0; new &&i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        bool is_same = o != new && o->kind == OBJECT_INDEX && o->owner == new->owner &&
                       !o->is_partial && !new->is_partial && o->keys.len &&
                       o->is_unique >= new->is_unique &&str_equal_nocase(o->keys, new->keys) &&
                       str_find_char(o->keys, '?') == SIZE_MAX;
        if (is_same)
            rule_report(s, NULL, "index %.*s has the columns of %.*s", STR_ARG(new->name),
                        STR_ARG(o->name));
    }
}

static void check_unique_index(struct rule_subject *s)
{
    const struct sqlite_object *o = new_index(state_of(s));
    if (o && o->is_unique && o->owner)
        rule_report(s, o->owner->relation, "%.*s fails where two rows of %.*s have the same (%.*s)",
                    STR_ARG(o->name), STR_ARG(o->table), STR_ARG(o->keys));
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "missing-object",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "something that the statement names is not there",
                .why = "SQLite was asked, with the schema of the target or of the files before: "
                       "the statement fails.",
                .fix = "Correct the name, or make the object first.",
                .example = "ALTER TABLE userz ADD COLUMN note text;",
                .sources = "planner/sqlite/analyse.h",
            },
        .check = check_missing,
    },
    {
        .rule =
            {
                .id = "duplicate-object",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "what the statement makes is there already",
                .why = "SQLite was asked, with the schema of the target or of the files before: "
                       "the statement fails.",
                .fix = "Take it out, or choose another name.",
                .example = "CREATE TABLE users (id integer PRIMARY KEY);",
                .sources = "planner/sqlite/analyse.h",
            },
        .check = check_duplicate,
    },
    {
        .rule =
            {
                .id = "opaque-statement",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "SQLite does not take the statement here",
                .why = "It may be wrong, or need an extension, a function or a module that only "
                       "the application has. Nothing is known of what it does.",
                .fix = "Correct it. Where it is right, rehearse it, and allow it with a reason.",
                .example = "CREATE VIRTUAL TABLE places USING geopoly_of_ours(shape);",
                .sources = "c3ref/set_authorizer.html",
            },
        .check = check_opaque,
    },
    {
        .rule =
            {
                .id = "uncommitted-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "BEGIN without COMMIT does nothing in the end",
                .why = "When the connection closes, everything since BEGIN is rolled back.",
                .fix = "Write the COMMIT, or leave the BEGIN out.",
                .example = "BEGIN;\nALTER TABLE users ADD COLUMN a integer;",
                .safe = "BEGIN;\nALTER TABLE users ADD COLUMN a integer;\nCOMMIT;",
                .sources = "lang_transaction.html",
            },
        .check_end = end_uncommitted,
    },
    {
        .rule =
            {
                .id = "missing-primary-key",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "a table without a primary key",
                .why = "Its rows have no name that stays: VACUUM may give them other rowids. "
                       "Sessions and replication of SQLite leave such tables out.",
                .fix = "Give it an INTEGER PRIMARY KEY.",
                .example = "CREATE TABLE events (at text, what text);",
                .safe = "CREATE TABLE events (id integer PRIMARY KEY, at text, what text);",
                .sources = "rowidtable.html; sessionintro.html",
            },
        .check_end = end_key,
    },
    {
        .rule =
            {
                .id = "foreign-key-without-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "no index begins with the column of a foreign key",
                .why = "Each DELETE of a parent, and each UPDATE of its key, reads the whole child "
                       "table.",
                .fix = "CREATE INDEX on it in the same file.",
                .example =
                    "CREATE TABLE orders (id integer PRIMARY KEY, user_id REFERENCES users);",
                .safe = "CREATE TABLE orders (id integer PRIMARY KEY, user_id REFERENCES users);\n"
                        "CREATE INDEX orders_user ON orders (user_id);",
                .sources = "foreignkeys.html#fk_indexes",
            },
        .check_end = end_foreign_key,
    },
    {
        .rule =
            {
                .id = "insert-without-columns",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "INSERT without a list of columns",
                .why = "It fails behind the next ADD COLUMN, and fills the wrong columns where "
                       "their order differs.",
                .fix = "List the columns.",
                .example = "INSERT INTO plans VALUES (1, 'free');",
                .safe = "INSERT INTO plans (id, name) VALUES (1, 'free');",
                .sources = "lang_insert.html",
            },
        .check = check_list,
    },
    {
        .rule =
            {
                .id = "duplicate-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "an index with the same columns is there",
                .why = "Each write keeps both up; queries use one.",
                .fix = "Leave one of them out.",
                .example = "CREATE INDEX users_mail ON users (email);\n"
                           "CREATE INDEX users_email ON users (email);",
                .safe = "CREATE INDEX users_email ON users (email);",
                .sources = "queryplanner.html",
            },
        .check = check_duplicate_index,
    },
    {
        .rule =
            {
                .id = "create-unique-index-existing",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a unique index fails where rows are alike",
                .why = "\"UNIQUE constraint failed\": it passes on an empty development database "
                       "and fails on one with duplicates.",
                .fix = "Count the duplicates before, and settle them in an earlier step.",
                .example = "CREATE UNIQUE INDEX users_email ON users (email);",
                .sources = "lang_createindex.html#unique_indexes",
            },
        .check = check_unique_index,
    },
};
const struct rule_table sqlite_rules_exists = {rows, ARRAY_LEN(rows)};
