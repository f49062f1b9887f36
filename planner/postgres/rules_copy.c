/* A rule about tables that another one takes the place of, in whole or in part. */
#include "planner/postgres/rules_support.h"

/* Once for each statement: it is the same copy, however many columns go. */
static void see_copied(struct rule_subject *s, const struct rule_finding *about)
{
    const struct noted *copy =
        file_state_find(rule_state(s), NOTED_COPIED_ROWS, about->name, (struct str){0});
    if (copy)
        rule_report_at(s, about,
                       "what others write to %.*s while line %u copies it is missing in %.*s",
                       STR_ARG(about->name), copy->line, STR_ARG(copy->name));
}

static void see_dropped(struct rule_subject *s, const struct rule_drop *d)
{
    see_copied(s, &d->about);
}

static bool drops_column(const PgQuery__AlterTableStmt *stmt)
{
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__Node *n = stmt->cmds[i];
        if (n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD &&
            n->alter_table_cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
            return true;
    }
    return false;
}

static void check_copy(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    const PgQuery__RangeVar *name = NULL;
    if (tree->node_case == PG_QUERY__NODE__NODE_RENAME_STMT &&
        tree->rename_stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
        name = tree->rename_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT &&
             drops_column(tree->alter_table_stmt))
        name = tree->alter_table_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_DROP_STMT)
        rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_dropped);
    if (!name)
        return;
    struct rule_finding about = rule_about(s, name);
    see_copied(s, &about);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "copy-misses-writes",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a copy that takes the place of a table lacks what was written meanwhile",
                .why = "INSERT … SELECT copies the rows that are there when it begins. What "
                       "running code writes to the old table from then on is missing in the new "
                       "one when the old one is renamed or dropped, or its columns are. There is "
                       "no online form of such a file: which rows belong to each other, and who "
                       "wins, it does not say.",
                .fix = "To make a table partitioned, do not copy it: rename it, and attach it to a "
                       "new partitioned table as its first partition, in one transaction, behind "
                       "a valid CHECK of its range and a unique index with the partition column. "
                       "To move columns or rows elsewhere: triggers that keep both the same, the "
                       "copy in batches, a comparison, then the code, and the drop in a later "
                       "migration. The steps are in docs/online.md.",
                .example = "CREATE TABLE profiles (user_id bigint PRIMARY KEY, bio text);\n"
                           "INSERT INTO profiles (user_id, bio) SELECT id, bio FROM users;\n"
                           "ALTER TABLE users DROP COLUMN bio;",
                .safe = "CREATE TABLE profiles (user_id bigint PRIMARY KEY, bio text);\n"
                        "CREATE TRIGGER keep_profile AFTER INSERT OR UPDATE OF bio ON users FOR "
                        "EACH ROW EXECUTE FUNCTION keep_profile();",
                .sources = "transaction-iso.html; ddl-partitioning.html",
            },
        .check = check_copy,
    },
};
const struct rule_table rules_copy = {rows, ARRAY_LEN(rows)};
