/*
 * The tables that a step must have for itself: each with the strongest mode in which the step locks it,
 * where that makes readers or writers wait. The planner finds them, the runner asks for them before it
 * sends the step, so that the application never queues behind a lock that is not to be had.
 */
#ifndef CORE_MODEL_TABLE_LOCK_H
#define CORE_MODEL_TABLE_LOCK_H

#include "core/base/json.h"
#include "core/model/lock.h"

struct table_lock {
    struct str table; /* schema-qualified, quoted where SQL needs it: "public.orders" */
    enum lock_mode mode;
    uint32_t line; /* of the first statement that needs it, in the file; 0: not known */
};
struct table_locks {
    struct table_lock *at;
    size_t count, room;
};

/* Those of one unit of a migration. */
struct unit_locks {
    uint32_t unit; /* its number, from 1 */
    struct table_locks locks;
};
/* In the order of the units; those that need none are not in it. */
struct units_locks {
    struct unit_locks *at;
    size_t count, room;
};

/* Each table once, with its strongest mode; the text is copied into the arena. */
void table_locks_add(struct arena *a, struct table_locks *to, const struct table_lock *one);
/* NULL: it needs none, or nobody has looked. */
const struct table_locks *units_locks_find(const struct units_locks *of, uint32_t unit);

/* [{"table": "public.orders", "mode": "AccessExclusiveLock"}] */
struct json *table_locks_json(const struct table_locks *locks);
/* The same, read again, in the arena. false: it is not what table_locks_json() makes. */
bool table_locks_read(struct arena *a, const struct json *j, struct table_locks *out) MUST_CHECK;

#endif
