/* Runs the program as a user would: see project.h. SQLite is asked through its own command line. */
#include "drivers/testkit/project.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/buf.h"

#define MAX_ARGUMENTS 64
#define RUN_TIMEOUT_MS 240000
/* What the sqlite3 program counts in a second, roughly; the statement is always interrupted or short. */
#define ROWS_PER_SECOND 8e6
/* Processor time by which a SQLite program is in its slow statement: more than everything else takes that
   the program does, with sanitizers, too. */
#define SLOW_WORK_MS 400

/* MIGRATE_TEST='*sqlite*' runs only tests whose name matches. */
__attribute__((constructor)) static void read_filter(void)
{
    const char *pattern = getenv("MIGRATE_TEST");

    if (pattern && *pattern)
        cmocka_set_test_filter(pattern);
}

const char *project_program(void)
{
    static const char *program;
    char path[PATH_MAX];

    if (program)
        return program;
    const char *wanted = getenv("MIGRATE_PROGRAM");
    if (!wanted || !*wanted)
        wanted = "build/debug/migrate";
    if (!realpath(wanted, path))
        fixture_die("there is no program %s: build it, or set MIGRATE_PROGRAM", wanted);
    program = fixture_text("%s", path);
    return program;
}

struct project *project_make(struct pg_cluster *cluster)
{
    static int number;
    struct project *p = calloc(1, sizeof(*p));

    if (!p)
        fixture_die("out of memory");
    p->cluster = cluster;
    p->home = fixture_directory();
    p->dir = "migrations";
    fixture_write(p->home, "migrations/.keep", "");
    if (cluster) {
        p->engine = ENGINE_POSTGRES;
        p->database = fixture_text("test_%d", ++number);
        p->url = pg_cluster_database(cluster, p->database);
    } else {
        p->engine = ENGINE_SQLITE;
        p->database = fixture_path(p->home, "test.db");
        p->url = fixture_text("sqlite:%s", p->database);
    }
    /* Kept reachable: one per test, as long as the program lives. */
    static struct project *all[1024];
    static size_t count;
    all[count++ % ARRAY_LEN(all)] = p;
    return p;
}

char project_on_sqlite;

struct project *project_for(void **state, struct pg_cluster *cluster)
{
    return project_make(*state == &project_on_sqlite ? NULL : cluster);
}

void project_write(const struct project *p, const char *name, const char *text)
{
    fixture_write(p->home, fixture_text("migrations/%s", name), text);
}

void project_remove(const struct project *p, const char *name)
{
    fixture_remove(fixture_path(p->home, fixture_text("migrations/%s", name)));
}

FILE *project_open(const struct project *p, const char *name)
{
    project_write(p, name, "");
    FILE *file = fopen(fixture_path(p->home, fixture_text("migrations/%s", name)), "wbe");

    if (!file)
        fixture_die("cannot write %s", name);
    return file;
}

/* ------------------------------------------------------------------------------- the program */

struct arguments {
    const char *at[MAX_ARGUMENTS + 1];
    size_t count;
};

static void add_argument(struct arguments *a, const char *text)
{
    if (a->count == MAX_ARGUMENTS)
        fixture_die("too many arguments");
    a->at[a->count++] = text;
    a->at[a->count] = NULL;
}

static void add_arguments(struct arguments *a, va_list values)
{
    for (const char *text; (text = va_arg(values, const char *));)
        add_argument(a, text);
}

/* Nothing of the tester's own environment may decide where the program connects to. */
static const char *const clean_env[] = {
    "MIGRATE_URL",
    "DATABASE_URL",
    "MIGRATE_DIRECT_URL",
    "DIRECT_URL",
    "DATABASE_URL_UNPOOLED",
    "POSTGRES_URL_NON_POOLING",
    "MIGRATE_ACTOR",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGPASSWORD",
    "PGOPTIONS",
    "PGSERVICE",
    "NO_COLOR",
    "CLICOLOR_FORCE",
};

static struct program *start(const struct project *p, const struct arguments *arguments)
{
    struct arguments env = {0};

    for (size_t i = 0; i < ARRAY_LEN(clean_env); i++)
        add_argument(&env, clean_env[i]);
    for (const char *const *more = p->env; more && *more; more++)
        add_argument(&env, *more);
    return program_start(&(struct program_options){
        .argv = arguments->at, .env = env.at, .directory = p->home, .timeout_ms = RUN_TIMEOUT_MS});
}

static const char *describe(const struct arguments *arguments)
{
    SCOPED(buf) struct buf text = {0};

    for (size_t i = 0; i < arguments->count; i++) {
        buf_add_cstr(&text, i ? " " : "");
        buf_add_cstr(&text, i ? arguments->at[i] : "migrate");
    }
    return fixture_text("%s", buf_cstr(&text));
}

static struct ran finish(struct program *program, const char *command)
{
    struct program_result r = program_finish(program);
    struct ran ran = {
        .command = command,
        .exit_code = r.exit_code,
        .signal_number = r.signal_number,
        .is_timed_out = r.is_timed_out,
        .out = fixture_text("%s", r.out),
        .err = fixture_text("%s", r.err),
        .duration_us = r.duration_us,
        .max_rss_bytes = r.max_rss_bytes,
    };

