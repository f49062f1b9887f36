/* Casts: pg_cast, and what parse_coerce.c makes of two types that have no row there. */
#include "planner/postgres/type_parts.h"

static int context_rank(char context)
{
    return context == CAST_IMPLICIT ? 1 : context == CAST_ASSIGNMENT ? 2 : 3;
}

/* ---- the user's casts ---- */

/* "public.mood AS text", without lengths. */
static struct str cast_name(struct arena *a, const struct type_ref *from, const struct type_ref *to)
{
    struct type_ref plain[2];
    plain[0] = *from;
    plain[1] = *to;
    plain[0].typmod = plain[1].typmod = -1;
    struct str names[2];
    names[0] = type_text(a, &plain[0]);
    names[1] = type_text(a, &plain[1]);
    return str_of(arena_printf(a, "%.*s AS %.*s", STR_ARG(names[0]), STR_ARG(names[1])));
}

/* Method and context, as in pg_cast. */
static const char *cast_letters(const PgQuery__CreateCastStmt *cast)
{
    static const char *const letters[3][3] = {
        {"fe", "fa", "fi"}, {"ie", "ia", "ii"}, {"be", "ba", "bi"}};
    int method = cast->inout ? 1 : cast->func ? 0 : 2;
    int context = cast->context == PG_QUERY__COERCION_CONTEXT__COERCION_IMPLICIT     ? 2
                  : cast->context == PG_QUERY__COERCION_CONTEXT__COERCION_ASSIGNMENT ? 1
                                                                                     : 0;
    return letters[method][context];
}

void type_add_cast(struct catalog *c, const PgQuery__CreateCastStmt *cast)
{
    struct type_ref from = type_resolve(c, cast->sourcetype, NULL);
    struct type_ref to = type_resolve(c, cast->targettype, NULL);
    struct catalog_object *o = arena_new(c->arena, struct catalog_object);
    o->kind = "CAST";
    o->name = cast_name(c->arena, &from, &to);
    o->parent = str_of(cast_letters(cast));
    vec_push(c->arena, &c->objects, o);
}

/* NULL: the catalog has none of its own, not even one that would have to be compared. */
static const struct catalog_object *first_cast(const struct catalog *c)
{
    for (size_t i = 0; c && i < c->objects.count; i++) {
        const struct catalog_object *o = c->objects.at[i];
        if (!o->is_dropped && str_equal(str_of(o->kind), STR("CAST")))
            return o;
    }
    return NULL;
}

static bool find_user_cast(const struct catalog *c, const struct type_ref *from,
                           const struct type_ref *to, struct fact *out)
{
    if (!first_cast(c))
        return false;
    SCOPED(arena) struct arena *a = arena_make();
    struct str name = cast_name(a, from, to);
    for (size_t i = 0; i < c->objects.count; i++) {
        const struct catalog_object *o = c->objects.at[i];
        if (o->is_dropped || !str_equal(str_of(o->kind), STR("CAST")) ||
            !str_equal(o->name, name) || o->parent.len != 2)
            continue;
        *out = (struct fact){0};
        out->column[CAST_METHOD] = (struct str){o->parent.at, 1};
        out->column[CAST_CONTEXT] = (struct str){o->parent.at + 1, 1};
        return true;
    }
    return false;
}

/* A row of pg_cast. */
static bool find_cast(const struct catalog *c, const struct type_ref *from,
                      const struct type_ref *to, struct fact *out)
{
    struct str key = type_plain_name(from);
    char array[80];
    if (from->is_array) {
        int len = snprintf(array, sizeof(array), "%.*s[]", STR_ARG(key));
        if (len < 0 || (size_t)len >= sizeof(array))
            return false;
        key = (struct str){array, (size_t)len};
    }
    struct facts search = facts_of(c, FACT_CASTS, key);
    while (facts_next(&search, out)) {
        if (type_named(from, out->column[CAST_FROM]) && type_named(to, out->column[CAST_TO]))
            return true;
    }
    return false;
}

/* get_element_type(): the two vectors are arrays to it, but have no array's name. */
static bool element_of(const struct type_ref *t, struct type_ref *out)
{
    *out = *t;
    out->is_array = false;
    if (t->is_array)
        return true;
    if (str_equal(t->builtin, STR("int2vector")))
        out->builtin = STR("int2");
    else if (str_equal(t->builtin, STR("oidvector")))
        out->builtin = STR("oid");
    else
        return false;
    return true;
}

/* A type of which nothing but the name is known: an extension's, or a base type made with C functions. */
static bool is_opaque(const struct catalog *c, const struct type_ref *t)
{
    if (t->is_array || t->builtin.len)
        return false;
    struct fact f;
    if (t->user && t->user->kind != TYPE_BASE && t->user->kind != TYPE_UNKNOWN)
        return false;
    return !type_fact(c, t, &f);
}

char type_category(const struct catalog *c, const struct type_ref *t)
{
    struct type_ref base = type_base(t);
    struct fact f;
    if (base.is_array)
        return 'A';
    if (base.user && base.user->kind == TYPE_ENUM)
        return 'E';
    if (base.user && (base.user->kind == TYPE_RANGE || base.user->kind == TYPE_MULTIRANGE))
        return 'R';
    if (base.user && base.user->kind == TYPE_COMPOSITE)
        return 'C';
    return type_fact(c, &base, &f) ? fact_letter(&f, TYPE_FACT_CATEGORY) : 0;
}

