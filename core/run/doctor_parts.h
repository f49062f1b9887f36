/*
 * What the files of core/run/doctor share: doctor.c judges, doctor_settings.c knows settings,
 * doctor_whose.c asks the history whose something is.
 */
#ifndef CORE_RUN_DOCTOR_PARTS_H
#define CORE_RUN_DOCTOR_PARTS_H

#include "core/run/doctor.h"

/* Adds a diagnosis. */
void doctor_say(struct doctor *d, enum check check, enum gravity gravity, const char *advice,
                const char *format, ...) PRINTF_LIKE(5, 6);

/* doctor_settings.c: what a setting means for a run; GRAVITY_OK: nothing. */
void doctor_judge_setting(struct doctor *d, const struct sighting *o);

/* A sighting, and the migration that the history connects with it. */
struct whose {
    struct str label; /* "" : nothing in the history speaks of it */
    bool is_open;     /* that migration is incomplete: the next apply goes on with it */
    int64_t intent;   /* the event that proves it to be ours; 0: none does */
};
/* doctor_whose.c: reads the events. *out has one for each sighting, in their order: indexes by the intents
   that were never fulfilled, constraints by the names that open migrations use, tables by their names in
   the SQL of any event. */
bool doctor_read_owners(struct doctor *d, const struct doctor_request *request, struct whose **out,
                        struct fail *f) MUST_CHECK;

#endif
