/*
 * Conditions in the form in which one can be proven from another: AND and OR over comparisons of a column
 * (or expression) with a constant, NULL tests, and what is only compared word by word. The proof is the
 * server's (predtest.c: predicate_implied_by, weak form: where the first is true, the second is true or
 * NULL), as far as constants can be compared without the server.
 */
#ifndef PLANNER_POSTGRES_PREDICATE_H
#define PLANNER_POSTGRES_PREDICATE_H

#include "planner/postgres/types.h"

/* ---- constants ---- */

enum constant_kind {
    CONSTANT_UNKNOWN = 0, /* no constant, or not one that can be compared */
    CONSTANT_NULL,
    CONSTANT_NUMBER, /* number / 10^scale; bool and enum labels, too */
    CONSTANT_TIME,   /* microseconds; dates and timestamps */
    CONSTANT_TEXT,
};
enum text_order {
    TEXT_SAME = 0, /* equal bytes are equal values; others may be, too */
    TEXT_EXACT,    /* other bytes are other values */
    TEXT_ORDERED,  /* and ordered as memcmp does */
};
struct constant {
    enum constant_kind kind;
    __int128 number;
    unsigned scale;
    bool has_zone; /* times: at a known offset from UTC; false: as a clock on the wall shows it */
    bool is_bool;
    enum text_order order;
    struct str text;
};

/* A constant expression, read as a value that is compared with something of this type. collation: of the
   column. */
struct constant constant_read(const struct catalog *c, const PgQuery__Node *node,
                              const struct type_ref *type, struct str collation);

enum comparison {
    COMPARISON_UNKNOWN = 0,
    COMPARISON_LESS,
    COMPARISON_EQUAL,
    COMPARISON_GREATER,
    COMPARISON_DIFFERENT, /* not equal, but nobody can say which is greater */
};
/* is_utc: a clock on the wall shows UTC. */
enum comparison constant_compare(const struct constant *a, const struct constant *b, bool is_utc);

/* ---- predicates ---- */

enum predicate_kind {
    PREDICATE_AND = 1, /* of nothing: true */
    PREDICATE_OR,      /* of nothing: false */
    PREDICATE_COMPARE,
    PREDICATE_NULL,
    PREDICATE_NOT_NULL,
    PREDICATE_OTHER,
};
enum operator_kind {
    OPERATOR_EQ = 1,
    OPERATOR_NE,
    OPERATOR_LT,
    OPERATOR_LE,
    OPERATOR_GT,
    OPERATOR_GE
};

/* A column by its name, or an expression. */
struct subject {
    struct str column;
    const PgQuery__Node *tree;
};

struct predicate {
    enum predicate_kind kind;
    VEC_OF(struct predicate *) parts;
    bool is_list; /* AND or OR of an array's elements: one piece where they are too many */
    struct subject subject;
    enum operator_kind op;
    struct constant value;
    const PgQuery__Node *tree; /* OTHER */
    bool is_negated;           /* OTHER */
};

struct predicate *predicate_make(struct arena *a, enum predicate_kind kind);
void predicate_add(struct arena *a, struct predicate *p, struct predicate *part);
struct predicate *predicate_compare(struct arena *a, const struct subject *subject,
                                    enum operator_kind op, const struct constant *value);
struct predicate *predicate_null_test(struct arena *a, const struct subject *subject,
                                      bool is_not_null);
/* NOT (p), with the NOT pushed down to the leaves (prepqual.c: negate_clause). p is changed. */
struct predicate *predicate_negate(struct predicate *p);
/* AND within AND and OR within OR made one, and what has one part that part (prepqual.c: pull_ands,
   pull_ors): proofs look at the parts one by one. Lists stay what they are. */
struct predicate *predicate_flatten(struct arena *a, struct predicate *p);
/* An expression over r's columns. */
struct predicate *predicate_read(struct arena *a, const struct catalog *c,
                                 const struct catalog_relation *r, const PgQuery__Node *tree);
/* Whether whatever fulfils `given` fulfils `wanted` (or makes it NULL). */
bool predicate_implies(const struct predicate *given, const struct predicate *wanted, bool is_utc);

#endif
