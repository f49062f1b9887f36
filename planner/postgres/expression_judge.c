/*
 * Type and volatility of an expression after the server has put constants together and SQL functions in
 * place (parse_expr.c; clauses.c: eval_const_expressions, contain_volatile_functions).
 */
#include "planner/postgres/expression_parts.h"

static struct judged immutable(struct type_ref type)
{
    return (struct judged){.type = type, .volatility = VOLATILITY_IMMUTABLE};
}

/* ---- leaves ---- */

size_t parameter_of(const struct catalog_function *f, const PgQuery__Node *node)
{
    if (!f)
        return SIZE_MAX;
    if (node->node_case == PG_QUERY__NODE__NODE_PARAM_REF) {
        int number = node->param_ref->number;
        return number > 0 && (size_t)number <= f->arguments.count ? (size_t)number - 1 : SIZE_MAX;
    }
    if (node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
        return SIZE_MAX;
    struct str function;
    struct str name =
        expression_name(node->column_ref->fields, node->column_ref->n_fields, &function);
    if (!name.len || (function.len && !str_equal(function, f->name)))
        return SIZE_MAX;
    for (size_t i = 0; i < f->argument_names.count && i < f->arguments.count; i++) {
        if (str_equal(f->argument_names.at[i], name))
            return i;
    }
    return SIZE_MAX;
}

static struct type_ref type_of_name(const struct surroundings *s, const PgQuery__Node *node)
{
    size_t parameter = parameter_of(s->f, node);
    if (parameter != SIZE_MAX)
        return s->f->arguments.at[parameter];
    if (!s->r || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
        return type_nothing();
    struct str name = expression_name(node->column_ref->fields, node->column_ref->n_fields, NULL);
    const struct catalog_column *column = name.len ? catalog_find_column(s->r, name) : NULL;
    return column ? column->type : type_nothing();
}

static struct type_ref type_of_constant(const PgQuery__AConst *constant)
{
    int64_t whole;
    if (constant->isnull)
        return type_builtin("unknown");
    switch (constant->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return type_builtin("int4");
    case PG_QUERY__A__CONST__VAL_FVAL:
        return type_builtin(str_to_i64(str_of(constant->fval->fval), &whole) ? "int8" : "numeric");
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return type_builtin("bool");
    case PG_QUERY__A__CONST__VAL_BSVAL:
        return type_builtin("bit");
    default:
        return type_builtin("unknown");
    }
}

static const char *value_function_type(int op)
{
    switch (op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
        return "date";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
        return "timetz";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
        return "timestamptz";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
        return "time";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
        return "timestamp";
    default:
        return "name";
    }
}

/* ---- any other node: the worst of what is in it ---- */

struct gathering {
    const struct surroundings *s;
    enum volatility worst;
};

static bool gather(void *context, const ProtobufCMessage *message)
{
    struct gathering *g = context;
    if (message->descriptor != &pg_query__node__descriptor)
        return parse_tree_each_child(message, gather, context);
    const void *node = message;
    g->worst = volatility_worse(g->worst, expression_judge(g->s, node).volatility);
    return false;
}

static struct judged of_children(const struct surroundings *s, const PgQuery__Node *node,
                                 const char *type)
{
    struct gathering g = {.s = s, .worst = VOLATILITY_IMMUTABLE};
    (void)parse_tree_each_child(&node->base, gather, &g);
    return (struct judged){.type = type ? type_builtin(type) : type_nothing(),
                           .volatility = g.worst};
}

/* select_common_type(): the first that is no bare literal; text where all are. */
static struct judged of_branches(const struct surroundings *s, PgQuery__Node *const *at,
                                 size_t count)
{
    struct judged out = immutable(type_builtin("unknown"));
    for (size_t i = 0; i < count; i++) {
        struct judged j = expression_judge(s, at[i]);
        out.volatility = volatility_worse(out.volatility, j.volatility);
        if (type_is_literal(&out.type))
            out.type = j.type;
    }
    if (type_is_literal(&out.type))
        out.type = type_builtin("text");
    return out;
}

/* ---- calls, operators, casts ---- */

static struct judged of_call(const struct surroundings *s, const PgQuery__FuncCall *call)
{
    size_t count = call->n_args < CALL_ARGUMENTS_MAX ? call->n_args : CALL_ARGUMENTS_MAX;
    struct judged *arguments = arena_array(s->a, struct judged, count + 1);
    for (size_t i = 0; i < count; i++)
        arguments[i] = expression_judge(s, call->args[i]);
    return call_judge(s, call, arguments, count);
}

static struct judged of_operator(const struct surroundings *s, const PgQuery__AExpr *x)
{
    struct judged left = immutable(type_nothing());
    struct judged right = left;
    if (x->lexpr)
        left = expression_judge(s, x->lexpr);
    if (x->rexpr)
        right = expression_judge(s, x->rexpr);
    if (x->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP)
        return operator_judge(s, expression_name(x->name, x->n_name, NULL), x->lexpr ? &left : NULL,
                              x->rexpr ? &right : NULL);
    /* IN, BETWEEN, LIKE and so on: what their words stand for is hardly ever more than what is in
       them. */
    bool is_nullif = x->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF;
    return (struct judged){.type = is_nullif ? left.type : type_builtin("bool"),
                           .volatility = volatility_worse(left.volatility, right.volatility)};
}

static enum volatility through_text(const struct surroundings *s, const struct type_ref *from,
                                    const struct type_ref *to)
{
    struct fact output;
    struct fact input;
    struct type_ref old = type_base(from);
    struct type_ref new = type_base(to);
    if (!type_fact(s->c, &old, &output) || !type_fact(s->c, &new, &input))
        return VOLATILITY_STABLE;
    return volatility_worse(volatility_of_letter(fact_letter(&output, TYPE_FACT_OUTPUT)),
                            volatility_of_letter(fact_letter(&input, TYPE_FACT_INPUT)));
}

static enum volatility of_conversion(const struct surroundings *s, const struct type_ref *from,
                                     const struct type_ref *to)
{
    struct fact row = {0};
    switch (type_cast_path(s->c, from, to, CAST_EXPLICIT, &row)) {
    case PATH_RELABEL:
        return VOLATILITY_IMMUTABLE;
    case PATH_FUNCTION:
        return volatility_of_letter(fact_letter(&row, CAST_VOLATILITY));
    case PATH_UNKNOWN:
        return VOLATILITY_UNKNOWN;
    case PATH_TEXT:
        return through_text(s, from, to);
    case PATH_ELEMENTS:
    case PATH_NONE:
        break;
    }
    return VOLATILITY_STABLE;
}

/* A literal is read once, when the statement is ('now'::timestamptz is a constant); anything else is cast
   when it is evaluated. */
static struct judged of_cast(const struct surroundings *s, const PgQuery__TypeCast *cast)
{
    struct judged out = expression_judge(s, cast->arg);
    struct type_ref from = out.type;
    out.type = type_resolve(s->c, cast->type_name, NULL);
    bool is_constant = cast->arg && cast->arg->node_case == PG_QUERY__NODE__NODE_A_CONST;
    if (type_is_literal(&from) && is_constant)
        return out;
    enum volatility v = type_is_known(&from) && !type_is_literal(&from)
                            ? of_conversion(s, &from, &out.type)
                            : VOLATILITY_STABLE;
    out.volatility = volatility_worse(out.volatility, v);
    return out;
}

/* ---- what constants decide ---- */

static bool is_null(const PgQuery__Node *node)
{
    return node->node_case == PG_QUERY__NODE__NODE_A_CONST && node->a_const->isnull;
}

static bool is_value(const PgQuery__Node *node)
{
    while (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST && node->type_cast->arg)
        node = node->type_cast->arg;
    return node->node_case == PG_QUERY__NODE__NODE_A_CONST && !is_null(node);
}

/* 1: true, 0: false, -1: neither for certain. */
static int truth_of(const PgQuery__Node *node)
{
    bool is_bool = node && node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                   node->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL;
    return is_bool ? node->a_const->boolval->boolval != 0 : -1;
}

/* COALESCE ends at the first constant. */
static struct judged of_coalesce(const struct surroundings *s, const PgQuery__CoalesceExpr *x)
{
    size_t count = 0;
    while (count < x->n_args && !is_value(x->args[count]))
        count++;
    return of_branches(s, x->args, count < x->n_args ? count + 1 : count);
}

static void add_branch(const struct surroundings *s, const PgQuery__Node *result,
                       struct judged *out)
{
    struct judged j = expression_judge(s, result);
    out->volatility = volatility_worse(out->volatility, j.volatility);
    if (type_is_literal(&out->type))
        out->type = j.type;
}

/* CASE: branches that are never taken are left out. */
static struct judged of_case(const struct surroundings *s, const PgQuery__CaseExpr *x)
{
    struct judged out = immutable(type_builtin("unknown"));
    bool is_decided = false;
    if (x->arg)
        out.volatility = expression_judge(s, x->arg).volatility;
    for (size_t i = 0; i < x->n_args && !is_decided; i++) {
        const PgQuery__CaseWhen *when =
            x->args[i]->node_case == PG_QUERY__NODE__NODE_CASE_WHEN ? x->args[i]->case_when : NULL;
        int truth = when && !x->arg ? truth_of(when->expr) : -1;
        if (!when || truth == 0)
            continue;
        enum volatility v = expression_judge(s, when->expr).volatility;
        out.volatility = volatility_worse(out.volatility, v);
        add_branch(s, when->result, &out);
        is_decided = truth == 1;
    }
    if (x->defresult && !is_decided)
        add_branch(s, x->defresult, &out);
    if (type_is_literal(&out.type))
        out.type = type_builtin("text");
    return out;
}

/* false AND …, true OR … */
static struct judged of_bool(const struct surroundings *s, const PgQuery__Node *node)
{
    const PgQuery__BoolExpr *x = node->bool_expr;
    for (size_t i = 0; i < x->n_args; i++) {
        int truth = truth_of(x->args[i]);
        if ((x->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR && truth == 0) ||
            (x->boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR && truth == 1))
            return immutable(type_builtin("bool"));
    }
    return of_children(s, node, "bool");
}

static struct judged of_array(const struct surroundings *s, const PgQuery__AArrayExpr *x)
{
    struct judged out = of_branches(s, x->elements, x->n_elements);
    out.type.is_array = type_is_known(&out.type);
    return out;
}

/* a[1], a[1:2]; (row).field, of which the type is not looked for. */
static struct judged of_indirection(const struct surroundings *s, const PgQuery__Node *node)
{
    const PgQuery__AIndirection *x = node->a_indirection;
    struct judged out = of_children(s, node, NULL);
    const PgQuery__Node *last = x->n_indirection ? x->indirection[x->n_indirection - 1] : NULL;
    if (!last || !x->arg || x->arg->node_case != PG_QUERY__NODE__NODE_COLUMN_REF ||
        last->node_case != PG_QUERY__NODE__NODE_A_INDICES)
        return out;
    struct type_ref type = type_of_name(s, x->arg);
    type = type_base(&type);
    if (type.is_array) {
        out.type = type;
        out.type.is_array = last->a_indices->is_slice;
    }
    return out;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
struct judged expression_judge(const struct surroundings *s, const PgQuery__Node *tree)
{
    switch (tree ? (int)tree->node_case : 0) {
    case 0:
        return immutable(type_nothing());
    case PG_QUERY__NODE__NODE_A_CONST:
        return immutable(type_of_constant(tree->a_const));
    case PG_QUERY__NODE__NODE_COLUMN_REF:
    case PG_QUERY__NODE__NODE_PARAM_REF:
        return immutable(type_of_name(s, tree));
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        return of_cast(s, tree->type_cast);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return of_call(s, tree->func_call);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return of_operator(s, tree->a_expr);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
        return (struct judged){
            .type = type_builtin(value_function_type((int)tree->sqlvalue_function->op)),
            .volatility = VOLATILITY_STABLE};
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return of_coalesce(s, tree->coalesce_expr);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return of_branches(s, tree->min_max_expr->args, tree->min_max_expr->n_args);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        return of_case(s, tree->case_expr);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return of_array(s, tree->a_array_expr);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
        return of_indirection(s, tree);
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
        return expression_judge(s, tree->collate_clause->arg);
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
        return expression_judge(s, tree->named_arg_expr->arg);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return of_bool(s, tree);
    case PG_QUERY__NODE__NODE_NULL_TEST:
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
        return of_children(s, tree, "bool");
    default:
        return of_children(s, tree, NULL);
    }
}
