/*
 * What the planner knows of a PostgreSQL database: schemas, relations, columns, constraints, types,
 * functions, sizes, settings. A value without a connection. Filled by a driver from a live server, by
 * core/model/catalog_json.c from a snapshot file, or by planner/postgres from SQL; the planner then folds
 * every statement that it analyses into it.
 *
 * Objects are pointers into the catalog's arena and stay where they are: a rename changes a name, a drop
 * sets is_dropped, nothing moves. Who goes through a list leaves out what is dropped. Names are as the
 * server stores them (folded, not quoted); catalog_relation_text() quotes them for people and SQL.
 */
#ifndef CORE_MODEL_CATALOG_H
#define CORE_MODEL_CATALOG_H

#include "core/base/arena.h"
#include "core/base/vec.h"
#include "core/model/catalog_transaction.h"

struct catalog_relation;
struct catalog_constraint;
struct catalog_function;

/* pg_class.relkind */
enum relation_kind {
    RELATION_UNKNOWN = 0,
    RELATION_TABLE = 'r',
    RELATION_PARTITIONED_TABLE = 'p',
    RELATION_INDEX = 'i',
    RELATION_PARTITIONED_INDEX = 'I',
    RELATION_SEQUENCE = 'S',
    RELATION_VIEW = 'v',
    RELATION_MATERIALIZED_VIEW = 'm',
    RELATION_FOREIGN_TABLE = 'f',
    RELATION_COMPOSITE_TYPE = 'c',
};

/* "table", "partitioned table", "index" … Static. */
const char *relation_kind_name(enum relation_kind k);

enum persistence {
    PERSISTENCE_PERMANENT = 0,
    PERSISTENCE_UNLOGGED,
    PERSISTENCE_TEMPORARY,
};

/* Whether a table holds rows. */
enum row_state {
    ROWS_UNKNOWN = 0,  /* may be any number: whoever decides takes it for many */
    ROWS_NONE,         /* it is empty for certain: created in this run, or seen so on the target */
    ROWS_NONE_WRITTEN, /* the script that made it puts none in; the real one may have some */
    ROWS_SOME,
};

/* An expression: CHECK, DEFAULT, index predicate. */
struct catalog_expression {
    struct str text;  /* as pg_get_expr() prints it; empty where it came from a statement */
    const void *tree; /* PgQuery__Node of planner/postgres, or NULL: it is parsed when needed */
};
static inline bool catalog_has_expression(const struct catalog_expression *e)
{
    return e->text.len || e->tree;
}

/* ---- types ---- */

/* pg_type.typtype */
enum type_kind {
    TYPE_UNKNOWN = 0,
    TYPE_BASE = 'b',
    TYPE_COMPOSITE = 'c',
    TYPE_DOMAIN = 'd',
    TYPE_ENUM = 'e',
    TYPE_RANGE = 'r',
    TYPE_MULTIRANGE = 'm',
    TYPE_PSEUDO = 'p',
};

/* The type of a column. Built-in types have their internal name (int4, varchar, timestamptz) and no
   user type; all others point to their entry. */
struct type_ref {
    struct str builtin;        /* in pg_catalog; "" for others */
    struct catalog_type *user; /* or NULL */
    struct str unknown; /* name as written, where neither is known (an extension's type); else "" */
    bool is_array;
    int32_t typmod; /* as the server stores it: varchar(20) is 24; -1: none */
};

struct domain_constraint {
    struct str name;
    struct catalog_expression check; /* empty: NOT NULL */
    bool is_not_null;
    bool is_valid;
    bool is_dropped;
};

struct catalog_type {
    struct str schema;
    struct str name;
    enum type_kind kind;
    struct type_ref base;                    /* domains; ranges: the subtype */
    struct catalog_expression default_value; /* domains */
    VEC_OF(struct domain_constraint) constraints;
    VEC_OF(struct str) labels;          /* enums, in order */
    struct catalog_relation *composite; /* whose row type it is: a composite type, a table */
    struct str extension;               /* whose member it is; "" : none */
    bool may_be_used;                   /* a column has, or had, this type */
    bool is_dropped;
    uint32_t created_in; /* see catalog_relation */
};

/* ---- relations ---- */

