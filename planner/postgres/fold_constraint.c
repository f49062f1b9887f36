/* NOT NULL and CHECK, and the order in which the constraints of one definition are made. */
#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/types.h"

/* ---- NOT NULL ---- */

struct catalog_constraint *not_null_of(const struct catalog_relation *r,
                                       const struct catalog_column *column)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_NOT_NULL && k->columns.count == 1 &&
            k->columns.at[0] == column)
            return k;
    }
    return NULL;
}

void fold_not_null(struct deed *d, struct catalog_relation *r, struct catalog_column *column,
                   struct str name, bool is_valid, bool is_inherited)
{
    if (is_valid)
        column->is_not_null = true;
    if (d->major < 18)
        return;
    struct catalog_constraint *k = not_null_of(r, column);
    if (k) {
        k->is_valid |= is_valid;
        k->is_inherited |= is_inherited;
        k->is_local |= !is_inherited;
        return;
    }
    if (!name.len || catalog_find_constraint(r, name))
        name = object_name_constraint(d->catalog, r, column->name, STR("not_null"));
    k = catalog_add_constraint(d->catalog, r, CONSTRAINT_NOT_NULL, name);
    vec_push(d->catalog->arena, &k->columns, column);
    k->is_valid = is_valid;
    k->is_inherited = is_inherited;
    k->is_local = !is_inherited;
}

struct catalog_constraint *constraint_like(const struct catalog_relation *child,
                                           const struct catalog_constraint *k)
{
    for (size_t i = 0; i < child->constraints.count; i++) {
        struct catalog_constraint *own = child->constraints.at[i];
        if (own->is_dropped || own->kind != k->kind)
            continue;
        bool is_same = k->kind == CONSTRAINT_NOT_NULL
                           ? own->columns.count == 1 && k->columns.count == 1 &&
                                 str_equal(own->columns.at[0]->name, k->columns.at[0]->name)
                           : own->parent == k ||
                                 (k->kind == CONSTRAINT_CHECK && str_equal(own->name, k->name));
        if (is_same)
            return own;
    }
    return NULL;
}

/* ---- CHECK ---- */

struct only_column {
    struct catalog_column *column;
    bool is_several;
};
static void see_column(void *context, struct catalog_column *column)
{
    struct only_column *only = context;
    if (only->column && only->column != column)
        only->is_several = true;
    only->column = column;
}

/* Columns that an expression mentions are the constraint's, and one alone is in its name. */
static void collect_column(void *context, struct catalog_column *column)
{
    struct index_column_names *names = context;
    for (size_t i = 0; i < names->all.count; i++) {
        if (str_equal(names->all.at[i], column->name))
            return;
    }
    vec_push(names->a, &names->all, column->name);
}

static struct catalog_constraint *add_check(struct deed *d, struct catalog_relation *r,
                                            const PgQuery__Constraint *k, struct str name,
                                            unsigned flags)
{
    struct catalog_constraint *made = catalog_add_constraint(d->catalog, r, CONSTRAINT_CHECK, name);
    made->check = deed_keep_expression(d, k->raw_expr);
    made->is_no_inherit = k->is_no_inherit;
    made->is_enforced = !grammar_has(k, GRAMMAR_NOT_ENFORCED);
    made->is_valid = made->is_enforced && ((flags & FOLD_NEW_TABLE) || !k->skip_validation);
    struct index_column_names names = {.a = d->a};
    expression_columns(k->raw_expr, r, collect_column, &names);
    for (size_t i = 0; i < names.all.count; i++) {
        struct catalog_column *column = catalog_find_column(r, names.all.at[i]);
        if (column)
            vec_push(d->catalog->arena, &made->columns, column);
    }
    return made;
}

struct inherited_check {
    const PgQuery__Constraint *k;
    struct str name;
};
static bool inherit_check(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct inherited_check *check = context;
    struct catalog_constraint *own = catalog_find_constraint(r, check->name);
    if (own) {
        own->is_inherited = true;
        return false;
    }
    own = add_check(d, r, check->k, check->name, 0);
    own->is_inherited = true;
    own->is_local = false;
    return true;
}

void fold_check(struct deed *d, struct catalog_relation *r, const PgQuery__Constraint *k,
                unsigned flags)
{
    struct str name = object_name_cut(str_of(k->conname));
    if (!name.len) {
        struct only_column only = {0};
        expression_columns(k->raw_expr, r, see_column, &only);
        struct str column = only.column && !only.is_several ? only.column->name : (struct str){0};
        name = object_name_constraint(d->catalog, r, column, STR("check"));
    }
    struct catalog_constraint *own = catalog_find_constraint(r, name);
    if (own) {
        own->is_local = true;
        return;
    }
    add_check(d, r, k, name, flags);
    struct inherited_check check = {.k = k, .name = name};
    if (!(flags & (FOLD_ONLY | FOLD_NEW_TABLE)) && !k->is_no_inherit)
        deed_each_child(d, r, inherit_check, &check);
}

