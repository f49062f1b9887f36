/*
 * A connection to a SQLite file, and what the parts of this driver share. Private to
 * drivers/sqlite.
 *
 *   connect.c      open, close, start the session afresh, cancel
 *   journal.c      the journal's file in a run of many transactions
 *   query.c        our own statements: prepared once per connection, prefix filled in
 *   wait.c         waiting for locks, time limits, stopping a statement
 *   failure.c      SQLite's result codes as failures
 *   process.c      who holds a lock: /proc
 *   history.c      the tables of the audit trail
 *   lock.c         the note that names the run under way
 *   transaction.c  begin, commit, rollback, append
 *   execute.c      the statements of migrations
 *   backfill.c     checkpoints of steps that run in batches
 *   range.c        ranges of a table, and the pauses between batches
 *   foreign_keys.c the foreign keys of the schema, and rows without parents
 *   guard.c        rows must not lose their parents while foreign keys are not enforced
 *   drop_watch.c   nor vanish with them while they are
 */
#ifndef DRIVERS_SQLITE_CONNECTION_H
#define DRIVERS_SQLITE_CONNECTION_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "core/base/buf.h"
#include "core/base/vec.h"
#include "core/model/driver.h"

/* Our statements, in the order of query.c's table. */
enum query_id {
    QUERY_BACKFILL_REMOVE,
    QUERY_BACKFILL_WRITE,
    QUERY_BEGIN_READ,
    QUERY_BEGIN_WRITE,
    QUERY_CLAIM,
    QUERY_COMMIT,
    QUERY_DATA_VERSION,
    QUERY_DEFER,
    QUERY_EVENT_INSERT,
    QUERY_FOREIGN_KEY_CHECK,
    QUERY_FOREIGN_KEY_LIST,
    QUERY_HISTORY_HEAD,
    QUERY_HISTORY_INSERT,
    QUERY_HISTORY_READ,
    QUERY_HISTORY_UPDATE,
    QUERY_JOURNAL_KEEP,
    QUERY_JOURNAL_MODE,
    QUERY_JOURNAL_REMOVE,
    QUERY_LOCK_ANNOUNCE,
    QUERY_LOCK_READ,
    QUERY_LOCK_RELEASE,
    QUERY_LOCK_TAKE,
    QUERY_QUERY_ONLY,
    QUERY_ROLLBACK,
    QUERY_SAVEPOINT_OPEN,
    QUERY_SAVEPOINT_RELEASE,
    QUERY_SAVEPOINT_UNDO,
    QUERY_SCHEMA_READ,
    QUERY_SCHEMA_VERSION,
    QUERY_SYNCHRONOUS,
    QUERY_TABLE_OF_ROOTPAGE,
    QUERY_TABLE_ROOTPAGE,
    QUERY_TOUCH,
    QUERY_MAX,
};

/* How long locks are waited for. Read by the busy handler. */
struct lock_wait {
    bool is_off;        /* give up at once */
    uint32_t limit_ms;  /* 0: no limit */
    int64_t started_us; /* of the present wait, monotonic */
    bool is_reported;
    bool is_expired; /* the last wait ended without the lock */
    bool is_opening; /* it is not locks.timeout that limits it */
};

/* One column of one foreign key. */
struct foreign_key {
    struct str child;
    struct str parent;
    int64_t id;            /* of the key, in its child */
    struct str column;     /* of the child */
    bool is_cascade;       /* ON DELETE CASCADE */
    bool changes_children; /* CASCADE, SET NULL or SET DEFAULT */
};

/* All of the schema, as of one version of it. */
struct foreign_keys {
    struct arena *arena; /* made anew with each version; NULL: never read */
    int64_t schema_version;
    struct foreign_key *at;
    size_t count, room;
};

/* A row whose parent is missing. */
struct orphan {
    int64_t rowid; /* 0 in a table without rowids */
    int64_t key;   /* number of the foreign key */
};
/* The orphans of one child with respect to one parent. */
struct orphans {
    struct str child;
    struct str parent;
    int64_t count;
    bool has_rowids; /* at holds all of them */
    struct orphan *at;
    size_t at_count, at_room;
};
struct orphan_list {
    struct orphans *at;
    size_t count, room;
};

/* Where a statement of the open unit stands in its file. */
struct place {
    uint32_t line; /* 0: nowhere */
    uint32_t column;
    struct str excerpt; /* its first line where it begins one, else empty */
};
/* What statements of this transaction do to a table. */
struct touched_table {
    struct str name;
    struct place by; /* the first that does */
    bool as_child;   /* its rows may have lost their parents */
    bool as_parent;  /* its children may have */
    bool is_rebuilt; /* rowids before and after do not correspond */
};
struct guard {
    int64_t renamed_rootpage; /* first page of the table that a statement renames; 0: none */
    struct touched_table *touched;
    size_t touched_count, touched_room;
    struct str *inspected; /* children whose orphans before are in `before` */
    size_t inspected_count, inspected_room;
    struct orphan_list before;
};

