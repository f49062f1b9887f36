/* Who still uses what a contract takes away, on a real server that counts statements. */
#include "cmd/rewrites_testing.h"

static int start_counting(void **state UNUSED)
{
    static const struct pg_cluster_options options = {
        .settings = "shared_preload_libraries = 'pg_stat_statements'\n"};
    cluster = pg_cluster_start(&options);
    arena = arena_make();
    return 0;
}

static const char users[] =
    "CREATE EXTENSION pg_stat_statements; "
    "CREATE TABLE users (id bigint PRIMARY KEY, full_name text); "
    "INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 100) n; ANALYZE";

static void soak(struct project *p, const char *text)
{
    fixture_write(p->home, "migrator.yml",
                  arena_printf(arena, "policy: { contract_after: %s }\n", text));
}

static struct project *make_expanded(const char *migration)
{
    struct project *p = make(users, migration);
    soak(p, "0");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "expanded  0001");
    return p;
}

static void statements_by_the_old_name_hold_the_contract_up(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME TO people;\n");
    assert_answer(p, "SELECT count(*) FROM migrator.event WHERE kind = 'counted'", "1");
    project_execute(p, "SELECT full_name FROM people WHERE id = 3");
    project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    project_execute(p, "SELECT full_name FROM users WHERE id = 2");
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "still used, calls since ");
    assert_out(&r, "2 calls: SELECT full_name FROM users WHERE id = $1");
    assert_not_out(&r, "FROM people");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "what 0001 takes away is still used");
    assert_err(&r, "2 calls: SELECT full_name FROM users WHERE id = $1");
    assert_answer(p, "SELECT count(*) FROM migrator.event WHERE kind = 'counted'", "2");
    assert_whole(p);
    project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    r = project_run(p, "contract", "0001", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "1 call: SELECT full_name FROM users WHERE id = $1");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001");
    assert_whole(p);
}

/* Of two, one may go on: the other one is named, and what was counted is kept as with a refusal. */
static void what_is_passed_over_is_named_and_counted(void **state UNUSED)
{
    struct project *p = make(users, "ALTER TABLE users RENAME TO people;\n");
    project_execute(p, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)");
    project_write(p, "0002_orders.sql", "ALTER TABLE orders RENAME TO sales;\n");
    soak(p, "0");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0002");
    assert_not_out(&r, "contracted  0001");
    assert_err(&r, "warning: 0001 is passed over: what it takes away is still used; by whom: ");
    assert_answer(p,
                  "SELECT version, count(*) FROM migrator.event WHERE kind = 'counted' GROUP BY 1 "
                  "ORDER BY 1",
                  "0001|2\n0002|1");
    assert_whole(p);
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001");
    assert_whole(p);
}

/* Who made a count may have known the server's clock less well than who reads it. */
static void a_count_of_a_moment_ahead_is_of_now(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME TO people;\n");
    project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    struct ran r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    project_execute(p, "UPDATE migrator.history SET installed_on = installed_on + interval '1 h';"
                       "UPDATE migrator.event SET at = at + interval '1 h' WHERE kind = 'counted'");
    r = project_run(p, "status", NULL);
    assert_out(&r, "0001");
    assert_not_out(&r, "still used");
    assert_out(&r, "what is left of it may run since");
}

static void counting_that_began_anew_is_compared_with_nothing(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME TO people;\n");
    for (int i = 0; i < 5; i++)
        project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    struct ran r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "5 calls: SELECT full_name");
    project_execute(p, "SELECT pg_stat_statements_reset()");
    for (int i = 0; i < 7; i++)
        project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "7 calls: SELECT full_name");
}

static void what_was_counted_before_the_soak_counts(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME TO people;\n");
    project_execute(p, "SELECT full_name FROM users WHERE id = 1");
    struct ran r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    soak(p, "1h"); /* no count is an hour old: the first one is what there is */
    r = project_run(p, "status", NULL);
    assert_out(&r, "1 call: SELECT full_name FROM users");
    r = project_run(p, "contract", "--now", "--reason", "a report that nobody reads", NULL);
    assert_exit(&r, 0);
    assert_answer(p,
                  "SELECT detail::json->>'reason', detail::json->>'early' FROM migrator.event "
                  "WHERE kind = 'contracted'",
                  "a report that nobody reads|true");
}

