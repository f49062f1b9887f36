/*
 * Start-up: hides passwords from /proc, finds the command, runs it in a thread with a stack for deeply
 * nested SQL, prints the failure, exits. Everything else is in the command's own file.
 */
#include "cmd/command.h"
#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "core/base/log.h"
#include "core/model/target_url.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <unistd.h>

/* planner/postgres/parse.h says why; only touched pages count. */
#include "planner/postgres/parse.h"

#ifdef SANITIZES_ADDRESS
/* libgit2 1.5 forgets 64 bytes when a shallow clone has no merge base. */
const char *__lsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier) */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libgit2.so\n";
}
#endif

struct invocation {
    int argc;
    char **argv;
};

/* What a run did is on disk and in the history, whoever reads of it: its exit code stays. Of all other
   commands the output is the result. c: NULL where there was no command. */
static enum exit_code finish_unheard(enum exit_code code, const struct command *c)
{
    bool has_run = c && (c->bit & ON_RUNS);
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (has_run || code != EXIT_DONE) {
        log_line(LOG_WARN, "could not write to standard output%s",
                 !has_run            ? ""
                 : code == EXIT_DONE ? "; the run itself is complete, and in the history: "
                                       "`migrate history`"
                                     : "; what the run did is in the history: `migrate history`");
        return code;
    }
    fail_set(&f, EXIT_FAILED, "could not write to standard output");
    fail_hint(&f, "Is the disk full, or did the reader of the output end?");
    failure_print(&f);
    return f.code;
}

static enum exit_code finish(enum exit_code code, const struct command *c, struct fail *f)
{
    if (fail_is_set(f)) {
        failure_print(f);
        code = f->code;
    }
    return fflush(stdout) != 0 || ferror(stdout) ? finish_unheard(code, c) : code;
}

/* Without a command: help, or what --version asks for; NULL where options stand alone. */
static const char *name_without_command(const struct invocation *call)
{
    for (int i = 1; i < call->argc; i++) {
        if (strcmp(call->argv[i], "--version") == 0 || strcmp(call->argv[i], "-V") == 0)
            return "version";
        if (strcmp(call->argv[i], "--help") == 0 || strcmp(call->argv[i], "-h") == 0)
            return "help";
    }
    return call->argc > 1 ? NULL : "help";
}

/* The command and its own options, which may stand on both sides of its name. */
static const struct command *read_arguments(struct arena *a, const struct invocation *call,
                                            struct options *out, struct fail *f)
{
    int at = options_find_command(call->argc, call->argv);
    const char *name = at ? call->argv[at] : name_without_command(call);
    if (!name) {
        fail_set(f, EXIT_USAGE, "no command was given");
        fail_hint(f, "`migrate help` lists the commands.");
        return NULL;
    }
    const struct command *c = command_find(name, f);
    char **words = arena_array(a, char *, (size_t)call->argc + 1);
    int count = 0;
    for (int i = 1; at && i < call->argc; i++) {
        if (i != at)
            words[count++] = call->argv[i];
    }
    if (!c || !options_parse(a, count, words, c->bit, c->name, out, f))
        return NULL;
    return c;
}

static enum exit_code run(void *context)
{
    const struct invocation *call = context;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    terminal_start(false, false, 0);
    struct options o;
    const struct command *c = read_arguments(a, call, &o, &f);
    if (!c)
        return finish(EXIT_USAGE, c, &f);
    terminal_start(o.no_color, o.quiet, o.verbose);
    if (o.help) {
        help_print_command(c);
        return finish(EXIT_DONE, NULL, &f);
    }
    if (o.arguments.count < c->arguments_min || o.arguments.count > c->arguments_max) {
        bool is_short = o.arguments.count < c->arguments_min;
        fail_set(&f, EXIT_USAGE, "migrate %s %s %s", c->name, is_short ? "needs" : "takes only",
                 c->arguments[0] ? c->arguments : "options");
        fail_hint(&f, "`migrate %s --help` shows how it is used.", c->name);
        return finish(EXIT_USAGE, c, &f);
    }
    return finish(c->run(a, &o, &f), c, &f);
}

/* Works on copies; what /proc/<pid>/cmdline shows has every password overwritten. */
static char **take_arguments(int argc, char **argv)
{
    char **copy = calloc((size_t)argc + 1, sizeof(*copy));
    if (!copy)
        return argv;
    for (int i = 0; i < argc; i++) {
        copy[i] = strdup(argv[i]);
        if (!copy[i])
            return argv;
        target_url_scrub(argv[i]);
        const char *value = strncmp(copy[i], "--", 2) == 0 ? strchr(copy[i], '=') : NULL;
        size_t from = value ? (size_t)(value + 1 - copy[i]) : 0;
        if (strstr(copy[i], "://"))
            failure_hide(copy[i] + from, argv[i] + from);
    }
    return copy;
}

/* A closed standard stream's number must not go to a database or a socket, which would then get our
   output. Opened the wrong way round, it still fails whoever uses it. */
static void keep_standard_numbers(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
            continue;
        int kept = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (kept != fd) {
            fputs("migrate: /dev/null cannot be opened in place of a closed stream\n", stderr);
            exit(EXIT_FAILED);
        }
    }
}

int main(int argc, char **argv)
{
    static struct invocation call;
    keep_standard_numbers();
    call = (struct invocation){.argc = argc, .argv = take_arguments(argc, argv)};
    setlocale(LC_CTYPE, "C.UTF-8");
    /* One heap for all threads, grown in large steps: a second one grows page by page (mprotect). */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 1 << 20);
    signals_run(run, &call, PARSE_STACK_BYTES);
}
