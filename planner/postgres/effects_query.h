/*
 * What the files behind the queries share: effects_query.c (what a query locks and reads),
 * effects_dml.c (what INSERT, UPDATE and DELETE set off), effects_foreign_key.c, effects_body.c (what
 * functions do).
 */
#ifndef PLANNER_POSTGRES_EFFECTS_QUERY_H
#define PLANNER_POSTGRES_EFFECTS_QUERY_H

#include "planner/postgres/partition_match.h"
#include "planner/postgres/query_uses.h"

/* ---- effects_query.c ---- */

/* A query that runs: what it locks, sets off and reads in full. */
void query_run(struct deed *d, const PgQuery__Node *query);
/* As the planner opens a table: with its children, but for partitions that the filter (NULL: none)
   leaves out, and, stronger than ACCESS SHARE, with their indexes. */
void query_lock_table(struct deed *d, const struct catalog_relation *r, enum lock_mode mode,
                      bool is_only, const struct partition_filter *filter, bool is_named);
/* What is asked of every row of the source, as far as its statement says it. In the deed's arena. */
struct partition_filter query_filter(struct deed *d, const struct query_source *source);
/* The functions that an expression of r's definition (r may be NULL) calls: they run with it. */
void query_run_expression(struct deed *d, const PgQuery__Node *tree, struct catalog_relation *r);
/* nextval() and its kin, and functions with a body. */
void query_run_calls(struct deed *d, const struct query_uses *uses);

/* ---- effects_view.c ---- */

/* A definition that is a statement: of a view, of a rule; parsed where only its text is there. */
const PgQuery__Node *query_statement_tree(struct deed *d, const struct catalog_expression *e);
/* The query behind a view; NULL: not known. */
const PgQuery__Node *query_of_view(struct deed *d, const struct catalog_relation *view);
/* What reading through a view locks below it, and reads in full; mode: ROW SHARE where its rows are
   locked. */
void query_view(struct deed *d, const struct catalog_relation *view, enum lock_mode mode);
void query_view_locks(struct deed *d, const struct catalog_relation *view, enum lock_mode mode,
                      enum query_stage stage, const struct partition_filter *outer);
enum row_state query_view_rows(struct deed *d, const struct catalog_relation *view);
/* The table that an updatable view stands for; NULL: there is none. */
struct catalog_relation *query_view_target(struct deed *d, const struct catalog_relation *view);

/* ---- effects_rewrite.c ---- */

/* The target of INSERT, UPDATE, DELETE or MERGE: a table, a view with its triggers or its table, rules. */
void dml_run(struct deed *d, const struct query_source *target, enum query_stage stage);
/* The same, only rewritten (QUERY_REWRITTEN): what the actions of its rules name. */
void dml_rewrite(struct deed *d, const struct query_source *target);

/* ---- effects_dml.c ---- */

/* An event on a table, and what is known of its rows. */
struct dml {
    unsigned event;                    /* TRIGGER_INSERT, TRIGGER_UPDATE, TRIGGER_DELETE */
    const PgQuery__InsertStmt *insert; /* the row's values; NULL: not known */
    PgQuery__Node *const *row;         /* of INSERT: values in the order of its columns */
    size_t row_count;
    PgQuery__Node *const *set; /* ResTargets of UPDATE */
    size_t set_count;
    bool is_every_column_set; /* a cascade's: whatever it sets */
};
void dml_run_on_table(struct deed *d, struct catalog_relation *r, const struct query_source *target,
                      enum query_stage stage);
/* COPY … FROM; columns: Strings, none: all of them. */
void dml_copy(struct deed *d, struct catalog_relation *r, PgQuery__Node *const *columns,
              size_t count);
/* The value that the statement gives a column: NULL: not known. */
const PgQuery__Node *dml_value(const struct dml *m, const struct catalog_relation *r,
                               struct str column);
/* Whether UPDATE sets it. */
bool dml_sets(const struct dml *m, struct str column);
/* Triggers of a table, once for the statement or once for a row. */
void dml_triggers(struct deed *d, const struct catalog_relation *r, const struct dml *m,
                  bool is_row);
void dml_lock_indexes(struct deed *d, const struct catalog_relation *r, enum lock_mode mode);

/* ---- effects_foreign_key.c: what the server's own triggers do for one row (ri_triggers.c) ---- */

/* Of the table's foreign keys: the row that is referred to is locked. */
void dml_check_references(struct deed *d, const struct catalog_relation *r, const struct dml *m);
/* Of foreign keys to the table: rows that refer to it are looked for, changed or deleted. */
void dml_check_referencing(struct deed *d, const struct catalog_relation *r, const struct dml *m,
                           size_t depth);

/* ---- effects_body.c ---- */

/* The body of a function or procedure, as a call runs it (NULL: a trigger's, it has no arguments). */
void body_run_function(struct deed *d, const struct catalog_function *f,
                       const PgQuery__FuncCall *call);

#endif
