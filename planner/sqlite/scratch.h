/*
 * The scratch database from the inside, for the files of planner/sqlite: what SQLite said of the statement
 * that it prepared last, and questions of our own, which it is not to take for a part of the plan.
 */
#ifndef PLANNER_SQLITE_SCRATCH_H
#define PLANNER_SQLITE_SCRATCH_H

#include "core/base/arena.h"
#include "planner/sqlite/analyse.h"

#include <sqlite3.h>

/* What the authorizer heard about the statement. Names are cut off at this length. */
struct sqlite_heard {
    char altered[128];  /* ALTER TABLE: the table */
    char dropped[128];  /* DROP …: what it names */
    char indexed[128];  /* CREATE INDEX: the table */
    char written[128];  /* INSERT, UPDATE, DELETE: the table or view */
    char read[128];     /* the first other one that it reads … */
    char columns[2048]; /* … and which columns of it, each with a line feed in front and behind */
    char pragma[64];    /* PRAGMA: its name … */
    char value[64];     /* … and its value; "" : it only asks */
    bool selects;       /* has a SELECT in it */
    bool reads_columns; /* of any table */
    bool returns_rows;  /* an INSERT, UPDATE or DELETE with RETURNING; a SELECT */
    bool writes_sequence; /* sqlite_sequence, by its name */
};

/* What a text of ours, or a part of a statement, would use; but for triggers what they do is left out. */
struct scratch_uses {
    struct arena *a;
    struct scratch_columns {
        struct scratch_column {
            struct str table, column;
        } * at;
        size_t count, room;
    } reads, sets;
    struct scratch_names {
        struct str *at;
        size_t count, room;
    } functions;
    struct scratch_names
        triggers; /* and views, and names of WITH, in whose text something is used */
    struct scratch_names written_by_triggers; /* tables */
    bool has_query;                           /* a SELECT of any kind */
};

struct sqlite_scratch {
    sqlite3 *db;
    struct scratch_uses *uses; /* that the authorizer fills; or NULL */
    bool is_open_for_all;      /* while the schema is loaded */
    bool is_ours;              /* a question of ours: all is allowed, nothing is noted */
    /* What the statement being prepared does. */
    enum statement_class class;
    const char *verb; /* of the worst action */
    char object[128];
    bool is_denied;
    bool is_ddl; /* changes the schema: run here too */
    bool does_insert, does_update, does_delete;
    struct sqlite_heard heard;
    char error[512]; /* why it could not be prepared or run here; "" : it could */
    unsigned ticks;  /* while it is run */
};

/* Forgets what the statement before said. */
void scratch_forget(struct sqlite_scratch *s);
/* Only hears what the statement would do. */
void scratch_listen(struct sqlite_scratch *s, const struct statement *statement);

/* ---- questions of our own ---- */

/* True when it could be run; rows are thrown away. Format as of sqlite3_mprintf(): %w in "…" for names. */
bool scratch_run(struct sqlite_scratch *s, const char *format, ...);
/* The same for a text as it is. NULL, or SQLite's message in the arena. */
const char *scratch_try(struct arena *a, struct sqlite_scratch *s, const char *sql);
/* Only prepares it. */
const char *scratch_prepares(struct arena *a, struct sqlite_scratch *s, const char *sql);
/* Only prepares it, and hears what it uses. false: it cannot be prepared. */
bool scratch_hear_uses(struct sqlite_scratch *s, struct arena *a, const char *sql,
                       struct scratch_uses *out);
/* A statement whose rows the caller reads and finalizes; NULL: it cannot be prepared. End with
   scratch_end(). */
sqlite3_stmt *scratch_ask(struct sqlite_scratch *s, const char *format, ...);
void scratch_end(struct sqlite_scratch *s, sqlite3_stmt *prepared);
/* Column of the row, copied; NULL is "". */
struct str scratch_text(struct arena *a, sqlite3_stmt *prepared, int column);
/* Whatever is done between the two has not been done. They may be nested. */
void scratch_begin_trial(struct sqlite_scratch *s);
void scratch_end_trial(struct sqlite_scratch *s);
/* Whether foreign keys are enforced while we ask; off otherwise. */
void scratch_enforce(struct sqlite_scratch *s, bool is_on);
/* Whether a name in double quotes that there is not is a text, as SQLite has it by itself. */
void scratch_take_quotes(struct sqlite_scratch *s, bool as_texts);

/* The n-th token (from 0) of a statement that is no blank; "" : it has fewer. */
struct str scratch_token(struct str sql, size_t n);

/* Forms of ALTER TABLE. */
enum alter_form { ALTER_NONE = 0, ALTER_ADD, ALTER_DROP, ALTER_RENAME, ALTER_OTHER };
enum alter_form scratch_alter_form(const struct statement *s);

#endif
