/*
 * What the files of this driver share: the connection and the functions they lend each other.
 * Private to drivers/postgres.
 *
 *   connect.c   opens, reopens and closes      session.c  settings, identity, reset, announcement
 *   dial.c      makes a connection, or says why not
 *   pipeline.c  queries in flight              pooler.c   is there a pooler in between
 *   execute.c   the statements of migrations   copy.c     COPY data
 *   commit.c    entries with COMMIT            settle.c   did a lost COMMIT happen
 *   ahead.c     a COMMIT that is not awaited
 *   history.c   reads and makes the tables     journal.c  writes entries
 *   lock.c      the run lock                   probe.c    statements outside transactions
 *   catalog.c   asks for the catalog       catalog_take*.c  makes it of the answers
 *   errors.c    libpq's words → struct fail    query.c    our own SQL
 *   blockers.c  who holds the lock that is waited for
 *   examine.c   what `migrate doctor` looks at
 *   limits.c    a file's timeouts outside transactions
 *   backfill.c  checkpoints of batches     range.c    ranges of a table     load.c  what the server bears
 *   tables.c    locks in front of a unit
 *   patience.c  statements that wait for others by nature
 *
 * Our SQL never relies on search_path, role or other settings: a migration may have changed them.
 */
#ifndef DRIVERS_POSTGRES_CONNECTION_H
#define DRIVERS_POSTGRES_CONNECTION_H

#include <stdatomic.h>

#include "core/base/buf.h"
#include "core/model/target_url.h"
#include "drivers/postgres/driver.h"
#include "drivers/postgres/libpq.h"

/* src/include/catalog/pg_type.dat */
#define OID_INT8 20
#define OID_INT4 23
#define OID_TEXT 25
#define OID_TIMESTAMPTZ 1184

struct pgdrv_limits {
    uint32_t lock_timeout_ms;
    uint32_t statement_timeout_ms;
    bool is_changed; /* the session has them now */
};

/* Tables of a unit that cannot be locked ahead are left out; with more of them none is. */
#define PGDRV_LEFT_OUT_MAX 16

/* Results in front of that of COMMIT. */
struct pgdrv_commit_answers {
    int setup, entries, guards;
};

struct connection {
    struct arena *arena; /* lives as long as the connection */
    PGconn *pg;          /* NULL: never */
    _Atomic(PGcancel *) cancel;
    atomic_int shields; /* above 0: nothing is cancelled; see pgdrv_shield() */
    struct {
        PGcancel **at;
        size_t count, room;
    } cancels; /* of this and earlier connections: another thread may be using one */
    struct target_url target;
    struct connect_options options; /* texts in the arena */
    const char *safe_url;
    struct str history_name;    /* schema, not quoted */
    const char *history_schema; /* quoted as an identifier */
    struct {
        const char **at; /* pairs: the text from gen/sql.h, and with {schema} replaced */
        size_t count, room;
    } sql;

    /* The session; see session.c. */
    bool is_started;   /* settings are sent, identity is known */
    bool owns_session; /* our settings stay ours: no pooler, or one that pools whole sessions */
    bool is_session_pooled; /* proven by pooler.c */
    bool is_lost;           /* the connection broke; pgdrv_session_ensure() makes a new one */
    bool is_dirty;          /* statements since the last reset may have changed role or settings */
    bool has_forgotten;     /* it was dirty, broke and was made anew: only reset_session() helps */
    int32_t server_pid;     /* pg_backend_pid(); behind a pooler not PQbackendPID() */
    const char *role;
    const char *database;
    const char *durable_commit; /* value of synchronous_commit that makes a commit durable */
    bool may_be_asynchronous;   /* commits do not all wait for the disk */
    int64_t clock_offset_us;
    char announcement[64]; /* to be sent with the next pipeline; "": nothing */
    bool is_quiet;         /* notices of our own statements are not shown */
    int open_syncs;        /* of the pipeline: sent, their results not read */
    bool has_unsynced;     /* queries behind the last sync */

