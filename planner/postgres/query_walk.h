/*
 * What the files behind query_uses.h share: the scopes of a query while it is
 * walked.
 */
#ifndef PLANNER_POSTGRES_QUERY_WALK_H
#define PLANNER_POSTGRES_QUERY_WALK_H

#include "planner/postgres/query_uses.h"

struct query_columns {
    struct query_column *at;
    size_t count, room;
};
/* More the server does not let a query have (htup_details.h: MaxTupleAttributeNumber). Without a bound
   thirty CTEs, each a join of the one before with itself, would have a billion. */
#define QUERY_COLUMNS_MAX 1664

/* An entry of FROM. */
struct scope_item {
    struct str alias;
    struct str schema;          /* as written before a table without alias */
    size_t source;              /* in query_uses.sources; SIZE_MAX: no table */
    struct query_columns names; /* columns of a subquery; renamed ones of a table */
};

struct scope_cte {
    struct str name;
    struct query_columns columns;
};

struct scope {
    struct scope *outer;
    VEC_OF(struct scope_item) items;
    VEC_OF(struct scope_cte) ctes;
    const PgQuery__SelectStmt *select;
    const ProtobufCMessage *statement;
    bool is_partial;
};

struct query_walk {
    struct deed *deed;
    struct arena *a;
    struct query_uses *uses;
    bool is_exists; /* the next SELECT is an EXISTS that stands on its own */
};

/* A whole statement; its columns go to out, which may be NULL. (query_uses.c)
 */
void query_walk_statement(struct query_walk *w, struct scope *outer, const PgQuery__Node *node,
                          struct query_columns *out);
void query_walk_select(struct query_walk *w, struct scope *outer, const PgQuery__SelectStmt *select,
                       struct query_columns *out);
/* Expressions below scope. */
void query_walk_expression(struct query_walk *w, struct scope *scope, const PgQuery__Node *node);
void query_walk_list(struct query_walk *w, struct scope *scope, PgQuery__Node *const *at,
                     size_t count);
/* Whatever hangs below a message. */
void query_walk_message(struct query_walk *w, struct scope *scope, const ProtobufCMessage *message);

/* An entry of FROM with all in it. (query_from.c) */
void query_walk_from(struct query_walk *w, struct scope *scope, const PgQuery__Node *node);
void query_walk_with(struct query_walk *w, struct scope *scope, const PgQuery__WithClause *with);
/* The target of DML joins the scope. */
void query_walk_target(struct query_walk *w, struct scope *scope, const PgQuery__RangeVar *name);
/* A table without a name of its own. */
struct scope_item *query_add_relation(struct query_walk *w, struct scope *scope,
                                      const PgQuery__RangeVar *name, struct catalog_relation *r);

/* What a column's name means; whether it was found. type may be NULL.
 * (query_columns.c) */
bool query_resolve_column(struct query_walk *w, struct scope *scope, const PgQuery__ColumnRef *ref,
                          struct type_ref *out_type);
/* The columns of * and t.*; without out they are only noted. */
void query_expand_star(struct query_walk *w, struct scope *scope, const PgQuery__ColumnRef *ref,
                       struct query_columns *out);
bool query_is_star(const PgQuery__ColumnRef *ref);
/* Adds a column, unless there are QUERY_COLUMNS_MAX. (query_columns.c) */
void query_columns_add(struct query_walk *w, struct query_columns *out, struct query_column column);
/* The columns of an entry, in order. */
void query_item_columns(struct query_walk *w, struct scope_item *item, struct query_columns *out);
/* A column of an entry is mentioned; false: it has none of this name. */
bool query_item_mention(struct query_walk *w, struct scope_item *item, struct str name,
                        struct type_ref *out_type);

/* The name that a target without AS gets (parse_target.c: FigureColname).
 * (query_type.c) */
struct str query_target_name(const PgQuery__Node *node);
/* The type of an expression, where it can be told. */
struct type_ref query_expression_type(struct query_walk *w, struct scope *scope,
                                      const PgQuery__Node *node);

static inline struct str query_string(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_STRING ? str_of(node->string->sval)
                                                                  : STR("");
}

#endif
