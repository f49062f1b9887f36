/* What queries lock and read. The sources of a query are opened by the parser in their modes, views are
   expanded by the rewriter, children and indexes opened by the planner; what running it sets off is in
   effects_dml.c. */
#include "planner/postgres/effects_query.h"

#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/visited.h"

/* ---- tables as the planner opens them ---- */

static bool planner_opens_indexes(const struct deed *d, const struct catalog_relation *r)
{
    enum { PARTITIONED_INDEXES_SINCE = 16 }; /* plancat.c: get_relation_info() */
    return r->kind != RELATION_PARTITIONED_TABLE || d->major >= PARTITIONED_INDEXES_SINCE;
}

struct table_walk {
    enum lock_mode mode;
    const struct partition_filter *filter;
    struct visited done;
};

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void lock_table(struct deed *d, struct table_walk *w, const struct catalog_relation *r,
                       bool is_only, bool is_named)
{
    deed_lock(d, r, w->mode, is_named);
    if (planner_opens_indexes(d, r))
        dml_lock_indexes(d, r, w->mode);
    for (size_t i = 0; i < r->children.count && !is_only; i++) {
        const struct catalog_relation *child = r->children.at[i];
        bool is_pruned = w->filter && r->kind == RELATION_PARTITIONED_TABLE &&
                         !partition_may_match(d, r, child, w->filter);
        if (!is_pruned && deed_is_next(d, &w->done, child))
            lock_table(d, w, child, false, false);
    }
}

void query_lock_table(struct deed *d, const struct catalog_relation *r, enum lock_mode mode,
                      bool is_only, const struct partition_filter *filter, bool is_named)
{
    struct table_walk w = {.mode = mode, .filter = filter};
    lock_table(d, &w, r, is_only, is_named);
}

/* ---- what a statement asks of a source ---- */

/* Conditions of inner joins are as good as WHERE.
   NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static void add_join_clauses(struct deed *d, const PgQuery__Node *from,
                             struct partition_filter *out)
{
    if (from->node_case != PG_QUERY__NODE__NODE_JOIN_EXPR)
        return;
    const PgQuery__JoinExpr *join = from->join_expr;
    if (join->jointype != PG_QUERY__JOIN_TYPE__JOIN_INNER)
        return;
    if (join->quals)
        vec_push(d->a, &out->clauses, join->quals);
    if (join->larg)
        add_join_clauses(d, join->larg, out);
    if (join->rarg)
        add_join_clauses(d, join->rarg, out);
}

static void add_clauses(struct deed *d, const PgQuery__Node *where, PgQuery__Node *const *from,
                        size_t count, struct partition_filter *out)
{
    if (where)
        vec_push(d->a, &out->clauses, where);
    for (size_t i = 0; i < count; i++)
        add_join_clauses(d, from[i], out);
}

struct partition_filter query_filter(struct deed *d, const struct query_source *source)
{
    struct partition_filter out = {.outer = source->outer};
    if (source->name)
        out.alias =
            str_of(source->name->alias ? source->name->alias->aliasname : source->name->relname);
    if (!source->statement)
        return out;
    if (d->filtered == source->statement) {
        out.clauses.at = d->clauses.at;
        out.clauses.count = d->clauses.count; /* no room: who adds one makes a copy */
        return out;
    }
    const ProtobufCMessageDescriptor *type = source->statement->descriptor;
    if (type == &pg_query__select_stmt__descriptor) {
        const PgQuery__SelectStmt *s = (const PgQuery__SelectStmt *)source->statement;
        add_clauses(d, s->where_clause, s->from_clause, s->n_from_clause, &out);
    } else if (type == &pg_query__update_stmt__descriptor) {
        const PgQuery__UpdateStmt *s = (const PgQuery__UpdateStmt *)source->statement;
        add_clauses(d, s->where_clause, s->from_clause, s->n_from_clause, &out);
    } else if (type == &pg_query__delete_stmt__descriptor) {
        const PgQuery__DeleteStmt *s = (const PgQuery__DeleteStmt *)source->statement;
        add_clauses(d, s->where_clause, s->using_clause, s->n_using_clause, &out);
    }
    d->filtered = source->statement;
    d->clauses.at = out.clauses.at;
    d->clauses.count = out.clauses.count;
    return out;
}

/* ---- sources ---- */

static void lock_source(struct deed *d, const struct query_source *source, enum query_stage stage)
{
    struct catalog_relation *r = source->relation;
    if (!r) {
        if (!source->name)
            return;
        deed_relation(d, source->name, false);
        deed_lock_name(d, source->name, source->mode);
        return;
    }
    if (source->is_target && stage > QUERY_REWRITTEN) {
        dml_run(d, source, stage);
        return;
    }
    struct partition_filter filter = query_filter(d, source);
    if (stage <= QUERY_REWRITTEN || r->kind == RELATION_VIEW) {
        deed_lock(d, r, source->mode, true);
        if (stage > QUERY_PARSED && source->is_target)
            dml_rewrite(d, source);
        if (stage > QUERY_PARSED && r->kind == RELATION_VIEW)
            query_view_locks(d, r, source->mode, stage, &filter);
        return;
    }
    query_lock_table(d, r, source->mode, source->is_only, &filter, true);
}

