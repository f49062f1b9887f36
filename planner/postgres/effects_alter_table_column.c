/* ALTER TABLE … ADD COLUMN and DROP COLUMN. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/dependants.h"
#include "planner/postgres/effects_query.h"

static const PgQuery__ColumnDef *definition(const PgQuery__AlterTableCmd *cmd)
{
    bool is_column = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF;
    return is_column ? cmd->def->column_def : NULL;
}

/* ---- typed tables ---- */

/* tablecmds.c: ATTypedTableRecursion(). Tables OF a composite type follow it with CASCADE only. */
static void each_typed_table(struct altering *t, const struct catalog_relation *r,
                             const PgQuery__AlterTableCmd *cmd, alter_look *look)
{
    if (r->kind != RELATION_COMPOSITE_TYPE)
        return;
    for (size_t i = 0; i < t->d->catalog->relations.count; i++) {
        struct catalog_relation *other = t->d->catalog->relations.at[i];
        if (other->is_dropped || !other->of_type || other->of_type->composite != r)
            continue;
        if (cmd->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
            deed_fails(t->d, "type \"%.*s\" is the type of table \"%.*s\": CASCADE is needed",
                       STR_ARG(r->name), STR_ARG(other->name));
        alter_lock(t, other);
        look(t, other, cmd);
    }
}

/* ---- ADD COLUMN ---- */

/* Sequences that the default advances, once for each row. */
static void lock_sequences(struct altering *t, struct catalog_relation *r,
                           const PgQuery__Node *tree)
{
    struct query_uses uses = {0};
    query_uses_expression(t->d, tree, r, &uses);
    for (size_t i = 0; i < uses.sequences.count; i++) {
        bool is_sequence = uses.sequences.at[i]->kind == RELATION_SEQUENCE;
        if (is_sequence && deed_has_rows(r))
            deed_lock(t->d, uses.sequences.at[i], LOCK_ROW_EXCLUSIVE, false);
    }
}

/* Why the rows have to be written to get the new column; NULL: the catalog remembers one value for
   all of them (ATExecAddColumn(), StoreAttrMissingVal()). */
static const char *why_rewritten(struct altering *t, const PgQuery__ColumnDef *def,
                                 const PgQuery__Node *tree, const struct type_ref *type,
                                 bool is_serial)
{
    if (is_serial || column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY))
        return "every row gets a number of its own";
    if (column_is_virtual(def))
        return NULL;
    if (column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED))
        return "the generated column is computed for every row";
    if (type_is_constrained_domain(type))
        return "the domain's constraints are checked for every row";
    if (!tree && type_default(type))
        tree = expression_tree(t->d->catalog, type_default(type));
    if (!tree)
        return NULL;
    enum volatility volatility = expression_volatility(t->d->catalog, tree);
    return volatility == VOLATILITY_VOLATILE || volatility == VOLATILITY_UNKNOWN
               ? "the default is volatile: every row gets a value of its own"
               : NULL;
}

/* The row type of a table cannot be that of a column elsewhere while its rows change
   (find_composite_type_dependencies()). */
static void refuse_used_row_type(struct altering *t, const struct catalog_relation *r)
{
    bool may_be_used = r->row_type && r->row_type->may_be_used;
    for (size_t i = 0; may_be_used && i < t->d->catalog->relations.count; i++) {
        const struct catalog_relation *other = t->d->catalog->relations.at[i];
        for (size_t n = 0; n < other->columns.count && !other->is_dropped; n++) {
            const struct catalog_column *column = other->columns.at[n];
            if (!column->is_dropped && column->type.user == r->row_type)
                deed_fails(t->d, "column \"%.*s.%.*s\" uses the row type of \"%.*s\"",
                           STR_ARG(other->name), STR_ARG(column->name), STR_ARG(r->name));
        }
    }
}

