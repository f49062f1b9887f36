/*
 * What the files of this driver share that make copies for rehearsals and look at them; the port is
 * core/model/rehearsal.h. Private to drivers/postgres.
 *
 *   rehearsal_copy.c      makes a copy, takes it away, proves that it is one
 *   rehearsal_restore.c   a dump into a database
 *   rehearsal_server.c    a private server
 *   rehearsal_place.c     a connection string in its parts
 *   observe.c             locks and sizes     observe_probes.c   statements in place of the application's
 */
#ifndef DRIVERS_POSTGRES_REHEARSAL_H
#define DRIVERS_POSTGRES_REHEARSAL_H

#include "core/model/rehearsal.h"
#include "drivers/postgres/connection.h"

/* The comment that a database must have to be written to. */
#define COPY_MARKER "migrate: copy for rehearsals"

/* ---- rehearsal_place.c ---- */

/* A place to connect to: what the connection string says, its database replaced. */
struct pgdrv_place {
    struct target_url target;
    const char *conninfo; /* key=value, with the database */
    const char *database;
    const char *const
        *env; /* the same for PostgreSQL's own programs, up to NULL: no password in argv */
};
/* Fails (EXIT_USAGE) on a URL that is not understood, or of another engine. database: NULL keeps the one of
   the URL. */
bool pgdrv_place_of_url(struct arena *a, struct str url, const char *database,
                        struct pgdrv_place *out, struct fail *f) MUST_CHECK;
/* A connection in which every call waits. NULL: f says why. */
PGconn *pgdrv_place_connect(const struct pgdrv_place *p, const char *application_name,
                            struct fail *f) MUST_CHECK;
/* Runs SQL of ours there and waits; the result, or NULL and f. */
PGresult *pgdrv_place_ask(PGconn *pg, const char *sql, struct fail *f) MUST_CHECK;

/* ---- rehearsal_server.c ---- */

struct pgdrv_private_server {
    const char *directory; /* everything of it */
    const char *bin;
    const char *url; /* without a database */
};
/* Where initdb and pg_ctl are: PG_BIN, else of this major, else the newest. NULL: nowhere. */
const char *pgdrv_server_programs(struct arena *a, uint32_t version);
bool pgdrv_private_start(struct arena *a, const struct copy_request *r,
                         struct pgdrv_private_server *out, struct fail *f) MUST_CHECK;
void pgdrv_private_stop(const struct pgdrv_private_server *s);

/* ---- rehearsal_restore.c ---- */

/* *out_roles_missing: owners and rights that were left out since the server does not have the role. */
bool pgdrv_restore(struct arena *a, const struct copy_request *r, const struct pgdrv_place *into,
                   int64_t *out_roles_missing, struct fail *f) MUST_CHECK;
/* The time of its file, wall clock: when it was finished, or fetched; 0: not known. */
int64_t pgdrv_dump_time(struct str path);

/* ---- observe_probes.c ---- */

struct pgdrv_probes; /* threads with a connection each */
struct pgdrv_probes *pgdrv_probes_start(struct arena *a, const struct pgdrv_place *place,
                                        const struct observe_request *r, struct fail *f) MUST_CHECK;
/* Ends them, and adds what they met. */
void pgdrv_probes_end(struct arena *a, struct pgdrv_probes *p, struct observed *out);

extern const struct rehearsal_driver pgdrv_rehearsal;

/* ---- observe.c ---- */

struct observer *pgdrv_observe(struct arena *a, const struct observe_request *r, struct fail *f);
bool pgdrv_look(struct arena *a, struct observer *o, struct seen_state *out, struct fail *f);
void pgdrv_observe_end(struct arena *a, struct observer *o, struct observed *out);

#endif
