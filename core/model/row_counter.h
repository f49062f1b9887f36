/* How many rows a table has, where nothing but the database itself can tell (SQLite): the port through which
   the planner asks. */
#ifndef CORE_MODEL_ROW_COUNTER_H
#define CORE_MODEL_ROW_COUNTER_H

#include "core/base/str.h"

struct row_counter {
    /* Counted up to `most`; -1: it could not be found out. */
    int64_t (*count)(void *context, struct str table, int64_t most);
    void *context;
};

#endif
