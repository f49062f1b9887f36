/* What the files of the fake driver share. Private to drivers/testkit/fake_*.c. */
#ifndef DRIVERS_TESTKIT_FAKE_PARTS_H
#define DRIVERS_TESTKIT_FAKE_PARTS_H

#include "core/base/buf.h"
#include "drivers/testkit/fake_driver.h"

struct connection {
    struct arena *arena;
    struct fake_database *db;
    enum fake_fault fault;
    int64_t fault_at;
    int64_t calls;
    bool was_struck;
    bool is_dead; /* the process was killed */
    bool is_lost; /* the connection is */
    bool in_unit;
    bool is_aborted;             /* the transaction is: only a rollback helps */
    struct fake_effects pending; /* of the open transaction */
    struct buf session;
    size_t session_before; /* its length when the transaction began */
    bool has_forgotten;    /* it was made anew and lacks what had been set: only a reset helps */
    const char *announced;

    /* See fake_ahead.c. */
    const struct journal_entries *ahead_entries; /* of a commit that is under way, or NULL */
    void (*committed)(void *context);
    void *committed_context;
    bool begins_later; /* a begin() behind it */
};

/* ---- fake_driver.c ---- */

/* Whether the server sees the call. *out_then_lost: it does, but nobody hears of it. */
bool fake_pass(struct connection *c, bool *out_then_lost, struct fail *f) MUST_CHECK;
/* The same for functions that replace a lost connection by a new one, as the drivers do. */
bool fake_pass_connected(struct connection *c, bool *out_then_lost, struct fail *f) MUST_CHECK;
/* Behind what the server did. */
bool fake_finish(struct connection *c, bool then_lost, struct fail *f) MUST_CHECK;
bool fake_refuse(struct connection *c, enum exit_code code, const char *message,
                 const char *sqlstate, enum fail_kind kind, struct fail *f);
bool fake_refuse_moved(struct connection *c, struct fail *f);

/* ---- fake_history.c ---- */

bool fake_read_history(struct arena *a, struct connection *c, struct history *out, struct fail *f);
bool fake_read_events(struct connection *c, int64_t from_id, struct str version,
                      event_visitor *visit, void *context, struct fail *f);
bool fake_append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                 struct fail *f);
/* What the primary keys of the tables would refuse. */
bool fake_check_entries(struct connection *c, const struct journal_entries *entries, struct fail *f)
    MUST_CHECK;
void fake_store_entries(struct fake_database *db, const struct journal_entries *entries);

#endif
