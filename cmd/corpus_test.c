/*
 * Real migration histories (../shared/corpora, or $MIGRATE_SHARED/corpora) from empty: applied twice,
 * killed at random moments, cut off by the server. What comes out equals what psql or sqlite3 made of
 * the same files. MIGRATE_SEED repeats a run, MIGRATE_QUICK=1 kills less often, MIGRATE_CORPUS names
 * one history.
 */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "core/base/json.h"
#include "drivers/testkit/project.h"

#define CORPORA_MAX 64
#define PLACEHOLDERS_MAX 16
/* A run that never ends by being run again is a failure. */
#define RUNS_MAX 60

struct corpus {
    const char *name;
    enum engine engine;
    const char *placeholders[PLACEHOLDERS_MAX]; /* NAME=VALUE */
    size_t placeholder_count;
    int64_t duration_us; /* of the run that was left alone */
};

static const char *corpora_directory;
static struct corpus corpora[CORPORA_MAX];
static size_t corpus_count;
static struct pg_cluster *cluster;
static unsigned seed;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static const char *inside(const struct corpus *c, const char *name)
{
    return fixture_text("%s/%s/%s", corpora_directory, c->name, name);
}

/* --------------------------------------------------------------- what the README of the corpora says */

static void add_placeholder(struct corpus *c, const char *text)
{
    for (size_t i = 0; i < c->placeholder_count; i++) {
        if (strcmp(c->placeholders[i], text) == 0)
            return;
    }
    if (c->placeholder_count == PLACEHOLDERS_MAX)
        fixture_die("%s has too many placeholders", c->name);
    c->placeholders[c->placeholder_count++] = text;
}

/* "a ${name} b" beside "a value b". */
static void learn_from_lines(struct corpus *c, struct str with, struct str filled)
{
    struct str head;
    struct str tail = str_cut(with, '$', &head);
    struct str name;

    if (head.len == with.len || !str_starts(tail, STR("{")) || str_starts(tail, STR("{flyway:")))
        return;
    tail = str_cut(str_skip(tail, 1), '}', &name);
    if (filled.len < head.len + tail.len)
        fixture_die("%s: %.*s was filled in otherwise", c->name, STR_ARG(with));
    struct str value = {.at = filled.at + head.len, .len = filled.len - head.len - tail.len};
    add_placeholder(c, fixture_text("%.*s=%.*s", STR_ARG(name), STR_ARG(value)));
}

static void learn_from_file(struct corpus *c, const char *name)
{
    const char *dash = strchr(name, '-'); /* 0044-V2022…__name.sql */
    const char *original = dash ? inside(c, fixture_text("migrations/%s", dash + 1)) : NULL;

    if (!original || !fs_exists(original))
        return;
    char *with = fixture_read(original);
    char *filled = fixture_read(inside(c, fixture_text("up/%s", name)));
    struct str left = str_of(with);
    struct str right = str_of(filled);
    while (left.len && right.len) {
        struct str a;
        struct str b;
        left = str_cut_line(left, &a);
        right = str_cut_line(right, &b);
        learn_from_lines(c, a, b);
    }
    free(with);
    free(filled);
}

static void learn_placeholders(struct corpus *c)
{
    DIR *up = opendir(inside(c, "up"));

    for (struct dirent *entry; up && (entry = readdir(up));)
        learn_from_file(c, entry->d_name);
    if (up)
        (void)closedir(up);
}

static void add_corpus(const char *name)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct corpus *c = &corpora[corpus_count];

    if (corpus_count == CORPORA_MAX)
        fixture_die("too many corpora");
    c->name = fixture_text("%s", name);
    if (!fs_exists(inside(c, "MANIFEST.json")))
        return;
    char *text = fixture_read(inside(c, "MANIFEST.json"));
    SCOPED(json) struct json *manifest = json_parse(str_of(text), STR("MANIFEST.json"), &f);
    if (!manifest)
        fixture_die("%s: %s", name, f.message);
    c->engine = engine_of_name(json_str_of(json_get(manifest, "engine")));
    if (str_equal(json_str_of(json_get(manifest, "layout")), STR("flyway")))
        learn_placeholders(c);
    free(text);
    corpus_count++;
}

static int compare_corpora(const void *a, const void *b)
{
    return strcmp(((const struct corpus *)a)->name, ((const struct corpus *)b)->name);
}

