/*
 * The audit trail as values: `history`, one row per applied migration, and `event`, an append-only
 * chain in which each row holds the digest of the row before it. Drivers store and fetch them;
 * core/run composes, chains and verifies them.
 *
 * Digests are made over netstrings ("5:hello,"; a NULL is "-,") of all fields in the order in which
 * the structs declare them, times as "2026-11-20T20:43:00.123456Z". Documented in
 * docs/history-format.md, so that anybody can verify a chain without us.
 */
#ifndef CORE_MODEL_HISTORY_H
#define CORE_MODEL_HISTORY_H

#include "core/base/digest.h"
#include "core/base/fail.h"

struct history_row {
    int64_t rank;       /* order of installation, from 1 */
    struct str version; /* "" for repeatables */
    struct str description;
    struct str kind; /* migration_kind_name() */
    struct str layout;
    struct str script;
    struct str state; /* HISTORY_… */
    int64_t units_done;
    int64_t statements;
    struct str digest_raw;
    struct str digest_normalized;
    struct str digest_tree;  /* "pg15:<hex>", or "" */
    struct str installed_by; /* database role, or the OS user for SQLite */
    struct str installed_at; /* ISO, UTC, microseconds */
    int64_t duration_us;
    struct str run; /* run id */
};

/* States of a row; the text is what is stored. */
#define HISTORY_APPLIED "applied"
#define HISTORY_INCOMPLETE "incomplete" /* the next apply goes on behind units_done */
#define HISTORY_EXPANDED "expanded"     /* what is behind units_done waits for `migrate contract` */
#define HISTORY_SWITCHED "switched" /* the same, for the second time: both have changed places */
#define HISTORY_ROLLING_BACK "rolling back" /* `migrate rollback` goes on in front of units_done */
#define HISTORY_ROLLED_BACK "rolled back"   /* counts no longer: its migration is pending */

/* Kinds of event; the text is what is stored. */
#define EVENT_RUN_STARTED "run started"
#define EVENT_RUN_FINISHED "run finished"
#define EVENT_PLANNED                                                                              \
    "planned" /* the online forms in which a migration is begun, before anything of it */
#define EVENT_STARTED "started" /* the intent of a unit outside a transaction, written before it */
#define EVENT_STEP_DONE "step done"     /* one unit of several is committed */
#define EVENT_APPLIED "applied"         /* the migration is complete */
#define EVENT_EXPANDED "expanded"       /* … but for what waits for `migrate contract` */
#define EVENT_SWITCHED "switched"       /* … but for what waits for the next `migrate contract` */
#define EVENT_COUNTED "counted"         /* who still uses what waits to be taken away */
#define EVENT_CONTRACTED "contracted"   /* and that, too, is done: it is complete */
#define EVENT_STEP_UNDONE "step undone" /* by `migrate rollback`, */
#define EVENT_ROLLED_BACK "rolled back" /* and nothing of it is left */
#define EVENT_FAILED "failed"
#define EVENT_RETRIED "retried"
#define EVENT_RESOLVED "resolved"
#define EVENT_CLEANING "cleaning" /* what a migration left behind is about to be removed, */
#define EVENT_CLEANED "cleaned"   /* and was, */
#define EVENT_CLEANING_FAILED "cleaning failed" /* or was not */

struct event {
    int64_t id; /* from 1, without gaps */
    struct str run;
    struct str at; /* ISO, UTC, microseconds */
    struct str kind;
    struct str version; /* or script for repeatables; "" for runs */
    int64_t unit;       /* 0: the whole */
    struct str actor;
    struct str db_role;
    struct str host;
    struct str git_commit;
    struct str git_author;
    struct str plan_digest;
    struct str evidence_digest;
    struct str sql; /* redacted, cut at EVENT_SQL_MAX_BYTES */
    int64_t duration_us;
    int64_t lock_wait_us; /* -1: not measured */
    int64_t rows;         /* -1: not known */
    struct str sqlstate;
    struct str detail;   /* JSON object on one line, or "" */
    struct str previous; /* digest of the event before; "" for the first */
    struct str digest;   /* over all fields above */
};
#define EVENT_SQL_MAX_BYTES ((size_t)64 << 10)

struct history {
    bool exists; /* the tables are there */
    struct history_row *at;
    size_t count, room;
    int64_t head_id;        /* of the last event; 0: none */
    struct str head_digest; /* of the last event */
};

/* Digest over all fields of a row; of an event (all but digest itself). */
struct digest history_row_digest(const struct history_row *r);
struct digest event_digest(const struct event *e);

#endif
