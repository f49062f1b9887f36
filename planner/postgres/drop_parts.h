/*
 * What the files about DROP, TRUNCATE and OWNED share.
 */
#ifndef PLANNER_POSTGRES_DROP_PARTS_H
#define PLANNER_POSTGRES_DROP_PARTS_H

#include "planner/postgres/create_parts.h"
#include "planner/postgres/dependants.h"

/* What the statement names, closed. is_told: what is missing or in the way is noted in the effects.
   (drop_names.c) */
struct dependants drop_collect(struct deed *d, const PgQuery__DropStmt *drop, bool is_told);
/* Everything in a schema joins the set, as what needs CASCADE; whether there is anything. */
bool drop_collect_schema(struct dependants *set, struct str schema);

/* OWNER TO: the table with its indexes and the sequences that it owns. (effects_owner.c) */
void owner_lock(struct deed *d, struct catalog_relation *r, bool is_named);
void owner_fold(struct deed *d, struct catalog_relation *r, struct str owner);
/* A role's name; "" : whoever runs it. */
struct str owner_of_role(const PgQuery__RoleSpec *role);
/* Whether one of these roles (RoleSpecs) owns it. (effects_owner.c) */
bool owner_is_one_of(const struct catalog_relation *r, PgQuery__Node *const *roles, size_t count);

#endif
