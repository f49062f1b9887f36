/*
 * Who holds the lock that a statement waits for. After a lock timeout the wait is over and nobody can
 * tell any more, so a look is taken before: when the server has been silent for half of the timeout
 * while a statement of a migration is under way, a second connection asks on which backends ours
 * waits, and again after each further half. A statement that is faster costs nothing, and one that
 * merely takes long costs a question to one row of the server's table of backends each time.
 *
 * No thread is needed for that: the one that waits for the answer has nothing else to do. The second
 * connection goes with the transaction.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/vec.h"
#include "sql.h"

/* Looks are not closer together than this: a connection takes about as long. */
#define LOOK_LEAST_MS 20
/* Where no second connection is to be had, it is not asked for again before this. */
#define REFUSED_US 2000000

enum column {
    PID,
    ROLE,
    APPLICATION,
    ADDRESS,
    STATE,
    BACKEND,
    OPEN_US,
    QUERY,
    WANTED_MODE,
    LOCK_TYPE,
    RELATION_KIND,
    RELATION_NAME,
    HELD_MODE,
    IS_WAITING,
    /* Of table_holders.sql only. */
    TRANSACTION,
    GIVES_WAY,
};

static uint32_t timeout_in_force(const struct connection *c)
{
    uint32_t of_file = c->ahead.is_open ? c->ahead.lock_timeout_ms
                       : c->in_unit     ? c->unit.lock_timeout_ms
                                        : c->outside.lock_timeout_ms;

    return of_file ? of_file : c->options.lock_timeout_ms;
}

void pgdrv_watch_begin(struct connection *c)
{
    uint32_t half_ms = timeout_in_force(c) / 2;

    c->watch.has_seen = false;
    c->watch.is_refused = false;
    c->watch.look_ms = half_ms && half_ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : half_ms;
}

void pgdrv_watch_end(struct connection *c, bool is_lock_timeout)
{
    c->watch.look_ms = 0;
    c->watch.has_seen = c->watch.has_seen && is_lock_timeout;
}

void pgdrv_watch_close(struct connection *c)
{
    PQfinish(c->watch.pg);
    c->watch.pg = NULL;
}

void pgdrv_watch_note(struct connection *c, const PGresult *r)
{
    if (!c->watch.look_ms || !r)
        return;
    if (PQresultStatus(r) == PGRES_FATAL_ERROR)
        c->watch.look_ms = 0; /* what was seen belongs to it */
    else if (!c->watch.is_batch)
        c->watch.has_seen = false;
}

void pgdrv_watch_batch(struct connection *c, bool is_batch)
{
    c->watch.is_batch = is_batch;
}

int pgdrv_watch_patience_ms(const struct connection *c)
{
    return c->watch.look_ms ? (int)c->watch.look_ms : -1;
}

/* ---- a look ---- */

static const char *text_or_null(struct arena *a, const PGresult *r, int row, enum column column)
{
    struct str value = pgdrv_value(r, row, (int)column);

    return value.len ? arena_cstr(a, value) : NULL;
}

static const char *describe_who(struct arena *a, const PGresult *r, int row)
{
    int64_t pid = pgdrv_value_i64(r, row, PID);
    const char *role = text_or_null(a, r, row, ROLE);
    const char *application = text_or_null(a, r, row, APPLICATION);
    const char *address = text_or_null(a, r, row, ADDRESS);
    const char *backend = text_or_null(a, r, row, BACKEND);

    if (pid == 0)
        return "a prepared transaction (see pg_prepared_xacts)";
    if (!role)
        return arena_printf(a, "process %lld%s%s%s", (long long)pid, backend ? " (" : "",
                            backend ? backend : "", backend ? ")" : "");
    return arena_printf(a, "process %lld (role %s%s%s%s%s)", (long long)pid, role,
                        application ? ", application " : "", application ? application : "",
                        address ? ", from " : "", address ? address : "");
}

static const char *kind_of_relation(struct str kind)
{
    static const struct {
        char kind;
        const char *name;
    } names[] = {{'r', "table "},    {'p', "table "}, {'i', "index "},
                 {'I', "index "},    {'v', "view "},  {'m', "materialized view "},
                 {'S', "sequence "}, {'f', "table "}, {'t', "TOAST table "}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (kind.len && kind.at[0] == names[i].kind)
            return names[i].name;
    }
    return "";
}

/* https://www.postgresql.org/docs/15/view-pg-locks.html, and the wait events of type Lock. */
static const char *describe_wanted(struct arena *a, const PGresult *r)
{
    const char *mode = arena_cstr(a, pgdrv_value(r, 0, WANTED_MODE));
    const char *type = arena_cstr(a, pgdrv_value(r, 0, LOCK_TYPE));
    const char *kind = kind_of_relation(pgdrv_value(r, 0, RELATION_KIND));
    const char *name = text_or_null(a, r, 0, RELATION_NAME);

    if (strcmp(type, "relation") == 0)
        return arena_printf(a, "%s on %s%s", mode, kind, name ? name : "a relation");
    if (strcmp(type, "transactionid") == 0 || strcmp(type, "tuple") == 0)
        return arena_printf(a, "a row%s%s%s that another transaction has changed or locked",
                            name ? " of " : "", name ? kind : "", name ? name : "");
    if (strcmp(type, "virtualxid") == 0)
        return "the end of another transaction";
    return arena_printf(a, "%s of type %s%s%s%s", mode, type, name ? " on " : "", name ? kind : "",
                        name ? name : "");
}

