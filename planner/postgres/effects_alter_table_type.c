/* ALTER TABLE … ALTER COLUMN … TYPE: what becomes of the rows, and what is over the column. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/dependants.h"
#include "planner/postgres/effects_query.h"

/* A change of one column, seen on one table. */
struct change {
    struct altering *t;
    struct catalog_relation *r;
    struct catalog_column *column;
    struct type_ref to;
    bool is_rewrite;
    bool is_collation_new;
};

/* ---- what forbids it ---- */

/* A generated column that the statement drops, or makes a plain one: both happen before types change. */
static bool is_let_go(const struct altering *t, const struct catalog_column *column)
{
    const char *name = arena_printf(t->d->a, "%.*s", STR_ARG(column->name));
    return alter_drops_column(t, column) ||
           alter_also(t, PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression, name, false);
}

/* tablecmds.c, RememberAllDependentForRebuilding(): the first of what hangs on the column. */
static const char *holder(const struct change *c, const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_RELATION:
        return one->as_relation->index || one->as_relation->sequence ? NULL : "a view";
    case DEPENDANT_RULE:
        return one->rule->is_policy ? "a policy" : "a rule";
    case DEPENDANT_TRIGGER:
        return "a trigger";
    case DEPENDANT_FUNCTION:
        return c->t->d->major >= 14 ? "a function" : NULL;
    case DEPENDANT_COLUMN:
        return one->column != c->column && !is_let_go(c->t, one->column) ? "a generated column"
                                                                         : NULL;
    default:
        return NULL;
    }
}

static void refuse_held(const struct change *c)
{
    struct dependants set = dependants_make(c->t->d);
    dependants_add_column(&set, c->r, c->column);
    dependants_close(&set);
    for (size_t i = 1; i < set.all.count; i++) {
        const char *what = set.all.at[i].because == 0 ? holder(c, &set.all.at[i]) : NULL;
        if (what)
            deed_fails(c->t->d, "%s uses column \"%.*s\": its type cannot change", what,
                       STR_ARG(c->column->name));
    }
}

/* A child that has the column from a parent outside the statement's reach as well. */
static void refuse_other_parents(const struct change *c)
{
    for (size_t i = 0; c->r != c->t->r && i < c->r->parents.count; i++) {
        const struct catalog_relation *parent = c->r->parents.at[i];
        if (catalog_find_column(parent, c->column->name) &&
            !deed_is_or_inherits(c->t->d, parent, c->t->r))
            deed_fails(c->t->d, "column \"%.*s\" of \"%.*s\" is inherited from \"%.*s\", too",
                       STR_ARG(c->column->name), STR_ARG(c->r->name), STR_ARG(parent->name));
    }
}

static void refuse(const struct change *c)
{
    struct altering *t = c->t;
    for (size_t i = 0; i < c->r->partition_keys.count; i++) {
        const struct index_key *key = &c->r->partition_keys.at[i];
        if (key->column == c->column ||
            (!key->column && expression_mentions(t->d->catalog, &key->expression, c->r, c->column)))
            deed_fails(t->d, "column \"%.*s\" is part of the partition key",
                       STR_ARG(c->column->name));
    }
    if (c->r == t->r && c->column->is_inherited && c->r->parents.count)
        deed_fails(t->d, "the type of inherited column \"%.*s\" cannot change",
                   STR_ARG(c->column->name));
    if (t->is_only && has_children(c->r))
        deed_fails(t->d, "the type must change in child tables too");
    if (c->r->of_type && c->r == t->r)
        deed_fails(t->d, "the type of a typed table's column cannot change");
    refuse_other_parents(c);
    refuse_held(c);
}

/* A composite type, or the row type of a table, that is the type of a column elsewhere. */
static void refuse_used_type(const struct change *c)
{
    const struct catalog *all = c->t->d->catalog;
    bool may_be_used = c->r->row_type && c->r->row_type->may_be_used;
    for (size_t i = 0; may_be_used && i < all->relations.count; i++) {
        const struct catalog_relation *other = all->relations.at[i];
        for (size_t n = 0; n < other->columns.count && !other->is_dropped; n++) {
            const struct catalog_column *column = other->columns.at[n];
            if (!column->is_dropped && column->type.user == c->r->row_type)
                deed_fails(c->t->d, "column \"%.*s.%.*s\" has this type", STR_ARG(other->name),
                           STR_ARG(column->name));
        }
    }
}

