/*
 * What a file has done so far, as PostgreSQL's rules need to know it: struct file_so_far.notes. Noted
 * behind each statement, when the rules have seen it; emptied at the end of a transaction where it belongs
 * to one.
 */
#ifndef PLANNER_POSTGRES_FILE_STATE_H
#define PLANNER_POSTGRES_FILE_STATE_H

#include "planner/postgres/parse.h"
#include "planner/rules.h"

enum noted_kind {
    NOTED_ALTER = 1,   /* ALTER TABLE of an older table */
    NOTED_REWRITE,     /* a table was given new storage */
    NOTED_NOT_VALID,   /* a constraint was added NOT VALID */
    NOTED_VALIDATED,   /* name: the constraint */
    NOTED_DROPPED,     /* name: of a relation, type, function … */
    NOTED_INDEX_GONE,  /* relation: its table */
    NOTED_DETACHED,    /* a partition */
    NOTED_ENUM_VALUE,  /* name: the value */
    NOTED_TRIGGER_OFF, /* relation, name; "": USER */
    NOTED_TRIGGER_ON,  /* in the transaction of the statement that has switched it off: statement */
    NOTED_WRITTEN,     /* rows of an older table */
    NOTED_COPIED,      /* a table that CREATE TABLE AS read */
    NOTED_COPIED_ROWS, /* an older table that INSERT … SELECT read for a new one: name */
    NOTED_SETTING,     /* SET without LOCAL: name */
    NOTED_ROW_SECURITY, /* it was switched on */
    NOTED_POLICY,       /* one was made */
    NOTED_COMMENT,      /* COMMENT ON TABLE */
    NOTED_TOUCHED,      /* any relation that a statement names or makes */
};

struct noted {
    enum noted_kind kind;
    struct str relation;                   /* as in effects */
    const struct catalog_relation *object; /* or NULL */
    struct str name;
    const char *object_kind; /* NOTED_DROPPED: "TABLE". Static. */
    uint32_t line;
    size_t statement;
    bool is_in_transaction; /* in the one that is open */
    /* Notes before it, counted from 1; 0: none. Of its kind; of its kind and relation; of its kind and
       name; of its object. */
    size_t same_kind, same_relation, same_name, same_object;
};

/* Two relations in the order in which a transaction has locked them. */
struct lock_pair {
    struct str first, second;
    struct str path;
    uint32_t line;
};
/* Which transactions of the plan have locked which tables, and when: file_state_order.c's own. */
struct lock_orders {
    struct lock_order **at; /* by the name of the table */
    size_t room;            /* a power of two; 0: none yet */
    size_t count;
    size_t transaction; /* number of the one that is open */
};

struct file_state {
    struct arena *a;
    struct lock_orders *orders; /* of all files of the plan */
    VEC_OF(struct noted) all;
    /* The newest notes: of each kind, and by what file_state_index.c hashes. Counted from 1. */
    size_t newest[NOTED_TOUCHED + 1];
    struct {
        size_t *at;
        size_t room; /* a power of two; 0: none yet */
    } index;
    /* What they are about, each relation once, in order. */
    VEC_OF(struct catalog_relation *) touched;
    size_t transaction_from;      /* notes before it are in no open transaction */
    uint32_t begin_line;          /* the file's own BEGIN that is open; 0: none */
    uint32_t ddl_line;            /* the first DDL on an older table; 0: none */
    uint32_t dml_line;            /* the first change of rows of an older table */
    uint32_t strong_line;         /* the first strong lock on an older relation */
    uint32_t lock_timeout_line;   /* where the file set lock_timeout; 0: it did not */
    uint32_t timeouts_reset_line; /* where it took the runner's timeouts away */
    uint32_t local_line;          /* SET LOCAL with no work behind it so far; 0: none */
    bool has_warned_held;         /* of this transaction: statement-after-… */
    bool has_warned_wide;
    bool are_triggers_checked; /* SET CONSTRAINTS ALL IMMEDIATE behind the last write */
};

/* before: of the file before it, or NULL. */
struct file_state *file_state_make(struct arena *a, const struct file_state *before);
/* Behind a statement, before it is folded in: what it has done. */
void file_state_note(struct file_state *state, const struct rule_subject *s);
/* When it has been folded in: the relations that it has made. first_new: relations before it. */
void file_state_note_new(struct file_state *state, const struct catalog *c, size_t first_new,
                         uint32_t line);
void file_state_transaction_ends(struct file_state *state);
/* The newest of a kind about a relation (its name as in effects) and a name; either may be "" for any.
   NULL: none. */
const struct noted *file_state_find(const struct file_state *state, enum noted_kind kind,
                                    struct str relation, struct str name);

/* The newest about a relation; NULL: none. */
const struct noted *file_state_about(const struct file_state *state,
                                     const struct catalog_relation *object);
/* The next older one of its kind; NULL: none. */
static inline const struct noted *file_state_older(const struct file_state *state,
                                                   const struct noted *one)
{
    return one->same_kind ? &state->all.at[one->same_kind - 1] : NULL;
}
/* Keeps a note whose texts live as long as the state. */
void file_state_add(struct file_state *state, struct noted one);

/* Behind a statement: what it has locked within a transaction (a part of file_state_note()). */
void file_state_note_order(struct file_state *state, const struct rule_subject *s);
/* A pair that the statement locks in the opposite order, in the arena of the findings; NULL: there is
   none. */
const struct lock_pair *file_state_opposite(const struct file_state *state,
                                            const struct rule_subject *s);

#endif
