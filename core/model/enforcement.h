/*
 * Whether SQLite enforces foreign keys while a unit runs. PRAGMA foreign_keys does nothing inside a
 * transaction, so it is never sent; PRAGMA defer_foreign_keys ends with one, so that it cannot be one
 * of its own. The units of a migration (grouping.h) are opened as the pragmas in the file would have
 * them, read as the sqlite3 shell reads it. One transaction of ours can hold what the shell would run
 * under both settings; then no row may lack its parent at the end: what the shell would have done
 * about it (refuse it, or a cascade) is left to the author. Only REPLACE of a parent, which deletes
 * its children where keys are enforced, then keeps them.
 *
 *   OFF anywhere in a unit    off; rows without parents are looked for before its COMMIT
 *   only ON                   on
 *   none at first, then ON    as ON_LATER below
 *   none                      as the connection was opened
 *
 * What counts is in force at a statement that foreign keys mean something to: OFF … ON around the rebuild
 * of a table leaves nothing behind the ON but CREATE INDEX. Inside the file's own BEGIN … COMMIT,
 * OFF is taken as meant (without effect there, it would let DROP TABLE delete the rows of other
 * tables); ON stays without effect, as it is in SQLite, and gets a warning.
 */
#ifndef CORE_MODEL_ENFORCEMENT_H
#define CORE_MODEL_ENFORCEMENT_H

#include "core/base/vec.h"
#include "core/model/grouping.h"

enum enforcement {
    ENFORCEMENT_AS_OPENED = 0,
    ENFORCEMENT_OFF,
    ENFORCEMENT_ON,
    /* On where the connection has it on by itself. Else off, with the rows looked for: a part of the
       unit relies on either, and what only ON would have done (a cascade) is missed before COMMIT. */
    ENFORCEMENT_ON_LATER,
};

/* From this unit on. */
struct enforcement_change {
    uint32_t unit;
    enum enforcement enforcement;
    bool is_deferred; /* PRAGMA defer_foreign_keys = ON stands right before it */
};
/* In the order of units; empty for nearly every migration. */
struct enforcements {
    struct enforcement_change *at;
    size_t count, room;
};

/* One pass over a file. */
struct enforcement_pass {
    struct arena *arena;
    struct enforcements *out;
    unsigned state; /* the last pragma outside of an own transaction */
    unsigned seen;  /* in the unit: bits of the states that its statements ran under */
    uint32_t unit;
    bool is_deferred; /* the unit */
    bool defers_next; /* nothing has run since the pragma */
    struct enforcement_change last;
};

struct enforcement_pass enforcement_start(struct arena *a, struct enforcements *out);
/* Each statement, behind grouping_feed(). The answer is a warning, or NULL. */
const char *enforcement_feed(struct enforcement_pass *p, const struct grouping *g,
                             const struct grouping_step *step, const struct statement *s);
void enforcement_end(struct enforcement_pass *p);
struct enforcement_change enforcement_of(const struct enforcements *e, uint32_t unit);

#endif