    program_result_release(&r);
    return ran;
}

static struct arguments target_arguments(const struct project *p, const char *command)
{
    struct arguments arguments = {0};

    add_argument(&arguments, project_program());
    add_argument(&arguments, command);
    if (p->url) {
        add_argument(&arguments, "--url");
        add_argument(&arguments, p->url);
    }
    add_argument(&arguments, "--dir");
    add_argument(&arguments, p->dir);
    return arguments;
}

struct ran project_run(const struct project *p, const char *command, ...)
{
    struct arguments arguments = target_arguments(p, command);
    va_list values;

    va_start(values, command);
    add_arguments(&arguments, values);
    va_end(values);
    return finish(start(p, &arguments), describe(&arguments));
}

struct ran project_call(const struct project *p, const char *first, ...)
{
    struct arguments arguments = {0};
    va_list values;

    add_argument(&arguments, project_program());
    add_argument(&arguments, first);
    va_start(values, first);
    add_arguments(&arguments, values);
    va_end(values);
    return finish(start(p, &arguments), describe(&arguments));
}

struct program *project_start(const struct project *p, const char *command, ...)
{
    struct arguments arguments = target_arguments(p, command);
    va_list values;

    va_start(values, command);
    add_arguments(&arguments, values);
    va_end(values);
    return start(p, &arguments);
}

struct ran project_finish(struct program *program)
{
    return finish(program, "the program that was started");
}

/* ------------------------------------------------------------------------------- the database */

static const char *sqlite_call(const char *file, const char *sql)
{
    const char *const argv[] = {"sqlite3", "-batch",         "-bail", "-init", "/dev/null",
                                "-cmd",    ".timeout 20000", file,    sql,     NULL};
    struct program_result r = run_argv(argv);
    const char *answer;

    if (r.exit_code == 127)
        fixture_die("these tests need the sqlite3 program: install the package sqlite3");
    while (r.out_len > 0 && r.out[r.out_len - 1] == '\n')
        r.out[--r.out_len] = '\0';
    answer = r.exit_code == 0 ? fixture_text("%s", r.out) : fixture_text("ERROR: %s", r.err);
    program_result_release(&r);
    return answer;
}

const char *project_query(const struct project *p, const char *sql)
{
    if (p->engine == ENGINE_POSTGRES)
        return pg_cluster_query(p->cluster, p->database, sql);
    return sqlite_call(p->database, sql);
}

void project_execute(const struct project *p, const char *sql)
{
    const char *answer = project_query(p, sql);

    if (strncmp(answer, "ERROR: ", 7) == 0)
        fixture_die("%s\nin %s: %s", answer, p->database, sql);
}

/* pg_dump guards its output with a random word in these two lines. */
static const char *without_restrict(const char *text)
{
    SCOPED(buf) struct buf kept = {0};
    struct str rest = str_of(text);
    struct str line;

    while (rest.len) {
        rest = str_cut_line(rest, &line);
        if (str_starts(line, STR("\\restrict")) || str_starts(line, STR("\\unrestrict")))
            continue;
        buf_add_str(&kept, line);
        buf_add_char(&kept, '\n');
    }
    return fixture_text("%s", buf_cstr(&kept));
}

static const char *postgres_dump(const struct project *p, bool with_data)
{
    const char *const argv[] = {fixture_path(pg_cluster_bin(), "pg_dump"),
                                "--exclude-schema",
                                "migrator",
                                "-d",
                                pg_cluster_url(p->cluster, p->database, NULL),
                                with_data ? NULL : "--schema-only",
                                NULL};
    struct program_result r = run_argv(argv);

    if (r.exit_code != 0)
        fixture_die("pg_dump: %s", r.err);
    const char *text = without_restrict(r.out);
    program_result_release(&r);
    return text;
}

static const char *sqlite_dump(const struct project *p, bool with_data)
{
    const char *copy = fixture_path(p->home, "dump.db");

    fixture_remove(copy);
    const char *text = sqlite_call(p->database, fixture_text(".backup '%s'", copy));
    if (strncmp(text, "ERROR: ", 7) == 0)
        fixture_die("%s", text);
    (void)sqlite_call(copy, "DROP TABLE IF EXISTS migrator_history;"
                            "DROP TABLE IF EXISTS migrator_event;"
                            "DROP TABLE IF EXISTS migrator_backfill;"
                            "DROP TABLE IF EXISTS migrator_lock");
    text = sqlite_call(copy, with_data ? ".dump" : ".schema");
    fixture_remove(copy);
    return text;
}

const char *project_dump(const struct project *p)
{
    return p->engine == ENGINE_POSTGRES ? postgres_dump(p, true) : sqlite_dump(p, true);
}

const char *project_schema(const struct project *p)
{
    return p->engine == ENGINE_POSTGRES ? postgres_dump(p, false) : sqlite_dump(p, false);
}

const char *project_table(const struct project *p, const char *name)
{
    return fixture_text("migrator%c%s", p->engine == ENGINE_POSTGRES ? '.' : '_', name);
}

