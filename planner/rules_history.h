/*
 * Rules about the files themselves beside what is merged or was applied: for
 * any engine, and reported by those who know of both (cmd/plan_branch.c), for a
 * statement cannot tell.
 */
#ifndef PLANNER_RULES_HISTORY_H
#define PLANNER_RULES_HISTORY_H

#include "planner/rules.h"

extern const struct rule_table rules_of_files;

bool rule_is_about_files(struct str id);

#define RULE_EDITED "edited-after-apply"
#define RULE_DUPLICATE "duplicate-version"
#define RULE_OUT_OF_ORDER "out-of-order-migration"

#endif
