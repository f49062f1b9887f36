/* CREATE of what is no table: sequences, functions, statistics objects, types, extensions. */
#include <string.h>

#include "planner/postgres/create_parts.h"

/* ---- sequences ---- */

void predict_create_sequence(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateSeqStmt *create = node->create_seq_stmt;
    if (create->sequence && create_existing(d, create->sequence)) {
        if (!create->if_not_exists)
            deed_fails(d, "relation %s is there already", create->sequence->relname);
        return;
    }
    for (size_t i = 0; i < create->n_options; i++) {
        if (create->options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = create->options[i]->def_elem;
        if (strcmp(e->defname, "owned_by") != 0 || !e->arg ||
            e->arg->node_case != PG_QUERY__NODE__NODE_LIST || e->arg->list->n_items < 2)
            continue;
        struct catalog_relation *table =
            deed_relation_by_names(d, e->arg->list->items, e->arg->list->n_items - 1, false);
        deed_lock(d, table, LOCK_ACCESS_SHARE, true);
    }
}

/* ---- functions ---- */

/* One statement of a body. What is no query (DDL) is not looked at until it runs. */
static void lock_query(struct deed *d, const PgQuery__Node *query)
{
    struct query_uses uses;
    query_uses_read(d, query, &uses);
    query_uses_lock(d, &uses, QUERY_REWRITTEN);
}

/* BEGIN ATOMIC: lists of lists of statements; RETURN: an expression. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static void lock_atomic(struct deed *d, const PgQuery__Node *body)
{
    if (body->node_case == PG_QUERY__NODE__NODE_LIST) {
        for (size_t i = 0; i < body->list->n_items; i++)
            lock_atomic(d, body->list->items[i]);
    } else if (body->node_case == PG_QUERY__NODE__NODE_RETURN_STMT) {
        struct query_uses uses = {0};
        query_uses_expression(d, body->return_stmt->returnval, NULL, &uses);
        query_uses_lock(d, &uses, QUERY_REWRITTEN);
    } else {
        lock_query(d, body);
    }
}

static void lock_text(struct deed *d, struct str body)
{
    const PgQuery__ParseResult *script = parse_script_kept(d->a, body);
    for (size_t i = 0; script && i < script->n_stmts; i++) {
        if (script->stmts[i]->stmt)
            lock_query(d, script->stmts[i]->stmt);
    }
    if (!script)
        deed_opaque(d, "a body that is not parsed");
}

static struct str text_option(const PgQuery__CreateFunctionStmt *create, const char *name)
{
    for (size_t i = 0; i < create->n_options; i++) {
        if (create->options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM ||
            strcmp(create->options[i]->def_elem->defname, name) != 0)
            continue;
        const PgQuery__Node *arg = create->options[i]->def_elem->arg;
        if (arg && arg->node_case == PG_QUERY__NODE__NODE_LIST && arg->list->n_items)
            arg = arg->list->items[0];
        if (arg && arg->node_case == PG_QUERY__NODE__NODE_STRING)
            return str_of(arg->string->sval);
    }
    return STR("");
}

static bool is_off(struct str value)
{
    return str_equal_nocase(value, STR("off")) || str_equal_nocase(value, STR("false")) ||
           str_equal_nocase(value, STR("no")) || str_equal(value, STR("0"));
}

void predict_create_function(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateFunctionStmt *create = node->create_function_stmt;
    if (create->sql_body) {
        lock_atomic(d, create->sql_body);
        return;
    }
    if (!str_equal(text_option(create, "language"), STR("sql")) ||
        is_off(catalog_setting(d->catalog, "check_function_bodies")))
        return;
    lock_text(d, text_option(create, "as"));
}

/* ---- statistics objects ---- */

void predict_create_statistics(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateStatsStmt *create = node->create_stats_stmt;
    for (size_t i = 0; i < create->n_relations; i++) {
        if (create->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        const PgQuery__RangeVar *name = create->relations[i]->range_var;
        struct catalog_relation *r = deed_relation(d, name, false);
        if (r)
            deed_lock(d, r, LOCK_SHARE_UPDATE_EXCLUSIVE, true);
        else
            deed_lock_name(d, name, LOCK_SHARE_UPDATE_EXCLUSIVE);
    }
}

/* ---- what locks no relation ---- */

void predict_create_domain(struct deed *d, const PgQuery__Node *node)
{
    predict_nothing(d, node);
}

void predict_create_enum(struct deed *d, const PgQuery__Node *node)
{
    predict_nothing(d, node);
}

void predict_create_composite(struct deed *d, const PgQuery__Node *node)
{
    predict_nothing(d, node);
}

void predict_create_range(struct deed *d, const PgQuery__Node *node)
{
    predict_nothing(d, node);
}

void predict_create_extension(struct deed *d, const PgQuery__Node *node)
{
    predict_nothing(d, node);
}

void predict_define(struct deed *d, const PgQuery__Node *node)
{
    predict_nothing(d, node);
}
