/*
 * Reads the history and makes its tables. "Nothing to do" is one round trip: the start of the
 * session, the question whether the tables are there and the rows travel together; where the tables
 * are missing the last one fails, and nobody sees it.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "sql.h"

static const struct pgdrv_query *exists_query(struct connection *c, struct pgdrv_query *q,
                                              const char *values[2])
{
    static const Oid types[] = {OID_TEXT, OID_TEXT};

    values[0] = arena_cstr(c->arena, c->history_name);
    values[1] = arena_printf(c->arena, "%s.history", c->history_schema);
    *q = (struct pgdrv_query){
        .sql = sql_postgres_history_exists, .count = 2, .values = values, .types = types};
    return q;
}

static bool is_true(const PGresult *r, int column)
{
    return str_equal(pgdrv_value(r, 0, column), STR("t"));
}

/* Both tables or none: one alone is a history that somebody has damaged. */
static bool check_tables(struct connection *c, const PGresult *r, bool *out_exists, struct fail *f)
{
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        (void)pgdrv_fail_result(c, r, f);
        return fail_hint(f, "The role needs the right to use the schema %s and to read its tables.",
                         c->history_schema);
    }
    bool has_history = is_true(r, 1);
    bool has_event = is_true(r, 2);
    *out_exists = has_history && has_event;
    if (has_history == has_event)
        return true;
    (void)fail_set(f, EXIT_INTEGRITY, "the table %s.%s is missing", c->history_schema,
                   has_history ? "event" : "history");
    return fail_hint(f, "Restore it from a backup; a history is not complete without it.");
}

static struct str cell(struct arena *a, const PGresult *r, int row, int column)
{
    return arena_str(a, pgdrv_value(r, row, column));
}

static struct history_row take_row(struct arena *a, const PGresult *r, int i)
{
    return (struct history_row){
        .rank = pgdrv_value_i64(r, i, 2),
        .version = cell(a, r, i, 3),
        .description = cell(a, r, i, 4),
        .kind = cell(a, r, i, 5),
        .layout = cell(a, r, i, 6),
        .script = cell(a, r, i, 7),
        .state = cell(a, r, i, 8),
        .units_done = pgdrv_value_i64(r, i, 9),
        .statements = pgdrv_value_i64(r, i, 10),
        .digest_raw = cell(a, r, i, 11),
        .digest_normalized = cell(a, r, i, 12),
        .digest_tree = cell(a, r, i, 13),
        .installed_by = cell(a, r, i, 14),
        .installed_at = cell(a, r, i, 15),
        .duration_us = pgdrv_value_i64(r, i, 16),
        .run = cell(a, r, i, 17),
    };
}

static bool take_history(struct arena *a, struct connection *c, const PGresult *r,
                         struct history *out, struct fail *f)
{
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        (void)pgdrv_fail_result(c, r, f);
        bool is_shape = pgdrv_has_sqlstate(r, "42703");
        return fail_hint(f,
                         is_shape
                             ? "The tables in schema %s are not ours; name another schema with "
                               "`history:` in migrator.yml."
                             : "The role needs the right to read the tables of schema %s.",
                         c->history_schema);
    }
    int count = PQntuples(r);
    if (count > 0) {
        out->head_id = pgdrv_value_i64(r, 0, 0);
        out->head_digest = cell(a, r, 0, 1);
    }
    for (int i = 0; i < count; i++) {
        if (!PQgetisnull(r, i, 2))
            vec_push(a, out, take_row(a, r, i));
    }
    return true;
}

static bool send_questions(struct connection *c, bool is_new, const char *sql, struct fail *f)
{
    struct pgdrv_query exists;
    const char *values[2];
    struct pgdrv_query read = {.sql = pgdrv_sql(c, sql)};

    return (!is_new || pgdrv_session_send(c, f)) &&
           pgdrv_pipeline_send(c, exists_query(c, &exists, values), f) &&
           pgdrv_pipeline_sync(c, f) && pgdrv_pipeline_send(c, &read, f) &&
           pgdrv_pipeline_sync(c, f);
}

static bool receive_answers(struct arena *a, struct connection *c, bool is_new, struct history *out,
                            struct fail *f)
{
    if (is_new && !pgdrv_session_receive(c, f))
        return false;
    SCOPED(pg_result) PGresult *exists = pgdrv_pipeline_next(c, f);
    if (!exists || !check_tables(c, exists, &out->exists, f) || !pgdrv_pipeline_expect(c, f))
        return false;
    SCOPED(pg_result) PGresult *rows = pgdrv_pipeline_next(c, f);
    if (!rows)
        return false;
    return !out->exists || take_history(a, c, rows, out, f);
}

