/* Texts in which the columns of a table are replaced: found by the parser, put in by the places of tokens. */
#include "core/base/vec.h"
#include "planner/postgres/rewrite_sync.h"

#include <stdlib.h>

bool sync_text_open(struct arena *a, struct str text, struct sync_text *out)
{
    struct parse_tree tree;
    *out = (struct sync_text){.a = a, .text = arena_str(a, text)};
    parse_scan(a, out->text, &out->tokens);
    parse_statement_kept(a, out->text, &tree);
    out->tree = tree.node;
    bool is_plain = out->tokens.error_at == SIZE_MAX && out->tree;
    for (size_t i = 0; i < out->tokens.count; i++) {
        int kind = out->tokens.at[i].kind;
        /* U&"names" take the words behind them along. */
        is_plain &= kind != PG_QUERY__TOKEN__UIDENT && kind != PG_QUERY__TOKEN__USCONST;
    }
    return is_plain;
}

void sync_text_close(struct sync_text *t)
{
    parse_tokens_free(&t->tokens);
}

void sync_text_put(struct sync_text *t, size_t from, size_t to, const char *with)
{
    struct sync_spot spot = {from, to, with};
    vec_push(t->a, t, spot);
}

static int by_place(const void *a, const void *b)
{
    const struct sync_spot *left = a;
    const struct sync_spot *right = b;
    return (left->from > right->from) - (left->from < right->from);
}

struct str sync_text_done(const struct sync_text *t)
{
    SCOPED(buf) struct buf out = {0};
    size_t done = 0;
    if (t->count)
        qsort(t->at, t->count, sizeof(t->at[0]), by_place);
    for (size_t i = 0; i < t->count; i++) {
        const struct sync_spot *spot = &t->at[i];
        size_t from = t->tokens.at[spot->from].from;
        buf_add(&out, t->text.at + done, from - done);
        buf_add_cstr(&out, spot->with);
        done = t->tokens.at[spot->to - 1].to;
    }
    buf_add(&out, t->text.at + done, t->text.len - done);
    return buf_done(t->a, &out);
}

/* ---- columns ---- */

struct replacing {
    struct sync_text *t;
    const struct catalog_relation *table;
    sync_naming *name_of;
    void *context;
    bool is_bad;
};

static struct str field(const PgQuery__ColumnRef *ref, size_t i)
{
    const PgQuery__Node *n = ref->fields[i];
    return n->node_case == PG_QUERY__NODE__NODE_STRING ? str_of(n->string->sval) : STR("");
}

static size_t token_at(const struct sync_text *t, size_t offset_bytes)
{
    size_t i = 0;
    while (i < t->tokens.count && t->tokens.at[i].from != offset_bytes)
        i++;
    return i;
}

/* "c" or "t.c"; nothing else is a column for certain: "t.c" may be a field of a column t. */
static bool replace_reference(struct replacing *x, const PgQuery__ColumnRef *ref)
{
    size_t count = ref->n_fields;
    if (count < 1 || count > 2 ||
        (count == 2 && (!str_equal(field(ref, 0), x->table->name) ||
                        catalog_find_column(x->table, x->table->name))))
        return false;
    const struct catalog_column *column = catalog_find_column(x->table, field(ref, count - 1));
    size_t from = token_at(x->t, (size_t)ref->location);
    size_t to = from + 2 * count - 1;
    if (!column || to > x->t->tokens.count)
        return false;
    const char *with = x->name_of(x->context, column);
    if (with)
        sync_text_put(x->t, from, to, with);
    return true;
}

static bool replace_below(void *context, const ProtobufCMessage *message)
{
    struct replacing *x = context;
    if (message->descriptor == &pg_query__column_ref__descriptor)
        x->is_bad |= !replace_reference(x, (const PgQuery__ColumnRef *)message);
    else
        x->is_bad |= message->descriptor == &pg_query__sub_link__descriptor ||
                     message->descriptor == &pg_query__param_ref__descriptor;
    return x->is_bad;
}

bool sync_text_columns(struct sync_text *t, const ProtobufCMessage *root,
                       const struct catalog_relation *table, sync_naming *name_of, void *context)
{
    struct replacing x = {t, table, name_of, context, false};
    (void)parse_tree_visit(root, replace_below, &x);
    return !x.is_bad;
}

/* ---- expressions ---- */

struct seen_from {
    struct arena *a;
    const char *of;
};

static const char *seen_name(void *context, const struct catalog_column *column)
{
    const struct seen_from *x = context;
    return arena_printf(x->a, "%s.%.*s", x->of, STR_ARG(catalog_identifier(x->a, column->name)));
}

static const PgQuery__Node *only_target(const PgQuery__Node *tree)
{
    const PgQuery__SelectStmt *s =
        tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT ? tree->select_stmt : NULL;
    bool is_plain = s && s->n_target_list == 1 && !s->n_from_clause && !s->where_clause &&
                    !s->n_group_clause && !s->having_clause && !s->n_sort_clause && !s->larg &&
                    !s->n_values_lists && !s->n_distinct_clause && !s->into_clause &&
                    !s->limit_count && !s->limit_offset && !s->n_locking_clause &&
                    !s->n_window_clause;
    const PgQuery__ResTarget *target =
        is_plain && s->target_list[0]->node_case == PG_QUERY__NODE__NODE_RES_TARGET
            ? s->target_list[0]->res_target
            : NULL;
    return target && !target->name[0] ? target->val : NULL;
}

struct str sync_expression_with(struct arena *a, const struct catalog_relation *table,
                                struct str expression, sync_naming *name_of, void *context)
{
    static const struct str head = {"SELECT ", 7};
    SCOPED(sync_text) struct sync_text t = {0};
    bool is_read = sync_text_open(
        a, str_of(arena_printf(a, "%.*s%.*s", STR_ARG(head), STR_ARG(expression))), &t);
    const PgQuery__Node *value = is_read ? only_target(t.tree) : NULL;
    if (!value || !sync_text_columns(&t, &value->base, table, name_of, context))
        return STR("");
    return str_skip(sync_text_done(&t), head.len);
}

struct str sync_expression_of(struct arena *a, const struct catalog_relation *table,
                              struct str expression, const char *of)
{
    struct seen_from seen = {a, of};
    return sync_expression_with(a, table, expression, seen_name, &seen);
}
