/*
 * The scripts of a plan, opened and cut in other threads while the planner looks at those in front of them:
 * reading SQL is half of the work, and no script needs to know of another one for it. What is looked at, and
 * in which order, does not change.
 */
#ifndef PLANNER_SCRIPTS_AHEAD_H
#define PLANNER_SCRIPTS_AHEAD_H

#include "core/model/script.h"

struct scripts_ahead; /* owns the threads, and the scripts that nobody has taken */

/* Never fails: where there is one processor, or little to do, or no thread can be had, scripts are opened
   when they are taken. Both lists, and what context points to, stay until the end. */
struct scripts_ahead *scripts_ahead_start(const struct migration *const *migrations, size_t count,
                                          const struct script_context *context) MUST_CHECK;
/* The next script, which must be that of the migration; the caller closes it. NULL: it cannot be opened;
   fails as script_open() does. What its first statements are to be failed for, script_next() says. */
struct script *scripts_ahead_take(struct scripts_ahead *s, const struct migration *m,
                                  struct fail *f) MUST_CHECK;
void scripts_ahead_end(struct scripts_ahead *s);
DEFINE_SCOPED(scripts_ahead, struct scripts_ahead *, scripts_ahead_end)

#endif
