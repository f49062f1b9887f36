/*
 * What ALTER COLUMN … TYPE does to stored rows. The server builds the expression that turns the old value
 * into the new one and looks whether anything is left of it besides labels (tablecmds.c:
 * ATColumnChangeRequiresRewrite). The same steps are taken here with a value of which only the type, the
 * modifier that the expression shows, and whether its bytes are still those of the column are known.
 */
#include "planner/postgres/type_parts.h"

struct value {
    struct type_ref type;
    int32_t typmod; /* exprTypmod() */
    bool is_made;   /* computed: no longer the column's own bytes */
    bool is_unknown;
    bool is_impossible;
};

struct changing {
    const struct catalog *c;
    struct str time_zone;
    struct value v;
};

/* parse_coerce.c: coerce_type_typmod() */
static void apply_modifier(struct changing *x, const struct type_ref *type, int32_t typmod)
{
    struct value *v = &x->v;
    if (typmod == v->typmod)
        return;
    if (typmod >= 0 && type_has_length_function(x->c, type)) {
        bool is_kept = !type->is_array && type_length_is_kept(type, v->typmod, typmod);
        v->is_made |= !is_kept;
    }
    v->typmod = typmod;
}

/* parse_coerce.c: coerce_to_domain() */
static void enter_domain(struct changing *x, const struct type_ref *domain)
{
    struct type_ref base = type_base(domain);
    apply_modifier(x, &base, base.typmod);
    x->v.is_made |= type_is_constrained_domain(domain);
    x->v.typmod = -1;
}

static bool is_timestamp_pair(const struct fact *cast)
{
    struct str from = cast->column[CAST_FROM];
    struct str to = cast->column[CAST_TO];
    return (str_equal(from, STR("timestamp")) && str_equal(to, STR("timestamptz"))) ||
           (str_equal(from, STR("timestamptz")) && str_equal(to, STR("timestamp")));
}

/* parse_coerce.c: coerce_type() */
static void coerce(struct changing *x, const struct type_ref *to, enum cast_context context)
{
    struct value *v = &x->v;
    struct fact cast = {0};
    if (type_same(&v->type, to))
        return;
    enum cast_path path = type_cast_path(x->c, &v->type, to, context, &cast);
    if (path == PATH_NONE || path == PATH_UNKNOWN) {
        v->is_impossible |= path == PATH_NONE;
        v->is_unknown |= path == PATH_UNKNOWN;
        return;
    }
    if (path != PATH_RELABEL) {
        bool is_free = path == PATH_FUNCTION && is_timestamp_pair(&cast) &&
                       time_zone_is_always_utc(x->time_zone);
        v->is_made |= !is_free;
        v->typmod = -1;
    }
    if (type_is_domain(to))
        enter_domain(x, to);
    else
        v->typmod = -1;
    v->type = *to;
}

/* parse_coerce.c: coerce_to_target_type() */
static void coerce_to(struct changing *x, const struct type_ref *to, enum cast_context context)
{
    if (x->v.is_impossible || x->v.is_unknown)
        return;
    coerce(x, to, context);
    if (!type_is_domain(to))
        apply_modifier(x, to, to->typmod);
    x->v.type = *to;
}

static bool is_pseudo(const struct catalog *c, const struct type_ref *t)
{
    struct fact f;
    return t->builtin.len && !t->is_array && facts_type(c, t->builtin, true, &f) &&
           fact_letter(&f, TYPE_FACT_KIND) == TYPE_PSEUDO;
}

static bool is_nothing(const struct type_ref *t)
{
    return !t->builtin.len && !t->user && !t->unknown.len;
}

static struct changing begin(const struct catalog *c, const struct type_ref *from,
                             struct str time_zone)
{
    struct value v = {.type = *from, .typmod = type_is_domain(from) ? -1 : from->typmod};
    v.is_unknown = is_nothing(from);
    return (struct changing){.c = c, .time_zone = time_zone, .v = v};
}

static enum type_change verdict(const struct changing *x, const struct type_ref *from,
                                const struct type_ref *to)
{
    if (is_pseudo(x->c, to) || x->v.is_impossible)
        return TYPE_CHANGE_IMPOSSIBLE;
    if (x->v.is_unknown || is_nothing(to))
        return TYPE_CHANGE_UNKNOWN;
    if (x->v.is_made)
        return TYPE_CHANGE_REWRITE;
    return type_equal(from, to) ? TYPE_CHANGE_NONE : TYPE_CHANGE_CATALOG;
}

enum type_change type_change(const struct catalog *c, const struct type_ref *from,
                             const struct type_ref *to, struct str time_zone)
{
    struct changing x = begin(c, from, time_zone);
    coerce_to(&x, to, CAST_ASSIGNMENT);
    return verdict(&x, from, to);
}

/* ---- USING ---- */

/* The column's name, or table.column. */
static bool is_column(const PgQuery__Node *node, const struct catalog_column *column)
{
    if (node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || !node->column_ref->n_fields)
        return false;
    const PgQuery__ColumnRef *ref = node->column_ref;
    const PgQuery__Node *last = ref->fields[ref->n_fields - 1];
    return last->node_case == PG_QUERY__NODE__NODE_STRING &&
           str_equal(str_of(last->string->sval), column->name);
}

/* Walks to the column through casts and COLLATE, and applies them on the way back, innermost first.
   false: something else is computed. NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static bool follow(struct changing *x, const PgQuery__Node *node,
                   const struct catalog_column *column)
{
    if (!node)
        return false;
    if (is_column(node, column))
        return true;
    if (node->node_case == PG_QUERY__NODE__NODE_COLLATE_CLAUSE)
        return follow(x, node->collate_clause->arg, column);
    if (node->node_case != PG_QUERY__NODE__NODE_TYPE_CAST || !node->type_cast->type_name)
        return false;
    if (!follow(x, node->type_cast->arg, column))
        return false;
    struct type_ref to = type_resolve(x->c, node->type_cast->type_name, NULL);
    coerce_to(x, &to, CAST_EXPLICIT);
    return true;
}

enum type_change type_change_using(const struct catalog *c, const struct catalog_column *column,
                                   const struct type_ref *to, const PgQuery__Node *using,
                                   struct str time_zone)
{
    if (!using)
        return type_change(c, &column->type, to, time_zone);
    struct changing x = begin(c, &column->type, time_zone);
    if (!follow(&x, using, column))
        return is_pseudo(c, to) ? TYPE_CHANGE_IMPOSSIBLE : TYPE_CHANGE_REWRITE;
    coerce_to(&x, to, CAST_ASSIGNMENT);
    return verdict(&x, &column->type, to);
}
