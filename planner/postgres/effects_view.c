/* What is read through views, and which tables running a query reads in full. */
#include "planner/postgres/effects_query.h"

#include <string.h>

#include "planner/postgres/query_walk.h"
#include "planner/postgres/types.h"
#include "planner/postgres/visited.h"

/* ---- views ---- */

const PgQuery__Node *query_statement_tree(struct deed *d, const struct catalog_expression *e)
{
    if (e->tree || !e->text.len)
        return e->tree;
    /* It lies in the catalog, which is ours to add to: each is parsed once. */
    union {
        const struct catalog_expression *given;
        struct catalog_expression *own;
    } kept = {.given = e};
    const PgQuery__ParseResult *script = parse_script_kept(d->catalog->arena, e->text);
    if (script && script->n_stmts == 1)
        kept.own->tree = script->stmts[0]->stmt;
    return e->tree;
}

const PgQuery__Node *query_of_view(struct deed *d, const struct catalog_relation *view)
{
    return query_statement_tree(d, &view->query);
}

/* Without its query there is still what it depends on. */
static void lock_uses(struct deed *d, const struct catalog_relation *view, enum lock_mode mode,
                      enum query_stage stage)
{
    for (size_t i = 0; i < view->uses.count; i++) {
        struct catalog_relation *used = view->uses.at[i].relation;
        if (!used || used->is_dropped)
            continue;
        if (used->kind == RELATION_VIEW) {
            deed_lock(d, used, mode, false);
            query_view_locks(d, used, mode, stage, NULL);
        } else if (stage > QUERY_REWRITTEN) {
            query_lock_table(d, used, mode, false, NULL, false);
        } else {
            deed_lock(d, used, mode, false);
        }
    }
}

static bool is_used(const struct catalog_relation *view, const struct catalog_relation *r)
{
    for (size_t i = 0; i < view->uses.count && r; i++) {
        if (view->uses.at[i].relation == r)
            return true;
    }
    return !r;
}

/* The query's names are those of when the view was made: by now they may be others' (fold_uses() notes the
   sources in their order). */
static bool name_sources_anew(const struct catalog_relation *view, struct query_uses *uses)
{
    size_t place = 0;
    for (size_t i = 0; i < view->uses.count; i++) {
        struct catalog_relation *used = view->uses.at[i].relation;
        if (view->uses.at[i].column || !used || used->kind == RELATION_SEQUENCE)
            continue;
        if (place == uses->sources.count)
            return false;
        uses->sources.at[place++].relation = used;
    }
    return place == uses->sources.count;
}

