/*
 * Ranges of a table by a key, or by its pages. A position is a JSON array of texts: the values of the key,
 * or the number of a page. Values are read with to_json(), whose texts no setting changes (DateStyle would),
 * and compared with the operators of pg_catalog: the planner takes keys of its types only.
 */
#include "drivers/postgres/backfill.h"

#include "core/base/json.h"
#include "core/base/vec.h"
#include "sql.h"

/* TID range scans came with 14: src/backend/executor/nodeTidrangescan.c. */
#define TID_RANGES_SINCE 140000
#define KEY_SHOWN_BYTES 80

/* ---- texts ---- */

/* A literal that standard_conforming_strings does not change. */
static void add_literal(struct buf *out, struct str value)
{
    bool is_escaped = str_find_char(value, '\\') != SIZE_MAX;
    buf_add_cstr(out, is_escaped ? "E'" : "'");
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\'' || value.at[i] == '\\')
            buf_add_char(out, value.at[i]);
        buf_add_char(out, value.at[i]);
    }
    buf_add_char(out, '\'');
}

/* "x.a", or "(x.a, x.b)". */
static void add_key(struct buf *out, const struct online_range *range)
{
    buf_add_cstr(out, range->key.count > 1 ? "(" : "");
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(out, "%s%.*s.%.*s", i ? ", " : "", STR_ARG(range->alias),
                   STR_ARG(range->key.at[i]));
    buf_add_cstr(out, range->key.count > 1 ? ")" : "");
}

/* ' … OPERATOR(pg_catalog.>) position'. A position that is not ours compares with nothing, and is
   refused by the server. */
static void add_bound(struct buf *out, const struct online_range *range, const char *op,
                      struct str position)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json) struct json *values = json_parse(position, STR("checkpoint"), &ignored);
    size_t count = values ? json_count(values) : 0;
    if (!range->key.count) {
        struct str page = json_str_of(json_at(values, 0));
        buf_printf(out, "%.*s.ctid OPERATOR(pg_catalog.%s) '(%.*s,0)'", STR_ARG(range->alias), op,
                   STR_ARG(page));
        return;
    }
    add_key(out, range);
    buf_printf(out, " OPERATOR(pg_catalog.%s) %s", op, range->key.count > 1 ? "(" : "");
    for (size_t i = 0; i < count; i++) {
        buf_add_cstr(out, i ? ", " : "");
        add_literal(out, json_str_of(json_at(values, i)));
    }
    buf_add_cstr(out, range->key.count > 1 ? ")" : "");
}

/* Rows of a page begin behind its (page,0): a range of pages is closed below and open above. */
static void add_range(struct buf *out, const struct online_range *range, struct str lo,
                      struct str hi)
{
    if (lo.len) {
        add_bound(out, range, range->key.count ? ">" : ">=", lo);
        buf_add_cstr(out, " AND ");
    }
    add_bound(out, range, range->key.count ? "<=" : "<", hi);
}

static struct str restrict_to(struct arena *a, struct connection *c UNUSED,
                              const struct online_range *range, struct str sql, struct str lo,
                              struct str hi)
{
    SCOPED(buf) struct buf out = {0};
    buf_printf(&out, "%.*s AND (", STR_ARG(sql));
    add_range(&out, range, lo, hi);
    buf_add_char(&out, ')');
    return buf_done(a, &out);
}

/* The text with its {names} filled in. */
static const char *fill(struct arena *a, const char *text, const char *const *pairs, size_t count)
{
    struct str rest = str_of(text);
    SCOPED(buf) struct buf out = {0};
    for (size_t open; (open = str_find_char(rest, '{')) != SIZE_MAX;) {
        buf_add(&out, rest.at, open);
        rest = str_skip(rest, open + 1);
        struct str name;
        rest = str_cut(rest, '}', &name);
        for (size_t i = 0; i < count; i += 2) {
            if (str_equal(name, str_of(pairs[i])))
                buf_add_cstr(&out, pairs[i + 1]);
        }
    }
    buf_add_str(&out, rest);
    return arena_cstr(a, buf_str(&out));
}

static const char *column_list(struct arena *a, const struct online_range *range,
                               const char *before, const char *after)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(&out, "%s%s%.*s.%.*s%s", i ? ", " : "", before, STR_ARG(range->alias),
                   STR_ARG(range->key.at[i]), after);
    return arena_cstr(a, buf_str(&out));
}

static bool ask_position(struct arena *a, struct connection *c, const struct online_range *range,
                         const char *text, const char *where, const char *offset, struct str *out,
                         struct fail *f)
{
    const char *const pairs[] = {
        "texts",
        column_list(a, range, "pg_catalog.to_json(", ") OPERATOR(pg_catalog.#>>) '{}'"),
        "table",
        arena_cstr(a, range->table),
        "alias",
        arena_cstr(a, range->alias),
        "ascending",
        column_list(a, range, "", ""),
        "descending",
        column_list(a, range, "", " DESC"),
        "range",
        where,
        "offset",
        offset,
    };
    SCOPED(pg_result)
    PGresult *r =
        pgdrv_ask(c, &(struct pgdrv_query){.sql = fill(a, text, pairs, ARRAY_LEN(pairs))}, f);
    *out = r && PQntuples(r) ? arena_str(a, pgdrv_value(r, 0, 0)) : STR("");
    return r != NULL;
}

