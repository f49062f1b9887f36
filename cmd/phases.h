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
    int64_t since_us;
    int64_t last_write_us;     /* by the old form, as far as known; 0: not known */
    struct phase_usage *usage; /* usage.h; NULL: nobody has looked */
};
struct open_phases {
    struct open_phase *at;
    size_t count, room;
};

/* Those of a history that was read, in order. In the session's arena. */
struct open_phases phases_find(struct session *s, const struct reconciliation *r);
/* "2026-11-20 20:43:00 UTC", in the arena. */
const char *phase_time(struct arena *a, int64_t wall_us);
/* When the soak ends: it begins with the last write. */
void phase_settle(struct session *s, struct open_phase *phase);
/* The same, from the history as it is by now. */
bool phases_read(struct session *s, struct open_phases *out, struct fail *f) MUST_CHECK;
/* A line or two for each, on stdout. */
void phases_print(const struct open_phases *phases);
struct json *phases_json(const struct open_phases *phases);
/* Fails (EXIT_REFUSED) where a migration of the plan changes what an open one is about. */
bool phases_check(struct session *s, const struct plan *plan, struct fail *f) MUST_CHECK;

#endif
