/*
 * The rebuild of a table, as https://www.sqlite.org/lang_altertable.html#otheralter has it: a new table,
 * the rows copied, the old one dropped, the new one under its name. Known again at the end of the file.
 */
#ifndef PLANNER_SQLITE_REBUILD_H
#define PLANNER_SQLITE_REBUILD_H

#include "planner/sqlite/state.h"

/* Whether the values of a column that the new table does not have may be in one that the old one has not:
   the copy reads it. */
bool rebuild_moves(const struct sqlite_analysis *p, const struct sqlite_object *old,
                   const struct sqlite_object *made, struct str column);
/* Whether the file copies rows of the table into one that it makes; NULL: it does not. */
const struct table_copy *rebuild_copy(const struct sqlite_analysis *p,
                                      const struct catalog_relation *from);
/* The table that stands now where this one stood when the file began; NULL: none does, or it is the same.
   drop: of a table older than the file. */
const struct sqlite_object *rebuild_of(const struct sqlite_analysis *p,
                                       const struct object_event *drop);
/* Whether an index or trigger is there again: by its name, or something on the table with the same columns
   that keeps as much out. */
bool rebuild_has_like(const struct sqlite_analysis *p, const struct sqlite_object *old,
                      const struct sqlite_object *table);
/* Whether the event is the end of an older table. */
bool rebuild_is_drop(const struct sqlite_analysis *p, const struct object_event *e);
/* INTEGER, TEXT, BLOB, REAL or NUMERIC: datatype3.html, part 3.1. Static. */
const char *rebuild_affinity(struct str type);

#endif
