/* What COPY, LOCK and CALL do. */
#include "planner/postgres/effects_query.h"
#include "planner/postgres/visited.h"

/* ---- COPY ---- */

/* copy.c: DoCopy(). */
void predict_copy(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CopyStmt *copy = node->copy_stmt;
    if (!copy->relation) {
        if (copy->query)
            query_run(d, copy->query);
        return;
    }
    enum lock_mode mode = copy->is_from ? LOCK_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE;
    struct catalog_relation *r = deed_relation(d, copy->relation, false);
    if (!r) {
        deed_lock_name(d, copy->relation, mode);
        return;
    }
    deed_lock(d, r, mode, true);
    if (copy->is_from)
        dml_copy(d, r, copy->attlist, copy->n_attlist);
    else if (r->kind == RELATION_TABLE || (r->kind == RELATION_MATERIALIZED_VIEW && d->major >= 18))
        deed_scan_rows(d, r, "COPY reads it");
    else
        deed_fails(d, "COPY … TO reads tables; %.*s is a %s",
                   STR_ARG(catalog_relation_text(d->a, r)), relation_kind_name(r->kind));
}

void fold_copy(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* ---- LOCK ---- */

/* The tables below a view are locked like the view (lockcmds.c: LockViewRecurse()).
   NOLINTNEXTLINE(misc-no-recursion): as deep as views stand on views */
static void lock_view(struct deed *d, const struct catalog_relation *view, enum lock_mode mode,
                      struct visited *done)
{
    if (!visited_add(d->a, done, view))
        return;
    for (size_t i = 0; i < view->uses.count; i++) {
        const struct catalog_relation *used = view->uses.at[i].relation;
        if (!used || used->is_dropped)
            continue;
        if (used->kind == RELATION_TABLE || used->kind == RELATION_PARTITIONED_TABLE)
            deed_lock_tree(d, used, mode, false);
        if (used->kind != RELATION_VIEW)
            continue;
        deed_lock(d, used, mode, false);
        lock_view(d, used, mode, done);
    }
}

void predict_lock(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__LockStmt *lock = node->lock_stmt;
    enum lock_mode mode = lock->mode > LOCK_NONE && lock->mode < LOCK_MODE_MAX
                              ? (enum lock_mode)lock->mode
                              : LOCK_ACCESS_EXCLUSIVE;
    for (size_t i = 0; i < lock->n_relations; i++) {
        if (lock->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        const PgQuery__RangeVar *name = lock->relations[i]->range_var;
        struct catalog_relation *r = deed_relation(d, name, false);
        if (!r)
            deed_lock_name(d, name, mode);
        else if (name->inh)
            deed_lock_tree(d, r, mode, true);
        else
            deed_lock(d, r, mode, true);
        if (r && r->kind == RELATION_VIEW)
            lock_view(d, r, mode, &(struct visited){0});
    }
}

void fold_lock(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* ---- CALL ---- */

static const struct catalog_function *find_procedure(struct deed *d, const PgQuery__FuncCall *call)
{
    struct str schema;
    struct str name;
    deed_split_name(call->funcname, call->n_funcname, &schema, &name);
    const struct catalog_function *only = NULL;
    size_t count = 0;
    struct catalog_function *f = NULL;
    while ((f = catalog_find_function(d->catalog, schema, name, f)) != NULL) {
        size_t most = f->arguments.count;
        if (!f->is_procedure)
            continue;
        if (call->n_args == most ||
            (call->n_args < most && call->n_args + f->default_count >= most))
            return f;
        only = f;
        count++;
    }
    return count == 1 ? only : NULL; /* OUT arguments are written as well, and are not counted */
}

/* functioncmds.c: ExecuteCallStmt(). */
void predict_call(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__FuncCall *call = node->call_stmt->funccall;
    if (!call)
        return;
    struct query_uses uses = {0};
    for (size_t i = 0; i < call->n_args; i++)
        query_uses_expression(d, call->args[i], NULL, &uses);
    query_uses_lock(d, &uses, QUERY_PLANNED);
    const struct catalog_function *f = find_procedure(d, call);
    if (f)
        body_run_function(d, f, call);
    else
        deed_opaque(d, "CALL of a procedure that is not known");
}

void fold_call(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}
