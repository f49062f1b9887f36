/*
 * Opening, closing and starting afresh. SQLite itself touches the file only when something is read,
 * so opening reads the schema's version: a file that is no database, is locked or needs a rollback
 * is noticed here and not in the middle of something.
 *
 * A connection that must not write is opened read-only. Two kinds of database cannot be read so:
 * one whose last writer crashed (the journal must be rolled back first, by any reader) and one in
 * WAL mode (readers share memory in a file beside it, and the last to close tidies up). They are
 * opened for writing and then told to refuse changes (PRAGMA query_only); a URL with mode=ro forbids
 * the rollback, one with immutable=1 both.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/model/target_url.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PREFIX "migrator"
#define PREFIX_MAX_BYTES 100 /* names in messages stay readable */

/* ---- the handle ---- */
static void handle_close(struct connection *c)
{
    atomic_store(&c->interruptible, NULL);
    while (atomic_load(&c->cancelling) > 0)
        (void)sched_yield();
    if (c->db)
        sqlite_journal_forget(c);
    sqlite_queries_release(c);
    if (c->db && sqlite3_close(c->db) != SQLITE_OK)
        BUG("a statement was not released before its connection");
    c->db = NULL;
}

/* https://www.sqlite.org/uri.html: the only way to say immutable=1. */
static const char *immutable_uri(struct arena *a, const char *path)
{
    SCOPED(buf) struct buf uri = {0};
    buf_add_cstr(&uri, "file:");
    for (const char *at = path; *at; at++) {
        if (strchr("%?#", *at))
            buf_printf(&uri, "%%%02X", (unsigned char)*at);
        else
            buf_add_char(&uri, *at);
    }
    buf_add_cstr(&uri, "?immutable=1");
    return arena_cstr(a, buf_str(&uri));
}

static int handle_open(struct connection *c, int flags)
{
    /* The library may be built to take "file:…" for a URI (Debian's is); a path is a path. */
    const char *path = c->path;
    if (!c->is_in_memory && path[0] != '/')
        path = arena_printf(c->arena, "./%s", path);
    if (c->is_immutable) {
        path = immutable_uri(c->arena, path);
        flags |= SQLITE_OPEN_URI;
    }
    return sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                           sqlite_journal_vfs(c));
}

/* Header byte 18 is 2 in WAL mode (https://www.sqlite.org/fileformat.html, 1.3.3). Read through
   SQLite's own handle: opening and closing the file ourselves would drop its locks (fcntl(2)). */
static bool is_wal(struct connection *c)
{
    sqlite3_file *file = NULL;
    unsigned char version = 0;
    if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file || !file->pMethods)
        return false;
    return file->pMethods->xRead(file, &version, 1, 18) == SQLITE_OK && version == 2;
}

static bool is_file_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Our own statements, as SQLite has run them; their values are not in the text. */
static int trace(unsigned event, void *context, void *statement, void *nanoseconds)
{
    const struct connection *c = context;
    (void)event;
    if (statement != c->runs)
        log_sql(str_of(sqlite3_sql(statement)), *(const int64_t *)nanoseconds / 1000, NULL);
    return 0;
}

static void configure(struct connection *c)
{
    if (log_is_on(LOG_SQL))
        (void)sqlite3_trace_v2(c->db, SQLITE_TRACE_PROFILE, trace, c);
    sqlite_wait_install(c);
    sqlite_guard_install(c);
    if (c->foreign_keys >= 0)
        sqlite_foreign_keys_set(c, c->foreign_keys);
    c->default_foreign_keys = sqlite_foreign_keys_get(c);
    c->is_session_changed = false;
    c->head_is_known = false;
    atomic_store(&c->interruptible, c->db);
}

/* Opens with these flags and reads something. A failure leaves no handle. */
static bool try_open(struct connection *c, int flags, struct fail *f)
{
    int code = handle_open(c, flags);
    if (code != SQLITE_OK) {
        sqlite_fail_path(c->path, code, c->db ? sqlite3_errmsg(c->db) : NULL, f);
        handle_close(c);
        return false;
    }
    configure(c);
    if (sqlite_run(c, QUERY_TOUCH, f))
        return true;
    handle_close(c);
    return false;
}

/* ---- reading ---- */

