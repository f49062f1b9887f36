/*
 * What the files about CREATE share: where a new object goes, what an index will be like, tables that a
 * query fills.
 */
#ifndef PLANNER_POSTGRES_CREATE_PARTS_H
#define PLANNER_POSTGRES_CREATE_PARTS_H

#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/query_uses.h"

/* The schema that a new relation goes to: as written, pg_temp, or the search_path's. */
struct str create_schema_of(struct deed *d, const PgQuery__RangeVar *name);
struct str create_schema_of_names(struct deed *d, PgQuery__Node *const *names, size_t count,
                                  struct str *out_name);
enum persistence create_persistence(const PgQuery__RangeVar *name);
/* What a table is that nobody has written to yet. */
enum row_state create_rows(const struct deed *d);
/* The relation of that name, if there is one. */
struct catalog_relation *create_existing(struct deed *d, const PgQuery__RangeVar *name);

/* A table with its columns and constraints; server "" : none. NULL: its name is taken. (fold_table.c) */
struct catalog_relation *fold_table(struct deed *d, const PgQuery__CreateStmt *create,
                                    enum relation_kind kind, struct str server);
/* What LIKE brings: the columns where it stands, the rest behind all others. (fold_like.c) */
void fold_like_columns(struct deed *d, struct catalog_relation *r,
                       const PgQuery__TableLikeClause *like);
void fold_like_rest(struct deed *d, struct catalog_relation *r,
                    const PgQuery__TableLikeClause *like);
/* A column like another one, without default, identity and sequence. */
struct catalog_column *fold_column_like(struct deed *d, struct catalog_relation *r,
                                        const struct catalog_column *from);

/* The index as it will be: not in the catalog, in the arena of the deed. (effects_create_index.c) */
struct catalog_index *index_describe(struct deed *d, struct catalog_relation *table,
                                     const PgQuery__IndexStmt *create);
struct str index_new_name(struct deed *d, const PgQuery__IndexStmt *create,
                          const struct catalog_relation *table, const struct catalog_index *index);

/* ChooseExtendedStatisticName(): orders_status_qty_stat. (fold_create.c) */
struct str statistics_name(struct deed *d, const struct catalog_statistics *s);

/* The function with exactly these argument types; NULL: there is none. (fold_function.c) */
struct catalog_function *function_with(struct deed *d, struct str schema, struct str name,
                                       const struct type_ref *at, size_t count);
struct catalog_function *function_meant(struct deed *d, const PgQuery__ObjectWithArgs *object);
/* Extensions, servers and the like, by kind ("EXTENSION") and name. (fold_extension.c) */
struct catalog_object *catalog_object_named(const struct catalog *c, const char *kind,
                                            struct str name);
struct catalog_object *catalog_object_add(struct catalog *c, const char *kind, struct str name);

/* SELECT … INTO, which is CREATE TABLE AS written otherwise. (effects_create.c, fold_create.c) */
void predict_select_into(struct deed *d, const PgQuery__Node *query);
void fold_select_into(struct deed *d, const PgQuery__Node *query);
/* The statement that EXECUTE runs; NULL: prepared where we have not seen it. (effects_create.c) */
const PgQuery__Node *create_prepared(struct deed *d, const PgQuery__ExecuteStmt *execute);
/* What a view uses becomes the relation's. (fold_create.c) */
void fold_uses(struct deed *d, struct catalog_relation *r, const struct query_uses *uses);

#endif
