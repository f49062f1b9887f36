/* PL/pgSQL statements, as libpg_query's JSON has them: {"PLpgSQL_stmt_if":
   {…}}. A branch is taken where its condition is known; where it is not, all of
   them are looked at, and what they set is not known afterwards. */
#include <string.h>

#include "planner/postgres/body.h"

/* ---- statements ---- */

static void run_list(struct body *b, const struct json *list);

static void fail_here(struct body *b)
{
    if (!b->maybe)
        b->is_failed = true;
}

static void run_maybe(struct body *b, const struct json *list)
{
    bool is_left = b->is_left;
    b->maybe++;
    run_list(b, list);
    b->maybe--;
    b->is_left = is_left;
}

static void run_assign(struct body *b, const struct json *s)
{
    struct str text = body_query_text(s, "expr");
    SCOPED(tokens) struct tokens tokens = {0};
    parse_scan(b->d->a, text, &tokens);
    /* "target := expression" in one text. */
    for (size_t i = 0; i < tokens.count; i++) {
        if (tokens.at[i].kind != PG_QUERY__TOKEN__COLON_EQUALS &&
            tokens.at[i].kind != PG_QUERY__TOKEN__ASCII_61)
            continue;
        text = str_skip(text, tokens.at[i].to);
        break;
    }
    const PgQuery__Node *node = body_run_expression(b, arena_str(b->d->a, text));
    struct body_value v = node ? body_evaluate(b, node) : (struct body_value){0};
    body_set(b, body_datum_name(b, body_number_of(s, "varno", -1)), body_settled(b, v));
}

static struct body_value dynamic_text(struct body *b, struct str text)
{
    const PgQuery__Node *node = body_run_expression(b, text);
    return node ? body_evaluate(b, node) : (struct body_value){0};
}

static void run_if(struct body *b, const struct json *s)
{
    enum truth before = body_run_condition(b, body_query_text(s, "cond"));
    const struct json *body = json_get(s, "then_body");
    bool is_open = before == TRUTH_UNKNOWN;
    if (before == TRUTH_TRUE) {
        run_list(b, body);
        return;
    }
    if (is_open)
        run_maybe(b, body);
    const struct json *others = json_get(s, "elsif_list");
    for (size_t i = 0; i < json_count(others); i++) {
        const struct json *other = json_get(json_at(others, i), "PLpgSQL_if_elsif");
        enum truth is_true = body_run_condition(b, body_query_text(other, "cond"));
        if (is_true == TRUTH_FALSE)
            continue;
        if (is_true == TRUTH_TRUE && !is_open) {
            run_list(b, json_get(other, "stmts"));
            return;
        }
        is_open = true;
        run_maybe(b, json_get(other, "stmts"));
    }
    if (is_open)
        run_maybe(b, json_get(s, "else_body"));
    else
        run_list(b, json_get(s, "else_body"));
}

static void run_case(struct body *b, const struct json *s)
{
    if (json_get(s, "t_expr")) {
        /* Each WHEN asks whether a variable of the server's own is IN what stands there. */
        struct body_value v = dynamic_text(b, body_query_text(s, "t_expr"));
        body_set(b, body_datum_name(b, body_number_of(s, "t_varno", -1)), body_settled(b, v));
    }
    const struct json *list = json_get(s, "case_when_list");
    bool is_open = false;
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *when = json_get(json_at(list, i), "PLpgSQL_case_when");
        enum truth is_true = body_run_condition(b, body_query_text(when, "expr"));
        if (is_true == TRUTH_FALSE)
            continue;
        if (is_true == TRUTH_TRUE && !is_open) {
            run_list(b, json_get(when, "stmts"));
            return;
        }
        is_open = true;
        run_maybe(b, json_get(when, "stmts"));
    }
    if (is_open)
        run_maybe(b, json_get(s, "else_stmts"));
    else
        run_list(b, json_get(s, "else_stmts"));
}

/* ---- loops ---- */

/* What cannot be followed is looked at once. */
static void run_once(struct body *b, const struct json *body)
{
    run_maybe(b, body);
}

static void run_for_query(struct body *b, const struct json *s, const PgQuery__Node *query)
{
    const struct json *var = json_get(s, "var");
    struct body_result result = {0};
    if (query)
        query_run(b->d, query);
    if (!query || !body_select(b, query, &result) || (!result.rows.count && !result.is_certain)) {
        body_set_target(b, var, NULL, 0);
        run_once(b, json_get(s, "body"));
        return;
    }
    for (size_t i = 0; i < result.rows.count && !b->is_left && !b->is_failed; i++) {
        body_set_target(b, var, &result, i);
        run_list(b, json_get(s, "body"));
    }
    b->is_left = false;
    if (!result.is_certain)
        deed_opaque(b->d, "a loop over objects of which not all may be known");
}

