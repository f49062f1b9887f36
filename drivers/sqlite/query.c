/*
 * Our own statements. Each is prepared at its first use and kept: SQLite prepares a kept statement
 * again by itself when a migration changed the schema, so nothing here needs to know.
 */
#include "drivers/sqlite/connection.h"

#include "sql.h"

static const char *const query_texts[QUERY_MAX] = {
    [QUERY_BACKFILL_REMOVE] = sql_sqlite_backfill_remove,
    [QUERY_BACKFILL_WRITE] = sql_sqlite_backfill_write,
    [QUERY_BEGIN_READ] = sql_sqlite_begin_read,
    [QUERY_BEGIN_WRITE] = sql_sqlite_begin_write,
    [QUERY_CLAIM] = sql_sqlite_claim,
    [QUERY_COMMIT] = sql_sqlite_commit,
    [QUERY_DATA_VERSION] = sql_sqlite_data_version,
    [QUERY_DEFER] = sql_sqlite_defer,
    [QUERY_EVENT_INSERT] = sql_sqlite_event_insert,
    [QUERY_FOREIGN_KEY_CHECK] = sql_sqlite_foreign_key_check,
    [QUERY_FOREIGN_KEY_LIST] = sql_sqlite_foreign_key_list,
    [QUERY_HISTORY_HEAD] = sql_sqlite_history_head,
    [QUERY_HISTORY_INSERT] = sql_sqlite_history_insert,
    [QUERY_HISTORY_READ] = sql_sqlite_history_read,
    [QUERY_HISTORY_UPDATE] = sql_sqlite_history_update,
    [QUERY_JOURNAL_KEEP] = sql_sqlite_journal_keep,
    [QUERY_JOURNAL_MODE] = sql_sqlite_journal_mode,
    [QUERY_JOURNAL_REMOVE] = sql_sqlite_journal_remove,
    [QUERY_LOCK_ANNOUNCE] = sql_sqlite_lock_announce,
    [QUERY_LOCK_READ] = sql_sqlite_lock_read,
    [QUERY_LOCK_RELEASE] = sql_sqlite_lock_release,
    [QUERY_LOCK_TAKE] = sql_sqlite_lock_take,
    [QUERY_QUERY_ONLY] = sql_sqlite_query_only,
    [QUERY_ROLLBACK] = sql_sqlite_rollback,
    [QUERY_SAVEPOINT_OPEN] = sql_sqlite_savepoint_open,
    [QUERY_SAVEPOINT_RELEASE] = sql_sqlite_savepoint_release,
    [QUERY_SAVEPOINT_UNDO] = sql_sqlite_savepoint_undo,
    [QUERY_SCHEMA_READ] = sql_sqlite_schema_read,
    [QUERY_SCHEMA_VERSION] = sql_sqlite_schema_version,
    [QUERY_SYNCHRONOUS] = sql_sqlite_synchronous,
    [QUERY_TABLE_OF_ROOTPAGE] = sql_sqlite_table_of_rootpage,
    [QUERY_TABLE_ROOTPAGE] = sql_sqlite_table_rootpage,
    [QUERY_TOUCH] = sql_sqlite_touch,
};

const char *sqlite_fill(struct arena *a, const char *text, const struct fill *values, size_t count)
{
    SCOPED(buf) struct buf out = {0};
    while (*text) {
        size_t i = 0;
        while (i < count && strncmp(text, values[i].name, strlen(values[i].name)) != 0)
            i++;
        if (i < count) {
            buf_add_cstr(&out, values[i].value);
            text += strlen(values[i].name);
        } else {
            buf_add_char(&out, *text++);
        }
    }
    return buf_done(a, &out).at;
}

const char *sqlite_escape(struct arena *a, struct str name)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_add_char(&out, '"');
        buf_add_char(&out, name.at[i]);
    }
    return buf_done(a, &out).at;
}

const char *sqlite_fill_prefix(struct arena *a, const struct connection *c, const char *sql)
{
    struct fill prefix = {"{prefix}", sqlite_escape(a, str_of(c->prefix))};
    return sqlite_fill(a, sql, &prefix, 1);
}

const char *sqlite_own_table(struct arena *a, const struct connection *c, const char *suffix)
{
    return arena_printf(a, "%s_%s", c->prefix, suffix);
}

static bool prepare(struct connection *c, const char *sql, unsigned flags, sqlite3_stmt **out,
                    struct fail *f)
{
    int code = sqlite3_prepare_v3(c->db, sql, -1, flags, out, NULL);
    return code == SQLITE_OK ? true : sqlite_fail(c, code, f);
}

bool sqlite_query(struct connection *c, enum query_id id, sqlite3_stmt **out, struct fail *f)
{
    if (!c->queries[id]) {
        SCOPED(arena) struct arena *a = arena_make();
        const char *sql = sqlite_fill_prefix(a, c, query_texts[id]);
        if (!prepare(c, sql, SQLITE_PREPARE_PERSISTENT, &c->queries[id], f))
            return false;
    }
    *out = c->queries[id];
    (void)sqlite3_reset(*out);
    return true;
}

bool sqlite_prepare(struct connection *c, const char *sql, sqlite3_stmt **out, struct fail *f)
{
    return prepare(c, sql, 0, out, f);
}

bool sqlite_step(struct connection *c, sqlite3_stmt *s, bool *out_is_row, struct fail *f)
{
    int code = sqlite3_step(s);
    *out_is_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    /* Words and offset belong to the step: read them before a reset. */
    return sqlite_fail(c, code, f);
}

bool sqlite_run(struct connection *c, enum query_id id, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    if (!sqlite_query(c, id, &s, f))
        return false;
    bool is_row = true;
    while (is_row) {
        if (!sqlite_step(c, s, &is_row, f))
            return false;
    }
    return true;
}

bool sqlite_run_script(struct connection *c, const char *sql, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *rest = sqlite_fill_prefix(a, c, sql);
    while (*rest) {
        SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
        int code = sqlite3_prepare_v3(c->db, rest, -1, 0, &s, &rest);
        if (code != SQLITE_OK)
            return sqlite_fail(c, code, f);
        bool is_row = s != NULL;
        while (is_row) {
            if (!sqlite_step(c, s, &is_row, f))
                return false;
        }
    }
    return true;
}

/* SQLite answers from its memory of the schema, which is as old as the last statement that was run.
 */
bool sqlite_find_table(struct connection *c, const char *name, bool *out_is_there, struct fail *f)
{
    if (!sqlite_run(c, QUERY_TOUCH, f))
        return false;
    *out_is_there = sqlite3_table_column_metadata(c->db, "main", name, NULL, NULL, NULL, NULL, NULL,
                                                  NULL) == SQLITE_OK;
    return true;
}

void sqlite_queries_release(struct connection *c)
{
    for (size_t i = 0; i < QUERY_MAX; i++) {
        (void)sqlite3_finalize(c->queries[i]);
        c->queries[i] = NULL;
    }
}

void sqlite_bind(sqlite3_stmt *s, int at, struct str text)
{
    int code =
        sqlite3_bind_text64(s, at, text.at ? text.at : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
    if (code != SQLITE_OK)
        BUG("a text that SQLite does not bind");
}

struct str sqlite_text(sqlite3_stmt *s, int column)
{
    const unsigned char *at = sqlite3_column_text(s, column);
    return (struct str){
        .at = (const char *)at,
        .len = at ? (size_t)sqlite3_column_bytes(s, column) : 0,
    };
}
