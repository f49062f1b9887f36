/* ALTER TABLE: constraints that are checked, altered and dropped. Keys are in
   effects_alter_table_key.c. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/dependants.h"
#include "planner/postgres/effects_query.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/visited.h"

/* ---- ADD CHECK ---- */

static bool check_child(struct deed *d, struct catalog_relation *r, void *context);

struct check {
    struct altering *t;
    const PgQuery__Constraint *k;
};

static void check_rows(struct altering *t, struct catalog_relation *r, const PgQuery__Constraint *k)
{
    struct alter_new made = {r, str_of(k->conname)};
    vec_push(t->d->a, &t->new_constraints, made);
    if (!k->skip_validation)
        alter_scans(t, r, "a new CHECK is tested on every row");
    if (!k->skip_validation && k->raw_expr && deed_has_rows(r))
        query_run_expression(t->d, k->raw_expr, r);
}

/* A child that has the constraint already keeps its own, and so do those below it. */
static bool check_child(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    const struct check *check = context;
    alter_lock(check->t, r);
    const struct catalog_constraint *own =
        check->k->conname[0] ? alter_constraint(check->t, r, str_of(check->k->conname)) : NULL;
    if (own && !own->is_valid && !check->k->skip_validation)
        deed_fails(check->t->d, "constraint \"%s\" is there on \"%.*s\", and not valid",
                   check->k->conname, STR_ARG(r->name));
    if (own)
        return false;
    check_rows(check->t, r, check->k);
    return true;
}

void alter_add_check(struct altering *t, struct catalog_relation *r, const PgQuery__Constraint *k)
{
    if (k->conname[0] && alter_constraint(t, r, str_of(k->conname)))
        deed_fails(t->d, "constraint \"%s\" for relation \"%.*s\" already exists", k->conname,
                   STR_ARG(r->name));
    if (t->is_only && has_children(r) && !k->is_no_inherit)
        deed_fails(t->d, "the constraint must be added to child tables too");
    if (is_partitioned(r) && k->is_no_inherit)
        deed_fails(t->d, "a partitioned table has no NO INHERIT constraint");
    check_rows(t, r, k);
    struct check check = {t, k};
    if (!t->is_only && !k->is_no_inherit)
        deed_each_child(t->d, r, check_child, &check);
}

/* ---- ADD NOT NULL (18) ---- */

struct not_null {
    struct altering *t;
    const char *column;
    bool is_checked;
};
static bool forbid_nulls(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    const struct not_null *k = context;
    alter_lock(k->t, r);
    if (k->is_checked)
        alter_prove_not_null(k->t, r, k->column);
    return true;
}

static void add_not_null(struct altering *t, struct catalog_relation *r,
                         const struct constraint_source *source)
{
    const PgQuery__Constraint *k = source->k;
    struct not_null made = {t, not_null_column(source), !k->skip_validation};
    const struct catalog_column *column = alter_column(t, r, made.column, NULL);
    const struct catalog_constraint *there = column ? not_null_of(r, column) : NULL;
    if (t->d->major < 18)
        deed_fails(t->d, "PostgreSQL %u does not know NOT NULL as a constraint of a table",
                   t->d->major);
    if (there && !there->is_valid && made.is_checked)
        deed_fails(t->d, "NOT NULL of column \"%s\" is there and not valid: it is validated",
                   made.column);
    if (there && k->conname[0] && !str_equal(there->name, str_of(k->conname)))
        deed_fails(t->d, "column \"%s\" has a NOT NULL of another name", made.column);
    if (is_partitioned(r) && k->is_no_inherit)
        deed_fails(t->d, "a partitioned table has no NO INHERIT constraint");
    struct alter_new name = {r, str_of(k->conname)};
    vec_push(t->d->a, &t->new_constraints, name);
    (void)forbid_nulls(t->d, r, &made);
    if (!t->is_only && !k->is_no_inherit)
        deed_each_child(t->d, r, forbid_nulls, &made);
}

/* ---- ADD … ---- */

static bool is_check(const PgQuery__Constraint *k)
{
    return k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK;
}

void see_add_constraint(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_CONSTRAINT)
        return;
    const PgQuery__Constraint *k = cmd->def->constraint;
    struct constraint_source source = {.k = k, .is_deferrable = k->deferrable};
    /* From 18 on whatever is added locks all children first (ATPrepCmd()). */
    if (t->d->major >= 18 && !t->is_only)
        alter_lock_children(t, r);
    if (is_check(k))
        alter_add_check(t, r, k);
    else if (k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL)
        add_not_null(t, r, &source);
    else if (k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN)
        alter_add_foreign_key(t, r, &source, !k->skip_validation);
    else
        alter_add_key(t, r, &source);
}

/* ---- VALIDATE ---- */

