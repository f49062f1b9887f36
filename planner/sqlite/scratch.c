/* Questions of our own to the scratch database. */
#include "planner/sqlite/scratch.h"

#include <stdarg.h>

sqlite3_stmt *scratch_ask(struct sqlite_scratch *s, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *sql = sqlite3_vmprintf(format, values);
    va_end(values);
    sqlite3_stmt *prepared = NULL;
    s->is_ours = true;
    s->ticks = 0;
    if (!sql || sqlite3_prepare_v2(s->db, sql, -1, &prepared, NULL) != SQLITE_OK)
        s->is_ours = false;
    sqlite3_free(sql);
    return prepared;
}

void scratch_end(struct sqlite_scratch *s, sqlite3_stmt *prepared)
{
    (void)sqlite3_finalize(prepared);
    s->is_ours = false;
}

struct str scratch_text(struct arena *a, sqlite3_stmt *prepared, int column)
{
    const unsigned char *text = sqlite3_column_text(prepared, column);
    int len = sqlite3_column_bytes(prepared, column);
    if (!text || len <= 0)
        return STR("");
    return arena_str(a, (struct str){(const char *)text, (size_t)len});
}

bool scratch_run(struct sqlite_scratch *s, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *sql = sqlite3_vmprintf(format, values);
    va_end(values);
    bool was_ours = s->is_ours;
    s->is_ours = true;
    s->ticks = 0;
    bool is_done = sql && sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
    s->is_ours = was_ours;
    sqlite3_free(sql);
    return is_done;
}

const char *scratch_try(struct arena *a, struct sqlite_scratch *s, const char *sql)
{
    s->is_ours = true;
    s->ticks = 0;
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    s->is_ours = false;
    bool is_fine = code == SQLITE_OK || code == SQLITE_INTERRUPT;
    return is_fine ? NULL : arena_cstr(a, str_of(sqlite3_errmsg(s->db)));
}

const char *scratch_prepares(struct arena *a, struct sqlite_scratch *s, const char *sql)
{
    sqlite3_stmt *prepared = NULL;
    s->is_ours = true;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &prepared, NULL);
    const char *why = code == SQLITE_OK ? NULL : arena_cstr(a, str_of(sqlite3_errmsg(s->db)));
    scratch_end(s, prepared);
    return why;
}

bool scratch_hear_uses(struct sqlite_scratch *s, struct arena *a, const char *sql,
                       struct scratch_uses *out)
{
    *out = (struct scratch_uses){.a = a};
    s->uses = out;
    bool is_fine = scratch_prepares(a, s, sql) == NULL;
    s->uses = NULL;
    return is_fine;
}

void scratch_begin_trial(struct sqlite_scratch *s)
{
    (void)scratch_run(s, "SAVEPOINT migrate_trial");
}

void scratch_end_trial(struct sqlite_scratch *s)
{
    (void)scratch_run(s, "ROLLBACK TO migrate_trial");
    (void)scratch_run(s, "RELEASE migrate_trial");
}

void scratch_enforce(struct sqlite_scratch *s, bool is_on)
{
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, (int)is_on, NULL);
}

void scratch_take_quotes(struct sqlite_scratch *s, bool as_texts)
{
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, (int)as_texts, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, (int)as_texts, NULL);
}
