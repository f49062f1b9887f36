/* Rules about objects that are dropped. */
#include "planner/postgres/rules_support.h"

#include "planner/postgres/dependants.h"

/* ---- tables ---- */

static bool was_detached(const struct rule_subject *s, const struct rule_drop *d)
{
    return file_state_find(rule_state(s), NOTED_DETACHED, d->about.name, (struct str){0}) != NULL;
}

static bool is_partition(const struct rule_subject *s, const struct rule_drop *d)
{
    return (d->relation && d->relation->is_partition) || was_detached(s, d);
}

static void see_drop_table(struct rule_subject *s, const struct rule_drop *d)
{
    if (is_partition(s, d) || rule_is_temporary(d->relation))
        return;
    rule_report_at(s, &d->about, "%.*s is dropped with all its rows%s", STR_ARG(d->about.name),
                   rule_rows_text(s, d->relation));
}

static void check_drop_table(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_drop_table);
}

static void see_drop_partition(struct rule_subject *s, const struct rule_drop *d)
{
    if (is_partition(s, d))
        rule_report_at(s, &d->about, "partition %.*s is dropped with all its rows%s%s",
                       STR_ARG(d->about.name), rule_rows_text(s, d->relation),
                       was_detached(s, d) ? "" : "; its parent is locked ACCESS EXCLUSIVE");
}

static void check_drop_partition(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_drop_partition);
}

static void see_many_foreign_keys(struct rule_subject *s, const struct rule_drop *d)
{
    const struct catalog_relation *parents[64];
    size_t count = 0;
    for (size_t i = 0; d->relation && i < d->relation->constraints.count; i++) {
        const struct catalog_constraint *k = d->relation->constraints.at[i];
        bool counts = !k->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY && k->referenced &&
                      k->referenced != d->relation && !rule_is_new(s, k->referenced);
        for (size_t n = 0; counts && n < count; n++)
            counts = parents[n] != k->referenced;
        if (counts && count < ARRAY_LEN(parents))
            parents[count++] = k->referenced;
    }
    if (count > 1)
        rule_report_at(s, &d->about,
                       "dropping %.*s locks %zu tables that its foreign keys point at ACCESS "
                       "EXCLUSIVE, at once",
                       STR_ARG(d->about.name), count);
}

static void check_many_foreign_keys(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_many_foreign_keys);
}

/* What goes along with a CASCADE, as far as the catalog tells: "view public.v, …"; "" : nothing. */
static const char *company(const struct rule_subject *s)
{
    const char *text = "";
    size_t count = 0;
    for (size_t i = 0; i < s->effects->losses.count; i++) {
        const struct effect_loss *loss = &s->effects->losses.at[i];
        if (loss->is_named)
            continue;
        if (count++ < 3)
            text = arena_printf(s->a, "%s%s%s %.*s", text, text[0] ? ", " : ": with it goes ",
                                loss->object_kind, STR_ARG(loss->what));
    }
    return count > 3 ? arena_printf(s->a, "%s and %zu more", text, count - 3) : text;
}

static void see_drop_table_cascade(struct rule_subject *s, const struct rule_drop *d)
{
    if (rule_cascades(d->stmt->behavior) && !rule_is_temporary(d->relation))
        rule_report_at(s, &d->about,
                       "%.*s is dropped with CASCADE, which takes whatever depends "
                       "on it%s",
                       STR_ARG(d->about.name), company(s));
}

static void check_drop_table_cascade(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_drop_table_cascade);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE, see_drop_table_cascade);
}

/* ---- columns ---- */

static bool may_be_there(const struct rule_subject *s, const struct rule_command *c)
{
    return !c->cmd->missing_ok || c->column || !c->table || !s->catalog->is_complete;
}

static bool is_new_column(const struct rule_subject *s, const struct rule_command *c)
{
    return c->column && s->catalog->migration && c->column->created_in == s->catalog->migration;
}

