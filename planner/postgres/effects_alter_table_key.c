/* ALTER TABLE … ADD of keys: indexes that are built for them, and foreign keys. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/visited.h"

/* ---- UNIQUE, PRIMARY KEY, EXCLUDE ---- */

struct str alter_index_name(struct altering *t, const struct catalog_relation *r,
                            const struct catalog_index *like, enum index_purpose purpose)
{
    VEC_OF(struct catalog_relation *) freed = {0};
    VEC_OF(struct catalog_constraint *) constraints = {0};
    for (size_t i = 0; i < t->dropped_indexes.count; i++)
        vec_push(t->d->a, &freed, t->dropped_indexes.at[i]);
    for (size_t i = 0; i < t->freed_indexes.count; i++)
        vec_push(t->d->a, &freed, t->freed_indexes.at[i]);
    for (size_t i = 0; i < t->dropped_constraints.count; i++)
        vec_push(t->d->a, &constraints, t->dropped_constraints.at[i]);
    for (size_t i = 0; i < t->freed_constraints.count; i++)
        vec_push(t->d->a, &constraints, t->freed_constraints.at[i]);
    const struct name_changes changes = {
        .taken = t->new_names.at,
        .taken_count = t->new_names.count,
        .freed = freed.at,
        .freed_count = freed.count,
        .freed_constraints = constraints.at,
        .freed_constraint_count = constraints.count,
    };
    return index_choose_name_after(t->d, r, like, purpose, &changes);
}

