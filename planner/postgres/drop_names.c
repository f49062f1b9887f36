/* What a DROP names: looked up, and put into one set with all that depends on it. */
#include <string.h>

#include "planner/postgres/drop_parts.h"
#include "planner/postgres/types.h"

struct collecting {
    struct deed *d;
    const PgQuery__DropStmt *drop;
    struct dependants *set;
    bool is_told;
};

static void missing(const struct collecting *c, const char *kind, struct str schema,
                    struct str name)
{
    if (c->is_told && !c->drop->missing_ok)
        deed_missing(c->d, "%s %.*s is not there", kind,
                     STR_ARG(catalog_name_text(c->d->a, schema, name)));
}

/* ---- relations ---- */

static bool is_kind(const struct catalog_relation *r, int object_type)
{
    switch (object_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        return r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE;
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
        return r->kind == RELATION_INDEX || r->kind == RELATION_PARTITIONED_INDEX;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
        return r->kind == RELATION_SEQUENCE;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        return r->kind == RELATION_VIEW;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        return r->kind == RELATION_MATERIALIZED_VIEW;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        return r->kind == RELATION_FOREIGN_TABLE;
    default:
        return false;
    }
}

static void unknown_relation(const struct collecting *c, struct str schema, struct str name)
{
    missing(c, "relation", schema, name);
    if (!c->is_told || c->d->catalog->is_complete || deed_is_system(schema, name))
        return;
    PgQuery__RangeVar var = PG_QUERY__RANGE_VAR__INIT;
    var.schemaname = arena_cstr(c->d->a, schema);
    var.relname = arena_cstr(c->d->a, name);
    bool is_index = c->drop->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
    deed_lock_name(c->d, &var,
                   is_index && c->drop->concurrent ? LOCK_SHARE_UPDATE_EXCLUSIVE
                                                   : LOCK_ACCESS_EXCLUSIVE);
}

static void add_relation(const struct collecting *c, PgQuery__Node *const *names, size_t count)
{
    struct str schema;
    struct str name;
    deed_split_name(names, count, &schema, &name);
    struct catalog_relation *r = catalog_find_relation(c->d->catalog, schema, name);
    if (!r) {
        unknown_relation(c, schema, name);
        return;
    }
    if (is_kind(r, (int)c->drop->remove_type)) {
        dependants_add_relation(c->set, r);
        return;
    }
    if (c->is_told)
        deed_fails(c->d, "%.*s is a %s", STR_ARG(catalog_relation_text(c->d->a, r)),
                   relation_kind_name(r->kind));
}

/* DROP TRIGGER name ON table: the table's names, then its own. */
static void add_part(const struct collecting *c, PgQuery__Node *const *names, size_t count)
{
    if (count < 2)
        return;
    struct str schema;
    struct str name;
    deed_split_name(names, count, &schema, &name);
    struct catalog_relation *r =
        deed_relation_by_names(c->d, names, count - 1, c->drop->missing_ok || !c->is_told);
    if (!r) {
        deed_split_name(names, count - 1, &schema, &name);
        unknown_relation(c, schema, name);
        return;
    }
    int type = (int)c->drop->remove_type;
    struct catalog_trigger *t = NULL;
    struct catalog_rule *rule = NULL;
    if (type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER)
        t = catalog_find_trigger(r, name);
    else
        rule = catalog_find_rule(r, name, type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY);
    if (t)
        dependants_add_trigger(c->set, r, t);
    else if (rule)
        dependants_add_rule(c->set, r, rule);
    else if (c->is_told) {
        /* Looked for, and let go again. */
        bool is_gone = c->d->catalog->is_complete && c->drop->missing_ok;
        deed_lock(c->d, r, is_gone ? LOCK_ACCESS_SHARE : LOCK_ACCESS_EXCLUSIVE, true);
        if (!c->drop->missing_ok)
            deed_missing(c->d, "%.*s has no %s %.*s", STR_ARG(catalog_relation_text(c->d->a, r)),
                         type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER  ? "trigger"
                         : type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY ? "policy"
                                                                        : "rule",
                         STR_ARG(name));
    }
}

/* ---- types and functions ---- */

static void add_type(const struct collecting *c, const PgQuery__TypeName *name)
{
    struct type_ref t = deed_type(c->d, name);
    struct str schema;
    struct str last;
    deed_split_name(name->names, name->n_names, &schema, &last);
    if (!t.user) {
        if (!t.builtin.len)
            missing(c, "type", schema, last);
        return;
    }
    if (t.user->composite && t.user->composite->kind != RELATION_COMPOSITE_TYPE) {
        if (c->is_told)
            deed_fails(c->d, "type %.*s is that of a table's rows", STR_ARG(last));
        return;
    }
    dependants_add_type(c->set, t.user);
}

static void add_function(const struct collecting *c, const PgQuery__ObjectWithArgs *object)
{
    struct catalog_function *f = function_meant(c->d, object);
    if (f) {
        dependants_add_function(c->set, f);
        return;
    }
    struct str schema;
    struct str name;
    deed_split_name(object->objname, object->n_objname, &schema, &name);
    missing(c, "function", schema, name);
}

/* ---- the rest ---- */

