/*
 * Types and expressions of PostgreSQL, as far as they decide whether a table is rewritten or read:
 * which type a name means, whether a change of type keeps the stored form, whether an expression is
 * volatile, which constraint proves which. Pure.
 */
#ifndef PLANNER_POSTGRES_TYPES_H
#define PLANNER_POSTGRES_TYPES_H

#include "planner/postgres/effects.h"

/* What a type's name means (parse_type.c): the grammar's own (int, varchar(20)), the search_path's, with
   length and precision as the server stores them. serial is read as its integer type; *out_is_serial
   says so (may be NULL). */
struct type_ref type_resolve(const struct catalog *c, const PgQuery__TypeName *name,
                             bool *out_is_serial);
bool type_equal(const struct type_ref *a, const struct type_ref *b); /* with typmod */
/* As format_type() prints it: "character varying(20)". In the arena. */
struct str type_text(struct arena *a, const struct type_ref *t);
/* Without domains, as deep as they are; the domain's typmod. */
struct type_ref type_base(const struct type_ref *t);
/* Whether it is, at any depth, a domain with a constraint (NOT NULL or CHECK). */
bool type_is_constrained_domain(const struct type_ref *t);

/* The default that a domain brings, its own or that of a domain below it; NULL: none. */
const struct catalog_expression *type_default(const struct type_ref *t);
/* CREATE CAST, as it is kept in the catalog. */
void type_add_cast(struct catalog *c, const PgQuery__CreateCastStmt *cast);

/* What a change of a column's type does to stored rows (tablecmds.c: ATColumnChangeRequiresRewrite,
   pg_cast, length coercion functions). */
enum type_change {
    TYPE_CHANGE_UNKNOWN = 0, /* a type is not known: taken for a rewrite, and said so */
    TYPE_CHANGE_NONE,        /* nothing: the same type */
    TYPE_CHANGE_CATALOG,     /* binary coercible: the catalog alone */
    TYPE_CHANGE_REWRITE,
    TYPE_CHANGE_IMPOSSIBLE, /* no cast that a plain ALTER TYPE would take: the statement fails */
};
/* time_zone: the session's setting, which decides timestamp ↔ timestamptz; "" : not known. */
enum type_change type_change(const struct catalog *c, const struct type_ref *from,
                             const struct type_ref *to, struct str time_zone);
/* The same with USING (NULL: without): the column itself, casts of it and COLLATE are judged as what they
   are, all else is a rewrite. */
enum type_change type_change_using(const struct catalog *c, const struct catalog_column *column,
                                   const struct type_ref *to, const PgQuery__Node *using,
                                   struct str time_zone);
/* Whether a TimeZone has never been anything but UTC: UTC, Etc/GMT, 0, FOO0; not Europe/London. */
bool time_zone_is_always_utc(struct str name);
/* Whether values may be lost or rounded, or the change may fail for some rows. */
bool type_change_is_lossy(const struct catalog *c, const struct type_ref *from,
                          const struct type_ref *to);
/* Whether an index on the column is built again though the table is not rewritten: the new type has
   another default operator class (indexcmds.c: CheckIndexCompatible). method "" : btree. opclass: the
   index key's own, "" : the default one. Expressions, predicates and collations are the caller's. */
bool type_change_rebuilds_index(const struct catalog *c, const struct type_ref *from,
                                const struct type_ref *to, struct str method, struct str opclass);

/* An index key's operator class as the catalog has it: "" for one that is the default of its type. */
struct str opclass_unless_default(const struct catalog *c, struct str method, struct str opclass);

/* ---- expressions ---- */

/* The tree of a catalog expression; parsed from its text where need be. NULL: none or not parsable. */
const PgQuery__Node *expression_tree(struct catalog *c, const struct catalog_expression *e);

enum volatility {
    VOLATILITY_UNKNOWN = 0, /* a function that is not known: taken for volatile, and said so */
    VOLATILITY_IMMUTABLE,
    VOLATILITY_STABLE,
    VOLATILITY_VOLATILE,
};
/* After SQL functions have been inlined (clauses.c: inline_function), as a default is judged. */
enum volatility expression_volatility(const struct catalog *c, const PgQuery__Node *tree);
/* The same where the types of r's columns help to find which overload is meant (generated columns,
   indexes); r may be NULL. */
enum volatility expression_volatility_of(const struct catalog *c, const struct catalog_relation *r,
                                         const PgQuery__Node *tree);
/* The type of an expression over r's columns (r may be NULL), as far as its parts are known; nothing where
   they are not; the built-in type "unknown" of a bare literal. Texts may be in the catalog's arena. */
struct type_ref expression_type(const struct catalog *c, const struct catalog_relation *r,
                                const PgQuery__Node *tree);
/* Of a built-in function by its name: the worst of its overloads; UNKNOWN: there is none. */
enum volatility builtin_volatility(struct str name);

/* The columns of r that an expression mentions are visited (a whole-row reference: all of them). */
void expression_columns(const PgQuery__Node *tree, struct catalog_relation *r,
                        void (*visit)(void *context, struct catalog_column *column), void *context);
bool expression_mentions(struct catalog *c, const struct catalog_expression *e,
                         struct catalog_relation *r, const struct catalog_column *column);
/* Functions that an expression calls, by name. */
void expression_functions(const PgQuery__Node *tree,
                          void (*visit)(void *context, struct str schema, struct str name),
                          void *context);
/* Whether CHECK (tree) proves that the column is not NULL: IS NOT NULL, alone or in a conjunction
   (tablecmds.c: ConstraintImpliedByRelConstraint). */
bool expression_proves_not_null(const struct catalog *c, const struct catalog_relation *r,
                                const PgQuery__Node *tree, const struct catalog_column *column);
/* Whether valid CHECKs of r (and NOT NULL of its columns) prove that it has only rows of this
   partition's bound; or none of it, for a default partition (predtest.c, as far as comparisons with
   constants go). */
bool constraints_prove_bound(struct catalog *c, struct catalog_relation *r,
                             const struct catalog_relation *parent,
                             const PgQuery__PartitionBoundSpec *bound);
bool constraints_exclude_bound(struct catalog *c, struct catalog_relation *r,
                               const struct catalog_relation *parent,
                               const PgQuery__PartitionBoundSpec *bound);
/* The bound of a partition as a tree; parsed from its text where need be. NULL: none or not parsable. */
const PgQuery__PartitionBoundSpec *partition_bound_tree(struct catalog *c,
                                                        struct catalog_relation *r);
/* Whether two trees are the same but for places. */
bool expression_equal(const PgQuery__Node *a, const PgQuery__Node *b);

/* The user's function that a call means, by the types of its arguments as far as they are known; NULL:
   none takes them. */
struct catalog_function *call_function(const struct catalog *c, const PgQuery__FuncCall *call);
/* Whether its last argument takes any number of values. */
bool function_is_variadic(const struct catalog_function *f);

#endif
