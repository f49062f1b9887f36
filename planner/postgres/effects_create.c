/*
 * What CREATE TABLE, VIEW, TABLE AS and SCHEMA lock and read. Source: tablecmds.c (DefineRelation,
 * MergeAttributes, ATAddForeignKeyConstraint), parse_utilcmd.c, partbounds.c
 * (check_default_partition_contents), createas.c, view.c.
 */
#include "planner/postgres/create_parts.h"
#include "planner/postgres/types.h"

/* ---- foreign keys ---- */

static bool is_itself(struct deed *d, const PgQuery__RangeVar *made, const PgQuery__RangeVar *named)
{
    if (!str_equal(str_of(made->relname), str_of(named->relname)))
        return false;
    struct str schema = str_of(named->schemaname);
    return schema.len ? str_equal(schema, create_schema_of(d, made))
                      : !made->schemaname[0] || str_equal(create_schema_of(d, made),
                                                          catalog_creation_schema(d->catalog));
}

static void lock_referenced(struct deed *d, const PgQuery__CreateStmt *create,
                            const PgQuery__Node *node)
{
    if (node->node_case != PG_QUERY__NODE__NODE_CONSTRAINT ||
        node->constraint->contype != PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN ||
        !node->constraint->pktable)
        return;
    const PgQuery__RangeVar *name = node->constraint->pktable;
    if (is_itself(d, create->relation, name))
        return;
    struct catalog_relation *r = deed_relation(d, name, false);
    if (!r)
        deed_lock_name(d, name, LOCK_SHARE_ROW_EXCLUSIVE);
    else if (r->kind == RELATION_PARTITIONED_TABLE)
        deed_lock_tree(d, r, LOCK_SHARE_ROW_EXCLUSIVE, true);
    else
        deed_lock(d, r, LOCK_SHARE_ROW_EXCLUSIVE, true);
    if (r && r->kind != RELATION_TABLE && r->kind != RELATION_PARTITIONED_TABLE)
        deed_fails(d, "%.*s is a %s, and nothing refers to it",
                   STR_ARG(catalog_relation_text(d->a, r)), relation_kind_name(r->kind));
    if (r && !foreign_key_index(r, node->constraint))
        deed_fails(d, "%.*s has no unique key over the columns that are referred to",
                   STR_ARG(catalog_relation_text(d->a, r)));
}

static void lock_element(struct deed *d, const PgQuery__CreateStmt *create,
                         const PgQuery__Node *node)
{
    lock_referenced(d, create, node);
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF) {
        for (size_t i = 0; i < node->column_def->n_constraints; i++)
            lock_referenced(d, create, node->column_def->constraints[i]);
    }
    if (node->node_case != PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE ||
        !node->table_like_clause->relation)
        return;
    struct catalog_relation *r = deed_relation(d, node->table_like_clause->relation, false);
    if (r)
        deed_lock(d, r, LOCK_ACCESS_SHARE, true);
    else
        deed_lock_name(d, node->table_like_clause->relation, LOCK_ACCESS_SHARE);
}

/* ---- partitions ---- */

struct default_check {
    const struct catalog_relation *parent;
    const PgQuery__PartitionBoundSpec *bound;
};

/* The default partition must not hold rows that the new one would take. */
static bool check_default(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct default_check *check = context;
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, false);
    if (constraints_exclude_bound(d->catalog, r, check->parent, check->bound))
        return true;
    if (r->kind == RELATION_TABLE)
        deed_scan_rows(d, r, "rows of the default partition might belong to the new one");
    return true;
}

static void lock_parent_keys(struct deed *d, const struct catalog_relation *parent)
{
    for (size_t i = 0; i < parent->constraints.count; i++) {
        const struct catalog_constraint *k = parent->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_FOREIGN_KEY || !k->referenced)
            continue;
        if (k->referenced->kind == RELATION_PARTITIONED_TABLE)
            deed_lock_tree(d, k->referenced, LOCK_SHARE_ROW_EXCLUSIVE, false);
        else
            deed_lock(d, k->referenced, LOCK_SHARE_ROW_EXCLUSIVE, false);
    }
}

