/* Steps that run range by range: checkpoints (backfill.c), ranges of a table (range.c), and what the
   server has to bear (load.c). See core/model/backfill.h. */
#ifndef DRIVERS_POSTGRES_BACKFILL_H
#define DRIVERS_POSTGRES_BACKFILL_H

#include "drivers/postgres/connection.h"

bool pgdrv_backfill_prepare(struct connection *c, struct fail *f);
bool pgdrv_backfill_read(struct arena *a, struct connection *c, struct backfill_points *out,
                         struct fail *f);
/* Sends the checkpoint of the entries, where they have one, into an open pipeline; counts its results. */
bool pgdrv_point_send(struct connection *c, const struct journal_entries *entries, int *queries,
                      struct fail *f) MUST_CHECK;
/* Whether a checkpoint that was being committed is there. */
bool pgdrv_point_is_written(struct connection *c, const struct backfill_point *p, bool *out,
                            struct fail *f) MUST_CHECK;

extern const struct range_driver pgdrv_ranges; /* range.c */

bool pgdrv_load(struct arena *a, struct connection *c, const struct online_range *range,
                struct load *out, struct fail *f);

#endif
