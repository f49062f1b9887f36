/*
 * migrator.yml: one table of keys, each with type, default and comment; read with the place of
 * every value, unknown keys and wrong types refused. `migrator.yml.example` is rendered from the
 * same table. ${VAR} and ${file:/path} expand in values, $$ is a dollar sign. An expanded value is
 * never repeated in a failure. The URL of a target is expanded only when the target is used: a
 * variable which is not set for one target is no failure for the others.
 */
#ifndef CORE_MODEL_CONFIG_H
#define CORE_MODEL_CONFIG_H

#include "core/base/buf.h"
#include "core/base/fail.h"
#include "core/model/hazard.h"
#include "core/model/layout.h"
#include "core/model/migration.h"
#include "core/model/online.h"
#include "core/model/rehearsal.h"

/* A value that is expanded only where it is used: a variable need not be set for all other commands. */
struct config_late {
    struct str text;       /* as written; "" where not given. Only for config_late_value(). */
    uint32_t line, column; /* where it is written, for failures */
    struct str excerpt;    /* the line up to there */
};

struct config_target {
    struct str name;
    struct config_late url; /* for config_target_url() */
    struct str history;     /* schema or prefix; "" : migrator */
};

/* policy.hazards: which hazards there are the planner knows; who uses them checks the id. */
struct config_hazard {
    struct str id;
    enum hazard_level level;
    uint32_t line, column; /* of the id, for failures */
    struct str excerpt;
};

struct config {
    struct str path; /* "" : no file */
    struct {
        struct str *at;
        size_t count, room;
    } migrations; /* directories, relative ones against the file's own directory */
    enum layout layout;
    enum rewrite_mode rewrite;
    struct str base; /* git revision that a branch is compared with; "" : none */
    struct {
        struct placeholder *at;
        size_t count, room;
    } placeholders;
    struct {
        struct config_target *at;
        size_t count, room;
    } targets;
    struct {
        struct config_hazard *at;
        size_t count, room;
    } hazards;
    struct str default_target;           /* `target:`; "" : the only one, else an error */
    int64_t lock_timeout_ms;             /* locks.timeout, default 400ms */
    int64_t lock_attempts;               /* locks.attempts, default 12 */
    int64_t lock_budget_ms;              /* locks.budget, default 10m */
    int64_t concurrently_wait_ms;        /* locks.concurrently_wait, default 15m */
    int64_t batch_target_ms;             /* backfill.target_batch, default 100ms */
    int64_t replica_lag_ms;              /* backfill.max_replica_lag, default 5s; 0: off */
    int64_t batch_wait_ms;               /* backfill.pause_on_lock_wait, default 500ms */
    int64_t contract_after_ms;           /* policy.contract_after, default 24h; 0: no soak */
    int64_t max_blocked_ms;              /* policy.max_blocked, default 500ms */
    int64_t max_strong_lock_ms;          /* policy.max_strong_lock, default 300ms */
    int64_t max_duration_ms;             /* policy.max_duration, default 2h */
    struct config_late evidence_key;     /* policy.evidence_key */
    struct str copy_dump;                /* rehearsal.copy.dump: path; "" : not given */
    struct str copy_template;            /* rehearsal.copy.template: name of a database */
    struct config_late copy_url;         /* rehearsal.copy.url */
    struct config_late rehearsal_server; /* rehearsal.server: URL */
};

/* How ${VAR} is looked up: the environment, or a test's table. Returns NULL where it is not set. */
typedef const char *config_lookup(void *context, const char *name);

struct config config_default(void);
/* Reads the text of a file. path is for messages and relative directories. */
bool config_parse(struct arena *a, struct str text, struct str path, config_lookup *lookup,
                  void *context, struct config *out, struct fail *f) MUST_CHECK;
/* The URL of a target, expanded; "" where none is given. Fails (EXIT_USAGE, with the place) where a
   variable is not set, a file cannot be read, or nothing is left of what was written. */
bool config_target_url(struct arena *a, const struct config *c, const struct config_target *target,
                       config_lookup *lookup, void *context, struct str *out, struct fail *f)
    MUST_CHECK;
/* The same for another such value; what: "policy.evidence_key", for the failure. */
bool config_late_value(struct arena *a, const struct config *c, const struct config_late *value,
                       const char *what, config_lookup *lookup, void *context, struct str *out,
                       struct fail *f) MUST_CHECK;
/* The commented example: every key with its default. */
void config_print_example(struct buf *out);

#endif