    /* The run lock; see lock.c. */
    bool has_lock;
    bool must_relock;       /* it was held by a session that is gone: */
    int32_t lost_lock_pid;  /* its backend, which may take a while to end */
    bool may_have_unlocked; /* a statement since the last reset may have let it go */
    int32_t lock_key[2];

    /* The transaction; see execute.c and commit.c. */
    bool in_unit;  /* begin() … commit() or rollback() */
    bool is_begun; /* BEGIN is sent */
    struct unit_options unit;
    char xid[24]; /* of the open transaction; "" while it is not known */
    struct {
        size_t left_out[PGDRV_LEFT_OUT_MAX]; /* indexes into unit.tables */
        size_t left_out_count;
        bool has_failed;         /* one of the locks, in this flight */
    } tables;                    /* see tables.c */
    struct pgdrv_limits outside; /* of the file, for statements outside transactions */

    /* A COMMIT whose answer is not read yet; the pipeline stays open. See ahead.c. */
    struct {
        bool is_open;
        const struct journal_entries *entries;
        struct pgdrv_commit_answers awaited;
        int64_t sent_us;          /* monotonic */
        uint32_t lock_timeout_ms; /* of its unit */
        char xid[24];
        void (*committed)(void *context);
        void *context;
    } ahead;

    int64_t last_event_id; /* the highest that we know as committed; 0: none */

    /* Prepared inserts; see journal.c. A new number whenever they may be gone. */
    unsigned prepared_generation;
    bool is_prepared_row, is_prepared_event, is_prepared_xid;

    /* Who blocks the statement that runs; see blockers.c. */
    struct {
        uint32_t look_ms;    /* silence of the server before each look; 0: none are taken */
        PGconn *pg;          /* the second connection; NULL: not needed so far */
        struct arena *arena; /* of seen */
        struct awaited_lock seen;
        bool has_seen;
        bool is_batch;   /* the server keeps its results until the last of them */
        bool is_refused; /* no second connection was to be had, */
        int64_t refused_until_us;
        char why_unseen[512]; /* and why */
    } watch;

    /* A statement that waits for others by nature; see patience.c. */
    struct {
        struct patience of;
        bool is_on;        /* it runs */
        bool has_given_up; /* the last one was cancelled, */
        int64_t waited_us; /* having waited so long */
        int64_t since_us;  /* monotonic: nothing has moved since; 0: it does not wait */
        int64_t tell_us;   /* of waiting, until it is told */
        char seen[256];    /* what has not moved */
    } patience;

    /* What probe_before() said last; see probe.c. */
    const char *remembered_name;
    const char *remembered;
};

/* ---- connect.c ---- */

struct connection *pgdrv_open(struct arena *a, const struct connect_options *options,
                              struct fail *f);
void pgdrv_close(struct connection *c);
/* A second connection to the same place, with the same options; for pooler.c. */
PGconn *pgdrv_connect(const struct connection *c, struct fail *f) MUST_CHECK;
/* Replaces a broken connection by a new one; its session is not started. */
bool pgdrv_reconnect(struct connection *c, struct fail *f) MUST_CHECK;
void pgdrv_cancel(struct connection *c);
/* Behind a statement that was cancelled: waits until the request for that is over. A backend is signalled
   twice (postmaster.c, signal_child: the process, then its group), and a late second signal would
   cancel what is sent next; one that finds it idle is ignored (postgres.c, ProcessInterrupts). false: the
   server did not answer the request within 5 seconds. */
bool pgdrv_await_cancel(void);
/* Between the two, requests to cancel are dropped: a run that is stopped writes down what happened.
   They nest. */
void pgdrv_shield(struct connection *c);
void pgdrv_unshield(struct connection *c);

/* ---- dial.c ---- */

/* PQconnectdbParams() with dbname expanded; NULL: f says why. */
PGconn *pgdrv_dial(const struct target_url *target, const char *const *keys,
                   const char *const *values, struct fail *f) MUST_CHECK;
