/*
 * Schemas with data, and statements that fit them, made from a number: the same number, the same text. For
 * properties that hold on any schema. What is made is meant for a server of PostgreSQL 13 or later, and
 * for its superuser; the roles of maker_roles are needed first.
 */
#ifndef DRIVERS_TESTKIT_SCHEMA_MAKER_H
#define DRIVERS_TESTKIT_SCHEMA_MAKER_H

#include "core/base/buf.h"

#define MADE_TABLES 6
#define MADE_COLUMNS 12
#define MADE_NAMES 8

/* Roles are of the whole cluster: made once, in front of the first schema. */
extern const char maker_roles[];

struct made_type {
    const char *sql;
    const char *value;   /* of the row with number g */
    const char *check;   /* what holds for each of them; each %s is the column */
    const char *literal; /* a constant of it */
    const char *wider;   /* a type that each value of it can be changed to, or NULL */
    bool is_distinct;    /* each row's value is another one */
    bool is_ordered;     /* a btree takes it */
    bool is_text, is_number;
};

struct made_column {
    const char *name; /* quoted where it must be */
    const struct made_type *type;
    bool is_key, is_part_key, is_not_null, has_nulls, has_default, is_generated, is_reference;
};

/* Names of things that a statement may be about, quoted and qualified. */
struct made_names {
    const char *at[MADE_NAMES];
    size_t count;
};

struct made_table {
    const char *schema, *bare; /* quoted where they must be */
    const char *name;          /* both */
    struct made_column columns[MADE_COLUMNS];
    size_t column_count;
    const char *key; /* the one column of the primary key, or NULL */
    const struct made_type *key_type;
    bool has_primary_key, is_partitioned;
    unsigned rows;
    struct made_names indexes, constraints, views, partitions;
    bool is_taken; /* a statement is about it already */
};

/* Give it zeroed, with the arena and any number. */
struct maker {
    struct arena *arena;
    uint64_t state;
    struct made_table tables[MADE_TABLES];
    size_t table_count;
    struct made_names views; /* materialized ones that have a unique index, or none */
    unsigned number;         /* for names that must differ */
    struct buf text;
};

/* One statement, or several that belong together, as a file says them. */
struct made_change {
    const char *recipe; /* whose statement it is meant to be */
    const char *sql;    /* with directives, each statement with its semicolon */
    const char
        *as_written;    /* what it stands for, where the file says it in other words; else sql */
    const char *before; /* what has to be made for it, or "" */
};

/* The text of a whole schema with rows; in the arena, as are the names in m. */
const char *maker_schema(struct maker *m);
/* A statement for a table that none was made for yet. recipe NULL: any. false: nothing there fits it. */
bool maker_change(struct maker *m, const char *recipe, struct made_change *out);
/* The recipes that there are statements for; NULL behind the last one. */
const char *maker_recipe(size_t number);

/* ---- for the parts of it ---- */

unsigned maker_pick(struct maker *m, unsigned count); /* from 0 to count - 1 */
bool maker_chance(struct maker *m, unsigned percent);
/* A column with what is asked for; NULL: the table has none. */
enum made_want { MADE_ANY, MADE_PLAIN, MADE_ORDERED, MADE_TEXT, MADE_NUMBER, MADE_WIDER };
struct made_column *maker_column(struct maker *m, struct made_table *t, enum made_want want);
void made_names_add(struct made_names *names, const char *name);
/* Indexes, views, triggers, rights and so on of the tables that are there. */
void maker_schema_more(struct maker *m);

#endif