struct catalog_column {
    struct str name;
    struct type_ref type;
    struct str collation; /* "" : the type's own */
    bool is_not_null;
    char identity;                           /* 'a' always, 'd' by default, 0 */
    char generated;                          /* 's' stored, 'v' virtual, 0 */
    struct catalog_expression default_value; /* also of generated columns */
    struct catalog_relation *sequence;       /* of an identity or serial column; or NULL */
    bool is_inherited; /* has come from a parent; is_local may be true as well */
    bool is_local;
    bool is_dropped;
    bool has_missing_value; /* pg_attribute.atthasmissing */
    struct str rights;      /* pg_attribute.attacl; "" : none, or not known */
    double null_fraction;   /* pg_stats; -1: not known */
    double distinct;        /* pg_stats.n_distinct; 0: not known */
    uint32_t created_in;
};

struct index_key {
    struct catalog_column *column; /* NULL: an expression */
    struct catalog_expression expression;
    struct str opclass;   /* "" : the default one of the column's type */
    struct str collation; /* "" : the column's */
    bool is_included;     /* INCLUDE (…) */
    bool is_descending;
};

/* pg_constraint.contype */
enum constraint_kind {
    CONSTRAINT_UNKNOWN = 0,
    CONSTRAINT_CHECK = 'c',
    CONSTRAINT_FOREIGN_KEY = 'f',
    CONSTRAINT_NOT_NULL = 'n', /* has a row of its own from 18 on */
    CONSTRAINT_PRIMARY_KEY = 'p',
    CONSTRAINT_UNIQUE = 'u',
    CONSTRAINT_TRIGGER = 't',
    CONSTRAINT_EXCLUSION = 'x',
};

struct catalog_constraint {
    struct str name;
    enum constraint_kind kind;
    struct catalog_relation *relation;
    VEC_OF(struct catalog_column *) columns;
    struct catalog_expression check;
    struct catalog_relation *index; /* behind a key or exclusion; of a foreign key: what it needs */
    struct catalog_relation *referenced; /* foreign keys */
    VEC_OF(struct catalog_column *) referenced_columns;
    char on_delete, on_update; /* 'a' no action, 'r' restrict, 'c' cascade, 'n' null, 'd' default */
    bool is_valid;
    bool is_enforced;
    bool is_deferrable;
    bool is_deferred; /* INITIALLY DEFERRED: checked at COMMIT */
    bool is_no_inherit;
    bool is_local;
    bool is_inherited;
    bool is_period;                    /* WITHOUT OVERLAPS, PERIOD */
    struct str definition;             /* of a foreign key, as of an index */
    struct catalog_constraint *parent; /* of the partitioned table that it was made for */
    bool is_dropped;
    uint32_t created_in;
};

/* Bits of pg_trigger.tgtype. */
enum {
    TRIGGER_ROW = 1,
    TRIGGER_BEFORE = 2,
    TRIGGER_INSERT = 4,
    TRIGGER_DELETE = 8,
    TRIGGER_UPDATE = 16,
    TRIGGER_TRUNCATE = 32,
    TRIGGER_INSTEAD = 64,
};

struct catalog_trigger {
    struct str name;
    struct catalog_function *function;       /* or NULL where it is not known */
    struct catalog_relation *from;           /* CREATE CONSTRAINT TRIGGER … FROM */
    VEC_OF(struct catalog_column *) columns; /* UPDATE OF, and those that WHEN mentions */
    size_t update_count;                     /* the first ones of columns: those of UPDATE OF */
    bool is_constraint;
    bool is_row;
    unsigned type; /* pg_trigger.tgtype: TRIGGER_… bits; 0: not known, it may fire on everything */
    char enabled;  /* 'O', 'D', 'R', 'A' as pg_trigger.tgenabled */
    struct catalog_trigger *parent; /* of the partitioned table */
    bool is_dropped;
};

/* Rules and policies: what they depend on besides their table. */
struct catalog_rule {
    struct str name;
    VEC_OF(struct catalog_relation *) uses;
    struct catalog_expression using_expression; /* policies */
    struct catalog_expression check;            /* policies */
    struct catalog_expression definition;       /* rules: the whole CREATE RULE */
    bool is_policy;
    bool is_permissive;
    bool is_dropped;
};

/* What a view, materialized view or SQL-standard function body reads. */
struct catalog_use {
    struct catalog_relation *relation;
    struct catalog_column *column; /* NULL: the relation as a whole */
};

/* A partition's place among its siblings. */
struct partition_bound {
    bool is_default;
    const void *tree; /* PartitionBoundSpec of planner/postgres, or NULL */
    struct str text;  /* pg_get_expr(relpartbound): "FOR VALUES FROM … TO …" */
};

