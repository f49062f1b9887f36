/* Statements that create things, where the form decides: temporary ones, replacements, secrets. */
#include "planner/postgres/judge.h"

/* A temporary object lives as long as the session. */
static void note_temporary(struct judging *j, const PgQuery__RangeVar *relation)
{
    if (relation && (strcmp(relation->relpersistence, "t") == 0 ||
                     strcmp(relation->schemaname, "pg_temp") == 0))
        j->s->session = SESSION_PERHAPS;
}

void look_create_table(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__CreateStmt *c = node->create_stmt;
    note_temporary(j, c->relation);
    if (c->partbound)
        judge_adds(j, "creates a partition");
}

void look_create_table_as(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__CreateTableAsStmt *c = node->create_table_as_stmt;
    look_functions(j, node);
    if (c->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
        j->s->kind = "CREATE MATERIALIZED VIEW";
        judge_adds(j, "creates a materialized view");
    } else if (c->is_select_into) {
        j->s->kind = "SELECT INTO";
    }
    if (c->into)
        note_temporary(j, c->into->rel);
}

void look_create_view(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__ViewStmt *v = node->view_stmt;
    note_temporary(j, v->view);
    if (v->replace)
        judge_adds(j, "creates or replaces a view");
}

void look_create_sequence(struct judging *j, const PgQuery__Node *node)
{
    note_temporary(j, node->create_seq_stmt->sequence);
}

void look_create_function(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__CreateFunctionStmt *c = node->create_function_stmt;
    if (c->is_procedure)
        j->s->kind = "CREATE PROCEDURE";
    if (c->replace)
        judge_adds(j, c->is_procedure ? "creates or replaces a procedure"
                                      : "creates or replaces a function");
}

/* CREATE AGGREGATE, OPERATOR, TYPE, TEXT SEARCH …, COLLATION come as one node. */
void look_define(struct judging *j, const PgQuery__Node *node)
{
    static const struct {
        PgQuery__ObjectType type;
        const char *kind;
    } rows[] = {
        {PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE, "CREATE AGGREGATE"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR, "CREATE OPERATOR"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_TYPE, "CREATE TYPE"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_TSPARSER, "CREATE TEXT SEARCH PARSER"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_TSDICTIONARY, "CREATE TEXT SEARCH DICTIONARY"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_TSTEMPLATE, "CREATE TEXT SEARCH TEMPLATE"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_TSCONFIGURATION, "CREATE TEXT SEARCH CONFIGURATION"},
        {PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION, "CREATE COLLATION"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].type == node->define_stmt->kind)
            j->s->kind = rows[i].kind;
    }
    if (node->define_stmt->replace)
        judge_destroys(j, "creates or replaces an aggregate");
}

void look_rule(struct judging *j, const PgQuery__Node *node)
{
    /* A view is a rule on SELECT; any other changes statements that are there. */
    if (!node->rule_stmt->instead)
        judge_adds(j, "adds what statements on a table do besides");
}

/* portalcmds.c: without HOLD a cursor ends with its transaction. CURSOR_OPT_HOLD (parsenodes.h). */
void look_declare_cursor(struct judging *j, const PgQuery__Node *node)
{
    enum { CURSOR_OPT_HOLD = 0x0020 };
    if (node->declare_cursor_stmt->options & CURSOR_OPT_HOLD)
        j->s->session = SESSION_PERHAPS;
}

void look_role(struct judging *j, const PgQuery__Node *node)
{
    bool is_new = node->node_case == PG_QUERY__NODE__NODE_CREATE_ROLE_STMT;
    PgQuery__Node *const *options =
        is_new ? node->create_role_stmt->options : node->alter_role_stmt->options;
    size_t count = is_new ? node->create_role_stmt->n_options : node->alter_role_stmt->n_options;
    const PgQuery__DefElem *password = judge_option(options, count, "password");
    j->s->has_secret |= password && password->arg;
}

void look_user_mapping(struct judging *j, const PgQuery__Node *node)
{
    (void)node;
    j->s->has_secret = true;
}

void look_server(struct judging *j, const PgQuery__Node *node)
{
    bool is_new = node->node_case == PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT;
    PgQuery__Node *const *options = is_new ? node->create_foreign_server_stmt->options
                                           : node->alter_foreign_server_stmt->options;
    size_t count = is_new ? node->create_foreign_server_stmt->n_options
                          : node->alter_foreign_server_stmt->n_options;
    for (size_t i = 0; i < count; i++) {
        if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strstr(options[i]->def_elem->defname, "pass"))
            j->s->has_secret = true;
    }
}
