/*
 * Names and types of the columns that come out of a query, as far as they can
 * be told without all operators and functions: what they are made of mostly
 * tells. Source: parse_target.c, parse_type.c.
 */
#include "planner/postgres/query_walk.h"
#include "planner/postgres/types.h"

/* ---- names ---- */

static struct str last_string(PgQuery__Node *const *at, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        if (at[i]->node_case == PG_QUERY__NODE__NODE_STRING)
            return query_string(at[i]);
    }
    return STR("");
}

static struct str sublink_name(const PgQuery__SubLink *link)
{
    switch ((int)link->sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
        return STR("exists");
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
        return STR("array");
    case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK:
        break;
    default:
        return STR("");
    }
    if (!link->subselect || link->subselect->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return STR("");
    const PgQuery__SelectStmt *select = link->subselect->select_stmt;
    while (select->larg)
        select = select->larg;
    if (!select->n_target_list ||
        select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
        return STR("");
    const PgQuery__ResTarget *target = select->target_list[0]->res_target;
    return target->name[0] ? str_of(target->name) : query_target_name(target->val);
}

static struct str value_function_name(const PgQuery__SQLValueFunction *f)
{
    static const char *const names[] = {
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE] = "current_date",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME] = "current_time",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N] = "current_time",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP] = "current_timestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N] = "current_timestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME] = "localtime",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N] = "localtime",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP] = "localtimestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N] = "localtimestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE] = "current_role",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER] = "current_user",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER] = "user",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER] = "session_user",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG] = "current_catalog",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA] = "current_schema",
    };
    size_t op = (size_t)f->op;
    return op < ARRAY_LEN(names) ? str_of(names[op]) : STR("");
}

/* FigureColnameInternal(): an expression's own name; "" : it has none.
 * NOLINTNEXTLINE(misc-no-recursion) */
