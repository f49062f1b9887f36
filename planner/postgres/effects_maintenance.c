/* What CLUSTER, VACUUM, ANALYZE and REFRESH do. REINDEX: effects_reindex.c. */
#include <string.h>

#include "planner/postgres/effects_query.h"

static bool has_storage(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW;
}

static void lock_indexes(struct deed *d, const struct catalog_relation *r, enum lock_mode mode)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped)
            deed_lock(d, r->indexes.at[i], mode, false);
    }
}

/* ---- CLUSTER ---- */

static const char clusters[] = "CLUSTER writes the table anew";

static const struct catalog_relation *clustered_by(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        if (!index->is_dropped && index->index->is_clustered)
            return index;
    }
    return NULL;
}

static bool cluster_partition(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)context;
    if (r->kind == RELATION_TABLE)
        deed_rewrite(d, r, clusters);
    return true;
}

static void cluster_all(struct deed *d)
{
    d->effects->refuses_transaction = true;
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        const struct catalog_relation *r = d->catalog->relations.at[i];
        if (!r->is_dropped && has_storage(r) && clustered_by(r))
            deed_rewrite(d, r, clusters);
    }
}

/* cluster.c: cluster(); partitioned tables from 15 on, partition by partition. */
void predict_cluster(struct deed *d, const PgQuery__Node *node)
{
    enum { PARTITIONED_SINCE = 15 };
    const PgQuery__ClusterStmt *cluster = node->cluster_stmt;
    if (!cluster->relation) {
        cluster_all(d);
        return;
    }
    struct catalog_relation *r = deed_relation(d, cluster->relation, false);
    if (!r) {
        deed_lock_name(d, cluster->relation, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    if (!cluster->indexname[0] && !clustered_by(r))
        deed_fails(d, "%.*s has never been clustered: no index is marked for it",
                   STR_ARG(catalog_relation_text(d->a, r)));
    if (r->kind != RELATION_PARTITIONED_TABLE) {
        deed_rewrite(d, r, clusters);
        return;
    }
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    if (d->major < PARTITIONED_SINCE) {
        deed_fails(d, "partitioned tables can be clustered from PostgreSQL %d on",
                   PARTITIONED_SINCE);
        return;
    }
    d->effects->refuses_transaction = true;
    deed_each_child(d, r, cluster_partition, NULL);
}

/* Those of the partitions' indexes that are attached to it go along. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void mark_clustered(const struct catalog_relation *table, const struct catalog_relation *by)
{
    for (size_t i = 0; i < table->indexes.count; i++) {
        struct catalog_relation *index = table->indexes.at[i];
        index->index->is_clustered = table->kind != RELATION_PARTITIONED_TABLE &&
                                     (index == by || index->index->parent == by);
        if (!index->is_dropped && index->index->parent == by)
            by = index;
    }
    for (size_t i = 0; i < table->children.count; i++) {
        if (!table->children.at[i]->is_dropped && table->children.at[i]->is_partition)
            mark_clustered(table->children.at[i], by);
    }
}

void fold_cluster(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__ClusterStmt *cluster = node->cluster_stmt;
    struct catalog_relation *r =
        cluster->relation ? deed_relation(d, cluster->relation, true) : NULL;
    if (!r || !cluster->indexname[0])
        return;
    const struct catalog_relation *by =
        catalog_find_relation(d->catalog, r->schema, str_of(cluster->indexname));
    if (by && by->index)
        mark_clustered(r, by);
}

/* ---- VACUUM, ANALYZE ---- */

struct vacuum {
    bool is_vacuum;
    bool is_analyze;
    bool is_full;
    bool is_without_main; /* PROCESS_MAIN off: only the toast table */
};

static bool is_off(const PgQuery__DefElem *e)
{
    if (!e->arg)
        return false;
    if (e->arg->node_case == PG_QUERY__NODE__NODE_INTEGER)
        return e->arg->integer->ival == 0;
    if (e->arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN)
        return !e->arg->boolean->boolval;
    struct str text =
        str_of(e->arg->node_case == PG_QUERY__NODE__NODE_STRING ? e->arg->string->sval : "true");
    return str_equal_nocase(text, STR("false")) || str_equal_nocase(text, STR("off"));
}

static struct vacuum read_options(const PgQuery__VacuumStmt *stmt)
{
    struct vacuum v = {.is_vacuum = stmt->is_vacuumcmd, .is_analyze = !stmt->is_vacuumcmd};
    for (size_t i = 0; i < stmt->n_options; i++) {
        if (stmt->options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = stmt->options[i]->def_elem;
        bool value = !is_off(e);
        if (strcmp(e->defname, "full") == 0)
            v.is_full = value;
        else if (strcmp(e->defname, "analyze") == 0)
            v.is_analyze |= value;
        else if (strcmp(e->defname, "process_main") == 0)
            v.is_without_main = !value;
    }
    return v;
}

static bool sample_child(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)context;
    deed_lock(d, r, LOCK_ACCESS_SHARE, false);
    return true;
}

/* vacuum.c: vacuum_rel(); analyze.c: acquire_inherited_sample_rows(). */
static void vacuum_one(struct deed *d, const struct vacuum *v, const struct catalog_relation *r,
                       bool is_named)
{
    bool is_partitioned = r->kind == RELATION_PARTITIONED_TABLE;
    bool is_foreign = r->kind == RELATION_FOREIGN_TABLE;
    if (!has_storage(r) && !is_partitioned && !is_foreign)
        return; /* a warning, and no more */
    if (v->is_vacuum && !is_foreign) {
        if (v->is_full && !is_partitioned)
            deed_rewrite(d, r, "VACUUM FULL writes the table anew");
        deed_lock(d, r, v->is_full ? LOCK_ACCESS_EXCLUSIVE : LOCK_SHARE_UPDATE_EXCLUSIVE, is_named);
        if (!v->is_full && !v->is_without_main && !is_partitioned)
            lock_indexes(d, r, LOCK_ROW_EXCLUSIVE);
    }
    if (!v->is_analyze)
        return;
    deed_lock(d, r, LOCK_SHARE_UPDATE_EXCLUSIVE, is_named);
    deed_each_child(d, r, sample_child, NULL);
}

struct vacuum_walk {
    const struct vacuum *options;
};

static bool vacuum_child(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct vacuum_walk *walk = context;
    vacuum_one(d, walk->options, r, false);
    return true;
}

static void vacuum_all(struct deed *d, const struct vacuum *v)
{
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        const struct catalog_relation *r = d->catalog->relations.at[i];
        if (r->is_dropped || deed_is_system(r->schema, r->name) ||
            r->kind == RELATION_FOREIGN_TABLE)
            continue;
        vacuum_one(d, v, r, false);
    }
}

/* vacuum.c: expand_vacuum_rel(). Partitions always go along, inheritance children from 18 on, where ONLY
   leaves both out. */
void predict_vacuum(struct deed *d, const PgQuery__Node *node)
{
    enum { CHILDREN_SINCE = 18 };
    const PgQuery__VacuumStmt *stmt = node->vacuum_stmt;
    struct vacuum v = read_options(stmt);
    struct vacuum_walk walk = {.options = &v};
    if (!stmt->n_rels)
        vacuum_all(d, &v);
    for (size_t i = 0; i < stmt->n_rels; i++) {
        if (stmt->rels[i]->node_case != PG_QUERY__NODE__NODE_VACUUM_RELATION)
            continue;
        const PgQuery__RangeVar *name = stmt->rels[i]->vacuum_relation->relation;
        struct catalog_relation *r = deed_relation(d, name, false);
        if (!r) {
            deed_lock_name(d, name,
                           v.is_full ? LOCK_ACCESS_EXCLUSIVE : LOCK_SHARE_UPDATE_EXCLUSIVE);
            continue;
        }
        vacuum_one(d, &v, r, true);
        bool has_children = r->kind == RELATION_PARTITIONED_TABLE
                                ? name->inh || d->major < CHILDREN_SINCE
                                : name->inh && d->major >= CHILDREN_SINCE;
        if (has_children)
            deed_each_child(d, r, vacuum_child, &walk);
    }
}

void fold_vacuum(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* ---- REFRESH MATERIALIZED VIEW ---- */

static bool serves_concurrently(const struct catalog_relation *index)
{
    if (index->is_dropped || !index->index->is_unique || !index->index->is_valid ||
        catalog_has_expression(&index->index->predicate))
        return false;
    for (size_t i = 0; i < index->index->keys.count; i++) {
        if (!index->index->keys.at[i].column)
            return false;
    }
    return true;
}

static bool has_unique_index(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (serves_concurrently(r->indexes.at[i]))
            return true;
    }
    return false;
}

static void refresh_concurrently(struct deed *d, const struct catalog_relation *r)
{
    deed_lock(d, r, LOCK_EXCLUSIVE, true);
    lock_indexes(d, r, LOCK_ROW_EXCLUSIVE);
    deed_scan_rows(d, r, "it is compared with the new rows");
    if (!has_unique_index(r))
        deed_fails(d, "%.*s has no unique index over columns, without WHERE",
                   STR_ARG(catalog_relation_text(d->a, r)));
    if (!r->is_populated && d->catalog->is_complete)
        deed_fails(d, "%.*s has not been filled yet", STR_ARG(catalog_relation_text(d->a, r)));
}

/* matview.c: ExecRefreshMatView(). */
void predict_refresh(struct deed *d, const PgQuery__Node *node)
{
    static const char fills[] = "REFRESH fills the view anew";
    const PgQuery__RefreshMatViewStmt *stmt = node->refresh_mat_view_stmt;
    struct catalog_relation *r = deed_relation(d, stmt->relation, false);
    enum lock_mode mode = stmt->concurrent ? LOCK_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE;
    if (!r) {
        deed_lock_name(d, stmt->relation, mode);
        return;
    }
    if (r->kind != RELATION_MATERIALIZED_VIEW) {
        deed_lock(d, r, mode, true);
        deed_fails(d, "%.*s is not a materialized view", STR_ARG(catalog_relation_text(d->a, r)));
        return;
    }
    if (stmt->skip_data) {
        deed_lock(d, r, mode, true);
        lock_indexes(d, r, mode);
        return;
    }
    query_view(d, r, LOCK_ACCESS_SHARE);
    if (stmt->concurrent) {
        refresh_concurrently(d, r);
        return;
    }
    deed_lock(d, r, mode, true);
    if (query_view_rows(d, r) == ROWS_NONE)
        lock_indexes(d, r, mode);
    else
        deed_rewrite(d, r, fills);
}

void fold_refresh(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__RefreshMatViewStmt *stmt = node->refresh_mat_view_stmt;
    struct catalog_relation *r = deed_relation(d, stmt->relation, true);
    if (!r || r->kind != RELATION_MATERIALIZED_VIEW)
        return;
    r->is_populated = !stmt->skip_data;
    r->rows = stmt->skip_data ? ROWS_NONE : query_view_rows(d, r);
}