/* Whether the statement itself adds it; NOT VALID or not, it is read then. */
static bool is_new_here(const struct altering *t, const struct catalog_relation *r, struct str name)
{
    for (size_t i = 0; i < t->new_constraints.count; i++) {
        if (t->new_constraints.at[i].r == r && str_equal(t->new_constraints.at[i].name, name))
            return true;
    }
    return false;
}

struct validation {
    struct altering *t;
    const struct catalog_constraint *k;
};
/* A child whose own constraint is valid is not read again. */
static bool validate_child(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    const struct validation *of = context;
    const struct catalog_constraint *own = constraint_like(r, of->k);
    alter_lock(of->t, r);
    if (!own || !own->is_valid)
        alter_scans(of->t, r, "the constraint is tested on every row");
    return true;
}

/* Rows of the table, or of its partitions. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void check_foreign_key(struct altering *t, const struct catalog_constraint *k)
{
    if (relation_has_storage(k->relation))
        deed_scan_rows(t->d, k->relation, "the foreign key is checked for every row");
    for (size_t i = 0; is_partitioned(k->relation) && i < k->relation->children.count; i++) {
        const struct catalog_relation *child = k->relation->children.at[i];
        for (size_t n = 0; n < child->constraints.count && !child->is_dropped; n++) {
            if (child->constraints.at[n]->parent == k && !child->constraints.at[n]->is_dropped) {
                alter_lock(t, child);
                check_foreign_key(t, child->constraints.at[n]);
            }
        }
    }
}

static void validate_foreign_key(struct altering *t, const struct catalog_constraint *k)
{
    check_foreign_key(t, k);
    if (!relation_is_there(k->referenced))
        return;
    deed_lock(t->d, k->referenced, LOCK_ROW_SHARE, false);
    if (is_partitioned(k->referenced))
        deed_lock_tree(t->d, k->referenced, LOCK_ACCESS_SHARE, false);
}

void see_validate(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    const struct catalog_constraint *k = alter_constraint(t, r, str_of(cmd->name));
    if (!k && (t->is_stand_in || is_new_here(t, r, str_of(cmd->name)))) {
        alter_scans(t, r, "the constraint is tested on every row");
        return;
    }
    if (!k) {
        if (t->d->catalog->is_complete)
            deed_fails(t->d, "constraint \"%s\" of relation \"%.*s\" does not exist", cmd->name,
                       STR_ARG(r->name));
        return;
    }
    if (k->kind != CONSTRAINT_FOREIGN_KEY && k->kind != CONSTRAINT_CHECK &&
        k->kind != CONSTRAINT_NOT_NULL)
        deed_fails(t->d, "constraint \"%s\" is neither a foreign key nor a CHECK", cmd->name);
    if (!k->is_enforced)
        deed_fails(t->d, "constraint \"%s\" is NOT ENFORCED: it cannot be validated", cmd->name);
    if (k->is_valid)
        return;
    if (k->kind == CONSTRAINT_FOREIGN_KEY) {
        validate_foreign_key(t, k);
        return;
    }
    if (!k->is_no_inherit && t->is_only && has_children(r))
        deed_fails(t->d, "the constraint must be validated on child tables too");
    alter_scans(t, r, "the constraint is tested on every row");
    if (k->is_no_inherit)
        return;
    struct validation of = {t, k};
    deed_each_child(t->d, r, validate_child, &of);
}

/* ---- DROP ---- */

