/*
 * Which statements of a migration share a transaction. A pure machine that is fed one statement at a
 * time and says what must happen before and after it; the plan prints its answers, the runner obeys
 * them, so that both agree by construction.
 *
 * A migration is a sequence of units, numbered from 1. Each is committed with its entry in the
 * history, so that a crash resumes behind the last one:
 *   UNIT_OURS   transactional statements, between our BEGIN and COMMIT
 *   UNIT_OWN    the file's own BEGIN … COMMIT
 *   UNIT_ALONE  one statement that refuses a transaction block
 *   UNIT_RANGES one statement that is run range by range, each in our transaction
 * Each step of an online form is a unit of its own: alone, or in our transaction, of one statement or more.
 * A file that wants no transaction (TRANSACTION_NONE) gets one unit per statement. A COMMIT without an own
 * BEGIN ends our unit, and a BEGIN without COMMIT is ended with the file: drizzle's way out of the
 * transaction that its runner puts around a file.
 *
 * SQLite's PRAGMA foreign_keys (ROLE_HOISTED) does nothing inside a transaction and is never sent;
 * PRAGMA defer_foreign_keys is not where it stands between units: enforcement.h says what becomes of them.
 */
#ifndef CORE_MODEL_GROUPING_H
#define CORE_MODEL_GROUPING_H

#include "core/model/migration.h"
#include "core/model/statement.h"

enum unit_kind { UNIT_NONE = 0, UNIT_OURS, UNIT_OWN, UNIT_ALONE, UNIT_RANGES };
const char *unit_kind_name(
    enum unit_kind k); /* "single", "own", "none", "batches": `transaction` in the plan */

struct grouping {
    enum engine engine;
    enum transaction_mode mode;
    enum unit_kind open; /* the unit that is open */
    uint32_t unit;       /* its number; 0 before the first */
    uint64_t in_unit;    /* statements in it so far */
};

/* What to do about one statement, in this order. */
struct grouping_step {
    bool commit_before; /* end the open unit first */
    enum unit_kind
        open;  /* UNIT_NONE, or the unit to open now (OURS: send BEGIN; OWN: the statement is
                                the file's BEGIN and is sent; ALONE, RANGES: nothing is sent around it) */
    bool send; /* the statement itself goes to the server */
    bool commit_after;   /* it is the file's COMMIT, or stood alone: the unit ends behind it */
    bool rollback_after; /* it is the file's ROLLBACK: the unit ends, without an entry */
    const char *warning; /* or NULL: "COMMIT outside a transaction is ignored" */
};

struct grouping grouping_start(enum engine engine, enum transaction_mode mode);
/* later_may_use: whether a later statement of the file may use s->new_enum_value (see
   grouping_mentions()); ADD VALUE then ends its unit. Fails (EXIT_FAILED, with place) where the file
   cannot be run: a statement that refuses a transaction inside the file's own BEGIN, ROLE_REFUSED. */
bool grouping_feed(struct grouping *g, const struct statement *s, bool later_may_use,
                   struct str path, struct grouping_step *out, struct fail *f) MUST_CHECK;
/* At the end of the file: whether a unit is open that must be committed. */
bool grouping_is_open(const struct grouping *g);
/* Whether any statement in [at, at+count) mentions the enum value or cannot be looked into. */
bool grouping_mentions(const struct statement *at, size_t count, const char *value);

#endif
