/* Conditions as they are written, or printed by pg_get_expr(), into predicates. */
#include "planner/postgres/predicate.h"
#include "planner/postgres/type_parts.h"

struct reader {
    struct arena *a;
    const struct catalog *c;
    const struct catalog_relation *r;
};

static struct predicate *other(const struct reader *x, const PgQuery__Node *tree, bool is_negated)
{
    struct predicate *p = predicate_make(x->a, PREDICATE_OTHER);
    p->tree = tree;
    p->is_negated = is_negated;
    return p;
}

/* ---- what is compared ---- */

static const struct catalog_column *column_of(const struct reader *x, const PgQuery__Node *node)
{
    if (node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || !node->column_ref->n_fields)
        return NULL;
    const PgQuery__Node *last = node->column_ref->fields[node->column_ref->n_fields - 1];
    bool is_name = last->node_case == PG_QUERY__NODE__NODE_STRING;
    return is_name ? catalog_find_column(x->r, str_of(last->string->sval)) : NULL;
}

/* A column, also under a cast that only changes its label: (c)::text of a varchar. Else an expression. */
static struct subject subject_of(const struct reader *x, const PgQuery__Node *node,
                                 struct type_ref *out_type, struct str *out_collation)
{
    const PgQuery__Node *inner = node;
    while (inner->node_case == PG_QUERY__NODE__NODE_TYPE_CAST && inner->type_cast->arg)
        inner = inner->type_cast->arg;
    const struct catalog_column *column = column_of(x, inner);
    *out_collation = (struct str){0};
    if (column && inner != node) {
        struct type_ref to = type_resolve(x->c, node->type_cast->type_name, NULL);
        if (to.typmod >= 0 ||
            type_cast_path(x->c, &column->type, &to, CAST_IMPLICIT, NULL) != PATH_RELABEL)
            column = NULL;
    }
    if (column) {
        *out_type = type_base(&column->type);
        *out_collation = column->collation;
        return (struct subject){.column = column->name};
    }
    *out_type = expression_type(x->c, x->r, node);
    return (struct subject){.tree = node};
}

static bool has_column(const PgQuery__Node *node)
{
    while (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST && node->type_cast->arg)
        node = node->type_cast->arg;
    return node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
}

/* ---- comparisons ---- */

static enum operator_kind operator_of(const PgQuery__AExpr *e)
{
    static const struct {
        const char *name;
        enum operator_kind op;
    } names[] = {{"=", OPERATOR_EQ},  {"<>", OPERATOR_NE}, {"!=", OPERATOR_NE}, {"<", OPERATOR_LT},
                 {"<=", OPERATOR_LE}, {">", OPERATOR_GT},  {">=", OPERATOR_GE}};
    const PgQuery__Node *last = e->n_name ? e->name[e->n_name - 1] : NULL;
    for (size_t i = 0; last && i < ARRAY_LEN(names); i++) {
        if (last->node_case == PG_QUERY__NODE__NODE_STRING &&
            strcmp(last->string->sval, names[i].name) == 0)
            return names[i].op;
    }
    return 0;
}

static enum operator_kind commuted(enum operator_kind op)
{
    switch (op) {
    case OPERATOR_LT:
        return OPERATOR_GT;
    case OPERATOR_LE:
        return OPERATOR_GE;
    case OPERATOR_GT:
        return OPERATOR_LT;
    case OPERATOR_GE:
        return OPERATOR_LE;
    default:
        return op;
    }
}

/* subject op constant; NULL: it is not of that form. */
static struct predicate *compare(const struct reader *x, const PgQuery__Node *subject,
                                 enum operator_kind op, const PgQuery__Node *constant)
{
    struct type_ref type;
    struct str collation;
    struct subject s = subject_of(x, subject, &type, &collation);
    struct constant value = constant_read(x->c, constant, &type, collation);
    if (value.kind == CONSTANT_UNKNOWN || value.kind == CONSTANT_NULL)
        return NULL;
    return predicate_compare(x->a, &s, op, &value);
}

static struct predicate *read_operator(const struct reader *x, const PgQuery__Node *tree)
{
    const PgQuery__AExpr *e = tree->a_expr;
    enum operator_kind op = operator_of(e);
    struct predicate *p = NULL;
    if (op && e->lexpr && e->rexpr) {
        p = has_column(e->rexpr) ? NULL : compare(x, e->lexpr, op, e->rexpr);
        if (!p && !has_column(e->lexpr))
            p = compare(x, e->rexpr, commuted(op), e->lexpr);
    }
    return p ? p : other(x, tree, false);
}

