/*
 * What is said of one statement beyond its kind: effects, class, hazards; and the state that is carried
 * from statement to statement. One implementation for each engine (planner/postgres/analysis.c,
 * planner/sqlite/analyse.c). Pure.
 */
#ifndef PLANNER_ANALYSIS_H
#define PLANNER_ANALYSIS_H

#include "core/model/catalog.h"
#include "core/model/effect.h"
#include "core/model/hazard.h"
#include "core/model/statement.h"

/* Below so many rows one statement is quick enough: a larger table is changed in batches. */
#define BATCH_ROWS_MIN 10000

/* Levels by id, from migrator.yml and the profile. */
struct hazard_policy {
    bool is_strict; /* rules that are off become notes */
    struct {
        struct hazard_setting {
            struct str id;
            enum hazard_level level;
        } * at;
        size_t count, room;
    } settings;
};

/* What was found; lists are in the arena that was given. */
struct analysis {
    struct effects effects;
    struct hazards hazards;
    enum statement_class class;
    const char *class_reason;
};

/* What the planner does between statements. */
enum analysis_event {
    ANALYSIS_TRANSACTION_BEGINS = 1, /* ours or the file's */
    ANALYSIS_TRANSACTION_ENDS,
    ANALYSIS_TRANSACTION_ROLLED_BACK,
};

#endif
