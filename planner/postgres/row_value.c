/* A small part of the server's arithmetic. What is not certain is unknown. */
#include "planner/postgres/row_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
/* Beyond this nothing is reckoned, so that nothing overflows. */
#define LARGEST (INT64_C(1) << 53)

static const struct row_value unknown = {0};

/* ---- dates ---- */

/* Days since 1970-01-01 of the Gregorian calendar, and back. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = years + era * 400 + (*month <= 2);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* 2024-01-31, or 2024-01-31 13:45:00; the grammar of ISO 8601 only. */
static struct row_value read_time(struct str text)
{
    int year;
    int month;
    int day;
    int hour = 0;
    int minute = 0;
    int second = 0;
    char copy[32];
    int used = 0;
    if (text.len >= sizeof(copy))
        return unknown;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    int fields = sscanf(copy, "%4d-%2d-%2d%n", &year, &month, &day, &used);
    if (fields != 3 || month < 1 || month > 12 || day < 1 || day > 31)
        return unknown;
    int rest = 0;
    if (copy[used] && sscanf(copy + used, "%*1[ T]%2d:%2d%n", &hour, &minute, &rest) < 2)
        return unknown;
    used += rest;
    if (copy[used] == ':' && sscanf(copy + used, ":%2d%n", &second, &rest) == 1)
        used += rest;
    if (copy[used])
        return unknown; /* a zone, a fraction, BC */
    int64_t seconds = hour * 3600 + minute * 60 + second;
    return (struct row_value){ROW_TIME, days_of(year, month, day) * DAY + seconds * SECOND, 0, {0}};
}

/* 1 hour, 2 days, 1 mon 3 days. */
static struct row_value read_interval(struct str text)
{
    static const struct {
        const char *name;
        int64_t months, microseconds;
    } units[] = {
        {"microsecond", 0, 1},
        {"millisecond", 0, 1000},
        {"second", 0, SECOND},
        {"sec", 0, SECOND},
        {"minute", 0, 60 * SECOND},
        {"min", 0, 60 * SECOND},
        {"hour", 0, 3600 * SECOND},
        {"day", 0, DAY},
        {"week", 0, 7 * DAY},
        {"month", 1, 0},
        {"mon", 1, 0},
        {"year", 12, 0},
    };
    struct row_value out = {.kind = ROW_INTERVAL};
    text = str_trim(text);
    while (text.len) {
        struct str number;
        struct str unit;
        int64_t count;
        text = str_trim(str_cut(text, ' ', &number));
        text = str_trim(str_cut(text, ' ', &unit));
        if (unit.len > 3 && unit.at[unit.len - 1] == 's')
            unit.len--;
        size_t i = 0;
        while (i < ARRAY_LEN(units) && !str_equal_nocase(unit, str_of(units[i].name)))
            i++;
        if (i == ARRAY_LEN(units) || !str_to_i64(number, &count) || llabs(count) > 1000000)
            return unknown;
        out.months += count * units[i].months;
        out.number += count * units[i].microseconds;
    }
    return out;
}

