/*
 * Waiting for locks and stopping statements. SQLite asks the busy handler whether to try a lock
 * once more: we pause in between, a millisecond at first, so that a cancel and a time limit are
 * heeded and a long wait is said on stderr. SQLite asks the progress handler every few thousand
 * instructions of a running statement.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"

/* About 50 µs of work between two questions. */
#define PROGRESS_INSTRUCTIONS 4000
#define PAUSE_MAX_MS 20
/* A wait is worth a word after this long. */
#define REPORT_AFTER_US 1000000

static void report(struct connection *c)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *owner = sqlite_lock_owner(a, c->path);
    c->wait.is_reported = true;
    if (owner)
        log_line(LOG_NOTE, "waiting for a lock on %s, held by %s", c->path, owner);
    else
        log_line(LOG_NOTE, "waiting for a lock on %s, held by another connection", c->path);
}

static int when_busy(void *context, int times)
{
    struct connection *c = context;
    struct lock_wait *wait = &c->wait;
    int64_t now_us = clock_monotonic_us();
    if (times == 0) {
        wait->started_us = now_us;
        wait->is_reported = false;
        wait->is_expired = false;
    }
    int64_t waited_us = now_us - wait->started_us;
    int64_t left_us = (int64_t)wait->limit_ms * 1000 - waited_us;
    if (wait->is_off || atomic_load(&c->is_cancelled) || (wait->limit_ms && left_us <= 0)) {
        wait->is_expired = !wait->is_off;
        return 0;
    }
    if (!wait->is_reported && waited_us >= REPORT_AFTER_US)
        report(c);
    int64_t pause_ms = times < 8 ? 1 : times < 30 ? 5 : PAUSE_MAX_MS;
    if (wait->limit_ms && pause_ms > left_us / 1000 + 1)
        pause_ms = left_us / 1000 + 1;
    clock_sleep_ms(pause_ms);
    return 1;
}

static int when_in_progress(void *context)
{
    struct connection *c = context;
    if (atomic_load_explicit(&c->is_cancelled, memory_order_relaxed))
        return 1;
    c->is_timed_out = c->statement_deadline_us && clock_monotonic_us() >= c->statement_deadline_us;
    return c->is_timed_out;
}

void sqlite_wait_install(struct connection *c)
{
    (void)sqlite3_busy_handler(c->db, when_busy, c);
    sqlite3_progress_handler(c->db, PROGRESS_INSTRUCTIONS, when_in_progress, c);
}

void sqlite_wait_limit(struct connection *c, uint32_t limit_ms)
{
    c->wait = (struct lock_wait){.limit_ms = limit_ms};
}

void sqlite_wait_off(struct connection *c)
{
    c->wait = (struct lock_wait){.is_off = true};
}

void sqlite_statement_timer(struct connection *c, uint32_t timeout_ms)
{
    c->is_timed_out = false;
    c->statement_timeout_ms = timeout_ms;
    c->statement_deadline_us = timeout_ms ? clock_monotonic_us() + (int64_t)timeout_ms * 1000 : 0;
}

void sqlite_forget_cancelled(struct connection *c)
{
    atomic_store(&c->is_cancelled, false);
}

bool sqlite_check_cancelled(struct connection *c, struct fail *f)
{
    if (!atomic_load(&c->is_cancelled))
        return true;
    sqlite_forget_cancelled(c);
    fail_set(f, EXIT_FAILED, "cancelled");
    fail_hint(f, "The open transaction has no effect; run again to go on.");
    return fail_kind_set(f, FAIL_CANCELLED);
}