static void add_statistics(const struct collecting *c, PgQuery__Node *const *names, size_t count)
{
    struct str schema;
    struct str name;
    deed_split_name(names, count, &schema, &name);
    struct catalog *catalog = c->d->catalog;
    for (size_t i = 0; i < catalog->statistics.count; i++) {
        struct catalog_statistics *s = catalog->statistics.at[i];
        if (!s->is_dropped && str_equal(s->name, name) &&
            (!schema.len || str_equal(s->schema, schema))) {
            dependants_add_statistics(c->set, s);
            return;
        }
    }
    missing(c, "statistics object", schema, name);
}

/* Static words for what the catalog keeps by name only. */
static const char *object_kind(int type)
{
    switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION:
        return "EXTENSION";
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER:
        return "SERVER";
    case PG_QUERY__OBJECT_TYPE__OBJECT_FDW:
        return "FOREIGN DATA WRAPPER";
    case PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE:
        return "LANGUAGE";
    case PG_QUERY__OBJECT_TYPE__OBJECT_EVENT_TRIGGER:
        return "EVENT TRIGGER";
    default:
        return NULL;
    }
}

bool drop_collect_schema(struct dependants *set, struct str schema)
{
    struct catalog *c = set->deed->catalog;
    size_t before = set->all.count;
    for (size_t i = 0; i < c->objects.count; i++) {
        if (!c->objects.at[i]->is_dropped && str_equal(c->objects.at[i]->schema, schema))
            dependants_add_of_schema(set, DEPENDANT_OBJECT, c->objects.at[i]);
    }
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (!r->is_dropped && !r->index && r->kind != RELATION_COMPOSITE_TYPE &&
            str_equal(r->schema, schema))
            dependants_add_of_schema(set, DEPENDANT_RELATION, r);
    }
    for (size_t i = 0; i < c->types.count; i++) {
        if (!c->types.at[i]->is_dropped && str_equal(c->types.at[i]->schema, schema))
            dependants_add_of_schema(set, DEPENDANT_TYPE, c->types.at[i]);
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        if (!c->functions.at[i]->is_dropped && str_equal(c->functions.at[i]->schema, schema))
            dependants_add_of_schema(set, DEPENDANT_FUNCTION, c->functions.at[i]);
    }
    for (size_t i = 0; i < c->statistics.count; i++) {
        if (!c->statistics.at[i]->is_dropped && str_equal(c->statistics.at[i]->schema, schema))
            dependants_add_of_schema(set, DEPENDANT_STATISTICS, c->statistics.at[i]);
    }
    return set->all.count != before;
}

static void add_schema(const struct collecting *c, struct str name)
{
    if (!catalog_has_schema(c->d->catalog, name)) {
        missing(c, "schema", STR(""), name);
        return;
    }
    if (drop_collect_schema(c->set, name) && c->is_told &&
        c->drop->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        deed_fails(c->d, "schema %.*s cannot be dropped: it is not empty", STR_ARG(name));
}

static void add_named(const struct collecting *c, struct str name)
{
    int type = (int)c->drop->remove_type;
    if (type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
        add_schema(c, name);
        return;
    }
    const char *kind = object_kind(type);
    struct catalog_object *o = kind ? catalog_object_named(c->d->catalog, kind, name) : NULL;
    if (!o && type == PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION && str_equal(name, STR("plpgsql"))) {
        o = arena_new(c->d->a, struct catalog_object); /* every database has it from the start */
        o->kind = "EXTENSION";
        o->name = name;
    }
    if (o)
        dependants_add_object(c->set, o);
    else if (type == PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION && !str_equal(name, STR("plpgsql")))
        missing(c, "extension", STR(""), name);
}

static void add_object(const struct collecting *c, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_STRING:
        add_named(c, str_of(node->string->sval));
        break;
    case PG_QUERY__NODE__NODE_TYPE_NAME:
        add_type(c, node->type_name);
        break;
    case PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS:
        if (c->drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR)
            add_function(c, node->object_with_args);
        break;
    case PG_QUERY__NODE__NODE_LIST:
        switch ((int)c->drop->remove_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
        case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
            add_relation(c, node->list->items, node->list->n_items);
            break;
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER:
        case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
            add_part(c, node->list->items, node->list->n_items);
            break;
        case PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT:
            add_statistics(c, node->list->items, node->list->n_items);
            break;
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION:
            if (node->list->n_items && node->list->items[node->list->n_items - 1]->node_case ==
                                           PG_QUERY__NODE__NODE_STRING)
                dependants_add_of_collation(
                    c->set, str_of(node->list->items[node->list->n_items - 1]->string->sval));
            break;
        default: /* casts, operator classes, text search: hardly a relation hangs on them */
            break;
        }
        break;
    default:
        break;
    }
}

struct dependants drop_collect(struct deed *d, const PgQuery__DropStmt *drop, bool is_told)
{
    struct dependants set = dependants_make(d);
    struct collecting c = {.d = d, .drop = drop, .set = &set, .is_told = is_told};
    for (size_t i = 0; i < drop->n_objects; i++)
        add_object(&c, drop->objects[i]);
    dependants_close(&set);
    return set;
}
