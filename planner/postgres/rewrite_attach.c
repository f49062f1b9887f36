/*
 * ATTACH PARTITION reads the table for rows outside of its bound, and the default partition for rows within,
 * under locks that stop everybody there: unless valid CHECKs prove that there are none. They are added NOT
 * VALID, verified, and dropped when they have served. Sources: sql-altertable.html; tablecmds.c
 * (ATExecAttachPartition, QueuePartitionConstraintValidation, ConstraintImpliedByRelConstraint), partbounds.c
 * (get_qual_for_range, get_qual_for_list), whose conditions these are for one column.
 */
#include "planner/postgres/object_names.h"
#include "planner/postgres/rewrite_partition.h"

/* The tokens between the parenthesis at `open` and its partner, which must be all of one value or list. */
static struct str inside(const struct rewrite *r, size_t open, size_t *out_close)
{
    if (open >= r->tokens.count || r->tokens.at[open].kind != '(')
        return STR("");
    *out_close = rewrite_token_find(r, open + 1, ')');
    return *out_close < r->tokens.count ? rewrite_piece(r, open + 1, *out_close) : STR("");
}

static bool is_value(const PgQuery__Node *n)
{
    return n->node_case == PG_QUERY__NODE__NODE_A_CONST && !n->a_const->isnull;
}

static bool is_unbounded(const PgQuery__Node *n)
{
    const PgQuery__ColumnRef *ref =
        n->node_case == PG_QUERY__NODE__NODE_COLUMN_REF ? n->column_ref : NULL;
    return ref && ref->n_fields == 1 && ref->fields[0]->node_case == PG_QUERY__NODE__NODE_STRING;
}

/* c: the key column, quoted. */
static bool range_conditions(struct rewrite *r, const PgQuery__PartitionBoundSpec *bound,
                             const char *c, struct partition_bounds *out)
{
    size_t close = 0;
    size_t end = 0;
    size_t from = rewrite_token_find(r, 0, PG_QUERY__TOKEN__FROM);
    struct str low = inside(r, from + 1, &close);
    struct str high = low.len ? inside(r, close + 2, &end) : STR(""); /* ) TO ( */
    if (!high.len || bound->n_lowerdatums != 1 || bound->n_upperdatums != 1)
        return false;
    bool has_low = !is_unbounded(bound->lowerdatums[0]);
    bool has_high = !is_unbounded(bound->upperdatums[0]);
    if ((has_low && !is_value(bound->lowerdatums[0])) ||
        (has_high && !is_value(bound->upperdatums[0])) || (!has_low && !has_high))
        return false;
    const char *above = has_low ? arena_printf(r->a, " AND %s >= %.*s", c, STR_ARG(low)) : "";
    const char *below = has_high ? arena_printf(r->a, " AND %s < %.*s", c, STR_ARG(high)) : "";
    out->within = str_of(arena_printf(r->a, "%s IS NOT NULL%s%s", c, above, below));
    above = has_low ? arena_printf(r->a, " OR %s < %.*s", c, STR_ARG(low)) : "";
    below = has_high ? arena_printf(r->a, " OR %s >= %.*s", c, STR_ARG(high)) : "";
    out->without = str_of(arena_printf(r->a, "%s IS NULL%s%s", c, above, below));
    return true;
}

static bool list_conditions(struct rewrite *r, const PgQuery__PartitionBoundSpec *bound,
                            const char *c, struct partition_bounds *out)
{
    size_t close;
    struct str values = inside(r, rewrite_token_find(r, 0, PG_QUERY__TOKEN__IN_P) + 1, &close);
    for (size_t i = 0; i < bound->n_listdatums; i++) {
        if (!is_value(bound->listdatums[i]))
            return false;
    }
    out->within =
        str_of(arena_printf(r->a, "%s IS NOT NULL AND %s IN (%.*s)", c, c, STR_ARG(values)));
    out->without =
        str_of(arena_printf(r->a, "%s IS NULL OR %s NOT IN (%.*s)", c, c, STR_ARG(values)));
    return values.len > 0;
}

