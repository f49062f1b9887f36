/*
 * Statements of which only the catalog tells that they refuse a transaction, end to end: they run outside of
 * one without being told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static const char tables[] = "CREATE TABLE p (a integer) PARTITION BY LIST (a);\n"
                             "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);\n"
                             "CREATE INDEX p_a ON p (a);\n"
                             "CREATE TABLE plain (a integer);\n"
                             "CREATE INDEX plain_a ON plain (a);\n";
static const char procedures[] =
    "CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$\n"
    "BEGIN INSERT INTO plain VALUES (1); COMMIT; INSERT INTO plain VALUES (2); END $$;\n"
    "CREATE PROCEDURE once() LANGUAGE sql AS 'INSERT INTO plain VALUES (3)';\n";

static const char *const files[][2] = {
    {"0003_reindex.sql", "INSERT INTO p VALUES (1);\nREINDEX TABLE p;\nREINDEX INDEX p_a;\n"
                         "INSERT INTO p VALUES (1);\n"},
    {"0004_cluster.sql", "CLUSTER p USING p_a;\n"},
    {"0005_call.sql", "CALL twice();\nCALL once();\n"},
};

/* The tables were there before, or are made by the same run; what is found to wait is rewritten or not. */
static void what_the_catalog_tells_runs_outside_transactions(void **state UNUSED)
{
    for (int how = 0; how < 3; how++) {
        struct project *p = project_make(cluster);
        const char *rewrite = how == 2 ? "off" : "auto";
        project_write(p, "0001_tables.sql", tables);
        project_write(p, "0002_procedures.sql", procedures);
        struct ran r;
        if (how) {
            r = project_run(p, "apply", NULL);
            assert_exit(&r, 0);
        }
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
            /* Partitioned tables are clustered from 15 on. */
            if (i != 1 || pg_cluster_version(cluster) >= 150000)
                project_write(p, files[i][0], files[i][1]);
        }
        r = project_run(p, "apply", "--rewrite", rewrite, NULL);
        assert_exit(&r, 0);
        assert_answer(p, "SELECT count(*), (SELECT sum(a) FROM plain) FROM p", "2|6");
        assert_answer(p,
                      "SELECT version, units_done FROM migrator.history WHERE version IN ('0003', "
                      "'0005') ORDER BY version",
                      "0003|4\n0005|2");
        assert_whole(p);
    }
}

/* What refuses none stays in the transaction of its file. */
static void what_refuses_no_transaction_stays_in_it(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    project_write(p, "0001_tables.sql", tables);
    project_write(p, "0002_procedures.sql", procedures);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_write(p, "0003_plain.sql",
                  "REINDEX TABLE plain;\nCLUSTER plain USING plain_a;\nCALL once();\n"
                  "INSERT INTO nowhere VALUES (1);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_answer(p, "SELECT count(*) FROM plain", "0");
    project_write(p, "0003_plain.sql",
                  "REINDEX TABLE plain;\nCLUSTER plain USING plain_a;\nCALL once();\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT units_done FROM migrator.history WHERE version = '0003'", "1");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_catalog_tells_runs_outside_transactions),
        cmocka_unit_test(what_refuses_no_transaction_stays_in_it),
    };

    return cmocka_run_group_tests_name("alone by catalog", tests, start_cluster, NULL);
}
