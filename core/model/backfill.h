/*
 * Steps that are run range by range (online.h: STEP_BATCHES, STEP_VERIFICATION): how far one has come, what
 * the database has to bear meanwhile, and what a driver must be able to do for them. The engine is
 * core/run/backfill.c.
 *
 * A position within the table is a text that only the driver reads: the values of the key, or a page. Ranges
 * are open below and closed above.
 */
#ifndef CORE_MODEL_BACKFILL_H
#define CORE_MODEL_BACKFILL_H

#include "core/base/fail.h"
#include "core/model/online.h"

struct connection;

/* Of the checkpoint; one that is not known is refused. */
#define BACKFILL_FORMAT 1

/* The checkpoint of a step: a row of the table `backfill`, written in the transaction of each batch, removed
   with the last one. */
struct backfill_point {
    int64_t format;
    struct str version; /* or script, as the events of the migration have it */
    int64_t unit;
    struct str digest; /* of statement, table and key: another one begins anew */
    struct str table;  /* as the statement names it */
    struct str key;    /* "id, part"; "" : pages */
    struct str lo;     /* up to here it is done; "" : nothing */
    struct str upto; /* where it ends, as it was when the step began; "" : there is nothing to do */
    int64_t filenode; /* of the table then: pages of another file are other rows */
    int64_t rows;     /* changed so far */
    int64_t batches;
    int64_t visited;                   /* rows of the table (pages, without a key) so far */
    int64_t total;                     /* of them there are about so many; 0: not known */
    int64_t batch_size;                /* of the next batch, in the same */
    int64_t paused_us;                 /* since the load was too high */
    struct str started_at, updated_at; /* ISO, UTC */
    struct str run;
};
struct backfill_points {
    struct backfill_point *at;
    size_t count, room;
};

/* A table, when a step begins. */
struct range_extent {
    struct str upto;  /* position of its last row (page); "" : it is empty */
    int64_t filenode; /* 0: it has no file of its own (partitioned) */
    int64_t rows;     /* about; -1: not known */
    int64_t pages;    /* 0 where filenode is */
    bool may_vacuum;  /* by this role */
};

/* A standby that receives the WAL. */
struct replica {
    const char *name;
    bool is_hidden;   /* this role may not see how far it is; the rest is not set */
    int64_t replayed; /* position in the WAL */
    int64_t lag_us;   /* as the server says; -1: it does not */
};

/* What a backfill must not make worse. */
struct load {
    int64_t wal; /* position that is written, in bytes */
    struct {
        struct replica *at;
        size_t count, room;
    } replicas;
    const char *slot;      /* a replication slot that is about to lose WAL it needs; or NULL */
    int64_t unarchived;    /* bytes of WAL behind the last archived; 0: nothing is archived */
    int64_t segment_bytes; /* of WAL */
    bool is_vacuumed;      /* the table, against wraparound: it must not be kept waiting */
    int64_t held_wal; /* SQLite: bytes in the WAL that a reader keeps from being written back */
};

/* Rows that must not be. */
struct offenders {
    int64_t count;
    struct {
        struct str *at; /* their keys: "42", "(7, abc)" */
        size_t count, room;
    } keys;
};

/* What the engine needs of a driver. Texts in the arena. */
struct range_driver {
    /* Makes the table of checkpoints where it is missing. Under the run lock. */
    bool (*prepare)(struct connection *c, struct fail *f);
    /* Whether this role may have batches that skip triggers. Fails where it may not. NULL: there are none. */
    bool (*may_skip_triggers)(struct connection *c, struct fail *f);
    /* All of them; none where there is no such table. Fails (EXIT_INTEGRITY) on one of an unknown format. */
    bool (*read)(struct arena *a, struct connection *c, struct backfill_points *out,
                 struct fail *f);
    bool (*measure)(struct arena *a, struct connection *c, const struct online_range *range,
                    struct range_extent *out, struct fail *f);
    /* The position `count` rows (pages) behind lo ("" : the beginning), upto at most. */
    bool (*next)(struct arena *a, struct connection *c, const struct online_range *range,
                 struct str lo, struct str upto, int64_t count, struct str *out, struct fail *f);
    /* The step's text for the range (lo, hi] alone. */
    struct str (*restrict_to)(struct arena *a, struct connection *c,
                              const struct online_range *range, struct str sql, struct str lo,
                              struct str hi);
    /* Runs a SELECT whose first columns are the key (without one: ctid), outside of transactions, and adds
       what it finds; of its keys, not more than `keys` in all. Holds back nobody. */
    bool (*find)(struct arena *a, struct connection *c, const struct online_range *range,
                 struct str sql, size_t keys, struct offenders *out, struct fail *f);
    bool (*load)(struct arena *a, struct connection *c, const struct online_range *range,
                 struct load *out, struct fail *f);
    /* Clears away dead rows, where nobody is at it. NULL: needless. */
    bool (*vacuum)(struct connection *c, const struct online_range *range, struct fail *f);
    /* Between two batches, of which the last one took so long: others that write have their turn, where
       they could not while it ran. NULL: needless. */
    void (*yield)(struct connection *c, int64_t took_us);
};

#endif
