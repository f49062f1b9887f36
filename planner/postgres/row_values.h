/*
 * The rows that an INSERT of a script puts in, as far as they can be told without a server: VALUES, and a
 * SELECT over generate_series() with whole numbers, texts, dates, times and intervals. A schema with sample
 * rows is read so, to know which partitions are empty.
 */
#ifndef PLANNER_POSTGRES_ROW_VALUES_H
#define PLANNER_POSTGRES_ROW_VALUES_H

#include "planner/postgres/effects.h"

/* ---- row_value.c: one expression ---- */

enum row_kind {
    ROW_UNKNOWN = 0,
    ROW_NULL,
    ROW_BOOL,
    ROW_NUMBER,
    ROW_TEXT,
    ROW_DATE,     /* number: days since 1970 */
    ROW_TIME,     /* number: microseconds since 1970 */
    ROW_INTERVAL, /* months, number: microseconds */
};
struct row_value {
    enum row_kind kind;
    int64_t number;
    int64_t months;
    struct str text;
};
/* The variable is generate_series()'s: its names, and its value now. */
struct row_variable {
    struct str table;
    struct str column;
    int64_t value;
};
/* variable may be NULL. UNKNOWN: it cannot be told here. */
struct row_value row_evaluate(struct arena *a, const PgQuery__Node *node,
                              const struct row_variable *variable);
/* A date or time as SQL writes it. */
#define ROW_TIME_BYTES 48
void row_time_text(const struct row_value *v, char out[ROW_TIME_BYTES]);
/* As a constant of SQL, in insert_rows.c; NULL where it is not known or an interval. */
const PgQuery__Node *row_constant(struct arena *a, const struct row_value *v);

/* ---- insert_rows.c ---- */

/* The value of a column in one row; NULL: not known. */
struct insert_row {
    struct arena *a;
    const struct catalog_relation *r;
    const PgQuery__InsertStmt *insert;
    PgQuery__Node *const *values; /* expressions, or targets of a SELECT */
    size_t count;
    const struct row_variable *variable;
};
const PgQuery__Node *insert_row_value(const struct insert_row *row, struct str column);
/* Visits them (of a long series some, spread evenly) until it returns false. False where they cannot be
   told: then visit was never called. */
typedef bool insert_row_visitor(void *context, const struct insert_row *row);
bool insert_rows(struct arena *a, const struct catalog_relation *r,
                 const PgQuery__InsertStmt *insert, insert_row_visitor *visit, void *context);

#endif
