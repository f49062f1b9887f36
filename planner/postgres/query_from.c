/*
 * FROM and WITH: which names a query has, and what they stand for.
 */
#include <string.h>

#include "planner/postgres/query_walk.h"
#include "planner/postgres/types.h"

/* Alias (a, b): the first columns have other names. */
static void rename_columns(struct query_walk *w, struct query_columns *columns,
                           PgQuery__Node *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str name = arena_str(w->a, query_string(names[i]));
        if (i < columns->count)
            columns->at[i].name = name;
        else
            query_columns_add(w, columns, (struct query_column){.name = name});
    }
}

struct scope_item *query_add_relation(struct query_walk *w, struct scope *scope,
                                      const PgQuery__RangeVar *name, struct catalog_relation *r)
{
    struct query_source source = {
        .name = name,
        .relation = r,
        .mode = LOCK_ACCESS_SHARE,
        .is_only = name && !name->inh,
        .select = scope->select,
        .statement = scope->statement,
        .is_partial = scope->is_partial,
    };
    if (!r)
        w->uses->has_unknown = true;
    vec_push(w->a, &w->uses->sources, source);
    struct scope_item item = {.source = w->uses->sources.count - 1};
    if (name)
        item.alias = str_of(name->alias ? name->alias->aliasname : name->relname);
    else
        item.alias = r->name;
    if (name && !name->alias)
        item.schema = str_of(name->schemaname);
    vec_push(w->a, &scope->items, item);
    return &scope->items.at[scope->items.count - 1];
}

static const struct scope_cte *find_cte(const struct scope *scope, struct str name)
{
    for (; scope; scope = scope->outer) {
        for (size_t i = scope->ctes.count; i-- > 0;) {
            if (str_equal(scope->ctes.at[i].name, name))
                return &scope->ctes.at[i];
        }
    }
    return NULL;
}

static void add_subquery(struct query_walk *w, struct scope *scope, const PgQuery__Alias *alias,
                         struct str name, const struct query_columns *columns)
{
    struct scope_item item = {.source = SIZE_MAX, .alias = name, .names = *columns};
    if (alias && alias->n_colnames) {
        item.names = (struct query_columns){0};
        for (size_t i = 0; i < columns->count; i++)
            query_columns_add(w, &item.names, columns->at[i]);
    }
    if (alias) {
        item.alias = str_of(alias->aliasname);
        rename_columns(w, &item.names, alias->colnames, alias->n_colnames);
    }
    vec_push(w->a, &scope->items, item);
}

static void walk_range_var(struct query_walk *w, struct scope *scope, const PgQuery__RangeVar *name)
{
    const struct scope_cte *cte = NULL;
    if (!name->schemaname[0])
        cte = find_cte(scope, str_of(name->relname));
    if (cte) {
        add_subquery(w, scope, name->alias, cte->name, &cte->columns);
        return;
    }
    struct catalog_relation *r =
        catalog_find_relation(w->deed->catalog, str_of(name->schemaname), str_of(name->relname));
    struct scope_item *item = query_add_relation(w, scope, name, r);
    if (name->alias && name->alias->n_colnames && r) {
        struct query_columns columns = {0};
        for (size_t i = 0; i < r->columns.count; i++) {
            const struct catalog_column *column = r->columns.at[i];
            if (!column->is_dropped)
                vec_push(w->a, &columns,
                         (struct query_column){.name = column->name, .type = column->type});
        }
        rename_columns(w, &columns, name->alias->colnames, name->alias->n_colnames);
        item->names = columns;
    }
}

/* ---- functions in FROM ---- */

static void add_definitions(struct query_walk *w, PgQuery__Node *const *at, size_t count,
                            struct query_columns *out)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF)
            continue;
        const PgQuery__ColumnDef *def = at[i]->column_def;
        struct query_column column = {.name = arena_str(w->a, str_of(def->colname))};
        if (def->type_name)
            column.type = type_resolve(w->deed->catalog, def->type_name, NULL);
        query_columns_add(w, out, column);
    }
}

