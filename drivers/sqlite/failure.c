/*
 * SQLite's result codes as failures. The message is SQLite's own; the detail names the code as the
 * manual spells it (https://www.sqlite.org/rescode.html), the hint says what can be done.
 */
#include "drivers/sqlite/connection.h"

static const struct {
    int code;
    const char *name;
} code_names[] = {
    {SQLITE_ERROR, "SQLITE_ERROR"},
    {SQLITE_INTERNAL, "SQLITE_INTERNAL"},
    {SQLITE_PERM, "SQLITE_PERM"},
    {SQLITE_ABORT, "SQLITE_ABORT"},
    {SQLITE_BUSY, "SQLITE_BUSY"},
    {SQLITE_LOCKED, "SQLITE_LOCKED"},
    {SQLITE_NOMEM, "SQLITE_NOMEM"},
    {SQLITE_READONLY, "SQLITE_READONLY"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
    {SQLITE_IOERR, "SQLITE_IOERR"},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
    {SQLITE_FULL, "SQLITE_FULL"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG"},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH"},
    {SQLITE_MISUSE, "SQLITE_MISUSE"},
    {SQLITE_NOLFS, "SQLITE_NOLFS"},
    {SQLITE_AUTH, "SQLITE_AUTH"},
    {SQLITE_RANGE, "SQLITE_RANGE"},
    {SQLITE_NOTADB, "SQLITE_NOTADB"},
    {SQLITE_ABORT_ROLLBACK, "SQLITE_ABORT_ROLLBACK"},
    {SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY"},
    {SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT"},
    {SQLITE_BUSY_TIMEOUT, "SQLITE_BUSY_TIMEOUT"},
    {SQLITE_CANTOPEN_ISDIR, "SQLITE_CANTOPEN_ISDIR"},
    {SQLITE_CANTOPEN_FULLPATH, "SQLITE_CANTOPEN_FULLPATH"},
    {SQLITE_CANTOPEN_SYMLINK, "SQLITE_CANTOPEN_SYMLINK"},
    {SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK"},
    {SQLITE_CONSTRAINT_COMMITHOOK, "SQLITE_CONSTRAINT_COMMITHOOK"},
    {SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY"},
    {SQLITE_CONSTRAINT_FUNCTION, "SQLITE_CONSTRAINT_FUNCTION"},
    {SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL"},
    {SQLITE_CONSTRAINT_PINNED, "SQLITE_CONSTRAINT_PINNED"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY"},
    {SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID"},
    {SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER"},
    {SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE"},
    {SQLITE_CONSTRAINT_VTAB, "SQLITE_CONSTRAINT_VTAB"},
    {SQLITE_CORRUPT_INDEX, "SQLITE_CORRUPT_INDEX"},
    {SQLITE_CORRUPT_SEQUENCE, "SQLITE_CORRUPT_SEQUENCE"},
    {SQLITE_CORRUPT_VTAB, "SQLITE_CORRUPT_VTAB"},
    {SQLITE_ERROR_MISSING_COLLSEQ, "SQLITE_ERROR_MISSING_COLLSEQ"},
    {SQLITE_ERROR_RETRY, "SQLITE_ERROR_RETRY"},
    {SQLITE_ERROR_SNAPSHOT, "SQLITE_ERROR_SNAPSHOT"},
    {SQLITE_IOERR_ACCESS, "SQLITE_IOERR_ACCESS"},
    {SQLITE_IOERR_DELETE, "SQLITE_IOERR_DELETE"},
    {SQLITE_IOERR_DIR_FSYNC, "SQLITE_IOERR_DIR_FSYNC"},
    {SQLITE_IOERR_FSTAT, "SQLITE_IOERR_FSTAT"},
    {SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"},
    {SQLITE_IOERR_LOCK, "SQLITE_IOERR_LOCK"},
    {SQLITE_IOERR_NOMEM, "SQLITE_IOERR_NOMEM"},
    {SQLITE_IOERR_READ, "SQLITE_IOERR_READ"},
    {SQLITE_IOERR_SHMMAP, "SQLITE_IOERR_SHMMAP"},
    {SQLITE_IOERR_SHMOPEN, "SQLITE_IOERR_SHMOPEN"},
    {SQLITE_IOERR_SHMSIZE, "SQLITE_IOERR_SHMSIZE"},
    {SQLITE_IOERR_SHORT_READ, "SQLITE_IOERR_SHORT_READ"},
    {SQLITE_IOERR_TRUNCATE, "SQLITE_IOERR_TRUNCATE"},
    {SQLITE_IOERR_UNLOCK, "SQLITE_IOERR_UNLOCK"},
    {SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"},
    {SQLITE_LOCKED_SHAREDCACHE, "SQLITE_LOCKED_SHAREDCACHE"},
    {SQLITE_READONLY_CANTINIT, "SQLITE_READONLY_CANTINIT"},
    {SQLITE_READONLY_CANTLOCK, "SQLITE_READONLY_CANTLOCK"},
    {SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"},
    {SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY"},
    {SQLITE_READONLY_RECOVERY, "SQLITE_READONLY_RECOVERY"},
    {SQLITE_READONLY_ROLLBACK, "SQLITE_READONLY_ROLLBACK"},
};

const char *sqlite_code_name(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(code_names); i++) {
        if (code_names[i].code == code)
            return code_names[i].name;
    }
    return (code & 0xff) != code ? sqlite_code_name(code & 0xff) : "SQLITE_ERROR";
}

/* What a person can do. `{path}` stands for the database. Rows of extended codes go before those of
   their primary code. */
static const struct {
    int code;
    const char *hint;
} code_hints[] = {
    {SQLITE_CONSTRAINT_FOREIGNKEY,
     "Write the row that is referred to first, or put PRAGMA defer_foreign_keys = ON before the "
     "statements, so that COMMIT is the first to look. `PRAGMA foreign_key_check` lists the rows "
     "that lacked their parents before."},
    {SQLITE_CANTOPEN_ISDIR, "Name the database file, not its directory."},
    {SQLITE_CANTOPEN, "The directory of the database must exist, and this user must be allowed to "
                      "make files in it: SQLite puts its journal beside the database."},
    {SQLITE_READONLY_DIRECTORY, "SQLite puts its journal beside the database, so this user must be "
                                "allowed to make files in that directory."},
    {SQLITE_READONLY_DBMOVED, "The file was moved or replaced while it was open; nothing was "
                              "changed. Run again."},
    {SQLITE_READONLY,
     "This user may not write to the file, or its directory, or the file system is "
     "mounted read-only."},
    {SQLITE_NOTADB, "Check the path. An SQLite file begins with the words \"SQLite format 3\"; one "
                    "that is encrypted cannot be read."},
    {SQLITE_FULL, "Free space on the disk, or raise PRAGMA max_page_count; the transaction has no "
                  "effect, so run again then."},
    {SQLITE_IOERR, "The operating system could not read or write the file (disk, quota, file size "
                   "limit, network file system); look at its log."},
    {SQLITE_CORRUPT, "Keep a copy of the file and look with `PRAGMA integrity_check`; "
                     "https://www.sqlite.org/recovery.html says what can be saved."},
    {SQLITE_LOCKED, "A statement that reads the same table was not finished."},
    {SQLITE_TOOBIG, "SQLite holds at most 1,000,000,000 bytes in one value."},
    {SQLITE_PERM, "This user may not open the file."},
};

static const char *hint_of(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(code_hints); i++) {
        if (code_hints[i].code == code || code_hints[i].code == (code & 0xff))
            return code_hints[i].hint;
    }
    return NULL;
}

bool sqlite_fail_path(const char *path, int code, const char *words, struct fail *f)
{
    int primary = code & 0xff;
    bool is_about_file = primary == SQLITE_NOTADB || primary == SQLITE_CANTOPEN ||
                         primary == SQLITE_PERM || primary == SQLITE_READONLY ||
                         primary == SQLITE_FULL || primary == SQLITE_IOERR ||
                         primary == SQLITE_CORRUPT;
    const char *why = words ? words : sqlite3_errstr(code);
    if (fail_is_set(f))
        return false;
    if (is_about_file)
        fail_set(f, EXIT_FAILED, "database \"%s\": %s", path, why);
    else
        fail_set(f, EXIT_FAILED, "%s", why);
    fail_detail(f, "%s (%d).", sqlite_code_name(code), code);
    if (hint_of(code))
        fail_hint(f, "%s", hint_of(code));
    return fail_kind_set(f, FAIL_SERVER);
}

static bool fail_busy(struct connection *c, int code, struct fail *f)
{
    if (!sqlite_check_cancelled(c, f))
        return false;
    if (c->wait.is_expired && c->wait.limit_ms && !c->wait.is_opening)
        fail_set(f, EXIT_BUSY, "could not lock database \"%s\" within %u ms", c->path,
                 c->wait.limit_ms);
    else
        fail_set(f, EXIT_BUSY, "database \"%s\" is locked by another connection", c->path);
    SCOPED(arena) struct arena *a = arena_make();
    const char *owner = sqlite_lock_owner(a, c->path);
    if (owner)
        fail_detail(f, "The lock is held by %s. %s (%d).", owner, sqlite_code_name(code), code);
    else
        fail_detail(f, "%s (%d).", sqlite_code_name(code), code);
    fail_hint(f, "It is safe to run again when the other connection has ended its transaction%s.",
              c->wait.is_opening ? "" : "; locks.timeout is how long a lock is waited for");
    return fail_kind_set(f, FAIL_LOCK_TIMEOUT);
}

static bool fail_interrupt(struct connection *c, struct fail *f)
{
    if (c->is_timed_out) {
        fail_set(f, EXIT_FAILED, "the statement took longer than %u ms", c->statement_timeout_ms);
        fail_hint(f, "Its transaction has no effect. Raise the limit: -- migrate: timeout "
                     "statement=…");
    } else {
        sqlite_forget_cancelled(c);
        fail_set(f, EXIT_FAILED, "the statement was cancelled");
        fail_hint(f, "Its transaction has no effect; run again to go on.");
    }
    return fail_kind_set(f, FAIL_CANCELLED);
}

bool sqlite_fail(struct connection *c, int code, struct fail *f)
{
    if (fail_is_set(f))
        return false;
    /* Some calls give the primary code only; the connection knows the rest. */
    int extended = sqlite3_extended_errcode(c->db);
    if ((extended & 0xff) == code)
        code = extended;
    switch (code & 0xff) {
    case SQLITE_BUSY:
        return fail_busy(c, code, f);
    case SQLITE_INTERRUPT:
        return fail_interrupt(c, f);
    case SQLITE_NOMEM:
        return sqlite_fail_path(c->path, code, "out of memory", f);
    default:
        return sqlite_fail_path(c->path, code, sqlite3_errmsg(c->db), f);
    }
}
