/* Rules about columns that are altered, but for their type. */
#include "planner/postgres/rules_support.h"

static void see_expression(struct rule_subject *s, const struct rule_command *c)
{
    if (grammar_sets_expression(c->cmd))
        rule_report_at(s, &c->about,
                       "%.*s%s is rewritten under ACCESS EXCLUSIVE to compute %s anew",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), c->cmd->name);
}

static bool is_virtual(const struct rule_command *c)
{
    return c->column && c->column->generated == 'v';
}

static void see_stored_expression(struct rule_subject *s, const struct rule_command *c)
{
    if (!is_virtual(c))
        see_expression(s, c);
}

static void check_expression(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault, see_stored_expression);
}

/* ---- NOT NULL ---- */

/* It, or a table that inherits from it: a partitioned one has no rows of its own. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static bool is_read(const struct rule_subject *s, const struct catalog_relation *r)
{
    bool is_found = rule_scan(s, catalog_relation_text(s->a, r)) != NULL;
    for (size_t i = 0; i < r->children.count && !is_found; i++)
        is_found = !r->children.at[i]->is_dropped && is_read(s, r->children.at[i]);
    return is_found;
}

static bool is_proven(const struct rule_subject *s, const struct rule_command *c)
{
    return c->column && (c->column->is_not_null || !is_read(s, c->table));
}

static void see_set_not_null(struct rule_subject *s, const struct rule_command *c)
{
    if (!is_proven(s, c) && !rule_is_temporary(c->table))
        rule_report_at(s, &c->about,
                       "%.*s%s is read in full under ACCESS EXCLUSIVE: no valid CHECK "
                       "proves that %s is never NULL",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), c->cmd->name);
}

static void check_set_not_null(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull, see_set_not_null);
}

static void see_set_not_null_compat(struct rule_subject *s, const struct rule_command *c)
{
    if (!(c->column && c->column->is_not_null) && !rule_is_temporary(c->table))
        rule_report_at(s, &c->about,
                       "code that leaves %s of %.*s out, or writes NULL, fails from here "
                       "on",
                       c->cmd->name, STR_ARG(c->about.name));
}

static void check_set_not_null_compat(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull, see_set_not_null_compat);
}

static void see_not_null_constraint(struct rule_subject *s, const struct rule_constraint *c)
{
    if (!c->column && !c->is_create && !c->k->skip_validation)
        rule_report_at(s, &c->about,
                       "%.*s%s is read in full under ACCESS EXCLUSIVE to prove NOT NULL",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_not_null_constraint(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL, see_not_null_constraint);
}

static void see_drop_not_null(struct rule_subject *s, const struct rule_command *c)
{
    if (!c->column || c->column->is_not_null)
        rule_report_at(s, &c->about, "code that reads %s of %.*s may meet NULL", c->cmd->name,
                       STR_ARG(c->about.name));
}

static void check_drop_not_null(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull, see_drop_not_null);
}

/* ---- defaults and storage ---- */

static void see_storage(struct rule_subject *s, const struct rule_command *c)
{
    if (c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage ||
        c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression)
        rule_report_at(s, &c->about,
                       "%.*s is locked ACCESS EXCLUSIVE, briefly; only rows written "
                       "from now on are stored in the new way",
                       STR_ARG(c->about.name));
}

static void check_storage(struct rule_subject *s)
{
    rule_each_command(s, 0, see_storage);
}

static void see_default_lock(struct rule_subject *s, const struct rule_command *c)
{
    bool is_brief = !rule_rewrite(s, c->about.name) && !rule_scan(s, c->about.name);
    if (is_brief && !grammar_sets_expression(c->cmd) &&
        c->stmt->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_VIEW)
        rule_report_at(s, &c->about, "%.*s is locked ACCESS EXCLUSIVE, briefly",
                       STR_ARG(c->about.name));
}

static void check_default_lock(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault, see_default_lock);
}

static void see_change_default(struct rule_subject *s, const struct rule_command *c)
{
    if (grammar_sets_expression(c->cmd))
        return;
    if (!c->cmd->def && c->column && c->column->is_not_null)
        rule_report_at(s, &c->about,
                       "%s of %.*s is NOT NULL: INSERTs that leave it out fail without "
                       "its default",
                       c->cmd->name, STR_ARG(c->about.name));
    else
        rule_report_at(s, &c->about, "rows that are inserted without %s get %s from here on",
                       c->cmd->name, c->cmd->def ? "another value" : "NULL");
}

static void check_change_default(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault, see_change_default);
}

/* ---- prepared statements ---- */

static void see_plan(struct rule_subject *s, const struct rule_command *c)
{
    bool changes = c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn ||
                   c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn ||
                   c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType;
    if (changes && c->stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
        !rule_is_temporary(c->table))
        rule_report_at(s, &c->about,
                       "prepared statements with SELECT * over %.*s fail once, with "
                       "\"cached plan must not change result type\"",
                       STR_ARG(c->about.name));
}

