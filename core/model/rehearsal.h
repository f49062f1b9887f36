/*
 * The nouns of a rehearsal: the copy of a database that a plan is tried on, what is seen on it while the
 * plan runs, and the port by which a driver makes the one and sees the other. core/run/rehearse.c drives
 * it; evidence.h is what comes out.
 *
 * Only a copy that the driver has made itself, or that says in its own words that it is one, is ever
 * written to.
 */
#ifndef CORE_MODEL_REHEARSAL_H
#define CORE_MODEL_REHEARSAL_H

#include "core/base/fail.h"
#include "core/model/lock.h"

#include <signal.h>

struct connection; /* a driver's own */

/* ---- the copy ---- */

enum copy_kind {
    COPY_NONE = 0,
    COPY_DUMP,     /* a file or directory of pg_dump, restored */
    COPY_TEMPLATE, /* CREATE DATABASE … TEMPLATE */
    COPY_URL,      /* a clone that somebody else made, and takes away */
};
const char *copy_kind_name(enum copy_kind k); /* "dump", "template", "url" */
bool copy_kind_of_name(struct str name, enum copy_kind *out);

/* How far a copy is what production is, as far as time and place go. */
enum fidelity {
    FIDELITY_UNKNOWN = 0, /* somebody else made it */
    FIDELITY_LOGICAL,     /* the same rows, freshly packed: no bloat, no dead rows */
    FIDELITY_PHYSICAL,    /* the same pages */
};
const char *fidelity_name(enum fidelity f); /* "unknown", "logical", "physical" */

struct copy_origin {
    enum copy_kind kind;
    struct str from; /* path of the dump, name of the template, URL: as written */
    struct str
        server; /* URL of the server it is made on; "" : a private one is started for a dump */
};

/* A part of the restore, timed: every rehearsal is a restore drill. */
struct copy_part {
    const char *name; /* "server", "restore", "analyze" */
    int64_t duration_us;
};

struct copy {
    enum copy_kind kind;
    enum fidelity fidelity;
    struct str url;       /* may hold a password */
    const char *safe_url; /* for people */
    const char *from;     /* for people: "backups/latest.dump" */
    int64_t made_at_us;   /* wall clock: of a dump the time of its file; 0: not known */
    int64_t bytes;        /* of the database; 0: not known */
    struct {
        struct copy_part *at;
        size_t count, room;
    } parts;
    /* What the restore could not do and a rehearsal can do without: owners and rights of roles that the
       server does not have. */
    int64_t roles_missing;
    void *made; /* the driver's own; NULL: nothing is to be taken away */
};

struct copy_request {
    const struct copy_origin *source;
    const char *name; /* of the database that is made: "migrate_rehearsal_3f…" */
    /* Of the target, as 150004: a private server is of the same major where there is one. */
    uint32_t server_version;
    const volatile sig_atomic_t *stop_signal;      /* ends it */
    void (*tell)(void *context, const char *what); /* "restoring backups/latest.dump" */
    void *context;
};

/* ---- what is seen ---- */

/* Classes of statements of an application, by the lock that they need of a table. */
enum traffic {
    TRAFFIC_READ = 0,  /* SELECT: ACCESS SHARE */
    TRAFFIC_WRITE,     /* INSERT, UPDATE, DELETE: ROW EXCLUSIVE, of its indexes too */
    TRAFFIC_KEY_SHARE, /* a foreign key that is checked: ROW SHARE */
};
#define TRAFFIC_COUNT 3
const char *traffic_name(enum traffic t); /* "read", "write", "key share" */

/* Times are monotonic microseconds. */
struct seen_lock {
    struct str relation; /* "public.orders", of those that were there before */
    enum lock_mode mode;
    int64_t transaction_us; /* when its transaction began */
    int64_t from_us, to_us; /* first and last time it was seen */
};
/* A statement of the application that had to wait. */
struct seen_wait {
    struct str relation;
    enum traffic class;
    int64_t from_us, to_us;
};

struct observed {
    struct {
        struct seen_lock *at;
        size_t count, room;
    } locks;
    struct {
        struct seen_wait *at;
        size_t count, room;
    } waits;
    int64_t probes;          /* statements that stood for the application's */
    int64_t unprobed;        /* tables for which there were too many connections */
    int64_t blind_probes;    /* connections that broke meanwhile */
    int64_t longest_look_us; /* between two looks at the locks: what is shorter may be unseen */
};

/* The copy between two steps. */
struct seen_table {
    int64_t id; /* stays what it is when the table is renamed */
    struct str relation;
    int64_t file;  /* another one: it was written anew */
    int64_t bytes; /* with indexes and TOAST */
};
struct seen_state {
    int64_t wal;             /* position, bytes */
    int64_t temporary_bytes; /* written to temporary files so far */
    /* In the order of their ids. */
    struct {
        struct seen_table *at;
        size_t count, room;
    } tables;
};

struct observer; /* a driver's own */
struct observe_request {
    struct str url;
    const char *application_name; /* by whose beginning the sessions of the run are known */
    const struct str *tables;     /* to be probed: schema-qualified, quoted */
    size_t table_count;
};

struct rehearsal_driver {
    /* Fails (EXIT_USAGE, EXIT_FAILED, EXIT_BUSY) with everything it made taken away again. */
    bool (*make_copy)(struct arena *a, const struct copy_request *r, struct copy *out,
                      struct fail *f);
    /* Takes it away; a second call does nothing. Nobody may be connected to it but us. */
    void (*dispose)(struct copy *copy);
    /* Whether the copy is another database than the target, and may be written to. Fails (EXIT_USAGE) where
       it is not, and says how to show that it is. *out_shares_server: it is on the same server, where some
       statements reach further than the database. */
    bool (*prove_copy)(struct arena *a, const struct copy *copy, struct connection *target,
                       struct connection *connection, bool *out_shares_server, struct fail *f);
    /* Begins to look, with connections of its own. The tables must be there. */
    struct observer *(*observe)(struct arena *a, const struct observe_request *r, struct fail *f);
    /* The copy as it is now, in the arena. From one thread, while nothing is locked. */
    bool (*look)(struct arena *a, struct observer *o, struct seen_state *out, struct fail *f);
    /* Ends it. *out (in the arena; NULL: not wanted) is what was seen. */
    void (*observe_end)(struct arena *a, struct observer *o, struct observed *out);
};

#endif
