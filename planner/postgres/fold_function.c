/* Functions: what CREATE FUNCTION makes of the catalog, and which one a statement means. */
#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/types.h"

/* ---- which one ---- */

static bool takes(const struct catalog_function *f, const struct type_ref *at, size_t count)
{
    if (f->arguments.count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct type_ref one = f->arguments.at[i];
        struct type_ref other = at[i];
        one.typmod = other.typmod = -1;
        if (!type_equal(&one, &other))
            return false;
    }
    return true;
}

struct catalog_function *function_with(struct deed *d, struct str schema, struct str name,
                                       const struct type_ref *at, size_t count)
{
    struct catalog_function *f = NULL;
    while ((f = catalog_find_function(d->catalog, schema, name, f)) != NULL) {
        if (takes(f, at, count))
            return f;
    }
    return NULL;
}

struct catalog_function *function_meant(struct deed *d, const PgQuery__ObjectWithArgs *object)
{
    struct str schema;
    struct str name;
    deed_split_name(object->objname, object->n_objname, &schema, &name);
    if (object->args_unspecified)
        return catalog_find_function(d->catalog, schema, name, NULL);
    VEC_OF(struct type_ref) types = {0};
    for (size_t i = 0; i < object->n_objargs; i++) {
        if (object->objargs[i]->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
            vec_push(d->a, &types, deed_type(d, object->objargs[i]->type_name));
    }
    return function_with(d, schema, name, types.at, types.count);
}

/* ---- what a body uses ---- */

static void fold_function_uses(struct deed *d, struct catalog_function *f,
                               const struct query_uses *uses)
{
    struct arena *a = d->catalog->arena;
    for (size_t i = 0; i < uses->sources.count; i++) {
        const struct query_source *source = &uses->sources.at[i];
        if (!source->relation)
            continue;
        vec_push(a, &f->uses, (struct catalog_use){.relation = source->relation});
        for (size_t j = 0; j < source->columns.count; j++)
            vec_push(a, &f->uses, (struct catalog_use){source->relation, source->columns.at[j]});
    }
    for (size_t i = 0; i < uses->sequences.count; i++)
        vec_push(a, &f->uses, (struct catalog_use){.relation = uses->sequences.at[i]});
}

/* ---- CREATE FUNCTION ---- */

static bool is_input(PgQuery__FunctionParameterMode mode)
{
    return mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT &&
           mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE;
}

static void read_parameters(struct deed *d, const PgQuery__CreateFunctionStmt *create,
                            struct catalog_function *f)
{
    struct arena *a = d->catalog->arena;
    for (size_t i = 0; i < create->n_parameters; i++) {
        if (create->parameters[i]->node_case != PG_QUERY__NODE__NODE_FUNCTION_PARAMETER)
            continue;
        const PgQuery__FunctionParameter *p = create->parameters[i]->function_parameter;
        if (p->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE)
            f->returns_set = true;
        if (!is_input(p->mode) || !p->arg_type)
            continue;
        vec_push(a, &f->arguments, deed_type(d, p->arg_type));
        vec_push(a, &f->argument_names, arena_str(a, str_of(p->name)));
        f->default_count += p->defexpr != NULL;
    }
}

static struct str option_text(const PgQuery__DefElem *e)
{
    const PgQuery__Node *arg = e->arg;
    if (arg && arg->node_case == PG_QUERY__NODE__NODE_LIST && arg->list->n_items)
        arg = arg->list->items[0];
    return arg && arg->node_case == PG_QUERY__NODE__NODE_STRING ? str_of(arg->string->sval)
                                                                : STR("");
}

static bool option_is_on(const PgQuery__DefElem *e)
{
    return e->arg && e->arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN && e->arg->boolean->boolval;
}

static void read_option(struct deed *d, const PgQuery__DefElem *e, struct catalog_function *f)
{
    struct arena *a = d->catalog->arena;
    if (strcmp(e->defname, "language") == 0)
        f->language = arena_str(a, option_text(e));
    else if (strcmp(e->defname, "as") == 0)
        f->body = arena_str(a, option_text(e));
    else if (strcmp(e->defname, "volatility") == 0 && option_text(e).len)
        f->volatility = option_text(e).at[0];
    else if (strcmp(e->defname, "strict") == 0)
        f->is_strict = option_is_on(e);
    else if (strcmp(e->defname, "security") == 0)
        f->is_security_definer = option_is_on(e);
    else if (strcmp(e->defname, "set") == 0)
        f->has_settings = true;
}

/* What a body of SQL (BEGIN ATOMIC) depends on. */
static void read_body(struct deed *d, const PgQuery__Node *body, struct catalog_function *f)
{
    PgQuery__Node *const *at = NULL;
    size_t count = 0;
    if (body->node_case == PG_QUERY__NODE__NODE_LIST) {
        at = body->list->items;
        count = body->list->n_items;
    } else if (body->node_case == PG_QUERY__NODE__NODE_RETURN_STMT) {
        struct query_uses uses = {0};
        query_uses_expression(d, body->return_stmt->returnval, NULL, &uses);
        fold_function_uses(d, f, &uses);
    }
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case == PG_QUERY__NODE__NODE_LIST ||
            at[i]->node_case == PG_QUERY__NODE__NODE_RETURN_STMT) {
            if (d->depth < DEED_DEPTH_MAX) {
                d->depth++;
                read_body(d, at[i], f);
                d->depth--;
            }
            continue;
        }
        struct query_uses uses;
        query_uses_read(d, at[i], &uses);
        fold_function_uses(d, f, &uses);
    }
}

void fold_create_function(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateFunctionStmt *create = node->create_function_stmt;
    struct catalog_function made = {.result.typmod = -1, .volatility = 'v'};
    read_parameters(d, create, &made);
    struct str name;
    struct str schema = create_schema_of_names(d, create->funcname, create->n_funcname, &name);
    struct catalog_function *f =
        function_with(d, schema, name, made.arguments.at, made.arguments.count);
    if (f && !create->replace)
        return;
    if (!f)
        f = catalog_add_function(d->catalog, schema, name);
    struct catalog_function kept = *f;
    *f = made;
    f->schema = kept.schema;
    f->name = kept.name;
    f->extension = kept.extension;
    f->created_in = kept.created_in;
    f->is_procedure = create->is_procedure;
    f->tree = deed_keep_expression(d, node).tree;
    if (f->tree)
        f->tree = ((const PgQuery__Node *)f->tree)->create_function_stmt;
    if (create->return_type) {
        f->result = deed_type(d, create->return_type);
        f->returns_set |= create->return_type->setof;
    }
    f->language = create->sql_body ? STR("sql") : STR("");
    for (size_t i = 0; i < create->n_options; i++) {
        if (create->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM)
            read_option(d, create->options[i]->def_elem, f);
    }
    if (create->sql_body)
        read_body(d, create->sql_body, f);
}
