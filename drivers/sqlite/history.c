/*
 * The tables of the audit trail. All columns are NOT NULL; what is not known is -1 or the empty
 * text, exactly as in core/model/history.h, so that a digest over a row read back is the same.
 */
#include "drivers/sqlite/backfill.h"

#include "sql.h"

bool sqlite_fail_moved(struct fail *f)
{
    fail_set(f, EXIT_BUSY, "the history was written by another run since it was read");
    fail_hint(f, "Nothing was changed by this transaction; run again: it will see what the other "
                 "run did.");
    return fail_kind_set(f, FAIL_HISTORY_MOVED);
}

/* ---- writing ---- */

static bool find_tables(struct connection *c, bool *out_has_history, bool *out_has_event,
                        struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    return sqlite_find_table(c, sqlite_own_table(a, c, "history"), out_has_history, f) &&
           sqlite_find_table(c, sqlite_own_table(a, c, "event"), out_has_event, f);
}

bool sqlite_prepare_history(struct connection *c, struct fail *f)
{
    bool has_history = false;
    bool has_event = false;
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!find_tables(c, &has_history, &has_event, f))
        return false;
    if (has_history && has_event)
        return true;
    if (sqlite_run(c, QUERY_BEGIN_WRITE, f) && sqlite_run_script(c, sql_sqlite_history_create, f) &&
        sqlite_run(c, QUERY_COMMIT, f))
        return true;
    sqlite_abandon(c);
    return fail_wrap(f, "while making the history tables");
}

static bool write_row(struct connection *c, enum query_id id, const struct history_row *r,
                      struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, id, &s, f))
        return false;
    sqlite3_bind_int64(s, 1, r->rank);
    sqlite_bind(s, 2, r->version);
    sqlite_bind(s, 3, r->description);
    sqlite_bind(s, 4, r->kind);
    sqlite_bind(s, 5, r->layout);
    sqlite_bind(s, 6, r->script);
    sqlite_bind(s, 7, r->state);
    sqlite3_bind_int64(s, 8, r->units_done);
    sqlite3_bind_int64(s, 9, r->statements);
    sqlite_bind(s, 10, r->digest_raw);
    sqlite_bind(s, 11, r->digest_normalized);
    sqlite_bind(s, 12, r->digest_tree);
    sqlite_bind(s, 13, r->installed_by);
    sqlite_bind(s, 14, r->installed_at);
    sqlite3_bind_int64(s, 15, r->duration_us);
    sqlite_bind(s, 16, r->run);
    return sqlite_step(c, s, &is_row, f);
}

static bool write_event(struct connection *c, const struct event *e, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_EVENT_INSERT, &s, f))
        return false;
    sqlite3_bind_int64(s, 1, e->id);
    sqlite_bind(s, 2, e->run);
    sqlite_bind(s, 3, e->at);
    sqlite_bind(s, 4, e->kind);
    sqlite_bind(s, 5, e->version);
    sqlite3_bind_int64(s, 6, e->unit);
    sqlite_bind(s, 7, e->actor);
    sqlite_bind(s, 8, e->db_role);
    sqlite_bind(s, 9, e->host);
    sqlite_bind(s, 10, e->git_commit);
    sqlite_bind(s, 11, e->git_author);
    sqlite_bind(s, 12, e->plan_digest);
    sqlite_bind(s, 13, e->evidence_digest);
    sqlite_bind(s, 14, e->sql);
    sqlite3_bind_int64(s, 15, e->duration_us);
    sqlite3_bind_int64(s, 16, e->lock_wait_us);
    sqlite3_bind_int64(s, 17, e->rows);
    sqlite_bind(s, 18, e->sqlstate);
    sqlite_bind(s, 19, e->detail);
    sqlite_bind(s, 20, e->previous);
    sqlite_bind(s, 21, e->digest);
    return sqlite_step(c, s, &is_row, f);
}

static bool read_data_version(struct connection *c, int64_t *out, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_DATA_VERSION, &s, f) || !sqlite_step(c, s, &is_row, f))
        return false;
    *out = sqlite3_column_int64(s, 0);
    return true;
}