static struct str own_name(const PgQuery__Node *node)
{
    struct str inner;
    switch (node ? (int)node->node_case : 0) {
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return last_string(node->column_ref->fields, node->column_ref->n_fields);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
        inner = last_string(node->a_indirection->indirection, node->a_indirection->n_indirection);
        return inner.len ? inner : own_name(node->a_indirection->arg);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return last_string(node->func_call->funcname, node->func_call->n_funcname);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF ? STR("nullif")
                                                                           : STR("");
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        inner = own_name(node->type_cast->arg);
        if (inner.len || !node->type_cast->type_name)
            return inner;
        return last_string(node->type_cast->type_name->names, node->type_cast->type_name->n_names);
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
        return own_name(node->collate_clause->arg);
    case PG_QUERY__NODE__NODE_SUB_LINK:
        return sublink_name(node->sub_link);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        inner = own_name(node->case_expr->defresult);
        return inner.len ? inner : STR("case");
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return STR("array");
    case PG_QUERY__NODE__NODE_ROW_EXPR:
        return STR("row");
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return STR("coalesce");
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? STR("greatest")
                                                                           : STR("least");
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
        return value_function_name(node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
        return STR("grouping");
    default:
        return STR("");
    }
}

struct str query_target_name(const PgQuery__Node *node)
{
    struct str name = own_name(node);
    return name.len ? name : STR("?column?");
}

/* ---- types ---- */

static struct type_ref builtin(const char *name)
{
    return (struct type_ref){.builtin = str_of(name), .typmod = -1};
}

static bool is_known(const struct type_ref *t)
{
    return t->builtin.len || t->user || t->unknown.len;
}

static struct type_ref constant_type(const PgQuery__AConst *value)
{
    switch ((int)value->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return builtin("int4");
    case PG_QUERY__A__CONST__VAL_FVAL:
        return builtin("numeric");
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return builtin("bool");
    case PG_QUERY__A__CONST__VAL_BSVAL:
        return builtin("bit");
    default:
        return builtin("text"); /* NULL and strings: unknown becomes text */
    }
}

/* The first of a list whose type is known: what COALESCE, CASE and ARRAY take
 * after. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static struct type_ref first_type(struct query_walk *w, struct scope *scope,
                                  PgQuery__Node *const *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const PgQuery__Node *node = at[i];
        if (node->node_case == PG_QUERY__NODE__NODE_CASE_WHEN)
            node = node->case_when->result;
        if (node && node->node_case == PG_QUERY__NODE__NODE_A_CONST && count > 1 && i + 1 < count)
            continue;
        struct type_ref t = query_expression_type(w, scope, node);
        if (is_known(&t))
            return t;
    }
    return (struct type_ref){.typmod = -1};
}

/* Functions whose result does not hang on their arguments. Source: pg_proc.dat.
 */
static const struct {
    const char *name;
    const char *type;
} result_types[] = {
    {"avg", "numeric"},     {"clock_timestamp", "timestamptz"},
    {"concat", "text"},     {"concat_ws", "text"},
    {"count", "int8"},      {"dense_rank", "int8"},
    {"format", "text"},     {"gen_random_uuid", "uuid"},
    {"json_agg", "json"},   {"json_build_object", "json"},
    {"jsonb_agg", "jsonb"}, {"jsonb_build_object", "jsonb"},
    {"length", "int4"},     {"lower", "text"},
    {"md5", "text"},        {"nextval", "int8"},
    {"now", "timestamptz"}, {"ntile", "int4"},
    {"random", "float8"},   {"rank", "int8"},
    {"replace", "text"},    {"row_number", "int8"},
    {"string_agg", "text"}, {"to_char", "text"},
    {"to_jsonb", "jsonb"},  {"transaction_timestamp", "timestamptz"},
    {"trim", "text"},       {"upper", "text"},
};

/* NOLINTNEXTLINE(misc-no-recursion) */
static struct type_ref call_type(struct query_walk *w, struct scope *scope,
                                 const PgQuery__FuncCall *call)
{
    struct str schema;
    struct str name;
    deed_split_name(call->funcname, call->n_funcname, &schema, &name);
    for (size_t i = 0; i < ARRAY_LEN(result_types); i++) {
        if (str_equal(name, str_of(result_types[i].name)))
            return builtin(result_types[i].type);
    }
    struct catalog_function *f = NULL;
    while ((f = catalog_find_function(w->deed->catalog, schema, name, f)) != NULL) {
        if (call->n_args <= f->arguments.count &&
            call->n_args + f->default_count >= f->arguments.count)
            return f->result;
    }
    if (call->n_args && (str_equal(name, STR("min")) || str_equal(name, STR("max")) ||
                         str_equal(name, STR("generate_series"))))
        return query_expression_type(w, scope, call->args[0]);
    return (struct type_ref){.typmod = -1};
}

/* Comparisons are boolean; arithmetic takes after its operands.
 * NOLINTNEXTLINE(misc-no-recursion) */
static struct type_ref operator_type(struct query_walk *w, struct scope *scope,
                                     const PgQuery__AExpr *e)
{
    if (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF)
        return query_expression_type(w, scope, e->lexpr);
    if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || !e->n_name)
        return builtin("bool");
    struct str name = query_string(e->name[e->n_name - 1]);
    if (str_equal(name, STR("||")))
        return builtin("text");
    if (str_find_char(name, '=') != SIZE_MAX || str_find_char(name, '~') != SIZE_MAX ||
        str_equal(name, STR("<")) || str_equal(name, STR(">")) || str_equal(name, STR("<>")))
        return builtin("bool");
    struct type_ref left = query_expression_type(w, scope, e->lexpr ? e->lexpr : e->rexpr);
    struct type_ref right = query_expression_type(w, scope, e->rexpr);
    left.typmod = right.typmod = -1;
    if (is_known(&left) && type_equal(&left, &right))
        return left;
    return (struct type_ref){.typmod = -1};
}

/* NOLINTNEXTLINE(misc-no-recursion) */
struct type_ref query_expression_type(struct query_walk *w, struct scope *scope,
                                      const PgQuery__Node *node)
{
    struct type_ref t = {.typmod = -1};
    switch (node ? (int)node->node_case : 0) {
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        query_resolve_column(w, scope, node->column_ref, &t);
        break;
    case PG_QUERY__NODE__NODE_A_CONST:
        return constant_type(node->a_const);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        if (node->type_cast->type_name)
            return type_resolve(w->deed->catalog, node->type_cast->type_name, NULL);
        break;
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
        return query_expression_type(w, scope, node->collate_clause->arg);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return call_type(w, scope, node->func_call);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return operator_type(w, scope, node->a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
    case PG_QUERY__NODE__NODE_NULL_TEST:
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
        return builtin("bool");
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return first_type(w, scope, node->coalesce_expr->args, node->coalesce_expr->n_args);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return first_type(w, scope, node->min_max_expr->args, node->min_max_expr->n_args);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        return first_type(w, scope, node->case_expr->args, node->case_expr->n_args);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        t = first_type(w, scope, node->a_array_expr->elements, node->a_array_expr->n_elements);
        t.is_array = is_known(&t);
        break;
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
        if (node->sqlvalue_function->op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE)
            return builtin("date");
        if (node->sqlvalue_function->op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP)
            return builtin("timestamptz");
        break;
    case PG_QUERY__NODE__NODE_SUB_LINK:
        if (node->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK ||
            node->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK)
            return builtin("bool");
        break;
    default:
        break;
    }
    return t;
}
