/*
 * Composes the entries of one run: who, when, from which commit, chained to the event before. The
 * journal only moves on when the caller says that the entries were committed, so that a rolled-back
 * transaction leaves no hole in the chain. Writes nothing itself.
 */
#ifndef CORE_RUN_JOURNAL_H
#define CORE_RUN_JOURNAL_H

#include "core/base/json.h"
#include "core/model/history.h"
#include "core/model/migration.h"

/* Who runs this, from where. All texts outlive the journal; "" where not known. */
struct run_identity {
    const char *run; /* id, 32 hex digits */
    const char *actor;
    const char *db_role;
    const char *host;
    const char *git_commit;
    const char *git_author;
    int64_t clock_offset_us; /* server clock minus ours: entries carry the server's time */
};

struct journal {
    struct run_identity identity;
    const char *plan_digest;
    int64_t next_id;
    int64_t next_rank;
    struct digest head; /* "" before the first event */
};

/* Starts behind what the history holds. */
struct journal journal_start(const struct run_identity *identity, const struct history *h);
/* An event of this run, now, not yet linked. label: version or script; "" for the run itself. */
struct event journal_event(struct arena *a, const struct journal *j, const char *kind,
                           struct str label);
/* Gives events their ids and digests, behind the head. Texts in the arena. */
void journal_link(struct arena *a, const struct journal *j, struct event *events, size_t count);
/* They are committed: the head moves. */
void journal_committed(struct journal *j, const struct event *events, size_t count);
/* Now, by the server's clock. */
struct str journal_now(struct arena *a, const struct journal *j);

/* A history row for a migration, not yet applied: rank, names and digests of what is run. */
struct history_row journal_row(struct arena *a, const struct journal *j, const struct migration *m,
                               const struct checksums *checksums);
/* Adds to the detail of an event what proves the row that it writes: "rank" and the digest "row". */
void journal_row_claim(struct json *detail, const struct history_row *row);

#endif