static bool select_head(struct connection *c, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_HISTORY_HEAD, &s, f) || !sqlite_step(c, s, &is_row, f))
        return false;
    c->head_id = is_row ? sqlite3_column_int64(s, 0) : 0;
    /* A digest that is none was edited; nothing follows it. */
    if (is_row && !digest_parse(sqlite_text(s, 1), &c->head_digest))
        (void)snprintf(c->head_digest.hex, sizeof(c->head_digest.hex), "edited");
    return true;
}

bool sqlite_read_head(struct connection *c, struct fail *f)
{
    int64_t version;
    bool is_there = true;
    if (!read_data_version(c, &version, f))
        return false;
    if (c->head_is_known && c->head_version == version)
        return true;
    c->head_is_known = false;
    c->head_id = 0;
    c->head_digest = (struct digest){0};
    if (!c->queries[QUERY_HISTORY_HEAD]) {
        SCOPED(arena) struct arena *a = arena_make();
        if (!sqlite_find_table(c, sqlite_own_table(a, c, "event"), &is_there, f))
            return false;
    }
    if (is_there && !select_head(c, f))
        return false;
    c->head_version = version;
    c->head_is_known = true;
    return true;
}

/* A row or event of that number is there already: somebody else put it there. */
static bool explain_conflict(struct connection *c, struct fail *f)
{
    if (sqlite3_extended_errcode(c->db) != SQLITE_CONSTRAINT_PRIMARYKEY)
        return false;
    fail_clear(f);
    return sqlite_fail_moved(f);
}

bool sqlite_write_entries(struct connection *c, const struct journal_entries *entries,
                          struct fail *f)
{
    if (entries->event_count &&
        (entries->events[0].id != c->head_id + 1 ||
         !str_equal(entries->events[0].previous, digest_str(&c->head_digest))))
        return sqlite_fail_moved(f);
    if (entries->insert_row && !write_row(c, QUERY_HISTORY_INSERT, entries->insert_row, f))
        return explain_conflict(c, f);
    if (entries->update_row) {
        if (!write_row(c, QUERY_HISTORY_UPDATE, entries->update_row, f))
            return false;
        if (sqlite3_changes64(c->db) != 1)
            return sqlite_fail_moved(f);
    }
    for (size_t i = 0; i < entries->event_count; i++) {
        if (!write_event(c, &entries->events[i], f))
            return explain_conflict(c, f);
    }
    return sqlite_point_write(c, entries, f);
}

/* ---- reading ---- */

/* SQLite keeps any type in any column; a number that was edited into a text must not pass as one.
 */
static bool check_types(sqlite3_stmt *s, const char *table, const char *columns, struct fail *f)
{
    for (int i = 0; columns[i]; i++) {
        int wanted = columns[i] == 'i' ? SQLITE_INTEGER : SQLITE_TEXT;
        if (sqlite3_column_type(s, i) == wanted)
            continue;
        fail_set(f, EXIT_INTEGRITY, "row %lld of table \"%s\" was edited: column \"%s\" is not %s",
                 (long long)sqlite3_column_int64(s, 0), table, sqlite3_column_name(s, i),
                 columns[i] == 'i' ? "a whole number" : "a text");
        return fail_hint(f, "Put back what a backup says of this row; `migrate history --verify` "
                            "proves it.");
    }
    return true;
}

static struct history_row row_of(struct arena *a, sqlite3_stmt *s)
{
    return (struct history_row){
        .rank = sqlite3_column_int64(s, 0),
        .version = arena_str(a, sqlite_text(s, 1)),
        .description = arena_str(a, sqlite_text(s, 2)),
        .kind = arena_str(a, sqlite_text(s, 3)),
        .layout = arena_str(a, sqlite_text(s, 4)),
        .script = arena_str(a, sqlite_text(s, 5)),
        .state = arena_str(a, sqlite_text(s, 6)),
        .units_done = sqlite3_column_int64(s, 7),
        .statements = sqlite3_column_int64(s, 8),
        .digest_raw = arena_str(a, sqlite_text(s, 9)),
        .digest_normalized = arena_str(a, sqlite_text(s, 10)),
        .digest_tree = arena_str(a, sqlite_text(s, 11)),
        .installed_by = arena_str(a, sqlite_text(s, 12)),
        .installed_at = arena_str(a, sqlite_text(s, 13)),
        .duration_us = sqlite3_column_int64(s, 14),
        .run = arena_str(a, sqlite_text(s, 15)),
    };
}

