/* What foreign keys do for a row that is written (ri_triggers.c). Their queries run through SPI: the
   tables and all their indexes are locked as the planner does. */
#include "planner/postgres/effects_query.h"

#include "planner/postgres/partition_value.h"

static bool is_checked(const struct catalog_constraint *k)
{
    return !k->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY && k->is_enforced && !k->parent;
}

/* ---- rows that refer ---- */

struct referring {
    const struct dml *dml;
    const struct catalog_relation *table; /* whose columns the statement names */
    const struct catalog_constraint *key;
};

static const PgQuery__Node *referred_value(void *context, struct str column)
{
    const struct referring *f = context;
    for (size_t i = 0; i < f->key->referenced_columns.count && i < f->key->columns.count; i++) {
        if (str_equal(f->key->referenced_columns.at[i]->name, column))
            return dml_value(f->dml, f->table, f->key->columns.at[i]->name);
    }
    return NULL;
}

static bool has_null(struct deed *d, const struct referring *f)
{
    for (size_t i = 0; i < f->key->columns.count; i++) {
        const struct catalog_column *column = f->key->columns.at[i];
        const PgQuery__Node *node = dml_value(f->dml, f->table, column->name);
        if (node && value_of(d->a, node, &column->type).kind == VALUE_NULL)
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void lock_referred(struct deed *d, const struct catalog_relation *r, struct referring *f)
{
    query_lock_table(d, r, LOCK_ROW_SHARE, true, NULL, false);
    for (size_t i = 0; i < r->children.count && r->kind == RELATION_PARTITIONED_TABLE; i++) {
        const struct catalog_relation *child = r->children.at[i];
        if (!child->is_dropped && partition_may_take(d, r, child, referred_value, f))
            lock_referred(d, child, f);
    }
}

static bool sets_key(const struct dml *m, const struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->columns.count; i++) {
        if (dml_sets(m, k->columns.at[i]->name))
            return true;
    }
    return false;
}

static void check_reference(struct deed *d, const struct catalog_relation *r, const struct dml *m,
                            const struct catalog_constraint *k)
{
    struct referring f = {.dml = m, .table = r, .key = k};
    bool is_null = has_null(d, &f);
    if (m->event == TRIGGER_UPDATE && (is_null || !sets_key(m, k)))
        return; /* RI_FKey_fk_upd_check_required() */
    if (k->is_deferred || !k->referenced)
        return; /* at COMMIT */
    if (is_null)
        deed_lock(d, k->referenced, LOCK_ROW_SHARE, false); /* opened, and no more */
    else
        lock_referred(d, k->referenced, &f);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
void dml_check_references(struct deed *d, const struct catalog_relation *r, const struct dml *m)
{
    if (m->event == TRIGGER_DELETE)
        return;
    for (size_t i = 0; i < r->constraints.count; i++) {
        if (is_checked(r->constraints.at[i]))
            check_reference(d, r, m, r->constraints.at[i]);
    }
    for (size_t i = 0; i < r->parents.count && r->is_partition; i++)
        dml_check_references(d, r->parents.at[i], m);
}

/* ---- rows that are referred to ---- */

static bool sets_referenced(const struct dml *m, const struct catalog_constraint *k)
{
    if (m->event == TRIGGER_DELETE)
        return true;
    for (size_t i = 0; i < k->referenced_columns.count; i++) {
        if (dml_sets(m, k->referenced_columns.at[i]->name))
            return true;
    }
    return false;
}

static bool leads_index(const struct catalog_relation *r, const struct catalog_column *column)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        if (!index->is_dropped && index->index->is_valid && index->index->keys.count &&
            index->index->keys.at[0].column == column)
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): cascades, at most DEED_DEPTH_MAX deep */
static void run_action(struct deed *d, const struct catalog_constraint *k, char action,
                       const struct dml *m, size_t depth)
{
    const struct catalog_relation *r = k->relation;
    bool is_change = action == 'c' || action == 'n' || action == 'd';
    if (!is_change && action != 'r' && k->is_deferred)
        return;
    bool is_only = r->kind != RELATION_PARTITIONED_TABLE;
    query_lock_table(d, r, is_change ? LOCK_ROW_EXCLUSIVE : LOCK_ROW_SHARE, is_only, NULL, false);
    if (is_only && k->columns.count && !leads_index(r, k->columns.at[0]))
        deed_scan_rows(d, r, "a foreign key looks for rows that refer, without an index");
    if (!is_change || depth == DEED_DEPTH_MAX || !deed_has_rows(r))
        return;
    struct dml below = {.event = m->event, .is_every_column_set = false};
    if (action != 'c' || m->event == TRIGGER_UPDATE) {
        VEC_OF(PgQuery__Node *) set = {0};
        for (size_t i = 0; i < k->columns.count; i++) {
            PgQuery__ResTarget *target = arena_new(d->a, PgQuery__ResTarget);
            PgQuery__Node *node = arena_new(d->a, PgQuery__Node);
            pg_query__res_target__init(target);
            pg_query__node__init(node);
            target->name = arena_cstr(d->a, k->columns.at[i]->name);
            node->node_case = PG_QUERY__NODE__NODE_RES_TARGET;
            node->res_target = target;
            vec_push(d->a, &set, node);
        }
        below.event = TRIGGER_UPDATE;
        below.set = set.at;
        below.set_count = set.count;
    }
    dml_triggers(d, r, &below, false);
    dml_triggers(d, r, &below, true);
    dml_check_referencing(d, r, &below, depth + 1);
}

/* NOLINTNEXTLINE(misc-no-recursion): as above */
void dml_check_referencing(struct deed *d, const struct catalog_relation *r, const struct dml *m,
                           size_t depth)
{
    for (size_t i = 0; i < r->referencing.count; i++) {
        const struct catalog_constraint *k = r->referencing.at[i];
        if (!is_checked(k) || !sets_referenced(m, k) || k->relation->is_dropped || !deed_enters(d))
            continue;
        run_action(d, k, m->event == TRIGGER_DELETE ? k->on_delete : k->on_update, m, depth);
    }
    for (size_t i = 0; i < r->parents.count && r->is_partition; i++)
        dml_check_referencing(d, r->parents.at[i], m, depth);
}