static const PgQuery__Node *parse_query(struct body *b, struct str text)
{
    if (!body_spend(b->d, text.len))
        return NULL;
    const PgQuery__ParseResult *script = parse_script_kept(b->d->catalog->arena, text);
    return script && script->n_stmts == 1 ? script->stmts[0]->stmt : NULL;
}

static void run_fors(struct body *b, const struct json *s)
{
    run_for_query(b, s, parse_query(b, body_query_text(s, "query")));
}

/* The query of a cursor that was declared with one, behind its arguments, whose values are not followed. */
static struct str bound_query(struct body *b, const struct json *s)
{
    int64_t n = body_number_of(s, "curvar", -1);
    const struct json *var = n < 0 ? NULL : json_get(json_at(b->datums, (size_t)n), "PLpgSQL_var");
    int64_t row = body_number_of(var, "cursor_explicit_argrow", -1);
    const struct json *arguments =
        row < 0 ? NULL
                : json_get(json_get(json_at(b->datums, (size_t)row), "PLpgSQL_row"), "fields");
    for (size_t i = 0; i < json_count(arguments); i++)
        body_set(b, json_str_of(json_get(json_at(arguments, i), "name")), (struct body_value){0});
    struct str given = body_query_text(s, "argquery");
    if (given.len) {
        const PgQuery__Node *list =
            parse_query(b, str_of(arena_printf(b->d->a, "SELECT %.*s", STR_ARG(given))));
        if (list)
            query_run(b->d, list);
        else
            deed_opaque(b->d, "arguments of a cursor that the parser does not know");
    }
    struct str text = body_query_text(var, "cursor_explicit_expr");
    if (!text.len)
        deed_opaque(b->d, "a cursor whose query is not known");
    return text;
}

static void run_forc(struct body *b, const struct json *s)
{
    struct str text = bound_query(b, s);
    run_for_query(b, s, text.len ? parse_query(b, text) : NULL);
}

static void run_dynfors(struct body *b, const struct json *s)
{
    struct body_value v = dynamic_text(b, body_query_text(s, "query"));
    struct str text;
    if (!body_value_text(b, &v, &text))
        deed_opaque(b->d, "EXECUTE of a text that is only known when it runs");
    run_for_query(b, s, v.kind == BODY_TEXT ? parse_query(b, v.text) : NULL);
}

static bool bound_of(struct body *b, const struct json *s, const char *key, int64_t *out)
{
    struct body_value v = dynamic_text(b, body_query_text(s, key));
    return v.kind == BODY_TEXT && str_to_i64(v.text, out);
}

static void run_fori(struct body *b, const struct json *s)
{
    enum { TURNS_MAX = 1000 };
    int64_t from;
    int64_t to;
    int64_t step = 1;
    struct str name = json_str_of(json_get(json_get(json_get(s, "var"), "PLpgSQL_var"), "refname"));
    bool is_known = bound_of(b, s, "lower", &from) && bound_of(b, s, "upper", &to);
    if (is_known && json_get(s, "step"))
        is_known = bound_of(b, s, "step", &step) && step > 0 && step < INT32_MAX;
    bool is_reverse = body_flag_of(s, "reverse");
    if (!is_known || from > INT32_MAX || from < INT32_MIN || to > INT32_MAX || to < INT32_MIN ||
        (to - from) / step > TURNS_MAX || (from - to) / step > TURNS_MAX) {
        body_set(b, name, (struct body_value){0});
        run_once(b, json_get(s, "body"));
        return;
    }
    for (int64_t i = from; is_reverse ? i >= to : i <= to; i += is_reverse ? -step : step) {
        body_set(b, name, body_text(str_of(arena_printf(b->d->a, "%lld", (long long)i))));
        run_list(b, json_get(s, "body"));
        if (b->is_left || b->is_failed)
            break;
    }
    b->is_left = false;
}

