/*
 * What the files of ALTER TABLE share. A statement is gone through as tablecmds.c does it: the
 * strongest lock of its sub-commands first, then the sub-commands pass by pass, with notes for each
 * table on whether it will be rewritten or read; at the end each table is rewritten or read once.
 */
#ifndef PLANNER_POSTGRES_ALTER_TABLE_H
#define PLANNER_POSTGRES_ALTER_TABLE_H

#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/types.h"

struct altering;
typedef void alter_look(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd);

/* An index over a column whose type changes. */
struct rebuilt_index {
    struct catalog_relation *index;
    bool is_kept; /* made anew over the same storage */
};

/* AlteredTableInfo */
struct altered {
    struct catalog_relation *r;
    const char *rewrite; /* why; NULL: it keeps its storage */
    const char *copy;    /* SET TABLESPACE: the files move, indexes stay */
    const char *scan;    /* why it is read; NULL: it is not */
    VEC_OF(struct rebuilt_index) rebuilt;
    bool changes_rows; /* ALTER TYPE rewrites it */
    /* Foreign keys that are made anew over columns whose values stay comparable. */
    VEC_OF(struct catalog_constraint *) remade;
};

/* A column or constraint that an earlier sub-command makes. */
struct alter_new {
    struct catalog_relation *r;
    struct str name;
};

struct altering {
    struct deed *d;
    const PgQuery__AlterTableStmt *stmt;
    struct catalog_relation *r; /* that is named */
    enum lock_mode mode;        /* the strongest of all sub-commands */
    bool is_only;
    bool is_stand_in; /* the catalog does not have it: what the text says goes */
    VEC_OF(struct altered *) tables;
    VEC_OF(struct alter_new) new_columns;
    VEC_OF(struct alter_new) new_constraints;
    VEC_OF(struct str) new_names; /* of indexes */
    VEC_OF(struct catalog_column *) dropped_columns;
    VEC_OF(struct catalog_relation *) dropped_indexes;
    VEC_OF(struct catalog_constraint *) dropped_constraints;
    /* Made anew from those of their partitioned table, under names that are chosen again. */
    VEC_OF(struct catalog_relation *) freed_indexes;
    VEC_OF(struct catalog_constraint *) freed_constraints;
};

/* When a sub-command is done (AlterTablePass). */
enum alter_pass {
    PASS_DROP = 0,
    PASS_ALTER_TYPE,
    PASS_ADD_COLUMN,
    PASS_SET_EXPRESSION,
    PASS_ADD_CONSTRAINT,
    PASS_COLUMN_ATTRIBUTES,
    PASS_ADD_INDEX,
    PASS_ADD_OTHER_CONSTRAINT,
    PASS_MISC,
    PASS_MAX,
};

/* Which tables a sub-command goes to. */
enum alter_reach {
    REACH_SELF = 0, /* the named one only */
    REACH_TREE,     /* children of every depth, each locked, unless ONLY (ATSimpleRecursion) */
    REACH_OWN,      /* the look function goes there itself */
};

struct alter_row {
    enum lock_mode mode; /* LOCK_NONE: its arguments decide (alter_mode()) */
    enum alter_pass pass;
    enum alter_reach reach;
    unsigned since;   /* major version that knows it */
    alter_look *look; /* NULL: the lock is all */
    alter_look
        *fold; /* NULL: the catalog stays as it is; on the named table, children are its own */
    const char *source;
};
const struct alter_row *alter_row(const PgQuery__AlterTableCmd *cmd);
enum alter_pass alter_pass(const PgQuery__AlterTableCmd *cmd);
/* Of one sub-command (AlterTableGetLockLevel). */
enum lock_mode alter_mode(const PgQuery__AlterTableCmd *cmd);
enum lock_mode alter_options_mode(PgQuery__Node *const *options, size_t count);

/* ---- notes (effects_alter_table.c) ---- */

struct altered *alter_table_of(struct altering *t, struct catalog_relation *r);
void alter_rewrites(struct altering *t, struct catalog_relation *r, const char *why);
void alter_scans(struct altering *t, struct catalog_relation *r, const char *why);
/* Locked in the mode of the statement. */
void alter_lock(struct altering *t, const struct catalog_relation *r);
void alter_lock_children(struct altering *t, const struct catalog_relation *r);
bool relation_has_storage(const struct catalog_relation *r);
/* A column as the statement sees it; NULL: there is none, which is noted unless the statement makes
   it (*out_is_new). */
