/* What ALTER TABLE makes of constraints in the catalog. */
#include "planner/postgres/alter_table.h"
#include "planner/postgres/dependants.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/visited.h"

static const PgQuery__Constraint *constraint_of(const PgQuery__AlterTableCmd *cmd)
{
    bool is_constraint = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT;
    return is_constraint ? cmd->def->constraint : NULL;
}

void fold_alter_add_constraint(struct altering *t, struct catalog_relation *r,
                               const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__Constraint *k = constraint_of(cmd);
    if (!k)
        return;
    struct constraint_sources sources = {0};
    constraint_sources_add(t->d->a, k, &sources);
    fold_constraints(t->d, r, &sources, t->is_only ? FOLD_ONLY : 0);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void validate(struct deed *d, struct catalog_constraint *k, struct visited *done)
{
    if (!visited_add(d->a, done, k))
        return;
    k->is_valid = true;
    if (k->kind == CONSTRAINT_NOT_NULL && k->columns.count == 1)
        k->columns.at[0]->is_not_null = true;
    for (size_t i = 0; i < k->relation->children.count && !k->is_no_inherit; i++) {
        const struct catalog_relation *child = k->relation->children.at[i];
        struct catalog_constraint *own = child->is_dropped ? NULL : constraint_like(child, k);
        if (own)
            validate(d, own, done);
    }
}

void fold_alter_validate(struct altering *t, struct catalog_relation *r,
                         const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_constraint *k = catalog_find_constraint(r, str_of(cmd->name));
    struct visited done = {0};
    if (k)
        validate(t->d, k, &done);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void drop(struct altering *t, struct dependants *set, struct catalog_constraint *k,
                 struct visited *done)
{
    if (!visited_add(t->d->a, done, k))
        return;
    dependants_add_constraint(set, k);
    if (k->kind == CONSTRAINT_NOT_NULL && k->columns.count == 1)
        k->columns.at[0]->is_not_null = false;
    if (k->kind != CONSTRAINT_CHECK && k->kind != CONSTRAINT_NOT_NULL)
        return;
    for (size_t i = 0; i < k->relation->children.count && !k->is_no_inherit; i++) {
        const struct catalog_relation *child = k->relation->children.at[i];
        struct catalog_constraint *own = child->is_dropped ? NULL : constraint_like(child, k);
        if (!own)
            continue;
        if (own->is_local || t->is_only) {
            own->is_inherited = false;
            own->is_local = true;
        } else {
            drop(t, set, own, done);
        }
    }
}

void fold_alter_drop_constraint(struct altering *t, struct catalog_relation *r,
                                const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_constraint *k = catalog_find_constraint(r, str_of(cmd->name));
    if (!k)
        return;
    struct dependants set = dependants_make(t->d);
    struct visited done = {0};
    drop(t, &set, k, &done);
    dependants_close(&set);
    dependants_fold(&set);
}

void fold_alter_constraint(struct altering *t, struct catalog_relation *r,
                           const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    const PgQuery__Constraint *said = constraint_of(cmd);
    struct catalog_constraint *k = said ? catalog_find_constraint(r, str_of(said->conname)) : NULL;
    if (!k)
        return;
    if (grammar_has(said, GRAMMAR_INHERIT) || grammar_has(said, GRAMMAR_NO_INHERIT)) {
        k->is_no_inherit = grammar_has(said, GRAMMAR_NO_INHERIT);
        return;
    }
    if (grammar_has(said, GRAMMAR_ENFORCED) || grammar_has(said, GRAMMAR_NOT_ENFORCED)) {
        k->is_enforced = grammar_has(said, GRAMMAR_ENFORCED);
        k->is_valid = k->is_enforced;
        return;
    }
    k->is_deferrable = said->deferrable;
    k->is_deferred = said->initdeferred;
}
