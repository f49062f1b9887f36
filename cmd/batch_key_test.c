/* What an author asks for with `-- migrate: batch key=…`, and cannot have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

#define ASK(key) "SELECT 1;\n-- migrate: batch key=" key "\n"

static void what_is_asked_for_in_vain_is_an_error(void **state UNUSED)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {ASK("part") "UPDATE items SET state = 'x';\n",
         "no index of public.items begins with the columns (part)"},
        {ASK("id, part") "DELETE FROM items;\n", "begins with the columns (id, part)"},
        {ASK("state") "UPDATE items SET part = 1;\n", "begins with the columns (state)"},
        {ASK("id") "UPDATE items SET id = id + 1;\n", "it sets a column of the key"},
        {ASK("id") "DELETE FROM items RETURNING id;\n", "with WITH or RETURNING"},
        {ASK("id") "INSERT INTO items (id) VALUES (1);\n", "batches are for UPDATE and DELETE"},
    };
    static const char *const commands[] = {"plan", "apply"};
    struct project *p = project_make(cluster);
    project_execute(p, "CREATE TABLE items (id bigint PRIMARY KEY, part int NOT NULL, state text); "
                       "CREATE INDEX ON items (state); INSERT INTO items VALUES (1, 1, 'a')");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        project_write(p, "0001_change.sql", cases[i].text);
        for (size_t k = 0; k < ARRAY_LEN(commands); k++) {
            struct ran r = project_run(p, commands[k], NULL);
            assert_exit(&r, 2);
            assert_err(&r, "this statement cannot have the batches that are asked for");
            assert_err(&r, "0001_change.sql:3:1");
            assert_err(&r, cases[i].why);
        }
    }
    project_write(p, "0001_change.sql", ASK("id") "UPDATE items SET state = 'x';\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT state FROM items", "x");
    project_write(p, "0002_change.sql", ASK("nothing") "UPDATE items SET state = 'y';\n");
    r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_in_vain_is_an_error),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