static bool read_rows(struct arena *a, struct connection *c, const char *sql, struct history *out,
                      struct fail *f)
{
    if (c->is_lost && !pgdrv_session_ensure(c, f))
        return false;
    bool is_new = !c->is_started;
    *out = (struct history){0};
    if (!pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = send_questions(c, is_new, sql, f) && receive_answers(a, c, is_new, out, f);
    pgdrv_pipeline_leave(c);
    return is_done || fail_wrap(f, "while reading the history");
}

bool pgdrv_read_history(struct arena *a, struct connection *c, struct history *out, struct fail *f)
{
    return read_rows(a, c, sql_postgres_history_read, out, f);
}

bool pgdrv_read_applied(struct arena *a, struct connection *c, struct history *out, struct fail *f)
{
    return read_rows(a, c, sql_postgres_applied_read, out, f);
}

/* ---- events ---- */

static struct event take_event(const PGresult *r)
{
    return (struct event){
        .id = pgdrv_value_i64(r, 0, 0),
        .run = pgdrv_value(r, 0, 1),
        .at = pgdrv_value(r, 0, 2),
        .kind = pgdrv_value(r, 0, 3),
        .version = pgdrv_value(r, 0, 4),
        .unit = pgdrv_value_i64(r, 0, 5),
        .actor = pgdrv_value(r, 0, 6),
        .db_role = pgdrv_value(r, 0, 7),
        .host = pgdrv_value(r, 0, 8),
        .git_commit = pgdrv_value(r, 0, 9),
        .git_author = pgdrv_value(r, 0, 10),
        .plan_digest = pgdrv_value(r, 0, 11),
        .evidence_digest = pgdrv_value(r, 0, 12),
        .sql = pgdrv_value(r, 0, 13),
        .duration_us = pgdrv_value_i64(r, 0, 14),
        .lock_wait_us = pgdrv_value_i64(r, 0, 15),
        .rows = pgdrv_value_i64(r, 0, 16),
        .sqlstate = pgdrv_value(r, 0, 17),
        .detail = pgdrv_value(r, 0, 18),
        .previous = pgdrv_value(r, 0, 19),
        .digest = pgdrv_value(r, 0, 20),
    };
}

/* One row in memory at a time; behind a visitor that fails the rest is read and dropped. */
static bool visit_rows(struct connection *c, event_visitor *visit, void *context, struct fail *f)
{
    bool is_done = true;

    (void)PQsetSingleRowMode(c->pg);
    for (PGresult *r; !c->is_lost && (r = pgdrv_next_result(c)); PQclear(r)) {
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_SINGLE_TUPLE && is_done) {
            struct event e = take_event(r);
            is_done = visit(context, &e, f);
        } else if (status == PGRES_FATAL_ERROR && !pgdrv_has_sqlstate(r, "42P01") &&
                   !pgdrv_has_sqlstate(r, "3F000")) {
            is_done = pgdrv_fail_result(c, r, f);
        }
    }
    return c->is_lost ? pgdrv_fail_lost(c, f) : is_done;
}

bool pgdrv_read_events(struct connection *c, int64_t from_id, struct str version,
                       event_visitor *visit, void *context, struct fail *f)
{
    static const Oid types[] = {OID_INT8, OID_TEXT};
    char from[24];
    SCOPED(arena) struct arena *a = arena_make();
    const char *values[] = {from, arena_cstr(a, version)};

    if (!pgdrv_session_ensure(c, f))
        return false;
    (void)snprintf(from, sizeof(from), "%lld", (long long)from_id);
    int64_t started_us = clock_monotonic_us();
    if (!PQsendQueryParams(c->pg, pgdrv_sql(c, sql_postgres_events_read), 2, types, values, NULL,
                           NULL, 0))
        return pgdrv_fail_lost(c, f);
    bool is_done = visit_rows(c, visit, context, f);
    log_sql(str_of(pgdrv_sql(c, sql_postgres_events_read)), clock_monotonic_us() - started_us,
            is_done ? NULL : "failed");
    return is_done || fail_wrap(f, "while reading the events");
}

/* ---- making the tables ---- */

static bool make_tables(struct connection *c, bool has_schema, struct fail *f)
{
    if (!has_schema && !pgdrv_run(c, pgdrv_sql(c, sql_postgres_history_schema), f)) {
        /* 42P06: made by somebody else in between. */
        if (strcmp(f->sqlstate, "42P06") != 0) {
            (void)fail_hint(f,
                            "Let an owner of the database say once: CREATE SCHEMA %s AUTHORIZATION "
                            "%s; or name a schema of yours with `history:` in migrator.yml.",
                            c->history_schema, c->role);
            return false;
        }
        fail_clear(f);
    }
    if (pgdrv_run(c, pgdrv_sql(c, sql_postgres_history_create), f))
        return true;
    return fail_hint(f, "The role %s needs the right to create tables in the schema %s.", c->role,
                     c->history_schema);
}

bool pgdrv_prepare_history(struct connection *c, struct fail *f)
{
    struct pgdrv_query query;
    const char *values[2];
    bool exists = false;

    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, exists_query(c, &query, values), f);
    if (!r || !check_tables(c, r, &exists, f))
        return false;
    if (exists)
        return true;
    c->is_quiet = true;
    bool is_done = make_tables(c, is_true(r, 0), f);
    c->is_quiet = false;
    return is_done || fail_wrap(f, "while making the tables of the history");
}
