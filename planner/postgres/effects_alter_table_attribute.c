/* ALTER TABLE … ALTER COLUMN: NOT NULL, DEFAULT, identity, generated, storage. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/visited.h"

#define AT_TYPE(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name

void see_column_exists(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    if (cmd->name[0])
        (void)alter_column(t, r, cmd->name, NULL);
}

void see_default(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (!column)
        return;
    if (column->identity && !alter_also(t, AT_TYPE(DropIdentity), cmd->name, false))
        deed_fails(t->d, "column \"%s\" is an identity column", cmd->name);
    if (column->generated && !alter_also(t, AT_TYPE(DropExpression), cmd->name, false))
        deed_fails(t->d, "column \"%s\" is a generated column", cmd->name);
}

/* The column's indexes are opened in the mode of the statement, and every other one of the table on
   the way there. */
void see_storage(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    (void)alter_column(t, r, cmd->name, NULL);
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped && !alter_drops_index(t, r->indexes.at[i]))
            deed_lock(t->d, r->indexes.at[i], t->mode, false);
    }
}

/* ---- NOT NULL ---- */

static bool is_dropped_here(const struct altering *t, const struct catalog_constraint *k)
{
    for (size_t i = 0; i < t->dropped_constraints.count; i++) {
        if (t->dropped_constraints.at[i] == k)
            return true;
    }
    return false;
}

bool alter_must_prove_not_null(struct altering *t, struct catalog_relation *r,
                               const struct catalog_column *column)
{
    if (column->is_not_null)
        return false;
    for (size_t i = 0; i < r->constraints.count; i++) {
        const struct catalog_constraint *k = r->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_CHECK || !k->is_valid || !k->is_enforced ||
            is_dropped_here(t, k))
            continue;
        if (expression_proves_not_null(t->d->catalog, r, expression_tree(t->d->catalog, &k->check),
                                       column))
            return false;
    }
    return true;
}

void alter_prove_not_null(struct altering *t, struct catalog_relation *r, const char *name)
{
    bool is_new = false;
    const struct catalog_column *column = alter_column(t, r, name, &is_new);
    const struct catalog_constraint *k = column ? not_null_of(r, column) : NULL;
    if (is_new || t->is_stand_in || (k && !k->is_valid) ||
        (column && alter_must_prove_not_null(t, r, column)))
        alter_scans(t, r, "the column must hold no NULL");
}

struct set_not_null {
    struct altering *t;
    const char *name;
};
static bool set_on_child(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct set_not_null *set = context;
    const struct catalog_column *column = catalog_find_column(r, str_of(set->name));
    alter_lock(set->t, r);
    alter_prove_not_null(set->t, r, set->name);
    /* From 18 on one that has the constraint answers for those below it. */
    const struct catalog_constraint *own = column ? not_null_of(r, column) : NULL;
    return d->major < 18 || !own || !own->is_valid;
}

/* ONLY does where the partitions have it already, or before 18 can prove it. */
static void require_of_partitions(struct altering *t, struct catalog_relation *r, const char *name)
{
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        const struct catalog_column *column = catalog_find_column(child, str_of(name));
        if (child->is_dropped || !column)
            continue;
        alter_lock(t, child);
        if (t->d->major >= 18 || alter_must_prove_not_null(t, child, column))
            deed_fails(t->d, "NOT NULL must be added to the partitions too");
    }
}

/* Before 18 the children of a partitioned table are known to be NOT NULL where it is; from 18 on
   those of every table, by its constraint. */
void see_set_not_null(struct altering *t, struct catalog_relation *r,
                      const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    bool is_set = column && column->is_not_null && (is_partitioned(r) || t->d->major >= 18);
    alter_prove_not_null(t, r, cmd->name);
    if (t->is_only && is_partitioned(r) && !is_set)
        require_of_partitions(t, r, cmd->name);
    struct set_not_null set = {t, cmd->name};
    if (!t->is_only && !is_set)
        deed_each_child(t->d, r, set_on_child, &set);
}

