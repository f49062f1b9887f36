/* The functions by which statements are put together: format() and its kin
 * (varlena.c, quote.c). */
#include <string.h>

#include "core/base/buf.h"
#include "planner/postgres/body.h"

/* What current_database() gives; cells of information_schema say the same. */
#define THIS_DATABASE STR("\001database")

struct arguments {
    struct body_value *at;
    size_t count;
};

static struct body_value unknown(void)
{
    return (struct body_value){0};
}

/* The text of argument i; false: not known, or NULL, or more than may be made of it. */
static bool text_of(struct body *b, const struct arguments *args, size_t i, struct str *out)
{
    return i < args->count && body_value_text(b, &args->at[i], out) && body_spend(b->d, out->len);
}

static struct body_value call_quote_ident(struct body *b, const struct arguments *args)
{
    struct str text;
    return text_of(b, args, 0, &text) ? body_text(catalog_identifier(b->d->a, text)) : unknown();
}

static void print_literal(struct buf *out, struct str text)
{
    bool has_backslash = str_find_char(text, '\\') != SIZE_MAX;
    buf_add_str(out, has_backslash ? STR("E'") : STR("'"));
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\'' || text.at[i] == '\\')
            buf_add_char(out, text.at[i]);
        buf_add_char(out, text.at[i]);
    }
    buf_add_char(out, '\'');
}

static struct body_value call_quote_literal(struct body *b, const struct arguments *args)
{
    struct str text;
    if (!text_of(b, args, 0, &text))
        return unknown();
    SCOPED(buf) struct buf out = {0};
    print_literal(&out, text);
    return body_text(buf_done(b->d->a, &out));
}

static struct body_value call_concat(struct body *b, const struct arguments *args)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < args->count; i++) {
        struct str text;
        if (args->at[i].kind == BODY_NULL)
            continue;
        if (!text_of(b, args, i, &text))
            return unknown();
        buf_add_str(&out, text);
    }
    return body_text(buf_done(b->d->a, &out));
}

/* One %s, %I or %L; false: its value is not known. */
static bool print_conversion(struct body *b, struct buf *out, char kind,
                             const struct arguments *args, size_t i)
{
    struct str text;
    if (kind == 'L' && i < args->count && args->at[i].kind == BODY_NULL) {
        buf_add_str(out, STR("NULL"));
        return true;
    }
    if (!text_of(b, args, i, &text))
        return false;
    if (kind == 's')
        buf_add_str(out, text);
    else if (kind == 'I')
        buf_add_str(out, catalog_identifier(b->d->a, text));
    else if (kind == 'L')
        print_literal(out, text);
    else
        return false;
    return true;
}

/* %% %s %I %L and %n$s; widths are for reports. */
static struct body_value call_format(struct body *b, const struct arguments *args)
{
    struct str format;
    if (!text_of(b, args, 0, &format))
        return unknown();
    SCOPED(buf) struct buf out = {0};
    size_t next = 1;
    while (format.len) {
        char c = format.at[0];
        format = str_skip(format, 1);
        if (c != '%') {
            buf_add_char(&out, c);
            continue;
        }
        size_t digits = 0;
        size_t place = next;
        while (digits < format.len && char_is_digit(format.at[digits]))
            digits++;
        if (digits && digits < 4 && digits < format.len && format.at[digits] == '$') {
            uint64_t number = 0;
            if (!str_to_u64((struct str){format.at, digits}, &number))
                return unknown();
            place = (size_t)number;
            format = str_skip(format, digits + 1);
        }
        char kind = format.len ? format.at[0] : 0;
        format = str_skip(format, 1);
        if (kind == '%') {
            buf_add_char(&out, '%');
            continue;
        }
        next = place + 1;
        if (!print_conversion(b, &out, kind, args, place))
            return unknown();
    }
    return body_text(buf_done(b->d->a, &out));
}

