/*
 * Directives: comment lines by which the author of a migration steers it, `-- migrate: …`. One
 * comment line becomes one struct. Read by drivers/source (the header of a file) and by the planner
 * (in front of statements); who reads one decides what it covers. Nothing here looks at SQL.
 *
 *   -- migrate: allow <hazard> reason="why it is safe here"
 *   -- migrate: as-written
 *   -- migrate: no-transaction
 *   -- migrate: phase contract
 *   -- migrate: using forward=<expression> backward=<expression>
 *   -- migrate: batch key=<column>, <column>
 *   -- migrate: batch triggers=fire
 *   -- migrate: timeout lock=<duration> statement=<duration>
 *
 * Durations are whole numbers with a unit: 400ms, 2s, 10m (or 10min), 1h, 7d.
 */
#ifndef CORE_MODEL_DIRECTIVE_H
#define CORE_MODEL_DIRECTIVE_H

#include "core/base/fail.h"

enum directive_kind {
    DIRECTIVE_NONE = 0, /* an ordinary comment */
    DIRECTIVE_ALLOW,
    DIRECTIVE_AS_WRITTEN,
    DIRECTIVE_NO_TRANSACTION,
    DIRECTIVE_PHASE,
    DIRECTIVE_USING,
    DIRECTIVE_BATCH,
    DIRECTIVE_TIMEOUT,
};
/* What becomes of the table's triggers while rows are copied in batches. */
enum batch_triggers {
    BATCH_TRIGGERS_UNSAID = 0,
    BATCH_TRIGGERS_FIRE, /* for each copied row */
    BATCH_TRIGGERS_SKIP, /* they do not */
};
/* "allow", "as-written", …; "" for DIRECTIVE_NONE. */
const char *directive_name(enum directive_kind k);

/* Texts are slices of the comment, but for reason, which is in the arena when it held an escape. */
struct directive {
    enum directive_kind kind;
    uint32_t line;                 /* in the file, 1-based */
    struct str hazard;             /* ALLOW: its id */
    struct str reason;             /* ALLOW: never empty */
    struct str phase;              /* PHASE: "contract" */
    struct str forward, backward;  /* USING: SQL expressions as written; at most one is "" */
    struct str key;                /* BATCH: column list as written; "" : not given */
    enum batch_triggers triggers;  /* BATCH */
    uint32_t lock_timeout_ms;      /* TIMEOUT; 0: not given */
    uint32_t statement_timeout_ms; /* TIMEOUT; 0: not given */
};

struct directives {
    struct directive *at;
    size_t count, room;
};

/*
 * Reads one comment line, from its `--` (blanks may precede) to its end without the line end. Any
 * comment that begins with "migrate:" is a directive; only `-- migrate:up` and `-- migrate:down`,
 * which are dbmate's, are not. path and line are for the struct and for messages. Fails
 * (EXIT_USAGE, with file, line and column) on unknown words, an allow without a reason and
 * malformed arguments.
 */
bool directive_parse(struct arena *a, struct str comment, struct str path, uint32_t line,
                     struct directive *out, struct fail *f) MUST_CHECK;

#endif
