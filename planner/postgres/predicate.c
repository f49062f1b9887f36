/* Trees of conditions, their negation, and proofs: predtest.c. */
#include "planner/postgres/predicate.h"

/* MAX_SAOP_ARRAY_SIZE: longer lists are not looked into. */
#define LIST_MAX 100

struct predicate *predicate_make(struct arena *a, enum predicate_kind kind)
{
    struct predicate *p = arena_new(a, struct predicate);
    p->kind = kind;
    return p;
}

void predicate_add(struct arena *a, struct predicate *p, struct predicate *part)
{
    vec_push(a, &p->parts, part);
}

struct predicate *predicate_compare(struct arena *a, const struct subject *subject,
                                    enum operator_kind op, const struct constant *value)
{
    struct predicate *p = predicate_make(a, PREDICATE_COMPARE);
    p->subject = *subject;
    p->op = op;
    p->value = *value;
    return p;
}

struct predicate *predicate_null_test(struct arena *a, const struct subject *subject,
                                      bool is_not_null)
{
    struct predicate *p = predicate_make(a, is_not_null ? PREDICATE_NOT_NULL : PREDICATE_NULL);
    p->subject = *subject;
    return p;
}

static enum operator_kind negated(enum operator_kind op)
{
    switch (op) {
    case OPERATOR_EQ:
        return OPERATOR_NE;
    case OPERATOR_NE:
        return OPERATOR_EQ;
    case OPERATOR_LT:
        return OPERATOR_GE;
    case OPERATOR_LE:
        return OPERATOR_GT;
    case OPERATOR_GT:
        return OPERATOR_LE;
    case OPERATOR_GE:
        break;
    }
    return OPERATOR_LT;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition */
struct predicate *predicate_negate(struct predicate *p)
{
    switch (p->kind) {
    case PREDICATE_AND:
    case PREDICATE_OR:
        p->kind = p->kind == PREDICATE_AND ? PREDICATE_OR : PREDICATE_AND;
        for (size_t i = 0; i < p->parts.count; i++)
            (void)predicate_negate(p->parts.at[i]);
        break;
    case PREDICATE_COMPARE:
        p->op = negated(p->op);
        break;
    case PREDICATE_NULL:
        p->kind = PREDICATE_NOT_NULL;
        break;
    case PREDICATE_NOT_NULL:
        p->kind = PREDICATE_NULL;
        break;
    case PREDICATE_OTHER:
        p->is_negated = !p->is_negated;
        break;
    }
    return p;
}

static bool is_tree(const struct predicate *p)
{
    return p->kind == PREDICATE_AND || p->kind == PREDICATE_OR;
}

/* The parts of p, those of parts of the same kind among them, one level up. */
static void lift_parts(struct arena *a, struct predicate *p)
{
    struct predicate flat = {.kind = p->kind};
    for (size_t i = 0; i < p->parts.count; i++) {
        struct predicate *part = predicate_flatten(a, p->parts.at[i]);
        if (part->kind != p->kind || part->is_list) {
            predicate_add(a, &flat, part);
            continue;
        }
        for (size_t j = 0; j < part->parts.count; j++)
            predicate_add(a, &flat, part->parts.at[j]);
    }
    p->parts.at = flat.parts.at;
    p->parts.count = flat.parts.count;
    p->parts.room = flat.parts.room;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition */
struct predicate *predicate_flatten(struct arena *a, struct predicate *p)
{
    if (!is_tree(p))
        return p;
    if (!p->is_list)
        lift_parts(a, p);
    return p->parts.count == 1 ? p->parts.at[0] : p;
}

/* ---- leaves ---- */

static bool same_subject(const struct subject *a, const struct subject *b)
{
    if (a->column.len || b->column.len)
        return str_equal(a->column, b->column);
    return a->tree && b->tree && expression_equal(a->tree, b->tree);
}

/* Whether x op1 a makes x op2 b true, from how a compares to b (predtest.c: BT_implies_table). */
static bool comparison_implies(enum operator_kind given, enum comparison c,
                               enum operator_kind wanted)
{
    bool is_less = c == COMPARISON_LESS;
    bool is_greater = c == COMPARISON_GREATER;
    bool is_equal = c == COMPARISON_EQUAL;
    bool is_different = is_less || is_greater || c == COMPARISON_DIFFERENT;
    bool wants_upper = wanted == OPERATOR_LT || wanted == OPERATOR_LE || wanted == OPERATOR_NE;
    bool wants_lower = wanted == OPERATOR_GT || wanted == OPERATOR_GE || wanted == OPERATOR_NE;
    switch (given) {
    case OPERATOR_EQ:
        return (wanted == OPERATOR_EQ && is_equal) || (wanted == OPERATOR_NE && is_different) ||
               (wanted == OPERATOR_LT && is_less) || (wanted == OPERATOR_GT && is_greater) ||
               (wanted == OPERATOR_LE && (is_less || is_equal)) ||
               (wanted == OPERATOR_GE && (is_greater || is_equal));
    case OPERATOR_NE:
        return wanted == OPERATOR_NE && is_equal;
    case OPERATOR_LT:
        return wants_upper && (is_less || is_equal);
    case OPERATOR_GT:
        return wants_lower && (is_greater || is_equal);
    case OPERATOR_LE:
        return wants_upper && (is_less || (is_equal && wanted == OPERATOR_LE));
    case OPERATOR_GE:
        return wants_lower && (is_greater || (is_equal && wanted == OPERATOR_GE));
    }
    return false;
}

/* x <> true is x = false. */
static enum operator_kind plain_operator(const struct predicate *p, struct constant *value)
{
    *value = p->value;
    if (!value->is_bool || p->op != OPERATOR_NE)
        return p->op;
    value->number = !value->number;
    return OPERATOR_EQ;
}

static bool leaf_implies(const struct predicate *given, const struct predicate *wanted, bool is_utc)
{
    struct constant a;
    struct constant b;
    if (given->kind != wanted->kind)
        return false;
    if (given->kind == PREDICATE_OTHER)
        return given->is_negated == wanted->is_negated &&
               expression_equal(given->tree, wanted->tree);
    if (!same_subject(&given->subject, &wanted->subject))
        return false;
    if (given->kind != PREDICATE_COMPARE)
        return true;
    enum operator_kind given_op = plain_operator(given, &a);
    enum operator_kind wanted_op = plain_operator(wanted, &b);
    return comparison_implies(given_op, constant_compare(&a, &b, is_utc), wanted_op);
}

/* ---- trees ---- */

static bool is_leaf(const struct predicate *p)
{
    return !is_tree(p) || (p->is_list && p->parts.count > LIST_MAX);
}

/* Two long lists are the same or they say nothing of each other. */
static bool long_list_implies(const struct predicate *given, const struct predicate *wanted,
                              bool is_utc)
{
    if (given->kind != wanted->kind || given->parts.count != wanted->parts.count)
        return false;
    for (size_t i = 0; i < given->parts.count; i++) {
        const struct predicate *a = given->parts.at[i];
        const struct predicate *b = wanted->parts.at[i];
        if (a->op != b->op || !leaf_implies(a, b, is_utc) || !leaf_implies(b, a, is_utc))
            return false;
    }
    return true;
}

/* Proofs try each part of one against each of the other: with conditions nested deep in each other that
   would not end. Nothing people write comes near. */
#define STEPS_MAX 200000

struct proof {
    bool is_utc;
    size_t steps;
};

static bool follows(struct proof *p, const struct predicate *given, const struct predicate *wanted);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the conditions */
static bool any_given(struct proof *p, const struct predicate *given,
                      const struct predicate *wanted)
{
    for (size_t i = 0; i < given->parts.count; i++) {
        if (follows(p, given->parts.at[i], wanted))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the conditions */
static bool all_given(struct proof *p, const struct predicate *given,
                      const struct predicate *wanted)
{
    for (size_t i = 0; i < given->parts.count; i++) {
        if (!follows(p, given->parts.at[i], wanted))
            return false;
    }
    return given->parts.count > 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the conditions */
static bool any_wanted(struct proof *p, const struct predicate *given,
                       const struct predicate *wanted)
{
    for (size_t i = 0; i < wanted->parts.count; i++) {
        if (follows(p, given, wanted->parts.at[i]))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the conditions */
static bool all_wanted(struct proof *p, const struct predicate *given,
                       const struct predicate *wanted)
{
    for (size_t i = 0; i < wanted->parts.count; i++) {
        if (!follows(p, given, wanted->parts.at[i]))
            return false;
    }
    return true;
}

/* Two ORs. NOLINTNEXTLINE(misc-no-recursion): as deep as the conditions */
static bool each_given_any_wanted(struct proof *p, const struct predicate *given,
                                  const struct predicate *wanted)
{
    for (size_t i = 0; i < given->parts.count; i++) {
        if (!any_wanted(p, given->parts.at[i], wanted))
            return false;
    }
    return true;
}

/* predicate_implied_by_recurse(). NOLINTNEXTLINE(misc-no-recursion): as deep as the conditions */
static bool follows(struct proof *p, const struct predicate *given, const struct predicate *wanted)
{
    if (++p->steps > STEPS_MAX)
        return false;
    if (!is_leaf(wanted) && wanted->kind == PREDICATE_AND)
        return all_wanted(p, given, wanted);
    if (!is_leaf(given) && given->kind == PREDICATE_AND)
        return (!is_leaf(wanted) && any_wanted(p, given, wanted)) || any_given(p, given, wanted);
    if (!is_leaf(given) && !is_leaf(wanted))
        return each_given_any_wanted(p, given, wanted);
    if (!is_leaf(given))
        return all_given(p, given, wanted);
    if (!is_leaf(wanted))
        return any_wanted(p, given, wanted);
    return is_tree(given) ? long_list_implies(given, wanted, p->is_utc)
                          : leaf_implies(given, wanted, p->is_utc);
}

bool predicate_implies(const struct predicate *given, const struct predicate *wanted, bool is_utc)
{
    struct proof p = {.is_utc = is_utc};
    return follows(&p, given, wanted);
}
