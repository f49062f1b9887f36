/* CREATE INDEX. Source: indexcmds.c (DefineIndex), index.c (index_create). */
#include "planner/postgres/create_parts.h"
#include "planner/postgres/effects_query.h"
#include "planner/postgres/types.h"

/* ---- as it will be ---- */

static void add_key(struct deed *d, struct catalog_relation *table, struct catalog_index *index,
                    const PgQuery__Node *node, bool is_included)
{
    if (node->node_case != PG_QUERY__NODE__NODE_INDEX_ELEM)
        return;
    const PgQuery__IndexElem *e = node->index_elem;
    struct index_key key = {.is_included = is_included};
    struct str schema;
    if (e->name[0])
        key.column = catalog_find_column(table, str_of(e->name));
    else if (e->expr && e->expr->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
             e->expr->column_ref->n_fields == 1) /* (c) is c */
        key.column = catalog_find_column(
            table, e->expr->column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_STRING
                       ? str_of(e->expr->column_ref->fields[0]->string->sval)
                       : STR(""));
    if (!key.column)
        key.expression.tree = e->expr;
    deed_split_name(e->opclass, e->n_opclass, &schema, &key.opclass);
    key.opclass = opclass_unless_default(d->catalog, index->method, key.opclass);
    deed_split_name(e->collation, e->n_collation, &schema, &key.collation);
    key.is_descending = e->ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    if (key.column || key.expression.tree)
        vec_push(d->a, &index->keys, key);
    else
        deed_missing(d, "column %s of %.*s is not there", e->name,
                     STR_ARG(catalog_relation_text(d->a, table)));
}

struct catalog_index *index_describe(struct deed *d, struct catalog_relation *table,
                                     const PgQuery__IndexStmt *create)
{
    struct catalog_index *index = arena_new(d->a, struct catalog_index);
    index->table = table;
    index->method = create->access_method[0] ? str_of(create->access_method) : STR("btree");
    if (str_equal(index->method, STR("rtree")))
        index->method = STR("gist");
    index->is_unique = create->unique;
    index->is_nulls_not_distinct = create->nulls_not_distinct;
    index->is_valid = true;
    index->scans = -1;
    index->predicate.tree = create->where_clause;
    for (size_t i = 0; i < create->n_index_params; i++)
        add_key(d, table, index, create->index_params[i], false);
    for (size_t i = 0; i < create->n_index_including_params; i++)
        add_key(d, table, index, create->index_including_params[i], true);
    return index;
}

struct str index_new_name(struct deed *d, const PgQuery__IndexStmt *create,
                          const struct catalog_relation *table, const struct catalog_index *index)
{
    if (create->idxname[0])
        return object_name_cut(str_of(create->idxname));
    return index_choose_name(d, table, index, INDEX_PLAIN);
}

/* ---- what it does ---- */

/* Each partition's index is one that it has, or is built. */
struct on_partitions {
    const struct catalog_index *index;
    enum lock_mode mode;
};

static bool build_on_partition(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct on_partitions *on = context;
    if (r->kind == RELATION_FOREIGN_TABLE)
        return false;
    struct catalog_relation *own = index_like(d, r, on->index);
    for (size_t i = 0; i < r->indexes.count; i++) { /* looked at until one fits */
        const struct catalog_relation *index = r->indexes.at[i];
        if (!index->is_dropped && !index->index->parent)
            deed_lock(d, index, on->mode, false);
        if (index == own && own)
            return false;
    }
    if (r->kind == RELATION_PARTITIONED_TABLE)
        return true;
    deed_build_new(d, r, index_choose_name(d, r, on->index, INDEX_PLAIN),
                   "the index of the partition is built");
    return true;
}

/* Expressions and the predicate are computed for the rows of each table that the index is built over. */
static bool run_expressions(struct deed *d, struct catalog_relation *r, void *context)
{
    const PgQuery__IndexStmt *create = context;
    for (size_t i = 0; i < create->n_index_params && deed_has_rows(r); i++) {
        const PgQuery__Node *key = create->index_params[i];
        if (key->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM && key->index_elem->expr)
            query_run_expression(d, key->index_elem->expr, r);
    }
    if (create->where_clause && deed_has_rows(r))
        query_run_expression(d, create->where_clause, r);
    return true;
}

