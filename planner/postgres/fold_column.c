/* Columns: type, default, identity; the sequences that serial and identity bring along. */
#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/types.h"

/* ---- reading a definition ---- */

static const PgQuery__Constraint *constraint_of(const PgQuery__Node *node)
{
    bool is_constraint = node && node->node_case == PG_QUERY__NODE__NODE_CONSTRAINT;
    return is_constraint ? node->constraint : NULL;
}

const PgQuery__Constraint *column_constraint(const PgQuery__ColumnDef *def,
                                             PgQuery__ConstrType type)
{
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *k = constraint_of(def->constraints[i]);
        if (k && k->contype == type)
            return k;
    }
    return NULL;
}

static bool is_null_constant(const PgQuery__Node *e)
{
    while (e && e->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        e = e->type_cast->arg;
    if (!e || e->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return false;
    return e->a_const->isnull;
}

const PgQuery__Node *column_default_tree(const PgQuery__ColumnDef *def)
{
    const PgQuery__Constraint *k = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED);
    if (k)
        return k->raw_expr;
    k = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT);
    const PgQuery__Node *tree = k ? k->raw_expr : def->raw_default;
    return is_null_constant(tree) ? NULL : tree;
}

bool column_is_virtual(const PgQuery__ColumnDef *def)
{
    const PgQuery__Constraint *k = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED);
    return k && grammar_has(k, GRAMMAR_VIRTUAL);
}

bool column_says_default(const PgQuery__ColumnDef *def)
{
    return def->raw_default || column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT) ||
           column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED);
}

void constraint_sources_add(struct arena *a, const PgQuery__Constraint *k,
                            struct constraint_sources *out)
{
    struct constraint_source source = {
        .k = k, .is_deferrable = k->deferrable, .is_deferred = k->initdeferred};
    vec_push(a, &out->all, source);
}

void constraint_sources_of_column(struct arena *a, const PgQuery__ColumnDef *def,
                                  struct constraint_sources *out)
{
    struct constraint_source *last = NULL;
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *k = constraint_of(def->constraints[i]);
        if (!k)
            continue;
        switch (k->contype) {
        case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
        case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
        case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
        case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
            constraint_sources_add(a, k, out);
            last = &out->all.at[out->all.count - 1];
            last->column = def->colname;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
        case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
            if (last)
                last->is_deferrable = true;
            if (last && k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED)
                last->is_deferred = true;
            break;
        default:
            break;
        }
    }
}

/* ---- sequences ---- */

static const PgQuery__DefElem *option(PgQuery__Node *const *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i] && options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(options[i]->def_elem->defname, name) == 0)
            return options[i]->def_elem;
    }
    return NULL;
}

struct catalog_relation *fold_owned_sequence(struct deed *d, struct catalog_relation *r,
                                             struct catalog_column *column, bool is_identity,
                                             PgQuery__Node *const *options, size_t option_count)
{
    struct catalog *c = d->catalog;
    struct str schema = r->schema;
    struct str name = {0};
    const PgQuery__DefElem *given = option(options, option_count, "sequence_name");
    if (given && given->arg && given->arg->node_case == PG_QUERY__NODE__NODE_LIST)
        deed_split_name(given->arg->list->items, given->arg->list->n_items, &schema, &name);
    if (!schema.len)
        schema = r->schema;
    if (!name.len || catalog_find_relation(c, schema, name))
        name = object_name_relation(c, schema, r->name, column->name, STR("seq"), false);
    struct catalog_relation *s = catalog_add_relation(c, RELATION_SEQUENCE, schema, name);
    s->persistence = r->persistence;
    s->owner = r->owner;
    s->sequence->type = type_base(&column->type);
    catalog_own_sequence(c, s, r, column);
    s->sequence->is_identity = is_identity;
    column->sequence = s;
    return s;
}

/* As pg_get_expr() prints what serial stands for. */
static struct catalog_expression nextval_of(struct deed *d, const struct catalog_relation *s)
{
    struct str name = catalog_relation_text(d->a, s);
    const char *quoted = arena_cstr(d->a, name);
    size_t quotes = 0;
    for (const char *p = quoted; *p; p++)
        quotes += *p == '\'';
    char *escaped = arena_alloc(d->a, name.len + quotes + 1);
    char *to = escaped;
    for (const char *p = quoted; *p; p++) {
        if (*p == '\'')
            *to++ = '\'';
        *to++ = *p;
    }
    return (struct catalog_expression){
        .text = str_of(arena_printf(d->catalog->arena, "nextval('%s'::regclass)", escaped))};
}

/* ---- the column ---- */

static struct str collation_of(struct deed *d, const PgQuery__ColumnDef *def)
{
    if (!def->coll_clause)
        return (struct str){0};
    struct str schema;
    struct str name;
    deed_split_name(def->coll_clause->collname, def->coll_clause->n_collname, &schema, &name);
    return arena_str(d->catalog->arena, name);
}

static void fold_generation(struct deed *d, struct catalog_relation *r,
                            struct catalog_column *column, const PgQuery__ColumnDef *def)
{
    const PgQuery__Constraint *k = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED);
    if (k)
        column->generated = column_is_virtual(def) ? 'v' : 's';
    k = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY);
    if (!k)
        return;
    column->identity = k->generated_when[0] == 'd' ? 'd' : 'a';
    fold_owned_sequence(d, r, column, true, k->options, k->n_options);
    fold_not_null(d, r, column, (struct str){0}, true, false);
}

struct catalog_column *fold_column(struct deed *d, struct catalog_relation *r,
                                   const PgQuery__ColumnDef *def)
{
    bool is_serial = false;
    struct type_ref type = {.typmod = -1};
    if (def->type_name)
        type = type_resolve(d->catalog, def->type_name, &is_serial);
    struct catalog_column *column = catalog_add_column(d->catalog, r, str_of(def->colname), &type);
    column->collation = collation_of(d, def);
    const PgQuery__Node *tree = column_default_tree(def);
    if (tree)
        column->default_value = deed_keep_expression(d, tree);
    if (is_serial) {
        struct catalog_relation *s = fold_owned_sequence(d, r, column, false, NULL, 0);
        column->default_value = nextval_of(d, s);
        fold_not_null(d, r, column, (struct str){0}, true, false);
    }
    fold_generation(d, r, column, def);
    return column;
}
