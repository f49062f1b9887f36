/*
 * Puts into the failure of a lock timeout who was in the way: what the driver saw, in words, with the
 * statements of others as they may be shown.
 */
#ifndef CORE_RUN_BLOCKERS_H
#define CORE_RUN_BLOCKERS_H

#include "core/run/execution.h"

/* Behind an execute() or a commit that failed, before the connection is used for anything else. Does
   nothing to other failures. */
void blockers_name(const struct run_context *run, struct fail *f);

/* "process 7 (role web), idle in transaction and 2 more", in the arena. */
const char *blockers_text(struct arena *a, const struct awaited_lock *seen);
/* The same with what was seen already. */
void blockers_tell(const struct run_context *run, const struct awaited_lock *seen, struct fail *f);

#endif
