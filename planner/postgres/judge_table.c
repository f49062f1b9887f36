/*
 * ALTER TABLE and its relatives: one row for each sub-command, the worst of a statement decides. Facts
 * are those of https://www.postgresql.org/docs/15/sql-altertable.html and tablecmds.c.
 */
#include "planner/postgres/judge.h"

#define AT(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name

struct sub_row {
    enum statement_class class;
    const char *reason;
    void (*look)(struct judging *j, const PgQuery__AlterTableStmt *t,
                 const PgQuery__AlterTableCmd *cmd);
};

/* Of the parts of a new column. */
static bool has_constraint(const PgQuery__ColumnDef *column, PgQuery__ConstrType type)
{
    for (size_t i = 0; i < column->n_constraints; i++) {
        const PgQuery__Node *n = column->constraints[i];
        if (n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT && n->constraint->contype == type)
            return true;
    }
    return false;
}

static bool is_serial(const PgQuery__ColumnDef *column)
{
    const PgQuery__TypeName *type = column->type_name;
    if (!type || type->n_names == 0)
        return false;
    const PgQuery__Node *last = type->names[type->n_names - 1];
    return last->node_case == PG_QUERY__NODE__NODE_STRING && strstr(last->string->sval, "serial");
}

/* Without a default, inserts of code that does not know the column fail. */
static void look_add_column(struct judging *j, const PgQuery__AlterTableStmt *t,
                            const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF)
        return;
    const PgQuery__ColumnDef *column = cmd->def->column_def;
    bool is_required = has_constraint(column, PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL) ||
                       has_constraint(column, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY);
    bool is_filled = has_constraint(column, PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT) ||
                     has_constraint(column, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY) ||
                     has_constraint(column, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED) ||
                     is_serial(column);
    if (is_required && !is_filled)
        judge_destroys(j, "adds a column that inserts must name");
}

static void look_default(struct judging *j, const PgQuery__AlterTableStmt *t,
                         const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    if (!cmd->def)
        judge_destroys(j, "drops a default");
}

static void look_replica_identity(struct judging *j, const PgQuery__AlterTableStmt *t,
                                  const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    bool is_nothing = cmd->def &&
                      cmd->def->node_case == PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT &&
                      strcmp(cmd->def->replica_identity_stmt->identity_type, "n") == 0;
    if (is_nothing)
        judge_destroys(j, "stops UPDATE and DELETE on a published table");
}

/* tablecmds.c: ATPrepCmd; DETACH PARTITION … FINALIZE is free of this. */
static void look_detach(struct judging *j, const PgQuery__AlterTableStmt *t,
                        const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_PARTITION_CMD)
        return;
    const PgQuery__PartitionCmd *partition = cmd->def->partition_cmd;
    if (partition->concurrent && partition->name)
        judge_alone(j, PROBE_PARTITION_DETACHED, partition->name->schemaname,
                    partition->name->relname);
}

