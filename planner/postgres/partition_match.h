/*
 * Which partitions a query has to do with: those whose bounds the constants of its WHERE do not exclude
 * (partprune.c), and those that a row of constants is routed to (execPartition.c). Where something is
 * not a constant, all of them.
 */
#ifndef PLANNER_POSTGRES_PARTITION_MATCH_H
#define PLANNER_POSTGRES_PARTITION_MATCH_H

#include "planner/postgres/effects.h"

/* The conditions of a query that hold for every row of a relation. */
struct partition_filter {
    struct str alias;                      /* how the query calls the relation */
    VEC_OF(const PgQuery__Node *) clauses; /* all of them must be true */
    /* What is asked of the view or subquery that the relation stands in; NULL: nothing. */
    const struct partition_filter *outer;
};
/* Whether the child, a partition of parent, may have rows that pass. */
bool partition_may_match(struct deed *d, const struct catalog_relation *parent,
                         const struct catalog_relation *child,
                         const struct partition_filter *filter);

/* The value of a column in a row; NULL: not known. */
typedef const PgQuery__Node *partition_value(void *context, struct str column);
/* Whether such a row may be put into the child. */
bool partition_may_take(struct deed *d, const struct catalog_relation *parent,
                        const struct catalog_relation *child, partition_value *value,
                        void *context);

#endif
