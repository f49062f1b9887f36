/*
 * A COMMIT whose answer is not waited for: the next migration's BEGIN and statements follow in the
 * same pipeline, without a sync in between, so that the server skips them should the commit fail.
 * While the server commits, the next script is read. A flush request, not a sync, brings the answer:
 * as soon as the commit is there, not when the next migration is done.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"

static void log_commit(const struct connection *c, const char *remark)
{
    log_sql(STR("COMMIT"), clock_monotonic_us() - c->ahead.sent_us, remark);
}

static void tell(struct connection *c)
{
    pgdrv_watch_close(c);
    c->ahead.committed(c->ahead.context);
}

/* f says why there is no good answer. true: it was committed all the same, on a connection that is
   no more. */
static bool settle_ahead(struct connection *c, struct fail *f)
{
    pgdrv_pipeline_leave(c);
    log_commit(c, "failed");
    c->ahead.is_open = false;
    memcpy(c->xid, c->ahead.xid, sizeof(c->xid));
    bool is_committed = pgdrv_commit_conclude(c, c->ahead.entries, false, f);
    c->xid[0] = '\0';
    if (is_committed)
        tell(c);
    return is_committed;
}

bool pgdrv_commit_ahead(struct connection *c, const struct journal_entries *entries,
                        void (*committed)(void *context), void *context, struct fail *f)
{
    if (!c->in_unit || c->ahead.is_open)
        BUG("commit without begin");
    if (!pgdrv_pipeline_enter(c, f))
        return false; /* the transaction may still be open: rollback() follows */
    c->ahead.is_open = true;
    c->ahead.entries = entries;
    c->ahead.committed = committed;
    c->ahead.context = context;
    c->ahead.awaited = (struct pgdrv_commit_answers){0};
    c->ahead.sent_us = clock_monotonic_us();
    c->ahead.lock_timeout_ms = c->unit.lock_timeout_ms;
    memcpy(c->ahead.xid, c->xid, sizeof(c->ahead.xid));
    bool is_sent = pgdrv_commit_send(c, entries, NULL, STR("COMMIT"), &c->ahead.awaited, f);
    if (is_sent && !PQsendFlushRequest(c->pg))
        is_sent = pgdrv_fail_lost(c, f);
    pgdrv_unit_end(c);
    c->announcement[0] = '\0';
    if (!is_sent)
        return settle_ahead(c, f);
    if (PQflush(c->pg) < 0)
        c->is_lost = true; /* whoever takes the answer settles it */
    return true;
}

bool pgdrv_ahead_receive(struct connection *c, struct fail *f)
{
    if (!pgdrv_commit_receive(c, &c->ahead.awaited, f) ||
        !pgdrv_commit_conclude(c, c->ahead.entries, true, f))
        return false;
    log_commit(c, "with what follows");
    c->ahead.is_open = false;
    tell(c);
    pgdrv_watch_begin(c); /* what follows has a timeout of its own */
    return true;
}

bool pgdrv_ahead_fail(struct connection *c, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct fail loss = fail_copy(a, f);

    if (!settle_ahead(c, f))
        return false;
    (void)fail_set(f, loss.code, "%s", loss.message);
    (void)fail_kind_set(f, FAIL_CONNECTION);
    memcpy(f->sqlstate, loss.sqlstate, sizeof(f->sqlstate));
    return loss.hint ? fail_hint(f, "%s", loss.hint) : false;
}

static bool receive_last(struct connection *c, struct fail *f)
{
    if (!pgdrv_pipeline_sync(c, f) || !pgdrv_ahead_receive(c, f))
        return false;
    pgdrv_pipeline_leave(c);
    return true;
}

bool pgdrv_ahead_take(struct connection *c, struct fail *f)
{
    return receive_last(c, f) || pgdrv_ahead_fail(c, f);
}

bool pgdrv_await_commit(struct connection *c, struct fail *f)
{
    return !c->ahead.is_open || receive_last(c, f) || settle_ahead(c, f);
}
