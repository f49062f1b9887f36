/*
 * The PostgreSQL planner's facts: what each kind of statement locks, rewrites, reads, builds and loses
 * (predict), and what it makes of the catalog (fold). One row for each node kind, in effects.c; the
 * functions behind the rows are in effects_<subject>.c and fold_<subject>.c. `make truth` holds all of
 * it against real servers.
 *
 * predict() leaves the catalog as it is: rules look at the catalog of before together with the effects.
 * Then fold() changes it. Both take any tree: what does not exist, is misspelt or cannot be is reported
 * in effects.missing or effects.failure, never a crash.
 */
#ifndef PLANNER_POSTGRES_EFFECTS_H
#define PLANNER_POSTGRES_EFFECTS_H

#include "core/model/effect.h"
#include "core/model/hazard.h"
#include "planner/postgres/parse.h"

/* The newest major version whose behaviour is known; taken where the server's is not. */
#define POSTGRES_NEWEST 18

/* What is at hand while one statement is looked at. */
struct body; /* body.h */

struct deed {
    struct arena *a; /* of the effects */
    struct catalog *catalog;
    unsigned major; /* 12 … POSTGRES_NEWEST */
    const PgQuery__Node *node;
    struct effects *effects;
    size_t old_relations; /* relations before the statement: later ones it has made itself */
    /* Indexes that a query of this statement has opened for reading. */
    VEC_OF(const struct catalog_relation *) read_indexes;
    /* The statement whose conditions were asked for last: it is asked for each of its tables. */
    const void *filtered;
    struct {
        const PgQuery__Node **at;
        size_t count;
    } clauses;
    size_t depth;      /* statements within statements: DO, functions, rules, CREATE SCHEMA */
    struct body *body; /* that runs: calls take values of its variables; NULL: none */
    size_t entered;    /* views, rules, functions, actions of foreign keys so far: deed_enters() */
    size_t body_bytes; /* what running bodies has cost so far: body_spend() in body.h */
};
#define DEED_DEPTH_MAX 8
#define DEED_ENTERED_MAX ((size_t)5000)

struct effect_row {
    void (*predict)(struct deed *d, const PgQuery__Node *node);
    void (*fold)(struct deed *d, const PgQuery__Node *node); /* NULL: the catalog stays as it is */
    const char *source; /* of the facts: manual pages, source functions */
};

/* The row of a node kind; NULL: nothing is known, the statement is opaque. */
const struct effect_row *effect_row(unsigned node_case);
/* d->node through its row; opaque where there is none. */
void effects_predict(struct deed *d);
void effects_fold(struct deed *d);
/* A statement within another one (the body of a function, the action of a rule, an element of CREATE
   SCHEMA): its effects join d's; d->node is put back. is_folded: the catalog takes it in at once. */
void effects_within(struct deed *d, const PgQuery__Node *node, bool is_folded);

/* ---- finding what a tree names ---- */

/* NULL where it is not in the catalog; with a complete catalog and !is_missing_ok that is noted in
   effects.missing. */
struct catalog_relation *deed_relation(struct deed *d, const PgQuery__RangeVar *name,
                                       bool is_missing_ok);
/* Lists of String nodes: schema.name, or name. */
void deed_split_name(PgQuery__Node *const *names, size_t count, struct str *out_schema,
                     struct str *out_name);
struct catalog_relation *deed_relation_by_names(struct deed *d, PgQuery__Node *const *names,
                                                size_t count, bool is_missing_ok);
/* Whether a name is of the system: pg_catalog, information_schema, or pg_… without a schema. */
bool deed_is_system(struct str schema, struct str name);
/* The name that the server gives an index, constraint or sequence without one: name1_name2_label, cut to
   63 bytes, with a number where it is taken (indexcmds.c: ChooseRelationName). name2 may be empty. What
   the statement itself has named before it does not see: taken lists those. */
struct str deed_choose_name(struct deed *d, struct str schema, struct str name1, struct str name2,
                            const char *label, const struct str *taken, size_t taken_count);
struct type_ref deed_type(struct deed *d, const PgQuery__TypeName *name);
/* The expression, kept in the catalog's arena. */
struct catalog_expression deed_keep_expression(struct deed *d, const PgQuery__Node *tree);

struct visited;
/* For a walk through inheritance, where a table may have several parents: whether a child is there and
   has not been met before. */
bool deed_is_next(struct deed *d, struct visited *done, const struct catalog_relation *child);
/* Before something is followed that stands on others of its kind, as a view on views: eight levels of
   twenty each are billions. False: too many already, and the statement is opaque. */
bool deed_enters(struct deed *d);

/* ---- saying what happens ---- */

/* A lock on a relation that is there. Everything that goes with it (partitions, indexes) is added by
   the caller, who knows. */
void deed_lock(struct deed *d, const struct catalog_relation *r, enum lock_mode mode,
               bool is_named);
/* A lock on a relation that the catalog does not have, by the name as written: what is known of it. */
void deed_lock_name(struct deed *d, const PgQuery__RangeVar *name, enum lock_mode mode);
/* The same for children of every depth: partitions and inheritance children. */
void deed_lock_tree(struct deed *d, const struct catalog_relation *r, enum lock_mode mode,
                    bool is_named);