static void check_plan(struct rule_subject *s)
{
    size_t before = s->out->count;
    rule_each_command(s, 0, see_plan);
    if (s->out->count > before + 1)
        s->out->count = before + 1; /* once for the table */
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "set-expression",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .since = 17,
                .title = "a new expression of a stored generated column rewrites the table",
                .why = "SET EXPRESSION computes the column for every row and writes table and "
                       "indexes anew, under ACCESS EXCLUSIVE. Statistics of the column are "
                       "thrown away.",
                .fix = "Add a second generated or plain column with the new expression, let the "
                       "code switch, drop the old one.",
                .example = "ALTER TABLE people ALTER COLUMN lower_name SET EXPRESSION AS "
                           "(lower(btrim(name)));",
                .safe = "ALTER TABLE people ADD COLUMN trimmed_name text;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecSetExpression()",
            },
        .check = check_expression,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "set-not-null-scan",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "SET NOT NULL reads the whole table under ACCESS EXCLUSIVE",
                .why = "From 12 on the server skips the scan when a valid CHECK constraint "
                       "proves it: (column IS NOT NULL), alone or in a conjunction. Another "
                       "CHECK, such as column > 0, does not, since NULL passes it.",
                .fix = "ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID; VALIDATE "
                       "CONSTRAINT in a transaction of its own, which lets reads and writes "
                       "pass; SET NOT NULL, which is then instant; DROP CONSTRAINT. From 18 on: "
                       "ADD CONSTRAINT … NOT NULL column NOT VALID, VALIDATE CONSTRAINT.",
                .example = "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users ADD CONSTRAINT email_given CHECK (email IS NOT NULL) "
                        "NOT VALID;\n"
                        "COMMIT;\n"
                        "BEGIN;\n"
                        "ALTER TABLE users VALIDATE CONSTRAINT email_given;\n"
                        "COMMIT;\n"
                        "ALTER TABLE users ALTER COLUMN email SET NOT NULL;\n"
                        "ALTER TABLE users DROP CONSTRAINT email_given;",
                .sources = "tablecmds.c: ATExecSetNotNull(), NotNullImpliedByRelConstraints(); "
                           "release-12.html",
            },
        .check = check_set_not_null,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-not-null-constraint",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .since = 18,
                .title = "ADD CONSTRAINT … NOT NULL reads the whole table",
                .why = "Without NOT VALID it is proven at once, under ACCESS EXCLUSIVE.",
                .fix = "Say NOT VALID, and VALIDATE CONSTRAINT in a transaction of its own.",
                .example = "ALTER TABLE users ADD CONSTRAINT email_given NOT NULL email;",
                .safe = "ALTER TABLE users ADD CONSTRAINT email_given NOT NULL email NOT VALID;",
                .sources = "sql-altertable.html (18); release-18.html",
            },
        .check = check_not_null_constraint,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "set-not-null-compat",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "code that still writes NULL fails",
                .why = "From the commit on every INSERT and UPDATE that leaves the column NULL "
                       "is refused; code of the last release may still do so.",
                .fix = "Set a default, let the code write a value, and look for NULLs that come "
                       "in after that before the constraint is set.",
                .example = "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
                .safe = "ALTER TABLE users ALTER COLUMN email SET DEFAULT '';",
                .sources = "ddl-constraints.html",
            },
        .check = check_set_not_null_compat,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-not-null",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "code that reads a NOT NULL column is not prepared for NULL",
                .why = "The first row with NULL breaks code that has never met one: it shows up "
                       "far from this statement.",
                .fix = "Let the readers handle NULL first, in a release of their own.",
                .example = "ALTER TABLE users ALTER COLUMN email DROP NOT NULL;",
                .sources = "sql-altertable.html",
            },
        .check = check_drop_not_null,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "set-storage",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "SET STORAGE and SET COMPRESSION lock the table briefly",
                .why = "ACCESS EXCLUSIVE for a moment, nothing is rewritten; rows that are "
                       "there keep their form.",
                .fix = "Set a short lock_timeout.",
                .example = "ALTER TABLE pages ALTER COLUMN body SET STORAGE EXTERNAL;",
                .sources = "storage-toast.html",
            },
        .check = check_storage,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-column-default-lock",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "SET DEFAULT and DROP DEFAULT lock the table briefly",
                .why = "ACCESS EXCLUSIVE for a moment: behind a long query it waits, and "
                       "everybody behind it.",
                .fix = "Set a short lock_timeout and try again.",
                .example = "ALTER TABLE users ALTER COLUMN country SET DEFAULT 'DE';",
                .sources = "sql-altertable.html; tablecmds.c: AlterTableGetLockLevel()",
            },
        .check = check_default_lock,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "change-default",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "another default changes what INSERTs without the column store",
                .why = "Object mappers that write all columns go on with the old default, "
                       "others get the new one. Without a default a NOT NULL column refuses "
                       "INSERTs that leave it out.",
                .fix = "Let the code write the value itself before the default changes.",
                .example = "ALTER TABLE users ALTER COLUMN country DROP DEFAULT;",
                .sources = "ddl-default.html",
            },
        .check = check_change_default,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "cached-plan-invalidated",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "prepared SELECT * fails once when the columns change",
                .why = "A prepared statement whose result changes its columns or types fails at "
                       "its next use: \"cached plan must not change result type\". Within a "
                       "transaction the whole transaction is lost. Statements that list their "
                       "columns survive a new column.",
                .fix = "List columns in queries. After the migration let the pools open new "
                       "connections, or DEALLOCATE ALL.",
                .example = "ALTER TABLE users ADD COLUMN city text;",
                .sources = "plancache.c: RevalidateCachedQuery()",
            },
        .check = check_plan,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
};
const struct rule_table rules_column = {rows, ARRAY_LEN(rows)};
