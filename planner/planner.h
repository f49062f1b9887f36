/*
 * migrations → plan: reads every script through its dialect, groups the statements, says what each one
 * is. Pure but for the files it reads through core/model/script.h; never connects, never writes.
 */
#ifndef PLANNER_PLANNER_H
#define PLANNER_PLANNER_H

#include "core/model/online.h"
#include "core/model/plan.h"
#include "core/model/row_counter.h"
#include "planner/analysis.h"

/* The dialect of an engine; ENGINE_UNKNOWN is PostgreSQL's. */
const struct dialect *dialect_for(enum engine engine);
/* Version of the PostgreSQL parser: the grammar it knows. The texts are static. */
const char *parser_version(bool is_runtime);

struct plan_request {
    const struct migration *const *migrations; /* to be run, in order */
    size_t count;
    const struct dialect *dialect;
    uint32_t server_version; /* 0: not known */
    const struct placeholder *placeholders;
    size_t placeholder_count;
    struct str record;       /* name of migrate's own record; "" : of no concern */
    struct str history_head; /* digest of the last event; part of the plan's digest */
    bool wants_statements;   /* every statement is analysed */
    bool is_for_run;         /* nothing is kept to be shown: only what running needs */
    enum rewrite_mode rewrite;
    /* Of each migration: the online forms that an earlier run has begun it with, which stay (none: it is run
       as written); NULL: it was not begun. NULL: none was. */
    const struct online_begun *const *begun;
    const struct online_open *open; /* what no migration may change yet */
    size_t open_count;
    /* Statements that made the schema which is there before, in order. SQLite: run in the scratch
       database; NULL: the schema is not known. */
    const struct str *schema_texts;
    size_t schema_count;
    /* Merged, or applied, before: they make what is there, and are not planned. None written as code. */
    const struct migration *const *before;
    size_t before_count;
    const struct row_counter *counter; /* SQLite: of the target; NULL: nobody can be asked */
    struct str schema_path;            /* PostgreSQL: a script that made it (--schema); "" : none */
    struct catalog
        *catalog; /* PostgreSQL: the target's, or a snapshot's; NULL: none. It is folded into */
    /* Files are only looked at: what no migration may do, and COPY data without end, are warnings. */
    bool is_lenient;
    /* About files beside those that are merged, with the policy's levels; what a file allows is the
       planner's. */
    const struct file_finding *files;
    size_t file_count;
    bool has_compared_files; /* an allow about files that hits nothing is unused */
    const struct syntax_judge
        *syntax; /* the target's, for what the parser does not know; NULL: none */
    const struct hazard_policy *policy; /* NULL: every rule at its own level */
};

/* Fails where a script cannot be run at all (EXIT_FAILED, with place), was changed since its
   directory was read (EXIT_INTEGRITY), or cannot be read. */
bool plan_make(struct arena *a, const struct plan_request *request, struct plan *out,
               struct fail *f) MUST_CHECK;

struct undo_request {
    const struct dialect *dialect;
    uint32_t server_version;
    const struct planned_migration *done; /* the migration, planned */
    int64_t units_done;                   /* so many are to be taken back */
    size_t undone_steps; /* of the undo of the last one: an earlier run did that much of it */
    bool may_lose;
};

/* What takes units of a planned migration back: the undo of each step, the last one first, each in a unit
   or several (planner_undo.c). Fails (EXIT_REFUSED) where one of them has none, or, unless may_lose, one
   that loses what was written since. */
bool plan_undo(struct arena *a, const struct undo_request *request, struct planned_migration *out,
               struct fail *f) MUST_CHECK;

#endif
