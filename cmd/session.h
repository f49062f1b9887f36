/*
 * From options and configuration to the things a command works on: configuration, migrations, a
 * connection, the history, a plan. The only place where planner, drivers and core/run are wired
 * together. Decides nothing about what is run.
 */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/options.h"
#include "core/model/config.h"
#include "core/model/driver.h"
#include "core/model/plan.h"
#include "core/model/target_url.h"
#include "core/run/journal.h"
#include "core/run/reconcile.h"
#include "core/run/verify.h"

struct session {
    struct arena *arena;
    struct arena *files_arena; /* of the migrations, when session_open() read them */
    const struct options *options;
    struct config config;
    struct str history_name; /* schema or prefix; "" : the default */
    struct str target_name;  /* "" : given by URL */
    struct target_url url;
    struct str url_text; /* as given, with its password: never printed */
    bool url_is_from_environment;
    bool is_absent; /* SQLite: there is no such file, see session_connect_or_empty() */
    struct migrations migrations;
    struct git_branch *branch; /* of --base or --rev, whose files they are; or NULL */
    struct branch *added;      /* what it does, where there is a base */
    const struct driver *driver;
    struct connection *connection;
    struct server_identity server;
    struct history history;
    struct str proved_head; /* of the history that session_check_record() found whole; "" : none */
    bool is_first_run;  /* the database is empty, or a run that found it so is to be continued */
    bool is_as_written; /* no statement gets an online form, whatever the options say */
    const char *run;    /* id of this run */
    struct {
        struct placeholder *at;
        size_t count, room;
    } placeholders;
    bool has_builtin_placeholders; /* Flyway's are among them */
    /* The statements of --schema and their lines. */
    struct {
        struct str *at;
        size_t count, room;
    } schema_texts;
    struct {
        uint32_t *at;
        size_t count, room;
    } schema_lines;
};

/* Reads configuration and finds out the target; connects to nothing. */
bool session_start(struct arena *a, const struct options *o, struct session *s, struct fail *f)
    MUST_CHECK;
/* The same for commands that work on files only: no target is needed. */
bool session_start_files(struct arena *a, const struct options *o, struct session *s,
                         struct fail *f) MUST_CHECK;
/* The directory that new files go to: the first one. */
bool session_first_directory(struct session *s, struct str *out, struct fail *f) MUST_CHECK;
/* A value of the configuration that is expanded where it is used; what: its key. */
bool session_late_value(struct session *s, const struct config_late *value, const char *what,
                        struct str *out, struct fail *f) MUST_CHECK;
/* Reads the migration directories. */
bool session_read_migrations(struct session *s, struct fail *f) MUST_CHECK;
/* Where they are, as the options and the configuration say. */
struct source_request;
bool session_find_source(struct session *s, struct arena *a, struct source_request *out,
                         struct fail *f) MUST_CHECK;
/* Their placeholders, behind those of the configuration. */
void session_take_placeholders(struct session *s);
/* Makes url of url_text, and finds the driver for it. */
bool session_parse_url(struct session *s, struct fail *f) MUST_CHECK;
/* Opens the connection. */
bool session_connect(struct session *s, bool is_read_only, struct fail *f) MUST_CHECK;
/* Reads the history (again), and who the server is. */
bool session_read_history(struct session *s, struct fail *f) MUST_CHECK;
/* Migrations, connection and history, the first in a thread of its own: reading a thousand files takes
   as long as connecting, and neither needs the other. */
bool session_open(struct session *s, bool is_read_only, struct fail *f) MUST_CHECK;
/* The same for a run: *out_is_settled says that there is nothing to do; the history then holds only what
   tells that, and is whole otherwise. */
bool session_open_for_run(struct session *s, bool *out_is_settled, struct fail *f) MUST_CHECK;
/* Both, for commands that only look ahead: an SQLite file that is not there yet is an empty database,
   and no connection is opened. */
bool session_connect_or_empty(struct session *s, struct fail *f) MUST_CHECK;
/* Behind a transaction pooler: tries the direct URL of the environment, else refuses. */
bool session_require_direct(struct session *s, struct fail *f) MUST_CHECK;
bool session_reconcile(struct session *s, struct reconciliation *out, struct fail *f) MUST_CHECK;
void session_close(struct session *s);

/* A digest_reader; context is the session. */
bool session_read_digests(void *context, const struct migration *m, struct checksums *out,
                          struct fail *f);

