/* DO blocks, functions and procedures: their bodies' statements, one by one. */
#include "planner/postgres/effects_query.h"

#include <string.h>

#include "core/base/buf.h"
#include "planner/postgres/body.h"
#include "planner/postgres/types.h"

/* ---- a statement within a body ---- */

/* Rules look at so many of them. */
#define STATEMENTS_WITHIN_MAX 256

/* Statements that refuse to run inside of anything (PreventInTransactionBlock()). */
static bool refuses_any_block(const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return node->index_stmt->concurrent;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return node->drop_stmt->concurrent;
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
        return node->vacuum_stmt->is_vacuumcmd;
    case PG_QUERY__NODE__NODE_CLUSTER_STMT:
        return !node->cluster_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATEDB_STMT:
    case PG_QUERY__NODE__NODE_DROPDB_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT:
    case PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT:
    case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT:
        return true;
    default:
        return false;
    }
}

static bool is_body(const PgQuery__Node *node)
{
    return node->node_case == PG_QUERY__NODE__NODE_DO_STMT ||
           node->node_case == PG_QUERY__NODE__NODE_CALL_STMT;
}

static void fold_within(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__Node *outer = d->node;
    d->node = node;
    d->depth++;
    effects_fold(d);
    d->depth--;
    d->node = outer;
}

/* A table made in this body and filled in it has rows. */
static void note_rows(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__RangeVar *target = NULL;
    if (node->node_case == PG_QUERY__NODE__NODE_INSERT_STMT)
        target = node->insert_stmt->relation;
    struct catalog_relation *r = target ? deed_relation(d, target, true) : NULL;
    if (r && r->kind == RELATION_TABLE)
        r->rows = ROWS_SOME;
}

bool body_run_node(struct body *b, const PgQuery__Node *node)
{
    struct deed *d = b->d;
    const char *failure = d->effects->failure;
    bool refused = d->effects->refuses_transaction;
    d->effects->failure = NULL;
    d->effects->refuses_transaction = false;
    if (!b->is_function && d->effects->within.count < STATEMENTS_WITHIN_MAX)
        vec_push(d->a, &d->effects->within, node);
    effects_within(d, node, false);
    if (refuses_any_block(node) || (d->effects->refuses_transaction && !is_body(node)))
        deed_fails(d, "it runs alone, and never within a function or DO block");
    bool is_failing = d->effects->failure != NULL;
    if (is_body(node))
        refused |= d->effects->refuses_transaction;
    if (!is_failing || b->maybe || b->has_handler)
        d->effects->failure = failure;
    d->effects->refuses_transaction = refused;
    if (is_failing)
        return false;
    fold_within(d, node);
    note_rows(d, node);
    return true;
}

bool body_run_text(struct body *b, struct str text)
{
    if (!body_spend(b->d, text.len))
        return true;
    const PgQuery__ParseResult *script = parse_script_kept(b->d->catalog->arena, text);
    if (!script) {
        deed_opaque(b->d, "a statement in a body that the parser does not know");
        return true;
    }
    for (size_t i = 0; i < script->n_stmts; i++) {
        if (script->stmts[i]->stmt && !body_run_node(b, script->stmts[i]->stmt))
            return false;
    }
    return true;
}

/* ---- PL/pgSQL ---- */

/* What a parameter has for its default. */
static const PgQuery__Node *default_of(const struct catalog_function *f, size_t place)
{
    const PgQuery__CreateFunctionStmt *create = f->tree;
    for (size_t i = 0; create && i < create->n_parameters; i++) {
        if (create->parameters[i]->node_case != PG_QUERY__NODE__NODE_FUNCTION_PARAMETER)
            continue;
        const PgQuery__FunctionParameter *p = create->parameters[i]->function_parameter;
        if (p->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT ||
            p->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE)
            continue;
        if (place-- == 0)
            return p->defexpr;
    }
    return NULL;
}

/* VARIADIC: all that is left of the arguments, as one array. */
static struct body_value rest_value(struct body *caller, const PgQuery__FuncCall *call, size_t from)
{
    size_t count = call->n_args > from ? call->n_args - from : 0;
    struct body_value *items = arena_array(caller->d->a, struct body_value, count ? count : 1);
    for (size_t i = 0; i < count; i++)
        items[i] = body_evaluate(caller, call->args[from + i]);
    return (struct body_value){.kind = BODY_LIST, .items = items, .item_count = count};
}