/* Children whose NOT NULL is their parent's alone follow; all of them are locked. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void drop_not_null(struct altering *t, struct catalog_relation *r, struct str name,
                          struct visited *done)
{
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        const struct catalog_column *column = catalog_find_column(child, name);
        if (!column || !deed_is_next(t->d, done, child))
            continue;
        alter_lock(t, child);
        const struct catalog_constraint *k = not_null_of(child, column);
        if (t->d->major < 18 || (k && !k->is_local && !t->is_only))
            drop_not_null(t, child, name, done);
    }
}

static bool is_in_key(const struct catalog_relation *r, const struct catalog_column *column)
{
    const struct catalog_constraint *primary = catalog_primary_key(r);
    for (size_t i = 0; primary && i < primary->columns.count; i++) {
        if (primary->columns.at[i] == column)
            return true;
    }
    return false;
}

void see_drop_not_null(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (!column)
        return;
    const struct catalog_constraint *primary = catalog_primary_key(r);
    if (column->is_not_null && is_in_key(r, column) && !is_dropped_here(t, primary))
        deed_fails(t->d, "column \"%s\" is in a primary key", cmd->name);
    if (column->identity && !alter_also(t, AT_TYPE(DropIdentity), cmd->name, false))
        deed_fails(t->d, "column \"%s\" is an identity column", cmd->name);
    if (t->d->major < 18 && t->is_only && is_partitioned(r) && has_children(r))
        deed_fails(t->d, "NOT NULL cannot be dropped on the partitioned table only");
    for (size_t i = 0; r->is_partition && i < r->parents.count; i++) {
        const struct catalog_column *theirs = catalog_find_column(r->parents.at[i], column->name);
        if (theirs && theirs->is_not_null)
            deed_fails(t->d, "column \"%s\" is NOT NULL in the partitioned table", cmd->name);
    }
    const struct catalog_constraint *k = not_null_of(r, column);
    if (t->d->major >= 18 ? k && !k->is_no_inherit : !t->is_only)
        drop_not_null(t, r, column->name, &(struct visited){0});
}

/* ---- identity ---- */

/* From 17 on partitions have their table's identity. */
static void lock_partitions(struct altering *t, const struct catalog_relation *r)
{
    if (t->d->major >= 17 && is_partitioned(r) && !t->is_only)
        alter_lock_children(t, r);
    if (t->d->major >= 17 && is_partitioned(r) && t->is_only && has_children(r))
        deed_fails(t->d, "identity of a partitioned table is that of its partitions too");
    if (t->d->major >= 17 && r->is_partition)
        deed_fails(t->d, "identity is the partitioned table's, not a partition's");
}

void see_add_identity(struct altering *t, struct catalog_relation *r,
                      const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (column && !column->is_not_null && !alter_also(t, AT_TYPE(SetNotNull), cmd->name, false))
        deed_fails(t->d, "column \"%s\" must be NOT NULL before it gets an identity", cmd->name);
    bool has_identity =
        column && column->identity && !alter_also(t, AT_TYPE(DropIdentity), cmd->name, false);
    bool has_default = column && catalog_has_expression(&column->default_value) &&
                       !alter_also(t, AT_TYPE(ColumnDefault), cmd->name, true);
    if (has_identity || has_default)
        deed_fails(t->d, "column \"%s\" has a default or an identity already", cmd->name);
    lock_partitions(t, r);
}

static void lock_sequence(struct altering *t, const struct catalog_column *column,
                          enum lock_mode mode)
{
    if (relation_is_there(column->sequence))
        deed_lock(t->d, column->sequence, mode, false);
}

void see_set_identity(struct altering *t, struct catalog_relation *r,
                      const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (!column)
        return;
    if (!column->identity)
        deed_fails(t->d, "column \"%s\" is not an identity column", cmd->name);
    lock_sequence(t, column, LOCK_SHARE_ROW_EXCLUSIVE);
    lock_partitions(t, r);
}

void see_drop_identity(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (!column)
        return;
    if (!column->identity) {
        if (!cmd->missing_ok)
            deed_fails(t->d, "column \"%s\" is not an identity column", cmd->name);
        return;
    }
    lock_sequence(t, column, LOCK_ACCESS_EXCLUSIVE);
    lock_partitions(t, r);
}

/* ---- generated columns ---- */

void see_drop_expression(struct altering *t, struct catalog_relation *r,
                         const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (!column)
        return;
    if (column->generated == 'v')
        deed_fails(t->d, "column \"%s\" is a virtual generated column", cmd->name);
    if (!column->generated && !cmd->missing_ok)
        deed_fails(t->d, "column \"%s\" is not a generated column", cmd->name);
    /* Below the first level the server takes children for forgotten ones. */
    if ((t->is_only || r != t->r) && has_children(r))
        deed_fails(t->d, "the expression must be dropped in child tables too");
}

void see_set_expression(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_column *column = alter_column(t, r, cmd->name, NULL);
    if (!column)
        return;
    if (!column->generated)
        deed_fails(t->d, "column \"%s\" is not a generated column", cmd->name);
    for (size_t i = 0; column->generated == 'v' && i < r->constraints.count; i++) {
        if (!r->constraints.at[i]->is_dropped && r->constraints.at[i]->kind == CONSTRAINT_CHECK)
            deed_fails(t->d,
                       "the expression of a virtual column cannot change in a table with CHECKs");
    }
    if (column->generated == 's')
        alter_rewrites(t, r, "the generated column is computed again for every row");
}
