/*
 * libpq in non-blocking mode: sends are queued in its buffer, pgdrv_pump() moves bytes in whichever
 * direction is possible. A server that has filled its socket with results stops reading until we
 * take some; taking them while we still write is what keeps both going.
 */
#include "drivers/postgres/connection.h"

#include "core/base/log.h"

#include <errno.h>
#include <poll.h>

/* Waits until the server has something for us, or (is_unsent) takes something. */
static bool wait_for_socket(struct connection *c, bool is_unsent)
{
    struct pollfd polled = {.fd = PQsocket(c->pg),
                            .events = (short)(POLLIN | (is_unsent ? POLLOUT : 0))};

    c->is_lost = c->is_lost || polled.fd < 0;
    int ready = 0;
    while (!c->is_lost && (ready = poll(&polled, 1, pgdrv_watch_patience_ms(c))) <= 0) {
        c->is_lost = ready < 0 && errno != EINTR;
        if (ready == 0)
            pgdrv_watch_look(c);
    }
    if (!c->is_lost && (polled.revents & ~POLLOUT) && !PQconsumeInput(c->pg))
        c->is_lost = true;
    return !c->is_lost;
}

bool pgdrv_pump(struct connection *c)
{
    int unsent = PQflush(c->pg);

    c->is_lost = c->is_lost || unsent < 0;
    return wait_for_socket(c, unsent > 0);
}

bool pgdrv_send_all(struct connection *c)
{
    int unsent;

    while ((unsent = PQflush(c->pg)) > 0) {
        if (!wait_for_socket(c, true))
            return false;
    }
    c->is_lost = c->is_lost || unsent < 0;
    return !c->is_lost;
}

PGresult *pgdrv_next_result(struct connection *c)
{
    /* The last words of a server that goes away are in the buffer before the end of the stream. */
    while (PQisBusy(c->pg)) {
        if (!pgdrv_pump(c))
            break;
    }
    if (c->is_lost && PQisBusy(c->pg))
        return NULL;
    PGresult *r = PQgetResult(c->pg);
    pgdrv_watch_note(c, r);
    if (PQstatus(c->pg) == CONNECTION_BAD)
        c->is_lost = true;
    return r;
}

bool pgdrv_pipeline_enter(struct connection *c, struct fail *f)
{
    if (c->is_lost || !PQenterPipelineMode(c->pg))
        return pgdrv_fail_lost(c, f);
    c->open_syncs = 0;
    c->has_unsynced = false;
    return true;
}

static bool send_query(struct connection *c, const struct pgdrv_query *q, struct fail *f)
{
    int is_sent =
        q->name ? PQsendQueryPrepared(c->pg, q->name, q->count, q->values, NULL, NULL, 0)
                : PQsendQueryParams(c->pg, q->sql, q->count, q->types, q->values, NULL, NULL, 0);

    c->has_unsynced = true;
    return is_sent || pgdrv_fail_lost(c, f);
}

bool pgdrv_pipeline_send(struct connection *c, const struct pgdrv_query *q, struct fail *f)
{
    log_sql(str_of(q->name ? q->name : q->sql), -1, q->name ? "prepared" : NULL);
    return send_query(c, q, f);
}

bool pgdrv_pipeline_send_text(struct connection *c, struct str sql, struct fail *f)
{
    SCOPED(buf) struct buf text = {0};

    buf_add_str(&text, sql);
    return send_query(c, &(struct pgdrv_query){.sql = buf_cstr(&text)}, f); /* core/run logs it */
}

bool pgdrv_pipeline_prepare(struct connection *c, const char *name, const char *sql, int count,
                            const Oid *types, struct fail *f)
{
    log_sql(str_of(sql), -1, name);
    c->has_unsynced = true;
    return PQsendPrepare(c->pg, name, sql, count, types) || pgdrv_fail_lost(c, f);
}

bool pgdrv_pipeline_sync(struct connection *c, struct fail *f)
{
    if (!PQpipelineSync(c->pg))
        return pgdrv_fail_lost(c, f);
    c->has_unsynced = false;
    c->open_syncs++;
    return true;
}

PGresult *pgdrv_pipeline_next(struct connection *c, struct fail *f)
{
    PGresult *r = pgdrv_next_result(c);

    if (!r) {
        (void)pgdrv_fail_lost(c, f);
        return NULL;
    }
    if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
        c->open_syncs--;
        return r;
    }
    /* Behind the results of each query comes one NULL. */
    for (PGresult *extra; !c->is_lost && (extra = pgdrv_next_result(c));)
        PQclear(extra);
    return r;
}

bool pgdrv_pipeline_expect(struct connection *c, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);

    if (!r)
        return false;
    switch (PQresultStatus(r)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_SYNC:
        return true;
    case PGRES_PIPELINE_ABORTED:
        return fail_is_set(f) ? false : fail_set(f, EXIT_FAILED, "an earlier query failed");
    default:
        return pgdrv_fail_result(c, r, f);
    }
}

void pgdrv_pipeline_leave(struct connection *c)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;

    if (c->has_unsynced && !c->is_lost)
        (void)!pgdrv_pipeline_sync(c, &ignored);
    while (c->open_syncs > 0 && !c->is_lost) {
        PGresult *r = pgdrv_next_result(c);
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC)
            c->open_syncs--;
        PQclear(r);
    }
    if (!c->is_lost && !PQexitPipelineMode(c->pg))
        c->is_lost = true;
}
