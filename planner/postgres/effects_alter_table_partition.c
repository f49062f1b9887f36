/* ALTER TABLE … ATTACH and DETACH PARTITION, of tables and of indexes. */
#include "planner/postgres/alter_table.h"

static const PgQuery__PartitionCmd *partition_of(const PgQuery__AlterTableCmd *cmd)
{
    bool is_partition = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD;
    return is_partition ? cmd->def->partition_cmd : NULL;
}

/* ---- ATTACH: rows ---- */

/* A partition that is partitioned itself hands the proof down
   (QueuePartitionConstraintValidation). */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void prove_rows(struct altering *t, struct catalog_relation *r,
                       const struct catalog_relation *parent,
                       const PgQuery__PartitionBoundSpec *bound, bool is_default)
{
    bool is_proved = is_default ? constraints_exclude_bound(t->d->catalog, r, parent, bound)
                                : constraints_prove_bound(t->d->catalog, r, parent, bound);
    if (is_proved)
        return;
    if (!is_partitioned(r)) {
        alter_scans(t, r,
                    is_default ? "rows of the default partition may belong to the new one"
                               : "its rows must be within the partition's bounds");
        return;
    }
    for (size_t i = 0; i < r->children.count; i++) {
        if (r->children.at[i]->is_dropped)
            continue;
        deed_lock(t->d, r->children.at[i], LOCK_ACCESS_EXCLUSIVE, false);
        prove_rows(t, r->children.at[i], parent, bound, is_default);
    }
}

/* ---- ATTACH: indexes, keys ---- */

static void attach_indexes(struct altering *t, struct catalog_relation *parent,
                           struct catalog_relation *partition)
{
    for (size_t i = 0; i < parent->indexes.count; i++) {
        const struct catalog_relation *index = parent->indexes.at[i];
        if (index->is_dropped)
            continue;
        deed_lock(t->d, index, LOCK_SHARE_UPDATE_EXCLUSIVE, false);
        if (index_like(t->d, partition, index->index))
            continue;
        struct str name = alter_index_name(t, partition, index->index, index_purpose(index->index));
        alter_build_index(t, partition, index->index, name,
                          "the partition gets an index like its table's");
    }
}

static bool scan_rows(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)context;
    if (relation_has_storage(r))
        deed_scan_rows(d, r, "a foreign key of the partitioned table is checked");
    return true;
}

/* Those that refer to the parent, or to what it is part of, reach the partition from now on. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void attach_referencing(struct altering *t, const struct catalog_relation *parent)
{
    for (size_t i = 0; i < parent->referencing.count; i++) {
        const struct catalog_constraint *k = parent->referencing.at[i];
        if (!k->is_dropped && !k->relation->is_dropped && !k->parent)
            deed_lock(t->d, k->relation,
                      t->d->major < 15 ? LOCK_ACCESS_SHARE : LOCK_SHARE_ROW_EXCLUSIVE, false);
    }
    for (size_t i = 0; parent->is_partition && i < parent->parents.count; i++)
        attach_referencing(t, parent->parents.at[i]);
}

/* Foreign keys of the parent: one like it on the partition takes its place, and its triggers go;
   else it is made and checked. */
static void attach_foreign_keys(struct altering *t, const struct catalog_relation *parent,
                                struct catalog_relation *partition)
{
    for (size_t i = 0; i < parent->constraints.count; i++) {
        const struct catalog_constraint *k = parent->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_FOREIGN_KEY || !relation_is_there(k->referenced))
            continue;
        const struct catalog_constraint *own = foreign_key_like(t->d, partition, k);
        if (own)
            alter_lock_referenced(t, k->referenced);
        if (is_partitioned(k->referenced))
            deed_lock_tree(t->d, k->referenced, LOCK_SHARE_ROW_EXCLUSIVE, false);
        else
            deed_lock(t->d, k->referenced, LOCK_SHARE_ROW_EXCLUSIVE, false);
        if ((own && own->is_valid) || !k->is_valid)
            continue;
        scan_rows(t->d, partition, NULL);
        deed_each_child(t->d, partition, scan_rows, NULL);
    }
    attach_referencing(t, parent);
}

/* ---- ATTACH: what forbids it ---- */