static void add_values(struct altering *t, struct catalog_relation *r,
                       const PgQuery__ColumnDef *def)
{
    bool is_serial = false;
    struct type_ref type = {.typmod = -1};
    if (def->type_name)
        type = type_resolve(t->d->catalog, def->type_name, &is_serial);
    const PgQuery__Node *tree = column_default_tree(def);
    const char *why = why_rewritten(t, def, tree, &type, is_serial);
    if (why)
        alter_rewrites(t, r, why);
    bool is_virtual = column_is_virtual(def);
    if (tree && !is_virtual)
        lock_sequences(t, r, tree);
    /* Once for all rows, or for each of them. */
    if (tree && !is_virtual && (!why || deed_has_rows(r)))
        query_run_expression(t->d, tree, r);
    if (why || (tree && !is_virtual))
        refuse_used_row_type(t, r);
    bool is_required = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL) ||
                       column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY);
    bool has_value = (tree && !is_virtual) || type_default(&type);
    if (!is_required || has_value || why)
        return;
    alter_scans(t, r, "the new column must not be NULL");
    if (!is_virtual && r->rows == ROWS_SOME && relation_has_storage(r))
        deed_fails(t->d,
                   "column \"%s\" of relation \"%.*s\" would be NULL in the rows that are there",
                   def->colname, STR_ARG(r->name));
}

