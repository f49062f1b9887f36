/*
 * A database in memory behind the port of core/model/driver.h, for tests of core/run: history rows,
 * events and the statements that were committed, with transactions that roll back. It can strike at
 * its n-th call in every way in which a database or a process fails.
 *
 * A statement that is executed becomes an effect: its text. "SET …" changes the session and is noted
 * with every effect that follows in it. BEGIN, COMMIT and ROLLBACK leave none.
 */
#ifndef DRIVERS_TESTKIT_FAKE_DRIVER_H
#define DRIVERS_TESTKIT_FAKE_DRIVER_H

#include "core/model/driver.h"

enum fake_fault {
    FAKE_NO_FAULT = 0,
    FAKE_REFUSED, /* an error of the server: the call does nothing, the transaction is aborted */
    FAKE_LOCK_TIMEOUT, /* the same, of the kind that is tried again */
    FAKE_CANCELLED,    /* the same, on somebody's request */
    FAKE_MOVED,        /* the same, since somebody else wrote the history */
    FAKE_CUT_BEFORE,   /* the connection is lost before the server sees the call … */
    FAKE_CUT_AFTER,   /* … or when it is done there; the next rollback or append connects again */
    FAKE_KILL_BEFORE, /* the process is killed: as a cut, and no call reaches the server any more */
    FAKE_KILL_AFTER,
    FAKE_FAULT_MAX,
};
const char *fake_fault_name(enum fake_fault fault);

struct fake_effect {
    struct str text;
    struct str session; /* "SET a; SET b", as it was */
    int64_t copied_bytes;
};
struct fake_effects {
    struct fake_effect *at;
    size_t count, room;
};

/* What outlives a process. */
struct fake_database {
    struct arena *arena;
    bool has_history;
    struct history history; /* the committed rows and the head of the chain */
    struct {
        struct event *at;
        size_t count, room;
    } events;
    struct fake_effects effects; /* committed, in order */
    int64_t executions;          /* statements that reached the server, whatever became of them */
    struct str refused_text;     /* a statement that the server always refuses; "" : none */
    bool leaves_leftovers; /* a refused statement outside a transaction leaves "leftover of …" */
    struct str refused_at_commit; /* a statement whose transaction cannot be committed; "" : none */
    uint32_t refused_line;        /* … which the driver can tell; 0: it cannot */
    bool is_locked;               /* every statement meets a lock timeout */
    bool cannot_probe;            /* probes answer PROBE_UNKNOWN */
};

struct fake_database *fake_database_make(struct arena *a);
const struct driver *fake_driver(void);
/* The same with commit_ahead(). */
const struct driver *fake_driver_ahead(void);
/* Connects; the fault strikes once (a kill goes on for ever). */
struct connection *fake_connect(struct arena *a, struct fake_database *db, enum fake_fault fault,
                                int64_t fault_at);
/* How many calls could have been struck so far, and whether one was. */
int64_t fake_calls(const struct connection *c);
bool fake_was_struck(const struct connection *c);
/* How often a statement is among the committed effects. */
size_t fake_count(const struct fake_database *db, struct str text);

#endif