void pgdrv_blockers_take(struct arena *a, const PGresult *r, struct awaited_lock *out)
{
    size_t count = (size_t)PQntuples(r);
    bool has_more = PQnfields(r) > TRANSACTION;
    struct lock_blocker *at = arena_array(a, struct lock_blocker, count);

    for (int row = 0; row < (int)count; row++) {
        bool has_start = !PQgetisnull(r, row, OPEN_US);
        at[row] = (struct lock_blocker){
            .who = describe_who(a, r, row),
            .state = text_or_null(a, r, row, STATE),
            .holds = text_or_null(a, r, row, HELD_MODE),
            .open_us = has_start ? pgdrv_value_i64(r, row, OPEN_US) : -1,
            .is_waiting = str_equal(pgdrv_value(r, row, IS_WAITING), STR("t")),
            .query = arena_str(a, pgdrv_value(r, row, QUERY)),
            .transaction = has_more ? text_or_null(a, r, row, TRANSACTION) : NULL,
            .gives_way = has_more && str_equal(pgdrv_value(r, row, GIVES_WAY), STR("t")),
        };
    }
    *out = (struct awaited_lock){.wanted = describe_wanted(a, r), .at = at, .count = count};
}

/* What the server wants to say has been said to the first connection. */
static void drop_notice(void *context UNUSED, const PGresult *r UNUSED)
{
}

static bool connect_watcher(struct connection *c)
{
    SCOPED(fail) struct fail f = FAIL_NONE;

    if (c->watch.pg && PQstatus(c->watch.pg) != CONNECTION_BAD)
        return true;
    pgdrv_watch_close(c);
    c->watch.is_refused = true;
    if (clock_monotonic_us() < c->watch.refused_until_us)
        return false;
    c->watch.pg = pgdrv_connect(c, &f);
    c->watch.is_refused = !c->watch.pg;
    if (c->watch.pg) {
        (void)PQsetNoticeReceiver(c->watch.pg, drop_notice, NULL);
        return true;
    }
    c->watch.refused_until_us = clock_monotonic_us() + REFUSED_US;
    (void)snprintf(c->watch.why_unseen, sizeof(c->watch.why_unseen), "%s", f.message);
    return false;
}

PGresult *pgdrv_watch_ask(struct connection *c, const char *sql)
{
    static const Oid types[] = {OID_INT4};
    char pid[16];
    const char *values[] = {pid};
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    if (!connect_watcher(c))
        return NULL;
    struct connection second = {.pg = c->watch.pg};

    (void)snprintf(pid, sizeof(pid), "%d", (int)c->server_pid);
    struct pgdrv_query q = {.sql = sql, .count = 1, .values = values, .types = types};
    return pgdrv_ask(&second, &q, &ignored);
}

void pgdrv_watch_look(struct connection *c)
{
    if (c->patience.is_on) {
        pgdrv_patience_look(c);
        return;
    }
    SCOPED(pg_result) PGresult *waits = pgdrv_watch_ask(c, sql_postgres_blockers_waits);
    if (!waits || PQntuples(waits) == 0 || !str_equal(pgdrv_value(waits, 0, 0), STR("t")))
        return;
    SCOPED(pg_result) PGresult *r = pgdrv_watch_ask(c, sql_postgres_blockers_read);
    if (!r || PQntuples(r) == 0)
        return;
    arena_release(c->watch.arena);
    c->watch.arena = arena_make();
    pgdrv_blockers_take(c->watch.arena, r, &c->watch.seen);
    c->watch.has_seen = true;
}

void pgdrv_last_wait(struct arena *a, struct connection *c, struct awaited_lock *out)
{
    if (c->watch.has_seen) {
        *out = c->watch.seen;
        return;
    }
    *out = (struct awaited_lock){.why_unseen = "the statement did not wait long enough for a look"};
    if (c->watch.is_refused)
        out->why_unseen = arena_cstr(a, str_of(c->watch.why_unseen));
}

/* ---- statements under watch ---- */

bool pgdrv_execute_watched(struct connection *c, const struct statement *at, size_t count,
                           const struct copy_source *copy, struct statement_result *results,
                           size_t *out_done, size_t *out_offset, struct fail *f)
{
    /* A database that is copied or dropped must have no other session in it; what waits for others by
       nature has no lock timeout. */
    bool is_unwatched =
        !c->in_unit && count && (strstr(at[0].kind, "DATABASE") || pgdrv_waits_for_others(&at[0]));
    bool is_patient = count && pgdrv_patience_begin(c, &at[0]);

    if (is_unwatched && !is_patient)
        pgdrv_watch_close(c);
    else if (!is_patient)
        pgdrv_watch_begin(c);
    bool is_done = pgdrv_execute(c, at, count, copy, results, out_done, out_offset, f);
    if (is_patient)
        pgdrv_patience_end(c, f);
    pgdrv_watch_end(c, !is_done && f->kind == FAIL_LOCK_TIMEOUT);
    if (is_done && !c->in_unit)
        pgdrv_watch_close(c);
    return is_done;
}

bool pgdrv_commit_watched(struct connection *c, const struct journal_entries *entries,
                          const struct statement *own_commit, struct fail *f)
{
    pgdrv_watch_begin(c);
    bool is_done = pgdrv_commit(c, entries, own_commit, f);
    pgdrv_watch_end(c, !is_done && f->kind == FAIL_LOCK_TIMEOUT);
    if (is_done)
        pgdrv_watch_close(c);
    return is_done;
}

bool pgdrv_await_commit_watched(struct connection *c, struct fail *f)
{
    if (!c->ahead.is_open)
        return true;
    pgdrv_watch_begin(c);
    bool is_done = pgdrv_await_commit(c, f);
    pgdrv_watch_end(c, !is_done && f->kind == FAIL_LOCK_TIMEOUT);
    return is_done;
}
