/*
 * Statements that refuse a transaction, end to end on PostgreSQL: they run on their own, leave no
 * invalid index, and are resumed wherever the run before was cut off.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"
#include "drivers/testkit/proxy.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static const char indexes[] =
    "SELECT coalesce(string_agg(indexrelid::regclass || ':' || indisvalid, ' ' "
    "ORDER BY indexrelid::regclass::text), '') FROM pg_index JOIN pg_class c "
    "ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace";

static struct project *make(void)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE users (id int, email text); "
                       "INSERT INTO users SELECT n, 'user' || n FROM generate_series(1, 1000) n");
    return p;
}

static void an_index_is_built_concurrently(void **state UNUSED)
{
    struct project *p = make();

    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    project_write(p, "0002_id.sql",
                  "CREATE INDEX CONCURRENTLY ON users (id);\n"
                  "DROP INDEX CONCURRENTLY users_email;\n"
                  "REINDEX INDEX CONCURRENTLY users_id_idx;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, indexes, "users_id_idx:true");
    assert_answer(p, "SELECT version, units_done FROM migrator.history ORDER BY 1",
                  "0001|1\n0002|3");
    assert_whole(p);
}

static void a_unique_violation_leaves_no_invalid_index(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "INSERT INTO users VALUES (1001, 'user7')");
    project_write(p, "0001_email.sql",
                  "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1); /* the target is as it was */
    assert_err(&r, "SQLSTATE 23505");
    assert_err(&r, "users_email");
    assert_err(&r, "detail: Key (email)=(user7) is duplicated.");
    assert_err(&r, "migrations/0001_email.sql:1");
    assert_answer(p, indexes, "");
    assert_whole(p);
    project_execute(p, "DELETE FROM users WHERE id = 1001");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, indexes, "users_email:true");
    assert_whole(p);
}

/* The end state that such a statement aims at may hold before it for another reason: an index of that
   name on other columns, a name that was never there. The server says no, now and the next time. */
static void a_refused_statement_is_never_taken_for_done(void **state UNUSED)
{
    static const char *const statements[] = {
        "CREATE INDEX CONCURRENTLY taken ON users (email);\n",
        "DROP INDEX CONCURRENTLY never_there;\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        struct project *p = make();

        project_execute(p, "CREATE INDEX taken ON users (id)");
        project_write(p, "0001_one.sql", statements[i]);
        for (int run = 0; run < 2; run++) {
            struct ran r = project_run(p, "apply", NULL);
            assert_exit(&r, 1);
            assert_answer(p, indexes, "taken:true");
            assert_answer(p, "SELECT state FROM migrator.history", "incomplete");
        }
        assert_whole(p);
    }
}

static void a_failed_index_may_be_written_otherwise(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "INSERT INTO users VALUES (1001, 'user7')");
    project_write(p, "0001_email.sql",
                  "CREATE TABLE first (id int);\n"
                  "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_answer(p, indexes, "");
    assert_answer(p, "SELECT count(*) FROM first", "0");
    project_write(p, "0001_email.sql",
                  "CREATE TABLE first (id int);\n"
                  "CREATE INDEX CONCURRENTLY users_email ON users (email);\n"
                  "INSERT INTO first VALUES (1);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, indexes, "users_email:true");
    assert_answer(p, "SELECT count(*) FROM first", "1");
    assert_whole(p);
}

/* A transaction that wrote the table makes the build wait. */
static struct blocker *block(const struct project *p)
{
    return blocker_start(p, "INSERT INTO users VALUES (0, 'blocker')");
}

static void killed_while_it_builds_the_index_is_built_again(void **state UNUSED)
{
    struct project *p = make();
    struct blocker *b = block(p);

    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "CREATE INDEX CONCURRENTLY");
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "incomplete");
    blocker_stop(b);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, indexes, "users_email:true");
    assert_answer(p, "SELECT state FROM migrator.history", "applied");
    assert_whole(p);
}

