/* How a migration is taken back: what `migrate rollback` runs, and `migrate resolve` counts its steps by. */
#ifndef CMD_WAY_BACK_H
#define CMD_WAY_BACK_H

#include "cmd/session.h"

/* The rest of the way, as a plan of one migration with units_left. Of one that is applied: by its down file,
   which it must have. Fails (EXIT_REFUSED) where there is no way, or, without --lossy, where it loses
   something. */
bool way_back_plan(struct session *s, const struct reconciled *one, struct plan *out,
                   struct fail *f) MUST_CHECK;

#endif
