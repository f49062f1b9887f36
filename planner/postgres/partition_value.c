/* Reading constants. */
#include "planner/postgres/partition_value.h"

#include <string.h>

static bool is_one_of(struct str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(name, str_of(names[i])))
            return true;
    }
    return false;
}

static bool is_number_type(const struct type_ref *t)
{
    static const char *const names[] = {"int2", "int4", "int8", "numeric", "oid"};
    return is_one_of(t->builtin, names, ARRAY_LEN(names));
}

static bool is_time_type(const struct type_ref *t)
{
    static const char *const names[] = {"date", "timestamp", "timestamptz"};
    return is_one_of(t->builtin, names, ARRAY_LEN(names));
}

static bool matches(struct str text, const char *shape)
{
    for (size_t i = 0; shape[i]; i++) {
        if (i >= text.len)
            return false;
        bool is_same = shape[i] == '9' ? char_is_digit(text.at[i]) : text.at[i] == shape[i];
        if (!is_same)
            return false;
    }
    return true;
}

/* 2024-01-31, with or without a time: what is left out is zero. */
static struct value time_value(struct arena *a, struct str text)
{
    static const char full[] = "0000-00-00 00:00:00.000000";
    text = str_trim(text);
    if (str_ends(text, STR("+00")))
        text.len -= 3;
    if (!matches(text, "9999-99-99"))
        return (struct value){0};
    size_t len = text.len;
    bool has_time = len > 10;
    if (has_time &&
        (!matches(str_skip(text, 11), "99:99") || (text.at[10] != ' ' && text.at[10] != 'T')))
        return (struct value){0};
    if (len > 16 && !matches(str_skip(text, 16), ":99"))
        return (struct value){0};
    if (len >= sizeof(full) || (len > 19 && text.at[19] != '.'))
        return (struct value){0};
    char *out = arena_cstr(a, STR("0000-00-00 00:00:00.000000"));
    memcpy(out, text.at, len);
    out[10] = ' ';
    for (size_t i = 20; i < len; i++) {
        if (!char_is_digit(out[i]))
            return (struct value){0};
    }
    return (struct value){.kind = VALUE_TEXT, .text = str_of(out)};
}

static struct value number_value(struct str text)
{
    struct value out = {.kind = VALUE_NUMBER};
    if (!str_to_i64(str_trim(text), &out.number))
        return (struct value){0};
    return out;
}

static struct value text_value(struct arena *a, struct str text, const struct type_ref *type)
{
    if (type->is_array)
        return (struct value){0};
    if (is_number_type(type))
        return number_value(text);
    if (is_time_type(type))
        return time_value(a, text);
    if (str_equal(type->builtin, STR("bool"))) {
        char first = text.len ? char_lower(text.at[0]) : 'f';
        bool is_true = first == 't' || first == 'y' || first == '1';
        return (struct value){.kind = VALUE_TEXT, .text = is_true ? STR("t") : STR("f")};
    }
    static const char *const texts[] = {"text", "varchar", "bpchar", "name", "uuid", "char"};
    if (!type->user && !is_one_of(type->builtin, texts, ARRAY_LEN(texts)))
        return (struct value){0};
    if (type->user && type->user->kind != TYPE_ENUM)
        return (struct value){0};
    return (struct value){.kind = VALUE_TEXT, .text = arena_str(a, text)};
}

static struct value constant_value(struct arena *a, const PgQuery__AConst *c,
                                   const struct type_ref *type)
{
    if (c->isnull)
        return (struct value){.kind = VALUE_NULL};
    switch ((int)c->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        if (!is_number_type(type))
            return (struct value){0};
        return (struct value){.kind = VALUE_NUMBER, .number = c->ival->ival};
    case PG_QUERY__A__CONST__VAL_FVAL:
        return is_number_type(type) ? number_value(str_of(c->fval->fval)) : (struct value){0};
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return (struct value){.kind = VALUE_TEXT,
                              .text = c->boolval->boolval ? STR("t") : STR("f")};
    case PG_QUERY__A__CONST__VAL_SVAL:
        return text_value(a, str_of(c->sval->sval), type);
    default:
        return (struct value){0};
    }
}

static struct value negative(struct arena *a, const PgQuery__AExpr *e, const struct type_ref *type)
{
    if (e->lexpr || e->n_name != 1 || e->name[0]->node_case != PG_QUERY__NODE__NODE_STRING ||
        strcmp(e->name[0]->string->sval, "-") != 0 || !e->rexpr ||
        e->rexpr->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return (struct value){0};
    struct value v = constant_value(a, e->rexpr->a_const, type);
    if (v.kind != VALUE_NUMBER || v.number == INT64_MIN)
        return (struct value){0};
    v.number = -v.number;
    return v;
}

/* MINVALUE and MAXVALUE come as columns of that name. */
static struct value infinite(const PgQuery__ColumnRef *ref)
{
    if (ref->n_fields != 1 || ref->fields[0]->node_case != PG_QUERY__NODE__NODE_STRING)
        return (struct value){0};
    if (strcmp(ref->fields[0]->string->sval, "minvalue") == 0)
        return (struct value){.kind = VALUE_LOWEST};
    if (strcmp(ref->fields[0]->string->sval, "maxvalue") == 0)
        return (struct value){.kind = VALUE_HIGHEST};
    return (struct value){0};
}

struct value value_of(struct arena *a, const PgQuery__Node *node, const struct type_ref *type)
{
    while (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        node = node->type_cast->arg;
    if (!node)
        return (struct value){0};
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
        return constant_value(a, node->a_const, type);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return negative(a, node->a_expr, type);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return infinite(node->column_ref);
    case PG_QUERY__NODE__NODE_PARTITION_RANGE_DATUM:
        if (node->partition_range_datum->kind ==
            PG_QUERY__PARTITION_RANGE_DATUM_KIND__PARTITION_RANGE_DATUM_MINVALUE)
            return (struct value){.kind = VALUE_LOWEST};
        if (node->partition_range_datum->kind ==
            PG_QUERY__PARTITION_RANGE_DATUM_KIND__PARTITION_RANGE_DATUM_MAXVALUE)
            return (struct value){.kind = VALUE_HIGHEST};
        return value_of(a, node->partition_range_datum->value, type);
    default:
        return (struct value){0};
    }
}

static int rank(enum value_kind kind)
{
    return kind == VALUE_LOWEST ? -1 : kind == VALUE_HIGHEST ? 1 : 0;
}

bool value_compare(const struct value *a, const struct value *b, int *out)
{
    if (a->kind <= VALUE_NULL || b->kind <= VALUE_NULL)
        return false;
    if (rank(a->kind) != 0 || rank(b->kind) != 0) {
        *out = rank(a->kind) - rank(b->kind);
        return true;
    }
    if (a->kind != b->kind)
        return false;
    if (a->kind == VALUE_NUMBER)
        *out = a->number < b->number ? -1 : a->number > b->number;
    else
        *out = str_compare(a->text, b->text);
    return true;
}
