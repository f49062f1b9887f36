/* Rules about what running code calls by its name. */
#include "planner/postgres/rules_support.h"

static const PgQuery__RenameStmt *rename_stmt(const struct rule_subject *s)
{
    return rule_tree(s)->rename_stmt;
}

static bool renames_view(const struct rule_subject *s, const PgQuery__RangeVar *name,
                         PgQuery__ObjectType type)
{
    const struct catalog_relation *r = rule_relation(s, name);
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW ||
           (r && (r->kind == RELATION_VIEW || r->kind == RELATION_MATERIALIZED_VIEW));
}

static void check_column(struct rule_subject *s)
{
    const PgQuery__RenameStmt *stmt = rename_stmt(s);
    bool is_column = stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN ||
                     stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE;
    struct rule_finding about = rule_about(s, stmt->relation);
    const struct catalog_relation *r = about.relation;
    const struct catalog_column *column = r ? catalog_find_column(r, str_of(stmt->subname)) : NULL;
    bool is_new = column && s->catalog->migration && column->created_in == s->catalog->migration;
    if (is_column && !is_new && !rule_is_temporary(r))
        rule_report_at(s, &about, "code that names column %s of %.*s fails from here on",
                       stmt->subname, STR_ARG(about.name));
}

static void see_renamed_table(struct rule_subject *s, const PgQuery__RenameStmt *stmt)
{
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!rule_is_temporary(about.relation))
        rule_report_at(s, &about, "code that names %.*s fails from here on", STR_ARG(about.name));
}

static void check_table(struct rule_subject *s)
{
    const PgQuery__RenameStmt *stmt = rename_stmt(s);
    if (stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
        !renames_view(s, stmt->relation, stmt->rename_type) &&
        !(rule_relation(s, stmt->relation) && rule_relation(s, stmt->relation)->index))
        see_renamed_table(s, stmt);
}

static void check_schema(struct rule_subject *s)
{
    const PgQuery__RenameStmt *stmt = rename_stmt(s);
    if (stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA)
        rule_report_at(
            s, &(struct rule_finding){.name = str_of(stmt->subname)},
            "every qualified name in schema %s, and every search_path with it, fails from "
            "here on",
            stmt->subname);
}

static void check_enum(struct rule_subject *s)
{
    const PgQuery__AlterEnumStmt *stmt = rule_tree(s)->alter_enum_stmt;
    if (stmt->old_val[0])
        rule_report(s, NULL, "code that writes or compares '%s' fails from here on", stmt->old_val);
}

