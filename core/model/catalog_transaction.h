/*
 * Transactions of others that were open when a live target was read: no part of the schema, and not in a
 * snapshot.
 */
#ifndef CORE_MODEL_CATALOG_TRANSACTION_H
#define CORE_MODEL_CATALOG_TRANSACTION_H

#include "core/base/arena.h"
#include "core/base/vec.h"
#include "core/model/lock.h"

struct catalog_relation;

struct catalog_lock_held {
    const struct catalog_relation *relation;
    enum lock_mode mode;
};
struct catalog_transaction {
    struct str who;   /* "4711", the process; of a prepared one its name in quotes */
    struct str role;  /* "" where it is not told */
    struct str state; /* "idle in transaction", "active", "prepared", "autovacuum worker" */
    int64_t open_us;
    bool has_snapshot;
    bool is_wraparound; /* a vacuum that does not give way */
    VEC_OF(struct catalog_lock_held) locks;
    uint32_t told_in; /* the migration in which a rule has told of it; 0: none */
};

#endif
