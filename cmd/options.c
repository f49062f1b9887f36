/*
 * The option table and its parser. getopt_long does the splitting; the table is turned into its
 * arrays once per call, so that a command only ever knows its own options.
 */
#include "cmd/options.h"

#include "cmd/command.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "core/model/target_url.h"

#include <getopt.h>

#define AT(field) offsetof(struct options, field)

static const struct option_row rows[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "configuration file (default: migrator.yml here or above)",
     AT(config), ON_FILES | ON_SNAPSHOT},
    {"env-file", 0, OPTION_TEXT, "FILE", "read NAME=value lines into the environment first",
     AT(env_file), ON_FILES | ON_SNAPSHOT},
    {"target", 't', OPTION_TEXT, "NAME", "target in migrator.yml", AT(target), ON_DATABASE},
    {"url", 0, OPTION_TEXT, "URL", "database to use instead of a target", AT(url), ON_DATABASE},
    {"dir", 0, OPTION_LIST, "DIR", "migrations directory; may be repeated", AT(dirs), ON_FILES},
    {"layout", 0, OPTION_TEXT, "NAME",
     "how the directory is laid out: plain, flyway, golang-migrate, dbmate, "
     "goose, prisma, "
     "drizzle, diesel, sqlx (default: detected)",
     AT(layout), ON_FILES},
    {"engine", 0, OPTION_TEXT, "NAME", "postgres or sqlite, where the URL does not tell",
     AT(engine), ON_DATABASE},
    {"placeholder", 0, OPTION_LIST, "NAME=VALUE", "value for ${NAME} (flyway); may be repeated",
     AT(placeholders), ON_TARGET},
    {"offline", 0, OPTION_FLAG, NULL, "analyse files without a database", AT(offline), ON_PLAN},
    {"schema", 0, OPTION_TEXT, "FILE",
     "with --offline: SQL that made the schema which is there before, as "
     "pg_dump -s prints",
     AT(schema), ON_PLAN},
    {"snapshot", 0, OPTION_TEXT, "FILE",
     "with --offline: a profile of the database, as migrate snapshot writes it", AT(snapshot),
     ON_PLAN},
    {"server-version", 0, OPTION_TEXT, "N",
     "with --offline: the version of the server, as 16, 16.2 or 160002; of SQLite, as 3.30",
     AT(server_version), ON_PLAN},
    {"rewrite", 0, OPTION_TEXT, "MODE",
     "auto (default), suggest or off: whether a dangerous statement runs in its online form, "
     "PostgreSQL "
     "only",
     AT(rewrite), ON_PLAN | ON_APPLY | ON_REHEARSE},
    {"write", 0, OPTION_TEXT, "DIR",
     "write the pending migrations that have an online form there, with its steps in place of "
     "their "
     "statements; -: to standard output",
     AT(write), ON_PLAN},
    {"base", 0, OPTION_TEXT, "REF",
     "what HEAD, or --rev, adds to this revision of git, as origin/main; asks no database unless "
     "--url or --target is given",
     AT(base), ON_PLAN},
    {"rev", 0, OPTION_TEXT, "REV",
     "the files of this revision of git, in the same way; where base is configured, what they add "
     "to that (--base -: not)",
     AT(rev), ON_PLAN},
    {"profile", 0, OPTION_TEXT, "NAME",
     "default, or strict: hazards that are off are noted as well", AT(profile), ON_PLAN},
    {"no-gate", 0, OPTION_FLAG, NULL, "exit 0 also where an apply would be refused (else 3)",
     AT(no_gate), ON_PLAN},
    {"to", 0, OPTION_TEXT, "VERSION", "stop behind this version", AT(to),
     ON_APPLY | ON_PLAN | ON_REHEARSE},
    {"steps", 0, OPTION_NUMBER, "N", "run at most N migrations", AT(steps),
     ON_APPLY | ON_PLAN | ON_REHEARSE},
    {"allow-out-of-order", 0, OPTION_FLAG, NULL,
     "run pending migrations that sort before applied ones", AT(allow_out_of_order),
     ON_APPLY | ON_PLAN | ON_REHEARSE},
    {"wait", 0, OPTION_DURATION, "TIME",
     "how long to wait for another run, as 30s or 10m (default 5m; 0: not at "
     "all)",
     AT(wait_ms), ON_RUNS | ON_DOCTOR},
    {"exit-code", 0, OPTION_FLAG, NULL, "exit 10 when something is pending", AT(exit_code),
     ON_PLAN | ON_STATUS},
    {"verify", 0, OPTION_FLAG, NULL, "prove the chain, the rows and the files; exit 4 otherwise",
     AT(verify), ON_HISTORY},
    {"events", 0, OPTION_FLAG, NULL, "every event, not only applied migrations", AT(events),
     ON_HISTORY},
    {"show-sql", 0, OPTION_FLAG, NULL, "with the SQL that was run (implies --events)", AT(show_sql),
     ON_HISTORY},
    {"version", 0, OPTION_TEXT, "VERSION", "only this migration", AT(version), ON_HISTORY},
    {"anchor", 0, OPTION_FLAG, NULL, "print the head digest of the chain, to keep elsewhere",
     AT(print_anchor), ON_HISTORY},
    {"check-anchor", 0, OPTION_TEXT, "DIGEST", "with --verify: this digest must be in the chain",
     AT(anchor), ON_HISTORY},
    {"limit", 'n', OPTION_NUMBER, "N", "only the newest N", AT(limit), ON_HISTORY},
    {"applied", 0, OPTION_FLAG, NULL, "the step did happen", AT(applied), ON_RESOLVE},
    {"not-applied", 0, OPTION_FLAG, NULL, "the step did not happen", AT(not_applied), ON_RESOLVE},
    {"record", 0, OPTION_FLAG, NULL, "take the history as it is, though somebody changed it",
     AT(record), ON_RESOLVE},
    {"now", 0, OPTION_FLAG, NULL, "do not wait for the soak; needs --reason", AT(now), ON_CONTRACT},
    {"lossy", 0, OPTION_FLAG, NULL, "also where what was written meanwhile is lost; needs --reason",
     AT(lossy), ON_ROLLBACK},
    {"reason", 0, OPTION_TEXT, "TEXT", "why, for the history", AT(reason),
     ON_RESOLVE | ON_CONTRACT | ON_ROLLBACK},
    {"out", 0, OPTION_TEXT, "FILE", "write there instead of standard output", AT(out), ON_SNAPSHOT},
    {"copy", 0, OPTION_TEXT, "KIND:SOURCE",
     "what to rehearse on: dump:FILE, template:DATABASE or url:URL (default: rehearsal.copy)",
     AT(copy), ON_REHEARSE},
    {"server", 0, OPTION_TEXT, "URL",
     "where the copy is made (default: rehearsal.server; a dump: a private server)", AT(server),
     ON_REHEARSE},
    {"out", 0, OPTION_TEXT, "FILE", "where the evidence goes (default: none is kept)", AT(out),
     ON_REHEARSE},
    {"clean", 0, OPTION_FLAG, NULL,
     "remove what the history proves to be left behind by a migration (with --yes)", AT(clean),
     ON_DOCTOR},
    {"yes", 0, OPTION_FLAG, NULL, "with --clean: do it", AT(yes), ON_DOCTOR},
    {"timestamp", 0, OPTION_FLAG, NULL, "number it by the time (default: as its neighbours)",
     AT(timestamp), ON_NEW},
    {"format", 0, OPTION_TEXT, "FORMAT",
     "text, json, markdown (a comment), sarif, github (annotations) or gitlab "
     "(code quality)",
     AT(format), ON_PLAN},
    {"format", 0, OPTION_TEXT, "FORMAT", "text or json", AT(format),
     ON_APPLY | ON_CONTRACT | ON_ROLLBACK | ON_STATUS | ON_HISTORY | ON_DOCTOR | ON_REHEARSE},
    {"format", 0, OPTION_TEXT, "FORMAT", "text, json or markdown", AT(format), ON_EXPLAIN},
    {"json", 0, OPTION_FLAG, NULL, "as JSON", AT(json), ON_VERSION},
    {"quiet", 'q', OPTION_FLAG, NULL, "only errors and warnings on stderr", AT(quiet), ON_ALL},
    {"verbose", 'v', OPTION_COUNT, NULL, "say more; twice: every statement sent", AT(verbose),
     ON_ALL},
    {"no-color", 0, OPTION_FLAG, NULL, "no colour (also NO_COLOR=1)", AT(no_color), ON_ALL},
    {"help", 'h', OPTION_FLAG, NULL, "show this help", AT(help), ON_ALL},
};

