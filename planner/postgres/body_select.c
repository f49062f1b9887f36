/* SELECTs that the catalog can answer: over system tables, unnest() and
 * generate_series(). */
#include <string.h>

#include "core/base/buf.h"
#include "planner/postgres/body.h"
#include "planner/postgres/query_walk.h"

enum { SOURCES_MAX = 6 };

struct source {
    struct str alias;
    const char *const *columns;
    struct body_result rows;
};

struct selection {
    struct body *b;
    const PgQuery__SelectStmt *select;
    struct source sources[SOURCES_MAX];
    size_t source_count;
    const PgQuery__Node *conditions[SOURCES_MAX * 2];
    size_t condition_count;
    struct body_result *out;
    bool is_over; /* something cannot be told */
};

/* ---- FROM ---- */

static struct source *add_source(struct selection *s, const PgQuery__Alias *alias, struct str name)
{
    if (s->source_count == SOURCES_MAX)
        return NULL;
    struct source *source = &s->sources[s->source_count++];
    *source = (struct source){.alias = alias ? str_of(alias->aliasname) : name};
    return source;
}

static bool add_table(struct selection *s, const PgQuery__RangeVar *name)
{
    const struct body_table *table = body_table_of(str_of(name->schemaname), str_of(name->relname));
    struct source *source = table ? add_source(s, name->alias, str_of(name->relname)) : NULL;
    if (!source)
        return false;
    source->columns = table->columns;
    source->rows.is_certain = s->b->d->catalog->is_complete;
    table->fill(s->b, &source->rows);
    s->out->is_certain &= source->rows.is_certain;
    return true;
}

