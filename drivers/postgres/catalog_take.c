/* Settings, schemas, relations, types, columns: what everything else refers to. */
#include "drivers/postgres/catalog_load.h"

#include "core/base/vec.h"

void take_settings(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++)
        catalog_set(l->catalog, pgdrv_value(r, i, 0), pgdrv_value(r, i, 1), false);
}

void take_schemas(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++)
        catalog_add_schema(l->catalog, pgdrv_value(r, i, 0));
}

void take_relations(struct catalog_load *l, const PGresult *r)
{
    enum { RELATION, OF_TYPE, BOUND };
    struct row_map map = row_map_of(r, &catalog_fields_relation);
    for (int i = 0; i < PQntuples(r); i++) {
        enum relation_kind kind =
            (enum relation_kind)(unsigned char)row_value(&map, i, "kind").at[0];
        struct catalog_relation *made = catalog_add_relation(
            l->catalog, kind, row_value(&map, i, "schema"), row_value(&map, i, "name"));
        struct str schema = made->schema;
        struct str name = made->name;
        row_fill(l, &map, i, made);
        made->schema = schema; /* the texts that the names' table has */
        made->name = name;
        made->bound.text = arena_str(l->a, pgdrv_value(r, i, BOUND));
        made->bound.is_default = str_equal(made->bound.text, STR("DEFAULT"));
        oid_add(l, OID_RELATION, oid_of(r, i, RELATION), 0, made);
        if (oid_of(r, i, OF_TYPE))
            oid_add(l, OID_TYPE_WAITING, oid_of(r, i, OF_TYPE), 0, made);
    }
}

/* ---- types ---- */

enum { TYPE_OID, TYPE_ELEMENT, TYPE_RELATION, TYPE_IS_SYSTEM, TYPE_BASE_OID, TYPE_BASE_TYPMOD };

static struct type_ref *add_type_ref(struct catalog_load *l, const PGresult *r, int row)
{
    struct type_ref *t = arena_new(l->scratch, struct type_ref);
    t->typmod = -1;
    oid_add(l, OID_TYPE, oid_of(r, row, TYPE_OID), 0, t);
    return t;
}

static bool is_true(const PGresult *r, int row, int column)
{
    return str_equal(pgdrv_value(r, row, column), STR("t"));
}

static void take_plain_type(struct catalog_load *l, const struct row_map *map, int i)
{
    const PGresult *r = map->result;
    struct type_ref *t = add_type_ref(l, r, i);
    struct catalog_relation *rows = oid_value(l, OID_RELATION, r, i, TYPE_RELATION);
    struct str schema = row_value(map, i, "schema");
    struct str name = row_value(map, i, "name");
    if (rows) {
        t->user = rows->row_type;
        if (rows->kind == RELATION_COMPOSITE_TYPE)
            rows->extension = arena_str(l->a, row_value(map, i, "extension"));
    } else if (is_true(r, i, TYPE_IS_SYSTEM)) {
        bool is_catalog = str_equal(schema, STR("pg_catalog"));
        *(is_catalog ? &t->builtin : &t->unknown) =
            is_catalog ? arena_str(l->a, name) : catalog_name_text(l->a, schema, name);
    } else {
        struct catalog_type *made = catalog_add_type(l->catalog, TYPE_UNKNOWN, schema, name);
        schema = made->schema;
        name = made->name;
        row_fill(l, map, i, made);
        made->schema = schema;
        made->name = name;
        t->user = made;
    }
}