static struct predicate *read_list(const struct reader *x, const PgQuery__Node *tree,
                                   PgQuery__Node *const *at, size_t count, bool is_any)
{
    const PgQuery__AExpr *e = tree->a_expr;
    enum operator_kind op = operator_of(e);
    struct predicate *list = predicate_make(x->a, is_any ? PREDICATE_OR : PREDICATE_AND);
    list->is_list = true;
    for (size_t i = 0; i < count; i++) {
        struct predicate *p = op && e->lexpr ? compare(x, e->lexpr, op, at[i]) : NULL;
        if (!p)
            return other(x, tree, false);
        predicate_add(x->a, list, p);
    }
    return count ? list : other(x, tree, false);
}

/* '{a,b}' without anything quoted, into constants. */
static size_t split_array(const struct reader *x, struct str text, PgQuery__Node ***out)
{
    VEC_OF(PgQuery__Node *) list = {0};
    text = str_trim(text);
    if (!str_starts(text, STR("{")) || !str_ends(text, STR("}")) ||
        str_find_char(text, '"') != SIZE_MAX || str_find_char(text, '\\') != SIZE_MAX)
        return 0;
    text = str_range(text.at + 1, text.at + text.len - 1);
    while (text.len) {
        struct str item;
        text = str_cut(text, ',', &item);
        PgQuery__String *s = arena_new(x->a, PgQuery__String);
        PgQuery__AConst *constant = arena_new(x->a, PgQuery__AConst);
        PgQuery__Node *node = arena_new(x->a, PgQuery__Node);
        pg_query__string__init(s);
        pg_query__a__const__init(constant);
        pg_query__node__init(node);
        s->sval = arena_cstr(x->a, str_trim(item));
        constant->val_case = PG_QUERY__A__CONST__VAL_SVAL;
        constant->sval = s;
        constant->isnull = str_equal_nocase(str_trim(item), STR("null"));
        node->node_case = PG_QUERY__NODE__NODE_A_CONST;
        node->a_const = constant;
        vec_push(x->a, &list, node);
    }
    *out = list.at;
    return list.count;
}

