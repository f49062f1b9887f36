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
    const char *const *env;  /* "NAME=value" that it has besides ours, up to NULL; NULL: none */
    const char *user;        /* that it runs as where we are root; NULL: as we do */
    const volatile sig_atomic_t *stop_signal; /* becomes not 0: it gets SIGTERM; NULL: never */
};

/* Runs it to its end, without input. *out_status: its exit status, or 128 + the signal that ended it.
   *out_said: what it wrote to both outputs, at most the first 64 KB, in the arena. Fails (EXIT_USAGE)
   where it cannot be started, and (FAIL_CANCELLED) where the signal ended it. */
bool child_run(struct arena *a, const struct child *child, int *out_status, struct str *out_said,
               struct fail *f) MUST_CHECK;

#endif
