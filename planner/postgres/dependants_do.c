/*
 * What deleting a closed set does: locks, losses, the catalog of afterwards. Source: dependency.c
 * (deleteOneObject, AcquireDeletionLock), pg_constraint.c (RemoveConstraintById), trigger.c
 * (RemoveTriggerById), heap.c (heap_drop_with_catalog, RemoveAttrDefaultById), index.c (index_drop).
 */
#include "planner/postgres/dependants_parts.h"

/* ---- locks ---- */

/* Partitioned tables have triggers of foreign keys themselves from 15 on. */
static bool lock_partition(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)context;
    if (r->kind != RELATION_PARTITIONED_TABLE || d->major >= 15)
        deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, false);
    return r->kind == RELATION_PARTITIONED_TABLE;
}

/* The triggers of a foreign key are on both tables, and on every partition of the one referred to; those
   of a partition's key belong to the key of its parent. */
static void lock_referenced(struct deed *d, const struct catalog_constraint *k)
{
    if (!k->referenced || k->parent)
        return;
    if (lock_partition(d, k->referenced, NULL))
        deed_each_child(d, k->referenced, lock_partition, NULL);
}

static void lock_relation(struct deed *d, const struct dependant *one)
{
    struct catalog_relation *r = one->as_relation;
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, one->is_named);
    if (r->index && r->index->table)
        deed_lock(d, r->index->table, LOCK_ACCESS_EXCLUSIVE, false);
    for (size_t i = 0; r->is_partition && i < r->parents.count; i++) {
        struct catalog_relation *parent = r->parents.at[i];
        deed_lock(d, parent, LOCK_ACCESS_EXCLUSIVE, false);
        deed_lock(d, catalog_default_partition(parent), LOCK_ACCESS_EXCLUSIVE, false);
    }
}

static void lock_one(struct deed *d, const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_RELATION:
        lock_relation(d, one);
        break;
    case DEPENDANT_CONSTRAINT:
        deed_lock(d, one->relation, LOCK_ACCESS_EXCLUSIVE, one->is_named);
        if (one->constraint->kind == CONSTRAINT_FOREIGN_KEY)
            lock_referenced(d, one->constraint);
        break;
    case DEPENDANT_COLUMN:
    case DEPENDANT_DEFAULT:
    case DEPENDANT_TRIGGER:
    case DEPENDANT_RULE:
        deed_lock(d, one->relation, LOCK_ACCESS_EXCLUSIVE, one->is_named);
        break;
    case DEPENDANT_STATISTICS:
        deed_lock(d, one->relation, LOCK_SHARE_UPDATE_EXCLUSIVE, one->is_named);
        break;
    case DEPENDANT_TYPE:
        if (one->type->composite && one->type->composite->kind == RELATION_COMPOSITE_TYPE)
            deed_lock(d, one->type->composite, LOCK_ACCESS_EXCLUSIVE, one->is_named);
        break;
    case DEPENDANT_FUNCTION:
    case DEPENDANT_DOMAIN_CONSTRAINT:
    case DEPENDANT_OBJECT:
    case DEPENDANT_UNKNOWN:
        break;
    }
}

void dependants_lock(struct dependants *set)
{
    for (size_t i = 0; i < set->all.count; i++)
        lock_one(set->deed, &set->all.at[i]);
}

/* ---- words ---- */

static const char *object_kind(const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_RELATION:
        switch (one->as_relation->kind) {
        case RELATION_INDEX:
        case RELATION_PARTITIONED_INDEX:
            return "INDEX";
        case RELATION_SEQUENCE:
            return "SEQUENCE";
        case RELATION_VIEW:
            return "VIEW";
        case RELATION_MATERIALIZED_VIEW:
            return "MATERIALIZED VIEW";
        case RELATION_FOREIGN_TABLE:
            return "FOREIGN TABLE";
        case RELATION_TABLE:
        case RELATION_PARTITIONED_TABLE:
        case RELATION_COMPOSITE_TYPE:
        case RELATION_UNKNOWN:
            return "TABLE";
        }
        BUG("a relation of no kind");
    case DEPENDANT_COLUMN:
        return "COLUMN";
    case DEPENDANT_DEFAULT:
        return "DEFAULT";
    case DEPENDANT_CONSTRAINT:
    case DEPENDANT_DOMAIN_CONSTRAINT:
        return "CONSTRAINT";
    case DEPENDANT_TRIGGER:
        return "TRIGGER";
    case DEPENDANT_RULE:
        return one->rule->is_policy ? "POLICY" : "RULE";
    case DEPENDANT_TYPE:
        return one->type->kind == TYPE_DOMAIN ? "DOMAIN" : "TYPE";
    case DEPENDANT_FUNCTION:
        return one->function->is_procedure ? "PROCEDURE" : "FUNCTION";
    case DEPENDANT_STATISTICS:
        return "STATISTICS";
    case DEPENDANT_OBJECT:
        return one->other->kind ? one->other->kind : "OBJECT";
    case DEPENDANT_UNKNOWN:
        break;
    }
    return "OBJECT";
}

/* "public.orders.note" */
static struct str within(struct arena *a, const struct catalog_relation *r, struct str name)
{
    struct str table = catalog_relation_text(a, r);
    struct str part = catalog_identifier(a, name);
    return str_of(arena_printf(a, "%.*s.%.*s", STR_ARG(table), STR_ARG(part)));
}

