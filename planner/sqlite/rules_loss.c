/* Rules about statements that lose rows, columns, guarantees or names; ids shared with PostgreSQL. */
#include "planner/sqlite/rules_tables.h"

#include "planner/sqlite/rebuild.h"

/* Losses of this kind that the statement names. */
static bool is_loss(const struct effect_loss *loss, enum loss_kind kind, const char *object)
{
    return loss->kind == kind && loss->is_named && strcmp(loss->object_kind, object) == 0;
}

static void report_loss(struct rule_subject *s, enum loss_kind kind, const char *object,
                        const char *message)
{
    for (size_t i = 0; i < s->effects->losses.count; i++) {
        const struct effect_loss *loss = &s->effects->losses.at[i];
        if (is_loss(loss, kind, object))
            rule_report_at(s, &(struct rule_finding){.name = loss->what, .relation = loss->object},
                           "%s %.*s", message, STR_ARG(loss->what));
    }
}

/* ---- tables ---- */

/* One whose rows were copied before may be a rebuild: the end of the file tells. */
static void check_drop_table(struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->losses.count; i++) {
        const struct effect_loss *loss = &s->effects->losses.at[i];
        if (is_loss(loss, LOSS_DATA, "TABLE") && !rebuild_copy(state_of(s), loss->object))
            rule_report_at(s, &(struct rule_finding){.name = loss->what, .relation = loss->object},
                           "drops table %.*s with all its rows", STR_ARG(loss->what));
    }
}

static void end_drop_table(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.drops.count; i++) {
        const struct object_event *e = &p->file.drops.at[i];
        if (!rebuild_is_drop(p, e) || !rebuild_copy(p, e->object->relation) || rebuild_of(p, e))
            continue;
        struct str name = catalog_identifier(s->a, e->object->name);
        rule_report_at(s, &(struct rule_finding){.name = name, .line = e->line},
                       "drops table %.*s, and no table takes its name", STR_ARG(name));
    }
}

/* Unless another table has the name in the end: a rebuild in another order. */
static void end_rename_table(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.renames.count; i++) {
        const struct object_event *e = &p->file.renames.at[i];
        if (objects_find_relation(&p->now, e->object->name))
            continue;
        struct str name = catalog_identifier(s->a, e->object->name);
        rule_report_at(s, &(struct rule_finding){.name = name, .line = e->line},
                       "renames table %.*s", STR_ARG(name));
    }
}

/* ---- columns ---- */

static void check_drop_column(struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->losses.count; i++) {
        const struct effect_loss *loss = &s->effects->losses.at[i];
        bool is_column = loss->is_named && strcmp(loss->object_kind, "COLUMN") == 0;
        if (is_column && state_of(s)->facts.alter == ALTER_DROP)
            rule_report_at(s, &(struct rule_finding){.name = loss->what, .relation = loss->object},
                           "drops column %.*s", STR_ARG(loss->what));
    }
}

/* By a rebuild: the new table does not have it. is_moved: but has its values. */
static void end_columns(struct rule_subject *s, bool is_moved)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.drops.count; i++) {
        const struct object_event *e = &p->file.drops.at[i];
        const struct sqlite_object *o = rebuild_is_drop(p, e) ? rebuild_of(p, e) : NULL;
        for (size_t k = 0; o && k < e->object->columns.count; k++) {
            const struct sqlite_column *column = &e->object->columns.at[k];
            if (object_column(o, column->name) || e->object->is_made_up ||
                rebuild_moves(p, e->object, o, column->name) != is_moved)
                continue;
            struct str name = catalog_identifier(s->a, o->name);
            const struct rule_finding about = {.name = name, .line = e->line};
            if (is_moved)
                rule_report_at(s, &about,
                               "the rebuild of %.*s has no column %.*s: what it copies of it has "
                               "another name from here on",
                               STR_ARG(name), STR_ARG(column->name));
            else
                rule_report_at(s, &about, "the rebuild of %.*s leaves out column %.*s",
                               STR_ARG(name), STR_ARG(column->name));
        }
    }
}