const struct option_row *option_rows(size_t *out_count)
{
    *out_count = ARRAY_LEN(rows);
    return rows;
}

static bool set_number(const struct option_row *row, const char *text, int64_t *out, struct fail *f)
{
    if (str_to_i64(str_of(text), out) && *out > 0)
        return true;
    fail_set(f, EXIT_USAGE, "--%s takes a whole number above 0, not \"%s\"", row->name, text);
    return fail_hint(f, "For example: --%s 3", row->name);
}

static bool set_duration(const struct option_row *row, const char *text, struct options *o,
                         struct fail *f)
{
    int64_t ms;
    if (clock_parse_duration(str_of(text), &ms)) {
        o->wait_ms = ms;
        o->wait_is_given = true;
        return true;
    }
    fail_set(f, EXIT_USAGE, "--%s takes a time, not \"%s\"", row->name, text);
    return fail_hint(f, "For example: --%s 30s, --%s 10m", row->name, row->name);
}

static bool set_value(struct arena *a, const struct option_row *row, const char *text,
                      struct options *o, struct fail *f)
{
    void *field = (char *)o + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_COUNT:
        ++*(int64_t *)field;
        return true;
    case OPTION_TEXT:
        *(const char **)field = text;
        return true;
    case OPTION_LIST:
        vec_push(a, (struct text_list *)field, text);
        return true;
    case OPTION_NUMBER:
        return set_number(row, text, field, f);
    case OPTION_DURATION:
        return set_duration(row, text, o, f);
    }
    BUG("an option of no kind");
}

