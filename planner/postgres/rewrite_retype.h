/*
 * ALTER COLUMN … TYPE that would write every row: into a column beside it, which then takes its name.
 * Private to planner/postgres/rewrite_retype*.c.
 */
#ifndef PLANNER_POSTGRES_REWRITE_RETYPE_H
#define PLANNER_POSTGRES_REWRITE_RETYPE_H

#include "core/base/vec.h"
#include "planner/postgres/rewrite_sync.h"

/* A CHECK or foreign key that is made again over the new column. */
struct retype_constraint {
    const struct catalog_constraint *like;
    const char *relation; /* whose it is: of a foreign key to the column, another table */
    const char *name;     /* until the old one is gone; quoted */
    struct str text;      /* from CHECK, FOREIGN KEY on */
};

struct retype {
    struct sync_pair s;
    const char *default_text; /* of the old column; NULL: it has none */
    struct sync_indexes indexes;
    struct {
        struct retype_constraint *at;
        size_t count, room;
    } constraints;
};

/* ---- rewrite_retype_constraints.c ---- */

/* false: one of them cannot be told from the catalog, or not be made beside writers. */
bool retype_find_constraints(struct retype *x);
void retype_add_checks(struct retype *x);
void retype_add_foreign_keys(struct retype *x);

/* ---- rewrite_retype_switch.c ---- */

/* The last step, which waits: one transaction that touches the catalog only. */
void retype_switch(struct retype *x);

#endif
