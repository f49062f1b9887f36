/* UNIQUE, PRIMARY KEY and EXCLUDE with the indexes behind them, also those of partitions. */
#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/types.h"

/* ---- as it would be ---- */

static struct str string_at(PgQuery__Node *const *names, size_t i)
{
    bool is_string = names[i] && names[i]->node_case == PG_QUERY__NODE__NODE_STRING;
    return str_of(is_string ? names[i]->string->sval : NULL);
}

/* A column that the same statement adds is not in the catalog yet. */
static void add_key_column(struct deed *d, struct catalog_relation *r, struct catalog_index *index,
                           struct str name, bool is_included)
{
    struct index_key key = {.column = catalog_find_column(r, name), .is_included = is_included};
    if (!key.column && name.len) {
        key.column = arena_new(d->a, struct catalog_column);
        key.column->name = name;
        key.column->type.typmod = -1;
    }
    if (key.column)
        vec_push(d->a, &index->keys, key);
}

/* One element of EXCLUDE: a list of the column or expression, and the operator. */
static void add_element(struct deed *d, struct catalog_relation *r, struct catalog_index *index,
                        const PgQuery__Node *node)
{
    if (!node || node->node_case != PG_QUERY__NODE__NODE_LIST || node->list->n_items == 0)
        return;
    const PgQuery__Node *first = node->list->items[0];
    if (!first || first->node_case != PG_QUERY__NODE__NODE_INDEX_ELEM)
        return;
    const PgQuery__IndexElem *e = first->index_elem;
    struct index_key key = {0};
    struct str schema;
    if (e->name[0])
        key.column = catalog_find_column(r, str_of(e->name));
    else
        key.expression.tree = e->expr;
    deed_split_name(e->opclass, e->n_opclass, &schema, &key.opclass);
    key.opclass = opclass_unless_default(d->catalog, index->method, key.opclass);
    deed_split_name(e->collation, e->n_collation, &schema, &key.collation);
    if (key.column || key.expression.tree)
        vec_push(d->a, &index->keys, key);
}

struct catalog_index *key_describe(struct deed *d, struct catalog_relation *r,
                                   const struct constraint_source *source)
{
    const PgQuery__Constraint *k = source->k;
    struct catalog_index *index = arena_new(d->a, struct catalog_index);
    index->table = r;
    index->method = k->access_method[0] ? str_of(k->access_method) : STR("btree");
    if (grammar_has(k, GRAMMAR_PERIOD)) /* WITHOUT OVERLAPS */
        index->method = STR("gist");
    index->is_valid = true;
    index->scans = -1;
    index->is_exclusion = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION;
    index->is_primary = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
    index->is_unique = !index->is_exclusion;
    index->is_nulls_not_distinct = k->nulls_not_distinct;
    index->predicate.tree = k->where_clause;
    for (size_t i = 0; i < k->n_keys; i++)
        add_key_column(d, r, index, string_at(k->keys, i), false);
    if (k->n_keys == 0 && source->column && !index->is_exclusion)
        add_key_column(d, r, index, str_of(source->column), false);
    for (size_t i = 0; i < k->n_exclusions; i++)
        add_element(d, r, index, k->exclusions[i]);
    for (size_t i = 0; i < k->n_including; i++) {
        const PgQuery__Node *n = k->including[i];
        if (n && n->node_case == PG_QUERY__NODE__NODE_STRING)
            add_key_column(d, r, index, str_of(n->string->sval), true);
        else if (n && n->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM)
            add_key_column(d, r, index, str_of(n->index_elem->name), true);
    }
    return index;
}

static bool is_same_expression(struct deed *d, const struct catalog_expression *one,
                               const struct catalog_expression *other)
{
    if (!catalog_has_expression(one) || !catalog_has_expression(other))
        return catalog_has_expression(one) == catalog_has_expression(other);
    const PgQuery__Node *a = expression_tree(d->catalog, one);
    const PgQuery__Node *b = expression_tree(d->catalog, other);
    return a && b && expression_equal(a, b);
}