/* Row types have an array type each, made in any order; so they are made last. */
void take_types(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_type);
    int count = PQntuples(r);
    for (int i = 0; i < count; i++) {
        if (PQgetisnull(r, i, TYPE_ELEMENT))
            take_plain_type(l, &map, i);
    }
    for (int i = 0; i < count; i++) {
        const struct type_ref *element = oid_value(l, OID_TYPE, r, i, TYPE_ELEMENT);
        if (element) {
            struct type_ref *t = add_type_ref(l, r, i);
            *t = *element;
            t->is_array = true;
        }
    }
    for (int i = 0; i < count; i++) {
        const struct type_ref *t = oid_value(l, OID_TYPE, r, i, TYPE_OID);
        struct catalog_relation *typed = oid_value(l, OID_TYPE_WAITING, r, i, TYPE_OID);
        if (t && t->user && !t->is_array && !PQgetisnull(r, i, TYPE_BASE_OID))
            t->user->base = oid_type(l, oid_of(r, i, TYPE_BASE_OID),
                                     (int32_t)pgdrv_value_i64(r, i, TYPE_BASE_TYPMOD));
        if (t && typed)
            typed->of_type = t->user;
    }
}

/* The user's type of that oid. */
static struct catalog_type *user_type(struct catalog_load *l, const PGresult *r, int row)
{
    const struct type_ref *t = oid_value(l, OID_TYPE, r, row, 0);
    return t ? t->user : NULL;
}

void take_labels(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_type *t = user_type(l, r, i);
        if (t)
            vec_push(l->a, &t->labels, arena_str(l->a, pgdrv_value(r, i, 1)));
    }
}

void take_domain_constraints(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_domain_constraint);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_type *t = user_type(l, r, i);
        struct domain_constraint made = {.is_valid = true};
        if (!t)
            continue;
        row_fill(l, &map, i, &made);
        vec_push(l->a, &t->constraints, made);
    }
}

/* ---- columns, and who has them from whom ---- */

void take_columns(struct catalog_load *l, const PGresult *r)
{
    enum { RELATION, NUMBER, TYPE, TYPMOD };
    struct row_map map = row_map_of(r, &catalog_fields_column);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, RELATION);
        if (!relation)
            continue;
        struct type_ref t = oid_type(l, oid_of(r, i, TYPE), (int32_t)pgdrv_value_i64(r, i, TYPMOD));
        struct catalog_column *made =
            catalog_add_column(l->catalog, relation, row_value(&map, i, "name"), &t);
        row_fill(l, &map, i, made);
        oid_add(l, OID_COLUMN, oid_of(r, i, RELATION), (int)pgdrv_value_i64(r, i, NUMBER), made);
    }
}

void take_partition_keys(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_index_key);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, 0);
        if (!relation)
            continue;
        struct index_key key = {
            .column = oid_find(l, OID_COLUMN, oid_of(r, i, 0), (int)pgdrv_value_i64(r, i, 1)),
        };
        row_fill(l, &map, i, &key);
        vec_push(l->a, &relation->partition_keys, key);
    }
}

void take_inheritance(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *child = oid_value(l, OID_RELATION, r, i, 0);
        struct catalog_relation *parent = oid_value(l, OID_RELATION, r, i, 1);
        if (!child || !parent)
            continue;
        if (child->index)
            child->index->parent = parent;
        else
            catalog_add_child(l->catalog, parent, child);
    }
}

void take_detaching(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *child = oid_value(l, OID_RELATION, r, i, 0);
        if (child)
            child->is_detach_pending = true;
    }
}

void take_sequences(struct catalog_load *l, const PGresult *r)
{
    enum { SEQUENCE, TYPE, OWNER, OWNER_COLUMN, IS_IDENTITY };
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *s = oid_value(l, OID_RELATION, r, i, SEQUENCE);
        if (!s || !s->sequence)
            continue;
        s->sequence->type = oid_type(l, oid_of(r, i, TYPE), -1);
        struct catalog_relation *owner = oid_value(l, OID_RELATION, r, i, OWNER);
        if (!owner)
            continue;
        catalog_own_sequence(
            l->catalog, s, owner,
            oid_find(l, OID_COLUMN, oid_of(r, i, OWNER), (int)pgdrv_value_i64(r, i, OWNER_COLUMN)));
        s->sequence->is_identity = is_true(r, i, IS_IDENTITY);
        if (s->sequence->owner_column &&
            (s->sequence->is_identity ||
             catalog_has_expression(&s->sequence->owner_column->default_value)))
            s->sequence->owner_column->sequence = s;
    }
}
