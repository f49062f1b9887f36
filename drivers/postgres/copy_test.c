/* COPY in both directions, streamed. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/pg_cluster.h"

/* The address sanitizer keeps 256 MB of freed memory for a while. */
#ifdef SANITIZES_ADDRESS
#define BOUNDED_KB 290000
#else
#define BOUNDED_KB 40000
#endif

static struct pg_cluster *cluster;
static const struct driver *driver;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    driver = postgres_driver();
    return 0;
}

static const char *ask(const char *database, const char *sql)
{
    return pg_cluster_query(cluster, database, sql);
}

static struct kit open_fresh(const char *database)
{
    return kit_open_run(driver, pg_cluster_database(cluster, database), NULL);
}

struct pieces {
    int left;
    bool is_broken;
    const char *text;
};

static bool next_piece(void *context, struct str *out, struct fail *f)
{
    struct pieces *p = context;

    if (p->left == 0 && p->is_broken)
        return fail_set(f, EXIT_FAILED, "the file ends inside COPY data");
    *out = p->left > 0 ? str_of(p->text) : (struct str){0};
    p->left--;
    return true;
}

static bool execute_copy(struct kit *k, struct statement *s, size_t count, struct pieces *p,
                         struct fail *f)
{
    struct copy_source source = {.next = next_piece, .context = p};
    struct statement_result results[4];
    struct unit_options options = {0};

    s[count - 1].is_copy_from_stdin = true;
    return driver->begin(k->connection, &options, f) &&
           driver->execute(k->connection, s, count, &source, results, &k->done, &k->offset, f);
}

static void copy_data_are_streamed(void **state UNUSED)
{
    struct kit k = open_fresh("copied");
    SCOPED(fail) struct fail f = FAIL_NONE;
    char *text = arena_alloc(k.arena, 1 << 20);
    struct statement s[] = {kit_statement("CREATE TABLE t (a text)"),
                            kit_statement("COPY t FROM stdin")};
    struct rusage before, after;

    memset(text, 'x', (1 << 20) - 2);
    text[(1 << 20) - 2] = '\n';
    struct pieces p = {.left = 100, .text = text};
    (void)getrusage(RUSAGE_SELF, &before);
    KIT_OK(execute_copy(&k, s, 2, &p, &f) && kit_commit(&k, &f));
    (void)getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < BOUNDED_KB);
    assert_int_equal(k.done, 2);
    assert_string_equal(ask("copied", "SELECT count(*), min(length(a)) FROM t"), "100|1048574");
    kit_close(&k);
}

static void wrong_copy_data_are_an_error_of_the_server(void **state UNUSED)
{
    struct kit k = open_fresh("wrong_copy");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("CREATE TABLE t (a int)"),
                            kit_statement("COPY t FROM stdin")};
    struct pieces p = {.left = 5, .text = "1\nx\n"};

    assert_false(execute_copy(&k, s, 2, &p, &f));
    assert_string_equal(f.sqlstate, "22P02");
    assert_non_null(strstr(f.context, "line 2"));
    assert_int_equal(k.done, 1);
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    KIT_OK(kit_unit(&k, "CREATE TABLE t (a int)", &f));
    kit_close(&k);
}

static void copy_data_that_end_early_fail_with_the_reason(void **state UNUSED)
{
    struct kit k = open_fresh("short_copy");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement s[] = {kit_statement("CREATE TABLE t (a int)"),
                            kit_statement("COPY t FROM stdin")};
    struct pieces p = {.left = 3, .text = "1\n", .is_broken = true};

    assert_false(execute_copy(&k, s, 2, &p, &f));
    assert_string_equal(f.message, "the file ends inside COPY data");
    fail_clear(&f);
    KIT_OK(driver->rollback(k.connection, &f));
    /* A COPY without data, and one that sends. */
    struct statement t = kit_statement("COPY migrator.history FROM stdin");
    t.kind = "COPY";
    assert_false(kit_alone(&k, &t, &f));
    assert_non_null(f.hint);
    fail_clear(&f);
    t.text = STR("COPY (SELECT generate_series(1, 100000)) TO stdout");
    KIT_OK(kit_alone(&k, &t, &f));
    KIT_OK(kit_begin(&k, &t, 1, &f) && kit_commit(&k, &f));
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_data_are_streamed),
        cmocka_unit_test(wrong_copy_data_are_an_error_of_the_server),
        cmocka_unit_test(copy_data_that_end_early_fail_with_the_reason),
    };

    return cmocka_run_group_tests_name("postgres copy", tests, start, NULL);
}
