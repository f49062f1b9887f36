/*
 * PostgreSQL's table locks: the eight modes, how pg_locks spells them, and which of them conflict.
 * Source: https://www.postgresql.org/docs/18/explicit-locking.html, lockdefs.h, LockConflicts[] in lock.c.
 */
#ifndef CORE_MODEL_LOCK_H
#define CORE_MODEL_LOCK_H

#include "core/base/str.h"

/* In order of strength; the numbers are the server's own (lockdefs.h). */
enum lock_mode {
    LOCK_NONE = 0,
    LOCK_ACCESS_SHARE,
    LOCK_ROW_SHARE,
    LOCK_ROW_EXCLUSIVE,
    LOCK_SHARE_UPDATE_EXCLUSIVE,
    LOCK_SHARE,
    LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE,
    LOCK_MODE_MAX,
};

/* "AccessShareLock", as pg_locks spells it; LOCK_NONE: "". Static. */
const char *lock_mode_name(enum lock_mode m);
/* The mode that pg_locks spells so; LOCK_NONE: there is none. */
enum lock_mode lock_mode_of_name(struct str name);
/* "ACCESS SHARE", as SQL spells it. Static. */
const char *lock_mode_sql(enum lock_mode m);
/* Whether two transactions cannot hold them on one relation at the same time. */
bool lock_modes_conflict(enum lock_mode a, enum lock_mode b);
/* Whether it makes a plain SELECT wait; an INSERT, UPDATE or DELETE. */
bool lock_blocks_reads(enum lock_mode m);
bool lock_blocks_writes(enum lock_mode m);
bool lock_blocks_traffic(enum lock_mode m); /* either of them */

#endif