static void stopped_while_it_builds_no_index_is_left(void **state UNUSED)
{
    struct project *p = make();
    struct blocker *b = block(p);

    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "CREATE INDEX CONCURRENTLY");
    program_signal(program, SIGTERM);
    assert_true(pg_cluster_wait_for(
        cluster, "postgres",
        fixture_text("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                     "'%s' AND state = 'active' AND query LIKE 'CREATE INDEX%%'",
                     p->database),
        "0"));
    blocker_stop(b); /* dropping what is left waits for the same transaction */
    struct ran r = project_finish(program);
    assert_exit(&r, 143);
    assert_answer(p, indexes, "");
    assert_whole(p);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, indexes, "users_email:true");
    assert_whole(p);
}

/* The clean-up waits for the same transaction as the build, and is stopped, too: the next run knows
   which leftover is ours. */
struct stopped {
    const char *sql;
    const char *slow;    /* how the statement begins */
    const char *indexes; /* at the end */
};

static const struct stopped stopped[] = {
    {"CREATE INDEX CONCURRENTLY users_email ON users (email);\n", "CREATE INDEX CONCURRENTLY",
     "users_email:true users_id:true"},
    {"CREATE INDEX CONCURRENTLY ON users (email);\n", "CREATE INDEX CONCURRENTLY",
     "users_email_idx:true users_id:true"},
    {"REINDEX TABLE CONCURRENTLY users;\n", "REINDEX TABLE", "users_id:true"},
};

static void a_clean_up_that_is_stopped_is_done_by_the_next_run(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(stopped); i++) {
        struct project *p = make();

        print_message("%s", stopped[i].sql);
        project_execute(p, "CREATE INDEX users_id ON users (id)");
        struct blocker *b = block(p);
        project_write(p, "0001_one.sql", stopped[i].sql);
        struct program *program = project_start(p, "apply", NULL);
        project_wait_until_slow(p, program, stopped[i].slow);
        program_signal(program, i % 2 ? SIGINT : SIGTERM);
        struct ran r = project_finish(program);
        assert_exit(&r, i % 2 ? 130 : 143);
        assert_err(&r, "could not clean up behind 0001");
        assert_answer(p,
                      "SELECT count(*) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE "
                      "NOT indisvalid AND relnamespace = 'public'::regnamespace",
                      "1");
        blocker_stop(b);
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(p, indexes, stopped[i].indexes);
        assert_whole(p);
    }
}

struct lost_answer {
    const char *name;
    const char *sql;
    const char *text; /* where the connection is cut */
    const char *indexes;
};

static const struct lost_answer lost_answers[] = {
    {"create", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
     "CREATE INDEX CONCURRENTLY", "users_email:true users_id:true"},
    {"create without a name", "CREATE INDEX CONCURRENTLY ON users (email);\n",
     "CREATE INDEX CONCURRENTLY", "users_email_idx:true users_id:true"},
    {"drop", "DROP INDEX CONCURRENTLY users_id;\n", "DROP INDEX CONCURRENTLY users_id", ""},
    {"reindex", "REINDEX INDEX CONCURRENTLY users_id;\n", "REINDEX INDEX", "users_id:true"},
};

/* nth: 1 is the intent, which holds the text of the statement, 2 the statement, 3 its entry. */
static void lose_answer(const struct lost_answer *c, enum proxy_cut cut, unsigned nth)
{
    struct project *p = make();
    struct proxy *proxy = proxy_start(cluster);

    print_message("%s, cut %d at %u\n", c->name, (int)cut, nth);
    project_execute(p, "CREATE INDEX users_id ON users (id)");
    project_write(p, "0001_index.sql", c->sql);
    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, cut, c->text, nth);
    struct ran r = project_run(p, "apply", NULL);
    assert_int_equal(proxy_cuts(proxy), 1);
    if (nth == 2)
        assert_true(r.exit_code != 0);
    if (r.exit_code != 0) {
        assert_not_out(&r, "applied  0001");
        r = project_run(p, "apply", NULL);
    }
    assert_exit(&r, 0);
    assert_answer(p, indexes, c->indexes);
    assert_answer(p, "SELECT state FROM migrator.history", "applied");
    assert_whole(p);
    proxy_stop(proxy);
}

