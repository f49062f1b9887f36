/* What the SQLite analysis knows: of the plan, of the file, of the statement. Rules read it. */
#ifndef PLANNER_SQLITE_STATE_H
#define PLANNER_SQLITE_STATE_H

#include "planner/rules.h"
#include "planner/sqlite/analysis.h"
#include "planner/sqlite/objects.h"

/* INSERT INTO a table made by this file, SELECT … FROM an older one. */
struct table_copy {
    struct catalog_relation *to, *from;
    uint32_t line;
    size_t casts;
    bool omits_columns, selects_all;
    struct str columns; /* of the older one that it reads: sqlite_heard.columns */
};

/* Something that happened to an object, and where. */
struct object_event {
    const struct sqlite_object *object; /* as it was before */
    size_t statement;                   /* number in the file, from 0 */
    uint32_t line;
    bool is_named; /* the statement names it; false: it goes along */
    struct str to; /* of a renamed table: its new name */
};
struct object_events {
    struct object_event *at;
    size_t count, room;
};

/* Whether a view can be read, a trigger can be run. */
struct health {
    const struct sqlite_object *object;
    const char *error;  /* NULL: it can */
    uint32_t line;      /* of the statement that broke it; 0: it was so before */
    const char *breaks; /* what that statement is */
};
struct healths {
    struct health *at;
    size_t count, room;
};

/* Of the migration. */
struct sqlite_file {
    struct sqlite_objects at_start;
    VEC_OF(struct table_copy) copies;
    struct object_events drops;   /* with what goes along */
    struct object_events renames; /* of tables older than the file */
    struct healths healths;       /* empty until something may break them */
    bool has_healths;
    bool writes_sequence; /* sqlite_sequence, by its name */
    bool is_deferred;     /* its own transaction was begun without a lock */
    bool has_written;     /* … and has one by now */
    bool has_savepoint;
    bool defers_keys; /* PRAGMA defer_foreign_keys = ON */
};

/* What foreign keys are for the statement. */
enum keys_state { KEYS_AS_OPENED = 0, KEYS_ON, KEYS_OFF };

/* Of the statement; its texts are in the arena of the findings. */
struct sqlite_facts {
    enum alter_form alter;
    const char *error;     /* SQLite refuses it against the schema; NULL: it does not */
    bool is_error_unknown; /* … which may be due to what is made up */
    const char *row_error; /* ALTER TABLE: only where the table has a row */
    const char *key_error; /* … and only where foreign keys are enforced */
    bool has_no_where;     /* UPDATE, DELETE */
    bool is_always_true;   /* it has, but it holds for every row */
    bool omits_columns;    /* INSERT: the table's columns are not listed */
    bool returns_rows;     /* RETURNING */
    bool selects_all;      /* INSERT … SELECT *: the other table's are not */
    const char *quoted;    /* a text in double quotes: what SQLite says where they are names only */
    const struct sqlite_object *from; /* INSERT … SELECT: the table that it reads; NULL: none */
    const struct sqlite_object
        *table; /* that it writes, alters or indexes; as before; NULL: none */
};

struct sqlite_analysis {
    struct arena *a;
    struct sqlite_scratch *scratch;
    struct catalog *catalog; /* no relations in it: whose they are is in the objects */
    const struct hazard_policy *policy;
    const struct row_counter *counter; /* of the database that is planned for; NULL: none */
    unsigned version;                  /* 3040 for 3.40 */
    bool is_known;                     /* the schema that is there before was given */
    bool has_left_out;                 /* but not all of it could be had */
    struct sqlite_objects before, now; /* the statement */
    struct sqlite_objects gone;        /* dropped by the plan */
    enum keys_state keys;
    struct file_so_far so_far;
    struct sqlite_file file;
    struct sqlite_facts facts;
};

static inline const struct sqlite_analysis *state_of(const struct rule_subject *s)
{
    return s->engine_state;
}

/* Made by this migration; or by the plan, where it stands on the schema that is there. */
bool state_is_new(const struct sqlite_analysis *p, const struct catalog_relation *r);
/* Letters of either case. */
bool state_has_nocase(struct str text, struct str what);
bool state_is_kind(const struct statement *s, const char *kind);
/* How many rows a table has, up to BATCH_ROWS_MIN; -1: not known. */
int64_t state_row_count(const struct sqlite_analysis *p, const struct sqlite_object *table);

/* ---- questions about a statement that has not been run yet: questions.c ---- */

void questions_ask(struct arena *a, struct sqlite_analysis *p, const struct statement *s,
                   const struct effects *e);
/* And one that has made a view or a trigger. */
void questions_ask_behind(struct arena *a, struct sqlite_analysis *p, const struct statement *s);

/* What SQLite says to a text where facts.table has a row: rows of several kinds, each by itself; NULL: it
   takes it, or it cannot be told. Without triggers and foreign keys. In the arena. */
const char *questions_error_with_rows(struct arena *a, struct sqlite_analysis *p, struct str sql);

/* ---- what a statement breaks: health.c ---- */

/* Whether it may break views or triggers. */
bool health_may_break(const struct sqlite_analysis *p, const struct statement *s);
/* Before the first such statement and at the end of the file (s NULL), and behind each. */
void health_look(struct sqlite_analysis *p, const struct statement *s);
/* Why a view cannot be read or a trigger cannot be run; NULL: it can. */
const char *health_of(struct arena *a, struct sqlite_analysis *p, const struct sqlite_object *o);

#endif
