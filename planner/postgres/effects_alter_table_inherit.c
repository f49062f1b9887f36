/* ALTER TABLE … INHERIT, NO INHERIT, OF. */
#include "planner/postgres/alter_table.h"

static const PgQuery__RangeVar *parent_name(const PgQuery__AlterTableCmd *cmd)
{
    bool is_name = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_RANGE_VAR;
    return is_name ? cmd->def->range_var : NULL;
}

static bool is_child_of(const struct catalog_relation *r, const struct catalog_relation *parent)
{
    for (size_t i = 0; i < r->parents.count; i++) {
        if (r->parents.at[i] == parent)
            return true;
    }
    return false;
}

static void refuse_inherit(struct altering *t, const struct catalog_relation *r,
                           const struct catalog_relation *parent)
{
    if (is_partitioned(parent) || parent->is_partition || r->is_partition)
        deed_fails(t->d, "partitions and partitioned tables do not inherit");
    if (is_child_of(r, parent))
        deed_fails(t->d, "\"%.*s\" inherits from \"%.*s\" already", STR_ARG(r->name),
                   STR_ARG(parent->name));
    for (size_t i = 0; i < parent->columns.count; i++) {
        const struct catalog_column *column = parent->columns.at[i];
        const struct catalog_column *own = catalog_find_column(r, column->name);
        if (column->is_dropped)
            continue;
        if (!own || !type_equal(&own->type, &column->type))
            deed_fails(t->d, "the table lacks column \"%.*s\" of its parent",
                       STR_ARG(column->name));
        else if (column->is_not_null && !own->is_not_null)
            deed_fails(t->d, "column \"%.*s\" must be NOT NULL in the table",
                       STR_ARG(column->name));
    }
    for (size_t i = 0; i < parent->constraints.count; i++) {
        const struct catalog_constraint *k = parent->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_CHECK && !k->is_no_inherit &&
            !catalog_find_constraint(r, k->name))
            deed_fails(t->d, "the table lacks constraint \"%.*s\" of its parent", STR_ARG(k->name));
    }
}

void see_inherit(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__RangeVar *name = parent_name(cmd);
    const struct catalog_relation *parent = name ? deed_relation(t->d, name, false) : NULL;
    if (!parent) {
        deed_lock_name(t->d, name, LOCK_SHARE_UPDATE_EXCLUSIVE);
        return;
    }
    deed_lock(t->d, parent, LOCK_SHARE_UPDATE_EXCLUSIVE, true);
    deed_lock_tree(t->d, r, LOCK_ACCESS_SHARE, false); /* none may be its own ancestor */
    if (!t->is_stand_in)
        refuse_inherit(t, r, parent);
}

void see_no_inherit(struct altering *t, struct catalog_relation *r,
                    const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__RangeVar *name = parent_name(cmd);
    const struct catalog_relation *parent = name ? deed_relation(t->d, name, false) : NULL;
    if (!parent) {
        deed_lock_name(t->d, name, LOCK_ACCESS_SHARE);
        return;
    }
    deed_lock(t->d, parent, LOCK_ACCESS_SHARE, true);
    if (r->is_partition)
        deed_fails(t->d, "a partition is detached, it has no NO INHERIT");
    if (!t->is_stand_in && !is_child_of(r, parent))
        deed_fails(t->d, "\"%.*s\" is not a parent of \"%.*s\"", STR_ARG(parent->name),
                   STR_ARG(r->name));
}

void see_of(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_TYPE_NAME)
        return;
    struct type_ref type = deed_type(t->d, cmd->def->type_name);
    if (r->parents.count)
        deed_fails(t->d, "typed tables do not inherit");
    if (type.user && type.user->composite)
        deed_lock(t->d, type.user->composite, LOCK_ACCESS_SHARE, true);
}
