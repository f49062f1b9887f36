/*
 * What a query uses, as the server's parse analysis sees it: relations with
 * their columns and the lock that each is opened with, functions, types, and
 * the columns that come out. CTE names hide tables, columns are looked for in
 * the scopes that surround them. What is found is in the deed's arena.
 */
#ifndef PLANNER_POSTGRES_QUERY_USES_H
#define PLANNER_POSTGRES_QUERY_USES_H

#include "planner/postgres/effects.h"

struct partition_filter;

/* One place where a relation stands in FROM, INTO or as the target of DML. */
struct query_source {
    const PgQuery__RangeVar *name;
    struct catalog_relation *relation; /* NULL: not in the catalog */
    enum lock_mode mode;               /* ACCESS SHARE; ROW SHARE: FOR UPDATE …; ROW EXCLUSIVE:
                          is_target */
    bool is_target;                    /* of INSERT, UPDATE, DELETE, MERGE */
    bool is_only;                      /* ONLY: without children */
    VEC_OF(struct catalog_column *)
    columns;                           /* that are mentioned, * included; once each */
    const PgQuery__SelectStmt *select; /* whose FROM it stands in; NULL: DML */
    /* The SELECT, INSERT … in whose FROM it stands or whose target it is; NULL: an expression. */
    const ProtobufCMessage *statement;
    /* What is asked of the view that it is read through; NULL: nothing. */
    const struct partition_filter *outer;
    bool is_partial; /* in EXISTS (…) on its own: reading ends with the first row */
};

struct query_column {
    struct str name;
    struct type_ref type; /* all empty: not known */
};

/* A function as it is called. */
struct query_call {
    struct str schema; /* "" : search_path */
    struct str name;
    size_t argument_count;
    struct catalog_function *function; /* the user's one that it must be; NULL: built in, or open */
    const PgQuery__FuncCall *tree;
};

struct query_uses {
    VEC_OF(struct query_source) sources;
    VEC_OF(struct query_call) calls;
    VEC_OF(struct catalog_type *) types; /* user's types in casts; once each */
    VEC_OF(struct catalog_relation *)
    sequences;                          /* of nextval('…'), and other 'name'::regclass */
    VEC_OF(struct query_column) output; /* of the outermost SELECT or RETURNING */
    bool has_unknown;                   /* a relation is not in the catalog: columns may be missing
                     */
};

/* SELECT, INSERT, UPDATE, DELETE, MERGE; other nodes: nothing. */
void query_uses_read(struct deed *d, const PgQuery__Node *query, struct query_uses *out);
/* Of an expression that stands in the definition of r (DEFAULT, CHECK, an
 * index; r may be NULL); adds. */
void query_uses_expression(struct deed *d, const PgQuery__Node *tree, struct catalog_relation *r,
                           struct query_uses *out);

/* How far the server goes with a query: what it is, decides what else is
 * locked. */
enum query_stage {
    QUERY_PARSED = 1, /* CREATE VIEW, WITH NO DATA: only what it names */
    QUERY_REWRITTEN,  /* bodies of SQL functions: what views read, too */
    QUERY_EXPLAINED,  /* EXPLAIN, DECLARE: children and partitions, too */
    QUERY_PLANNED,    /* it runs: triggers, foreign keys and functions, too */
};
/* Takes those locks, and notes what is not in the catalog. In effects_query.c.
 */
void query_uses_lock(struct deed *d, const struct query_uses *uses, enum query_stage stage);
/* The tables that running it reads in full, as far as that is certain. In
 * effects_query.c. */
void query_uses_scan(struct deed *d, const struct query_uses *uses);
/* What its rows make of a table filled with them. In effects_query.c. */
enum row_state query_uses_rows(const struct query_uses *uses);

#endif