/* As it may be shown. */
static const char *without_password(struct arena *a, const char *value)
{
    char *text = arena_cstr(a, str_of(value));
    target_url_scrub(text);
    return text;
}

/* An empty value is mostly a variable that is not set, and of two values only one can be meant: taken as
   "not given" or as the last one, either would reach another database than the caller thinks.
   before: the value that the option has already, or NULL. */
static bool check_value(struct arena *a, const struct option_row *row, const char *before,
                        const char *value, struct fail *f)
{
    if (!row->argument)
        return true;
    if (!value[0]) {
        fail_set(f, EXIT_USAGE, "--%s was given an empty value", row->name);
        return fail_hint(f, "Is a variable not set? Give --%s %s, or leave the option out.",
                         row->name, row->argument);
    }
    if (row->kind == OPTION_LIST || !before || strcmp(before, value) == 0)
        return true;
    fail_set(f, EXIT_USAGE, "--%s was given twice, as \"%s\" and as \"%s\"", row->name,
             without_password(a, before), without_password(a, value));
    return fail_hint(f, "It takes one value: leave out the other.");
}

/* The option that looks most like the word, among those of the command; NULL: none does. */
static const char *nearest(struct str word, unsigned command)
{
    const char *best = NULL;
    size_t best_distance = word.len / 3 + 2;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t distance = text_edit_distance(word, str_of(rows[i].name));
        if ((rows[i].commands & command) && distance < best_distance) {
            best_distance = distance;
            best = rows[i].name;
        }
    }
    return best;
}

/* An option of other commands: says of which. */
static bool hint_other_commands(struct str name, struct fail *f)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!str_equal(name, str_of(rows[i].name)))
            continue;
        SCOPED(buf) struct buf names = {0};
        size_t count;
        const struct command *commands = command_rows(&count);
        for (size_t c = 0; c < count; c++) {
            if (commands[c].bit & rows[i].commands)
                buf_printf(&names, "%s%s", names.len ? ", " : "", commands[c].name);
        }
        fail_hint(f, "--%s is an option of: %s.", rows[i].name, buf_cstr(&names));
        return true;
    }
    return false;
}

static bool refuse(const char *word, unsigned command, const char *command_name, struct fail *f)
{
    struct str name;
    struct str rest = str_of(word);
    while (str_starts(rest, STR("-")))
        rest = str_skip(rest, 1);
    (void)str_cut(rest, '=', &name);
    fail_set(f, EXIT_USAGE, "migrate %s has no option \"%.*s\"", command_name,
             (int)(name.len + (size_t)(rest.at - word)), word);
    if (hint_other_commands(name, f))
        return false;
    const char *close = nearest(name, command);
    if (close)
        return fail_hint(f, "Did you mean --%s?", close);
    return fail_hint(f, "`migrate %s --help` lists its options.", command_name);
}

