/*
 * What a type's name means. The grammar turns SQL's own words into pg_catalog names (integer → int4);
 * everything else is looked up as the server does: pg_catalog first, then along the search_path.
 */
#include "planner/postgres/types.h"

#include "planner/postgres/facts.h"
#include "planner/postgres/type_parts.h"

/* ---- modifiers: parse_type.c, and the typmodin functions ---- */

/* Integers among the modifiers; a length may only be one. */
static size_t modifier_numbers(const PgQuery__TypeName *name, int32_t *numbers, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < name->n_typmods && count < room; i++) {
        const PgQuery__Node *node = name->typmods[i];
        const PgQuery__AConst *constant =
            node->node_case == PG_QUERY__NODE__NODE_A_CONST ? node->a_const : NULL;
        /* numeric(5, -2), which 15 and later take */
        bool is_negative = false;
        if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR && !node->a_expr->lexpr &&
            node->a_expr->rexpr && node->a_expr->rexpr->node_case == PG_QUERY__NODE__NODE_A_CONST) {
            constant = node->a_expr->rexpr->a_const;
            is_negative = true;
        }
        if (!constant || constant->val_case != PG_QUERY__A__CONST__VAL_IVAL)
            return 0;
        int32_t number = constant->ival->ival;
        numbers[count++] = is_negative ? -number : number;
    }
    return count;
}

static int32_t interval_modifier(const int32_t *numbers, size_t count)
{
    int32_t range = numbers[0];
    if (count == 1)
        return range == INTERVAL_FULL_RANGE ? -1 : (range << 16) | INTERVAL_FULL_PRECISION;
    int32_t precision = numbers[1] > MAX_SECONDS_PRECISION ? MAX_SECONDS_PRECISION : numbers[1];
    return (range << 16) | precision;
}

static int32_t numeric_modifier(const int32_t *numbers, size_t count)
{
    uint32_t scale = count > 1 ? (uint32_t)numbers[1] & 0x7ff : 0;
    return (int32_t)(((uint32_t)numbers[0] << 16) | scale) + VARLENA_HEADER;
}

static int32_t builtin_modifier(struct str type, const int32_t *numbers, size_t count)
{
    if (str_equal(type, STR("varchar")) || str_equal(type, STR("bpchar")))
        return numbers[0] + VARLENA_HEADER;
    if (str_equal(type, STR("numeric")))
        return numeric_modifier(numbers, count);
    if (str_equal(type, STR("interval")))
        return interval_modifier(numbers, count);
    if (str_equal(type, STR("bit")) || str_equal(type, STR("varbit")))
        return numbers[0];
    if (str_starts(type, STR("time")))
        return numbers[0] > MAX_SECONDS_PRECISION ? MAX_SECONDS_PRECISION : numbers[0];
    return -1;
}

/* Of an extension's type the meaning is its own: a number that is the same for the same words. */
static int32_t foreign_modifier(const PgQuery__TypeName *name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name->n_typmods; i++) {
        char number[16] = "";
        const char *text = number;
        const PgQuery__Node *node = name->typmods[i];
        if (node->node_case == PG_QUERY__NODE__NODE_A_CONST) {
            if (node->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL)
                (void)snprintf(number, sizeof(number), "%d", (int)node->a_const->ival->ival);
            else if (node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
                text = node->a_const->sval->sval;
        } else if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
                   node->column_ref->n_fields == 1 &&
                   node->column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_STRING) {
            text = node->column_ref->fields[0]->string->sval;
        }
        for (; *text; text++)
            hash = (hash ^ (uint8_t)char_lower(*text)) * 16777619u;
        hash = (hash ^ ',') * 16777619u;
    }
    return (int32_t)(hash & 0x7fffffff);
}

static int32_t type_modifier(const struct type_ref *t, const PgQuery__TypeName *name)
{
    if (!name->n_typmods)
        return -1;
    int32_t numbers[2];
    size_t count = modifier_numbers(name, numbers, ARRAY_LEN(numbers));
    if (!t->builtin.len)
        return foreign_modifier(name);
    return count ? builtin_modifier(t->builtin, numbers, count) : -1;
}

/* ---- names ---- */

static const struct {
    struct str name, type;
} serials[] = {
    {STR("serial"), STR("int4")},      {STR("serial4"), STR("int4")},
    {STR("bigserial"), STR("int8")},   {STR("serial8"), STR("int8")},
    {STR("smallserial"), STR("int2")}, {STR("serial2"), STR("int2")},
};

static struct str serial_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
        if (str_equal(serials[i].name, name))
            return serials[i].type;
    }
    return (struct str){0};
}

static bool find_builtin(const struct catalog *c, struct str name, struct type_ref *out)
{
    struct fact f;
    if (facts_type(c, name, true, &f)) {
        out->builtin = f.column[TYPE_FACT_NAME];
        return true;
    }
    /* An array by the name of its type: _int4. */
    if (name.len > 1 && name.at[0] == '_' && facts_type(c, str_skip(name, 1), true, &f)) {
        out->builtin = f.column[TYPE_FACT_NAME];
        out->is_array = true;
        return true;
    }
    return false;
}

static bool find_user(const struct catalog *c, struct str schema, struct str name,
                      struct type_ref *out)
{
    out->user = catalog_find_type(c, schema, name);
    if (!out->user) {
        const struct catalog_relation *r = catalog_find_relation(c, schema, name);
        out->user = r ? r->row_type : NULL;
    }
    if (!out->user && name.len > 1 && name.at[0] == '_') {
        out->user = catalog_find_type(c, schema, str_skip(name, 1));
        out->is_array = out->user != NULL;
    }
    return out->user != NULL;
}

