/* DROP of anything. Source: dropcmds.c, tablecmds.c (RemoveRelations), dependency.c. */
#include "planner/postgres/drop_parts.h"

/* ---- what cannot go alone ---- */

static void refuse_index(struct deed *d, const struct dependants *set,
                         const struct catalog_relation *r, bool is_concurrent)
{
    struct str text = catalog_relation_text(d->a, r);
    if (r->index->constraint && !r->index->constraint->is_dropped)
        deed_fails(d, "index %.*s cannot be dropped: constraint %.*s needs it", STR_ARG(text),
                   STR_ARG(r->index->constraint->name));
    else if (r->index->parent && !r->index->parent->is_dropped &&
             !dependants_has_relation(set, r->index->parent))
        deed_fails(d, "index %.*s cannot be dropped: index %.*s needs it", STR_ARG(text),
                   STR_ARG(catalog_relation_text(d->a, r->index->parent)));
    else if (is_concurrent && r->kind == RELATION_PARTITIONED_INDEX)
        deed_fails(d, "partitioned index %.*s cannot be dropped concurrently", STR_ARG(text));
}

/* What is part of something else, which does not go. */
static void refuse_parts(struct deed *d, const struct dependants *set,
                         const PgQuery__DropStmt *drop)
{
    for (size_t i = 0; i < set->all.count; i++) {
        const struct dependant *one = &set->all.at[i];
        if (!one->is_named)
            continue;
        struct str extension = {0};
        if (one->kind == DEPENDANT_RELATION) {
            const struct catalog_relation *r = one->as_relation;
            extension = r->extension;
            if (r->index)
                refuse_index(d, set, r, drop->concurrent);
            if (r->sequence && r->sequence->is_identity && r->sequence->owner_table &&
                !dependants_has_relation(set, r->sequence->owner_table))
                deed_fails(d, "sequence %.*s cannot be dropped: its identity column needs it",
                           STR_ARG(catalog_relation_text(d->a, r)));
        } else if (one->kind == DEPENDANT_TYPE) {
            extension = one->type->extension;
        } else if (one->kind == DEPENDANT_FUNCTION) {
            extension = one->function->extension;
        } else if (one->kind == DEPENDANT_TRIGGER && one->trigger->parent) {
            deed_fails(d, "trigger %.*s cannot be dropped: that of the partitioned table needs it",
                       STR_ARG(one->trigger->name));
        }
        if (extension.len)
            deed_fails(d, "it cannot be dropped: extension %.*s needs it", STR_ARG(extension));
    }
}

/* ---- the statement ---- */

/* DROP INDEX CONCURRENTLY: the table stays readable and writable. Temporary ones go as usual. */
static bool lock_concurrently(struct deed *d, const struct dependants *set)
{
    if (set->all.count != 1 || set->all.at[0].kind != DEPENDANT_RELATION)
        return false;
    const struct catalog_relation *r = set->all.at[0].as_relation;
    if (!r->index || !r->index->table || r->persistence == PERSISTENCE_TEMPORARY)
        return false;
    deed_lock(d, r->index->table, LOCK_SHARE_UPDATE_EXCLUSIVE, false);
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    return true;
}

/* DROP INDEX of a partitioned table's takes all of its partitions, with or without an index. */
static void lock_partitions(struct deed *d, const struct dependants *set)
{
    for (size_t i = 0; i < set->all.count; i++) {
        const struct dependant *one = &set->all.at[i];
        if (one->is_named && one->kind == DEPENDANT_RELATION &&
            one->as_relation->kind == RELATION_PARTITIONED_INDEX)
            deed_lock_tree(d, one->as_relation->index->table, LOCK_ACCESS_EXCLUSIVE, false);
    }
}

void predict_drop(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__DropStmt *drop = node->drop_stmt;
    struct dependants set = drop_collect(d, drop, true);
    refuse_parts(d, &set, drop);
    if (drop->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        dependants_refuse(&set);
    if (!drop->concurrent || !lock_concurrently(d, &set))
        dependants_lock(&set);
    lock_partitions(d, &set);
    dependants_lose(&set);
}

static void fold_publications(struct deed *d, const PgQuery__DropStmt *drop)
{
    for (size_t i = 0; i < drop->n_objects; i++) {
        if (drop->objects[i]->node_case != PG_QUERY__NODE__NODE_STRING)
            continue;
        struct str name = str_of(drop->objects[i]->string->sval);
        for (size_t j = 0; j < d->catalog->publications.count; j++) {
            if (str_equal(d->catalog->publications.at[j]->name, name))
                d->catalog->publications.at[j]->is_dropped = true;
        }
    }
}

void fold_drop(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__DropStmt *drop = node->drop_stmt;
    if (drop->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION) {
        fold_publications(d, drop);
        return;
    }
    struct dependants set = drop_collect(d, drop, false);
    bool is_cascade = drop->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    if (!is_cascade && dependants_blocked(&set))
        return;
    dependants_fold(&set);
    for (size_t i = 0; i < drop->n_objects; i++) {
        if (drop->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA &&
            drop->objects[i]->node_case == PG_QUERY__NODE__NODE_STRING)
            catalog_drop_schema(d->catalog, str_of(drop->objects[i]->string->sval));
    }
}
