/*
 * migrate plan --write: the pending migrations that have an online form, as ordinary files: each statement
 * with a form is replaced by its steps, all else stays byte for byte. Applied with `rewrite: off` such a file
 * runs as `rewrite: auto` would run the one it was made of.
 */
#ifndef CMD_PLAN_WRITE_H
#define CMD_PLAN_WRITE_H

#include "cmd/session.h"

/* Combinations that contradict; the forms are looked for whatever is configured. Fails: EXIT_USAGE. */
bool plan_write_options(struct options *o, struct fail *f) MUST_CHECK;
/* Into the directory, which is made, or for "-" to standard output. Files that are there already are left as
   they are, and then none is written. Fails: EXIT_USAGE. */
bool plan_write(struct session *s, const char *directory, const struct selection *selection,
                const struct plan *plan, struct fail *f) MUST_CHECK;

#endif
