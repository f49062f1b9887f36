/* Indexes: CONCURRENTLY. Sources: sql-createindex.html, sql-dropindex.html; index.c
   (index_concurrently_build, index_drop). */
#include "planner/postgres/rewrite.h"

bool rewrite_create_index(struct rewrite *r)
{
    const PgQuery__IndexStmt *create = r->tree->index_stmt;
    size_t word = rewrite_token_find(r, 0, PG_QUERY__TOKEN__INDEX);
    struct str head = rewrite_piece(r, 0, word + 1);
    struct str rest = rewrite_piece(r, word + 1, r->tokens.count);
    if (create->concurrent || !head.len || !rest.len)
        return false;
    struct online_step *step =
        rewrite_step_alone(r, PHASE_EXPAND, "builds the index while others read and write",
                           "%.*s CONCURRENTLY %.*s", STR_ARG(head), STR_ARG(rest));
    if (!create->idxname[0])
        return true;
    const struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(create->relation->schemaname), str_of(create->relation->relname));
    struct str schema = table ? table->schema : str_of(create->relation->schemaname);
    struct str name = catalog_name_text(r->a, schema, str_of(create->idxname));
    rewrite_undo(r, step, UNDO_FREE, "DROP INDEX CONCURRENTLY %.*s", STR_ARG(name));
    return true;
}

/* Whether it can be dropped so: one of a constraint, or of a partitioned table, is refused. */
static bool is_droppable(struct rewrite *r, const PgQuery__Node *name)
{
    struct str schema;
    struct str last;
    if (name->node_case != PG_QUERY__NODE__NODE_LIST)
        return false;
    deed_split_name(name->list->items, name->list->n_items, &schema, &last);
    const struct catalog_relation *index = catalog_find_relation(r->catalog, schema, last);
    return !index || (index->kind == RELATION_INDEX && !index->index->constraint);
}

static bool is_said(const struct rewrite *r, struct str sql)
{
    for (size_t i = 0; i < r->form->steps.count; i++) {
        if (str_equal(r->form->steps.at[i].sql, sql))
            return true;
    }
    return false;
}

/* One step for each: CONCURRENTLY takes one index. */
bool rewrite_drop_index(struct rewrite *r)
{
    const PgQuery__DropStmt *drop = r->tree->drop_stmt;
    if (drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_INDEX || drop->concurrent ||
        drop->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        return false;
    for (size_t i = 0; i < drop->n_objects; i++) {
        struct str schema;
        struct str name;
        if (!is_droppable(r, drop->objects[i]))
            return false;
        deed_split_name(drop->objects[i]->list->items, drop->objects[i]->list->n_items, &schema,
                        &name);
        const char *sql = arena_printf(r->a, "DROP INDEX CONCURRENTLY %s%.*s",
                                       drop->missing_ok ? "IF EXISTS " : "",
                                       STR_ARG(catalog_name_text(r->a, schema, name)));
        if (!is_said(r, str_of(sql))) /* the same one twice is dropped once */
            rewrite_step_alone(r, PHASE_EXPAND, "drops the index when no query uses it any more",
                               "%s", sql);
    }
    return true;
}

/* An index of a partition, attached to this one, that is not valid. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static bool has_broken_part(const struct catalog_relation *index)
{
    const struct catalog_relation *table = index->index->table;
    for (size_t i = 0; table && i < table->children.count; i++) {
        const struct catalog_relation *child = table->children.at[i];
        for (size_t k = 0; !child->is_dropped && k < child->indexes.count; k++) {
            const struct catalog_relation *own = child->indexes.at[k];
            if (!own->is_dropped && own->index->parent == index &&
                (!own->index->is_valid || has_broken_part(own)))
                return true;
        }
    }
    return false;
}

/* Refused, or left out of a table's: the index of an exclusion constraint, and of a whole table one that is
   not valid, which as written it would be behind it (indexcmds.c: ReindexRelationConcurrently). */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static bool is_left_out(const struct catalog_relation *r)
{
    if (r->kind == RELATION_PARTITIONED_INDEX)
        return r->index->is_exclusion || has_broken_part(r);
    if (r->index)
        return r->index->is_exclusion;
    for (size_t i = 0; i < r->children.count && r->kind == RELATION_PARTITIONED_TABLE; i++) {
        if (!r->children.at[i]->is_dropped && is_left_out(r->children.at[i]))
            return true;
    }
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *own = r->indexes.at[i];
        if (!own->is_dropped && (own->index->is_exclusion || !own->index->is_valid))
            return true;
    }
    return false;
}

/* REINDEX (CONCURRENTLY false): somebody has thought of it. */
static bool speaks_of_it(const PgQuery__ReindexStmt *stmt)
{
    for (size_t i = 0; i < stmt->n_params; i++) {
        const PgQuery__Node *n = stmt->params[i];
        if (n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(n->def_elem->defname, "concurrently") == 0)
            return true;
    }
    return false;
}

bool rewrite_reindex(struct rewrite *r)
{
    const PgQuery__ReindexStmt *stmt = r->tree->reindex_stmt;
    bool is_index = stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX;
    bool is_table = stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE;
    if ((!is_index && !is_table) || !stmt->relation || speaks_of_it(stmt))
        return false;
    const struct catalog_relation *of = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    size_t word =
        rewrite_token_find(r, 0, is_index ? PG_QUERY__TOKEN__INDEX : PG_QUERY__TOKEN__TABLE);
    const struct catalog_relation *table = of && of->index ? of->index->table : of;
    bool is_partitioned = table && table->kind == RELATION_PARTITIONED_TABLE;
    if (word >= r->tokens.count || !table || is_left_out(of) || !catalog_may_have_rows(table) ||
        (is_partitioned && r->major < 14)) /* refused, or left out, in either form */
        return false;
    struct online_step *step = rewrite_step_alone(
        r, PHASE_EXPAND, "builds the index again beside the old one, and takes its place",
        "%.*s CONCURRENTLY %.*s", STR_ARG(rewrite_piece(r, 0, word + 1)),
        STR_ARG(rewrite_piece(r, word + 1, r->tokens.count)));
    step->undo_cost = UNDO_FREE;
    return true;
}

/* CONCURRENTLY compares rows by a unique index over columns alone, all rows of it (matview.c:
   is_usable_unique_index). */
static bool has_whole_key(const struct catalog_relation *view)
{
    for (size_t i = 0; i < view->indexes.count; i++) {
        const struct catalog_relation *own = view->indexes.at[i];
        bool is_whole = !own->is_dropped && own->index->is_unique && own->index->is_valid &&
                        !catalog_has_expression(&own->index->predicate);
        for (size_t k = 0; k < own->index->keys.count && is_whole; k++)
            is_whole = own->index->keys.at[k].column != NULL;
        if (is_whole)
            return true;
    }
    return false;
}

bool rewrite_refresh(struct rewrite *r)
{
    const PgQuery__RefreshMatViewStmt *stmt = r->tree->refresh_mat_view_stmt;
    const struct catalog_relation *view = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    size_t word = rewrite_token_find(r, 0, PG_QUERY__TOKEN__VIEW);
    if (stmt->concurrent || stmt->skip_data || !view || !view->is_populated || !has_whole_key(view))
        return false;
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND, "computes the view beside the old rows, and merges the difference",
        "%.*s CONCURRENTLY %.*s", STR_ARG(rewrite_piece(r, 0, word + 1)),
        STR_ARG(rewrite_piece(r, word + 1, r->tokens.count)));
    step->undo_cost = UNDO_FREE;
    return true;
}
