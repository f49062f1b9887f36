/* What a relation has: columns, constraints, triggers, by name; whether it holds rows. */
#include "core/model/catalog.h"

struct catalog_column *catalog_find_column(const struct catalog_relation *r, struct str name)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        struct catalog_column *column = r->columns.at[i];
        if (!column->is_dropped && str_equal(column->name, name))
            return column;
    }
    return NULL;
}

struct catalog_constraint *catalog_find_constraint(const struct catalog_relation *r,
                                                   struct str name)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && str_equal(k->name, name))
            return k;
    }
    return NULL;
}

struct catalog_trigger *catalog_find_trigger(const struct catalog_relation *r, struct str name)
{
    for (size_t i = 0; i < r->triggers.count; i++) {
        struct catalog_trigger *t = r->triggers.at[i];
        if (!t->is_dropped && str_equal(t->name, name))
            return t;
    }
    return NULL;
}

struct catalog_rule *catalog_find_rule(const struct catalog_relation *r, struct str name,
                                       bool is_policy)
{
    for (size_t i = 0; i < r->rules.count; i++) {
        struct catalog_rule *rule = r->rules.at[i];
        if (!rule->is_dropped && rule->is_policy == is_policy && str_equal(rule->name, name))
            return rule;
    }
    return NULL;
}

const struct catalog_constraint *catalog_primary_key(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        if (!r->constraints.at[i]->is_dropped &&
            r->constraints.at[i]->kind == CONSTRAINT_PRIMARY_KEY)
            return r->constraints.at[i];
    }
    return NULL;
}

struct catalog_relation *catalog_default_partition(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (!child->is_dropped && child->is_partition && child->bound.is_default)
            return child;
    }
    return NULL;
}

bool catalog_is_new(const struct catalog *c, const struct catalog_relation *r)
{
    return c->migration && r->created_in != 0;
}

bool catalog_may_have_rows(const struct catalog_relation *r)
{
    return r->rows != ROWS_NONE;
}