/* Each partition needs an index: its own, where it has one like it, else a new one. Those that
   belong to no index of its table yet are looked at, and held. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
void alter_build_index(struct altering *t, struct catalog_relation *r,
                       const struct catalog_index *like, struct str name, const char *why)
{
    if (!is_partitioned(r)) {
        if (relation_has_storage(r))
            deed_build_new(t->d, r, name, why);
        return;
    }
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (child->is_dropped)
            continue;
        deed_lock(t->d, child, LOCK_SHARE, false);
        for (size_t n = 0; n < child->indexes.count; n++) {
            const struct catalog_relation *own = child->indexes.at[n];
            if (!own->is_dropped && !relation_is_there(own->index->parent))
                deed_lock(t->d, own, LOCK_SHARE, false);
        }
        if (!index_like(t->d, child, like))
            alter_build_index(t, child, like, alter_index_name(t, child, like, index_purpose(like)),
                              why);
    }
}

/* Columns of a primary key that may still be NULL. Before 18 children are locked for it unless the
   table is partitioned and has them NOT NULL already. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void forbid_nulls(struct altering *t, struct catalog_relation *r,
                         const struct catalog_index *like, struct visited *done)
{
    bool is_locked = t->d->major < 18 && !is_partitioned(r);
    for (size_t i = 0; i < like->keys.count; i++) {
        const struct index_key *key = &like->keys.at[i];
        if (key->is_included || !key->column)
            continue;
        if (alter_must_prove_not_null(t, r, key->column))
            alter_scans(t, r, "columns of the primary key must hold no NULL");
        is_locked |= !key->column->is_not_null;
    }
    if (!is_locked || t->is_only)
        return;
    for (size_t n = 0; n < r->children.count; n++) {
        struct catalog_relation *child = r->children.at[n];
        if (!deed_is_next(t->d, done, child))
            continue;
        struct catalog_index theirs = {.table = child};
        for (size_t i = 0; i < like->keys.count; i++) {
            struct index_key key = like->keys.at[i];
            key.column = key.column ? catalog_find_column(child, key.column->name) : NULL;
            vec_push(t->d->a, &theirs.keys, key);
        }
        alter_lock(t, child);
        forbid_nulls(t, child, &theirs, done);
    }
}

static void refuse_key(struct altering *t, const struct catalog_relation *r,
                       const struct constraint_source *source, const struct catalog_index *like)
{
    const struct catalog_constraint *primary = catalog_primary_key(r);
    if (like->is_primary && primary && alter_constraint(t, r, primary->name) == primary)
        deed_fails(t->d, "multiple primary keys for table \"%.*s\" are not allowed",
                   STR_ARG(r->name));
    if (source->k->conname[0] && alter_constraint(t, r, str_of(source->k->conname)))
        deed_fails(t->d, "constraint \"%s\" of \"%.*s\" exists already", source->k->conname,
                   STR_ARG(r->name));
    if (source->k->conname[0] && !source->k->indexname[0]) {
        const struct catalog_relation *there =
            catalog_find_relation(t->d->catalog, r->schema, str_of(source->k->conname));
        if (there && !alter_drops_index(t, there))
            deed_fails(t->d, "relation \"%s\" exists already", source->k->conname);
    }
    for (size_t i = 0; i < r->partition_keys.count; i++) {
        const struct index_key *key = &r->partition_keys.at[i];
        bool is_covered = false;
        for (size_t n = 0; n < like->keys.count && !is_covered; n++)
            is_covered = key->column && like->keys.at[n].column == key->column &&
                         !like->keys.at[n].is_included;
        if (!is_covered)
            deed_fails(t->d, "a key of a partitioned table must have all its partition columns");
    }
    if (source->k->nulls_not_distinct && t->d->major < 15)
        deed_fails(t->d, "PostgreSQL %u does not know NULLS NOT DISTINCT", t->d->major);
    if (like->is_exclusion && is_partitioned(r) && t->d->major < 17)
        deed_fails(t->d, "a partitioned table has no EXCLUDE before PostgreSQL 17");
}

static void use_index(struct altering *t, struct catalog_relation *r,
                      const struct constraint_source *source)
{
    const PgQuery__Constraint *k = source->k;
    struct catalog_relation *index =
        catalog_find_relation(t->d->catalog, r->schema, str_of(k->indexname));
    if (is_partitioned(r))
        deed_fails(t->d, "a partitioned table takes no USING INDEX");
    if (!index || !index->index || index->index->table != r) {
        if (t->d->catalog->is_complete)
            deed_fails(t->d, "index \"%s\" does not exist", k->indexname);
        return;
    }
    if (!index->index->is_unique || catalog_has_expression(&index->index->predicate))
        deed_fails(t->d, "\"%s\" is not a unique index over all rows", k->indexname);
    if (!index->index->is_valid)
        deed_fails(t->d, "index \"%s\" is not valid", k->indexname);
    if (index->index->constraint && !index->index->constraint->is_dropped)
        deed_fails(t->d, "index \"%s\" belongs to a constraint already", k->indexname);
    for (size_t i = 0; i < index->index->keys.count; i++) {
        if (!index->index->keys.at[i].column)
            deed_fails(t->d, "index \"%s\" contains expressions", k->indexname);
    }
    /* It is renamed to what the constraint is called. */
    bool is_renamed = k->conname[0] && !str_equal(str_of(k->conname), index->name);
    deed_lock(t->d, index, is_renamed ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_SHARE, true);
    if (k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY) {
        refuse_key(t, r, source, &(struct catalog_index){.is_primary = true});
        forbid_nulls(t, r, index->index, &(struct visited){0});
    }
}

void alter_add_key(struct altering *t, struct catalog_relation *r,
                   const struct constraint_source *source)
{
    if (source->k->indexname[0]) {
        use_index(t, r, source);
        return;
    }
    struct catalog_index *like = key_describe(t->d, r, source);
    refuse_key(t, r, source, like);
    struct str name = object_name_cut(str_of(source->k->conname));
    enum index_purpose purpose = index_purpose(like);
    if (purpose == INDEX_PLAIN)
        purpose = INDEX_UNIQUE_KEY;
    struct catalog_constraint stands_behind = {
        .kind = like->is_primary     ? CONSTRAINT_PRIMARY_KEY
                : like->is_exclusion ? CONSTRAINT_EXCLUSION
                                     : CONSTRAINT_UNIQUE,
    };
    like->constraint = &stands_behind;
    if (!name.len)
        name = alter_index_name(t, r, like, purpose);
    if (like->is_primary)
        forbid_nulls(t, r, like, &(struct visited){0});
    vec_push(t->d->a, &t->new_names, name);
    if (!t->is_only || !is_partitioned(r))
        alter_build_index(t, r, like, name, "the index behind the key is built");
}

/* ---- FOREIGN KEY ---- */