/* Why pg could not be opened. */
bool pgdrv_fail_connect(const struct target_url *target, PGconn *pg, struct fail *f);

/* ---- query.c ---- */

/* One query of ours. values are texts, NULL is NULL; types may be NULL. */
struct pgdrv_query {
    const char *sql;
    const char *name; /* of a prepared statement to run instead of sql; NULL: none */
    int count;
    const char *const *values;
    const Oid *types;
};
/* A text of gen/sql.h with {schema} replaced by the quoted history schema. */
const char *pgdrv_sql(struct connection *c, const char *text);
/* "a""b" in double quotes; 'a''b' in single quotes (standard_conforming_strings is on). */
const char *pgdrv_quote_identifier(struct arena *a, struct str name);
const char *pgdrv_quote_literal(struct arena *a, struct str text);
/* Runs one query of ours by itself and waits. NULL on failure; PQclear the result. */
PGresult *pgdrv_ask(struct connection *c, const struct pgdrv_query *q, struct fail *f) MUST_CHECK;
/* Runs SQL of ours without results in the simple protocol (several statements are one
   transaction). */
bool pgdrv_run(struct connection *c, const char *sql, struct fail *f) MUST_CHECK;
/* Value of a result as text; "" for NULL. Valid as long as the result. */
struct str pgdrv_value(const PGresult *r, int row, int column);
int64_t pgdrv_value_i64(const PGresult *r, int row, int column);

/* ---- pipeline.c ---- */

/* A pipeline is entered, fed, ended by a sync, and left. Sending never waits for the server, so it
   cannot deadlock with a server that waits for us to read. */
bool pgdrv_pipeline_enter(struct connection *c, struct fail *f) MUST_CHECK;
bool pgdrv_pipeline_send(struct connection *c, const struct pgdrv_query *q, struct fail *f)
    MUST_CHECK;
/* A statement as bytes, without parameters. */
bool pgdrv_pipeline_send_text(struct connection *c, struct str sql, struct fail *f) MUST_CHECK;
bool pgdrv_pipeline_prepare(struct connection *c, const char *name, const char *sql, int count,
                            const Oid *types, struct fail *f) MUST_CHECK;
bool pgdrv_pipeline_sync(struct connection *c, struct fail *f) MUST_CHECK;
/* The result of the next query in it (or of a sync), waiting for it. NULL: the connection is lost
   (f is set). An error of the server is a result as any other. */
PGresult *pgdrv_pipeline_next(struct connection *c, struct fail *f) MUST_CHECK;
/* The same, and anything but success fills f and gives false. */
bool pgdrv_pipeline_expect(struct connection *c, struct fail *f) MUST_CHECK;
/* Syncs where that is due, reads what is left and leaves. */
void pgdrv_pipeline_leave(struct connection *c);
/* The next result outside or inside a pipeline, waiting without blocking in libpq. NULL: end of the
   results of the current query, or the connection is lost (c->is_lost). */
PGresult *pgdrv_next_result(struct connection *c);
/* Writes what can be written, waits for the server to do something and takes what has come. Only
   for callers that expect an answer. */
bool pgdrv_pump(struct connection *c);
/* Writes all that is queued, taking what comes meanwhile. */
bool pgdrv_send_all(struct connection *c);

/* ---- errors.c ---- */

/* Statements cannot go on: an earlier connection broke and took the session's settings with it. */
bool pgdrv_fail_forgotten(struct fail *f);
/* Fills f from an error result (or a lost connection); returns false. */
bool pgdrv_fail_result(struct connection *c, const PGresult *r, struct fail *f);
/* The connection broke. */
bool pgdrv_fail_lost(struct connection *c, struct fail *f);
/* Byte offset of an error within its statement, or SIZE_MAX. */
size_t pgdrv_error_offset(const PGresult *r, struct str sql);
bool pgdrv_has_sqlstate(const PGresult *r, const char *sqlstate);
/* Of result r; static or valid as long as r. "" where there is none. */
const char *pgdrv_sqlstate(const PGresult *r);
void pgdrv_notice(void *context, const PGresult *r);

