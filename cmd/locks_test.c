/*
 * Tables that others use while a migration wants them for itself, end to end on PostgreSQL: nobody queues
 * behind a run that cannot have them, who is in the way is named, and nothing is changed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    static const struct pg_cluster_options options = {
        .settings = "autovacuum = on\nautovacuum_naptime = 1s\n"};
    cluster = pg_cluster_start(&options);
    return 0;
}

static struct project *make(const char *locks)
{
    struct project *p = project_make(cluster);

    fixture_write(p->home, "migrator.yml",
                  fixture_text("migrations: migrations\nlocks: { %s }\n", locks));
    project_execute(p, "CREATE TABLE users (id int PRIMARY KEY, name text);"
                       "CREATE TABLE orders (id int PRIMARY KEY, user_id int)");
    return p;
}

/* ---- sessions of others ---- */

/* A session that has done something in a transaction, and thinks. */
static struct program *think(const struct project *p, const char *name, const char *sql)
{
    const char *const argv[] = {fixture_path(pg_cluster_bin(), "psql"),
                                "-Xq",
                                "-c",
                                "BEGIN",
                                "-c",
                                sql,
                                "-f",
                                "-", /* nobody writes there until the end */
                                pg_cluster_url(p->cluster, p->database, NULL),
                                NULL};
    const char *const env[] = {fixture_text("PGAPPNAME=%s", name), NULL};
    struct program *program =
        program_start(&(struct program_options){.argv = argv, .env = env, .timeout_ms = INT32_MAX});
    const char *state = fixture_text("SELECT count(*) FROM pg_stat_activity WHERE application_name "
                                     "= '%s' AND state = 'idle in transaction' AND query = '%s'",
                                     name, sql);
    assert_true(pg_cluster_wait_for(p->cluster, p->database, state, "1"));
    return program;
}

static void end(struct program *program)
{
    struct program_result r = program_finish(program);
    assert_int_equal(r.exit_code, 0);
    program_result_release(&r);
}

/* The run has asked for its tables, and was refused. */
static void wait_until_refused(const struct project *p)
{
    const char *refused = fixture_text(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '%s' AND application_name LIKE "
        "'migrate%%' AND (query = 'ROLLBACK' OR query LIKE '%%Who is in the way%%')",
        p->database);
    assert_true(pg_cluster_wait_for(p->cluster, p->database, refused, "t"));
}

static const char waiting[] = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                              "'users'::regclass";

/* ---- tests ---- */

static void who_holds_the_table_is_named_and_nothing_is_changed(void **state UNUSED)
{
    struct project *p = make("attempts: 2, budget: 400ms");

    project_write(p, "0001_a.sql",
                  "CREATE TABLE a (id int);\n"
                  "ALTER TABLE users ADD COLUMN age int;\n");
    struct program *other = think(p, "batch job", "SELECT count(*) FROM users");
    const char *before = project_schema(p);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 6);
    assert_err(&r, "could not lock public.users within ");
    assert_err(&r, "in the way: process ");
    assert_err(&r, "(role postgres, application batch job), idle in transaction, its transaction "
                   "open for ");
    assert_err(&r, "It waited for AccessExclusiveLock on table public.users.");
    assert_err(&r, "holds AccessShareLock, statement: SELECT count(*) FROM users.");
    assert_err(&r, "migrations/0001_a.sql:2");
    assert_err(&r, "run again later, or raise locks.attempts or locks.budget");
    assert_not_err(&r, "rolled back");
    assert_same(project_schema(p), before);
    assert_answer(
        p, "SELECT count(*) FROM migrator.event WHERE kind = 'failed' AND lock_wait_us > 0", "1");
    assert_whole(p);
    end(other);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(age) FROM users, a", "0");
    assert_answer(p,
                  "SELECT lock_wait_us, (detail::json->>'locked_us')::bigint >= 0 FROM "
                  "migrator.event WHERE kind = 'applied'",
                  "0|t");
    assert_whole(p);
}

/* Seen a hundred times while the run wants the table and another session has it: it is never in the queue,
   so that nobody can be behind it. */
static void nobody_queues_behind_a_run_that_cannot_have_the_table(void **state UNUSED)
{
    struct project *p = make("attempts: 12");

    project_write(p, "0001_a.sql", "ALTER TABLE users ADD COLUMN age int;\n");
    struct program *other = think(p, "batch job", "SELECT count(*) FROM users");
    struct program *run = project_start(p, "apply", NULL);
    wait_until_refused(p);
    for (int i = 0; i < 100; i++) {
        assert_answer(p, "SELECT count(*) FROM users", "0");
        assert_answer(p, waiting, "0");
    }
    end(other);
    struct ran r = project_finish(run);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(age) FROM users", "0");
    assert_answer(p, "SELECT bool_and(lock_wait_us > 0) FROM migrator.event WHERE kind = 'applied'",
                  "t");
    assert_whole(p);
}

