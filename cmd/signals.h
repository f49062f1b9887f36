/*
 * SIGINT and SIGTERM. During a run the first one sets stop_signal and asks the database to cancel
 * what runs, again and again until that is over; the runner then rolls back, leaves a truthful
 * history and exits 130 or 143. A second one ends the process at once, whatever the server does: the
 * history is written so that this too is safe. Where nothing is written (status, plan, history)
 * the first one does.
 */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include "core/model/driver.h"

#include <signal.h>

extern volatile sig_atomic_t stop_signal;

/* Runs body(context) in a thread with stack_bytes of stack (only touched pages count: deeply nested
   SQL needs it) while this thread waits for signals. Never returns: the process exits with what body
   returns. */
NORETURN void signals_run(enum exit_code (*body)(void *context), void *context, size_t stack_bytes);
/* Whether the command writes, and looks at stop_signal: then the first signal is left to it, also
   before it has registered a connection (while it connects or waits for the run lock). Default:
   false, the first signal ends the process unless a connection is registered. */
void signals_expect_run(bool is_expected);
/* What a signal cancels; NULL connection: nothing. Returns when no request is under way on the
   connection before it, or after 2 seconds. */
void signals_cancel_on(const struct driver *driver, struct connection *connection);

#endif
