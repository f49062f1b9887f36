/*
 * Runs a plan under the run lock: each migration through core/run/execution.h, framed by "run
 * started" and "run finished", and everything on disk before it says so. What may be applied at all is
 * decided before (reconcile, the gate).
 */
#ifndef CORE_RUN_APPLY_H
#define CORE_RUN_APPLY_H

#include "core/run/execution.h"

/* Told about progress; any may be NULL. index counts from 0. */
struct apply_watch {
    void (*before)(void *context, size_t index, size_t total, const struct planned_migration *p);
    void (*after)(void *context, size_t index, size_t total, const struct planned_migration *p,
                  const struct execution_result *result);
    void *context;
};

struct apply_request {
    const struct plan *plan;
    const struct history_row *const *rows; /* per planned migration: its incomplete row, or NULL */
    struct apply_watch watch;
};

struct outcome {
    size_t applied; /* migrations completed */
    int64_t statements;
    int64_t duration_us;
};

/* On failure *out still tells what was applied. The code is EXIT_INCOMPLETE where this run has
   changed the target, else as the failure says. */
bool apply_run(struct run_context *run, const struct apply_request *request, struct outcome *out,
               struct fail *f) MUST_CHECK;

#endif
