/*
 * One run at a time: polls the driver's run lock, never waits inside the server (a blocked lock
 * statement would deadlock with CREATE INDEX CONCURRENTLY), and says for whom it waits.
 */
#ifndef CORE_RUN_RUN_LOCK_H
#define CORE_RUN_RUN_LOCK_H

#include "core/model/driver.h"

#include <signal.h>

/* Waits up to wait_ms (0: one try). Fails: EXIT_BUSY with the holder's name; stopped by a signal. */
bool run_lock_acquire(const struct driver *driver, struct connection *c, const char *run,
                      int64_t wait_ms, const volatile sig_atomic_t *stop_signal, struct fail *f)
    MUST_CHECK;

#endif
