/*
 * A data migration of 100 MB (20 MB with MIGRATE_QUICK=1), end to end: memory stays bounded by the
 * longest statement, not by the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

#define MIB ((int64_t)1 << 20)
#define ROW_BYTES 1000
#define LINES_MAX_BYTES (200 * MIB)
#define COPY_MAX_BYTES (64 * MIB)
#define STATEMENT_MAX_BYTES (64 * MIB) /* twice the limit */

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static long row_count(void)
{
    return (getenv("MIGRATE_QUICK") ? 20 : 100) * MIB / ROW_BYTES;
}

static void write_rows(FILE *file, const char *format)
{
    char filling[ROW_BYTES - 40];

    for (size_t i = 0; i < sizeof(filling) - 1; i++)
        filling[i] = (char)('a' + i % 26);
    filling[sizeof(filling) - 1] = '\0';
    for (long i = 1; i <= row_count(); i++) {
        if (strcmp(format, "insert") == 0)
            fprintf(file, "INSERT INTO big VALUES (%ld, '%s');\n", i, filling);
        else
            fprintf(file, "%ld\t%s\n", i, filling);
    }
}

/* Sanitizers keep freed memory: then only the result counts. */
static void check_memory(const struct ran *r, int64_t max_bytes)
{
    print_message("%lld ms, %lld MB\n", (long long)(r->duration_us / 1000),
                  (long long)(r->max_rss_bytes / MIB));
#ifndef SANITIZES_ADDRESS
    assert_true(r->max_rss_bytes < max_bytes);
#else
    (void)max_bytes;
#endif
}

static void check_rows(const struct project *p)
{
    assert_answer(
        p, "SELECT count(*), max(id), min(length(t)), max(length(t)) FROM big",
        fixture_text("%ld|%ld|%d|%d", row_count(), row_count(), ROW_BYTES - 41, ROW_BYTES - 41));
    assert_whole(p);
}

static void a_large_file_of_inserts_runs_in_bounded_memory(void **state)
{
    struct project *p = project_for(state, cluster);
    FILE *file = project_open(p, "0001_big.sql");

    fputs("CREATE TABLE big (id integer, t text);\n", file);
    write_rows(file, "insert");
    (void)fclose(file);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    check_memory(&r, LINES_MAX_BYTES);
    check_rows(p);
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    check_memory(&r, LINES_MAX_BYTES);
}

static void a_failure_at_the_end_of_a_large_file_leaves_nothing(void **state)
{
    struct project *p = project_for(state, cluster);
    FILE *file = project_open(p, "0001_big.sql");

    fputs("CREATE TABLE big (id integer, t text);\n", file);
    write_rows(file, "insert");
    fputs("INSERT INTO nowhere VALUES (1);\n", file);
    (void)fclose(file);
    const char *before = project_dump(p);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, fixture_text("0001_big.sql:%ld", row_count() + 2));
    check_memory(&r, LINES_MAX_BYTES);
    assert_same(project_dump(p), before);
    assert_whole(p);
}

static void large_copy_data_run_in_bounded_memory(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    FILE *file = project_open(p, "0001_big.sql");

    fputs("CREATE TABLE big (id integer, t text);\nCOPY big FROM stdin;\n", file);
    write_rows(file, "copy");
    fputs("\\.\nCREATE TABLE behind (id integer);\n", file);
    (void)fclose(file);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    check_memory(&r, COPY_MAX_BYTES);
    check_rows(p);
    assert_answer(p, "SELECT count(*) FROM behind", "0");
}

/* A file that is one statement, far over the limit: refused when the limit is passed. */
static void a_statement_without_end_is_refused_in_bounded_memory(void **state)
{
    struct project *p = project_for(state, cluster);
    FILE *file = project_open(p, "0001_big.sql");

    fputs("CREATE TABLE big (t text);\nINSERT INTO big VALUES (''", file);
    for (long i = 0; i < (getenv("MIGRATE_QUICK") ? 40 : 120) * MIB / 16; i++)
        fputs(" || '0123456789'", file);
    fputs(");\n", file);
    (void)fclose(file);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "a statement is longer than 32 MB\n  at migrations/0001_big.sql:2:1\n");
    check_memory(&r, STATEMENT_MAX_BYTES);
}

static void many_migrations_run_in_bounded_memory(void **state)
{
    struct project *p = project_for(state, cluster);
    int count = getenv("MIGRATE_QUICK") ? 500 : 5000;

    project_execute(p, "CREATE TABLE log (id integer)");
    for (int i = 1; i <= count; i++)
        project_write(p, fixture_text("%05d_log.sql", i),
                      fixture_text("INSERT INTO log VALUES (%d);\n", i));
    struct ran r = project_run(p, "apply", "-q", NULL);
    assert_exit(&r, 0);
    check_memory(&r, 32 * MIB);
    assert_answer(p, "SELECT count(DISTINCT id) FROM log", fixture_text("%d", count));
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_large_file_of_inserts_runs_in_bounded_memory),
        ON_BOTH(a_failure_at_the_end_of_a_large_file_leaves_nothing),
        cmocka_unit_test(large_copy_data_run_in_bounded_memory),
        ON_BOTH(a_statement_without_end_is_refused_in_bounded_memory),
        ON_BOTH(many_migrations_run_in_bounded_memory),
    };

    return cmocka_run_group_tests_name("bulk", tests, start_cluster, NULL);
}