bool index_is_like(struct deed *d, const struct catalog_index *one,
                   const struct catalog_index *other)
{
    if (one->is_unique != other->is_unique || one->is_exclusion != other->is_exclusion ||
        one->is_nulls_not_distinct != other->is_nulls_not_distinct ||
        !str_equal(one->method, other->method) || one->keys.count != other->keys.count)
        return false;
    for (size_t i = 0; i < one->keys.count; i++) {
        const struct index_key *a = &one->keys.at[i];
        const struct index_key *b = &other->keys.at[i];
        if (a->is_included != b->is_included || !a->column != !b->column ||
            !str_equal(a->opclass, b->opclass) || !str_equal(a->collation, b->collation))
            return false;
        if (a->column ? !str_equal(a->column->name, b->column->name)
                      : !is_same_expression(d, &a->expression, &b->expression))
            return false;
    }
    return is_same_expression(d, &one->predicate, &other->predicate);
}

enum index_purpose index_purpose(const struct catalog_index *index)
{
    if (index->is_primary)
        return INDEX_PRIMARY;
    if (index->is_exclusion)
        return INDEX_EXCLUSION;
    return index->constraint ? INDEX_UNIQUE_KEY : INDEX_PLAIN;
}

struct str index_choose_name_after(struct deed *d, const struct catalog_relation *r,
                                   const struct catalog_index *index, enum index_purpose purpose,
                                   const struct name_changes *changes)
{
    struct index_column_names names = {.a = d->a, .changes = changes};
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        const PgQuery__Node *tree =
            key->column ? NULL : expression_tree(d->catalog, &key->expression);
        index_column_names_add(&names, key->column ? key->column->name
                                       : tree      ? index_expression_name(tree)
                                                   : STR("expr"));
    }
    return object_name_index(d->catalog, r, &names, purpose);
}

struct str index_choose_name(struct deed *d, const struct catalog_relation *r,
                             const struct catalog_index *index, enum index_purpose purpose)
{
    return index_choose_name_after(d, r, index, purpose, NULL);
}

/* ---- into the catalog ---- */

void index_copy(struct deed *d, struct catalog_index *to, const struct catalog_index *from,
                struct catalog_relation *table)
{
    to->method = arena_str(d->catalog->arena, from->method);
    to->is_unique = from->is_unique;
    to->is_primary = from->is_primary;
    to->is_exclusion = from->is_exclusion;
    to->is_nulls_not_distinct = from->is_nulls_not_distinct;
    to->predicate = from->predicate;
    if (from->predicate.tree && !from->predicate.text.len)
        to->predicate = deed_keep_expression(d, from->predicate.tree);
    for (size_t i = 0; i < from->keys.count; i++) {
        struct index_key key = from->keys.at[i];
        if (key.column)
            key.column = catalog_find_column(table, key.column->name);
        else if (key.expression.tree && !key.expression.text.len)
            key.expression = deed_keep_expression(d, key.expression.tree);
        key.opclass = arena_str(d->catalog->arena, key.opclass);
        key.collation = arena_str(d->catalog->arena, key.collation);
        if (key.column || catalog_has_expression(&key.expression))
            vec_push(d->catalog->arena, &to->keys, key);
    }
}

struct catalog_constraint *index_constraint(struct deed *d, struct catalog_relation *index,
                                            struct str name)
{
    struct catalog_relation *r = index->index->table;
    enum constraint_kind kind = index->index->is_primary     ? CONSTRAINT_PRIMARY_KEY
                                : index->index->is_exclusion ? CONSTRAINT_EXCLUSION
                                                             : CONSTRAINT_UNIQUE;
    struct catalog_constraint *k = catalog_add_constraint(d->catalog, r, kind, name);
    k->index = index;
    index->index->constraint = k;
    for (size_t i = 0; i < index->index->keys.count; i++) {
        const struct index_key *key = &index->index->keys.at[i];
        if (key->column && !key->is_included)
            vec_push(d->catalog->arena, &k->columns, key->column);
    }
    return k;
}

/* Columns of a primary key are NOT NULL, those of children too. */
static void forbid_nulls(struct deed *d, const struct catalog_relation *index, bool is_inherited,
                         bool is_only)
{
    struct catalog_relation *r = index->index->table;
    for (size_t i = 0; i < index->index->keys.count; i++) {
        const struct index_key *key = &index->index->keys.at[i];
        if (key->is_included || !key->column)
            continue;
        fold_not_null(d, r, key->column, (struct str){0}, true, is_inherited);
        for (size_t n = 0; n < r->children.count && !is_only; n++) {
            struct catalog_relation *child = r->children.at[n];
            struct catalog_column *column = catalog_find_column(child, key->column->name);
            if (!child->is_dropped && column)
                fold_not_null(d, child, column, (struct str){0}, true, true);
        }
    }
}