/* A type, function and the like: what its name is made of. */
static struct str renamed_object(const struct rule_subject *s, const PgQuery__RenameStmt *stmt)
{
    const PgQuery__Node *n = stmt->object;
    struct str name = {0};
    if (n && n->node_case == PG_QUERY__NODE__NODE_LIST)
        name = rule_names_text(s, n->list->items, n->list->n_items);
    else if (n && n->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS)
        name = rule_names_text(s, n->object_with_args->objname, n->object_with_args->n_objname);
    else if (n && n->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
        name = rule_names_text(s, n->type_name->names, n->type_name->n_names);
    else
        name = rule_string(n);
    return name.len ? name : STR("it");
}

/* Made by this migration: nobody calls it yet. */
static bool is_new_type(const struct rule_subject *s, const PgQuery__RenameStmt *stmt)
{
    const PgQuery__Node *n = stmt->object;
    if (!n || n->node_case != PG_QUERY__NODE__NODE_LIST)
        return false;
    struct str schema;
    struct str name;
    deed_split_name(n->list->items, n->list->n_items, &schema, &name);
    const struct catalog_type *type = catalog_find_type(s->catalog, schema, name);
    return type && s->catalog->migration && type->created_in == s->catalog->migration;
}

static void check_other(struct rule_subject *s)
{
    const PgQuery__RenameStmt *stmt = rename_stmt(s);
    switch (stmt->rename_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
        return;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        if (!renames_view(s, stmt->relation, stmt->rename_type))
            return;
        break;
    default:
        break;
    }
    struct rule_finding about = rule_about(s, stmt->relation);
    struct str name = stmt->subname[0] ? str_of(stmt->subname)
                      : stmt->relation ? about.name
                                       : renamed_object(s, stmt);
    if (stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE && is_new_type(s, stmt))
        return;
    rule_report_at(s, &about, "what calls %.*s by that name fails from here on", STR_ARG(name));
}

static void check_set_schema(struct rule_subject *s)
{
    const PgQuery__AlterObjectSchemaStmt *stmt = rule_tree(s)->alter_object_schema_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!stmt->relation)
        about.name = STR("an object");
    rule_report_at(s, &about,
                   "%.*s moves to schema %s: what finds it by its qualified name, or a "
                   "search_path without that schema, fails from here on",
                   STR_ARG(about.name), stmt->newschema);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "rename-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "running code still uses the column's old name",
                .why = "From the commit on every query with the old name fails. Views follow "
                       "the column by its number; functions in PL/pgSQL, which are text, do "
                       "not. ACCESS EXCLUSIVE is brief.",
                .fix = "Add a column with the new name, keep both in step by a trigger, fill it "
                       "in batches, let the code switch, drop the old one. Or put a view over "
                       "the table that shows the column under its new name.",
                .example = "ALTER TABLE users RENAME COLUMN mail TO email;",
                .safe = "ALTER TABLE users ADD COLUMN email text;",
                .sources = "sql-altertable.html",
            },
        .check = check_column,
        .node = PG_QUERY__NODE__NODE_RENAME_STMT,
    },
    {
        .rule =
            {
                .id = "rename-table",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "running code still uses the table's old name",
                .why = "From the commit on every query with the old name fails.",
                .fix = "Rename, and make a view under the old name in the same transaction: a "
                       "simple view passes reads and writes on. Drop the view when no code uses "
                       "it.",
                .example = "ALTER TABLE users RENAME TO accounts;",
                .safe = "BEGIN;\n"
                        "-- migrate: allow rename-table reason=\"the view below keeps the old name "
                        "alive\"\n"
                        "ALTER TABLE users RENAME TO accounts;\n"
                        "CREATE VIEW users AS SELECT * FROM accounts;\n"
                        "COMMIT;",
                .sources = "sql-altertable.html; sql-createview.html (updatable views)",
            },
        .check = check_table,
        .node = PG_QUERY__NODE__NODE_RENAME_STMT,
    },
    {
        .rule =
            {
                .id = "rename-schema",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "every qualified name in a renamed schema fails",
                .why = "Code, functions and search_path settings of roles name the schema; none "
                       "of them follows.",
                .fix = "Make the new schema, and move the objects one by one with views in the "
                       "old place.",
                .example = "ALTER SCHEMA shop RENAME TO store;",
                .safe = "CREATE SCHEMA store;",
                .sources = "sql-alterschema.html",
            },
        .check = check_schema,
        .node = PG_QUERY__NODE__NODE_RENAME_STMT,
    },
    {
        .rule =
            {
                .id = "rename-enum-value",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "running code still sends the old label",
                .why = "INSERTs and comparisons with the old label fail: \"invalid input value "
                       "for enum\". There is no online form: no value has two labels, and none "
                       "can be removed.",
                .fix = "Add the new value, let the code write it and read both, change the rows "
                       "in batches, forbid the old one by a CHECK, and leave it in the type. To be "
                       "rid of it: a second type without it, and the column by ALTER COLUMN … TYPE "
                       "… USING column::text::type. Or a text column with a CHECK, or a table with "
                       "a foreign key, from then on.",
                .example = "ALTER TYPE mood RENAME VALUE 'bad' TO 'poor';",
                .safe = "ALTER TYPE mood ADD VALUE 'poor';",
                .sources = "sql-altertype.html",
            },
        .check = check_enum,
        .node = PG_QUERY__NODE__NODE_ALTER_ENUM_STMT,
    },
    {
        .rule =
            {
                .id = "rename-other",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "something may call the renamed object by its old name",
                .why = "Views, types, functions and sequences are named in code and in the text "
                       "of functions; names of constraints in ON CONFLICT ON CONSTRAINT, and "
                       "where code tells errors apart. Indexes are not: renaming one is "
                       "harmless.",
                .fix = "Look for the name in code and function bodies first.",
                .example = "ALTER SEQUENCE invoice_number RENAME TO invoice_no;",
                .sources = "sql-altersequence.html",
            },
        .check = check_other,
        .node = PG_QUERY__NODE__NODE_RENAME_STMT,
    },
    {
        .rule =
            {
                .id = "set-schema",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "an object that moves to another schema is lost to its old name",
                .why = "Qualified names fail at once, others wherever the search_path does not "
                       "hold the new schema. Tables are locked ACCESS EXCLUSIVE.",
                .fix = "Leave a view in the old place, made in the same transaction.",
                .example = "ALTER TABLE users SET SCHEMA archive;",
                .safe = "CREATE VIEW archive.users AS SELECT * FROM users;",
                .sources = "sql-altertable.html",
            },
        .check = check_set_schema,
        .node = PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT,
    },
};
const struct rule_table rules_compat = {rows, ARRAY_LEN(rows)};