/* ---- all of one definition ---- */

struct inherited_not_null {
    struct str column;
    struct str name; /* that of the parent */
    bool is_valid;
};
static bool inherit_not_null(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct inherited_not_null *from = context;
    struct catalog_column *column = catalog_find_column(r, from->column);
    if (column)
        fold_not_null(d, r, column, from->name, from->is_valid, true);
    return column != NULL;
}

static void fold_not_nulls(struct deed *d, struct catalog_relation *r,
                           const struct constraint_sources *sources, unsigned flags)
{
    for (size_t i = 0; i < sources->all.count; i++) {
        const struct constraint_source *s = &sources->all.at[i];
        if (s->k->contype != PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL)
            continue;
        struct catalog_column *column = catalog_find_column(r, str_of(not_null_column(s)));
        if (!column)
            continue;
        bool is_valid = (flags & FOLD_NEW_TABLE) || !s->k->skip_validation;
        fold_not_null(d, r, column, object_name_cut(str_of(s->k->conname)), is_valid, false);
        struct catalog_constraint *k = not_null_of(r, column);
        if (k && s->k->is_no_inherit)
            k->is_no_inherit = true;
        struct inherited_not_null from = {column->name, k ? k->name : (struct str){0}, is_valid};
        if (!(flags & (FOLD_ONLY | FOLD_NEW_TABLE)) && !s->k->is_no_inherit)
            deed_each_child(d, r, inherit_not_null, &from);
    }
}

const char *not_null_column(const struct constraint_source *source)
{
    if (source->column)
        return source->column;
    const PgQuery__Node *key = source->k->n_keys ? source->k->keys[0] : NULL;
    return key && key->node_case == PG_QUERY__NODE__NODE_STRING ? key->string->sval : "";
}

static bool is_key(const struct constraint_source *s)
{
    return s->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE ||
           s->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION;
}

/* parse_utilcmd.c, transformIndexConstraints(): equal keys of one definition become one, under the
   name that the later one gives, if any. */
static bool is_same_key(struct deed *d, struct catalog_relation *r,
                        const struct constraint_source *one, const struct constraint_source *other)
{
    if (one->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION ||
        other->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION)
        return false;
    return one->is_deferrable == other->is_deferrable && !one->k->indexname[0] &&
           !other->k->indexname[0] &&
           index_is_like(d, key_describe(d, r, one), key_describe(d, r, other));
}

/* The key, under the name of an equal one behind it where it has none itself. */
static void fold_key_named(struct deed *d, struct catalog_relation *r,
                           const struct constraint_sources *sources, size_t at, unsigned flags)
{
    struct constraint_source source = sources->all.at[at];
    PgQuery__Constraint named = *source.k;
    bool is_primary = source.k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
    source.k = &named;
    for (size_t i = is_primary ? 0 : at + 1; i < sources->all.count && !named.conname[0]; i++) {
        const struct constraint_source *other = &sources->all.at[i];
        if (is_key(other) && is_same_key(d, r, other, &source))
            named.conname = other->k->conname;
    }
    fold_key(d, r, &source, flags);
}

static void fold_keys(struct deed *d, struct catalog_relation *r,
                      const struct constraint_sources *sources, unsigned flags)
{
    const struct constraint_source *primary = NULL;
    for (size_t i = 0; i < sources->all.count && !primary; i++) {
        if (sources->all.at[i].k->contype != PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY)
            continue;
        primary = &sources->all.at[i];
        fold_key_named(d, r, sources, i, flags);
    }
    for (size_t i = 0; i < sources->all.count; i++) {
        const struct constraint_source *s = &sources->all.at[i];
        if (!is_key(s) || (primary && is_same_key(d, r, s, primary)))
            continue;
        bool is_double = false;
        for (size_t j = 0; j < i && !is_double; j++)
            is_double = is_key(&sources->all.at[j]) && is_same_key(d, r, s, &sources->all.at[j]);
        if (!is_double)
            fold_key_named(d, r, sources, i, flags);
    }
}

void fold_constraints(struct deed *d, struct catalog_relation *r,
                      const struct constraint_sources *sources, unsigned flags)
{
    for (size_t i = 0; i < sources->all.count; i++) {
        if (sources->all.at[i].k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK)
            fold_check(d, r, sources->all.at[i].k, flags);
    }
    fold_not_nulls(d, r, sources, flags);
    fold_keys(d, r, sources, flags);
    for (size_t i = 0; i < sources->all.count; i++) {
        if (sources->all.at[i].k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN)
            fold_foreign_key(d, r, &sources->all.at[i], flags);
    }
}
