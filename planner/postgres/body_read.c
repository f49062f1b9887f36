/* What the statements of a body are read with: their JSON, their variables, their expressions. */
#include "planner/postgres/body.h"

/* ---- reading the JSON ---- */

struct str body_query_text(const struct json *holder, const char *key)
{
    return json_str_of(json_get(json_get(json_get(holder, key), "PLpgSQL_expr"), "query"));
}

int64_t body_number_of(const struct json *j, const char *key, int64_t missing)
{
    int64_t n;
    return json_i64_of(json_get(j, key), &n) ? n : missing;
}

bool body_flag_of(const struct json *j, const char *key)
{
    bool value;
    return json_bool_of(json_get(j, key), &value) && value;
}

/* The name of variable number n: of a record's field "r.field". */
struct str body_datum_name(const struct body *b, int64_t n)
{
    if (n < 0 || (size_t)n >= json_count(b->datums))
        return STR("");
    const struct json *datum = json_at(b->datums, (size_t)n);
    const struct json *field = json_get(datum, "PLpgSQL_recfield");
    if (field) {
        const struct json *parent =
            json_at(b->datums, (size_t)body_number_of(field, "recparentno", 0));
        struct str record = json_str_of(json_get(json_get(parent, "PLpgSQL_rec"), "refname"));
        return str_of(arena_printf(b->d->a, "%.*s.%.*s", STR_ARG(record),
                                   STR_ARG(json_str_of(json_get(field, "fieldname")))));
    }
    const struct json *var = json_get(datum, "PLpgSQL_var");
    if (!var)
        var = json_get(datum, "PLpgSQL_rec");
    return json_str_of(json_get(var, "refname"));
}

/* ---- targets ---- */

struct body_value body_settled(const struct body *b, struct body_value value)
{
    return b->maybe ? (struct body_value){0} : value;
}

static void set_fields(struct body *b, struct str record, const struct body_result *result,
                       size_t row)
{
    for (size_t i = 0; i < result->column_count; i++) {
        struct str field =
            str_of(arena_printf(b->d->a, "%.*s.%.*s", STR_ARG(record), STR_ARG(result->names[i])));
        body_set(b, field, body_settled(b, result->rows.at[row][i]));
    }
}

/* INTO, and the variable of a loop: a row of a result, or NULL where it is not
 * known. */
void body_set_target(struct body *b, const struct json *target, const struct body_result *result,
                     size_t row)
{
    const struct json *var = json_get(target, "PLpgSQL_var");
    const struct json *record = json_get(target, "PLpgSQL_rec");
    const struct json *fields = json_get(json_get(target, "PLpgSQL_row"), "fields");
    bool is_known = result && row < result->rows.count;
    if (var) {
        struct body_value v =
            is_known && result->column_count ? result->rows.at[row][0] : (struct body_value){0};
        body_set(b, json_str_of(json_get(var, "refname")), body_settled(b, v));
    }
    for (size_t i = 0; i < json_count(fields); i++) {
        int64_t n = body_number_of(json_at(fields, i), "varno", -1);
        bool has = is_known && i < result->column_count;
        body_set(b, body_datum_name(b, n),
                 body_settled(b, has ? result->rows.at[row][i] : (struct body_value){0}));
        /* The library takes a record for a scalar. */
        if (is_known && json_count(fields) == 1)
            set_fields(b, body_datum_name(b, n), result, row);
    }
    if (!record)
        return;
    struct str name = json_str_of(json_get(record, "refname"));
    body_set(b, name, (struct body_value){0});
    if (is_known)
        set_fields(b, name, result, row);
}

/* ---- expressions ---- */

/* The tables that an expression reads are locked, its functions run. */
const PgQuery__Node *body_run_expression(struct body *b, struct str text)
{
    const PgQuery__Node *node = body_parse_expression(b, text);
    if (!node)
        return NULL;
    struct query_uses uses = {0};
    query_uses_expression(b->d, node, NULL, &uses);
    query_uses_lock(b->d, &uses, QUERY_PLANNED);
    query_uses_scan(b->d, &uses);
    return node;
}

enum truth body_run_condition(struct body *b, struct str text)
{
    const PgQuery__Node *node = body_run_expression(b, text);
    if (!node)
        return TRUTH_UNKNOWN;
    struct body_value v = body_evaluate(b, node);
    if (v.kind == BODY_NULL)
        return TRUTH_FALSE;
    if (v.kind != BODY_TEXT)
        return TRUTH_UNKNOWN;
    return v.text.len && char_lower(v.text.at[0]) == 't' ? TRUTH_TRUE : TRUTH_FALSE;
}
