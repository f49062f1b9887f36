/* The sub-commands of ALTER TABLE: what each locks, when it is done, and where it goes. Locks are
   those of tablecmds.c, AlterTableGetLockLevel(), passes and reach those of ATPrepCmd(); both are
   in https://www.postgresql.org/docs/18/sql-altertable.html as far as they show. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/grammar.h"

#include <pg_query.h>

#define AT(name) [PG_QUERY__ALTER_TABLE_TYPE__AT_##name]
#define AX LOCK_ACCESS_EXCLUSIVE
#define SRX LOCK_SHARE_ROW_EXCLUSIVE
#define SUE LOCK_SHARE_UPDATE_EXCLUSIVE

static const struct alter_row rows[] = {
    AT(AddColumn) = {AX, PASS_ADD_COLUMN, REACH_OWN, 0, see_add_column, fold_alter_add_column,
                     "ATExecAddColumn()"},
    AT(ColumnDefault) = {AX, PASS_ADD_OTHER_CONSTRAINT, REACH_TREE, 0, see_default,
                         fold_alter_default, "ATExecColumnDefault()"},
    AT(DropNotNull) = {AX, PASS_DROP, REACH_OWN, 0, see_drop_not_null, fold_alter_drop_not_null,
                       "ATPrepDropNotNull(), ATExecDropNotNull()"},
    AT(SetNotNull) = {AX, PASS_COLUMN_ATTRIBUTES, REACH_OWN, 0, see_set_not_null,
                      fold_alter_set_not_null, "ATPrepSetNotNull(), ATExecSetNotNull()"},
    AT(DropExpression) = {AX, PASS_DROP, REACH_TREE, 13, see_drop_expression,
                          fold_alter_drop_expression, "ATExecDropExpression()"},
#if PG_VERSION_NUM >= 170000
    AT(SetExpression) = {AX, PASS_SET_EXPRESSION, REACH_TREE, 17, see_set_expression,
                         fold_alter_set_expression, "ATExecSetExpression()"},
#endif
    AT(SetStatistics) = {SUE, PASS_MISC, REACH_TREE, 0, see_column_exists, NULL,
                         "ATExecSetStatistics()"},
    AT(SetOptions) = {SUE, PASS_MISC, REACH_SELF, 0, see_column_exists, NULL, "ATExecSetOptions()"},
    AT(ResetOptions) = {SUE, PASS_MISC, REACH_SELF, 0, see_column_exists, NULL,
                        "ATExecSetOptions()"},
    AT(SetStorage) = {AX, PASS_MISC, REACH_TREE, 0, see_storage, NULL,
                      "ATExecSetStorage(), SetIndexStorageProperties()"},
    AT(SetCompression) = {AX, PASS_MISC, REACH_SELF, 14, see_storage, NULL,
                          "ATExecSetCompression(), SetIndexStorageProperties()"},
    AT(DropColumn) = {AX, PASS_DROP, REACH_OWN, 0, see_drop_column, fold_alter_drop_column,
                      "ATExecDropColumn()"},
    AT(AddConstraint) = {LOCK_NONE, PASS_ADD_CONSTRAINT, REACH_OWN, 0, see_add_constraint,
                         fold_alter_add_constraint, "ATExecAddConstraint(), ATExecAddIndex()"},
    AT(AlterConstraint) = {AX, PASS_MISC, REACH_OWN, 0, see_alter_constraint, fold_alter_constraint,
                           "ATExecAlterConstraint()"},
    AT(ValidateConstraint) = {SUE, PASS_MISC, REACH_OWN, 0, see_validate, fold_alter_validate,
                              "ATExecValidateConstraint()"},
    AT(DropConstraint) = {AX, PASS_DROP, REACH_OWN, 0, see_drop_constraint,
                          fold_alter_drop_constraint, "ATExecDropConstraint()"},
    AT(AlterColumnType) = {AX, PASS_ALTER_TYPE, REACH_TREE, 0, see_column_type,
                           fold_alter_column_type,
                           "ATPrepAlterColumnType(), ATColumnChangeRequiresRewrite()"},
    AT(AlterColumnGenericOptions) = {AX, PASS_MISC, REACH_SELF, 0, see_column_exists, NULL,
                                     "ATExecAlterColumnGenericOptions()"},
    AT(ChangeOwner) = {AX, PASS_MISC, REACH_SELF, 0, see_owner, fold_alter_owner,
                       "ATExecChangeOwner()"},
    AT(ClusterOn) = {SUE, PASS_MISC, REACH_SELF, 0, see_cluster, fold_alter_cluster,
                     "ATExecClusterOn()"},
    AT(DropCluster) = {SUE, PASS_MISC, REACH_SELF, 0, NULL, fold_alter_without_cluster,
                       "ATExecDropCluster()"},
    AT(SetLogged) = {AX, PASS_MISC, REACH_SELF, 0, see_persistence, fold_alter_logged,
                     "ATPrepChangePersistence()"},
    AT(SetUnLogged) = {AX, PASS_MISC, REACH_SELF, 0, see_persistence, fold_alter_unlogged,
                       "ATPrepChangePersistence()"},
    AT(DropOids) = {AX, PASS_DROP, REACH_SELF, 0, NULL, NULL, "ATPrepCmd()"},
    AT(SetAccessMethod) = {AX, PASS_MISC, REACH_SELF, 15, see_access_method,
                           fold_alter_access_method, "ATPrepSetAccessMethod()"},
    AT(SetTableSpace) = {AX, PASS_MISC, REACH_SELF, 0, see_tablespace, fold_alter_tablespace,
                         "ATExecSetTableSpace()"},
    AT(SetRelOptions) = {LOCK_NONE, PASS_MISC, REACH_SELF, 0, see_options, NULL,
                         "ATExecSetRelOptions(), reloptions.c"},
    AT(ResetRelOptions) = {LOCK_NONE, PASS_MISC, REACH_SELF, 0, NULL, NULL,
                           "ATExecSetRelOptions(), reloptions.c"},
    AT(EnableTrig) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                      "trigger.c: EnableDisableTrigger()"},
    AT(EnableAlwaysTrig) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                            "trigger.c: EnableDisableTrigger()"},
    AT(EnableReplicaTrig) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                             "trigger.c: EnableDisableTrigger()"},
    AT(DisableTrig) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                       "trigger.c: EnableDisableTrigger()"},
    AT(EnableTrigAll) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                         "trigger.c: EnableDisableTrigger()"},
    AT(DisableTrigAll) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                          "trigger.c: EnableDisableTrigger()"},
    AT(EnableTrigUser) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                          "trigger.c: EnableDisableTrigger()"},
    AT(DisableTrigUser) = {SRX, PASS_MISC, REACH_OWN, 0, see_trigger, fold_alter_trigger,
                           "trigger.c: EnableDisableTrigger()"},
    AT(EnableRule) = {AX, PASS_MISC, REACH_SELF, 0, see_rule, NULL, "EnableDisableRule()"},
    AT(EnableAlwaysRule) = {AX, PASS_MISC, REACH_SELF, 0, see_rule, NULL, "EnableDisableRule()"},
    AT(EnableReplicaRule) = {AX, PASS_MISC, REACH_SELF, 0, see_rule, NULL, "EnableDisableRule()"},
    AT(DisableRule) = {AX, PASS_MISC, REACH_SELF, 0, see_rule, NULL, "EnableDisableRule()"},
    AT(AddInherit) = {AX, PASS_MISC, REACH_OWN, 0, see_inherit, fold_alter_inherit,
                      "ATExecAddInherit()"},
    AT(DropInherit) = {AX, PASS_MISC, REACH_OWN, 0, see_no_inherit, fold_alter_no_inherit,
                       "ATExecDropInherit()"},
    AT(AddOf) = {AX, PASS_MISC, REACH_OWN, 0, see_of, fold_alter_of, "ATExecAddOf()"},
    AT(DropOf) = {AX, PASS_MISC, REACH_SELF, 0, NULL, fold_alter_not_of, "ATExecDropOf()"},
    AT(ReplicaIdentity) = {AX, PASS_MISC, REACH_SELF, 0, see_replica_identity,
                           fold_alter_replica_identity, "ATExecReplicaIdentity()"},
    AT(EnableRowSecurity) = {AX, PASS_MISC, REACH_SELF, 0, NULL, fold_alter_row_security,
                             "ATExecSetRowSecurity()"},
    AT(DisableRowSecurity) = {AX, PASS_MISC, REACH_SELF, 0, NULL, fold_alter_row_security,
                              "ATExecSetRowSecurity()"},
    AT(ForceRowSecurity) = {AX, PASS_MISC, REACH_SELF, 0, NULL, fold_alter_row_security,
                            "ATExecForceNoForceRowSecurity()"},
    AT(NoForceRowSecurity) = {AX, PASS_MISC, REACH_SELF, 0, NULL, fold_alter_row_security,
                              "ATExecForceNoForceRowSecurity()"},
    AT(GenericOptions) = {AX, PASS_MISC, REACH_SELF, 0, NULL, NULL, "ATExecGenericOptions()"},
    AT(AttachPartition) = {SUE, PASS_MISC, REACH_OWN, 0, see_attach, fold_alter_attach,
                           "ATExecAttachPartition(), ATExecAttachPartitionIdx()"},
    AT(DetachPartition) = {LOCK_NONE, PASS_MISC, REACH_OWN, 0, see_detach, fold_alter_detach,
                           "ATExecDetachPartition()"},
    AT(DetachPartitionFinalize) = {SUE, PASS_MISC, REACH_OWN, 14, see_detach_finalize,
                                   fold_alter_detach_finalize, "ATExecDetachPartitionFinalize()"},
    AT(AddIdentity) = {AX, PASS_ADD_OTHER_CONSTRAINT, REACH_OWN, 0, see_add_identity,
                       fold_alter_add_identity, "ATExecAddIdentity()"},
    AT(SetIdentity) = {AX, PASS_COLUMN_ATTRIBUTES, REACH_OWN, 0, see_set_identity,
                       fold_alter_set_identity, "ATExecSetIdentity()"},
    AT(DropIdentity) = {AX, PASS_DROP, REACH_OWN, 0, see_drop_identity, fold_alter_drop_identity,
                        "ATExecDropIdentity()"},
};

/* SET EXPRESSION in the words of an older grammar. */
static const struct alter_row set_expression = {AX,
                                                PASS_SET_EXPRESSION,
                                                REACH_TREE,
                                                17,
                                                see_set_expression,
                                                fold_alter_set_expression,
                                                "ATExecSetExpression()"};

