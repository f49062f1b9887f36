/* What a statement does to the rows of a SQLite database, read from the program that SQLite makes of it. */
#ifndef PLANNER_SQLITE_EFFECTS_H
#define PLANNER_SQLITE_EFFECTS_H

#include "core/model/effect.h"
#include "planner/sqlite/objects.h"

/* Before it is run: what is read in full, written, built, given new storage. enforces: foreign keys are
   on. */
void sqlite_effects_of_rows(struct arena *a, struct sqlite_scratch *s,
                            const struct sqlite_objects *now, const struct statement *statement,
                            bool enforces, struct effects *e);
/* Behind it: what is gone, and which names. dropped: what DROP names; "" : nothing. */
void sqlite_effects_of_schema(struct arena *a, const struct sqlite_objects *before,
                              const struct sqlite_objects *after, struct str dropped,
                              struct effects *e);
/* How many values the program converts with CAST. */
size_t sqlite_effects_casts(struct sqlite_scratch *s, struct arena *a, struct str sql);

#endif