static void when_the_answer_is_lost_the_catalog_tells(void **state UNUSED)
{
    static const enum proxy_cut cuts[] = {PROXY_CUT_BEFORE, PROXY_CUT_AFTER_SEND,
                                          PROXY_CUT_AFTER_ANSWER};

    for (size_t i = 0; i < ARRAY_LEN(lost_answers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(cuts); k++) {
            for (unsigned nth = 1; nth <= 3; nth++)
                lose_answer(&lost_answers[i], cuts[k], nth);
        }
    }
}

/* ---------------------------------------------------------------- units of several kinds in a file */

/* Sleeps where the table "gate" says so. */
static void set_gate(const struct project *p, int step)
{
    project_execute(p, fixture_text("DROP TABLE IF EXISTS gate; CREATE TABLE gate (step int); "
                                    "INSERT INTO gate VALUES (%d)",
                                    step));
}

static void write_mixed(const struct project *p)
{
    project_write(p, "0001_mixed.sql",
                  "CREATE TABLE log (what text);\n"
                  "INSERT INTO log VALUES ('one');\n"
                  "SELECT pg_sleep(600) FROM gate WHERE step = 1;\n"
                  "CREATE INDEX CONCURRENTLY users_email ON users (email);\n"
                  "INSERT INTO log VALUES ('three');\n"
                  "SELECT pg_sleep(600) FROM gate WHERE step = 3;\n"
                  "VACUUM users;\n"
                  "INSERT INTO log VALUES ('five');\n"
                  "SELECT pg_sleep(600) FROM gate WHERE step = 5;\n");
}

static void a_mixed_file_killed_at_each_step_goes_on(void **state UNUSED)
{
    static const char *const waits[] = {NULL,       "step = 1", "CREATE INDEX CONCURRENTLY",
                                        "step = 3", NULL,       "step = 5"};
    struct project *p = make();

    write_mixed(p);
    for (int step = 1; step <= 5; step++) {
        if (!waits[step])
            continue;
        print_message("step %d\n", step);
        set_gate(p, step);
        struct blocker *b = step == 2 ? block(p) : NULL;
        struct program *program = project_start(p, "apply", NULL);
        project_wait_until_slow(p, program, waits[step]);
        program_signal(program, SIGKILL);
        (void)project_finish(program);
        if (b)
            blocker_stop(b);
        struct ran r = project_run(p, "status", "--exit-code", NULL);
        assert_exit(&r, 10);
        assert_whole(p);
        /* The server notices, and lets go of "gate". */
        assert_true(pg_cluster_wait_for(
            cluster, "postgres",
            fixture_text("SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND "
                         "application_name LIKE 'migrate%%'",
                         p->database),
            "0"));
    }
    set_gate(p, 0);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "(resumed)");
    assert_answer(p, "SELECT string_agg(what, ' ') FROM log", "one three five");
    assert_answer(p, indexes, "users_email:true");
    assert_answer(p, "SELECT state, units_done FROM migrator.history", "applied|5");
    assert_whole(p);
}

static void a_set_in_front_counts_when_a_file_is_resumed(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "CREATE SCHEMA app; CREATE TABLE app.t (id int)");
    project_write(p, "0001_set.sql",
                  "SET search_path = app;\nCREATE TABLE one (id int);\n"
                  "CREATE INDEX CONCURRENTLY t_id ON t (id);\n"
                  "CREATE TABLE two (id int);\nSELECT 1 / 0;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    project_write(p, "0001_set.sql",
                  "SET search_path = app;\nCREATE TABLE one (id int);\n"
                  "CREATE INDEX CONCURRENTLY t_id ON t (id);\n"
                  "CREATE TABLE two (id int);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p,
                  "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE "
                  "relnamespace = 'app'::regnamespace",
                  "one t t_id two");
    assert_whole(p);
}

