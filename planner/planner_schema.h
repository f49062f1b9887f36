/* What is there before the plan: a script that made it (--schema), or the
 * migrations that are merged. */
#ifndef PLANNER_PLANNER_SCHEMA_H
#define PLANNER_PLANNER_SCHEMA_H

#include "planner/planner.h"
#include "planner/postgres/analysis.h"
#include "planner/sqlite/analysis.h"

/* Reads and folds request->schema_path. What the parser does not know goes to out->left_out, with its
   line. Fails as script_next() does, EXIT_USAGE where the file is not there. */
bool planner_fold_schema(struct arena *a, const struct plan_request *request,
                         struct postgres_analysis *analysis, struct plan *out, struct fail *f)
    MUST_CHECK;
/* planner_before.c: folds request->before, in order, into whichever is not
   NULL. What cannot be read of a file goes to out->left_out; what is behind
   that place is not folded, later files are. */
void planner_fold_before(struct arena *a, const struct plan_request *request,
                         struct postgres_analysis *postgres, struct sqlite_analysis *sqlite,
                         struct plan *out);
/* The data behind a COPY … FROM stdin, which nobody looks at. */
bool planner_skip_copy_data(struct script *script, struct fail *f) MUST_CHECK;

/* The analysis of SQLite, with the schema that is there before. */
struct sqlite_analysis *planner_open_sqlite(struct arena *a, const struct plan_request *request,
                                            struct plan *plan, struct fail *f) MUST_CHECK;

#endif