struct catalog_relation *index_like(struct deed *d, const struct catalog_relation *partition,
                                    const struct catalog_index *index)
{
    for (size_t i = 0; i < partition->indexes.count; i++) {
        struct catalog_relation *own = partition->indexes.at[i];
        if (own->is_dropped || own->index->parent || !own->index->is_valid ||
            !index_is_like(d, own->index, index))
            continue;
        /* Before 17 any constraint does: UNIQUE of the partition for a PRIMARY KEY of its table. */
        if (!index->constraint ||
            (own->index->constraint &&
             (d->major < 17 || own->index->constraint->kind == index->constraint->kind)))
            return own;
    }
    return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
void fold_index_to_partition(struct deed *d, struct catalog_relation *index,
                             struct catalog_relation *partition)
{
    struct catalog_relation *own = index_like(d, partition, index->index);
    bool is_new = !own;
    if (is_new) {
        struct str name =
            index_choose_name(d, partition, index->index, index_purpose(index->index));
        own = catalog_add_index(d->catalog, partition, name);
        index_copy(d, own->index, index->index, partition);
        if (index->index->constraint) {
            index_constraint(d, own, name);
            own->index->constraint->is_deferrable = index->index->constraint->is_deferrable;
            own->index->constraint->is_local = false;
        }
        if (own->index->is_primary)
            forbid_nulls(d, own, true, true);
    }
    own->index->parent = index;
    if (own->index->constraint) {
        own->index->constraint->parent = index->index->constraint;
        own->index->constraint->is_inherited = true;
    }
    if (is_new && partition->kind == RELATION_PARTITIONED_TABLE)
        fold_index_to_partitions(d, own);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void fold_index_to_partitions(struct deed *d, struct catalog_relation *index)
{
    struct catalog_relation *table = index->index->table;
    if (table->kind != RELATION_PARTITIONED_TABLE)
        return;
    for (size_t i = 0; i < table->children.count; i++) {
        if (!table->children.at[i]->is_dropped)
            fold_index_to_partition(d, index, table->children.at[i]);
    }
}

/* ADD … USING INDEX: the index takes the constraint's name, or gives it its own. */
static struct catalog_constraint *fold_using_index(struct deed *d, struct catalog_relation *r,
                                                   const struct constraint_source *source)
{
    struct catalog_relation *index =
        catalog_find_relation(d->catalog, r->schema, str_of(source->k->indexname));
    if (!index || !index->index || index->index->table != r || index->index->constraint)
        return NULL;
    struct str name = object_name_cut(str_of(source->k->conname));
    if (name.len && !str_equal(name, index->name))
        catalog_rename_relation(d->catalog, index, index->schema, name);
    index->index->is_primary = source->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
    struct catalog_constraint *k = index_constraint(d, index, index->name);
    k->is_deferrable = source->is_deferrable;
    k->is_deferred = source->is_deferred;
    if (index->index->is_primary)
        forbid_nulls(d, index, false, false);
    return k;
}

struct catalog_constraint *fold_key(struct deed *d, struct catalog_relation *r,
                                    const struct constraint_source *source, unsigned flags)
{
    if (source->k->indexname[0])
        return fold_using_index(d, r, source);
    struct catalog_index *like = key_describe(d, r, source);
    struct str name = object_name_cut(str_of(source->k->conname));
    if (!name.len) {
        enum index_purpose purpose = index_purpose(like);
        name = index_choose_name(d, r, like, purpose == INDEX_PLAIN ? INDEX_UNIQUE_KEY : purpose);
    }
    if (like->keys.count == 0 || catalog_find_relation(d->catalog, r->schema, name) ||
        catalog_find_constraint(r, name) || (like->is_primary && catalog_primary_key(r)))
        return NULL;
    struct catalog_relation *index = catalog_add_index(d->catalog, r, name);
    index_copy(d, index->index, like, r);
    struct catalog_constraint *k = index_constraint(d, index, name);
    k->is_deferrable = source->is_deferrable;
    k->is_deferred = source->is_deferred;
    k->is_period = grammar_has(source->k, GRAMMAR_PERIOD);
    index->index->is_exclusion |= k->is_period;
    if (like->is_primary)
        forbid_nulls(d, index, false, flags & (FOLD_ONLY | FOLD_NEW_TABLE));
    if (flags & FOLD_ONLY && r->kind == RELATION_PARTITIONED_TABLE && r->children.count)
        index->index->is_valid = false;
    else
        fold_index_to_partitions(d, index);
    return k;
}
