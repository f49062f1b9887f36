/* What ALTER TABLE makes of columns in the catalog. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/dependants.h"

static const PgQuery__ColumnDef *definition(const PgQuery__AlterTableCmd *cmd)
{
    bool is_column = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF;
    return is_column ? cmd->def->column_def : NULL;
}

/* A sub-command on every child, unless ONLY. */
struct each {
    struct altering *t;
    const PgQuery__AlterTableCmd *cmd;
    void (*change)(struct altering *t, struct catalog_relation *r, struct catalog_column *column,
                   const PgQuery__AlterTableCmd *cmd);
};
static bool change_child(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    const struct each *each = context;
    struct catalog_column *column = catalog_find_column(r, str_of(each->cmd->name));
    if (column)
        each->change(each->t, r, column, each->cmd);
    return true;
}
static void change_each(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd,
                        void (*change)(struct altering *, struct catalog_relation *,
                                       struct catalog_column *, const PgQuery__AlterTableCmd *))
{
    struct each each = {t, cmd, change};
    (void)change_child(t->d, r, &each);
    if (!t->is_only)
        deed_each_child(t->d, r, change_child, &each);
}

/* ---- ADD COLUMN ---- */

/* What a child gets of a column of its parent. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void add_to_children(struct altering *t, struct catalog_relation *r,
                            const struct catalog_column *from)
{
    for (size_t i = 0; i < r->children.count && !t->is_only; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (child->is_dropped)
            continue;
        struct catalog_column *own = catalog_find_column(child, from->name);
        if (own) {
            own->is_inherited = true;
            continue;
        }
        own = catalog_add_column(t->d->catalog, child, from->name, &from->type);
        own->collation = from->collation;
        own->default_value = from->default_value;
        own->generated = from->generated;
        own->identity = child->is_partition ? from->identity : 0;
        own->is_inherited = true;
        own->is_local = false;
        if (from->is_not_null)
            fold_not_null(t->d, child, own, (struct str){0}, true, true);
        add_to_children(t, child, own);
    }
}

static void add_to(struct altering *t, struct catalog_relation *r, const PgQuery__ColumnDef *def)
{
    if (catalog_find_column(r, str_of(def->colname)))
        return;
    struct catalog_column *column = fold_column(t->d, r, def);
    column->has_missing_value = relation_has_storage(r) && column_default_tree(def) &&
                                !column->generated && deed_has_rows(r);
    struct constraint_sources sources = {0};
    constraint_sources_of_column(t->d->a, def, &sources);
    fold_constraints(t->d, r, &sources, t->is_only ? FOLD_ONLY : 0);
    add_to_children(t, r, column);
}

void fold_alter_add_column(struct altering *t, struct catalog_relation *r,
                           const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__ColumnDef *def = definition(cmd);
    if (!def)
        return;
    add_to(t, r, def);
    if (r->kind != RELATION_COMPOSITE_TYPE)
        return;
    for (size_t i = 0; i < t->d->catalog->relations.count; i++) {
        struct catalog_relation *other = t->d->catalog->relations.at[i];
        if (!other->is_dropped && other->of_type && other->of_type->composite == r)
            add_to(t, other, def);
    }
}

/* ---- DROP COLUMN ---- */

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void drop_from(struct altering *t, struct dependants *set, struct catalog_relation *r,
                      struct catalog_column *column)
{
    dependants_add_column(set, r, column);
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        struct catalog_column *theirs = catalog_find_column(child, column->name);
        if (child->is_dropped || !theirs)
            continue;
        size_t parents = 0;
        for (size_t n = 0; n < child->parents.count; n++)
            parents += catalog_find_column(child->parents.at[n], column->name) != NULL;
        if (parents > 1)
            continue;
        if (!t->is_only && (!theirs->is_local || child->is_partition)) {
            drop_from(t, set, child, theirs);
        } else {
            theirs->is_inherited = false;
            theirs->is_local = true;
        }
    }
}

