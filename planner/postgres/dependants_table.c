/*
 * What depends on relations and on what is in them. Source: dependency.c, heap.c
 * (heap_create_with_catalog, StoreAttrDefault), index.c (index_create), pg_constraint.c
 * (CreateConstraintEntry), trigger.c, policy.c, statscmds.c.
 */
#include "planner/postgres/dependants_parts.h"
#include "planner/postgres/query_uses.h"
#include "planner/postgres/types.h"

static bool has_column(struct catalog_column *const *at, size_t count,
                       const struct catalog_column *column)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i] == column)
            return true;
    }
    return false;
}

static bool uses(const struct catalog_use *at, size_t count, const struct catalog_relation *r,
                 const struct catalog_column *column)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i].relation == r && (!column || at[i].column == column))
            return true;
    }
    return false;
}

/* ---- what reads a relation, or one of its columns ---- */

static void add_rules_of_others(struct dependants *set, const struct catalog_relation *r, size_t at,
                                struct catalog_relation *other)
{
    for (size_t i = 0; i < other->rules.count; i++) {
        struct catalog_rule *rule = other->rules.at[i];
        for (size_t j = 0; j < rule->uses.count && !rule->is_dropped; j++) {
            if (rule->uses.at[j] == r)
                dependants_add_of(set, DEPENDANT_RULE, other, rule, DEPENDS_NORMAL, at);
        }
    }
}

/* Views and functions with a body of SQL. column NULL: the whole relation goes. */
static void add_readers(struct dependants *set, struct catalog_relation *r,
                        const struct catalog_column *column, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->views.count; i++) {
        struct catalog_relation *other = c->views.at[i];
        if (!other->is_dropped && other != r && uses(other->uses.at, other->uses.count, r, column))
            dependants_add_of(set, DEPENDANT_RELATION, other, other, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; i < c->watching.count && !column; i++) {
        struct catalog_relation *other = c->watching.at[i];
        if (!other->is_dropped && other != r)
            add_rules_of_others(set, r, at, other);
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        struct catalog_function *f = c->functions.at[i];
        if (!f->is_dropped && uses(f->uses.at, f->uses.count, r, column))
            dependants_add_of(set, DEPENDANT_FUNCTION, NULL, f, DEPENDS_NORMAL, at);
    }
}

static void add_statistics(struct dependants *set, struct catalog_relation *r,
                           const struct catalog_column *column, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->statistics.count; i++) {
        struct catalog_statistics *s = c->statistics.at[i];
        if (s->is_dropped || s->relation != r)
            continue;
        if (!column || has_column(s->columns.at, s->columns.count, column))
            dependants_add_of(set, DEPENDANT_STATISTICS, r, s, DEPENDS_AUTO, at);
    }
}

static void add_owned_sequences(struct dependants *set, struct catalog_relation *r,
                                const struct catalog_column *column, size_t at)
{
    size_t next = 0;
    struct catalog_relation *s;
    while ((s = catalog_next_owned(r, &next))) {
        if (!column || s->sequence->owner_column == column)
            dependants_add_of(set, DEPENDANT_RELATION, s, s, DEPENDS_AUTO, at);
    }
}

static void add_referencing(struct dependants *set, const struct catalog_relation *r,
                            const struct catalog_column *column,
                            const struct catalog_relation *index, size_t at)
{
    for (size_t i = 0; i < r->referencing.count; i++) {
        struct catalog_constraint *k = r->referencing.at[i];
        if (k->is_dropped || (index && k->index != index))
            continue;
        if (!column || has_column(k->referenced_columns.at, k->referenced_columns.count, column))
            dependants_add_of(set, DEPENDANT_CONSTRAINT, k->relation, k, DEPENDS_NORMAL, at);
    }
}

/* A key that refers to a partitioned table has a part for each partition, and goes as a whole. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void add_referencing_ancestors(struct dependants *set, const struct catalog_relation *r,
                                      size_t at)
{
    for (size_t i = 0; r->is_partition && i < r->parents.count; i++) {
        add_referencing(set, r->parents.at[i], NULL, NULL, at);
        add_referencing_ancestors(set, r->parents.at[i], at);
    }
}

/* ---- relations ---- */

