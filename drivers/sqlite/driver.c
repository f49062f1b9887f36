/* The table of operations, and those too small for a file of their own. */
#include "drivers/sqlite/driver.h"

#include "drivers/sqlite/backfill.h"

#include "sql.h"

static bool sqlite_identity(struct arena *a, struct connection *c, struct server_identity *out,
                            struct fail *f)
{
    (void)f;
    *out = (struct server_identity){
        .safe_url = arena_cstr(a, str_of(c->safe_url)),
        .database = arena_cstr(a, str_of(c->path)),
        .role = sqlite_user_name(a),
        .version_number = (uint32_t)sqlite3_libversion_number(),
        .version_text = sqlite3_libversion(),
        .clock_offset_us = 0, /* there is no server: its clock is ours */
    };
    return true;
}

/* No pooler can stand between us and a file. */
static bool sqlite_check_session(struct connection *c, struct fail *f)
{
    (void)c;
    (void)f;
    return true;
}

/* Statements that refuse a transaction (VACUUM, some PRAGMAs) leave nothing half-done. */
static bool sqlite_check_after(struct connection *c, const struct probe *p, struct fail *f)
{
    (void)c;
    (void)p;
    (void)f;
    return true;
}

static bool sqlite_probe(struct connection *c, const struct probe *p, const char *before,
                         enum probe_answer *out, struct fail *f)
{
    (void)c;
    (void)before;
    (void)f;
    *out = p->kind == PROBE_RERUN ? PROBE_NOT_DONE : PROBE_UNKNOWN;
    return true;
}

static bool sqlite_probe_before(struct arena *a, struct connection *c, const struct probe *p,
                                const char **out, struct fail *f)
{
    (void)a;
    (void)c;
    (void)p;
    (void)f;
    *out = NULL;
    return true;
}

/* Nothing is left to do: with synchronous = FULL, set when the connection is opened, COMMIT returns
   when the transaction is on disk, in WAL mode too
   (https://www.sqlite.org/pragma.html#pragma_synchronous). NORMAL would save a flush for each
   COMMIT in WAL mode, but a migration is worth one. */
static bool sqlite_flush(struct connection *c, struct fail *f)
{
    (void)c;
    (void)f;
    return true;
}

static bool sqlite_read_schema(struct arena *a, struct connection *c, struct str **out_texts,
                               size_t *out_count, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    VEC_OF(struct str) texts = {0};
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!sqlite_query(c, QUERY_SCHEMA_READ, &s, f))
        return false;
    sqlite_bind(s, 1, str_of(sqlite_own_table(a, c, "history")));
    sqlite_bind(s, 2, str_of(sqlite_own_table(a, c, "event")));
    sqlite_bind(s, 3, str_of(sqlite_own_table(a, c, "lock")));
    sqlite_bind(s, 4, str_of(sqlite_own_table(a, c, "backfill")));
    for (;;) {
        bool is_row;
        if (!sqlite_step(c, s, &is_row, f))
            return fail_wrap(f, "while reading the schema");
        if (!is_row)
            break;
        vec_push(a, &texts, arena_str(a, sqlite_text(s, 0)));
    }
    *out_texts = texts.at;
    *out_count = texts.count;
    return true;
}

static bool sqlite_count_rows(struct connection *c, struct str table, int64_t most, int64_t *out,
                              struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    const struct fill values[] = {
        {"{table}", sqlite_escape(a, table)},
        {"{most}", arena_printf(a, "%lld", (long long)most)},
    };
    bool is_row;
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!sqlite_prepare(c, sqlite_fill(a, sql_sqlite_rows_up_to, values, ARRAY_LEN(values)), &s,
                        f) ||
        !sqlite_step(c, s, &is_row, f))
        return fail_wrap(f, "while counting rows");
    *out = sqlite3_column_int64(s, 0);
    return true;
}

static const char *sqlite_library_version(bool is_runtime)
{
    return is_runtime ? sqlite3_libversion() : SQLITE_VERSION;
}

static const struct driver operations = {
    .engine = ENGINE_SQLITE,
    .open = sqlite_connection_open,
    .close = sqlite_connection_close,
    .read_history = sqlite_read_history,
    .identity = sqlite_identity,
    .read_events = sqlite_read_events,
    .check_session = sqlite_check_session,
    .try_lock = sqlite_try_lock,
    .unlock = sqlite_unlock,
    .prepare_history = sqlite_prepare_history,
    .announce = sqlite_announce,
    .begin = sqlite_begin,
    .execute = sqlite_execute,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .append = sqlite_append,
    .reset_session = sqlite_reset_session,
    .check_after = sqlite_check_after,
    .probe = sqlite_probe,
    .probe_before = sqlite_probe_before,
    .flush = sqlite_flush,
    .read_schema = sqlite_read_schema,
    .count_rows = sqlite_count_rows,
    .ranges = &sqlite_ranges,
    .examine = sqlite_examine,
    .cancel = sqlite_cancel,
    .library_version = sqlite_library_version,
};

const struct driver *sqlite_driver(void)
{
    return &operations;
}