static void run_foreach(struct body *b, const struct json *s)
{
    struct body_value list = dynamic_text(b, body_query_text(s, "expr"));
    struct str name = body_datum_name(b, body_number_of(s, "varno", -1));
    if (list.kind != BODY_LIST) {
        body_set(b, name, (struct body_value){0});
        run_once(b, json_get(s, "body"));
        return;
    }
    for (size_t i = 0; i < list.item_count && !b->is_left && !b->is_failed; i++) {
        body_set(b, name, body_settled(b, list.items[i]));
        run_list(b, json_get(s, "body"));
    }
    b->is_left = false;
}

static void run_loop(struct body *b, const struct json *s)
{
    if (json_get(s, "cond") && body_run_condition(b, body_query_text(s, "cond")) == TRUTH_FALSE)
        return;
    run_once(b, json_get(s, "body"));
}

/* ---- SQL ---- */

static void run_sql(struct body *b, const struct json *s)
{
    struct str text = body_query_text(s, "sqlstmt");
    struct body_result result = {0};
    const struct json *target = body_flag_of(s, "into") ? json_get(s, "target") : NULL;
    const PgQuery__Node *query = target ? parse_query(b, text) : NULL;
    bool is_known = query && body_select(b, query, &result) && result.is_certain;
    if (!body_run_text(b, text))
        fail_here(b);
    if (!target)
        return;
    if (is_known && !result.rows.count) {
        struct body_value *nulls = arena_array(b->d->a, struct body_value, 64);
        for (size_t i = 0; i < 64; i++)
            nulls[i].kind = BODY_NULL;
        vec_push(b->d->a, &result.rows, nulls);
        body_set(b, STR("found"), body_settled(b, body_bool(false)));
    } else {
        body_set(b, STR("found"),
                 is_known ? body_settled(b, body_bool(true)) : (struct body_value){0});
    }
    body_set_target(b, target, is_known ? &result : NULL, 0);
}

static void run_dynamic(struct body *b, const struct json *s)
{
    struct body_value v = dynamic_text(b, body_query_text(s, "query"));
    if (v.kind != BODY_TEXT)
        deed_opaque(b->d, "EXECUTE of a text that is only known when it runs");
    else if (!body_run_text(b, v.text))
        fail_here(b);
    if (body_flag_of(s, "into"))
        body_set_target(b, json_get(s, "target"), NULL, 0);
}

static void run_expr(struct body *b, const struct json *s)
{
    if (!body_run_text(b, body_query_text(s, "expr")))
        fail_here(b);
}

static void run_query_key(struct body *b, const struct json *s)
{
    struct str text = body_query_text(s, "query");
    if (text.len && !body_run_text(b, text))
        fail_here(b);
    if (json_get(s, "dynquery")) {
        struct body_value v = dynamic_text(b, body_query_text(s, "dynquery"));
        if (v.kind == BODY_TEXT)
            body_run_text(b, v.text);
        else
            deed_opaque(b->d, "EXECUTE of a text that is only known when it runs");
    }
}

static void run_open(struct body *b, const struct json *s)
{
    if (json_get(s, "query") || json_get(s, "dynquery")) {
        run_query_key(b, s);
        return;
    }
    struct str text = bound_query(b, s);
    if (text.len && !body_run_text(b, text))
        fail_here(b);
}

static void run_return(struct body *b, const struct json *s)
{
    struct str text = body_query_text(s, "expr");
    if (text.len)
        body_run_expression(b, text);
    b->is_left = true;
}

static void run_exit(struct body *b, const struct json *s)
{
    struct str text = body_query_text(s, "cond");
    if (!text.len || body_run_condition(b, text) == TRUTH_TRUE)
        b->is_left = body_flag_of(s, "is_exit") || !text.len;
}

static void run_raise(struct body *b, const struct json *s)
{
    enum { LEVEL_ERROR = 21 }; /* elog.h */
    if (body_number_of(s, "elog_level", LEVEL_ERROR) < LEVEL_ERROR || b->maybe)
        return;
    if (!b->has_handler)
        deed_fails(b->d, "it raises an exception");
    b->is_failed = true;
}

static void run_end_transaction(struct body *b, const struct json *s)
{
    (void)s;
    if (b->is_function)
        deed_fails(b->d, "a function cannot end the transaction");
    b->d->effects->refuses_transaction = true;
}

static void run_diagnostics(struct body *b, const struct json *s)
{
    const struct json *items = json_get(s, "diag_items");
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *item = json_get(json_at(items, i), "PLpgSQL_diag_item");
        body_set(b, body_datum_name(b, body_number_of(item, "target", -1)), (struct body_value){0});
    }
}

static void run_assert(struct body *b, const struct json *s)
{
    body_run_condition(b, body_query_text(s, "cond"));
}

