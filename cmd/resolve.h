/* What the two halves of migrate resolve share: cmd/resolve.c and cmd/resolve_record.c. */
#ifndef CMD_RESOLVE_H
#define CMD_RESOLVE_H

#include "cmd/session.h"

/* Takes the history as it is, findings and all, with the reason of the options; afterwards they count as
   accepted. Refuses while a file is there whose row was removed: whether it runs again must be said by
   its version. */
bool resolve_record(struct session *s, const struct reconciliation *r, const struct verification *v,
                    struct fail *f) MUST_CHECK;
/* Writes the event of a resolution, with at most one row. */
bool resolution_write(struct session *s, struct journal *journal, struct event *e,
                      const struct history_row *insert_row, const struct history_row *update_row,
                      struct fail *f) MUST_CHECK;

#endif
