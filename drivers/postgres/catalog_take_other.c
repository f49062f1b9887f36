/* Functions, publications and the rest; sizes and statistics. */
#include "drivers/postgres/catalog_load.h"

#include "core/base/text.h"
#include "core/base/vec.h"

/* ---- functions ---- */

static void take_arguments(struct catalog_load *l, struct catalog_function *f,
                           const struct oid_list *types, struct str names)
{
    for (size_t i = 0; i < types->count; i++) {
        struct str name;
        names = str_cut(names, '\1', &name);
        vec_push(l->a, &f->arguments, oid_type(l, (Oid)types->at[i], -1));
        vec_push(l->a, &f->argument_names, arena_str(l->a, name));
    }
}

void take_functions(struct catalog_load *l, const PGresult *r)
{
    enum { FUNCTION, ARGUMENTS, NAMES, RESULT };
    struct row_map map = row_map_of(r, &catalog_fields_function);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_function *f = catalog_add_function(l->catalog, row_value(&map, i, "schema"),
                                                          row_value(&map, i, "name"));
        struct str schema = f->schema;
        struct str name = f->name;
        row_fill(l, &map, i, f);
        f->schema = schema; /* the texts that the names' table has */
        f->name = name;
        struct oid_list types = oid_list_of(l, r, i, ARGUMENTS);
        take_arguments(l, f, &types, pgdrv_value(r, i, NAMES));
        if (!f->is_procedure)
            f->result = oid_type(l, oid_of(r, i, RESULT), -1);
        oid_add(l, OID_FUNCTION, oid_of(r, i, FUNCTION), 0, f);
    }
}

void take_function_uses(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_function *f = oid_value(l, OID_FUNCTION, r, i, 0);
        struct catalog_use use = {
            .relation = oid_value(l, OID_RELATION, r, i, 1),
            .column = oid_find(l, OID_COLUMN, oid_of(r, i, 1), (int)pgdrv_value_i64(r, i, 2)),
        };
        if (f && use.relation)
            vec_push(l->a, &f->uses, use);
    }
}

/* ---- objects, publications, statistics objects ---- */

void take_objects(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_object);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_object *o = arena_new(l->a, struct catalog_object);
        row_fill(l, &map, i, o);
        o->kind = arena_cstr(l->a, pgdrv_value(r, i, 0));
        vec_push(l->a, &l->catalog->objects, o);
    }
}

void take_publications(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_publication);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_publication *p = arena_new(l->a, struct catalog_publication);
        row_fill(l, &map, i, p);
        vec_push(l->a, &l->catalog->publications, p);
        oid_add(l, OID_PUBLICATION, oid_of(r, i, 0), 0, p);
    }
}

void take_published(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_publication *p = oid_value(l, OID_PUBLICATION, r, i, 0);
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, 1);
        if (p && relation)
            vec_push(l->a, &p->relations, relation);
    }
}

void take_published_schemas(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_publication *p = oid_value(l, OID_PUBLICATION, r, i, 0);
        if (p)
            vec_push(l->a, &p->schemas, arena_str(l->a, pgdrv_value(r, i, 1)));
    }
}

void take_statistics(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_statistics);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, 0);
        if (!relation)
            continue;
        struct catalog_statistics *s = arena_new(l->a, struct catalog_statistics);
        row_fill(l, &map, i, s);
        s->relation = relation;
        struct oid_list numbers = oid_list_of(l, r, i, 1);
        oid_columns columns = oid_columns_of(l, oid_of(r, i, 0), &numbers);
        s->columns.at = columns.at;
        s->columns.count = columns.count;
        s->columns.room = columns.room;
        vec_push(l->a, &l->catalog->statistics, s);
    }
}

/* ---- how much there is, and how it is used ---- */

void take_sizes(struct catalog_load *l, const PGresult *r)
{
    enum { RELATION, BYTES, ROW_BYTES };
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, RELATION);
        if (!relation || PQgetisnull(r, i, BYTES) || PQgetisnull(r, i, ROW_BYTES))
            continue;
        relation->size_bytes = pgdrv_value_i64(r, i, BYTES);
        if (relation->index)
            continue;
        /* Pages without a row stay behind a DELETE; no page, no row. */
        relation->rows = ROWS_UNKNOWN;
        if (pgdrv_value_i64(r, i, ROW_BYTES) == 0)
            relation->rows = ROWS_NONE;
        else if (relation->row_estimate != 0)
            relation->rows = ROWS_SOME;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as partitions are */
