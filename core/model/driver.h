/*
 * The port that a database driver implements: named operations, no general query. core/run drives it;
 * cmd opens and closes. A driver never decides what is run, never prints results, and copies what it
 * returns into the caller's arena. All functions that can fail take a struct fail last.
 *
 * One connection is used by one thread. cancel() alone may be called from another one or a signal
 * handler's thread.
 */
#ifndef CORE_MODEL_DRIVER_H
#define CORE_MODEL_DRIVER_H

#include "core/base/fail.h"
#include "core/model/backfill.h"
#include "core/model/catalog.h"
#include "core/model/enforcement.h"
#include "core/model/engine.h"
#include "core/model/examination.h"
#include "core/model/history.h"
#include "core/model/migration.h"
#include "core/model/rehearsal.h"
#include "core/model/statement.h"
#include "core/model/syntax.h"
#include "core/model/table_lock.h"
#include "core/model/usage.h"

struct connect_options {
    struct str url;          /* as the user wrote it, see core/model/target_url.h */
    enum engine engine_hint; /* where the URL does not tell */
    struct str history_name; /* schema (PostgreSQL) or table prefix (SQLite); "" : "migrator" */
    const char *application_name; /* "migrate 0.1 run=…" */
    bool is_read_only;            /* plan, status, history: nothing may be written */
    bool must_exist;              /* SQLite: do not create the file */
    uint32_t connect_timeout_ms;
    uint32_t lock_timeout_ms; /* for statements inside transactions; 0: no limit */
    bool is_bulk; /* several migrations follow: commits may be asynchronous until flush() */
};

/* Who and what is at the other end. Never holds a password. */
struct server_identity {
    const char *safe_url; /* for people: "postgres://app@db.example:5432/shop", "sqlite:dev.db" */
    const char *database;
    const char *role;        /* PostgreSQL current_user; SQLite: OS user */
    uint32_t version_number; /* 150004; 3040001 */
    const char *version_text;
    int64_t clock_offset_us; /* server clock minus ours */
};

/* Who holds the run lock. Any text may be NULL where it cannot be known. */
struct lock_holder {
    const char *who;   /* application_name or host and process */
    const char *doing; /* statement or migration under way */
    int64_t since_us;  /* wall clock; 0: not known */
};

/* Whom a statement waited for. Any text may be NULL where it cannot be known. */
struct lock_blocker {
    const char *who;         /* process, role, application, address */
    const char *state;       /* "idle in transaction" */
    const char *holds;       /* mode of its lock */
    int64_t open_us;         /* how long its transaction is open; -1: not known */
    bool is_waiting;         /* for a lock itself */
    struct str query;        /* its statement now, or its last one; "" where it cannot be known */
    const char *transaction; /* tells it from the next one of the same process */
    bool
        gives_way; /* an autovacuum worker that ends as soon as somebody has waited for it a while */
};
struct awaited_lock {
    const char *wanted; /* "AccessExclusiveLock on table public.orders" */
    const struct lock_blocker *at;
    size_t count;           /* 0: nobody was seen, */
    const char *why_unseen; /* and why */
    const char *phase;      /* of the statement that waits: "waiting for old snapshots"; or NULL */
    uint32_t deadlock_timeout_ms; /* of the server; 0: not asked */
};

/* What is done about a statement that may wait for others without end. */
struct patience {
    uint32_t limit_ms; /* without any progress; then it is cancelled; 0: for ever */
    /* It has waited so long without progress: called at growing intervals, and must not use the driver. */
    void (*tell)(void *context, const struct awaited_lock *seen, int64_t waited_us);
    void *context;
};

struct statement_result {
    int64_t rows; /* affected or returned; -1: not known */
    int64_t duration_us;
};

/* Where COPY data come from. */
struct copy_source {
    bool (*next)(void *context, struct str *out, struct fail *f); /* out->len == 0: end */
    void *context;
};

struct unit_options {
    bool is_own; /* the file's own BEGIN follows as a statement: send none of ours */
    enum enforcement
        enforcement;          /* SQLite: put around the transaction; off: checked before COMMIT */
    bool is_deferred;         /* SQLite: foreign keys are first looked at by COMMIT */
    uint32_t lock_timeout_ms; /* 0: the connection's */
    uint32_t statement_timeout_ms; /* 0: none */
    /* PostgreSQL: what is locked in front of the first statement, all or none; NULL: nothing. Where one of
       them cannot be had, execute() fails with FAIL_TABLES_HELD: nothing has happened, and nothing is
       held; it may be called again, as may begin() with other options. A table that cannot be locked so (it
       is gone, a right is missing) is left to the statements. */
    const struct table_locks *tables;
    uint32_t tables_wait_ms; /* for each in the queue; 0: at once or not at all */
    uint32_t
        vacuum_wait_ms; /* before that, in a mode that only vacuums and schema changes wait for; 0 */
    bool skips_triggers; /* PostgreSQL: session_replication_role = replica for the transaction */
    bool
        hides_notices; /* the statements are ours, and so is what a server remarks on them; not warnings */
    int64_t expected_head_id; /* SQLite: the history head this run knows; else FAIL_HISTORY_MOVED */
};