static void see_drop_column(struct rule_subject *s, const struct rule_command *c)
{
    if (may_be_there(s, c) && !is_new_column(s, c) && !rule_is_temporary(c->table))
        rule_report_at(s, &c->about, "column %s of %.*s is dropped with its values%s", c->cmd->name,
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_drop_column(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn, see_drop_column);
}

static void see_drop_column_cascade(struct rule_subject *s, const struct rule_command *c)
{
    if (rule_cascades(c->cmd->behavior) && may_be_there(s, c))
        rule_report_at(s, &c->about,
                       "column %s of %.*s is dropped with CASCADE, which takes whatever depends on "
                       "it%s",
                       c->cmd->name, STR_ARG(c->about.name), company(s));
}

static void check_drop_column_cascade(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn, see_drop_column_cascade);
}

static bool has_column(const struct catalog_constraint *k, const struct catalog_column *column)
{
    for (size_t i = 0; i < k->columns.count; i++) {
        if (k->columns.at[i] == column)
            return true;
    }
    return false;
}

static void see_column_constraints(struct rule_subject *s, const struct rule_command *c)
{
    for (size_t i = 0; c->column && i < c->table->constraints.count; i++) {
        const struct catalog_constraint *k = c->table->constraints.at[i];
        if (k->is_dropped || k->kind == CONSTRAINT_NOT_NULL)
            continue;
        bool uses = has_column(k, c->column) ||
                    expression_mentions(s->catalog, &k->check, c->table, c->column);
        struct rule_finding about = c->about;
        if (k->columns.count == 1)
            about.fix = "Nothing has to take its place: it is about this column alone. Make sure "
                        "that nobody relies on it, such as ON CONFLICT, or ON DELETE of the key.";
        if (uses)
            rule_report_at(s, &about,
                           "constraint %.*s of %.*s goes with column %s, without a "
                           "word from the server",
                           STR_ARG(k->name), STR_ARG(c->about.name), c->cmd->name);
    }
    for (size_t i = 0; c->column && i < c->table->indexes.count; i++) {
        const struct catalog_relation *index = c->table->indexes.at[i];
        if (index->is_dropped || index->index->constraint || index->index->keys.count < 2)
            continue;
        for (size_t n = 0; n < index->index->keys.count; n++) {
            if (index->index->keys.at[n].column != c->column)
                continue;
            rule_report_at(s, &c->about, "index %.*s over more columns than %s goes with it",
                           STR_ARG(index->name), c->cmd->name);
            break;
        }
    }
}

