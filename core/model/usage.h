/*
 * What a database tells of who still uses a name that is about to go: statements that were counted, functions
 * that have it in their text, objects that are made of it, and when it was last written to. Read by the
 * drivers, judged by cmd/usage.c with planner/postgres/mentions.h.
 */
#ifndef CORE_MODEL_USAGE_H
#define CORE_MODEL_USAGE_H

#include "core/base/base.h"
#include "core/base/str.h"

/* A name that nobody may need any more when the last steps of a form run. */
struct retired_name {
    struct str schema, table; /* as the catalog has them, without quotes */
    struct str column;        /* of the table; "" : the table itself */
    bool is_required;    /* it is no name that goes: from then on INSERT has to give the column */
    bool is_taken_along; /* what is made of it (views, policies) has the new name by itself */
};

/* A statement that was counted (pg_stat_statements): its values are $1, $2, … where it is no utility
   statement. */
struct counted_statement {
    struct str id; /* tells it from the others, as long as counting is not begun anew */
    struct str text;
    int64_t calls;
};

struct seen_function {
    struct str name;       /* "app.total(integer)" */
    struct str language;   /* "plpgsql", "sql", … */
    struct str definition; /* CREATE FUNCTION …; "" : it cannot be told */
    struct str body;
    bool is_trigger; /* of the table */
};

/* Of one name. Texts are in the arena of the call. */
struct usage {
    const char *unknown;      /* why statements cannot be told; NULL: they can */
    int64_t hidden;           /* statements of other roles whose text may not be read */
    struct str counted_since; /* when counting was begun anew; "" : not known */
    struct {
        struct counted_statement *at;
        size_t count, room;
    } statements; /* that have the name as a piece of their text */
    struct {
        struct seen_function *at;
        size_t count, room;
    } functions; /* the same */
    struct {
        struct str *at;
        size_t count, room;
    } dependents; /* "view public.totals" */
};

#endif
