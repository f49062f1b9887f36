/* Foreign keys: what they refer to, their names, and those of partitions. */
#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/grammar.h"

struct catalog_relation *foreign_key_target(struct deed *d, const PgQuery__Constraint *k,
                                            bool is_missing_ok)
{
    return k->pktable ? deed_relation(d, k->pktable, is_missing_ok) : NULL;
}

static bool is_named(PgQuery__Node *const *names, size_t count, const struct catalog_column *column)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] && names[i]->node_case == PG_QUERY__NODE__NODE_STRING &&
            str_equal(str_of(names[i]->string->sval), column->name))
            return true;
    }
    return false;
}

/* In whatever order; deferrable keys and partial indexes do not do. */
static bool covers(const struct catalog_index *index, const PgQuery__Constraint *k)
{
    size_t count = 0;
    if (!index->is_unique || !index->is_valid || catalog_has_expression(&index->predicate) ||
        (index->constraint && index->constraint->is_deferrable))
        return false;
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        if (key->is_included)
            continue;
        if (!key->column || !is_named(k->pk_attrs, k->n_pk_attrs, key->column))
            return false;
        count++;
    }
    return count == k->n_pk_attrs;
}

struct catalog_relation *foreign_key_index(const struct catalog_relation *referenced,
                                           const PgQuery__Constraint *k)
{
    if (k->n_pk_attrs == 0) {
        const struct catalog_constraint *primary = catalog_primary_key(referenced);
        return primary ? primary->index : NULL;
    }
    for (size_t i = 0; i < referenced->indexes.count; i++) {
        struct catalog_relation *index = referenced->indexes.at[i];
        if (!index->is_dropped && covers(index->index, k))
            return index;
    }
    return NULL;
}

static char action(const char *said)
{
    return said[0] ? said[0] : 'a';
}

/* The columns on both sides. */
static void add_columns(struct arena *a, struct catalog_constraint *made,
                        struct catalog_relation *r, const struct constraint_source *source)
{
    const PgQuery__Constraint *k = source->k;
    for (size_t i = 0; i < k->n_fk_attrs; i++) {
        const PgQuery__Node *n = k->fk_attrs[i];
        struct catalog_column *column = n && n->node_case == PG_QUERY__NODE__NODE_STRING
                                            ? catalog_find_column(r, str_of(n->string->sval))
                                            : NULL;
        if (column)
            vec_push(a, &made->columns, column);
    }
    if (k->n_fk_attrs == 0 && source->column) {
        struct catalog_column *column = catalog_find_column(r, str_of(source->column));
        if (column)
            vec_push(a, &made->columns, column);
    }
    const struct catalog_constraint *primary =
        k->n_pk_attrs || !made->referenced ? NULL : catalog_primary_key(made->referenced);
    for (size_t i = 0; primary && i < primary->columns.count; i++)
        vec_push(a, &made->referenced_columns, primary->columns.at[i]);
    for (size_t i = 0; made->referenced && i < k->n_pk_attrs; i++) {
        const PgQuery__Node *n = k->pk_attrs[i];
        struct catalog_column *column =
            n && n->node_case == PG_QUERY__NODE__NODE_STRING
                ? catalog_find_column(made->referenced, str_of(n->string->sval))
                : NULL;
        if (column)
            vec_push(a, &made->referenced_columns, column);
    }
}

static void describe(struct deed *d, struct arena *a, struct catalog_constraint *made,
                     struct catalog_relation *r, const struct constraint_source *source)
{
    const PgQuery__Constraint *k = source->k;
    made->on_delete = action(k->fk_del_action);
    made->on_update = action(k->fk_upd_action);
    made->is_deferrable = source->is_deferrable;
    made->is_deferred = source->is_deferred;
    made->is_enforced = !grammar_has(k, GRAMMAR_NOT_ENFORCED);
    made->is_valid = made->is_enforced && !k->skip_validation;
    made->is_period = grammar_has(k, GRAMMAR_PERIOD);
    made->referenced = foreign_key_target(d, k, true);
    add_columns(a, made, r, source);
    if (!made->referenced)
        return;
    made->index = foreign_key_index(made->referenced, k);
}

struct catalog_constraint *foreign_key_describe(struct deed *d, struct catalog_relation *r,
                                                const struct constraint_source *source)
{
    struct catalog_constraint *made = arena_new(d->a, struct catalog_constraint);
    made->kind = CONSTRAINT_FOREIGN_KEY;
    made->relation = r;
    describe(d, d->a, made, r, source);
    return made;
}

static struct str default_name(struct deed *d, const struct catalog_relation *r,
                               const struct constraint_source *source)
{
    struct index_column_names names = {.a = d->a};
    for (size_t i = 0; i < source->k->n_fk_attrs; i++) {
        const PgQuery__Node *n = source->k->fk_attrs[i];
        if (n && n->node_case == PG_QUERY__NODE__NODE_STRING)
            vec_push(d->a, &names.all, str_of(n->string->sval));
    }
    if (names.all.count == 0 && source->column)
        vec_push(d->a, &names.all, str_of(source->column));
    struct str columns = object_name_joined(d->a, names.all.at, names.all.count);
    return object_name_constraint(d->catalog, r, columns, STR("fkey"));
}

