/*
 * Names that the server makes up for indexes and constraints that are given
 * none: at most 63 bytes, numbered until nothing in the schema has them
 * (indexcmds.c: ChooseRelationName, ChooseIndexName; pg_constraint.c:
 * ChooseConstraintName).
 */
#ifndef PLANNER_POSTGRES_OBJECT_NAMES_H
#define PLANNER_POSTGRES_OBJECT_NAMES_H

#include "core/model/catalog.h"
#include "planner/postgres/parse.h"

/* Bytes of a name at most (NAMEDATALEN - 1). */
#define OBJECT_NAME_MAX ((size_t)63)

/* "one_two_label" with one and two cut so that it fits; two may be empty. In
 * the arena. */
struct str object_name(struct arena *a, struct str one, struct str two, struct str label);
/* The name cut at 63 bytes, between characters, as the server cuts what is
 * longer. */
struct str object_name_cut(struct str name);

/* What a statement does to names before the one in question is chosen. */
struct name_changes {
    const struct str *taken;
    struct catalog_relation *const *freed;
    struct catalog_constraint *const *freed_constraints;
    size_t taken_count, freed_count, freed_constraint_count;
};

/* The same with a number behind the label until no relation of the schema has
   the name; is_constraint: and no constraint either. */
struct str object_name_relation(struct catalog *c, struct str schema, struct str one,
                                struct str two, struct str label, bool is_constraint);
/* Of a constraint: "check", "fkey", "not_null". columns may be empty. */
struct str object_name_constraint(struct catalog *c, const struct catalog_relation *r,
                                  struct str columns, struct str label);

enum index_purpose {
    INDEX_PLAIN = 0, /* CREATE INDEX */
    INDEX_PRIMARY,
    INDEX_UNIQUE_KEY,
    INDEX_EXCLUSION,
};
/* What an index is named by: those of its columns, then those of its
 * expressions, each once. */
struct index_column_names {
    struct arena *a;
    const struct name_changes *changes; /* or NULL */
    VEC_OF(struct str) all;
};
void index_column_names_add(struct index_column_names *names, struct str name);
/* What an expression counts as: its function, its cast's type, "expr"
   (parse_target.c: FigureIndexColname). */
struct str index_expression_name(const PgQuery__Node *expression);
struct str object_name_index(struct catalog *c, const struct catalog_relation *table,
                             const struct index_column_names *names, enum index_purpose purpose);
/* Joined with '_' up to a name's length. In the arena. */
struct str object_name_joined(struct arena *a, const struct str *at, size_t count);

#endif
