/* Types as format_type() prints them. */
#include "core/base/buf.h"
#include "planner/postgres/type_parts.h"

/* format_type.c: the types that SQL has a name for. */
static const struct {
    struct str type;
    const char *before, *behind; /* of the modifier */
} sql_names[] = {
    {STR("bit"), "bit", ""},
    {STR("bool"), "boolean", ""},
    {STR("bpchar"), "character", ""},
    {STR("float4"), "real", ""},
    {STR("float8"), "double precision", ""},
    {STR("int2"), "smallint", ""},
    {STR("int4"), "integer", ""},
    {STR("int8"), "bigint", ""},
    {STR("numeric"), "numeric", ""},
    {STR("interval"), "interval", ""},
    {STR("time"), "time", " without time zone"},
    {STR("timetz"), "time", " with time zone"},
    {STR("timestamp"), "timestamp", " without time zone"},
    {STR("timestamptz"), "timestamp", " with time zone"},
    {STR("json"), "json", ""}, /* a word of the grammar from 16 on */
    {STR("varbit"), "bit varying", ""},
    {STR("varchar"), "character varying", ""},
};

/* timestamp.c: intervaltypmodout() */
static void add_interval(struct buf *out, int32_t typmod)
{
    static const struct {
        int bit;
        const char *name;
    } fields[] = {{2, "year"},  {1, "month"},   {3, "day"},
                  {10, "hour"}, {11, "minute"}, {12, "second"}};
    int32_t range = (typmod >> 16) & INTERVAL_FULL_RANGE;
    int32_t precision = typmod & INTERVAL_FULL_PRECISION;
    const char *first = NULL;
    const char *last = NULL;
    for (size_t i = 0; i < ARRAY_LEN(fields) && range != INTERVAL_FULL_RANGE; i++) {
        if (!(range & (1 << fields[i].bit)))
            continue;
        if (!first)
            first = fields[i].name;
        last = fields[i].name;
    }
    if (first)
        buf_printf(out, first == last ? " %s" : " %s to %s", first, last);
    if (precision != INTERVAL_FULL_PRECISION)
        buf_printf(out, "(%d)", (int)precision);
}

static void add_numeric(struct buf *out, int32_t typmod)
{
    int scale = (typmod - VARLENA_HEADER) & 0x7ff;
    buf_printf(out, "(%d,%d)", (int)((typmod - VARLENA_HEADER) >> 16),
               scale > 1023 ? scale - 2048 : scale);
}

static void add_modifier(struct buf *out, struct str type, int32_t typmod)
{
    if (typmod < 0)
        return;
    if (str_equal(type, STR("interval")))
        add_interval(out, typmod);
    else if (str_equal(type, STR("numeric")))
        add_numeric(out, typmod);
    else if (str_equal(type, STR("varchar")) || str_equal(type, STR("bpchar")))
        buf_printf(out, "(%d)", (int)typmod - VARLENA_HEADER);
    else
        buf_printf(out, "(%d)", (int)typmod);
}

static void add_builtin(struct arena *a, struct buf *out, const struct type_ref *t)
{
    /* "char" and bpchar without a length have no name in SQL. */
    bool is_bare = str_equal(t->builtin, STR("bpchar")) && t->typmod < 0;
    for (size_t i = 0; i < ARRAY_LEN(sql_names) && !is_bare; i++) {
        if (!str_equal(sql_names[i].type, t->builtin))
            continue;
        buf_add_cstr(out, sql_names[i].before);
        add_modifier(out, t->builtin, t->typmod);
        buf_add_cstr(out, sql_names[i].behind);
        return;
    }
    buf_add_str(out, catalog_identifier(a, t->builtin));
}

struct str type_text(struct arena *a, const struct type_ref *t)
{
    SCOPED(buf) struct buf out = {0};
    if (t->builtin.len)
        add_builtin(a, &out, t);
    else if (t->user)
        buf_add_str(&out, catalog_name_text(a, t->user->schema, t->user->name));
    else
        buf_add_str(&out, t->unknown);
    if (t->is_array)
        buf_add_cstr(&out, "[]");
    return buf_done(a, &out);
}
