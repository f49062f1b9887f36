/*
 * What `migrate doctor` looks at: the file and its rights, its journal, foreign keys, damage, tables that a
 * rebuild left behind, and who is at work. Only reads; a check that fails takes no other along.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/vec.h"
#include "sql.h"

#include <sys/stat.h>
#include <unistd.h>

/* Reading the entries of every index of a larger file takes minutes. */
#define QUICK_ABOVE_BYTES ((int64_t)256 << 20)

static int64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void push(struct arena *a, struct examination *out, const struct sighting *one)
{
    struct sighting o = *one;
    const char **const texts[] = {&o.subject, &o.owner, &o.state, &o.text,
                                  &o.schema,  &o.name,  &o.table};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!*texts[i])
            *texts[i] = "";
    }
    vec_push(a, out, o);
}

static void examine_file(struct arena *a, const struct connection *c, struct examination *out)
{
    const char *slash = strrchr(c->path, '/');
    const char *directory =
        slash ? arena_cstr(a, str_range(c->path, slash == c->path ? slash + 1 : slash)) : ".";
    out->is_made[CHECK_FILE] = true;
    struct sighting o = {.check = CHECK_FILE, .subject = c->path};
    if (!c->is_in_memory && access(c->path, W_OK) != 0)
        o.state = "it is read-only for this user";
    else if (!c->is_in_memory && access(directory, W_OK) != 0)
        o.state = "the journal cannot be made, its directory is read-only for this user";
    push(a, out, &o);
}

/* Takes rows of "subject, owner, number" of a query of ours. is_fine: rows to leave out; NULL: none. */
static bool examine_rows(struct arena *a, struct connection *c, enum check check, const char *sql,
                         const char *fine, struct examination *out, struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    if (!sqlite_prepare(c, sql, &s, f))
        return false;
    for (;;) {
        bool is_row;
        if (!sqlite_step(c, s, &is_row, f))
            return false;
        if (!is_row)
            return true;
        struct str subject = sqlite_text(s, 0);
        if (fine && str_equal(subject, str_of(fine)))
            continue;
        struct sighting o = {
            .check = check,
            .subject = arena_cstr(a, subject),
            .owner = sqlite3_column_count(s) > 1 ? arena_cstr(a, sqlite_text(s, 1)) : NULL,
            .number = sqlite3_column_count(s) > 2 ? sqlite3_column_int64(s, 2) : 0,
        };
        push(a, out, &o);
    }
}

static bool examine_journal(struct arena *a, struct connection *c, struct examination *out,
                            struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_JOURNAL_MODE, &s, f) || !sqlite_step(c, s, &is_row, f))
        return false;
    struct sighting o = {
        .check = CHECK_JOURNAL,
        .subject = arena_cstr(a, sqlite_text(s, 0)),
        .number = file_bytes(arena_printf(a, "%s-wal", c->path)),
    };
    push(a, out, &o);
    return true;
}

static bool examine_holder(struct arena *a, struct connection *c, struct examination *out,
                           struct fail *f)
{
    struct lock_holder holder;
    if (!sqlite_find_holder(a, c, &holder, f))
        return false;
    struct sighting o = {.check = CHECK_RUN_LOCK, .subject = holder.who, .text = holder.doing};
    if (holder.who)
        push(a, out, &o);
    return true;
}

/* What failed is told; only a cancel ends everything. */
static bool settle(struct arena *a, enum check check, bool is_done, struct examination *out,
                   struct fail *missed, struct fail *f)
{
    out->is_made[check] = true;
    if (is_done)
        return true;
    if (missed->kind == FAIL_CANCELLED) {
        *f = *missed;
        *missed = FAIL_NONE;
        return false;
    }
    out->missed[check] = arena_cstr(a, str_of(missed->message));
    fail_clear(missed);
    return true;
}

/* Damage may end the very statement that looks for it. */
static bool is_damage(struct arena *a, struct connection *c, struct examination *out,
                      struct fail *missed)
{
    int code = sqlite3_errcode(c->db) & 0xff;
    if (code != SQLITE_CORRUPT && code != SQLITE_IOERR && code != SQLITE_NOTADB)
        return false;
    struct sighting o = {.check = CHECK_INTEGRITY,
                         .subject = arena_cstr(a, str_of(missed->message))};
    push(a, out, &o);
    fail_clear(missed);
    return true;
}

bool sqlite_examine(struct arena *a, struct connection *c, struct examination *out, struct fail *f)
{
    bool is_large = file_bytes(c->path) > QUICK_ABOVE_BYTES;
    const struct {
        enum check check;
        const char *sql;
        const char *fine;
    } queries[] = {
        {CHECK_FOREIGN_KEYS, sql_sqlite_examine_foreign_keys, NULL},
        {CHECK_INTEGRITY,
         is_large ? sql_sqlite_examine_integrity_quick : sql_sqlite_examine_integrity, "ok"},
        {CHECK_LEFTOVERS, sql_sqlite_examine_leftovers, NULL},
    };
    SCOPED(fail) struct fail missed = FAIL_NONE;
    *out = (struct examination){0};
    if (!sqlite_ensure_open(c, f))
        return false;
    sqlite_wait_limit(c, c->lock_timeout_ms);
    examine_file(a, c, out);
    bool is_done = examine_holder(a, c, out, &missed);
    if (!settle(a, CHECK_RUN_LOCK, is_done, out, &missed, f))
        return false;
    is_done = examine_journal(a, c, out, &missed);
    if (!settle(a, CHECK_JOURNAL, is_done, out, &missed, f))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        is_done =
            examine_rows(a, c, queries[i].check, queries[i].sql, queries[i].fine, out, &missed);
        if (!is_done && queries[i].check == CHECK_INTEGRITY)
            is_done = is_damage(a, c, out, &missed);
        if (!settle(a, queries[i].check, is_done, out, &missed, f))
            return false;
    }
    return true;
}
