/* Made-up names: cut, joined, numbered. */
#include "planner/postgres/object_names.h"

#include "core/base/buf.h"

/* Bytes of a name that fit in limit without cutting a character in two. */
static size_t clip(struct str name, size_t limit)
{
    if (name.len <= limit)
        return name.len;
    while (limit > 0 && ((unsigned char)name.at[limit] & 0xC0) == 0x80)
        limit--;
    return limit;
}

struct str object_name_cut(struct str name)
{
    return (struct str){.at = name.at, .len = clip(name, OBJECT_NAME_MAX)};
}

struct str object_name(struct arena *a, struct str one, struct str two, struct str label)
{
    size_t overhead = (two.len ? 1 : 0) + (label.len ? label.len + 1 : 0);
    size_t room = OBJECT_NAME_MAX > overhead ? OBJECT_NAME_MAX - overhead : 0;
    size_t first = one.len;
    size_t second = two.len;
    while (first + second > room) {
        if (first > second)
            first--;
        else
            second--;
    }
    first = clip(one, first);
    second = clip(two, second);
    return str_of(arena_printf(a, "%.*s%s%.*s%s%.*s", (int)first, one.at ? one.at : "",
                               two.len ? "_" : "", (int)second, two.at ? two.at : "",
                               label.len ? "_" : "", STR_ARG(label)));
}

static bool is_freed_constraint(const struct name_changes *changes,
                                const struct catalog_constraint *k)
{
    for (size_t i = 0; changes && i < changes->freed_constraint_count; i++) {
        if (changes->freed_constraints[i] == k)
            return true;
    }
    return false;
}

static bool relation_exists(const struct catalog *c, const struct name_changes *changes,
                            struct str schema, struct str name)
{
    const struct catalog_relation *r = catalog_find_relation(c, schema, name);
    for (size_t i = 0; changes && i < changes->taken_count; i++) {
        if (str_equal(changes->taken[i], name))
            return true;
    }
    for (size_t i = 0; r && changes && i < changes->freed_count; i++) {
        if (changes->freed[i] == r)
            return false;
    }
    return r != NULL;
}

static bool constraint_exists(const struct catalog *c, const struct name_changes *changes,
                              struct str schema, struct str name)
{
    const struct catalog_constraint *k = NULL;
    while ((k = catalog_next_constraint(c, schema, name, k)) != NULL) {
        if (!is_freed_constraint(changes, k))
            return true;
    }
    return false;
}

static struct str choose(struct catalog *c, const struct name_changes *changes, struct str schema,
                         struct str one, struct str two, struct str label, bool is_constraint)
{
    struct str tried = label;
    for (unsigned n = 1;; n++) {
        struct str name = object_name(c->arena, one, two, tried);
        if (!relation_exists(c, changes, schema, name) &&
            !(is_constraint && constraint_exists(c, changes, schema, name)))
            return name;
        tried = str_of(arena_printf(c->arena, "%.*s%u", STR_ARG(label), n));
    }
}

struct str object_name_relation(struct catalog *c, struct str schema, struct str one,
                                struct str two, struct str label, bool is_constraint)
{
    return choose(c, NULL, schema, one, two, label, is_constraint);
}

struct str object_name_constraint(struct catalog *c, const struct catalog_relation *r,
                                  struct str columns, struct str label)
{
    struct str tried = label;
    for (unsigned n = 1;; n++) {
        struct str name = object_name(c->arena, r->name, columns, tried);
        if (!constraint_exists(c, NULL, r->schema, name))
            return name;
        tried = str_of(arena_printf(c->arena, "%.*s%u", STR_ARG(label), n));
    }
}

static bool is_taken(const struct index_column_names *names, struct str name)
{
    for (size_t i = 0; i < names->all.count; i++) {
        if (str_equal(names->all.at[i], name))
            return true;
    }
    return false;
}

void index_column_names_add(struct index_column_names *names, struct str name)
{
    struct str tried = name;
    for (unsigned n = 1; is_taken(names, tried); n++) {
        const char *number = arena_printf(names->a, "%u", n);
        size_t kept = clip(name, OBJECT_NAME_MAX - strlen(number));
        tried = str_of(arena_printf(names->a, "%.*s%s", (int)kept, name.at, number));
    }
    vec_push(names->a, &names->all, tried);
}

struct str object_name_joined(struct arena *a, const struct str *at, size_t count)
{
    struct str joined = {0};
    for (size_t i = 0; i < count && joined.len < OBJECT_NAME_MAX + 1; i++)
        joined =
            str_of(arena_printf(a, "%.*s%s%.*s", STR_ARG(joined), i ? "_" : "", STR_ARG(at[i])));
    return (struct str){.at = joined.at, .len = clip(joined, OBJECT_NAME_MAX)};
}

struct str object_name_index(struct catalog *c, const struct catalog_relation *table,
                             const struct index_column_names *names, enum index_purpose purpose)
{
    struct str columns = object_name_joined(c->arena, names->all.at, names->all.count);
    switch (purpose) {
    case INDEX_PRIMARY:
        return choose(c, names->changes, table->schema, table->name, (struct str){0}, STR("pkey"),
                      true);
    case INDEX_UNIQUE_KEY:
        return choose(c, names->changes, table->schema, table->name, columns, STR("key"), true);
    case INDEX_EXCLUSION:
        return choose(c, names->changes, table->schema, table->name, columns, STR("excl"), true);
    case INDEX_PLAIN:
        break;
    }
    return choose(c, names->changes, table->schema, table->name, columns, STR("idx"), false);
}

/* ---- what an expression is called ---- */

static struct str last_name(PgQuery__Node *const *names, size_t count)
{
    if (count == 0 || names[count - 1]->node_case != PG_QUERY__NODE__NODE_STRING)
        return (struct str){0};
    return str_of(names[count - 1]->string->sval);
}

/* 2: a name of its own; 1: it gives way to that of a part; 0: none. */
struct called {
    struct str name;
    unsigned strength;
};

static const char *operator_name(const PgQuery__Node *e)
{
    switch (e->node_case) {
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return "coalesce";
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return "array";
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return e->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_LEAST ? "least" : "greatest";
    case PG_QUERY__NODE__NODE_A_EXPR:
        return e->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF ? "nullif" : NULL;
    default:
        return NULL;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct called called(const PgQuery__Node *e)
{
    struct called inner = {0};
    if (!e)
        return inner;
    switch (e->node_case) {
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return (struct called){last_name(e->func_call->funcname, e->func_call->n_funcname), 2};
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return (struct called){last_name(e->column_ref->fields, e->column_ref->n_fields), 2};
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
        return called(e->collate_clause->arg);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        inner = called(e->type_cast->arg);
        if (inner.strength > 1 || !e->type_cast->type_name)
            return inner;
        return (struct called){
            last_name(e->type_cast->type_name->names, e->type_cast->type_name->n_names), 1};
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        inner = called(e->case_expr->defresult);
        return inner.strength > 1 ? inner : (struct called){STR("case"), 1};
    default:
        break;
    }
    const char *name = operator_name(e);
    return name ? (struct called){str_of(name), 2} : inner;
}

struct str index_expression_name(const PgQuery__Node *expression)
{
    struct called name = called(expression);
    return name.name.len ? name.name : STR("expr");
}
