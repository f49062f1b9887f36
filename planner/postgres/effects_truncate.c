/* TRUNCATE. Source: tablecmds.c (ExecuteTruncate, ExecuteTruncateGuts), heap.c (heap_truncate_find_FKs). */
#include "planner/postgres/create_parts.h"
#include "planner/postgres/effects_query.h"

struct truncating {
    struct deed *d;
    const PgQuery__TruncateStmt *truncate;
    bool is_told;
    VEC_OF(struct catalog_relation *)
    all; /* those named with their children, then the cascaded ones */
    size_t named_count;
};

static bool has(const struct truncating *t, const struct catalog_relation *r)
{
    for (size_t i = 0; i < t->all.count; i++) {
        if (t->all.at[i] == r)
            return true;
    }
    return false;
}

static bool add(struct deed *d, struct catalog_relation *r, void *context)
{
    struct truncating *t = context;
    if (!has(t, r))
        vec_push(d->a, &t->all, r);
    return true;
}

static bool is_truncatable(const struct truncating *t, const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE ||
           (r->kind == RELATION_FOREIGN_TABLE && t->d->major >= 14);
}

static void add_named(struct truncating *t, const PgQuery__RangeVar *name)
{
    struct catalog_relation *r = deed_relation(t->d, name, !t->is_told);
    if (!r) {
        if (t->is_told)
            deed_lock_name(t->d, name, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    if (t->is_told && !is_truncatable(t, r))
        deed_fails(t->d, "%.*s is a %s and cannot be truncated",
                   STR_ARG(catalog_relation_text(t->d->a, r)), relation_kind_name(r->kind));
    if (t->is_told && !name->inh && r->kind == RELATION_PARTITIONED_TABLE)
        deed_fails(t->d, "a partitioned table holds no rows itself: TRUNCATE ONLY cannot be");
    add(t->d, r, t);
    if (name->inh)
        deed_each_child(t->d, r, add, t);
}

/* Those that refer to it, or to the partitioned table that it is part of. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void add_referencing(struct truncating *t, const struct catalog_relation *r)
{
    bool is_cascade = t->truncate->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    for (size_t i = 0; i < r->referencing.count; i++) {
        const struct catalog_constraint *k = r->referencing.at[i];
        if (k->is_dropped || k->relation->is_dropped || has(t, k->relation))
            continue;
        if (is_cascade)
            add(t->d, k->relation, t);
        else if (t->is_told)
            deed_fails(t->d, "%.*s cannot be truncated: %.*s refers to it",
                       STR_ARG(catalog_relation_text(t->d->a, r)),
                       STR_ARG(catalog_relation_text(t->d->a, k->relation)));
    }
    for (size_t i = 0; r->is_partition && i < r->parents.count; i++)
        add_referencing(t, r->parents.at[i]);
}

static void collect(struct truncating *t)
{
    for (size_t i = 0; i < t->truncate->n_relations; i++) {
        if (t->truncate->relations[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
            add_named(t, t->truncate->relations[i]->range_var);
    }
    t->named_count = t->all.count;
    for (size_t i = 0; i < t->all.count; i++)
        add_referencing(t, t->all.at[i]);
}

static void lock_sequences(struct deed *d, const struct catalog_relation *r)
{
    size_t next = 0;
    const struct catalog_relation *s;
    while ((s = catalog_next_owned(r, &next)))
        deed_lock(d, s, LOCK_ACCESS_EXCLUSIVE, false);
}

/* Up to 13 the bounds of a partition are looked up, from its parent. */
static void lock_parents(struct deed *d, const struct catalog_relation *r)
{
    for (size_t i = 0; d->major <= 13 && r->is_partition && i < r->parents.count; i++)
        deed_lock(d, r->parents.at[i], LOCK_ACCESS_SHARE, false);
}

static void lock_one(const struct truncating *t, const struct catalog_relation *r, bool is_named)
{
    deed_lock(t->d, r, LOCK_ACCESS_EXCLUSIVE, is_named);
    for (size_t i = 0; r->kind == RELATION_TABLE && i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped)
            deed_lock(t->d, r->indexes.at[i], LOCK_ACCESS_EXCLUSIVE, false);
    }
    lock_parents(t->d, r);
    /* New storage where there were no rows is what a rewrite of an empty table is. */
    if (r->kind == RELATION_TABLE && r->rows == ROWS_NONE_WRITTEN) {
        effects_add_rewrite(t->d->a, t->d->effects, r, "it gets new storage");
        effects_add_scan(t->d->a, t->d->effects, r, "it gets new storage");
    }
    if (t->truncate->restart_seqs)
        lock_sequences(t->d, r);
    effects_add_loss(t->d->a, t->d->effects, LOSS_DATA, "ROWS", catalog_relation_text(t->d->a, r),
                     r, is_named);
}

void predict_truncate(struct deed *d, const PgQuery__Node *node)
{
    struct truncating t = {.d = d, .truncate = node->truncate_stmt, .is_told = true};
    collect(&t);
    for (size_t i = 0; i < t.all.count; i++)
        lock_one(&t, t.all.at[i], i < t.named_count);
    struct dml fired = {.event = TRIGGER_TRUNCATE};
    for (size_t i = 0; i < t.all.count; i++)
        dml_triggers(d, t.all.at[i], &fired, false);
}

void fold_truncate(struct deed *d, const PgQuery__Node *node)
{
    struct truncating t = {.d = d, .truncate = node->truncate_stmt};
    collect(&t);
    for (size_t i = 0; i < t.all.count; i++)
        t.all.at[i]->rows = create_rows(d);
}
