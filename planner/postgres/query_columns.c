/*
 * What a column's name means in its scopes, innermost first.
 */
#include "planner/postgres/query_walk.h"

static struct query_source *item_source(struct query_walk *w, const struct scope_item *item)
{
    return item->source == SIZE_MAX ? NULL : &w->uses->sources.at[item->source];
}

static void mention(struct query_walk *w, struct query_source *source,
                    struct catalog_column *column)
{
    for (size_t i = 0; i < source->columns.count; i++) {
        if (source->columns.at[i] == column)
            return;
    }
    vec_push(w->a, &source->columns, column);
}

/* The table's column at the place of a renamed one. */
static struct catalog_column *column_at(const struct catalog_relation *r, size_t place)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        if (r->columns.at[i]->is_dropped)
            continue;
        if (place-- == 0)
            return r->columns.at[i];
    }
    return NULL;
}

bool query_item_mention(struct query_walk *w, struct scope_item *item, struct str name,
                        struct type_ref *out_type)
{
    struct query_source *source = item_source(w, item);
    for (size_t i = 0; i < item->names.count; i++) {
        if (!str_equal(item->names.at[i].name, name))
            continue;
        struct catalog_column *column = source ? column_at(source->relation, i) : NULL;
        if (column)
            mention(w, source, column);
        if (out_type)
            *out_type = item->names.at[i].type;
        return true;
    }
    if (!source || !source->relation || item->names.count)
        return false;
    struct catalog_column *column = catalog_find_column(source->relation, name);
    if (!column)
        return false;
    mention(w, source, column);
    if (out_type)
        *out_type = column->type;
    return true;
}

void query_columns_add(struct query_walk *w, struct query_columns *out, struct query_column column)
{
    if (out->count < QUERY_COLUMNS_MAX)
        vec_push(w->a, out, column);
}

void query_item_columns(struct query_walk *w, struct scope_item *item, struct query_columns *out)
{
    struct query_source *source = item_source(w, item);
    if (item->names.count || !source) {
        for (size_t i = 0; i < item->names.count; i++)
            query_columns_add(w, out, item->names.at[i]);
        return;
    }
    for (size_t i = 0; source->relation && i < source->relation->columns.count; i++) {
        const struct catalog_column *column = source->relation->columns.at[i];
        if (!column->is_dropped)
            query_columns_add(w, out,
                              (struct query_column){.name = column->name, .type = column->type});
    }
}

/* ---- scopes ---- */

static struct scope_item *find_item(struct scope *scope, struct str schema, struct str alias)
{
    for (; scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->items.count; i++) {
            struct scope_item *item = &scope->items.at[i];
            if (str_equal(item->alias, alias) && (!schema.len || str_equal(item->schema, schema)))
                return item;
        }
    }
    return NULL;
}

bool query_is_star(const PgQuery__ColumnRef *ref)
{
    return ref->n_fields &&
           ref->fields[ref->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

/* The name before the last one, with the one before that: t of s.t.c. */
static struct scope_item *qualifier(struct scope *scope, const PgQuery__ColumnRef *ref)
{
    if (ref->n_fields < 2)
        return NULL;
    struct str schema = {0};
    if (ref->n_fields > 2)
        schema = query_string(ref->fields[ref->n_fields - 3]);
    return find_item(scope, schema, query_string(ref->fields[ref->n_fields - 2]));
}

/* Every column of a table is mentioned; what a subquery mentions, it has mentioned itself. */
static void whole_row(struct query_walk *w, const struct scope_item *item)
{
    struct query_source *source = item_source(w, item);
    if (!source || !source->relation)
        return;
    bool is_first = !source->columns.count;
    for (size_t i = 0; i < source->relation->columns.count; i++) {
        struct catalog_column *column = source->relation->columns.at[i];
        if (column->is_dropped)
            continue;
        if (is_first)
            vec_push(w->a, &source->columns, column);
        else
            mention(w, source, column);
    }
}

/* A name alone: a column, or else a whole row. */
static bool resolve_plain(struct query_walk *w, struct scope *scope, struct str name,
                          struct type_ref *out_type)
{
    for (struct scope *s = scope; s; s = s->outer) {
        for (size_t i = 0; i < s->items.count; i++) {
            if (query_item_mention(w, &s->items.at[i], name, out_type))
                return true;
        }
    }
    struct scope_item *item = find_item(scope, STR(""), name);
    if (!item)
        return false;
    whole_row(w, item);
    struct query_source *source = item_source(w, item);
    if (out_type && source && source->relation)
        *out_type = (struct type_ref){.user = source->relation->row_type, .typmod = -1};
    return true;
}

bool query_resolve_column(struct query_walk *w, struct scope *scope, const PgQuery__ColumnRef *ref,
                          struct type_ref *out_type)
{
    if (!ref->n_fields)
        return false;
    struct str last = query_string(ref->fields[ref->n_fields - 1]);
    if (ref->n_fields == 1)
        return resolve_plain(w, scope, last, out_type);
    struct scope_item *item = qualifier(scope, ref);
    if (item && query_item_mention(w, item, last, out_type))
        return true;
    if (item)
        return false;
    /* column.field of a composite type */
    struct type_ref type = {.typmod = -1};
    struct str column = query_string(ref->fields[ref->n_fields - 2]);
    if (ref->n_fields > 2) {
        item = find_item(scope, STR(""), query_string(ref->fields[ref->n_fields - 3]));
        return item && query_item_mention(w, item, column, NULL);
    }
    if (!resolve_plain(w, scope, column, &type))
        return false;
    struct catalog_column *field = NULL;
    if (type.user && type.user->composite)
        field = catalog_find_column(type.user->composite, last);
    if (out_type && field)
        *out_type = field->type;
    return true;
}

/* An entry's columns, mentioned and added. */
static void expand_item(struct query_walk *w, struct scope_item *item, struct query_columns *out)
{
    if (out)
        query_item_columns(w, item, out);
    whole_row(w, item);
}

void query_expand_star(struct query_walk *w, struct scope *scope, const PgQuery__ColumnRef *ref,
                       struct query_columns *out)
{
    if (ref->n_fields > 1) {
        struct scope_item *item = qualifier(scope, ref);
        if (item)
            expand_item(w, item, out);
        return;
    }
    for (size_t i = 0; scope && i < scope->items.count; i++)
        expand_item(w, &scope->items.at[i], out);
}