static struct str object_text(struct arena *a, const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_RELATION:
        return catalog_relation_text(a, one->as_relation);
    case DEPENDANT_COLUMN:
    case DEPENDANT_DEFAULT:
        return within(a, one->relation, one->column->name);
    case DEPENDANT_CONSTRAINT:
        return within(a, one->relation, one->constraint->name);
    case DEPENDANT_TRIGGER:
        return within(a, one->relation, one->trigger->name);
    case DEPENDANT_RULE:
        return within(a, one->relation, one->rule->name);
    case DEPENDANT_TYPE:
        return catalog_name_text(a, one->type->schema, one->type->name);
    case DEPENDANT_DOMAIN_CONSTRAINT:
        return catalog_identifier(a, one->domain_constraint->name);
    case DEPENDANT_FUNCTION:
        return catalog_name_text(a, one->function->schema, one->function->name);
    case DEPENDANT_STATISTICS:
        return catalog_name_text(a, one->statistics->schema, one->statistics->name);
    case DEPENDANT_OBJECT:
        return catalog_identifier(a, one->other->name);
    case DEPENDANT_UNKNOWN:
        break;
    }
    return STR("");
}

struct str dependant_text(struct dependants *set, const struct dependant *of)
{
    struct arena *a = set->deed->a;
    char *kind = arena_cstr(a, str_of(object_kind(of)));
    for (char *at = kind; *at; at++)
        *at = char_lower(*at);
    struct str text = object_text(a, of);
    return str_of(arena_printf(a, "%s %.*s", kind, STR_ARG(text)));
}

/* ---- losses ---- */

static enum loss_kind relation_loss(const struct catalog_relation *r)
{
    switch (r->kind) {
    case RELATION_TABLE:
    case RELATION_PARTITIONED_TABLE:
        return LOSS_DATA;
    case RELATION_INDEX:
    case RELATION_PARTITIONED_INDEX:
        return r->index->is_unique ? LOSS_GUARANTEE : LOSS_UNKNOWN;
    case RELATION_SEQUENCE:
    case RELATION_VIEW:
    case RELATION_MATERIALIZED_VIEW:
    case RELATION_FOREIGN_TABLE:
    case RELATION_COMPOSITE_TYPE:
    case RELATION_UNKNOWN:
        break;
    }
    return LOSS_NAME;
}

static enum loss_kind loss_kind(const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_RELATION:
        return relation_loss(one->as_relation);
    case DEPENDANT_COLUMN:
        return one->relation->kind == RELATION_COMPOSITE_TYPE ? LOSS_NAME : LOSS_DATA;
    case DEPENDANT_DEFAULT:
    case DEPENDANT_CONSTRAINT:
    case DEPENDANT_DOMAIN_CONSTRAINT:
    case DEPENDANT_TRIGGER:
        return LOSS_GUARANTEE;
    case DEPENDANT_RULE:
        return one->rule->is_policy ? LOSS_ACCESS : LOSS_GUARANTEE;
    case DEPENDANT_TYPE:
    case DEPENDANT_FUNCTION:
    case DEPENDANT_OBJECT:
        return LOSS_NAME;
    case DEPENDANT_STATISTICS: /* they only help the planner */
    case DEPENDANT_UNKNOWN:
        break;
    }
    return LOSS_UNKNOWN;
}

/* What is in a table goes with its table and is not told apart; row types neither. */
static bool is_told(const struct dependants *set, const struct dependant *one)
{
    if (one->is_named)
        return true;
    if (one->kind == DEPENDANT_TYPE && one->type->composite &&
        dependants_has(set, DEPENDANT_RELATION, one->type->composite))
        return false;
    const struct catalog_relation *r = one->relation;
    if (one->kind == DEPENDANT_RELATION)
        r = one->as_relation->index ? one->as_relation->index->table : NULL;
    return !r || !dependants_has(set, DEPENDANT_RELATION, r);
}

void dependants_lose(struct dependants *set)
{
    struct deed *d = set->deed;
    for (size_t i = 0; i < set->all.count; i++) {
        const struct dependant *one = &set->all.at[i];
        enum loss_kind kind = loss_kind(one);
        if (kind != LOSS_UNKNOWN && is_told(set, one))
            effects_add_loss(d->a, d->effects, kind, object_kind(one), object_text(d->a, one),
                             one->relation, one->is_named);
    }
}

/* ---- the catalog of afterwards ---- */

static void fold_one(struct catalog *c, const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_RELATION:
        catalog_drop_relation(c, one->as_relation);
        break;
    case DEPENDANT_COLUMN:
        one->column->is_dropped = true;
        break;
    case DEPENDANT_DEFAULT:
        one->column->default_value = (struct catalog_expression){0};
        one->column->sequence = NULL;
        break;
    case DEPENDANT_CONSTRAINT:
        catalog_drop_constraint(c, one->constraint);
        break;
    case DEPENDANT_TRIGGER:
        one->trigger->is_dropped = true;
        break;
    case DEPENDANT_RULE:
        one->rule->is_dropped = true;
        break;
    case DEPENDANT_TYPE:
        catalog_drop_type(c, one->type);
        if (one->type->composite && one->type->composite->kind == RELATION_COMPOSITE_TYPE)
            catalog_drop_relation(c, one->type->composite);
        break;
    case DEPENDANT_DOMAIN_CONSTRAINT:
        one->domain_constraint->is_dropped = true;
        break;
    case DEPENDANT_FUNCTION:
        catalog_drop_function(c, one->function);
        break;
    case DEPENDANT_STATISTICS:
        one->statistics->is_dropped = true;
        break;
    case DEPENDANT_OBJECT:
        one->other->is_dropped = true;
        break;
    case DEPENDANT_UNKNOWN:
        break;
    }
}

void dependants_fold(struct dependants *set)
{
    for (size_t i = 0; i < set->all.count; i++)
        fold_one(set->deed->catalog, &set->all.at[i]);
}
