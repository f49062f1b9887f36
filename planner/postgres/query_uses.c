/*
 * The walk over a query. Statements open scopes (query_from.c fills them),
 * everything below them is an expression, and expressions are walked without
 * knowing them one by one: only what names something is looked at. Wrong
 * queries are walked as well as they can be; the server will say what is wrong.
 */
#include "planner/postgres/query_uses.h"

#include <string.h>

#include "planner/postgres/query_walk.h"
#include "planner/postgres/types.h"

/* ---- what names something ---- */

static void note_type(struct query_walk *w, const PgQuery__TypeName *name)
{
    if (!name)
        return;
    struct type_ref t = type_resolve(w->deed->catalog, name, NULL);
    if (!t.user)
        return;
    for (size_t i = 0; i < w->uses->types.count; i++) {
        if (w->uses->types.at[i] == t.user)
            return;
    }
    vec_push(w->a, &w->uses->types, t.user);
}

static void note_relation_text(struct query_walk *w, struct str text)
{
    struct str schema = {0};
    struct str name = text;
    if (str_find_char(text, '.') != SIZE_MAX)
        name = str_cut(text, '.', &schema);
    struct catalog_relation *r = catalog_find_relation(w->deed->catalog, schema, name);
    if (r && r->kind == RELATION_SEQUENCE)
        vec_push(w->a, &w->uses->sequences, r);
}

/* nextval('s'), nextval('s'::regclass), 's'::regclass: a text that names a
 * relation. */
static struct str constant_text(const PgQuery__Node *node)
{
    while (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        node = node->type_cast->arg;
    if (!node || node->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        node->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL)
        return STR("");
    return str_of(node->a_const->sval->sval);
}

/* The user's function that is meant. */
static struct catalog_function *called_function(struct query_walk *w, const struct query_call *call,
                                                const PgQuery__FuncCall *tree)
{
    struct catalog_function *found = NULL;
    struct catalog_function *f = NULL;
    while ((f = catalog_find_function(w->deed->catalog, call->schema, call->name, f)) != NULL) {
        size_t most = f->arguments.count;
        size_t least = most - f->default_count;
        if (function_is_variadic(f)) {
            most = SIZE_MAX;
            least -= least > 0;
        }
        if (call->argument_count > most || call->argument_count < least)
            continue;
        if (found) {
            struct catalog_function *best = call_function(w->deed->catalog, tree);
            return best ? best : found;
        }
        found = f;
    }
    return found;
}

/* pg_get_serial_sequence('table', 'column'). */
static void note_serial(struct query_walk *w, const PgQuery__FuncCall *call)
{
    struct str schema = {0};
    struct str name = constant_text(call->args[0]);
    struct str column = constant_text(call->args[1]);
    if (str_find_char(name, '.') != SIZE_MAX)
        name = str_cut(name, '.', &schema);
    const struct catalog_relation *r = catalog_find_relation(w->deed->catalog, schema, name);
    const struct catalog_column *found = r ? catalog_find_column(r, column) : NULL;
    if (found && found->sequence)
        vec_push(w->a, &w->uses->sequences, found->sequence);
}

static void note_call(struct query_walk *w, const PgQuery__FuncCall *call)
{
    struct query_call noted = {.argument_count = call->n_args, .tree = call};
    deed_split_name(call->funcname, call->n_funcname, &noted.schema, &noted.name);
    noted.schema = arena_str(w->a, noted.schema);
    noted.name = arena_str(w->a, noted.name);
    noted.function = called_function(w, &noted, call);
    vec_push(w->a, &w->uses->calls, noted);
    if (call->n_args &&
        (str_equal(noted.name, STR("nextval")) || str_equal(noted.name, STR("setval")) ||
         str_equal(noted.name, STR("currval"))))
        note_relation_text(w, constant_text(call->args[0]));
    if (call->n_args == 2 && str_equal(noted.name, STR("pg_get_serial_sequence")))
        note_serial(w, call);
}

static bool is_regclass(const PgQuery__TypeName *name)
{
    return name && name->n_names &&
           str_equal(query_string(name->names[name->n_names - 1]), STR("regclass"));
}

/* ---- expressions ---- */

struct below {
    struct query_walk *walk;
    struct scope *scope;
};

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool walk_child(void *context, const ProtobufCMessage *message)
{
    const struct below *b = context;
    query_walk_message(b->walk, b->scope, message);
    return false;
}

/* As deep as the tree. NOLINTNEXTLINE(misc-no-recursion) */
void query_walk_message(struct query_walk *w, struct scope *scope, const ProtobufCMessage *message)
{
    if (message->descriptor == &pg_query__select_stmt__descriptor) {
        query_walk_select(w, scope, (const PgQuery__SelectStmt *)message, NULL);
        return;
    }
    if (message->descriptor == &pg_query__column_ref__descriptor) {
        const PgQuery__ColumnRef *ref = (const PgQuery__ColumnRef *)message;
        if (query_is_star(ref))
            query_expand_star(w, scope, ref, NULL);
        else
            query_resolve_column(w, scope, ref, NULL);
        return;
    }
    if (message->descriptor == &pg_query__type_name__descriptor)
        note_type(w, (const PgQuery__TypeName *)message);
    if (message->descriptor == &pg_query__func_call__descriptor)
        note_call(w, (const PgQuery__FuncCall *)message);
    if (message->descriptor == &pg_query__type_cast__descriptor) {
        const PgQuery__TypeCast *cast = (const PgQuery__TypeCast *)message;
        if (is_regclass(cast->type_name))
            note_relation_text(w, constant_text(cast->arg));
    }
    if (message->descriptor == &pg_query__sub_link__descriptor) {
        const PgQuery__SubLink *link = (const PgQuery__SubLink *)message;
        w->is_exists = link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK &&
                       (!scope || !scope->items.count);
    }
    struct below b = {.walk = w, .scope = scope};
    parse_tree_each_child(message, walk_child, &b);
}

void query_walk_expression(struct query_walk *w, struct scope *scope, const PgQuery__Node *node)
{
    if (node)
        query_walk_message(w, scope, &node->base);
}

void query_walk_list(struct query_walk *w, struct scope *scope, PgQuery__Node *const *at,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        query_walk_expression(w, scope, at[i]);
}

/* ---- SELECT ---- */

static void walk_targets(struct query_walk *w, struct scope *scope, PgQuery__Node *const *at,
                         size_t count, struct query_columns *out)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
            continue;
        const PgQuery__ResTarget *target = at[i]->res_target;
        const PgQuery__Node *value = target->val;
        if (value && value->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
            query_is_star(value->column_ref)) {
            query_expand_star(w, scope, value->column_ref, out);
            continue;
        }
        query_walk_expression(w, scope, value);
        struct query_column column = {.name = str_of(target->name)};
        if (!column.name.len)
            column.name = query_target_name(value);
        column.name = arena_str(w->a, column.name);
        column.type = query_expression_type(w, scope, value);
        if (out)
            query_columns_add(w, out, column);
    }
}

