/*
 * What apply, contract and rollback share: a run over a plan under the run lock, and what is said of it.
 */
#ifndef CMD_RUNNING_H
#define CMD_RUNNING_H

#include "cmd/backfill.h"
#include "cmd/phases.h"
#include "core/run/apply.h"

struct running {
    struct session *session;
    enum run_goal goal;
    const char *reason; /* see struct run_context */
    bool is_early;
    enum output_format format;
    struct json *done;  /* JSON only: an object for each migration */
    bool has_changed;   /* the target, by any of the attempts */
    bool leaves_phases; /* some of what was run waits for its contract */
    struct outcome total;
    struct backfill_view batches;
};

/* Reads the format. */
bool running_start(struct running *r, struct session *s, enum run_goal goal, struct fail *f)
    MUST_CHECK;
/* What a run is made of beside its plan; the parts must outlive it. */
struct running_parts {
    struct run_identity who;
    struct journal journal;
    struct script_context script;
};
struct run_context running_context(struct running *r, struct running_parts *parts);
/* Adds to r->total. FAIL_HISTORY_MOVED: another run was faster; plan again. */
bool running_run(struct running *r, const struct selection *selection, const struct plan *plan,
                 struct fail *f) MUST_CHECK;
/* What has become of all of it; phases: what waits now. */
void running_print(struct running *r, const struct open_phases *phases, const struct fail *f);

#endif
