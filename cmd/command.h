/*
 * A command: its name as the user types it, its help, and one function. To add one: a row in
 * commands.c, a bit in options.h, a file of its name, a section in docs/commands.md (rendered by
 * `make docs`; .ci/check-docs fails without it) and a transcript in testdata/cli/.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cmd/options.h"

struct command {
    const char *name;
    const char *const *aliases; /* NULL-terminated, or NULL */
    unsigned bit;               /* enum command_bit */
    const char *arguments;      /* "[FILE…]" or "" */
    const char *summary;        /* one line, for the list */
    const char *text;           /* what it does, for its help */
    const char *examples;       /* lines, for its help */
    size_t arguments_min, arguments_max;
    /* Returns the exit code; a failure that is set decides it. */
    enum exit_code (*run)(struct arena *a, const struct options *o, struct fail *f);
};

const struct command *command_rows(size_t *out_count);
/* By name or alias; NULL and a failure with "did you mean". */
const struct command *command_find(const char *name, struct fail *f) MUST_CHECK;

enum exit_code cmd_init(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_new(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_plan(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_apply(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_rehearse(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_contract(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_rollback(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_status(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_history(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_resolve(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_snapshot(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_doctor(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_explain(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_help(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_version(struct arena *a, const struct options *o, struct fail *f);
enum exit_code cmd_completion(struct arena *a, const struct options *o, struct fail *f);

/* help.c: the texts rendered from the tables. */
void help_print_command(const struct command *c);
void help_print_overview(void);

/* version.c */
const char *migrate_version(void); /* "0.1.0" */

#endif
