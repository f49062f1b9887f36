/*
 * LIKE in CREATE TABLE. Source: parse_utilcmd.c (transformTableLikeClause, expandTableLikeClause,
 * generateClonedIndexStmt, generateClonedExtStatsStmt).
 */
#include "planner/postgres/create_parts.h"

/* parsenodes.h: TableLikeOption */
enum {
    LIKE_CONSTRAINTS = 1 << 2,
    LIKE_DEFAULTS = 1 << 3,
    LIKE_GENERATED = 1 << 4,
    LIKE_IDENTITY = 1 << 5,
    LIKE_INDEXES = 1 << 6,
    LIKE_STATISTICS = 1 << 7,
};

static struct catalog_relation *like_source(struct deed *d, const PgQuery__TableLikeClause *like)
{
    return like->relation ? deed_relation(d, like->relation, true) : NULL;
}

void fold_like_columns(struct deed *d, struct catalog_relation *r,
                       const PgQuery__TableLikeClause *like)
{
    const struct catalog_relation *source = like_source(d, like);
    for (size_t i = 0; source && i < source->columns.count; i++) {
        const struct catalog_column *from = source->columns.at[i];
        if (from->is_dropped || catalog_find_column(r, from->name))
            continue;
        struct catalog_column *column = fold_column_like(d, r, from);
        const struct catalog_constraint *k = not_null_of(source, from);
        if (from->is_not_null)
            fold_not_null(d, r, column, k ? k->name : STR(""), true, false);
        if (from->generated ? like->options & LIKE_GENERATED : like->options & LIKE_DEFAULTS)
            column->default_value = from->default_value;
        if (from->generated && (like->options & LIKE_GENERATED))
            column->generated = from->generated;
        if (from->identity && (like->options & LIKE_IDENTITY)) {
            column->identity = from->identity;
            fold_owned_sequence(d, r, column, true, NULL, 0);
        }
    }
}

static void like_check(struct deed *d, struct catalog_relation *r,
                       const struct catalog_constraint *from)
{
    if (catalog_find_constraint(r, from->name))
        return;
    struct catalog_constraint *k =
        catalog_add_constraint(d->catalog, r, CONSTRAINT_CHECK, from->name);
    k->check = from->check;
    k->is_no_inherit = from->is_no_inherit;
    for (size_t i = 0; i < from->columns.count; i++) {
        struct catalog_column *column = catalog_find_column(r, from->columns.at[i]->name);
        if (column)
            vec_push(d->catalog->arena, &k->columns, column);
    }
}

static void like_index(struct deed *d, struct catalog_relation *r, const struct catalog_index *from)
{
    if (from->is_primary && catalog_primary_key(r))
        return;
    struct str name = index_choose_name(d, r, from, index_purpose(from));
    struct catalog_relation *index = catalog_add_index(d->catalog, r, name);
    index_copy(d, index->index, from, r);
    if (!from->constraint)
        return;
    struct catalog_constraint *k = index_constraint(d, index, name);
    k->is_deferrable = from->constraint->is_deferrable;
    k->is_period = from->constraint->is_period;
    for (size_t i = 0; from->is_primary && i < k->columns.count; i++)
        fold_not_null(d, r, k->columns.at[i], STR(""), true, false);
}

static void like_statistics(struct deed *d, struct catalog_relation *r,
                            const struct catalog_relation *source)
{
    struct catalog *c = d->catalog;
    size_t count = c->statistics.count;
    for (size_t i = 0; i < count; i++) {
        const struct catalog_statistics *from = c->statistics.at[i];
        if (from->is_dropped || from->relation != source)
            continue;
        struct catalog_statistics *made = arena_new(c->arena, struct catalog_statistics);
        made->schema = r->schema;
        made->relation = r;
        for (size_t j = 0; j < from->columns.count; j++) {
            struct catalog_column *column = catalog_find_column(r, from->columns.at[j]->name);
            if (column)
                vec_push(c->arena, &made->columns, column);
        }
        made->name = statistics_name(d, made);
        vec_push(c->arena, &c->statistics, made);
    }
}

void fold_like_rest(struct deed *d, struct catalog_relation *r,
                    const PgQuery__TableLikeClause *like)
{
    struct catalog_relation *source = like_source(d, like);
    if (!source || source == r)
        return;
    for (size_t i = 0; i < source->constraints.count && (like->options & LIKE_CONSTRAINTS); i++) {
        const struct catalog_constraint *k = source->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_CHECK)
            like_check(d, r, k);
    }
    for (size_t i = 0; i < source->indexes.count && (like->options & LIKE_INDEXES); i++) {
        if (!source->indexes.at[i]->is_dropped)
            like_index(d, r, source->indexes.at[i]->index);
    }
    if (like->options & LIKE_STATISTICS)
        like_statistics(d, r, source);
}