static void find_corpora(void)
{
    const char *shared = getenv("MIGRATE_SHARED");
    const char *only = getenv("MIGRATE_CORPUS");
    char path[PATH_MAX];

    if (!realpath(fixture_text("%s/corpora", shared && *shared ? shared : "../shared"), path))
        return;
    corpora_directory = fixture_text("%s", path);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] != '.' && (!only || strcmp(only, entry->d_name) == 0))
            add_corpus(entry->d_name);
    }
    if (directory)
        (void)closedir(directory);
    qsort(corpora, corpus_count, sizeof(*corpora), compare_corpora);
}

/* ------------------------------------------------------------------------------------- one history */

static struct project *make(const struct corpus *c)
{
    struct project *p = project_make(c->engine == ENGINE_POSTGRES ? cluster : NULL);

    p->dir = inside(c, "migrations");
    if (fs_exists(inside(c, "PREAMBLE.sql"))) {
        char *preamble = fixture_read(inside(c, "PREAMBLE.sql"));
        project_execute(p, preamble);
        free(preamble);
    }
    return p;
}

/* A database that is no longer needed: eight histories, ten times over, fill a disk. */
static void drop(const struct project *p)
{
    if (p->cluster)
        pg_cluster_execute(p->cluster, "postgres",
                           fixture_text("DROP DATABASE \"%s\" WITH (FORCE)", p->database));
    fixture_remove(p->home);
}

static struct program *start(const struct corpus *c, const struct project *p)
{
    const char *arguments[2 * PLACEHOLDERS_MAX + 1] = {NULL};

    for (size_t i = 0; i < c->placeholder_count; i++) {
        arguments[2 * i] = "--placeholder";
        arguments[2 * i + 1] = c->placeholders[i];
    }
    /* As many as the histories have; the first NULL ends them. */
    return project_start(p, "apply", arguments[0], arguments[1], arguments[2], arguments[3],
                         arguments[4], arguments[5], arguments[6], arguments[7], arguments[8],
                         arguments[9], arguments[10], arguments[11], NULL);
}

static struct ran apply(const struct corpus *c, const struct project *p)
{
    return project_finish(start(c, p));
}

static void assert_equals_reference(const struct corpus *c, const struct project *p)
{
    bool is_postgres = p->engine == ENGINE_POSTGRES;
    const char *const argv[] = {fixture_path(corpora_directory, "compare.sh"),
                                is_postgres ? "pg" : "sqlite", is_postgres ? p->url : p->database,
                                c->name, NULL};
    const char *const env[] = {fixture_text("PATH=%s:%s", pg_cluster_bin(), getenv("PATH")), NULL};
    struct program_result r = run_program(&(struct program_options){.argv = argv, .env = env});

    if (r.exit_code != 0 || r.out_len > 0) {
        print_error("%s differs from its reference:\n%.4000s%s\n", c->name, r.out, r.err);
        fail();
    }
    program_result_release(&r);
}

static void assert_done(const struct corpus *c, const struct project *p)
{
    struct ran r = apply(c, p);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_equals_reference(c, p);
    assert_whole(p);
    r = project_run(p, "status", "--exit-code", NULL);
    assert_exit(&r, 0);
    assert_out(&r, ", 0 pending");
}

static void from_empty_twice(void **state)
{
    struct corpus *c = *state;
    struct project *p = make(c);
    struct ran r = apply(c, p);

    assert_exit(&r, 0);
    c->duration_us = r.duration_us;
    print_message("%s: %lld ms\n", c->name, (long long)(r.duration_us / 1000));
    assert_done(c, p);
    drop(p);
}

/* Around `mean`, between a fifth and nine fifths of it. */
static int64_t random_near(int64_t mean)
{
    return mean / 5 + (int64_t)((double)rand_r(&seed) / RAND_MAX * (double)mean * 1.6);
}

static int kills_wanted(void)
{
    return getenv("MIGRATE_QUICK") ? 4 : 10;
}

static int64_t usual_duration(struct corpus *c)
{
    if (c->duration_us == 0) {
        struct project *p = make(c);
        struct ran r = apply(c, p);
        assert_exit(&r, 0);
        c->duration_us = r.duration_us;
        drop(p);
    }
    return c->duration_us;
}

/* Runs it again and again; true: the run was killed, false: it had ended before. */
static bool run_and_kill(const struct corpus *c, const struct project *p, int64_t after_us)
{
    struct program *program = start(c, p);

    (void)usleep((useconds_t)after_us);
    program_signal(program, SIGKILL);
    struct ran r = project_finish(program);
    if (r.signal_number != SIGKILL) {
        assert_exit(&r, 0);
        return false;
    }
    if (c->engine == ENGINE_POSTGRES || fs_exists(p->database)) {
        r = project_run(p, "history", "--verify", NULL);
        assert_exit(&r, 0);
    }
    return true;
}

