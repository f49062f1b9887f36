/* See retry.h. */
#include "core/run/retry.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/unit.h"

#define FIRST_PAUSE_MS 200
#define LONGEST_PAUSE_MS 60000

static bool is_retryable(const struct fail *f)
{
    return f->kind == FAIL_LOCK_TIMEOUT || f->kind == FAIL_DEADLOCK || f->kind == FAIL_TABLES_HELD;
}

/* Tries and budget are those of a unit: one that waits has not used up those of the next. */
void retry_count(struct execution *x)
{
    if (x->tries == 0 || x->tried_units != x->units_before) {
        x->tried_units = x->units_before;
        x->tries = 0;
        x->first_failure_us = x->wait.since_us ? x->wait.since_us : clock_monotonic_us();
    }
    x->tries++;
}

static int64_t budget_left_ms(const struct execution *x)
{
    return x->run->lock_budget_ms - (clock_monotonic_us() - x->first_failure_us) / 1000;
}

bool retry_is_left(struct execution *x, const struct fail *f)
{
    bool is_alone = x->kind == UNIT_ALONE;
    bool has_begun = !is_alone && f->kind != FAIL_TABLES_HELD;
    if (!is_retryable(f) || x->kind == UNIT_RANGES || (is_alone && !x->may_be_resent) ||
        x->tries >= x->run->lock_attempts || budget_left_ms(x) <= 0 || *x->run->stop_signal)
        return false;
    log_line(LOG_NOTE, "%.*s: %s; %stry %lld of %lld follows", STR_ARG(x->label), f->message,
             has_begun ? "rolled back, " : "", (long long)x->tries + 1,
             (long long)x->run->lock_attempts);
    return true;
}

void retry_pause(const struct execution *x)
{
    int64_t base_ms = FIRST_PAUSE_MS;
    int64_t left_ms = budget_left_ms(x);
    for (int64_t i = 1; i < x->tries && base_ms < LONGEST_PAUSE_MS; i++)
        base_ms *= 2;
    base_ms = base_ms < LONGEST_PAUSE_MS ? base_ms : LONGEST_PAUSE_MS;
    int64_t pause_ms = base_ms - base_ms / 4 + clock_monotonic_us() % (base_ms / 2 + 1);
    execution_pause(x->run, pause_ms < left_ms ? pause_ms : left_ms);
}

void retry_explain(const struct execution *x, struct fail *f)
{
    if (!is_retryable(f) || x->kind == UNIT_RANGES || *x->run->stop_signal)
        return;
    if (f->code == EXIT_FAILED)
        f->code = EXIT_BUSY;
    if (x->kind == UNIT_ALONE && strcmp(f->sqlstate, "57014") == 0) {
        fail_hint(f,
                  "Run again when that is over; locks.concurrently_wait in migrator.yml says how "
                  "long it is waited for.");
        return;
    }
    fail_hint(f,
              "Others held the lock through %lld %s; run again later, or raise %s in migrator.yml.",
              (long long)x->tries, x->tries == 1 ? "try" : "tries",
              f->kind == FAIL_TABLES_HELD ? "locks.attempts or locks.budget"
                                          : "locks.timeout, locks.attempts or locks.budget");
}
