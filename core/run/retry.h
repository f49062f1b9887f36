/*
 * Units that met a lock: how often they are tried again, for how long, and what is said in the end.
 * Private to core/run.
 */
#ifndef CORE_RUN_RETRY_H
#define CORE_RUN_RETRY_H

#include "core/base/fail.h"

struct execution;

/* A unit has failed. */
void retry_count(struct execution *x);
/* Whether it may be tried again, which is then told on stderr. */
bool retry_is_left(struct execution *x, const struct fail *f) MUST_CHECK;
/* Waits a while that doubles with each try and differs by a quarter between runs, so that queues drain; not
   beyond the budget, and not when a signal asks us to stop. */
void retry_pause(const struct execution *x);
/* It is not tried again, for want of a lock: exit 6, and what a person can do. Other failures stay as they
   are. */
void retry_explain(const struct execution *x, struct fail *f);

#endif