/* ---- session.c ---- */

/* Sends what starts a session into an open pipeline, and reads its answer. */
bool pgdrv_session_send(struct connection *c, struct fail *f) MUST_CHECK;
bool pgdrv_session_receive(struct connection *c, struct fail *f) MUST_CHECK;
/* A live connection with a started session: reconnects where it was lost. */
bool pgdrv_session_revive(struct connection *c, struct fail *f) MUST_CHECK;
/* The same, and takes the run lock again where it was held. */
bool pgdrv_session_ensure(struct connection *c, struct fail *f) MUST_CHECK;
/* Writes the SET of a pending announcement; false: there is none. It stays pending until its
   transaction is committed. */
#define PGDRV_ANNOUNCE_MAX 128
bool pgdrv_announcement(const struct connection *c, char sql[PGDRV_ANNOUNCE_MAX]);
bool pgdrv_identity(struct arena *a, struct connection *c, struct server_identity *out,
                    struct fail *f);
void pgdrv_announce(struct connection *c, const char *what);
bool pgdrv_reset_session(struct connection *c, struct fail *f);

/* ---- pooler.c ---- */

bool pgdrv_check_session(struct connection *c, struct fail *f);

/* ---- lock.c ---- */

bool pgdrv_try_lock(struct arena *a, struct connection *c, const char *run, bool *out_is_ours,
                    struct lock_holder *out_holder, struct fail *f);
void pgdrv_unlock(struct connection *c);
/* Into an open pipeline in front of COMMIT, where a statement may have let the lock go: takes it back,
   or fails the transaction. *out_queries results will come. */
bool pgdrv_guard_send(struct connection *c, int *out_queries, struct fail *f) MUST_CHECK;
bool pgdrv_guard_receive(struct connection *c, int queries, struct fail *f) MUST_CHECK;
/* After a reconnect: takes it again, waiting for our old backend to end. */
bool pgdrv_relock(struct connection *c, struct fail *f) MUST_CHECK;

/* Who holds the run lock; who is NULL where nobody does. */
bool pgdrv_find_holder(struct arena *a, struct connection *c, struct lock_holder *out,
                       struct fail *f) MUST_CHECK;

/* ---- examine.c ---- */

bool pgdrv_examine(struct arena *a, struct connection *c, struct examination *out, struct fail *f);
bool pgdrv_index_made_between(struct connection *c, int64_t oid, int64_t from_event,
                              int64_t to_event, bool *out, struct fail *f);

/* ---- history.c ---- */

bool pgdrv_read_history(struct arena *a, struct connection *c, struct history *out, struct fail *f);
bool pgdrv_read_applied(struct arena *a, struct connection *c, struct history *out, struct fail *f);
bool pgdrv_read_events(struct connection *c, int64_t from_id, struct str version,
                       event_visitor *visit, void *context, struct fail *f);
bool pgdrv_prepare_history(struct connection *c, struct fail *f);

/* ---- syntax.c ---- */

bool pgdrv_check_syntax(struct arena *a, struct connection *c, struct str text,
                        struct syntax_verdict *out, struct fail *f);

/* ---- journal.c ---- */

/* Sends the entries into an open pipeline: *out_queries results will come. */
bool pgdrv_journal_send(struct connection *c, const struct journal_entries *entries,
                        int *out_queries, struct fail *f) MUST_CHECK;
/* Sends the question for the transaction's number: *out_queries results, the last has it. */
bool pgdrv_xid_send(struct connection *c, int *out_queries, struct fail *f) MUST_CHECK;
/* They may be gone, or never came to be: the next use prepares them anew. */
void pgdrv_journal_forget(struct connection *c);
/* Reads those results. */
bool pgdrv_journal_receive(struct connection *c, int queries, struct fail *f) MUST_CHECK;

