/* What the files of migrate doctor share. */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "cmd/session.h"
#include "core/run/doctor.h"

/* One that was removed: what was sent. */
struct cleaned {
    struct str *at;
    size_t count, room;
};

/* Reads the history and looks the database over. */
bool doctor_look(struct session *s, struct doctor *out, struct fail *f) MUST_CHECK;
/* doctor_clean.c: under the run lock: removes the leftovers of d one by one, with an event before and one
   behind each. Refuses (EXIT_INTEGRITY) where the history does not prove itself. */
bool doctor_clean(struct session *s, const struct doctor *d, struct cleaned *out, struct fail *f)
    MUST_CHECK;

#endif
