/*
 * One unit of a migration while it runs: statements are queued, sent together, and committed with
 * their entries. Private to core/run/execution.c, unit.c, unit_records.c
 * and alone.c.
 */
#ifndef CORE_RUN_UNIT_H
#define CORE_RUN_UNIT_H

#include "core/base/buf.h"
#include "core/run/execution.h"
#include "core/run/table_locks.h"

/* What earlier runs left in the chain about the units of this migration. */
struct unit_record {
    struct str digest; /* of its statements, from "step done"; "" unless it is done */
    bool has_intent;   /* a "started" without an end: it may or may not have happened */
    struct str intent; /* digest of its statement; "" in entries that have none */
    struct str before; /* the intent's probe_before() text */
    bool has_before;
};
struct unit_records {
    struct unit_record *at; /* index 0 is unit 1 */
    size_t count, room;
};

/* One migration while it runs. */
struct execution {
    struct run_context *run;
    const struct planned_migration *planned;
    struct arena *arena; /* lives as long as the execution */
    struct str label;    /* version or script, as the history has it */
    struct script *script;
    struct grouping grouping;
    struct history_row row;
    bool row_is_written;
    bool is_proved;           /* this pass has read the bytes that were planned */
    int64_t tried_units;      /* units_before at the last failure */
    int64_t tries;            /* of the unit behind them */
    int64_t first_failure_us; /* of that unit, monotonic */
    uint32_t last_unit;       /* that this run does; 0: none */
    bool is_complete;         /* that one is committed (or about to be) */
    int64_t units_before;     /* done: not sent again */
    int64_t units_at_start;   /* done by earlier runs */
    int64_t started_us;
    struct unit_records records;

    /* The open unit. */
    struct arena_mark mark; /* what it made goes with it */
    uint32_t unit;          /* its number; 0: none is open */
    enum unit_kind kind;
    bool in_transaction;
    int64_t unit_started_us;
    int64_t statements;
    int64_t rows;
    struct buf sql; /* redacted, for the event */
    struct digest_stream *digest;
    const struct statement *queued;
    size_t queued_count;
    bool is_ahead;                 /* its last COMMIT went ahead; until it is known to be good, */
    struct journal journal_before; /* the journal as it was, */
    struct event event;            /* and the entries */
    struct journal_entries entries;
    const struct backfill_point *batches; /* of the unit, for its last event; or NULL */
    struct table_wait wait;               /* for the tables of the unit */
    struct execution_result result;
    const struct history_row *earlier_row; /* of the run before, or NULL */
    void (*done)(void *context, const struct execution_result *result);
    void *done_context;
    bool intent_is_open; /* a statement outside a transaction: nobody knows whether it happened */
    bool may_be_resent;  /* … the server has refused it, and did nothing of it */
};

/* Opens a unit that will be sent; begins the transaction for the kinds that have one. */
bool unit_open(struct execution *x, uint32_t number, enum unit_kind kind, struct fail *f)
    MUST_CHECK;
/* Again, with what the wait for its tables has come to, where nothing of it has happened. */
bool unit_begin_again(struct execution *x, struct fail *f) MUST_CHECK;
/* Takes a statement of the current batch into the queue. */
bool unit_queue(struct execution *x, const struct statement *s, struct fail *f) MUST_CHECK;
/* Sends what is queued and waits for it. */
bool unit_send(struct execution *x, struct fail *f) MUST_CHECK;
/* Commits the open unit with its entries. own_commit: the file's COMMIT, or NULL. */
bool unit_commit(struct execution *x, const struct statement *own_commit, struct fail *f)
    MUST_CHECK;
/* The same for the last unit of a migration, without waiting where that may be. */
bool unit_commit_last(struct execution *x, struct fail *f) MUST_CHECK;
/* Runs one statement that stands alone: intent, statement, proof, entry. */
bool unit_run_alone(struct execution *x, uint32_t number, const struct statement *s, struct fail *f)
    MUST_CHECK;
/* Runs one statement range by range: backfill.c. */
bool unit_run_ranges(struct execution *x, uint32_t number, const struct statement *s,
                     struct fail *f) MUST_CHECK;
/* execution_append() with a checkpoint; the events are linked, and set in the entries. */
bool execution_append_entries(struct run_context *run, struct journal_entries *entries,
                              struct event *events, bool is_durable, struct fail *f) MUST_CHECK;
/* Before a further try: a while that grows with each and differs between runs, so that queues drain. */
int64_t unit_retry_pause_ms(int64_t attempt);
/* Ends the open unit without effect (a failure, or the file's ROLLBACK). */
bool unit_abandon(struct execution *x, struct fail *f) MUST_CHECK;
/* The digest by which an edited script proves that a unit already done is unchanged. */
void unit_digest_add(struct digest_stream *d, const struct statement *s);
/* Whether an intent of an earlier run is open for this unit. */
bool unit_has_intent(const struct execution *x, uint32_t number);
/* The script is not the one that earlier runs executed up to step unit: fails (EXIT_INTEGRITY). */
bool unit_refuse_edited(const struct execution *x, uint32_t unit, struct fail *f);
/* All is committed, nothing is left to be done: tells who started it. */
void execution_done(struct execution *x);
/* Marks the row complete where the last units of a script sent nothing. */
bool unit_complete_row(struct execution *x, struct fail *f) MUST_CHECK;

/* ---- unit_records.c ---- */

/* Reads what earlier runs left of this migration into x->records. */
bool unit_records_read(struct execution *x, struct fail *f) MUST_CHECK;

/* A statement that is about to be sent: what the event will show, and the digest of the unit. */
void unit_record_statement(struct execution *x, const struct statement *s);
/* Whoever watches the units of the run is told of this one. */
void unit_tell_begin(struct execution *x);
void unit_tell_end(struct execution *x);

/* ---- unit.c, for alone.c ---- */

/* A new unit, of which nothing is sent yet; its end, when it is committed: a failure further on has
   nothing to do with its statements. */
void unit_start(struct execution *x, uint32_t number, enum unit_kind kind);
void unit_close(struct execution *x);
bool unit_is_last(const struct execution *x);
/* Of the open one, as the history counts: a rollback goes from the last one to the first. */
int64_t unit_number(const struct execution *x);
/* The row as it stands when so many units are done. */
void unit_advance_row(struct execution *x, int64_t units_done, bool is_complete);
struct event unit_event(struct execution *x, const char *kind);
/* "applied", "expanded", "step done" …: proves the row as it leaves it. */
struct event unit_done_event(struct execution *x);

/* Behind the rollback of a unit whose entries did not follow the head of the chain: where that head is
   the one that we know, nobody else has written. The migration itself did, by SQL that was put together
   while it ran, and f says so. */
void unit_tell_whose_doing(struct execution *x, struct fail *f);

#endif