static void end_drop_column(struct rule_subject *s)
{
    end_columns(s, false);
}

static void end_rename_column(struct rule_subject *s)
{
    end_columns(s, true);
}

static void check_rename_column(struct rule_subject *s)
{
    if (state_of(s)->facts.alter == ALTER_RENAME)
        report_loss(s, LOSS_NAME, "COLUMN", "renames column");
}

/* ---- rows ---- */

static void report_rows(struct rule_subject *s, const char *verb)
{
    const struct sqlite_facts *f = &state_of(s)->facts;
    if ((!f->has_no_where && !f->is_always_true) || !f->table)
        return;
    struct str name = catalog_identifier(s->a, f->table->name);
    rule_report_at(s, &(struct rule_finding){.name = name, .relation = f->table->relation},
                   "%s every row of %.*s%s", verb, STR_ARG(name),
                   f->is_always_true ? ": its WHERE always holds" : "");
}

static void check_delete(struct rule_subject *s)
{
    if (state_is_kind(s->statement, "DELETE"))
        report_rows(s, "deletes");
}

static void check_update(struct rule_subject *s)
{
    if (state_is_kind(s->statement, "UPDATE"))
        report_rows(s, "updates");
}

/* ---- other objects ---- */

/* Dropped by its name, and not there again at the end of the file. */
static void end_dropped(struct rule_subject *s, enum object_kind kind, bool is_unique,
                        const char *what)
{
    const struct sqlite_analysis *p = state_of(s);
    for (size_t i = 0; i < p->file.drops.count; i++) {
        const struct object_event *e = &p->file.drops.at[i];
        const struct sqlite_object *o = e->object;
        if (!e->is_named || o->kind != kind || o->is_unique != is_unique ||
            rebuild_has_like(p, o, o->owner))
            continue;
        struct str name = catalog_identifier(s->a, o->name);
        const struct catalog_relation *r = o->owner ? o->owner->relation : o->relation;
        rule_report_at(s, &(struct rule_finding){.name = name, .relation = r, .line = e->line},
                       "drops %s %.*s", what, STR_ARG(name));
    }
}

static void end_drop_view(struct rule_subject *s)
{
    end_dropped(s, OBJECT_VIEW, false, "view");
}

static void end_drop_trigger(struct rule_subject *s)
{
    end_dropped(s, OBJECT_TRIGGER, false, "trigger");
}

static void end_drop_unique_index(struct rule_subject *s)
{
    end_dropped(s, OBJECT_INDEX, true, "unique index");
}

