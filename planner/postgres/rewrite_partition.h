/* What the recipes about partitions share. */
#ifndef PLANNER_POSTGRES_REWRITE_PARTITION_H
#define PLANNER_POSTGRES_REWRITE_PARTITION_H

#include "planner/postgres/rewrite.h"

/* ---- CHECKs that prove what ATTACH PARTITION would else read rows for (rewrite_attach.c) ---- */

/* The conditions of a bound: what rows of the partition fulfil, and those of a default partition. */
struct partition_bounds {
    struct str within, without;
};

/* The statement's bound, which stands in its text behind FROM or IN. false: the conditions cannot be written
   down (several key columns, expressions, a value that is no constant, HASH). */
bool partition_bounds_read(struct rewrite *r, const struct catalog_relation *parent,
                           const PgQuery__PartitionBoundSpec *bound, struct partition_bounds *out)
    MUST_CHECK;
/* Adds the condition to a table and verifies it, in two steps; the name of the CHECK, quoted where it must
   be. */
const char *partition_prove(struct rewrite *r, const struct catalog_relation *table,
                            struct str condition);
/* Drops it again. */
void partition_forget(struct rewrite *r, const struct catalog_relation *table, const char *name);

/* ---- rewrite_detach.c ---- */

/* Whether DETACH … CONCURRENTLY takes this partition, and makes nobody else wait. */
bool partition_detaches_online(const struct rewrite *r, const struct catalog_relation *partition);

#endif