static bool is_sequence_function(struct str name)
{
    return str_equal(name, STR("nextval")) || str_equal(name, STR("setval")) ||
           str_equal(name, STR("currval"));
}

void query_run_calls(struct deed *d, const struct query_uses *uses)
{
    for (size_t i = 0; i < uses->calls.count; i++) {
        const struct query_call *call = &uses->calls.at[i];
        for (size_t j = 0; j < uses->sequences.count && is_sequence_function(call->name); j++)
            deed_lock(d, uses->sequences.at[j], LOCK_ROW_EXCLUSIVE, true);
        if (call->function)
            body_run_function(d, call->function, call->tree);
    }
}

void query_run_expression(struct deed *d, const PgQuery__Node *tree, struct catalog_relation *r)
{
    struct query_uses uses = {0};
    query_uses_expression(d, tree, r, &uses);
    for (size_t i = 0; i < uses.calls.count; i++) {
        if (uses.calls.at[i].function)
            body_run_function(d, uses.calls.at[i].function, uses.calls.at[i].tree);
    }
}

void query_uses_lock(struct deed *d, const struct query_uses *uses, enum query_stage stage)
{
    for (size_t i = 0; i < uses->sources.count; i++)
        lock_source(d, &uses->sources.at[i], stage);
    if (stage == QUERY_PLANNED)
        query_run_calls(d, uses);
}

void query_run(struct deed *d, const PgQuery__Node *query)
{
    struct query_uses uses;
    query_uses_read(d, query, &uses);
    query_uses_lock(d, &uses, QUERY_PLANNED);
    query_uses_scan(d, &uses);
}

static void query_explain(struct deed *d, const PgQuery__Node *query, enum query_stage stage)
{
    struct query_uses uses;
    query_uses_read(d, query, &uses);
    query_uses_lock(d, &uses, stage);
}

/* ---- statements around a query ---- */

static const PgQuery__Node *find_prepared(const struct catalog *c, const char *name)
{
    for (size_t i = c->prepared.count; i-- > 0;) {
        if (str_equal(c->prepared.at[i].name, str_of(name)))
            return c->prepared.at[i].tree;
    }
    return NULL;
}

static bool is_analyze(const PgQuery__ExplainStmt *explain)
{
    for (size_t i = 0; i < explain->n_options; i++) {
        if (explain->options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = explain->options[i]->def_elem;
        if (strcmp(e->defname, "analyze") != 0)
            continue;
        bool is_off =
            e->arg &&
            ((e->arg->node_case == PG_QUERY__NODE__NODE_STRING &&
              (str_equal_nocase(str_of(e->arg->string->sval), STR("false")) ||
               str_equal_nocase(str_of(e->arg->string->sval), STR("off")))) ||
             (e->arg->node_case == PG_QUERY__NODE__NODE_INTEGER && e->arg->integer->ival == 0));
        return !is_off;
    }
    return false;
}

/* The query that EXPLAIN plans. */
static const PgQuery__Node *explained(const struct catalog *c, const PgQuery__Node *node)
{
    if (node && node->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT)
        node = node->create_table_as_stmt->query;
    if (node && node->node_case == PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT)
        node = node->declare_cursor_stmt->query;
    if (node && node->node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT)
        node = find_prepared(c, node->execute_stmt->name);
    return node;
}

static void predict_explain(struct deed *d, const PgQuery__ExplainStmt *explain)
{
    if (is_analyze(explain))
        effects_within(d, explain->query, false);
    else
        query_explain(d, explained(d->catalog, explain->query), QUERY_EXPLAINED);
}

static void predict_execute(struct deed *d, const PgQuery__ExecuteStmt *execute)
{
    const PgQuery__Node *prepared = find_prepared(d->catalog, execute->name);
    if (prepared)
        effects_within(d, prepared, false);
    else
        deed_opaque(d, "EXECUTE of a statement that was prepared elsewhere");
}

void predict_query(struct deed *d, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
        predict_explain(d, node->explain_stmt);
        break;
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
        query_explain(d, node->declare_cursor_stmt->query, QUERY_EXPLAINED);
        break;
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
        query_explain(d, node->prepare_stmt->query, QUERY_REWRITTEN);
        break;
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
        predict_execute(d, node->execute_stmt);
        break;
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        if (node->select_stmt->into_clause)
            predict_select_into(d, node);
        else
            query_run(d, node);
        break;
    default:
        query_run(d, node);
        break;
    }
}

void fold_query(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && node->select_stmt->into_clause) {
        fold_select_into(d, node);
        return;
    }
    if (node->node_case != PG_QUERY__NODE__NODE_PREPARE_STMT || !node->prepare_stmt->query)
        return;
    struct arena *a = d->catalog->arena;
    struct catalog_prepared made = {
        .name = arena_str(a, str_of(node->prepare_stmt->name)),
        .tree = parse_node_copy(a, node->prepare_stmt->query),
    };
    vec_push(a, &d->catalog->prepared, made);
}
