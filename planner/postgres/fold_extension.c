/*
 * CREATE EXTENSION with its types and functions, as facts/ has them; foreign-data wrappers and servers.
 * What stands for an extension that is not in contrib is only its name.
 */
#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/facts.h"
#include "planner/postgres/types.h"

struct catalog_object *catalog_object_named(const struct catalog *c, const char *kind,
                                            struct str name)
{
    for (size_t i = 0; i < c->objects.count; i++) {
        struct catalog_object *o = c->objects.at[i];
        if (!o->is_dropped && o->kind && strcmp(o->kind, kind) == 0 && str_equal(o->name, name))
            return o;
    }
    return NULL;
}

struct catalog_object *catalog_object_add(struct catalog *c, const char *kind, struct str name)
{
    struct catalog_object *o = arena_new(c->arena, struct catalog_object);
    o->kind = kind;
    o->name = arena_str(c->arena, name);
    vec_push(c->arena, &c->objects, o);
    return o;
}

/* ---- extensions ---- */

/* What some bring along that is no type and no function. Source: their *--*.sql. */
static const struct {
    const char *extension;
    const char *name;
    enum relation_kind kind;
} extension_relations[] = {
    {"pg_buffercache", "pg_buffercache", RELATION_VIEW},
    {"pg_stat_statements", "pg_stat_statements", RELATION_VIEW},
    {"pg_stat_statements", "pg_stat_statements_info", RELATION_VIEW},
    {"postgis", "geography_columns", RELATION_VIEW},
    {"postgis", "geometry_columns", RELATION_VIEW},
    {"postgis", "spatial_ref_sys", RELATION_TABLE},
};

/* Types of extensions that are not in contrib. Source: their *--*.sql. */
static const struct {
    const char *extension;
    const char *name;
} extension_types[] = {
    {"postgis", "box2d"},    {"postgis", "box3d"},         {"postgis", "geography"},
    {"postgis", "geometry"}, {"postgis_raster", "raster"}, {"vector", "halfvec"},
    {"vector", "sparsevec"}, {"vector", "vector"},         {"pg_uuidv7", "uuidv7"},
};

static enum type_kind kind_of(char letter)
{
    switch (letter) {
    case 'b':
        return TYPE_BASE;
    case 'd':
        return TYPE_DOMAIN;
    case 'e':
        return TYPE_ENUM;
    case 'r':
        return TYPE_RANGE;
    case 'm':
        return TYPE_MULTIRANGE;
    default:
        return TYPE_UNKNOWN;
    }
}

static void add_type(struct catalog *c, struct str schema, struct str name, enum type_kind kind,
                     struct str extension)
{
    if (!catalog_find_type(c, schema, name))
        catalog_add_type(c, kind, schema, name)->extension = extension;
}

/* A type as facts/ writes it: citext, int4[]. */
static struct type_ref fact_type(const struct catalog *c, struct str schema, struct str name)
{
    struct type_ref t = {.builtin = name, .typmod = -1};
    if (str_ends(name, STR("[]"))) {
        t.is_array = true;
        t.builtin.len -= 2;
    }
    t.user = catalog_find_type(c, schema, t.builtin);
    if (t.user)
        t.builtin = STR("");
    return t;
}

static void add_function(struct deed *d, struct str schema, const struct fact *row,
                         struct str extension)
{
    struct catalog *c = d->catalog;
    struct catalog_function *f = catalog_add_function(c, schema, row->column[FUNCTION_NAME]);
    f->extension = extension;
    f->language = STR("c");
    f->volatility = fact_letter(row, FUNCTION_VOLATILITY);
    f->is_strict = fact_letter(row, FUNCTION_IS_STRICT) == 's';
    f->returns_set = fact_letter(row, FUNCTION_IS_SET) == 's';
    f->is_aggregate = fact_letter(row, FUNCTION_KIND) == 'a';
    f->result = fact_type(c, schema, row->column[FUNCTION_RESULT]);
    struct str rest = row->column[FUNCTION_ARGUMENTS];
    while (rest.len) {
        struct str name;
        rest = str_cut(rest, ',', &name);
        vec_push(c->arena, &f->arguments, fact_type(c, schema, name));
        vec_push(c->arena, &f->argument_names, STR(""));
    }
    uint64_t defaults;
    if (str_to_u64(row->column[FUNCTION_DEFAULTS], &defaults))
        f->default_count = (size_t)defaults;
}

static void add_members(struct deed *d, struct str schema, struct str extension)
{
    struct catalog *c = d->catalog;
    struct fact row;
    struct facts types = facts_of_extension(c, FACT_TYPES, extension);
    while (facts_next_of_extension(&types, &row))
        add_type(c, schema, row.column[TYPE_FACT_NAME], kind_of(fact_letter(&row, TYPE_FACT_KIND)),
                 extension);
    for (size_t i = 0; i < ARRAY_LEN(extension_types); i++) {
        if (str_equal(extension, str_of(extension_types[i].extension)))
            add_type(c, schema, str_of(extension_types[i].name), TYPE_BASE, extension);
    }
    struct facts functions = facts_of_extension(c, FACT_FUNCTIONS, extension);
    while (facts_next_of_extension(&functions, &row))
        add_function(d, schema, &row, extension);
    for (size_t i = 0; i < ARRAY_LEN(extension_relations); i++) {
        struct str name = str_of(extension_relations[i].name);
        if (str_equal(extension, str_of(extension_relations[i].extension)) &&
            !catalog_find_relation(c, schema, name))
            catalog_add_relation(c, extension_relations[i].kind, schema, name)->extension =
                extension;
    }
}

void fold_create_extension(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateExtensionStmt *create = node->create_extension_stmt;
    struct catalog *c = d->catalog;
    struct str name = str_of(create->extname);
    if (catalog_object_named(c, "EXTENSION", name))
        return;
    struct catalog_object *o = catalog_object_add(c, "EXTENSION", name);
    struct str schema = catalog_creation_schema(c);
    for (size_t i = 0; i < create->n_options; i++) {
        if (create->options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = create->options[i]->def_elem;
        if (strcmp(e->defname, "schema") == 0 && e->arg &&
            e->arg->node_case == PG_QUERY__NODE__NODE_STRING)
            schema = str_of(e->arg->string->sval);
    }
    o->schema = arena_str(c->arena, schema);
    add_members(d, o->schema, o->name);
    if (str_ends(name, STR("_fdw")))
        catalog_object_add(c, "FOREIGN DATA WRAPPER", name)->extension = o->name;
}

void fold_create_cast(struct deed *d, const PgQuery__Node *node)
{
    type_add_cast(d->catalog, node->create_cast_stmt);
}

/* ---- foreign data ---- */

void fold_create_fdw(struct deed *d, const PgQuery__Node *node)
{
    struct str name = str_of(node->create_fdw_stmt->fdwname);
    if (!catalog_object_named(d->catalog, "FOREIGN DATA WRAPPER", name))
        catalog_object_add(d->catalog, "FOREIGN DATA WRAPPER", name);
}

void fold_create_server(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateForeignServerStmt *create = node->create_foreign_server_stmt;
    struct str name = str_of(create->servername);
    if (!catalog_object_named(d->catalog, "SERVER", name))
        catalog_object_add(d->catalog, "SERVER", name)->parent =
            arena_str(d->catalog->arena, str_of(create->fdwname));
}
