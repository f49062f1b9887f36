/*
 * How a unit comes by the tables that it must have for itself, without the application queueing behind it:
 *
 *   A try asks for all of them at once, every 20 ms for 2 s, and holds and waits for nothing in between.
 *   Only where that starves, since one short transaction follows the other, the next try waits in the
 *   server's queue, for so short a time that nobody behind it notices. A holder that stays is never
 *   queued for. An autovacuum worker is waited for in a mode in which nobody else is.
 *
 * How many tries there are, how long all of them may take, and the pauses between them are those of every
 * lock (retry.h). When they are used up, the run ends with who was in the way. Private to core/run.
 */
#ifndef CORE_RUN_TABLE_LOCKS_H
#define CORE_RUN_TABLE_LOCKS_H

#include "core/model/driver.h"

struct execution;

/* Of one unit, through all its tries. */
struct table_wait {
    uint32_t unit;                    /* whose; 0: nothing yet */
    const struct table_locks *tables; /* NULL: it needs none */
    int64_t since_us;                 /* monotonic: first refused; 0: it was not */
    int64_t waited_us;                /* until it had them */
    int64_t locked_at_us;             /* monotonic: has them since; 0: it does not */
    int64_t try_since_us;             /* monotonic: this try was first refused; 0: it was not */
    uint32_t queued_tries;            /* that waited in the queue so far */
    bool is_queued;                   /* this one does */
    uint32_t vacuum_wait_ms;          /* for the next time it asks */
    bool has_met_vacuum;              /* in this try */
    struct arena *arena;              /* of seen; NULL: nobody was looked for */
    struct awaited_lock seen;         /* the last look at who is in the way */
};

/* A unit is opened: puts what it needs into the options. */
void table_wait_begin(struct execution *x, struct unit_options *options);
/* The same for one that is begun again within a try. */
void table_wait_set(const struct execution *x, struct unit_options *options);
/* Behind an execute() that failed with FAIL_TABLES_HELD. true: f is empty, and it may be called again;
   false: this try is over, f says why, and who is in the way. */
bool table_wait_again(struct execution *x, struct fail *f) MUST_CHECK;
/* Behind one that succeeded: when it was called (monotonic), and what came of its statements. */
void table_wait_over(struct execution *x, int64_t asked_us, const struct statement_result *results,
                     size_t count);
/* No unit is open any more, or another one. */
void table_wait_reset(struct execution *x);
/* How long the unit has waited for its tables, for its event; -1: it needs none. */
int64_t table_wait_us(const struct execution *x);
void table_wait_end(struct execution *x);

#endif
