/*
 * What SQLite statements do, said by SQLite itself: each is prepared against a scratch database in
 * memory that has the target's schema, with an authorizer that reports what it would touch, and then
 * run there, so that the next statement finds what it made. The target is never touched.
 */
#ifndef PLANNER_SQLITE_ANALYSE_H
#define PLANNER_SQLITE_ANALYSE_H

#include "core/model/statement.h"

struct sqlite_scratch;

/* An empty one. NULL and f: no memory. */
struct sqlite_scratch *sqlite_scratch_open(struct fail *f) MUST_CHECK;
/* Runs a statement of the schema that is there before; nothing outside of the scratch database is
   reached. NULL, or why it cannot be run here (a virtual table of an extension), in the arena. */
const char *sqlite_scratch_load(struct arena *a, struct sqlite_scratch *s, struct str sql)
    MUST_CHECK;
void sqlite_scratch_close(struct sqlite_scratch *s); /* NULL is fine */
DEFINE_SCOPED(sqlite_scratch, struct sqlite_scratch *, sqlite_scratch_close)

/* Fills class, class_reason (in the arena), is_analysed and not_analysed_reason. */
bool sqlite_scratch_analyse(struct arena *a, struct sqlite_scratch *s, struct statement *statement,
                            struct fail *f) MUST_CHECK;

#endif