/* The entries that are written in the same transaction as a unit. */
struct journal_entries {
    const struct history_row *insert_row; /* or NULL */
    const struct history_row
        *update_row; /* the row with this rank takes all its other fields; or NULL */
    const struct event *events;
    size_t event_count;
    const struct backfill_point *point; /* the checkpoint of its step takes these values; or NULL */
    bool removes_point;                 /* … is removed instead */
};

enum probe_answer {
    PROBE_UNKNOWN = 0,
    PROBE_IS_DONE,
    PROBE_NOT_DONE, /* as before it ran, any leftover of ours cleaned away */
};

struct connection; /* each driver's own */

typedef bool event_visitor(void *context, const struct event *e, struct fail *f);

struct driver {
    enum engine engine;

    struct connection *(*open)(struct arena *a, const struct connect_options *options,
                               struct fail *f);
    void (*close)(struct connection *c);

    /* The whole history and the head of the chain, in one round trip (with what identity() needs). */
    bool (*read_history)(struct arena *a, struct connection *c, struct history *out,
                         struct fail *f);
    /* The same, but only what tells applied from pending is filled in: rank, version, kind, script of
       repeatables, state, units_done, digest_raw. NULL where this saves nothing. */
    bool (*read_applied)(struct arena *a, struct connection *c, struct history *out,
                         struct fail *f);
    bool (*identity)(struct arena *a, struct connection *c, struct server_identity *out,
                     struct fail *f);
    /* Events in order of id, from from_id; version "" for all. Each is valid during its visit. */
    bool (*read_events)(struct connection *c, int64_t from_id, struct str version,
                        event_visitor *visit, void *context, struct fail *f);

    /* Refuses a connection on which a run cannot be safe: a transaction pooler (EXIT_USAGE). */
    bool (*check_session)(struct connection *c, struct fail *f);
    /* The run lock, without waiting. *out_holder (in the arena) when it is not had. */
    bool (*try_lock)(struct arena *a, struct connection *c, const char *run, bool *out_is_ours,
                     struct lock_holder *out_holder, struct fail *f);
    void (*unlock)(struct connection *c);
    /* Makes the history tables where they are missing. Under the run lock. */
    bool (*prepare_history)(struct connection *c, struct fail *f);
    /* Says what this connection is doing, for others who wait. Cheap; may be deferred. */
    void (*announce)(struct connection *c, const char *what);

