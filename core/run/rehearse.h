/*
 * A rehearsal: a plan run on a copy as `apply` would run it, while it is looked at from other connections;
 * and what that comes to, as evidence. Who makes the copy and takes it away is the caller's matter.
 */
#ifndef CORE_RUN_REHEARSE_H
#define CORE_RUN_REHEARSE_H

#include "core/model/evidence.h"
#include "core/run/apply.h"

struct rehearsal_request {
    const struct plan *shown; /* the same plan with its statements and their effects */
    const struct rehearsal_driver *driver;
    const struct copy *copy;
    const char *application_name; /* of the run's connection, up to what it is doing */
    const char *tool;
    const char *target; /* without password */
    const char *server; /* version of the copy's */
    struct evidence_limits limits;
};

/* Runs it and judges it. *out is in the arena and speaks of the plan's failure, where it failed. Fails where
   the rehearsal itself could not be done: the connection was lost, a signal came, nobody could look. */
bool rehearse_run(struct arena *a, struct run_context *run, const struct apply_request *request,
                  const struct rehearsal_request *r, struct evidence *out, struct fail *f)
    MUST_CHECK;

#endif
