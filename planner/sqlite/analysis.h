/*
 * The SQLite analysis of a plan: the scratch database, its objects as they were and are, the rules; statement
 * by statement. The counterpart of planner/postgres/analysis.h. Owns nothing but what it makes in the arena
 * of the plan, and the scratch database.
 */
#ifndef PLANNER_SQLITE_ANALYSIS_H
#define PLANNER_SQLITE_ANALYSIS_H

#include "core/model/online.h"
#include "core/model/row_counter.h"
#include "planner/analysis.h"

struct sqlite_analysis;

/* version: of the SQLite that reads the database (3040001), 0: the one that is linked. NULL and f: no
   memory. */
struct sqlite_analysis *sqlite_analysis_open(struct arena *a, uint32_t version,
                                             const struct hazard_policy *policy, struct fail *f)
    MUST_CHECK;
void sqlite_analysis_close(struct sqlite_analysis *p); /* NULL is fine */
DEFINE_SCOPED(sqlite_analysis, struct sqlite_analysis *, sqlite_analysis_close)

/* A statement of the schema that is there before. NULL, or why it cannot be had here, in the arena. */
const char *sqlite_analysis_load(struct arena *a, struct sqlite_analysis *p, struct str sql)
    MUST_CHECK;
/* That was all of it: what is not there does not exist. */
void sqlite_analysis_loaded(struct sqlite_analysis *p);

/* Who can count rows there; before the first statement. */
void sqlite_analysis_count_with(struct sqlite_analysis *p, const struct row_counter *counter);

void sqlite_analysis_migration(struct sqlite_analysis *p, struct str path);
void sqlite_analysis_event(struct sqlite_analysis *p, enum analysis_event event);
/* Fills class, class_reason, is_analysed and not_analysed_reason of the statement as well; texts and out's
   lists are in the arena a. */
void sqlite_analysis_statement(struct arena *a, struct sqlite_analysis *p, struct statement *s,
                               struct analysis *out);
/* Whether a statement is of a kind that may have an online form. */
bool sqlite_may_have_form(const struct statement *s);
/* The online form of the statement that was looked at last, with what was found of it (waivers applied);
   NULL: it is run as it is written. */
const struct online_form *sqlite_analysis_rewrite(struct arena *a, struct sqlite_analysis *p,
                                                  const struct statement *s,
                                                  const struct analysis *seen);
/* Why the statement that was looked at last cannot have the batches that it asks for; NULL: it can, asks for
   none, or nobody knows. In the arena. */
const char *sqlite_analysis_batch_refusal(struct arena *a, struct sqlite_analysis *p,
                                          const struct statement *s);
/* The statement is run in that form: the catalog becomes what it makes of it. */
void sqlite_analysis_take_form(struct sqlite_analysis *p, const struct online_form *form);
void sqlite_analysis_migration_end(struct arena *a, struct sqlite_analysis *p, struct hazards *out);

#endif