/* CHECK and NOT NULL of children follow where they are only inherited; all are locked. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void drop_inherited(struct altering *t, struct dependants *set,
                           const struct catalog_constraint *k, struct visited *done)
{
    if (!visited_add(t->d->a, done, k))
        return;
    for (size_t i = 0; i < k->relation->children.count; i++) {
        struct catalog_relation *child = k->relation->children.at[i];
        if (child->is_dropped || k->is_no_inherit)
            continue;
        alter_lock(t, child);
        struct catalog_constraint *own = constraint_like(child, k);
        if (!own || own->is_local || t->is_only)
            continue;
        dependants_add_constraint(set, own);
        drop_inherited(t, set, own, done);
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
    }
}

static void lose_by_name(struct altering *t, const struct catalog_relation *r, const char *name)
{
    struct str table = catalog_relation_text(t->d->a, r);
    struct str constraint = catalog_identifier(t->d->a, str_of(name));
    struct str what =
        str_of(arena_printf(t->d->a, "%.*s.%.*s", STR_ARG(table), STR_ARG(constraint)));
    effects_add_loss(t->d->a, t->d->effects, LOSS_GUARANTEE, "CONSTRAINT", what, r, true);
}

void see_drop_constraint(struct altering *t, struct catalog_relation *r,
                         const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_constraint *k = alter_constraint(t, r, str_of(cmd->name));
    if (t->is_stand_in)
        lose_by_name(t, r, cmd->name);
    if (is_partitioned(r))
        alter_lock_children(t, r); /* nobody may be in the middle of them */
    if (!k) {
        if (!cmd->missing_ok && !t->is_stand_in && t->d->catalog->is_complete)
            deed_fails(t->d, "constraint \"%s\" of relation \"%.*s\" does not exist", cmd->name,
                       STR_ARG(r->name));
        return;
    }
    if (k->is_inherited && (k->parent || k->kind == CONSTRAINT_CHECK) && r->parents.count)
        deed_fails(t->d, "inherited constraint \"%s\" cannot be dropped", cmd->name);
    bool is_everywhere = k->kind == CONSTRAINT_CHECK || k->kind == CONSTRAINT_NOT_NULL;
    if (t->d->major < 18 && is_everywhere && t->is_only && is_partitioned(r) && has_children(r))
        deed_fails(t->d, "a constraint cannot be dropped from the partitioned table only");
    struct dependants set = dependants_make(t->d);
    struct visited done = {0};
    dependants_add_constraint(&set, k);
    if (k->kind == CONSTRAINT_FOREIGN_KEY && relation_is_there(k->referenced))
        deed_lock(t->d, k->referenced, t->mode, false);
    if (k->kind == CONSTRAINT_CHECK || k->kind == CONSTRAINT_NOT_NULL)
        drop_inherited(t, &set, k, &done);
    dependants_close(&set);
    if (cmd->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        (void)dependants_refuse(&set);
    dependants_lock(&set);
    dependants_lose(&set);
    note_dropped(t, &set);
}

/* ---- ALTER ---- */

/* The foreign keys of partitions follow. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void alter_partitions(struct altering *t, const struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->relation->children.count; i++) {
        const struct catalog_relation *child = k->relation->children.at[i];
        for (size_t n = 0; n < child->constraints.count && !child->is_dropped; n++) {
            const struct catalog_constraint *own = child->constraints.at[n];
            if (own->is_dropped || own->parent != k)
                continue;
            alter_lock(t, child);
            alter_partitions(t, own);
        }
    }
}

/* A foreign key that is enforced from now on gets its triggers and is checked; one that no longer
   is, loses them. */
static void alter_enforcement(struct altering *t, const struct catalog_constraint *k,
                              const PgQuery__Constraint *said)
{
    if (k->is_enforced && grammar_has(said, GRAMMAR_NOT_ENFORCED)) {
        alter_lock_foreign_key(t, k);
    } else if (!k->is_enforced && grammar_has(said, GRAMMAR_ENFORCED)) {
        if (relation_is_there(k->referenced))
            deed_lock_tree(t->d, k->referenced, LOCK_SHARE_ROW_EXCLUSIVE, false);
        check_foreign_key(t, k);
    }
}

/* Children get the NOT NULL, too, or keep it as their own. */
static void alter_inherit(struct altering *t, struct catalog_relation *r,
                          const struct catalog_constraint *k, bool is_inherit)
{
    if (k->is_no_inherit != is_inherit || k->columns.count != 1)
        return;
    const char *column = arena_cstr(t->d->a, k->columns.at[0]->name);
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (child->is_dropped)
            continue;
        struct not_null made = {t, column, is_inherit};
        (void)forbid_nulls(t->d, child, &made);
        if (is_inherit)
            deed_each_child(t->d, child, forbid_nulls, &made);
    }
}

void see_alter_constraint(struct altering *t, struct catalog_relation *r,
                          const PgQuery__AlterTableCmd *cmd)
{
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_CONSTRAINT)
        return;
    const char *name = cmd->def->constraint->conname;
    const struct catalog_constraint *k = alter_constraint(t, r, str_of(name));
    if (!k) {
        if (!t->is_stand_in && t->d->catalog->is_complete)
            deed_fails(t->d, "constraint \"%s\" of relation \"%.*s\" does not exist", name,
                       STR_ARG(r->name));
        return;
    }
    const PgQuery__Constraint *said = cmd->def->constraint;
    bool is_inherit = grammar_has(said, GRAMMAR_INHERIT) || grammar_has(said, GRAMMAR_NO_INHERIT);
    if (is_inherit) {
        if (k->kind != CONSTRAINT_NOT_NULL)
            deed_fails(t->d, "constraint \"%s\" is not a NOT NULL", name);
        alter_inherit(t, r, k, grammar_has(said, GRAMMAR_INHERIT));
        return;
    }
    if (k->kind != CONSTRAINT_FOREIGN_KEY)
        deed_fails(t->d, "constraint \"%s\" is not a foreign key", name);
    alter_enforcement(t, k, said);
    if (k->parent)
        deed_fails(t->d, "constraint \"%s\" is altered on the partitioned table", name);
    alter_partitions(t, k);
}
