/* ALTER of things that are no tables, and GRANT, where the form decides. */
#include "planner/postgres/judge.h"

void look_rename(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__RenameStmt *r = node->rename_stmt;
    PgQuery__ObjectType type = r->rename_type;
    /* Of a column the relation's kind counts: ALTER VIEW v RENAME COLUMN. */
    bool is_part = type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN ||
                   type == PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE;
    j->s->kind = judge_alter_kind(is_part && r->relation_type ? r->relation_type : type);
    if (type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN)
        judge_destroys(j, "renames a column");
    else if (type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
        judge_destroys(j, "renames a table");
    else if (type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX)
        judge_adds(j, "renames an index");
}

/* OWNER TO, SET SCHEMA, DEPENDS ON EXTENSION. */
void look_alter_object(struct judging *j, const PgQuery__Node *node)
{
    PgQuery__ObjectType type = 0;
    if (node->node_case == PG_QUERY__NODE__NODE_ALTER_OWNER_STMT)
        type = node->alter_owner_stmt->object_type;
    else if (node->node_case == PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT)
        type = node->alter_object_schema_stmt->object_type;
    else if (node->node_case == PG_QUERY__NODE__NODE_ALTER_OBJECT_DEPENDS_STMT)
        type = node->alter_object_depends_stmt->object_type;
    j->s->kind = judge_alter_kind(type);
}

/* parsenodes.h: AlterDomainStmt.subtype. */
void look_alter_domain(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__AlterDomainStmt *d = node->alter_domain_stmt;
    switch (d->subtype[0]) {
    case 'T':
        if (d->def)
            judge_adds(j, "sets a default");
        else
            judge_destroys(j, "drops a default");
        break;
    case 'N':
        judge_adds(j, "allows NULL");
        break;
    case 'O':
        judge_destroys(j, "forbids NULL in a domain");
        break;
    case 'C':
        judge_adds(j, "adds a constraint");
        break;
    case 'V':
        judge_adds(j, "validates a constraint");
        break;
    case 'X':
        judge_destroys(j, "drops a constraint");
        break;
    default:
        break;
    }
}

void look_alter_sequence(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__AlterSeqStmt *s = node->alter_seq_stmt;
    if (s->n_options == 1 &&
        (judge_option(s->options, 1, "owned_by") || judge_option(s->options, 1, "cache")))
        judge_adds(j, "sets whom a sequence belongs to, or how it is cached");
}

void look_grant(struct judging *j, const PgQuery__Node *node)
{
    bool is_grant = true;
    if (node->node_case == PG_QUERY__NODE__NODE_GRANT_STMT) {
        is_grant = node->grant_stmt->is_grant;
    } else if (node->node_case == PG_QUERY__NODE__NODE_GRANT_ROLE_STMT) {
        is_grant = node->grant_role_stmt->is_grant;
    } else {
        const PgQuery__GrantStmt *action = node->alter_default_privileges_stmt->action;
        if (action && !action->is_grant)
            judge_destroys(j, "revokes rights on what is made later");
        return;
    }
    if (is_grant)
        return;
    bool is_role = node->node_case == PG_QUERY__NODE__NODE_GRANT_ROLE_STMT;
    j->s->kind = is_role ? "REVOKE ROLE" : "REVOKE";
    judge_destroys(j, "revokes rights");
}

void look_operator_family(struct judging *j, const PgQuery__Node *node)
{
    if (node->alter_op_family_stmt->is_drop)
        judge_destroys(j, "takes operators from a family");
}