static enum cast_path path_of(const struct fact *cast)
{
    switch (fact_letter(cast, CAST_METHOD)) {
    case 'b':
        return PATH_RELABEL;
    case 'i':
        return PATH_TEXT;
    default:
        return PATH_FUNCTION;
    }
}

/* Automatic casts to text types in assignments, and back where they are written out. */
static enum cast_path text_path(const struct catalog *c, const struct type_ref *from,
                                const struct type_ref *to, int rank)
{
    if (rank >= context_rank(CAST_ASSIGNMENT) && type_category(c, to) == 'S')
        return PATH_TEXT;
    if (rank >= context_rank(CAST_EXPLICIT) && type_category(c, from) == 'S')
        return PATH_TEXT;
    return PATH_NONE;
}

/* typecmds.c: DefineRange() makes that cast with the types. */
static bool is_range_to_multirange(const struct type_ref *from, const struct type_ref *to)
{
    return from->user && to->user && !from->is_array && !to->is_array &&
           from->user->kind == TYPE_RANGE && to->user->kind == TYPE_MULTIRANGE;
}

enum cast_path type_cast_path(const struct catalog *c, const struct type_ref *from_type,
                              const struct type_ref *to_type, enum cast_context context,
                              struct fact *out_cast)
{
    struct type_ref from = type_base(from_type);
    struct type_ref to = type_base(to_type);
    struct fact cast;
    int rank = context_rank((char)context);
    if (type_same(&from, &to))
        return PATH_RELABEL;
    if (find_cast(c, &from, &to, &cast) || find_user_cast(c, &from, &to, &cast)) {
        if (out_cast)
            *out_cast = cast;
        return rank >= context_rank(fact_letter(&cast, CAST_CONTEXT)) ? path_of(&cast) : PATH_NONE;
    }
    if (is_opaque(c, &from) || is_opaque(c, &to))
        return PATH_UNKNOWN;
    enum cast_path path = PATH_NONE;
    if (is_range_to_multirange(&from, &to) && context == CAST_EXPLICIT)
        return PATH_FUNCTION;
    struct type_ref from_element;
    struct type_ref to_element;
    bool is_vector = !to.is_array && (str_equal(to.builtin, STR("int2vector")) ||
                                      str_equal(to.builtin, STR("oidvector")));
    if (!is_vector && element_of(&from, &from_element) && element_of(&to, &to_element)) {
        /* Elements are arrays of nothing deeper: this ends after one step. */
        path = type_cast_path(c, &from_element, &to_element, context, NULL);
        if (path != PATH_NONE && path != PATH_UNKNOWN)
            path = PATH_ELEMENTS;
    }
    if (path == PATH_NONE)
        path = text_path(c, &from, &to, rank);
    return path;
}

/* ---- lengths ---- */

bool type_has_length_function(const struct catalog *c, const struct type_ref *t)
{
    struct type_ref plain = *t;
    struct fact cast;
    plain.is_array = false;
    return find_cast(c, &plain, &plain, &cast);
}

/* timestamp.c: intervaltypmodleastfield(): years are 5, seconds 0. The bits are those of datetime.h. */
static int interval_least_field(int32_t typmod)
{
    static const struct {
        int bit, field;
    } fields[] = {{12, 0}, {11, 1}, {10, 2}, {3, 3}, {1, 4}, {2, 5}};
    if (typmod < 0)
        return 0;
    int32_t range = (typmod >> 16) & INTERVAL_FULL_RANGE;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (range & (1 << fields[i].bit))
            return fields[i].field;
    }
    return 0;
}

/* timestamp.c: interval_support() */
static bool interval_is_kept(int32_t old, int32_t new)
{
    int32_t old_precision = old < 0 ? INTERVAL_FULL_PRECISION : old & INTERVAL_FULL_PRECISION;
    int32_t new_precision = new &INTERVAL_FULL_PRECISION;
    int old_field = interval_least_field(old);
    int new_field = interval_least_field(new);
    return new_field <= old_field && (old_field > 0 || new_precision >= MAX_SECONDS_PRECISION ||
                                      new_precision >= old_precision);
}

/* numeric.c: numeric_support() */
static bool numeric_is_kept(int32_t old, int32_t new)
{
    int32_t old_bits = old - VARLENA_HEADER;
    int32_t new_bits = new - VARLENA_HEADER;
    return old >= VARLENA_HEADER && (old_bits & 0x7ff) == (new_bits & 0x7ff) &&
           (old_bits >> 16) <= (new_bits >> 16);
}

bool type_length_is_kept(const struct type_ref *t, int32_t old, int32_t new)
{
    struct str name = t->builtin;
    if (new < 0)
        return true;
    if (str_equal(name, STR("varchar")))
        return old >= 0 && old <= new;
    if (str_equal(name, STR("numeric")))
        return numeric_is_kept(old, new);
    if (str_equal(name, STR("varbit")))
        return new == 0 || (old > 0 && old <= new);
    if (str_equal(name, STR("interval")))
        return interval_is_kept(old, new);
    if (str_starts(name, STR("time"))) /* timestamp[tz], time[tz] */
        return new == MAX_SECONDS_PRECISION || (old >= 0 && old <= new);
    return false;
}
