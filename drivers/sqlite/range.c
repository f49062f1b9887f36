/*
 * Ranges of a table by its rowid, or by the primary key of a table that has none. A position is the list of
 * the key's values as SQL writes them: "4711", "'abc', 7". Values compare as the columns do, with their
 * affinity and collation, so that ranges of it are ranges of the key's order.
 *
 * A batch is one write transaction, and while it lasts nobody else writes to the database. SQLite keeps no
 * queue: who waits looks again every now and then, at most every 100 ms (sqliteDefaultBusyCallback() in
 * main.c), and would never find the lock free if the next batch began at once. So there is a pause between
 * two of them, the longer the more others have written of late.
 */
#include "drivers/sqlite/backfill.h"

#include "core/base/clock.h"
#include "core/base/vec.h"
#include "sql.h"

#define KEY_SHOWN_BYTES 80
/* Between two batches. Others that write make it longer, for so many batches. */
#define PAUSE_MIN_MS 1
#define PAUSE_MAX_MS 100
#define PAUSE_SHARE 4
#define PAUSE_SHARE_OF_OTHERS 2
#define REMEMBER_BATCHES 20

/* ---- texts ---- */

/* "x.a", or "(x.a, x.b)"; after: behind each. */
static const char *key_list(struct arena *a, const struct online_range *range, const char *after)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(&out, "%s%.*s.%.*s%s", i ? ", " : "", STR_ARG(range->alias),
                   STR_ARG(range->key.at[i]), after);
    return arena_cstr(a, buf_str(&out));
}

static void add_bound(struct buf *out, struct arena *a, const struct online_range *range,
                      const char *op, struct str position)
{
    bool is_row = range->key.count > 1;
    buf_printf(out, "%s%s%s %s %s%.*s%s", is_row ? "(" : "", key_list(a, range, ""),
               is_row ? ")" : "", op, is_row ? "(" : "", STR_ARG(position), is_row ? ")" : "");
}

static const char *range_text(struct arena *a, const struct online_range *range, struct str lo,
                              struct str hi)
{
    SCOPED(buf) struct buf out = {0};
    if (lo.len) {
        add_bound(&out, a, range, ">", lo);
        buf_add_cstr(&out, " AND ");
    }
    add_bound(&out, a, range, "<=", hi);
    return arena_cstr(a, buf_str(&out));
}

static struct str restrict_to(struct arena *a, struct connection *c UNUSED,
                              const struct online_range *range, struct str sql, struct str lo,
                              struct str hi)
{
    return str_of(arena_printf(a, "%.*s AND (%s)", STR_ARG(sql), range_text(a, range, lo, hi)));
}

/* ---- positions ---- */

static void add_text(struct buf *out, struct str text)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\'')
            buf_add_char(out, '\'');
        buf_add_char(out, text.at[i]);
    }
    buf_add_char(out, '\'');
}

static void add_blob(struct buf *out, const unsigned char *bytes, int count)
{
    buf_add_cstr(out, "x'");
    for (int i = 0; i < count; i++)
        buf_printf(out, "%02x", bytes[i]);
    buf_add_char(out, '\'');
}

/* A text with a NUL in it is written as its bytes. */
static void add_text_value(struct buf *out, sqlite3_stmt *s, int column)
{
    struct str text = sqlite_text(s, column);
    if (!memchr(text.at, '\0', text.len)) {
        add_text(out, text);
        return;
    }
    buf_add_cstr(out, "CAST(");
    add_blob(out, (const unsigned char *)text.at, (int)text.len);
    buf_add_cstr(out, " AS TEXT)");
}

/* The values of the key in a row; a real number may not be the same when it is read back from a text. */
static bool take_position(struct arena *a, sqlite3_stmt *s, const struct online_range *range,
                          struct str *out, struct fail *f)
{
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < range->key.count; i++) {
        int column = (int)i;
        buf_add_cstr(&text, i ? ", " : "");
        switch (sqlite3_column_type(s, column)) {
        case SQLITE_INTEGER:
            buf_printf(&text, "%lld", (long long)sqlite3_column_int64(s, column));
            break;
        case SQLITE_TEXT:
            add_text_value(&text, s, column);
            break;
        case SQLITE_BLOB:
            add_blob(&text, sqlite3_column_blob(s, column), sqlite3_column_bytes(s, column));
            break;
        default:
            fail_set(f, EXIT_FAILED, "the key (%.*s) of %.*s holds a real number",
                     STR_ARG(range->key.at[i]), STR_ARG(range->table));
            return fail_hint(f, "Such a table cannot be changed in batches: write -- migrate: "
                                "as-written in front of the statement.");
        }
    }
    *out = buf_done(a, &text);
    return true;
}

/* The position that a query of ours returns; "" where it returns no row. */
static bool ask_position(struct arena *a, struct connection *c, const struct online_range *range,
                         const char *text, const char *where, int64_t offset, struct str *out,
                         struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    const struct fill values[] = {
        {"{keys}", key_list(a, range, "")},
        {"{table}", arena_cstr(a, range->table)},
        {"{alias}", arena_cstr(a, range->alias)},
        {"{descending}", key_list(a, range, " DESC")},
        {"{range}", where},
        {"{offset}", arena_printf(a, "%lld", (long long)offset)},
    };
    bool is_row;
    *out = STR("");
    if (!sqlite_prepare(c, sqlite_fill(a, text, values, ARRAY_LEN(values)), &s, f) ||
        !sqlite_step(c, s, &is_row, f))
        return false;
    return !is_row || take_position(a, s, range, out, f);
}

