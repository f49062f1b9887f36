/*
 * Migrations that are expanded, or switched: since when, how long the soak lasts, and which command ends
 * it. What status, plan, apply and contract say of them.
 */
#ifndef CMD_PHASES_H
#define CMD_PHASES_H

#include "cmd/session.h"

struct open_phase {
    const struct reconciled *one;
    struct str label;    /* version or script */
    const char *since;   /* "2026-11-20 20:43:00 UTC" */
    const char *until;   /* of the soak, in the same way */
    const char *command; /* that ends it */
    bool is_switched;    /* its first contract is done: what is left is the way back */
    bool is_over;        /* the soak */
};
struct open_phases {
    struct open_phase *at;
    size_t count, room;
};

/* Those of a history that was read, in order. In the session's arena. */
struct open_phases phases_find(struct session *s, const struct reconciliation *r);
/* The same, from the history as it is by now. */
bool phases_read(struct session *s, struct open_phases *out, struct fail *f) MUST_CHECK;
/* A line or two for each, on stdout. */
void phases_print(const struct open_phases *phases);
struct json *phases_json(const struct open_phases *phases);
/* Fails (EXIT_REFUSED) where a migration of the plan changes what an open one is about. */
bool phases_check(struct session *s, const struct plan *plan, struct fail *f) MUST_CHECK;

#endif