/* --------------------------------------------------------------------- slow statements, blockers */

void project_make_slow(const struct project *p, double seconds)
{
    project_execute(p, "CREATE TABLE IF NOT EXISTS speed (n double precision)");
    project_execute(p, "DELETE FROM speed");
    project_execute(
        p, fixture_text("INSERT INTO speed VALUES (%f)",
                        p->engine == ENGINE_POSTGRES ? seconds : seconds * ROWS_PER_SECOND));
}

const char *project_slow_sql(const struct project *p)
{
    if (p->engine == ENGINE_POSTGRES)
        return "SELECT pg_sleep(n) FROM speed;\n";
    return "CREATE TABLE counted AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM "
           "c\n"
           "  WHERE x < (SELECT n FROM speed)) SELECT count(*) AS n FROM c;\n";
}

void project_wait_until_slow(const struct project *p, const struct program *program,
                             const char *text)
{
    if (p->engine == ENGINE_SQLITE) {
        /* Nothing but the statement takes that long, and nothing else shows that it is under way. */
        if (!program_wait_for_work(program, SLOW_WORK_MS))
            fixture_die("the slow statement never came");
        return;
    }
    const char *sql = fixture_text(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '%s' AND state = 'active' AND "
        "application_name LIKE 'migrate%%' AND query LIKE '%%%s%%' AND (wait_event = 'PgSleep' OR "
        "wait_event_type = 'Lock')",
        p->database, text ? text : "pg_sleep(n)");
    if (!pg_cluster_wait_for(p->cluster, "postgres", sql, "t"))
        fixture_die("the statement (%s) never came", text ? text : "pg_sleep(n)");
}

void project_hold_when_slow(const struct project *p, const struct program *program)
{
    project_wait_until_slow(p, program, NULL);
    program_signal(program, SIGSTOP);
}

struct blocker {
    const struct project *project;
    const char *name;
    struct program *program;
};

struct blocker *blocker_start(const struct project *p, const char *sql)
{
    static int number;
    struct blocker *b = calloc(1, sizeof(*b));

    if (!b)
        fixture_die("out of memory");
    b->project = p;
    b->name = fixture_text("blocker_%d", ++number);
    const char *const argv[] = {fixture_path(pg_cluster_bin(), "psql"),
                                "-Xq",
                                "-v",
                                "ON_ERROR_STOP=1",
                                "-c",
                                fixture_text("BEGIN; %s; SELECT pg_sleep(600)", sql),
                                pg_cluster_url(p->cluster, p->database, NULL),
                                NULL};
    const char *const env[] = {fixture_text("PGAPPNAME=%s", b->name), NULL};
    b->program =
        program_start(&(struct program_options){.argv = argv, .env = env, .timeout_ms = INT32_MAX});
    if (!pg_cluster_wait_for(p->cluster, "postgres",
                             fixture_text("SELECT wait_event FROM pg_stat_activity WHERE "
                                          "application_name = '%s'",
                                          b->name),
                             "PgSleep"))
        fixture_die("the blocker did not get its locks: %s", sql);
    return b;
}

void blocker_stop(struct blocker *b)
{
    pg_cluster_execute(b->project->cluster, "postgres",
                       fixture_text("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                                    "WHERE application_name = '%s'",
                                    b->name));
    struct program_result r = program_finish(b->program);
    program_result_release(&r);
    free(b);
}

/* --------------------------------------------------------------------------------- assertions */

static void show(const struct ran *r)
{
    print_error("$ %s\nexit %d, signal %d%s, %lld ms\n--- stdout\n%s--- stderr\n%s---\n",
                r->command, r->exit_code, r->signal_number, r->is_timed_out ? " (timed out)" : "",
                (long long)(r->duration_us / 1000), r->out, r->err);
}

void assert_exit_at(const struct ran *r, int exit_code, const char *file, int line)
{
    if (r->exit_code == exit_code)
        return;
    show(r);
    print_error("exit code %d was expected\n", exit_code);
    _fail(file, line);
}

void assert_text_at(const struct ran *r, const char *which, const char *text, const char *wanted,
                    bool is_there, const char *file, int line)
{
    if ((strstr(text, wanted) != NULL) == is_there)
        return;
    show(r);
    print_error("%s should %shold: %s\n", which, is_there ? "" : "not ", wanted);
    _fail(file, line);
}

void assert_answer_at(const struct project *p, const char *sql, const char *expected,
                      const char *file, int line)
{
    const char *answer = project_query(p, sql);

    if (strcmp(answer, expected) == 0)
        return;
    print_error("%s\ngave:     %s\nexpected: %s\n", sql, answer, expected);
    _fail(file, line);
}

void assert_same_at(const char *left, const char *right, const char *file, int line)
{
    size_t at = 0;

    while (left[at] && left[at] == right[at])
        at++;
    if (left[at] == right[at])
        return;
    while (at > 0 && left[at - 1] != '\n')
        at--;
    print_error("the texts differ from here:\n< %.400s\n> %.400s\n", left + at, right + at);
    _fail(file, line);
}
