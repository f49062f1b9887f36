/*
 * A session starts with the first question, in the same round trip: one query that says who and
 * where we are and sets what we need, then one that may fail. Both set nothing when the backend
 * that answers is not the one that libpq was told of: behind a transaction pooler our settings
 * would leak into other people's sessions (runners.md, F11).
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "sql.h"

static int32_t known_pid(const struct connection *c)
{
    return c->is_started ? c->server_pid : PQbackendPID(c->pg);
}

bool pgdrv_session_send(struct connection *c, struct fail *f)
{
    char pid[16];
    char lock_timeout[16];
    static const Oid types[] = {OID_INT4, OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT};
    const char *values[] = {
        pid,
        lock_timeout,
        c->target.search_path,
        c->options.is_bulk ? "off" : NULL,
        c->options.is_read_only ? "on" : NULL,
    };

    (void)snprintf(pid, sizeof(pid), "%d", (int)known_pid(c));
    (void)snprintf(lock_timeout, sizeof(lock_timeout), "%ums",
                   (unsigned)c->options.lock_timeout_ms);
    struct pgdrv_query start = {.sql = sql_postgres_session_start,
                                .count = ARRAY_LEN(values),
                                .values = values,
                                .types = types};
    struct pgdrv_query watch = {
        .sql = sql_postgres_session_watch, .count = 1, .values = values, .types = types};
    c->clock_offset_us = -clock_wall_us();
    return pgdrv_pipeline_send(c, &start, f) && pgdrv_pipeline_sync(c, f) &&
           pgdrv_pipeline_send(c, &watch, f) && pgdrv_pipeline_sync(c, f);
}

static const char *keep(struct connection *c, const PGresult *r, int column)
{
    return arena_cstr(c->arena, pgdrv_value(r, 0, column));
}

static void note_session(struct connection *c, const PGresult *r)
{
    /* Half of the way lies on either side of the server's look at its clock. */
    int64_t now_us = clock_wall_us();
    int64_t sent_us = -c->clock_offset_us;
    c->clock_offset_us = pgdrv_value_i64(r, 0, 4) - (sent_us + (now_us - sent_us) / 2);
    c->server_pid = (int32_t)pgdrv_value_i64(r, 0, 1);
    c->role = keep(c, r, 2);
    c->database = keep(c, r, 3);
    if (c->is_started)
        return;
    struct str commit = pgdrv_value(r, 0, 5);
    c->owns_session = str_equal(pgdrv_value(r, 0, 0), STR("t"));
    bool is_off = str_equal(commit, STR("off"));
    c->may_be_asynchronous = c->may_be_asynchronous || is_off || c->options.is_bulk;
    c->durable_commit = is_off ? "on" : arena_cstr(c->arena, commit);
    c->is_started = true;
}

bool pgdrv_session_receive(struct connection *c, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);

    if (!r)
        return false;
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return pgdrv_fail_result(c, r, f);
    note_session(c, r);
    if (!pgdrv_pipeline_expect(c, f))
        return false;
    SCOPED(pg_result) PGresult *watch = pgdrv_pipeline_next(c, f);
    return watch && pgdrv_pipeline_expect(c, f);
}