/* ---- execute.c, copy.c ---- */

bool pgdrv_begin(struct connection *c, const struct unit_options *options, struct fail *f);
bool pgdrv_execute(struct connection *c, const struct statement *at, size_t count,
                   const struct copy_source *copy, struct statement_result *results,
                   size_t *out_done, size_t *out_offset, struct fail *f);
bool pgdrv_rollback(struct connection *c, struct fail *f);
/* Sends BEGIN (and the unit's timeouts) into an open pipeline where it is due: *out_queries. */
bool pgdrv_begin_send(struct connection *c, int *out_queries, struct fail *f) MUST_CHECK;
/* Runs one statement by itself, in the simple protocol. */
bool pgdrv_execute_alone(struct connection *c, const struct statement *s,
                         const struct copy_source *copy, struct statement_result *result,
                         size_t *out_offset, struct fail *f) MUST_CHECK;
/* Feeds a server that waits for COPY data. */
bool pgdrv_copy_in(struct connection *c, const struct copy_source *copy, struct fail *f) MUST_CHECK;
/* Reads and drops what a COPY … TO stdout sends. */
bool pgdrv_copy_out(struct connection *c, struct fail *f) MUST_CHECK;

/* ---- limits.c ---- */

void pgdrv_limit(struct connection *c, uint32_t lock_timeout_ms, uint32_t statement_timeout_ms);
/* Around a statement outside a transaction. */
bool pgdrv_limits_enter(struct connection *c, const struct statement *s, struct pgdrv_limits *out,
                        struct fail *f) MUST_CHECK;
bool pgdrv_limits_leave(struct connection *c, const struct pgdrv_limits *limits, struct fail *f)
    MUST_CHECK;

/* ---- tables.c ---- */

/* Behind BEGIN, into an open pipeline: the locks that the unit begins with. */
bool pgdrv_tables_send(struct connection *c, struct fail *f) MUST_CHECK;
/* Reads the answers. On failure c->tables.has_failed says that it was a lock, and not the connection. */
bool pgdrv_tables_receive(struct connection *c, struct fail *f) MUST_CHECK;
/* Behind such a failure, outside the pipeline: ends the transaction. true: a table was left out, and the
   unit can begin anew; false: f says why not. */
bool pgdrv_tables_retreat(struct connection *c, struct fail *f) MUST_CHECK;
bool pgdrv_table_holders(struct arena *a, struct connection *c, const struct table_locks *tables,
                         struct awaited_lock *out, struct fail *f);

/* ---- blockers.c ---- */

/* A result of blockers_read.sql or table_holders.sql, as texts in the arena. */
void pgdrv_blockers_take(struct arena *a, const PGresult *r, struct awaited_lock *out);

/* execute(), commit() and await_commit() of the port. What an execute() takes the answer of a COMMIT for
   is watched with it. */
bool pgdrv_execute_watched(struct connection *c, const struct statement *at, size_t count,
                           const struct copy_source *copy, struct statement_result *results,
                           size_t *out_done, size_t *out_offset, struct fail *f);
bool pgdrv_commit_watched(struct connection *c, const struct journal_entries *entries,
                          const struct statement *own_commit, struct fail *f);
bool pgdrv_await_commit_watched(struct connection *c, struct fail *f);
/* Between the two, silence of the server makes us look who blocks. */
void pgdrv_watch_begin(struct connection *c);
void pgdrv_watch_end(struct connection *c, bool is_lock_timeout);
/* How long to wait for the server before a look, for poll(); then the look. */
int pgdrv_watch_patience_ms(const struct connection *c);
void pgdrv_watch_look(struct connection *c);
/* Each result that comes: what was seen belongs to the statement that fails. */
void pgdrv_watch_note(struct connection *c, const PGresult *r);
/* Around results that come all at once, when the last of them is there or one fails: one in front of it does
   not mean that the wait is over. */
