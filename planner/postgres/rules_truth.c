/* Conditions that need no row: what a WHERE of constants comes to. Three-valued, as SQL is. */
#include "planner/postgres/rules_support.h"

enum truth { TRUTH_UNKNOWN = 0, TRUTH_FALSE, TRUTH_TRUE, TRUTH_NULL };

enum { DEPTH_MAX = 100 }; /* deeper ones are written by machines, and taken as not known */

static enum truth truth_of(const PgQuery__Node *n, unsigned depth);

static enum truth truth_from(bool is_true)
{
    return is_true ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth truth_not(enum truth t)
{
    return t == TRUTH_TRUE ? TRUTH_FALSE : t == TRUTH_FALSE ? TRUTH_TRUE : t;
}

static bool is_null_constant(const PgQuery__Node *n)
{
    while (n && n->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        n = n->type_cast->arg;
    return n && n->node_case == PG_QUERY__NODE__NODE_A_CONST && n->a_const->isnull;
}

static const PgQuery__AConst *constant(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_A_CONST && !n->a_const->isnull ? n->a_const
                                                                                    : NULL;
}

/* One that decides settles it; one that is not known leaves all open; NULL is left behind last. */
/* NOLINTNEXTLINE(misc-no-recursion): to DEPTH_MAX */
static enum truth truth_of_list(const PgQuery__BoolExpr *e, enum truth decides, unsigned depth)
{
    enum truth sum = truth_not(decides);
    for (size_t i = 0; i < e->n_args; i++) {
        enum truth one = truth_of(e->args[i], depth);
        if (one == decides)
            return decides;
        if (one == TRUTH_UNKNOWN || sum == TRUTH_UNKNOWN)
            sum = TRUTH_UNKNOWN;
        else if (one == TRUTH_NULL)
            sum = TRUTH_NULL;
    }
    return sum;
}

/* NOLINTNEXTLINE(misc-no-recursion): to DEPTH_MAX */
static enum truth truth_of_bool(const PgQuery__BoolExpr *e, unsigned depth)
{
    switch (e->boolop) {
    case PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR:
        return truth_of_list(e, TRUTH_FALSE, depth);
    case PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR:
        return truth_of_list(e, TRUTH_TRUE, depth);
    case PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR:
        return e->n_args == 1 ? truth_not(truth_of(e->args[0], depth)) : TRUTH_UNKNOWN;
    default:
        return TRUTH_UNKNOWN;
    }
}

static enum truth truth_of_null_test(const PgQuery__NullTest *t)
{
    bool is_null = is_null_constant(t->arg);
    if (!is_null && !constant(t->arg))
        return TRUTH_UNKNOWN;
    return truth_from(is_null == (t->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL));
}

/* NOLINTNEXTLINE(misc-no-recursion): to DEPTH_MAX */
static enum truth truth_of_test(const PgQuery__BooleanTest *t, unsigned depth)
{
    enum truth arg = truth_of(t->arg, depth);
    if (arg == TRUTH_UNKNOWN)
        return TRUTH_UNKNOWN;
    switch (t->booltesttype) {
    case PG_QUERY__BOOL_TEST_TYPE__IS_TRUE:
        return truth_from(arg == TRUTH_TRUE);
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE:
        return truth_from(arg != TRUTH_TRUE);
    case PG_QUERY__BOOL_TEST_TYPE__IS_FALSE:
        return truth_from(arg == TRUTH_FALSE);
    case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE:
        return truth_from(arg != TRUTH_FALSE);
    default:
        return TRUTH_UNKNOWN;
    }
}

/* Of numbers; of texts only whether they are spelled the same. */
static enum truth truth_of_comparison(const PgQuery__AExpr *e)
{
    const PgQuery__AConst *left = constant(e->lexpr);
    const PgQuery__AConst *right = constant(e->rexpr);
    if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || e->n_name != 1 || !left || !right)
        return TRUTH_UNKNOWN;
    struct str op = rule_string(e->name[0]);
    bool is_equal = expression_equal(e->lexpr, e->rexpr);
    if (is_equal && str_equal(op, STR("=")))
        return TRUTH_TRUE;
    if (left->val_case != PG_QUERY__A__CONST__VAL_IVAL ||
        right->val_case != PG_QUERY__A__CONST__VAL_IVAL)
        return TRUTH_UNKNOWN;
    int32_t a = left->ival->ival;
    int32_t b = right->ival->ival;
    if (str_equal(op, STR("=")))
        return truth_from(a == b);
    if (str_equal(op, STR("<>")))
        return truth_from(a != b);
    if (str_equal(op, STR("<")))
        return truth_from(a < b);
    if (str_equal(op, STR(">")))
        return truth_from(a > b);
    if (str_equal(op, STR("<=")))
        return truth_from(a <= b);
    return str_equal(op, STR(">=")) ? truth_from(a >= b) : TRUTH_UNKNOWN;
}

/* NOLINTNEXTLINE(misc-no-recursion): to DEPTH_MAX */
static enum truth truth_of(const PgQuery__Node *n, unsigned depth)
{
    if (!n || depth > DEPTH_MAX)
        return TRUTH_UNKNOWN;
    if (is_null_constant(n))
        return TRUTH_NULL;
    switch (n->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
        return n->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL
                   ? truth_from(n->a_const->boolval->boolval)
                   : TRUTH_UNKNOWN;
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return truth_of_bool(n->bool_expr, depth + 1);
    case PG_QUERY__NODE__NODE_NULL_TEST:
        return truth_of_null_test(n->null_test);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
        return truth_of_test(n->boolean_test, depth + 1);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return truth_of_comparison(n->a_expr);
    default:
        return TRUTH_UNKNOWN;
    }
}

bool rule_is_always_true(const PgQuery__Node *tree)
{
    return !tree || truth_of(tree, 0) == TRUTH_TRUE;
}

bool rule_is_never_true(const PgQuery__Node *tree)
{
    enum truth t = truth_of(tree, 0);
    return t == TRUTH_FALSE || t == TRUTH_NULL;
}