/* VALUES: column1, column2 … */
static void walk_values(struct query_walk *w, struct scope *scope,
                        const PgQuery__SelectStmt *select, struct query_columns *out)
{
    query_walk_list(w, scope, select->values_lists, select->n_values_lists);
    const PgQuery__Node *first = select->values_lists[0];
    if (!out || first->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    for (size_t i = 0; i < first->list->n_items; i++) {
        struct query_column column = {
            .name = str_of(arena_printf(w->a, "column%zu", i + 1)),
            .type = query_expression_type(w, scope, first->list->items[i]),
        };
        query_columns_add(w, out, column);
    }
}

static bool is_locked_by(const PgQuery__LockingClause *clause, const struct query_source *source)
{
    if (!clause->n_locked_rels)
        return true;
    for (size_t i = 0; i < clause->n_locked_rels; i++) {
        const PgQuery__Node *node = clause->locked_rels[i];
        if (node->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        const char *alias =
            source->name->alias ? source->name->alias->aliasname : source->name->relname;
        if (strcmp(node->range_var->relname, alias) == 0)
            return true;
    }
    return false;
}

/* FOR UPDATE and its kin: what FROM names, subqueries included. */
static void walk_locking(struct query_walk *w, const PgQuery__SelectStmt *select, size_t from,
                         size_t to)
{
    for (size_t i = 0; i < select->n_locking_clause; i++) {
        if (select->locking_clause[i]->node_case != PG_QUERY__NODE__NODE_LOCKING_CLAUSE)
            continue;
        for (size_t j = from; j < to; j++) {
            struct query_source *source = &w->uses->sources.at[j];
            if (source->mode < LOCK_ROW_SHARE &&
                is_locked_by(select->locking_clause[i]->locking_clause, source))
                source->mode = LOCK_ROW_SHARE;
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void query_walk_select(struct query_walk *w, struct scope *outer, const PgQuery__SelectStmt *select,
                       struct query_columns *out)
{
    struct scope scope = {
        .outer = outer,
        .select = select,
        .statement = &select->base,
        .is_partial = w->is_exists,
    };
    w->is_exists = false;
    query_walk_with(w, &scope, select->with_clause);
    if (select->larg)
        query_walk_select(w, &scope, select->larg, out);
    if (select->rarg)
        query_walk_select(w, &scope, select->rarg, NULL);
    size_t first = w->uses->sources.count;
    for (size_t i = 0; i < select->n_from_clause; i++)
        query_walk_from(w, &scope, select->from_clause[i]);
    walk_locking(w, select, first, w->uses->sources.count);
    if (select->n_values_lists)
        walk_values(w, &scope, select, out);
    walk_targets(w, &scope, select->target_list, select->n_target_list, out);
    query_walk_list(w, &scope, select->distinct_clause, select->n_distinct_clause);
    query_walk_expression(w, &scope, select->where_clause);
    query_walk_list(w, &scope, select->group_clause, select->n_group_clause);
    query_walk_expression(w, &scope, select->having_clause);
    query_walk_list(w, &scope, select->window_clause, select->n_window_clause);
    query_walk_list(w, &scope, select->sort_clause, select->n_sort_clause);
    query_walk_expression(w, &scope, select->limit_count);
    query_walk_expression(w, &scope, select->limit_offset);
}

/* ---- DML ---- */

/* Columns that are set, by the names before "=" or in the list of INSERT. */
static void mention_targets(struct query_walk *w, struct scope *scope, PgQuery__Node *const *at,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
            continue;
        if (scope->items.count)
            query_item_mention(w, &scope->items.at[0], str_of(at[i]->res_target->name), NULL);
        query_walk_expression(w, scope, at[i]->res_target->val);
    }
}

static void walk_insert(struct query_walk *w, struct scope *outer,
                        const PgQuery__InsertStmt *insert, struct query_columns *out)
{
    struct scope scope = {.outer = outer, .statement = &insert->base};
    query_walk_with(w, &scope, insert->with_clause);
    if (insert->select_stmt)
        query_walk_statement(w, &scope, insert->select_stmt, NULL);
    query_walk_target(w, &scope, insert->relation);
    mention_targets(w, &scope, insert->cols, insert->n_cols);
    if (insert->on_conflict_clause) {
        const PgQuery__OnConflictClause *conflict = insert->on_conflict_clause;
        mention_targets(w, &scope, conflict->target_list, conflict->n_target_list);
        query_walk_expression(w, &scope, conflict->where_clause);
        if (conflict->infer)
            query_walk_message(w, &scope, &conflict->infer->base);
    }
    walk_targets(w, &scope, insert->returning_list, insert->n_returning_list, out);
}

static void walk_update(struct query_walk *w, struct scope *outer,
                        const PgQuery__UpdateStmt *update, struct query_columns *out)
{
    struct scope scope = {.outer = outer, .statement = &update->base};
    query_walk_with(w, &scope, update->with_clause);
    query_walk_target(w, &scope, update->relation);
    for (size_t i = 0; i < update->n_from_clause; i++)
        query_walk_from(w, &scope, update->from_clause[i]);
    mention_targets(w, &scope, update->target_list, update->n_target_list);
    query_walk_expression(w, &scope, update->where_clause);
    walk_targets(w, &scope, update->returning_list, update->n_returning_list, out);
}

static void walk_delete(struct query_walk *w, struct scope *outer,
                        const PgQuery__DeleteStmt *delete, struct query_columns *out)
{
    struct scope scope = {.outer = outer, .statement = &delete->base};
    query_walk_with(w, &scope, delete->with_clause);
    query_walk_target(w, &scope, delete->relation);
    for (size_t i = 0; i < delete->n_using_clause; i++)
        query_walk_from(w, &scope, delete->using_clause[i]);
    query_walk_expression(w, &scope, delete->where_clause);
    walk_targets(w, &scope, delete->returning_list, delete->n_returning_list, out);
}

static void walk_merge(struct query_walk *w, struct scope *outer, const PgQuery__MergeStmt *merge)
{
    struct scope scope = {.outer = outer, .statement = &merge->base};
    query_walk_with(w, &scope, merge->with_clause);
    query_walk_target(w, &scope, merge->relation);
    if (merge->source_relation)
        query_walk_from(w, &scope, merge->source_relation);
    query_walk_expression(w, &scope, merge->join_condition);
    for (size_t i = 0; i < merge->n_merge_when_clauses; i++) {
        if (merge->merge_when_clauses[i]->node_case != PG_QUERY__NODE__NODE_MERGE_WHEN_CLAUSE)
            continue;
        const PgQuery__MergeWhenClause *when = merge->merge_when_clauses[i]->merge_when_clause;
        query_walk_expression(w, &scope, when->condition);
        mention_targets(w, &scope, when->target_list, when->n_target_list);
        query_walk_list(w, &scope, when->values, when->n_values);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void query_walk_statement(struct query_walk *w, struct scope *outer, const PgQuery__Node *node,
                          struct query_columns *out)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        query_walk_select(w, outer, node->select_stmt, out);
        break;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        walk_insert(w, outer, node->insert_stmt, out);
        break;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        walk_update(w, outer, node->update_stmt, out);
        break;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        walk_delete(w, outer, node->delete_stmt, out);
        break;
    case PG_QUERY__NODE__NODE_MERGE_STMT:
        walk_merge(w, outer, node->merge_stmt);
        break;
    default: /* VALUES and TABLE are SELECTs; nothing else is a query */
        break;
    }
}

/* ---- the doors ---- */

void query_uses_read(struct deed *d, const PgQuery__Node *query, struct query_uses *out)
{
    *out = (struct query_uses){0};
    struct query_walk w = {.deed = d, .a = d->a, .uses = out};
    struct query_columns columns = {0};
    if (query)
        query_walk_statement(&w, NULL, query, &columns);
    out->output.at = columns.at;
    out->output.count = columns.count;
    out->output.room = columns.room;
}

void query_uses_expression(struct deed *d, const PgQuery__Node *tree, struct catalog_relation *r,
                           struct query_uses *out)
{
    struct query_walk w = {.deed = d, .a = d->a, .uses = out};
    struct scope scope = {0};
    if (r)
        query_add_relation(&w, &scope, NULL, r);
    query_walk_expression(&w, &scope, tree);
}
