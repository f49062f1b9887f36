/* Rules about the rebuild of a table, looked at when the file has ended. */
#include "planner/sqlite/rules_tables.h"

#include "planner/sqlite/rebuild.h"

typedef void rebuild_check(struct rule_subject *s, const struct object_event *drop,
                           const struct sqlite_object *o);

static void for_rebuilds(struct rule_subject *s, rebuild_check *check)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.drops.count; i++) {
        const struct object_event *drop = &p->file.drops.at[i];
        const struct sqlite_object *o = rebuild_is_drop(p, drop) ? rebuild_of(p, drop) : NULL;
        if (o)
            check(s, drop, o);
    }
}

static void report(struct rule_subject *s, const struct sqlite_object *o, uint32_t line,
                   const char *message)
{
    struct str name = catalog_identifier(s->a, o->name);
    rule_report_at(s, &(struct rule_finding){.name = name, .line = line}, "the rebuild of %.*s %s",
                   STR_ARG(name), message);
}

/* ---- the order ---- */

/* Others whose text still has the name that the old table was given: "table orders, view v". */
static const char *followers(struct rule_subject *s, const struct object_event *rename)
{
    static const char *const kinds[] = {
        [OBJECT_TABLE] = "table",
        [OBJECT_INDEX] = "index",
        [OBJECT_VIEW] = "view",
        [OBJECT_TRIGGER] = "trigger",
    };
    const struct sqlite_analysis *p = state_of(s);
    const char *list = NULL;
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        bool is_own = str_equal_nocase(o->table, rename->to);
        if (!is_own && state_has_nocase(o->sql, rename->to))
            list = arena_printf(s->a, "%s%s%s %.*s", list ? list : "", list ? ", " : "",
                                kinds[o->kind], STR_ARG(o->name));
    }
    return list;
}

static void end_order(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.renames.count; i++) {
        const struct object_event *e = &p->file.renames.at[i];
        const struct sqlite_object *o = objects_find(&p->now, OBJECT_TABLE, e->object->name);
        if (!o || o->relation == e->object->relation)
            continue;
        const char *list = followers(s, e);
        if (list)
            report(s, o, e->line,
                   arena_printf(
                       s->a, "renames the old table first, and leaves %s with its new name", list));
        else if (e->object->is_made_up && !o->was_renamed)
            report(s, o, e->line,
                   "renames the old table first: foreign keys, views and triggers follow it");
    }
}

/* ---- what is not there again ---- */

static void check_lost(struct rule_subject *s, const struct object_event *drop,
                       const struct sqlite_object *o)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.drops.count; i++) {
        const struct object_event *e = &p->file.drops.at[i];
        const struct sqlite_object *lost = e->object;
        bool is_part = (lost->kind == OBJECT_INDEX || lost->kind == OBJECT_TRIGGER) &&
                       lost->sql.len && e->statement == drop->statement && !e->is_named;
        if (is_part && !rebuild_has_like(p, lost, o))
            report(s, o, drop->line,
                   arena_printf(s->a, "loses %s %.*s, which is not made again",
                                lost->kind == OBJECT_INDEX ? "index" : "trigger",
                                STR_ARG(lost->name)));
    }
}

static void end_lost(struct rule_subject *s)
{
    for_rebuilds(s, check_lost);
}

/* ---- the copy ---- */

static void check_copy(struct rule_subject *s, const struct object_event *drop,
                       const struct sqlite_object *o)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.copies.count; i++) {
        const struct table_copy *copy = &p->file.copies.at[i];
        bool is_listed = !copy->omits_columns && !copy->selects_all;
        if (copy->from != drop->object->relation || copy->to != o->relation || is_listed)
            continue;
        report(s, o, copy->line,
               !copy->selects_all     ? "copies without a list of the columns that it fills"
               : !copy->omits_columns ? "copies without a list of the columns that it reads"
                                      : "copies without lists of columns: they go by their order");
    }
}

static void end_copy(struct rule_subject *s)
{
    for_rebuilds(s, check_copy);
}

static void check_types(struct rule_subject *s, const struct object_event *drop,
                        const struct sqlite_object *o)
{
    const struct table_copy *copy = rebuild_copy(state_of(s), drop->object->relation);
    if (!copy || copy->casts || o->is_strict || drop->object->is_made_up)
        return;
    for (size_t i = 0; i < drop->object->columns.count; i++) {
        const struct sqlite_column *old = &drop->object->columns.at[i];
        const struct sqlite_column *c = object_column(o, old->name);
        if (!c || strcmp(rebuild_affinity(old->type), rebuild_affinity(c->type)) == 0)
            continue;
        report(s, o, copy->line,
               arena_printf(s->a,
                            "makes %.*s %.*s (%s) of %.*s (%s): values that do not convert stay",
                            STR_ARG(c->name), STR_ARG(c->type), rebuild_affinity(c->type),
                            STR_ARG(old->type), rebuild_affinity(old->type)));
    }
}

static void end_types(struct rule_subject *s)
{
    for_rebuilds(s, check_types);
}

static void check_sequence(struct rule_subject *s, const struct object_event *drop,
                           const struct sqlite_object *o)
{
    if (!drop->object->is_autoincrement)
        return;
    if (!o->is_autoincrement)
        report(s, o, drop->line, "leaves out AUTOINCREMENT: ids are used again");
    else if (!state_of(s)->file.writes_sequence)
        report(s, o, drop->line,
               "forgets how far AUTOINCREMENT has come, when the last rows are deleted");
}

