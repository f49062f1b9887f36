/* The tables of SQLite's rules: one for each subject, in rules_<subject>.c. */
#ifndef PLANNER_SQLITE_RULES_TABLES_H
#define PLANNER_SQLITE_RULES_TABLES_H

#include "planner/rules.h"

extern const struct rule_table sqlite_rules_add_column; /* rules_add_column.c */
extern const struct rule_table sqlite_rules_exists;     /* rules_exists.c */
extern const struct rule_table sqlite_rules_loss;       /* rules_loss.c */
extern const struct rule_table sqlite_rules_rebuild;    /* rules_rebuild.c */
extern const struct rule_table sqlite_rules_run;        /* rules_run.c */
extern const struct rule_table sqlite_rules_schema;     /* rules_schema.c */

extern const struct rule_table *const sqlite_rule_tables[];
extern const size_t sqlite_rule_table_count;

#endif