/* New storage, also of an empty table: the table read in full, all its indexes built, all of it locked
   AccessExclusive. */
void deed_rewrite(struct deed *d, const struct catalog_relation *r, const char *why);
/* Read in full, as ALTER TABLE does to verify and to rewrite: an empty table too. */
void deed_scan(struct deed *d, const struct catalog_relation *r, const char *why);
/* The same, where it has rows: queries, foreign keys, checks of a domain, of a default partition. */
void deed_scan_rows(struct deed *d, const struct catalog_relation *r, const char *why);
/* An index filled from a table that has rows, which is read for it; silent where it has none. The second is
   for an index that is not in the catalog yet. */
void deed_build(struct deed *d, const struct catalog_relation *index, const char *why);
void deed_build_new(struct deed *d, const struct catalog_relation *table, struct str index_name,
                    const char *why);
/* Whether a table has rows, as far as a script or a server can tell: unknown counts as some. */
bool deed_has_rows(const struct catalog_relation *r);
void deed_opaque(struct deed *d, const char *what);
void deed_missing(struct deed *d, const char *format, ...) PRINTF_LIKE(2, 3);
void deed_fails(struct deed *d, const char *format, ...) PRINTF_LIKE(2, 3);
/* For every child of every depth, once, parents first; visit returns false to stop below that child. */
typedef bool deed_visitor(struct deed *d, struct catalog_relation *r, void *context);
void deed_each_child(struct deed *d, const struct catalog_relation *r, deed_visitor *visit,
                     void *context);
/* Whether r is one, or has it above itself, however far. */
bool deed_is_or_inherits(struct deed *d, const struct catalog_relation *r,
                         const struct catalog_relation *one);

/* ---- the rows' functions, by the file they are in ---- */

#define EFFECT_PAIR(name)                                                                          \
    void predict_##name(struct deed *d, const PgQuery__Node *node);                                \
    void fold_##name(struct deed *d, const PgQuery__Node *node)

EFFECT_PAIR(alter_table); /* effects_alter_table*.c, fold_alter_table*.c */
EFFECT_PAIR(move_all);    /* effects_move.c: ALTER TABLE ALL IN TABLESPACE */
EFFECT_PAIR(discard);

EFFECT_PAIR(create_table); /* effects_create.c, fold_create.c */
EFFECT_PAIR(create_table_as);
EFFECT_PAIR(create_index);
EFFECT_PAIR(create_sequence);
EFFECT_PAIR(create_view);
EFFECT_PAIR(create_function);
EFFECT_PAIR(create_schema);
EFFECT_PAIR(create_domain);
EFFECT_PAIR(create_enum);
EFFECT_PAIR(create_composite);
EFFECT_PAIR(create_range);
EFFECT_PAIR(create_extension);
EFFECT_PAIR(create_foreign_table);
EFFECT_PAIR(create_statistics);
void fold_create_cast(struct deed *d, const PgQuery__Node *node); /* fold_extension.c */
void fold_create_fdw(struct deed *d, const PgQuery__Node *node);  /* fold_extension.c */
void fold_create_server(struct deed *d, const PgQuery__Node *node);
EFFECT_PAIR(define); /* CREATE AGGREGATE, OPERATOR, TYPE, COLLATION, … */

EFFECT_PAIR(drop);       /* effects_drop.c: DROP of anything, with CASCADE */
EFFECT_PAIR(drop_owned); /* and REASSIGN OWNED */
EFFECT_PAIR(truncate);
EFFECT_PAIR(rename); /* effects_rename.c */
EFFECT_PAIR(set_schema);
EFFECT_PAIR(set_owner);
EFFECT_PAIR(depends_on_extension);

EFFECT_PAIR(trigger); /* effects_trigger.c */
EFFECT_PAIR(rule);
EFFECT_PAIR(policy);
EFFECT_PAIR(alter_policy);
EFFECT_PAIR(event_trigger);

EFFECT_PAIR(alter_domain); /* effects_type.c */
EFFECT_PAIR(alter_enum);
EFFECT_PAIR(alter_sequence);
EFFECT_PAIR(alter_function);
EFFECT_PAIR(alter_statistics);
EFFECT_PAIR(alter_extension);

EFFECT_PAIR(
    query); /* effects_query.c: SELECT, INSERT, UPDATE, DELETE, MERGE, EXPLAIN, DECLARE, PREPARE */
EFFECT_PAIR(copy);
EFFECT_PAIR(lock);
EFFECT_PAIR(call);
EFFECT_PAIR(do); /* effects_body.c: PL/pgSQL */

EFFECT_PAIR(reindex); /* effects_maintenance.c */
EFFECT_PAIR(cluster);
EFFECT_PAIR(vacuum);
EFFECT_PAIR(refresh);

EFFECT_PAIR(comment); /* effects_misc.c */
EFFECT_PAIR(grant);
EFFECT_PAIR(publication);
EFFECT_PAIR(alter_publication);
EFFECT_PAIR(set);
EFFECT_PAIR(transaction);
EFFECT_PAIR(nothing); /* no relation lock, no change of the catalog: CREATE ROLE, NOTIFY … */

#endif