static bool open_quiet_writer(struct connection *c, struct fail *f)
{
    /* A journal that was there before is left as it was found, not worked into the database. */
    struct stat st;
    bool keeps_wal = stat(arena_printf(c->arena, "%s-wal", c->path), &st) == 0 && st.st_size > 0;
    if (!try_open(c, SQLITE_OPEN_READWRITE, f))
        return false;
    if (keeps_wal)
        (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return sqlite_run(c, QUERY_QUERY_ONLY, f);
}

static bool explain_unreadable(struct fail *f)
{
    fail_detail(f,
                "It is in WAL mode, or a crash left a journal beside it; either needs files to be "
                "made or changed in its directory.");
    return fail_hint(f, "Run as the user who owns the database, or read a copy made with "
                        "`sqlite3 FILE \".backup COPY\"`.");
}

static bool open_reader(struct connection *c, struct fail *f)
{
    SCOPED(fail) struct fail first = FAIL_NONE;
    if (c->is_immutable)
        return try_open(c, SQLITE_OPEN_READONLY, f);
    int code = handle_open(c, SQLITE_OPEN_READONLY);
    bool needs_writer = code == SQLITE_OK && is_wal(c);
    handle_close(c);
    if (!needs_writer && try_open(c, SQLITE_OPEN_READONLY, &first))
        return true;
    bool is_hot = first.detail && strstr(first.detail, "SQLITE_READONLY_ROLLBACK");
    bool must_stay = is_hot && c->mode && strcmp(c->mode, "ro") == 0;
    if ((needs_writer || is_hot) && !must_stay) {
        SCOPED(fail) struct fail second = FAIL_NONE;
        if (open_quiet_writer(c, &second))
            return true;
        if (second.kind == FAIL_LOCK_TIMEOUT || second.kind == FAIL_CANCELLED)
            return try_open(c, SQLITE_OPEN_READWRITE, f);
    }
    /* A directory that we may not write to, in which the writer's files happen to be. */
    return try_open(c, SQLITE_OPEN_READONLY, f) ||
           (needs_writer || is_hot ? explain_unreadable(f) : false);
}

/* ---- writing ---- */

static bool open_writer(struct connection *c, bool must_exist, struct fail *f)
{
    /* What ATTACH may do is what the file itself was opened with (attach.c: db->openFlags). */
    int create = must_exist && !is_file_there(c->path) ? 0 : SQLITE_OPEN_CREATE;
    if (!try_open(c, SQLITE_OPEN_READWRITE | create, f))
        return false;
    if (sqlite3_db_readonly(c->db, "main") == 1) {
        fail_set(f, EXIT_FAILED, "cannot write to database \"%s\"", c->path);
        return fail_hint(f, "This user may not write to the file, or the file system is mounted "
                            "read-only.");
    }
    return sqlite_run(c, QUERY_SYNCHRONOUS, f);
}

static const char *restriction(const struct connection *c)
{
    if (c->is_immutable)
        return "immutable=1";
    return strcmp(c->mode, "ro") == 0 ? "mode=ro" : "mode=rw";
}

static bool fail_missing(struct connection *c, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "there is no database file \"%s\"", c->path);
    fail_hint(f,
              "Check the path; it is relative to the current directory. `migrate apply` makes the "
              "file where %s%s.",
              c->mode ? "the URL is without " : "--url names a new one",
              c->mode ? restriction(c) : "");
    return fail_kind_set(f, FAIL_NOT_FOUND);
}

static bool open_any(struct connection *c, bool must_exist, struct fail *f)
{
    if (c->is_in_memory)
        return try_open(c, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, f);
    if (fs_is_directory(c->path)) {
        fail_set(f, EXIT_USAGE, "database \"%s\" is a directory", c->path);
        return fail_hint(f, "Name the database file in it.");
    }
    if (must_exist && !is_file_there(c->path) && errno == ENOENT)
        return fail_missing(c, f);
    return c->is_read_only ? open_reader(c, f) : open_writer(c, must_exist, f);
}

/* ---- the connection ---- */

static bool check_prefix(const char *prefix, struct fail *f)
{
    size_t len = strlen(prefix);
    if (len <= PREFIX_MAX_BYTES && !str_starts_nocase(str_of(prefix), STR("sqlite_")))
        return true;
    fail_set(f, EXIT_USAGE, "\"%.40s\" cannot be the prefix of the history tables", prefix);
    return fail_hint(f,
                     "At most %d bytes, not beginning with \"sqlite_\": SQLite keeps those names "
                     "for itself.",
                     PREFIX_MAX_BYTES);
}

