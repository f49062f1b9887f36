/* Rows are followed as far as "none" and "some". */
#include "planner/postgres/analysis_rows.h"

#include "core/base/vec.h"
#include "planner/postgres/partition_match.h"
#include "planner/postgres/row_values.h"

#include <string.h>

static bool holds_rows(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE ||
           r->kind == RELATION_MATERIALIZED_VIEW || r->kind == RELATION_FOREIGN_TABLE;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitions */
static void mark_some(struct catalog_relation *r)
{
    r->rows = ROWS_SOME;
    if (r->kind != RELATION_PARTITIONED_TABLE)
        return;
    for (size_t i = 0; i < r->children.count; i++) {
        if (!r->children.at[i]->is_dropped)
            mark_some(r->children.at[i]);
    }
}

/* ---- INSERT ---- */

struct inserting {
    struct deed *d;
    VEC_OF(struct catalog_relation *) targets;
    bool is_any; /* rows are put in somewhere, or code runs that may do so */
};

struct routing {
    struct deed *d;
    struct catalog_relation *root;
};

static const PgQuery__Node *value_in_row(void *context, struct str column)
{
    return insert_row_value(context, column);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitions */
static void route(struct deed *d, struct catalog_relation *r, const struct insert_row *row)
{
    struct insert_row copy = *row;
    r->rows = ROWS_SOME;
    if (r->kind != RELATION_PARTITIONED_TABLE)
        return;
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (!child->is_dropped && partition_may_take(d, r, child, value_in_row, &copy))
            route(d, child, row);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitions */
static bool is_filled(const struct catalog_relation *r)
{
    if (r->rows != ROWS_SOME)
        return false;
    for (size_t i = 0; i < r->children.count && r->kind == RELATION_PARTITIONED_TABLE; i++) {
        if (!r->children.at[i]->is_dropped && !is_filled(r->children.at[i]))
            return false;
    }
    return true;
}

static bool take_row(void *context, const struct insert_row *row)
{
    const struct routing *routing = context;
    route(routing->d, routing->root, row);
    return !is_filled(routing->root);
}

static bool is_false(struct arena *a, const PgQuery__Node *node)
{
    const struct row_value v = row_evaluate(a, node, NULL);
    return v.kind == ROW_BOOL && !v.number;
}

static bool find_call(void *context, const ProtobufCMessage *message)
{
    (void)context;
    return message->descriptor == &pg_query__func_call__descriptor;
}

/* Whether a SELECT gives no row: over a table without rows, or WHERE false. An aggregate gives one all
   the same, and any function may be one. */
static bool is_empty(struct deed *d, const PgQuery__Node *node)
{
    if (!node || node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return false;
    const PgQuery__SelectStmt *s = node->select_stmt;
    if (s->op != PG_QUERY__SET_OPERATION__SETOP_NONE || s->with_clause)
        return false;
    for (size_t i = 0; i < s->n_target_list; i++) {
        if (parse_tree_visit(&s->target_list[i]->base, find_call, NULL))
            return false;
    }
    if (s->where_clause && is_false(d->a, s->where_clause))
        return true;
    for (size_t i = 0; i < s->n_from_clause; i++) {
        if (s->from_clause[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        const PgQuery__RangeVar *name = s->from_clause[i]->range_var;
        const struct catalog_relation *r =
            catalog_find_relation(d->catalog, str_of(name->schemaname), str_of(name->relname));
        /* What the script puts no rows into may have some by the time a migration runs. */
        bool has_none =
            r && (r->rows == ROWS_NONE || (r->rows == ROWS_NONE_WRITTEN && !d->catalog->migration));
        if (has_none && !r->children.count && r->kind == RELATION_TABLE)
            return true;
    }
    return false;
}

static struct catalog_relation *note_target(struct inserting *in, const PgQuery__RangeVar *name)
{
    in->is_any = true;
    struct catalog_relation *r =
        name
            ? catalog_find_relation(in->d->catalog, str_of(name->schemaname), str_of(name->relname))
            : NULL;
    if (!r || !holds_rows(r))
        return NULL;
    vec_push(in->d->a, &in->targets, r);
    return r;
}

static void note_insert(struct inserting *in, const PgQuery__InsertStmt *insert)
{
    struct catalog_relation *r = note_target(in, insert->relation);
    if (!r || is_empty(in->d, insert->select_stmt))
        return;
    struct routing routing = {in->d, r};
    if (r->kind != RELATION_PARTITIONED_TABLE ||
        !insert_rows(in->d->a, r, insert, take_row, &routing))
        mark_some(r);
}

static bool look_for_inserts(void *context, const ProtobufCMessage *message)
{
    struct inserting *in = context;
    const ProtobufCMessageDescriptor *kind = message->descriptor;
    struct catalog_relation *r = NULL;
    if (kind == &pg_query__insert_stmt__descriptor)
        note_insert(in, (const PgQuery__InsertStmt *)message);
    else if (kind == &pg_query__merge_stmt__descriptor)
        r = note_target(in, ((const PgQuery__MergeStmt *)message)->relation);
    else if (kind == &pg_query__copy_stmt__descriptor &&
             ((const PgQuery__CopyStmt *)message)->is_from)
        r = note_target(in, ((const PgQuery__CopyStmt *)message)->relation);
    else if (kind == &pg_query__do_stmt__descriptor || kind == &pg_query__call_stmt__descriptor ||
             kind == &pg_query__func_call__descriptor ||
             kind == &pg_query__execute_stmt__descriptor)
        in->is_any = true;
    if (r)
        mark_some(r);
    return false;
}

/* Statements that only define something that may be run later put no rows in. */
static bool runs_queries(const PgQuery__Node *node)
{
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT:
    case PG_QUERY__NODE__NODE_COPY_STMT:
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT: /* which may move them to another partition */
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT:
    case PG_QUERY__NODE__NODE_DO_STMT:
        return true;
    default:
        return false;
    }
}

/* Whether the statement names it, or the table that it is a partition of: then that has been settled. */
static bool is_settled(const struct inserting *in, const struct catalog_relation *r)
{
    while (r->is_partition && r->parents.count)
        r = r->parents.at[0];
    for (size_t i = 0; i < in->targets.count; i++) {
        const struct catalog_relation *target = in->targets.at[i];
        while (target->is_partition && target->parents.count)
            target = target->parents.at[0];
        if (target == r)
            return true;
    }
    return false;
}

/* What the effects say is written to by code that is called: functions, DO, triggers. */
static void note_writes(struct inserting *in, const struct effects *effects)
{
    for (size_t i = 0; i < effects->locks.count; i++) {
        const struct effect_lock *lock = &effects->locks.at[i];
        if (lock->mode != LOCK_ROW_EXCLUSIVE || !lock->object || !holds_rows(lock->object) ||
            is_settled(in, lock->object))
            continue;
        struct catalog_relation *r =
            catalog_find_relation(in->d->catalog, lock->object->schema, lock->object->name);
        if (r)
            r->rows = ROWS_SOME;
    }
}

void rows_note(struct deed *d, const PgQuery__Node *node, const struct effects *effects,
               size_t first_new)
{
    const struct catalog *c = d->catalog;
    for (size_t i = first_new; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (holds_rows(r) && r->rows == ROWS_UNKNOWN)
            r->rows = c->migration ? ROWS_NONE : ROWS_NONE_WRITTEN;
    }
    if (!runs_queries(node))
        return;
    struct inserting in = {.d = d};
    (void)parse_tree_visit(&node->base, look_for_inserts, &in);
    if (in.is_any)
        note_writes(&in, effects);
}

void rows_forget(struct catalog *c)
{
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (holds_rows(r) && r->rows == ROWS_NONE_WRITTEN)
            r->rows = ROWS_UNKNOWN;
    }
}

/* ---- set_config() ---- */

static const PgQuery__FuncCall *only_call(const PgQuery__Node *node)
{
    if (node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return NULL;
    const PgQuery__SelectStmt *select = node->select_stmt;
    if (select->n_target_list != 1 || select->n_from_clause ||
        select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
        return NULL;
    const PgQuery__Node *value = select->target_list[0]->res_target->val;
    return value && value->node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? value->func_call : NULL;
}

/* at == NULL: no constant. */
static struct str constant(const PgQuery__Node *node)
{
    while (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        node = node->type_cast->arg;
    if (!node || node->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return (struct str){0};
    const PgQuery__AConst *value = node->a_const;
    if (value->val_case == PG_QUERY__A__CONST__VAL_SVAL)
        return str_of(value->sval->sval);
    if (value->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL)
        return value->boolval->boolval ? STR("t") : STR("f");
    return (struct str){0};
}

struct config_call {
    struct str name;
    struct str value;
    bool is_local;
};

static bool read_config_call(const PgQuery__Node *node, struct config_call *out)
{
    const PgQuery__FuncCall *call = only_call(node);
    if (!call || call->n_args != 3 || !call->n_funcname)
        return false;
    const PgQuery__Node *last = call->funcname[call->n_funcname - 1];
    if (last->node_case != PG_QUERY__NODE__NODE_STRING ||
        strcmp(last->string->sval, "set_config") != 0)
        return false;
    struct str local = constant(call->args[2]);
    out->name = constant(call->args[0]);
    out->value = constant(call->args[1]);
    out->is_local = local.len && char_lower(local.at[0]) == 't';
    return out->name.at && out->value.at;
}

void settings_note(struct catalog *c, const PgQuery__Node *node)
{
    struct config_call call;
    if (read_config_call(node, &call))
        catalog_set(c, call.name, call.value, call.is_local);
}

static bool sets_empty_path(const PgQuery__VariableSetStmt *s)
{
    struct str name = str_of(s->name);
    struct str value = s->n_args == 1 ? constant(s->args[0]) : STR("x");
    return s->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE &&
           str_equal_nocase(name, STR("search_path")) && value.at && value.len == 0;
}

bool is_dump_header(const PgQuery__Node *node)
{
    struct config_call call;
    if (node->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT)
        return sets_empty_path(node->variable_set_stmt);
    return read_config_call(node, &call) && str_equal_nocase(call.name, STR("search_path")) &&
           call.value.len == 0;
}