/* A default is cast by itself, whatever USING says. */
static void refuse_default(const struct change *c, const char *name)
{
    struct altering *t = c->t;
    if (!catalog_has_expression(&c->column->default_value) || c->column->generated ||
        alter_also(t, PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault, name, true))
        return;
    if (type_change(t->d->catalog, &c->column->type, &c->to, (struct str){0}) ==
        TYPE_CHANGE_IMPOSSIBLE)
        deed_fails(t->d,
                   "the default of column \"%s\" cannot be cast to its new type: drop it first",
                   name);
}

/* ---- indexes ---- */

/* indexcmds.c: CheckIndexCompatible(). Expressions and predicates are not compared: they are built
   again; and so are indexes that come from that of a partitioned table. */
static bool keeps_index(const struct change *c, const struct catalog_index *index)
{
    if (c->is_rewrite || !index->is_valid || relation_is_there(index->parent) ||
        catalog_has_expression(&index->predicate))
        return false;
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        if (!key->column)
            return false;
        if (key->column != c->column || key->is_included)
            continue;
        if ((c->is_collation_new && !key->collation.len) ||
            type_change_rebuilds_index(c->t->d->catalog, &c->column->type, &c->to, index->method,
                                       key->opclass))
            return false;
    }
    return true;
}

bool index_is_over(struct deed *d, const struct catalog_index *index,
                   const struct catalog_column *column)
{
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        if (key->column == column ||
            (!key->column &&
             expression_mentions(d->catalog, &key->expression, index->table, column)))
            return true;
    }
    return catalog_has_expression(&index->predicate) &&
           expression_mentions(d->catalog, &index->predicate, index->table, column);
}

static void remake_indexes(const struct change *c)
{
    struct altering *t = c->t;
    for (size_t i = 0; i < c->r->indexes.count; i++) {
        struct catalog_relation *index = c->r->indexes.at[i];
        if (index->is_dropped || alter_drops_index(t, index) ||
            !index_is_over(t->d, index->index, c->column))
            continue;
        deed_lock(t->d, index, LOCK_ACCESS_EXCLUSIVE, false);
        struct rebuilt_index one = {index, keeps_index(c, index->index)};
        vec_push(t->d->a, &alter_table_of(t, c->r)->rebuilt, one);
        if (!relation_is_there(index->index->parent) && !is_partitioned(c->r))
            continue;
        vec_push(t->d->a, &t->freed_indexes, index);
        if (index->index->constraint)
            vec_push(t->d->a, &t->freed_constraints, index->index->constraint);
    }
}

/* ---- constraints ---- */

static bool has_column(struct catalog_column *const *at, size_t count,
                       const struct catalog_column *column)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i] == column)
            return true;
    }
    return false;
}

static bool lock_referenced(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)context;
    /* Before 15 partitioned tables have no triggers of foreign keys themselves. */
    deed_lock(d, r,
              is_partitioned(r) && d->major < 15 ? LOCK_SHARE_ROW_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE,
              false);
    return is_partitioned(r);
}

void alter_lock_referenced(struct altering *t, struct catalog_relation *referenced)
{
    if (lock_referenced(t->d, referenced, NULL))
        deed_each_child(t->d, referenced, lock_referenced, NULL);
}

void alter_lock_foreign_key(struct altering *t, const struct catalog_constraint *k)
{
    deed_lock(t->d, k->relation, LOCK_ACCESS_EXCLUSIVE, k->relation == t->r);
    if (relation_is_there(k->referenced))
        alter_lock_referenced(t, k->referenced);
}

/* A foreign key is made anew; its rows are checked again where values are compared in another way
   (TryReuseForeignKey). */
static void remake_foreign_key(const struct change *c, struct catalog_constraint *k)
{
    struct altering *t = c->t;
    alter_lock_foreign_key(t, k);
    bool is_compared_anew =
        c->is_rewrite || type_change_rebuilds_index(t->d->catalog, &c->column->type, &c->to,
                                                    STR("btree"), (struct str){0});
    if (!k->is_valid || !k->is_enforced || !relation_has_storage(k->relation))
        return;
    if (is_compared_anew)
        deed_scan_rows(t->d, k->relation, "a foreign key is checked again");
    else
        vec_push(t->d->a, &alter_table_of(t, c->r)->remade, k);
}

/* Whatever column it is for which the table is rewritten: all foreign keys made anew are checked
   (ATPostAlterTypeParse() reuses them only without a rewrite). */
void alter_check_remade_keys(struct altering *t)
{
    for (size_t i = 0; i < t->tables.count; i++) {
        const struct altered *table = t->tables.at[i];
        for (size_t j = 0; table->changes_rows && j < table->remade.count; j++)
            deed_scan_rows(t->d, table->remade.at[j]->relation, "a foreign key is checked again");
    }
}