struct catalog_index {
    struct catalog_relation *table;
    struct str method; /* btree, hash, gin … */
    VEC_OF(struct index_key) keys;
    struct catalog_expression predicate;
    struct catalog_constraint *constraint; /* that it stands behind; or NULL */
    struct catalog_relation *parent;       /* partitioned index that it is attached to */
    bool is_unique;
    bool is_primary;
    bool is_exclusion;
    bool is_valid;
    bool is_nulls_not_distinct;
    bool is_clustered; /* CLUSTER ON */
    bool is_replica_identity;
    struct str definition; /* pg_get_indexdef(); "" where it came from a statement */
    int64_t scans;         /* pg_stat_user_indexes.idx_scan; -1: not known */
};

struct catalog_sequence {
    struct type_ref type;
    struct catalog_relation *owner_table; /* OWNED BY; or NULL */
    struct catalog_column *owner_column;
    bool is_identity;
    int64_t last_value; /* -1: not known */
};

struct catalog_relation {
    struct str schema;
    struct str name;
    enum relation_kind kind;
    enum persistence persistence;
    struct str owner;      /* "" : not known */
    struct str tablespace; /* "" : the database's */
    struct str access_method;
    struct str server;                               /* of foreign tables */
    VEC_OF(struct catalog_column *) columns;         /* in order; dropped ones stay */
    VEC_OF(struct catalog_constraint *) constraints; /* of this table */
    VEC_OF(struct catalog_constraint *) referencing; /* foreign keys (its own, too) to it */
    VEC_OF(struct catalog_relation *) indexes;
    VEC_OF(struct catalog_relation *) parents; /* inheritance and partitioning */
    VEC_OF(struct catalog_relation *) children;
    VEC_OF(struct catalog_trigger *) triggers;
    VEC_OF(struct catalog_rule *) rules;     /* and policies; not the _RETURN rule of views */
    VEC_OF(struct catalog_relation *) owned; /* sequences, now or once: see owner_table */
    VEC_OF(struct catalog_use) uses;         /* views: what they read */
    VEC_OF(struct catalog_function *) used_functions; /* views */
    VEC_OF(struct catalog_type *) used_types;         /* views: in casts */
    struct catalog_index *index;                      /* kinds i and I only */
    struct catalog_sequence *sequence;                /* kind S only */
    struct catalog_type *row_type;                    /* the composite type of its rows */
    struct catalog_type *of_type;                     /* CREATE TABLE … OF; or NULL */
    char partition_strategy;                          /* 'r', 'l', 'h'; 0: not partitioned */
    VEC_OF(struct index_key) partition_keys;
    struct partition_bound bound; /* of a partition */
    bool is_partition;
    bool is_detach_pending;
    bool has_row_security;
    bool is_row_security_forced;
    char replica_identity;           /* 'd', 'n', 'f', 'i' as pg_class.relreplident */
    bool is_populated;               /* materialized views */
    struct catalog_expression query; /* of a view: pg_get_viewdef(), or the tree of its SELECT */
    struct str extension;            /* whose member it is; "" : none */
    bool is_dropped;
    /* In which migration of this plan it was made, counted from 1; 0: it was there before. */
    uint32_t created_in;
    enum row_state rows;
    double row_estimate; /* reltuples; -1: not known */
    int64_t size_bytes;  /* pg_table_size; -1: not known */
    int64_t seq_scans;   /* pg_stat_user_tables; -1: not known */
    int64_t index_scans;
    int64_t writes; /* n_tup_ins + n_tup_upd + n_tup_del; -1: not known */
};

/* ---- functions and the rest ---- */

struct catalog_function {
    struct str schema;
    struct str name;
    VEC_OF(struct type_ref) arguments; /* input arguments only */
    VEC_OF(struct str) argument_names; /* as many; "" where it has none */
    struct type_ref result;
    struct str language;
    struct str body;  /* prosrc; of BEGIN ATOMIC bodies "" */
    const void *tree; /* CreateFunctionStmt of planner/postgres, or NULL */
    char volatility;  /* 'i', 's', 'v' */
    bool is_procedure;
    bool is_aggregate;
    bool is_strict;
    bool is_security_definer;
    bool has_settings; /* SET … in its definition: it is never inlined */
    bool returns_set;
    size_t default_count;            /* arguments that may be left out */
    VEC_OF(struct catalog_use) uses; /* BEGIN ATOMIC */
    struct str extension;
    bool is_dropped;
    uint32_t created_in;
};