static bool send_and_receive(struct connection *c, struct fail *f)
{
    if (!pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = pgdrv_session_send(c, f) && pgdrv_session_receive(c, f);
    pgdrv_pipeline_leave(c);
    return is_done;
}

static bool start_session(struct connection *c, struct fail *f)
{
    if (!send_and_receive(c, f))
        return false;
    if (c->owns_session || !c->is_session_pooled)
        return true;
    c->owns_session = true;
    return send_and_receive(c, f);
}

bool pgdrv_session_revive(struct connection *c, struct fail *f)
{
    if (c->ahead.is_open)
        BUG("a commit is still to be awaited");
    if (!c->is_lost && PQstatus(c->pg) == CONNECTION_BAD)
        c->is_lost = true;
    bool is_new = c->is_lost;
    if (is_new && !pgdrv_reconnect(c, f))
        return false;
    if (!c->is_started && !start_session(c, f))
        return false;
    return !is_new || pgdrv_check_head(c, f);
}

bool pgdrv_session_ensure(struct connection *c, struct fail *f)
{
    return pgdrv_session_revive(c, f) && (!c->must_relock || pgdrv_relock(c, f));
}

bool pgdrv_identity(struct arena *a, struct connection *c, struct server_identity *out,
                    struct fail *f)
{
    if (!pgdrv_session_ensure(c, f))
        return false;
    const char *version = PQparameterStatus(c->pg, "server_version");
    *out = (struct server_identity){
        .safe_url = arena_cstr(a, str_of(c->safe_url)),
        .database = arena_cstr(a, str_of(c->database)),
        .role = arena_cstr(a, str_of(c->role)),
        .version_number = (uint32_t)PQserverVersion(c->pg),
        .version_text = arena_printf(a, "PostgreSQL %s", version ? version : "?"),
        .clock_offset_us = c->clock_offset_us,
    };
    return true;
}

/* ---- announcements ---- */

/* What a waiter is shown must survive the cut of the server at NAMEDATALEN - 1 bytes: the name of
   the program gives way to what it does. */
void pgdrv_announce(struct connection *c, const char *what)
{
    const char *base = c->options.application_name;
    size_t room = sizeof(c->announcement) - 1 - strlen(" at ");
    size_t what_len = strlen(what) > 40 ? 40 : strlen(what);
    size_t base_len = strlen(base) > room - what_len ? room - what_len : strlen(base);

    (void)snprintf(c->announcement, sizeof(c->announcement), "%.*s at %.*s", (int)base_len, base,
                   (int)what_len, what);
    for (char *at = c->announcement; *at; at++) {
        if (*at < ' ' || *at > '~' || *at == '\'' || *at == '\\')
            *at = '?';
    }
}

bool pgdrv_announcement(const struct connection *c, char sql[PGDRV_ANNOUNCE_MAX])
{
    if (!c->announcement[0] || !c->owns_session)
        return false;
    (void)snprintf(sql, PGDRV_ANNOUNCE_MAX, "SET application_name TO '%s'", c->announcement);
    return true;
}

/* ---- reset ---- */

/* What DISCARD ALL does, but for the advisory locks: src/backend/commands/discard.c. */
static const char *const reset_statements[] = {
    "CLOSE ALL",         "SET SESSION AUTHORIZATION DEFAULT",
    "RESET ALL",         "RESET ROLE",
    "DEALLOCATE ALL",    "UNLISTEN *",
    "DISCARD PLANS",     "DISCARD TEMP",
    "DISCARD SEQUENCES",
};

static bool send_reset(struct connection *c, struct fail *f)
{
    for (size_t i = 0; i < ARRAY_LEN(reset_statements); i++) {
        if (!pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = reset_statements[i]}, f))
            return false;
    }
    return pgdrv_pipeline_sync(c, f) && pgdrv_session_send(c, f);
}

static bool receive_reset(struct connection *c, struct fail *f)
{
    for (size_t i = 0; i < ARRAY_LEN(reset_statements) + 1; i++) {
        if (!pgdrv_pipeline_expect(c, f))
            return false;
    }
    return pgdrv_session_receive(c, f);
}

bool pgdrv_reset_session(struct connection *c, struct fail *f)
{
    if (c->is_lost || !c->is_started) {
        c->has_forgotten = false;
        c->is_dirty = false;
        return pgdrv_session_ensure(c, f);
    }
    if (!pgdrv_pipeline_enter(c, f))
        return false;
    c->is_quiet = true;
    bool is_done = send_reset(c, f) && receive_reset(c, f);
    pgdrv_pipeline_leave(c);
    c->is_quiet = false;
    if (!is_done)
        return fail_wrap(f, "while resetting the session");
    c->has_forgotten = false;
    c->is_dirty = false;
    pgdrv_journal_forget(c);
    c->may_have_unlocked = false;
    /* A trigger at COMMIT may have said pg_advisory_unlock_all(). */
    return !c->has_lock || pgdrv_relock(c, f);
}
