/* What a statement leaves for the rest of its transaction, and nobody after it: in a file that counts on
   that, no later statement can be run in transactions of its own. Sources: sql-set.html,
   sql-set-constraints.html, sql-lock.html, sql-declare.html, sql-savepoint.html, sql-createtable.html
   (ON COMMIT), functions-admin.html. */
#include "planner/postgres/analysis.h"
#include "planner/postgres/parse.h"

#include <strings.h>

/* Settings that change how long things take or what is told, never what comes out. */
static bool is_harmless(const char *setting)
{
    static const char *const harmless[] = {
        "lock_timeout",
        "statement_timeout",
        "deadlock_timeout",
        "idle_in_transaction_session_timeout",
        "transaction_timeout",
        "client_min_messages",
        "work_mem",
        "maintenance_work_mem",
        "synchronous_commit",
        "max_parallel_maintenance_workers",
        "log_min_messages",
        "log_statement",
    };
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (strcasecmp(setting, harmless[i]) == 0)
            return true;
    }
    return false;
}

static bool is_on_commit(PgQuery__OnCommitAction action)
{
    return action == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP ||
           action == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS;
}

static bool calls_binding_function(void *context UNUSED, const ProtobufCMessage *message)
{
    if (message->descriptor != &pg_query__func_call__descriptor)
        return false;
    const PgQuery__FuncCall *call = (const PgQuery__FuncCall *)message;
    const PgQuery__Node *last = call->n_funcname ? call->funcname[call->n_funcname - 1] : NULL;
    if (!last || last->node_case != PG_QUERY__NODE__NODE_STRING)
        return false;
    const char *name = last->string->sval;
    return strcmp(name, "set_config") == 0 || strstr(name, "advisory_xact_lock") != NULL;
}

/* Of a block nobody looks closer than this. */
static bool says_so(struct str text)
{
    static const char *const words[] = {"local",      "set_config", "advisory_xact",
                                        "lock table", "on commit",  "constraints"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct str word = str_of(words[i]);
        for (size_t k = 0; k + word.len <= text.len; k++) {
            if (strncasecmp(text.at + k, word.at, word.len) == 0)
                return true;
        }
    }
    return false;
}

bool postgres_binds_transaction(const struct statement *s)
{
    const PgQuery__Node *n = s->tree;
    if (!n)
        return true;
    switch (n->node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
        return n->variable_set_stmt->is_local && !is_harmless(n->variable_set_stmt->name);
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
    case PG_QUERY__NODE__NODE_LOCK_STMT:
        return true;
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
        return true;
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
        return n->transaction_stmt->kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT;
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        return is_on_commit(n->create_stmt->oncommit);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return (n->create_table_as_stmt->into &&
                is_on_commit(n->create_table_as_stmt->into->on_commit)) ||
               parse_tree_visit(&n->base, calls_binding_function, NULL);
    case PG_QUERY__NODE__NODE_DO_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT:
        return says_so(s->text);
    default:
        return parse_tree_visit(&n->base, calls_binding_function, NULL);
    }
}
