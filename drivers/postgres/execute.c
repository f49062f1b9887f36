/*
 * The statements of migrations, as the exact bytes of the file, one statement at a time. Within a
 * transaction they travel in a pipeline: BEGIN, the statements and a question for the transaction's
 * number make one round trip, and as many as fit the window are under way at once. A statement of
 * which libpq's pipeline is not capable (COPY), one that the parser does not know, and those that
 * run outside transactions are sent alone, in the simple protocol.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "sql.h"

/* Statements and bytes under way at most; below half of both more are sent. The server's answers to
   them, and ours to it, fit socket buffers most of the time. */
#define WINDOW_STATEMENTS 64
#define WINDOW_BYTES ((size_t)256 << 10)

bool pgdrv_begin(struct connection *c, const struct unit_options *options, struct fail *f)
{
    bool is_broken = c->is_lost || PQstatus(c->pg) == CONNECTION_BAD;
    if (c->ahead.is_open && is_broken) {
        (void)pgdrv_fail_lost(c, f);
        return pgdrv_ahead_fail(c, f);
    }
    if (!c->ahead.is_open && !pgdrv_session_ensure(c, f))
        return false;
    if (c->has_forgotten)
        return pgdrv_fail_forgotten(f);
    c->in_unit = true;
    c->is_begun = false;
    c->unit = *options;
    c->tables.left_out_count = 0;
    c->xid[0] = '\0';
    return true;
}

bool pgdrv_rollback(struct connection *c, struct fail *f)
{
    bool is_open = c->is_begun;

    pgdrv_unit_end(c);
    if (c->is_lost || c->must_relock)
        return pgdrv_session_ensure(c, f);
    if (!is_open && PQtransactionStatus(c->pg) == PQTRANS_IDLE)
        return true;
    c->is_quiet = true; /* "there is no transaction in progress", where the server ended it */
    bool is_done = pgdrv_run(c, "ROLLBACK", f);
    c->is_quiet = false;
    return is_done;
}

/* ---- the queries of one pipeline ---- */

static bool send_timeouts(struct connection *c, int *queries, struct fail *f)
{
    const struct {
        const char *name;
        uint32_t ms;
    } timeouts[] = {{"lock_timeout", c->unit.lock_timeout_ms},
                    {"statement_timeout", c->unit.statement_timeout_ms}};

    for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
        char sql[64];
        if (!timeouts[i].ms)
            continue;
        (void)snprintf(sql, sizeof(sql), "SET LOCAL %s TO '%ums'", timeouts[i].name,
                       (unsigned)timeouts[i].ms);
        if (!pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = sql}, f))
            return false;
        ++*queries;
    }
    if (!c->unit.skips_triggers)
        return true;
    ++*queries;
    return pgdrv_pipeline_send(
        c, &(struct pgdrv_query){.sql = "SET LOCAL session_replication_role TO 'replica'"}, f);
}

bool pgdrv_begin_send(struct connection *c, int *out_queries, struct fail *f)
{
    char announce[PGDRV_ANNOUNCE_MAX];

    *out_queries = 0;
    if (c->is_begun)
        return true;
    c->is_begun = true;
    /* A migration may have set default_transaction_read_only; that is for its own statements. */
    const char *sql = c->is_dirty ? "BEGIN READ WRITE" : "BEGIN";
    if (!c->unit.is_own) {
        if (!pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = sql}, f))
            return false;
        ++*out_queries;
    }
    /* SET takes no snapshot: SET TRANSACTION may still follow. */
    if (pgdrv_announcement(c, announce)) {
        if (!pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = announce}, f))
            return false;
        ++*out_queries;
    }
    return send_timeouts(c, out_queries, f);
}

/* One pipeline over statements at[0 … count). */
struct flight {
    struct connection *c;
    const struct statement *at;
    size_t count;
    size_t sent, received; /* statements */
    size_t window_bytes;   /* of the statements under way */
    bool asks_xid;
    int xid_queries;
    bool is_closed; /* everything is sent, with the sync */
    int64_t stamp_us;
    struct statement_result *results;
    size_t offset; /* of the error in the statement at fault */
};