static const struct sub_row rows[] = {
    [AT(AddColumn)] = {CLASS_ADDITIVE, "adds a column", look_add_column},
    [AT(ColumnDefault)] = {CLASS_ADDITIVE, "sets a default", look_default},
    [AT(DropNotNull)] = {CLASS_ADDITIVE, "allows NULL", NULL},
    [AT(SetNotNull)] = {CLASS_DESTRUCTIVE, "forbids NULL in a column", NULL},
    [AT(DropExpression)] = {CLASS_DESTRUCTIVE, "makes a generated column a plain one", NULL},
    [AT(SetStatistics)] = {CLASS_ADDITIVE, "sets a statistics target", NULL},
    [AT(SetOptions)] = {CLASS_ADDITIVE, "sets column options", NULL},
    [AT(ResetOptions)] = {CLASS_ADDITIVE, "resets column options", NULL},
    [AT(SetStorage)] = {CLASS_ADDITIVE, "sets how values are stored", NULL},
    [AT(SetCompression)] = {CLASS_ADDITIVE, "sets how values are compressed", NULL},
    [AT(DropColumn)] = {CLASS_DESTRUCTIVE, "drops a column", NULL},
    [AT(AddIndex)] = {CLASS_ADDITIVE, "adds an index", NULL},
    [AT(AddConstraint)] = {CLASS_ADDITIVE, "adds a constraint", NULL},
    [AT(AlterConstraint)] = {CLASS_ADDITIVE, "sets when a constraint is checked", NULL},
    [AT(ValidateConstraint)] = {CLASS_ADDITIVE, "validates a constraint", NULL},
    [AT(AddIndexConstraint)] = {CLASS_ADDITIVE, "adds a constraint over an index", NULL},
    [AT(DropConstraint)] = {CLASS_DESTRUCTIVE, "drops a constraint", NULL},
    [AT(AlterColumnType)] = {CLASS_DESTRUCTIVE, "changes the type of a column", NULL},
    [AT(AlterColumnGenericOptions)] = {CLASS_DESTRUCTIVE, "changes options of a foreign column",
                                       NULL},
    [AT(ChangeOwner)] = {CLASS_DESTRUCTIVE, "changes the owner, and with it the rights", NULL},
    [AT(ClusterOn)] = {CLASS_ADDITIVE, "marks an index for CLUSTER", NULL},
    [AT(DropCluster)] = {CLASS_ADDITIVE, "marks no index for CLUSTER", NULL},
    [AT(SetLogged)] = {CLASS_ADDITIVE, "logs a table", NULL},
    [AT(SetUnLogged)] = {CLASS_DESTRUCTIVE, "loses the table's rows at a crash", NULL},
    [AT(DropOids)] = {CLASS_ADDITIVE, "does nothing any more", NULL},
    [AT(SetAccessMethod)] = {CLASS_ADDITIVE, "changes the access method", NULL},
    [AT(SetTableSpace)] = {CLASS_ADDITIVE, "moves storage", NULL},
    [AT(SetRelOptions)] = {CLASS_ADDITIVE, "sets storage parameters", NULL},
    [AT(ResetRelOptions)] = {CLASS_ADDITIVE, "resets storage parameters", NULL},
    [AT(EnableTrig)] = {CLASS_ADDITIVE, "enables a trigger", NULL},
    [AT(EnableAlwaysTrig)] = {CLASS_ADDITIVE, "enables a trigger", NULL},
    [AT(EnableReplicaTrig)] = {CLASS_DESTRUCTIVE, "lets a trigger fire on replicas only", NULL},
    [AT(DisableTrig)] = {CLASS_DESTRUCTIVE, "disables a trigger", NULL},
    [AT(EnableTrigAll)] = {CLASS_ADDITIVE, "enables triggers", NULL},
    [AT(DisableTrigAll)] = {CLASS_DESTRUCTIVE, "disables triggers, those of foreign keys too",
                            NULL},
    [AT(EnableTrigUser)] = {CLASS_ADDITIVE, "enables triggers", NULL},
    [AT(DisableTrigUser)] = {CLASS_DESTRUCTIVE, "disables triggers", NULL},
    [AT(EnableRule)] = {CLASS_DESTRUCTIVE, "changes what statements on a table do", NULL},
    [AT(EnableAlwaysRule)] = {CLASS_DESTRUCTIVE, "changes what statements on a table do", NULL},
    [AT(EnableReplicaRule)] = {CLASS_DESTRUCTIVE, "changes what statements on a table do", NULL},
    [AT(DisableRule)] = {CLASS_DESTRUCTIVE, "changes what statements on a table do", NULL},
    [AT(AddInherit)] = {CLASS_ADDITIVE, "adds a child table", NULL},
    [AT(DropInherit)] = {CLASS_DESTRUCTIVE, "takes a child's rows from its parent", NULL},
    [AT(AddOf)] = {CLASS_ADDITIVE, "binds a table to a type", NULL},
    [AT(DropOf)] = {CLASS_ADDITIVE, "unbinds a table from its type", NULL},
    [AT(ReplicaIdentity)] = {CLASS_ADDITIVE, "changes what replicas are told",
                             look_replica_identity},
    [AT(EnableRowSecurity)] = {CLASS_DESTRUCTIVE, "hides rows from roles without a policy", NULL},
    [AT(DisableRowSecurity)] = {CLASS_DESTRUCTIVE, "shows rows that policies hid", NULL},
    [AT(ForceRowSecurity)] = {CLASS_DESTRUCTIVE, "hides rows from the owner without a policy",
                              NULL},
    [AT(NoForceRowSecurity)] = {CLASS_DESTRUCTIVE, "shows the owner rows that policies hid", NULL},
    [AT(GenericOptions)] = {CLASS_DESTRUCTIVE, "changes options of a foreign table", NULL},
    [AT(AttachPartition)] = {CLASS_ADDITIVE, "attaches a partition", NULL},
    [AT(DetachPartition)] = {CLASS_DESTRUCTIVE, "takes a partition's rows from its table",
                             look_detach},
    [AT(DetachPartitionFinalize)] = {CLASS_DESTRUCTIVE, "takes a partition's rows from its table",
                                     NULL},
    [AT(AddIdentity)] = {CLASS_DESTRUCTIVE, "changes which values a column takes", NULL},
    [AT(SetIdentity)] = {CLASS_DESTRUCTIVE, "changes which values a column takes", NULL},
    [AT(DropIdentity)] = {CLASS_DESTRUCTIVE, "drops the numbering of a column", NULL},
};

void look_alter_table(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__AlterTableStmt *t = node->alter_table_stmt;
    j->s->kind = judge_alter_kind(t->objtype);
    enum statement_class class = CLASS_ADDITIVE;
    const char *reason = NULL;
    for (size_t i = 0; i < t->n_cmds; i++) {
        if (t->cmds[i]->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
            continue;
        const PgQuery__AlterTableCmd *cmd = t->cmds[i]->alter_table_cmd;
        size_t at = (size_t)cmd->subtype;
        if (at < ARRAY_LEN(rows) && rows[at].reason) {
            j->s->class = rows[at].class;
            j->s->class_reason = rows[at].reason;
            if (rows[at].look)
                rows[at].look(j, t, cmd);
        } else {
            judge_destroys(j, "alters a table in a way that is not known here");
        }
        if (!reason || j->s->class > class)
            reason = j->s->class_reason;
        class = j->s->class > class ? j->s->class : class;
    }
    j->s->class = class;
    j->s->class_reason = reason;
    /* ALTER TYPE … ATTRIBUTE comes as sub-commands on columns. */
    if (t->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE && class == CLASS_ADDITIVE)
        judge_destroys(j, "changes a composite type");
}
