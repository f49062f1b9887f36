/* One row for each statement: what foretells it, what folds it in, and where its facts are written. A
   table of facts, and the way through it. */
#include "planner/postgres/effects.h"

#define ROW(kind, name, source)                                                                    \
    [PG_QUERY__NODE__NODE_##kind##_STMT] = {predict_##name, fold_##name, source}
/* No lock on a relation, no change of what the catalog holds. */
#define NOTHING(kind) [PG_QUERY__NODE__NODE_##kind##_STMT] = {predict_nothing, NULL, "utility.c"}

static const struct effect_row rows[] = {
    ROW(ALTER_TABLE, alter_table,
        "tablecmds.c: AlterTableGetLockLevel(), ATPrepCmd(); sql-altertable.html"),
    ROW(ALTER_TABLE_MOVE_ALL, move_all, "tablecmds.c: AlterTableMoveAll()"),
    ROW(CREATE, create_table, "tablecmds.c: DefineRelation(), MergeAttributes(); parse_utilcmd.c"),
    ROW(CREATE_FOREIGN_TABLE, create_foreign_table, "foreigncmds.c: CreateForeignTable()"),
    ROW(CREATE_TABLE_AS, create_table_as, "createas.c: ExecCreateTableAs()"),
    ROW(INDEX, create_index, "indexcmds.c: DefineIndex()"),
    ROW(CREATE_SEQ, create_sequence, "sequence.c: DefineSequence()"),
    ROW(VIEW, create_view, "view.c: DefineView()"),
    ROW(CREATE_FUNCTION, create_function,
        "functioncmds.c: CreateFunction(), pg_proc.c: fmgr_sql_validator()"),
    ROW(CREATE_SCHEMA, create_schema, "schemacmds.c: CreateSchemaCommand()"),
    ROW(CREATE_DOMAIN, create_domain, "typecmds.c: DefineDomain()"),
    ROW(CREATE_ENUM, create_enum, "typecmds.c: DefineEnum()"),
    ROW(COMPOSITE_TYPE, create_composite, "typecmds.c: DefineCompositeType()"),
    ROW(CREATE_RANGE, create_range, "typecmds.c: DefineRange()"),
    ROW(CREATE_EXTENSION, create_extension, "extension.c: CreateExtension()"),
    ROW(CREATE_STATS, create_statistics, "statscmds.c: CreateStatistics()"),
    ROW(DEFINE, define, "define.c; aggregatecmds.c, operatorcmds.c, typecmds.c, collationcmds.c"),
    ROW(DROP, drop, "dropcmds.c: RemoveObjects(); tablecmds.c: RemoveRelations(); dependency.c"),
    ROW(DROP_OWNED, drop_owned, "user.c: DropOwnedObjects(); pg_shdepend.c: shdepDropOwned()"),
    ROW(REASSIGN_OWNED, drop_owned,
        "user.c: ReassignOwnedObjects(); pg_shdepend.c: shdepReassignOwned()"),
    ROW(TRUNCATE, truncate, "tablecmds.c: ExecuteTruncate()"),
    ROW(RENAME, rename, "alter.c: ExecRenameStmt(); tablecmds.c: RenameRelation(), renameatt()"),
    ROW(ALTER_OBJECT_SCHEMA, set_schema,
        "alter.c: ExecAlterObjectSchemaStmt(); tablecmds.c: AlterTableNamespace()"),
    ROW(ALTER_OWNER, set_owner, "alter.c: ExecAlterOwnerStmt(); tablecmds.c: ATExecChangeOwner()"),
    ROW(ALTER_OBJECT_DEPENDS, depends_on_extension, "alter.c: ExecAlterObjectDependsStmt()"),
    ROW(CREATE_TRIG, trigger, "trigger.c: CreateTriggerFiringOn()"),
    ROW(RULE, rule, "rewriteDefine.c: DefineRule()"),
    ROW(CREATE_POLICY, policy, "policy.c: CreatePolicy()"),
    ROW(ALTER_POLICY, alter_policy, "policy.c: AlterPolicy()"),
    ROW(CREATE_EVENT_TRIG, event_trigger, "event_trigger.c: CreateEventTrigger()"),
    ROW(ALTER_EVENT_TRIG, event_trigger, "event_trigger.c: AlterEventTrigger()"),
    ROW(ALTER_DOMAIN, alter_domain,
        "typecmds.c: AlterDomainAddConstraint(), validateDomainCheckConstraint()"),
    ROW(ALTER_ENUM, alter_enum, "typecmds.c: AlterEnum()"),
    ROW(ALTER_SEQ, alter_sequence, "sequence.c: AlterSequence()"),
    ROW(ALTER_FUNCTION, alter_function, "functioncmds.c: AlterFunction()"),
    ROW(ALTER_STATS, alter_statistics, "statscmds.c: AlterStatistics()"),
    ROW(ALTER_EXTENSION, alter_extension, "extension.c: ExecAlterExtensionStmt()"),
    ROW(ALTER_EXTENSION_CONTENTS, alter_extension, "extension.c: ExecAlterExtensionContentsStmt()"),
    ROW(SELECT, query, "parse_relation.c, execMain.c: InitPlan(); explicit-locking.html"),
    ROW(INSERT, query, "analyze.c: transformInsertStmt()"),
    ROW(UPDATE, query, "analyze.c: transformUpdateStmt()"),
    ROW(DELETE, query, "analyze.c: transformDeleteStmt()"),
    ROW(MERGE, query, "parse_merge.c: transformMergeStmt()"),
    ROW(EXPLAIN, query, "explain.c: ExplainQuery()"),
    ROW(DECLARE_CURSOR, query, "portalcmds.c: PerformCursorOpen()"),
    ROW(PREPARE, query, "prepare.c: PrepareQuery()"),
    ROW(EXECUTE, query, "prepare.c: ExecuteQuery()"),
    ROW(COPY, copy, "copy.c: DoCopy()"),
    ROW(LOCK, lock, "lockcmds.c: LockTableCommand()"),
    ROW(CALL, call, "functioncmds.c: ExecuteCallStmt()"),
    ROW(DO, do, "functioncmds.c: ExecuteDoStmt(); pl_exec.c"),
    ROW(REINDEX, reindex, "indexcmds.c: ExecReindex()"),
    ROW(CLUSTER, cluster, "cluster.c: cluster()"),
    ROW(VACUUM, vacuum, "vacuum.c: ExecVacuum()"),
    ROW(REFRESH_MAT_VIEW, refresh, "matview.c: ExecRefreshMatView()"),
    ROW(COMMENT, comment, "comment.c: CommentObject()"),
    ROW(SEC_LABEL, comment, "seclabel.c: ExecSecLabelStmt()"),
    ROW(GRANT, grant, "aclchk.c: ExecuteGrantStmt()"),
    ROW(CREATE_PUBLICATION, publication, "publicationcmds.c: CreatePublication()"),
    ROW(ALTER_PUBLICATION, alter_publication, "publicationcmds.c: AlterPublication()"),
    ROW(VARIABLE_SET, set, "guc_funcs.c: ExecSetVariableStmt()"),
    ROW(TRANSACTION, transaction, "xact.c; utility.c: standard_ProcessUtility()"),
    NOTHING(GRANT_ROLE),
    NOTHING(ALTER_DEFAULT_PRIVILEGES),
    NOTHING(CLOSE_PORTAL),
    NOTHING(FETCH),
    NOTHING(NOTIFY),
    NOTHING(LISTEN),
    NOTHING(UNLISTEN),
    NOTHING(LOAD),
    NOTHING(CREATEDB),
    NOTHING(DROPDB),
    NOTHING(ALTER_DATABASE),
    NOTHING(ALTER_DATABASE_REFRESH_COLL),
    NOTHING(ALTER_DATABASE_SET),
    NOTHING(ALTER_ROLE_SET),
    NOTHING(VARIABLE_SHOW),
    ROW(DISCARD, discard, "discard.c: DiscardAll(); sql-discard.html"),
    NOTHING(CREATE_PLANG),
    NOTHING(CREATE_ROLE),
    NOTHING(ALTER_ROLE),
    NOTHING(DROP_ROLE),
    NOTHING(CONSTRAINTS_SET),
    NOTHING(CHECK_POINT),
    NOTHING(CREATE_CONVERSION),
    [PG_QUERY__NODE__NODE_CREATE_CAST_STMT] = {predict_nothing, fold_create_cast,
                                               "functioncmds.c: CreateCast()"},
    NOTHING(CREATE_OP_CLASS),
    NOTHING(CREATE_OP_FAMILY),
    NOTHING(ALTER_OP_FAMILY),
    NOTHING(DEALLOCATE),
    NOTHING(CREATE_TABLE_SPACE),
    NOTHING(DROP_TABLE_SPACE),
    NOTHING(ALTER_OPERATOR),
    NOTHING(ALTER_TYPE),
    NOTHING(ALTER_TSDICTIONARY),
    NOTHING(ALTER_TSCONFIGURATION),
    [PG_QUERY__NODE__NODE_CREATE_FDW_STMT] = {predict_nothing, fold_create_fdw, "foreigncmds.c"},
    NOTHING(ALTER_FDW),
    [PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT] = {predict_nothing, fold_create_server,
                                                         "foreigncmds.c"},
    NOTHING(ALTER_FOREIGN_SERVER),
    NOTHING(CREATE_USER_MAPPING),
    NOTHING(ALTER_USER_MAPPING),
    NOTHING(DROP_USER_MAPPING),
    NOTHING(ALTER_TABLE_SPACE_OPTIONS),
    NOTHING(ALTER_SYSTEM),
    NOTHING(CREATE_TRANSFORM),
    NOTHING(CREATE_AM),
    NOTHING(CREATE_SUBSCRIPTION),
    NOTHING(ALTER_SUBSCRIPTION),
    NOTHING(DROP_SUBSCRIPTION),
    NOTHING(ALTER_COLLATION),
};

const struct effect_row *effect_row(unsigned node_case)
{
    if (node_case >= ARRAY_LEN(rows) || !rows[node_case].predict)
        return NULL;
    return &rows[node_case];
}

/* What the statement itself has made (an element of CREATE SCHEMA) is no effect on what was there. */
static bool is_own(const struct deed *d, const struct catalog_relation *r)
{
    if (!r)
        return false;
    const struct catalog *c = d->catalog;
    for (size_t i = d->old_relations; i < c->relations.count; i++) {
        if (c->relations.at[i] == r)
            return true;
    }
    return false;
}

#define drop_own(d, list)                                                                          \
    do {                                                                                           \
        size_t kept = 0;                                                                           \
        for (size_t i = 0; i < (list)->count; i++) {                                               \
            if (!is_own((d), (list)->at[i].object))                                                \
                (list)->at[kept++] = (list)->at[i];                                                \
        }                                                                                          \
        (list)->count = kept;                                                                      \
    } while (0)

/* What a body has renamed is told by the name that its lock was taken under. */
#define name_as_locked(d, list)                                                                    \
    do {                                                                                           \
        for (size_t i = 0; i < (list)->count; i++) {                                               \
            for (size_t j = 0; j < (d)->effects->locks.count && (list)->at[i].object; j++) {       \
                if ((d)->effects->locks.at[j].object == (list)->at[i].object)                      \
                    (list)->at[i].relation = (d)->effects->locks.at[j].relation;                   \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static bool is_body(const struct deed *d)
{
    return d->node->node_case == PG_QUERY__NODE__NODE_DO_STMT ||
           d->node->node_case == PG_QUERY__NODE__NODE_CALL_STMT;
}

void effects_predict(struct deed *d)
{
    const struct effect_row *row = effect_row(d->node->node_case);
    if (d->depth == 0)
        d->old_relations = d->catalog->relations.count;
    if (!row)
        deed_opaque(d, "a statement of a kind that is not known");
    else
        row->predict(d, d->node);
    if (!d->depth && is_body(d)) {
        name_as_locked(d, &d->effects->rewrites);
        name_as_locked(d, &d->effects->scans);
        name_as_locked(d, &d->effects->builds);
    }
    if (d->depth || d->old_relations == d->catalog->relations.count)
        return;
    drop_own(d, &d->effects->locks);
    drop_own(d, &d->effects->rewrites);
    drop_own(d, &d->effects->scans);
    drop_own(d, &d->effects->builds);
}

void effects_fold(struct deed *d)
{
    const struct effect_row *row = effect_row(d->node->node_case);
    if (row && row->fold)
        row->fold(d, d->node);
}

/* NOLINTNEXTLINE(misc-no-recursion): DEED_DEPTH_MAX bounds it */
void effects_within(struct deed *d, const PgQuery__Node *node, bool is_folded)
{
    if (!node)
        return;
    if (d->depth == DEED_DEPTH_MAX) {
        deed_opaque(d, "statements that are nested too deeply");
        return;
    }
    if (!deed_enters(d))
        return;
    const PgQuery__Node *outer = d->node;
    d->node = node;
    d->depth++;
    effects_predict(d);
    if (is_folded)
        effects_fold(d);
    d->depth--;
    d->node = outer;
}