static struct str page_position(struct arena *a, int64_t page)
{
    return str_of(arena_printf(a, "[\"%lld\"]", (long long)page));
}

/* ---- the port ---- */

static bool fail_old(struct fail *f)
{
    (void)fail_set(f, EXIT_FAILED,
                   "a table without a key is changed in batches by PostgreSQL 14 and later only");
    return fail_hint(f, "Give it a primary key, name a unique index of NOT NULL columns "
                        "(-- migrate: batch key=…), or write -- migrate: as-written.");
}

static bool measure(struct arena *a, struct connection *c, const struct online_range *range,
                    struct range_extent *out, struct fail *f)
{
    static const Oid types[] = {OID_TEXT};
    const char *values[] = {arena_cstr(a, range->table)};
    *out = (struct range_extent){0};
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(
        c,
        &(struct pgdrv_query){
            .sql = sql_postgres_range_extent, .count = 1, .values = values, .types = types},
        f);
    if (!r)
        return false;
    out->filenode = pgdrv_value_i64(r, 0, 0);
    out->rows = pgdrv_value_i64(r, 0, 1);
    out->pages = pgdrv_value_i64(r, 0, 2);
    out->may_vacuum = str_equal(pgdrv_value(r, 0, 3), STR("t"));
    if (range->key.count)
        return ask_position(a, c, range, sql_postgres_range_last, "", "", &out->upto, f);
    if (PQserverVersion(c->pg) < TID_RANGES_SINCE)
        return fail_old(f);
    out->upto = out->pages ? page_position(a, out->pages) : STR("");
    return true;
}

static int64_t page_of(struct str position)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *values = position.len ? json_parse(position, STR("checkpoint"), &ignored) : NULL;
    int64_t page = 0;
    (void)!str_to_i64(json_str_of(json_at(values, 0)), &page);
    return page;
}

static bool next(struct arena *a, struct connection *c, const struct online_range *range,
                 struct str lo, struct str upto, int64_t count, struct str *out, struct fail *f)
{
    if (!range->key.count) {
        int64_t page = page_of(lo) + count;
        *out = page < page_of(upto) ? page_position(a, page) : upto;
        return true;
    }
    SCOPED(buf) struct buf where = {0};
    add_range(&where, range, lo, upto);
    if (!pgdrv_session_ensure(c, f) ||
        !ask_position(a, c, range, sql_postgres_range_next, buf_cstr(&where),
                      arena_printf(a, "%lld", (long long)count - 1), out, f))
        return false;
    if (!out->len)
        *out = upto;
    return true;
}

/* "42", "(7, abc)". */
static struct str key_text(struct arena *a, const PGresult *r, int row, int columns)
{
    SCOPED(buf) struct buf out = {0};
    buf_add_cstr(&out, columns > 1 ? "(" : "");
    for (int i = 0; i < columns; i++) {
        struct str value = pgdrv_value(r, row, i);
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
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(
        c, &(struct pgdrv_query){.sql = arena_printf(a, "/* migrate */ %.*s", STR_ARG(sql))}, f);
    if (!r)
        return false;
    int columns = range->key.count ? (int)range->key.count : 1;
    columns = columns < PQnfields(r) ? columns : PQnfields(r);
    for (int i = 0; i < PQntuples(r) && out->keys.count < keys; i++)
        vec_push(a, &out->keys, key_text(a, r, i, columns));
    out->count += PQntuples(r);
    return true;
}

/* Superusers, and from 15 on who was granted it: guc_tables.c (PGC_SUSET), sql-grant.html. Local to this one
   statement. */
static bool may_skip_triggers(struct connection *c, struct fail *f)
{
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(
        c,
        &(struct pgdrv_query){
            .sql = "SELECT pg_catalog.set_config('session_replication_role', 'replica', true)"},
        f);
    return r != NULL;
}

/* TRUNCATE would lock out readers for a moment; who vacuums it already need not be waited for. */
static bool vacuum(struct connection *c, const struct online_range *range, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    if (!pgdrv_session_ensure(c, f))
        return false;
    c->is_quiet = true;
    bool is_done = pgdrv_run(
        c, arena_printf(a, "VACUUM (SKIP_LOCKED, TRUNCATE off) %.*s", STR_ARG(range->table)), f);
    c->is_quiet = false;
    return is_done;
}

const struct range_driver pgdrv_ranges = {
    .prepare = pgdrv_backfill_prepare,
    .may_skip_triggers = may_skip_triggers,
    .read = pgdrv_backfill_read,
    .measure = measure,
    .next = next,
    .restrict_to = restrict_to,
    .find = find,
    .load = pgdrv_load,
    .vacuum = vacuum,
};
