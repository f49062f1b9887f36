/*
 * Through pgbouncer, end to end: a pooler that shares sessions is refused before anything is written,
 * with the variable to set; the direct way is taken where it is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/bouncer.h"
#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static struct project *make(void)
{
    struct project *p = project_make(cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    project_write(p, "0002_index.sql", "CREATE INDEX CONCURRENTLY a_id ON a (id);\n");
    return p;
}

static void assert_untouched(const struct project *p)
{
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname IN ('a', 'history')", "0");
    assert_answer(p, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
}

static void a_pooler_that_shares_sessions_is_refused(void **state UNUSED)
{
    static const struct {
        enum bouncer_mode mode;
        int pool_size;
    } cases[] = {
        {BOUNCER_TRANSACTION, 1},
        {BOUNCER_TRANSACTION, 2},
        {BOUNCER_TRANSACTION, 10},
        {BOUNCER_STATEMENT, 2},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = make();
        struct bouncer *b = bouncer_start(cluster, cases[i].mode, cases[i].pool_size);
        p->url = bouncer_url(b, p->database);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 2);
        assert_err(&r, "pooler");
        assert_err(&r, "hint: Set MIGRATE_DIRECT_URL");
        assert_not_out(&r, "applied");
        assert_untouched(p);
        if (cases[i].mode == BOUNCER_TRANSACTION) { /* readers may */
            r = project_run(p, "status", NULL);
            assert_exit(&r, 0);
            assert_out(&r, "0 applied, 2 pending");
        }
        bouncer_stop(b);
    }
}

static void the_direct_url_of_the_environment_is_taken(void **state UNUSED)
{
    static const char *const names[] = {"MIGRATE_DIRECT_URL", "DIRECT_URL", "DATABASE_URL_UNPOOLED",
                                        "POSTGRES_URL_NON_POOLING"};
    struct bouncer *b = bouncer_start(cluster, BOUNCER_TRANSACTION, 2);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct project *p = make();
        const char *const env[] = {
            fixture_text("DATABASE_URL=%s", bouncer_url(b, p->database)),
            fixture_text("%s=%s", names[i], pg_cluster_url(cluster, p->database, NULL)), NULL};
        p->url = NULL;
        p->env = env;
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_err(&r, names[i]);
        assert_out(&r, "2 migrations applied");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_string_equal(r.out, "nothing to do\n");
        assert_whole(p);
        p->env = NULL;
    }
    bouncer_stop(b);
}

static void a_pooler_of_whole_sessions_is_fine(void **state UNUSED)
{
    for (int size = 1; size <= 3; size++) {
        struct project *p = make();
        struct bouncer *b = bouncer_start(cluster, BOUNCER_SESSION, size);
        p->url = bouncer_url(b, p->database);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "2 migrations applied");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_string_equal(r.out, "nothing to do\n");
        assert_whole(p);
        bouncer_stop(b);
    }
}

static void nothing_of_a_run_stays_in_a_pooled_session(void **state UNUSED)
{
    struct project *p = make();
    struct bouncer *b = bouncer_start(cluster, BOUNCER_SESSION, 1);

    p->url = bouncer_url(b, p->database);
    project_write(p, "0003_set.sql", "SET search_path = nowhere;\nSET lock_timeout = '7s';\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    const char *const argv[] = {
        fixture_path(pg_cluster_bin(), "psql"),
        "-XAtq",
        "-c",
        "SELECT current_setting('search_path'), current_setting('lock_timeout'), "
        "current_setting('synchronous_commit')",
        p->url,
        NULL};
    struct program_result answer = run_argv(argv);
    assert_string_equal(answer.out, "\"$user\", public|0|on\n");
    program_result_release(&answer);
    assert_answer(p, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
    bouncer_stop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pooler_that_shares_sessions_is_refused),
        cmocka_unit_test(the_direct_url_of_the_environment_is_taken),
        cmocka_unit_test(a_pooler_of_whole_sessions_is_fine),
        cmocka_unit_test(nothing_of_a_run_stays_in_a_pooled_session),
    };

    return cmocka_run_group_tests_name("pooler", tests, start_cluster, NULL);
}
