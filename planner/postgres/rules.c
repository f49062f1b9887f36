/* The list of PostgreSQL's rule tables. */
#include "planner/postgres/rules_tables.h"

#include "planner/postgres/parse.h"

const struct rule_table *const postgres_rule_tables[] = {
    &rules_access,      &rules_add_column,    &rules_add_inline,   &rules_column,
    &rules_compat,      &rules_compat_object, &rules_constraint,   &rules_constraint_rows,
    &rules_copy,        &rules_data,          &rules_design_index, &rules_design_key,
    &rules_design_name, &rules_design_policy, &rules_design_query, &rules_design_type,
    &rules_drop,        &rules_exists,        &rules_guarantee,    &rules_history,
    &rules_index,       &rules_loss,          &rules_order,        &rules_partition,
    &rules_session,     &rules_table,         &rules_transaction,  &rules_trigger,
    &rules_type,        &rules_waits,
};
const size_t postgres_rule_table_count = ARRAY_LEN(postgres_rule_tables);

unsigned rule_subject_node(const struct rule_subject *s)
{
    const PgQuery__Node *node = s->tree;
    return node ? (unsigned)node->node_case : 0;
}