/* Those that refer to it, or to what it is part of: their triggers are made for the new partition too. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void lock_referencing(struct deed *d, const struct catalog_relation *parent)
{
    for (size_t i = 0; i < parent->referencing.count; i++) {
        const struct catalog_constraint *k = parent->referencing.at[i];
        if (!k->is_dropped && !k->relation->is_dropped)
            deed_lock(d, k->relation, d->major >= 15 ? LOCK_SHARE_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE,
                      false);
    }
    for (size_t i = 0; parent->is_partition && i < parent->parents.count; i++)
        lock_referencing(d, parent->parents.at[i]);
}

static void lock_partition_parent(struct deed *d, struct catalog_relation *parent,
                                  const PgQuery__PartitionBoundSpec *bound, bool is_foreign)
{
    deed_lock(d, parent, LOCK_ACCESS_EXCLUSIVE, true);
    struct catalog_relation *other = catalog_default_partition(parent);
    if (other && !bound->is_default) {
        struct default_check check = {.parent = parent, .bound = bound};
        check_default(d, other, &check);
        if (!constraints_exclude_bound(d->catalog, other, parent, bound))
            deed_each_child(d, other, check_default, &check);
    }
    lock_parent_keys(d, parent);
    lock_referencing(d, parent);
    for (size_t i = 0; !is_foreign && i < parent->indexes.count; i++) {
        if (!parent->indexes.at[i]->is_dropped)
            deed_lock(d, parent->indexes.at[i], LOCK_SHARE_UPDATE_EXCLUSIVE, false);
    }
}

static void lock_parents(struct deed *d, const PgQuery__CreateStmt *create, bool is_foreign)
{
    for (size_t i = 0; i < create->n_inh_relations; i++) {
        if (create->inh_relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        const PgQuery__RangeVar *name = create->inh_relations[i]->range_var;
        struct catalog_relation *parent = deed_relation(d, name, false);
        enum lock_mode mode =
            create->partbound ? LOCK_ACCESS_EXCLUSIVE : LOCK_SHARE_UPDATE_EXCLUSIVE;
        if (!parent)
            deed_lock_name(d, name, mode);
        else if (create->partbound)
            lock_partition_parent(d, parent, create->partbound, is_foreign);
        else
            deed_lock(d, parent, mode, true);
        if (parent && !create->partbound &&
            (parent->kind == RELATION_PARTITIONED_TABLE || parent->is_partition))
            deed_fails(d, "%.*s is partitioned, or a partition: nothing else inherits from it",
                       STR_ARG(catalog_relation_text(d->a, parent)));
    }
}

/* ---- tables ---- */

static void predict_table(struct deed *d, const PgQuery__CreateStmt *create, bool is_foreign)
{
    if (!create->relation)
        return;
    const struct catalog_relation *there = create_existing(d, create->relation);
    if (there) {
        if (!create->if_not_exists)
            deed_fails(d, "relation %.*s is there already",
                       STR_ARG(catalog_relation_text(d->a, there)));
        return;
    }
    lock_parents(d, create, is_foreign);
    if (create->of_typename) {
        struct type_ref type = deed_type(d, create->of_typename);
        if (type.user)
            deed_lock(d, type.user->composite, LOCK_ACCESS_SHARE, true);
    }
    for (size_t i = 0; i < create->n_table_elts; i++)
        lock_element(d, create, create->table_elts[i]);
    for (size_t i = 0; i < create->n_constraints; i++)
        lock_element(d, create, create->constraints[i]);
}

void predict_create_table(struct deed *d, const PgQuery__Node *node)
{
    predict_table(d, node->create_stmt, false);
}

void predict_create_foreign_table(struct deed *d, const PgQuery__Node *node)
{
    if (node->create_foreign_table_stmt->base_stmt)
        predict_table(d, node->create_foreign_table_stmt->base_stmt, true);
}

/* ---- what a query fills ---- */

const PgQuery__Node *create_prepared(struct deed *d, const PgQuery__ExecuteStmt *execute)
{
    const struct catalog *c = d->catalog;
    for (size_t i = c->prepared.count; i-- > 0;) {
        if (str_equal(c->prepared.at[i].name, str_of(execute->name)))
            return c->prepared.at[i].tree;
    }
    return NULL;
}

