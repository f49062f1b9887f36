/* WHERE against the bounds of partitions, clause by clause. */
#include "planner/postgres/partition_parts.h"

#include <string.h>

/* ---- bounds ---- */

/* A bound that came as text is read with the statement it would stand in. */
const PgQuery__PartitionBoundSpec *partition_bound(struct deed *d, const struct catalog_relation *r)
{
    if (r->bound.tree || !r->bound.text.len)
        return r->bound.tree;
    const char *text =
        arena_printf(d->a, "ALTER TABLE a ATTACH PARTITION b %.*s", STR_ARG(r->bound.text));
    struct parse_tree tree;
    parse_statement_kept(d->a, str_of(text), &tree);
    if (!tree.node || tree.node->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        return NULL;
    const PgQuery__AlterTableStmt *alter = tree.node->alter_table_stmt;
    if (alter->n_cmds != 1 || alter->cmds[0]->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
        return NULL;
    const PgQuery__Node *def = alter->cmds[0]->alter_table_cmd->def;
    if (!def || def->node_case != PG_QUERY__NODE__NODE_PARTITION_CMD)
        return NULL;
    return def->partition_cmd->bound;
}

const struct catalog_column *partition_key_column(const struct match *m, size_t key)
{
    return key < m->parent->partition_keys.count ? m->parent->partition_keys.at[key].column : NULL;
}

static bool is_true(enum comparison op, int order)
{
    switch (op) {
    case COMPARE_EQUAL:
        return order == 0;
    case COMPARE_LESS:
        return order < 0;
    case COMPARE_LESS_EQUAL:
        return order <= 0;
    case COMPARE_MORE:
        return order > 0;
    case COMPARE_MORE_EQUAL:
        return order >= 0;
    }
    return true;
}

static bool list_may(const struct match *m, enum comparison op, const struct value *v)
{
    const struct catalog_column *column = partition_key_column(m, 0);
    for (size_t i = 0; i < m->bound->n_listdatums; i++) {
        struct value one = value_of(m->deed->a, m->bound->listdatums[i], &column->type);
        int order;
        if (one.kind == VALUE_NULL)
            continue;
        if (!value_compare(&one, v, &order) || is_true(op, order))
            return true;
    }
    return false;
}

static bool range_may(const struct match *m, enum comparison op, const struct value *v)
{
    const PgQuery__PartitionBoundSpec *bound = m->bound;
    const struct catalog_column *column = partition_key_column(m, 0);
    if (!bound->n_lowerdatums || !bound->n_upperdatums)
        return true;
    struct value low = value_of(m->deed->a, bound->lowerdatums[0], &column->type);
    struct value high = value_of(m->deed->a, bound->upperdatums[0], &column->type);
    int above;
    int below;
    if (!value_compare(&low, v, &above) || !value_compare(&high, v, &below))
        return true;
    bool ends_behind = bound->n_upperdatums > 1 ? below >= 0 : below > 0;
    switch (op) {
    case COMPARE_EQUAL:
        return above <= 0 && ends_behind;
    case COMPARE_LESS:
        return above < 0;
    case COMPARE_LESS_EQUAL:
        return above <= 0;
    default:
        return ends_behind;
    }
}

/* Whether rows of m->child may have such a value in the key's first column. */
static bool bound_may(const struct match *m, enum comparison op, const struct value *v)
{
    if (v->kind == VALUE_NULL)
        return false;
    if (v->kind != VALUE_NUMBER && v->kind != VALUE_TEXT)
        return true;
    if (!m->bound || m->bound->strategy[0] == 'h')
        return true;
    return m->bound->strategy[0] == 'l' ? list_may(m, op, v) : range_may(m, op, v);
}

/* The rest goes to the default partition: what a sibling takes as a whole does not. */
static bool default_may(const struct match *m, enum comparison op, const struct value *v)
{
    if (v->kind == VALUE_NULL)
        return false;
    if (op != COMPARE_EQUAL || (v->kind != VALUE_NUMBER && v->kind != VALUE_TEXT))
        return true;
    for (size_t i = 0; i < m->parent->children.count; i++) {
        struct match sibling = *m;
        sibling.child = m->parent->children.at[i];
        if (sibling.child->is_dropped || sibling.child->bound.is_default)
            continue;
        sibling.bound = partition_bound(m->deed, sibling.child);
        bool is_single = !sibling.bound || sibling.bound->n_upperdatums <= 1;
        if (sibling.bound && is_single && bound_may(&sibling, op, v))
            return false;
    }
    return true;
}

static bool may(const struct match *m, enum comparison op, const struct value *v)
{
    return m->child->bound.is_default ? default_may(m, op, v) : bound_may(m, op, v);
}

/* ---- clauses ---- */

bool partition_is_column(const struct match *m, const PgQuery__Node *node,
                         const struct catalog_column *column)
{
    while (node && node->node_case == PG_QUERY__NODE__NODE_RELABEL_TYPE)
        node = node->relabel_type->arg;
    if (!column || !node || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
        return false;
    const PgQuery__ColumnRef *ref = node->column_ref;
    const PgQuery__Node *last = ref->n_fields ? ref->fields[ref->n_fields - 1] : NULL;
    if (!last || last->node_case != PG_QUERY__NODE__NODE_STRING ||
        !str_equal(str_of(last->string->sval), column->name))
        return false;
    if (ref->n_fields == 1)
        return true;
    const PgQuery__Node *qualifier = ref->fields[ref->n_fields - 2];
    return qualifier->node_case == PG_QUERY__NODE__NODE_STRING &&
           str_equal(str_of(qualifier->string->sval), m->alias);
}

static bool is_key(const struct match *m, const PgQuery__Node *node)
{
    return partition_is_column(m, node, partition_key_column(m, 0));
}

bool partition_operator(const PgQuery__AExpr *e, bool is_swapped, enum comparison *out)
{
    if (e->n_name != 1 || e->name[0]->node_case != PG_QUERY__NODE__NODE_STRING)
        return false;
    static const struct {
        const char *name;
        enum comparison op, swapped;
    } operators[] = {
        {"=", COMPARE_EQUAL, COMPARE_EQUAL},
        {"<", COMPARE_LESS, COMPARE_MORE},
        {"<=", COMPARE_LESS_EQUAL, COMPARE_MORE_EQUAL},
        {">", COMPARE_MORE, COMPARE_LESS},
        {">=", COMPARE_MORE_EQUAL, COMPARE_LESS_EQUAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (strcmp(operators[i].name, e->name[0]->string->sval) == 0) {
            *out = is_swapped ? operators[i].swapped : operators[i].op;
            return true;
        }
    }
    return false;
}

static bool compare_may(const struct match *m, enum comparison op, const PgQuery__Node *constant)
{
    struct value v = value_of(m->deed->a, constant, &partition_key_column(m, 0)->type);
    return may(m, op, &v);
}

static bool any_may(const struct match *m, PgQuery__Node *const *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (compare_may(m, COMPARE_EQUAL, at[i]))
            return true;
    }
    return false;
}

static bool expression_may(const struct match *m, const PgQuery__AExpr *e)
{
    enum comparison op;
    bool is_left = is_key(m, e->lexpr);
    const PgQuery__Node *other = is_left ? e->rexpr : e->lexpr;
    if (!other || (!is_left && !is_key(m, e->rexpr)))
        return true;
    bool is_list = other->node_case == PG_QUERY__NODE__NODE_LIST;
    switch ((int)e->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        return !partition_operator(e, !is_left, &op) || compare_may(m, op, other);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
        if (!is_left || !is_list || !partition_operator(e, false, &op) || op != COMPARE_EQUAL)
            return true;
        return any_may(m, other->list->items, other->list->n_items);
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
        if (!is_left || other->node_case != PG_QUERY__NODE__NODE_A_ARRAY_EXPR ||
            !partition_operator(e, false, &op) || op != COMPARE_EQUAL)
            return true;
        return any_may(m, other->a_array_expr->elements, other->a_array_expr->n_elements);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
        if (!is_left || !is_list || other->list->n_items != 2)
            return true;
        return compare_may(m, COMPARE_MORE_EQUAL, other->list->items[0]) &&
               compare_may(m, COMPARE_LESS_EQUAL, other->list->items[1]);
    default:
        return true;
    }
}

/* The partition for NULL: the list that has it, or else the default one.
   NOLINTNEXTLINE(misc-no-recursion): siblings, which are not the default */
static bool null_may(const struct match *m)
{
    for (size_t i = 0; i < m->parent->children.count && m->child->bound.is_default; i++) {
        struct match sibling = *m;
        sibling.child = m->parent->children.at[i];
        if (sibling.child->is_dropped || sibling.child->bound.is_default)
            continue;
        sibling.bound = partition_bound(m->deed, sibling.child);
        if (sibling.bound && sibling.bound->strategy[0] == 'l' && null_may(&sibling))
            return false;
    }
    if (m->child->bound.is_default || !m->bound || m->bound->strategy[0] == 'h')
        return true;
    const struct catalog_column *column = partition_key_column(m, 0);
    for (size_t i = 0; i < m->bound->n_listdatums; i++) {
        if (value_of(m->deed->a, m->bound->listdatums[i], &column->type).kind == VALUE_NULL)
            return true;
    }
    return false;
}

static bool is_constant_false(const PgQuery__Node *node)
{
    return node->node_case == PG_QUERY__NODE__NODE_A_CONST && !node->a_const->isnull &&
           node->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL &&
           !node->a_const->boolval->boolval;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static bool clause_may(const struct match *m, const PgQuery__Node *node)
{
    if (is_constant_false(node))
        return false;
    if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR)
        return expression_may(m, node->a_expr);
    if (node->node_case == PG_QUERY__NODE__NODE_NULL_TEST)
        return node->null_test->nulltesttype != PG_QUERY__NULL_TEST_TYPE__IS_NULL ||
               !is_key(m, node->null_test->arg) || null_may(m);
    if (node->node_case != PG_QUERY__NODE__NODE_BOOL_EXPR)
        return true;
    const PgQuery__BoolExpr *e = node->bool_expr;
    bool is_and = e->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
    if (!is_and && e->boolop != PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR)
        return true;
    for (size_t i = 0; i < e->n_args; i++) {
        if (clause_may(m, e->args[i]) != is_and)
            return !is_and;
    }
    return is_and;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as views stand on views */
bool partition_may_match(struct deed *d, const struct catalog_relation *parent,
                         const struct catalog_relation *child,
                         const struct partition_filter *filter)
{
    struct match m = {
        .deed = d,
        .parent = parent,
        .child = child,
        .alias = filter->alias,
        .bound = partition_bound(d, child),
    };
    for (size_t i = 0; i < filter->clauses.count; i++) {
        if (!clause_may(&m, filter->clauses.at[i]))
            return false;
    }
    if (!partition_key_may(&m, filter, NULL, NULL))
        return false;
    if (child->bound.is_default && partition_is_covered(&m, filter))
        return false;
    return !filter->outer || partition_may_match(d, parent, child, filter->outer);
}

/* ---- rows ---- */

bool partition_may_take(struct deed *d, const struct catalog_relation *parent,
                        const struct catalog_relation *child, partition_value *value, void *context)
{
    struct match m = {
        .deed = d, .parent = parent, .child = child, .bound = partition_bound(d, child)};
    const struct catalog_column *column = partition_key_column(&m, 0);
    const PgQuery__Node *node = column ? value(context, column->name) : NULL;
    if (!node || !partition_key_may(&m, NULL, value, context))
        return !node;
    struct value v = value_of(d->a, node, &column->type);
    return v.kind == VALUE_NULL ? null_may(&m) : may(&m, COMPARE_EQUAL, &v);
}
