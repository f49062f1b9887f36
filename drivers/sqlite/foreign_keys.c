/*
 * The foreign keys of the schema, and the rows whose parents are missing, as SQLite itself reports
 * them (PRAGMA foreign_key_list, foreign_key_check).
 */
#include "drivers/sqlite/connection.h"

static bool read_schema_version(struct connection *c, int64_t *out, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_SCHEMA_VERSION, &s, f) || !sqlite_step(c, s, &is_row, f))
        return false;
    *out = is_row ? sqlite3_column_int64(s, 0) : 0;
    return true;
}

static struct foreign_key key_of(struct arena *a, sqlite3_stmt *s)
{
    struct str action = sqlite_text(s, 4);
    bool is_cascade = str_equal(action, STR("CASCADE"));
    return (struct foreign_key){
        .child = arena_str(a, sqlite_text(s, 0)),
        .parent = arena_str(a, sqlite_text(s, 1)),
        .id = sqlite3_column_int64(s, 2),
        .column = arena_str(a, sqlite_text(s, 3)),
        .is_cascade = is_cascade,
        .changes_children = is_cascade || str_starts(action, STR("SET ")),
    };
}

void sqlite_foreign_keys_forget(struct connection *c)
{
    arena_release(c->keys.arena);
    c->keys = (struct foreign_keys){0};
}

bool sqlite_foreign_keys_read(struct connection *c, struct fail *f)
{
    int64_t version;
    if (!read_schema_version(c, &version, f))
        return false;
    if (c->keys.arena && c->keys.schema_version == version)
        return true;
    sqlite_foreign_keys_forget(c);
    c->keys = (struct foreign_keys){.arena = arena_make(), .schema_version = version - 1};
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    if (!sqlite_query(c, QUERY_FOREIGN_KEY_LIST, &s, f))
        return false;
    for (;;) {
        bool is_row;
        if (!sqlite_step(c, s, &is_row, f))
            return false;
        if (!is_row)
            break;
        vec_push(c->keys.arena, &c->keys, key_of(c->keys.arena, s));
    }
    c->keys.schema_version = version;
    return true;
}

struct orphans *sqlite_orphans_find(struct orphan_list *list, struct str child, struct str parent)
{
    for (size_t i = 0; i < list->count; i++) {
        struct orphans *o = &list->at[i];
        if (str_equal_nocase(o->child, child) && str_equal_nocase(o->parent, parent))
            return o;
    }
    return NULL;
}

static void add_orphan(struct arena *a, struct orphan_list *list, struct str child, sqlite3_stmt *s,
                       size_t rowid_room)
{
    struct orphans *o = sqlite_orphans_find(list, child, sqlite_text(s, 1));
    if (!o) {
        struct orphans empty = {
            .child = arena_str(a, child),
            .parent = arena_str(a, sqlite_text(s, 1)),
            .has_rowids = true,
        };
        vec_push(a, list, empty);
        o = &list->at[list->count - 1];
    }
    o->count++;
    if (sqlite3_column_type(s, 0) == SQLITE_NULL || o->at_count >= rowid_room) {
        o->has_rowids = false;
        return;
    }
    if (o->at_count == o->at_room)
        o->at = vec_grow(a, o->at, sizeof(*o->at), &o->at_room);
    o->at[o->at_count++] = (struct orphan){
        .rowid = sqlite3_column_int64(s, 0),
        .key = sqlite3_column_int64(s, 2),
    };
}

#define SAMPLES 3

static void explain_orphans(const struct orphans *o, struct fail *f)
{
    SCOPED(buf) struct buf rowids = {0};
    for (size_t i = 0; i < o->at_count; i++)
        buf_printf(&rowids, "%s%lld", i ? ", " : "", (long long)o->at[i].rowid);
    fail_detail(f, "%lld %s of \"%.*s\" %s to rows that \"%.*s\" does not have%s%s%s.",
                (long long)o->count, o->count == 1 ? "row" : "rows", STR_ARG(o->child),
                o->count == 1 ? "refers" : "refer", STR_ARG(o->parent),
                o->at_count ? ": rowid " : "", buf_cstr(&rowids),
                o->at_count && (int64_t)o->at_count < o->count ? ", …" : "");
}

void sqlite_explain_violation(struct connection *c, struct fail *f)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    struct orphan_list list = {0};
    sqlite_blame(&c->first, f);
    if (!sqlite_foreign_keys_read(c, &ignored))
        return;
    for (size_t i = 0; i < c->keys.count; i++) {
        struct str child = c->keys.at[i].child;
        bool is_read = i && str_equal(child, c->keys.at[i - 1].child);
        if (!is_read && !sqlite_orphans_read(c->scratch, c, child, SAMPLES, &list, &ignored))
            return;
    }
    for (size_t i = 0; i < list.count; i++)
        explain_orphans(&list.at[i], f);
}

bool sqlite_orphans_read(struct arena *a, struct connection *c, struct str child, size_t rowid_room,
                         struct orphan_list *list, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    if (!sqlite_query(c, QUERY_FOREIGN_KEY_CHECK, &s, f))
        return false;
    sqlite_bind(s, 1, child);
    for (;;) {
        int code = sqlite3_step(s);
        if (code == SQLITE_DONE || code == SQLITE_ERROR) /* "foreign key mismatch" */
            return true;
        if (code != SQLITE_ROW)
            return sqlite_fail(c, code, f);
        add_orphan(a, list, child, s, rowid_room);
    }
}