/* The pending ones that this call may run (--to, --steps), in order. rows: their incomplete rows. */
struct selection {
    const struct migration **migrations;
    const struct history_row **rows;
    size_t count;
    const struct migration **before; /* what is there before is made by these; not run */
    size_t before_count;
    struct {
        struct file_finding *at;
        size_t count, room;
    } files;                 /* findings about files beside those that are merged */
    bool has_compared_files; /* they were looked for */
    const struct reconciled
        *opaque; /* written as code: what is behind it is not selected; or NULL */
};
/* Proves that the history is whole before anything is built on it: a row that was removed would let
   its migration run a second time. Costs nothing where this history was proved before. Fails:
   EXIT_INTEGRITY. */
bool session_check_record(struct session *s, struct fail *f) MUST_CHECK;
bool session_select(struct session *s, const struct reconciliation *r, struct selection *out,
                    struct fail *f) MUST_CHECK;
/* Fails (EXIT_INTEGRITY) where a migration written as code stands in the way. */
bool session_refuse_opaque(const struct selection *selection, struct fail *f) MUST_CHECK;
/* All that stands between a history that was read and a plan: the record is whole, files and history agree,
   and what is pending may run. */
bool session_select_pending(struct session *s, struct reconciliation *out,
                            struct selection *selection, struct fail *f) MUST_CHECK;
/* wants_statements: keep every statement for printing. */
bool session_plan(struct session *s, const struct selection *selection, bool wants_statements,
                  struct plan *out, struct fail *f) MUST_CHECK;
/* unfinished.c: what is left of a migration that was cut off, with the command that continues: as a
   sentence ("" where it was not, or its file cannot be planned any more), and as the member "left" of a
   JSON object. */
const char *session_left_sentence(struct session *s, const struct reconciled *one);
void session_set_left(struct session *s, const struct reconciled *one, struct json *j);
/* "migrate apply" with the options of this call that say where, without passwords. */
const char *session_apply_command(const struct session *s);
/* "migrate contract 0042" in the same way. */
const char *session_command(const struct session *s, const char *verb, struct str argument);
/* Fails (EXIT_USAGE, with the place) on a hazard or profile that there is not. */
struct hazard_policy;
bool session_policy(struct session *s, struct hazard_policy *out, struct fail *f) MUST_CHECK;
/* session_online.c: --rewrite, else `rewrite:`. Fails (EXIT_USAGE) on a mode that there is not. */
bool session_rewrite_mode(const struct session *s, enum rewrite_mode *out, struct fail *f)
    MUST_CHECK;
/* Whether the database has tables besides those of the history; NULL: it is not known, so it has. */
bool session_has_tables(const struct session *s, const struct catalog *catalog);
/* For each migration that is begun, the online forms it was begun with; NULL for the others. */
bool session_read_begun(struct session *s, const struct selection *selection,
                        const struct online_begun ***out, struct fail *f) MUST_CHECK;
/* The migrations that are expanded and wait for their contract. */
bool session_read_open(struct session *s, struct online_open **out, size_t *out_count,
                       struct fail *f) MUST_CHECK;
/* How scripts are read for this target. */
struct script_context session_script_context(struct session *s, bool wants_analysis);
/* Who runs this: actor, host, git commit. */
struct run_identity session_identity(struct session *s);
/* session_offline.c: options that only plan has. Fails (EXIT_USAGE) on values and combinations. */
bool session_check_offline(const struct options *o, struct fail *f) MUST_CHECK;
/* The URL that tells the engine, where one can be had: url_text, else "". Says on stderr what told it. */
void session_find_offline_url(struct session *s, const struct config_target *target,
                              config_lookup *lookup);
/* --server-version into server.version_number. */
void session_take_server_version(struct session *s);
/* SQLite: --schema into schema_texts: cut into statements, without data. Fails with the place of what
   cannot be cut. */
bool session_read_schema(struct session *s, struct fail *f) MUST_CHECK;
/* What the planner begins with: the target's catalog, or that of --snapshot; NULL: neither is there.
   What could not be read is told on stderr. */
bool session_read_catalog(struct session *s, struct catalog **out, struct fail *f) MUST_CHECK;
void session_warn_of_schema(const struct session *s, const struct schema_left_out *one);

/* Notes about files that were left aside and a database that is not there yet, on stderr. */
void session_print_notes(const struct session *s);

/* How long apply and resolve wait for another run, where --wait does not say. */
#define SESSION_WAIT_MS 300000

enum output_format { FORMAT_TEXT, FORMAT_JSON };
bool session_format(const struct options *o, enum output_format *out, struct fail *f) MUST_CHECK;

#endif
