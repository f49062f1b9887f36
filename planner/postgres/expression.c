/* What expressions mention, whether two are the same, and whether one proves a column not to be NULL. */
#include "planner/postgres/expression_parts.h"

/* ---- trees ---- */

const PgQuery__Node *expression_parse(struct arena *a, struct str text)
{
    struct parse_tree tree;
    char *sql = arena_printf(a, "SELECT %.*s", STR_ARG(text));
    parse_statement_kept(a, str_of(sql), &tree);
    if (!tree.node || tree.node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return NULL;
    const PgQuery__SelectStmt *select = tree.node->select_stmt;
    if (select->n_target_list != 1 || select->n_from_clause || select->where_clause ||
        select->n_sort_clause || select->larg ||
        select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
        return NULL;
    return select->target_list[0]->res_target->val;
}

const PgQuery__Node *expression_tree(struct catalog *c, const struct catalog_expression *e)
{
    if (e->tree || !e->text.len)
        return e->tree;
    /* Expressions lie in the catalog, which is ours to add to: each is parsed once. */
    union {
        const struct catalog_expression *given;
        struct catalog_expression *own;
    } kept = {.given = e};
    kept.own->tree = expression_parse(c->arena, e->text);
    return e->tree;
}

/* ---- columns ---- */

struct mentioning {
    struct catalog_relation *r;
    void (*visit)(void *context, struct catalog_column *column);
    void *context;
    bool is_within_query; /* names without a table may be those of the query's own tables */
};

static struct str string_at(PgQuery__Node *const *at, size_t count, size_t i)
{
    bool is_string = i < count && at[i]->node_case == PG_QUERY__NODE__NODE_STRING;
    return is_string ? str_of(at[i]->string->sval) : (struct str){0};
}

static void visit_all(const struct mentioning *m)
{
    for (size_t i = 0; i < m->r->columns.count; i++) {
        if (!m->r->columns.at[i]->is_dropped)
            m->visit(m->context, m->r->columns.at[i]);
    }
}

/* c, t.c, s.t.c, t.*, t: the whole row. */
static void visit_reference(const struct mentioning *m, const PgQuery__ColumnRef *ref)
{
    size_t count = ref->n_fields;
    struct str first = string_at(ref->fields, count, 0);
    bool is_star = count && ref->fields[count - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
    struct catalog_column *column = NULL;
    if (!m->is_within_query && count == 1)
        column = catalog_find_column(m->r, first);
    if (count > 1) {
        /* (t).c has its table in the last but one; what follows a column may be a field of it. */
        for (size_t i = 0; i + 1 < count && !column; i++) {
            if (str_equal(string_at(ref->fields, count, i), m->r->name))
                column = catalog_find_column(m->r, string_at(ref->fields, count, i + 1));
        }
    }
    if (column)
        m->visit(m->context, column);
    else if (is_star || (count == 1 && str_equal(first, m->r->name)))
        visit_all(m);
}

static bool visit_columns(void *context, const ProtobufCMessage *message);

/* A query within: its FROM hides names. Without one, names are still those outside. */
static void visit_query(const struct mentioning *m, const PgQuery__SubLink *link)
{
    struct mentioning within = *m;
    if (link->testexpr)
        (void)visit_columns(&within, &link->testexpr->base);
    const PgQuery__Node *query = link->subselect;
    if (!query)
        return;
    within.is_within_query |= !(query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                                query->select_stmt->n_from_clause == 0);
    (void)visit_columns(&within, &query->base);
}

static bool visit_columns(void *context, const ProtobufCMessage *message)
{
    struct mentioning *m = context;
    if (message->descriptor == &pg_query__column_ref__descriptor) {
        visit_reference(m, (const PgQuery__ColumnRef *)message);
        return false;
    }
    if (message->descriptor == &pg_query__sub_link__descriptor) {
        visit_query(m, (const PgQuery__SubLink *)message);
        return false;
    }
    return parse_tree_each_child(message, visit_columns, context);
}

void expression_columns(const PgQuery__Node *tree, struct catalog_relation *r,
                        void (*visit)(void *context, struct catalog_column *column), void *context)
{
    struct mentioning m = {.r = r, .visit = visit, .context = context};
    if (tree && r)
        (void)visit_columns(&m, &tree->base);
}

struct looking {
    const struct catalog_column *column;
    bool is_found;
};

static void look(void *context, struct catalog_column *column)
{
    struct looking *l = context;
    l->is_found |= column == l->column;
}

bool expression_mentions(struct catalog *c, const struct catalog_expression *e,
                         struct catalog_relation *r, const struct catalog_column *column)
{
    struct looking l = {.column = column};
    expression_columns(expression_tree(c, e), r, look, &l);
    return l.is_found;
}

/* ---- functions ---- */

struct calling {
    void (*visit)(void *context, struct str schema, struct str name);
    void *context;
};

static bool visit_call(void *context, const ProtobufCMessage *message)
{
    const struct calling *x = context;
    if (message->descriptor == &pg_query__func_call__descriptor) {
        const PgQuery__FuncCall *call = (const PgQuery__FuncCall *)message;
        size_t count = call->n_funcname;
        struct str schema =
            count > 1 ? string_at(call->funcname, count, count - 2) : (struct str){0};
        x->visit(x->context, schema, string_at(call->funcname, count, count - 1));
    }
    return false;
}

void expression_functions(const PgQuery__Node *tree,
                          void (*visit)(void *context, struct str schema, struct str name),
                          void *context)
{
    struct calling x = {.visit = visit, .context = context};
    if (tree)
        (void)parse_tree_visit(&tree->base, visit_call, &x);
}

/* ---- equality ---- */

bool expression_equal(const PgQuery__Node *a, const PgQuery__Node *b)
{
    return a && b ? parse_tree_equal(&a->base, &b->base) : a == b;
}