struct catalog_statistics {
    struct str schema;
    struct str name;
    struct catalog_relation *relation;
    VEC_OF(struct catalog_column *) columns; /* those it names; expressions: those they mention */
    bool is_dropped;
};

struct catalog_publication {
    struct str name;
    bool is_for_all_tables;
    VEC_OF(struct str) schemas;
    VEC_OF(struct catalog_relation *) relations;
    bool is_dropped;
};

/* Extensions, languages, event triggers, foreign servers, … : only that they are there. */
struct catalog_object {
    const char *kind; /* "EXTENSION", as COMMENT ON writes it. Static. */
    struct str name;
    struct str schema;
    struct str extension; /* whose member it is; "" : none */
    /* Of a server its foreign-data wrapper; of a cast ("a AS b") its method and context: "fa". */
    struct str parent;
    bool is_dropped;
};

/* A query of the application, from pg_stat_statements. */
struct catalog_query {
    struct str text;
    int64_t calls;
    double mean_ms;
};

/* PREPARE, until DEALLOCATE. */
struct catalog_prepared {
    struct str name;
    const void *tree; /* PgQuery__Node of planner/postgres */
};

struct catalog_setting {
    struct str name; /* lower case */
    struct str value;
    bool is_local; /* SET LOCAL: ends with its transaction */
};

/* Where it came from; what it therefore can answer. */
enum catalog_source {
    CATALOG_EMPTY = 0, /* nothing is known: folded from nothing, or not at all */
    CATALOG_FOLDED,    /* the earlier migrations, folded */
    CATALOG_SCRIPT,    /* --schema */
    CATALOG_SNAPSHOT,  /* --snapshot */
    CATALOG_LIVE,      /* the target */
};

struct catalog {
    struct arena *arena;
    enum catalog_source source;
    uint32_t server_version; /* 150004; 0: not known */
    struct str database;
    struct str taken_at; /* snapshots: ISO time */
    VEC_OF(struct str) schemas;
    VEC_OF(struct catalog_relation *) relations;
    VEC_OF(struct catalog_relation *) views;    /* those of relations, materialized ones too */
    VEC_OF(struct catalog_relation *) watching; /* those that have, or had, a trigger or a rule */
    VEC_OF(struct catalog_constraint *) constraints; /* of all relations, as they were made */
    VEC_OF(struct catalog_type *) types;
    VEC_OF(struct catalog_function *) functions;
    VEC_OF(struct catalog_statistics *) statistics;
    VEC_OF(struct catalog_publication *) publications;
    VEC_OF(struct catalog_object *) objects;
    VEC_OF(struct catalog_setting) settings; /* newest last: a later one wins */
    VEC_OF(struct catalog_query) queries;
    VEC_OF(struct str) left_out;              /* what could not be read, and why: sentences */
    VEC_OF(struct catalog_prepared) prepared; /* newest last: a later one wins */
    VEC_OF(struct catalog_transaction *) transactions; /* oldest first; live only */
    struct name_table *names; /* finds relations, types and functions; catalog.c's own */
    uint32_t migration;       /* the one that is being folded, from 1; 0: before the plan */
    bool is_complete;         /* what is not in it does not exist: live, snapshot, a whole script */
};

struct catalog *catalog_make(struct arena *a);

/* Makes an object in the catalog, with created_in set and texts copied. Names must not be in use: look
   first. Every list that it belongs to is kept (an index joins its table's indexes). A relation with
   rows, and a composite type, gets its row type; a sequence and an index their own parts. What is not
   known is set so: estimates are -1, a table's rows ROWS_UNKNOWN; indexes and constraints are valid. */
struct catalog_relation *catalog_add_relation(struct catalog *c, enum relation_kind kind,
                                              struct str schema, struct str name);
struct catalog_column *catalog_add_column(struct catalog *c, struct catalog_relation *r,
                                          struct str name, const struct type_ref *type);
struct catalog_constraint *catalog_add_constraint(struct catalog *c, struct catalog_relation *r,
                                                  enum constraint_kind kind, struct str name);
struct catalog_relation *catalog_add_index(struct catalog *c, struct catalog_relation *table,
                                           struct str name);
struct catalog_type *catalog_add_type(struct catalog *c, enum type_kind kind, struct str schema,
                                      struct str name);
struct catalog_function *catalog_add_function(struct catalog *c, struct str schema,
                                              struct str name);
