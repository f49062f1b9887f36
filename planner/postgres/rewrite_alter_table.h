/*
 * The commands of an ALTER TABLE, taken apart for its online form. Private to rewrite_alter_*.c and
 * rewrite_add_column.c.
 */
#ifndef PLANNER_POSTGRES_REWRITE_ALTER_TABLE_H
#define PLANNER_POSTGRES_REWRITE_ALTER_TABLE_H

#include "core/base/vec.h"
#include "planner/postgres/rewrite.h"

enum alter_item_kind {
    ITEM_PLAIN = 0, /* as it is written */
    ITEM_CHECK,
    ITEM_FOREIGN_KEY,
    ITEM_KEY, /* UNIQUE, PRIMARY KEY */
    ITEM_NOT_NULL,
};

/* A new column that has another value in each row: added empty, and filled in batches. */
struct alter_fill {
    const char *name;        /* quoted */
    struct str column;       /* as it is called */
    struct str default_text; /* an expression; "" : the numbers of a sequence */
    const char *type;        /* of a sequence: "bigint" */
    const char *sequence;    /* with its schema, quoted; NULL: none */
    struct str options;      /* of an identity's sequence: "START WITH 5" */
    struct str identity;     /* "GENERATED ALWAYS AS IDENTITY …"; "" : it is none */
    size_t from, to;         /* tokens of a serial type's name */
    bool is_not_null;        /* without being a primary key's */
};

struct alter_item {
    enum alter_item_kind kind;
    struct str text; /* PLAIN: the command; constraints: from CHECK, FOREIGN or REFERENCES on */
    struct str name; /* of the constraint, quoted where it must be */
    const PgQuery__Constraint *k;  /* CHECK, FOREIGN_KEY, KEY */
    struct str column;             /* NOT_NULL, and constraints within a column: quoted */
    struct str columns;            /* KEY: "(a, b)" */
    struct str plain_name;         /* KEY: its name, not quoted */
    struct str index;              /* KEY: name of its index until it is that of the key; quoted */
    size_t from, to;               /* KEY: its tokens */
    bool is_before;                /* KEY: its columns are there before the statement */
    bool needs_not_null;           /* KEY: PRIMARY KEY over columns that may be NULL */
    bool adds_column;              /* PLAIN: ADD COLUMN */
    const struct alter_fill *fill; /* PLAIN; or NULL */
};

struct alter_rewrite {
    struct rewrite *r;
    const PgQuery__AlterTableStmt *stmt;
    struct catalog_relation *table; /* or NULL */
    bool is_partitioned;            /* the table */
    struct str head;                /* "ALTER TABLE ONLY orders" */
    VEC_OF(struct alter_item) items;
    VEC_OF(struct str) names; /* that items were given */
    bool has_unnamed;         /* constraints that we name, */
    bool has_unnamed_plain;   /* and those that the server does: they could get the same name */
    bool fills;               /* columns with a value for each row are filled in batches */
};

/* Takes the commands apart. false: they cannot be told apart, or a name is taken twice. */
bool alter_items_read(struct alter_rewrite *x);

/* ---- rewrite_alter_fit.c ---- */

/* Whether the commands can be run apart from each other at all; all that follows needs it. */
bool alter_can_be_split(const struct alter_rewrite *x);
/* Whether the order of the steps is right for these items. */
bool alter_order_holds(const struct alter_rewrite *x);
/* Whether the column is there before the statement, and stays what it is. */
bool alter_keeps_column(const struct alter_rewrite *x, const char *name);
bool alter_column_is_row(const struct alter_rewrite *x, const char *name);
/* *out: the column that a CHECK is named by; "" : it is over several, or none. false: it cannot be told. */
bool alter_check_column(const struct alter_rewrite *x, const PgQuery__Constraint *k,
                        struct str *out) MUST_CHECK;
/* The name that the server would choose behind what the statement drops. false: it cannot be told. */
bool alter_automatic_name(const struct alter_rewrite *x, struct str columns, const char *label,
                          struct str *out) MUST_CHECK;

/* ---- rewrite_alter_table.c ---- */

/* "UNIQUE", "PRIMARY KEY"; " DEFERRABLE" and its like, or "". */
const char *alter_key_word(const struct alter_item *item);
const char *alter_deferral(const struct alter_item *item);
/* Builds the index of a key on this table, quoted, in its schema, under this name, quoted. */
void rewrite_build_key_index(struct alter_rewrite *x, const struct alter_item *item,
                             const char *table, struct str schema, struct str index);

/* The steps; false: no form. */
bool alter_table_write(struct alter_rewrite *x);

/* ---- rewrite_alter_partitioned.c ---- */

/* Whether a key can be made part by part: a foreign table has none. */
bool alter_partitions_take_keys(const struct catalog_relation *table);
/* All steps of a key of the partitioned table. false: what a part would be called, or whether there is one
   already, cannot be told. */
bool alter_add_partitioned_key(struct alter_rewrite *x, const struct alter_item *item) MUST_CHECK;

/* ---- rewrite_add_column.c ---- */

/* *out: how the column is filled; NULL: there is nothing to be filled, or x fills none. false: it cannot. */
bool alter_fill_read(struct alter_rewrite *x, const PgQuery__ColumnDef *def, size_t to,
                     const struct alter_fill **out) MUST_CHECK;
/* Whether this part of the column's definition is done by other steps. */
bool alter_fill_takes(const PgQuery__Constraint *k);
/* Adds the columns, and fills them; before all else. */
void alter_fill_steps(struct alter_rewrite *x);
/* Behind all else: what was numbered by a sequence of ours becomes an identity. */
void alter_fill_identities(struct alter_rewrite *x);

/* ---- rewrite_alter_items.c ---- */

/* Where the part behind i of a column's definition begins that is no attribute of it; the token `to` where
   there is none. */
size_t alter_part_end(const struct rewrite *r, const PgQuery__ColumnDef *def, size_t i, size_t to);

/* A group in parentheses that opens at this token; *out_end: the token behind it. "" : there is none. */
struct str alter_parens(const struct rewrite *r, size_t open, size_t *out_end);

#endif
