/*
 * The catalog while it is read: what is known by which oid, and the functions that take the answers.
 * Private to drivers/postgres/catalog*.c.
 */
#ifndef DRIVERS_POSTGRES_CATALOG_LOAD_H
#define DRIVERS_POSTGRES_CATALOG_LOAD_H

#include "core/model/catalog_fields.h"
#include "drivers/postgres/connection.h"

enum oid_class {
    OID_RELATION = 1,
    OID_COLUMN,       /* of a relation and a number */
    OID_TYPE,         /* struct type_ref */
    OID_TYPE_WAITING, /* the typed table that it is for, until types are known */
    OID_FUNCTION,
    OID_CONSTRAINT,
    OID_PUBLICATION,
};

struct oid_table;

struct catalog_load {
    struct arena *a;       /* of the catalog */
    struct arena *scratch; /* until it is read */
    struct catalog *catalog;
    struct oid_table *oids;
};

/* ---- catalog_oids.c ---- */

struct oid_table *oid_table_make(struct arena *a);
/* number: of a column; else 0. */
void oid_add(struct catalog_load *l, enum oid_class class, Oid oid, int number, void *object);
void *oid_find(const struct catalog_load *l, enum oid_class class, Oid oid, int number);
/* What a value of a result names; NULL where it is null, 0, or of a system schema. */
void *oid_value(const struct catalog_load *l, enum oid_class class, const PGresult *r, int row,
                int column);
/* The type of that oid, with a typmod. */
struct type_ref oid_type(const struct catalog_load *l, Oid oid, int32_t typmod);
Oid oid_of(const PGresult *r, int row, int column);

/* The numbers of "{1,2}" or "1 2". A list ends with count. */
struct oid_list {
    int64_t *at;
    size_t count, room;
};
struct oid_list oid_list_of(struct catalog_load *l, const PGresult *r, int row, int column);
/* The columns of a relation with these numbers. */
typedef VEC_OF(struct catalog_column *) oid_columns;
oid_columns oid_columns_of(struct catalog_load *l, Oid relation, const struct oid_list *numbers);

/* Which columns of a result are fields. */
#define ROW_COLUMNS_MAX 32
struct row_map {
    const PGresult *result;
    int count;
    const struct catalog_field *of[ROW_COLUMNS_MAX];
};
struct row_map row_map_of(const PGresult *r, const struct catalog_fields *fields);
void row_fill(struct catalog_load *l, const struct row_map *map, int row, void *object);
/* The value of the field with this key, "" where there is none. */
struct str row_value(const struct row_map *map, int row, const char *key);

/* ---- catalog_take*.c: one for each answer, in the order of catalog.c ---- */

typedef void catalog_taker(struct catalog_load *l, const PGresult *r);

catalog_taker take_settings, take_schemas, take_relations, take_types, take_labels,
    take_domain_constraints, take_columns, take_partition_keys, take_inheritance, take_detaching,
    take_sequences;
catalog_taker take_indexes, take_index_flags, take_index_keys, take_constraints,
    take_constraint_flags;
catalog_taker take_functions, take_function_uses, take_triggers, take_rules, take_policies,
    take_uses, take_objects, take_publications, take_published, take_published_schemas,
    take_statistics;
catalog_taker take_sizes, take_definitions, take_table_usage, take_index_usage,
    take_column_statistics, take_transactions, take_queries;

/* Behind all others: which trigger of a partition is there for one of its table. */
void catalog_link_triggers(struct catalog *c);
/* Behind the sizes: a partitioned table whose partitions are all empty is. */
void catalog_settle_rows(struct catalog *c);

#endif
