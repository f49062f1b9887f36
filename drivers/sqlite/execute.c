/*
 * Statements of migrations: each is prepared from its exact bytes and stepped to its end. Rows that
 * it returns are dropped.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/clock.h"
#include "core/base/text.h"

/* SQLite counts bytes of the text it was given (sqlite3_error_offset, 3.38 and later). */
static size_t error_offset(struct connection *c, size_t len)
{
#if SQLITE_VERSION_NUMBER >= 3038000
    int offset = sqlite3_error_offset(c->db);
    if (offset >= 0 && (size_t)offset <= len)
        return (size_t)offset;
#else
    (void)c;
    (void)len;
#endif
    return SIZE_MAX;
}

bool sqlite_prepare_text(struct connection *c, struct str text, sqlite3_stmt **out,
                         size_t *out_offset, struct fail *f)
{
    const char *tail = NULL;
    *out_offset = SIZE_MAX;
    if (text.len > INT32_MAX) {
        fail_set(f, EXIT_FAILED, "the statement is longer than SQLite takes");
        return fail_hint(f, "Split it into several statements.");
    }
    int code = sqlite3_prepare_v3(c->db, text.at ? text.at : "", (int)text.len, 0, out, &tail);
    if (code != SQLITE_OK) {
        *out_offset = error_offset(c, text.len);
        return sqlite_fail(c, code, f);
    }
    /* Bytes behind the statement would not be run: that must not pass in silence. */
    struct str rest = str_range(tail, text.at + text.len);
    if (str_is_empty(str_trim(rest)))
        return true;
    *out_offset = (size_t)(tail - text.at);
    (void)sqlite3_finalize(*out);
    *out = NULL;
    fail_set(f, EXIT_FAILED, "SQLite ends the statement here, but more text follows");
    return fail_hint(f, "Separate statements with semicolons; a NUL byte must not be part of one.");
}

static bool step_to_end(struct connection *c, sqlite3_stmt *s, int64_t *out_rows, struct fail *f)
{
    int64_t changed_before = sqlite3_total_changes64(c->db);
    bool is_row = true;
    int64_t returned = 0;
    for (;;) {
        if (!sqlite_step(c, s, &is_row, f))
            return false;
        if (!is_row)
            break;
        returned++;
    }
    /* changes() speaks of the last INSERT, UPDATE or DELETE, which may have been an earlier one. */
    bool has_changed = sqlite3_total_changes64(c->db) != changed_before;
    *out_rows = returned ? returned : has_changed ? sqlite3_changes64(c->db) : 0;
    return true;
}

/* Between "prepared" and "done": the guard looks before and behind. */
static bool run_guarded(struct connection *c, sqlite3_stmt *s, int64_t *out_rows, struct fail *f)
{
    struct drop_watch *watch = NULL;
    if (c->observed.sets_journal && sqlite3_get_autocommit(c->db))
        sqlite_journal_restore(c); /* the file's choice must find what it would find elsewhere */
    if (!sqlite_guard_before(c, f) || !sqlite_drop_watch_start(c, &watch, f))
        return false;
    sqlite_statement_timer(c, c->statement_timeout_ms);
    bool is_done = step_to_end(c, s, out_rows, f);
    /* A statement that is not reset keeps the next one from dropping the same table. */
    (void)sqlite3_reset(s);
    c->statement_deadline_us = 0;
    if (!is_done && watch)
        sqlite_drop_watch_undo(c, watch);
    if (!is_done)
        return false;
    return (!watch || sqlite_drop_watch_end(c, watch, f)) && sqlite_guard_after(c, f);
}

static bool check_still_open(struct connection *c, const struct statement *st, bool was_open,
                             struct fail *f)
{
    bool is_open = !sqlite3_get_autocommit(c->db);
    if (!c->in_unit || is_open == was_open || st->role == ROLE_BEGIN || st->role == ROLE_COMMIT ||
        st->role == ROLE_ROLLBACK)
        return true;
    if (is_open)
        return true; /* a savepoint outside a transaction */
    fail_set(f, EXIT_FAILED, "the statement ended the transaction");
    return fail_hint(f, "Put the file's own BEGIN and COMMIT around its statements, or neither.");
}

#define EXCERPT_MAX_BYTES 200

struct place sqlite_place_now(struct connection *c)
{
    const struct statement *s = c->running;
    if (!s)
        return (struct place){0};
    struct place p = {.line = s->line, .column = s->column};
    struct str line;
    (void)str_cut_line(s->text, &line);
    /* What stands before it in its line, and behind a password, is not at hand or not to be shown. */
    if (s->column == 1 && line.len <= EXCERPT_MAX_BYTES && !text_mentions_password(line))
        p.excerpt = arena_str(c->scratch, line);
    return p;
}

void sqlite_blame(const struct place *p, struct fail *f)
{
    if (!p->line || f->file || f->line)
        return;
    fail_at(f, STR(""), p->line, p->column, p->excerpt);
    f->file = NULL;
}

static bool execute_one(struct connection *c, const struct statement *st, int64_t *out_rows,
                        size_t *out_offset, struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    bool was_open = !sqlite3_get_autocommit(c->db);
    *out_rows = 0;
    if (!sqlite_check_cancelled(c, f))
        return false;
    sqlite_observe_start(c);
    bool is_prepared = sqlite_prepare_text(c, st->text, &s, out_offset, f);
    sqlite_observe_end(c);
    if (!is_prepared)
        return false;
    c->runs = s;
    bool is_run = !s || run_guarded(c, s, out_rows, f);
    c->runs = NULL;
    if (!is_run)
        return false;
    if (st->role == ROLE_BEGIN && c->awaits_own_begin && !sqlite_claim(c, f))
        return false;
    return check_still_open(c, st, was_open, f);
}

bool sqlite_execute(struct connection *c, const struct statement *at, size_t count,
                    const struct copy_source *copy, struct statement_result *results,
                    size_t *out_done, size_t *out_offset, struct fail *f)
{
    *out_offset = SIZE_MAX;
    *out_done = 0;
    if (copy) {
        *out_done = count ? count - 1 : 0;
        fail_set(f, EXIT_FAILED, "SQLite has no COPY");
        return fail_hint(f, "Write the rows as INSERT statements.");
    }
    if (!sqlite_ensure_open(c, f))
        return false;
    if (!c->in_unit)
        sqlite_wait_limit(c, c->lock_timeout_ms);
    for (size_t i = 0; i < count; i++) {
        int64_t started_us = clock_monotonic_us();
        int64_t rows = 0;
        c->running = &at[i];
        if (c->in_unit && !c->first.line && at[i].heeds_foreign_keys)
            c->first = sqlite_place_now(c);
        bool is_done = execute_one(c, &at[i], &rows, out_offset, f);
        c->running = NULL;
        if (!is_done)
            return false;
        if (results)
            results[i] = (struct statement_result){
                .rows = rows,
                .duration_us = clock_monotonic_us() - started_us,
            };
        *out_done = i + 1;
    }
    return true;
}
