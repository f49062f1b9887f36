/* Locks of others: whom a run waits for, how often it asks again, and when it gives up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

/* What pg_advisory_unlock_all() in a migration does to the run lock. */
static void a_run_lock_that_is_let_go_is_taken_back_or_the_run_ends(void **state UNUSED)
{
    static const char take[] =
        "SELECT pg_advisory_lock(('x' || left(h, 8))::bit(32)::int, ('x' || substr(h, 9, "
        "8))::bit(32)::int) FROM encode(sha256('migrate:migrator'), 'hex') AS h";
    struct project *p = project_make(cluster);

    project_write(p, "0001_a.sql", "SELECT pg_advisory_unlock_all();\nCREATE TABLE a (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "let the run lock go");
    /* 0003 stays behind its first statement until somebody else has the lock. */
    project_execute(p, "CREATE TABLE gate ()");
    project_write(p, "0002_b.sql", "CREATE TABLE b (id int);\n");
    project_write(p, "0003_c.sql",
                  "SELECT pg_advisory_unlock_all();\n"
                  "DO $$ BEGIN WHILE to_regclass('gate') IS NOT NULL AND NOT EXISTS "
                  "(SELECT FROM pg_locks WHERE locktype = 'advisory') LOOP PERFORM pg_sleep(0.02); "
                  "END LOOP; END $$;\n"
                  "CREATE TABLE c (id int);\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "WHILE to_regclass");
    struct blocker *b = blocker_start(p, take);
    r = project_finish(program);
    assert_exit(&r, 5);
    assert_err(&r, "another run has taken it");
    assert_err(&r, "Applied by this run: 1 of 2.");
    assert_answer(p, "SELECT to_regclass('b') IS NULL, to_regclass('c') IS NULL", "f|t");
    blocker_stop(b);
    project_execute(p, "DROP TABLE gate");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* Who is in the way is looked for in the second half of a lock timeout. A busy machine needs more than that
   of a short one, so that a longer one is tried until all are seen. */
static const char *const timeouts[] = {"100ms", "1s", "10s"};

static size_t count_text(const char *in, const char *text)
{
    size_t count = 0;

    for (const char *at = in; (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

static void write_locks(const struct project *p, const char *timeout, int attempts)
{
    fixture_write(p->home, "migrator.yml",
                  fixture_text("migrations: migrations\n"
                               "locks: { timeout: %s, attempts: %d, budget: 10m }\n",
                               timeout, attempts));
}

static struct project *make_busy(const char *timeout)
{
    struct project *p = project_make(cluster);

    write_locks(p, timeout, 3);
    project_execute(p, "CREATE TABLE busy (id int)");
    /* Behind a change of rows the statement asks for the table itself, in the queue: locks_test.c has
       what is asked for in front of a unit. */
    project_write(p, "0001_a.sql",
                  "CREATE TABLE a (id int); INSERT INTO a VALUES (1);\n"
                  "ALTER TABLE busy ADD COLUMN b int;\n");
    return p;
}

static void a_lock_that_is_held_is_asked_for_again_and_then_given_up(void **state UNUSED)
{
    struct project *p = NULL;
    struct blocker *b = NULL;
    struct ran r = {.err = ""};

    /* Who is in the way stands in each line about a try, and in the failure. */
    for (size_t i = 0; i < ARRAY_LEN(timeouts) && count_text(r.err, "in the way: ") < 3; i++) {
        if (b)
            blocker_stop(b);
        p = make_busy(timeouts[i]);
        b = blocker_start(p, "SELECT count(*) FROM busy");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 6);
    }
    assert_err(&r, "SQLSTATE 55P03");
    assert_err(&r, "migrations/0001_a.sql:2");
    assert_err(&r, "try 3 of 3");
    assert_err(&r, "in the way: process ");
    assert_int_equal(count_text(r.err, "in the way: "), 3);
    assert_err(&r, ", its transaction open for ");
    assert_err(&r, "rolled back, try 2 of 3");
    assert_err(&r, "It waited for AccessExclusiveLock on table public.busy.");
    assert_err(&r, "detail: Process ");
    assert_err(&r, "holds AccessShareLock, statement: SELECT pg_sleep($1).");
    assert_err(&r, "hint: ");
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname = 'a'", "0");
    assert_answer(p, "SELECT string_agg(kind, ', ' ORDER BY id) FROM migrator.event",
                  "run started, retried, retried, failed, run finished");
    assert_whole(p);
    blocker_stop(b);
}

static void a_lock_that_is_let_go_is_taken_by_the_next_try(void **state UNUSED)
{
    struct project *p = make_busy("100ms");
    struct blocker *b = blocker_start(p, "SELECT count(*) FROM busy");

    write_locks(p, "100ms", 1000);
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "try 2 of 1000"));
    blocker_stop(b);
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(b) FROM busy", "0");
    assert_whole(p);
}

/* 0003 is under way when COMMIT of 0002 waits for a row. */
static void a_commit_that_meets_a_lock_is_tried_again_as_its_own_migration(void **state UNUSED)
{
    struct project *p = NULL;
    struct blocker *b = NULL;
    struct ran r = {.err = ""};

    for (size_t i = 0; i < ARRAY_LEN(timeouts) && count_text(r.err, "in the way: ") < 2; i++) {
        if (b)
            blocker_stop(b);
        p = project_make(cluster);
        write_locks(p, timeouts[i], 2);
        project_execute(
            p, "CREATE TABLE busy (id int PRIMARY KEY); INSERT INTO busy VALUES (1);"
               "CREATE TABLE child (id int REFERENCES busy DEFERRABLE INITIALLY DEFERRED)");
        project_write(p, "0001_a.sql", "CREATE TABLE a (id int);\n");
        project_write(p, "0002_b.sql", "INSERT INTO child VALUES (1);\n");
        project_write(p, "0003_c.sql", "CREATE TABLE c (id int);\n");
        b = blocker_start(p, "UPDATE busy SET id = 2");
        r = project_run(p, "apply", "-vv", NULL);
        assert_exit(&r, 5);
    }
    assert_out(&r, "applied  0001");
    assert_not_out(&r, "applied  0002");
    assert_err(&r, "0002: canceling statement due to lock timeout; in the way: process ");
    assert_err(&r, "It waited for a row of table public.busy that another transaction has changed");
    assert_err(&r, "while committing");
    assert_err(&r, "Applied by this run: 1 of 3. 0002 is not applied");
    assert_err(&r, "COMMIT  ("); /* of 0001, with how long it took; that of 0002: */
    assert_err(&r, ", with what follows)");
    assert_err(&r, ", failed)");
    assert_not_err(&r, "CREATE TABLE c (id int)  ("); /* it was skipped */
    assert_answer(p,
                  "SELECT string_agg(kind || ' ' || version, ', ' ORDER BY id) FROM migrator.event",
                  "run started , applied 0001, retried 0002, failed 0002, run finished ");
    blocker_stop(b);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM child, c", "0");
    assert_whole(p);
}

static void a_statement_of_another_sqlite_program_is_waited_for(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    const char *const argv[] = {"sqlite3", "-batch", "-init", "/dev/null", p->database, NULL};
    const char *go_on = fixture_path(p->home, "go_on");

    project_execute(p, "CREATE TABLE busy (id integer)");
    project_write(p, "0001_a.sql", "INSERT INTO busy VALUES (1);\n");
    struct program *other = program_start(&(struct program_options){
        .argv = argv,
        .input = fixture_text("BEGIN IMMEDIATE;\nINSERT INTO busy VALUES (2);\n"
                              ".shell echo locked; while [ ! -e %s ]; do sleep 0.02; done\n"
                              "COMMIT;\n",
                              go_on)});
    assert_true(program_wait_for_text(other, "locked"));
    struct ran r = project_run(p, "apply", "--wait", "0", NULL);
    assert_exit(&r, 6);
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "waiting for another run: "));
    fixture_write(p->home, "go_on", "");
    r = project_finish(program);
    struct program_result ended = program_finish(other);
    assert_int_equal(ended.exit_code, 0);
    program_result_release(&ended);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM busy", "2");
    assert_whole(p);
}

static void an_exclusive_lock_is_waited_for_as_long_as_is_said(void **state UNUSED)
{
    static const char *const waits[] = {"0", "1s"};
    struct project *p = project_make(NULL);
    sqlite3 *other;

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    assert_int_equal(sqlite3_open(p->database, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        struct ran r = project_run(p, "apply", "--wait", waits[i], NULL);
        assert_exit(&r, 6);
        assert_err(&r, "--wait");
        assert_true(r.duration_us >= (int64_t)i * 1000000);
    }
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    struct ran r = project_run(p, "apply", "--wait", "0", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_lock_that_is_let_go_is_taken_back_or_the_run_ends),
        cmocka_unit_test(a_lock_that_is_held_is_asked_for_again_and_then_given_up),
        cmocka_unit_test(a_lock_that_is_let_go_is_taken_by_the_next_try),
        cmocka_unit_test(a_commit_that_meets_a_lock_is_tried_again_as_its_own_migration),
        cmocka_unit_test(a_statement_of_another_sqlite_program_is_waited_for),
        cmocka_unit_test(an_exclusive_lock_is_waited_for_as_long_as_is_said),
    };

    return cmocka_run_group_tests_name("waits", tests, start_cluster, NULL);
}
