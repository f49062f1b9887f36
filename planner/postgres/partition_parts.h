/*
 * What the files behind partition_match.h share: partition_match.c (clause by clause, over the first
 * column of the key), partition_key.c (the whole key, and what is left for a default partition).
 */
#ifndef PLANNER_POSTGRES_PARTITION_PARTS_H
#define PLANNER_POSTGRES_PARTITION_PARTS_H

#include "planner/postgres/partition_hash.h"
#include "planner/postgres/partition_match.h"

enum comparison {
    COMPARE_EQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_MORE,
    COMPARE_MORE_EQUAL
};

/* One level of partitioning while a filter is held against it. */
struct match {
    struct deed *deed;
    const struct catalog_relation *parent;
    const struct catalog_relation *child;
    struct str alias;
    const PgQuery__PartitionBoundSpec *bound; /* of child */
};

/* The bound of a partition; NULL: not known. */
const PgQuery__PartitionBoundSpec *partition_bound(struct deed *d,
                                                   const struct catalog_relation *r);
/* Column number n of the key; NULL: an expression, or there is none. */
const struct catalog_column *partition_key_column(const struct match *m, size_t key);
/* Whether a node is this column of the relation. */
bool partition_is_column(const struct match *m, const PgQuery__Node *node,
                         const struct catalog_column *column);
/* The comparison that an operator is; is_swapped: its sides change places. */
bool partition_operator(const PgQuery__AExpr *e, bool is_swapped, enum comparison *out);

/* Whether rows whose key is known, from the filter or by value, go to m->child. (partition_key.c) */
bool partition_key_may(const struct match *m, const struct partition_filter *filter,
                       partition_value *value, void *context);
/* Whether the other partitions hold all that the filter lets through. (partition_key.c) */
bool partition_is_covered(const struct match *m, const struct partition_filter *filter);

#endif
