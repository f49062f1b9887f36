/*
 * Two columns of a table that say the same, for as long as both are needed: the pieces of which
 * expand-contract forms are made. Private to planner/postgres/rewrite_sync*.c and the recipes that use it.
 *
 * Triggers keep the pair the same, by values and never by who writes. In the order in which they fire:
 *   "!migrate_<tag>_ins", "!migrate_<tag>_upd"  first: what was written to the new column goes into the old
 *       one, so that the table's own triggers see it there; where the old one was written, it stays;
 *   "~migrate_<tag>_fwd"  last: whatever the row looks like now, the new column follows the old one.
 * Where nobody writes to the new one but us (a change of type) the last one is enough.
 *
 * They compare in their WHEN, which is resolved once, when they are made; so what is called never depends on
 * a writer's search_path. Their functions lie in the table's schema, where whoever alters the table can make
 * indexes as well, and are dropped with it; to fire a trigger needs no right on its function, nor on the
 * schema, so writers need nothing new.
 */
#ifndef PLANNER_POSTGRES_REWRITE_SYNC_H
#define PLANNER_POSTGRES_REWRITE_SYNC_H

#include "planner/postgres/rewrite.h"
#include "planner/postgres/types.h"

/* What names of triggers begin with: they fire in byte order (trigger.c: RelationBuildTriggers). */
#define SYNC_FIRST "!migrate_"
#define SYNC_LAST "~migrate_"
/* Whether the trigger is of a pair: it looks at columns of its own only. */
bool sync_is_ours(const struct catalog_trigger *t);

/* ---- rewrite_sync_triggers.c: what a copy of rows sets off ---- */

/* Whether the author says what becomes of triggers that an UPDATE of a new column fires, where there are
   any: into r->skips_triggers and r->triggers_say. false: not, or it cannot be done: r->why_not. */
bool rewrite_copy_triggers(struct rewrite *r, const struct catalog_relation *table);

/* ---- rewrite_sync_text.c: texts in which columns are replaced ---- */

/* A text that the parser takes, and what is put in the place of its tokens. */
struct sync_text {
    struct arena *a;
    struct str text;
    struct tokens tokens;
    PgQuery__Node *tree; /* of the whole text; NULL: it cannot be read */
    struct sync_spot {
        size_t from, to; /* tokens */
        const char *with;
    } * at;
    size_t count, room;
};
/* false: it cannot be read, or its places cannot be relied on. sync_text_close() in any case. */
bool sync_text_open(struct arena *a, struct str text, struct sync_text *out);
void sync_text_close(struct sync_text *t);
static inline void scoped_release_sync_text(struct sync_text *t)
{
    sync_text_close(t);
}
void sync_text_put(struct sync_text *t, size_t from, size_t to, const char *with);
/* Replaces references to columns of the table below `root`: by what name_of() gives; NULL: it stays. false:
   something else is named there, a row as a whole, a query. */
typedef const char *sync_naming(void *context, const struct catalog_column *column);
bool sync_text_columns(struct sync_text *t, const ProtobufCMessage *root,
                       const struct catalog_relation *table, sync_naming *name_of, void *context);
struct str sync_text_done(const struct sync_text *t);

/* An expression over the columns of a table with each of them seen from `of`: "NEW". "": it cannot be. */
struct str sync_expression_of(struct arena *a, const struct catalog_relation *table,
                              struct str expression, const char *of);
struct str sync_expression_with(struct arena *a, const struct catalog_relation *table,
                                struct str expression, sync_naming *name_of, void *context);

/* ---- the pair ---- */

struct sync_pair {
    struct rewrite *r;
    struct catalog_relation *table;
    struct catalog_column *old; /* that is there */
    const char *relation;       /* "public.users" */
    const char *old_name;       /* quoted */
    const char *new_name;       /* quoted: of the column that is added */
    struct type_ref new_type;   /* of the new one */
    const char *collation;      /* of the new one, quoted; "": that of its type */
    struct str forward; /* of the new one, over columns of the table; "": just the old one */
    /* Set by sync_begin() and sync_read_default(): */
    const char *tag; /* eight hex digits that tell this pair from every other */
    struct online_range range;
    const char
        *shared_default;  /* of both: the same whenever one statement asks for it; NULL: none */
    bool has_own_default; /* of the old one only: nextval(), random() and the like */
    bool has_clock_on_insert, has_clock_on_update; /* set by sync_add_clock() */
};

/* Whether the table's rows can be changed one by one, in a column that was just added, without anything else
   happening; or what becomes of its triggers is said (rewrite_copy_triggers). */
bool sync_copy_fits(struct rewrite *r, const struct catalog_relation *table);
/* Whether row triggers and ranges of the key can keep a pair of the table the same without anybody noticing:
   it is an ordinary table, of which each row is updated once without anything else happening to it. */