/* ---- the port ---- */

/* Of a rowid only: other keys say nothing of how many there are between two of them. */
static bool is_number(struct str position)
{
    int64_t ignored;
    return str_to_i64(position, &ignored);
}

static bool measure(struct arena *a, struct connection *c, const struct online_range *range,
                    struct range_extent *out, struct fail *f)
{
    struct str span = STR("");
    *out = (struct range_extent){.rows = -1};
    if (!sqlite_ensure_open(c, f))
        return false;
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!ask_position(a, c, range, sql_sqlite_range_last, "", 0, &out->upto, f))
        return false;
    if (range->key.count != 1 || !is_number(out->upto))
        return true;
    if (!ask_position(a, c, range, sql_sqlite_range_span, "", 0, &span, f))
        return false;
    if (!str_to_i64(span, &out->rows))
        out->rows = -1;
    return true;
}

static bool next(struct arena *a, struct connection *c, const struct online_range *range,
                 struct str lo, struct str upto, int64_t count, struct str *out, struct fail *f)
{
    if (!sqlite_ensure_open(c, f) ||
        !ask_position(a, c, range, sql_sqlite_range_next, range_text(a, range, lo, upto), count - 1,
                      out, f))
        return false;
    if (!out->len)
        *out = upto;
    return true;
}

/* "42", "(7, abc)". */
static struct str key_text(struct arena *a, sqlite3_stmt *s, int columns)
{
    SCOPED(buf) struct buf out = {0};
    buf_add_cstr(&out, columns > 1 ? "(" : "");
    for (int i = 0; i < columns; i++) {
        struct str value = sqlite_text(s, i);
        bool is_long = value.len > KEY_SHOWN_BYTES;
        value.len = is_long ? KEY_SHOWN_BYTES : value.len;
        while (is_long && value.len && ((unsigned char)value.at[value.len] & 0xC0) == 0x80)
            value.len--; /* whole characters */
        buf_printf(&out, "%s%.*s%s", i ? ", " : "", STR_ARG(value), is_long ? "…" : "");
    }
    buf_add_cstr(&out, columns > 1 ? ")" : "");
    return buf_done(a, &out);
}

static bool find(struct arena *a, struct connection *c, const struct online_range *range,
                 struct str sql, size_t keys, struct offenders *out, struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    bool is_row = true;
    if (!sqlite_ensure_open(c, f) || !sqlite_prepare(c, arena_cstr(a, sql), &s, f))
        return false;
    int columns = (int)range->key.count;
    columns = columns < sqlite3_column_count(s) ? columns : sqlite3_column_count(s);
    while (sqlite_step(c, s, &is_row, f) && is_row) {
        if (out->keys.count < keys)
            vec_push(a, &out->keys, key_text(a, s, columns));
        out->count++;
    }
    return !is_row;
}

static bool ask_number(struct connection *c, const char *sql, sqlite3_stmt **out, struct fail *f)
{
    bool is_row;
    return sqlite_prepare(c, sql, out, f) && sqlite_step(c, *out, &is_row, f);
}

/* Pages that are in the WAL and cannot be written back, since somebody still reads what was there before. */
static bool load(struct arena *a UNUSED, struct connection *c,
                 const struct online_range *range UNUSED, struct load *out, struct fail *f)
{
    enum { IN_WAL = 1, WRITTEN_BACK };
    SCOPED(sqlite_statement) sqlite3_stmt *wal = NULL;
    SCOPED(sqlite_statement) sqlite3_stmt *size = NULL;
    *out = (struct load){0};
    if (!sqlite_ensure_open(c, f) || !ask_number(c, sql_sqlite_wal_checkpoint, &wal, f) ||
        !ask_number(c, sql_sqlite_page_size, &size, f))
        return false;
    int64_t pages = sqlite3_column_int64(wal, IN_WAL) - sqlite3_column_int64(wal, WRITTEN_BACK);
    out->held_wal = pages > 0 ? pages * sqlite3_column_int64(size, 0) : 0;
    return true;
}

/* Whether another connection has committed since it was asked last. */
static bool others_write(struct connection *c)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_DATA_VERSION, &s, &ignored) || !sqlite_step(c, s, &is_row, &ignored))
        return true; /* it is locked: somebody is at it */
    int64_t version = sqlite3_column_int64(s, 0);
    bool is_other = c->yield_version && version != c->yield_version;
    c->yield_version = version;
    return is_other;
}

static void yield(struct connection *c, int64_t took_us)
{
    if (!c->db)
        return;
    if (others_write(c))
        c->yield_to_others = REMEMBER_BATCHES;
    int64_t share = c->yield_to_others ? PAUSE_SHARE_OF_OTHERS : PAUSE_SHARE;
    int64_t pause_ms = took_us / 1000 / share;
    c->yield_to_others -= c->yield_to_others > 0;
    clock_sleep_ms(pause_ms < PAUSE_MIN_MS   ? PAUSE_MIN_MS
                   : pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS
                                             : pause_ms);
}

const struct range_driver sqlite_ranges = {
    .prepare = sqlite_backfill_prepare,
    .read = sqlite_backfill_read,
    .measure = measure,
    .next = next,
    .restrict_to = restrict_to,
    .find = find,
    .load = load,
    .yield = yield,
};
