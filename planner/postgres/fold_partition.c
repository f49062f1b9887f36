/* A table that becomes a partition or an inheritance child, and one that stops being it. */
#include "planner/postgres/fold_constraint.h"

/* tablecmds.c: MergeAttributesIntoExisting() */
static void merge_columns(struct deed *d, struct catalog_relation *parent,
                          struct catalog_relation *child)
{
    for (size_t i = 0; i < parent->columns.count; i++) {
        const struct catalog_column *theirs = parent->columns.at[i];
        if (theirs->is_dropped)
            continue;
        struct catalog_column *own = catalog_find_column(child, theirs->name);
        if (!own)
            continue;
        own->is_inherited = true;
        if (child->is_partition) {
            own->is_local = false;
            if (theirs->identity && d->major >= 17)
                own->identity = theirs->identity;
        }
    }
}

static struct catalog_constraint *not_null_on(const struct catalog_relation *r, struct str column)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_NOT_NULL && k->columns.count == 1 &&
            str_equal(k->columns.at[0]->name, column))
            return k;
    }
    return NULL;
}

/* CHECKs find each other by name, NOT NULLs by column. */
static void merge_constraints(struct catalog_relation *parent, struct catalog_relation *child)
{
    for (size_t i = 0; i < parent->constraints.count; i++) {
        const struct catalog_constraint *k = parent->constraints.at[i];
        if (k->is_dropped || k->is_no_inherit)
            continue;
        struct catalog_constraint *own = NULL;
        if (k->kind == CONSTRAINT_CHECK)
            own = catalog_find_constraint(child, k->name);
        else if (k->kind == CONSTRAINT_NOT_NULL && k->columns.count == 1)
            own = not_null_on(child, k->columns.at[0]->name);
        if (!own)
            continue;
        own->is_inherited = true;
        if (child->is_partition)
            own->is_local = false;
    }
}

/* Row triggers of a partitioned table are made for each partition as well. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void copy_triggers(struct deed *d, struct catalog_relation *parent,
                          struct catalog_relation *child)
{
    for (size_t i = 0; i < parent->triggers.count; i++) {
        struct catalog_trigger *from = parent->triggers.at[i];
        if (from->is_dropped || !from->is_row || catalog_find_trigger(child, from->name))
            continue;
        struct catalog_trigger *made = arena_new(d->catalog->arena, struct catalog_trigger);
        *made = *from;
        made->parent = from;
        made->columns.at = NULL;
        made->columns.count = made->columns.room = 0;
        for (size_t n = 0; n < from->columns.count; n++) {
            struct catalog_column *column = catalog_find_column(child, from->columns.at[n]->name);
            if (column)
                vec_push(d->catalog->arena, &made->columns, column);
        }
        catalog_add_trigger(d->catalog, child, made);
    }
    for (size_t i = 0; i < child->children.count; i++) {
        if (!child->children.at[i]->is_dropped && child->kind == RELATION_PARTITIONED_TABLE)
            copy_triggers(d, child, child->children.at[i]);
    }
}

static void keep_bound(struct deed *d, struct catalog_relation *child,
                       const PgQuery__PartitionBoundSpec *bound)
{
    PgQuery__Node node = PG_QUERY__NODE__INIT;
    node.node_case = PG_QUERY__NODE__NODE_PARTITION_BOUND_SPEC;
    node.partition_bound_spec = (PgQuery__PartitionBoundSpec *)(uintptr_t)bound;
    const PgQuery__Node *kept = deed_keep_expression(d, &node).tree;
    child->bound.is_default = bound->is_default;
    child->bound.text = (struct str){0};
    child->bound.tree = kept ? kept->partition_bound_spec : NULL;
}

void fold_attach(struct deed *d, struct catalog_relation *parent, struct catalog_relation *child,
                 const PgQuery__PartitionBoundSpec *bound)
{
    /* The server refuses a circle, to do it twice, and two parents for a partition. */
    bool is_child = deed_is_or_inherits(d, parent, child) || child->is_partition ||
                    (bound && child->parents.count);
    for (size_t i = 0; i < child->parents.count; i++)
        is_child |= child->parents.at[i] == parent;
    if (is_child)
        return;
    catalog_add_child(d->catalog, parent, child);
    child->is_partition = bound != NULL;
    if (bound)
        keep_bound(d, child, bound);
    merge_columns(d, parent, child);
    merge_constraints(parent, child);
    if (!bound)
        return;
    for (size_t i = 0; i < parent->indexes.count && child->kind != RELATION_FOREIGN_TABLE; i++) {
        if (!parent->indexes.at[i]->is_dropped)
            fold_index_to_partition(d, parent->indexes.at[i], child);
    }
    for (size_t i = 0; i < parent->constraints.count; i++) {
        struct catalog_constraint *k = parent->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY && k->referenced)
            fold_foreign_key_to_partition(d, k, child);
    }
    copy_triggers(d, parent, child);
}

static void remove_from(struct catalog_relation **list, size_t *count,
                        const struct catalog_relation *one)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (list[i] != one)
            list[kept++] = list[i];
    }
    *count = kept;
}

static void free_columns(struct catalog_relation *child)
{
    for (size_t i = 0; i < child->columns.count; i++) {
        bool is_elsewhere = false;
        for (size_t n = 0; n < child->parents.count && !is_elsewhere; n++)
            is_elsewhere = catalog_find_column(child->parents.at[n], child->columns.at[i]->name);
        if (child->columns.at[i]->is_inherited && !is_elsewhere) {
            child->columns.at[i]->is_inherited = false;
            child->columns.at[i]->is_local = true;
        }
    }
}

void fold_detach(struct deed *d, struct catalog_relation *parent, struct catalog_relation *child)
{
    (void)d;
    remove_from(parent->children.at, &parent->children.count, child);
    remove_from(child->parents.at, &child->parents.count, parent);
    child->is_partition = false;
    child->is_detach_pending = false;
    child->bound = (struct partition_bound){0};
    free_columns(child);
    for (size_t i = 0; i < child->constraints.count; i++) {
        struct catalog_constraint *k = child->constraints.at[i];
        k->is_inherited = child->parents.count > 0 && k->is_inherited;
        k->is_local |= !k->is_inherited;
        k->parent = NULL;
    }
    for (size_t i = 0; i < child->indexes.count; i++)
        child->indexes.at[i]->index->parent = NULL;
    for (size_t i = 0; i < child->triggers.count; i++) {
        if (child->triggers.at[i]->parent)
            child->triggers.at[i]->is_dropped = true;
    }
}
