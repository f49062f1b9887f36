/*
 * The run lock is a session-level advisory lock on the connection that does the work: it dies with
 * the session, neither before nor after it. It is asked for in the simple protocol, outside
 * transactions, and never waited for inside the server: an extended-protocol portal would pin a
 * snapshot on which CREATE INDEX CONCURRENTLY waits, and a session blocked in pg_advisory_lock()
 * has one as well, so that holder and waiter deadlock (runners.md F5, F7).
 *
 * Advisory locks are per database; the key is made of the history's schema, so that two projects in
 * one database do not meet.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/log.h"
#include "sql.h"

/* division_by_zero: how lock_guard.sql says no. */
#define GUARD_SAYS_NO "22012"
/* How long the backend of a broken connection may take to notice and let its lock go. */
#define RELOCK_MS 60000
#define RELOCK_POLL_MS 50

static void make_key(struct connection *c)
{
    SCOPED(buf) struct buf name = {0};

    if (c->lock_key[0] || c->lock_key[1])
        return;
    buf_add_cstr(&name, "migrate:");
    buf_add_str(&name, c->history_name);
    struct digest d = digest_of(buf_str(&name));
    uint64_t key = strtoull(arena_cstr(c->arena, (struct str){.at = d.hex, .len = 16}), NULL, 16);
    c->lock_key[0] = (int32_t)(key >> 32);
    c->lock_key[1] = (int32_t)(key & UINT32_MAX);
}

static bool ask_lock(struct connection *c, bool *out_is_ours, struct fail *f)
{
    struct str text = str_of(sql_postgres_lock_try);
    size_t at = str_find(text, STR("{key}"));
    SCOPED(buf) struct buf sql = {0};

    buf_add(&sql, text.at, at);
    buf_printf(&sql, "%d, %d", (int)c->lock_key[0], (int)c->lock_key[1]);
    buf_add_str(&sql, str_skip(text, at + strlen("{key}")));
    int64_t started_us = clock_monotonic_us();
    if (c->is_lost || !PQsendQuery(c->pg, buf_cstr(&sql)))
        return pgdrv_fail_lost(c, f);
    SCOPED(pg_result) PGresult *r = pgdrv_next_result(c);
    log_sql(buf_str(&sql), clock_monotonic_us() - started_us, NULL);
    while (!c->is_lost) {
        PGresult *extra = pgdrv_next_result(c);
        if (!extra)
            break;
        PQclear(extra);
    }
    if (!r || PQresultStatus(r) != PGRES_TUPLES_OK)
        return r ? pgdrv_fail_result(c, r, f) : pgdrv_fail_lost(c, f);
    *out_is_ours = str_equal(pgdrv_value(r, 0, 0), STR("t"));
    return true;
}

static PGresult *ask_with_key(struct connection *c, const char *sql, struct fail *f)
{
    char halves[2][16];
    const char *values[] = {halves[0], halves[1]};
    static const Oid types[] = {OID_INT8, OID_INT8};

    /* pg_locks shows the halves as oid, without sign. */
    for (size_t i = 0; i < 2; i++)
        (void)snprintf(halves[i], sizeof(halves[i]), "%u", (unsigned)c->lock_key[i]);
    return pgdrv_ask(
        c, &(struct pgdrv_query){.sql = sql, .count = 2, .values = values, .types = types}, f);
}

bool pgdrv_find_holder(struct arena *a, struct connection *c, struct lock_holder *out,
                       struct fail *f)
{
    make_key(c);
    SCOPED(pg_result) PGresult *r = ask_with_key(c, sql_postgres_lock_holder, f);

    *out = (struct lock_holder){0};
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return true;
    struct str application = pgdrv_value(r, 0, 2);
    struct str base = application;
    size_t at = str_find(application, STR(" at "));
    if (at != SIZE_MAX) {
        base.len = at;
        out->doing = arena_cstr(a, str_skip(application, at + strlen(" at ")));
    }
    struct str role = pgdrv_value(r, 0, 1);
    struct str address = pgdrv_value(r, 0, 3);
    out->who =
        arena_printf(a, "%.*s (role %.*s%s%.*s, process %.*s)",
                     STR_ARG(base.len ? base : STR("a session")), STR_ARG(role),
                     address.len ? ", from " : "", STR_ARG(address), STR_ARG(pgdrv_value(r, 0, 0)));
    out->since_us = pgdrv_value_i64(r, 0, 4);
    return true;
}