static void remake_constraints(const struct change *c)
{
    struct altering *t = c->t;
    for (size_t i = 0; i < c->r->constraints.count; i++) {
        struct catalog_constraint *k = c->r->constraints.at[i];
        if (k->is_dropped || alter_constraint(t, c->r, k->name) != k)
            continue;
        if (k->kind == CONSTRAINT_FOREIGN_KEY &&
            has_column(k->columns.at, k->columns.count, c->column))
            remake_foreign_key(c, k);
        if (k->kind == CONSTRAINT_CHECK && k->is_valid && k->is_enforced &&
            expression_mentions(t->d->catalog, &k->check, c->r, c->column))
            alter_scans(t, c->r, "a CHECK over the column is tested again");
    }
    for (size_t i = 0; i < c->r->referencing.count; i++) {
        struct catalog_constraint *k = c->r->referencing.at[i];
        if (!k->is_dropped && !k->relation->is_dropped &&
            has_column(k->referenced_columns.at, k->referenced_columns.count, c->column))
            remake_foreign_key(c, k);
    }
}

/* ---- the change ---- */

static struct str collation_of(const PgQuery__ColumnDef *def)
{
    struct str schema;
    struct str name = {0};
    if (def->coll_clause)
        deed_split_name(def->coll_clause->collname, def->coll_clause->n_collname, &schema, &name);
    return str_equal(name, STR("default")) ? (struct str){0} : name;
}

static void change_unknown(struct altering *t, struct catalog_relation *r)
{
    alter_rewrites(t, r, "the column's old type is not known: it may be stored in another form");
}

static void change_typed_tables(struct altering *t, struct catalog_relation *r,
                                const PgQuery__AlterTableCmd *cmd);

static void change_type(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    bool is_new = false;
    struct change c = {.t = t, .r = r, .column = alter_column(t, r, cmd->name, &is_new)};
    if (t->is_stand_in)
        change_unknown(t, r);
    if (!c.column || !def->type_name)
        return;
    c.to = deed_type(t->d, def->type_name);
    refuse(&c);
    enum type_change change = type_change_using(t->d->catalog, c.column, &c.to, def->raw_default,
                                                catalog_setting(t->d->catalog, "timezone"));
    if (change == TYPE_CHANGE_IMPOSSIBLE)
        deed_fails(t->d,
                   "column \"%s\" cannot be cast automatically to its new type: USING is needed",
                   cmd->name);
    c.is_rewrite = change == TYPE_CHANGE_REWRITE || change == TYPE_CHANGE_IMPOSSIBLE ||
                   change == TYPE_CHANGE_UNKNOWN;
    c.is_rewrite &= c.column->generated != 'v'; /* nothing of it is stored */
    struct str collation = collation_of(def);
    c.is_collation_new = !str_equal(collation, c.column->collation);
    if (c.is_rewrite)
        alter_table_of(t, r)->changes_rows = true;
    if (c.is_rewrite && def->raw_default && deed_has_rows(r))
        query_run_expression(t->d, def->raw_default, r);
    if (c.is_rewrite)
        alter_rewrites(t, r,
                       change == TYPE_CHANGE_UNKNOWN
                           ? "a type is not known: rows may be stored in another form"
                           : "the column's type changes its stored form");
    refuse_used_type(&c);
    refuse_default(&c, cmd->name);
    remake_indexes(&c);
    remake_constraints(&c);
    if (c.column->identity && relation_is_there(c.column->sequence))
        deed_lock(t->d, c.column->sequence, LOCK_SHARE_ROW_EXCLUSIVE, false);
}

static void change_typed_tables(struct altering *t, struct catalog_relation *r,
                                const PgQuery__AlterTableCmd *cmd)
{
    for (size_t i = 0; i < t->d->catalog->relations.count; i++) {
        struct catalog_relation *other = t->d->catalog->relations.at[i];
        if (other->is_dropped || !other->of_type || other->of_type->composite != r)
            continue;
        if (cmd->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
            deed_fails(t->d, "type \"%.*s\" is the type of table \"%.*s\": CASCADE is needed",
                       STR_ARG(r->name), STR_ARG(other->name));
        alter_lock(t, other);
        change_type(t, other, cmd);
    }
}

void see_column_type(struct altering *t, struct catalog_relation *r,
                     const PgQuery__AlterTableCmd *cmd)
{
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF)
        return;
    change_type(t, r, cmd);
    if (r->kind == RELATION_COMPOSITE_TYPE)
        change_typed_tables(t, r, cmd);
}
