/*
 * Files against history: what is applied, pending, changed, missing, out of order. By set, never by a
 * high-water mark. Pure but for the digests of files that differ, which are asked for through a
 * callback. Used by status, plan, apply and history --verify; decides nothing about exit codes
 * itself, but says which states stop an apply.
 */
#ifndef CORE_RUN_RECONCILE_H
#define CORE_RUN_RECONCILE_H

#include "core/model/history.h"
#include "core/model/migration.h"

enum migration_state {
    STATE_UNKNOWN = 0,
    STATE_APPLIED,
    STATE_PENDING,
    STATE_OUTDATED,     /* a repeatable whose text changed: it is pending again */
    STATE_OUT_OF_ORDER, /* pending, but sorts before one already applied */
    STATE_INCOMPLETE,   /* some of its units are done; the next apply goes on */
    STATE_CHANGED,      /* applied, but the file is another one now; see change */
    STATE_MISSING,      /* applied, but there is no such file */
    STATE_RENUMBERED,   /* applied under another version or name; other names it */
    STATE_OPAQUE,       /* written as code: listed, never run */
    STATE_UNRECORDED,   /* applied by the events, but its row is gone; see verify.h */
    STATE_COVERED,      /* below the baseline that stands for it */
    STATE_EXPANDED,     /* all is done but for what waits for `migrate contract` */
    STATE_SWITCHED, /* the same, but that the first `migrate contract` has run: the next ends it */
    STATE_ROLLING_BACK, /* `migrate rollback` was cut off */
};
const char *migration_state_name(enum migration_state s); /* "applied", "out of order", … */

/* How a file differs from what was applied. */
enum change_kind {
    CHANGE_NONE = 0,
    CHANGE_LINE_ENDINGS, /* BOM, line ends or trailing blanks: harmless */
    CHANGE_COMMENTS,     /* the statements are the same */
    CHANGE_SQL,
};

struct reconciled {
    enum migration_state state;
    enum change_kind change;
    const struct migration *migration; /* NULL: STATE_MISSING */
    const struct history_row *row;     /* of its version; NULL: never applied */
    const struct history_row *other;   /* STATE_RENUMBERED: the row whose text this file has */
    bool is_swapped;                   /* and the file of that row has the text of this one's */
};

struct reconciliation {
    struct reconciled
        *at; /* versioned in order, then repeatables; missing ones where they belong */
    size_t count, room;
    size_t applied, pending, problems; /* pending: what an apply would run, in order or not */
    size_t expanded, switched;         /* not among those */
};

/* Fills normalized and tree (with tree_kind) of a migration whose raw digest differs. */
typedef bool digest_reader(void *context, const struct migration *m, struct checksums *out,
                           struct fail *f);

/* Fails only where a file cannot be read. */
bool reconcile(struct arena *a, const struct migrations *files, const struct history *history,
               digest_reader *read_digests, void *context, struct reconciliation *out,
               struct fail *f) MUST_CHECK;

/* Whether there is plainly nothing to do or to say: every file was applied as it is, every row has its
   file. Needs only what struct driver's read_applied gives; false says nothing. */
bool reconcile_is_settled(struct arena *a, const struct migrations *files,
                          const struct history *history);
/* Whether it would be run by an apply (pending, outdated, out of order, incomplete). */
bool reconciled_is_pending(const struct reconciled *r);
/* Whether auditors must hear of it (exit 4): changed beyond line ends, missing, renumbered, out of order. */
bool reconciled_is_problem(const struct reconciled *r);
/* Fills a failure (EXIT_INTEGRITY) for the first state that stops an apply, whatever it is to run: SQL
   changed, missing, renumbered; out of order unless allowed. true: nothing does. */
bool reconciliation_check(const struct reconciliation *r, bool allow_out_of_order, struct fail *f)
    MUST_CHECK;
/* One sentence about a state that needs one (a problem, incomplete, opaque), in the arena; else "". */
const char *reconciled_sentence(struct arena *a, const struct reconciled *r);
/* What to do about it. Static. */
const char *reconciled_hint(const struct reconciled *r);
/* The one of this version, as the layout compares them, or script; NULL: there is no such file. */
const struct reconciled *reconciliation_find(const struct reconciliation *r,
                                             enum version_order order, struct str wanted);
/* The same for a word of the user's: NULL with a failure (EXIT_USAGE). */
const struct reconciled *reconciliation_find_named(const struct reconciliation *r,
                                                   enum version_order order, struct str wanted,
                                                   struct fail *f);
/* Version, or the script of a repeatable. */
struct str migration_label(const struct migration *m);
struct str history_row_label(const struct history_row *r);

#endif
