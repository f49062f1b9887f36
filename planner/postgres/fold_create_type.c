/* What CREATE DOMAIN and CREATE TYPE do to the catalog. */
#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/types.h"

/* ---- names that the server makes up ---- */

static struct str domain_constraint_name(struct deed *d, const struct catalog_type *t,
                                         bool is_not_null)
{
    for (unsigned number = 0;; number++) {
        const char *label = is_not_null ? "not_null" : "check";
        if (number)
            label = arena_printf(d->a, "%s%u", label, number);
        struct str name = object_name(d->a, t->name, STR(""), str_of(label));
        bool is_taken = false;
        for (size_t i = 0; i < t->constraints.count; i++)
            is_taken |= str_equal(t->constraints.at[i].name, name);
        if (!is_taken)
            return arena_str(d->catalog->arena, name);
    }
}

/* pg_type.c: makeMultirangeTypeName() */
static struct str multirange_name(struct deed *d, struct str name)
{
    size_t at = str_find(name, STR("range"));
    if (at == SIZE_MAX)
        return object_name(d->a, name, STR(""), STR("multirange"));
    struct str before = {name.at, at};
    struct str behind = str_skip(name, at);
    return object_name_cut(
        str_of(arena_printf(d->a, "%.*smulti%.*s", STR_ARG(before), STR_ARG(behind))));
}

/* ---- types ---- */

static struct catalog_type *add_type(struct deed *d, enum type_kind kind,
                                     PgQuery__Node *const *names, size_t count)
{
    struct str name;
    struct str schema = create_schema_of_names(d, names, count, &name);
    struct catalog_type *there = catalog_find_type(d->catalog, schema, name);
    /* A shell (CREATE TYPE name) is filled. */
    if (there && there->kind == TYPE_UNKNOWN) {
        there->kind = kind;
        return there;
    }
    return there ? NULL : catalog_add_type(d->catalog, kind, schema, name);
}

void fold_create_domain(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateDomainStmt *create = node->create_domain_stmt;
    struct catalog_type *t = add_type(d, TYPE_DOMAIN, create->domainname, create->n_domainname);
    if (!t || !create->type_name)
        return;
    t->base = deed_type(d, create->type_name);
    for (size_t i = 0; i < create->n_constraints; i++) {
        if (create->constraints[i]->node_case != PG_QUERY__NODE__NODE_CONSTRAINT)
            continue;
        const PgQuery__Constraint *k = create->constraints[i]->constraint;
        struct domain_constraint made = {.is_valid = true};
        made.name = arena_str(d->catalog->arena, object_name_cut(str_of(k->conname)));
        if (k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT) {
            t->default_value = deed_keep_expression(d, k->raw_expr);
            continue;
        }
        made.is_not_null = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL;
        if (!made.is_not_null && k->contype != PG_QUERY__CONSTR_TYPE__CONSTR_CHECK)
            continue;
        if (!made.is_not_null)
            made.check = deed_keep_expression(d, k->raw_expr);
        if (!made.name.len)
            made.name = domain_constraint_name(d, t, made.is_not_null);
        vec_push(d->catalog->arena, &t->constraints, made);
    }
}

void fold_create_enum(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateEnumStmt *create = node->create_enum_stmt;
    struct catalog_type *t = add_type(d, TYPE_ENUM, create->type_name, create->n_type_name);
    for (size_t i = 0; t && i < create->n_vals; i++) {
        if (create->vals[i]->node_case == PG_QUERY__NODE__NODE_STRING)
            vec_push(d->catalog->arena, &t->labels,
                     arena_str(d->catalog->arena, str_of(create->vals[i]->string->sval)));
    }
}

void fold_create_composite(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CompositeTypeStmt *create = node->composite_type_stmt;
    if (!create->typevar || create_existing(d, create->typevar))
        return;
    struct catalog_relation *r = catalog_add_relation(
        d->catalog, RELATION_COMPOSITE_TYPE, create_schema_of(d, create->typevar),
        object_name_cut(str_of(create->typevar->relname)));
    for (size_t i = 0; i < create->n_coldeflist; i++) {
        if (create->coldeflist[i]->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
            fold_column(d, r, create->coldeflist[i]->column_def)->is_local = true;
    }
}

void fold_create_range(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateRangeStmt *create = node->create_range_stmt;
    struct catalog_type *t = add_type(d, TYPE_RANGE, create->type_name, create->n_type_name);
    struct str multi = {0};
    for (size_t i = 0; t && i < create->n_params; i++) {
        if (create->params[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = create->params[i]->def_elem;
        if (!e->arg || e->arg->node_case != PG_QUERY__NODE__NODE_TYPE_NAME)
            continue;
        if (strcmp(e->defname, "subtype") == 0)
            t->base = deed_type(d, e->arg->type_name);
        else if (strcmp(e->defname, "multirange_type_name") == 0 && e->arg->type_name->n_names)
            deed_split_name(e->arg->type_name->names, e->arg->type_name->n_names, &(struct str){0},
                            &multi);
    }
    if (!t || d->major < 14)
        return;
    if (!multi.len)
        multi = multirange_name(d, t->name);
    if (catalog_find_type(d->catalog, t->schema, multi))
        return;
    struct catalog_type *m = catalog_add_type(d->catalog, TYPE_MULTIRANGE, t->schema, multi);
    m->base = (struct type_ref){.user = t, .typmod = -1};
}

/* Base types and shells; aggregates are functions. Operators, collations, text search: nothing that we
   keep. */
void fold_define(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__DefineStmt *define = node->define_stmt;
    if (define->kind == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE) {
        add_type(d, define->n_definition ? TYPE_BASE : TYPE_UNKNOWN, define->defnames,
                 define->n_defnames);
        return;
    }
    if (define->kind != PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE)
        return;
    struct str name;
    struct str schema = create_schema_of_names(d, define->defnames, define->n_defnames, &name);
    struct catalog_function *f = catalog_add_function(d->catalog, schema, name);
    f->is_aggregate = true;
    f->volatility = 'i';
    const PgQuery__Node *list = define->n_args ? define->args[0] : NULL;
    for (size_t i = 0;
         list && list->node_case == PG_QUERY__NODE__NODE_LIST && i < list->list->n_items; i++) {
        const PgQuery__Node *item = list->list->items[i];
        if (item->node_case != PG_QUERY__NODE__NODE_FUNCTION_PARAMETER ||
            !item->function_parameter->arg_type)
            continue;
        vec_push(d->catalog->arena, &f->arguments,
                 deed_type(d, item->function_parameter->arg_type));
        vec_push(d->catalog->arena, &f->argument_names, STR(""));
    }
}
