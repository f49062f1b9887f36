/*
 * Every option of every command, in one table: parser, --help, manual page and completion are
 * rendered from it. Values land in struct options; all-zero means "not given".
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "core/base/fail.h"

/* Which commands accept an option. */
enum command_bit {
    ON_INIT = 1 << 0,
    ON_NEW = 1 << 1,
    ON_PLAN = 1 << 2,
    ON_APPLY = 1 << 3,
    ON_STATUS = 1 << 4,
    ON_HISTORY = 1 << 5,
    ON_RESOLVE = 1 << 6,
    ON_HELP = 1 << 7,
    ON_VERSION = 1 << 8,
    ON_COMPLETION = 1 << 9,
    ON_EXPLAIN = 1 << 11,
    ON_SNAPSHOT = 1 << 10,
    ON_DOCTOR = 1 << 12,
    ON_CONTRACT = 1 << 13,
    ON_ROLLBACK = 1 << 14,
    ON_REHEARSE = 1 << 15,
};
#define ON_DATABASE (ON_TARGET | ON_SNAPSHOT)
#define ON_TARGET                                                                                  \
    (ON_PLAN | ON_APPLY | ON_CONTRACT | ON_ROLLBACK | ON_STATUS | ON_HISTORY | ON_RESOLVE |        \
     ON_DOCTOR | ON_REHEARSE)
#define ON_FILES (ON_TARGET | ON_NEW)
/* Write to the target and its history. */
#define ON_RUNS (ON_APPLY | ON_CONTRACT | ON_ROLLBACK | ON_RESOLVE)
#define ON_ALL 0xffffu

struct text_list {
    const char **at;
    size_t count, room;
};

struct options {
    const char *config;
    const char *env_file;
    const char *target;
    const char *url;
    struct text_list dirs;
    const char *layout;
    const char *engine;
    struct text_list placeholders;
    const char *format;
    bool quiet;
    int64_t verbose; /* times given */
    bool no_color;
    bool help;
    /* plan */
    bool offline;
    const char *schema;
    const char *snapshot;
    const char *server_version;
    const char *rewrite;
    const char *write;
    const char *base;
    const char *rev;
    const char *profile;
    bool no_gate;
    /* apply */
    const char *to;
    int64_t steps;
    bool allow_out_of_order;
    int64_t wait_ms;
    bool wait_is_given;
    /* plan, status */
    bool exit_code;
    /* history */
    bool verify;
    bool events;
    bool show_sql;
    const char *version;
    const char *anchor;
    bool print_anchor;
    int64_t limit;
    /* resolve */
    bool applied;
    bool not_applied;
    bool record; /* resolve: the history as a whole */
    const char *reason;
    /* contract */
    bool now;
    /* rollback */
    bool lossy;
    /* snapshot */
    const char *out;
    /* rehearse; its --out as well */
    const char *copy;
    const char *server;
    /* doctor */
    bool clean;
    bool yes;
    /* new */
    bool timestamp;
    /* version, help */
    bool json;

    struct text_list arguments; /* what is no option */
};

enum option_kind {
    OPTION_FLAG,
    OPTION_COUNT, /* a flag that may be repeated */
    OPTION_TEXT,
    OPTION_LIST, /* may be repeated */
    OPTION_NUMBER,
    OPTION_DURATION, /* milliseconds; sets the bool behind it too */
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *argument; /* "FILE"; NULL for flags */
    const char *help;     /* one line */
    size_t offset;        /* in struct options */
    unsigned commands;    /* enum command_bit */
};

const struct option_row *option_rows(size_t *out_count);

/* Index in argv of the command's name: the first word that is neither an option nor the value of one.
   0 where there is none; argv[0] is the program. */
int options_find_command(int argc, char *const *argv);

/* Reads arguments (without program and command name) for the command with this bit. Options may
   stand anywhere; "--" ends them. Long names are written in full. Fails (EXIT_USAGE) with "did you mean". */
bool options_parse(struct arena *a, int argc, char *const *argv, unsigned command,
                   const char *command_name, struct options *out, struct fail *f) MUST_CHECK;

#endif
