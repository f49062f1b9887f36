/* Polling for the run lock: see run_lock.h. */
#include "core/run/run_lock.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define POLL_MS 100
/* How often a waiter says again for whom it waits. */
#define REPORT_US 10000000

static const char *describe_holder(struct arena *a, const struct lock_holder *holder)
{
    const char *since = "";
    if (holder->since_us) {
        int64_t age_us = clock_wall_us() - holder->since_us;
        since = arena_printf(a, ", since %s", clock_duration_text(a, age_us > 0 ? age_us : 0));
    }
    return arena_printf(a, "%s%s%s%s", holder->who ? holder->who : "another run", since,
                        holder->doing ? ", at: " : "", holder->doing ? holder->doing : "");
}

bool run_lock_acquire(const struct driver *driver, struct connection *c, const char *run,
                      int64_t wait_ms, const volatile sig_atomic_t *stop_signal, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    int64_t started_us = clock_monotonic_us();
    int64_t reported_us = 0;
    for (;;) {
        struct arena_mark mark = arena_mark(a);
        struct lock_holder holder = {0};
        bool is_ours = false;
        if (!driver->try_lock(a, c, run, &is_ours, &holder, f))
            return false;
        if (is_ours)
            return true;
        int64_t now_us = clock_monotonic_us();
        const char *who = describe_holder(a, &holder);
        if (now_us - started_us >= wait_ms * 1000) {
            fail_set(f, EXIT_BUSY, "another run is under way: %s", who);
            return fail_hint(f, "Nothing was changed; run again when it is done, or wait longer "
                                "with --wait 10m.");
        }
        if (!reported_us || now_us - reported_us >= REPORT_US) {
            log_line(LOG_NOTE, "waiting for another run: %s", who);
            reported_us = now_us;
        }
        clock_sleep_ms(POLL_MS);
        if (*stop_signal) {
            fail_set(f, *stop_signal == SIGTERM ? EXIT_SIGTERM : EXIT_SIGINT,
                     "stopped while waiting for another run; nothing was changed");
            return fail_kind_set(f, FAIL_CANCELLED);
        }
        arena_reset(a, mark);
    }
}
