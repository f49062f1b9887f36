/*
 * Where a row goes in a table that is partitioned by hash: the server's own hash of its key (hashfn.c,
 * hashfunc.c, partbounds.c: compute_partition_hash_value()), for whole numbers, texts and UUIDs.
 */
#ifndef PLANNER_POSTGRES_PARTITION_HASH_H
#define PLANNER_POSTGRES_PARTITION_HASH_H

#include "planner/postgres/partition_value.h"

/* Adds a column's value to the hash of the columns before it (0 at first); false: not of these types. */
bool partition_hash_add(uint64_t *hash, const struct value *v, const struct type_ref *type);

#endif
