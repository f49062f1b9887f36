/*
 * Judges what a driver's examine() saw, together with the history: what would stop the next apply, what an
 * earlier one left behind and whose it is, and what to do about each. Changes nothing; what may be cleaned
 * away is a list for cmd/doctor_clean.c.
 */
#ifndef CORE_RUN_DOCTOR_H
#define CORE_RUN_DOCTOR_H

#include "core/model/dialect.h"
#include "core/model/driver.h"

enum gravity {
    GRAVITY_OK = 0,
    GRAVITY_NOTE,    /* worth knowing */
    GRAVITY_WARNING, /* may stop an apply, or the application, later */
    GRAVITY_PROBLEM, /* an apply would fail, or data are at risk */
};
const char *gravity_name(enum gravity g);

struct diagnosis {
    enum check check;
    enum gravity gravity;
    const char *text;   /* a clause: "index public.a_id is invalid" */
    const char *advice; /* what to do, a sentence; "" : nothing */
};

/* Something invalid that the history proves to be ours, of a migration that is not open any more. */
struct leftover {
    const struct sighting *of;
    struct str label; /* version or script of the migration */
    int64_t event;    /* the intent that proves it */
};

struct doctor {
    struct arena *arena;
    struct examination seen;
    struct {
        struct diagnosis *at;
        size_t count, room;
    } found; /* in the order of enum check; each check that was made has one at least */
    size_t counts[GRAVITY_PROBLEM + 1];
    bool is_record_broken; /* the history does not prove itself */
    struct {
        struct leftover *at;
        size_t count, room;
    } leftovers;
};

struct doctor_request {
    const struct driver *driver;
    struct connection *connection;
    const struct server_identity *server;
    const struct history *history;
    const char *history_failure;   /* it could not be read, for this reason; NULL: it was */
    const struct dialect *dialect; /* reads the statements of intents */
    const char *apply_command;     /* what continues an incomplete migration */
};

/* Fails only where the connection does. */
bool doctor_run(struct arena *a, const struct doctor_request *request, struct doctor *out,
                struct fail *f) MUST_CHECK;

#endif