static void refuse_attach(struct altering *t, const struct catalog_relation *parent,
                          const struct catalog_relation *partition,
                          const PgQuery__PartitionBoundSpec *bound)
{
    if (!is_partitioned(parent))
        deed_fails(t->d, "table \"%.*s\" is not partitioned", STR_ARG(parent->name));
    if (partition->is_partition)
        deed_fails(t->d, "\"%.*s\" is already a partition", STR_ARG(partition->name));
    else if (partition->parents.count)
        deed_fails(t->d, "a table that inherits cannot be attached");
    if (partition->of_type)
        deed_fails(t->d, "a typed table cannot be attached");
    if (bound->is_default && catalog_default_partition(parent))
        deed_fails(t->d, "there is a default partition already");
    for (size_t i = 0; i < parent->columns.count; i++) {
        const struct catalog_column *column = parent->columns.at[i];
        const struct catalog_column *own = catalog_find_column(partition, column->name);
        if (column->is_dropped)
            continue;
        if (!own)
            deed_fails(t->d, "the table lacks column \"%.*s\"", STR_ARG(column->name));
        else if (!type_equal(&own->type, &column->type))
            deed_fails(t->d, "column \"%.*s\" has another type in the table",
                       STR_ARG(column->name));
        else if (column->is_not_null && !own->is_not_null)
            deed_fails(t->d, "column \"%.*s\" must be NOT NULL in the table",
                       STR_ARG(column->name));
    }
    for (size_t i = 0; i < partition->columns.count; i++) {
        const struct catalog_column *own = partition->columns.at[i];
        if (!own->is_dropped && !catalog_find_column(parent, own->name))
            deed_fails(t->d, "the table has a column \"%.*s\" too many", STR_ARG(own->name));
    }
    for (size_t i = 0; i < parent->constraints.count; i++) {
        const struct catalog_constraint *k = parent->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_CHECK && !k->is_no_inherit &&
            !catalog_find_constraint(partition, k->name))
            deed_fails(t->d, "the table lacks constraint \"%.*s\"", STR_ARG(k->name));
    }
}

/* ---- ATTACH of an index ---- */

static void attach_index(struct altering *t, const struct catalog_relation *parent,
                         const struct catalog_relation *index)
{
    deed_lock(t->d, parent->index->table, LOCK_ACCESS_SHARE, false);
    deed_lock(t->d, index, LOCK_ACCESS_EXCLUSIVE, true);
    if (!index->index) {
        deed_fails(t->d, "\"%.*s\" is not an index", STR_ARG(index->name));
        return;
    }
    deed_lock(t->d, index->index->table, LOCK_ACCESS_SHARE, false);
    bool is_child = false;
    for (size_t i = 0; index->index->table && i < index->index->table->parents.count; i++)
        is_child |= index->index->table->parents.at[i] == parent->index->table;
    if (!is_child)
        deed_fails(t->d, "\"%.*s\" is not an index on a partition", STR_ARG(index->name));
    if (relation_is_there(index->index->parent) && index->index->parent != parent)
        deed_fails(t->d, "index \"%.*s\" is attached to another index", STR_ARG(index->name));
    if (is_child && !index_is_like(t->d, index->index, parent->index))
        deed_fails(t->d, "the definitions of the indexes differ");
}

/* Their bounds are the partition's, too. */
static void lock_ancestors(struct altering *t, const struct catalog_relation *r)
{
    while (r->is_partition && r->parents.count) {
        r = r->parents.at[0];
        deed_lock(t->d, r, LOCK_ACCESS_SHARE, false);
    }
}

void see_attach(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__PartitionCmd *p = partition_of(cmd);
    struct catalog_relation *partition = p ? deed_relation(t->d, p->name, false) : NULL;
    if (!partition) {
        if (p)
            deed_lock_name(t->d, p->name, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    if (r->index) {
        attach_index(t, r, partition);
        return;
    }
    deed_lock_tree(t->d, partition, LOCK_ACCESS_EXCLUSIVE, true);
    if (!p->bound)
        return;
    if (!t->is_stand_in)
        refuse_attach(t, r, partition, p->bound);
    lock_ancestors(t, r);
    attach_indexes(t, r, partition);
    attach_foreign_keys(t, r, partition);
    prove_rows(t, partition, r, p->bound, false);
    struct catalog_relation *rest = catalog_default_partition(r);
    if (!rest || p->bound->is_default)
        return;
    deed_lock(t->d, rest, LOCK_ACCESS_EXCLUSIVE, false);
    prove_rows(t, rest, r, p->bound, true);
}

/* ---- DETACH ---- */

static void detach_indexes(struct altering *t, const struct catalog_relation *partition)
{
    for (size_t i = 0; i < partition->indexes.count; i++) {
        const struct catalog_relation *index = partition->indexes.at[i];
        if (!index->is_dropped && relation_is_there(index->index->parent))
            deed_lock(t->d, index, LOCK_ACCESS_EXCLUSIVE, false);
    }
}

/* Those that refer to the parent, or to what it is part of, no longer reach the partition: none of their
   rows may do so now (RI_PartitionRemove_Check joins them with it). */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void detach_referencing(struct altering *t, const struct catalog_relation *parent,
                               const struct catalog_relation *partition)
{
    for (size_t i = 0; i < parent->referencing.count; i++) {
        const struct catalog_constraint *k = parent->referencing.at[i];
        if (k->is_dropped || k->relation->is_dropped)
            continue;
        deed_lock(t->d, k->relation, LOCK_ACCESS_EXCLUSIVE, false);
        if (relation_has_storage(k->relation))
            deed_scan_rows(t->d, k->relation, "its foreign key may refer to the partition");
        if (!is_partitioned(partition))
            deed_lock(t->d, partition, LOCK_ACCESS_EXCLUSIVE, false);
    }
    for (size_t i = 0; parent->is_partition && i < parent->parents.count; i++)
        detach_referencing(t, parent->parents.at[i], partition);
}

/* Foreign keys on both sides: the partition's own become independent, those that refer to the parent no
   longer reach it. */
static void detach_foreign_keys(struct altering *t, const struct catalog_relation *parent,
                                const struct catalog_relation *partition)
{
    for (size_t i = 0; i < partition->constraints.count; i++) {
        const struct catalog_constraint *k = partition->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY && k->parent &&
            relation_is_there(k->referenced))
            deed_lock_tree(t->d, k->referenced, LOCK_SHARE_ROW_EXCLUSIVE, false);
    }
    detach_referencing(t, parent, partition);
}

static bool lock_below(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)context;
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, false);
    return true;
}

