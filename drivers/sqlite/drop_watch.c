/*
 * DROP TABLE with foreign keys enforced first deletes all rows of the table
 * (https://www.sqlite.org/foreignkeys.html#fk_schemacommands). That is how a rebuild (new table,
 * copy, drop, rename) loses the rows of every child with ON DELETE CASCADE, while foreign_key_check
 * finds nothing wrong. Rows are counted before and behind the statement; fewer of them refuse it.
 */
#include "drivers/sqlite/connection.h"

#include "sql.h"

/* One foreign key whose child is at risk. */
struct watched_key {
    struct str child;
    const char *condition; /* of the rows that are counted */
    bool is_cascade;
    int64_t before;
};

struct drop_watch {
    struct str dropped;
    bool has_savepoint;
    struct watched_key *at;
    size_t count, room;
};

static bool count_rows(struct connection *c, const struct watched_key *k, int64_t *out,
                       struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    SCOPED(arena) struct arena *a = arena_make();
    bool is_row;
    struct fill values[] = {
        {"{table}", sqlite_escape(a, k->child)},
        {"{condition}", k->condition},
    };
    const char *sql = sqlite_fill(a, sql_sqlite_count_rows, values, ARRAY_LEN(values));
    if (!sqlite_prepare(c, sql, &s, f) || !sqlite_step(c, s, &is_row, f))
        return false;
    *out = is_row ? sqlite3_column_int64(s, 0) : 0;
    return true;
}

/* All rows where they may be deleted; where columns may be set, the rows that refer to something.
 */
static const char *condition_of(struct connection *c, const struct foreign_key *key)
{
    if (key->is_cascade)
        return "true";
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < c->keys.count; i++) {
        const struct foreign_key *k = &c->keys.at[i];
        if (k->id == key->id && str_equal(k->child, key->child))
            buf_printf(&text, "%s\"%s\" IS NOT NULL", text.len ? " AND " : "",
                       sqlite_escape(c->scratch, k->column));
    }
    return buf_done(c->scratch, &text).at;
}

static bool is_in(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(names[i], name))
            return true;
    }
    return false;
}

/* Children of the dropped tables. Their own children need no watch: what reaches them goes through
   rows that are counted. */
static void collect(struct connection *c, struct drop_watch *w)
{
    const struct observation *o = &c->observed;
    for (size_t i = 0; i < c->keys.count; i++) {
        const struct foreign_key *k = &c->keys.at[i];
        bool is_first = i == 0 || c->keys.at[i - 1].id != k->id ||
                        !str_equal(c->keys.at[i - 1].child, k->child);
        if (!is_first || !k->changes_children || !is_in(o->dropped, o->dropped_count, k->parent) ||
            is_in(o->dropped, o->dropped_count, k->child))
            continue;
        struct watched_key key = {
            .child = arena_str(c->scratch, k->child), /* keys are read anew later */
            .condition = condition_of(c, k),
            .is_cascade = k->is_cascade,
        };
        vec_push(c->scratch, w, key);
    }
}

bool sqlite_drop_watch_start(struct connection *c, struct drop_watch **out, struct fail *f)
{
    *out = NULL;
    if (!c->observed.dropped_count || !sqlite_foreign_keys_get(c))
        return true;
    if (!sqlite_foreign_keys_read(c, f))
        return false;
    struct drop_watch *w = arena_new(c->scratch, struct drop_watch);
    int64_t rows = 0;
    w->dropped = c->observed.dropped[0];
    collect(c, w);
    for (size_t i = 0; i < w->count; i++) {
        if (!count_rows(c, &w->at[i], &w->at[i].before, f))
            return false;
        rows += w->at[i].before;
    }
    if (rows == 0)
        return true;
    w->has_savepoint = sqlite3_get_autocommit(c->db);
    if (w->has_savepoint && !sqlite_run(c, QUERY_SAVEPOINT_OPEN, f))
        return false;
    *out = w;
    return true;
}

static bool refuse(const struct drop_watch *w, const struct watched_key *k, int64_t after,
                   struct fail *f)
{
    int64_t lost = k->before - after;
    fail_set(f, EXIT_FAILED, "DROP TABLE \"%.*s\" would %s %lld of %lld rows of \"%.*s\"",
             STR_ARG(w->dropped), k->is_cascade ? "delete" : "cut loose", (long long)lost,
             (long long)k->before, STR_ARG(k->child));
    fail_detail(f,
                "Foreign keys are enforced, so SQLite deletes the rows of a table before it drops "
                "it, and %s reaches the rows that refer to them.",
                k->is_cascade ? "ON DELETE CASCADE" : "ON DELETE SET NULL or SET DEFAULT");
    fail_hint(f,
              "To rebuild \"%.*s\", put PRAGMA foreign_keys = OFF before the transaction (within "
              "one it has no effect). To be rid of it, drop \"%.*s\" first, or delete or change "
              "those rows.",
              STR_ARG(w->dropped), STR_ARG(k->child));
    return fail_kind_set(f, FAIL_SERVER);
}

static bool compare(struct connection *c, const struct drop_watch *w, struct fail *f)
{
    for (size_t i = 0; i < w->count; i++) {
        int64_t after;
        if (!count_rows(c, &w->at[i], &after, f))
            return false;
        if (after < w->at[i].before)
            return refuse(w, &w->at[i], after, f);
    }
    return true;
}

void sqlite_drop_watch_undo(struct connection *c, struct drop_watch *w)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    sqlite_foreign_keys_forget(c);
    if (!w->has_savepoint || sqlite3_get_autocommit(c->db))
        return;
    if (!sqlite_run(c, QUERY_SAVEPOINT_UNDO, &ignored) ||
        !sqlite_run(c, QUERY_SAVEPOINT_RELEASE, &ignored))
        sqlite_abandon(c);
}

bool sqlite_drop_watch_end(struct connection *c, struct drop_watch *w, struct fail *f)
{
    if (compare(c, w, f))
        return !w->has_savepoint || sqlite_run(c, QUERY_SAVEPOINT_RELEASE, f);
    sqlite_drop_watch_undo(c, w);
    return false;
}
