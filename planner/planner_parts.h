/*
 * What the files of the planner share while it reads one migration. Private to planner/planner*.c.
 */
#ifndef PLANNER_PLANNER_PARTS_H
#define PLANNER_PLANNER_PARTS_H

#include "core/model/kept.h"
#include "planner/planner.h"
#include "planner/postgres/analysis.h"
#include "planner/rules.h"
#include "planner/scripts_ahead.h"
#include "planner/sqlite/analysis.h"

/* A step of an online form that is not run by `migrate apply`. */
struct waiting_step {
    struct statements parts;
    const struct online_form *form;
    size_t index;
};

/* What one migration's pass needs. */
struct pass {
    struct arena *a;
    struct arena *scratch; /* of one migration */
    const struct plan_request *request;
    struct plan *plan;
    struct scripts_ahead *ahead;
    struct planned_migration *planned;
    struct script *script;
    struct grouping grouping;
    struct enforcement_pass enforcement;
    struct enforcement_pass enforcement_before; /* the statement; and how many changes there were */
    size_t enforcement_count_before;
    struct sqlite_analysis *sqlite;     /* SQLite with wants_statements; else NULL */
    struct postgres_analysis *postgres; /* PostgreSQL with wants_statements; else NULL */
    uint64_t kept_bytes;
    struct waivers waivers;
    bool is_blocked, is_unknown; /* by what nobody has allowed */
    struct kept_script *kept;
    size_t *room; /* for kept scripts, of the whole plan */

    /* planner_open.c: those of the request, and those of the plan so far */
    struct open_migrations {
        struct online_open *at;
        size_t count, room;
    } * open;

    /* planner_online.c */
    const struct online_begun *begun; /* see plan_request */
    bool is_as_written;               /* the file says so */
    bool is_bound;                    /* what came before counts on one transaction */
    bool is_whole;                    /* all of the script is at hand: statements can be replaced */
    const struct statement *behind;   /* the statement, in its batch */
    size_t behind_count;
    bool is_regrouped;      /* planner_alone.c: the catalog made a statement stand alone */
    struct statements sent; /* in the order in which they are sent, steps among them */
    struct {
        struct waiting_step *at;
        size_t count, room;
    } waiting; /* those come last of all */

    /* planner_locks.c: of the unit that is open */
    uint32_t locked_unit;
    bool is_locked_late; /* a statement that may take long was in it */
    bool has_step_locks; /* it is a step whose locks the history knows */
    struct {
        struct locked_table {
            const struct catalog_relation *object;
            struct str name;
        } * at;
        size_t count, room;
    } locked;
};

/* ---- planner.c ---- */

/* Asks the grouping about a statement; a failure has its place. */
bool planner_feed(struct pass *p, const struct statement *s, bool is_used_later,
                  struct grouping_step *out, struct fail *f) MUST_CHECK;
void planner_tell(struct pass *p, enum analysis_event event);
/* What grouping said happens in front of the statement, then what the statement does; and what becomes of the
   catalog behind it. On SQLite looking has done both. */
void planner_look(struct pass *p, struct statement *s, const struct grouping_step *step,
                  struct arena *a, struct analysis *out);
void planner_take(struct pass *p, const struct statement *s, const struct grouping_step *step,
                  struct arena *a, struct analysis *seen);

/* ---- planner_open.c: migrations that are not contracted yet ---- */

void planner_open_begin(struct pass *p);
/* Notes in the migration that a statement changes what one of them is about. */
void planner_open_check(struct pass *p, const struct statement *s, const struct analysis *seen);
/* Behind a migration: whether it is one itself, for those behind it. */
void planner_open_add(struct pass *shared, const struct planned_migration *m);
/* Whether a statement of [at, at+count) mentions a name that only the contract of the form sets free: then
   it cannot wait. */
bool planner_open_is_reused(const struct online_form *form, const struct statement *at,
                            size_t count);

/* ---- planner_alone.c ---- */

/* Whether only the catalog tells if it refuses a transaction. */
bool planner_asks_catalog(const struct statement *s);
/* Where it does (seen), its role becomes ROLE_ALONE, and it is grouped anew: *step, from started on. */
bool planner_stands_alone(struct pass *p, struct statement *s, const struct analysis *seen,
                          struct grouping started, struct grouping_step *step, struct fail *f)
    MUST_CHECK;

/* ---- planner_locks.c ---- */

/* A statement of the open unit, of this kind, with these effects: what it must have for itself goes into the
   plan. Before it is folded in. */
void planner_note_locks(struct pass *p, const struct statement *s, enum unit_kind kind,
                        const struct effects *e);
/* A step of an online form, which is a unit of its own: the same, and into the step. What the history knows
   of the step is taken as it is. seen: NULL where nobody has looked. */
void planner_note_step_locks(struct pass *p, const struct statement *s, enum unit_kind kind,
                             struct online_step *step, const struct effects *seen);
/* A step that is a block of ours, which nobody looks into: what the form is about, each for itself. */
void planner_note_switch_locks(struct pass *p, const struct statement *s,
                               const struct online_form *form, struct online_step *step);

/* ---- planner_online.c: statements that are sent in another form ---- */

/* Fails (EXIT_USAGE, with the place) where the author asks for batches that the statement cannot have. */
bool planner_online_check_batch(struct pass *p, const struct statement *s, struct fail *f)
    MUST_CHECK;

/* The first batch of a script was read. */
void planner_online_begin(struct pass *p, const struct script_batch *batch);
/* The form of a statement of which seen was seen; NULL: it has none, or none is wanted. *out_why_not: what
   its author can do about that; or NULL. */
const struct online_form *planner_online_form(struct pass *p, size_t number,
                                              const struct statement *s, struct grouping started,
                                              const struct analysis *seen,
                                              const char **out_why_not);
/* Groups and analyses the steps in place of the statement, but for those that wait. seen: its findings that
   no step has any more are settled. *out_unit: of the first step; 0: all of them wait. Lists in the arena
   a. */
bool planner_online_take(struct pass *p, size_t number, const struct statement *s,
                         const struct online_form *form, struct grouping started, struct arena *a,
                         struct analysis *seen, uint32_t *out_unit, struct fail *f) MUST_CHECK;
/* Of a statement that SQLite refuses as it is written, and that is sent in another form. */
void planner_online_settle_class(struct statement *s);
/* Whether the statement goes on in the form that an earlier run has begun it with. Of one of which nothing is
   done yet, not if it was edited: it is another statement. */
bool planner_online_is_begun(const struct pass *p, size_t number, const struct statement *s,
                             struct grouping started);
/* The same with the form that an earlier run has begun it with. Fails (EXIT_INTEGRITY) where the statement
   was edited since. */
bool planner_online_resume(struct pass *p, size_t number, const struct statement *s,
                           struct grouping started, struct fail *f) MUST_CHECK;
/* Behind the last statement of the file: the steps that wait. */
bool planner_online_end(struct pass *p, struct fail *f) MUST_CHECK;
/* A statement that is sent as it is written, or not at all. */
void planner_online_sent(struct pass *p, size_t number, const struct statement *s);
/* The script with the steps in it, for the run. */
struct kept_script *planner_online_kept(const struct pass *p);

#endif
