/* The tables of PostgreSQL's rules: one for each subject, in rules_<subject>.c. */
#ifndef PLANNER_POSTGRES_RULES_TABLES_H
#define PLANNER_POSTGRES_RULES_TABLES_H

#include "planner/rules.h"

/* One for each file of the name. */
extern const struct rule_table rules_access;
extern const struct rule_table rules_add_column;
extern const struct rule_table rules_add_inline;
extern const struct rule_table rules_column;
extern const struct rule_table rules_compat;
extern const struct rule_table rules_compat_object;
extern const struct rule_table rules_constraint;
extern const struct rule_table rules_constraint_rows;
extern const struct rule_table rules_copy;
extern const struct rule_table rules_data;
extern const struct rule_table rules_design_index;
extern const struct rule_table rules_design_key;
extern const struct rule_table rules_design_name;
extern const struct rule_table rules_design_policy;
extern const struct rule_table rules_design_query;
extern const struct rule_table rules_design_type;
extern const struct rule_table rules_drop;
extern const struct rule_table rules_exists;
extern const struct rule_table rules_guarantee;
extern const struct rule_table rules_history;
extern const struct rule_table rules_index;
extern const struct rule_table rules_loss;
extern const struct rule_table rules_order;
extern const struct rule_table rules_partition;
extern const struct rule_table rules_session;
extern const struct rule_table rules_table;
extern const struct rule_table rules_transaction;
extern const struct rule_table rules_trigger;
extern const struct rule_table rules_type;
extern const struct rule_table rules_waits;

extern const struct rule_table *const postgres_rule_tables[];
extern const size_t postgres_rule_table_count;

/* The node kind of the statement under check; 0: it has no tree. */
unsigned rule_subject_node(const struct rule_subject *s);

#endif