static enum row_state rows_of(struct catalog_relation *r)
{
    if (r->kind != RELATION_PARTITIONED_TABLE)
        return r->rows;
    r->rows = ROWS_NONE;
    for (size_t i = 0; i < r->children.count; i++) {
        enum row_state rows = rows_of(r->children.at[i]);
        if (rows == ROWS_SOME)
            r->rows = ROWS_SOME;
        else if (rows != ROWS_NONE && r->rows == ROWS_NONE)
            r->rows = ROWS_UNKNOWN;
    }
    return r->rows;
}

void catalog_settle_rows(struct catalog *c)
{
    for (size_t i = 0; i < c->relations.count; i++) {
        if (!c->relations.at[i]->is_partition)
            (void)rows_of(c->relations.at[i]);
    }
}

void take_definitions(struct catalog_load *l, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, 0);
        if (!relation)
            continue;
        struct str text = arena_str(l->a, pgdrv_value(r, i, 2));
        struct catalog_rule *rule = catalog_find_rule(relation, pgdrv_value(r, i, 1), false);
        if (PQgetisnull(r, i, 1))
            relation->query.text = text;
        else if (rule)
            rule->definition.text = text;
    }
}

void take_table_usage(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_relation);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, 0);
        if (relation)
            row_fill(l, &map, i, relation);
    }
}

void take_index_usage(struct catalog_load *l, const PGresult *r)
{
    take_index_flags(l, r);
}

void take_column_statistics(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_column);
    for (int i = 0; i < PQntuples(r); i++) {
        const struct catalog_relation *relation =
            catalog_find_relation(l->catalog, pgdrv_value(r, i, 0), pgdrv_value(r, i, 1));
        struct catalog_column *column =
            relation ? catalog_find_column(relation, pgdrv_value(r, i, 2)) : NULL;
        if (column)
            row_fill(l, &map, i, column);
    }
}

static enum lock_mode lock_mode_of(struct str name)
{
    for (enum lock_mode m = LOCK_ACCESS_SHARE; m < LOCK_MODE_MAX; m++) {
        if (str_equal(name, str_of(lock_mode_name(m))))
            return m;
    }
    return LOCK_NONE;
}

void take_transactions(struct catalog_load *l, const PGresult *r)
{
    enum { WHO, ROLE, STATE, OPEN_US, HAS_SNAPSHOT, IS_WRAPAROUND, RELATION, MODE };
    struct catalog_transaction *t = NULL;
    for (int i = 0; i < PQntuples(r); i++) {
        if (!t || !str_equal(t->who, pgdrv_value(r, i, WHO))) {
            t = arena_new(l->a, struct catalog_transaction);
            *t = (struct catalog_transaction){
                .who = arena_str(l->a, pgdrv_value(r, i, WHO)),
                .role = arena_str(l->a, pgdrv_value(r, i, ROLE)),
                .state = arena_str(l->a, pgdrv_value(r, i, STATE)),
                .open_us = pgdrv_value_i64(r, i, OPEN_US),
                .has_snapshot = PQgetvalue(r, i, HAS_SNAPSHOT)[0] == 't',
                .is_wraparound = PQgetvalue(r, i, IS_WRAPAROUND)[0] == 't',
            };
            vec_push(l->a, &l->catalog->transactions, t);
        }
        const struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, RELATION);
        struct catalog_lock_held lock = {relation, lock_mode_of(pgdrv_value(r, i, MODE))};
        if (relation)
            vec_push(l->a, &t->locks, lock);
    }
}

void take_queries(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_query);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_query query = {0};
        row_fill(l, &map, i, &query);
        /* ALTER ROLE … PASSWORD '…' is kept as it was written before 16. */
        if (!text_mentions_password(query.text))
            vec_push(l->a, &l->catalog->queries, query);
    }
}
