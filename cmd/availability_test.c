/*
 * The bench of availability, over a table so small that nothing is measured: every case has each of its rows,
 * no command fails, and the application gets no error from what migrate does. Times are not looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "drivers/testkit/project.h"

#define CASES "testdata/availability"

static struct pg_cluster *cluster;
static struct arena *arena;

struct table {
    struct str
        text; /* lines of operation, long reader, variant, longest, p99.9, errors, …, exit, requests */
    const char *told;
};

static struct table run_bench(const char *const *settings)
{
    const char *table = fixture_path(fixture_directory(), "table");
    const char *const env[] = {fixture_text("PROGRAM=%s", project_program()),
                               fixture_text("PG_BIN=%s", pg_cluster_bin()),
                               fixture_text("AVAILABILITY_URL=host=%s port=%d user=%s",
                                            pg_cluster_socket_directory(cluster), PG_CLUSTER_PORT,
                                            PG_CLUSTER_USER),
                               fixture_text("AVAILABILITY_TABLE=%s", table),
                               "AVAILABILITY_ROWS=20000",
                               settings[0],
                               settings[1],
                               NULL};
    const char *const argv[] = {".ci/bench/availability.sh", settings[2], NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .env = env, .timeout_ms = 600000});
    if (r.exit_code != 0)
        fail_msg("the bench failed:\n%s%s", r.out, r.err);
    struct table t = {.text = str_of(fixture_text_of(table)),
                      .told = arena_cstr(arena, str_of(r.out))};
    program_result_release(&r);
    return t;
}

/* How many rows begin so; with the column, its value in the last of them. */
static size_t find_rows(const struct table *t, const char *begin, size_t column, struct str *out)
{
    struct str rest = t->text;
    struct str line;
    size_t count = 0;
    while (rest.len) {
        rest = str_cut_line(rest, &line);
        if (!str_starts(line, str_of(begin)))
            continue;
        count++;
        for (size_t i = 0; i <= column; i++)
            line = str_cut(line, '\t', out);
    }
    return count;
}

static void check_row(const struct table *t, const char *name, const char *reader,
                      const char *variant)
{
    enum { ERRORS = 5, EXIT = 9, REQUESTS = 10 };
    struct str value;
    const char *begin = fixture_text("%s\t%s\t%s\t", name, reader, variant);
    if (find_rows(t, begin, EXIT, &value) != 1 || !str_equal(value, STR("0")))
        fail_msg("%s: no row, or a failed command:\n%s", begin, t->told);
    if (strcmp(variant, "migrate") == 0 &&
        (find_rows(t, begin, ERRORS, &value) != 1 || !str_equal(value, STR("0"))))
        fail_msg("%s: the application got errors:\n%s", begin, t->told);
    (void)find_rows(t, begin, REQUESTS, &value);
    if (str_is_empty(value) || str_equal(value, STR("0")))
        fail_msg("%s: there was no traffic:\n%s", begin, t->told);
}

/* What deadlocks with the application as it is written may be the victim itself: the case leaves it out. */
static bool has_as_written(const char *name)
{
    const char *path = fixture_text(CASES "/%s/case", name);
    const char *variants = fs_exists(path) ? strstr(fixture_text_of(path), "variants=") : NULL;

    return !variants || strstr(variants, "as-written");
}

static void every_case_has_its_rows_and_no_errors(void **state UNUSED)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries cases = {0};
    const struct table t = run_bench((const char *[]){"AVAILABILITY_READERS=none", "A=", NULL});
    assert_true(fs_list(arena, CASES, &cases, &f));
    for (size_t i = 0; i < cases.count; i++) {
        const char *name = arena_cstr(arena, cases.at[i].name);
        if (!cases.at[i].is_directory || strcmp(name, "quiet") == 0)
            continue;
        if (has_as_written(name))
            check_row(&t, name, "none", "as-written");
        check_row(&t, name, "none", "migrate");
        if (fs_exists(fixture_text(CASES "/%s/by_hand.sql", name)))
            check_row(&t, name, "none", "by-hand");
    }
    check_row(&t, "quiet", "none", "as-written");
}

static void a_long_reader_is_beside_it(void **state UNUSED)
{
    const struct table t = run_bench(
        (const char *[]){"AVAILABILITY_READERS=idle", "AVAILABILITY_READER_MS=300", "add-column"});
    check_row(&t, "add-column", "idle:15", "as-written");
    check_row(&t, "add-column", "idle:15", "migrate");
}

static int start(void **state UNUSED)
{
    arena = arena_make();
    cluster = pg_cluster_start(&(struct pg_cluster_options){
        .settings = "shared_preload_libraries = 'pg_stat_statements'\n"});
    return 0;
}

static int stop(void **state UNUSED)
{
    pg_cluster_stop(cluster);
    arena_release(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_has_its_rows_and_no_errors),
        cmocka_unit_test(a_long_reader_is_beside_it),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
