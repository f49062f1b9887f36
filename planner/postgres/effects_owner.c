/* OWNER TO, DROP OWNED, REASSIGN OWNED. Source: tablecmds.c (ATExecChangeOwner), pg_shdepend.c. */
#include "planner/postgres/drop_parts.h"
#include "planner/postgres/types.h"

struct str owner_of_role(const PgQuery__RoleSpec *role)
{
    return role && role->roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CSTRING
               ? str_of(role->rolename)
               : STR("");
}

/* Each owned sequence of r, and each index. */
static void each_part(struct deed *d, struct catalog_relation *r,
                      void (*visit)(struct deed *d, struct catalog_relation *part,
                                    struct str owner),
                      struct str owner)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped)
            visit(d, r->indexes.at[i], owner);
    }
    size_t next = 0;
    struct catalog_relation *s;
    while ((s = catalog_next_owned(r, &next)))
        visit(d, s, owner);
}

static void lock_part(struct deed *d, struct catalog_relation *part, struct str owner)
{
    (void)owner;
    deed_lock(d, part, LOCK_ACCESS_EXCLUSIVE, false);
}

static void own_part(struct deed *d, struct catalog_relation *part, struct str owner)
{
    (void)d;
    part->owner = owner;
}

void owner_lock(struct deed *d, struct catalog_relation *r, bool is_named)
{
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, is_named);
    each_part(d, r, lock_part, (struct str){0});
}

void owner_fold(struct deed *d, struct catalog_relation *r, struct str owner)
{
    r->owner = arena_str(d->catalog->arena, owner);
    each_part(d, r, own_part, r->owner);
}

/* ---- types, schemas, functions ---- */

void predict_set_owner(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterOwnerStmt *set = node->alter_owner_stmt;
    if (set->object_type != PG_QUERY__OBJECT_TYPE__OBJECT_TYPE || !set->object ||
        set->object->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    struct str schema;
    struct str name;
    deed_split_name(set->object->list->items, set->object->list->n_items, &schema, &name);
    const struct catalog_type *t = catalog_find_type(d->catalog, schema, name);
    if (t && t->composite && t->composite->kind == RELATION_COMPOSITE_TYPE)
        deed_lock(d, t->composite, LOCK_ACCESS_EXCLUSIVE, true);
}

void fold_set_owner(struct deed *d, const PgQuery__Node *node)
{
    (void)d; /* only relations have an owner that we keep, and those are ALTER TABLE's */
    (void)node;
}

/* ---- all that a role owns ---- */

bool owner_is_one_of(const struct catalog_relation *r, PgQuery__Node *const *roles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (roles[i]->node_case == PG_QUERY__NODE__NODE_ROLE_SPEC &&
            str_equal(r->owner, owner_of_role(roles[i]->role_spec)))
            return true;
    }
    return false;
}

static struct dependants owned(struct deed *d, const PgQuery__DropOwnedStmt *drop)
{
    struct dependants set = dependants_make(d);
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        struct catalog_relation *r = d->catalog->relations.at[i];
        if (!r->is_dropped && !r->index && owner_is_one_of(r, drop->roles, drop->n_roles))
            dependants_add_relation(&set, r);
    }
    dependants_close(&set);
    return set;
}

void predict_drop_owned(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case == PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT) {
        const PgQuery__ReassignOwnedStmt *reassign = node->reassign_owned_stmt;
        for (size_t i = 0; i < d->catalog->relations.count; i++) {
            struct catalog_relation *r = d->catalog->relations.at[i];
            if (!r->is_dropped && !r->index &&
                owner_is_one_of(r, reassign->roles, reassign->n_roles))
                owner_lock(d, r, false);
        }
        return;
    }
    const PgQuery__DropOwnedStmt *drop = node->drop_owned_stmt;
    struct dependants set = owned(d, drop);
    if (drop->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        dependants_refuse(&set);
    dependants_lock(&set);
    dependants_lose(&set);
}

void fold_drop_owned(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case == PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT) {
        const PgQuery__ReassignOwnedStmt *reassign = node->reassign_owned_stmt;
        struct str owner = arena_str(d->catalog->arena, owner_of_role(reassign->newrole));
        for (size_t i = 0; i < d->catalog->relations.count; i++) {
            struct catalog_relation *r = d->catalog->relations.at[i];
            if (!r->is_dropped && owner_is_one_of(r, reassign->roles, reassign->n_roles))
                r->owner = owner;
        }
        return;
    }
    const PgQuery__DropOwnedStmt *drop = node->drop_owned_stmt;
    struct dependants set = owned(d, drop);
    if (drop->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE || !dependants_blocked(&set))
        dependants_fold(&set);
}
