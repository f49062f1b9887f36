/*
 * Steps that are taken back, on a real server: what a later step has taken along is not missed, and what is
 * left is what was there before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/state_testing.h"

static struct pg_cluster *cluster;
static struct arena *arena;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    arena = arena_make();
    return 0;
}

static int end(void **state UNUSED)
{
    arena_release(arena);
    return 0;
}

static const char schema[] =
    "CREATE TABLE towns (id int PRIMARY KEY, name text);"
    "CREATE TABLE people (id int, name text, town int);"
    "CREATE TABLE streets (id int, name text);"
    "CREATE TABLE anchor (id int);"
    "INSERT INTO anchor VALUES (1);"
    "INSERT INTO towns SELECT n, 'town ' || n FROM generate_series(1, 20) n;"
    "INSERT INTO people SELECT n, 'p' || n, n FROM generate_series(1, 20) n;"
    "INSERT INTO streets SELECT n, 's' || n FROM generate_series(1, 20) n;"
    "ANALYZE";

static struct project *make(const char *migration)
{
    struct project *p = project_make(cluster);

    project_execute(p, schema);
    project_write(p, "0001_case.sql", migration);
    return p;
}

/* The last statement waits for its contract, so that there is a way back. */
static void a_rollback_does_not_miss_what_a_later_step_took_along(void **state UNUSED)
{
    static const char *const migrations[] = {
        /* DROP CONSTRAINT takes the index of the first step along. */
        "ALTER TABLE people ADD CONSTRAINT one UNIQUE (name), ADD FOREIGN KEY (town) REFERENCES "
        "towns;\n",
        /* The proof of NOT NULL is dropped by the step behind it. */
        "ALTER TABLE people ADD CONSTRAINT one UNIQUE (name), ADD PRIMARY KEY (id);\n"
        "ALTER TABLE streets ALTER name SET NOT NULL, ADD CHECK (id > 0);\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(migrations); i++) {
        struct project *p =
            make(fixture_text("%sALTER TABLE anchor RENAME TO anchored;\n", migrations[i]));
        const char *before = state_of(arena, p);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "expanded  0001");
        r = project_run(p, "rollback", "0001", NULL);
        assert_exit(&r, 0);
        assert_string_equal(state_difference(arena, before, state_of(arena, p)), "");
        assert_whole(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rollback_does_not_miss_what_a_later_step_took_along),
    };
    return cmocka_run_group_tests(tests, start, end);
}
