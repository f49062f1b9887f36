/*
 * Constants that can be compared without a server: whole numbers, dates and times, texts.
 */
#ifndef PLANNER_POSTGRES_PARTITION_VALUE_H
#define PLANNER_POSTGRES_PARTITION_VALUE_H

#include "planner/postgres/effects.h"

enum value_kind {
    VALUE_UNKNOWN = 0,
    VALUE_NULL,
    VALUE_LOWEST, /* MINVALUE */
    VALUE_NUMBER,
    VALUE_TEXT,    /* dates and times as 2024-01-31 00:00:00.000000 */
    VALUE_HIGHEST, /* MAXVALUE */
};
struct value {
    enum value_kind kind;
    int64_t number;
    struct str text;
};

/* An expression as a value of a column's type; UNKNOWN: it is no constant, or not one of these. Texts are
   in the arena. */
struct value value_of(struct arena *a, const PgQuery__Node *node, const struct type_ref *type);
/* Whether they can be compared; *out is <0, 0, >0. */
bool value_compare(const struct value *a, const struct value *b, int *out);

#endif
