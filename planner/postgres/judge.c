/*
 * One row for each kind of statement. Sources are pages of https://www.postgresql.org/docs/15/; what
 * the rows and their look() functions say of transactions is held against real servers by judge_test.c.
 */
#include "planner/postgres/judge.h"

/* clang-format off */
static const struct kind_row rows[] = {
    [PG_QUERY__NODE__NODE_INSERT_STMT] = {"INSERT", CLASS_ADDITIVE,
        "adds rows", SESSION_NONE, look_insert,
        "sql-insert.html"},
    [PG_QUERY__NODE__NODE_DELETE_STMT] = {"DELETE", CLASS_DESTRUCTIVE,
        "deletes rows", SESSION_NONE, look_functions,
        "sql-delete.html"},
    [PG_QUERY__NODE__NODE_UPDATE_STMT] = {"UPDATE", CLASS_DESTRUCTIVE,
        "overwrites values", SESSION_NONE, look_functions,
        "sql-update.html"},
    [PG_QUERY__NODE__NODE_MERGE_STMT] = {"MERGE", CLASS_DESTRUCTIVE,
        "may overwrite or delete rows", SESSION_NONE, look_functions,
        "sql-merge.html"},
    [PG_QUERY__NODE__NODE_SELECT_STMT] = {"SELECT", CLASS_ADDITIVE,
        "reads", SESSION_NONE, look_select,
        "sql-select.html"},
    [PG_QUERY__NODE__NODE_ALTER_TABLE_STMT] = {"ALTER TABLE", CLASS_DESTRUCTIVE,
        "alters a table", SESSION_NONE, look_alter_table,
        "sql-altertable.html"},
    [PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT] = {"ALTER DOMAIN", CLASS_DESTRUCTIVE,
        "alters a domain", SESSION_NONE, look_alter_domain,
        "sql-alterdomain.html"},
    [PG_QUERY__NODE__NODE_GRANT_STMT] = {"GRANT", CLASS_ADDITIVE,
        "grants rights", SESSION_NONE, look_grant,
        "sql-grant.html"},
    [PG_QUERY__NODE__NODE_GRANT_ROLE_STMT] = {"GRANT ROLE", CLASS_ADDITIVE,
        "grants a role", SESSION_NONE, look_grant,
        "sql-grant.html"},
    [PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT] = {"ALTER DEFAULT PRIVILEGES", CLASS_ADDITIVE,
        "grants rights on what is made later", SESSION_NONE, look_grant,
        "sql-alterdefaultprivileges.html"},
    [PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT] = {"CLOSE", CLASS_ADDITIVE,
        "closes a cursor", SESSION_PERHAPS, NULL,
        "sql-close.html"},
    [PG_QUERY__NODE__NODE_CLUSTER_STMT] = {"CLUSTER", CLASS_ADDITIVE,
        "reorders rows", SESSION_NONE, look_cluster,
        "sql-cluster.html"},
    [PG_QUERY__NODE__NODE_COPY_STMT] = {"COPY", CLASS_ADDITIVE,
        "adds rows", SESSION_NONE, look_copy,
        "sql-copy.html"},
    [PG_QUERY__NODE__NODE_CREATE_STMT] = {"CREATE TABLE", CLASS_ADDITIVE,
        "creates a table", SESSION_NONE, look_create_table,
        "sql-createtable.html"},
    [PG_QUERY__NODE__NODE_DEFINE_STMT] = {"CREATE", CLASS_ADDITIVE,
        "creates an object", SESSION_NONE, look_define,
        "sql-createaggregate.html"},
    [PG_QUERY__NODE__NODE_DROP_STMT] = {"DROP", CLASS_DESTRUCTIVE,
        "drops an object", SESSION_NONE, look_drop,
        "sql-droptable.html"},
    [PG_QUERY__NODE__NODE_TRUNCATE_STMT] = {"TRUNCATE TABLE", CLASS_DESTRUCTIVE,
        "deletes all rows", SESSION_NONE, NULL,
        "sql-truncate.html"},
    [PG_QUERY__NODE__NODE_COMMENT_STMT] = {"COMMENT", CLASS_ADDITIVE,
        "comments", SESSION_NONE, NULL,
        "sql-comment.html"},
    [PG_QUERY__NODE__NODE_FETCH_STMT] = {"FETCH", CLASS_ADDITIVE,
        "reads from a cursor", SESSION_PERHAPS, NULL,
        "sql-fetch.html"},
    [PG_QUERY__NODE__NODE_INDEX_STMT] = {"CREATE INDEX", CLASS_ADDITIVE,
        "creates an index", SESSION_NONE, look_index,
        "sql-createindex.html"},
    [PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT] = {"CREATE FUNCTION", CLASS_ADDITIVE,
        "creates a function", SESSION_NONE, look_create_function,
        "sql-createfunction.html"},
    [PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT] = {"ALTER FUNCTION", CLASS_DESTRUCTIVE,
        "changes how a function behaves", SESSION_NONE, NULL,
        "sql-alterfunction.html"},
    [PG_QUERY__NODE__NODE_DO_STMT] = {"DO", CLASS_DESTRUCTIVE,
        "runs code", SESSION_PERHAPS, look_do,
        "sql-do.html"},
    [PG_QUERY__NODE__NODE_RENAME_STMT] = {"ALTER", CLASS_DESTRUCTIVE,
        "renames", SESSION_NONE, look_rename,
        "sql-altertable.html"},
    [PG_QUERY__NODE__NODE_RULE_STMT] = {"CREATE RULE", CLASS_DESTRUCTIVE,
        "changes what statements on a table do", SESSION_NONE, look_rule,
        "sql-createrule.html"},
    [PG_QUERY__NODE__NODE_NOTIFY_STMT] = {"NOTIFY", CLASS_ADDITIVE,
        "notifies", SESSION_NONE, NULL,
        "sql-notify.html"},
    [PG_QUERY__NODE__NODE_LISTEN_STMT] = {"LISTEN", CLASS_ADDITIVE,
        "listens", SESSION_PERHAPS, NULL,
        "sql-listen.html"},
    [PG_QUERY__NODE__NODE_UNLISTEN_STMT] = {"UNLISTEN", CLASS_ADDITIVE,
        "stops listening", SESSION_PERHAPS, NULL,
        "sql-unlisten.html"},
    [PG_QUERY__NODE__NODE_TRANSACTION_STMT] = {"", CLASS_ADDITIVE,
        "controls the transaction", SESSION_NONE, look_transaction,
        "sql-begin.html"},
    [PG_QUERY__NODE__NODE_VIEW_STMT] = {"CREATE VIEW", CLASS_ADDITIVE,
        "creates a view", SESSION_NONE, look_create_view,
        "sql-createview.html"},
    [PG_QUERY__NODE__NODE_LOAD_STMT] = {"LOAD", CLASS_DESTRUCTIVE,
        "loads a library into the server", SESSION_PERHAPS, NULL,
        "sql-load.html"},
    [PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT] = {"CREATE DOMAIN", CLASS_ADDITIVE,
        "creates a domain", SESSION_NONE, NULL,
        "sql-createdomain.html"},
    [PG_QUERY__NODE__NODE_CREATEDB_STMT] = {"CREATE DATABASE", CLASS_ADDITIVE,
        "creates a database", SESSION_NONE, look_create_database,
        "sql-createdatabase.html"},
    [PG_QUERY__NODE__NODE_DROPDB_STMT] = {"DROP DATABASE", CLASS_DESTRUCTIVE,
        "drops a database", SESSION_NONE, look_drop_database,
        "sql-dropdatabase.html"},
    [PG_QUERY__NODE__NODE_VACUUM_STMT] = {"VACUUM", CLASS_ADDITIVE,
        "maintains", SESSION_NONE, look_vacuum,
        "sql-vacuum.html"},
    [PG_QUERY__NODE__NODE_EXPLAIN_STMT] = {"EXPLAIN", CLASS_ADDITIVE,
        "explains", SESSION_NONE, look_explain,
        "sql-explain.html"},
    [PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT] = {"CREATE TABLE AS", CLASS_ADDITIVE,
        "creates a table", SESSION_NONE, look_create_table_as,
        "sql-createtableas.html"},
    [PG_QUERY__NODE__NODE_CREATE_SEQ_STMT] = {"CREATE SEQUENCE", CLASS_ADDITIVE,
        "creates a sequence", SESSION_NONE, look_create_sequence,
        "sql-createsequence.html"},
    [PG_QUERY__NODE__NODE_ALTER_SEQ_STMT] = {"ALTER SEQUENCE", CLASS_DESTRUCTIVE,
        "changes which numbers a sequence gives", SESSION_NONE, look_alter_sequence,
        "sql-altersequence.html"},
    [PG_QUERY__NODE__NODE_VARIABLE_SET_STMT] = {"SET", CLASS_ADDITIVE,
        "sets a parameter", SESSION_SETS, look_set,
        "sql-set.html"},
    [PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT] = {"SHOW", CLASS_ADDITIVE,
        "reads", SESSION_NONE, NULL,
        "sql-show.html"},
    [PG_QUERY__NODE__NODE_DISCARD_STMT] = {"DISCARD", CLASS_ADDITIVE,
        "clears session state", SESSION_PERHAPS, look_discard,
        "sql-discard.html"},
    [PG_QUERY__NODE__NODE_CREATE_TRIG_STMT] = {"CREATE TRIGGER", CLASS_ADDITIVE,
        "creates a trigger", SESSION_NONE, NULL,
        "sql-createtrigger.html"},
    [PG_QUERY__NODE__NODE_CREATE_PLANG_STMT] = {"CREATE LANGUAGE", CLASS_ADDITIVE,
        "creates a language", SESSION_NONE, NULL,
        "sql-createlanguage.html"},
    [PG_QUERY__NODE__NODE_CREATE_ROLE_STMT] = {"CREATE ROLE", CLASS_ADDITIVE,
        "creates a role", SESSION_NONE, look_role,
        "sql-createrole.html"},
    [PG_QUERY__NODE__NODE_ALTER_ROLE_STMT] = {"ALTER ROLE", CLASS_DESTRUCTIVE,
        "changes a role", SESSION_NONE, look_role,
        "sql-alterrole.html"},
    [PG_QUERY__NODE__NODE_DROP_ROLE_STMT] = {"DROP ROLE", CLASS_DESTRUCTIVE,
        "drops a role", SESSION_NONE, NULL,
        "sql-droprole.html"},
    [PG_QUERY__NODE__NODE_LOCK_STMT] = {"LOCK TABLE", CLASS_ADDITIVE,
        "locks", SESSION_NONE, NULL,
        "sql-lock.html"},
    [PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT] = {"SET CONSTRAINTS", CLASS_ADDITIVE,
        "sets when constraints are checked", SESSION_NONE, NULL,
        "sql-set-constraints.html"},
    [PG_QUERY__NODE__NODE_REINDEX_STMT] = {"REINDEX", CLASS_ADDITIVE,
        "rebuilds indexes", SESSION_NONE, look_reindex,
        "sql-reindex.html"},
    [PG_QUERY__NODE__NODE_CHECK_POINT_STMT] = {"CHECKPOINT", CLASS_ADDITIVE,
        "maintains", SESSION_NONE, NULL,
        "sql-checkpoint.html"},
    [PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT] = {"CREATE SCHEMA", CLASS_ADDITIVE,
        "creates a schema", SESSION_NONE, NULL,
        "sql-createschema.html"},
    [PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT] = {"ALTER DATABASE", CLASS_DESTRUCTIVE,
        "changes a database", SESSION_NONE, look_alter_database,
        "sql-alterdatabase.html"},
    [PG_QUERY__NODE__NODE_ALTER_DATABASE_REFRESH_COLL_STMT] = {"ALTER DATABASE", CLASS_ADDITIVE,
        "records the collation version", SESSION_NONE, NULL,
        "sql-alterdatabase.html"},
    [PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT] = {"ALTER DATABASE", CLASS_DESTRUCTIVE,
        "changes settings of later sessions", SESSION_NONE, NULL,
        "sql-alterdatabase.html"},
    [PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT] = {"ALTER ROLE", CLASS_DESTRUCTIVE,
        "changes settings of later sessions", SESSION_NONE, NULL,
        "sql-alterrole.html"},
    [PG_QUERY__NODE__NODE_CREATE_CONVERSION_STMT] = {"CREATE CONVERSION", CLASS_ADDITIVE,
        "creates a conversion", SESSION_NONE, NULL,
        "sql-createconversion.html"},
    [PG_QUERY__NODE__NODE_CREATE_CAST_STMT] = {"CREATE CAST", CLASS_ADDITIVE,
        "creates a cast", SESSION_NONE, NULL,
        "sql-createcast.html"},
    [PG_QUERY__NODE__NODE_CREATE_OP_CLASS_STMT] = {"CREATE OPERATOR CLASS", CLASS_ADDITIVE,
        "creates an operator class", SESSION_NONE, NULL,
        "sql-createopclass.html"},
    [PG_QUERY__NODE__NODE_CREATE_OP_FAMILY_STMT] = {"CREATE OPERATOR FAMILY", CLASS_ADDITIVE,
        "creates an operator family", SESSION_NONE, NULL,
        "sql-createopfamily.html"},
    [PG_QUERY__NODE__NODE_ALTER_OP_FAMILY_STMT] = {"ALTER OPERATOR FAMILY", CLASS_ADDITIVE,
        "extends an operator family", SESSION_NONE, look_operator_family,
        "sql-alteropfamily.html"},
    [PG_QUERY__NODE__NODE_PREPARE_STMT] = {"PREPARE", CLASS_ADDITIVE,
        "prepares a statement", SESSION_PERHAPS, NULL,
        "sql-prepare.html"},
    [PG_QUERY__NODE__NODE_EXECUTE_STMT] = {"EXECUTE", CLASS_DESTRUCTIVE,
        "runs a prepared statement", SESSION_PERHAPS, NULL,
        "sql-execute.html"},
    [PG_QUERY__NODE__NODE_DEALLOCATE_STMT] = {"DEALLOCATE", CLASS_ADDITIVE,
        "forgets a prepared statement", SESSION_PERHAPS, NULL,
        "sql-deallocate.html"},
    [PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT] = {"DECLARE CURSOR", CLASS_ADDITIVE,
        "reads", SESSION_NONE, look_declare_cursor,
        "sql-declare.html"},
    [PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT] = {"CREATE TABLESPACE", CLASS_ADDITIVE,
        "creates a tablespace", SESSION_NONE, look_create_tablespace,
        "sql-createtablespace.html"},
    [PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT] = {"DROP TABLESPACE", CLASS_DESTRUCTIVE,
        "drops a tablespace", SESSION_NONE, look_drop_tablespace,
        "sql-droptablespace.html"},
    [PG_QUERY__NODE__NODE_ALTER_OBJECT_DEPENDS_STMT] = {"ALTER", CLASS_ADDITIVE,
        "records a dependency", SESSION_NONE, look_alter_object,
        "sql-alterfunction.html"},
    [PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT] = {"ALTER", CLASS_DESTRUCTIVE,
        "moves an object to another schema", SESSION_NONE, look_alter_object,
        "sql-altertable.html"},
    [PG_QUERY__NODE__NODE_ALTER_OWNER_STMT] = {"ALTER", CLASS_DESTRUCTIVE,
        "changes the owner, and with it the rights", SESSION_NONE, look_alter_object,
        "sql-altertable.html"},
    [PG_QUERY__NODE__NODE_ALTER_OPERATOR_STMT] = {"ALTER OPERATOR", CLASS_DESTRUCTIVE,
        "changes an operator", SESSION_NONE, NULL,
        "sql-alteroperator.html"},
    [PG_QUERY__NODE__NODE_ALTER_TYPE_STMT] = {"ALTER TYPE", CLASS_DESTRUCTIVE,
        "changes a type", SESSION_NONE, NULL,
        "sql-altertype.html"},
    [PG_QUERY__NODE__NODE_DROP_OWNED_STMT] = {"DROP OWNED", CLASS_DESTRUCTIVE,
        "drops all objects of a role", SESSION_NONE, NULL,
        "sql-drop-owned.html"},
    [PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT] = {"REASSIGN OWNED", CLASS_DESTRUCTIVE,
        "changes the owner, and with it the rights", SESSION_NONE, NULL,
        "sql-reassign-owned.html"},
    [PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT] = {"CREATE TYPE", CLASS_ADDITIVE,
        "creates a type", SESSION_NONE, NULL,
        "sql-createtype.html"},
    [PG_QUERY__NODE__NODE_CREATE_ENUM_STMT] = {"CREATE TYPE", CLASS_ADDITIVE,
        "creates a type", SESSION_NONE, NULL,
        "sql-createtype.html"},
    [PG_QUERY__NODE__NODE_CREATE_RANGE_STMT] = {"CREATE TYPE", CLASS_ADDITIVE,
        "creates a type", SESSION_NONE, NULL,
        "sql-createtype.html"},
    [PG_QUERY__NODE__NODE_ALTER_ENUM_STMT] = {"ALTER TYPE", CLASS_ADDITIVE,
        "adds a value", SESSION_NONE, look_alter_enum,
        "sql-altertype.html"},
    [PG_QUERY__NODE__NODE_ALTER_TSDICTIONARY_STMT] = {"ALTER TEXT SEARCH DICTIONARY", CLASS_DESTRUCTIVE,
        "changes a dictionary", SESSION_NONE, NULL,
        "sql-altertsdictionary.html"},
    [PG_QUERY__NODE__NODE_ALTER_TSCONFIGURATION_STMT] = {"ALTER TEXT SEARCH CONFIGURATION", CLASS_DESTRUCTIVE,
        "changes a configuration", SESSION_NONE, NULL,
        "sql-altertsconfig.html"},
    [PG_QUERY__NODE__NODE_CREATE_FDW_STMT] = {"CREATE FOREIGN DATA WRAPPER", CLASS_ADDITIVE,
        "creates a foreign data wrapper", SESSION_NONE, NULL,
        "sql-createforeigndatawrapper.html"},
    [PG_QUERY__NODE__NODE_ALTER_FDW_STMT] = {"ALTER FOREIGN DATA WRAPPER", CLASS_DESTRUCTIVE,
        "changes a foreign data wrapper", SESSION_NONE, NULL,
        "sql-alterforeigndatawrapper.html"},
    [PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT] = {"CREATE SERVER", CLASS_ADDITIVE,
        "creates a foreign server", SESSION_NONE, look_server,
        "sql-createserver.html"},
    [PG_QUERY__NODE__NODE_ALTER_FOREIGN_SERVER_STMT] = {"ALTER SERVER", CLASS_DESTRUCTIVE,
        "changes a foreign server", SESSION_NONE, look_server,
        "sql-alterserver.html"},
    [PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT] = {"CREATE USER MAPPING", CLASS_ADDITIVE,
        "creates a user mapping", SESSION_NONE, look_user_mapping,
        "sql-createusermapping.html"},
    [PG_QUERY__NODE__NODE_ALTER_USER_MAPPING_STMT] = {"ALTER USER MAPPING", CLASS_DESTRUCTIVE,
        "changes a user mapping", SESSION_NONE, look_user_mapping,
        "sql-alterusermapping.html"},
    [PG_QUERY__NODE__NODE_DROP_USER_MAPPING_STMT] = {"DROP USER MAPPING", CLASS_DESTRUCTIVE,
        "drops a user mapping", SESSION_NONE, NULL,
        "sql-dropusermapping.html"},
    [PG_QUERY__NODE__NODE_ALTER_TABLE_SPACE_OPTIONS_STMT] = {"ALTER TABLESPACE", CLASS_ADDITIVE,
        "sets planner costs", SESSION_NONE, NULL,
        "sql-altertablespace.html"},
    [PG_QUERY__NODE__NODE_ALTER_TABLE_MOVE_ALL_STMT] = {"ALTER TABLE", CLASS_ADDITIVE,
        "moves storage", SESSION_NONE, NULL,
        "sql-altertable.html"},
    [PG_QUERY__NODE__NODE_SEC_LABEL_STMT] = {"SECURITY LABEL", CLASS_DESTRUCTIVE,
        "changes a security label", SESSION_NONE, NULL,
        "sql-security-label.html"},
    [PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT] = {"CREATE FOREIGN TABLE", CLASS_ADDITIVE,
        "creates a foreign table", SESSION_NONE, NULL,
        "sql-createforeigntable.html"},
    [PG_QUERY__NODE__NODE_IMPORT_FOREIGN_SCHEMA_STMT] = {"IMPORT FOREIGN SCHEMA", CLASS_ADDITIVE,
        "creates foreign tables", SESSION_NONE, NULL,
        "sql-importforeignschema.html"},
    [PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT] = {"CREATE EXTENSION", CLASS_ADDITIVE,
        "creates an extension", SESSION_NONE, NULL,
        "sql-createextension.html"},
    [PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT] = {"ALTER EXTENSION", CLASS_DESTRUCTIVE,
        "runs the extension's update scripts", SESSION_NONE, NULL,
        "sql-alterextension.html"},
    [PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT] = {"ALTER EXTENSION", CLASS_ADDITIVE,
        "records what belongs to an extension", SESSION_NONE, NULL,
        "sql-alterextension.html"},
    [PG_QUERY__NODE__NODE_CREATE_EVENT_TRIG_STMT] = {"CREATE EVENT TRIGGER", CLASS_ADDITIVE,
        "creates an event trigger", SESSION_NONE, NULL,
        "sql-createeventtrigger.html"},
    [PG_QUERY__NODE__NODE_ALTER_EVENT_TRIG_STMT] = {"ALTER EVENT TRIGGER", CLASS_DESTRUCTIVE,
        "changes an event trigger", SESSION_NONE, NULL,
        "sql-altereventtrigger.html"},
    [PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT] = {"REFRESH MATERIALIZED VIEW", CLASS_ADDITIVE,
        "refreshes a materialized view", SESSION_NONE, NULL,
        "sql-refreshmaterializedview.html"},
    [PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT] = {"ALTER SYSTEM", CLASS_DESTRUCTIVE,
        "changes the server's configuration", SESSION_NONE, look_alter_system,
        "sql-altersystem.html"},
    [PG_QUERY__NODE__NODE_CREATE_POLICY_STMT] = {"CREATE POLICY", CLASS_ADDITIVE,
        "creates a policy", SESSION_NONE, NULL,
        "sql-createpolicy.html"},
    [PG_QUERY__NODE__NODE_ALTER_POLICY_STMT] = {"ALTER POLICY", CLASS_DESTRUCTIVE,
        "changes which rows are seen", SESSION_NONE, NULL,
        "sql-alterpolicy.html"},
    [PG_QUERY__NODE__NODE_CREATE_TRANSFORM_STMT] = {"CREATE TRANSFORM", CLASS_ADDITIVE,
        "creates a transform", SESSION_NONE, NULL,
        "sql-createtransform.html"},
    [PG_QUERY__NODE__NODE_CREATE_AM_STMT] = {"CREATE ACCESS METHOD", CLASS_ADDITIVE,
        "creates an access method", SESSION_NONE, NULL,
        "sql-createaccessmethod.html"},
    [PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT] = {"CREATE PUBLICATION", CLASS_ADDITIVE,
        "creates a publication", SESSION_NONE, NULL,
        "sql-createpublication.html"},
    [PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT] = {"ALTER PUBLICATION", CLASS_DESTRUCTIVE,
        "changes what subscribers get", SESSION_NONE, NULL,
        "sql-alterpublication.html"},
    [PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT] = {"CREATE SUBSCRIPTION", CLASS_ADDITIVE,
        "creates a subscription", SESSION_NONE, look_create_subscription,
        "sql-createsubscription.html"},
    [PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT] = {"ALTER SUBSCRIPTION", CLASS_DESTRUCTIVE,
        "changes a subscription", SESSION_NONE, look_alter_subscription,
        "sql-altersubscription.html"},
    [PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT] = {"DROP SUBSCRIPTION", CLASS_DESTRUCTIVE,
        "drops a subscription", SESSION_NONE, look_drop_subscription,
        "sql-dropsubscription.html"},
    [PG_QUERY__NODE__NODE_CREATE_STATS_STMT] = {"CREATE STATISTICS", CLASS_ADDITIVE,
        "creates statistics", SESSION_NONE, NULL,
        "sql-createstatistics.html"},
    [PG_QUERY__NODE__NODE_ALTER_COLLATION_STMT] = {"ALTER COLLATION", CLASS_ADDITIVE,
        "records the collation version", SESSION_NONE, NULL,
        "sql-altercollation.html"},
    [PG_QUERY__NODE__NODE_CALL_STMT] = {"CALL", CLASS_DESTRUCTIVE,
        "runs a procedure", SESSION_PERHAPS, NULL,
        "sql-call.html"},
    [PG_QUERY__NODE__NODE_ALTER_STATS_STMT] = {"ALTER STATISTICS", CLASS_ADDITIVE,
        "sets a statistics target", SESSION_NONE, NULL,
        "sql-alterstatistics.html"},
};
/* clang-format on */

