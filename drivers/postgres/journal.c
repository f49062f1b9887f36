/*
 * Entries as prepared statements, so that a thousand migrations parse them once. They run as the
 * role that opened the connection, whatever the migration has made itself with SET ROLE or SET
 * SESSION AUTHORIZATION; it is made that again before COMMIT.
 */
#include "drivers/postgres/backfill.h"

#include "sql.h"

#define ROW_FIELDS 16
#define EVENT_FIELDS 21

static const Oid row_types[ROW_FIELDS] = {
    OID_INT8, OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT,        OID_TEXT, OID_INT8,
    OID_INT8, OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT, OID_TIMESTAMPTZ, OID_INT8, OID_TEXT,
};

static const Oid event_types[EVENT_FIELDS] = {
    OID_INT8, OID_TEXT, OID_TIMESTAMPTZ, OID_TEXT, OID_TEXT, OID_INT8, OID_TEXT,
    OID_TEXT, OID_TEXT, OID_TEXT,        OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT,
    OID_INT8, OID_INT8, OID_INT8,        OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT,
};

static const char *number(struct arena *a, int64_t value)
{
    return arena_printf(a, "%lld", (long long)value);
}

static void fill_row(struct arena *a, const struct history_row *h, const char *values[])
{
    const char *const filled[ROW_FIELDS] = {
        number(a, h->rank),
        arena_cstr(a, h->version),
        arena_cstr(a, h->description),
        arena_cstr(a, h->kind),
        arena_cstr(a, h->layout),
        arena_cstr(a, h->script),
        arena_cstr(a, h->state),
        number(a, h->units_done),
        number(a, h->statements),
        arena_cstr(a, h->digest_raw),
        arena_cstr(a, h->digest_normalized),
        arena_cstr(a, h->digest_tree),
        arena_cstr(a, h->installed_by),
        arena_cstr(a, h->installed_at),
        number(a, h->duration_us),
        arena_cstr(a, h->run),
    };
    memcpy(values, filled, sizeof(filled));
}

static void fill_event(struct arena *a, const struct event *e, const char *values[])
{
    const char *const filled[EVENT_FIELDS] = {
        number(a, e->id),
        arena_cstr(a, e->run),
        arena_cstr(a, e->at),
        arena_cstr(a, e->kind),
        arena_cstr(a, e->version),
        number(a, e->unit),
        arena_cstr(a, e->actor),
        arena_cstr(a, e->db_role),
        arena_cstr(a, e->host),
        arena_cstr(a, e->git_commit),
        arena_cstr(a, e->git_author),
        arena_cstr(a, e->plan_digest),
        arena_cstr(a, e->evidence_digest),
        arena_cstr(a, e->sql),
        number(a, e->duration_us),
        number(a, e->lock_wait_us),
        number(a, e->rows),
        arena_cstr(a, e->sqlstate),
        arena_cstr(a, e->detail),
        arena_cstr(a, e->previous),
        arena_cstr(a, e->digest),
    };
    memcpy(values, filled, sizeof(filled));
}

/* Sends to prepare what is not prepared. Names are not used twice in a session: the migration may
   or may not have deallocated the old ones. */
static bool prepare(struct connection *c, const char *name, const char *sql, int count,
                    const Oid *types, bool *is_prepared, int *queries, struct fail *f)
{
    if (*is_prepared)
        return true;
    *is_prepared = true;
    ++*queries;
    return pgdrv_pipeline_prepare(c, name, pgdrv_sql(c, sql), count, types, f);
}

void pgdrv_journal_forget(struct connection *c)
{
    c->prepared_generation++;
    c->is_prepared_row = c->is_prepared_event = c->is_prepared_xid = false;
}

static bool send_row(struct connection *c, const struct history_row *h, int *queries,
                     struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *values[ROW_FIELDS];
    const char *name = arena_printf(a, "migrate_row_%u", c->prepared_generation);

    if (!prepare(c, name, sql_postgres_history_insert, ROW_FIELDS, row_types, &c->is_prepared_row,
                 queries, f))
        return false;
    fill_row(a, h, values);
    ++*queries;
    return pgdrv_pipeline_send(
        c, &(struct pgdrv_query){.name = name, .count = ROW_FIELDS, .values = values}, f);
}