/* schema and name of a list of String nodes; a database before them is left out. */
static bool split_names(PgQuery__Node *const *names, size_t count, struct str *out_schema,
                        struct str *out_name)
{
    *out_schema = (struct str){0};
    *out_name = (struct str){0};
    for (size_t i = count > 2 ? count - 2 : 0; i < count; i++) {
        if (names[i]->node_case != PG_QUERY__NODE__NODE_STRING)
            return false;
        *out_schema = *out_name;
        *out_name = str_of(names[i]->string->sval);
    }
    return out_name->len > 0;
}

static struct str unknown_name(const struct catalog *c, struct str schema, struct str name)
{
    if (!schema.len)
        return arena_str(c->arena, name);
    return str_of(arena_printf(c->arena, "%.*s.%.*s", STR_ARG(schema), STR_ARG(name)));
}

struct type_ref type_resolve(const struct catalog *c, const PgQuery__TypeName *name,
                             bool *out_is_serial)
{
    struct type_ref out = {.typmod = -1};
    if (out_is_serial)
        *out_is_serial = false;
    struct str schema;
    struct str simple;
    if (!name || !split_names(name->names, name->n_names, &schema, &simple))
        return out;
    struct str serial = schema.len ? (struct str){0} : serial_type(simple);
    bool is_system = str_equal(schema, STR("pg_catalog"));
    if (serial.len && !name->n_array_bounds) {
        out.builtin = serial;
        if (out_is_serial)
            *out_is_serial = true;
    } else if (!((!schema.len || is_system) && find_builtin(c, simple, &out)) &&
               !find_user(c, schema, simple, &out)) {
        out.unknown = unknown_name(c, schema, simple);
    }
    if (name->n_array_bounds)
        out.is_array = true;
    out.typmod = type_modifier(&out, name);
    return out;
}

/* ---- what a type is ---- */

struct str type_plain_name(const struct type_ref *t)
{
    if (t->builtin.len)
        return t->builtin;
    if (t->user)
        return t->user->name;
    size_t dot = str_find_char(t->unknown, '.');
    return dot == SIZE_MAX ? t->unknown : str_skip(t->unknown, dot + 1);
}

bool type_same(const struct type_ref *a, const struct type_ref *b)
{
    if (a->is_array != b->is_array)
        return false;
    if (a->user && b->user)
        return a->user == b->user;
    if (a->builtin.len || b->builtin.len)
        return str_equal(a->builtin, b->builtin);
    /* An extension's type that only one side could name in full. */
    struct str name = type_plain_name(a);
    return name.len && str_equal(name, type_plain_name(b));
}

bool type_equal(const struct type_ref *a, const struct type_ref *b)
{
    return type_same(a, b) && a->typmod == b->typmod;
}

bool type_is_domain(const struct type_ref *t)
{
    return t->user && !t->is_array && t->user->kind == TYPE_DOMAIN;
}

/* Domains over domains are as deep as somebody made them, but a catalog that was read from a file may go
   round in circles. */
#define DOMAIN_DEPTH_MAX 64

struct type_ref type_base(const struct type_ref *t)
{
    struct type_ref base = *t;
    for (size_t depth = 0; type_is_domain(&base) && depth < DOMAIN_DEPTH_MAX; depth++) {
        int32_t typmod = base.typmod;
        base = base.user->base;
        if (base.typmod < 0)
            base.typmod = typmod;
    }
    return base;
}

static bool has_constraint(const struct catalog_type *t)
{
    for (size_t i = 0; i < t->constraints.count; i++) {
        if (!t->constraints.at[i].is_dropped)
            return true;
    }
    return false;
}

bool type_is_constrained_domain(const struct type_ref *t)
{
    struct type_ref base = *t;
    for (size_t depth = 0; type_is_domain(&base) && depth < DOMAIN_DEPTH_MAX; depth++) {
        if (has_constraint(base.user))
            return true;
        base = base.user->base;
    }
    return false;
}

const struct catalog_expression *type_default(const struct type_ref *t)
{
    struct type_ref base = *t;
    for (size_t depth = 0; type_is_domain(&base) && depth < DOMAIN_DEPTH_MAX; depth++) {
        if (catalog_has_expression(&base.user->default_value))
            return &base.user->default_value;
        base = base.user->base;
    }
    return NULL;
}

bool type_named(const struct type_ref *t, struct str fact_name)
{
    bool is_array = str_ends(fact_name, STR("[]"));
    if (is_array)
        fact_name.len -= 2;
    /* A user's own type of the same name as an extension's is none of that. */
    if (t->user && !t->user->extension.len && t->user->kind != TYPE_BASE)
        return false;
    return t->is_array == is_array && str_equal(type_plain_name(t), fact_name);
}

struct type_ref type_of_fact(struct str fact_name)
{
    struct type_ref out = {.typmod = -1, .is_array = str_ends(fact_name, STR("[]"))};
    if (out.is_array)
        fact_name.len -= 2;
    struct fact f;
    if (facts_type(NULL, fact_name, true, &f))
        out.builtin = f.column[TYPE_FACT_NAME];
    else
        out.unknown = fact_name;
    return out;
}

bool type_fact(const struct catalog *c, const struct type_ref *t, struct fact *out)
{
    if (t->user && !t->user->extension.len && t->user->kind != TYPE_BASE)
        return false;
    return facts_type(c, type_plain_name(t), t->builtin.len > 0, out);
}
