/* How far a step has come that runs in batches: see backfill.c. */
#ifndef CMD_BACKFILL_H
#define CMD_BACKFILL_H

#include "cmd/session.h"
#include "core/run/execution.h"

struct backfill_view {
    int64_t begun_us, logged_us;
};
/* On a terminal the progress line, else a line of the log each minute. */
void backfill_show(struct backfill_view *view, const struct backfill_progress *p);

/* The checkpoints that are there. */
bool backfill_read_points(struct session *s, struct backfill_points *out, struct fail *f)
    MUST_CHECK;
/* Of a migration that is incomplete: what its checkpoint says, as a sentence ("" where it has none),
   and as the member "backfill" of a JSON object. */
const char *backfill_sentence(struct arena *a, const struct backfill_points *points,
                              const struct reconciled *one);
void backfill_set(struct json *j, const struct backfill_points *points,
                  const struct reconciled *one);

#endif
