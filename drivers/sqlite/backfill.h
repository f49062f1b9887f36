/* Steps that run range by range: checkpoints (backfill.c), and ranges of a table (range.c). See
   core/model/backfill.h. */
#ifndef DRIVERS_SQLITE_BACKFILL_H
#define DRIVERS_SQLITE_BACKFILL_H

#include "drivers/sqlite/connection.h"

bool sqlite_backfill_prepare(struct connection *c, struct fail *f) MUST_CHECK;
bool sqlite_backfill_read(struct arena *a, struct connection *c, struct backfill_points *out,
                          struct fail *f) MUST_CHECK;
/* Writes or removes the checkpoint of the entries, where they have one, in the open transaction. */
bool sqlite_point_write(struct connection *c, const struct journal_entries *entries, struct fail *f)
    MUST_CHECK;
/* Whether a checkpoint that was being committed is there. */
bool sqlite_point_is_written(struct connection *c, const struct backfill_point *p, bool *out,
                             struct fail *f) MUST_CHECK;

extern const struct range_driver sqlite_ranges; /* range.c */

#endif