/* Reads the view's query; false: it is not known, or not what it was. */
static bool read_view(struct deed *d, const struct catalog_relation *view, struct query_uses *out)
{
    const PgQuery__Node *query = query_of_view(d, view);
    if (!query || query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return false;
    query_uses_read(d, query, out);
    bool is_same = !out->has_unknown || !view->uses.count;
    for (size_t i = 0; i < out->sources.count && is_same; i++)
        is_same = is_used(view, out->sources.at[i].relation);
    return is_same || name_sources_anew(view, out);
}

/* Conditions on the view hold for the rows below it, where it passes rows on as they are. */
static bool passes_rows(const PgQuery__SelectStmt *s)
{
    if (s->op > PG_QUERY__SET_OPERATION__SETOP_NONE || s->n_group_clause || s->n_distinct_clause ||
        s->limit_count || s->limit_offset || s->n_window_clause || s->having_clause)
        return false;
    for (size_t i = 0; i < s->n_target_list; i++) {
        const PgQuery__Node *value = s->target_list[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET
                                         ? s->target_list[i]->res_target->val
                                         : NULL;
        const char *name = value ? s->target_list[i]->res_target->name : "";
        if (!value || value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
            return false;
        if (name[0] && !str_equal(str_of(name), query_target_name(value)))
            return false;
    }
    return true;
}

static void mark_top_sources(struct query_uses *uses, const PgQuery__Node *query,
                             enum lock_mode mode, const struct partition_filter *outer)
{
    bool is_passed = passes_rows(query->select_stmt);
    for (size_t i = 0; i < uses->sources.count; i++) {
        struct query_source *source = &uses->sources.at[i];
        if (source->statement == &query->select_stmt->base && source->mode < mode)
            source->mode = mode;
        if (source->statement == &query->select_stmt->base && is_passed)
            source->outer = outer;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as views stand on views, at most DEED_DEPTH_MAX */
void query_view_locks(struct deed *d, const struct catalog_relation *view, enum lock_mode mode,
                      enum query_stage stage, const struct partition_filter *outer)
{
    if (d->depth == DEED_DEPTH_MAX || !deed_enters(d))
        return;
    d->depth++;
    struct query_uses uses;
    if (read_view(d, view, &uses)) {
        mark_top_sources(&uses, query_of_view(d, view), mode, outer);
        query_uses_lock(d, &uses, stage);
    } else {
        lock_uses(d, view, mode, stage);
    }
    d->depth--;
}

/* Without its query: most views read all of what they use. */
/* NOLINTNEXTLINE(misc-no-recursion): views, bounded by DEED_DEPTH_MAX */
static void scan_view(struct deed *d, const struct catalog_relation *view)
{
    struct query_uses uses;
    if (d->depth == DEED_DEPTH_MAX || !deed_enters(d))
        return;
    d->depth++;
    bool is_read = read_view(d, view, &uses);
    if (is_read)
        query_uses_scan(d, &uses);
    for (size_t i = 0; i < view->uses.count && !is_read; i++) {
        const struct catalog_relation *r = view->uses.at[i].relation;
        if (view->uses.at[i].column || !r || r->is_dropped)
            continue;
        if (r->kind == RELATION_VIEW)
            scan_view(d, r);
        else if (r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW)
            deed_scan_rows(d, r, "a view that is read uses it");
    }
    d->depth--;
}

void query_view(struct deed *d, const struct catalog_relation *view, enum lock_mode mode)
{
    query_view_locks(d, view, mode, QUERY_PLANNED, NULL);
    scan_view(d, view);
}

enum row_state query_view_rows(struct deed *d, const struct catalog_relation *view)
{
    struct query_uses uses;
    return read_view(d, view, &uses) ? query_uses_rows(&uses) : ROWS_UNKNOWN;
}

struct catalog_relation *query_view_target(struct deed *d, const struct catalog_relation *view)
{
    struct query_uses uses;
    const PgQuery__Node *query = query_of_view(d, view);
    if (!read_view(d, view, &uses))
        return view->uses.count ? view->uses.at[0].relation : NULL;
    for (size_t i = 0; i < uses.sources.count; i++) {
        if (uses.sources.at[i].statement == &query->select_stmt->base)
            return uses.sources.at[i].relation;
    }
    return NULL;
}

/* ---- full reads ---- */

static bool is_comparison(const PgQuery__AExpr *e)
{
    static const char *const operators[] = {"=", "<", "<=", ">", ">="};
    if (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN)
        return true;
    if (e->n_name != 1 || e->name[0]->node_case != PG_QUERY__NODE__NODE_STRING)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (strcmp(operators[i], e->name[0]->string->sval) == 0)
            return true;
    }
    return false;
}

static struct str column_name(const PgQuery__Node *node)
{
    if (!node || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
        return STR("");
    const PgQuery__ColumnRef *ref = node->column_ref;
    const PgQuery__Node *last = ref->n_fields ? ref->fields[ref->n_fields - 1] : NULL;
    return last && last->node_case == PG_QUERY__NODE__NODE_STRING ? str_of(last->string->sval)
                                                                  : STR("");
}

static bool leads_index(const struct catalog_relation *r, struct str column)
{
    for (size_t i = 0; i < r->indexes.count && column.len; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        if (index->is_dropped || !index->index->is_valid || !index->index->keys.count)
            continue;
        const struct catalog_column *first = index->index->keys.at[0].column;
        if (first && str_equal(first->name, column))
            return true;
    }
    return false;
}

static bool is_variable(const struct catalog_relation *r, const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
           node->column_ref->n_fields == 1 && !catalog_find_column(r, column_name(node));
}

/* Whether an index may serve the clause: a column that leads one, compared with something that is no
   column of a table. NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static bool is_served(const struct catalog_relation *r, const PgQuery__Node *node)
{
    if (node->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR) {
        const PgQuery__BoolExpr *e = node->bool_expr;
        for (size_t i = 0; i < e->n_args; i++) {
            if (e->boolop != PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR && is_served(r, e->args[i]))
                return true;
        }
        return false;
    }
    if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR || !is_comparison(node->a_expr))
        return false;
    struct str left = column_name(node->a_expr->lexpr);
    struct str right = column_name(node->a_expr->rexpr);
    /* A name that is no column may be a variable of PL/pgSQL. */
    if (right.len && leads_index(r, left) && is_variable(r, node->a_expr->rexpr))
        return true;
    if (left.len && right.len)
        return false;
    return leads_index(r, left) || leads_index(r, right);
}

/* A query that stops before the end, as LIMIT does without something that wants all rows first. */
static bool ends_early(const struct query_source *source)
{
    const PgQuery__SelectStmt *s = source->select;
    if (source->is_partial)
        return true;
    return s && s->limit_count && s->limit_option != PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT &&
           !s->n_sort_clause && !s->n_group_clause && !s->n_distinct_clause;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void scan_table(struct deed *d, const struct catalog_relation *r, bool is_only,
                       const struct partition_filter *filter, struct visited *done)
{
    static const char why[] = "the query reads it";
    bool is_indexed = false;
    for (size_t i = 0; i < filter->clauses.count && !is_indexed; i++)
        is_indexed = is_served(r, filter->clauses.at[i]);
    bool is_table = r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW;
    if (is_table && !is_indexed)
        deed_scan_rows(d, r, why);
    for (size_t i = 0; i < r->children.count && !is_only; i++) {
        const struct catalog_relation *child = r->children.at[i];
        bool is_pruned =
            r->kind == RELATION_PARTITIONED_TABLE && !partition_may_match(d, r, child, filter);
        if (!is_pruned && deed_is_next(d, done, child))
            scan_table(d, child, false, filter, done);
    }
}

static bool is_insert(const struct query_source *source)
{
    return source->is_target && source->statement &&
           source->statement->descriptor == &pg_query__insert_stmt__descriptor;
}

/* NOLINTNEXTLINE(misc-no-recursion): views, bounded by DEED_DEPTH_MAX */
void query_uses_scan(struct deed *d, const struct query_uses *uses)
{
    for (size_t i = 0; i < uses->sources.count && d->depth < DEED_DEPTH_MAX; i++) {
        const struct query_source *source = &uses->sources.at[i];
        if (!source->relation || !source->statement || is_insert(source) || ends_early(source))
            continue;
        if (source->relation->kind != RELATION_VIEW) {
            struct partition_filter filter = query_filter(d, source);
            struct visited done = {0};
            scan_table(d, source->relation, source->is_only, &filter, &done);
            continue;
        }
        scan_view(d, source->relation);
    }
}

enum row_state query_uses_rows(const struct query_uses *uses)
{
    for (size_t i = 0; i < uses->sources.count; i++) {
        const struct query_source *source = &uses->sources.at[i];
        bool is_plain = source->select && !source->select->n_group_clause && !source->is_target &&
                        source->relation && source->relation->kind == RELATION_TABLE &&
                        source->relation->kind != RELATION_VIEW &&
                        !source->relation->children.count;
        if (!is_plain || source->select->n_from_clause != 1 || uses->sources.count != 1)
            continue;
        bool is_every_row = uses->calls.count == 0;
        if (is_every_row && !deed_has_rows(source->relation))
            return source->relation->rows;
    }
    return ROWS_SOME;
}
