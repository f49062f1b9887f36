/*
 * The rollback journal in a run of many transactions. By default SQLite makes the journal's file for
 * each transaction, syncs the directory so that the file cannot get lost, and removes it again: on a
 * usual disk that is a third of what a small migration costs. So the file stays and its header is
 * wiped instead (PRAGMA journal_mode = PERSIST, https://www.sqlite.org/pragma.html#pragma_journal_mode).
 * The mode is this connection's alone; others neither see nor mind it.
 *
 * SQLite would still sync the directory each time, since it always asks for the file to be created. A
 * VFS of ours, which is the default one but for opening, takes that wish away where the file is the
 * very one that we made and whose directory we have synced: we hold it open, so no other file can have
 * its number. A transaction is then four syncs, as it is by default, and as safe: journal, its header, the
 * database, and the wiped header.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/fs.h"
#include "core/base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal_vfs {
    sqlite3_vfs vfs; /* first: SQLite hands us this address */
    sqlite3_vfs *base;
    bool is_decided; /* for the present session */
    bool is_on;
    bool has_made; /* a file that nobody has removed yet, as far as we know */
    int held;      /* the file that we made; -1: none */
};

static void let_go(struct journal_vfs *j)
{
    if (j->held >= 0)
        (void)close(j->held);
    j->held = -1;
}

static bool is_held_file(const struct journal_vfs *j, const char *path)
{
    struct stat ours;
    struct stat there;
    return j->held >= 0 && fstat(j->held, &ours) == 0 && stat(path, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool sync_directory_of(const char *path)
{
    SCOPED(arena) struct arena *a = arena_make();
    int fd = open(arena_cstr(a, fs_dirname(str_of(path))), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_done = fsync(fd) == 0;
    (void)close(fd);
    return is_done;
}

/* Where anything fails, nothing is held, and SQLite does what it always does. */
static void hold(struct journal_vfs *j, const char *path)
{
    let_go(j);
    j->held = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (j->held >= 0 && !sync_directory_of(path))
        let_go(j);
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out_flags)
{
    struct journal_vfs *j = (struct journal_vfs *)vfs;
    const int makes_journal = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_CREATE;
    if (!j->is_on || !path || (flags & makes_journal) != makes_journal)
        return j->base->xOpen(j->base, path, file, flags, out_flags);
    if (is_held_file(j, path)) {
        int code = j->base->xOpen(j->base, path, file, flags & ~SQLITE_OPEN_CREATE, out_flags);
        if (code == SQLITE_OK)
            return code;
    }
    int code = j->base->xOpen(j->base, path, file, flags, out_flags);
    j->has_made |= code == SQLITE_OK;
    if (code == SQLITE_OK)
        hold(j, path);
    return code;
}

const char *sqlite_journal_vfs(struct connection *c)
{
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    if (!c->is_bulk || c->is_in_memory || !base)
        return NULL;
    if (!c->journal) {
        struct journal_vfs *j = arena_new(c->arena, struct journal_vfs);
        j->vfs = *base;
        j->vfs.pNext = NULL;
        j->vfs.zName = arena_printf(c->arena, "migrate-%p", (void *)c);
        j->vfs.xOpen = open_file;
        j->base = base;
        j->held = -1;
        if (sqlite3_vfs_register(&j->vfs, 0) != SQLITE_OK)
            return NULL;
        c->journal = j;
    }
    return c->journal->vfs.zName;
}

bool sqlite_journal_keep(struct connection *c, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!c->journal || c->journal->is_decided)
        return true;
    if (!sqlite_query(c, QUERY_JOURNAL_MODE, &s, f) || !sqlite_step(c, s, &is_row, f))
        return false;
    bool is_default = str_equal(sqlite_text(s, 0), STR("delete"));
    (void)sqlite3_reset(s);
    c->journal->is_decided = true;
    c->journal->is_on =
        is_default; /* any other is WAL, which a change would end, or a file's choice */
    return !is_default || sqlite_run(c, QUERY_JOURNAL_KEEP, f);
}

void sqlite_journal_restore(struct connection *c)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    struct journal_vfs *j = c->journal;
    if (!j || !j->is_on)
        return;
    j->is_on = false;
    let_go(j);
    if (!j->has_made)
        return;
    j->has_made = false;
    sqlite_wait_off(c);
    /* Where others are busy the wiped file stays until anyone's next transaction. */
    if (!sqlite_run(c, QUERY_JOURNAL_REMOVE, &ignored))
        log_line(LOG_DEBUG, "the journal could not be removed: %s", ignored.message);
    sqlite_wait_limit(c, c->lock_timeout_ms);
}

/* The session is over. */
void sqlite_journal_forget(struct connection *c)
{
    if (!c->journal)
        return;
    sqlite_journal_restore(c);
    c->journal->is_decided = false;
}

void sqlite_journal_release(struct connection *c)
{
    if (!c->journal)
        return;
    let_go(c->journal);
    (void)sqlite3_vfs_unregister(&c->journal->vfs);
    c->journal = NULL;
}