static void predict_into(struct deed *d, const PgQuery__Node *query,
                         const PgQuery__IntoClause *into, bool if_not_exists)
{
    if (!into || !into->rel || !query)
        return;
    if (query->node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT)
        query = create_prepared(d, query->execute_stmt);
    if (!query) {
        deed_opaque(d, "EXECUTE of a statement that was prepared elsewhere");
        return;
    }
    struct query_uses uses;
    query_uses_read(d, query, &uses);
    const struct catalog_relation *there = create_existing(d, into->rel);
    if (there && !if_not_exists)
        deed_fails(d, "relation %.*s is there already",
                   STR_ARG(catalog_relation_text(d->a, there)));
    bool is_run = !there && !into->skip_data;
    query_uses_lock(d, &uses, is_run ? QUERY_PLANNED : QUERY_PARSED);
    if (is_run)
        query_uses_scan(d, &uses);
}

void predict_create_table_as(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateTableAsStmt *create = node->create_table_as_stmt;
    predict_into(d, create->query, create->into, create->if_not_exists);
}

void predict_select_into(struct deed *d, const PgQuery__Node *query)
{
    predict_into(d, query, query->select_stmt->into_clause, false);
}

/* CREATE OR REPLACE VIEW may add columns, and change nothing else of them. */
static void refuse_columns(struct deed *d, const PgQuery__ViewStmt *create,
                           const struct query_uses *uses, const struct catalog_relation *view)
{
    size_t at = 0;
    for (size_t i = 0; i < view->columns.count && !uses->has_unknown; i++) {
        const struct catalog_column *column = view->columns.at[i];
        if (column->is_dropped)
            continue;
        struct str name = {0};
        if (at < uses->output.count)
            name = uses->output.at[at].name;
        if (at < create->n_aliases && create->aliases[at]->node_case == PG_QUERY__NODE__NODE_STRING)
            name = str_of(create->aliases[at]->string->sval);
        at++;
        if (!str_equal(name, column->name))
            deed_fails(d, "column %.*s of view %.*s can neither go nor change its name",
                       STR_ARG(column->name), STR_ARG(catalog_relation_text(d->a, view)));
    }
}

void predict_create_view(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__ViewStmt *create = node->view_stmt;
    if (!create->view || !create->query)
        return;
    struct query_uses uses;
    query_uses_read(d, create->query, &uses);
    query_uses_lock(d, &uses, QUERY_PARSED);
    struct catalog_relation *there = create_existing(d, create->view);
    if (!there)
        return;
    if (create->replace && there->kind == RELATION_VIEW) {
        deed_lock(d, there, LOCK_ACCESS_EXCLUSIVE, true);
        refuse_columns(d, create, &uses, there);
    } else {
        deed_fails(d, "relation %.*s is there already",
                   STR_ARG(catalog_relation_text(d->a, there)));
    }
}

/* ---- schemas ---- */

/* What the statement itself makes does not count. */
static bool is_made_here(const PgQuery__CreateSchemaStmt *create, const struct effect_lock *lock)
{
    struct str name = lock->object ? lock->object->name : lock->relation;
    for (size_t i = 0; i < create->n_schema_elts; i++) {
        const PgQuery__Node *e = create->schema_elts[i];
        const PgQuery__RangeVar *made = NULL;
        if (e->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
            made = e->create_stmt->relation;
        else if (e->node_case == PG_QUERY__NODE__NODE_VIEW_STMT)
            made = e->view_stmt->view;
        else if (e->node_case == PG_QUERY__NODE__NODE_CREATE_SEQ_STMT)
            made = e->create_seq_stmt->sequence;
        if (made && str_ends(name, str_of(made->relname)))
            return true;
    }
    return false;
}

void predict_create_schema(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateSchemaStmt *create = node->create_schema_stmt;
    struct effects *outer = d->effects;
    for (size_t i = 0; i < create->n_schema_elts; i++) {
        struct effects inner = {0};
        d->effects = &inner;
        effects_within(d, create->schema_elts[i], false);
        d->effects = outer;
        for (size_t j = 0; j < inner.locks.count; j++) {
            if (!is_made_here(create, &inner.locks.at[j]))
                effects_add_lock(d->a, outer, &inner.locks.at[j]);
        }
    }
}
