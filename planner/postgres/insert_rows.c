/* VALUES row by row, or generate_series() number by number. */
#include "planner/postgres/row_values.h"

#include <string.h>

/* Of longer series this many rows are looked at. */
enum { ROWS_MAX = 5000 };

/* ---- a value as a tree ---- */

static PgQuery__Node *constant_node(struct arena *a)
{
    PgQuery__Node *node = arena_new(a, PgQuery__Node);
    pg_query__node__init(node);
    node->node_case = PG_QUERY__NODE__NODE_A_CONST;
    node->a_const = arena_new(a, PgQuery__AConst);
    pg_query__a__const__init(node->a_const);
    return node;
}

static const PgQuery__Node *text_node(struct arena *a, const char *text)
{
    PgQuery__Node *node = constant_node(a);
    node->a_const->val_case = PG_QUERY__A__CONST__VAL_SVAL;
    node->a_const->sval = arena_new(a, PgQuery__String);
    pg_query__string__init(node->a_const->sval);
    node->a_const->sval->sval = arena_cstr(a, str_of(text));
    return node;
}

static const PgQuery__Node *number_node(struct arena *a, int64_t number)
{
    PgQuery__Node *node = constant_node(a);
    if (number >= INT32_MIN && number <= INT32_MAX) {
        node->a_const->val_case = PG_QUERY__A__CONST__VAL_IVAL;
        node->a_const->ival = arena_new(a, PgQuery__Integer);
        pg_query__integer__init(node->a_const->ival);
        node->a_const->ival->ival = (int32_t)number;
        return node;
    }
    node->a_const->val_case = PG_QUERY__A__CONST__VAL_FVAL;
    node->a_const->fval = arena_new(a, PgQuery__Float);
    pg_query__float__init(node->a_const->fval);
    node->a_const->fval->fval = arena_printf(a, "%lld", (long long)number);
    return node;
}

const PgQuery__Node *row_constant(struct arena *a, const struct row_value *v)
{
    char text[ROW_TIME_BYTES];
    PgQuery__Node *null;
    switch (v->kind) {
    case ROW_NULL:
        null = constant_node(a);
        null->a_const->isnull = true;
        return null;
    case ROW_NUMBER:
        return number_node(a, v->number);
    case ROW_TEXT:
        return text_node(a, arena_cstr(a, v->text));
    case ROW_DATE:
    case ROW_TIME:
        row_time_text(v, text);
        return text_node(a, text);
    case ROW_BOOL:
        return text_node(a, v->number ? "t" : "f");
    case ROW_UNKNOWN:
    case ROW_INTERVAL:
        break;
    }
    return NULL;
}

/* ---- a row ---- */

static bool is_written(const struct catalog_column *column)
{
    return !column->is_dropped;
}

/* The place of a column among the values; SIZE_MAX: it is not among them. */
static size_t place_of(const struct insert_row *row, struct str name)
{
    const PgQuery__InsertStmt *insert = row->insert;
    size_t place = 0;
    for (size_t i = 0; i < insert->n_cols; i++) {
        const PgQuery__Node *node = insert->cols[i];
        if (node->node_case == PG_QUERY__NODE__NODE_RES_TARGET &&
            str_equal(str_of(node->res_target->name), name))
            return i;
    }
    if (insert->n_cols)
        return SIZE_MAX;
    for (size_t i = 0; i < row->r->columns.count; i++) {
        const struct catalog_column *column = row->r->columns.at[i];
        if (!is_written(column))
            continue;
        if (str_equal(column->name, name))
            return place;
        place++;
    }
    return SIZE_MAX;
}

const PgQuery__Node *insert_row_value(const struct insert_row *row, struct str column)
{
    size_t place = place_of(row, column);
    if (place >= row->count)
        return NULL; /* its default */
    const PgQuery__Node *node = row->values[place];
    if (node->node_case == PG_QUERY__NODE__NODE_RES_TARGET)
        node = node->res_target->val;
    struct row_value v = row_evaluate(row->a, node, row->variable);
    return row_constant(row->a, &v);
}

/* ---- generate_series() ---- */

struct series {
    struct row_variable variable;
    int64_t from, to, step;
};

/* The function's call in FROM: its list of functions holds lists of a function and its columns. */
static const PgQuery__FuncCall *only_function(const PgQuery__RangeFunction *f)
{
    if (f->n_functions != 1 || f->functions[0]->node_case != PG_QUERY__NODE__NODE_LIST ||
        !f->functions[0]->list->n_items)
        return NULL;
    const PgQuery__Node *call = f->functions[0]->list->items[0];
    return call->node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? call->func_call : NULL;
}