/* One column with the function's name, unless it returns rows of a composite
 * type. */
static void add_result(struct query_walk *w, struct scope *scope, const PgQuery__Node *function,
                       const PgQuery__Alias *alias, struct query_columns *out)
{
    struct type_ref type = query_expression_type(w, scope, function);
    if (type.user && type.user->composite) {
        const struct catalog_relation *rows = type.user->composite;
        for (size_t i = 0; i < rows->columns.count; i++) {
            const struct catalog_column *column = rows->columns.at[i];
            if (!column->is_dropped)
                vec_push(w->a, out,
                         (struct query_column){.name = column->name, .type = column->type});
        }
        return;
    }
    struct str name = alias ? str_of(alias->aliasname) : query_target_name(function);
    vec_push(w->a, out, (struct query_column){.name = arena_str(w->a, name), .type = type});
}

/* rangefunction->functions: lists of a call and its column definitions. */
static void walk_range_function(struct query_walk *w, struct scope *scope,
                                const PgQuery__RangeFunction *range)
{
    struct query_columns columns = {0};
    struct str name = {0};
    query_walk_list(w, scope, range->functions, range->n_functions);
    for (size_t i = 0; i < range->n_functions; i++) {
        const PgQuery__Node *node = range->functions[i];
        if (node->node_case != PG_QUERY__NODE__NODE_LIST || !node->list->n_items)
            continue;
        if (!name.len)
            name = query_target_name(node->list->items[0]);
        if (!range->n_coldeflist)
            add_result(w, scope, node->list->items[0], range->alias, &columns);
    }
    add_definitions(w, range->coldeflist, range->n_coldeflist, &columns);
    if (range->ordinality)
        vec_push(w->a, &columns,
                 (struct query_column){
                     .name = STR("ordinality"),
                     .type = {.builtin = STR("int8"), .typmod = -1},
                 });
    add_subquery(w, scope, range->alias, name, &columns);
}

static void walk_table_function(struct query_walk *w, struct scope *scope,
                                const PgQuery__RangeTableFunc *range)
{
    struct query_columns columns = {0};
    query_walk_expression(w, scope, range->docexpr);
    query_walk_expression(w, scope, range->rowexpr);
    query_walk_list(w, scope, range->columns, range->n_columns);
    for (size_t i = 0; i < range->n_columns; i++) {
        if (range->columns[i]->node_case != PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC_COL)
            continue;
        const PgQuery__RangeTableFuncCol *def = range->columns[i]->range_table_func_col;
        struct query_column column = {.name = arena_str(w->a, str_of(def->colname))};
        if (def->type_name)
            column.type = type_resolve(w->deed->catalog, def->type_name, NULL);
        else if (def->for_ordinality)
            column.type = (struct type_ref){.builtin = STR("int4"), .typmod = -1};
        query_columns_add(w, &columns, column);
    }
    add_subquery(w, scope, range->alias, STR("xmltable"), &columns);
}

/* ---- joins ---- */

/* The columns that both sides have are mentioned on both. */
static void mention_both(struct query_walk *w, struct scope *scope, size_t first, struct str name)
{
    for (size_t i = first; i < scope->items.count; i++)
        query_item_mention(w, &scope->items.at[i], name, NULL);
}

