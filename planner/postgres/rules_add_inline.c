/* Rules about what goes along with a new column: constraints, partitions. */
#include "planner/postgres/rules_support.h"

/* ---- constraints within the column ---- */

static bool is_inline(const struct rule_constraint *c)
{
    return c->column && !c->is_create && !rule_is_temporary(c->table);
}

static void see_check(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_inline(c))
        rule_report_at(s, &c->about,
                       "%.*s%s is read in full under ACCESS EXCLUSIVE to test the CHECK "
                       "of %s",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), c->column->colname);
}

static void check_inline_check(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_CHECK, see_check);
}

static void see_unique(struct rule_subject *s, const struct rule_constraint *c)
{
    bool is_primary = c->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
    if (is_inline(c) && (is_primary || c->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE))
        rule_report_at(s, &c->about, "an index over %s is built under ACCESS EXCLUSIVE on %.*s%s",
                       c->column->colname, STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_inline_unique(struct rule_subject *s)
{
    rule_each_constraint(s, 0, see_unique);
}

static void see_foreign_key(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_inline(c))
        rule_report_at(s, &c->about,
                       "%.*s is locked ACCESS EXCLUSIVE and %.*s SHARE ROW EXCLUSIVE "
                       "together, for the REFERENCES of %s",
                       STR_ARG(c->about.name), STR_ARG(rule_about(s, c->k->pktable).name),
                       c->column->colname);
}

static void check_inline_foreign_key(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN, see_foreign_key);
}

/* ---- partitions ---- */

static size_t count_partitions(const struct catalog_relation *r)
{
    size_t count = 0;
    for (size_t i = 0; r && i < r->children.count; i++)
        count += !r->children.at[i]->is_dropped;
    return count;
}

static void see_partitioned(struct rule_subject *s, const struct rule_command *c)
{
    size_t count = count_partitions(c->table);
    bool is_column = c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn ||
                     c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn ||
                     c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType ||
                     c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull ||
                     c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull ||
                     c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault;
    if (is_column && count && c->stmt->relation && c->stmt->relation->inh)
        rule_report_at(s, &c->about,
                       "all %zu partition%s of %.*s are locked ACCESS EXCLUSIVE at once", count,
                       count == 1 ? "" : "s", STR_ARG(c->about.name));
}

static void check_partitioned(struct rule_subject *s)
{
    rule_each_command(s, 0, see_partitioned);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "add-column-inline-check",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a CHECK within a new column reads the table",
                .why = "The whole table is read under ACCESS EXCLUSIVE to test the CHECK on "
                       "rows that all have the same value.",
                .fix = "Add the column alone. Then ADD CONSTRAINT … CHECK … NOT VALID, and "
                       "VALIDATE CONSTRAINT in a transaction of its own, which lets reads and "
                       "writes pass.",
                .example = "ALTER TABLE offers ADD COLUMN rebate int CHECK (rebate >= 0);",
                .safe = "ALTER TABLE offers ADD COLUMN rebate int;\n"
                        "ALTER TABLE offers ADD CONSTRAINT offers_rebate CHECK (rebate >= 0) NOT "
                        "VALID;",
                .sources = "tablecmds.c: ATRewriteTable()",
            },
        .check = check_inline_check,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-inline-unique",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "UNIQUE or PRIMARY KEY within a new column builds its index under ACCESS "
                         "EXCLUSIVE",
                .why = "Nobody reads or writes the table while the index is built.",
                .fix = "Add the column alone, build the index with CREATE UNIQUE INDEX "
                       "CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX.",
                .example = "ALTER TABLE offers ADD COLUMN code text UNIQUE;",
                .safe = "ALTER TABLE offers ADD COLUMN code text;\n"
                        "CREATE UNIQUE INDEX CONCURRENTLY offers_code ON offers (code);\n"
                        "ALTER TABLE offers ADD CONSTRAINT offers_code_key UNIQUE USING INDEX "
                        "offers_code;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecAddIndex()",
            },
        .check = check_inline_unique,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-inline-fk",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "REFERENCES within a new column locks both tables",
                .why = "ACCESS EXCLUSIVE on the table and SHARE ROW EXCLUSIVE on the one it "
                       "refers to are held together. Without a default nothing is read; with "
                       "one, both tables are.",
                .fix = "Add the column alone. Then ADD CONSTRAINT … FOREIGN KEY … NOT VALID, "
                       "and VALIDATE CONSTRAINT in a transaction of its own.",
                .example = "ALTER TABLE offers ADD COLUMN author bigint REFERENCES users;",
                .safe = "ALTER TABLE offers ADD COLUMN author bigint;\n"
                        "ALTER TABLE offers ADD CONSTRAINT offers_author FOREIGN KEY (author) "
                        "REFERENCES users NOT VALID;",
                .sources = "tablecmds.c: ATAddForeignKeyConstraint()",
            },
        .check = check_inline_foreign_key,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-on-partitioned",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a change of a partitioned table's columns locks every partition",
                .why = "ACCESS EXCLUSIVE is taken on the parent and on all partitions, one "
                       "after the other, and held until the end. One query on one partition "
                       "holds up the statement, and with it everybody who comes after.",
                .fix = "Set a short lock_timeout and try again. Where there are very many "
                       "partitions, detach those that are idle.",
                .example = "ALTER TABLE events ADD COLUMN who text;",
                .safe = "SET lock_timeout TO '400ms';\n"
                        "ALTER TABLE events ADD COLUMN who text;",
                .sources = "tablecmds.c: ATSimpleRecursion(); ddl-partitioning.html",
            },
        .check = check_partitioned,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
};
const struct rule_table rules_add_inline = {rows, ARRAY_LEN(rows)};
