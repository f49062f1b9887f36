/* For recipes whose steps run range by range: which key a table has for that, and the step itself. */
#ifndef PLANNER_POSTGRES_REWRITE_BATCH_H
#define PLANNER_POSTGRES_REWRITE_BATCH_H

#include "planner/postgres/rewrite.h"

/* Whether the table is so large, as far as anybody knows, that its rows are changed in batches. */
bool rewrite_is_large(const struct rewrite *r, const struct catalog_relation *table);
/* The columns of the range: a key without NULLs of types that can be compared, the narrowest; none
   where there is no such key. false: they cannot be visited at all (children without a common key).
      wanted: the columns that
   the author names, as written; "" : none. */
bool rewrite_range_key(struct rewrite *r, const struct catalog_relation *table, struct str wanted,
                       struct online_range *out);
/* Whether the range goes by this column. */
bool rewrite_range_has(const struct rewrite *r, const struct online_range *range,
                       const struct catalog_column *column);
/* Makes it a step in batches. In the texts for people: "in batches by (id)". */
void rewrite_step_in_batches(struct rewrite *r, struct online_step *step,
                             const struct online_range *range, const char *does);
/* The table's row triggers that fire on this event (TRIGGER_UPDATE …), as a clause: "; its triggers
   fire for each row: a, b"; "" : it has none. */
const char *rewrite_trigger_text(struct rewrite *r, const struct catalog_relation *table,
                                 unsigned event);

#endif
