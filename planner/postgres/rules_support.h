/*
 * What PostgreSQL's rules look with: the tables, columns and constraints that a statement names, each with
 * what the catalog knows of it. Nothing here reports.
 */
#ifndef PLANNER_POSTGRES_RULES_SUPPORT_H
#define PLANNER_POSTGRES_RULES_SUPPORT_H

#include "planner/postgres/file_state.h"
#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/rules_tables.h"
#include "planner/postgres/types.h"

/* The tree of the statement; never NULL where a rule with a node is called. */
static inline const PgQuery__Node *rule_tree(const struct rule_subject *s)
{
    return s->tree;
}
static inline struct file_state *rule_state(const struct rule_subject *s)
{
    return s->file->notes;
}

/* ---- relations ---- */

/* By name; NULL: the catalog does not have it. */
struct catalog_relation *rule_relation(const struct rule_subject *s, const PgQuery__RangeVar *name);
/* "orders", "shop.orders": as the catalog calls it, else as it is written. */
struct rule_finding rule_about(const struct rule_subject *s, const PgQuery__RangeVar *name);
struct rule_finding rule_about_relation(const struct rule_subject *s,
                                        const struct catalog_relation *r);
/* Made by the migration that is looked at: nobody else can use it yet. NULL: it was not. */
bool rule_is_new(const struct rule_subject *s, const struct catalog_relation *r);
/* Made by this very file. */
static inline bool rule_is_made_here(const struct rule_subject *s, const struct catalog_relation *r)
{
    return r->created_in && r->created_in == s->catalog->migration;
}
/* Temporary: no other session sees it. */
bool rule_is_temporary(const struct catalog_relation *r);
/* " (about 1200000 rows)"; "" where the number is not known. In the arena. */
const char *rule_rows_text(const struct rule_subject *s, const struct catalog_relation *r);
/* The strongest lock of the statement on a relation that is older than the file; NULL: none is at least
   `from`. */
const struct effect_lock *rule_strong_lock(const struct rule_subject *s, enum lock_mode from);
/* What is locked, as far as the statement tells where the catalog does not. */
enum relation_kind rule_lock_kind(const PgQuery__Node *tree, const struct effect_lock *lock);
/* A lock that the open transaction holds from an earlier statement, on a relation older than the file. */
const struct held_lock *rule_held_lock(const struct rule_subject *s, enum lock_mode from);
/* Whether the statement gives this relation new storage, or reads it in full. relation: as in
   rule_finding.name; "" : any. */
const struct effect_object *rule_rewrite(const struct rule_subject *s, struct str relation);
const struct effect_object *rule_scan(const struct rule_subject *s, struct str relation);

/* ---- ALTER TABLE ---- */

struct rule_command {
    const PgQuery__AlterTableStmt *stmt;
    const PgQuery__AlterTableCmd *cmd;
    struct catalog_relation *table; /* or NULL */
    struct catalog_column *column;  /* that it names, or NULL */
    struct rule_finding about;
};
typedef void rule_command_visitor(struct rule_subject *s, const struct rule_command *c);
/* type 0: all of them. */
void rule_each_command(struct rule_subject *s, unsigned type, rule_command_visitor *visit);

/* ---- columns that are made ---- */

struct rule_column {
    const PgQuery__ColumnDef *def;
    struct catalog_relation *table; /* ALTER TABLE; or NULL */
    struct rule_finding about;      /* the table; the place of the column */
    bool is_added;                  /* ALTER TABLE … ADD COLUMN */
    bool is_retyped;                /* ALTER COLUMN … TYPE */
    bool is_serial;
    struct type_ref type;
};
typedef void rule_column_visitor(struct rule_subject *s, const struct rule_column *c);
/* Of CREATE TABLE and ALTER TABLE. */
void rule_each_column(struct rule_subject *s, rule_column_visitor *visit);
bool rule_is_builtin(const struct rule_column *c, const char *name);
const PgQuery__Constraint *rule_column_constraint(const struct rule_column *c,
                                                  PgQuery__ConstrType type);

/* ---- what was found out of the statement already ---- */

/* The last name that was asked for, and the columns of the last tree. Kept for one statement, in front of
   which the catalog is as it is. */
struct rule_memo {
    struct rule_name_memo {
        const PgQuery__RangeVar *name;
        struct catalog_relation *relation;
        struct rule_finding about; /* without a name: not asked for yet */
    } name;
    struct rule_columns {
        const PgQuery__Node *tree;
        struct rule_column *at;
        size_t count, room;
    } columns;
};

/* ---- constraints that are made ---- */

struct rule_constraint {
    const PgQuery__Constraint *k;
    const PgQuery__ColumnDef *column; /* in whose definition it stands; or NULL */
    struct catalog_relation *table;   /* of ALTER TABLE; or NULL */
    struct rule_finding about;
    bool is_create; /* in CREATE TABLE */
};
typedef void rule_constraint_visitor(struct rule_subject *s, const struct rule_constraint *c);
/* type 0: all of them. */
void rule_each_constraint(struct rule_subject *s, unsigned type, rule_constraint_visitor *visit);

/* ---- DROP ---- */

struct rule_drop {
    const PgQuery__DropStmt *stmt;
    struct catalog_relation *relation; /* of relations; or NULL */
    struct rule_finding about;
};
typedef void rule_drop_visitor(struct rule_subject *s, const struct rule_drop *d);
/* Each object of this type that may be there. */
void rule_each_dropped(struct rule_subject *s, PgQuery__ObjectType type, rule_drop_visitor *visit);

/* ---- small things ---- */

/* "CASCADE" was said. */
static inline bool rule_cascades(PgQuery__DropBehavior behavior)
{
    return behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
}
/* Schema-qualified name from a list of String nodes: "a.b". In the arena. */
struct str rule_names_text(const struct rule_subject *s, PgQuery__Node *const *names, size_t count);
/* A String node's text; "" for others. */
struct str rule_string(const PgQuery__Node *node);
/* A setting's value in milliseconds, as PostgreSQL reads timeouts (a bare number is ms); -1: not one. */
int64_t rule_timeout_ms(struct str value);
/* The effective value of a timeout that this file has set; -1: it has not. */
int64_t rule_effective_timeout(const struct rule_subject *s, const char *name);
/* Whether an expression is missing, or true for every row: WHERE true, WHERE 1 = 1. */
bool rule_is_always_true(const PgQuery__Node *tree);
/* Whether it is false, or NULL, whatever the row: WHERE false, WHERE 1 = 0. */
bool rule_is_never_true(const PgQuery__Node *tree);
/* For parse_tree_visit(): whether it is a reference to a column. */
bool rule_is_column_ref(void *context, const ProtobufCMessage *message);
/* Reports an end-of-file finding at a line. */
void rule_report_line(struct rule_subject *s, uint32_t line,
                      const struct catalog_relation *relation, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* What the file that is looked at has made is at the end of the catalog's lists: where that begins. */
size_t rule_first_made(const struct rule_subject *s);
size_t rule_first_made_constraint(const struct rule_subject *s);
/* The line at which the file touched a relation last; 0: it did not. */
uint32_t rule_line_of(const struct rule_subject *s, const struct catalog_relation *r);

#endif
