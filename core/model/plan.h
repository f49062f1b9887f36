/*
 * The plan: what will be run, in order. Made by planner/planner.c, printed by cmd, run by
 * core/run/apply.c.
 */
#ifndef CORE_MODEL_PLAN_H
#define CORE_MODEL_PLAN_H

#include "core/base/json.h"
#include "core/model/effect.h"
#include "core/model/enforcement.h"
#include "core/model/grouping.h"
#include "core/model/hazard.h"
#include "core/model/migration.h"
#include "core/model/online.h"
#include "core/model/script.h"

/* What the gate says of a migration, or of the plan: the worst of its migrations. */
enum verdict {
    VERDICT_UNKNOWN = 0, /* something could not be looked into, and nobody has allowed it */
    VERDICT_PASS,
    VERDICT_BLOCK, /* a hazard of level block that nobody has allowed */
};
const char *verdict_name(enum verdict v); /* "unknown", "pass", "block" */

struct planned_statement {
    struct statement
        statement; /* text: a copy in the arena, redacted; "" when the script was not retained */
    uint32_t unit; /* its unit's number; 0: it is not sent (see grouping.h) */
    enum unit_kind unit_kind;
    bool is_transactional;
    const struct effects *effects;    /* NULL: it was not looked into */
    struct hazards hazards;           /* meaningless without effects */
    const struct online_form *online; /* NULL: it has none, or none is wanted */
    const char *why_not_online;       /* what its author can do about that; or NULL */
    bool runs_online;                 /* it is sent in that form; unit is that of its first step */
};

/* A step of an online form, as a unit of the migration. */
struct planned_step {
    uint32_t unit;
    uint32_t line; /* of the statement that it is for */
    const struct online_form *form;
    size_t index; /* of the step in the form */
};

/* A statement that changes what a migration which is not contracted yet is about. */
struct phase_conflict {
    struct str label;    /* of that migration; "" : there is no conflict */
    struct str relation; /* "public.orders" */
    bool is_made;        /* it takes that name, which is not free yet */
    uint32_t line;       /* of the statement */
};

struct planned_migration {
    const struct migration *migration;
    struct checksums checksums; /* with the tree digest */
    enum statement_class class;
    struct {
        struct planned_statement *at;
        size_t count, room;
    } statements;           /* empty when is_streamed */
    struct hazards hazards; /* about the file as a whole; meaningless unless is_analysed */
    bool is_analysed;       /* its effects and hazards were looked for */
    enum verdict verdict;
    uint64_t statement_count; /* also when streamed */
    uint32_t unit_count;
    /* Of the way back (plan_undo): how many units of the migration are left behind each of these, from none
       of them on; NULL: it is no way back. */
    const int64_t *units_left;
    /* It is a down file: its units are counted down to 0, and earlier runs have done so many. */
    bool is_down;
    int64_t units_passed;
    uint32_t wait_unit; /* the first one that `migrate contract` runs, not apply; 0: none waits */
    /* The first one that not even the first `migrate contract` runs, but the next; 0: none waits twice. */
    uint32_t again_unit;
    bool is_streamed; /* too large to keep statement by statement */
    bool is_single;   /* one unit: the history row and all changes are one commit */
    bool has_session_effect;
    bool
        asks_catalog; /* only the catalog tells whether one of its statements refuses a transaction */
    bool
        may_have_form; /* SQLite: one of its statements is of a kind that may have an online form */
    const struct kept_script *kept; /* small, and kept for the run; NULL: it is read again */
    struct online_forms online;     /* of the statements that are sent so */
    bool has_new_forms;             /* some of them are not yet in the history */
    struct units_locks
        locks; /* PostgreSQL: what its units must have for themselves when they begin */
    struct {
        struct planned_step *at;
        size_t count, room;
    } steps;                          /* of the forms that are sent, in the order of their units */
    struct phase_conflict conflict;   /* the first one: it cannot run yet */
    struct enforcements enforcements; /* SQLite: what its PRAGMA foreign_keys mean to its units */
    struct {
        const char **at;
        size_t count, room;
    } warnings;
};
/* Whether batches of one of its steps do not fire the table's triggers. */
bool planned_skips_triggers(const struct planned_migration *m);

/* A statement of the schema that is there before, which could not be used, and why. */
struct schema_left_out {
    struct str path; /* of an earlier migration; "" : of the schema that was given */
    size_t index;
    uint32_t line; /* of a file; 0: index tells */
    const char *why;
};

/* A finding about a file beside those that are merged (plan --base): it need not be planned. */
struct file_finding {
    const struct migration *migration; /* whose directives may allow it; NULL: it is deleted */
    struct str path;
    uint32_t line;      /* from 1 */
    struct str excerpt; /* that line; "" : none */
    const char *commit; /* that did it; "" : not known */
    const char *author; /* of that commit */
    struct hazard hazard;
};

struct plan {
    enum engine engine;
    struct planned_migration *migrations;
    size_t count;
    struct {
        struct schema_left_out *at;
        size_t count, room;
    } left_out;
    struct {
        struct file_finding *at;
        size_t count, room;
    } files;
    struct digest digest; /* over versions, checksums, units and the position in the history */
};

/* The step of an online form that is this unit; NULL: it is as the author wrote it. */
const struct planned_step *planned_step_find(const struct planned_migration *m, uint32_t unit);
/* The last unit that `migrate apply` runs; 0: all of them wait. */
uint32_t planned_last_at_once(const struct planned_migration *m);
/* The last one that a `migrate contract` runs which finds so many units done. */
uint32_t planned_last_of_contract(const struct planned_migration *m, int64_t units_done);
/* The last one from which there may be a way back. */
uint32_t planned_last_with_undo(const struct planned_migration *m);
/* Of all its migrations; an empty plan passes. */
enum verdict plan_verdict(const struct plan *p);
/* Whether the gate would refuse to run it: what was not looked for is no reason. */
bool plan_is_refused(const struct plan *p);

/* The offline JSON shape of docs/plan-format.md ("format": 1). */
struct json *plan_json(const struct plan *p);

#endif
