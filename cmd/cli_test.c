/*
 * Transcripts: testdata/cli/<name>/cmd is a shell script; stdout, stderr and exit are what it must
 * print and end with, after times, durations, ids, digests and paths are replaced by words.
 *
 *   cmd     run by bash in an empty directory, with the built program first in PATH
 *   files/  copied there before
 *   setup   run before cmd; what it prints is not compared, but it must end with 0
 *   stdin   standard input of cmd
 *
 * $URL is an SQLite database of its own; where cmd or setup speak of $PG_URL, that is an empty
 * PostgreSQL database of its own. MIGRATE_ACCEPT=1 writes down what happened as what must happen: look
 * at the diff. A program ended by a signal is never accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "drivers/testkit/normalise.h"
#include "drivers/testkit/project.h"
#include "planner/postgres/grammar_compat.h"

#define ROOT "testdata/cli"
#define TIMEOUT_MS 60000

static struct pg_cluster *cluster;
static const char *program_directory; /* holds a link "migrate" */
static bool is_accepting;

static int start(void **state)
{
    (void)state;
    program_directory = fixture_directory();
    if (symlink(project_program(), fixture_path(program_directory, "migrate")) != 0)
        fixture_die("could not link the program");
    is_accepting = getenv("MIGRATE_ACCEPT") != NULL;
    return 0;
}

/* Nothing of the tester's own environment may show in a transcript. */
static const char *const cleaned[] = {
    "MIGRATE_URL",
    "DATABASE_URL",
    "MIGRATE_DIRECT_URL",
    "DIRECT_URL",
    "DATABASE_URL_UNPOOLED",
    "POSTGRES_URL_NON_POOLING",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGPASSWORD",
    "PGOPTIONS",
    "PGSERVICE",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILDKITE_BUILD_CREATOR",
    "SUDO_USER",
    "MIGRATE_ACCEPT",
    "MIGRATE_PROGRAM",
};
#define ADDED 6

struct transcript {
    const char *name;
    const char *directory; /* in testdata */
    const char *home;      /* where it runs */
    const char *pg_url;    /* "" where it needs none */
    const char *env[ARRAY_LEN(cleaned) + ADDED + 1];
};

static const char *read_or_null(const char *directory, const char *name)
{
    const char *path = fixture_path(directory, name);
    if (!fs_exists(path))
        return NULL;
    char *text = fixture_read(path);
    const char *kept = fixture_text("%s", text);
    free(text);
    return kept;
}

static bool speaks_of(const struct transcript *t, const char *word)
{
    const char *cmd = read_or_null(t->directory, "cmd");
    const char *setup = read_or_null(t->directory, "setup");
    return (cmd && strstr(cmd, word)) || (setup && strstr(setup, word));
}

static void prepare(struct transcript *t)
{
    t->home = fixture_directory();
    t->pg_url = "";
    if (speaks_of(t, "PG_URL")) {
        static int number;
        if (!cluster)
            cluster = pg_cluster_start(NULL);
        t->pg_url = pg_cluster_database(cluster, fixture_text("cli_%d", ++number));
    }
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(cleaned); i++)
        t->env[count++] = cleaned[i];
    t->env[count++] = "URL=sqlite:app.db";
    t->env[count++] = fixture_text("PG_URL=%s", t->pg_url);
    t->env[count++] = "MIGRATE_ACTOR=ada";
    t->env[count++] = "LC_ALL=C.UTF-8";
    t->env[count++] = fixture_text("HOME=%s", t->home);
    t->env[count++] = fixture_text("PATH=%s:%s", program_directory, getenv("PATH"));
    t->env[count] = NULL;
    const char *const copy[] = {"cp", "-R", fixture_text("%s/files/.", t->directory), t->home,
                                NULL};
    if (fs_is_directory(fixture_path(t->directory, "files"))) {
        struct program_result r = run_argv(copy);
        if (r.exit_code != 0)
            fixture_die("could not copy %s/files: %s", t->directory, r.err);
        program_result_release(&r);
    }
}

static struct program_result run_script(const struct transcript *t, const char *script)
{
    const char *const argv[] = {"bash", "-c", script, NULL};
    return run_program(&(struct program_options){
        .argv = argv,
        .env = t->env,
        .directory = t->home,
        .input = read_or_null(t->directory, "stdin"),
        .timeout_ms = TIMEOUT_MS,
    });
}

