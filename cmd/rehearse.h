/*
 * What the files of `migrate rehearse` share: rehearse.c does it, rehearse_print.c tells it.
 */
#ifndef CMD_REHEARSE_H
#define CMD_REHEARSE_H

#include "cmd/running.h"
#include "core/run/rehearse.h"

struct rehearsal {
    struct session *target; /* read only */
    struct copy copy;
    struct options copy_options;
    struct session on;  /* the copy's */
    struct str key;     /* that evidence is signed with; "" : it is not */
    bool shares_server; /* with the target */
    struct evidence evidence;
};

bool rehearsal_wants_json(const struct options *o);
/* An apply_watch's before: progress. */
void rehearsal_show_before(void *context, size_t index, size_t total,
                           const struct planned_migration *p);
/* What was measured, on stdout. out: where the evidence goes; NULL: nowhere. */
void rehearsal_print(struct arena *a, const struct evidence *e, const char *out);

#endif
