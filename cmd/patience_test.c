/*
 * Statements that wait for others by nature, end to end on PostgreSQL: for whom is told, and the wait ends.
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

static const char indexes[] =
    "SELECT coalesce(string_agg(indexrelid::regclass || ':' || indisvalid, ' '), '') FROM pg_index "
    "JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace";

static struct project *make(void)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE users (id int, email text)");
    return p;
}

static void it_is_told_for_whom_it_waits(void **state UNUSED)
{
    struct project *p = make();
    struct blocker *b = blocker_start(p, "INSERT INTO users VALUES (0, 'blocker')");

    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "0001: CREATE INDEX has waited "));
    blocker_stop(b);
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_err(&r, " (waiting for writers before build) for process ");
    assert_err(&r, "(role postgres, application blocker_");
    assert_answer(p, indexes, "users_email:true");
    assert_whole(p);
}

/* An old snapshot of another table: the index can be removed while it is there. */
static void in_the_end_it_is_given_up_and_cleaned_up(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "CREATE TABLE other (id int)");
    fixture_write(p->home, "migrator.yml",
                  "migrations: migrations\nlocks: { concurrently_wait: 1s }\n");
    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct blocker *b = blocker_start(
        p, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 6);
    assert_err(&r, "gave up waiting for others after ");
    assert_err(&r, "in the way: process ");
    assert_err(&r, "(role postgres, application blocker_");
    assert_err(&r, "locks.concurrently_wait in migrator.yml");
    assert_answer(p, indexes, "");
    assert_whole(p);
    blocker_stop(b);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, indexes, "users_email:true");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_for_whom_it_waits),
        cmocka_unit_test(in_the_end_it_is_given_up_and_cleaned_up),
    };

    return cmocka_run_group_tests_name("patience", tests, start_cluster, NULL);
}