void fold_alter_drop_column(struct altering *t, struct catalog_relation *r,
                            const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_column *column = catalog_find_column(r, str_of(cmd->name));
    if (!column)
        return;
    struct dependants set = dependants_make(t->d);
    drop_from(t, &set, r, column);
    bool is_type = r->kind == RELATION_COMPOSITE_TYPE;
    for (size_t i = 0; is_type && i < t->d->catalog->relations.count; i++) {
        struct catalog_relation *other = t->d->catalog->relations.at[i];
        bool is_typed = !other->is_dropped && other->of_type && other->of_type->composite == r;
        struct catalog_column *theirs =
            is_typed ? catalog_find_column(other, str_of(cmd->name)) : NULL;
        if (theirs)
            drop_from(t, &set, other, theirs);
    }
    dependants_close(&set);
    dependants_fold(&set);
}

/* ---- type ---- */

/* Indexes that come from one of a partitioned table are made anew from it, under names chosen again. */
static void rename_indexes(struct altering *t, struct catalog_relation *r,
                           const struct catalog_column *column)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        struct catalog_relation *index = r->indexes.at[i];
        if (index->is_dropped || !relation_is_there(index->index->parent) ||
            !index_is_over(t->d, index->index, column))
            continue;
        struct catalog_constraint *k = index->index->constraint;
        const struct name_changes changes = {
            .freed = &index,
            .freed_count = 1,
            .freed_constraints = &k,
            .freed_constraint_count = k ? 1 : 0,
        };
        struct str name =
            index_choose_name_after(t->d, r, index->index, index_purpose(index->index), &changes);
        if (str_equal(name, index->name))
            continue;
        catalog_rename_relation(t->d->catalog, index, index->schema, name);
        if (k)
            catalog_rename_constraint(t->d->catalog, k, index->name);
    }
}

static void set_type(struct altering *t, struct catalog_relation *r, struct catalog_column *column,
                     const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    rename_indexes(t, r, column);
    struct arena *a = t->d->catalog->arena;
    column->type = deed_type(t->d, def->type_name);
    if (column->type.user)
        column->type.user->may_be_used = true;
    column->type.builtin = arena_str(a, column->type.builtin);
    column->type.unknown = arena_str(a, column->type.unknown);
    struct str schema;
    struct str name = {0};
    if (def->coll_clause)
        deed_split_name(def->coll_clause->collname, def->coll_clause->n_collname, &schema, &name);
    column->collation = arena_str(a, name);
    column->has_missing_value = false;
    if (column->identity && relation_is_there(column->sequence))
        column->sequence->sequence->type = type_base(&column->type);
}

void fold_alter_column_type(struct altering *t, struct catalog_relation *r,
                            const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__ColumnDef *def = definition(cmd);
    if (!def || !def->type_name)
        return;
    change_each(t, r, cmd, set_type);
    if (r->kind != RELATION_COMPOSITE_TYPE)
        return;
    for (size_t i = 0; i < t->d->catalog->relations.count; i++) {
        struct catalog_relation *other = t->d->catalog->relations.at[i];
        if (!other->is_dropped && other->of_type && other->of_type->composite == r)
            change_each(t, other, cmd, set_type);
    }
}

/* ---- attributes ---- */

/* The sequence of a serial column is the one that it owns, as long as it has a default. */
static void find_serial(const struct catalog_relation *r, struct catalog_column *column)
{
    column->sequence = NULL;
    size_t next = 0;
    struct catalog_relation *s;
    while (catalog_has_expression(&column->default_value) && (s = catalog_next_owned(r, &next))) {
        if (s->sequence->owner_column == column)
            column->sequence = s;
    }
}

static void set_default(struct altering *t, struct catalog_relation *r,
                        struct catalog_column *column, const PgQuery__AlterTableCmd *cmd)
{
    column->default_value =
        cmd->def ? deed_keep_expression(t->d, cmd->def) : (struct catalog_expression){0};
    if (!column->identity)
        find_serial(r, column);
}

