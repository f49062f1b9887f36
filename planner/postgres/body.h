/*
 * The bodies of DO blocks, functions and procedures, walked as they would run:
 * which statements, in which order, with the values of variables as far as they
 * can be known. Texts that are put together from constants and from what the
 * catalog knows are statements as well; all others are opaque.
 *
 * Files: effects_body.c (bodies), body_run.c and body_read.c (PL/pgSQL
 * statements), body_value.c and body_call.c (expressions), body_select.c
 * (queries that the catalog can answer), body_catalog.c (its tables).
 */
#ifndef PLANNER_POSTGRES_BODY_H
#define PLANNER_POSTGRES_BODY_H

#include "core/base/json.h"
#include "planner/postgres/effects_query.h"

enum body_kind {
    BODY_UNKNOWN = 0,
    BODY_NULL,
    BODY_TEXT,     /* numbers and booleans (t, f) too */
    BODY_RELATION, /* an oid of pg_class, a regclass */
    BODY_LIST,     /* an array */
};
struct body_value {
    enum body_kind kind;
    struct str text;
    const struct catalog_relation *relation;
    const struct body_value *items;
    size_t item_count;
};
static inline struct body_value body_text(struct str text)
{
    return (struct body_value){.kind = BODY_TEXT, .text = text};
}
static inline struct body_value body_bool(bool value)
{
    return body_text(value ? STR("t") : STR("f"));
}

struct body_variable {
    struct str name; /* of a record's field: "r.field" */
    struct body_value value;
};

/* A row of a query that is answered from the catalog, while its WHERE is looked
 * at. */
struct body_row {
    const struct body_row *outer;
    struct str alias;
    const char *const *columns; /* NULL at the end */
    const struct body_value *cells;
};

struct body {
    struct deed *d;
    VEC_OF(struct body_variable) variables; /* a later one hides an earlier one */
    const struct json *datums;
    const struct body_row *row;
    size_t maybe;     /* in a branch that may not be taken: nothing is certain
                       afterwards */
    size_t steps;     /* statements so far: loops end somewhere */
    bool is_left;     /* RETURN, EXIT, CONTINUE */
    bool is_failed;   /* a statement fails for certain: the block ends here */
    bool is_function; /* COMMIT is refused */
    bool has_handler; /* within BEGIN … EXCEPTION */
};
#define BODY_STEPS_MAX ((size_t)5000)

/* A statement and all the bodies that it runs may read and make texts of so many bytes together; a step
   and a combination of rows have a price in bytes. Then the rest is opaque: loops within loops over
   functions with loops would never end, and sixty times s := s || s is no text that anybody has. */
#define BODY_BYTES_MAX ((size_t)8 << 20)
enum { BODY_STEP_BYTES = 200, BODY_NAME_BYTES = 100, BODY_COMBINATION_BYTES = 16 };
/* False: it is spent, and the statement opaque from now on. (body_value.c) */
bool body_spend(struct deed *d, size_t bytes);

/* ---- variables (body_value.c) ---- */

struct body_value body_get(const struct body *b, struct str name);
void body_set(struct body *b, struct str name, struct body_value value);
/* The value of an expression. */
struct body_value body_evaluate(struct body *b, const PgQuery__Node *node);
/* As text, where it is known: a relation as regclass prints it. */
bool body_value_text(const struct body *b, const struct body_value *v, struct str *out);
/* "expression" as a tree: what SELECT would give; NULL: not parsable. */
const PgQuery__Node *body_parse_expression(struct body *b, struct str text);
/* Whether they are equal; false: that cannot be told. */
bool body_equal(struct body *b, const struct body_value *one, const struct body_value *other,
                bool *out);
struct body_value body_list(struct body *b, const struct body_value *items, size_t count);

/* A function that the server brings along: format(), quote_ident() …
 * (body_call.c) */
struct body_value body_call(struct body *b, const PgQuery__FuncCall *call);
/* The relation that a text names, as regclass reads it; NULL: there is none. */
const struct catalog_relation *body_regclass(const struct body *b, struct str text);

/* ---- queries (body_select.c) ---- */

struct body_result {
    size_t column_count;
    struct str *names;
    VEC_OF(struct body_value *) rows;
    bool is_certain; /* there are no others */
};
/* false: the catalog does not answer it. */
bool body_select(struct body *b, const PgQuery__Node *query, struct body_result *out);

/* ---- tables (body_catalog.c) ---- */

struct body_table {
    const char *name;        /* pg_class, information_schema.tables */
    const char *columns[12]; /* NULL at the end */
    void (*fill)(struct body *b, struct body_result *out);
};
const struct body_table *body_table_of(struct str schema, struct str name);

enum truth { TRUTH_UNKNOWN, TRUTH_FALSE, TRUTH_TRUE };

/* ---- reading (body_read.c) ---- */

/* The text of an expression or statement: holder[key].PLpgSQL_expr.query; "" : there is none. */
struct str body_query_text(const struct json *holder, const char *key);
int64_t body_number_of(const struct json *j, const char *key, int64_t missing);
bool body_flag_of(const struct json *j, const char *key);
/* The name of variable number n: of a record's field "r.field". */
struct str body_datum_name(const struct body *b, int64_t n);
/* A value as it may be kept: in a branch that may not be taken, not known. */
struct body_value body_settled(const struct body *b, struct body_value value);
/* INTO, and the variable of a loop: a row of a result; result NULL: not known. */
void body_set_target(struct body *b, const struct json *target, const struct body_result *result,
                     size_t row);
/* The tables that an expression reads are locked, its functions run. Its tree, or NULL. */
const PgQuery__Node *body_run_expression(struct body *b, struct str text);
enum truth body_run_condition(struct body *b, struct str text);

/* ---- statements (body_run.c, effects_body.c) ---- */

/* What a PL/pgSQL function's JSON says; is run as it stands. */
void body_run(struct body *b, const struct json *function);
/* A statement of SQL within a body: its effects, and into the catalog. false:
 * it fails. */
bool body_run_node(struct body *b, const PgQuery__Node *node);
bool body_run_text(struct body *b, struct str text);

#endif