/* All or none: what can be had is not held for what cannot. */
static void a_table_that_is_free_stays_free_while_another_is_held(void **state UNUSED)
{
    struct project *p = make("attempts: 1");

    project_write(p, "0001_a.sql",
                  "ALTER TABLE users ADD COLUMN age int;\n"
                  "ALTER TABLE orders ADD COLUMN age int;\n");
    struct program *other = think(p, "batch job", "SELECT count(*) FROM orders");
    struct program *run = project_start(p, "apply", NULL);
    wait_until_refused(p);
    const char *free = "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass";
    assert_true(pg_cluster_wait_for(p->cluster, p->database, free, "0"));
    struct ran r = project_finish(run);
    assert_exit(&r, 6);
    assert_err(&r, "could not lock public.orders within ");
    assert_err(&r, "migrations/0001_a.sql:2");
    end(other);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

static void a_partition_that_is_read_holds_up_its_parent(void **state UNUSED)
{
    struct project *p = make("attempts: 1, budget: 200ms");

    project_execute(p, "CREATE TABLE log (at int) PARTITION BY RANGE (at);"
                       "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);"
                       "CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20)");
    project_write(p, "0001_a.sql", "ALTER TABLE log ADD COLUMN what text;\n");
    struct program *other = think(p, "batch job", "SELECT count(*) FROM log_2");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 6);
    assert_err(&r, "could not lock public.log_2 within ");
    end(other);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(what) FROM log_2", "0");
    assert_whole(p);
}

/* One reads as soon as the other has: there is no moment without a reader. */
static void short_transactions_without_a_gap_are_queued_for(void **state UNUSED)
{
    struct project *p = make("attempts: 40");
    const char *script = fixture_path(p->home, "traffic.sql");

    fixture_write(p->home, "traffic.sql",
                  "BEGIN;\nSELECT count(*) FROM users;\nSELECT pg_sleep(0.05);\nCOMMIT;\n");
    project_write(p, "0001_a.sql", "ALTER TABLE users ADD COLUMN age int;\n");
    const char *const argv[] = {fixture_path(pg_cluster_bin(), "pgbench"),
                                "-n",
                                "-f",
                                script,
                                "-c",
                                "8",
                                "-T",
                                "600",
                                "-h",
                                pg_cluster_socket_directory(cluster),
                                "-U",
                                PG_CLUSTER_USER,
                                p->database,
                                NULL};
    const char *const env[] = {"PGAPPNAME=traffic", NULL};
    struct program *traffic =
        program_start(&(struct program_options){.argv = argv, .env = env, .timeout_ms = INT32_MAX});
    assert_true(pg_cluster_wait_for(cluster, p->database,
                                    "SELECT count(*) > 4 FROM pg_stat_activity WHERE "
                                    "application_name = 'traffic' AND wait_event = 'PgSleep'",
                                    "t"));
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    program_signal(traffic, SIGKILL);
    struct program_result killed = program_finish(traffic);
    program_result_release(&killed);
    assert_whole(p);
}

/* Slow enough to be there all the time. It ends for one who has waited for deadlock_timeout. */
static void an_autovacuum_worker_is_asked_to_go(void **state UNUSED)
{
    struct project *p = make("attempts: 1");

    project_execute(p,
                    "INSERT INTO users SELECT n, repeat('x', 200) FROM generate_series(1, 40000) n;"
                    "ALTER TABLE users SET (autovacuum_vacuum_cost_delay = 100, "
                    "autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_scale_factor = 0, "
                    "autovacuum_vacuum_threshold = 1)");
    project_execute(p, "DELETE FROM users WHERE id % 2 = 0");
    assert_true(pg_cluster_wait_for(
        cluster, p->database,
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE relation = "
        "'users'::regclass AND backend_type = 'autovacuum worker' AND mode = "
        "'ShareUpdateExclusiveLock'",
        "1"));
    project_write(p, "0001_a.sql", "ALTER TABLE users ADD COLUMN age int;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(age) FROM users", "0");
    assert_whole(p);
}

