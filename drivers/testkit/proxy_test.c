/* The proxy cuts where it says, the pooler pools: what the driver's tests rely on. */
#include "drivers/testkit/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/testkit/bouncer.h"
#include "drivers/testkit/fixture.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    (void)pg_cluster_database(cluster, "shop");
    pg_cluster_execute(cluster, "shop", "CREATE TABLE t (a int)");
    return 0;
}

static struct program_result psql(const char *url, const char *sql)
{
    const char *const argv[] = {
        fixture_path(pg_cluster_bin(), "psql"), "-XAtq", "-c", sql, url, NULL};

    return run_argv(argv);
}

static void a_proxy_passes_and_counts(void **state UNUSED)
{
    struct proxy *p = proxy_start(cluster);
    struct program_result r = psql(proxy_url(p, "shop", NULL), "SELECT repeat('x', 100000)");

    assert_int_equal(r.exit_code, 0);
    assert_int_equal(r.out_len, 100001);
    assert_true(proxy_bytes(p) > 100000);
    assert_int_equal(proxy_round_trips(p), 1);
    program_result_release(&r);
    proxy_stop(p);
}

static void a_proxy_cuts_once_where_it_is_told(void **state UNUSED)
{
    static const struct {
        enum proxy_cut cut;
        const char *rows;
    } cases[] = {
        {PROXY_CUT_BEFORE, "0"},
        {PROXY_CUT_AFTER_ANSWER, "1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proxy *p = proxy_start(cluster);
        pg_cluster_execute(cluster, "shop", "TRUNCATE t");
        proxy_cut_at_text(p, cases[i].cut, "INSERT INTO t");
        struct program_result r = psql(proxy_url(p, "shop", NULL), "INSERT INTO t VALUES (1)");
        assert_int_equal(r.exit_code, 2);
        program_result_release(&r);
        assert_int_equal(proxy_cuts(p), 1);
        assert_string_equal(pg_cluster_query(cluster, "shop", "SELECT count(*) FROM t"),
                            cases[i].rows);
        r = psql(proxy_url(p, "shop", NULL), "INSERT INTO t VALUES (1)");
        assert_int_equal(r.exit_code, 0);
        program_result_release(&r);
        proxy_stop(p);
    }
}

static struct program *psql_start(const char *url, const char *sql)
{
    const char *const argv[] = {
        fixture_path(pg_cluster_bin(), "psql"), "-XAtq", "-c", sql, url, NULL};

    return program_start(&(struct program_options){.argv = argv});
}

static void what_a_proxy_holds_goes_on_or_never_comes(void **state UNUSED)
{
    static const struct {
        enum proxy_cut cut;
        bool goes_on;
        const char *held, *then;
    } cases[] = {
        {PROXY_HOLD_BEFORE, true, "0", "1"},
        {PROXY_HOLD_BEFORE, false, "0", "0"},
        {PROXY_HOLD_AFTER_ANSWER, true, "1", "1"},
        {PROXY_HOLD_AFTER_ANSWER, false, "1", "1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proxy *p = proxy_start(cluster);
        pg_cluster_execute(cluster, "shop", "TRUNCATE t");
        proxy_cut_at_text(p, cases[i].cut, "INSERT INTO t");
        struct program *program =
            psql_start(proxy_url(p, "shop", NULL), "INSERT INTO t VALUES (1) RETURNING 'done'");
        while (!proxy_held(p) && fixture_is_running(program_pid(program)))
            (void)usleep(1000);
        assert_int_equal(proxy_held(p), 1);
        assert_true(fixture_is_running(program_pid(program)));
        assert_string_equal(pg_cluster_query(cluster, "shop", "SELECT count(*) FROM t"),
                            cases[i].held);
        proxy_release(p, cases[i].goes_on);
        struct program_result r = program_finish(program);
        assert_int_equal(r.exit_code, cases[i].goes_on ? 0 : 2);
        assert_string_equal(r.out, cases[i].goes_on ? "done\n" : "");
        assert_string_equal(pg_cluster_query(cluster, "shop", "SELECT count(*) FROM t"),
                            cases[i].then);
        assert_int_equal(proxy_held(p), 0);
        program_result_release(&r);
        proxy_stop(p);
    }
}

static void a_proxy_cuts_after_bytes_and_refuses(void **state UNUSED)
{
    struct proxy *p = proxy_start(cluster);

    proxy_cut_after_bytes(p, 5000);
    struct program_result r = psql(proxy_url(p, "shop", NULL), "SELECT repeat('x', 100000)");
    assert_int_equal(r.exit_code, 2);
    assert_int_equal(proxy_bytes(p), 5000);
    program_result_release(&r);
    proxy_refuse(p, true);
    r = psql(proxy_url(p, "shop", NULL), "SELECT 1");
    assert_int_equal(r.exit_code, 2);
    program_result_release(&r);
    proxy_stop(p);
}

static void a_pooler_shares_one_backend(void **state UNUSED)
{
    struct bouncer *b = bouncer_start(cluster, BOUNCER_TRANSACTION, 1);
    struct program_result one = psql(bouncer_url(b, "shop"), "SELECT pg_backend_pid()");
    struct program_result two = psql(bouncer_url(b, "shop"), "SELECT pg_backend_pid()");

    assert_int_equal(one.exit_code, 0);
    assert_string_equal(one.out, two.out);
    program_result_release(&one);
    program_result_release(&two);
    bouncer_stop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_passes_and_counts),
        cmocka_unit_test(a_proxy_cuts_once_where_it_is_told),
        cmocka_unit_test(what_a_proxy_holds_goes_on_or_never_comes),
        cmocka_unit_test(a_proxy_cuts_after_bytes_and_refuses),
        cmocka_unit_test(a_pooler_shares_one_backend),
    };

    return cmocka_run_group_tests_name("proxy", tests, start_cluster, NULL);
}