const char *partition_prove(struct rewrite *r, const struct catalog_relation *table,
                            struct str condition)
{
    struct str name = object_name_constraint(r->catalog, table, STR(""), STR("attach_proof"));
    const char *quoted = arena_cstr(r->a, catalog_identifier(r->a, name));
    struct str text = catalog_relation_text(r->a, table);
    struct online_step *step =
        rewrite_step(r, PHASE_EXPAND,
                     table->bound.is_default
                         ? "refuses new rows that belong in the new partition, until that is there"
                         : "says what rows there may be, without looking at them",
                     "ALTER TABLE %.*s ADD CONSTRAINT %s CHECK (%.*s) NOT VALID", STR_ARG(text),
                     quoted, STR_ARG(condition));
    rewrite_undo(r, step, UNDO_FREE, "ALTER TABLE %.*s DROP CONSTRAINT IF EXISTS %s", STR_ARG(text),
                 quoted);
    step = rewrite_step(r, PHASE_BACKFILL,
                        "looks at the rows that are there, while others read and write",
                        "ALTER TABLE %.*s VALIDATE CONSTRAINT %s", STR_ARG(text), quoted);
    step->undo_cost = UNDO_FREE;
    return quoted;
}

void partition_forget(struct rewrite *r, const struct catalog_relation *table, const char *name)
{
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND, "drops the constraint that was the proof",
        "ALTER TABLE %.*s DROP CONSTRAINT %s", STR_ARG(catalog_relation_text(r->a, table)), name);
    step->undo_cost = UNDO_FREE;
}

static bool has_finding(const struct rewrite *r, const char *id)
{
    for (size_t i = 0; i < r->found->hazards.count; i++) {
        const struct hazard *h = &r->found->hazards.at[i];
        if (h->level >= HAZARD_WARN && strcmp(h->rule->id, id) == 0)
            return true;
    }
    return false;
}

/* One key that is a plain column, whose operators are the type's own. */
static bool has_simple_key(const struct catalog_relation *parent)
{
    if (parent->partition_keys.count != 1)
        return false;
    const struct index_key *key = &parent->partition_keys.at[0];
    return key->column && !key->opclass.len && !key->collation.len;
}

bool partition_bounds_read(struct rewrite *r, const struct catalog_relation *parent,
                           const PgQuery__PartitionBoundSpec *bound, struct partition_bounds *out)
{
    if (bound->is_default || !has_simple_key(parent))
        return false;
    const char *column =
        arena_cstr(r->a, catalog_identifier(r->a, parent->partition_keys.at[0].column->name));
    return parent->partition_strategy == 'r'   ? range_conditions(r, bound, column, out)
           : parent->partition_strategy == 'l' ? list_conditions(r, bound, column, out)
                                               : false;
}

bool rewrite_attach_partition(struct rewrite *r)
{
    const PgQuery__AlterTableStmt *stmt = r->tree->alter_table_stmt;
    const PgQuery__AlterTableCmd *cmd =
        stmt->n_cmds == 1 && stmt->cmds[0]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD
            ? stmt->cmds[0]->alter_table_cmd
            : NULL;
    if (!cmd || cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition || !cmd->def ||
        cmd->def->node_case != PG_QUERY__NODE__NODE_PARTITION_CMD ||
        !cmd->def->partition_cmd->bound)
        return false;
    const PgQuery__PartitionCmd *p = cmd->def->partition_cmd;
    const struct catalog_relation *parent = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    const struct catalog_relation *child =
        catalog_find_relation(r->catalog, str_of(p->name->schemaname), str_of(p->name->relname));
    struct partition_bounds bounds;
    if (!parent || !child || child->kind != RELATION_TABLE ||
        !partition_bounds_read(r, parent, p->bound, &bounds))
        return false;
    const struct catalog_relation *rest = catalog_default_partition(parent);
    bool reads_child = has_finding(r, "attach-partition-scan");
    bool reads_rest = rest && has_finding(r, "attach-partition-default-scan");
    if ((reads_rest && rest->kind != RELATION_TABLE) || (!reads_child && !reads_rest))
        return false;
    const char *of_child = reads_child ? partition_prove(r, child, bounds.within) : NULL;
    const char *of_rest = reads_rest ? partition_prove(r, rest, bounds.without) : NULL;
    rewrite_step(r, PHASE_EXPAND, "attaches the table, which is proved to fit", "%.*s",
                 STR_ARG(rewrite_piece(r, 0, r->tokens.count)));
    if (of_child)
        partition_forget(r, child, of_child);
    if (of_rest)
        partition_forget(r, rest, of_rest);
    return true;
}
