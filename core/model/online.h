/*
 * The online form of a statement: the steps that have the same end as the statement as it is written, and of
 * which none makes the application wait. Made by planner/postgres/rewrite.c from text that a person can read
 * (`plan` shows it, `plan --write` writes it), stored in the history before its first step runs, and run by
 * the same runner as everything else: each step is a unit of its own.
 *
 * What a run has begun is ended as it was begun: the forms of a migration that is half done come from the
 * history, never again from the catalog, which is no longer what it was.
 */
#ifndef CORE_MODEL_ONLINE_H
#define CORE_MODEL_ONLINE_H

#include "core/base/digest.h"
#include "core/base/fail.h"
#include "core/base/json.h"
#include "core/model/hazard.h"
#include "core/model/table_lock.h"
#include "core/model/usage.h"

/* What is done with statements that have an online form. */
enum rewrite_mode {
    REWRITE_OFF = 0, /* nobody looks for one */
    REWRITE_SUGGEST, /* it is shown, and the statement runs as written */
    REWRITE_AUTO,    /* it is run */
};
bool rewrite_mode_of_name(struct str name, enum rewrite_mode *out); /* "off", "suggest", "auto" */

/* When the state that a step leaves behind is right for the application. */
enum phase {
    PHASE_EXPAND = 0, /* adds: what runs now goes on as before */
    PHASE_BACKFILL,   /* copies and verifies */
    PHASE_SWITCH,     /* names change places */
    PHASE_CONTRACT,   /* takes away what nobody uses any more */
};
const char *phase_name(enum phase p); /* "expand", "backfill", "switch", "contract" */

/* What going back would cost. */
enum undo_cost {
    UNDO_IMPOSSIBLE = 0,
    UNDO_FREE,   /* a moment, nothing is lost */
    UNDO_COSTLY, /* an index is built, rows are read or written again */
    UNDO_LOSSY,  /* what was written since is lost */
};
const char *undo_cost_name(enum undo_cost c); /* "impossible", "free", "costly", "lossy" */

enum step_kind {
    STEP_STATEMENT = 0, /* sent as it is, committed by itself */
    STEP_BATCHES, /* a change of rows (UPDATE, DELETE), range by range, each committed by itself */
    STEP_VERIFICATION, /* a SELECT, range by range, of rows that must not be: the first one fails the step */
};
const char *step_kind_name(enum step_kind k); /* "statement", "batches", "verification" */

/* How the rows of a large table are visited, a range of the key at a time. */
struct online_range {
    struct str table; /* schema-qualified and quoted: its size, its key */
    struct str alias; /* quoted: what the step's text calls it */
    /* Columns, quoted, in the order of a unique index whose columns are all NOT NULL; none: by the pages of
       the table (ctid), which PostgreSQL 14 and later can. */
    struct {
        struct str *at;
        size_t count, room;
    } key;
    bool
        skips_triggers; /* of the table: while it is written, under session_replication_role = replica */
};

/* One step, as a person can read it; its text is a whole statement also where it is run range by range. Of a
   plain one with a transaction of its own it may be several, with semicolons between them. */
struct online_step {
    enum step_kind kind;
    /* Not STEP_STATEMENT: how. The text then ends in a WHERE clause that ` AND (…)` can be put behind. */
    const struct online_range *range;
    enum phase phase;
    /* This one and all behind it are not run by `migrate apply` but by `migrate contract`, when nobody needs
       the old form any more. */
    bool waits;
    /* … and not even by the first of them, which ends with what has changed places: by the next one, after
       another soak, when nobody needs the way back any more. */
    bool waits_again;
    bool refuses_transaction; /* CONCURRENTLY and its like; else a transaction of its own */
    struct str sql;           /* without a semicolon */
    const char *does;         /* for people: "builds the index while others write" */
    struct str undo;          /* SQL, one statement or several; "" : none */
    enum undo_cost undo_cost;
    /* Instead of `undo`, where one transaction would not do: each a step with all that a step can be, in this
       order. One that was cut off is begun anew; those before it are not. */
    struct {
        struct online_step *at;
        size_t count, room;
    } undo_steps;
    /* What it must have for itself (table_lock.h); NULL: nobody has looked. */
    const struct table_locks *locks;
};

struct online_form {
    const char *recipe; /* permanent, kebab-case: "create-index" */
    const char *why;    /* a sentence: what the statement as written would have done */
    /* Where steps wait: what no other migration may change until they have run, as effects name it. */
    struct {
        struct str *at;
        size_t count, room;
    } relations;
    /* Where steps wait: what must be used by nobody when they run. */
    struct {
        struct retired_name *at;
        size_t count, room;
    } retires;
    /* A sequence that tells when something was last written by one of these names: its value is that second,
       by the server's clock. "": nothing tells. */
    struct str last_write;
    /* Ids of the hazards that it settles, up to NULL, even where a step does what they speak of. Not
       stored. */
    const char *const *settles;
    /* Names that only the last step sets free: not stored. of: the table without which it means something
       else; "": none. */
    struct {
        struct online_name {
            struct str name, of;
        } * at;
        size_t count, room;
    } names;
    struct {
        struct online_step *at;
        size_t count, room;
    } steps;
};

/* The forms of a migration, for those of its statements that have one. */
struct online_rewritten {
    size_t statement;     /* its number in the file, from 0 */
    struct digest digest; /* of its text: an edited file is another statement */
    const struct online_form *form;
    /* Of a plan that is shown: what was found of each step, waivers applied. Not stored; NULL: not known. */
    const struct hazards *found;
};
struct online_forms {
    struct online_rewritten *at;
    size_t count, room;
};
/* Those that a run has begun a migration with, and how far it has come. */
struct online_begun {
    struct online_forms forms;
    int64_t units_done;
    bool
        is_expanded; /* all that `migrate apply` runs of it is done: nothing gets a form any more */
};

/* A migration that is expanded or switched, and whose contract is still to come. */
struct online_open {
    struct str label; /* version or script */
    const struct online_forms *forms;
};

/* Whether the first `migrate contract` has nothing to do for it: all that waits of it waits again. */
bool online_is_left_alone(const struct online_form *form);
/* How many of its steps `migrate apply` runs; all of them where it never waits. */
size_t online_steps_at_once(const struct online_form *form);

/* NULL: the statement is run as it is written. */
const struct online_rewritten *online_find(const struct online_forms *forms, size_t statement);

struct json *online_step_json(const struct online_step *s);
struct json *online_form_json(const struct online_form *form);
/* All forms of a migration, as the event "planned" keeps them (docs/history-format.md). */
struct json *online_forms_json(const struct online_forms *forms);
/* The same, read again, in the arena. Fails (EXIT_INTEGRITY) where it is not what online_forms_json()
   makes. */
bool online_forms_read(struct arena *a, const struct json *j, struct online_forms *out,
                       struct fail *f) MUST_CHECK;

#endif
