/* What REINDEX does (indexcmds.c: ExecReindex(), ReindexPartitions(), ReindexMultipleTables(),
   ReindexRelationConcurrently()). */
#include <string.h>

#include "planner/postgres/effects.h"

struct reindex {
    bool is_concurrent;
    enum lock_mode table; /* what a table is locked with while its indexes are built */
};

static const char builds[] = "REINDEX builds the index again";

static struct reindex read_options(const PgQuery__ReindexStmt *stmt)
{
    struct reindex out = {.table = LOCK_SHARE};
    for (size_t i = 0; i < stmt->n_params; i++) {
        if (stmt->params[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = stmt->params[i]->def_elem;
        if (strcmp(e->defname, "concurrently") != 0)
            continue;
        const PgQuery__Node *arg = e->arg;
        bool is_off =
            arg && ((arg->node_case == PG_QUERY__NODE__NODE_STRING &&
                     (str_equal_nocase(str_of(arg->string->sval), STR("false")) ||
                      str_equal_nocase(str_of(arg->string->sval), STR("off")))) ||
                    (arg->node_case == PG_QUERY__NODE__NODE_INTEGER && arg->integer->ival == 0));
        out.is_concurrent = !is_off;
    }
    if (out.is_concurrent)
        out.table = LOCK_SHARE_UPDATE_EXCLUSIVE;
    return out;
}

/* An index that stays as it is, with a warning. */
static bool is_skipped(const struct reindex *how, const struct catalog_relation *index)
{
    return how->is_concurrent && (index->index->is_exclusion || !index->index->is_valid);
}

static void reindex_index(struct deed *d, const struct reindex *how,
                          const struct catalog_relation *index, bool is_named)
{
    deed_lock(d, index->index->table, how->table, false);
    deed_lock(d, index, LOCK_ACCESS_EXCLUSIVE, is_named);
    deed_build(d, index, builds);
}

static void reindex_table(struct deed *d, const struct reindex *how,
                          const struct catalog_relation *r, bool is_named)
{
    deed_lock(d, r, how->table, is_named);
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        if (index->is_dropped)
            continue;
        if (is_skipped(how, index))
            deed_lock(d, index, LOCK_SHARE_UPDATE_EXCLUSIVE, false);
        else
            reindex_index(d, how, index, false);
    }
}

/* ---- partitioned ones ---- */

enum { PARTITIONED_SINCE = 14 };

static bool reindex_partition(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct reindex *how = context;
    deed_lock(d, r, LOCK_SHARE, false); /* all of them at the beginning: find_all_inheritors() */
    if (r->kind == RELATION_TABLE)
        reindex_table(d, how, r, false);
    return true;
}

static void reindex_partitioned_table(struct deed *d, const struct reindex *how,
                                      const struct catalog_relation *r)
{
    struct reindex below = *how;
    deed_lock(d, r, how->table, true);
    if (d->major < PARTITIONED_SINCE)
        return; /* a warning, and nothing is done */
    d->effects->refuses_transaction = true;
    deed_each_child(d, r, reindex_partition, &below);
}

/* Indexes are attached to each other as their tables are.
   NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void reindex_attached(struct deed *d, const struct reindex *how,
                             const struct catalog_relation *parent,
                             const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->children.count; i++) {
        const struct catalog_relation *child = table->children.at[i];
        for (size_t j = 0; j < child->indexes.count && !child->is_dropped; j++) {
            const struct catalog_relation *index = child->indexes.at[j];
            if (index->is_dropped || index->index->parent != parent)
                continue;
            if (index->kind == RELATION_PARTITIONED_INDEX) {
                deed_lock(d, index, LOCK_SHARE, false);
                reindex_attached(d, how, index, child);
            } else {
                reindex_index(d, how, index, false);
            }
        }
    }
}

static void reindex_partitioned_index(struct deed *d, const struct reindex *how,
                                      const struct catalog_relation *index)
{
    if (d->major < PARTITIONED_SINCE) {
        deed_fails(d, "partitioned indexes can be built again from PostgreSQL %d on",
                   PARTITIONED_SINCE);
        return;
    }
    d->effects->refuses_transaction = true;
    deed_lock(d, index->index->table, how->table, false);
    deed_lock(d, index, how->is_concurrent ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE,
              true);
    reindex_attached(d, how, index, index->index->table);
}

/* ---- whole schemas and databases ---- */

static void reindex_all(struct deed *d, const struct reindex *how, struct str schema)
{
    d->effects->refuses_transaction = true;
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        const struct catalog_relation *r = d->catalog->relations.at[i];
        if (r->is_dropped || deed_is_system(r->schema, r->name) ||
            (schema.len && !str_equal(r->schema, schema)))
            continue;
        if (r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW)
            reindex_table(d, how, r, false);
    }
}

static void reindex_one(struct deed *d, const struct reindex *how, const PgQuery__ReindexStmt *stmt)
{
    struct catalog_relation *r = deed_relation(d, stmt->relation, false);
    if (!r) {
        bool is_index = stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX;
        deed_lock_name(d, stmt->relation, is_index ? LOCK_ACCESS_EXCLUSIVE : how->table);
        return;
    }
    switch (r->kind) {
    case RELATION_INDEX:
        reindex_index(d, how, r, true);
        if (how->is_concurrent && r->index->is_exclusion)
            deed_fails(d,
                       "the index of an exclusion constraint cannot be built again concurrently");
        break;
    case RELATION_PARTITIONED_INDEX:
        reindex_partitioned_index(d, how, r);
        break;
    case RELATION_PARTITIONED_TABLE:
        reindex_partitioned_table(d, how, r);
        break;
    case RELATION_TABLE:
    case RELATION_MATERIALIZED_VIEW:
        reindex_table(d, how, r, true);
        break;
    default:
        deed_fails(d, "%.*s has no indexes", STR_ARG(catalog_relation_text(d->a, r)));
        break;
    }
}

void predict_reindex(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__ReindexStmt *stmt = node->reindex_stmt;
    struct reindex how = read_options(stmt);
    if (how.is_concurrent)
        d->effects->refuses_transaction = true;
    switch ((int)stmt->kind) {
    case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA:
        reindex_all(d, &how, str_of(stmt->name));
        break;
    case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_DATABASE:
        reindex_all(d, &how, STR(""));
        break;
    case PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SYSTEM:
        d->effects->refuses_transaction = true;
        break;
    default:
        reindex_one(d, &how, stmt);
        break;
    }
}

static void reindexed(struct deed *d, const PgQuery__ReindexStmt *stmt, struct catalog_relation *r)
{
    if (!r->index)
        return;
    r->index->is_valid = true;
    for (size_t i = 0; i < stmt->n_params; i++) {
        const PgQuery__DefElem *e = stmt->params[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM
                                        ? stmt->params[i]->def_elem
                                        : NULL;
        if (e && strcmp(e->defname, "tablespace") == 0 && e->arg &&
            e->arg->node_case == PG_QUERY__NODE__NODE_STRING)
            r->tablespace = arena_str(d->catalog->arena, str_of(e->arg->string->sval));
    }
}

void fold_reindex(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__ReindexStmt *stmt = node->reindex_stmt;
    struct catalog_relation *r = stmt->relation ? deed_relation(d, stmt->relation, true) : NULL;
    if (!r)
        return;
    reindexed(d, stmt, r);
    for (size_t i = 0; i < r->indexes.count; i++)
        reindexed(d, stmt, r->indexes.at[i]);
}
