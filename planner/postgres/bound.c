/*
 * Which rows a partition's bound takes, as a condition (partbounds.c: get_qual_from_partbound), and whether
 * what a table's NOT NULLs and CHECKs say proves it (tablecmds.c: PartConstraintImpliedByRelConstraint).
 */
#include "planner/postgres/predicate.h"

struct bounding {
    struct arena *a;
    const struct catalog *c;
    const struct catalog_relation *parent;
    bool is_unknown; /* a bound that cannot be read: nothing is proven */
};

/* ---- keys ---- */

static struct subject key_subject(const struct bounding *b, size_t i)
{
    const struct index_key *key = &b->parent->partition_keys.at[i];
    if (key->column)
        return (struct subject){.column = key->column->name};
    return (struct subject){.tree = key->expression.tree};
}

static struct constant key_constant(const struct bounding *b, size_t i, const PgQuery__Node *node)
{
    const struct index_key *key = &b->parent->partition_keys.at[i];
    struct str collation = key->collation;
    struct type_ref type;
    if (key->column) {
        type = key->column->type;
        if (!collation.len)
            collation = key->column->collation;
    } else {
        type = expression_type(b->c, b->parent, key->expression.tree);
    }
    return constant_read(b->c, node, &type, collation);
}

static struct predicate *key_compare(const struct bounding *b, size_t i, enum operator_kind op,
                                     const struct constant *value)
{
    struct subject s = key_subject(b, i);
    return predicate_compare(b->a, &s, op, value);
}

static void add_not_null(const struct bounding *b, struct predicate *all)
{
    for (size_t i = 0; i < b->parent->partition_keys.count; i++) {
        struct subject s = key_subject(b, i);
        predicate_add(b->a, all, predicate_null_test(b->a, &s, true));
    }
}

/* ---- lists ---- */

/* The values of a list; whether NULL is among them. */
static bool add_values(struct bounding *b, const PgQuery__PartitionBoundSpec *bound,
                       struct predicate *any)
{
    bool has_null = false;
    for (size_t i = 0; i < bound->n_listdatums; i++) {
        struct constant value = key_constant(b, 0, bound->listdatums[i]);
        if (value.kind == CONSTANT_NULL)
            has_null = true;
        else if (value.kind == CONSTANT_UNKNOWN)
            b->is_unknown = true;
        else
            predicate_add(b->a, any, key_compare(b, 0, OPERATOR_EQ, &value));
    }
    return has_null;
}

static struct predicate *list_condition(const struct bounding *b, struct predicate *any,
                                        bool has_null)
{
    struct subject s = key_subject(b, 0);
    struct predicate *test = predicate_null_test(b->a, &s, !has_null);
    struct predicate *p = predicate_make(b->a, has_null ? PREDICATE_OR : PREDICATE_AND);
    predicate_add(b->a, p, test);
    if (any->parts.count)
        predicate_add(b->a, p, any);
    return p;
}

static struct predicate *values_list(const struct bounding *b)
{
    struct predicate *any = predicate_make(b->a, PREDICATE_OR);
    any->is_list = true;
    return any;
}

/* ---- ranges: get_qual_for_range() ---- */

struct datum {
    bool is_value;
    bool is_min; /* MINVALUE; else, without a value, MAXVALUE */
    struct constant value;
};

static struct datum read_datum(struct bounding *b, size_t i, const PgQuery__Node *node)
{
    struct datum d = {0};
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && node->column_ref->n_fields == 1 &&
        node->column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_STRING) {
        struct str name = str_of(node->column_ref->fields[0]->string->sval);
        d.is_min = str_equal_nocase(name, STR("minvalue"));
        if (d.is_min || str_equal_nocase(name, STR("maxvalue")))
            return d;
    }
    d.is_value = true;
    d.value = key_constant(b, i, node);
    if (d.value.kind == CONSTANT_UNKNOWN || d.value.kind == CONSTANT_NULL)
        b->is_unknown = true;
    return d;
}

/* One side of a range. */
struct side {
    const struct datum *at;
    size_t count;
    bool is_lower;
    bool needs_arm;
    struct predicate *arms;
};

/* Of the last column of an arm: whether the column after it takes in all that equals this one. */
static enum operator_kind last_operator(const struct side *s, size_t i)
{
    const struct datum *next = i + 1 < s->count ? &s->at[i + 1] : NULL;
    if (s->is_lower)
        return !next || (!next->is_value && next->is_min) ? OPERATOR_GE : OPERATOR_GT;
    return next && !next->is_value && !next->is_min ? OPERATOR_LE : OPERATOR_LT;
}