static void check_column_constraints(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn, see_column_constraints);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "drop-table",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "dropping a table loses its rows",
                .why = "The rows are gone when the transaction commits; only a backup brings "
                       "them back. Code that still names the table fails from that moment. The "
                       "statement takes ACCESS EXCLUSIVE on the table and on every table that "
                       "its foreign keys point at, so reads of those wait as well.",
                .fix = "Stop using it first, and let one release pass. Rename it away or revoke "
                       "the rights on it, so that it can come back. Then drop its foreign keys "
                       "in statements of their own, and last the table. Once it is certain, "
                       "allow it with a reason.",
                .example = "DROP TABLE invoices;",
                .safe =
                    "REVOKE ALL ON invoices FROM PUBLIC;  -- a release with nobody asking for it\n"
                    "-- migrate: allow drop-table reason=\"unused since release 41, dump in "
                    "s3://archive\"\n"
                    "DROP TABLE invoices;",
                .sources = "sql-droptable.html; heap_drop_with_catalog()",
            },
        .check = check_drop_table,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-table-many-fks",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "dropping a table with foreign keys to several tables locks all of them",
                .why = "DROP TABLE removes the triggers of each foreign key from the table at "
                       "its other end, under ACCESS EXCLUSIVE there too. With two or more "
                       "parents these locks are collected one after the other: transactions "
                       "that use the parents in another order end in a deadlock, all others "
                       "wait for the longest of them.",
                .fix = "Drop the foreign keys first, one ALTER TABLE … DROP CONSTRAINT in each "
                       "migration, with a short lock_timeout. Then drop the table.",
                .example = "DROP TABLE wishes;",
                .safe = "ALTER TABLE wishes DROP CONSTRAINT wishes_customer_fkey;\n"
                        "ALTER TABLE wishes DROP CONSTRAINT wishes_product_fkey;\n"
                        "DROP TABLE wishes;",
                .sources =
                    "tablecmds.c: RemoveRelations(); pg_constraint.c: RemoveConstraintById()",
            },
        .check = check_many_foreign_keys,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-table-cascade",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP TABLE … CASCADE takes objects that nobody named",
                .why = "CASCADE drops views, foreign keys of other tables, rules and policies "
                       "that depend on the table, and says so only in a NOTICE. What depends on "
                       "it in production may be more than what depends on it in a test database.",
                .fix = "List what depends on the table, drop or change each by its name, then "
                       "drop the table without CASCADE: if something was forgotten, the "
                       "statement fails instead.",
                .example = "DROP TABLE invoices CASCADE;",
                .safe = "DROP VIEW open_invoices;\n"
                        "DROP TABLE invoices;",
                .sources = "sql-droptable.html; ddl-depend.html",
            },
        .check = check_drop_table_cascade,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "dropping a column loses its values",
                .why = "The column is gone for everybody when the transaction commits. Code "
                       "that still selects or inserts it fails, and so do prepared statements "
                       "over the table. ACCESS EXCLUSIVE is held briefly, nothing is rewritten, "
                       "and the space is not given back until the rows are written anew.",
                .fix = "Let the code stop using the column, in a release of its own. Drop its "
                       "NOT NULL, or give it a default, so that inserts without it pass. Drop "
                       "it in a later release, and allow it there with a reason.",
                .example = "ALTER TABLE customers DROP COLUMN fax;",
                .safe = "ALTER TABLE customers ALTER COLUMN fax DROP NOT NULL;\n"
                        "-- a release later\n"
                        "-- migrate: allow drop-column reason=\"not read since release 41\"\n"
                        "ALTER TABLE customers DROP COLUMN fax;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecDropColumn()",
            },
        .check = check_drop_column,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-column-cascade",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP COLUMN … CASCADE takes objects that nobody named",
                .why = "Views, policies, row filters of publications, generated columns and "
                       "functions with an SQL-standard body that use the column are dropped "
                       "along with it, and only a NOTICE tells.",
                .fix = "Drop or change each dependant by its name, then drop the column without "
                       "CASCADE.",
                .example = "ALTER TABLE customers DROP COLUMN fax CASCADE;",
                .safe = "DROP VIEW faxes;\n"
                        "ALTER TABLE customers DROP COLUMN fax;",
                .sources = "ddl-depend.html; dependency.c: findDependentObjects()",
            },
        .check = check_drop_column_cascade,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-column-takes-constraint",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a dropped column takes constraints and indexes over other columns with "
                         "it",
                .why = "A UNIQUE, CHECK, foreign key or primary key, and every index, that has "
                       "the column among others is dropped with it, without CASCADE and without "
                       "a notice. What it guaranteed for the other columns is no longer "
                       "guaranteed.",
                .fix = "Build what shall remain first: CREATE UNIQUE INDEX CONCURRENTLY over "
                       "the other columns, a CHECK without the column. Drop the old constraint "
                       "by its name, then the column.",
                .example = "ALTER TABLE seats DROP COLUMN hall;",
                .safe = "CREATE UNIQUE INDEX CONCURRENTLY seats_place_only ON seats (place);\n"
                        "ALTER TABLE seats DROP CONSTRAINT seats_place;\n"
                        "ALTER TABLE seats DROP COLUMN hall;",
                .sources = "dependency.c: findDependentObjects() (automatic dependencies)",
            },
        .check = check_column_constraints,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-partition",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "dropping a partition loses its rows and locks the whole partitioned "
                         "table",
                .why = "DROP TABLE of a partition takes ACCESS EXCLUSIVE on the parent: every "
                       "query of the partitioned table waits. The rows are gone when it "
                       "commits; this is also true where it was detached before.",
                .fix = "ALTER TABLE … DETACH PARTITION … CONCURRENTLY (14 and later, outside a "
                       "transaction) in one migration, a backup of the detached table, and DROP "
                       "TABLE in a later one, allowed with a reason.",
                .example = "DROP TABLE events_2020;",
                .safe = "ALTER TABLE events DETACH PARTITION events_2020 CONCURRENTLY;",
                .sources = "sql-altertable.html; heap.c: heap_drop_with_catalog()",
            },
        .check = check_drop_partition,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
};
const struct rule_table rules_loss = {rows, ARRAY_LEN(rows)};
