/*
 * Proves that the record is whole: the chain of events, the history rows against the events that
 * wrote them. Takes events one by one, in order; keeps only what the rows need. Says precisely which
 * entry is edited, missing or added.
 */
#ifndef CORE_RUN_VERIFY_H
#define CORE_RUN_VERIFY_H

#include "core/base/digest.h"
#include "core/model/driver.h"
#include "core/run/reconcile.h"

struct finding {
    const char *text; /* a sentence: "event 17 was edited: its digest does not match its content" */
};

/* What the events say about one history row. Of several claims for a rank the newest counts. */
struct row_claim {
    int64_t rank;
    int64_t event_id;
    struct str row_digest; /* "" : the row was withdrawn, there must be none */
    struct str label;      /* version, or script of a repeatable */
    bool is_final;       /* nothing but a resolution, or its down file, may write this row again */
    bool is_rolled_back; /* … and nothing but a resolution this one */
    bool is_down;        /* a step of a down file wrote it */
    bool is_resolution;
    bool is_accepted; /* as somebody left the row, and a person took it */
    bool is_seen;
};

struct verification {
    struct arena *arena;
    struct {
        struct finding *at;
        size_t count, room;
    } findings;
    struct {
        int64_t *at; /* ranks without a row of which no event speaks */
        size_t count, room;
    } gaps;
    size_t accepted;       /* findings that a person accepted for the record */
    int64_t accepted_by;   /* the event that did so last; 0: none */
    struct str acceptance; /* the reason given there */
    struct {
        struct row_claim *at;
        size_t count, room;
    } claims;
    bool is_first_run; /* a run that found an empty database has not come to its end yet */
    int64_t next_id;
    struct digest previous;
    int64_t events;
    struct str anchor; /* a head digest kept elsewhere, or "" */
    bool anchor_is_found;
};

struct verification verification_start(struct arena *a, struct str anchor);
/* The next event, in order of id. An event_visitor: context is the verification. */
bool verification_event(void *context, const struct event *e, struct fail *f);
/* After the last event: the rows. */
void verification_rows(struct verification *v, const struct history *h);
/* After the rows: what the events say of the row with this rank; NULL: nothing. */
const struct row_claim *verification_claim(const struct verification *v, int64_t rank);
/* After the rows: the claim of the row of this version or script that is not there any more; NULL. */
const struct row_claim *verification_lost_row(const struct verification *v, struct str label);

/* All of it: reads the events of a target whose history was read. */
bool verification_run(struct arena *a, const struct driver *driver, struct connection *c,
                      const struct history *h, struct str anchor, struct verification *out,
                      struct fail *f) MUST_CHECK;
/* Fails (EXIT_INTEGRITY) with the findings, where there are any. */
bool verification_check(const struct verification *v, struct fail *f) MUST_CHECK;
/* Files that look pending but whose row was removed become STATE_UNRECORDED. */
void verification_mark(const struct verification *v, struct reconciliation *r);

#endif
