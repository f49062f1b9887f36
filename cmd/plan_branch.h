/*
 * migrate plan --base REF, --rev REV: the migrations of commits instead of
 * files, what a branch adds to its base, and what it does to files that are
 * merged.
 */
#ifndef CMD_PLAN_BRANCH_H
#define CMD_PLAN_BRANCH_H

#include "cmd/session.h"

/* Combinations that are no plan; a branch needs no database unless one is
   named. Paths of files that are given are those of the disk. Fails:
   EXIT_USAGE. */
bool plan_branch_options(struct arena *a, struct options *o, struct fail *f) MUST_CHECK;
/* Behind session_start(): with --rev the key `base` counts where --base is not given. */
void plan_branch_settle(struct session *s, struct options *o);
bool plan_branch_is_wanted(const struct session *s);

/* In place of session_read_migrations(). */
bool plan_branch_read(struct session *s, bool is_branch, struct fail *f) MUST_CHECK;
/* What the branch adds, less what a connected target has; and what is wrong with the files themselves. */
bool plan_branch_select(struct session *s, struct selection *out, struct fail *f) MUST_CHECK;

/* The revision that is added to; NULL: none. */
const char *plan_branch_base(const struct session *s);
/* "base" and "hazards" at the top of the JSON. */
void plan_branch_set_json(const struct session *s, const struct plan *plan, struct json *root);

#endif