/* A partition's foreign key is made for its parent's. */
static struct catalog_constraint *copy_to(struct deed *d, struct catalog_relation *partition,
                                          struct catalog_constraint *from)
{
    struct arena *a = d->catalog->arena;
    struct str name = from->name;
    if (catalog_find_constraint(partition, name)) {
        struct index_column_names names = {.a = d->a};
        for (size_t i = 0; i < from->columns.count; i++)
            vec_push(d->a, &names.all, from->columns.at[i]->name);
        struct str columns = object_name_joined(d->a, names.all.at, names.all.count);
        name = object_name_constraint(d->catalog, partition, columns, STR("fkey"));
    }
    struct catalog_constraint *made =
        catalog_add_constraint(d->catalog, partition, CONSTRAINT_FOREIGN_KEY, name);
    made->referenced = from->referenced;
    made->index = from->index;
    made->on_delete = from->on_delete;
    made->on_update = from->on_update;
    made->is_valid = from->is_valid;
    made->is_enforced = from->is_enforced;
    made->is_deferrable = from->is_deferrable;
    made->is_deferred = from->is_deferred;
    made->is_inherited = true;
    made->is_local = false;
    made->parent = from;
    for (size_t i = 0; i < from->columns.count; i++) {
        struct catalog_column *column = catalog_find_column(partition, from->columns.at[i]->name);
        if (column)
            vec_push(a, &made->columns, column);
    }
    for (size_t i = 0; i < from->referenced_columns.count; i++)
        vec_push(a, &made->referenced_columns, from->referenced_columns.at[i]);
    vec_push(a, &from->referenced->referencing, made);
    return made;
}

static bool is_same_foreign_key(struct deed *d, const struct catalog_constraint *one,
                                const struct catalog_constraint *other)
{
    if (other->is_dropped || other->kind != CONSTRAINT_FOREIGN_KEY || other->parent ||
        one->referenced != other->referenced || one->columns.count != other->columns.count ||
        one->referenced_columns.count != other->referenced_columns.count ||
        one->on_delete != other->on_delete || one->on_update != other->on_update ||
        one->is_deferrable != other->is_deferrable || one->is_enforced != other->is_enforced ||
        (!other->is_valid && d->major < 18))
        return false;
    for (size_t i = 0; i < one->columns.count; i++) {
        if (!str_equal(one->columns.at[i]->name, other->columns.at[i]->name))
            return false;
    }
    for (size_t i = 0; i < one->referenced_columns.count; i++) {
        if (one->referenced_columns.at[i] != other->referenced_columns.at[i])
            return false;
    }
    return true;
}

struct catalog_constraint *foreign_key_like(struct deed *d,
                                            const struct catalog_relation *partition,
                                            const struct catalog_constraint *of)
{
    for (size_t i = 0; i < partition->constraints.count; i++) {
        if (is_same_foreign_key(d, of, partition->constraints.at[i]))
            return partition->constraints.at[i];
    }
    return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
void fold_foreign_key_to_partition(struct deed *d, struct catalog_constraint *k,
                                   struct catalog_relation *partition)
{
    struct catalog_constraint *own = foreign_key_like(d, partition, k);
    if (own) {
        own->parent = k;
        own->is_inherited = true;
        own->is_local = false;
        return;
    }
    own = copy_to(d, partition, k);
    for (size_t i = 0; i < partition->children.count; i++) {
        if (partition->kind == RELATION_PARTITIONED_TABLE && !partition->children.at[i]->is_dropped)
            fold_foreign_key_to_partition(d, own, partition->children.at[i]);
    }
}

struct catalog_constraint *fold_foreign_key(struct deed *d, struct catalog_relation *r,
                                            const struct constraint_source *source, unsigned flags)
{
    struct str name = object_name_cut(str_of(source->k->conname));
    if (!name.len)
        name = default_name(d, r, source);
    if (catalog_find_constraint(r, name))
        return NULL;
    struct catalog_constraint *made =
        catalog_add_constraint(d->catalog, r, CONSTRAINT_FOREIGN_KEY, name);
    describe(d, d->catalog->arena, made, r, source);
    made->is_valid |= made->is_enforced && (flags & FOLD_NEW_TABLE);
    if (!made->referenced)
        return made;
    vec_push(d->catalog->arena, &made->referenced->referencing, made);
    for (size_t i = 0; i < r->children.count; i++) {
        if (r->kind == RELATION_PARTITIONED_TABLE && !r->children.at[i]->is_dropped)
            fold_foreign_key_to_partition(d, made, r->children.at[i]);
    }
    return made;
}
