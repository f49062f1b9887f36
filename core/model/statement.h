/*
 * One SQL statement: its exact bytes, its place in the file, and what the engine's own parser says
 * about it. Made by planner/<engine> through struct dialect; read by the plan and the runner.
 */
#ifndef CORE_MODEL_STATEMENT_H
#define CORE_MODEL_STATEMENT_H

#include "core/model/directive.h"
#include "core/model/syntax.h"

enum statement_class {
    CLASS_UNKNOWN = 0, /* counts as destructive wherever a decision is taken */
    CLASS_ADDITIVE,
    CLASS_DESTRUCTIVE, /* loses data, or breaks application code that runs against the old schema */
};
const char *statement_class_name(enum statement_class c); /* "additive"; all others "destructive" */

/* What a statement has to do with transactions. */
enum transaction_role {
    ROLE_ORDINARY = 0,
    ROLE_ALONE, /* refuses to run inside a transaction block */
    ROLE_BEGIN,
    ROLE_COMMIT,
    ROLE_ROLLBACK, /* of the whole transaction; ROLLBACK TO is ORDINARY, as SAVEPOINT is */
    ROLE_REFUSED, /* cannot be allowed here; refusal says why (PREPARE TRANSACTION, SET client_encoding …) */
    ROLE_HOISTED, /* SQLite's PRAGMA foreign_keys: does nothing inside a transaction; see enforcement.h */
};

/* What it does to the session that outlives its transaction. */
enum session_effect {
    SESSION_NONE = 0,
    SESSION_SETS, /* SET, PRAGMA …: only that; run again when a half-done script is resumed */
    SESSION_PERHAPS, /* may (DO, CALL, SELECT f(), not analysed): the session is reset behind the migration */
};

/* A question to the catalog that tells whether a statement that ran outside a transaction is done.
   Asked only after a crash, before the statement is run again. */
enum probe_kind {
    PROBE_NONE = 0,    /* nothing can tell: a person must (migrate resolve) */
    PROBE_RERUN,       /* running it again is harmless (VACUUM, ALTER SYSTEM, REINDEX …) */
    PROBE_INDEX_VALID, /* the index exists and is valid; an invalid one of ours is dropped first */
    PROBE_INDEX_ABSENT,
    PROBE_INDEX_ON_TABLE, /* an index without a name on table: some new valid one since `before` */
    PROBE_DATABASE_EXISTS,
    PROBE_DATABASE_ABSENT,
    PROBE_TABLESPACE_EXISTS,
    PROBE_TABLESPACE_ABSENT,
    PROBE_ENUM_VALUE,         /* type name, detail = the value */
    PROBE_PARTITION_DETACHED, /* name = the partition; half-detached is finalised */
    PROBE_SUBSCRIPTION_EXISTS,
    PROBE_SUBSCRIPTION_ABSENT,
};
struct probe {
    enum probe_kind kind;
    const char *schema; /* "" : by search_path. Not quoted. */
    const char *name;   /* of the object; for PROBE_INDEX_ON_TABLE the table */
    const char *detail; /* see above, or NULL */
    bool
        is_reindex; /* REINDEX … CONCURRENTLY: _ccnew / _ccold leftovers are looked for behind it */
};

struct online_step; /* online.h */

struct statement {
    struct str text;       /* exact bytes from its first to its last token, without the semicolon */
    uint64_t offset_bytes; /* of text, in the executed text of the script */
    uint32_t line;         /* in the file, 1-based */
    uint32_t column;       /* in characters, 1-based */
    const char *kind;      /* "CREATE TABLE", "ALTER TABLE", "INSERT"; "" where unknown. Static. */
    enum statement_class class;
    const char *class_reason; /* short, static or in the arena: "drops column name" */
    enum transaction_role role;
    enum session_effect session;
    bool is_copy_from_stdin; /* data follows in the file, up to a line \. */
    bool is_analysed;        /* the parser understood it */
    const char
        *not_analysed_reason; /* where not: "syntax error at or near "x" (PostgreSQL 15 grammar)" */
    bool is_beyond_grammar;   /* not analysed since the parser does not know its syntax, rather than
                                     for its size; then: */
    struct syntax_verdict syntax; /* what a connected server says; offset also without one */
    bool has_secret;     /* CREATE ROLE … PASSWORD and the like: never shown or stored as it is */
    const char *refusal; /* ROLE_REFUSED: what to do instead */
    const char *refused_because; /* why, as a message; NULL: "KIND cannot be used in a migration" */
    const char *new_enum_value; /* ALTER TYPE … ADD VALUE: not usable before its transaction ends */
    bool sets_deferral;         /* SQLite: PRAGMA defer_foreign_keys = … */
    bool is_switched_on;        /* that, or PRAGMA foreign_keys (ROLE_HOISTED), is given ON */
    bool heeds_foreign_keys;    /* SQLite: may do something else where they are enforced */
    const struct probe *probe; /* ROLE_ALONE only */
    /* A step of an online form (online.h): a unit of its own, and which one it is, for failures: "step 2 of 3
       of its online form"; NULL for what is in the file. */
    const char *online_step;
    /* … that is run range by range: how; else NULL. As long as the plan. */
    const struct online_step *ranged;
    bool continues_step; /* shares the unit of the statement in front of it */
    bool step_continues; /* the one behind it shares its unit */
    /* The engine's own tree (PgQuery__Node), in the arena of the cut: as long as its batch; NULL where
       wants_analysis was not said, and for SQLite. */
    const void *tree;
    bool has_own_places; /* places in the tree are those of the text */
    /* In the comments in front of it, behind the statement before, and within it. */
    struct directives directives;
};

struct statements {
    struct statement *at;
    size_t count, room;
};

/* It would write to migrate's own record: what is its table or schema. */
void statement_refuse_record(struct arena *a, struct statement *s, const char *what);

#endif