const struct alter_row *alter_row(const PgQuery__AlterTableCmd *cmd)
{
    if (grammar_sets_expression(cmd))
        return &set_expression;
    size_t at = (size_t)cmd->subtype;
    return at < ARRAY_LEN(rows) && rows[at].source ? &rows[at] : NULL;
}

static const PgQuery__Constraint *constraint_of(const PgQuery__AlterTableCmd *cmd)
{
    bool is_constraint = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT;
    return is_constraint ? cmd->def->constraint : NULL;
}

/* Keys are made after the columns have their NOT NULLs, foreign keys after the keys. */
static enum alter_pass pass_of_constraint(const PgQuery__Constraint *k)
{
    switch (k->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
        return PASS_ADD_INDEX;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        return PASS_ADD_OTHER_CONSTRAINT;
    default:
        return PASS_ADD_CONSTRAINT;
    }
}

enum alter_pass alter_pass(const PgQuery__AlterTableCmd *cmd)
{
    const struct alter_row *row = alter_row(cmd);
    const PgQuery__Constraint *k = constraint_of(cmd);
    if (row && row->look == see_add_constraint && k)
        return pass_of_constraint(k);
    /* DROP DEFAULT makes room for what is added. */
    if (row && row->look == see_default && !cmd->def)
        return PASS_DROP;
    return row ? row->pass : PASS_MISC;
}

enum lock_mode alter_mode(const PgQuery__AlterTableCmd *cmd)
{
    const struct alter_row *row = alter_row(cmd);
    if (!row)
        return LOCK_ACCESS_EXCLUSIVE;
    if (row->mode != LOCK_NONE)
        return row->mode;
    const PgQuery__Node *def = cmd->def;
    if (row->look == see_add_constraint) {
        const PgQuery__Constraint *k = constraint_of(cmd);
        return k && k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN ? SRX : AX;
    }
    if (row->look == see_detach) {
        bool is_concurrent = def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD &&
                             def->partition_cmd->concurrent;
        return is_concurrent ? SUE : AX;
    }
    if (def && def->node_case == PG_QUERY__NODE__NODE_LIST)
        return alter_options_mode(def->list->items, def->list->n_items);
    return LOCK_ACCESS_EXCLUSIVE;
}