struct getopt_tables {
    struct option longs[ARRAY_LEN(rows) + 1];
    char shorts[2 * ARRAY_LEN(rows) + 3];
};

static void make_tables(unsigned command, struct getopt_tables *out)
{
    size_t longs = 0;
    size_t shorts = 0;
    out->shorts[shorts++] = ':'; /* a missing argument is told apart from an unknown option */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!(rows[i].commands & command))
            continue;
        out->longs[longs++] = (struct option){
            .name = rows[i].name,
            .has_arg = rows[i].argument ? required_argument : no_argument,
            .val = 256 + (int)i,
        };
        if (rows[i].letter) {
            out->shorts[shorts++] = rows[i].letter;
            if (rows[i].argument)
                out->shorts[shorts++] = ':';
        }
    }
    out->longs[longs] = (struct option){0};
    out->shorts[shorts] = '\0';
}

static const struct option_row *row_of(int value, unsigned command)
{
    if (value >= 256)
        return &rows[value - 256];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].letter == value && (rows[i].commands & command))
            return &rows[i];
    }
    return NULL;
}

/* Whether the value of an option is the next word. *out_name: the long name as written, "" for short
   ones. command: whose options count. */
static bool takes_next_word(const char *word, unsigned command, struct str *out_name)
{
    struct str text = str_of(word);
    *out_name = (struct str){0};
    if (str_starts(text, STR("--"))) {
        (void)str_cut(str_skip(text, 2), '=', out_name);
        bool has_value = out_name->len + 2 < text.len;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            if ((rows[i].commands & command) && str_equal(*out_name, str_of(rows[i].name)))
                return rows[i].argument && !has_value;
        }
        return false;
    }
    for (size_t at = 1; at < text.len; at++) {
        const struct option_row *row = row_of((unsigned char)text.at[at], command);
        if (row && row->argument)
            return at + 1 == text.len;
    }
    return false;
}

int options_find_command(int argc, char *const *argv)
{
    struct str name;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return i;
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? i + 1 : 0;
        i += takes_next_word(argv[i], ON_ALL, &name);
    }
    return 0;
}

static bool has_long_option(struct str name, unsigned command)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if ((rows[i].commands & command) && str_equal(name, str_of(rows[i].name)))
            return true;
    }
    return false;
}

/* getopt would take any unique beginning of a name: a script that relies on one breaks with the next
   option. */
static bool check_long_names(int argc, char *const *argv, unsigned command,
                             const char *command_name, struct fail *f)
{
    for (int i = 0; i < argc; i++) {
        struct str name;
        if (argv[i][0] != '-')
            continue;
        if (strcmp(argv[i], "--") == 0)
            return true;
        bool skips = takes_next_word(argv[i], command, &name);
        if (argv[i][1] == '-' && !has_long_option(name, command))
            return refuse(argv[i], command, command_name, f);
        i += skips;
    }
    return true;
}

bool options_parse(struct arena *a, int argc, char *const *argv, unsigned command,
                   const char *command_name, struct options *out, struct fail *f)
{
    struct getopt_tables tables;
    if (!check_long_names(argc, argv, command, command_name, f))
        return false;
    make_tables(command, &tables);
    /* getopt wants argv[0] to be the program, permutes, and prints nothing. */
    char **copy = arena_array(a, char *, (size_t)argc + 2);
    copy[0] = arena_cstr(a, STR("migrate"));
    for (int i = 0; i < argc; i++)
        copy[i + 1] = argv[i];
    *out = (struct options){0};
    opterr = 0;
    optind = 0;
    int value;
    const char *given[ARRAY_LEN(rows)] = {0};
    while ((value = getopt_long(argc + 1, copy, tables.shorts, tables.longs, NULL)) != -1) {
        const char *word = copy[optind - 1];
        if (value == ':') {
            fail_set(f, EXIT_USAGE, "option %s needs a value", word);
            return fail_hint(f, "`migrate %s --help` shows what it takes.", command_name);
        }
        const struct option_row *row = value == '?' ? NULL : row_of(value, command);
        if (!row)
            return refuse(word, command, command_name, f);
        if (!check_value(a, row, given[row - rows], optarg, f) ||
            !set_value(a, row, optarg, out, f))
            return false;
        given[row - rows] = optarg;
    }
    for (int i = optind; i < argc + 1; i++)
        vec_push(a, &out->arguments, copy[i]);
    return true;
}