void row_time_text(const struct row_value *v, char out[ROW_TIME_BYTES])
{
    int64_t year;
    int64_t month;
    int64_t day;
    bool is_date = v->kind == ROW_DATE;
    int64_t days = is_date ? v->number : floor_divide(v->number, DAY);
    int64_t seconds = is_date ? 0 : (v->number - days * DAY) / SECOND;
    date_of(days, &year, &month, &day);
    int len = snprintf(out, ROW_TIME_BYTES, "%04d-%02d-%02d", (int)year, (int)month, (int)day);
    if (!is_date && len > 0)
        (void)snprintf(out + len, ROW_TIME_BYTES - (size_t)len, " %02d:%02d:%02d",
                       (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/* ---- casts ---- */

static struct str time_text(struct arena *a, const struct row_value *v)
{
    char text[ROW_TIME_BYTES];
    row_time_text(v, text);
    return arena_str(a, str_of(text));
}

static struct row_value as_text(struct arena *a, const struct row_value *v)
{
    struct row_value out = {.kind = ROW_TEXT, .text = v->text};
    if (v->kind == ROW_NUMBER)
        out.text = str_of(arena_printf(a, "%lld", (long long)v->number));
    else if (v->kind == ROW_DATE || v->kind == ROW_TIME)
        out.text = time_text(a, v);
    else if (v->kind != ROW_TEXT)
        return unknown;
    return out;
}

static struct row_value as_time(const struct row_value *v, bool is_date)
{
    struct row_value t = v->kind == ROW_TEXT ? read_time(v->text) : *v;
    if (t.kind == ROW_DATE)
        t = (struct row_value){.kind = ROW_TIME, .number = t.number * DAY};
    if (t.kind != ROW_TIME)
        return unknown;
    if (is_date)
        t = (struct row_value){.kind = ROW_DATE, .number = floor_divide(t.number, DAY)};
    return t;
}

static struct row_value cast(struct arena *a, struct row_value v, const PgQuery__TypeName *type)
{
    if (!type || !type->n_names || type->n_array_bounds ||
        type->names[type->n_names - 1]->node_case != PG_QUERY__NODE__NODE_STRING)
        return unknown;
    struct str name = str_of(type->names[type->n_names - 1]->string->sval);
    if (v.kind == ROW_NULL)
        return v;
    if (str_equal(name, STR("date")))
        return as_time(&v, true);
    if (str_equal(name, STR("timestamp")))
        return as_time(&v, false);
    if (str_equal(name, STR("interval")))
        return v.kind == ROW_TEXT ? read_interval(v.text) : unknown;
    if (str_equal(name, STR("text")) || (str_equal(name, STR("varchar")) && !type->n_typmods))
        return as_text(a, &v);
    bool is_number = str_equal(name, STR("int4")) || str_equal(name, STR("int8")) ||
                     str_equal(name, STR("int2"));
    if (is_number && v.kind == ROW_TEXT)
        return str_to_i64(str_trim(v.text), &v.number)
                   ? (struct row_value){.kind = ROW_NUMBER, .number = v.number}
                   : unknown;
    return is_number && v.kind == ROW_NUMBER ? v : unknown;
}

/* ---- operators ---- */

static bool is_small(const struct row_value *v)
{
    return v->number < LARGEST && v->number > -LARGEST;
}

static struct row_value of_numbers(char op, int64_t a, int64_t b)
{
    struct row_value out = {.kind = ROW_NUMBER};
    if (op == '*' && (a > 1000000000 || a < -1000000000 || b > 1000000000 || b < -1000000000))
        return unknown;
    if ((op == '/' || op == '%') && b == 0)
        return unknown;
    switch (op) {
    case '+':
        out.number = a + b;
        return out;
    case '-':
        out.number = a - b;
        return out;
    case '*':
        out.number = a * b;
        return out;
    case '/':
        out.number = a / b;
        return out;
    case '%':
        out.number = a % b;
        return out;
    default:
        return unknown;
    }
}

static struct row_value add_interval(struct row_value time, const struct row_value *interval,
                                     int64_t sign)
{
    int64_t year;
    int64_t month;
    int64_t day;
    struct row_value t = as_time(&time, false);
    if (t.kind != ROW_TIME)
        return unknown;
    int64_t days = floor_divide(t.number, DAY);
    int64_t rest = t.number - days * DAY;
    date_of(days, &year, &month, &day);
    int64_t months = year * 12 + month - 1 + sign * interval->months;
    int64_t last = days_of(floor_divide(months + 1, 12), (months + 1) % 12 + 1, 1) -
                   days_of(floor_divide(months, 12), months % 12 + 1, 1);
    days = days_of(floor_divide(months, 12), months % 12 + 1, day < last ? day : last);
    t.number = days * DAY + rest + sign * interval->number;
    return t;
}

/* Dates and times with numbers and intervals. */
static struct row_value of_times(char op, const struct row_value *a, const struct row_value *b)
{
    int64_t sign = op == '-' ? -1 : 1;
    if (op == '*' && a->kind == ROW_NUMBER && b->kind == ROW_INTERVAL) {
        const struct row_value *swapped = a;
        a = b;
        b = swapped;
    }
    if (op == '*' && a->kind == ROW_INTERVAL && b->kind == ROW_NUMBER &&
        llabs(b->number) < 1000000 && llabs(a->number) < INT64_C(1) << 42)
        return (struct row_value){ROW_INTERVAL, a->number * b->number, a->months * b->number, {0}};
    if (op == '+' && (a->kind == ROW_NUMBER || a->kind == ROW_INTERVAL)) {
        const struct row_value *swapped = a;
        a = b;
        b = swapped;
    }
    if (op != '+' && op != '-')
        return unknown;
    if (a->kind == ROW_DATE && b->kind == ROW_NUMBER && llabs(b->number) < 10000000)
        return (struct row_value){ROW_DATE, a->number + sign * b->number, 0, {0}};
    if ((a->kind == ROW_DATE || a->kind == ROW_TIME) && b->kind == ROW_INTERVAL)
        return add_interval(*a, b, sign);
    return unknown;
}

static struct row_value compare(const char *op, const struct row_value *a,
                                const struct row_value *b)
{
    if (a->kind != b->kind || (a->kind != ROW_NUMBER && a->kind != ROW_TEXT && a->kind != ROW_DATE))
        return unknown;
    int order = a->kind == ROW_TEXT ? str_compare(a->text, b->text)
                                    : (a->number > b->number) - (a->number < b->number);
    struct row_value out = {.kind = ROW_BOOL};
    if (strcmp(op, "=") == 0)
        out.number = order == 0;
    else if (strcmp(op, "<>") == 0)
        out.number = order != 0;
    else if (a->kind == ROW_TEXT)
        return unknown; /* the collation decides */
    else if (strcmp(op, "<") == 0 || strcmp(op, ">") == 0)
        out.number = op[0] == '<' ? order < 0 : order > 0;
    else if (strcmp(op, "<=") == 0 || strcmp(op, ">=") == 0)
        out.number = op[0] == '<' ? order <= 0 : order >= 0;
    else
        return unknown;
    return out;
}

static struct row_value operate(struct arena *a, const char *op, struct row_value left,
                                struct row_value right)
{
    if (left.kind == ROW_UNKNOWN || right.kind == ROW_UNKNOWN)
        return unknown;
    if (left.kind == ROW_NULL || right.kind == ROW_NULL)
        return (struct row_value){.kind = ROW_NULL};
    if (strcmp(op, "||") == 0) {
        struct row_value first = as_text(a, &left);
        struct row_value second = as_text(a, &right);
        if (first.kind != ROW_TEXT || second.kind != ROW_TEXT)
            return unknown;
        first.text = str_of(arena_printf(a, "%.*s%.*s", STR_ARG(first.text), STR_ARG(second.text)));
        return first;
    }
    if (strchr("=<>", op[0]))
        return compare(op, &left, &right);
    if (op[1] || !strchr("+-*/%", op[0]) || !is_small(&left) || !is_small(&right))
        return unknown;
    if (left.kind == ROW_NUMBER && right.kind == ROW_NUMBER)
        return of_numbers(op[0], left.number, right.number);
    return of_times(op[0], &left, &right);
}

/* ---- expressions ---- */

static struct row_value constant(const PgQuery__AConst *c)
{
    struct row_value out = {0};
    if (c->isnull) {
        out.kind = ROW_NULL;
    } else if (c->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
        out.kind = ROW_NUMBER;
        out.number = c->ival->ival;
    } else if (c->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
        out.kind = ROW_TEXT;
        out.text = str_of(c->sval->sval);
    } else if (c->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL) {
        out.kind = ROW_BOOL;
        out.number = c->boolval->boolval;
    } else if (c->val_case == PG_QUERY__A__CONST__VAL_FVAL) {
        bool is_whole = str_to_i64(str_of(c->fval->fval), &out.number);
        out.kind = is_whole ? ROW_NUMBER : ROW_UNKNOWN;
    }
    return out;
}

static struct str field(const PgQuery__ColumnRef *ref, size_t i)
{
    const PgQuery__Node *node = ref->fields[i];
    return str_of(node->node_case == PG_QUERY__NODE__NODE_STRING ? node->string->sval : NULL);
}

static struct row_value variable_of(const PgQuery__ColumnRef *ref, const struct row_variable *v)
{
    if (!v || !ref->n_fields || ref->n_fields > 2)
        return unknown;
    struct str name = field(ref, ref->n_fields - 1);
    bool is_meant = str_equal(name, v->column) || (ref->n_fields == 1 && str_equal(name, v->table));
    if (ref->n_fields == 2)
        is_meant &= str_equal(field(ref, 0), v->table);
    return is_meant ? (struct row_value){.kind = ROW_NUMBER, .number = v->value} : unknown;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct row_value case_of(struct arena *a, const PgQuery__CaseExpr *c,
                                const struct row_variable *variable)
{
    for (size_t i = 0; i < c->n_args; i++) {
        if (c->args[i]->node_case != PG_QUERY__NODE__NODE_CASE_WHEN)
            return unknown;
        const PgQuery__CaseWhen *when = c->args[i]->case_when;
        struct row_value test = row_evaluate(a, when->expr, variable);
        if (c->arg)
            test = operate(a, "=", row_evaluate(a, c->arg, variable), test);
        if (test.kind != ROW_BOOL && test.kind != ROW_NULL)
            return unknown;
        if (test.kind == ROW_BOOL && test.number)
            return row_evaluate(a, when->result, variable);
    }
    return c->defresult ? row_evaluate(a, c->defresult, variable)
                        : (struct row_value){.kind = ROW_NULL};
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct row_value expression(struct arena *a, const PgQuery__AExpr *e,
                                   const struct row_variable *variable)
{
    if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || e->n_name != 1 || !e->rexpr ||
        e->name[0]->node_case != PG_QUERY__NODE__NODE_STRING)
        return unknown;
    struct row_value right = row_evaluate(a, e->rexpr, variable);
    struct row_value left = {.kind = ROW_NUMBER};
    if (e->lexpr)
        left = row_evaluate(a, e->lexpr, variable);
    else if (right.kind != ROW_NUMBER)
        return unknown; /* -x */
    return operate(a, e->name[0]->string->sval, left, right);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
struct row_value row_evaluate(struct arena *a, const PgQuery__Node *node,
                              const struct row_variable *variable)
{
    if (!node)
        return unknown;
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
        return constant(node->a_const);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        return cast(a, row_evaluate(a, node->type_cast->arg, variable), node->type_cast->type_name);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return variable_of(node->column_ref, variable);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return expression(a, node->a_expr, variable);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        return case_of(a, node->case_expr, variable);
    default:
        return unknown;
    }
}