static void a_signal_ends_the_wait(void **state UNUSED)
{
    struct project *p = make("attempts: 12");

    project_write(p, "0001_a.sql", "ALTER TABLE users ADD COLUMN age int;\n");
    struct program *other = think(p, "batch job", "SELECT count(*) FROM users");
    struct program *run = project_start(p, "apply", NULL);
    wait_until_refused(p);
    program_signal(run, SIGINT);
    struct ran r = project_finish(run);
    assert_exit(&r, 130);
    assert_err(&r, "stopped by SIGINT");
    assert_answer(p, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
    assert_answer(p, waiting, "0");
    end(other);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* What is locked in front of each unit, and what is left to the statements. */
static const struct {
    const char *what, *sql;
    const char *locks[3]; /* all of them, in order */
} asked[] = {
    {"what the migration makes itself",
     "CREATE TABLE fresh (id int);\nALTER TABLE fresh ADD COLUMN n int;\n",
     {NULL}},
    {"the strongest mode of each, by the names they have in front",
     "CREATE TRIGGER t BEFORE INSERT ON \"Odd \"\"names\".\"a table\" FOR EACH ROW EXECUTE "
     "FUNCTION "
     "suppress_redundant_updates_trigger();\nALTER TABLE \"Odd \"\"names\".\"a table\" RENAME TO "
     "b;\nALTER TABLE \"Odd \"\"names\".b ADD COLUMN n int;\n",
     {"LOCK TABLE ONLY \"Odd \"\"names\".\"a table\" IN ACCESS EXCLUSIVE MODE NOWAIT"}},
    {"a table that is referenced",
     "CREATE TABLE child (id int REFERENCES users);\n",
     {"LOCK TABLE ONLY public.users IN SHARE ROW EXCLUSIVE MODE NOWAIT"}},
    {"nothing behind a statement that may take long",
     "ALTER TABLE users ADD COLUMN n int;\nUPDATE orders SET id = id;\nTRUNCATE orders;\n",
     {"LOCK TABLE ONLY public.users IN ACCESS EXCLUSIVE MODE NOWAIT"}},
    {"each of the file's own transactions",
     "BEGIN;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nALTER TABLE users ADD COLUMN n int;\n"
     "COMMIT;\nALTER TABLE orders ADD COLUMN n int;\n",
     {"LOCK TABLE ONLY public.users IN ACCESS EXCLUSIVE MODE NOWAIT",
      "LOCK TABLE ONLY public.orders IN ACCESS EXCLUSIVE MODE NOWAIT"}},
    {"no views", "ALTER VIEW names ALTER COLUMN name SET DEFAULT 'x';\n", {NULL}},
};

static void what_is_asked_for(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct project *p = make("attempts: 1");
        print_message("%s\n", asked[i].what);
        project_execute(p, "CREATE SCHEMA \"Odd \"\"names\"; CREATE VIEW names AS SELECT name FROM "
                           "users; CREATE TABLE \"Odd \"\"names\".\"a table\" (id int)");
        project_write(p, "0001_a.sql", asked[i].sql);
        struct ran r = project_run(p, "apply", "-vv", "--rewrite", "off", NULL);
        assert_exit(&r, 0);
        size_t count = 0;
        for (const char *at = r.err; (at = strstr(at, "LOCK TABLE ONLY")); at++)
            count++;
        for (size_t k = 0; k < ARRAY_LEN(asked[i].locks) && asked[i].locks[k]; k++) {
            assert_err(&r, asked[i].locks[k]);
            count--;
        }
        assert_int_equal(count, 0);
        assert_whole(p);
    }
}

/* LOCK TABLE wants more than the statement does. */
static void a_table_that_may_not_be_locked_is_left_to_the_statement(void **state UNUSED)
{
    struct project *p = make("attempts: 1");

    project_execute(p,
                    fixture_text("CREATE ROLE clerk LOGIN; GRANT ALL ON DATABASE \"%s\" TO clerk; "
                                 "GRANT ALL ON SCHEMA public TO clerk; "
                                 "GRANT REFERENCES ON users TO clerk; "
                                 "ALTER TABLE orders OWNER TO clerk",
                                 p->database));
    p->url = pg_cluster_url(cluster, p->database, "clerk");
    project_write(p, "0001_a.sql",
                  "ALTER TABLE orders ADD COLUMN n int;\n"
                  "CREATE TABLE child (id int REFERENCES users);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* What it waits for is in the history before its first step: the run that goes on asks for the same. */
static void steps_of_an_online_form_ask_for_their_tables(void **state UNUSED)
{
    struct project *p = make("attempts: 1, budget: 200ms");

    project_execute(p, "INSERT INTO users VALUES (1, 'a')");
    project_write(p, "0001_a.sql", "ALTER TABLE users ALTER COLUMN name SET NOT NULL;\n");
    struct program *other = think(p, "batch job", "SELECT count(*) FROM users");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 6);
    assert_err(&r, "could not lock public.users within ");
    assert_answer(p,
                  "SELECT detail::json#>>'{online,0,steps,0,locks,0,mode}' FROM migrator.event "
                  "WHERE kind = 'planned'",
                  "AccessExclusiveLock");
    end(other);
    r = project_run(p, "apply", "-vv", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "LOCK TABLE ONLY public.users IN ACCESS EXCLUSIVE MODE NOWAIT");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_holds_the_table_is_named_and_nothing_is_changed),
        cmocka_unit_test(nobody_queues_behind_a_run_that_cannot_have_the_table),
        cmocka_unit_test(a_table_that_is_free_stays_free_while_another_is_held),
        cmocka_unit_test(a_partition_that_is_read_holds_up_its_parent),
        cmocka_unit_test(short_transactions_without_a_gap_are_queued_for),
        cmocka_unit_test(an_autovacuum_worker_is_asked_to_go),
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(what_is_asked_for),
        cmocka_unit_test(a_table_that_may_not_be_locked_is_left_to_the_statement),
        cmocka_unit_test(steps_of_an_online_form_ask_for_their_tables),
    };
    return cmocka_run_group_tests(tests, start_cluster, NULL);
}
