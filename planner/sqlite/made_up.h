/*
 * What a statement needs and nobody has told us of: where the schema is not known as a whole (a file alone,
 * without its database), tables, columns, indexes, views and triggers are made up in the scratch database
 * until SQLite takes the statement.
 */
#ifndef PLANNER_SQLITE_MADE_UP_H
#define PLANNER_SQLITE_MADE_UP_H

#include "planner/sqlite/objects.h"

/* Prepares the statement, and makes up what SQLite says is missing, but not what is in gone (it was
   there, and the plan has dropped it). True when something was made up: the objects are to be read again. */
bool made_up_for(struct arena *a, struct sqlite_scratch *s, const struct sqlite_objects *now,
                 const struct sqlite_objects *gone, const struct statement *statement);

#endif