/* Each partition gets the key and is checked; one that has it already is not, but loses the
   triggers of its own. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void add_to_partitions(struct altering *t, struct catalog_relation *r,
                              const struct catalog_constraint *k, bool is_checked)
{
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (child->is_dropped)
            continue;
        alter_lock(t, child);
        if (k->referenced && foreign_key_like(t->d, child, k)) {
            alter_lock_referenced(t, k->referenced);
            continue;
        }
        if (is_checked && relation_has_storage(child))
            deed_scan_rows(t->d, child, "the foreign key is checked for every row");
        if (is_partitioned(child))
            add_to_partitions(t, child, k, is_checked);
    }
}

static void refuse_foreign_key(struct altering *t, const struct catalog_relation *r,
                               const struct catalog_relation *referenced,
                               const PgQuery__Constraint *k)
{
    if (k->conname[0] && alter_constraint(t, r, str_of(k->conname)))
        deed_fails(t->d, "constraint \"%s\" for relation \"%.*s\" already exists", k->conname,
                   STR_ARG(r->name));
    if (k->skip_validation && is_partitioned(r) && t->d->major < 18)
        deed_fails(t->d, "a partitioned table takes no foreign key NOT VALID before PostgreSQL 18");
    if (t->is_only && is_partitioned(r) && has_children(r))
        deed_fails(t->d, "ONLY does not go with a foreign key of a partitioned table");
    if (referenced->kind != RELATION_TABLE && referenced->kind != RELATION_PARTITIONED_TABLE)
        deed_fails(t->d, "\"%.*s\" is not a table", STR_ARG(referenced->name));
    if (r->persistence != referenced->persistence &&
        (r->persistence == PERSISTENCE_PERMANENT || r->persistence == PERSISTENCE_TEMPORARY ||
         referenced->persistence == PERSISTENCE_TEMPORARY))
        deed_fails(t->d, "a foreign key cannot go from one kind of table to the other");
}

/* Both sides are compared by an operator of their types. */
static void refuse_types(struct altering *t, const struct catalog_constraint *k)
{
    size_t count = k->columns.count;
    if (count != k->referenced_columns.count)
        return;
    for (size_t i = 0; i < count; i++) {
        struct type_ref one = type_base(&k->columns.at[i]->type);
        struct type_ref other = type_base(&k->referenced_columns.at[i]->type);
        if (type_change(t->d->catalog, &one, &other, (struct str){0}) == TYPE_CHANGE_IMPOSSIBLE ||
            type_change(t->d->catalog, &other, &one, (struct str){0}) == TYPE_CHANGE_IMPOSSIBLE)
            deed_fails(t->d, "columns \"%.*s\" and \"%.*s\" have types that cannot be compared",
                       STR_ARG(k->columns.at[i]->name), STR_ARG(k->referenced_columns.at[i]->name));
    }
}

void alter_add_foreign_key(struct altering *t, struct catalog_relation *r,
                           const struct constraint_source *source, bool is_checked)
{
    const PgQuery__Constraint *k = source->k;
    struct alter_new made = {r, str_of(k->conname)};
    vec_push(t->d->a, &t->new_constraints, made);
    struct catalog_relation *referenced = foreign_key_target(t->d, k, false);
    if (!referenced)
        deed_lock_name(t->d, k->pktable, LOCK_SHARE_ROW_EXCLUSIVE);
    if (is_partitioned(r))
        add_to_partitions(t, r, foreign_key_describe(t->d, r, source), is_checked);
    if (is_checked && relation_has_storage(r))
        deed_scan_rows(t->d, r, "the foreign key is checked for every row");
    if (!referenced)
        return;
    if (is_partitioned(referenced))
        deed_lock_tree(t->d, referenced, LOCK_SHARE_ROW_EXCLUSIVE, true);
    else
        deed_lock(t->d, referenced, LOCK_SHARE_ROW_EXCLUSIVE, true);
    refuse_foreign_key(t, r, referenced, k);
    refuse_types(t, foreign_key_describe(t->d, r, source));
    /* A key that the statement itself adds comes first. */
    bool is_made = referenced == r && t->new_names.count;
    if (!foreign_key_index(referenced, k) && !is_made && t->d->catalog->is_complete)
        deed_fails(t->d, "table \"%.*s\" has no unique constraint over the referenced columns",
                   STR_ARG(referenced->name));
}
