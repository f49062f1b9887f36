/*
 * The PostgreSQL analysis of a plan: its catalog, the transaction that is open, the rules; statement by
 * statement. Owns nothing but what it makes in the arena of the plan.
 */
#ifndef PLANNER_POSTGRES_ANALYSIS_H
#define PLANNER_POSTGRES_ANALYSIS_H

#include "core/model/migration.h"
#include "core/model/online.h"
#include "planner/analysis.h"

struct postgres_analysis;

/* Closed by the caller; the catalog stays. catalog: folded into; NULL: an empty one is made.
   server_version 0: the newest behaviour. policy: NULL for none. */
struct postgres_analysis *postgres_analysis_open(struct arena *a, struct catalog *catalog,
                                                 uint32_t server_version,
                                                 const struct hazard_policy *policy);
void postgres_analysis_close(struct postgres_analysis *p); /* NULL is fine */
DEFINE_SCOPED(postgres_analysis, struct postgres_analysis *, postgres_analysis_close)

/* What is found across files (locks in different orders) is not asked for: what is noted of a file goes with
   it. Before the first migration. */
void postgres_analysis_forget_files(struct postgres_analysis *p);

/* A script that made what is there before (--schema): its statements are folded, in order. */
void postgres_analysis_fold(struct postgres_analysis *p, const struct statement *s);
/* It has ended. is_whole: nothing of it was left out. */
void postgres_analysis_fold_end(struct postgres_analysis *p, bool is_whole);
/* Between two migrations that are folded so, and behind the last: settings and transactions of one are not
   those of the next. */
void postgres_analysis_fold_next(struct postgres_analysis *p);
/* Behind migrations that were folded into an empty catalog: their tables may have rows by now. Where the
   catalog was given, nothing is to be said. */
void postgres_analysis_fold_merged_end(struct postgres_analysis *p, bool is_whole);

/* transaction: whether its statements share one. */
void postgres_analysis_migration(struct postgres_analysis *p, struct str path,
                                 enum transaction_mode transaction);
/* What the planner does between statements. */
void postgres_analysis_event(struct postgres_analysis *p, enum analysis_event event);
/* In two halves, for a statement that may be given another form. Looking leaves the catalog as it is (a
   schema's elements excepted: CREATE SCHEMA makes them while it is looked at). */
void postgres_analysis_look(struct arena *a, struct postgres_analysis *p, const struct statement *s,
                            struct analysis *out);
void postgres_analysis_take(struct arena *a, struct postgres_analysis *p, const struct statement *s,
                            struct analysis *seen);
/* Looks at a statement that cut() has just cut (its tree is needed; without one only the class is given)
   and folds it in. out's lists are in the arena a. */
void postgres_analysis_statement(struct arena *a, struct postgres_analysis *p,
                                 const struct statement *s, struct analysis *out);
/* The migration has ended: what is found about the file as a whole, in the arena a. */
void postgres_analysis_migration_end(struct arena *a, struct postgres_analysis *p,
                                     struct hazards *out);

/* The online form of a statement of which seen was seen, waivers applied; NULL: it is run as written, and
   *out_why_not says what its author can do about that, or is NULL. In the arena. */
const struct online_form *postgres_analysis_rewrite(struct arena *a, struct postgres_analysis *p,
                                                    const struct statement *s,
                                                    const struct analysis *seen,
                                                    const char **out_why_not);

/* Why it cannot have what its `-- migrate: batch` asks for; NULL: it can, or asks for nothing. */
const char *postgres_analysis_batch_refusal(struct arena *a, struct postgres_analysis *p,
                                            const struct statement *s);
/* The relation that it makes, or gives another name: "public.orders", in the arena; "" : none. */
struct str postgres_analysis_made(struct arena *a, struct postgres_analysis *p,
                                  const struct statement *s);

struct catalog *postgres_analysis_catalog(struct postgres_analysis *p);

/* Whether what it does ends with its transaction, and a later statement may count on it: SET LOCAL, LOCK, ON
   COMMIT DROP and their like (rewrite_bound.c). true as well where it was not analysed. */
bool postgres_binds_transaction(const struct statement *s);

#endif
