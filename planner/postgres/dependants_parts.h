/*
 * What the files behind dependants.h share.
 */
#ifndef PLANNER_POSTGRES_DEPENDANTS_PARTS_H
#define PLANNER_POSTGRES_DEPENDANTS_PARTS_H

#include "planner/postgres/dependants.h"

enum dependency {
    DEPENDS_NORMAL = 1, /* DROP needs CASCADE */
    DEPENDS_AUTO, /* it goes along: pg_depend's automatic, internal, partition and extension */
};

/* Adds it once; a second way to it may make it automatic. */
void dependants_add(struct dependants *set, const struct dependant *one, enum dependency how,
                    size_t because);
void dependants_add_of(struct dependants *set, enum dependant_kind kind,
                       struct catalog_relation *relation, void *object, enum dependency how,
                       size_t because);
bool dependants_has(const struct dependants *set, enum dependant_kind kind, const void *object);

/* Adds what depends directly on the member at this place. (dependants_table.c, dependants_type.c) */
void dependants_of_relation(struct dependants *set, size_t at);
void dependants_of_column(struct dependants *set, size_t at);
void dependants_of_constraint(struct dependants *set, size_t at);
void dependants_of_trigger(struct dependants *set, size_t at);
void dependants_of_type(struct dependants *set, size_t at);
void dependants_of_function(struct dependants *set, size_t at);
void dependants_of_object(struct dependants *set, size_t at);
/* Defaults, CHECKs, indexes that mention the sequence, type or function at this place. */
void dependants_in_expressions(struct dependants *set, size_t at);

#endif
