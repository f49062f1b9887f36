/* Down files, on both engines: what is taken back by them, what is asked first, runs that are cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"
#include "drivers/testkit/proxy.h"

static struct pg_cluster *cluster;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

#define LOSSY "--lossy", "--reason", "withdrawn"

static const char *state_of(const struct project *p, const char *version)
{
    static char sql[256];
    (void)snprintf(sql, sizeof(sql), "SELECT state FROM %s WHERE version = '%s'",
                   project_table(p, "history"), version);
    return project_query(p, sql);
}

static void apply(const struct project *p)
{
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
}

static void a_down_file_takes_the_last_migration_back(void **state)
{
    struct project *p = project_for(state, cluster);
    project_write(p, "1_one.up.sql", "CREATE TABLE one (id bigint PRIMARY KEY);\n");
    project_write(p, "1_one.down.sql", "DROP TABLE one;\n");
    project_write(p, "2_two.up.sql",
                  "CREATE TABLE two (id bigint);\nCREATE INDEX by_id ON one (id);\n");
    project_write(p, "2_two.down.sql", "DROP INDEX by_id;\nDROP TABLE two;\n");
    apply(p);
    const char *both = project_schema(p);
    struct ran r = project_run(p, "rollback", "1", LOSSY, NULL);
    assert_exit(&r, 3);
    assert_err(&r, "1 cannot be taken back: 2 was applied behind it");
    r = project_run(p, "rollback", "2", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "taking 2 back by its down file loses something");
    assert_err(&r, "2_two.down.sql");
    assert_err(&r, "Line 2: ");
    assert_string_equal(state_of(p, "2"), "applied");
    r = project_run(p, "rollback", "2", LOSSY, NULL);
    assert_exit(&r, 0);
    assert_string_equal(state_of(p, "2"), "rolled back");
    assert_whole(p);
    r = project_run(p, "rollback", "2", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "rollback", "1", LOSSY, NULL);
    assert_exit(&r, 0);
    assert_whole(p);
    apply(p);
    assert_string_equal(project_schema(p), both);
    assert_whole(p);
}

static void the_down_part_of_a_file_is_one(void **state)
{
    struct project *p = project_for(state, cluster);
    project_write(p, "1_one.sql",
                  "-- migrate:up\nCREATE TABLE one (id bigint);\n\n-- migrate:down\n"
                  "DROP TABLE one;\n");
    apply(p);
    struct ran r = project_run(p, "rollback", "1", LOSSY, NULL);
    assert_exit(&r, 0);
    assert_string_equal(state_of(p, "1"), "rolled back");
    apply(p);
    assert_string_equal(state_of(p, "1"), "rolled back\napplied");
    assert_whole(p);
}

static void what_fails_leaves_it_applied(void **state)
{
    struct project *p = project_for(state, cluster);
    project_write(p, "1_one.up.sql", "CREATE TABLE one (id bigint);\n");
    project_write(p, "1_one.down.sql", "DROP TABLE one;\nDROP TABLE one;\n");
    apply(p);
    struct ran r = project_run(p, "rollback", "1", LOSSY, NULL);
    assert_exit(&r, 1);
    assert_err(&r, "1_one.down.sql:2");
    assert_string_equal(state_of(p, "1"), "applied");
    assert_answer(p, "SELECT count(*) FROM one", "0");
    assert_whole(p);
}

static void without_a_down_file_there_is_no_way_back(void **state)
{
    struct project *p = project_for(state, cluster);
    project_write(p, "0001_one.sql", "CREATE TABLE one (id bigint);\n");
    apply(p);
    struct ran r = project_run(p, "rollback", "0001", LOSSY, NULL);
    assert_exit(&r, 2);
    assert_err(&r, "There is no down file with it");
    assert_err(&r, "Write what takes it back as another migration");
}

/* ---- cut off ---- */

static struct project *make_indexed(void)
{
    struct project *p = project_make(cluster);
    project_write(p, "1_one.up.sql",
                  "CREATE TABLE one (id bigint, n int);\nINSERT INTO one SELECT "
                  "g, g FROM generate_series(1, 1000) g;\n"
                  "CREATE INDEX by_n ON one (n);\nCREATE INDEX by_id ON one (id);\n");
    project_write(p, "1_one.down.sql",
                  "-- migrate: no-transaction\nDROP INDEX CONCURRENTLY by_n;\n"
                  "DROP INDEX CONCURRENTLY by_id;\nDROP TABLE one;\n");
    apply(p);
    return p;
}