static void what_no_catalog_can_tell_a_person_resolves(void **state UNUSED)
{
    struct project *p = make();
    struct proxy *proxy = proxy_start(cluster);

    project_execute(
        p, "CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO users VALUES "
           "(-1, 'x'); COMMIT; INSERT INTO users VALUES (-2, 'x'); END $$");
    project_write(p, "0001_call.sql", "-- migrate: no-transaction\nCALL twice();\n");
    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, PROXY_CUT_AFTER_ANSWER, "CALL twice", 2);
    struct ran r = project_run(p, "apply", NULL);
    assert_int_equal(proxy_cuts(proxy), 1);
    assert_exit(&r, 5);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_err(&r, "cannot tell whether");
    assert_err(&r, "migrate resolve 0001");
    assert_answer(p, "SELECT count(*) FROM users WHERE id < 0", "2");
    r = project_run(p, "resolve", "0001", "--applied", NULL);
    assert_exit(&r, 2); /* without a reason */
    r = project_run(p, "resolve", "0001", "--applied", "--reason", "both rows are there", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "CALL twice()");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_answer(p, "SELECT count(*) FROM users WHERE id < 0", "2");
    assert_whole(p);
    proxy_stop(proxy);
}

/* ------------------------------------------------------------------------- limits, and trying again */

static void the_limits_of_a_file_hold_outside_transactions_too(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE seen (n serial, lock text, statement text);"
                       "CREATE PROCEDURE see() BEGIN ATOMIC INSERT INTO seen (lock, statement) "
                       "SELECT current_setting('lock_timeout'), "
                       "current_setting('statement_timeout'); END");
    project_write(p, "0001_limits.sql",
                  "-- migrate: no-transaction\n"
                  "-- migrate: timeout lock=1234ms statement=5678ms\n"
                  "CALL see();\nSET lock_timeout TO '77ms';\nCALL see();\n");
    project_write(p, "0002_none.sql", "-- migrate: no-transaction\nCALL see();\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    /* What the file sets itself is the more exact word. */
    assert_answer(p, "SELECT lock, statement FROM seen ORDER BY n",
                  "1234ms|5678ms\n77ms|5678ms\n400ms|0");
    project_write(p, "0003_slow.sql",
                  "-- migrate: timeout statement=50ms\nVACUUM seen;\n"
                  "-- the second one\nCREATE INDEX CONCURRENTLY seen_slow ON seen ((slow(n)));\n");
    project_execute(p, "CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
                       "$$ BEGIN PERFORM pg_sleep(20); RETURN 1; END $$");
    r = project_run(p, "apply", NULL);
    assert_err(&r, "SQLSTATE 57014");
    assert_whole(p);
}

static void outside_a_transaction_a_lock_is_asked_for_again(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE busy (id int)");
    project_write(p, "0001_vacuum.sql", "-- migrate: timeout lock=100ms\nVACUUM busy;\n");
    struct blocker *b = blocker_start(p, "LOCK TABLE busy");
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "try 3 of 12"));
    blocker_stop(b);
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_err(&r, "in the way: process ");
    assert_not_err(&r, "rolled back");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limits_of_a_file_hold_outside_transactions_too),
        cmocka_unit_test(outside_a_transaction_a_lock_is_asked_for_again),
        cmocka_unit_test(an_index_is_built_concurrently),
        cmocka_unit_test(a_unique_violation_leaves_no_invalid_index),
        cmocka_unit_test(a_refused_statement_is_never_taken_for_done),
        cmocka_unit_test(a_failed_index_may_be_written_otherwise),
        cmocka_unit_test(killed_while_it_builds_the_index_is_built_again),
        cmocka_unit_test(stopped_while_it_builds_no_index_is_left),
        cmocka_unit_test(a_clean_up_that_is_stopped_is_done_by_the_next_run),
        cmocka_unit_test(when_the_answer_is_lost_the_catalog_tells),
        cmocka_unit_test(a_mixed_file_killed_at_each_step_goes_on),
        cmocka_unit_test(a_set_in_front_counts_when_a_file_is_resumed),
        cmocka_unit_test(what_no_catalog_can_tell_a_person_resolves),
    };

    return cmocka_run_group_tests_name("concurrently", tests, start_cluster, NULL);
}
