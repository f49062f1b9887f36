/*
 * The entries and COMMIT travel together. A COMMIT that the server answers with ROLLBACK is a
 * failure; a connection that breaks before the answer is settled: settle.c.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include "sql.h"

void pgdrv_unit_end(struct connection *c)
{
    c->in_unit = false;
    c->is_begun = false;
    c->xid[0] = '\0';
}

static void note_committed(struct connection *c, const struct journal_entries *entries)
{
    if (entries->event_count)
        c->last_event_id = entries->events[entries->event_count - 1].id;
}

static bool receive_commit(struct connection *c, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);

    if (!r)
        return false;
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        (void)pgdrv_fail_result(c, r, f);
        return fail_wrap(f, "while committing");
    }
    /* "ROLLBACK" is the answer to COMMIT in a transaction that had failed: xact.c. */
    if (strcmp(PQcmdStatus(r), "ROLLBACK") != 0)
        return true;
    (void)fail_set(f, EXIT_FAILED,
                   "the server rolled the transaction back instead of committing it");
    (void)fail_kind_set(f, FAIL_SERVER);
    return fail_hint(f, "An earlier statement of it had failed; nothing of it was applied.");
}

bool pgdrv_commit_send(struct connection *c, const struct journal_entries *entries,
                       const char *before, struct str commit, struct pgdrv_commit_answers *out,
                       struct fail *f)
{
    if (!pgdrv_begin_send(c, &out->setup, f))
        return false;
    if (before && !pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = before}, f))
        return false;
    out->setup += before ? 1 : 0;
    return pgdrv_journal_send(c, entries, &out->entries, f) &&
           pgdrv_guard_send(c, &out->guards, f) && pgdrv_pipeline_send_text(c, commit, f);
}

static bool receive_answers(struct connection *c, const struct pgdrv_commit_answers *awaited,
                            struct fail *f)
{
    for (int i = 0; i < awaited->setup; i++) {
        if (!pgdrv_pipeline_expect(c, f))
            return false;
    }
    return pgdrv_journal_receive(c, awaited->entries, f) &&
           pgdrv_guard_receive(c, awaited->guards, f) && receive_commit(c, f);
}

bool pgdrv_commit_receive(struct connection *c, const struct pgdrv_commit_answers *awaited,
                          struct fail *f)
{
    pgdrv_watch_batch(c, true);
    bool is_done = receive_answers(c, awaited, f);
    pgdrv_watch_batch(c, false);
    return is_done;
}

bool pgdrv_commit_conclude(struct connection *c, const struct journal_entries *entries,
                           bool is_done, struct fail *f)
{
    if (is_done) {
        note_committed(c, entries);
        return true;
    }
    pgdrv_journal_forget(c);
    if (!c->is_lost && f->kind != FAIL_CONNECTION)
        return false;
    /* Also the last words of a backend that was told to go are no proof: it may have been waiting
       for a standby, behind its commit (syncrep.c: SyncRepWaitForLSN). */
    c->is_lost = true;
    pgdrv_shield(c);
    bool is_settled = pgdrv_settle(c, entries, f);
    pgdrv_unshield(c);
    if (!is_settled)
        return false;
    note_committed(c, entries);
    return true;
}

/* One round trip. */
static bool commit_entries(struct connection *c, const struct journal_entries *entries,
                           const char *before, struct str commit, struct fail *f)
{
    struct pgdrv_commit_answers awaited = {0};
    int64_t started_us = clock_monotonic_us();

    if (!pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = pgdrv_commit_send(c, entries, before, commit, &awaited, f) &&
                   pgdrv_pipeline_sync(c, f) && pgdrv_commit_receive(c, &awaited, f);
    pgdrv_pipeline_leave(c);
    log_sql(commit, clock_monotonic_us() - started_us, is_done ? NULL : "failed");
    if (!pgdrv_commit_conclude(c, entries, is_done, f))
        return false;
    c->announcement[0] = '\0';
    return true;
}

bool pgdrv_commit(struct connection *c, const struct journal_entries *entries,
                  const struct statement *own_commit, struct fail *f)
{
    struct str commit = own_commit ? own_commit->text : STR("COMMIT");

    if (!c->in_unit)
        BUG("commit without begin");
    if (!commit_entries(c, entries, NULL, commit, f))
        return false; /* the transaction may still be open: rollback() follows */
    pgdrv_unit_end(c);
    /* COMMIT AND CHAIN of the file. */
    return PQtransactionStatus(c->pg) == PQTRANS_IDLE || pgdrv_run(c, "ROLLBACK", f);
}

bool pgdrv_append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                  struct fail *f)
{
    char durable[64];

    if (!pgdrv_session_ensure(c, f))
        return false;
    if (c->in_unit)
        BUG("entries of their own inside a unit");
    (void)snprintf(durable, sizeof(durable), "SET LOCAL synchronous_commit TO '%s'",
                   c->durable_commit);
    bool needs_setting = is_durable && c->may_be_asynchronous;
    c->unit = (struct unit_options){0};
    bool is_done = commit_entries(c, entries, needs_setting ? durable : NULL, STR("COMMIT"), f);
    pgdrv_unit_end(c);
    if (!is_done && !c->is_lost && PQtransactionStatus(c->pg) != PQTRANS_IDLE) {
        SCOPED(fail) struct fail second = FAIL_NONE;
        (void)!pgdrv_rollback(c, &second);
    }
    return is_done;
}

/*
 * A synchronous commit flushes the WAL up to its own record, and with it every commit record before
 * it (RecordTransactionCommit in src/backend/access/transam/xact.c calls XLogFlush, which flushes
 * all that precedes). It does so only for a transaction that has written WAL besides its commit
 * record (wrote_xlog there), hence a row lock, which is logged (heap_lock_tuple in heapam.c) and
 * changes nothing.
 */
bool pgdrv_flush(struct connection *c, struct fail *f)
{
    SCOPED(buf) struct buf sql = {0};

    if (!pgdrv_session_ensure(c, f))
        return false;
    if (c->last_event_id == 0 || !c->may_be_asynchronous)
        return true; /* nothing of ours was committed, or all of it waited for the disk */
    buf_printf(&sql, "SET LOCAL synchronous_commit TO '%s'", c->durable_commit);
    const struct pgdrv_query queries[] = {
        {.sql = "BEGIN READ WRITE"},
        {.sql = buf_cstr(&sql)},
        {.sql = "SET LOCAL SESSION AUTHORIZATION DEFAULT"},
        {.sql = "SET LOCAL role TO DEFAULT"},
        {.sql = pgdrv_sql(c, sql_postgres_head_id)},
        {.sql = "COMMIT"},
    };
    if (!pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = true;
    for (size_t i = 0; i < ARRAY_LEN(queries) && is_done; i++)
        is_done = pgdrv_pipeline_send(c, &queries[i], f);
    is_done = is_done && pgdrv_pipeline_sync(c, f);
    for (size_t i = 0; i < ARRAY_LEN(queries) && is_done; i++)
        is_done = pgdrv_pipeline_expect(c, f);
    pgdrv_pipeline_leave(c);
    if (is_done)
        return true;
    SCOPED(fail) struct fail second = FAIL_NONE;
    if (!c->is_lost)
        (void)!pgdrv_run(c, "ROLLBACK", &second);
    return fail_wrap(f, "while making sure that everything is on disk");
}