static void add_parts(struct dependants *set, struct catalog_relation *r, size_t at)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        if (!r->constraints.at[i]->is_dropped)
            dependants_add_of(set, DEPENDANT_CONSTRAINT, r, r->constraints.at[i], DEPENDS_AUTO, at);
    }
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped)
            dependants_add_of(set, DEPENDANT_RELATION, r->indexes.at[i], r->indexes.at[i],
                              DEPENDS_AUTO, at);
    }
    for (size_t i = 0; i < r->triggers.count; i++) {
        if (!r->triggers.at[i]->is_dropped)
            dependants_add_of(set, DEPENDANT_TRIGGER, r, r->triggers.at[i], DEPENDS_AUTO, at);
    }
    for (size_t i = 0; i < r->rules.count; i++) {
        if (!r->rules.at[i]->is_dropped)
            dependants_add_of(set, DEPENDANT_RULE, r, r->rules.at[i], DEPENDS_AUTO, at);
    }
    if (r->row_type && !r->row_type->is_dropped)
        dependants_add_of(set, DEPENDANT_TYPE, NULL, r->row_type, DEPENDS_AUTO, at);
}

/* Constraint triggers of other tables that look at this one. */
static void add_triggers_from(struct dependants *set, const struct catalog_relation *r, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->watching.count; i++) {
        struct catalog_relation *other = c->watching.at[i];
        for (size_t j = 0; j < other->triggers.count && !other->is_dropped; j++) {
            struct catalog_trigger *t = other->triggers.at[j];
            if (!t->is_dropped && t->from == r)
                dependants_add_of(set, DEPENDANT_TRIGGER, other, t, DEPENDS_AUTO, at);
        }
    }
}

static void of_table(struct dependants *set, struct catalog_relation *r, size_t at)
{
    add_parts(set, r, at);
    add_owned_sequences(set, r, NULL, at);
    add_readers(set, r, NULL, at);
    add_referencing(set, r, NULL, NULL, at);
    add_referencing_ancestors(set, r, at);
    add_statistics(set, r, NULL, at);
    add_triggers_from(set, r, at);
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (!child->is_dropped)
            dependants_add_of(set, DEPENDANT_RELATION, child, child,
                              child->is_partition ? DEPENDS_AUTO : DEPENDS_NORMAL, at);
    }
}

static void of_index(struct dependants *set, struct catalog_relation *r, size_t at)
{
    struct catalog_relation *table = r->index->table;
    if (r->index->constraint && !r->index->constraint->is_dropped)
        dependants_add_of(set, DEPENDANT_CONSTRAINT, table, r->index->constraint, DEPENDS_AUTO, at);
    if (!table)
        return;
    add_referencing(set, table, NULL, r, at);
    for (size_t i = 0; i < table->children.count; i++) {
        struct catalog_relation *child = table->children.at[i];
        for (size_t j = 0; j < child->indexes.count && !child->is_dropped; j++) {
            struct catalog_relation *index = child->indexes.at[j];
            if (!index->is_dropped && index->index->parent == r)
                dependants_add_of(set, DEPENDANT_RELATION, index, index, DEPENDS_AUTO, at);
        }
    }
}

void dependants_of_relation(struct dependants *set, size_t at)
{
    struct catalog_relation *r = set->all.at[at].as_relation;
    switch (r->kind) {
    case RELATION_INDEX:
    case RELATION_PARTITIONED_INDEX:
        of_index(set, r, at);
        break;
    case RELATION_SEQUENCE:
        add_readers(set, r, NULL, at);
        dependants_in_expressions(set, at);
        break;
    case RELATION_TABLE:
    case RELATION_PARTITIONED_TABLE:
    case RELATION_VIEW:
    case RELATION_MATERIALIZED_VIEW:
    case RELATION_FOREIGN_TABLE:
    case RELATION_COMPOSITE_TYPE:
    case RELATION_UNKNOWN:
        of_table(set, r, at);
        break;
    }
}

/* ---- columns ---- */

