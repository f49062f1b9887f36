/*
 * Which function or operator a call means (parse_func.c: func_select_candidate): those that take so many
 * arguments of such types; of them the ones that fit most arguments exactly, then most by the type that
 * its category prefers.
 */
#include "planner/postgres/expression_parts.h"

struct str expression_name(PgQuery__Node *const *names, size_t count, struct str *out_schema)
{
    struct str last[2] = {0};
    for (size_t i = 0; i < count; i++) {
        last[0] = last[1];
        last[1] = names[i]->node_case == PG_QUERY__NODE__NODE_STRING
                      ? str_of(names[i]->string->sval)
                      : (struct str){0};
    }
    if (out_schema)
        *out_schema = last[0];
    return last[1];
}

/* ---- one argument ---- */

enum fit { FIT_NONE, FIT_CAST, FIT_PREFERRED, FIT_EXACT };

static bool fits_any(const struct catalog *c, const struct type_ref *t, struct str general)
{
    struct type_ref base = type_base(t);
    char category = type_category(c, &base);
    if (str_ends(general, STR("nonarray")))
        return !base.is_array;
    if (str_ends(general, STR("array")))
        return base.is_array;
    if (str_ends(general, STR("range")))
        return category == 'R';
    return !str_equal(general, STR("anyenum")) || category == 'E';
}

/* How well an argument of type t fits where `wanted` is taken. */
static enum fit fit_of(const struct catalog *c, const struct type_ref *t,
                       const struct type_ref *wanted)
{
    if (!type_is_known(t) || type_is_literal(t))
        return FIT_CAST;
    if (str_starts(wanted->builtin, STR("any")) && !wanted->is_array)
        return fits_any(c, t, wanted->builtin) ? FIT_CAST : FIT_NONE;
    struct type_ref base = type_base(t);
    struct type_ref to = type_base(wanted);
    if (type_same(&base, &to))
        return FIT_EXACT;
    enum cast_path path = type_cast_path(c, &base, &to, CAST_IMPLICIT, NULL);
    if (path == PATH_NONE)
        return FIT_NONE;
    struct fact f;
    bool is_preferred =
        type_fact(c, &to, &f) && !to.is_array && fact_letter(&f, TYPE_FACT_PREFERRED) == 'p';
    return is_preferred ? FIT_PREFERRED : FIT_CAST;
}

/* ---- candidates ---- */

/* A function that a call may mean; user's or built in. */
struct candidate {
    struct fact fact;
    const struct catalog_function *function;
};

/* How many arguments fit exactly, and how many exactly or by the preferred type. */
struct score {
    int exact, preferred;
};

static bool is_better(struct score a, struct score b)
{
    return a.exact > b.exact || (a.exact == b.exact && a.preferred > b.preferred);
}

static size_t split_types(struct str list, struct type_ref *out)
{
    size_t count = 0;
    while (list.len && count < CALL_ARGUMENTS_MAX) {
        struct str name;
        list = str_cut(list, ',', &name);
        out[count++] = type_of_fact(name);
    }
    return count;
}

bool function_is_variadic(const struct catalog_function *f)
{
    const PgQuery__CreateFunctionStmt *create = f->tree;
    for (size_t i = 0; create && i < create->n_parameters; i++) {
        const PgQuery__Node *p = create->parameters[i];
        if (p->node_case == PG_QUERY__NODE__NODE_FUNCTION_PARAMETER &&
            p->function_parameter->mode == PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_VARIADIC)
            return true;
    }
    return false;
}

/* The types a candidate takes of so many arguments; false: it does not take so many. */
static bool wanted_types(const struct candidate *k, size_t count, struct type_ref *out)
{
    size_t arity = 0;
    uint64_t left_out = 0;
    bool is_variadic = false;
    if (k->function) {
        left_out = k->function->default_count;
        is_variadic = function_is_variadic(k->function);
        for (; arity < k->function->arguments.count && arity < CALL_ARGUMENTS_MAX; arity++)
            out[arity] = k->function->arguments.at[arity];
    } else {
        arity = split_types(k->fact.column[FUNCTION_ARGUMENTS], out);
        is_variadic = k->fact.column[FUNCTION_VARIADIC].len > 0;
        if (!str_to_u64(k->fact.column[FUNCTION_DEFAULTS], &left_out))
            left_out = 0;
    }
    if (count <= arity && count + left_out >= arity)
        return true;
    if (!is_variadic || !arity || count + 1 < arity)
        return false;
    struct type_ref last = out[arity - 1];
    last.is_array = false;
    for (size_t i = arity - 1; i < count; i++)
        out[i] = last;
    return true;
}