static bool is_named(const PgQuery__FuncCall *call, const char *name)
{
    const PgQuery__Node *last = call->n_funcname ? call->funcname[call->n_funcname - 1] : NULL;
    return last && last->node_case == PG_QUERY__NODE__NODE_STRING &&
           strcmp(last->string->sval, name) == 0;
}

static void name_variable(const PgQuery__RangeFunction *f, struct row_variable *out)
{
    out->table = STR("generate_series");
    if (f->alias && f->alias->aliasname)
        out->table = str_of(f->alias->aliasname);
    out->column = out->table;
    if (f->alias && f->alias->n_colnames &&
        f->alias->colnames[0]->node_case == PG_QUERY__NODE__NODE_STRING)
        out->column = str_of(f->alias->colnames[0]->string->sval);
}

static bool read_series(struct arena *a, const PgQuery__Node *from, struct series *out)
{
    if (from->node_case != PG_QUERY__NODE__NODE_RANGE_FUNCTION)
        return false;
    const PgQuery__RangeFunction *f = from->range_function;
    const PgQuery__FuncCall *call = only_function(f);
    if (!call || !is_named(call, "generate_series") || call->n_args < 2 || call->n_args > 3 ||
        f->ordinality)
        return false;
    int64_t bounds[3] = {0, 0, 1};
    for (size_t i = 0; i < call->n_args; i++) {
        struct row_value v = row_evaluate(a, call->args[i], NULL);
        if (v.kind != ROW_NUMBER)
            return false;
        bounds[i] = v.number;
    }
    name_variable(f, &out->variable);
    out->from = bounds[0];
    out->to = bounds[1];
    out->step = bounds[2];
    return out->step > 0 && out->from > -(INT64_C(1) << 40) && out->to < INT64_C(1) << 40;
}

static bool each_number(struct insert_row *row, struct series *s, insert_row_visitor *visit,
                        void *context)
{
    row->variable = &s->variable;
    int64_t count = s->to < s->from ? 0 : (s->to - s->from) / s->step + 1;
    int64_t stride = count > ROWS_MAX ? count / ROWS_MAX + 1 : 1;
    for (int64_t i = 0; i < count; i += stride) {
        struct arena_mark mark = arena_mark(row->a);
        s->variable.value = s->from + i * s->step;
        bool goes_on = visit(context, row);
        arena_reset(row->a, mark);
        if (!goes_on)
            break;
    }
    return true;
}

/* ---- the statement ---- */

static bool is_plain(const PgQuery__SelectStmt *s)
{
    return s->op == PG_QUERY__SET_OPERATION__SETOP_NONE && !s->where_clause && !s->n_group_clause &&
           !s->having_clause && !s->limit_count && !s->limit_offset && !s->n_distinct_clause &&
           !s->with_clause;
}

static bool each_values(struct insert_row *row, const PgQuery__SelectStmt *s,
                        insert_row_visitor *visit, void *context)
{
    for (size_t i = 0; i < s->n_values_lists; i++) {
        if (s->values_lists[i]->node_case != PG_QUERY__NODE__NODE_LIST)
            return false;
        row->values = s->values_lists[i]->list->items;
        row->count = s->values_lists[i]->list->n_items;
        if (!visit(context, row))
            break;
    }
    return true;
}

bool insert_rows(struct arena *a, const struct catalog_relation *r,
                 const PgQuery__InsertStmt *insert, insert_row_visitor *visit, void *context)
{
    struct insert_row row = {.a = a, .r = r, .insert = insert};
    const PgQuery__Node *source = insert->select_stmt;
    if (!source || source->node_case != PG_QUERY__NODE__NODE_SELECT_STMT ||
        !is_plain(source->select_stmt))
        return false;
    const PgQuery__SelectStmt *s = source->select_stmt;
    if (s->n_values_lists)
        return each_values(&row, s, visit, context);
    struct series series = {0};
    if (s->n_from_clause > 1 ||
        (s->n_from_clause == 1 && !read_series(a, s->from_clause[0], &series)))
        return false;
    row.values = s->target_list;
    row.count = s->n_target_list;
    if (s->n_from_clause)
        return each_number(&row, &series, visit, context);
    (void)visit(context, &row);
    return true;
}
