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
    /* The old column's value of the new one's, when they have changed places and NEW.<name> is the new one;
       NULL: nobody knows it, and the old column goes in the switch. */
    const char *backward;
    bool never_fails; /* it is NULL where the old type cannot hold the value */
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

/* The last step, which waits: one transaction that touches the catalog only. The old column goes. */
void retype_switch(struct retype *x);
/* The same, but that both stay: the column that has the name follows the one that gets it from now on. All
   that hangs on it goes. is_back: not a step that waits, but the last one of the undo. */
void retype_change_places(struct retype *x, bool is_back);

/* ---- rewrite_retype_back.c ---- */

/* Sets backward, where there is one. */
void retype_find_way_back(struct retype *x);
/* The function of the trigger that keeps the old column current behind the switch. */
void retype_add_reverse(struct retype *x);
/* A condition, when both have changed places: the new one's value is not what the old one's would give. */
const char *retype_disagree_behind(const struct sync_pair *s, const char *of);
/* The table, those that refer to the column, and those that it refers to. */
const struct table_locks *retype_locks(const struct retype *x, enum lock_mode mode);
/* The way back as the undo of step `at`, the last one so far. */
void retype_undo_switch(struct retype *x, size_t at);
/* The very last step, which waits again. */
void retype_end(struct retype *x);

#endif