static struct body_value change_case(struct body *b, const struct arguments *args, bool is_upper)
{
    struct str text;
    if (!text_of(b, args, 0, &text))
        return unknown();
    char *out = arena_cstr(b->d->a, text);
    for (size_t i = 0; i < text.len; i++) {
        bool is_small = out[i] >= 'a' && out[i] <= 'z';
        out[i] = is_upper && is_small ? (char)(out[i] - 'a' + 'A')
                 : is_upper           ? out[i]
                                      : char_lower(out[i]);
    }
    return body_text((struct str){out, text.len});
}

static struct body_value call_lower(struct body *b, const struct arguments *args)
{
    return change_case(b, args, false);
}

static struct body_value call_upper(struct body *b, const struct arguments *args)
{
    return change_case(b, args, true);
}

static struct body_value call_to_regclass(struct body *b, const struct arguments *args)
{
    struct str text;
    if (!text_of(b, args, 0, &text) || !body_spend(b->d, BODY_NAME_BYTES))
        return unknown();
    const struct catalog_relation *r = body_regclass(b, text);
    if (r)
        return (struct body_value){.kind = BODY_RELATION, .relation = r};
    return b->d->catalog->is_complete ? (struct body_value){.kind = BODY_NULL} : unknown();
}

static struct body_value call_current_schema(struct body *b, const struct arguments *args)
{
    (void)args;
    return body_text(catalog_creation_schema(b->d->catalog));
}

static struct body_value call_current_database(struct body *b, const struct arguments *args)
{
    (void)b;
    (void)args;
    return body_text(THIS_DATABASE);
}

static struct body_value call_lpad(struct body *b, const struct arguments *args)
{
    struct str text;
    struct str width;
    struct str fill;
    int64_t size;
    if (!text_of(b, args, 0, &text) || !text_of(b, args, 1, &width) ||
        !text_of(b, args, 2, &fill) || !str_to_i64(width, &size) || size < 0 || size > 64 ||
        fill.len != 1)
        return unknown();
    if ((size_t)size <= text.len)
        return body_text((struct str){text.at, (size_t)size});
    SCOPED(buf) struct buf out = {0};
    for (size_t i = text.len; i < (size_t)size; i++)
        buf_add_char(&out, fill.at[0]);
    buf_add_str(&out, text);
    return body_text(buf_done(b->d->a, &out));
}

static struct body_value call_string_to_array(struct body *b, const struct arguments *args)
{
    struct str text;
    struct str between;
    if (args->count != 2 || !text_of(b, args, 0, &text) || !text_of(b, args, 1, &between) ||
        !between.len)
        return unknown();
    VEC_OF(struct body_value) items = {0};
    for (bool is_last = !text.len; !is_last;) {
        size_t at = str_find(text, between);
        is_last = at == SIZE_MAX;
        vec_push(b->d->a, &items, body_text((struct str){text.at, is_last ? text.len : at}));
        text = str_skip(text, is_last ? text.len : at + between.len);
    }
    return (struct body_value){.kind = BODY_LIST, .items = items.at, .item_count = items.count};
}

static const struct {
    const char *name;
    struct body_value (*call)(struct body *b, const struct arguments *args);
} functions[] = {
    {"format", call_format},
    {"quote_ident", call_quote_ident},
    {"quote_literal", call_quote_literal},
    {"concat", call_concat},
    {"lower", call_lower},
    {"upper", call_upper},
    {"lpad", call_lpad},
    {"string_to_array", call_string_to_array},
    {"to_regclass", call_to_regclass},
    {"current_schema", call_current_schema},
    {"current_database", call_current_database},
};

struct body_value body_call(struct body *b, const PgQuery__FuncCall *call)
{
    struct str schema;
    struct str name;
    deed_split_name(call->funcname, call->n_funcname, &schema, &name);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (!str_equal(name, str_of(functions[i].name)))
            continue;
        struct arguments args = {
            .at = arena_array(b->d->a, struct body_value, call->n_args ? call->n_args : 1),
            .count = call->n_args,
        };
        for (size_t j = 0; j < call->n_args; j++)
            args.at[j] = body_evaluate(b, call->args[j]);
        return functions[i].call(b, &args);
    }
    return unknown();
}
