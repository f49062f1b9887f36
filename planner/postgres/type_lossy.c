/*
 * Whether a change of type may lose something: where the new type holds less than the old one, or where
 * PostgreSQL itself calls the cast one that may (it is not implicit).
 */
#include "planner/postgres/type_parts.h"

/* How many characters a value may take as text, where that is bounded. */
static const struct {
    struct str type;
    int32_t width;
} text_widths[] = {
    {STR("bool"), 5},  {STR("int2"), 6},     {STR("int4"), 11}, {STR("int8"), 20},
    {STR("oid"), 10},  {STR("uuid"), 36},    {STR("date"), 13}, {STR("char"), 1},
    {STR("name"), 63}, {STR("macaddr"), 17}, {STR("inet"), 43}, {STR("cidr"), 43},
};

/* Decimal digits before the point of what an integer may hold. */
static int integer_digits(struct str type)
{
    if (str_equal(type, STR("int2")))
        return 5;
    if (str_equal(type, STR("int4")))
        return 10;
    return str_equal(type, STR("int8")) ? 19 : 0;
}

static int numeric_scale(int32_t typmod)
{
    int scale = (typmod - VARLENA_HEADER) & 0x7ff;
    return scale > 1023 ? scale - 2048 : scale; /* negative ones are there from 15 on */
}

static int numeric_digits(int32_t typmod)
{
    return (int)((typmod - VARLENA_HEADER) >> 16) - numeric_scale(typmod);
}

static bool numeric_shrinks(int32_t old, int32_t new)
{
    if (new < 0)
        return false;
    return old < 0 || numeric_digits(new) < numeric_digits(old) ||
           numeric_scale(new) < numeric_scale(old);
}

static bool interval_shrinks(int32_t old, int32_t new)
{
    struct type_ref interval = {.builtin = STR("interval")};
    return !type_length_is_kept(&interval, old, new);
}

/* The same type with another modifier. */
static bool length_shrinks(const struct type_ref *t, int32_t old, int32_t new)
{
    if (new < 0 || old == new)
        return false;
    if (str_equal(t->builtin, STR("numeric")))
        return numeric_shrinks(old, new);
    if (str_equal(t->builtin, STR("interval")))
        return interval_shrinks(old, new);
    if (str_starts(t->builtin, STR("time")))
        return new < MAX_SECONDS_PRECISION && (old < 0 || new < old);
    return old < 0 || new < old;
}

static bool is_text(struct str type)
{
    return str_equal(type, STR("text")) || str_equal(type, STR("varchar")) ||
           str_equal(type, STR("bpchar")) || str_equal(type, STR("citext"));
}

/* Into a text type: what does not fit is lost. */
static bool text_overflows(const struct type_ref *from, const struct type_ref *to)
{
    if (to->typmod < 0)
        return false;
    int32_t room = to->typmod - VARLENA_HEADER;
    if (is_text(type_plain_name(from)))
        return from->typmod < 0 || from->typmod - VARLENA_HEADER > room;
    for (size_t i = 0; i < ARRAY_LEN(text_widths); i++) {
        if (str_equal(text_widths[i].type, from->builtin))
            return text_widths[i].width > room;
    }
    return true;
}

/* Casts that lose something though they are implicit, or lose nothing though they are not. */
static const struct {
    struct str from, to;
    bool is_lossy;
} exceptions[] = {
    {STR("int4"), STR("float4"), true},
    {STR("int8"), STR("float4"), true},
    {STR("int8"), STR("float8"), true},
    {STR("numeric"), STR("float4"), true},
    {STR("numeric"), STR("float8"), true},
    {STR("int8"), STR("oid"), true},
    {STR("float4"), STR("numeric"), false},
    {STR("float8"), STR("numeric"), false},
    {STR("json"), STR("jsonb"), false},
    {STR("jsonb"), STR("json"), false},
    {STR("timestamptz"), STR("timestamp"), false},
    {STR("oid"), STR("int8"), false},
    {STR("int4"), STR("money"), false},
    {STR("citext"), STR("varchar"), false},
    {STR("macaddr"), STR("macaddr8"), false},
    {STR("bit"), STR("varbit"), false},
    {STR("bool"), STR("int4"), false},
};

static bool cast_is_lossy(const struct catalog *c, const struct type_ref *from,
                          const struct type_ref *to)
{
    for (size_t i = 0; i < ARRAY_LEN(exceptions); i++) {
        if (type_named(from, exceptions[i].from) && type_named(to, exceptions[i].to))
            return exceptions[i].is_lossy;
    }
    enum cast_path path = type_cast_path(c, from, to, CAST_IMPLICIT, NULL);
    return path == PATH_NONE || path == PATH_UNKNOWN;
}

static bool into_numeric_is_lossy(const struct type_ref *from, const struct type_ref *to)
{
    int digits = integer_digits(from->builtin);
    return to->typmod >= 0 && !(digits && digits <= numeric_digits(to->typmod));
}

bool type_change_is_lossy(const struct catalog *c, const struct type_ref *from,
                          const struct type_ref *to)
{
    struct type_ref old = type_base(from);
    struct type_ref new = type_base(to);
    if (type_is_constrained_domain(to) && !type_same(from, to))
        return true;
    if (type_same(&old, &new))
        return length_shrinks(&old, old.typmod, new.typmod);
    if (old.is_array != new.is_array)
        return !is_text(new.builtin) || new.typmod >= 0;
    old.is_array = false;
    new.is_array = false;
    if (is_text(type_plain_name(&new)))
        return text_overflows(&old, &new);
    if (str_equal(new.builtin, STR("numeric")) && into_numeric_is_lossy(&old, &new))
        return true;
    /* date → timestamp(0), time → interval(3): the modifier counts from the widest there is. */
    if (str_starts(new.builtin, STR("time")) && !str_equal(old.builtin, STR("date")) &&
        length_shrinks(&new, old.typmod, new.typmod))
        return true;
    return cast_is_lossy(c, &old, &new);
}