/* The value of the i-th argument, as far as it is made of constants and of variables of the body that
   calls. */
static struct body_value argument_value(struct deed *d, const struct catalog_function *f,
                                        const PgQuery__FuncCall *call, size_t i)
{
    struct body none = {.d = d};
    struct body *caller = d->body ? d->body : &none;
    if (!call)
        return (struct body_value){0};
    if (i + 1 == f->argument_names.count && function_is_variadic(f) && !call->func_variadic)
        return rest_value(caller, call, i);
    const PgQuery__Node *given = NULL;
    for (size_t j = 0; j < call->n_args; j++) {
        const PgQuery__Node *arg = call->args[j];
        bool is_named = arg->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR;
        if (is_named && str_equal(str_of(arg->named_arg_expr->name), f->argument_names.at[i]))
            given = arg->named_arg_expr->arg;
        else if (!is_named && j == i)
            given = arg;
    }
    if (!given)
        given = default_of(f, i);
    return given ? body_evaluate(caller, given) : (struct body_value){0};
}

/* answer: what the library makes of it. */
static void run_plpgsql(struct deed *d, struct str answer, const struct catalog_function *f,
                        const PgQuery__FuncCall *call)
{
    if (!answer.len) {
        deed_opaque(d, "a PL/pgSQL body that the parser at hand does not read");
        return;
    }
    SCOPED(fail) struct fail failure = FAIL_NONE;
    SCOPED(json) struct json *functions = json_parse(answer, STR("plpgsql"), &failure);
    const struct json *function =
        functions ? json_get(json_at(functions, 0), "PLpgSQL_function") : NULL;
    if (!function) {
        deed_opaque(d, "a PL/pgSQL body that the parser at hand does not read");
        return;
    }
    struct body b = {.d = d, .is_function = f && !f->is_procedure};
    for (size_t i = 0; f && i < f->argument_names.count; i++)
        body_set(&b, f->argument_names.at[i], argument_value(d, f, call, i));
    struct body *outer = d->body;
    d->body = &b;
    body_run(&b, function);
    d->body = outer;
}