static bool index_mentions(struct deed *d, struct catalog_relation *table,
                           const struct catalog_index *index, const struct catalog_column *column)
{
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.at[i];
        if (key->column == column ||
            (!key->column && expression_mentions(d->catalog, &key->expression, table, column)))
            return true;
    }
    return catalog_has_expression(&index->predicate) &&
           expression_mentions(d->catalog, &index->predicate, table, column);
}

static void add_indexes_on(struct dependants *set, struct catalog_relation *r,
                           const struct catalog_column *column, size_t at)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        struct catalog_relation *index = r->indexes.at[i];
        if (!index->is_dropped && index_mentions(set->deed, r, index->index, column))
            dependants_add_of(set, DEPENDANT_RELATION, index, index, DEPENDS_AUTO, at);
    }
}

static void add_constraints_on(struct dependants *set, struct catalog_relation *r,
                               const struct catalog_column *column, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < r->constraints.count; i++) {
        struct catalog_constraint *k = r->constraints.at[i];
        if (k->is_dropped)
            continue;
        if (has_column(k->columns.at, k->columns.count, column) ||
            (catalog_has_expression(&k->check) && expression_mentions(c, &k->check, r, column)))
            dependants_add_of(set, DEPENDANT_CONSTRAINT, r, k, DEPENDS_AUTO, at);
    }
}

/* NEW.column, OLD.column, NEW.* in a rule of the column's own table. */
static bool is_of_row(void *context, const ProtobufCMessage *message)
{
    const struct catalog_column *column = context;
    if (message->descriptor != &pg_query__column_ref__descriptor)
        return false;
    const PgQuery__ColumnRef *ref = (const PgQuery__ColumnRef *)(const void *)message;
    if (ref->n_fields != 2 || ref->fields[0]->node_case != PG_QUERY__NODE__NODE_STRING)
        return false;
    const char *row = ref->fields[0]->string->sval;
    if (strcmp(row, "new") != 0 && strcmp(row, "old") != 0)
        return false;
    return ref->fields[1]->node_case != PG_QUERY__NODE__NODE_STRING ||
           str_equal(str_of(ref->fields[1]->string->sval), column->name);
}

static bool rule_mentions(struct deed *d, const struct catalog_relation *owner,
                          const struct catalog_rule *rule, const struct catalog_relation *r,
                          const struct catalog_column *column)
{
    const PgQuery__Node *tree = rule->definition.tree;
    if (!tree || tree->node_case != PG_QUERY__NODE__NODE_RULE_STMT)
        return false;
    void *context = (void *)(uintptr_t)column;
    if (owner == r && parse_tree_visit(&tree->base, is_of_row, context))
        return true;
    for (size_t i = 0; i < tree->rule_stmt->n_actions; i++) {
        struct query_uses found = {0};
        query_uses_read(d, tree->rule_stmt->actions[i], &found);
        for (size_t n = 0; n < found.sources.count; n++) {
            const struct query_source *source = &found.sources.at[n];
            if (source->relation == r &&
                has_column(source->columns.at, source->columns.count, column))
                return true;
        }
    }
    return false;
}

static void add_rules_on(struct dependants *set, struct catalog_relation *r,
                         const struct catalog_column *column, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->watching.count; i++) {
        struct catalog_relation *owner = c->watching.at[i];
        for (size_t n = 0; n < owner->rules.count && !owner->is_dropped; n++) {
            struct catalog_rule *rule = owner->rules.at[n];
            if (!rule->is_dropped && !rule->is_policy &&
                rule_mentions(set->deed, owner, rule, r, column))
                dependants_add_of(set, DEPENDANT_RULE, owner, rule, DEPENDS_NORMAL, at);
        }
    }
}

static bool expression_reads(struct deed *d, const struct catalog_expression *e,
                             struct catalog_relation *owner, const struct catalog_relation *r,
                             const struct catalog_column *column)
{
    const PgQuery__Node *tree = catalog_has_expression(e) ? expression_tree(d->catalog, e) : NULL;
    struct query_uses found = {0};
    if (tree)
        query_uses_expression(d, tree, owner, &found);
    for (size_t i = 0; i < found.sources.count; i++) {
        const struct query_source *source = &found.sources.at[i];
        if (source->relation == r && has_column(source->columns.at, source->columns.count, column))
            return true;
    }
    return false;
}