static void end_sequence(struct rule_subject *s)
{
    for_rebuilds(s, check_sequence);
}

static void check_rowid(struct rule_subject *s, const struct object_event *drop,
                        const struct sqlite_object *o)
{
    const struct sqlite_object *old = drop->object;
    if (old->is_made_up)
        return;
    if (old->is_without_rowid != o->is_without_rowid)
        report(s, o, drop->line,
               o->is_without_rowid ? "makes it WITHOUT ROWID" : "gives it a rowid");
    else if (!o->is_without_rowid && old->has_rowid_alias != o->has_rowid_alias)
        report(s, o, drop->line,
               o->has_rowid_alias ? "makes its key the rowid"
                                  : "makes its key no longer the rowid");
}

static void end_rowid(struct rule_subject *s)
{
    for_rebuilds(s, check_rowid);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "sqlite-rebuild-order",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title =
                    "a rebuild that renames the old table away first takes its references along",
                .why = "Since 3.26 RENAME TO also changes the foreign keys of other tables, views "
                       "and triggers that name the table: they then mean the old one, which is "
                       "dropped in the end.",
                .fix = "Make the new table under another name, copy, drop the old one, and rename "
                       "the new one.",
                .example = "ALTER TABLE users RENAME TO users_old;\n"
                           "CREATE TABLE users (id integer PRIMARY KEY, email text);\n"
                           "INSERT INTO users (id, email) SELECT id, email FROM users_old;\n"
                           "DROP TABLE users_old;",
                .safe = "CREATE TABLE users_new (id integer PRIMARY KEY, email text);\n"
                        "INSERT INTO users_new (id, email) SELECT id, email FROM users;\n"
                        "DROP TABLE users;\n"
                        "ALTER TABLE users_new RENAME TO users;",
                .sources = "lang_altertable.html#otheralter; alter.c",
            },
        .check_end = end_order,
    },
    {
        .rule =
            {
                .id = "sqlite-rebuild-loses-objects",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "indexes and triggers go with the old table",
                .why = "DROP TABLE takes them along without a word. Unless the file makes them "
                       "again, queries get slow, duplicates get in, and nothing does what the "
                       "triggers did.",
                .fix = "Make them again behind the RENAME, from their text in sqlite_schema.",
                .example = "CREATE TABLE users_new (id integer PRIMARY KEY, email text);\n"
                           "INSERT INTO users_new (id, email) SELECT id, email FROM users;\n"
                           "DROP TABLE users;\n"
                           "ALTER TABLE users_new RENAME TO users;",
                .safe = "-- and behind it:\n"
                        "CREATE UNIQUE INDEX users_email ON users (email);",
                .sources = "lang_droptable.html; lang_altertable.html#otheralter",
            },
        .check_end = end_lost,
    },
    {
        .rule =
            {
                .id = "sqlite-rebuild-copy-mismatch",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "a copy without lists of columns goes by their order",
                .why = "Types do not stop a value from going into the wrong column, and ALTER "
                       "TABLE … ADD COLUMN may have put columns into another order on another "
                       "database.",
                .fix = "List the columns on both sides, and compare the number of rows.",
                .example = "INSERT INTO users_new SELECT * FROM users;",
                .safe = "INSERT INTO users_new (id, email) SELECT id, email FROM users;",
                .sources = "lang_insert.html",
            },
        .check_end = end_copy,
    },
    {
        .rule =
            {
                .id = "sqlite-type-affinity",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "a new type does not convert every value",
                .why = "A type is an affinity: a text that is no number stays a text in an INTEGER "
                       "column. Comparisons and sums then meet both.",
                .fix = "CAST in the copy, or make the table STRICT (3.37), which refuses what does "
                       "not fit.",
                .example = "INSERT INTO users_new (id, age) SELECT id, age FROM users;",
                .safe = "INSERT INTO users_new (id, age) SELECT id, CAST(age AS integer) FROM "
                        "users;",
                .sources = "datatype3.html; stricttables.html",
            },
        .check_end = end_types,
    },
    {
        .rule =
            {
                .id = "sqlite-autoincrement-loss",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "a rebuild forgets how far AUTOINCREMENT has come",
                .why = "DROP TABLE removes the table's row of sqlite_sequence; the copy sets the "
                       "new one to the largest id that is there. Ids of rows that were deleted at "
                       "the end are used again.",
                .fix = "Copy the number: UPDATE sqlite_sequence before the DROP.",
                .example = "DROP TABLE users;",
                .safe = "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE "
                        "name = 'users') WHERE name = 'users_new';\n"
                        "DROP TABLE users;",
                .sources = "autoinc.html",
            },
        .check_end = end_sequence,
    },
    {
        .rule =
            {
                .id = "sqlite-without-rowid-change",
                .level = HAZARD_NOTE,
                .engine = ENGINE_SQLITE,
                .title = "the rebuilt table has another kind of key",
                .why = "Without a rowid there is no AUTOINCREMENT, no last_insert_rowid(), no "
                       "incremental blob. An INTEGER PRIMARY KEY is the rowid and fills itself; "
                       "INT PRIMARY KEY is not and may hold NULL.",
                .fix = "Keep the key as it was, unless it is meant.",
                .example = "CREATE TABLE users_new (id int PRIMARY KEY, email text);",
                .safe = "CREATE TABLE users_new (id integer PRIMARY KEY, email text);",
                .sources = "withoutrowid.html; lang_createtable.html#rowid",
            },
        .check_end = end_rowid,
    },
};
const struct rule_table sqlite_rules_rebuild = {rows, ARRAY_LEN(rows)};