static struct event event_of(sqlite3_stmt *s)
{
    return (struct event){
        .id = sqlite3_column_int64(s, 0),
        .run = sqlite_text(s, 1),
        .at = sqlite_text(s, 2),
        .kind = sqlite_text(s, 3),
        .version = sqlite_text(s, 4),
        .unit = sqlite3_column_int64(s, 5),
        .actor = sqlite_text(s, 6),
        .db_role = sqlite_text(s, 7),
        .host = sqlite_text(s, 8),
        .git_commit = sqlite_text(s, 9),
        .git_author = sqlite_text(s, 10),
        .plan_digest = sqlite_text(s, 11),
        .evidence_digest = sqlite_text(s, 12),
        .sql = sqlite_text(s, 13),
        .duration_us = sqlite3_column_int64(s, 14),
        .lock_wait_us = sqlite3_column_int64(s, 15),
        .rows = sqlite3_column_int64(s, 16),
        .sqlstate = sqlite_text(s, 17),
        .detail = sqlite_text(s, 18),
        .previous = sqlite_text(s, 19),
        .digest = sqlite_text(s, 20),
    };
}

static bool read_rows(struct arena *a, struct connection *c, struct history *out, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    const char *table = sqlite_own_table(a, c, "history");
    if (!sqlite_query(c, QUERY_HISTORY_READ, &s, f))
        return false;
    for (;;) {
        bool is_row;
        if (!sqlite_step(c, s, &is_row, f))
            return false;
        if (!is_row)
            return true;
        if (!check_types(s, table,
                         "itttttt"
                         "ii"
                         "ttttt"
                         "i"
                         "t",
                         f))
            return false;
        vec_push(a, out, row_of(a, s));
    }
}

/* Both tables or none: they are made in one transaction, so one alone was left by a hand. */
static bool check_tables(struct connection *c, bool *out_exist, struct fail *f)
{
    bool has_history;
    bool has_event;
    if (!find_tables(c, &has_history, &has_event, f))
        return false;
    *out_exist = has_history && has_event;
    if (has_history == has_event)
        return true;
    fail_set(f, EXIT_INTEGRITY, "table \"%s_%s\" is missing beside \"%s_%s\"", c->prefix,
             has_history ? "event" : "history", c->prefix, has_history ? "history" : "event");
    return fail_hint(
        f, "Restore it from a backup. Where the other one is not of migrate, set `history` "
           "of the target to another prefix.");
}

static bool read_within(struct arena *a, struct connection *c, struct history *out, struct fail *f)
{
    struct history h = {0};
    if (!check_tables(c, &h.exists, f))
        return false;
    if (h.exists) {
        if (!read_rows(a, c, &h, f) || !sqlite_read_head(c, f))
            return f->code == EXIT_INTEGRITY
                       ? false
                       : fail_hint(f,
                                   "Where table \"%s_history\" is not of migrate, set `history` "
                                   "of the target to another prefix.",
                                   c->prefix);
        h.head_id = c->head_id;
        h.head_digest = arena_str(a, digest_str(&c->head_digest));
    }
    *out = h;
    return true;
}

bool sqlite_read_history(struct arena *a, struct connection *c, struct history *out, struct fail *f)
{
    /* One transaction, so that rows and head are of one moment. */ if (!sqlite_ensure_open(c, f))
        return false;
    bool is_ours = sqlite3_get_autocommit(c->db);
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (is_ours && !sqlite_run(c, QUERY_BEGIN_READ, f))
        return false;
    bool is_done = read_within(a, c, out, f);
    if (is_ours)
        sqlite_abandon(c);
    return is_done ? true : fail_wrap(f, "while reading the history");
}

bool sqlite_read_events(struct connection *c, int64_t from_id, struct str version,
                        event_visitor *visit, void *context, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    const char *table = sqlite_own_table(a, c, "event");
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!sqlite_prepare(c, sqlite_fill_prefix(a, c, sql_sqlite_event_read), &s, f))
        return false;
    sqlite3_bind_int64(s, 1, from_id);
    sqlite_bind(s, 2, version);
    for (;;) {
        bool is_row;
        if (!sqlite_step(c, s, &is_row, f))
            return fail_wrap(f, "while reading the events");
        if (!is_row)
            return true;
        if (!check_types(s, table, "ittttittttttttiiitttt", f))
            return false;
        struct event e = event_of(s);
        if (!visit(context, &e, f))
            return false;
    }
}