void pgdrv_watch_batch(struct connection *c, bool is_batch);
void pgdrv_watch_close(struct connection *c);
/* A question about our backend ($1) over the second connection; NULL: it cannot be had. */
PGresult *pgdrv_watch_ask(struct connection *c, const char *sql) MUST_CHECK;
void pgdrv_last_wait(struct arena *a, struct connection *c, struct awaited_lock *out);

/* ---- patience.c ---- */

void pgdrv_wait_patiently(struct connection *c, const struct patience *patience);
/* Around such a statement; false: it is none. */
bool pgdrv_patience_begin(struct connection *c, const struct statement *s);
void pgdrv_patience_end(struct connection *c, struct fail *f);
void pgdrv_patience_look(struct connection *c);

/* ---- commit.c, settle.c ---- */

bool pgdrv_commit(struct connection *c, const struct journal_entries *entries,
                  const struct statement *own_commit, struct fail *f);
bool pgdrv_append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                  struct fail *f);
bool pgdrv_flush(struct connection *c, struct fail *f);
/* What commits share: sends BEGIN where it is due, before (or NULL), the entries and COMMIT into an open
   pipeline; reads their results; decides what became of it (is_done: the server said so), asking the
   server where the connection was lost. */
bool pgdrv_commit_send(struct connection *c, const struct journal_entries *entries,
                       const char *before, struct str commit, struct pgdrv_commit_answers *out,
                       struct fail *f) MUST_CHECK;
bool pgdrv_commit_receive(struct connection *c, const struct pgdrv_commit_answers *awaited,
                          struct fail *f) MUST_CHECK;
bool pgdrv_commit_conclude(struct connection *c, const struct journal_entries *entries,
                           bool is_done, struct fail *f) MUST_CHECK;
/* The unit is over. */
void pgdrv_unit_end(struct connection *c);
/* The connection was lost while a COMMIT was under way: true, it happened; false: f says why not,
   or FAIL_COMMIT_UNKNOWN. f holds the loss on entry. */
bool pgdrv_settle(struct connection *c, const struct journal_entries *entries, struct fail *f)
    MUST_CHECK;

/* ---- ahead.c ---- */

bool pgdrv_commit_ahead(struct connection *c, const struct journal_entries *entries,
                        void (*committed)(void *context), void *context, struct fail *f);
bool pgdrv_await_commit(struct connection *c, struct fail *f);
/* Within the pipeline of a call that goes on: reads the answer. On failure pgdrv_ahead_fail() must
   follow. */
bool pgdrv_ahead_receive(struct connection *c, struct fail *f) MUST_CHECK;
/* Reads the answer and leaves the pipeline; false (all is said) where the call cannot go on. */
bool pgdrv_ahead_take(struct connection *c, struct fail *f) MUST_CHECK;
/* f says what happened: leaves the pipeline and settles. The commit may prove to be good; f is then what
   the call that was to follow it says. */
bool pgdrv_ahead_fail(struct connection *c, struct fail *f);

/* After a reconnect: a server that crashed may have lost asynchronous commits. */
bool pgdrv_check_head(struct connection *c, struct fail *f) MUST_CHECK;

/* ---- probe.c ---- */

bool pgdrv_probe(struct connection *c, const struct probe *p, const char *before,
                 enum probe_answer *out, struct fail *f);
/* See struct driver. */
bool pgdrv_drop_invalid_index(struct connection *c, int64_t oid, struct fail *f);
bool pgdrv_probe_before(struct arena *a, struct connection *c, const struct probe *p,
                        const char **out, struct fail *f);
bool pgdrv_check_after(struct connection *c, const struct probe *p, struct fail *f);
/* Whether a statement waits by nature for other transactions, so that our lock_timeout must not end
   it. */
bool pgdrv_waits_for_others(const struct statement *s);

/* ---- catalog.c ---- */

struct catalog *pgdrv_read_catalog(struct arena *a, struct connection *c, struct fail *f);

#endif