static bool send_update(struct connection *c, const struct history_row *h, int *queries,
                        struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *values[ROW_FIELDS];

    fill_row(a, h, values);
    ++*queries;
    return pgdrv_pipeline_send(c,
                               &(struct pgdrv_query){
                                   .sql = pgdrv_sql(c, sql_postgres_history_update),
                                   .count = ROW_FIELDS,
                                   .values = values,
                                   .types = row_types,
                               },
                               f);
}

static bool send_event(struct connection *c, const struct event *e, int *queries, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *values[EVENT_FIELDS];
    const char *name = arena_printf(a, "migrate_event_%u", c->prepared_generation);

    if (!prepare(c, name, sql_postgres_event_insert, EVENT_FIELDS, event_types,
                 &c->is_prepared_event, queries, f))
        return false;
    fill_event(a, e, values);
    ++*queries;
    return pgdrv_pipeline_send(
        c, &(struct pgdrv_query){.name = name, .count = EVENT_FIELDS, .values = values}, f);
}

/* txid_current() is what pg_current_xact_id() is called since 13; all versions still have it. It
   gives the transaction its number, by which a lost COMMIT is looked up: settle.c. */
bool pgdrv_xid_send(struct connection *c, int *out_queries, struct fail *f)
{
    char name[32];

    *out_queries = 1;
    (void)snprintf(name, sizeof(name), "migrate_xid_%u", c->prepared_generation);
    return prepare(c, name, sql_postgres_xid, 0, NULL, &c->is_prepared_xid, out_queries, f) &&
           pgdrv_pipeline_send(c, &(struct pgdrv_query){.name = name}, f);
}

static bool send_all(struct connection *c, const char *const *statements, size_t count,
                     int *queries, struct fail *f)
{
    for (size_t i = 0; i < count; i++) {
        ++*queries;
        if (!pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = statements[i]}, f))
            return false;
    }
    return true;
}

bool pgdrv_journal_send(struct connection *c, const struct journal_entries *entries,
                        int *out_queries, struct fail *f)
{
    /* LOCAL: behind COMMIT the session is as the migration left it. */
    static const char *const leave[] = {
        /* First one that answers without rows: behind a statement that was sent alone, libpq 15
           gives the first query of a pipeline its rows one by one (fe-exec.c, pqAppendCmdQueueEntry
           leaves singleRowMode as it was), which nothing here expects. */
        "SET LOCAL statement_timeout TO 0",        sql_postgres_role_leave,
        "SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL role TO DEFAULT",
        "SET LOCAL client_encoding TO 'UTF8'",
    };
    static const char *const come_back[] = {sql_postgres_role_return};

    *out_queries = 0;
    if (c->is_dirty && !send_all(c, leave, ARRAY_LEN(leave), out_queries, f))
        return false;
    if (entries->insert_row && !send_row(c, entries->insert_row, out_queries, f))
        return false;
    if (entries->update_row && !send_update(c, entries->update_row, out_queries, f))
        return false;
    for (size_t i = 0; i < entries->event_count; i++) {
        if (!send_event(c, &entries->events[i], out_queries, f))
            return false;
    }
    if (!pgdrv_point_send(c, entries, out_queries, f))
        return false;
    return !c->is_dirty || send_all(c, come_back, ARRAY_LEN(come_back), out_queries, f);
}

static bool fail_moved(struct fail *f)
{
    (void)fail_set(f, EXIT_BUSY, "somebody else wrote the history since it was read");
    (void)fail_kind_set(f, FAIL_HISTORY_MOVED);
    return fail_hint(f, "Nothing of this step was applied; run again.");
}

bool pgdrv_journal_receive(struct connection *c, int queries, struct fail *f)
{
    for (int i = 0; i < queries; i++) {
        SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);
        if (!r)
            return false;
        ExecStatusType status = PQresultStatus(r);
        bool is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        bool is_write = is_done && (strncmp(PQcmdStatus(r), "UPDATE", 6) == 0 ||
                                    strncmp(PQcmdStatus(r), "INSERT", 6) == 0);
        /* 23502: the event before is not there, see event_insert.sql. */
        bool is_refused = pgdrv_has_sqlstate(r, "23505") || pgdrv_has_sqlstate(r, "23502");
        if (is_refused || (is_write && strcmp(PQcmdTuples(r), "1") != 0))
            return fail_moved(f);
        if (is_done)
            continue;
        (void)pgdrv_fail_result(c, r, f);
        return fail_wrap(f, "while writing the history");
    }
    return true;
}
