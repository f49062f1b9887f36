/*
 * A connection that breaks between COMMIT and its answer leaves an open question, and the server
 * knows the answer: the transaction's number was asked for before. As long as it is in progress,
 * the old backend is still at it; then the history itself says what happened, since its entry is in
 * the same transaction, and the number's status must agree. Where the number is not known (a
 * transaction that was all sent at once), the end of the old backend is awaited instead. Nothing is
 * terminated.
 */
#include "drivers/postgres/backfill.h"

#include "core/base/clock.h"
#include "sql.h"

#define POLL_MS 50
/* Without a timeout of the user: long enough for a restart or a failover. */
#define BUDGET_MS 60000

enum settled { SETTLED_UNKNOWN = 0, SETTLED_IN_PROGRESS, SETTLED_COMMITTED, SETTLED_ABORTED };

struct lost_commit {
    char xid[24];
    int32_t pid;
    const struct journal_entries *entries;
};

/* One query with two values, whose answer is true or false. */
static bool ask_bool(struct connection *c, const char *sql, const char *one, const char *two,
                     const Oid *types, bool *out, struct fail *f)
{
    const char *values[] = {one, two};
    struct pgdrv_query q = {.sql = sql, .count = two ? 2 : 1, .values = values, .types = types};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &q, f);

    if (!r)
        return false;
    *out = str_equal(pgdrv_value(r, 0, 0), STR("t"));
    return true;
}

static bool is_in_history(struct connection *c, const struct journal_entries *entries, bool *out,
                          struct fail *f)
{
    static const Oid event_types[] = {OID_INT8, OID_TEXT};
    static const Oid row_types[] = {OID_INT8, OID_INT8};
    SCOPED(arena) struct arena *a = arena_make();
    const struct history_row *h = entries->insert_row ? entries->insert_row : entries->update_row;

    if (entries->event_count) {
        const struct event *e = &entries->events[entries->event_count - 1];
        return ask_bool(c, pgdrv_sql(c, sql_postgres_commit_settled),
                        arena_printf(a, "%lld", (long long)e->id), arena_cstr(a, e->digest),
                        event_types, out, f);
    }
    if (!h)
        return entries->point && pgdrv_point_is_written(c, entries->point, out, f);
    return ask_bool(c, pgdrv_sql(c, sql_postgres_row_settled),
                    arena_printf(a, "%lld", (long long)h->rank),
                    arena_printf(a, "%lld", (long long)h->units_done), row_types, out, f);
}

/* txid_status() is what pg_xact_status() is called since 13. NULL, or an error for a number in the
   future: the server is not the one that gave the number out, or has forgotten it. */
static enum settled ask_status(struct connection *c, const struct lost_commit *lost)
{
    static const Oid types[] = {OID_INT8};
    const char *values[] = {lost->xid};
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(c,
                            &(struct pgdrv_query){.sql = "SELECT pg_catalog.txid_status($1)",
                                                  .count = 1,
                                                  .values = values,
                                                  .types = types},
                            &ignored);

    if (!r)
        return SETTLED_UNKNOWN;
    struct str status = pgdrv_value(r, 0, 0);
    if (str_equal(status, STR("in progress")))
        return SETTLED_IN_PROGRESS;
    if (str_equal(status, STR("committed")))
        return SETTLED_COMMITTED;
    return str_equal(status, STR("aborted")) ? SETTLED_ABORTED : SETTLED_UNKNOWN;
}

/* One look. false: ask again later (f says why not now). */
static bool look(struct connection *c, const struct lost_commit *lost, enum settled *out,
                 struct fail *f)
{
    static const Oid types[] = {OID_INT4};
    enum settled status = SETTLED_UNKNOWN;
    bool is_written = false;

    if (!pgdrv_session_revive(c, f))
        return false;
    if (lost->xid[0]) {
        status = ask_status(c, lost);
    } else {
        char pid[16];
        bool is_busy = false;
        (void)snprintf(pid, sizeof(pid), "%d", (int)lost->pid);
        if (!ask_bool(c, sql_postgres_backend_busy, pid, NULL, types, &is_busy, f))
            return false;
        if (is_busy)
            status = SETTLED_IN_PROGRESS;
    }
    if (status == SETTLED_IN_PROGRESS)
        return fail_set(f, EXIT_INCOMPLETE, "its transaction is still in progress");
    if (!is_in_history(c, lost->entries, &is_written, f))
        return false;
    *out = is_written ? SETTLED_COMMITTED : SETTLED_ABORTED;
    /* "committed", but not in the history: not the same server, or not the same past. */
    if (status != SETTLED_UNKNOWN && status != *out)
        *out = SETTLED_UNKNOWN;
    return true;
}

static bool fail_unknown(const struct fail *last, struct fail *f)
{
    (void)fail_set(f, EXIT_INCOMPLETE,
                   "the connection was lost during COMMIT, and whether it "
                   "happened cannot be found out");
    (void)fail_kind_set(f, FAIL_COMMIT_UNKNOWN);
    if (fail_is_set(last))
        (void)fail_detail(f, "The last try to ask the server: %s", last->message);
    return fail_hint(f, "When the server can be reached, `migrate status` shows what the history "
                        "holds; `migrate apply` goes on from there.");
}

static bool fail_aborted(struct fail *f)
{
    (void)fail_set(f, EXIT_FAILED,
                   "the connection was lost during COMMIT; the server has rolled the "
                   "transaction back");
    (void)fail_kind_set(f, FAIL_CONNECTION);
    return fail_hint(f, "Nothing of it was applied; run again.");
}

static int64_t budget_ms(const struct connection *c)
{
    int64_t by_user_ms = (int64_t)c->options.connect_timeout_ms * 4;

    return by_user_ms ? by_user_ms : BUDGET_MS;
}

bool pgdrv_settle(struct connection *c, const struct journal_entries *entries, struct fail *f)
{
    struct lost_commit lost = {.pid = c->server_pid, .entries = entries};
    int64_t deadline_us = clock_monotonic_us() + budget_ms(c) * 1000;
    enum settled settled = SETTLED_UNKNOWN;
    SCOPED(fail) struct fail last = FAIL_NONE;

    memcpy(lost.xid, c->xid, sizeof(lost.xid));
    c->in_unit = false;
    fail_clear(f);
    while (!look(c, &lost, &settled, &last)) {
        if (last.kind == FAIL_HISTORY_MOVED || clock_monotonic_us() > deadline_us)
            return fail_unknown(&last, f);
        fail_clear(&last);
        clock_sleep_ms(POLL_MS);
    }
    if (settled == SETTLED_UNKNOWN)
        return fail_unknown(&last, f);
    if (settled == SETTLED_ABORTED)
        return fail_aborted(f);
    return !c->must_relock || pgdrv_relock(c, f);
}

bool pgdrv_check_head(struct connection *c, struct fail *f)
{
    if (c->last_event_id == 0)
        return true;
    SCOPED(pg_result)
    PGresult *r =
        pgdrv_ask(c, &(struct pgdrv_query){.sql = pgdrv_sql(c, sql_postgres_head_read)}, f);
    if (!r)
        return false;
    if (PQntuples(r) > 0 && pgdrv_value_i64(r, 0, 0) >= c->last_event_id)
        return true;
    (void)fail_set(f, EXIT_INCOMPLETE,
                   "the server has lost steps that were committed asynchronously");
    (void)fail_kind_set(f, FAIL_HISTORY_MOVED);
    return fail_hint(f,
                     "It crashed before they were on disk; history and schema agree. Run again.");
}
