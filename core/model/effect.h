/*
 * What one statement does to a live database, as facts: locks, rewrites, full reads, index builds, what
 * is lost, which names go. Made by planner/<engine>; judged by rules, printed by cmd, compared with a
 * server by `make truth` and with a copy by rehearsals.
 */
#ifndef CORE_MODEL_EFFECT_H
#define CORE_MODEL_EFFECT_H

#include "core/model/catalog.h"
#include "core/model/lock.h"

struct effect_lock {
    struct str relation; /* "public.orders": as it is called when the statement begins */
    enum relation_kind kind;
    enum lock_mode mode;                   /* the strongest that the statement takes */
    const struct catalog_relation *object; /* NULL: not in the catalog */
    bool is_named; /* the statement names it; false: only what PostgreSQL does leads there */
};

/* A table, index or materialized view to which something happens. */
struct effect_object {
    struct str relation;
    const struct catalog_relation *object; /* or NULL */
    const char *why; /* short, static: "the column's type changes its stored form"; never NULL */
};

enum loss_kind {
    LOSS_UNKNOWN = 0,
    LOSS_DATA,      /* rows or values */
    LOSS_GUARANTEE, /* a constraint, a unique index */
    LOSS_NAME,      /* something that code may call by its name */
    LOSS_ACCESS,    /* rights, row security */
};
struct effect_loss {
    enum loss_kind kind;
    const char *object_kind;               /* "TABLE", "COLUMN", "CONSTRAINT". Static. */
    struct str what;                       /* "public.orders.note" */
    const struct catalog_relation *object; /* the relation that it is or belongs to; or NULL */
    bool is_named;                         /* false: it goes along (CASCADE, a column's index) */
};

struct effects {
    VEC_OF(struct effect_lock) locks;
    VEC_OF(struct effect_object) rewrites; /* tables given new storage that holds rows */
    VEC_OF(struct effect_object) scans;    /* tables and materialized views read in full */
    VEC_OF(struct effect_object) builds;   /* indexes filled from a table that has rows */
    VEC_OF(struct effect_object)
    writes;            /* SQLite: tables whose rows are written, by triggers too */
    bool tells_writes; /* writes was looked for */
    VEC_OF(struct effect_loss) losses;
    VEC_OF(const void *) within; /* statements of a DO block that were looked into: their trees */
    bool refuses_transaction;    /* known only with the catalog: REINDEX of a partitioned table */
    const char *opaque;  /* what cannot be looked into ("EXECUTE of a text"); NULL: nothing */
    const char *missing; /* an object that it needs and that is not in a complete catalog */
    const char *failure; /* why the server will refuse it; NULL: nothing is known against it */
};

/* The strongest mode of each relation wins. */
void effects_add_lock(struct arena *a, struct effects *e, const struct effect_lock *lock);
/* Once each. */
void effects_add_rewrite(struct arena *a, struct effects *e, const struct catalog_relation *r,
                         const char *why);
void effects_add_scan(struct arena *a, struct effects *e, const struct catalog_relation *r,
                      const char *why);
void effects_add_build(struct arena *a, struct effects *e, const struct catalog_relation *index,
                       const char *why);
void effects_add_write(struct arena *a, struct effects *e, const struct catalog_relation *r,
                       const char *why);
void effects_add_loss(struct arena *a, struct effects *e, enum loss_kind kind,
                      const char *object_kind, struct str what,
                      const struct catalog_relation *object, bool is_named);
/* All of from's effects too (a statement within a DO block). */
void effects_merge(struct arena *a, struct effects *e, const struct effects *from);

struct json *effects_json(const struct effects *e);

#endif