bool pgdrv_try_lock(struct arena *a, struct connection *c, const char *run UNUSED,
                    bool *out_is_ours, struct lock_holder *out_holder, struct fail *f)
{
    bool is_ours = false;

    if (!pgdrv_session_ensure(c, f))
        return false;
    /* Advisory locks count: taking it twice would need letting it go twice. */
    if (c->has_lock) {
        *out_is_ours = true;
        return true;
    }
    make_key(c);
    if (!ask_lock(c, &is_ours, f) || (!is_ours && !pgdrv_find_holder(a, c, out_holder, f)))
        return false;
    c->has_lock = is_ours;
    *out_is_ours = is_ours;
    return true;
}

void pgdrv_unlock(struct connection *c)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    char sql[96];

    bool is_held_here = c->has_lock && !c->must_relock && !c->is_lost;

    c->has_lock = c->must_relock = false;
    if (!is_held_here)
        return;
    (void)snprintf(sql, sizeof(sql), "SELECT pg_catalog.pg_advisory_unlock(%d, %d)",
                   (int)c->lock_key[0], (int)c->lock_key[1]);
    c->is_quiet = true;
    /* Should it fail, the lock ends with the session. */
    (void)!pgdrv_run(c, sql, &ignored);
    c->is_quiet = false;
}

static bool is_held(struct connection *c, bool *out, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = ask_with_key(c, sql_postgres_lock_held, f);

    if (!r)
        return false;
    *out = str_equal(pgdrv_value(r, 0, 0), STR("t"));
    return true;
}

/* Whether it is held by another run, not by what is left of our own session. */
static bool is_taken(struct connection *c, bool *out, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = ask_with_key(c, sql_postgres_lock_holder, f);

    if (!r)
        return false;
    *out = PQntuples(r) > 0 && pgdrv_value_i64(r, 0, 0) != c->lost_lock_pid;
    return true;
}

bool pgdrv_relock(struct connection *c, struct fail *f)
{
    int64_t deadline_us = clock_monotonic_us() + (int64_t)RELOCK_MS * 1000;
    bool is_ours = false;
    bool is_taken_by_others = false;

    if (!is_held(c, &is_ours, f))
        return false;
    while (!is_ours) {
        if (!ask_lock(c, &is_ours, f) || (!is_ours && !is_taken(c, &is_taken_by_others, f)))
            return false;
        if (!is_ours && (is_taken_by_others || clock_monotonic_us() > deadline_us)) {
            (void)fail_set(f, EXIT_BUSY, "the run lock was lost%s",
                           is_taken_by_others ? ", and another run has taken it" : "");
            return fail_hint(f, "Run again; what is committed stays and is not done twice.");
        }
        if (!is_ours)
            clock_sleep_ms(RELOCK_POLL_MS);
    }
    c->has_lock = true;
    c->must_relock = false;
    return true;
}

/* ---- a migration may have let it go ---- */

bool pgdrv_guard_send(struct connection *c, int *out_queries, struct fail *f)
{
    char halves[4][16];
    const char *values[] = {halves[0], halves[1], halves[2], halves[3]};
    static const Oid types[] = {OID_INT8, OID_INT8, OID_INT4, OID_INT4};

    *out_queries = 0;
    if (!c->has_lock || c->must_relock || !c->may_have_unlocked)
        return true;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(halves[i], sizeof(halves[i]), "%u", (unsigned)c->lock_key[i]);
        (void)snprintf(halves[i + 2], sizeof(halves[i]), "%d", (int)c->lock_key[i]);
    }
    *out_queries = 1;
    return pgdrv_pipeline_send(c,
                               &(struct pgdrv_query){.sql = sql_postgres_lock_guard,
                                                     .count = ARRAY_LEN(values),
                                                     .values = values,
                                                     .types = types},
                               f);
}

bool pgdrv_guard_receive(struct connection *c, int queries, struct fail *f)
{
    if (!queries)
        return true;
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);
    if (!r)
        return false;
    if (pgdrv_has_sqlstate(r, GUARD_SAYS_NO)) {
        (void)fail_set(f, EXIT_BUSY,
                       "a statement has let the run lock go, and another run has taken it");
        return fail_hint(
            f, "Nothing of this step is committed. Leave pg_advisory_unlock_all() and its "
               "kind out of migrations; when the other run is done, run again.");
    }
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return pgdrv_fail_result(c, r, f);
    if (pgdrv_value_i64(r, 0, 0) == 1)
        log_line(LOG_WARN,
                 "a statement has let the run lock go (pg_advisory_unlock_all() does); it "
                 "was taken back");
    return true;
}