void catalog_add_schema(struct catalog *c, struct str name); /* once each */
void catalog_add_trigger(struct catalog *c, struct catalog_relation *r, struct catalog_trigger *t);
void catalog_add_rule(struct catalog *c, struct catalog_relation *r, struct catalog_rule *rule);
/* OWNED BY; owner NULL: nobody's. */
void catalog_own_sequence(struct catalog *c, struct catalog_relation *sequence,
                          struct catalog_relation *owner, struct catalog_column *column);
/* The next of r's owned sequences behind *at (0: the first), which it moves on; NULL: there is none. */
struct catalog_relation *catalog_next_owned(const struct catalog_relation *r, size_t *at);
void catalog_add_child(struct catalog *c, struct catalog_relation *parent,
                       struct catalog_relation *child);

/* Marks as dropped, a relation with all that it consists of; nothing that merely depends on it. */
void catalog_drop_relation(struct catalog *c, struct catalog_relation *r);
void catalog_drop_constraint(struct catalog *c, struct catalog_constraint *k); /* and its index */
void catalog_drop_type(struct catalog *c, struct catalog_type *t);
void catalog_drop_function(struct catalog *c, struct catalog_function *f);
void catalog_drop_schema(struct catalog *c, struct str name); /* not what is in it */
/* With all that is in it. */
void catalog_rename_schema(struct catalog *c, struct str name, struct str new_name);
/* New name or schema; lookups follow. */
void catalog_rename_relation(struct catalog *c, struct catalog_relation *r, struct str schema,
                             struct str name);
void catalog_rename_type(struct catalog *c, struct catalog_type *t, struct str schema,
                         struct str name);
void catalog_rename_function(struct catalog *c, struct catalog_function *f, struct str schema,
                             struct str name);
void catalog_rename_constraint(struct catalog *c, struct catalog_constraint *k, struct str name);

/* By name. schema "" : along the search_path. NULL: there is none. */
struct catalog_relation *catalog_find_relation(const struct catalog *c, struct str schema,
                                               struct str name);
struct catalog_type *catalog_find_type(const struct catalog *c, struct str schema, struct str name);
/* The next function of this name behind previous (NULL: the first), along the search_path. */
struct catalog_function *catalog_find_function(const struct catalog *c, struct str schema,
                                               struct str name,
                                               const struct catalog_function *previous);
bool catalog_has_schema(const struct catalog *c, struct str name);
struct catalog_column *catalog_find_column(const struct catalog_relation *r, struct str name);
struct catalog_constraint *catalog_find_constraint(const struct catalog_relation *r,
                                                   struct str name);
/* The next of this name in any relation of a schema, behind previous (NULL: the first); NULL: none. */
const struct catalog_constraint *catalog_next_constraint(const struct catalog *c, struct str schema,
                                                         struct str name,
                                                         const struct catalog_constraint *previous);
struct catalog_trigger *catalog_find_trigger(const struct catalog_relation *r, struct str name);
struct catalog_rule *catalog_find_rule(const struct catalog_relation *r, struct str name,
                                       bool is_policy);
const struct catalog_constraint *catalog_primary_key(const struct catalog_relation *r);
struct catalog_relation *catalog_default_partition(const struct catalog_relation *r);

/* The schema that a new object without one goes to. */
struct str catalog_creation_schema(const struct catalog *c);
/* Newest value; at == NULL: not set (a search_path may be set to nothing). */
struct str catalog_setting(const struct catalog *c, const char *name);
/* value.at == NULL: as if it had never been set. */
void catalog_set(struct catalog *c, struct str name, struct str value, bool is_local);
/* A transaction ended: what SET LOCAL set is gone. */
void catalog_end_transaction(struct catalog *c);

/* "public.orders", quoted where SQL needs it, in the arena. */
struct str catalog_relation_text(struct arena *a, const struct catalog_relation *r);
struct str catalog_name_text(struct arena *a, struct str schema, struct str name);
/* name, quoted where SQL needs it. */
struct str catalog_identifier(struct arena *a, struct str name);

/* Whether it was made by the plan that is folded, in this migration or an earlier pending one. */
bool catalog_is_new(const struct catalog *c, const struct catalog_relation *r);
/* Whether it may hold rows, for whoever decides about safety: only certainty says no. */
bool catalog_may_have_rows(const struct catalog_relation *r);

/* As JSON, the snapshot file's shape ("format": 1), and back. catalog_read() fails with file, line
   (EXIT_USAGE). */
struct json;
struct json *catalog_json(const struct catalog *c);
struct fail;
struct catalog *catalog_read(struct arena *a, struct str text, struct str path, struct fail *f);

#endif