static bool score_candidate(const struct catalog *c, const struct candidate *k,
                            const struct judged *arguments, size_t count, struct score *out)
{
    struct type_ref wanted[CALL_ARGUMENTS_MAX];
    *out = (struct score){0};
    if (!wanted_types(k, count, wanted))
        return false;
    for (size_t i = 0; i < count; i++) {
        enum fit fit = fit_of(c, &arguments[i].type, &wanted[i]);
        if (fit == FIT_NONE)
            return false;
        out->exact += fit == FIT_EXACT;
        out->preferred += fit >= FIT_PREFERRED;
    }
    return true;
}

/* All functions of a name, one after the other: the built-in ones, then the user's. */
struct walk {
    const struct catalog *c;
    struct str schema, name;
    struct facts search;
    const struct catalog_function *last;
    bool has_builtin;
};

static struct walk begin_walk(const struct catalog *c, struct str schema, struct str name)
{
    return (struct walk){.c = c,
                         .schema = schema,
                         .name = name,
                         .search = facts_of(c, FACT_FUNCTIONS, name),
                         .has_builtin = true};
}

/* Where a schema is named, pg_catalog has its own and an extension's may be in any other. */
static bool is_in_schema(const struct walk *w, const struct fact *f)
{
    bool is_system = str_equal(w->schema, STR("pg_catalog"));
    return !w->schema.len || is_system == (f->column[FUNCTION_EXTENSION].len == 0);
}

static bool next_candidate(struct walk *w, struct candidate *out)
{
    out->function = NULL;
    while (w->has_builtin) {
        w->has_builtin = facts_next(&w->search, &out->fact);
        if (w->has_builtin && is_in_schema(w, &out->fact))
            return true;
    }
    out->function = w->last = catalog_find_function(w->c, w->schema, w->name, w->last);
    return w->last != NULL;
}

/* ---- results ---- */

/* anyelement and its like take the type of the first argument that is as open as they are. */
static struct type_ref open_result(struct str result, struct str wanted_list,
                                   const struct judged *arguments, size_t count)
{
    for (size_t i = 0; i < count && wanted_list.len; i++) {
        struct str wanted;
        wanted_list = str_cut(wanted_list, ',', &wanted);
        struct type_ref t = type_base(&arguments[i].type);
        if (!str_starts(wanted, STR("any")) || !type_is_known(&t) || type_is_literal(&t) ||
            str_ends(result, STR("range")))
            continue;
        t.is_array = str_ends(result, STR("array")) && !str_ends(result, STR("nonarray"));
        return t;
    }
    return type_nothing();
}

static struct type_ref result_type(const struct candidate *k, const struct judged *arguments,
                                   size_t count)
{
    if (k->function)
        return k->function->result;
    struct str result = k->fact.column[FUNCTION_RESULT];
    if (str_starts(result, STR("any")))
        return open_result(result, k->fact.column[FUNCTION_ARGUMENTS], arguments, count);
    return type_of_fact(result);
}

/* One more of those that may be meant. */
static void join(struct judged *out, bool is_first, struct type_ref type, enum volatility v)
{
    out->volatility = is_first ? v : volatility_worse(out->volatility, v);
    if (is_first)
        out->type = type;
    else if (!type_same(&out->type, &type))
        out->type = type_nothing();
}

static enum volatility candidate_volatility(const struct surroundings *s, const struct candidate *k,
                                            const struct judged *arguments, size_t count)
{
    if (k->function)
        return user_call_volatility(s, k->function, arguments, count);
    enum volatility v = volatility_of_letter(fact_letter(&k->fact, FUNCTION_VOLATILITY));
    for (size_t i = 0; i < count; i++)
        v = volatility_worse(v, arguments[i].volatility);
    return v;
}

/* A type's name used as a function: text(x), where no function has that name. */
static struct judged cast_by_name(const struct surroundings *s, struct str name,
                                  const struct judged *arguments, size_t count)
{
    struct fact f;
    struct judged out = {.type = type_nothing(), .volatility = VOLATILITY_UNKNOWN};
    if (count == 1 && facts_type(s->c, name, false, &f)) {
        out.type = type_of_fact(name);
        out.volatility = VOLATILITY_STABLE;
    }
    for (size_t i = 0; i < count; i++)
        out.volatility = volatility_worse(out.volatility, arguments[i].volatility);
    return out;
}

struct catalog_function *call_function(const struct catalog *c, const PgQuery__FuncCall *call)
{
    struct str schema;
    struct str name = expression_name(call->funcname, call->n_funcname, &schema);
    struct surroundings s = {.c = c, .a = c->arena};
    struct judged arguments[CALL_ARGUMENTS_MAX];
    size_t count = 0;
    for (; count < call->n_args && count < CALL_ARGUMENTS_MAX; count++)
        arguments[count] = expression_judge(&s, call->args[count]);
    struct catalog_function *best = NULL;
    struct score most = {.exact = -1};
    struct catalog_function *f = NULL;
    while ((f = catalog_find_function(c, schema, name, f)) != NULL) {
        struct candidate k = {.function = f};
        struct score score;
        if (!score_candidate(c, &k, arguments, count, &score) || !is_better(score, most))
            continue;
        most = score;
        best = f;
    }
    return best;
}

