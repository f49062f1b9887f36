/*
 * What depends on an object, as the server follows pg_depend when something is
 * dropped (dependency.c): the closure of what goes along, which of it needs
 * CASCADE, what that locks, and what is left. A set is filled with what a
 * statement names, closed, then asked, locked, and at last folded.
 */
#ifndef PLANNER_POSTGRES_DEPENDANTS_H
#define PLANNER_POSTGRES_DEPENDANTS_H

#include "planner/postgres/effects.h"

enum dependant_kind {
    DEPENDANT_UNKNOWN = 0,
    DEPENDANT_RELATION, /* with all that is inside it; indexes and sequences too
                       */
    DEPENDANT_COLUMN,   /* with its default */
    DEPENDANT_DEFAULT,  /* of a column that stays */
    DEPENDANT_CONSTRAINT,
    DEPENDANT_TRIGGER,
    DEPENDANT_RULE, /* or policy */
    DEPENDANT_TYPE, /* domains too */
    DEPENDANT_DOMAIN_CONSTRAINT,
    DEPENDANT_FUNCTION,
    DEPENDANT_STATISTICS,
    DEPENDANT_OBJECT, /* extension, server, … : struct catalog_object */
};

struct dependant {
    enum dependant_kind kind;
    struct catalog_relation *relation; /* itself, or the table that it is part of; NULL: of none */
    union {
        void *object; /* tells one from another */
        struct catalog_relation *as_relation;
        struct catalog_column *column; /* of COLUMN and DEFAULT */
        struct catalog_constraint *constraint;
        struct catalog_trigger *trigger;
        struct catalog_rule *rule;
        struct catalog_type *type; /* of TYPE */
        struct domain_constraint *domain_constraint;
        struct catalog_function *function;
        struct catalog_statistics *statistics;
        struct catalog_object *other;
    };
    struct catalog_type *domain; /* whose the domain_constraint is */
    bool is_named;               /* the statement named it */
    bool is_automatic;           /* goes along whatever DROP's behaviour */
    size_t because;              /* index of the one that brought it; its own where it is named */
};

struct dependants {
    struct deed *deed;
    VEC_OF(struct dependant) all;
};

/* An empty set. Lists grow in the arena of the deed. */
struct dependants dependants_make(struct deed *d);

/* Adds what the statement names. */
void dependants_add_relation(struct dependants *set, struct catalog_relation *r);
void dependants_add_column(struct dependants *set, struct catalog_relation *r,
                           struct catalog_column *column);
void dependants_add_constraint(struct dependants *set, struct catalog_constraint *k);
void dependants_add_default(struct dependants *set, struct catalog_relation *r,
                            struct catalog_column *column);
void dependants_add_trigger(struct dependants *set, struct catalog_relation *r,
                            struct catalog_trigger *t);
void dependants_add_rule(struct dependants *set, struct catalog_relation *r,
                         struct catalog_rule *rule);
void dependants_add_type(struct dependants *set, struct catalog_type *t);
void dependants_add_domain_constraint(struct dependants *set, struct catalog_type *domain,
                                      struct domain_constraint *k);
void dependants_add_function(struct dependants *set, struct catalog_function *f);
void dependants_add_statistics(struct dependants *set, struct catalog_statistics *s);
void dependants_add_object(struct dependants *set, struct catalog_object *o);

/* What is in a schema that is dropped: it needs CASCADE. (relation, type, function, …) */
void dependants_add_of_schema(struct dependants *set, enum dependant_kind kind, void *object);
/* Columns and indexes that need a collation, which is no member itself. */
void dependants_add_of_collation(struct dependants *set, struct str name);

/* Everything that depends on what is in it, at any depth. */
void dependants_close(struct dependants *set);
bool dependants_has_relation(const struct dependants *set, const struct catalog_relation *r);
/* The first that RESTRICT stumbles over; NULL: there is none. */
const struct dependant *dependants_blocked(const struct dependants *set);
/* Notes in effects.failure that RESTRICT refuses, and returns true; false where
 * it does not. */
bool dependants_refuse(struct dependants *set);
/* "view public.v", "column note of table public.orders"; in the deed's arena.
 */
struct str dependant_text(struct dependants *set, const struct dependant *of);

/* The locks that deleting it all takes; what is lost by it. */
void dependants_lock(struct dependants *set);
void dependants_lose(struct dependants *set);
/* Marks everything as dropped. */
void dependants_fold(struct dependants *set);

#endif
