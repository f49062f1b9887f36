/* SET SCHEMA and DEPENDS ON EXTENSION. Source: tablecmds.c (AlterTableNamespaceInternal), alter.c,
   typecmds.c (AlterTypeNamespaceInternal). */
#include "planner/postgres/rename_parts.h"

static struct catalog_relation *
moved_relation(struct deed *d, const PgQuery__AlterObjectSchemaStmt *set, bool is_missing_ok)
{
    return set->relation ? deed_relation(d, set->relation, is_missing_ok || set->missing_ok) : NULL;
}

/* Constraints take their indexes along without opening them; partitioned indexes are not opened. */
static void predict_move(struct deed *d, struct catalog_relation *r)
{
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        if (!index->is_dropped && index->kind == RELATION_INDEX && !index->index->constraint)
            deed_lock(d, index, LOCK_ACCESS_EXCLUSIVE, false);
    }
    size_t next = 0;
    const struct catalog_relation *owned;
    while ((owned = catalog_next_owned(r, &next)))
        deed_lock(d, owned, LOCK_ACCESS_EXCLUSIVE, false);
    if (r->sequence && r->sequence->owner_table)
        deed_fails(d, "%.*s is owned by a table and moves with it only",
                   STR_ARG(catalog_relation_text(d->a, r)));
}

void predict_set_schema(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterObjectSchemaStmt *set = node->alter_object_schema_stmt;
    struct catalog_relation *r = moved_relation(d, set, false);
    if (r) {
        predict_move(d, r);
        if (!str_equal(r->schema, str_of(set->newschema)))
            effects_add_loss(d->a, d->effects, LOSS_NAME, rename_object_kind(r->kind),
                             catalog_relation_text(d->a, r), r, true);
    } else if (set->relation && (!d->catalog->is_complete || !set->missing_ok)) {
        deed_lock_name(d, set->relation, LOCK_ACCESS_EXCLUSIVE);
    }
    if (d->catalog->is_complete && !catalog_has_schema(d->catalog, str_of(set->newschema)))
        deed_missing(d, "schema %s is not there", set->newschema);
}

static void fold_move(struct deed *d, struct catalog_relation *r, struct str schema)
{
    struct catalog *c = d->catalog;
    catalog_rename_relation(c, r, schema, r->name);
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped)
            catalog_rename_relation(c, r->indexes.at[i], schema, r->indexes.at[i]->name);
    }
    size_t next = 0;
    struct catalog_relation *owned;
    while ((owned = catalog_next_owned(r, &next)))
        catalog_rename_relation(c, owned, schema, owned->name);
}

static void fold_object(struct deed *d, const PgQuery__AlterObjectSchemaStmt *set,
                        struct str schema)
{
    if (!set->object)
        return;
    if (set->object->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS) {
        struct catalog_function *f = function_meant(d, set->object->object_with_args);
        if (f)
            catalog_rename_function(d->catalog, f, schema, f->name);
        return;
    }
    struct catalog_type *t = NULL;
    if (set->object_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE ||
        set->object_type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN)
        t = rename_type_meant(d, set->object);
    if (t && t->composite && t->composite->kind == RELATION_COMPOSITE_TYPE)
        catalog_rename_relation(d->catalog, t->composite, schema, t->name);
    else if (t && !t->composite)
        catalog_rename_type(d->catalog, t, schema, t->name);
}

/* The members of an extension move with it. */
static void fold_extension(struct deed *d, struct str name, struct str schema)
{
    struct catalog *c = d->catalog;
    struct catalog_object *o = catalog_object_named(c, "EXTENSION", name);
    if (!o)
        return;
    o->schema = arena_str(c->arena, schema);
    for (size_t i = 0; i < c->types.count; i++) {
        if (!c->types.at[i]->is_dropped && str_equal(c->types.at[i]->extension, name))
            catalog_rename_type(c, c->types.at[i], schema, c->types.at[i]->name);
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        if (!c->functions.at[i]->is_dropped && str_equal(c->functions.at[i]->extension, name))
            catalog_rename_function(c, c->functions.at[i], schema, c->functions.at[i]->name);
    }
}

void fold_set_schema(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterObjectSchemaStmt *set = node->alter_object_schema_stmt;
    struct str schema = str_of(set->newschema);
    struct catalog_relation *r = moved_relation(d, set, true);
    if (r)
        fold_move(d, r, schema);
    else if (set->object_type == PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION && set->object &&
             set->object->node_case == PG_QUERY__NODE__NODE_STRING)
        fold_extension(d, str_of(set->object->string->sval), schema);
    else
        fold_object(d, set, schema);
}

/* ---- DEPENDS ON EXTENSION ---- */

void predict_depends_on_extension(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterObjectDependsStmt *depends = node->alter_object_depends_stmt;
    if (!depends->relation)
        return;
    bool is_part = depends->object_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER;
    enum lock_mode mode = is_part ? LOCK_ACCESS_SHARE : LOCK_ACCESS_EXCLUSIVE;
    struct catalog_relation *r = deed_relation(d, depends->relation, false);
    if (r)
        deed_lock(d, r, mode, true);
    else
        deed_lock_name(d, depends->relation, mode);
}

void fold_depends_on_extension(struct deed *d, const PgQuery__Node *node)
{
    (void)d; /* what it brings about, DROP EXTENSION takes from the server */
    (void)node;
}