/* Each kill falls further behind in the history than the one before; a history that is done before
   it was killed often enough is followed by a fresh one. */
static void killed_at_random_moments(void **state)
{
    struct corpus *c = *state;
    int64_t mean_us = usual_duration(c) / kills_wanted();
    int kills = 0;

    for (int round = 0; round < 4 && kills < kills_wanted(); round++) {
        struct project *p = make(c);
        bool is_done = false;
        while (!is_done && kills < kills_wanted()) {
            is_done = !run_and_kill(c, p, random_near(mean_us) + 2000);
            kills += !is_done;
        }
        struct ran r = apply(c, p);
        assert_exit(&r, 0);
        assert_done(c, p);
        drop(p);
    }
    print_message("%s: killed %d times\n", c->name, kills);
    assert_true(kills > 0);
}

static bool terminate_backends(const struct project *p)
{
    const char *answer = pg_cluster_query(
        p->cluster, "postgres",
        fixture_text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
            "'%s' AND application_name LIKE 'migrate%%'",
            p->database));
    return strcmp(answer, "0") != 0;
}

static void cut_off_at_random_moments(void **state)
{
    struct corpus *c = *state;
    struct project *p = make(c);
    int wanted = getenv("MIGRATE_QUICK") ? 1 : 3;
    int64_t mean_us = usual_duration(c) / (wanted + 1);
    int cuts = 0;

    for (int i = 0; i < wanted; i++) {
        struct program *program = start(c, p);
        (void)usleep((useconds_t)random_near(mean_us));
        bool was_cut = terminate_backends(p);
        struct ran r = project_finish(program);
        cuts += was_cut;
        if (r.signal_number || (r.exit_code != 0 && !was_cut))
            assert_exit(&r, 0);
    }
    struct ran r = {.exit_code = -1};
    for (int runs = 0; runs < RUNS_MAX && r.exit_code != 0; runs++)
        r = apply(c, p);
    assert_exit(&r, 0);
    print_message("%s: cut off %d times\n", c->name, cuts);
    assert_done(c, p);
    drop(p);
}

/* Commits that did not wait for the disk may be lost, but only the last ones, and never half of one. */
static void through_a_crash_of_the_server(void **state)
{
    struct corpus *c = *state;
    struct project *p = make(c);
    struct program *program = start(c, p);

    (void)usleep((useconds_t)random_near(usual_duration(c) / 2));
    pg_cluster_restart(cluster, true);
    struct ran r = project_finish(program);
    assert_int_equal(r.signal_number, 0);
    r = project_run(p, "history", "--verify", NULL);
    assert_exit(&r, 0);
    r = apply(c, p);
    assert_exit(&r, 0);
    assert_done(c, p);
    drop(p);
}

static void absent(void **state UNUSED)
{
    puts("NOTICE: ../shared/corpora is not there: real migration histories were not applied");
    skip();
}

int main(void)
{
    static struct CMUnitTest tests[4 * CORPORA_MAX];
    size_t count = 0;
    const char *wanted_seed = getenv("MIGRATE_SEED");

    seed = wanted_seed ? (unsigned)strtoul(wanted_seed, NULL, 10) : (unsigned)time(NULL);
    find_corpora();
    if (!corpora_directory) {
        const struct CMUnitTest none[] = {cmocka_unit_test(absent)};
        return cmocka_run_group_tests_name("corpus", none, NULL, NULL);
    }
    if (corpus_count == 0)
        fixture_die("there is nothing in %s", corpora_directory);
    printf("seed %u: MIGRATE_SEED=%u repeats these moments\n", seed, seed);
    for (size_t i = 0; i < corpus_count; i++) {
        struct corpus *c = &corpora[i];
        tests[count++] = (struct CMUnitTest){fixture_text("%s applies from empty, twice", c->name),
                                             from_empty_twice, NULL, NULL, c};
        tests[count++] = (struct CMUnitTest){fixture_text("%s survives being killed", c->name),
                                             killed_at_random_moments, NULL, NULL, c};
        if (c->engine != ENGINE_POSTGRES)
            continue;
        tests[count++] = (struct CMUnitTest){fixture_text("%s survives being cut off", c->name),
                                             cut_off_at_random_moments, NULL, NULL, c};
        tests[count++] =
            (struct CMUnitTest){fixture_text("%s survives a crash of the server", c->name),
                                through_a_crash_of_the_server, NULL, NULL, c};
    }
    /* The macro counts an array; only a part of this one is used. */
    return _cmocka_run_group_tests("corpus", tests, count, start_cluster, NULL);
}
