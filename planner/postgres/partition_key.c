/* Keys as a whole: ranges and hashes over several columns; gaps between ranges. */
#include "planner/postgres/partition_parts.h"

/* ---- what is left for a default partition of ranges ---- */

struct interval {
    struct value low, high;
    bool is_high_included;
};

static void narrow(struct interval *in, enum comparison op, const struct value *v)
{
    int order;
    bool is_low = op == COMPARE_EQUAL || op == COMPARE_MORE || op == COMPARE_MORE_EQUAL;
    bool is_high = op == COMPARE_EQUAL || op == COMPARE_LESS || op == COMPARE_LESS_EQUAL;
    if (is_low && value_compare(v, &in->low, &order) && order > 0)
        in->low = *v;
    if (is_high && value_compare(v, &in->high, &order) && order < 0) {
        in->high = *v;
        in->is_high_included = op != COMPARE_LESS;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static void narrow_by(const struct match *m, const PgQuery__Node *node, struct interval *in)
{
    if (node->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
        node->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        for (size_t i = 0; i < node->bool_expr->n_args; i++)
            narrow_by(m, node->bool_expr->args[i], in);
        return;
    }
    if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR)
        return;
    const PgQuery__AExpr *e = node->a_expr;
    const struct type_ref *type = &partition_key_column(m, 0)->type;
    bool is_left = partition_is_column(m, e->lexpr, partition_key_column(m, 0));
    const PgQuery__Node *other = is_left ? e->rexpr : e->lexpr;
    enum comparison op;
    if (!other || (!is_left && !partition_is_column(m, e->rexpr, partition_key_column(m, 0))))
        return;
    if (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && partition_operator(e, !is_left, &op)) {
        struct value v = value_of(m->deed->a, other, type);
        narrow(in, op, &v);
    } else if (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN && is_left &&
               other->node_case == PG_QUERY__NODE__NODE_LIST && other->list->n_items == 2) {
        struct value low = value_of(m->deed->a, other->list->items[0], type);
        struct value high = value_of(m->deed->a, other->list->items[1], type);
        narrow(in, COMPARE_MORE_EQUAL, &low);
        narrow(in, COMPARE_LESS_EQUAL, &high);
    }
}

/* Moves the interval's beginning to the end of a sibling that holds it; false: there is none. */
static bool cover_step(const struct match *m, struct interval *in)
{
    for (size_t i = 0; i < m->parent->children.count; i++) {
        const struct catalog_relation *sibling = m->parent->children.at[i];
        const PgQuery__PartitionBoundSpec *bound = sibling->is_dropped || sibling->bound.is_default
                                                       ? NULL
                                                       : partition_bound(m->deed, sibling);
        if (!bound || bound->n_lowerdatums != 1 || bound->n_upperdatums != 1)
            continue;
        const struct type_ref *type = &partition_key_column(m, 0)->type;
        struct value low = value_of(m->deed->a, bound->lowerdatums[0], type);
        struct value high = value_of(m->deed->a, bound->upperdatums[0], type);
        int before;
        int behind;
        if (value_compare(&low, &in->low, &before) && before <= 0 &&
            value_compare(&high, &in->low, &behind) && behind > 0) {
            in->low = high;
            return true;
        }
    }
    return false;
}

/* Whether the other partitions hold all that the filter lets through. */
bool partition_is_covered(const struct match *m, const struct partition_filter *filter)
{
    struct interval in = {
        .low = {.kind = VALUE_LOWEST},
        .high = {.kind = VALUE_HIGHEST},
        .is_high_included = false,
    };
    if (m->parent->partition_strategy != 'r' || m->parent->partition_keys.count != 1 ||
        !partition_key_column(m, 0))
        return false;
    for (size_t i = 0; i < filter->clauses.count; i++)
        narrow_by(m, filter->clauses.at[i], &in);
    if (in.low.kind == VALUE_LOWEST && in.high.kind == VALUE_HIGHEST)
        return false; /* NULL would be there, too */
    for (size_t steps = 0; steps <= m->parent->children.count; steps++) {
        int order;
        if (value_compare(&in.low, &in.high, &order) &&
            (order > 0 || (order == 0 && !in.is_high_included)))
            return true;
        if (!cover_step(m, &in))
            return false;
    }
    return false;
}

/* ---- hashes ---- */

/* The constant that a column is equal to. NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static const PgQuery__Node *equal_to(const struct match *m, const PgQuery__Node *node,
                                     const struct catalog_column *column)
{
    enum comparison op;
    if (node->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
        node->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        for (size_t i = 0; i < node->bool_expr->n_args; i++) {
            const PgQuery__Node *found = equal_to(m, node->bool_expr->args[i], column);
            if (found)
                return found;
        }
        return NULL;
    }
    if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR ||
        node->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP ||
        !partition_operator(node->a_expr, false, &op) || op != COMPARE_EQUAL)
        return NULL;
    if (partition_is_column(m, node->a_expr->lexpr, column))
        return node->a_expr->rexpr;
    return partition_is_column(m, node->a_expr->rexpr, column) ? node->a_expr->lexpr : NULL;
}

static const PgQuery__Node *filtered_value(const struct match *m,
                                           const struct partition_filter *filter,
                                           const struct catalog_column *column)
{
    const PgQuery__Node *found = NULL;
    for (size_t i = 0; i < filter->clauses.count && !found; i++)
        found = equal_to(m, filter->clauses.at[i], column);
    return found;
}

/* What is known of a key: the first columns of it have constants. */
struct key {
    struct value values[8];
    size_t count; /* known ones */
};

/* filter, or value of a row: where the key comes from. */
static struct key read_key(const struct match *m, const struct partition_filter *filter,
                           partition_value *value, void *context)
{
    struct key key = {0};
    for (size_t i = 0; i < m->parent->partition_keys.count && i < ARRAY_LEN(key.values); i++) {
        const struct catalog_column *column = partition_key_column(m, i);
        if (!column)
            break;
        const PgQuery__Node *node =
            filter ? filtered_value(m, filter, column) : value(context, column->name);
        key.values[i] = value_of(m->deed->a, node, &column->type);
        if (key.values[i].kind == VALUE_UNKNOWN)
            break;
        key.count++;
    }
    return key;
}

static bool hash_may(const struct match *m, const struct key *key)
{
    uint64_t hash = 0;
    if (key->count < m->parent->partition_keys.count || m->bound->modulus <= 0)
        return true;
    for (size_t i = 0; i < key->count; i++) {
        if (!partition_hash_add(&hash, &key->values[i], &partition_key_column(m, i)->type))
            return true;
    }
    return hash % (uint64_t)m->bound->modulus == (uint64_t)m->bound->remainder;
}

/* Column by column against a bound: <0, 0 (as far as the key is known), >0; false: cannot be told. */
static bool compare_key(const struct match *m, const struct key *key, PgQuery__Node *const *at,
                        size_t count, int *out)
{
    *out = 0;
    for (size_t i = 0; i < key->count && i < count && *out == 0; i++) {
        struct value bound = value_of(m->deed->a, at[i], &partition_key_column(m, i)->type);
        if (!value_compare(&key->values[i], &bound, out))
            return false;
    }
    return true;
}

static bool range_holds(const struct match *m, const struct key *key)
{
    int low;
    int high;
    if (!key->count || !compare_key(m, key, m->bound->lowerdatums, m->bound->n_lowerdatums, &low) ||
        !compare_key(m, key, m->bound->upperdatums, m->bound->n_upperdatums, &high))
        return true;
    bool is_whole = key->count == m->parent->partition_keys.count;
    return low >= 0 && (is_whole ? high < 0 : high <= 0);
}

/* Whether rows with this key go to m->child. */
bool partition_key_may(const struct match *m, const struct partition_filter *filter,
                       partition_value *value, void *context)
{
    const struct key known = read_key(m, filter, value, context);
    const struct key *key = &known;
    if (m->bound && m->bound->strategy[0] == 'h')
        return hash_may(m, key);
    if (m->bound && m->bound->strategy[0] == 'r' && !m->child->bound.is_default)
        return range_holds(m, key);
    bool is_whole = key->count == m->parent->partition_keys.count;
    for (size_t i = 0; i < m->parent->children.count && is_whole && key->count > 1; i++) {
        struct match sibling = *m;
        sibling.child = m->parent->children.at[i];
        if (sibling.child->is_dropped || sibling.child->bound.is_default)
            continue;
        sibling.bound = partition_bound(m->deed, sibling.child);
        if (sibling.bound && range_holds(&sibling, key))
            return false;
    }
    return true;
}