/* Policies, of whatever table, that ask a subquery about it. */
static void add_policies_on(struct dependants *set, const struct catalog_relation *r,
                            const struct catalog_column *column, size_t at)
{
    struct deed *d = set->deed;
    for (size_t i = 0; i < d->catalog->watching.count; i++) {
        struct catalog_relation *owner = d->catalog->watching.at[i];
        for (size_t n = 0; n < owner->rules.count && !owner->is_dropped; n++) {
            struct catalog_rule *rule = owner->rules.at[n];
            if (rule->is_dropped || !rule->is_policy)
                continue;
            if (expression_reads(d, &rule->using_expression, owner, r, column) ||
                expression_reads(d, &rule->check, owner, r, column))
                dependants_add_of(set, DEPENDANT_RULE, owner, rule, DEPENDS_NORMAL, at);
        }
    }
}

/* Policies and triggers that name it hold it; columns generated from it did not before 15. */
static void add_holders(struct dependants *set, struct catalog_relation *r,
                        const struct catalog_column *column, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < r->rules.count; i++) {
        struct catalog_rule *rule = r->rules.at[i];
        if (!rule->is_dropped && rule->is_policy &&
            (expression_mentions(c, &rule->using_expression, r, column) ||
             expression_mentions(c, &rule->check, r, column)))
            dependants_add_of(set, DEPENDANT_RULE, r, rule, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; i < r->triggers.count; i++) {
        struct catalog_trigger *t = r->triggers.at[i];
        if (!t->is_dropped && has_column(t->columns.at, t->columns.count, column))
            dependants_add_of(set, DEPENDANT_TRIGGER, r, t, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; i < r->columns.count; i++) {
        struct catalog_column *other = r->columns.at[i];
        if (other != column && !other->is_dropped && other->generated &&
            expression_mentions(c, &other->default_value, r, column))
            dependants_add_of(set, DEPENDANT_COLUMN, r, other,
                              set->deed->major < 15 ? DEPENDS_AUTO : DEPENDS_NORMAL, at);
    }
}

void dependants_of_column(struct dependants *set, size_t at)
{
    struct catalog_relation *r = set->all.at[at].relation;
    const struct catalog_column *column = set->all.at[at].column;
    add_indexes_on(set, r, column, at);
    add_constraints_on(set, r, column, at);
    add_holders(set, r, column, at);
    add_rules_on(set, r, column, at);
    add_policies_on(set, r, column, at);
    add_owned_sequences(set, r, column, at);
    add_readers(set, r, column, at);
    add_referencing(set, r, column, NULL, at);
    add_statistics(set, r, column, at);
}

/* ---- constraints and triggers ---- */

void dependants_of_constraint(struct dependants *set, size_t at)
{
    struct catalog_constraint *k = set->all.at[at].constraint;
    if (k->index && k->kind != CONSTRAINT_FOREIGN_KEY && !k->index->is_dropped)
        dependants_add_of(set, DEPENDANT_RELATION, k->index, k->index, DEPENDS_AUTO, at);
    for (size_t i = 0; i < k->relation->children.count; i++) {
        struct catalog_relation *child = k->relation->children.at[i];
        for (size_t j = 0; j < child->constraints.count && !child->is_dropped; j++) {
            if (!child->constraints.at[j]->is_dropped && child->constraints.at[j]->parent == k)
                dependants_add_of(set, DEPENDANT_CONSTRAINT, child, child->constraints.at[j],
                                  DEPENDS_AUTO, at);
        }
    }
}

void dependants_of_trigger(struct dependants *set, size_t at)
{
    const struct catalog_trigger *t = set->all.at[at].trigger;
    const struct catalog_relation *r = set->all.at[at].relation;
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        for (size_t j = 0; j < child->triggers.count && !child->is_dropped; j++) {
            if (!child->triggers.at[j]->is_dropped && child->triggers.at[j]->parent == t)
                dependants_add_of(set, DEPENDANT_TRIGGER, child, child->triggers.at[j],
                                  DEPENDS_AUTO, at);
        }
    }
}