const struct kind_row *judge_row(unsigned node_case)
{
    return node_case < ARRAY_LEN(rows) && rows[node_case].kind ? &rows[node_case] : NULL;
}

void judge_tree(struct judging *j, const PgQuery__Node *node)
{
    struct statement *s = j->s;
    const struct kind_row *row = judge_row((unsigned)node->node_case);
    if (!row) {
        s->kind = "";
        s->session = SESSION_PERHAPS;
        judge_destroys(j, "a kind of statement that is not known here");
        return;
    }
    s->kind = row->kind;
    s->class = row->class;
    s->class_reason = row->reason;
    s->session = row->session;
    if (row->look)
        row->look(j, node);
}

void judge_destroys(struct judging *j, const char *reason)
{
    j->s->class = CLASS_DESTRUCTIVE;
    j->s->class_reason = reason;
}

void judge_adds(struct judging *j, const char *reason)
{
    j->s->class = CLASS_ADDITIVE;
    j->s->class_reason = reason;
}

static const char *copy(struct arena *a, const char *text)
{
    return text && text[0] ? arena_cstr(a, str_of(text)) : "";
}

void judge_alone(struct judging *j, enum probe_kind kind, const char *schema, const char *name)
{
    struct probe *probe = arena_new(j->a, struct probe);
    *probe = (struct probe){kind, copy(j->a, schema), copy(j->a, name), NULL, false};
    j->s->role = ROLE_ALONE;
    j->s->probe = probe;
}