struct catalog_column *alter_column(struct altering *t, struct catalog_relation *r,
                                    const char *name, bool *out_is_new);
bool alter_drops_column(const struct altering *t, const struct catalog_column *column);
bool alter_drops_index(const struct altering *t, const struct catalog_relation *index);
bool alter_makes_column(const struct altering *t, const struct catalog_relation *r,
                        struct str name);
/* A constraint that is there and not dropped by the statement. */
struct catalog_constraint *alter_constraint(const struct altering *t,
                                            const struct catalog_relation *r, struct str name);
/* Whether another sub-command does this to the column (DROP DEFAULT: AT_ColumnDefault, is_drop). */
bool alter_also(const struct altering *t, PgQuery__AlterTableType subtype, const char *column,
                bool is_drop);
bool is_partitioned(const struct catalog_relation *r);
bool has_children(const struct catalog_relation *r);

/* ---- look functions, by file ---- */

alter_look see_add_column, see_drop_column, see_default, see_set_not_null, see_drop_not_null,
    see_add_identity, see_set_identity, see_drop_identity, see_drop_expression, see_set_expression,
    see_storage, see_column_exists; /* effects_alter_table_column*.c */
alter_look see_column_type;         /* effects_alter_table_type.c */
alter_look see_add_constraint, see_validate, see_drop_constraint,
    see_alter_constraint;                               /* effects_alter_table_constraint.c */
alter_look see_attach, see_detach, see_detach_finalize; /* effects_alter_table_partition.c */
alter_look see_inherit, see_no_inherit, see_of;         /* effects_alter_table_inherit.c */
alter_look see_owner, see_cluster, see_replica_identity, see_persistence, see_access_method,
    see_tablespace, see_trigger, see_rule, see_options; /* effects_alter_table_storage.c */

/* Constraints of ADD CONSTRAINT and of new columns. is_checked: false where no row can be wrong. */
void alter_add_check(struct altering *t, struct catalog_relation *r, const PgQuery__Constraint *k);
void alter_add_key(struct altering *t, struct catalog_relation *r,
                   const struct constraint_source *source);
void alter_add_foreign_key(struct altering *t, struct catalog_relation *r,
                           const struct constraint_source *source, bool is_checked);
/* Whether NOT NULL has to be proved by reading the table. */
bool alter_must_prove_not_null(struct altering *t, struct catalog_relation *r,
                               const struct catalog_column *column);
/* Reads the table for it where it has to. */
void alter_prove_not_null(struct altering *t, struct catalog_relation *r, const char *name);
/* Whether an index has the column as a key or mentions it. */
bool index_is_over(struct deed *d, const struct catalog_index *index,
                   const struct catalog_column *column);
/* The name that it will get, after what the statement has made and dropped. */
struct str alter_index_name(struct altering *t, const struct catalog_relation *r,
                            const struct catalog_index *like, enum index_purpose purpose);
/* A new index for r or, where it is partitioned, for those partitions that have none like it. */
void alter_build_index(struct altering *t, struct catalog_relation *r,
                       const struct catalog_index *like, struct str name, const char *why);
/* The triggers of a foreign key go from the table that it refers to. */
void alter_lock_referenced(struct altering *t, struct catalog_relation *referenced);
/* Of the foreign keys that the changes of types left, those that are read again all the same. */
void alter_check_remade_keys(struct altering *t);
/* The locks of a foreign key that goes or is made anew, on both sides. */
void alter_lock_foreign_key(struct altering *t, const struct catalog_constraint *k);

alter_look fold_alter_add_column, fold_alter_drop_column, fold_alter_default,
    fold_alter_set_not_null, fold_alter_drop_not_null, fold_alter_add_identity,
    fold_alter_set_identity, fold_alter_drop_identity, fold_alter_drop_expression,
    fold_alter_set_expression, fold_alter_column_type; /* fold_alter_table_column.c */
alter_look fold_alter_add_constraint, fold_alter_validate, fold_alter_drop_constraint,
    fold_alter_constraint; /* fold_alter_table_constraint.c */
alter_look fold_alter_attach, fold_alter_detach, fold_alter_detach_finalize, fold_alter_inherit,
    fold_alter_no_inherit, fold_alter_of, fold_alter_not_of, fold_alter_owner, fold_alter_cluster,
    fold_alter_without_cluster, fold_alter_replica_identity, fold_alter_logged, fold_alter_unlogged,
    fold_alter_access_method, fold_alter_tablespace, fold_alter_trigger,
    fold_alter_row_security; /* fold_alter_table_relation.c */

#endif
