/*
 * Other programs: started, waited for, and ended when we are to end. What they say is kept for a message.
 */
#ifndef CORE_BASE_CHILD_H
#define CORE_BASE_CHILD_H

#include "core/base/arena.h"
#include "core/base/fail.h"

#include <signal.h>

struct child {
    const char *const *argv; /* up to NULL; argv[0] is a path, or looked for in PATH */
    /* Besides ours: "NAME=value", and "NAME" that it has not; up to NULL. NULL: none. */
    const char *const *env;
    const char *user; /* that it runs as where we are root; NULL: as we do */
    const volatile sig_atomic_t *stop_signal; /* becomes not 0: it gets SIGTERM; NULL: never */
};

#define CHILD_SAID_MAX_BYTES ((size_t)64 << 10)

/* Runs it to its end, without input. *out_status: its exit status, or 128 + the signal that ended it.
   *out_said: what it wrote to both outputs, at most so many bytes, the first ones, in the arena. Fails
   (EXIT_USAGE) where it cannot be started, and (FAIL_CANCELLED) where the signal ended it. */
bool child_run(struct arena *a, const struct child *child, int *out_status, struct str *out_said,
               struct fail *f) MUST_CHECK;

#endif
