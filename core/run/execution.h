/*
 * Runs one migration: cuts its script into statements again, sends them unit by unit, and commits
 * each unit with its entries. Restartable at any instant: what is committed is in the history, what is
 * not never happened, and a statement outside a transaction is preceded by a durable intent.
 *
 * The last COMMIT of a migration need not be waited for: where the driver can, the next migration
 * is read and sent meanwhile. Its answer decides first: a migration is done when the caller is told
 * so (done), and when the commit fails, the next one has not happened and goes back to its start.
 */
#ifndef CORE_RUN_EXECUTION_H
#define CORE_RUN_EXECUTION_H

#include "core/model/driver.h"
#include "core/model/plan.h"
#include "core/run/journal.h"

#include <signal.h>

struct execution; /* one migration while it runs */

/* `backfill:` of migrator.yml. */
struct backfill_limits {
    int64_t batch_target_ms; /* what one batch should take */
    int64_t batch_wait_ms; /* what it may take, rows locked, before it is undone and made smaller */
    int64_t replica_lag_ms; /* 0: replicas are not looked at */
};

/* How far a step has come that is run range by range. */
struct backfill_progress {
    struct str label; /* of its migration */
    struct str table;
    bool is_verification;
    bool is_by_pages; /* visited and total count pages, not rows */
    int64_t rows;     /* changed; or found, by a verification */
    int64_t visited;
    int64_t total;     /* about; 0: not known */
    double per_second; /* visited, of late, pauses left out; 0: not known */
    int64_t left_us;   /* -1: not known */
    int64_t paused_us;
};

enum run_goal {
    GOAL_APPLY = 0, /* up to the unit that waits, where one does */
    GOAL_CONTRACT,  /* what waited, to the end, or to what waits again */
    GOAL_ROLLBACK, /* what was done, undone: the plan holds the undo of its steps, last one first */
};

/* Told of each unit, from the thread of the run, while nothing is locked; must not use the driver. */
struct unit_watch {
    /* It begins; again for each try. NULL: nobody watches. */
    void (*begins)(void *context, const struct planned_migration *p, uint32_t unit);
    /* It is committed. rows: that it changed, -1: not known. sql: what was sent, redacted. */
    void (*ends)(void *context, const struct planned_migration *p, uint32_t unit, int64_t rows,
                 struct str sql);
    void *context;
};

/* What all migrations of a run share. */
struct run_context {
    enum run_goal goal;
    const char *reason; /* that a person gave for it, for the history; NULL: none was asked for */
    bool is_early;      /* … and the soak was not waited for */
    bool is_first_run;  /* the database was empty, or a run that began so is continued */
    const struct driver *driver;
    struct connection *connection;
    struct journal *journal;
    const struct script_context *script;
    int64_t lock_attempts;  /* tries of a unit that met a lock timeout or deadlock */
    int64_t lock_budget_ms; /* of all its tries together */
    uint32_t
        concurrently_wait_ms; /* what a statement CONCURRENTLY may wait without progress; 0: for ever */
    const volatile sig_atomic_t *stop_signal; /* 0, or the signal that asked us to stop */
    bool target_changed;    /* something was committed in this run; set by the runner */
    bool failed_alone;      /* what a statement outside a transaction did may stay */
    bool failed_in_batches; /* those before the last one stay */
    struct backfill_limits backfill;
    void (*progress)(void *context, const struct backfill_progress *p); /* or NULL */
    void *progress_context;
    struct unit_watch watch; /* with it no COMMIT goes ahead */
    bool may_go_ahead;       /* another migration follows: the last COMMIT need not be awaited */
    struct execution *ahead; /* whose last COMMIT is under way */
    struct execution *failed_ahead; /* whose last COMMIT failed; execution_resume() it */
    int64_t answered_us; /* monotonic: when the newest COMMIT that went ahead was answered */
};

struct execution_result {
    int64_t duration_us;
    int64_t statements;
    int64_t units; /* committed by this call */
    int64_t retries;
    bool was_resumed;
    bool is_waiting; /* something of it is left, for `migrate contract` */
};

/* done is called once, when all of it is committed; it must not use the driver. row: the incomplete
   row of an earlier run, or NULL. */
struct execution *execution_start(struct run_context *run, const struct planned_migration *planned,
                                  const struct history_row *row,
                                  void (*done)(void *context, const struct execution_result *r),
                                  void *context);
/* true: done, or its last COMMIT is under way (run->ahead). Fails with the place of the statement at
   fault; everything of its unit is rolled back, a "failed" event is written. Where run->failed_ahead
   is set then, f is the failure of that one, and this one must be started anew. */
bool execution_run(struct execution *x, struct fail *f) MUST_CHECK;
/* Its last COMMIT has failed with f: what execution_run() does about that, further tries included. */
bool execution_resume(struct execution *x, struct fail *f) MUST_CHECK;
void execution_end(struct execution *x); /* NULL is fine */
/* Waits for the COMMIT that is under way, if there is one. On failure run->failed_ahead is set. */
bool execution_await(struct run_context *run, struct fail *f) MUST_CHECK;

/* Fails (FAIL_CANCELLED) where a signal asks us to stop. */
bool execution_check_stop(const struct run_context *run, struct fail *f) MUST_CHECK;
/* Waits so long, or until then. */
void execution_pause(const struct run_context *run, int64_t pause_ms);

/* Writes entries that belong to no unit (run started, finished) and moves the journal. */
bool execution_append(struct run_context *run, const struct history_row *insert_row,
                      const struct history_row *update_row, struct event *events, size_t count,
                      bool is_durable, struct fail *f) MUST_CHECK;

#endif