static struct str option_text(const PgQuery__DoStmt *stmt, const char *name)
{
    for (size_t i = 0; i < stmt->n_args; i++) {
        if (stmt->args[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = stmt->args[i]->def_elem;
        if (strcmp(e->defname, name) == 0 && e->arg &&
            e->arg->node_case == PG_QUERY__NODE__NODE_STRING)
            return str_of(e->arg->string->sval);
    }
    return STR("");
}

void predict_do(struct deed *d, const PgQuery__Node *node)
{
    struct str language = option_text(node->do_stmt, "language");
    struct str body = option_text(node->do_stmt, "as");
    if (language.len && !str_equal_nocase(language, STR("plpgsql"))) {
        deed_opaque(d, arena_printf(d->a, "a DO block in %.*s", STR_ARG(language)));
        return;
    }
    const char *message;
    run_plpgsql(d, parse_plpgsql_block(d->a, body, &message), NULL, NULL);
}

/* While it was foretold: later statements of a body see what earlier ones made. */
void fold_do(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* ---- functions ---- */

/* OUT and TABLE arguments are variables, too. */
static void print_parameters(struct deed *d, struct buf *out, const struct catalog_function *f)
{
    const PgQuery__CreateFunctionStmt *create = f->tree;
    size_t count = create ? create->n_parameters : f->arguments.count;
    for (size_t i = 0; i < count; i++) {
        struct str name = {0};
        const char *mode = "";
        if (!create) {
            name = f->argument_names.count > i ? f->argument_names.at[i] : STR("");
        } else if (create->parameters[i]->node_case == PG_QUERY__NODE__NODE_FUNCTION_PARAMETER) {
            const PgQuery__FunctionParameter *p = create->parameters[i]->function_parameter;
            name = str_of(p->name);
            bool is_out = p->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT ||
                          p->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE;
            mode = is_out ? "INOUT " : "";
        }
        buf_printf(out, "%s%s%.*s text", i ? ", " : "", mode,
                   STR_ARG(catalog_identifier(d->a, name)));
    }
}

static bool is_trigger_function(const struct catalog_function *f)
{
    return str_equal(f->result.builtin, STR("trigger"));
}

/* What the library reads need not be what was written: only the body and the names of the variables
   count. */
static void run_plpgsql_function(struct deed *d, const struct catalog_function *f,
                                 const PgQuery__FuncCall *call)
{
    SCOPED(buf) struct buf text = {0};
    const char *fence = parse_fence_for(d->a, f->body);
    const char *message;
    bool has_out = false;
    const PgQuery__CreateFunctionStmt *create = f->tree;
    for (size_t i = 0; create && i < create->n_parameters; i++) {
        if (create->parameters[i]->node_case == PG_QUERY__NODE__NODE_FUNCTION_PARAMETER)
            has_out |= create->parameters[i]->function_parameter->mode !=
                           PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_IN &&
                       create->parameters[i]->function_parameter->mode !=
                           PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_DEFAULT;
    }
    buf_printf(&text, "CREATE %s f(", f->is_procedure ? "PROCEDURE" : "FUNCTION");
    print_parameters(d, &text, f);
    buf_add_str(&text, STR(")"));
    if (is_trigger_function(f))
        buf_add_str(&text, STR(" RETURNS trigger"));
    else if (!f->is_procedure && !has_out)
        buf_printf(&text, " RETURNS %s%s", f->returns_set ? "SETOF " : "",
                   str_equal(f->result.builtin, STR("void")) ? "void" : "text");
    else if (!f->is_procedure)
        buf_printf(&text, " RETURNS %srecord", f->returns_set ? "SETOF " : "");
    buf_printf(&text, " LANGUAGE plpgsql AS %s%.*s%s", fence, STR_ARG(f->body), fence);
    run_plpgsql(d, parse_plpgsql(d->a, buf_str(&text), f->body, &message), f, call);
}

/* BEGIN ATOMIC is a list of lists. NOLINTNEXTLINE(misc-no-recursion) */
static void run_atomic(struct body *b, const PgQuery__Node *node, size_t depth)
{
    if (!node || depth == DEED_DEPTH_MAX)
        return;
    if (node->node_case == PG_QUERY__NODE__NODE_LIST) {
        for (size_t i = 0; i < node->list->n_items; i++)
            run_atomic(b, node->list->items[i], depth + 1);
    } else if (node->node_case == PG_QUERY__NODE__NODE_RETURN_STMT) {
        struct query_uses uses = {0};
        query_uses_expression(b->d, node->return_stmt->returnval, NULL, &uses);
        query_uses_lock(b->d, &uses, QUERY_PLANNED);
        query_uses_scan(b->d, &uses);
    } else {
        body_run_node(b, node);
    }
}

static void run_sql_function(struct deed *d, const struct catalog_function *f)
{
    struct body b = {.d = d, .is_function = !f->is_procedure};
    const PgQuery__CreateFunctionStmt *create = f->tree;
    if (create && create->sql_body)
        run_atomic(&b, create->sql_body, 0);
    else if (f->body.len)
        body_run_text(&b, f->body);
    else
        for (size_t i = 0; i < f->uses.count; i++)
            deed_lock(d, f->uses.at[i].relation, LOCK_ACCESS_SHARE, false);
}

/* NOLINTNEXTLINE(misc-no-recursion): functions that call each other, at most DEED_DEPTH_MAX deep */
void body_run_function(struct deed *d, const struct catalog_function *f,
                       const PgQuery__FuncCall *call)
{
    if (f->extension.len || f->is_aggregate || f->is_dropped)
        return;
    if (d->depth >= DEED_DEPTH_MAX)
        return; /* it calls itself: what it does once, it has done */
    if (!deed_enters(d) || !body_spend(d, f->body.len + BODY_STEP_BYTES))
        return;
    d->depth++;
    if (str_equal_nocase(f->language, STR("plpgsql")))
        run_plpgsql_function(d, f, call);
    else if (str_equal_nocase(f->language, STR("sql")))
        run_sql_function(d, f);
    else if (!str_equal_nocase(f->language, STR("internal")))
        deed_opaque(d, arena_printf(d->a, "a function in %.*s", STR_ARG(f->language)));
    d->depth--;
}