static const char *normalised(const struct transcript *t, const char *text)
{
    SCOPED(buf) struct buf b = {0};
    buf_add_cstr(&b, text);
    normalise_text(&b, t->pg_url, "$PG_URL");
    if (cluster) {
        normalise_text(&b, pg_cluster_socket_directory(cluster), "$SOCKET");
        normalise_pattern(&b, "postgres://[^ \"]*/cli_[0-9]+", "$PG_URL");
        normalise_pattern(&b, "\\<cli_[0-9]+\\>", "$PG_DATABASE");
    }
    normalise_text(&b, t->home, "$HOME");
    /* Only what is said of the parser that is linked; what it cannot read, the transcripts hold. */
    normalise_text(&b, "(PostgreSQL " GRAMMAR_VERSION_TEXT " grammar)",
                   "(PostgreSQL GRAMMAR grammar)");
    normalise_common(&b);
    return fixture_text("%s", buf_cstr(&b));
}

static const char *without_blanks(const char *text)
{
    SCOPED(buf) struct buf b = {0};
    buf_add_cstr(&b, text ? text : "");
    normalise_blanks(&b);
    return fixture_text("%s", buf_cstr(&b));
}

/* Widths of cells differ with what was replaced in them: then blanks are no difference. */
static bool are_equal(const char *expected, const char *actual)
{
    static const char *const replaced[] = {"USER", "N ms", "VERSION", "HOST"};
    bool has_replaced = false;
    for (size_t i = 0; i < ARRAY_LEN(replaced); i++)
        has_replaced |= strstr(expected, replaced[i]) != NULL;
    if (has_replaced)
        return strcmp(without_blanks(expected), without_blanks(actual)) == 0;
    return strcmp(expected, actual) == 0;
}

static bool check(const struct transcript *t, const char *what, const char *actual)
{
    const char *expected = read_or_null(t->directory, what);
    if (expected && are_equal(expected, actual))
        return true;
    if (is_accepting) {
        if (actual[0] || strcmp(what, "exit") == 0)
            fixture_write(t->directory, what, actual);
        else
            fixture_remove(fixture_path(t->directory, what));
        return true;
    }
    if (!expected && !actual[0])
        return true;
    print_error("%s: %s is not as written down.\n--- expected\n%s--- actual\n%s---\n", t->name,
                what, expected ? expected : "", actual);
    return false;
}

static void transcript_holds(void **state)
{
    struct transcript t = {.name = *state};
    t.directory = fixture_text("%s/%s", ROOT, t.name);
    const char *setup = read_or_null(t.directory, "setup");
    const char *cmd = read_or_null(t.directory, "cmd");
    if (!cmd)
        fail_msg("%s/cmd is not there", t.directory);
    prepare(&t);
    if (setup) {
        struct program_result r = run_script(&t, setup);
        if (r.exit_code != 0)
            fail_msg("%s: setup ended with %d:\n%s%s", t.name, r.exit_code, r.out, r.err);
        program_result_release(&r);
    }
    struct program_result r = run_script(&t, cmd);
    if (r.signal_number || r.is_timed_out || r.exit_code > 192 ||
        (r.exit_code > 128 && r.exit_code != EXIT_SIGINT && r.exit_code != EXIT_SIGTERM))
        fail_msg("%s: ended by a signal (exit %d, signal %d%s)\n%s%s", t.name, r.exit_code,
                 r.signal_number, r.is_timed_out ? ", timed out" : "", r.out, r.err);
    bool is_fine = check(&t, "stdout", normalised(&t, r.out));
    is_fine &= check(&t, "stderr", normalised(&t, r.err));
    is_fine &= check(&t, "exit", fixture_text("%d\n", r.exit_code));
    program_result_release(&r);
    assert_true(is_fine);
}

int main(void)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries entries = {0};
    if (!fs_list(a, ROOT, &entries, &f))
        fixture_die("%s: run it in the repository's root", f.message);
    struct CMUnitTest *tests = arena_array(a, struct CMUnitTest, entries.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < entries.count; i++) {
        char *name = arena_cstr(a, entries.at[i].name);
        if (entries.at[i].is_directory)
            tests[count++] = (struct CMUnitTest){
                .name = name, .test_func = transcript_holds, .initial_state = name};
    }
    return _cmocka_run_group_tests("cmd/cli", tests, count, start, NULL);
}
