/*
 * Checkpoints of steps that run in batches: the table `backfill` beside the history. It is made when the
 * first such step begins, so that a role which never runs one needs no right for it.
 */
#include "drivers/postgres/backfill.h"

#include "core/base/vec.h"
#include "sql.h"

#define POINT_FIELDS 18

/* Around what is ours: a migration may have changed the role. */
static bool begin_as_ourselves(struct connection *c, struct fail *f)
{
    return pgdrv_run(c, "BEGIN; SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO DEFAULT",
                     f);
}

static bool end_transaction(struct connection *c, bool is_done, struct fail *f)
{
    SCOPED(fail) struct fail second = FAIL_NONE;
    if (is_done)
        return pgdrv_run(c, "COMMIT", f);
    if (!c->is_lost)
        (void)!pgdrv_run(c, "ROLLBACK", &second);
    return false;
}

bool pgdrv_backfill_prepare(struct connection *c, struct fail *f)
{
    if (!pgdrv_session_ensure(c, f))
        return false;
    c->is_quiet = true; /* "already exists" */
    bool is_done = pgdrv_run(c, pgdrv_sql(c, sql_postgres_backfill_create), f);
    c->is_quiet = false;
    if (is_done)
        return true;
    (void)end_transaction(c, false, f);
    (void)fail_wrap(f, "while making the table of checkpoints");
    return fail_hint(f, "The role %s needs the right to create tables in the schema %s.", c->role,
                     c->history_schema);
}

static bool has_table(struct connection *c, bool *out, struct fail *f)
{
    static const Oid types[] = {OID_TEXT};
    SCOPED(arena) struct arena *a = arena_make();
    const char *values[] = {arena_printf(a, "%s.backfill", c->history_schema)};
    SCOPED(pg_result)
    PGresult *r =
        pgdrv_ask(c,
                  &(struct pgdrv_query){.sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL",
                                        .count = 1,
                                        .values = values,
                                        .types = types},
                  f);
    *out = r && str_equal(pgdrv_value(r, 0, 0), STR("t"));
    return r != NULL;
}

static struct str cell(struct arena *a, const PGresult *r, int row, int column)
{
    return arena_str(a, pgdrv_value(r, row, column));
}

static struct backfill_point take_point(struct arena *a, const PGresult *r, int i)
{
    return (struct backfill_point){
        .version = cell(a, r, i, 0),
        .unit = pgdrv_value_i64(r, i, 1),
        .format = pgdrv_value_i64(r, i, 2),
        .digest = cell(a, r, i, 3),
        .table = cell(a, r, i, 4),
        .key = cell(a, r, i, 5),
        .lo = cell(a, r, i, 6),
        .upto = cell(a, r, i, 7),
        .filenode = pgdrv_value_i64(r, i, 8),
        .rows = pgdrv_value_i64(r, i, 9),
        .batches = pgdrv_value_i64(r, i, 10),
        .visited = pgdrv_value_i64(r, i, 11),
        .total = pgdrv_value_i64(r, i, 12),
        .batch_size = pgdrv_value_i64(r, i, 13),
        .paused_us = pgdrv_value_i64(r, i, 14),
        .started_at = cell(a, r, i, 15),
        .updated_at = cell(a, r, i, 16),
        .run = cell(a, r, i, 17),
    };
}

static bool read_points(struct arena *a, struct connection *c, struct backfill_points *out,
                        struct fail *f)
{
    SCOPED(pg_result)
    PGresult *r =
        pgdrv_ask(c, &(struct pgdrv_query){.sql = pgdrv_sql(c, sql_postgres_backfill_read)}, f);
    for (int i = 0; r && i < PQntuples(r); i++)
        vec_push(a, out, take_point(a, r, i));
    return r != NULL;
}

bool pgdrv_backfill_read(struct arena *a, struct connection *c, struct backfill_points *out,
                         struct fail *f)
{
    bool exists = false;
    *out = (struct backfill_points){0};
    if (!pgdrv_session_ensure(c, f) || !has_table(c, &exists, f))
        return false;
    if (!exists)
        return true;
    bool is_done = begin_as_ourselves(c, f) && read_points(a, c, out, f);
    return end_transaction(c, is_done, f) || fail_wrap(f, "while reading the checkpoints");
}

/* ---- with the entries of a transaction ---- */

static const char *number(struct arena *a, int64_t value)
{
    return arena_printf(a, "%lld", (long long)value);
}

static bool send_write(struct connection *c, const struct backfill_point *p, struct fail *f)
{
    static const Oid types[POINT_FIELDS] = {
        OID_TEXT, OID_INT8, OID_INT8, OID_TEXT,        OID_TEXT,        OID_TEXT,
        OID_TEXT, OID_TEXT, OID_INT8, OID_INT8,        OID_INT8,        OID_INT8,
        OID_INT8, OID_INT8, OID_INT8, OID_TIMESTAMPTZ, OID_TIMESTAMPTZ, OID_TEXT,
    };
    SCOPED(arena) struct arena *a = arena_make();
    const char *const values[POINT_FIELDS] = {
        arena_cstr(a, p->version),    number(a, p->unit),           number(a, p->format),
        arena_cstr(a, p->digest),     arena_cstr(a, p->table),      arena_cstr(a, p->key),
        arena_cstr(a, p->lo),         arena_cstr(a, p->upto),       number(a, p->filenode),
        number(a, p->rows),           number(a, p->batches),        number(a, p->visited),
        number(a, p->total),          number(a, p->batch_size),     number(a, p->paused_us),
        arena_cstr(a, p->started_at), arena_cstr(a, p->updated_at), arena_cstr(a, p->run),
    };
    return pgdrv_pipeline_send(
        c,
        &(struct pgdrv_query){.sql = pgdrv_sql(c, sql_postgres_backfill_write),
                              .count = POINT_FIELDS,
                              .values = values,
                              .types = types},
        f);
}

static bool send_remove(struct connection *c, const struct backfill_point *p, struct fail *f)
{
    static const Oid types[] = {OID_TEXT, OID_INT8};
    SCOPED(arena) struct arena *a = arena_make();
    const char *const values[] = {arena_cstr(a, p->version), number(a, p->unit)};
    return pgdrv_pipeline_send(
        c,
        &(struct pgdrv_query){.sql = pgdrv_sql(c, sql_postgres_backfill_remove),
                              .count = 2,
                              .values = values,
                              .types = types},
        f);
}

bool pgdrv_point_send(struct connection *c, const struct journal_entries *entries, int *queries,
                      struct fail *f)
{
    if (!entries->point)
        return true;
    ++*queries;
    return entries->removes_point ? send_remove(c, entries->point, f)
                                  : send_write(c, entries->point, f);
}

bool pgdrv_point_is_written(struct connection *c, const struct backfill_point *p, bool *out,
                            struct fail *f)
{
    static const Oid types[] = {OID_TEXT, OID_INT8, OID_INT8};
    SCOPED(arena) struct arena *a = arena_make();
    const char *const values[] = {arena_cstr(a, p->version), number(a, p->unit),
                                  number(a, p->batches)};
    SCOPED(pg_result)
    PGresult *r =
        pgdrv_ask(c,
                  &(struct pgdrv_query){.sql = pgdrv_sql(c, sql_postgres_backfill_settled),
                                        .count = 3,
                                        .values = values,
                                        .types = types},
                  f);
    *out = r && str_equal(pgdrv_value(r, 0, 0), STR("t"));
    return r != NULL;
}