/* What is on the partition for its table's sake: indexes, foreign keys, triggers; and its own
   partitions, which have other bounds from now on. */
static void detach_parts(struct altering *t, const struct catalog_relation *parent,
                         const struct catalog_relation *partition)
{
    detach_indexes(t, partition);
    detach_foreign_keys(t, parent, partition);
    for (size_t i = 0; i < partition->triggers.count; i++) {
        if (!partition->triggers.at[i]->is_dropped && partition->triggers.at[i]->parent)
            deed_lock(t->d, partition, LOCK_ACCESS_EXCLUSIVE, false);
    }
    deed_each_child(t->d, partition, lock_below, NULL);
}

static void refuse_detach(struct altering *t, const struct catalog_relation *parent,
                          const struct catalog_relation *partition, bool is_concurrent)
{
    bool is_child = false;
    for (size_t i = 0; i < partition->parents.count; i++)
        is_child |= partition->parents.at[i] == parent;
    if (!is_child)
        deed_fails(t->d, "\"%.*s\" is not a partition of \"%.*s\"", STR_ARG(partition->name),
                   STR_ARG(parent->name));
    if (is_concurrent && t->d->major < 14)
        deed_fails(t->d, "PostgreSQL %u does not know DETACH PARTITION … CONCURRENTLY",
                   t->d->major);
    if (is_concurrent && catalog_default_partition(parent))
        deed_fails(t->d, "there is a default partition: CONCURRENTLY does not go with it");
}

/* The partition gets a CHECK that says what its bounds said: they are read from all that it is a part of
   (DetachAddConstraintIfNeeded()). NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void lock_bounds(struct deed *d, const struct catalog_relation *r)
{
    for (size_t i = 0; r->is_partition && i < r->parents.count; i++) {
        deed_lock(d, r->parents.at[i], LOCK_ACCESS_SHARE, false);
        lock_bounds(d, r->parents.at[i]);
    }
}

void see_detach(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__PartitionCmd *p = partition_of(cmd);
    if (!p)
        return;
    t->d->effects->refuses_transaction |= p->concurrent;
    struct catalog_relation *partition = deed_relation(t->d, p->name, false);
    enum lock_mode mode =
        t->d->major < 14 && !p->concurrent ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE;
    if (!partition) {
        deed_lock_name(t->d, p->name, mode);
        return;
    }
    deed_lock(t->d, partition, mode, true);
    if (!t->is_stand_in)
        refuse_detach(t, r, partition, p->concurrent);
    deed_lock(t->d, catalog_default_partition(r), LOCK_ACCESS_EXCLUSIVE, false);
    if (p->concurrent)
        lock_bounds(t->d, partition);
    detach_parts(t, r, partition);
}

void see_detach_finalize(struct altering *t, struct catalog_relation *r,
                         const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__PartitionCmd *p = partition_of(cmd);
    struct catalog_relation *partition = p ? deed_relation(t->d, p->name, false) : NULL;
    if (!partition) {
        if (p)
            deed_lock_name(t->d, p->name, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    deed_lock(t->d, partition, LOCK_ACCESS_EXCLUSIVE, true);
    if (!partition->is_detach_pending && t->d->catalog->is_complete)
        deed_fails(t->d, "no detach of \"%.*s\" is pending", STR_ARG(partition->name));
    detach_parts(t, r, partition);
}