static void functions_and_views_hold_it_up(void **state UNUSED)
{
    struct project *p = make(users, "ALTER TABLE users DROP COLUMN full_name; -- migrate: allow "
                                    "drop-column reason=\"test\"\n");
    soak(p, "0");
    project_execute(p, "CREATE FUNCTION names() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN "
                       "(SELECT count(full_name) FROM users); END $$");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_execute(p, "CREATE VIEW initials AS SELECT left(full_name, 1) AS letter FROM users");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "function names() has it in its text");
    assert_err(&r, "view initials is made of it");
    project_execute(p, "DROP FUNCTION names(); DROP VIEW initials");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
}

static void who_may_not_look_is_told_so(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME TO people;\n");
    project_execute(p, "DROP EXTENSION pg_stat_statements");
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r,
               "which statements still need the old form is not known: pg_stat_statements is not "
               "installed in this database");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "warning: 0001: which statements still need the old form is not known: "
                   "pg_stat_statements is not installed in this database");
}

/* ---- the last write ---- */

static void a_contract_goes_on_without_the_sequence_of_the_last_write(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME COLUMN full_name TO name;\n");
    project_execute(p, "UPDATE users SET full_name = 'old' WHERE id = 2");
    project_execute(p,
                    "DO $$ BEGIN EXECUTE (SELECT format('DROP SEQUENCE %s CASCADE', oid::regclass) "
                    "FROM pg_class WHERE relname LIKE 'migrate%seen'); END $$");
    struct ran r = project_run(p, "status", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "last_write");
    r = project_run(p, "contract", "--now", "--reason", "test", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT name FROM users WHERE id = 2", "old");
    assert_answer(p, "SELECT count(*) FROM pg_proc WHERE proname LIKE 'migrate%'", "0");
    assert_whole(p);
}

static void the_soak_begins_with_the_last_write_by_the_old_name(void **state UNUSED)
{
    struct project *p = make_expanded("ALTER TABLE users RENAME COLUMN full_name TO name;\n");
    project_execute(p, "INSERT INTO users (id, name) VALUES (-1, 'new'); "
                       "UPDATE users SET name = 'newer' WHERE id = 1");
    struct ran r = project_run(p, "status", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "last_write");
    project_execute(p, "CREATE ROLE clerk; GRANT INSERT, UPDATE, SELECT ON users TO clerk; "
                       "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO "
                       "clerk");
    project_execute(p, "SET ROLE clerk; UPDATE users SET full_name = 'old' WHERE id = 2");
    r = project_run(p, "status", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "\"last_write\": \"20");
    assert_answer(
        p,
        "SELECT s->'locks'->0->>'table', s->'locks'->0->>'mode' FROM migrator.event, "
        "jsonb_path_query(detail::jsonb, '$.online[*].steps[*]') s WHERE kind = 'planned' "
        "AND s->>'sql' LIKE 'DO %RENAME COLUMN%'",
        "public.users|AccessExclusiveLock");
    /* As if it had been yesterday that the migration was expanded. */
    soak(p, "1h");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "It was last written by its old form at 20");
    r = project_run(p, "contract", "--now", "--reason", "test", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname LIKE 'migrate%seen'", "0");
    assert_answer(p, "SELECT count(*) FROM pg_proc WHERE proname LIKE 'migrate%'", "0");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_by_the_old_name_hold_the_contract_up),
        cmocka_unit_test(what_is_passed_over_is_named_and_counted),
        cmocka_unit_test(a_count_of_a_moment_ahead_is_of_now),
        cmocka_unit_test(counting_that_began_anew_is_compared_with_nothing),
        cmocka_unit_test(what_was_counted_before_the_soak_counts),
        cmocka_unit_test(functions_and_views_hold_it_up),
        cmocka_unit_test(who_may_not_look_is_told_so),
        cmocka_unit_test(a_contract_goes_on_without_the_sequence_of_the_last_write),
        cmocka_unit_test(the_soak_begins_with_the_last_write_by_the_old_name),
    };
    return cmocka_run_group_tests(tests, start_counting, end);
}
