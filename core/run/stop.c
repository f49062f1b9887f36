/* Waiting, and being told to stop meanwhile. */
#include "core/base/clock.h"
#include "core/run/unit.h"

bool execution_check_stop(const struct run_context *run, struct fail *f)
{
    int signal_number = run->stop_signal ? (int)*run->stop_signal : 0;
    if (!signal_number)
        return true;
    fail_set(f, signal_number == SIGTERM ? EXIT_SIGTERM : EXIT_SIGINT, "stopped by %s",
             signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
    return fail_kind_set(f, FAIL_CANCELLED);
}

void execution_pause(const struct run_context *run, int64_t pause_ms)
{
    for (int64_t waited = 0; waited < pause_ms && !*run->stop_signal; waited += 50)
        clock_sleep_ms(pause_ms - waited < 50 ? pause_ms - waited : 50);
}

int64_t unit_retry_pause_ms(int64_t attempt)
{
    int64_t base_ms = attempt < 6 ? 50 << attempt : 2000;
    return base_ms / 2 + clock_monotonic_us() % (base_ms / 2 + 1);
}