static void end_drop_index(struct rule_subject *s)
{
    end_dropped(s, OBJECT_INDEX, false, "index");
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "drop-table",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "dropping a table loses its rows",
                .why = "The rows are gone when the transaction commits; only a copy of the file "
                       "brings them back. Code that still names the table fails from that moment. "
                       "A table that is rebuilt (copied into a new one that takes its name) is "
                       "not meant.",
                .fix = "Stop using it first, and let one release pass. Rename it away, so that it "
                       "can come back, and drop it a release later.",
                .example = "DROP TABLE invoices;",
                .safe = "ALTER TABLE invoices RENAME TO invoices_unused;  -- and a release later\n"
                        "DROP TABLE invoices_unused;",
                .sources = "lang_droptable.html",
            },
        .check = check_drop_table,
        .check_end = end_drop_table,
    },
    {
        .rule =
            {
                .id = "drop-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "dropping a column loses its values",
                .why = "Every row is written anew without it, under the lock of the whole "
                       "database. Code that still names the column fails. A rebuild that leaves a "
                       "column out does the same.",
                .fix = "Let the code stop using it in one release, and drop it in a later one.",
                .example = "ALTER TABLE users DROP COLUMN nickname;",
                .sources = "lang_altertable.html#altertabdropcol",
            },
        .check = check_drop_column,
        .check_end = end_drop_column,
    },
    {
        .rule =
            {
                .id = "rename-table",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "code that runs uses the old name of the table",
                .why = "The name is gone when the transaction commits. Views, triggers and "
                       "foreign keys follow it; programs do not.",
                .fix = "Rename it, and make a view under the old name in the same transaction, "
                       "with INSTEAD OF triggers where the old code writes.",
                .example = "ALTER TABLE users RENAME TO accounts;",
                .safe = "ALTER TABLE users RENAME TO accounts;\n"
                        "CREATE VIEW users AS SELECT * FROM accounts;",
                .sources = "lang_altertable.html#altertabrename",
            },
        .check_end = end_rename_table,
    },
    {
        .rule =
            {
                .id = "rename-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "code that runs uses the old name of the column",
                .why = "The name is gone when the transaction commits. Indexes, views and "
                       "triggers follow it; programs do not.",
                .fix = "Add the new column, keep both alike with triggers, copy the values, "
                       "switch the code, and drop the old one a release later.",
                .example = "ALTER TABLE users RENAME COLUMN mail TO email;",
                .safe = "ALTER TABLE users ADD COLUMN email text;\n"
                        "UPDATE users SET email = mail WHERE email IS NULL;",
                .sources = "lang_altertable.html#altertabmvcol",
            },
        .check = check_rename_column,
        .check_end = end_rename_column,
    },
    {
        .rule =
            {
                .id = "delete-without-where",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "DELETE reaches every row",
                .why = "Without a WHERE, or with one that always holds, the table is empty behind "
                       "it. No other connection can write until it commits.",
                .fix = "Name the rows that are meant.",
                .example = "DELETE FROM sessions;",
                .safe = "DELETE FROM sessions WHERE expires_at < 1700000000;",
                .sources = "lang_delete.html#the_truncate_optimization",
            },
        .check = check_delete,
    },
    {
        .rule =
            {
                .id = "update-without-where",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "UPDATE reaches every row",
                .why = "Without a WHERE, or with one that always holds, what the column held is "
                       "gone in every row. No other connection can write until it commits.",
                .fix = "Name the rows that are meant; of many, some thousands at a time.",
                .example = "UPDATE users SET plan = 'free';",
                .safe = "UPDATE users SET plan = 'free' WHERE plan IS NULL;",
                .sources = "lang_update.html",
            },
        .check = check_update,
    },
    {
        .rule =
            {
                .id = "drop-view",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "who reads the view fails",
                .why = "The name is gone when the transaction commits.",
                .fix = "Make the new view in the same transaction, or drop it when nothing reads "
                       "it any more.",
                .example = "DROP VIEW active_users;",
                .sources = "lang_dropview.html",
            },
        .check_end = end_drop_view,
    },
    {
        .rule =
            {
                .id = "drop-trigger",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "what the trigger kept up is not kept up any more",
                .why = "From the commit on nothing checks or fills what it did.",
                .fix = "Make its replacement in the same transaction.",
                .example = "DROP TRIGGER orders_total;",
                .sources = "lang_droptrigger.html",
            },
        .check_end = end_drop_trigger,
    },
    {
        .rule =
            {
                .id = "drop-unique-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "nothing keeps duplicates out any more",
                .why = "INSERT … ON CONFLICT that names its columns fails from then on: \"ON "
                       "CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint\".",
                .fix = "Make the index that replaces it first.",
                .example = "DROP INDEX users_email;",
                .sources = "lang_dropindex.html; lang_upsert.html",
            },
        .check_end = end_drop_unique_index,
    },
    {
        .rule =
            {
                .id = "drop-index-performance",
                .level = HAZARD_NOTE,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW,
                .title = "queries may need an index that is dropped",
                .why = "What took a millisecond reads the whole table; INDEXED BY fails.",
                .fix = "Look at the queries with EXPLAIN QUERY PLAN before it goes.",
                .example = "DROP INDEX orders_user;",
                .sources = "eqp.html; lang_indexedby.html",
            },
        .check_end = end_drop_index,
    },
};
const struct rule_table sqlite_rules_loss = {rows, ARRAY_LEN(rows)};