/* What the authorizer saw while one statement of a migration was prepared. */
struct observation {
    bool is_on;
    bool wants_writes; /* in a transaction, and foreign keys are not enforced */
    bool renames_table;
    bool sets_journal;   /* PRAGMA journal_mode = … */
    struct str *dropped; /* names of tables of main, in the scratch arena */
    size_t dropped_count, dropped_room;
    struct str *deleted;
    size_t deleted_count, deleted_room;
    struct str *written; /* inserted into or updated */
    size_t written_count, written_room;
    struct str altered;
};

struct journal_vfs;

struct connection {
    struct arena *arena;   /* the caller's */
    struct arena *scratch; /* of the open unit; emptied at its end */
    sqlite3 *db;           /* NULL: it could not be opened again, see sqlite_ensure_open() */
    _Atomic(sqlite3 *) interruptible; /* db while cancel() may use it */
    atomic_int cancelling;            /* cancel() calls under way */
    atomic_bool is_cancelled;         /* asked for and not yet reported */

    /* As opened. */
    const char *path;
    const char *safe_url;
    const char *prefix; /* of the history tables, as written */
    const char *who;    /* application_name */
    const char *mode;   /* of the URL: "ro", "rw" or NULL */
    bool is_immutable;  /* says the URL */
    bool is_read_only;
    bool is_bulk;
    bool is_in_memory; /* cannot be closed and opened again */
    int foreign_keys;  /* the URL's wish: 0 off, 1 on, -1 none */
    uint32_t lock_timeout_ms;

    struct journal_vfs *journal; /* or NULL */
    sqlite3_stmt *queries[QUERY_MAX];
    struct lock_wait wait;
    int64_t statement_deadline_us; /* monotonic; 0: none */
    uint32_t statement_timeout_ms;
    bool is_timed_out;

    /* The session. */
    bool default_foreign_keys; /* enforced, as opened */
    bool is_session_changed;   /* by something that only a new connection undoes */

    /* The open unit. */
    bool in_unit;
    const sqlite3_stmt *runs; /* a migration's own statement: core/run logs it, without secrets */
    bool awaits_own_begin;    /* begin() was called, the file's BEGIN has not come yet */
    bool puts_foreign_keys_back;
    bool foreign_keys_before;
    bool watches_writes; /* foreign keys are off in this unit because its file says so */
    int64_t expected_head_id;
    const struct statement *running; /* or NULL */
    struct place first;              /* statement of the unit that foreign keys mean something to */
    struct guard guard;
    struct observation observed;
    struct foreign_keys keys;

    /* The head of the chain, as last read or written by us; good while data_version stays. */
    bool head_is_known;
    int64_t head_version;
    int64_t head_id; /* 0: no event */
    struct digest head_digest;

    /* The note in the lock table. */
    const char *run; /* whose note is ours; NULL: none */
    char doing[128];
    bool is_doing_due;        /* not yet written */
    int64_t doing_written_us; /* monotonic */

    /* Between batches. */
    int64_t yield_version;    /* the data_version then; 0: not asked yet */
    unsigned yield_to_others; /* for so many batches: others have written */
};

/* connect.c */
struct connection *sqlite_connection_open(struct arena *a, const struct connect_options *options,
                                          struct fail *f) MUST_CHECK;
void sqlite_connection_close(struct connection *c);
/* Closes the file and opens it again: a new session. Any open transaction is gone. */
bool sqlite_connection_reopen(struct connection *c, struct fail *f) MUST_CHECK;
/* Opens the file once more where that failed before. */
bool sqlite_ensure_open(struct connection *c, struct fail *f) MUST_CHECK;
bool sqlite_reset_session(struct connection *c, struct fail *f) MUST_CHECK;
void sqlite_cancel(struct connection *c);
/* Whether foreign keys are enforced, and switching that (only outside transactions). */
bool sqlite_foreign_keys_get(struct connection *c);
void sqlite_foreign_keys_set(struct connection *c, bool is_on);

/* journal.c */
/* The VFS to open the database with; NULL: SQLite's own. */
const char *sqlite_journal_vfs(struct connection *c);
/* Keeps the journal's file between transactions, where that is of use. Outside of one. */
bool sqlite_journal_keep(struct connection *c, struct fail *f) MUST_CHECK;
/* Back to SQLite's default for the rest of the session; removes the file. */
void sqlite_journal_restore(struct connection *c);
/* The same, because the session ends. */
void sqlite_journal_forget(struct connection *c);
void sqlite_journal_release(struct connection *c);