static void add_constraints(struct altering *t, struct catalog_relation *r,
                            const PgQuery__ColumnDef *def)
{
    struct constraint_sources sources = {0};
    constraint_sources_of_column(t->d->a, def, &sources);
    bool is_serial = false;
    if (def->type_name)
        (void)type_resolve(t->d->catalog, def->type_name, &is_serial);
    for (size_t i = 0; i < sources.all.count; i++) {
        const struct constraint_source *s = &sources.all.at[i];
        switch (s->k->contype) {
        case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
            alter_add_check(t, r, s->k);
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
        case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
            alter_add_key(t, r, s);
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
            /* NULL in every row: there is nothing to check. */
            alter_add_foreign_key(t, r, s, column_says_default(def) || is_serial);
            break;
        default:
            break;
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void add_to(struct altering *t, struct catalog_relation *r, const PgQuery__ColumnDef *def)
{
    struct catalog_column *there = catalog_find_column(r, str_of(def->colname));
    if ((there && !alter_drops_column(t, there)) || alter_makes_column(t, r, str_of(def->colname)))
        return; /* it becomes one with the parent's, or with that of another parent */
    add_values(t, r, def);
    struct alter_new made = {r, str_of(def->colname)};
    vec_push(t->d->a, &t->new_columns, made);
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (child->is_dropped || t->is_only)
            continue;
        alter_lock(t, child);
        add_to(t, child, def);
    }
}

static void look_add_typed(struct altering *t, struct catalog_relation *r,
                           const PgQuery__AlterTableCmd *cmd)
{
    add_to(t, r, definition(cmd));
}

/* Words that came later. */
static void refuse_newer(struct altering *t, const PgQuery__ColumnDef *def)
{
    const PgQuery__Constraint *unique =
        column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE);
    if (def->compression[0] && t->d->major < 14)
        deed_fails(t->d, "PostgreSQL %u does not know COMPRESSION", t->d->major);
    if (unique && unique->nulls_not_distinct && t->d->major < 15)
        deed_fails(t->d, "PostgreSQL %u does not know NULLS NOT DISTINCT", t->d->major);
}

static void refuse_add(struct altering *t, const struct catalog_relation *r,
                       const PgQuery__ColumnDef *def)
{
    bool is_identity = column_constraint(def, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY);
    if (r->is_partition)
        deed_fails(t->d, "a column is added to the partitioned table, not to a partition");
    if (r->of_type)
        deed_fails(t->d, "a column cannot be added to a typed table");
    if (t->is_only && has_children(r))
        deed_fails(t->d, "the column must be added to child tables too");
    if (is_identity && has_children(r) && !(t->d->major >= 17 && is_partitioned(r)))
        deed_fails(t->d, "an identity column cannot be added to a table that has child tables");
    if (r->kind == RELATION_VIEW || r->kind == RELATION_MATERIALIZED_VIEW)
        deed_fails(t->d, "\"%.*s\" is not a table", STR_ARG(r->name));
}

void see_add_column(struct altering *t, struct catalog_relation *r,
                    const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__ColumnDef *def = definition(cmd);
    if (!def)
        return;
    struct catalog_column *there = catalog_find_column(r, str_of(def->colname));
    if ((there && !alter_drops_column(t, there)) ||
        alter_makes_column(t, r, str_of(def->colname))) {
        if (!cmd->missing_ok)
            deed_fails(t->d, "column \"%s\" of relation \"%.*s\" already exists", def->colname,
                       STR_ARG(r->name));
        return;
    }
    refuse_add(t, r, def);
    refuse_newer(t, def);
    add_to(t, r, def);
    add_constraints(t, r, def);
    each_typed_table(t, r, cmd, look_add_typed);
}

/* ---- DROP COLUMN ---- */

static bool is_partition_key(struct altering *t, struct catalog_relation *r,
                             const struct catalog_column *column)
{
    for (size_t i = 0; i < r->partition_keys.count; i++) {
        const struct index_key *key = &r->partition_keys.at[i];
        if (key->column == column ||
            (!key->column && expression_mentions(t->d->catalog, &key->expression, r, column)))
            return true;
    }
    return false;
}

/* Children lose it too, unless they have it from elsewhere; they are locked in any case. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void drop_from(struct altering *t, struct dependants *set, struct catalog_relation *r,
                      struct catalog_column *column)
{
    vec_push(t->d->a, &t->dropped_columns, column);
    dependants_add_column(set, r, column);
    if (is_partition_key(t, r, column))
        deed_fails(t->d, "column \"%.*s\" is part of the partition key of \"%.*s\"",
                   STR_ARG(column->name), STR_ARG(r->name));
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (child->is_dropped)
            continue;
        alter_lock(t, child);
        struct catalog_column *theirs = catalog_find_column(child, column->name);
        size_t parents = 0;
        for (size_t n = 0; n < child->parents.count; n++)
            parents += catalog_find_column(child->parents.at[n], column->name) != NULL;
        if (theirs && !t->is_only && parents <= 1 && (!theirs->is_local || child->is_partition))
            drop_from(t, set, child, theirs);
    }
}

static void note_dropped(struct altering *t, const struct dependants *set)
{
    for (size_t i = 0; i < set->all.count; i++) {
        const struct dependant *one = &set->all.at[i];
        if (one->kind == DEPENDANT_RELATION && one->as_relation->index)
            vec_push(t->d->a, &t->dropped_indexes, one->as_relation);
        if (one->kind == DEPENDANT_CONSTRAINT)
            vec_push(t->d->a, &t->dropped_constraints, one->constraint);
        if (one->kind == DEPENDANT_COLUMN)
            vec_push(t->d->a, &t->dropped_columns, one->column);
    }
}

static void drop_column(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_column *column = catalog_find_column(r, str_of(cmd->name));
    if (!column || alter_drops_column(t, column)) {
        if (!cmd->missing_ok)
            (void)alter_column(t, r, cmd->name, NULL);
        return;
    }
    if (column->is_inherited && r->parents.count && r == t->r)
        deed_fails(t->d, "inherited column \"%s\" cannot be dropped", cmd->name);
    if (t->is_only && is_partitioned(r) && has_children(r))
        deed_fails(t->d, "a column cannot be dropped from the partitioned table only");
    if (r->of_type)
        deed_fails(t->d, "a column cannot be dropped from a typed table");
    struct dependants set = dependants_make(t->d);
    drop_from(t, &set, r, column);
    dependants_close(&set);
    if (cmd->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        (void)dependants_refuse(&set);
    dependants_lock(&set);
    dependants_lose(&set);
    note_dropped(t, &set);
}

static void drop_typed(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_column *column = catalog_find_column(r, str_of(cmd->name));
    if (!column)
        return;
    struct dependants set = dependants_make(t->d);
    drop_from(t, &set, r, column);
    dependants_close(&set);
    dependants_lock(&set);
    dependants_lose(&set);
}

static void lose_by_name(struct altering *t, const struct catalog_relation *r, const char *name)
{
    struct str table = catalog_relation_text(t->d->a, r);
    struct str column = catalog_identifier(t->d->a, str_of(name));
    struct str what = str_of(arena_printf(t->d->a, "%.*s.%.*s", STR_ARG(table), STR_ARG(column)));
    effects_add_loss(t->d->a, t->d->effects, LOSS_DATA, "COLUMN", what, r, true);
}

void see_drop_column(struct altering *t, struct catalog_relation *r,
                     const PgQuery__AlterTableCmd *cmd)
{
    drop_column(t, r, cmd);
    if (t->is_stand_in)
        lose_by_name(t, r, cmd->name);
    each_typed_table(t, r, cmd, drop_typed);
}