bool sync_table_fits(struct rewrite *r, const struct catalog_relation *table);
/* A type whose name and modifier are known, and that brings neither a default nor a rule of its own. */
bool sync_type_fits(const struct type_ref *t);
/* The tag, the range. to: what becomes of the column. false: it cannot be gone through range by range. */
bool sync_begin(struct sync_pair *s, const char *to);
/* The default of the old column in words; NULL: it has none, or they are not known. */
const char *sync_default_text(const struct sync_pair *s);
/* false: it cannot be told in words. */
bool sync_read_default(struct sync_pair *s);

/* A condition, true where the values differ in any bit of them; two NULLs do not. */
const char *sync_differ(const struct sync_pair *s, const struct type_ref *type, const char *left,
                        const char *right);
const char *sync_same(const struct sync_pair *s, const struct type_ref *type, const char *left,
                      const char *right);
/* Columns as seen from `of`: "NEW", or the range's alias. */
const char *sync_old(const struct sync_pair *s, const char *of);
const char *sync_new(const struct sync_pair *s, const char *of);
const char *sync_forward(const struct sync_pair *s, const char *of); /* what the new one is to be */
/* A condition: it is something else. */
const char *sync_disagree(const struct sync_pair *s, const char *of);
/* 'text', or E'text'. */
const char *sync_literal(struct arena *a, struct str text);
const char *sync_type(const struct sync_pair *s, const struct type_ref *type);

/* ---- rewrite_sync_steps.c ---- */

/* ADD COLUMN, with the default that it shares; old rows have NULL there. */
void sync_add_column(struct sync_pair *s);
void sync_add_triggers(struct sync_pair *s);
/* Those by which only the new one follows. */
void sync_add_forward(struct sync_pair *s);
/* Proved by a CHECK, which is verified beside readers and writers. */
void sync_set_not_null(struct sync_pair *s);
/* The parts of a trigger: the function by which a column of a row becomes a value, and the trigger that
   fires last. */
void sync_add_function(struct sync_pair *s, const char *what, const char *does, const char *column,
                       const char *value, bool is_expression);
void sync_add_function_of(struct sync_pair *s, const char *what, const char *does,
                          const char *statements, bool is_expression);
void sync_add_last_trigger(struct sync_pair *s, const char *does, const char *condition);
/* CREATE TRIGGER, of one that fires last and calls the function what. */
const char *sync_last_trigger(const struct sync_pair *s, const char *what, const char *condition);
void sync_copy(struct sync_pair *s);
/* The statistics of the new column: without them, plans would be bad from the first minute. */
void sync_analyze(struct sync_pair *s);
void sync_verify(struct sync_pair *s, bool waits);
/* "DROP TRIGGER …;" and "DROP FUNCTION …;" for a block, each on a line of its own. */
void sync_drop_triggers(const struct sync_pair *s, struct buf *out);
void sync_drop_functions(const struct sync_pair *s, struct buf *out);
void sync_drop_last_trigger(const struct sync_pair *s, const char *what, struct buf *out);
void sync_drop_forward(const struct sync_pair *s, struct buf *out); /* both of sync_add_forward() */
/* DO, fenced so that no name within ends it. declarations: "" or lines. */
const char *sync_block(const struct sync_pair *s, const char *declarations,
                       const struct buf *statements);

/* ---- rewrite_sync_clock.c ---- */

/* Notes when something was last written by the old form: by an UPDATE that sets this column, and by an INSERT
   whose row fulfils this condition over NEW; NULL: none of these. */
void sync_add_clock(struct sync_pair *s, const char *written, const char *inserted);
/* Of a new row, as the statement has given it: the old column has a value of its own; NULL: it always has
   one. */
const char *sync_old_is_given(const struct sync_pair *s);
void sync_drop_clock(const struct sync_pair *s, struct buf *out); /* as sync_drop_triggers() */

/* ---- rewrite_sync_index.c ---- */

struct sync_index {
    const struct catalog_relation *like;
    const char *name; /* with its schema, quoted */
    const char *sql;  /* CREATE INDEX CONCURRENTLY … */
};
struct sync_indexes {
    struct sync_index *at;
    size_t count, room;
};
/* For each index of the table that has something of the old column, one like it on the new one. false: one of
   them cannot be told from the catalog, or not be built beside writers. */
bool sync_find_indexes(struct sync_pair *s, struct sync_indexes *out);
void sync_build_indexes(struct sync_pair *s, const struct sync_indexes *indexes);

/* ---- rewrite_sync_rights.c ---- */

/* Gives the new column the rights that roles have on the old one alone. false: they cannot be read. */
bool sync_copy_rights(struct sync_pair *s);

#endif
