/*
 * DETACH PARTITION takes ACCESS EXCLUSIVE on the partitioned table; CONCURRENTLY (14) takes SHARE UPDATE
 * EXCLUSIVE there, waits for those who use it, and leaves the table a CHECK that says what its bound said,
 * where nothing says so already. As written there would be none: it is dropped. Sources: sql-altertable.html;
 * tablecmds.c (ATExecDetachPartition, DetachAddConstraintIfNeeded), heap.c (AddRelationNewConstraints: the
 * name is that of an unnamed CHECK).
 */
#include "planner/postgres/rewrite_partition.h"

#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/object_names.h"

/* The column that all bounds are about, those of the parent's own as well; "" : several. false: there are
   expressions. */
static bool bound_column(const struct catalog_relation *partition, struct str *out)
{
    bool is_several = false;
    *out = STR("");
    for (const struct catalog_relation *r = partition; r->is_partition && r->parents.count;
         r = r->parents.at[0]) {
        const struct catalog_relation *parent = r->parents.at[0];
        for (size_t i = 0; i < parent->partition_keys.count; i++) {
            const struct catalog_column *column = parent->partition_keys.at[i].column;
            if (!column)
                return false;
            is_several |= out->len && !str_equal(*out, column->name);
            *out = column->name;
        }
    }
    if (is_several)
        *out = STR("");
    return true;
}

static bool has_foreign_keys(const struct catalog_relation *partition)
{
    for (size_t i = 0; i < partition->constraints.count; i++) {
        const struct catalog_constraint *k = partition->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY && k->parent)
            return true;
    }
    return false;
}

static bool is_referenced(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->referencing.count; i++) {
        const struct catalog_constraint *k = r->referencing.at[i];
        if (!k->is_dropped && !k->relation->is_dropped)
            return true;
    }
    return r->is_partition && r->parents.count && is_referenced(r->parents.at[0]);
}

/* In its second transaction CONCURRENTLY waits without a limit for the tables at the other end of foreign
   keys, and others behind it: as written they are asked for without queueing. */
bool partition_detaches_online(const struct rewrite *r, const struct catalog_relation *partition)
{
    bool is_partition = partition->is_partition && partition->parents.count == 1;
    return r->major >= 14 && is_partition && !partition->is_detach_pending &&
           !partition->is_dropped && !catalog_default_partition(partition->parents.at[0]) &&
           !has_foreign_keys(partition) && !is_referenced(partition);
}

static const PgQuery__AlterTableCmd *only_command(const PgQuery__AlterTableStmt *stmt)
{
    bool is_one =
        stmt->n_cmds == 1 && stmt->cmds[0]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD;
    return is_one ? stmt->cmds[0]->alter_table_cmd : NULL;
}

bool rewrite_detach_partition(struct rewrite *r)
{
    const PgQuery__AlterTableStmt *stmt = r->tree->alter_table_stmt;
    const PgQuery__AlterTableCmd *cmd = only_command(stmt);
    if (!cmd || cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition || !cmd->def ||
        cmd->def->node_case != PG_QUERY__NODE__NODE_PARTITION_CMD ||
        cmd->def->partition_cmd->concurrent)
        return false;
    const PgQuery__RangeVar *name = cmd->def->partition_cmd->name;
    const struct catalog_relation *parent = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    const struct catalog_relation *partition =
        catalog_find_relation(r->catalog, str_of(name->schemaname), str_of(name->relname));
    struct str column;
    if (!parent || !partition || !partition_detaches_online(r, partition) ||
        partition->parents.at[0] != parent || !bound_column(partition, &column))
        return false;
    struct str check = object_name_constraint(r->catalog, partition, column, STR("check"));
    rewrite_step_alone(r, PHASE_EXPAND,
                       "detaches the partition when nobody uses it as such any more",
                       "%.*s CONCURRENTLY", STR_ARG(rewrite_piece(r, 0, r->tokens.count)));
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND, "drops the CHECK that it leaves in place of the bound",
        "ALTER TABLE %.*s DROP CONSTRAINT IF EXISTS %.*s",
        STR_ARG(catalog_relation_text(r->a, partition)), STR_ARG(catalog_identifier(r->a, check)));
    step->undo_cost = UNDO_FREE;
    return true;
}
