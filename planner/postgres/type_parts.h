/*
 * What the files behind types.h share: how modifiers are stored, how a type_ref meets the names in the
 * tables of facts.h, and the casts between two types.
 */
#ifndef PLANNER_POSTGRES_TYPE_PARTS_H
#define PLANNER_POSTGRES_TYPE_PARTS_H

#include "planner/postgres/facts.h"
#include "planner/postgres/types.h"

/* Modifiers: varchar and numeric count the header of a value (VARHDRSZ); an interval has its fields in
   the upper half, its precision in the lower (timestamp.h). */
#define VARLENA_HEADER 4
#define MAX_SECONDS_PRECISION 6
#define INTERVAL_FULL_RANGE 0x7fff
#define INTERVAL_FULL_PRECISION 0xffff

/* The name without a schema, of any kind of type. */
struct str type_plain_name(const struct type_ref *t);
/* Whether they are one type; modifiers do not count. */
bool type_same(const struct type_ref *a, const struct type_ref *b);
bool type_is_domain(const struct type_ref *t);
/* Whether a name of the tables ("int4", "text[]", "citext") is this type. */
bool type_named(const struct type_ref *t, struct str fact_name);
struct type_ref type_of_fact(struct str fact_name);
/* The row of a built-in or extension type (of an array: of its elements). */
bool type_fact(const struct catalog *c, const struct type_ref *t, struct fact *out);

/* How a value of one type becomes another (parse_coerce.c: find_coercion_pathway). */
enum cast_path {
    PATH_NONE = 0,
    PATH_UNKNOWN, /* one of the types is not known */
    PATH_RELABEL, /* the same bytes */
    PATH_FUNCTION,
    PATH_ELEMENTS, /* array by array, element by element */
    PATH_TEXT,     /* output, then input */
};
enum cast_context {
    CAST_IMPLICIT = 'i',
    CAST_ASSIGNMENT = 'a',
    CAST_EXPLICIT = 'e',
};
/* Domains are looked through. out_cast: the row of a function; may be NULL. */
enum cast_path type_cast_path(const struct catalog *c, const struct type_ref *from,
                              const struct type_ref *to, enum cast_context context,
                              struct fact *out_cast);
/* Whether a modifier of this type is applied by a function (varchar(20)), or only a label. */
bool type_has_length_function(const struct catalog *c, const struct type_ref *t);
/* Whether that function does nothing to a value that has the old modifier (varchar_support, …). */
bool type_length_is_kept(const struct type_ref *t, int32_t old, int32_t new);
/* pg_type.typcategory of a type, domains looked through; 0: not known. */
char type_category(const struct catalog *c, const struct type_ref *t);

#endif