static void walk_natural(struct query_walk *w, struct scope *scope, size_t first, size_t middle)
{
    for (size_t i = first; i < middle; i++) {
        struct query_columns columns = {0};
        query_item_columns(w, &scope->items.at[i], &columns);
        for (size_t j = 0; j < columns.count; j++) {
            for (size_t k = middle; k < scope->items.count; k++) {
                if (query_item_mention(w, &scope->items.at[k], columns.at[j].name, NULL))
                    query_item_mention(w, &scope->items.at[i], columns.at[j].name, NULL);
            }
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void walk_join(struct query_walk *w, struct scope *scope, const PgQuery__JoinExpr *join)
{
    size_t first = scope->items.count;
    if (join->larg)
        query_walk_from(w, scope, join->larg);
    size_t middle = scope->items.count;
    if (join->rarg)
        query_walk_from(w, scope, join->rarg);
    for (size_t i = 0; i < join->n_using_clause; i++)
        mention_both(w, scope, first, query_string(join->using_clause[i]));
    if (join->is_natural)
        walk_natural(w, scope, first, middle);
    query_walk_expression(w, scope, join->quals);
    if (!join->alias)
        return;
    struct query_columns columns = {0};
    for (size_t i = first; i < scope->items.count; i++)
        query_item_columns(w, &scope->items.at[i], &columns);
    add_subquery(w, scope, join->alias, STR(""), &columns);
}

/* ---- the doors ---- */

static void walk_subselect(struct query_walk *w, struct scope *scope,
                           const PgQuery__RangeSubselect *range)
{
    struct query_columns columns = {0};
    /* Without LATERAL it sees what is around the query and its CTEs, not its
   * neighbours in FROM. */
    struct scope around = *scope;
    if (!range->lateral)
        around.items.count = 0;
    if (range->subquery)
        query_walk_statement(w, &around, range->subquery, &columns);
    add_subquery(w, scope, range->alias, STR(""), &columns);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void query_walk_from(struct query_walk *w, struct scope *scope, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
        walk_range_var(w, scope, node->range_var);
        break;
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        walk_subselect(w, scope, node->range_subselect);
        break;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
        walk_range_function(w, scope, node->range_function);
        break;
    case PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC:
        walk_table_function(w, scope, node->range_table_func);
        break;
    case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
        if (node->range_table_sample->relation)
            query_walk_from(w, scope, node->range_table_sample->relation);
        query_walk_list(w, scope, node->range_table_sample->args, node->range_table_sample->n_args);
        break;
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
        walk_join(w, scope, node->join_expr);
        break;
    default: /* the grammar has no other */
        break;
    }
}

void query_walk_target(struct query_walk *w, struct scope *scope, const PgQuery__RangeVar *name)
{
    if (!name)
        return;
    struct catalog_relation *r =
        catalog_find_relation(w->deed->catalog, str_of(name->schemaname), str_of(name->relname));
    query_add_relation(w, scope, name, r);
    struct query_source *source = &w->uses->sources.at[w->uses->sources.count - 1];
    source->mode = LOCK_ROW_EXCLUSIVE;
    source->is_target = true;
}

/* WITH: each sees those before it; with RECURSIVE also itself and those behind.
 */
void query_walk_with(struct query_walk *w, struct scope *scope, const PgQuery__WithClause *with)
{
    if (!with)
        return;
    size_t first = scope->ctes.count;
    for (size_t i = 0; with->recursive && i < with->n_ctes; i++) {
        if (with->ctes[i]->node_case == PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR)
            vec_push(w->a, &scope->ctes,
                     (struct scope_cte){.name = str_of(with->ctes[i]->common_table_expr->ctename)});
    }
    size_t place = first;
    for (size_t i = 0; i < with->n_ctes; i++) {
        if (with->ctes[i]->node_case != PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR)
            continue;
        const PgQuery__CommonTableExpr *cte = with->ctes[i]->common_table_expr;
        struct scope_cte made = {.name = str_of(cte->ctename)};
        if (with->recursive)
            rename_columns(w, &scope->ctes.at[place].columns, cte->aliascolnames,
                           cte->n_aliascolnames);
        if (cte->ctequery)
            query_walk_statement(w, scope, cte->ctequery, &made.columns);
        rename_columns(w, &made.columns, cte->aliascolnames, cte->n_aliascolnames);
        if (with->recursive)
            scope->ctes.at[place++] = made;
        else
            vec_push(w->a, &scope->ctes, made);
    }
}