static void a_cut_off_one_goes_on_behind_its_last_step(void **state UNUSED)
{
    static const struct {
        enum proxy_cut cut;
        const char *at;
    } cuts[] = {{PROXY_CUT_BEFORE, "COMMIT"}, {PROXY_CUT_AFTER_ANSWER, "DROP INDEX"}};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct project *p = make_indexed();
        fixture_write(p->home, "migrator.yml", "locks: { attempts: 1000, budget: 60s }\n");
        for (unsigned nth = 1, is_cut = 1; is_cut; nth++) {
            struct proxy *proxy = proxy_start(cluster);
            const char *direct = p->url;
            p->url = proxy_url(proxy, p->database, NULL);
            proxy_cut_at_nth_text(proxy, cuts[i].cut, cuts[i].at, nth);
            struct ran r = project_run(p, "rollback", "1", LOSSY, NULL);
            is_cut = proxy_cuts(proxy) > 0;
            proxy_stop(proxy);
            p->url = direct;
            if (!is_cut)
                assert_exit(&r, 0);
        }
        assert_string_equal(state_of(p, "1"), "rolled back");
        assert_answer(p, "SELECT to_regclass('one') IS NULL", "t");
        assert_whole(p);
    }
}

/* A statement of which nothing tells whether it happened. */
static void what_nobody_knows_of_is_settled_by_a_person(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    project_write(
        p, "1_one.up.sql",
        "CREATE TABLE one (id bigint);\n"
        "CREATE PROCEDURE note(n int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO one VALUES (n); "
        "COMMIT; END $$;\n");
    project_write(p, "1_one.down.sql",
                  "-- migrate: no-transaction\nCALL note(1);\n"
                  "DROP TABLE one;\n");
    apply(p);
    for (int is_applied = 0; is_applied < 2; is_applied++) {
        struct proxy *proxy = proxy_start(cluster);
        const char *direct = p->url;
        p->url = proxy_url(proxy, p->database, NULL);
        /* The first one is the intent. */
        proxy_cut_at_nth_text(proxy, PROXY_CUT_AFTER_ANSWER, "CALL note", 2);
        struct ran r = project_run(p, "rollback", "1", LOSSY, NULL);
        assert_true(proxy_cuts(proxy) > 0);
        assert_true(r.exit_code != 0);
        proxy_stop(proxy);
        p->url = direct;
        r = project_run(p, "status", NULL);
        assert_out(&r, "rolling back");
        r = project_run(p, "rollback", "1", LOSSY, NULL);
        assert_exit(&r, 5);
        assert_err(&r, "migrate resolve 1 --applied");
        r = project_run(p, "resolve", "1", is_applied ? "--applied" : "--not-applied", "--reason",
                        "seen", NULL);
        assert_exit(&r, 0);
    }
    struct ran r = project_run(p, "resolve", "1", "--applied", "--reason", "seen", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "Go on: migrate rollback 1");
    project_write(p, "1_one.down.sql",
                  "-- migrate: no-transaction\nCALL note(2);\n"
                  "DROP TABLE one;\n");
    r = project_run(p, "rollback", "1", LOSSY, NULL);
    assert_exit(&r, 4);
    assert_err(&r, "1_one.down.sql was edited since it was begun");
    project_write(p, "1_one.down.sql",
                  "-- migrate: no-transaction\nCALL note(1);\n"
                  "DROP TABLE one;\n");
    r = project_run(p, "rollback", "1", NULL);
    assert_exit(&r, 0);
    assert_string_equal(state_of(p, "1"), "rolled back");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_down_file_takes_the_last_migration_back),
        ON_BOTH(the_down_part_of_a_file_is_one),
        ON_BOTH(what_fails_leaves_it_applied),
        ON_BOTH(without_a_down_file_there_is_no_way_back),
        cmocka_unit_test(a_cut_off_one_goes_on_behind_its_last_step),
        cmocka_unit_test(what_nobody_knows_of_is_settled_by_a_person),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
