/*
 * What PostgreSQL brings along: functions, operators, types, casts, operator classes, of its own and of
 * the extensions in its contrib package, by version. The tables are in planner/postgres/facts/, read
 * from real servers by .ci/facts (the columns are explained in .ci/facts.sql), and embedded at build time.
 * A table is cut into rows when it is first asked.
 */
#ifndef PLANNER_POSTGRES_FACTS_H
#define PLANNER_POSTGRES_FACTS_H

#include "core/model/catalog.h"

enum fact_table {
    FACT_FUNCTIONS,
    FACT_OPERATORS,
    FACT_TYPES,
    FACT_CASTS,
    FACT_OPCLASSES,
    FACT_TABLE_MAX,
};

/* Columns, as .ci/facts.sql has them. */
enum {
    FUNCTION_NAME,
    FUNCTION_ARGUMENTS, /* int4,text[] */
    FUNCTION_DEFAULTS,
    FUNCTION_VARIADIC,
    FUNCTION_KIND, /* f, a, w, p as pg_proc.prokind */
    FUNCTION_RESULT,
    FUNCTION_IS_SET,
    FUNCTION_VOLATILITY,
    FUNCTION_IS_STRICT,
    FUNCTION_EXTENSION,
};
enum { OPERATOR_NAME, OPERATOR_LEFT, OPERATOR_RIGHT, OPERATOR_RESULT, OPERATOR_VOLATILITY };
enum {
    TYPE_FACT_NAME,
    TYPE_FACT_KIND,
    TYPE_FACT_CATEGORY,
    TYPE_FACT_PREFERRED,
    TYPE_FACT_INPUT,  /* volatility of reading it */
    TYPE_FACT_OUTPUT, /* of writing it */
    TYPE_FACT_MODIFIED,
    TYPE_FACT_ELEMENT,
    TYPE_FACT_SUBTYPE,
    TYPE_FACT_COLLATABLE,
    TYPE_FACT_EXTENSION,
};
enum { CAST_FROM, CAST_TO, CAST_METHOD, CAST_CONTEXT, CAST_FUNCTION, CAST_VOLATILITY };
enum { OPCLASS_METHOD, OPCLASS_NAME, OPCLASS_TYPE, OPCLASS_DEFAULT, OPCLASS_FAMILY, OPCLASS_KEY };
#define FACT_COLUMNS_MAX 13

struct fact {
    struct str column[FACT_COLUMNS_MAX];
};
/* The first letter of a column; 0: it is empty. */
static inline char fact_letter(const struct fact *f, size_t column)
{
    return f->column[column].len ? f->column[column].at[0] : 0;
}

/* Rows whose first column is key, in the version of the catalog's server (NULL, or not known: the
   newest). Rows of extensions are left out where the catalog knows that the extension is not there. */
struct facts {
    const struct catalog *catalog;
    enum fact_table table;
    struct str key; /* or the extension */
    size_t next;    /* row */
};
struct facts facts_of(const struct catalog *c, enum fact_table table, struct str key);
bool facts_next(struct facts *search, struct fact *out);
/* All rows of an extension, whether or not it is there. */
struct facts facts_of_extension(const struct catalog *c, enum fact_table table,
                                struct str extension);
bool facts_next_of_extension(struct facts *search, struct fact *out);

/* The major version whose facts are taken. */
unsigned facts_major(const struct catalog *c);

/* The type's own row; false: there is none. is_builtin: extensions are left out. */
bool facts_type(const struct catalog *c, struct str name, bool is_builtin, struct fact *out);

#endif
