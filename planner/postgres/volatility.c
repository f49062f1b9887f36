/* Volatility: of built-in functions, of expressions, and of calls that are replaced by a body. */
#include "planner/postgres/expression_parts.h"

enum volatility volatility_worse(enum volatility a, enum volatility b)
{
    if (a == VOLATILITY_VOLATILE || b == VOLATILITY_VOLATILE)
        return VOLATILITY_VOLATILE;
    if (a == VOLATILITY_UNKNOWN || b == VOLATILITY_UNKNOWN)
        return VOLATILITY_UNKNOWN;
    return a > b ? a : b;
}

enum volatility volatility_of_letter(char letter)
{
    switch (letter) {
    case 'i':
        return VOLATILITY_IMMUTABLE;
    case 's':
        return VOLATILITY_STABLE;
    case 'v':
        return VOLATILITY_VOLATILE;
    default:
        return VOLATILITY_UNKNOWN;
    }
}

enum volatility builtin_volatility(struct str name)
{
    struct facts search = facts_of(NULL, FACT_FUNCTIONS, name);
    struct fact f;
    enum volatility worst = VOLATILITY_UNKNOWN;
    while (facts_next(&search, &f)) {
        enum volatility v = volatility_of_letter(fact_letter(&f, FUNCTION_VOLATILITY));
        if (!f.column[FUNCTION_EXTENSION].len)
            worst = v > worst ? v : worst;
    }
    return worst;
}

enum volatility expression_volatility_of(const struct catalog *c, const struct catalog_relation *r,
                                         const PgQuery__Node *tree)
{
    SCOPED(arena) struct arena *scratch = arena_make();
    struct surroundings s = {.c = c, .r = r, .a = scratch};
    return expression_judge(&s, tree).volatility;
}

enum volatility expression_volatility(const struct catalog *c, const PgQuery__Node *tree)
{
    return expression_volatility_of(c, NULL, tree);
}

struct type_ref expression_type(const struct catalog *c, const struct catalog_relation *r,
                                const PgQuery__Node *tree)
{
    SCOPED(arena) struct arena *scratch = arena_make();
    struct surroundings s = {.c = c, .r = r, .a = scratch};
    return expression_judge(&s, tree).type;
}

/* ---- bodies in the place of calls: clauses.c, inline_function() ---- */

/* Bodies within bodies that are followed; the server goes on until one calls itself. */
#define INLINE_DEPTH_MAX 8

struct body {
    const struct catalog_function *f;
    const PgQuery__Node *expression;
    bool is_used[CALL_ARGUMENTS_MAX]; /* parameters that it mentions */
    bool is_lenient; /* something in it is not strict: NULL does not make it NULL */
    bool has_query;  /* a query within, an aggregate, a window function */
};

static bool is_plain_select(const PgQuery__SelectStmt *s)
{
    return s->n_target_list == 1 && !s->n_from_clause && !s->where_clause && !s->n_group_clause &&
           !s->having_clause && !s->n_window_clause && !s->n_values_lists && !s->n_sort_clause &&
           !s->limit_offset && !s->limit_count && !s->with_clause && !s->n_distinct_clause &&
           !s->larg && !s->rarg && !s->into_clause;
}

static const PgQuery__Node *expression_of(const PgQuery__Node *statement)
{
    if (!statement)
        return NULL;
    if (statement->node_case == PG_QUERY__NODE__NODE_RETURN_STMT)
        return statement->return_stmt->returnval;
    /* BEGIN ATOMIC: a list of lists */
    if (statement->node_case == PG_QUERY__NODE__NODE_LIST)
        return statement->list->n_items == 1 ? expression_of(statement->list->items[0]) : NULL;
    if (statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT ||
        !is_plain_select(statement->select_stmt))
        return NULL;
    const PgQuery__Node *target = statement->select_stmt->target_list[0];
    return target->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? target->res_target->val : NULL;
}

static bool is_built_in(const struct surroundings *s, struct str name, char *out_kind,
                        bool *out_is_strict, bool *out_is_set)
{
    struct facts search = facts_of(s->c, FACT_FUNCTIONS, name);
    struct fact f;
    bool is_found = false;
    *out_is_strict = true;
    while (facts_next(&search, &f)) {
        is_found = true;
        *out_kind = fact_letter(&f, FUNCTION_KIND);
        *out_is_strict &= f.column[FUNCTION_IS_STRICT].len > 0;
        *out_is_set |= f.column[FUNCTION_IS_SET].len > 0;
    }
    return is_found;
}

struct reading {
    const struct surroundings *s;
    struct body *body;
};

static void read_call(struct reading *x, const PgQuery__FuncCall *call)
{
    struct str schema;
    struct str name = expression_name(call->funcname, call->n_funcname, &schema);
    char kind = 'f';
    bool is_strict = true;
    bool is_set = false;
    const struct catalog_function *f = catalog_find_function(x->s->c, schema, name, NULL);
    if (is_built_in(x->s, name, &kind, &is_strict, &is_set)) {
        x->body->is_lenient |= !is_strict;
    } else if (f) {
        kind = f->is_aggregate ? 'a' : 'f';
        is_set = f->returns_set;
        x->body->is_lenient |= !f->is_strict;
    } else {
        x->body->is_lenient = true;
    }
    x->body->has_query |= kind == 'a' || kind == 'w' || is_set || call->over;
}

/* What of a body decides whether it may stand in the place of its call: clauses.c,
   contain_nonstrict_functions(). */