static bool is_foreign(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    *(bool *)context |= r->kind == RELATION_FOREIGN_TABLE;
    return true;
}

static void refuse_foreign(struct deed *d, const struct catalog_relation *table,
                           const struct catalog_index *index)
{
    bool has_foreign = false;
    deed_each_child(d, table, is_foreign, &has_foreign);
    if (index->is_unique && has_foreign)
        deed_fails(d, "a unique index cannot span partitions that are foreign tables");
}

static void predict_partitioned(struct deed *d, struct catalog_relation *table,
                                const PgQuery__IndexStmt *create, const struct catalog_index *index,
                                enum lock_mode mode)
{
    if (!create->relation->inh)
        return;
    refuse_foreign(d, table, index);
    deed_lock_tree(d, table, mode, true);
    struct on_partitions on = {.index = index, .mode = mode};
    deed_each_child(d, table, build_on_partition, &on);
}

static bool has_key(const struct catalog_index *index, const struct catalog_column *column)
{
    for (size_t i = 0; i < index->keys.count; i++) {
        if (!index->keys.at[i].is_included && index->keys.at[i].column == column)
            return true;
    }
    return false;
}

/* What the server does not take: keys that might change under it, or that partitions cannot keep. */
static void refuse_keys(struct deed *d, const struct catalog_relation *table,
                        const struct catalog_index *index)
{
    for (size_t i = 0; i < index->keys.count; i++) {
        const PgQuery__Node *tree = index->keys.at[i].expression.tree;
        enum volatility v =
            tree ? expression_volatility_of(d->catalog, table, tree) : VOLATILITY_IMMUTABLE;
        if (v == VOLATILITY_STABLE || v == VOLATILITY_VOLATILE)
            deed_fails(d, "an index needs functions that are IMMUTABLE");
    }
    for (size_t i = 0; index->is_unique && i < table->partition_keys.count; i++) {
        const struct catalog_column *column = table->partition_keys.at[i].column;
        if (!column || !has_key(index, column))
            deed_fails(d, "a unique index on %.*s needs all columns that it is partitioned by",
                       STR_ARG(catalog_relation_text(d->a, table)));
    }
}

static bool is_indexable(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE ||
           r->kind == RELATION_MATERIALIZED_VIEW;
}

void predict_create_index(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__IndexStmt *create = node->index_stmt;
    /* A temporary table is nobody else's, and is not built concurrently. */
    struct catalog_relation *table = deed_relation(d, create->relation, false);
    bool is_concurrent =
        create->concurrent && !(table && table->persistence == PERSISTENCE_TEMPORARY);
    enum lock_mode mode = is_concurrent ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_SHARE;
    if (!table) {
        deed_lock_name(d, create->relation, mode);
        return;
    }
    deed_lock(d, table, mode, true);
    if (!is_indexable(table)) {
        deed_fails(d, "an index cannot be made on the %s %.*s", relation_kind_name(table->kind),
                   STR_ARG(catalog_relation_text(d->a, table)));
        return;
    }
    if (create->concurrent && table->kind == RELATION_PARTITIONED_TABLE) {
        deed_fails(d, "an index on a partitioned table cannot be built concurrently");
        return;
    }
    const struct catalog_index *index = index_describe(d, table, create);
    struct str name = index_new_name(d, create, table, index);
    if (create->idxname[0] && catalog_find_relation(d->catalog, table->schema, name)) {
        if (!create->if_not_exists)
            deed_fails(d, "relation %.*s is there already",
                       STR_ARG(catalog_name_text(d->a, table->schema, name)));
        return;
    }
    refuse_keys(d, table, index);
    if (table->kind == RELATION_PARTITIONED_TABLE)
        predict_partitioned(d, table, create, index, mode);
    else
        deed_build_new(d, table, name, "the index is built");
    run_expressions(d, table, (void *)(uintptr_t)create);
    if (create->relation->inh && table->kind == RELATION_PARTITIONED_TABLE)
        deed_each_child(d, table, run_expressions, (void *)(uintptr_t)create);
}