    /* A unit in our transaction: begin, execute …, commit or rollback. begin may be deferred to the
       first execute; a failure of it then comes from there. */
    bool (*begin)(struct connection *c, const struct unit_options *options, struct fail *f);
    /* Runs statements in order, waits for all. *out_done: how many succeeded; on failure the one at
       [*out_done] is at fault, f->sqlstate and *out_offset (bytes in its text, SIZE_MAX: not known) are
       set. copy serves the last statement when it is COPY … FROM stdin. */
    bool (*execute)(struct connection *c, const struct statement *at, size_t count,
                    const struct copy_source *copy, struct statement_result *results,
                    size_t *out_done, size_t *out_offset, struct fail *f);
    /* The file's own limits for statements outside transactions from here on; 0: the connection's, none.
       NULL where an engine has none there. */
    void (*limit)(struct connection *c, uint32_t lock_timeout_ms, uint32_t statement_timeout_ms);
    /* For the next execute() of a statement outside a transaction, where it waits for others by nature
       (CONCURRENTLY) and has no lock timeout. One that is cancelled fails as by a lock timeout, with SQLSTATE
       57014, and last_wait() says for whom it waited. NULL where an engine has none of the kind. */
    void (*wait_patiently)(struct connection *c, const struct patience *patience);
    /* Behind an execute(), commit() or await_commit() that met a lock timeout, before anything else is asked:
       who was waited for. Valid until the next of them. NULL where an engine never knows. */
    void (*last_wait)(struct arena *a, struct connection *c, struct awaited_lock *out);
    /* Behind an execute() that failed with FAIL_TABLES_HELD: who is in the way of these tables now, in the
       arena. NULL: an engine without such locks. */
    bool (*table_holders)(struct arena *a, struct connection *c, const struct table_locks *tables,
                          struct awaited_lock *out, struct fail *f);
    /* Writes the entries and commits: both or neither. own_commit: the file's own COMMIT statement is
       sent instead of ours; NULL: ours. After a lost connection the driver reconnects and finds out
       (PostgreSQL: pg_xact_status); FAIL_COMMIT_UNKNOWN only where that is impossible, with what is
       known. A failure that an earlier statement of the unit is to blame for has its line and column,
       not the file, which the caller knows. */
    bool (*commit)(struct connection *c, const struct journal_entries *entries,
                   const struct statement *own_commit, struct fail *f);
    /* commit() without waiting for its answer: only announce(), begin(), execute() and await_commit()
       may follow. The next execute() (or await_commit()) takes the answer: committed(context) is called
       when it is good, before anything of that call counts; otherwise the call fails with what commit()
       would have said, and nothing of it happened. entries stay valid until then. NULL where this saves
       nothing. */
    bool (*commit_ahead)(struct connection *c, const struct journal_entries *entries,
                         void (*committed)(void *context), void *context, struct fail *f);
    /* Takes the answer of a commit_ahead() where it is due. */
    bool (*await_commit)(struct connection *c, struct fail *f);
    /* Ends the open transaction without effect. After a lost connection: reconnects where it can. */
    bool (*rollback)(struct connection *c, struct fail *f);
    /* Writes entries in a transaction of their own (intents, failures, run events). Durable on return
       when is_durable. */
    bool (*append)(struct connection *c, const struct journal_entries *entries, bool is_durable,
                   struct fail *f);
    /* Puts the session back to how it was opened: settings, role, temporary objects. */
    bool (*reset_session)(struct connection *c, struct fail *f);
    /* After a statement outside a transaction: the index is valid, no leftovers. */
    bool (*check_after)(struct connection *c, const struct probe *p, struct fail *f);
    /* After a crash: is it done? before: what probe_before() said when the intent was written. */
    bool (*probe)(struct connection *c, const struct probe *p, const char *before,
                  enum probe_answer *out, struct fail *f);
    /* What must be remembered before such a statement runs, in the arena; NULL: nothing. */
    bool (*probe_before)(struct arena *a, struct connection *c, const struct probe *p,
                         const char **out, struct fail *f);
    /* Everything committed so far is on disk when it returns. */
    bool (*flush)(struct connection *c, struct fail *f);
    /* SQLite: texts of the schema (sqlite_schema.sql), for the planner's scratch database. PostgreSQL:
       none. */
    bool (*read_schema)(struct arena *a, struct connection *c, struct str **out_texts,
                        size_t *out_count, struct fail *f);
    /* SQLite: how many rows a table of main has, counted up to `most`. NULL: the catalog says it. */
    bool (*count_rows)(struct connection *c, struct str table, int64_t most, int64_t *out,
                       struct fail *f);
    /* Reads the whole catalog, in one transaction that writes and locks nothing, behind identity().
       What a right is missing for is told in its left_out. NULL: the engine has none. */
    struct catalog *(*read_catalog)(struct arena *a, struct connection *c, struct fail *f);
    /* Whether the server's grammar knows one statement, which need not be terminated by NUL. Nothing is run,
       locked or waited for. Fails only where the connection does. NULL: the engine's own library has
       read it already. */
    bool (*check_syntax)(struct arena *a, struct connection *c, struct str text,
                         struct syntax_verdict *out, struct fail *f);
    /* Looks the database over, behind identity(), writing and locking nothing. A check that fails is told in
       missed; fails only where the connection does. NULL: the driver cannot. */
    bool (*examine)(struct arena *a, struct connection *c, struct examination *out, struct fail *f);
    /* Whether the index with this OID was made behind one event of the history and before another. NULL where
       drop_invalid_index is. */
    bool (*index_made_between)(struct connection *c, int64_t oid, int64_t from_event,
                               int64_t to_event, bool *out, struct fail *f);
    /* Drops the index with this OID, concurrently, under the run lock. Fails, and drops nothing, where it is
       valid, is being built or is gone. NULL: the engine leaves no such indexes. */
    bool (*drop_invalid_index)(struct connection *c, int64_t oid, struct fail *f);
    /* Who still uses a name; and when a sequence of ours (struct online_form) was last set, 0: never. Outside
       of transactions; nothing is written. NULL: the engine cannot tell. */
    bool (*read_usage)(struct arena *a, struct connection *c, const struct retired_name *name,
                       struct usage *out, struct fail *f);
    bool (*last_write)(struct connection *c, struct str sequence, int64_t *out_us, struct fail *f);
    /* For steps that are run range by range. NULL: the engine cannot. */
    const struct range_driver *ranges;
    /* Copies to rehearse on, and what is seen there. NULL: the engine has none. */
    const struct rehearsal_driver *rehearsal;
    /* Asks the server to cancel what runs. Safe from a signal handler's thread. */
    void (*cancel)(struct connection *c);
    /* Library versions at build and at run time, for `migrate version`; works without a connection. */
    const char *(*library_version)(bool is_runtime);
};

#endif