struct judged call_judge(const struct surroundings *s, const PgQuery__FuncCall *call,
                         const struct judged *arguments, size_t count)
{
    struct str schema;
    struct str name = expression_name(call->funcname, call->n_funcname, &schema);
    /* What EXTRACT(… FROM …) stands for, before 14. */
    if (facts_major(s->c) < 14 && str_equal(name, STR("extract")))
        name = STR("date_part");
    struct candidate k;
    struct score score;
    struct score best = {.exact = -1};
    struct walk w = begin_walk(s->c, schema, name);
    while (next_candidate(&w, &k)) {
        if (score_candidate(s->c, &k, arguments, count, &score) && is_better(score, best))
            best = score;
    }
    /* Where nothing fits (an extension's type among the arguments), all of that name may be meant. */
    struct judged out;
    size_t found = 0;
    w = begin_walk(s->c, schema, name);
    while (next_candidate(&w, &k)) {
        bool fits = score_candidate(s->c, &k, arguments, count, &score);
        if (best.exact >= 0 && !(fits && !is_better(best, score)))
            continue;
        join(&out, found++ == 0, result_type(&k, arguments, count),
             candidate_volatility(s, &k, arguments, count));
    }
    return found ? out : cast_by_name(s, name, arguments, count);
}

/* ---- operators ---- */

/* A literal beside a known type is taken for that type. */
static void lend_type(struct type_ref *left, struct type_ref *right)
{
    if (type_is_literal(left) && type_is_known(right))
        *left = type_base(right);
    else if (type_is_literal(right) && type_is_known(left))
        *right = type_base(left);
}

static bool side_fits(const struct catalog *c, const struct judged *side, struct str wanted,
                      struct score *score)
{
    if ((side != NULL) != (wanted.len > 0))
        return false;
    if (!side)
        return true;
    struct type_ref type = type_of_fact(wanted);
    enum fit fit = fit_of(c, &side->type, &type);
    score->exact += fit == FIT_EXACT;
    score->preferred += fit >= FIT_PREFERRED;
    return fit != FIT_NONE;
}

static struct type_ref operator_result(const struct fact *f, const struct judged *left,
                                       const struct judged *right)
{
    struct str result = f->column[OPERATOR_RESULT];
    if (!str_starts(result, STR("any")))
        return type_of_fact(result);
    struct type_ref type = type_nothing();
    if (left)
        type = open_result(result, f->column[OPERATOR_LEFT], left, 1);
    if (right && !type_is_known(&type))
        type = open_result(result, f->column[OPERATOR_RIGHT], right, 1);
    return type;
}

static bool operator_fits(const struct catalog *c, const struct fact *f, const struct judged *left,
                          const struct judged *right, struct score *out)
{
    *out = (struct score){0};
    return side_fits(c, left, f->column[OPERATOR_LEFT], out) &&
           side_fits(c, right, f->column[OPERATOR_RIGHT], out);
}

static struct judged choose_operator(const struct surroundings *s, struct str name,
                                     const struct judged *left, const struct judged *right)
{
    struct fact f;
    struct score score;
    struct score best = {.exact = -1};
    struct facts search = facts_of(s->c, FACT_OPERATORS, name);
    while (facts_next(&search, &f)) {
        if (operator_fits(s->c, &f, left, right, &score) && is_better(score, best))
            best = score;
    }
    struct judged out = {.type = type_nothing(), .volatility = VOLATILITY_UNKNOWN};
    size_t found = 0;
    search = facts_of(s->c, FACT_OPERATORS, name);
    while (best.exact >= 0 && facts_next(&search, &f)) {
        if (operator_fits(s->c, &f, left, right, &score) && !is_better(best, score))
            join(&out, found++ == 0, operator_result(&f, left, right),
                 volatility_of_letter(fact_letter(&f, OPERATOR_VOLATILITY)));
    }
    return out;
}

struct judged operator_judge(const struct surroundings *s, struct str name,
                             const struct judged *left, const struct judged *right)
{
    struct judged out = {.volatility = VOLATILITY_UNKNOWN};
    if (left && right) {
        struct judged lent[2];
        lent[0] = *left;
        lent[1] = *right;
        lend_type(&lent[0].type, &lent[1].type);
        out = choose_operator(s, name, &lent[0], &lent[1]);
    }
    if (out.volatility == VOLATILITY_UNKNOWN)
        out = choose_operator(s, name, left, right);
    if (left)
        out.volatility = volatility_worse(out.volatility, left->volatility);
    if (right)
        out.volatility = volatility_worse(out.volatility, right->volatility);
    return out;
}