static void run_fetch(struct body *b, const struct json *s)
{
    body_set_target(b, json_get(s, "target"), NULL, 0);
}

/* A block with EXCEPTION: what fails is undone, though it held its locks while
   it ran. The handlers run only where something fails for certain. */
static void run_block(struct body *b, const struct json *s)
{
    const struct json *handlers =
        json_get(json_get(json_get(s, "exceptions"), "PLpgSQL_exception_block"), "exc_list");
    if (!handlers) {
        run_list(b, json_get(s, "body"));
        return;
    }
    bool outer = b->has_handler;
    b->has_handler = true;
    run_list(b, json_get(s, "body"));
    b->has_handler = outer;
    if (!b->is_failed)
        return;
    b->is_failed = false;
    for (size_t i = 0; i < json_count(handlers); i++) {
        const struct json *handler = json_get(json_at(handlers, i), "PLpgSQL_exception");
        run_maybe(b, json_get(handler, "action"));
    }
}

static void run_nothing(struct body *b, const struct json *s)
{
    (void)b;
    (void)s;
}

static const struct {
    const char *name;
    void (*run)(struct body *b, const struct json *s);
} statements[] = {
    {"PLpgSQL_stmt_block", run_block},
    {"PLpgSQL_stmt_assign", run_assign},
    {"PLpgSQL_stmt_if", run_if},
    {"PLpgSQL_stmt_case", run_case},
    {"PLpgSQL_stmt_loop", run_loop},
    {"PLpgSQL_stmt_while", run_loop},
    {"PLpgSQL_stmt_fori", run_fori},
    {"PLpgSQL_stmt_fors", run_fors},
    {"PLpgSQL_stmt_forc", run_forc},
    {"PLpgSQL_stmt_foreach_a", run_foreach},
    {"PLpgSQL_stmt_exit", run_exit},
    {"PLpgSQL_stmt_return", run_return},
    {"PLpgSQL_stmt_return_next", run_nothing},
    {"PLpgSQL_stmt_return_query", run_query_key},
    {"PLpgSQL_stmt_raise", run_raise},
    {"PLpgSQL_stmt_assert", run_assert},
    {"PLpgSQL_stmt_execsql", run_sql},
    {"PLpgSQL_stmt_dynexecute", run_dynamic},
    {"PLpgSQL_stmt_dynfors", run_dynfors},
    {"PLpgSQL_stmt_getdiag", run_diagnostics},
    {"PLpgSQL_stmt_open", run_open},
    {"PLpgSQL_stmt_fetch", run_fetch},
    {"PLpgSQL_stmt_close", run_nothing},
    {"PLpgSQL_stmt_perform", run_expr},
    {"PLpgSQL_stmt_call", run_expr},
    {"PLpgSQL_stmt_commit", run_end_transaction},
    {"PLpgSQL_stmt_rollback", run_end_transaction},
};

static void run_statement(struct body *b, const struct json *statement)
{
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        const struct json *s = json_get(statement, statements[i].name);
        if (!s)
            continue;
        statements[i].run(b, s);
        return;
    }
    deed_opaque(b->d, "a statement of PL/pgSQL that is not known");
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the body is nested */
static void run_list(struct body *b, const struct json *list)
{
    for (size_t i = 0; i < json_count(list) && !b->is_left && !b->is_failed; i++) {
        if (++b->steps > BODY_STEPS_MAX)
            deed_opaque(b->d, "a body with too many steps");
        if (b->steps > BODY_STEPS_MAX || !body_spend(b->d, BODY_STEP_BYTES))
            return;
        run_statement(b, json_at(list, i));
    }
}

void body_run(struct body *b, const struct json *function)
{
    b->datums = json_get(function, "datums");
    for (size_t i = 0; i < json_count(b->datums); i++) {
        const struct json *var = json_get(json_at(b->datums, i), "PLpgSQL_var");
        struct str name = json_str_of(json_get(var, "refname"));
        if (!var || !body_number_of(var, "lineno", 0))
            continue;
        struct str text = body_query_text(var, "default_val");
        struct body_value v = {.kind = BODY_NULL};
        if (text.len) {
            const PgQuery__Node *node = body_run_expression(b, text);
            v = node ? body_evaluate(b, node) : (struct body_value){0};
        }
        body_set(b, name, v);
    }
    const struct json *block = json_get(json_get(function, "action"), "PLpgSQL_stmt_block");
    run_block(b, block);
}
