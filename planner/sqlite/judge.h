/*
 * What a SQLite statement has to do with transactions and the session, from its first words: SQLite has
 * few that care, and no parser that could be asked without a schema. What it does to the schema and to
 * rows, SQLite says itself (analyse.h).
 */
#ifndef PLANNER_SQLITE_JUDGE_H
#define PLANNER_SQLITE_JUDGE_H

#include "core/model/dialect.h"

/* Sets kind, role, session, probe and what foreign keys mean to it, of a statement whose text is set. */
void sqlite_judge(struct statement *s);
/* Refuses a statement (sqlite_judge() has seen it) that writes to a table of migrate's own record, drops,
   alters or watches it; NULL: none. */
void sqlite_judge_record(struct arena *a, struct statement *s, const struct cut_record *record);
/* Whether the text begins CREATE [TEMP | TEMPORARY] TRIGGER. */
bool sqlite_starts_trigger(struct str text);

#endif