/* The arm that looks at the columns from first to last: equal in all but the last. */
static void add_arm(const struct bounding *b, struct side *s, size_t first, size_t last)
{
    struct predicate *arm = predicate_make(b->a, PREDICATE_AND);
    for (size_t i = first; i <= last && s->needs_arm; i++) {
        enum operator_kind op = i < last ? OPERATOR_EQ : last_operator(s, i);
        if (s->at[i].is_value)
            predicate_add(b->a, arm, key_compare(b, i, op, &s->at[i].value));
    }
    if (arm->parts.count)
        predicate_add(b->a, s->arms, arm);
    if (!s->at[last].is_value || last + 1 >= s->count || !s->at[last + 1].is_value)
        s->needs_arm = false;
}

/* The columns at the front in which both ends are the same. */
static size_t common_front(const struct bounding *b, const struct datum *from,
                           const struct datum *to, size_t count, struct predicate *all)
{
    size_t i = 0;
    while (i < count && from[i].is_value && to[i].is_value &&
           constant_compare(&from[i].value, &to[i].value, true) == COMPARISON_EQUAL) {
        predicate_add(b->a, all, key_compare(b, i, OPERATOR_EQ, &from[i].value));
        i++;
    }
    return i;
}

static struct predicate *
range_condition(struct bounding *b, const PgQuery__PartitionBoundSpec *bound, bool has_null_tests)
{
    struct predicate *all = predicate_make(b->a, PREDICATE_AND);
    size_t count = b->parent->partition_keys.count;
    if (bound->n_lowerdatums != count || bound->n_upperdatums != count) {
        b->is_unknown = true;
        return all;
    }
    struct datum *from = arena_array(b->a, struct datum, count + 1);
    struct datum *to = arena_array(b->a, struct datum, count + 1);
    for (size_t i = 0; i < count; i++) {
        from[i] = read_datum(b, i, bound->lowerdatums[i]);
        to[i] = read_datum(b, i, bound->upperdatums[i]);
    }
    if (has_null_tests)
        add_not_null(b, all);
    size_t first = common_front(b, from, to, count, all);
    struct side lower = {from, count, true, true, predicate_make(b->a, PREDICATE_OR)};
    struct side upper = {to, count, false, true, predicate_make(b->a, PREDICATE_OR)};
    for (size_t last = first; last < count && (lower.needs_arm || upper.needs_arm); last++) {
        add_arm(b, &lower, first, last);
        add_arm(b, &upper, first, last);
    }
    if (lower.arms->parts.count)
        predicate_add(b->a, all, lower.arms);
    if (upper.arms->parts.count)
        predicate_add(b->a, all, upper.arms);
    return all;
}

/* ---- bounds ---- */

const PgQuery__PartitionBoundSpec *partition_bound_tree(struct catalog *c,
                                                        struct catalog_relation *r)
{
    if (r->bound.tree || !r->bound.text.len)
        return r->bound.tree;
    struct parse_tree tree;
    char *sql =
        arena_printf(c->arena, "ALTER TABLE a ATTACH PARTITION b %.*s", STR_ARG(r->bound.text));
    parse_statement_kept(c->arena, str_of(sql), &tree);
    if (!tree.node || tree.node->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT ||
        tree.node->alter_table_stmt->n_cmds != 1)
        return NULL;
    const PgQuery__Node *cmd = tree.node->alter_table_stmt->cmds[0];
    const PgQuery__Node *def = cmd->alter_table_cmd->def;
    if (def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD)
        r->bound.tree = def->partition_cmd->bound;
    return r->bound.tree;
}

/* The default partition: all that is in none of the others. */
static struct predicate *default_condition(struct bounding *b, struct catalog *c,
                                           const struct catalog_relation *self)
{
    bool is_list = b->parent->partition_strategy == 'l';
    struct predicate *any = is_list ? values_list(b) : predicate_make(b->a, PREDICATE_OR);
    bool has_null = false;
    size_t others = 0;
    for (size_t i = 0; i < b->parent->children.count; i++) {
        struct catalog_relation *child = b->parent->children.at[i];
        if (child->is_dropped || !child->is_partition || child == self || child->bound.is_default)
            continue;
        const PgQuery__PartitionBoundSpec *bound = partition_bound_tree(c, child);
        others++;
        if (!bound)
            b->is_unknown = true;
        else if (is_list)
            has_null |= add_values(b, bound, any);
        else
            predicate_add(b->a, any, range_condition(b, bound, false));
    }
    struct predicate *all = predicate_make(b->a, PREDICATE_AND);
    if (!others)
        return all;
    if (is_list) {
        all = list_condition(b, any, has_null);
    } else {
        add_not_null(b, all);
        predicate_add(b->a, all, any);
    }
    return predicate_negate(all);
}