/* query.c */
/* The prepared statement, reset, without values. */
bool sqlite_query(struct connection *c, enum query_id id, sqlite3_stmt **out, struct fail *f)
    MUST_CHECK;
/* Runs it to its end and drops what it returns. */
bool sqlite_run(struct connection *c, enum query_id id, struct fail *f) MUST_CHECK;
/* Steps once: *out_is_row is false at the end. The caller resets. */
bool sqlite_step(struct connection *c, sqlite3_stmt *s, bool *out_is_row, struct fail *f)
    MUST_CHECK;
/* Prepares a statement of our own that is not kept. */
bool sqlite_prepare(struct connection *c, const char *sql, sqlite3_stmt **out, struct fail *f)
    MUST_CHECK;
/* Runs all statements of a text of ours, with {prefix} filled in. */
bool sqlite_run_script(struct connection *c, const char *sql, struct fail *f) MUST_CHECK;
/* A text of ours with {prefix} filled in. */
const char *sqlite_fill_prefix(struct arena *a, const struct connection *c, const char *sql);
/* text with each "{name}" replaced, in one pass: values are not looked at again. */
struct fill {
    const char *name; /* with its braces */
    const char *value;
};
const char *sqlite_fill(struct arena *a, const char *text, const struct fill *values, size_t count);
/* name for use between double quotes. */
const char *sqlite_escape(struct arena *a, struct str name);
void sqlite_queries_release(struct connection *c);
/* Bytes stay owned by the caller and must live until the statement is reset. */
void sqlite_bind(sqlite3_stmt *s, int at, struct str text);
/* A column as text, valid until the next step. */
struct str sqlite_text(sqlite3_stmt *s, int column);
/* "{prefix}_{suffix}". */
const char *sqlite_own_table(struct arena *a, const struct connection *c, const char *suffix);
/* Whether main has this table now, also when another connection has just made it. */
bool sqlite_find_table(struct connection *c, const char *name, bool *out_is_there, struct fail *f)
    MUST_CHECK;

static inline void sqlite_statement_release(sqlite3_stmt *s)
{
    (void)sqlite3_finalize(s);
}
DEFINE_SCOPED(sqlite_statement, sqlite3_stmt *, sqlite_statement_release)
static inline void sqlite_statement_rewind(sqlite3_stmt *s)
{
    (void)sqlite3_reset(s);
}
/* A kept statement in use: reset at the end of the scope, so that it holds no lock. */
DEFINE_SCOPED(sqlite_in_use, sqlite3_stmt *, sqlite_statement_rewind)

/* wait.c */
/* Installs the busy handler and the progress handler. */
void sqlite_wait_install(struct connection *c);
void sqlite_wait_limit(struct connection *c, uint32_t limit_ms); /* 0: none */
void sqlite_wait_off(struct connection *c);
/* Starts and ends the time a statement may take. */
void sqlite_statement_timer(struct connection *c, uint32_t timeout_ms);
/* Fails (FAIL_CANCELLED) when a cancel was asked for that has not been reported. */
bool sqlite_check_cancelled(struct connection *c, struct fail *f) MUST_CHECK;
/* Forgets a cancel: what follows is the clean-up behind it. */
void sqlite_forget_cancelled(struct connection *c);

/* failure.c */
/* Fills the failure for a result code of the last call on c->db; returns false. */
bool sqlite_fail(struct connection *c, int code, struct fail *f);
/* The same without an open database; words may be NULL. */
bool sqlite_fail_path(const char *path, int code, const char *words, struct fail *f);
/* "SQLITE_BUSY_SNAPSHOT". */
const char *sqlite_code_name(int code);

/* process.c */
/* The process we are: text that proves on this machine whether it still runs. */
const char *sqlite_process_identity(struct arena *a);
enum process_answer { PROCESS_UNKNOWN = 0, PROCESS_RUNS, PROCESS_IS_GONE };
enum process_answer sqlite_process_ask(int64_t pid, struct str identity);
const char *sqlite_host_name(struct arena *a);
const char *sqlite_user_name(struct arena *a);
/* "process 4711 (python3)": another process that holds a lock on the file; NULL where none is seen.
 */
const char *sqlite_lock_owner(struct arena *a, const char *path);

/* history.c */
bool sqlite_read_history(struct arena *a, struct connection *c, struct history *out, struct fail *f)
    MUST_CHECK;
bool sqlite_read_events(struct connection *c, int64_t from_id, struct str version,
                        event_visitor *visit, void *context, struct fail *f) MUST_CHECK;
bool sqlite_prepare_history(struct connection *c, struct fail *f) MUST_CHECK;
/* Sees to it that c->head_* is the head of the chain; id 0 where there are no tables. */
bool sqlite_read_head(struct connection *c, struct fail *f) MUST_CHECK;
/* Writes the entries in the open transaction. Fails FAIL_HISTORY_MOVED when they do not follow the
   head. */