void judge_refuses(struct judging *j, const char *what_instead)
{
    j->s->role = ROLE_REFUSED;
    j->s->refusal = what_instead;
}

const PgQuery__DefElem *judge_option(PgQuery__Node *const *at, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(at[i]->def_elem->defname, name) == 0)
            return at[i]->def_elem;
    }
    return NULL;
}

struct str judge_option_text(struct arena *a, const PgQuery__DefElem *e)
{
    if (!e || !e->arg)
        return (struct str){0};
    switch (e->arg->node_case) { /* the kinds of value that def_arg has in gram.y */
    case PG_QUERY__NODE__NODE_STRING:
        return str_of(e->arg->string->sval);
    case PG_QUERY__NODE__NODE_INTEGER:
        return str_of(arena_printf(a, "%d", e->arg->integer->ival));
    case PG_QUERY__NODE__NODE_FLOAT:
        return str_of(e->arg->float_->fval);
    case PG_QUERY__NODE__NODE_TYPE_NAME: { /* an unquoted word such as off reads as a type */
        const PgQuery__TypeName *word = e->arg->type_name;
        const PgQuery__Node *last = word->n_names ? word->names[word->n_names - 1] : NULL;
        bool is_text = last && last->node_case == PG_QUERY__NODE__NODE_STRING;
        return is_text ? str_of(last->string->sval) : (struct str){0};
    }
    case PG_QUERY__NODE__NODE_BOOLEAN:
        return e->arg->boolean->boolval ? STR("true") : STR("false");
    default:
        return (struct str){0};
    }
}

bool judge_option_is_on(struct arena *a, PgQuery__Node *const *at, size_t count, const char *name)
{
    const PgQuery__DefElem *e = judge_option(at, count, name);
    if (!e)
        return false;
    struct str value = judge_option_text(a, e);
    return !str_equal_nocase(value, STR("false")) && !str_equal_nocase(value, STR("off")) &&
           !str_equal(value, STR("0"));
}
