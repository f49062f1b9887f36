/* What files allow of the findings about themselves (plan --base). */
#ifndef PLANNER_PLANNER_FILES_H
#define PLANNER_PLANNER_FILES_H

#include "planner/planner.h"
#include "planner/rules.h"

/* request->files become out->files, with what those allow that are not planned. Fails on a directive that
   is none (EXIT_USAGE, with place); what else such a file holds is nobody's business here. */
bool planner_take_files(struct arena *a, const struct plan_request *request, struct plan *out,
                        struct fail *f) MUST_CHECK;
/* Allows what this migration says of itself; waivers are marked as used. */
void planner_waive_files(struct waivers *w, const struct migration *m, struct plan *plan);

#endif
