/*
 * The table of exit codes: what a pipeline may rely on. Rendered in `migrate help exit-codes` and
 * the manual. Numbers are never reused.
 */
#ifndef CORE_BASE_EXIT_H
#define CORE_BASE_EXIT_H

#include "core/base/base.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,     /* failed, target unchanged */
    EXIT_USAGE = 2,      /* wrong usage or configuration */
    EXIT_REFUSED = 3,    /* the gate refused */
    EXIT_INTEGRITY = 4,  /* checksum, order, missing file, stale plan, wrong database */
    EXIT_INCOMPLETE = 5, /* target changed but the run is incomplete */
    EXIT_BUSY = 6,       /* busy, safe to retry */
    EXIT_PENDING = 10,   /* with --exit-code: something is pending */
    EXIT_BUG = 70,
    EXIT_SIGINT = 130,
    EXIT_SIGTERM = 143,
};

struct exit_code_row {
    enum exit_code code;
    const char *name;     /* kebab-case, as in JSON */
    const char *sentence; /* what it means */
    const char *advice;   /* what automation should do */
};

/* All rows, in ascending order; *out_count of them. */
const struct exit_code_row *exit_code_rows(size_t *out_count);
const char *exit_code_name(enum exit_code code);

#endif
