/*
 * What tests of a database driver have in common: statements without a parser, entries without a
 * journal, a unit in one call. Failures that a test does not expect are printed and end the test.
 */
#ifndef DRIVERS_TESTKIT_DRIVER_KIT_H
#define DRIVERS_TESTKIT_DRIVER_KIT_H

#include "core/model/driver.h"

/* A connection under test and the position in its history. */
struct kit {
    const struct driver *driver;
    struct connection *connection;
    struct arena *arena;
    int64_t next_id; /* of events */
    int64_t next_rank;
    struct str head; /* digest of the last event */
    size_t offset;   /* what execute() said last */
    size_t done;
};

/* Opens; options NULL: the defaults with the URL. Dies on failure. */
struct kit kit_open(const struct driver *driver, const char *url,
                    const struct connect_options *options);
/* The same, and prepares the history, takes the lock. */
struct kit kit_open_run(const struct driver *driver, const char *url,
                        const struct connect_options *options);
void kit_close(struct kit *k);

/* A statement as the planner would give it; analysed, without effect on the session. */
struct statement kit_statement(const char *sql);
/* One that may change the session. */
struct statement kit_session_statement(const char *sql);

/* begin, execute; false on failure (f). */
bool kit_begin(struct kit *k, const struct statement *at, size_t count, struct fail *f);
/* commit with a history row and an event; on success the position moves. */
bool kit_commit(struct kit *k, struct fail *f);
bool kit_commit_own(struct kit *k, const char *own_commit, struct fail *f);
/* A commit that is not awaited. The position moves at once. */
struct kit_ahead {
    struct event event;
    struct history_row row;
    struct journal_entries entries;
    bool is_committed; /* the driver has said so */
};
bool kit_commit_ahead(struct kit *k, struct kit_ahead *out, struct fail *f);
/* All three for one SQL text; rolls back on failure. */
bool kit_unit(struct kit *k, const char *sql, struct fail *f);
/* Runs one statement outside a transaction. */
bool kit_alone(struct kit *k, const struct statement *s, struct fail *f);
/* One event of its own. */
bool kit_append(struct kit *k, bool is_durable, struct fail *f);

/* Ends the test with the failure's text where ok is false. */
void kit_check(bool ok, const struct fail *f, const char *what);
#define KIT_OK(call) kit_check((call), &f, #call)

#endif