static struct predicate *bound_condition(struct bounding *b, struct catalog *c,
                                         const struct catalog_relation *self,
                                         const PgQuery__PartitionBoundSpec *bound)
{
    char strategy = b->parent->partition_strategy;
    if (!bound || !b->parent->partition_keys.count || (strategy != 'l' && strategy != 'r')) {
        b->is_unknown = true;
        return predicate_make(b->a, PREDICATE_AND);
    }
    for (size_t i = 0; i < b->parent->partition_keys.count; i++) {
        struct index_key *key = &b->parent->partition_keys.at[i];
        if (!key->column && !expression_tree(c, &key->expression))
            b->is_unknown = true;
    }
    if (bound->is_default)
        return default_condition(b, c, self);
    if (strategy == 'r')
        return range_condition(b, bound, true);
    struct predicate *any = values_list(b);
    bool has_null = add_values(b, bound, any);
    return list_condition(b, any, has_null);
}

/* ---- what a table is known to hold ---- */

static struct predicate *known_condition(struct bounding *b, struct catalog *c,
                                         struct catalog_relation *r)
{
    struct predicate *all = predicate_make(b->a, PREDICATE_AND);
    for (size_t i = 0; i < r->columns.count; i++) {
        struct subject s = {.column = r->columns.at[i]->name};
        if (!r->columns.at[i]->is_dropped && r->columns.at[i]->is_not_null)
            predicate_add(b->a, all, predicate_null_test(b->a, &s, true));
    }
    for (size_t i = 0; i < r->constraints.count; i++) {
        const struct catalog_constraint *k = r->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_CHECK || !k->is_valid || !k->is_enforced)
            continue;
        const PgQuery__Node *tree = expression_tree(c, &k->check);
        if (tree)
            predicate_add(b->a, all, predicate_read(b->a, c, r, tree));
    }
    return all;
}

static bool is_proven(struct bounding *b, struct catalog *c, struct catalog_relation *r,
                      struct predicate *wanted)
{
    if (b->is_unknown)
        return false;
    bool is_utc = time_zone_is_always_utc(catalog_setting(c, "timezone"));
    struct predicate *known = predicate_flatten(b->a, known_condition(b, c, r));
    return predicate_implies(known, predicate_flatten(b->a, wanted), is_utc);
}

static struct catalog_relation *child_of(const struct catalog_relation *parent,
                                         const struct catalog_relation *child)
{
    for (size_t i = 0; i < parent->children.count; i++) {
        if (parent->children.at[i] == child)
            return parent->children.at[i];
    }
    return NULL;
}

bool constraints_prove_bound(struct catalog *c, struct catalog_relation *r,
                             const struct catalog_relation *parent,
                             const PgQuery__PartitionBoundSpec *bound)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct bounding b = {.a = a, .c = c, .parent = parent};
    struct predicate *wanted = predicate_make(a, PREDICATE_AND);
    predicate_add(a, wanted, bound_condition(&b, c, r, bound));
    /* A partition of a partition must fit into all that are above it. */
    const struct catalog_relation *child = parent;
    for (size_t depth = 0; child->is_partition && child->parents.count && depth < 64; depth++) {
        b.parent = child->parents.at[0];
        struct catalog_relation *same = child_of(b.parent, child);
        const PgQuery__PartitionBoundSpec *above = same ? partition_bound_tree(c, same) : NULL;
        predicate_add(a, wanted, bound_condition(&b, c, child, above));
        child = b.parent;
    }
    return is_proven(&b, c, r, wanted);
}

bool constraints_exclude_bound(struct catalog *c, struct catalog_relation *r,
                               const struct catalog_relation *parent,
                               const PgQuery__PartitionBoundSpec *bound)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct bounding b = {.a = a, .c = c, .parent = parent};
    if (bound && bound->is_default)
        return false;
    return is_proven(&b, c, r, predicate_negate(bound_condition(&b, c, r, bound)));
}
