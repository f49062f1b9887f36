/*
 * Indexes of the old column, made again on the new one. Their text is that of pg_get_indexdef() with the
 * column replaced; where an index came from a statement there is none, and one of plain columns is put
 * together.
 */
#include "core/base/vec.h"
#include "planner/postgres/object_names.h"
#include "planner/postgres/rewrite_sync.h"

/* ---- which ---- */

static bool has_column(struct sync_pair *s, const struct catalog_index *index)
{
    bool is_found = expression_mentions(s->r->catalog, &index->predicate, s->table, s->old);
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        is_found |= key->column == s->old ||
                    (!key->column &&
                     expression_mentions(s->r->catalog, &key->expression, s->table, s->old));
    }
    return is_found;
}

/* ---- a definition put together ---- */

static void add_key(struct sync_pair *s, struct buf *out, const struct index_key *key)
{
    struct arena *a = s->r->a;
    buf_add_str(out, catalog_identifier(a, key->column->name));
    if (key->collation.len)
        buf_printf(out, " COLLATE %.*s", STR_ARG(catalog_identifier(a, key->collation)));
    if (key->opclass.len)
        buf_printf(out, " %.*s", STR_ARG(catalog_identifier(a, key->opclass)));
    if (key->is_descending)
        buf_add_cstr(out, " DESC");
}

static struct str composed(struct sync_pair *s, const struct catalog_relation *of)
{
    const struct catalog_index *index = of->index;
    SCOPED(buf) struct buf out = {0};
    bool is_including = false;
    if (catalog_has_expression(&index->predicate))
        return STR("");
    buf_printf(&out, "CREATE %sINDEX %.*s ON %s USING %.*s (", index->is_unique ? "UNIQUE " : "",
               STR_ARG(catalog_identifier(s->r->a, of->name)), s->relation,
               STR_ARG(index->method.len ? index->method : STR("btree")));
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        if (!key->column)
            return STR("");
        bool is_first_included = key->is_included && !is_including;
        buf_add_cstr(&out, is_first_included ? ") INCLUDE (" : i ? ", " : "");
        is_including |= key->is_included;
        add_key(s, &out, key);
    }
    buf_printf(&out, ")%s", index->is_nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
    return buf_done(s->r->a, &out);
}

/* ---- the column replaced ---- */

static const char *new_name_of(void *context, const struct catalog_column *column)
{
    const struct sync_pair *s = context;
    return column == s->old ? s->new_name : NULL;
}

static size_t token_behind(const struct sync_text *t, size_t from, int kind)
{
    size_t depth = 0;
    for (size_t i = from; i < t->tokens.count; i++) {
        int k = t->tokens.at[i].kind;
        if (!depth && k == kind)
            return i;
        depth += k == '(' || k == '[';
        depth -= (k == ')' || k == ']') && depth;
    }
    return t->tokens.count;
}

/* Elements that are plain columns; expressions have references of their own. open: the parenthesis of
   the list. false: it is not as long as the tree says. */
static bool replace_elements(struct sync_text *t, const struct sync_pair *s,
                             PgQuery__Node *const *at, size_t count, size_t open)
{
    size_t from = open + 1;
    for (size_t i = 0; i < count; i++) {
        const PgQuery__IndexElem *e =
            at[i]->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM ? at[i]->index_elem : NULL;
        size_t comma = token_behind(t, from, ',');
        size_t close = token_behind(t, from, ')');
        size_t end = comma < close ? comma : close;
        if (!e || end >= t->tokens.count || (i + 1 < count) != (end == comma))
            return false;
        const struct catalog_column *column =
            e->name[0] ? catalog_find_column(s->table, str_of(e->name)) : NULL;
        if (e->name[0] && !column)
            return false;
        if (column == s->old && column)
            sync_text_put(t, from, from + 1, s->new_name);
        from = end + 1;
    }
    return true;
}

/* Tokens of "CREATE [UNIQUE] INDEX name ON [ONLY] …". */
static bool replace_head(struct sync_text *t, const char *name)
{
    size_t i = 1;
    while (i < t->tokens.count && t->tokens.at[i].kind != PG_QUERY__TOKEN__INDEX)
        i++;
    if (i + 2 >= t->tokens.count || t->tokens.at[i + 2].kind != PG_QUERY__TOKEN__ON)
        return false;
    sync_text_put(t, i + 1, i + 2, arena_printf(t->a, "CONCURRENTLY %s", name));
    return true;
}

/* Its own text may be of before a statement of this plan: it must fit what the catalog says. */
static bool is_current(const struct sync_pair *s, const struct catalog_relation *of,
                       const PgQuery__IndexStmt *create)
{
    return str_equal(str_of(create->idxname), of->name) && create->relation->inh &&
           str_equal(str_of(create->relation->relname), s->table->name) &&
           str_equal(str_of(create->relation->schemaname), s->table->schema) &&
           create->n_index_params + create->n_index_including_params == of->index->keys.count;
}

static struct str replaced(struct sync_pair *s, const struct catalog_relation *of, struct str text,
                           const char *name)
{
    SCOPED(sync_text) struct sync_text t = {0};
    if (!text.len || !sync_text_open(s->r->a, text, &t) ||
        t.tree->node_case != PG_QUERY__NODE__NODE_INDEX_STMT)
        return STR("");
    const PgQuery__IndexStmt *create = t.tree->index_stmt;
    size_t open = token_behind(&t, 0, '(');
    size_t including = token_behind(&t, 0, PG_QUERY__TOKEN__INCLUDE);
    bool is_good = is_current(s, of, create) && replace_head(&t, name) &&
                   replace_elements(&t, s, create->index_params, create->n_index_params, open) &&
                   (!create->n_index_including_params ||
                    replace_elements(&t, s, create->index_including_params,
                                     create->n_index_including_params, including + 1)) &&
                   sync_text_columns(&t, &create->base, s->table, new_name_of, s);
    return is_good ? sync_text_done(&t) : STR("");
}

bool sync_find_indexes(struct sync_pair *s, struct sync_indexes *out)
{
    struct arena *a = s->r->a;
    for (size_t i = 0; i < s->table->indexes.count; i++) {
        const struct catalog_relation *of = s->table->indexes.at[i];
        if (of->is_dropped || !of->index->is_valid || !has_column(s, of->index))
            continue;
        if (of->kind != RELATION_INDEX || of->index->is_exclusion)
            return false;
        struct str name = str_of(arena_printf(a, "migrate_%s_i%zu", s->tag, out->count + 1));
        const char *quoted = arena_cstr(a, catalog_identifier(a, name));
        struct str own = of->index->definition;
        struct str text = replaced(s, of, own.len ? own : composed(s, of), quoted);
        if (!text.len)
            return false;
        struct sync_index one = {
            .like = of,
            .name = arena_cstr(a, catalog_name_text(a, s->table->schema, name)),
            .sql = arena_cstr(a, text),
        };
        vec_push(a, out, one);
    }
    return true;
}

void sync_build_indexes(struct sync_pair *s, const struct sync_indexes *indexes)
{
    for (size_t i = 0; i < indexes->count; i++) {
        const struct sync_index *index = &indexes->at[i];
        struct online_step *step = rewrite_step_alone(
            s->r, PHASE_EXPAND, "builds an index on the new column while others read and write",
            "%s", index->sql);
        rewrite_undo(s->r, step, UNDO_FREE, "DROP INDEX CONCURRENTLY %s", index->name);
    }
}
