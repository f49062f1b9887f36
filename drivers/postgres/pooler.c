/*
 * Is there a pooler, and does it take the session away between transactions? libpq was told a
 * process number when it connected; a backend that calls itself another is behind some pooler
 * (runners.md F10). One that pools whole sessions is harmless. One that pools transactions gives an
 * idle session's backend to whoever comes: so a second connection opens a transaction while the
 * first is idle, and either gets the very backend of the first, or pushes the first onto another
 * one.
 */
#include "drivers/postgres/connection.h"

#include <poll.h>

#include "core/base/clock.h"

#define ROUNDS 3
/* A second session may wait for a free backend in a pool of sessions: then it is not shared. */
#define SECOND_WAIT_MS 2000

enum pooling { POOLING_UNKNOWN = 0, POOLING_SESSIONS, POOLING_TRANSACTIONS };

/* Sends and waits at most wait_ms. The first column of the first row as a number, -1: an error of
   the server, -2: no answer in time. */
static int64_t ask_number(PGconn *pg, const char *sql, int64_t wait_ms)
{
    int64_t deadline_us = clock_monotonic_us() + wait_ms * 1000;
    int64_t number = -1;

    if (!PQsendQuery(pg, sql))
        return -1;
    for (;;) {
        int unsent = PQflush(pg);
        if (unsent == 0 && !PQisBusy(pg)) {
            PGresult *r = PQgetResult(pg);
            if (!r)
                return number;
            if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
                number = pgdrv_value_i64(r, 0, 0);
            else if (PQresultStatus(r) == PGRES_FATAL_ERROR)
                number = -1;
            PQclear(r);
            continue;
        }
        int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;
        if (left_ms <= 0)
            return -2;
        struct pollfd polled = {.fd = PQsocket(pg),
                                .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
        if (poll(&polled, 1, (int)left_ms) > 0 && (polled.revents & ~POLLOUT) &&
            !PQconsumeInput(pg))
            return -1;
    }
}

static enum pooling probe_round(struct connection *c, PGconn *second)
{
    static const char ask_pid[] = "SELECT pg_catalog.pg_backend_pid()";
    static const char begin[] = "BEGIN; SELECT pg_catalog.pg_backend_pid()";
    static const char end[] = "ROLLBACK";
    int64_t before = ask_number(c->pg, ask_pid, INT32_MAX);
    int64_t other = ask_number(second, begin, SECOND_WAIT_MS);

    if (before <= 0 || other == -1)
        return POOLING_UNKNOWN;
    if (other == before)
        return POOLING_TRANSACTIONS;
    int64_t after = ask_number(c->pg, ask_pid, other == -2 ? SECOND_WAIT_MS : INT32_MAX);
    if (other != -2)
        (void)ask_number(second, end, INT32_MAX);
    if (after != before)
        return after > 0 ? POOLING_TRANSACTIONS : POOLING_UNKNOWN;
    return POOLING_SESSIONS;
}

static enum pooling find_pooling(struct connection *c, struct fail *f)
{
    PGconn *second = pgdrv_connect(c, f);
    enum pooling pooling = POOLING_SESSIONS;

    if (!second)
        return POOLING_UNKNOWN;
    for (int i = 0; i < ROUNDS && pooling == POOLING_SESSIONS; i++) {
        pooling = probe_round(c, second);
        /* Still waiting for a backend: there is nothing more to learn from it. */
        if (PQtransactionStatus(second) == PQTRANS_ACTIVE)
            break;
    }
    PQfinish(second);
    return pooling;
}

bool pgdrv_check_session(struct connection *c, struct fail *f)
{
    if (!pgdrv_session_ensure(c, f))
        return false;
    if (c->owns_session)
        return true;
    SCOPED(fail) struct fail second = FAIL_NONE;
    switch (find_pooling(c, &second)) {
    case POOLING_SESSIONS:
        c->owns_session = c->is_session_pooled = true;
        /* Now the settings are ours to make. */
        return pgdrv_reset_session(c, f);
    case POOLING_TRANSACTIONS:
        (void)fail_set(f, EXIT_USAGE, "%s is a pooler that shares sessions between clients",
                       c->safe_url);
        break;
    case POOLING_UNKNOWN:
        (void)fail_set(f, EXIT_USAGE, "%s is a pooler, and may share sessions between clients",
                       c->safe_url);
        if (fail_is_set(&second))
            (void)fail_detail(f, "%s", second.message);
        break;
    }
    (void)fail_detail(f, "Behind it the run lock excludes nobody, and settings would leak into the "
                         "sessions of the application.");
    return fail_hint(f, "Set MIGRATE_DIRECT_URL to the URL of the server itself (DIRECT_URL, "
                        "DATABASE_URL_UNPOOLED and POSTGRES_URL_NON_POOLING are read, too), or "
                        "give it with --url.");
}