static const char *const *column_list(struct body *b, const struct str *names, size_t count)
{
    const char **out = arena_array(b->d->a, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        out[i] = arena_cstr(b->d->a, names[i]);
    return out;
}

/* The rows of unnest() and generate_series(). */
static bool series_of(struct body *b, const PgQuery__FuncCall *call, struct body_result *out)
{
    struct str schema;
    struct str name;
    deed_split_name(call->funcname, call->n_funcname, &schema, &name);
    if (str_equal(name, STR("unnest")) && call->n_args == 1) {
        struct body_value list = body_evaluate(b, call->args[0]);
        if (list.kind != BODY_LIST)
            return false;
        for (size_t i = 0; i < list.item_count; i++) {
            struct body_value *row = arena_new(b->d->a, struct body_value);
            *row = list.items[i];
            vec_push(b->d->a, &out->rows, row);
        }
        return true;
    }
    if (!str_equal(name, STR("generate_series")) || call->n_args != 2)
        return false;
    struct body_value from = body_evaluate(b, call->args[0]);
    struct body_value to = body_evaluate(b, call->args[1]);
    int64_t low;
    int64_t high;
    if (from.kind != BODY_TEXT || to.kind != BODY_TEXT || !str_to_i64(from.text, &low) ||
        !str_to_i64(to.text, &high) || low < INT32_MIN || high > INT32_MAX || high - low > 1000)
        return false;
    for (int64_t i = low; i <= high; i++) {
        struct body_value *row = arena_new(b->d->a, struct body_value);
        *row = body_text(str_of(arena_printf(b->d->a, "%lld", (long long)i)));
        vec_push(b->d->a, &out->rows, row);
    }
    return true;
}

static bool add_function(struct selection *s, const PgQuery__RangeFunction *range)
{
    if (range->n_functions != 1 || range->functions[0]->node_case != PG_QUERY__NODE__NODE_LIST ||
        !range->functions[0]->list->n_items)
        return false;
    const PgQuery__Node *node = range->functions[0]->list->items[0];
    if (node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL)
        return false;
    struct str name = query_target_name(node);
    struct source *source = add_source(s, range->alias, name);
    if (!source || !series_of(s->b, node->func_call, &source->rows))
        return false;
    struct str column = source->alias;
    if (range->alias && range->alias->n_colnames)
        column = query_string(range->alias->colnames[0]);
    source->columns = column_list(s->b, &column, 1);
    return true;
}

static bool add_subselect(struct selection *s, const PgQuery__RangeSubselect *range)
{
    struct body_result rows = {0};
    if (!range->subquery || range->lateral || !body_select(s->b, range->subquery, &rows))
        return false;
    struct source *source = add_source(s, range->alias, STR(""));
    if (!source)
        return false;
    source->columns = column_list(s->b, rows.names, rows.column_count);
    source->rows = rows;
    s->out->is_certain &= rows.is_certain;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static bool add_from(struct selection *s, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
        return add_table(s, node->range_var);
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
        return add_function(s, node->range_function);
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        return add_subselect(s, node->range_subselect);
    case PG_QUERY__NODE__NODE_JOIN_EXPR: {
        const PgQuery__JoinExpr *join = node->join_expr;
        if (join->jointype != PG_QUERY__JOIN_TYPE__JOIN_INNER || join->n_using_clause ||
            join->is_natural || join->alias || !join->larg || !join->rarg ||
            s->condition_count == ARRAY_LEN(s->conditions))
            return false;
        if (join->quals)
            s->conditions[s->condition_count++] = join->quals;
        return add_from(s, join->larg) && add_from(s, join->rarg);
    }
    default:
        return false;
    }
}

/* ---- rows ---- */

static bool is_true(const struct body_value *v)
{
    return v->kind == BODY_TEXT && v->text.len && char_lower(v->text.at[0]) == 't';
}

static void push_columns(struct selection *s, struct str *names, struct body_value *cells,
                         size_t *count, size_t max)
{
    for (size_t i = 0; i < s->source_count; i++) {
        const struct body_row *row = s->b->row;
        for (size_t skip = s->source_count - 1 - i; skip > 0; skip--)
            row = row->outer;
        for (size_t j = 0; row->columns[j] && *count < max; j++) {
            names[*count] = str_of(row->columns[j]);
            cells[(*count)++] = row->cells[j];
        }
    }
}

static void push_row(struct selection *s)
{
    enum { COLUMNS_MAX = 64 };
    struct str names[COLUMNS_MAX];
    struct body_value cells[COLUMNS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < s->select->n_target_list && count < COLUMNS_MAX; i++) {
        const PgQuery__Node *node = s->select->target_list[i];
        if (node->node_case != PG_QUERY__NODE__NODE_RES_TARGET || !node->res_target->val)
            continue;
        const PgQuery__Node *value = node->res_target->val;
        if (value->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
            query_is_star(value->column_ref)) {
            push_columns(s, names, cells, &count, COLUMNS_MAX);
            continue;
        }
        names[count] =
            node->res_target->name[0] ? str_of(node->res_target->name) : query_target_name(value);
        cells[count++] = body_evaluate(s->b, value);
    }
    struct arena *a = s->b->d->a;
    struct body_value *row = arena_array(a, struct body_value, count + 1);
    memcpy(row, cells, count * sizeof(cells[0]));
    if (!s->out->rows.count) {
        s->out->names = arena_array(a, struct str, count + 1);
        memcpy(s->out->names, names, count * sizeof(names[0]));
        s->out->column_count = count;
    }
    vec_push(a, &s->out->rows, row);
}

static bool passes(struct selection *s)
{
    for (size_t i = 0; i < s->condition_count; i++) {
        struct body_value v = body_evaluate(s->b, s->conditions[i]);
        if (v.kind == BODY_TEXT && is_true(&v))
            continue;
        if (v.kind != BODY_TEXT && v.kind != BODY_NULL)
            s->is_over = true;
        return false;
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): SOURCES_MAX deep */
static void combine(struct selection *s, size_t place)
{
    if (place == s->source_count) {
        if (passes(s))
            push_row(s);
        return;
    }
    const struct source *source = &s->sources[place];
    struct body_row row = {
        .outer = s->b->row,
        .alias = source->alias,
        .columns = source->columns,
    };
    for (size_t i = 0; i < source->rows.rows.count && !s->is_over; i++) {
        if (!body_spend(s->b->d, BODY_COMBINATION_BYTES)) {
            s->is_over = true;
            return;
        }
        row.cells = source->rows.rows.at[i];
        s->b->row = &row;
        combine(s, place + 1);
        s->b->row = row.outer;
    }
}

/* ---- aggregates ---- */

/* count(*), string_agg(), array_agg(): the only thing that is selected. */
static const PgQuery__FuncCall *aggregate_of(const PgQuery__SelectStmt *select, struct str *out)
{
    static const char *const names[] = {"count", "string_agg", "array_agg"};
    if (select->n_target_list != 1 ||
        select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET ||
        !select->target_list[0]->res_target->val ||
        select->target_list[0]->res_target->val->node_case != PG_QUERY__NODE__NODE_FUNC_CALL)
        return NULL;
    const PgQuery__FuncCall *call = select->target_list[0]->res_target->val->func_call;
    struct str schema;
    deed_split_name(call->funcname, call->n_funcname, &schema, out);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_equal(*out, str_of(names[i])))
            return call;
    }
    return NULL;
}

static struct body_value joined(struct selection *s, struct str between)
{
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < s->out->rows.count; i++) {
        struct str one;
        if (!body_value_text(s->b, &s->out->rows.at[i][0], &one) ||
            !body_spend(s->b->d, between.len + one.len))
            return (struct body_value){0};
        if (i)
            buf_add_str(&text, between);
        buf_add_str(&text, one);
    }
    return body_text(buf_done(s->b->d->a, &text));
}

