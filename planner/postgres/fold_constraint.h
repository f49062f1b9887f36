/*
 * Columns, constraints and keys as they come into the catalog: for CREATE
 * TABLE, ALTER TABLE and partitions, with the names that the server makes up
 * and with what children get of them (tablecmds.c, parse_utilcmd.c,
 * indexcmds.c).
 */
#ifndef PLANNER_POSTGRES_FOLD_CONSTRAINT_H
#define PLANNER_POSTGRES_FOLD_CONSTRAINT_H

#include "planner/postgres/effects.h"
#include "planner/postgres/object_names.h"

/* ---- reading a definition ---- */

/* One constraint as it is written: of a table, or within a column's definition.
 */
struct constraint_source {
    const PgQuery__Constraint *k;
    const char *column; /* in whose definition it stands; NULL: a table's */
    bool is_deferrable; /* also where it is said behind the constraint */
    bool is_deferred;   /* INITIALLY DEFERRED */
};
struct constraint_sources {
    VEC_OF(struct constraint_source) all;
};
/* Of a column: without DEFAULT, NULL, GENERATED and IDENTITY; those are the
 * column's own. */
void constraint_sources_of_column(struct arena *a, const PgQuery__ColumnDef *def,
                                  struct constraint_sources *out);
void constraint_sources_add(struct arena *a, const PgQuery__Constraint *k,
                            struct constraint_sources *out);

/* The column of a NOT NULL, whichever way it is written; "" : none. */
const char *not_null_column(const struct constraint_source *source);
/* The NOT NULL constraint of a column (18); NULL: it has none. */
struct catalog_constraint *not_null_of(const struct catalog_relation *r,
                                       const struct catalog_column *column);
/* The constraint of a child that is the same as this one of its parent: CHECK by name, NOT NULL by
   column, the others as they were made for it. */
struct catalog_constraint *constraint_like(const struct catalog_relation *child,
                                           const struct catalog_constraint *k);
/* The first constraint of this type in a column's definition, or NULL. */
const PgQuery__Constraint *column_constraint(const PgQuery__ColumnDef *def,
                                             PgQuery__ConstrType type);
/* The DEFAULT that is written, if it is not NULL; the expression of a generated
 * column. */
const PgQuery__Node *column_default_tree(const PgQuery__ColumnDef *def);
/* GENERATED … VIRTUAL: computed when it is read. */
bool column_is_virtual(const PgQuery__ColumnDef *def);
/* Whether it says DEFAULT at all, as foreign keys are judged. */
bool column_says_default(const PgQuery__ColumnDef *def);

/* The index behind a UNIQUE, PRIMARY KEY or EXCLUDE as it would be made for r;
   columns that r does not have are left out. In the arena a; not in the
   catalog. */
struct catalog_index *key_describe(struct deed *d, struct catalog_relation *r,
                                   const struct constraint_source *source);
/* An index on a partition that has the same columns as one of its parent (by
   name, since places differ), the same method and predicate (index.c:
   CompareIndexInfo). */
bool index_is_like(struct deed *d, const struct catalog_index *one,
                   const struct catalog_index *other);
/* The name for an index like this on r. */
struct str index_choose_name(struct deed *d, const struct catalog_relation *r,
                             const struct catalog_index *index, enum index_purpose purpose);
struct str index_choose_name_after(struct deed *d, const struct catalog_relation *r,
                                   const struct catalog_index *index, enum index_purpose purpose,
                                   const struct name_changes *changes);
enum index_purpose index_purpose(const struct catalog_index *index);

/* A foreign key as it would be made for r; not in the catalog. */
struct catalog_constraint *foreign_key_describe(struct deed *d, struct catalog_relation *r,
                                                const struct constraint_source *source);
/* The table and columns that a foreign key refers to: those written, or the
   primary key. NULL: not in the catalog. */
struct catalog_relation *foreign_key_target(struct deed *d, const PgQuery__Constraint *k,
                                            bool is_missing_ok);
/* The unique index of the referenced table over exactly these columns; NULL:
 * there is none. */
