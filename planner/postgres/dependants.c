/*
 * The closure: members are looked at in the order in which they joined, so that the list itself is the
 * work to do. The edges are in dependants_table.c (relations and what is in them) and dependants_type.c
 * (types, functions, and expressions that mention them).
 */
#include "planner/postgres/dependants_parts.h"

struct dependants dependants_make(struct deed *d)
{
    return (struct dependants){.deed = d};
}

static struct dependant *find(const struct dependants *set, enum dependant_kind kind,
                              const void *object)
{
    for (size_t i = 0; i < set->all.count; i++) {
        if (set->all.at[i].kind == kind && set->all.at[i].object == object)
            return &set->all.at[i];
    }
    return NULL;
}

bool dependants_has(const struct dependants *set, enum dependant_kind kind, const void *object)
{
    return find(set, kind, object) != NULL;
}

void dependants_add(struct dependants *set, const struct dependant *one, enum dependency how,
                    size_t because)
{
    struct dependant *there = find(set, one->kind, one->object);
    if (there) {
        there->is_automatic |= how == DEPENDS_AUTO;
        return;
    }
    struct dependant joined = *one;
    joined.is_automatic = how == DEPENDS_AUTO;
    joined.because = because;
    vec_push(set->deed->a, &set->all, joined);
}

void dependants_add_of(struct dependants *set, enum dependant_kind kind,
                       struct catalog_relation *relation, void *object, enum dependency how,
                       size_t because)
{
    struct dependant one = {.kind = kind, .relation = relation, .object = object};
    dependants_add(set, &one, how, because);
}

bool dependants_has_relation(const struct dependants *set, const struct catalog_relation *r)
{
    return dependants_has(set, DEPENDANT_RELATION, r);
}

/* ---- what the statement names ---- */

static void name(struct dependants *set, enum dependant_kind kind,
                 struct catalog_relation *relation, void *object, struct catalog_type *domain)
{
    struct dependant one = {
        .kind = kind,
        .relation = relation,
        .object = object,
        .domain = domain,
        .is_named = true,
    };
    dependants_add(set, &one, DEPENDS_AUTO, set->all.count);
    find(set, kind, object)->is_named = true;
}

void dependants_add_relation(struct dependants *set, struct catalog_relation *r)
{
    name(set, DEPENDANT_RELATION, r, r, NULL);
}

void dependants_add_column(struct dependants *set, struct catalog_relation *r,
                           struct catalog_column *column)
{
    name(set, DEPENDANT_COLUMN, r, column, NULL);
}

void dependants_add_constraint(struct dependants *set, struct catalog_constraint *k)
{
    name(set, DEPENDANT_CONSTRAINT, k->relation, k, NULL);
}

void dependants_add_default(struct dependants *set, struct catalog_relation *r,
                            struct catalog_column *column)
{
    name(set, DEPENDANT_DEFAULT, r, column, NULL);
}

void dependants_add_trigger(struct dependants *set, struct catalog_relation *r,
                            struct catalog_trigger *t)
{
    name(set, DEPENDANT_TRIGGER, r, t, NULL);
}

void dependants_add_rule(struct dependants *set, struct catalog_relation *r,
                         struct catalog_rule *rule)
{
    name(set, DEPENDANT_RULE, r, rule, NULL);
}

void dependants_add_type(struct dependants *set, struct catalog_type *t)
{
    name(set, DEPENDANT_TYPE, NULL, t, NULL);
}

void dependants_add_domain_constraint(struct dependants *set, struct catalog_type *domain,
                                      struct domain_constraint *k)
{
    name(set, DEPENDANT_DOMAIN_CONSTRAINT, NULL, k, domain);
}

void dependants_add_function(struct dependants *set, struct catalog_function *f)
{
    name(set, DEPENDANT_FUNCTION, NULL, f, NULL);
}

void dependants_add_statistics(struct dependants *set, struct catalog_statistics *s)
{
    name(set, DEPENDANT_STATISTICS, s->relation, s, NULL);
}

void dependants_add_object(struct dependants *set, struct catalog_object *o)
{
    name(set, DEPENDANT_OBJECT, NULL, o, NULL);
}

void dependants_add_of_schema(struct dependants *set, enum dependant_kind kind, void *object)
{
    struct catalog_relation *relation = kind == DEPENDANT_RELATION ? object : NULL;
    if (kind == DEPENDANT_STATISTICS)
        relation = ((struct catalog_statistics *)object)->relation;
    dependants_add_of(set, kind, relation, object, DEPENDS_NORMAL, set->all.count);
}

/* ---- all of it ---- */

void dependants_close(struct dependants *set)
{
    for (size_t i = 0; i < set->all.count; i++) {
        switch (set->all.at[i].kind) {
        case DEPENDANT_RELATION:
            dependants_of_relation(set, i);
            break;
        case DEPENDANT_COLUMN:
            dependants_of_column(set, i);
            break;
        case DEPENDANT_CONSTRAINT:
            dependants_of_constraint(set, i);
            break;
        case DEPENDANT_TRIGGER:
            dependants_of_trigger(set, i);
            break;
        case DEPENDANT_TYPE:
            dependants_of_type(set, i);
            break;
        case DEPENDANT_FUNCTION:
            dependants_of_function(set, i);
            break;
        case DEPENDANT_OBJECT:
            dependants_of_object(set, i);
            break;
        case DEPENDANT_DEFAULT:
        case DEPENDANT_RULE:
        case DEPENDANT_DOMAIN_CONSTRAINT:
        case DEPENDANT_STATISTICS:
        case DEPENDANT_UNKNOWN:
            break;
        }
    }
}

/* Whether the relation that it is in goes as a whole, or the column whose default it is. */
static bool is_within(const struct dependants *set, const struct dependant *one)
{
    if (one->kind == DEPENDANT_DEFAULT && dependants_has(set, DEPENDANT_COLUMN, one->column))
        return true;
    return one->kind != DEPENDANT_RELATION && one->relation &&
           dependants_has(set, DEPENDANT_RELATION, one->relation);
}

const struct dependant *dependants_blocked(const struct dependants *set)
{
    for (size_t i = 0; i < set->all.count; i++) {
        const struct dependant *one = &set->all.at[i];
        if (!one->is_named && !one->is_automatic && !is_within(set, one))
            return one;
    }
    return NULL;
}

bool dependants_refuse(struct dependants *set)
{
    const struct dependant *blocked = dependants_blocked(set);
    if (!blocked)
        return false;
    const struct dependant *first = blocked;
    while (!first->is_named && first->because < set->all.count &&
           first != &set->all.at[first->because])
        first = &set->all.at[first->because];
    struct str what = dependant_text(set, first);
    struct str by = dependant_text(set, blocked);
    deed_fails(set->deed, "%.*s cannot be dropped: %.*s depends on it", STR_ARG(what), STR_ARG(by));
    return true;
}