static void aggregate(struct selection *s, const PgQuery__FuncCall *call, struct str name)
{
    struct arena *a = s->b->d->a;
    struct body_value *value = arena_new(a, struct body_value);
    size_t count = s->out->rows.count;
    if (str_equal(name, STR("count"))) {
        *value = body_text(str_of(arena_printf(a, "%zu", count)));
    } else if (!count) {
        value->kind = BODY_NULL;
    } else if (str_equal(name, STR("string_agg"))) {
        struct body_value between =
            call->n_args > 1 ? body_evaluate(s->b, call->args[1]) : body_text(STR(""));
        *value = between.kind == BODY_TEXT ? joined(s, between.text) : (struct body_value){0};
    } else {
        VEC_OF(struct body_value) items = {0};
        for (size_t i = 0; i < count; i++)
            vec_push(a, &items, s->out->rows.at[i][0]);
        *value = body_list(s->b, items.at, items.count);
    }
    if (!s->out->is_certain)
        *value = (struct body_value){0};
    s->out->names = arena_new(a, struct str);
    s->out->names[0] = name;
    s->out->column_count = 1;
    s->out->rows.count = 0;
    vec_push(a, &s->out->rows, value);
}

/* The argument of the aggregate is what its rows are made of. */
static void select_argument(struct selection *s, const PgQuery__FuncCall *call,
                            PgQuery__SelectStmt *select, PgQuery__Node *target,
                            PgQuery__ResTarget *result)
{
    if (!call->n_args)
        return;
    result->val = call->args[0];
    target->node_case = PG_QUERY__NODE__NODE_RES_TARGET;
    target->res_target = result;
    select->target_list = arena_array(s->b->d->a, PgQuery__Node *, 1);
    select->target_list[0] = target;
}

/* ---- the door ---- */

static bool is_plain(const PgQuery__SelectStmt *select)
{
    return select->op <= PG_QUERY__SET_OPERATION__SETOP_NONE && !select->with_clause &&
           !select->n_values_lists && !select->n_group_clause && !select->having_clause &&
           !select->limit_offset && select->n_from_clause <= SOURCES_MAX;
}

/* SELECT unnest(…), on its own. */
static bool select_series(struct selection *s)
{
    if (s->select->n_from_clause || s->select->n_target_list != 1 ||
        s->select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
        return false;
    const PgQuery__Node *value = s->select->target_list[0]->res_target->val;
    if (!value || value->node_case != PG_QUERY__NODE__NODE_FUNC_CALL ||
        !series_of(s->b, value->func_call, s->out))
        return false;
    const char *name = s->select->target_list[0]->res_target->name;
    s->out->names = arena_new(s->b->d->a, struct str);
    s->out->names[0] = name[0] ? str_of(name) : query_target_name(value);
    s->out->column_count = 1;
    return true;
}

static void cut_at_limit(struct selection *s)
{
    if (!s->select->limit_count)
        return;
    struct body_value v = body_evaluate(s->b, s->select->limit_count);
    int64_t limit;
    if (v.kind == BODY_TEXT && str_to_i64(v.text, &limit) && limit >= 0 &&
        (size_t)limit >= s->out->rows.count)
        return;
    if (v.kind == BODY_NULL)
        return;
    s->out->is_certain = false; /* which rows stay, nobody knows */
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as subqueries are nested */
bool body_select(struct body *b, const PgQuery__Node *query, struct body_result *out)
{
    *out = (struct body_result){.is_certain = true};
    if (query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT || !is_plain(query->select_stmt))
        return false;
    struct selection s = {.b = b, .select = query->select_stmt, .out = out};
    if (select_series(&s))
        return true;
    if (s.select->where_clause)
        s.conditions[s.condition_count++] = s.select->where_clause;
    for (size_t i = 0; i < s.select->n_from_clause; i++) {
        if (!add_from(&s, s.select->from_clause[i]))
            return false;
    }
    struct str name;
    const PgQuery__FuncCall *call = aggregate_of(s.select, &name);
    PgQuery__SelectStmt changed = *s.select;
    PgQuery__Node target = PG_QUERY__NODE__INIT;
    PgQuery__ResTarget result = PG_QUERY__RES_TARGET__INIT;
    if (call) {
        select_argument(&s, call, &changed, &target, &result);
        s.select = &changed;
    }
    combine(&s, 0);
    if (s.is_over)
        return false;
    if (call)
        aggregate(&s, call, name);
    else
        cut_at_limit(&s);
    return true;
}