struct catalog_relation *foreign_key_index(const struct catalog_relation *referenced,
                                           const PgQuery__Constraint *k);

/* The partition's own foreign key that can stand for one of its parent (tablecmds.c:
   tryAttachPartitionForeignKey); NULL: there is none. */
struct catalog_constraint *foreign_key_like(struct deed *d,
                                            const struct catalog_relation *partition,
                                            const struct catalog_constraint *of);
/* The partition's index that can take the place of this one of its parent; NULL: one is built. */
struct catalog_relation *index_like(struct deed *d, const struct catalog_relation *partition,
                                    const struct catalog_index *index);

/* ---- into the catalog ---- */

enum {
    FOLD_NEW_TABLE = 1, /* CREATE TABLE: everything is valid, there are no children */
    FOLD_ONLY = 2,      /* ALTER TABLE ONLY: children are left out */
};

/* Columns and constraints of one definition; keys, foreign keys and NOT NULL in
   the server's order. A UNIQUE over the columns of the primary key is one with
   it. */
void fold_constraints(struct deed *d, struct catalog_relation *r,
                      const struct constraint_sources *sources, unsigned flags);
/* A column with type, collation, default, identity or serial sequence; without
   its other constraints. Children are the caller's. */
struct catalog_column *fold_column(struct deed *d, struct catalog_relation *r,
                                   const PgQuery__ColumnDef *def);
/* The sequence of an identity or serial column; options may name it. */
struct catalog_relation *fold_owned_sequence(struct deed *d, struct catalog_relation *r,
                                             struct catalog_column *column, bool is_identity,
                                             PgQuery__Node *const *options, size_t option_count);

/* NOT NULL of one column; from 18 on with its constraint (name "": the
 * server's). */
void fold_not_null(struct deed *d, struct catalog_relation *r, struct catalog_column *column,
                   struct str name, bool is_valid, bool is_inherited);
/* CHECK on r and, but for FOLD_ONLY and NO INHERIT, its children. */
void fold_check(struct deed *d, struct catalog_relation *r, const PgQuery__Constraint *k,
                unsigned flags);
struct catalog_constraint *fold_foreign_key(struct deed *d, struct catalog_relation *r,
                                            const struct constraint_source *source, unsigned flags);
/* UNIQUE, PRIMARY KEY, EXCLUDE with its index, which partitions get as well;
 * USING INDEX. */
struct catalog_constraint *fold_key(struct deed *d, struct catalog_relation *r,
                                    const struct constraint_source *source, unsigned flags);

/* ---- partitions ---- */

/* Fills an index of the catalog with a description, over the columns of table that have the same
   names. */
void index_copy(struct deed *d, struct catalog_index *to, const struct catalog_index *from,
                struct catalog_relation *table);
/* The constraint of this name that a key's index stands behind. */
struct catalog_constraint *index_constraint(struct deed *d, struct catalog_relation *index,
                                            struct str name);
/* Each partition of the index's table, at any depth, gets one like it: its own,
   attached, or a new one. */
void fold_index_to_partitions(struct deed *d, struct catalog_relation *index);
/* The same for one partition and a foreign key. */
void fold_index_to_partition(struct deed *d, struct catalog_relation *index,
                             struct catalog_relation *partition);
void fold_foreign_key_to_partition(struct deed *d, struct catalog_constraint *k,
                                   struct catalog_relation *partition);
/* The child becomes a partition of the parent, or inherits from it: columns and
   constraints become one with those of the parent; a partition gets indexes,
   foreign keys and triggers of its parent. */
void fold_attach(struct deed *d, struct catalog_relation *parent, struct catalog_relation *child,
                 const PgQuery__PartitionBoundSpec *bound);
/* It stands alone again; what it has is its own. */
void fold_detach(struct deed *d, struct catalog_relation *parent, struct catalog_relation *child);

/* Not dropped, and not NULL. */
static inline bool relation_is_there(const struct catalog_relation *r)
{
    return r && !r->is_dropped;
}

#endif