bool sqlite_write_entries(struct connection *c, const struct journal_entries *entries,
                          struct fail *f) MUST_CHECK;
bool sqlite_fail_moved(struct fail *f);

/* lock.c */
bool sqlite_try_lock(struct arena *a, struct connection *c, const char *run, bool *out_is_ours,
                     struct lock_holder *out_holder, struct fail *f) MUST_CHECK;
void sqlite_unlock(struct connection *c);
/* Who is at work on the file: another run, or a process that has it locked. who is NULL: nobody is seen. */
bool sqlite_find_holder(struct arena *a, struct connection *c, struct lock_holder *out,
                        struct fail *f) MUST_CHECK;
void sqlite_announce(struct connection *c, const char *what);
/* Writes what announce() said into the open transaction, where it is due. */
bool sqlite_write_doing(struct connection *c, struct fail *f) MUST_CHECK;

/* examine.c */
bool sqlite_examine(struct arena *a, struct connection *c, struct examination *out, struct fail *f)
    MUST_CHECK;

/* transaction.c */
bool sqlite_begin(struct connection *c, const struct unit_options *options, struct fail *f)
    MUST_CHECK;
bool sqlite_commit(struct connection *c, const struct journal_entries *entries,
                   const struct statement *own_commit, struct fail *f) MUST_CHECK;
bool sqlite_rollback(struct connection *c, struct fail *f) MUST_CHECK;
bool sqlite_append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                   struct fail *f) MUST_CHECK;
/* The file's own BEGIN has just run: takes the write lock and compares the head. */
bool sqlite_claim(struct connection *c, struct fail *f) MUST_CHECK;
/* Ends a transaction of ours whatever state it is in; keeps the failure in f. */
void sqlite_abandon(struct connection *c);

/* execute.c */
/* The place of the statement that runs now, in the scratch arena. */
struct place sqlite_place_now(struct connection *c);
/* Line, column and excerpt of a failure; its file is the caller's to say. */
void sqlite_blame(const struct place *p, struct fail *f);
bool sqlite_execute(struct connection *c, const struct statement *at, size_t count,
                    const struct copy_source *copy, struct statement_result *results,
                    size_t *out_done, size_t *out_offset, struct fail *f) MUST_CHECK;
/* Prepares the exact text of a statement of a migration; *out is NULL where it holds nothing. */
bool sqlite_prepare_text(struct connection *c, struct str text, sqlite3_stmt **out,
                         size_t *out_offset, struct fail *f) MUST_CHECK;

/* foreign_keys.c */
/* The foreign keys of the schema as it is now: read again only when the schema changed. */
bool sqlite_foreign_keys_read(struct connection *c, struct fail *f) MUST_CHECK;
/* Forgets them: a rollback gives schema versions out again. */
void sqlite_foreign_keys_forget(struct connection *c);
/* Adds the orphans of one child to list. A child that cannot be checked (no unique index on the
   parent's columns) adds nothing. rowid_room: how many rowids are kept at most. */
bool sqlite_orphans_read(struct arena *a, struct connection *c, struct str child, size_t rowid_room,
                         struct orphan_list *list, struct fail *f) MUST_CHECK;
/* COMMIT found rows without parents: says which, where that can still be asked. */
void sqlite_explain_violation(struct connection *c, struct fail *f);
struct orphans *sqlite_orphans_find(struct orphan_list *list, struct str child, struct str parent);

/* guard.c */
void sqlite_guard_install(struct connection *c);
void sqlite_observe_start(struct connection *c);
void sqlite_observe_end(struct connection *c);
/* Before a prepared statement of a migration runs: what must be known of the state before it. */
bool sqlite_guard_before(struct connection *c, struct fail *f) MUST_CHECK;
/* Behind it. */
bool sqlite_guard_after(struct connection *c, struct fail *f) MUST_CHECK;
/* Before COMMIT: fails when rows have lost their parents. */
bool sqlite_guard_commit(struct connection *c, struct fail *f) MUST_CHECK;

/* drop_watch.c: while foreign keys are enforced, DROP TABLE deletes the rows of the table first,
   and ON DELETE CASCADE or SET NULL reaches into other tables in silence. */
struct drop_watch;
/* Counts the rows that a prepared statement puts at risk; *out is NULL where there are none. */
bool sqlite_drop_watch_start(struct connection *c, struct drop_watch **out, struct fail *f)
    MUST_CHECK;
/* Ends the watch over a statement that failed by itself. */
void sqlite_drop_watch_undo(struct connection *c, struct drop_watch *w);
/* Counts again: fails, and undoes the statement, where rows were deleted or changed. */
bool sqlite_drop_watch_end(struct connection *c, struct drop_watch *w, struct fail *f) MUST_CHECK;

#endif
