/* What RENAME locks, and which names go. Source: tablecmds.c (RenameRelation, renameatt,
   rename_constraint_internal), trigger.c (renametrig), rewriteDefine.c, policy.c, typecmds.c. */
#include "planner/postgres/rename_parts.h"

/* ---- relations ---- */

static bool is_index(const struct catalog_relation *r)
{
    return r->kind == RELATION_INDEX || r->kind == RELATION_PARTITIONED_INDEX;
}

static bool is_missing(struct deed *d, const PgQuery__RenameStmt *rename)
{
    return !d->catalog->is_complete || !rename->missing_ok;
}

static void lose_relation(struct deed *d, const struct catalog_relation *r)
{
    effects_add_loss(d->a, d->effects, LOSS_NAME, rename_object_kind(r->kind),
                     catalog_relation_text(d->a, r), r, true);
}

/* ALTER TABLE takes all of them, ALTER INDEX too. */
static bool is_wrong_kind(const struct catalog_relation *r, int object_type)
{
    switch (object_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
        return r->kind != RELATION_SEQUENCE;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        return r->kind != RELATION_VIEW;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        return r->kind != RELATION_MATERIALIZED_VIEW;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        return r->kind != RELATION_FOREIGN_TABLE;
    default:
        return false;
    }
}

static void predict_relation(struct deed *d, const PgQuery__RenameStmt *rename)
{
    bool says_index = rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
    struct catalog_relation *r = deed_relation(d, rename->relation, rename->missing_ok);
    if (!r) {
        if (is_missing(d, rename))
            deed_lock_name(d, rename->relation,
                           says_index ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    bool is_weak = says_index && is_index(r);
    deed_lock(d, r, is_weak ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE, true);
    if (is_wrong_kind(r, (int)rename->rename_type))
        deed_fails(d, "%.*s is a %s", STR_ARG(catalog_relation_text(d->a, r)),
                   relation_kind_name(r->kind));
    if (r->kind == RELATION_COMPOSITE_TYPE)
        deed_fails(d, "%.*s is a composite type: ALTER TYPE renames it",
                   STR_ARG(catalog_relation_text(d->a, r)));
    if (catalog_find_relation(d->catalog, r->schema, str_of(rename->newname)))
        deed_fails(d, "relation %.*s is there already",
                   STR_ARG(catalog_name_text(d->a, r->schema, str_of(rename->newname))));
    lose_relation(d, r);
}

/* ---- columns and attributes ---- */

static void lock_typed_tables(struct deed *d, const struct catalog_relation *type,
                              const PgQuery__RenameStmt *rename)
{
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        struct catalog_relation *r = d->catalog->relations.at[i];
        if (r->is_dropped || !r->of_type || r->of_type != type->row_type)
            continue;
        if (rename->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
            deed_fails(d, "%.*s is made of this type: only CASCADE renames its column too",
                       STR_ARG(catalog_relation_text(d->a, r)));
        deed_lock_tree(d, r, LOCK_ACCESS_EXCLUSIVE, false);
    }
}

static void predict_column(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_relation *r = deed_relation(d, rename->relation, rename->missing_ok);
    if (!r) {
        if (is_missing(d, rename))
            deed_lock_name(d, rename->relation, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    if (rename->relation->inh)
        deed_lock_tree(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    else
        deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    if (r->kind == RELATION_COMPOSITE_TYPE)
        lock_typed_tables(d, r, rename);
    struct str text = catalog_relation_text(d->a, r);
    if (r->index) /* its columns have names of their own, which we do not keep */
        return;
    const struct catalog_column *column = catalog_find_column(r, str_of(rename->subname));
    if (!column) {
        deed_missing(d, "column %s of %.*s is not there", rename->subname, STR_ARG(text));
        return;
    }
    for (size_t i = 0; !rename->relation->inh && i < r->children.count; i++) {
        if (!r->children.at[i]->is_dropped)
            deed_fails(d, "column %s of %.*s has to be renamed in its children too",
                       rename->subname, STR_ARG(text));
    }
    if (column->is_inherited)
        deed_fails(d, "column %s of %.*s is inherited", rename->subname, STR_ARG(text));
    if (catalog_find_column(r, str_of(rename->newname)))
        deed_fails(d, "column %s of %.*s is there already", rename->newname, STR_ARG(text));
    effects_add_loss(d->a, d->effects, LOSS_NAME,
                     r->kind == RELATION_COMPOSITE_TYPE ? "ATTRIBUTE" : "COLUMN",
                     rename_part_text(d, r, column->name), r, true);
}

/* ---- what is in a table ---- */

static void predict_constraint(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_relation *r = deed_relation(d, rename->relation, rename->missing_ok);
    if (!r) {
        if (is_missing(d, rename))
            deed_lock_name(d, rename->relation, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    const struct catalog_constraint *k = catalog_find_constraint(r, str_of(rename->subname));
    if (!k) {
        deed_missing(d, "constraint %s of %.*s is not there", rename->subname,
                     STR_ARG(catalog_relation_text(d->a, r)));
        return;
    }
    bool is_inheritable = k->kind == CONSTRAINT_CHECK || k->kind == CONSTRAINT_NOT_NULL;
    if (is_inheritable && !k->is_no_inherit && rename->relation->inh)
        deed_lock_tree(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    if (k->index && k->kind != CONSTRAINT_FOREIGN_KEY)
        deed_lock(d, k->index, LOCK_SHARE_UPDATE_EXCLUSIVE, false);
    if (k->is_inherited && is_inheritable)
        deed_fails(d, "constraint %s is inherited", rename->subname);
    effects_add_loss(d->a, d->effects, LOSS_NAME, "CONSTRAINT", rename_part_text(d, r, k->name), r,
                     true);
}

static void predict_part(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_relation *r = deed_relation(d, rename->relation, rename->missing_ok);
    if (!r) {
        if (is_missing(d, rename))
            deed_lock_name(d, rename->relation, LOCK_ACCESS_EXCLUSIVE);
        return;
    }
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, true);
    bool is_there = true;
    if (rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER) {
        const struct catalog_trigger *t = catalog_find_trigger(r, str_of(rename->subname));
        is_there = t != NULL;
        if (r->kind == RELATION_PARTITIONED_TABLE && d->major >= 15)
            deed_lock_tree(d, r, LOCK_ACCESS_EXCLUSIVE, true);
        if (t && t->parent && d->major >= 15)
            deed_fails(d, "trigger %s belongs to the partitioned table's", rename->subname);
    } else {
        bool is_policy = rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY;
        is_there = catalog_find_rule(r, str_of(rename->subname), is_policy) != NULL;
    }
    if (!is_there)
        deed_missing(d, "%s of %.*s is not there", rename->subname,
                     STR_ARG(catalog_relation_text(d->a, r)));
}

/* ---- types and the rest ---- */

static void predict_type(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_type *t = rename_type_meant(d, rename->object);
    if (!t)
        return;
    if (t->composite && t->composite->kind == RELATION_COMPOSITE_TYPE)
        deed_lock(d, t->composite, LOCK_ACCESS_EXCLUSIVE, true);
    else if (t->composite)
        deed_fails(d, "type %.*s is that of a table's rows", STR_ARG(t->name));
    effects_add_loss(d->a, d->effects, LOSS_NAME, t->kind == TYPE_DOMAIN ? "DOMAIN" : "TYPE",
                     catalog_name_text(d->a, t->schema, t->name), NULL, true);
}

static void predict_function(struct deed *d, const PgQuery__RenameStmt *rename)
{
    if (!rename->object || rename->object->node_case != PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS)
        return;
    const struct catalog_function *f = function_meant(d, rename->object->object_with_args);
    if (f)
        effects_add_loss(d->a, d->effects, LOSS_NAME, f->is_procedure ? "PROCEDURE" : "FUNCTION",
                         catalog_name_text(d->a, f->schema, f->name), NULL, true);
}

void predict_rename(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__RenameStmt *rename = node->rename_stmt;
    switch ((int)rename->rename_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        predict_relation(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE:
        predict_column(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
        predict_constraint(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER:
    case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
        predict_part(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN:
        predict_type(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
    case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE:
        predict_function(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA:
        effects_add_loss(d->a, d->effects, LOSS_NAME, "SCHEMA",
                         catalog_identifier(d->a, str_of(rename->subname)), NULL, true);
        break;
    default: /* roles, databases, servers, text search …: no relation */
        break;
    }
}