void fold_alter_default(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    change_each(t, r, cmd, set_default);
}

static void set_not_null(struct altering *t, struct catalog_relation *r,
                         struct catalog_column *column, const PgQuery__AlterTableCmd *cmd)
{
    (void)cmd;
    /* A child's has the name of the parent's. */
    const struct catalog_column *above = catalog_find_column(t->r, column->name);
    const struct catalog_constraint *k = above ? not_null_of(t->r, above) : NULL;
    fold_not_null(t->d, r, column, k ? k->name : (struct str){0}, true, r != t->r);
}

void fold_alter_set_not_null(struct altering *t, struct catalog_relation *r,
                             const PgQuery__AlterTableCmd *cmd)
{
    change_each(t, r, cmd, set_not_null);
}

static void drop_not_null(struct altering *t, struct catalog_relation *r,
                          struct catalog_column *column, const PgQuery__AlterTableCmd *cmd)
{
    (void)cmd;
    for (size_t i = 0; i < r->constraints.count; i++) {
        struct catalog_constraint *k = r->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_NOT_NULL || k->columns.count != 1 ||
            k->columns.at[0] != column)
            continue;
        if (r != t->r && k->is_local)
            return;
        k->is_dropped = true;
    }
    column->is_not_null = false;
}

void fold_alter_drop_not_null(struct altering *t, struct catalog_relation *r,
                              const PgQuery__AlterTableCmd *cmd)
{
    change_each(t, r, cmd, drop_not_null);
}

static const PgQuery__Constraint *identity_of(const PgQuery__AlterTableCmd *cmd)
{
    bool is_constraint = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT;
    return is_constraint ? cmd->def->constraint : NULL;
}

void fold_alter_add_identity(struct altering *t, struct catalog_relation *r,
                             const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_column *column = catalog_find_column(r, str_of(cmd->name));
    const PgQuery__Constraint *k = identity_of(cmd);
    if (!column || !k || column->identity)
        return;
    column->identity = k->generated_when[0] == 'd' ? 'd' : 'a';
    fold_owned_sequence(t->d, r, column, true, k->options, k->n_options);
}

void fold_alter_set_identity(struct altering *t, struct catalog_relation *r,
                             const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    struct catalog_column *column = catalog_find_column(r, str_of(cmd->name));
    if (!column || !cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    for (size_t i = 0; i < cmd->def->list->n_items; i++) {
        const PgQuery__Node *n = cmd->def->list->items[i];
        if (n && n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM && n->def_elem->arg &&
            n->def_elem->arg->node_case == PG_QUERY__NODE__NODE_INTEGER &&
            strcmp(n->def_elem->defname, "generated") == 0)
            column->identity = (char)n->def_elem->arg->integer->ival;
    }
}

void fold_alter_drop_identity(struct altering *t, struct catalog_relation *r,
                              const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_column *column = catalog_find_column(r, str_of(cmd->name));
    if (!column || !column->identity)
        return;
    column->identity = 0;
    if (relation_is_there(column->sequence))
        catalog_drop_relation(t->d->catalog, column->sequence);
    column->sequence = NULL;
}

static void drop_expression(struct altering *t, struct catalog_relation *r,
                            struct catalog_column *column, const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    (void)r;
    (void)cmd;
    if (!column->generated)
        return;
    column->generated = 0;
    column->default_value = (struct catalog_expression){0};
}

void fold_alter_drop_expression(struct altering *t, struct catalog_relation *r,
                                const PgQuery__AlterTableCmd *cmd)
{
    change_each(t, r, cmd, drop_expression);
}

void fold_alter_set_expression(struct altering *t, struct catalog_relation *r,
                               const PgQuery__AlterTableCmd *cmd)
{
    change_each(t, r, cmd, set_default);
}