static bool read_body(void *context, const ProtobufCMessage *message)
{
    struct reading *x = context;
    if (message->descriptor != &pg_query__node__descriptor)
        return false;
    const void *at = message;
    const PgQuery__Node *node = at;
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_SUB_LINK:
        x->body->has_query = true;
        break;
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        read_call(x, node->func_call);
        break;
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        x->body->is_lenient |= node->bool_expr->boolop != PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR;
        break;
    case PG_QUERY__NODE__NODE_A_EXPR:
        /* The operators themselves are strict but for a few; DISTINCT and NULLIF are not. */
        x->body->is_lenient |= node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT ||
                               node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT ||
                               node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF;
        break;
    case PG_QUERY__NODE__NODE_CASE_EXPR:
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
    case PG_QUERY__NODE__NODE_ROW_EXPR:
    case PG_QUERY__NODE__NODE_NULL_TEST:
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
    case PG_QUERY__NODE__NODE_XML_EXPR:
        x->body->is_lenient = true;
        break;
    default:
        break;
    }
    size_t parameter = parameter_of(x->body->f, node);
    if (parameter < CALL_ARGUMENTS_MAX)
        x->body->is_used[parameter] = true;
    return false;
}

/* A function that calls itself is not followed. */
static bool is_within(const struct surroundings *s, const struct catalog_function *f)
{
    for (; s; s = s->outer) {
        if (s->f == f)
            return true;
    }
    return false;
}

/* May it be looked into at all? */
static bool is_candidate(const struct surroundings *s, const struct catalog_function *f)
{
    return str_equal(f->language, STR("sql")) && !f->is_procedure && !f->is_aggregate &&
           !f->is_security_definer && !f->has_settings && !f->returns_set &&
           f->arguments.count <= CALL_ARGUMENTS_MAX && s->depth < INLINE_DEPTH_MAX &&
           !is_within(s, f) && !str_equal(f->result.builtin, STR("record"));
}

static bool may_replace(const struct catalog_function *f, const struct body *body,
                        enum volatility inner)
{
    if (body->has_query || (f->volatility == 'i' && inner != VOLATILITY_IMMUTABLE) ||
        (f->volatility == 's' && inner == VOLATILITY_VOLATILE))
        return false;
    if (!f->is_strict)
        return true;
    for (size_t i = 0; i < f->arguments.count; i++) {
        if (!body->is_used[i])
            return false;
    }
    return !body->is_lenient;
}

static enum volatility with_arguments(enum volatility v, const struct judged *arguments,
                                      size_t count, const struct body *body)
{
    for (size_t i = 0; i < count; i++) {
        if (!body || body->is_used[i])
            v = volatility_worse(v, arguments[i].volatility);
    }
    return v;
}

/* The defaults of parameters that the call leaves out, where the definition is at hand. */
static enum volatility of_omitted(const struct surroundings *s, const struct catalog_function *f,
                                  size_t count)
{
    const PgQuery__CreateFunctionStmt *create = f->tree;
    enum volatility v = VOLATILITY_IMMUTABLE;
    if (!create)
        return v;
    struct surroundings outside = {.c = s->c, .outer = s, .depth = s->depth + 1, .a = s->a};
    size_t inputs = 0;
    for (size_t i = 0; i < create->n_parameters && s->depth < INLINE_DEPTH_MAX; i++) {
        const PgQuery__Node *node = create->parameters[i];
        if (node->node_case != PG_QUERY__NODE__NODE_FUNCTION_PARAMETER ||
            node->function_parameter->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT ||
            inputs++ < count || !node->function_parameter->defexpr)
            continue;
        v = volatility_worse(
            v, expression_judge(&outside, node->function_parameter->defexpr).volatility);
    }
    return v;
}

static enum volatility volatility_of_body(const struct surroundings *s,
                                          const struct catalog_function *f,
                                          const PgQuery__Node *statement,
                                          const struct judged *arguments, size_t count)
{
    struct body body = {.f = f, .expression = expression_of(statement)};
    enum volatility declared = volatility_of_letter(f->volatility);
    if (!body.expression)
        return with_arguments(declared, arguments, count, NULL);
    struct surroundings within = {.c = s->c, .f = f, .outer = s, .depth = s->depth + 1, .a = s->a};
    struct reading x = {.s = &within, .body = &body};
    (void)parse_tree_visit(&body.expression->base, read_body, &x);
    enum volatility inner = expression_judge(&within, body.expression).volatility;
    if (!may_replace(f, &body, inner))
        return with_arguments(declared, arguments, count, NULL);
    return with_arguments(inner, arguments, count, &body);
}

static enum volatility of_call_itself(const struct surroundings *s,
                                      const struct catalog_function *f,
                                      const struct judged *arguments, size_t count)
{
    if (!is_candidate(s, f))
        return with_arguments(volatility_of_letter(f->volatility), arguments, count, NULL);
    const PgQuery__CreateFunctionStmt *create = f->tree;
    if (!f->body.len && create)
        return volatility_of_body(s, f, create->sql_body, arguments, count);
    const PgQuery__ParseResult *body = parse_script_kept(s->a, f->body);
    const PgQuery__Node *only = body && body->n_stmts == 1 ? body->stmts[0]->stmt : NULL;
    return volatility_of_body(s, f, only, arguments, count);
}

enum volatility user_call_volatility(const struct surroundings *s, const struct catalog_function *f,
                                     const struct judged *arguments, size_t count)
{
    enum volatility v = of_call_itself(s, f, arguments, count);
    return count < f->arguments.count ? volatility_worse(v, of_omitted(s, f, count)) : v;
}
