/*
 * How the catalog finds what has a name: a table of relations, types and functions by schema and name,
 * and the search_path. For core/model/catalog*.c only.
 */
#ifndef CORE_MODEL_CATALOG_NAMES_H
#define CORE_MODEL_CATALOG_NAMES_H

#include "core/model/catalog.h"

/* What may have the same name beside each other. */
enum name_class {
    NAME_RELATION = 1,
    NAME_TYPE,
    NAME_FUNCTION,   /* the same schema and name may be there several times */
    NAME_CONSTRAINT, /* by name alone: the schema, which may change, is that of its relation */
};

struct name_table *name_table_make(struct arena *a);
/* schema and name must live as long as the object is in the table. */
void name_table_add(struct catalog *c, enum name_class class, struct str schema, struct str name,
                    void *object);
void name_table_remove(struct catalog *c, enum name_class class, struct str schema, struct str name,
                       const void *object);
/* The first of this name behind previous (NULL: of all); NULL: none. */
void *name_table_find(const struct catalog *c, enum name_class class, struct str schema,
                      struct str name, const void *previous);

/* The schemas that a name without one is looked for in, in order; without pg_catalog, which the catalog
   does not hold. is_lookup: with the schema of temporary relations, which comes first unless named. */
const struct str *catalog_search_path(const struct catalog *c, size_t *out_count);

#endif
