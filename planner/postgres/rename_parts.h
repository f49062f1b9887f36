/*
 * What the files about RENAME and SET SCHEMA share. (fold_rename.c)
 */
#ifndef PLANNER_POSTGRES_RENAME_PARTS_H
#define PLANNER_POSTGRES_RENAME_PARTS_H

#include "planner/postgres/create_parts.h"

/* "TABLE", "MATERIALIZED VIEW" … Static. */
const char *rename_object_kind(enum relation_kind kind);
/* "public.orders.note" */
struct str rename_part_text(struct deed *d, const struct catalog_relation *r, struct str name);
/* The type that a list of names means; NULL: none of ours. */
struct catalog_type *rename_type_meant(struct deed *d, const PgQuery__Node *names);

#endif