static bool receive_xid(struct connection *c, int queries, struct fail *f)
{
    if (queries > 1 && !pgdrv_pipeline_expect(c, f))
        return false;
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);

    if (!r || PQresultStatus(r) != PGRES_TUPLES_OK)
        return r ? pgdrv_fail_result(c, r, f) : false;
    (void)snprintf(c->xid, sizeof(c->xid), "%.*s", STR_ARG(pgdrv_value(r, 0, 0)));
    return true;
}

static bool send_close(struct flight *fl, struct fail *f)
{
    fl->is_closed = true;
    fl->asks_xid = fl->c->xid[0] == '\0';
    if (fl->asks_xid && !pgdrv_xid_send(fl->c, &fl->xid_queries, f))
        return false;
    return pgdrv_pipeline_sync(fl->c, f);
}

static bool has_room(const struct flight *fl)
{
    return fl->sent < fl->count && fl->sent - fl->received < WINDOW_STATEMENTS &&
           (fl->sent == fl->received ||
            fl->window_bytes + fl->at[fl->sent].text.len <= WINDOW_BYTES);
}

static bool fill_window(struct flight *fl, struct fail *f)
{
    if (fl->sent > fl->received &&
        (fl->sent - fl->received > WINDOW_STATEMENTS / 2 || fl->window_bytes > WINDOW_BYTES / 2))
        return true;
    while (has_room(fl)) {
        struct str text = fl->at[fl->sent].text;
        if (!pgdrv_pipeline_send_text(fl->c, text, f))
            return false;
        fl->window_bytes += text.len;
        fl->sent++;
        /* Without it the server would keep its answers until a sync: how long each statement took
           could not be told, and notices would come late. Behind the last one the sync is near. */
        if (fl->sent < fl->count && !PQsendFlushRequest(fl->c->pg))
            return pgdrv_fail_lost(fl->c, f);
    }
    return fl->is_closed || fl->sent < fl->count || send_close(fl, f);
}

/* Waits for the end of the current statement, dropping rows as they come. */
static bool receive_statement(struct flight *fl, struct fail *f)
{
    struct connection *c = fl->c;
    const struct statement *s = &fl->at[fl->received];
    bool is_done = false;

    (void)PQsetSingleRowMode(c->pg);
    for (PGresult *r; !c->is_lost && (r = pgdrv_next_result(c)); PQclear(r)) {
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_SINGLE_TUPLE)
            continue;
        is_done =
            status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
        if (!is_done) {
            fl->offset = pgdrv_error_offset(r, s->text);
            (void)pgdrv_fail_result(c, r, f);
            continue;
        }
        int64_t now_us = clock_monotonic_us();
        int64_t rows = -1;
        (void)!str_to_i64(str_of(PQcmdTuples(r)), &rows);
        fl->results[fl->received] =
            (struct statement_result){.rows = rows, .duration_us = now_us - fl->stamp_us};
        fl->stamp_us = now_us;
    }
    if (!is_done)
        return fail_is_set(f) ? false : pgdrv_fail_lost(c, f);
    fl->window_bytes -= s->text.len;
    fl->received++;
    return true;
}

/* BEGIN and what is set for its transaction: answered together with the first statement. */
static bool receive_setup(struct flight *fl, bool is_own_begin, int queries, bool has_tables,
                          struct fail *f)
{
    bool is_done = true;

    pgdrv_watch_batch(fl->c, true);
    if (is_own_begin)
        is_done = receive_statement(fl, f);
    for (int i = 0; i < queries && is_done; i++)
        is_done = pgdrv_pipeline_expect(fl->c, f);
    is_done = is_done && (!has_tables || pgdrv_tables_receive(fl->c, f));
    pgdrv_watch_batch(fl->c, false);
    return is_done;
}

