/* The list of SQLite's rule tables. */
#include "planner/sqlite/rules_tables.h"

const struct rule_table *const sqlite_rule_tables[] = {
    &sqlite_rules_add_column, &sqlite_rules_exists, &sqlite_rules_loss,
    &sqlite_rules_rebuild,    &sqlite_rules_run,    &sqlite_rules_schema,
};
const size_t sqlite_rule_table_count = ARRAY_LEN(sqlite_rule_tables);
