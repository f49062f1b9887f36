/*
 * Checkpoints of steps that run in batches: a table beside the history, made when the first such step
 * begins. A checkpoint is written in the transaction of its batch, so that both are there or neither.
 */
#include "drivers/sqlite/backfill.h"

#include "core/base/vec.h"
#include "sql.h"

bool sqlite_backfill_prepare(struct connection *c, struct fail *f)
{
    if (!sqlite_ensure_open(c, f))
        return false;
    sqlite_wait_limit(c, c->lock_timeout_ms);
    bool is_done = sqlite_run(c, QUERY_BEGIN_WRITE, f) &&
                   sqlite_run_script(c, sql_sqlite_backfill_create, f) &&
                   sqlite_run(c, QUERY_COMMIT, f);
    sqlite_abandon(c);
    return is_done || fail_wrap(f, "while making the table of checkpoints");
}

static struct str cell(struct arena *a, sqlite3_stmt *s, int column)
{
    return arena_str(a, sqlite_text(s, column));
}

static struct backfill_point take_point(struct arena *a, sqlite3_stmt *s)
{
    return (struct backfill_point){
        .version = cell(a, s, 0),
        .unit = sqlite3_column_int64(s, 1),
        .format = sqlite3_column_int64(s, 2),
        .digest = cell(a, s, 3),
        .table = cell(a, s, 4),
        .key = cell(a, s, 5),
        .lo = cell(a, s, 6),
        .upto = cell(a, s, 7),
        .filenode = sqlite3_column_int64(s, 8),
        .rows = sqlite3_column_int64(s, 9),
        .batches = sqlite3_column_int64(s, 10),
        .visited = sqlite3_column_int64(s, 11),
        .total = sqlite3_column_int64(s, 12),
        .batch_size = sqlite3_column_int64(s, 13),
        .paused_us = sqlite3_column_int64(s, 14),
        .started_at = cell(a, s, 15),
        .updated_at = cell(a, s, 16),
        .run = cell(a, s, 17),
    };
}

bool sqlite_backfill_read(struct arena *a, struct connection *c, struct backfill_points *out,
                          struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    bool exists;
    bool is_row = true;
    *out = (struct backfill_points){0};
    if (!sqlite_ensure_open(c, f))
        return false;
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!sqlite_find_table(c, sqlite_own_table(a, c, "backfill"), &exists, f))
        return false;
    if (!exists)
        return true;
    if (!sqlite_prepare(c, sqlite_fill_prefix(a, c, sql_sqlite_backfill_read), &s, f))
        return fail_wrap(f, "while reading the checkpoints");
    while (sqlite_step(c, s, &is_row, f) && is_row)
        vec_push(a, out, take_point(a, s));
    return !is_row || fail_wrap(f, "while reading the checkpoints");
}

/* ---- with the entries of a transaction ---- */

static bool step_once(struct connection *c, sqlite3_stmt *s, struct fail *f)
{
    bool is_row;
    return sqlite_step(c, s, &is_row, f);
}

static bool write_point(struct connection *c, const struct backfill_point *p, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    if (!sqlite_query(c, QUERY_BACKFILL_WRITE, &s, f))
        return false;
    sqlite_bind(s, 1, p->version);
    sqlite3_bind_int64(s, 2, p->unit);
    sqlite3_bind_int64(s, 3, p->format);
    sqlite_bind(s, 4, p->digest);
    sqlite_bind(s, 5, p->table);
    sqlite_bind(s, 6, p->key);
    sqlite_bind(s, 7, p->lo);
    sqlite_bind(s, 8, p->upto);
    sqlite3_bind_int64(s, 9, p->filenode);
    sqlite3_bind_int64(s, 10, p->rows);
    sqlite3_bind_int64(s, 11, p->batches);
    sqlite3_bind_int64(s, 12, p->visited);
    sqlite3_bind_int64(s, 13, p->total);
    sqlite3_bind_int64(s, 14, p->batch_size);
    sqlite3_bind_int64(s, 15, p->paused_us);
    sqlite_bind(s, 16, p->started_at);
    sqlite_bind(s, 17, p->updated_at);
    sqlite_bind(s, 18, p->run);
    return step_once(c, s, f);
}

static bool remove_point(struct connection *c, const struct backfill_point *p, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    if (!sqlite_query(c, QUERY_BACKFILL_REMOVE, &s, f))
        return false;
    sqlite_bind(s, 1, p->version);
    sqlite3_bind_int64(s, 2, p->unit);
    return step_once(c, s, f);
}

bool sqlite_point_write(struct connection *c, const struct journal_entries *entries, struct fail *f)
{
    if (!entries->point)
        return true;
    return entries->removes_point ? remove_point(c, entries->point, f)
                                  : write_point(c, entries->point, f);
}

bool sqlite_point_is_written(struct connection *c, const struct backfill_point *p, bool *out,
                             struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_prepare(c, sqlite_fill_prefix(a, c, sql_sqlite_backfill_settled), &s, f))
        return false;
    sqlite_bind(s, 1, p->version);
    sqlite3_bind_int64(s, 2, p->unit);
    sqlite3_bind_int64(s, 3, p->batches);
    if (!sqlite_step(c, s, &is_row, f))
        return false;
    *out = sqlite3_column_int64(s, 0) != 0;
    return true;
}