/* = ANY (ARRAY[…]), also as the server prints it: (ARRAY[…])::text[]. */
static struct predicate *read_array(const struct reader *x, const PgQuery__Node *tree, bool is_any)
{
    const PgQuery__Node *array = tree->a_expr->rexpr;
    while (array && array->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        array = array->type_cast->arg;
    if (!array)
        return other(x, tree, false);
    if (array->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR)
        return read_list(x, tree, array->a_array_expr->elements, array->a_array_expr->n_elements,
                         is_any);
    if (array->node_case == PG_QUERY__NODE__NODE_A_CONST &&
        array->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
        PgQuery__Node **items = NULL;
        size_t count = split_array(x, str_of(array->a_const->sval->sval), &items);
        return read_list(x, tree, items, count, is_any);
    }
    return other(x, tree, false);
}

static struct predicate *read_in(const struct reader *x, const PgQuery__Node *tree)
{
    const PgQuery__Node *list = tree->a_expr->rexpr;
    if (!list || list->node_case != PG_QUERY__NODE__NODE_LIST)
        return other(x, tree, false);
    return read_list(x, tree, list->list->items, list->list->n_items,
                     operator_of(tree->a_expr) == OPERATOR_EQ);
}

static struct predicate *read_between(const struct reader *x, const PgQuery__Node *tree)
{
    const PgQuery__AExpr *e = tree->a_expr;
    const PgQuery__Node *list = e->rexpr;
    if (!e->lexpr || !list || list->node_case != PG_QUERY__NODE__NODE_LIST ||
        list->list->n_items != 2)
        return other(x, tree, false);
    struct predicate *from = compare(x, e->lexpr, OPERATOR_GE, list->list->items[0]);
    struct predicate *to = compare(x, e->lexpr, OPERATOR_LE, list->list->items[1]);
    if (!from || !to)
        return other(x, tree, false);
    struct predicate *both = predicate_make(x->a, PREDICATE_AND);
    predicate_add(x->a, both, from);
    predicate_add(x->a, both, to);
    return e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ? predicate_negate(both) : both;
}

/* A column or expression. Of a row that is written out, the test is one of each field (clauses.c:
   eval_const_expressions); of a composite value it is left alone. */
static struct predicate *read_null_test(const struct reader *x, const PgQuery__Node *tree,
                                        const PgQuery__Node *tested, bool is_not_null)
{
    struct type_ref type;
    struct str collation;
    if (tested->node_case == PG_QUERY__NODE__NODE_ROW_EXPR) {
        struct predicate *all = predicate_make(x->a, PREDICATE_AND);
        for (size_t i = 0; i < tested->row_expr->n_args; i++) {
            struct subject field = subject_of(x, tested->row_expr->args[i], &type, &collation);
            predicate_add(x->a, all, predicate_null_test(x->a, &field, is_not_null));
        }
        return all;
    }
    struct subject s = subject_of(x, tested, &type, &collation);
    if (type.user && !type.is_array && type.user->kind == TYPE_COMPOSITE)
        return other(x, tree, false);
    return predicate_null_test(x->a, &s, is_not_null);
}

static bool is_null_constant(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_A_CONST && node->a_const->isnull;
}

/* IS [NOT] DISTINCT FROM NULL is a test for NULL (parse_expr.c: transformAExprDistinct). */
static struct predicate *read_distinct(const struct reader *x, const PgQuery__Node *tree)
{
    const PgQuery__AExpr *e = tree->a_expr;
    const PgQuery__Node *tested = is_null_constant(e->rexpr) ? e->lexpr : e->rexpr;
    if (!e->lexpr || !e->rexpr || !(is_null_constant(e->rexpr) || is_null_constant(e->lexpr)))
        return other(x, tree, false);
    return read_null_test(x, tree, tested, e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT);
}

static struct predicate *read_tree(const struct reader *x, const PgQuery__Node *tree);

/* A condition compared with true or false is itself, or its negation (clauses.c:
   simplify_boolean_equality). NULL: it is something else. NOLINTNEXTLINE(misc-no-recursion) */
static struct predicate *read_truth(const struct reader *x, const PgQuery__AExpr *e)
{
    const PgQuery__Node *condition = e->lexpr;
    const PgQuery__Node *value = e->rexpr;
    if (!condition || !value || value->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        value->a_const->val_case != PG_QUERY__A__CONST__VAL_BOOLVAL ||
        (condition->node_case != PG_QUERY__NODE__NODE_NULL_TEST &&
         condition->node_case != PG_QUERY__NODE__NODE_BOOL_EXPR))
        return NULL;
    enum operator_kind op = operator_of(e);
    if (op != OPERATOR_EQ && op != OPERATOR_NE)
        return NULL;
    bool is_itself = value->a_const->boolval->boolval == (op == OPERATOR_EQ);
    struct predicate *p = read_tree(x, condition);
    return is_itself ? p : predicate_negate(p);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition */
static struct predicate *read_expression(const struct reader *x, const PgQuery__Node *tree)
{
    struct predicate *truth;
    switch ((int)tree->a_expr->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        truth = read_truth(x, tree->a_expr);
        return truth ? truth : read_operator(x, tree);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
        return read_distinct(x, tree);
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
        return read_array(x, tree, tree->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
        return read_in(x, tree);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
        return read_between(x, tree);
    default:
        return other(x, tree, false);
    }
}

/* A column that is a condition itself is one compared with true (eval_const_expressions does it the other
   way round). */
static struct predicate *read_bool(const struct reader *x, const PgQuery__Node *tree)
{
    const struct catalog_column *column = column_of(x, tree);
    if (!column || !str_equal(type_base(&column->type).builtin, STR("bool")))
        return other(x, tree, false);
    struct subject s = {.column = column->name};
    struct constant yes = {.kind = CONSTANT_NUMBER, .number = 1, .is_bool = true};
    return predicate_compare(x->a, &s, OPERATOR_EQ, &yes);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition */
static struct predicate *read_connected(const struct reader *x, const PgQuery__BoolExpr *b)
{
    if (b->boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR && b->n_args == 1)
        return predicate_negate(read_tree(x, b->args[0]));
    bool is_and = b->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
    struct predicate *p = predicate_make(x->a, is_and ? PREDICATE_AND : PREDICATE_OR);
    for (size_t i = 0; i < b->n_args; i++)
        predicate_add(x->a, p, read_tree(x, b->args[i]));
    return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition */
static struct predicate *read_tree(const struct reader *x, const PgQuery__Node *tree)
{
    switch ((int)tree->node_case) {
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return read_connected(x, tree->bool_expr);
    case PG_QUERY__NODE__NODE_NULL_TEST:
        if (!tree->null_test->arg)
            return other(x, tree, false);
        return read_null_test(x, tree, tree->null_test->arg,
                              tree->null_test->nulltesttype ==
                                  PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return read_expression(x, tree);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return read_bool(x, tree);
    default:
        return other(x, tree, false);
    }
}

struct predicate *predicate_read(struct arena *a, const struct catalog *c,
                                 const struct catalog_relation *r, const PgQuery__Node *tree)
{
    struct reader x = {.a = a, .c = c, .r = r};
    return read_tree(&x, tree);
}

bool expression_proves_not_null(const struct catalog *c, const struct catalog_relation *r,
                                const PgQuery__Node *tree, const struct catalog_column *column)
{
    /* Of a row, IS NOT NULL speaks of its fields. */
    struct type_ref base = type_base(&column->type);
    if (!tree || (base.user && !base.is_array && base.user->kind == TYPE_COMPOSITE))
        return false;
    SCOPED(arena) struct arena *a = arena_make();
    struct subject s = {.column = column->name};
    struct predicate *known = predicate_flatten(a, predicate_read(a, c, r, tree));
    return predicate_implies(known, predicate_null_test(a, &s, true), false);
}
