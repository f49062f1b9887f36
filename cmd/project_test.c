/*
 * The small projects of testdata/migrations, one per layout, end to end: each applies from empty, in the
 * order that expected.tsv says, once; and again when it was killed in between. Never skips.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "drivers/testkit/project.h"

#define DATA "testdata/migrations"
#define PROJECTS_MAX 100

struct sample {
    const char *name;
    enum engine engine;
};

static struct sample samples[PROJECTS_MAX];
static size_t sample_count;
static struct pg_cluster *cluster;
static const char *here;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static const char *cell(struct str line, int column)
{
    struct str text = {0};

    for (int i = 0; i <= column; i++)
        line = str_cut(line, '\t', &text);
    return fixture_text("%.*s", STR_ARG(text));
}

static void read_samples(void)
{
    char *text = fixture_read(DATA "/projects.tsv");
    struct str rest = str_of(text);

    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        if (!line.len)
            continue;
        if (sample_count == PROJECTS_MAX)
            fixture_die("too many projects");
        samples[sample_count++] =
            (struct sample){.name = cell(line, 0), .engine = engine_of_name(str_of(cell(line, 1)))};
    }
    free(text);
}

/* "kind|version|description|script" per line, as expected.tsv has them. */
static const char *expected_history(const struct sample *s)
{
    char *text = fixture_read(DATA "/expected.tsv");
    SCOPED(buf) struct buf rows = {0};
    struct str rest = str_of(text);

    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        if (!line.len || strcmp(cell(line, 0), s->name) != 0)
            continue;
        buf_printf(&rows, "%s%s|%s|%s|%s|applied", rows.len ? "\n" : "", cell(line, 2),
                   cell(line, 3), cell(line, 4), cell(line, 8));
    }
    free(text);
    return fixture_text("%s", buf_cstr(&rows));
}

static struct project *make(const struct sample *s)
{
    struct project *p = project_make(s->engine == ENGINE_POSTGRES ? cluster : NULL);

    p->dir = fixture_text("%s/" DATA "/%s", here, s->name);
    if (s->engine == ENGINE_SQLITE)
        fixture_write(p->home, "test.db", ""); /* an empty file is an empty database */
    return p;
}

static void assert_applied(const struct sample *s, const struct project *p)
{
    assert_answer(p,
                  fixture_text("SELECT kind, version, description, script, state FROM %s ORDER BY "
                               "installed_rank",
                               project_table(p, "history")),
                  expected_history(s));
    assert_whole(p);
    struct ran r = project_run(p, "status", "--exit-code", NULL);
    assert_exit(&r, 0);
    assert_out(&r, ", 0 pending");
}

static void applies_twice(void **state)
{
    const struct sample *s = *state;
    struct project *p = make(s);
    struct ran r = project_run(p, "plan", "--exit-code", "--format", "json", NULL);

    assert_exit(&r, 10);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_applied(s, p);
    const char *before = project_dump(p);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_same(project_dump(p), before);
}

/* Killed every few milliseconds until there is nothing left to kill. */
static void applies_when_killed(void **state)
{
    const struct sample *s = *state;
    struct project *p = make(s);
    struct project *whole = make(s);
    useconds_t wait_us = 3000;
    struct ran r;

    do {
        struct program *program = project_start(p, "apply", NULL);
        (void)usleep(wait_us);
        program_signal(program, SIGKILL);
        r = project_finish(program);
        wait_us += 2000;
    } while (r.signal_number == SIGKILL);
    assert_exit(&r, 0);
    assert_applied(s, p);
    r = project_run(whole, "apply", NULL);
    assert_exit(&r, 0);
    assert_same(project_schema(p), project_schema(whole));
}

int main(void)
{
    static struct CMUnitTest tests[2 * PROJECTS_MAX];
    size_t count = 0;

    here = getcwd(NULL, 0);
    read_samples();
    if (sample_count == 0)
        fixture_die("there are no projects in " DATA);
    for (size_t i = 0; i < sample_count; i++) {
        tests[count++] = (struct CMUnitTest){fixture_text("%s applies twice", samples[i].name),
                                             applies_twice, NULL, NULL, &samples[i]};
        tests[count++] =
            (struct CMUnitTest){fixture_text("%s applies when killed", samples[i].name),
                                applies_when_killed, NULL, NULL, &samples[i]};
    }
    return _cmocka_run_group_tests("project", tests, count, start_cluster, NULL);
}