static bool check_mode(const struct connection *c, struct fail *f)
{
    if (c->is_read_only || !c->mode || strcmp(c->mode, "ro") != 0)
        return true;
    fail_set(f, EXIT_USAGE, "the URL says that database \"%s\" is read-only", c->path);
    return fail_hint(f,
                     "Take %s out of the URL to write to it; `migrate plan`, `status` and "
                     "`history` only read.",
                     restriction(c));
}

static bool fill_in(struct connection *c, const struct connect_options *options, struct fail *f)
{
    struct target_url url;
    if (!target_url_parse(c->arena, options->url, ENGINE_SQLITE, &url, f))
        return false;
    c->path = url.path;
    c->safe_url = url.safe;
    c->prefix =
        options->history_name.len ? arena_cstr(c->arena, options->history_name) : DEFAULT_PREFIX;
    c->who = options->application_name ? arena_cstr(c->arena, str_of(options->application_name))
                                       : "migrate";
    c->mode = url.mode;
    c->is_immutable = url.is_immutable;
    c->is_read_only = options->is_read_only;
    c->is_bulk = options->is_bulk && !options->is_read_only;
    c->lock_timeout_ms = options->lock_timeout_ms;
    c->foreign_keys = !url.query ? -1 : strcmp(url.query, "on") == 0;
    c->is_in_memory = strcmp(c->path, ":memory:") == 0;
    c->expected_head_id = -1;
    sqlite_wait_limit(c, options->connect_timeout_ms ? options->connect_timeout_ms
                                                     : options->lock_timeout_ms);
    c->wait.is_opening = true;
    return check_prefix(c->prefix, f) && check_mode(c, f);
}

/* SQLite counts its memory under a lock that every allocation takes; nobody asks for the sum. This can
   be said only before SQLite's first use in the process; later it is refused, which does no harm. */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct connection *sqlite_connection_open(struct arena *a, const struct connect_options *options,
                                          struct fail *f)
{
    struct connection *c = arena_new(a, struct connection);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, configure_library);
    c->arena = a;
    c->scratch = arena_make();
    if (!fill_in(c, options, f)) {
        sqlite_connection_close(c);
        return NULL;
    }
    /* What was never made has no history; and reading must not make it. */
    bool must_exist = options->must_exist || c->mode;
    if (c->is_read_only && !must_exist && !is_file_there(c->path) && errno == ENOENT)
        c->is_in_memory = true;
    if (!open_any(c, must_exist, f)) {
        sqlite_connection_close(c);
        return NULL;
    }
    sqlite_wait_limit(c, c->lock_timeout_ms);
    return c;
}

void sqlite_connection_close(struct connection *c)
{
    if (!c)
        return;
    if (c->db)
        sqlite_abandon(c);
    handle_close(c);
    sqlite_journal_release(c);
    sqlite_foreign_keys_forget(c);
    arena_release(c->scratch);
    c->scratch = NULL;
}

bool sqlite_connection_reopen(struct connection *c, struct fail *f)
{
    sqlite_foreign_keys_forget(c);
    if (c->is_in_memory)
        return true;
    if (c->db)
        sqlite_abandon(c);
    handle_close(c);
    if (open_any(c, true, f))
        return true;
    return fail_wrap(f, "while opening the database again");
}

bool sqlite_ensure_open(struct connection *c, struct fail *f)
{
    return c->db || sqlite_connection_reopen(c, f);
}

/* Most migrations change nothing in the session; many only switch foreign keys. What else a PRAGMA,
   a temporary table or ATTACH leaves behind cannot be listed with certainty, so a new connection
   replaces it: a fraction of a millisecond. */
bool sqlite_reset_session(struct connection *c, struct fail *f)
{
    sqlite_forget_cancelled(c);
    if (!sqlite_ensure_open(c, f))
        return false;
    if (c->is_session_changed && !c->is_in_memory)
        return sqlite_connection_reopen(c, f);
    if (sqlite_foreign_keys_get(c) != c->default_foreign_keys)
        sqlite_foreign_keys_set(c, c->default_foreign_keys);
    return true;
}

bool sqlite_foreign_keys_get(struct connection *c)
{
    int is_on = 0;
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &is_on);
    return is_on;
}

void sqlite_foreign_keys_set(struct connection *c, bool is_on)
{
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_FKEY, is_on, NULL);
}

void sqlite_cancel(struct connection *c)
{
    atomic_store(&c->is_cancelled, true);
    atomic_fetch_add(&c->cancelling, 1);
    sqlite3 *db = atomic_load(&c->interruptible);
    if (db)
        sqlite3_interrupt(db);
    atomic_fetch_sub(&c->cancelling, 1);
}