static bool fly(struct flight *fl, struct fail *f)
{
    struct connection *c = fl->c;
    int setup = 0;

    bool is_first = !c->is_begun;
    bool is_own_begin = c->unit.is_own && is_first && fl->count > 0;
    if (is_own_begin) {
        /* The file's BEGIN comes first, what we set for the transaction behind it. */
        if (!pgdrv_pipeline_send_text(c, fl->at[0].text, f))
            return false;
        fl->window_bytes += fl->at[0].text.len;
        fl->sent = 1;
    }
    if (!pgdrv_begin_send(c, &setup, f) || (is_first && !pgdrv_tables_send(c, f)) ||
        !fill_window(fl, f))
        return false;
    if (c->ahead.is_open && !pgdrv_ahead_receive(c, f))
        return false;
    if (!receive_setup(fl, is_own_begin, setup, is_first, f))
        return false;
    fl->stamp_us = clock_monotonic_us();
    while (fl->received < fl->count) {
        if (!fill_window(fl, f) || !receive_statement(fl, f))
            return false;
    }
    return fill_window(fl, f) && (!fl->asks_xid || receive_xid(c, fl->xid_queries, f));
}

static bool fly_once(struct flight *fl, struct fail *f)
{
    struct connection *c = fl->c;

    if (!c->ahead.is_open && !pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = fly(fl, f);
    if (c->ahead.is_open)
        return pgdrv_ahead_fail(c, f);
    pgdrv_pipeline_leave(c);
    if (!is_done) /* what was to be prepared behind the error was not */
        pgdrv_journal_forget(c);
    return is_done;
}

static bool execute_pipelined(struct connection *c, const struct statement *at, size_t count,
                              struct statement_result *results, size_t *done, size_t *out_offset,
                              struct fail *f)
{
    struct flight fl;
    bool is_done;

    c->tables.has_failed = false;
    do {
        fl = (struct flight){.c = c,
                             .at = at,
                             .count = count,
                             .results = results,
                             .offset = SIZE_MAX,
                             .stamp_us = clock_monotonic_us()};
        is_done = fly_once(&fl, f);
    } while (!is_done && c->tables.has_failed && pgdrv_tables_retreat(c, f));
    *done += f->kind == FAIL_TABLES_HELD ? 0 : fl.received; /* the file's BEGIN was undone */
    *out_offset = fl.offset;
    return is_done;
}

/* ---- which way each statement goes ---- */

static bool fits_pipeline(const struct statement *s)
{
    return s->is_analysed && !s->is_copy_from_stdin && strcmp(s->kind, "COPY") != 0;
}

static void note_effect(struct connection *c, const struct statement *s)
{
    if (s->session == SESSION_NONE && s->is_analysed)
        return;
    c->is_dirty = true;
    c->may_be_asynchronous = true; /* SET synchronous_commit */
    c->may_have_unlocked |= s->session == SESSION_PERHAPS || !s->is_analysed;
    /* It may have said DEALLOCATE ALL. */
    pgdrv_journal_forget(c);
}

static bool restore_limits(struct connection *c, struct fail *f)
{
    char sql[64];

    if (c->is_lost)
        return true; /* a new session has them */
    (void)snprintf(sql, sizeof(sql), "SET lock_timeout TO '%ums'",
                   (unsigned)c->options.lock_timeout_ms);
    pgdrv_shield(c);
    bool is_done = pgdrv_run(c, sql, f);
    pgdrv_unshield(c);
    return is_done;
}

/* CREATE INDEX CONCURRENTLY and its kind wait for old transactions; lock_timeout counts that wait,
   and leaves an invalid index behind (runners.md F8). A limit that the migration has set itself
   stays. */
static bool lift_limits(struct connection *c, bool *out_is_lifted, struct fail *f)
{
    char ms[16];
    const char *values[] = {ms};
    static const Oid types[] = {OID_TEXT};

    (void)snprintf(ms, sizeof(ms), "%u", (unsigned)c->options.lock_timeout_ms);
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(
        c,
        &(struct pgdrv_query){
            .sql = sql_postgres_limits_lift, .count = 1, .values = values, .types = types},
        f);
    *out_is_lifted = r && PQntuples(r) > 0;
    return r != NULL;
}

/* Only a statement that the parser does not know gets that far. */
static bool fail_left_open(struct connection *c, struct fail *f)
{
    SCOPED(fail) struct fail second = FAIL_NONE;

    (void)!pgdrv_run(c, "ROLLBACK", &second);
    (void)fail_set(f, EXIT_FAILED, "the statement begins a transaction and leaves it open");
    return fail_hint(f, "Write BEGIN and COMMIT as statements of their own.");
}

static bool fail_ended(struct fail *f)
{
    (void)fail_set(f, EXIT_INCOMPLETE, "a statement has ended the transaction that it is part of");
    (void)fail_detail(f, "What came before it in its step is committed, but not in the history.");
    return fail_hint(f, "Write COMMIT and ROLLBACK as statements of their own; then settle this "
                        "step with `migrate resolve`.");
}

static bool execute_outside(struct connection *c, const struct statement *s,
                            const struct copy_source *copy, struct statement_result *result,
                            size_t *out_offset, struct fail *f)
{
    bool is_lifted = false;
    char announce[PGDRV_ANNOUNCE_MAX];

    if (!pgdrv_session_ensure(c, f))
        return false;
    if (c->has_forgotten)
        return pgdrv_fail_forgotten(f);
    if (pgdrv_announcement(c, announce)) {
        if (!pgdrv_run(c, announce, f))
            return false;
        c->announcement[0] = '\0';
    }
    if (c->options.lock_timeout_ms && pgdrv_waits_for_others(s) && !lift_limits(c, &is_lifted, f))
        return false;
    struct pgdrv_limits limits;
    if (!pgdrv_limits_enter(c, s, &limits, f))
        return false;
    bool is_done = pgdrv_execute_alone(c, s, copy, result, out_offset, f);
    SCOPED(fail) struct fail second = FAIL_NONE;
    if (is_done && PQtransactionStatus(c->pg) != PQTRANS_IDLE)
        is_done = fail_left_open(c, f);
    if (!pgdrv_limits_leave(c, &limits, &second) && is_done)
        return fail_set(f, EXIT_FAILED, "%s", second.message);
    if (is_lifted && !restore_limits(c, &second) && is_done)
        return fail_set(f, EXIT_FAILED, "%s", second.message);
    return is_done;
}

/* In a transaction, but not in a pipeline: BEGIN and the question for its number go before it. */
static bool execute_inside(struct connection *c, const struct statement *s,
                           const struct copy_source *copy, struct statement_result *result,
                           size_t *out_offset, struct fail *f)
{
    size_t none = 0;
    bool is_own_begin = c->unit.is_own && !c->is_begun;

    if (!is_own_begin && (!c->is_begun || c->xid[0] == '\0') &&
        !execute_pipelined(c, s, 0, result, &none, out_offset, f))
        return false;
    c->is_begun = true;
    return pgdrv_execute_alone(c, s, copy, result, out_offset, f);
}

bool pgdrv_execute(struct connection *c, const struct statement *at, size_t count,
                   const struct copy_source *copy, struct statement_result *results,
                   size_t *out_done, size_t *out_offset, struct fail *f)
{
    *out_done = 0;
    *out_offset = SIZE_MAX;
    bool shares_pipeline = c->in_unit && count && fits_pipeline(&at[0]);
    if (c->ahead.is_open && !shares_pipeline && !pgdrv_ahead_take(c, f))
        return false;
    while (*out_done < count) {
        size_t i = *out_done;
        size_t end = i;
        while (c->in_unit && end < count && fits_pipeline(&at[end]))
            note_effect(c, &at[end++]);
        if (end > i) {
            if (!execute_pipelined(c, at + i, end - i, results + i, out_done, out_offset, f))
                return false;
            continue;
        }
        note_effect(c, &at[i]);
        const struct copy_source *source = at[i].is_copy_from_stdin ? copy : NULL;
        bool is_done = c->in_unit ? execute_inside(c, &at[i], source, &results[i], out_offset, f)
                                  : execute_outside(c, &at[i], source, &results[i], out_offset, f);
        if (!is_done)
            return false;
        ++*out_done;
    }
    bool is_ended =
        c->in_unit && c->is_begun && PQtransactionStatus(c->pg) == PQTRANS_IDLE && count > 0;
    return !is_ended || fail_ended(f);
}
