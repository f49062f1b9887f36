/*
 * Migrations that stop behind their expand steps, and are finished by `migrate contract`, on a real server:
 * cases of testdata/rewrites whose last steps wait, and what commands say of them meanwhile.
 */
#include "cmd/rewrites_testing.h"

#include "drivers/testkit/proxy.h"

static const char *const waiting_cases[] = {"rename-table", "drop-table", "drop-column"};

#define NOW "--now", "--reason", "nobody uses it"

static struct project *make_customers(const char *migration)
{
    return make("CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL); "
                "CREATE TABLE orders (id bigint PRIMARY KEY); "
                "INSERT INTO customers SELECT n, 'user' || n FROM generate_series(1, 100) n; "
                "ANALYZE",
                migration);
}

static struct project *make_expanded(void)
{
    struct project *p = make_customers("ALTER TABLE customers RENAME TO clients;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "expanded  0001  case");
    assert_out(&r, "waiting  0001 is expanded since ");
    assert_out(&r, "migrate contract 0001 --url ");
    return p;
}

static void assert_kinds(const struct project *p, const char *kinds)
{
    assert_answer(
        p, "SELECT string_agg(kind, ', ' ORDER BY id) FROM migrator.event WHERE version = '0001'",
        kinds);
}

/* ---- the way there ---- */

static void both_names_work_until_the_contract(void **state UNUSED)
{
    struct project *p = make_expanded();
    project_execute(p, "INSERT INTO customers VALUES (101, 'old'); "
                       "INSERT INTO clients VALUES (102, 'new'); "
                       "UPDATE customers SET email = 'changed' WHERE id = 102");
    assert_answer(p, "SELECT email FROM clients WHERE id > 100 ORDER BY id", "old\nchanged");
    assert_answer(p, "SELECT state, units_done FROM migrator.history", "expanded|1");
    assert_kinds(p, "planned, expanded");
    assert_whole(p);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "nothing to do");
    assert_out(&r, "waiting  0001");
    r = project_run(p, "contract", "0001", NOW, NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001  case");
    assert_answer(p, "SELECT to_regclass('customers') IS NULL", "t");
    assert_answer(p, "SELECT state, units_done FROM migrator.history", "applied|2");
    assert_answer(p,
                  "SELECT detail::json->>'reason', detail::json->>'early' FROM migrator.event "
                  "WHERE kind = 'contracted'",
                  "nobody uses it|true");
    assert_kinds(p, "planned, expanded, contracted");
    assert_whole(p);
    r = project_run(p, "contract", "0001", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "nothing to do");
}

static void the_contract_waits_for_the_soak(void **state UNUSED)
{
    struct project *p = make_expanded();
    struct ran r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "the soak of 0001 is not over: it ends at ");
    assert_err(&r, "policy.contract_after is 24 h 00 min");
    r = project_run(p, "contract", "0001", NULL);
    assert_exit(&r, 3);
    r = project_run(p, "contract", "--now", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "--now needs a reason");
    r = project_run(p, "contract", "0002", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "there is no migration with version \"0002\"");
    assert_answer(p, "SELECT count(*) FROM customers", "100");
    fixture_write(p->home, "migrator.yml", "policy: { contract_after: 0 }\n");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_answer(p,
                  "SELECT detail::json->>'early' IS NULL FROM migrator.event WHERE kind = "
                  "'contracted'",
                  "t");
    assert_whole(p);
}

static void commands_tell_what_waits(void **state UNUSED)
{
    struct project *p = make_expanded();
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "waiting  0001 is expanded since ");
    assert_out(&r, ":\n         migrate contract ");
    assert_out(&r, "0 applied, 0 pending, 1 expanded");
    r = project_run(p, "status", "--exit-code", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "\"soak_is_over\": false");
    assert_out(&r, "\"expanded\": 1");
    r = project_run(p, "plan", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "waiting  0001 is expanded since ");
    r = project_run(p, "history", NULL);
    assert_out(&r, "expanded");
    r = project_run(p, "doctor", NULL);
    assert_out(&r, "0001 (0001_case.sql) is expanded and waits for `migrate contract`");
}

static void an_expanded_file_may_not_be_edited(void **state UNUSED)
{
    struct project *p = make_expanded();
    project_write(p, "0001_case.sql", "ALTER TABLE customers RENAME TO users;\n");
    static const char *const commands[] = {"apply", "contract", "status"};
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct ran r = project_run(p, commands[i], NULL);
        assert_exit(&r, 4);
    }
}

/* ---- other migrations meanwhile ---- */

static void what_an_expanded_migration_is_about_is_not_changed(void **state UNUSED)
{
    struct project *p = make_expanded();
    project_write(p, "0002_other.sql", "ALTER TABLE orders ADD COLUMN note text;\n");
    project_write(p, "0003_rows.sql", "UPDATE clients SET email = 'x' WHERE id = 1;\n");
    project_write(p, "0004_same.sql", "ALTER TABLE clients\n  ADD COLUMN note text;\n");
    static const char *const commands[] = {"plan", "apply"};
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct ran r = project_run(p, commands[i], NULL);
        assert_exit(&r, 3);
        assert_err(&r, "0004 changes public.clients, and 0001, which is about it, waits for its "
                       "contract");
        assert_err(&r, "0004_same.sql:1");
        assert_err(&r, "migrate contract 0001 --url ");
    }
    struct ran r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 3);
    assert_answer(p, "SELECT count(*) FROM migrator.history", "1");
    r = project_run(p, "apply", "--to", "0003", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "contract", NOW, NULL);
    assert_exit(&r, 0);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

static void a_name_that_is_held_is_not_taken(void **state UNUSED)
{
    static const char *const takers[] = {
        "CREATE TABLE customers (id bigint);\n",
        "CREATE VIEW customers AS SELECT 1 AS one;\n",
        "CREATE TABLE customers AS SELECT 1 AS one;\n",
        "CREATE SEQUENCE public.customers;\n",
        "ALTER TABLE orders RENAME TO customers;\n",
    };
    struct project *p = make_expanded();
    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        project_write(p, "0002_take.sql", takers[i]);
        struct ran r = project_run(p, i % 2 ? "apply" : "plan", NULL);
        assert_exit(&r, 3);
        assert_err(&r, "0002 makes public.customers, and 0001, which still holds that name, waits "
                       "for its contract");
        assert_err(&r, "migrate contract 0001 --url ");
    }
    project_write(p, "0002_take.sql",
                  "CREATE SCHEMA other;\nCREATE TABLE other.customers (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
}

static void a_run_does_not_change_what_it_expands_itself(void **state UNUSED)
{
    struct project *p = make_customers("ALTER TABLE customers DROP COLUMN email;\n");
    project_write(p, "0002_same.sql", "ALTER TABLE customers ADD COLUMN note text;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "0002 changes public.customers, and 0001, which is about it, waits");
    assert_err(&r, "migrate apply --to 0001");
    r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "waiting");
}

/* ---- nobody uses it yet ---- */

static void write_first(struct project *p, const char *second)
{
    project_write(p, "0001_make.sql",
                  "CREATE TABLE customers (id bigint PRIMARY KEY, name text);\n"
                  "INSERT INTO customers VALUES (1, 'one');\n");
    project_write(p, "0002_change.sql", second);
    project_write(p, "0003_rename.sql",
                  "ALTER TABLE customers DROP COLUMN name;\n"
                  "ALTER TABLE customers RENAME TO clients;\n");
    project_write(p, "0004_drop.sql", "DROP TABLE clients;\n");
}

static void a_first_run_is_as_written(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    write_first(p, "SELECT 1;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM migrator.history WHERE state = 'applied'", "4");
}

static void a_first_run_that_is_continued_is_as_written(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    write_first(p, "SELECT 1 / 0;\n");
    for (int i = 0; i < 2; i++) {
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, i ? 1 : 5);
    }
    project_write(p, "0002_change.sql", "SELECT 1;\n");
    struct ran r = project_run(p, "plan", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "online form");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM migrator.history WHERE state = 'applied'", "4");
    project_write(p, "0005_make.sql", "CREATE TABLE users (id bigint);\n");
    r = project_run(p, "apply", NULL);
    project_write(p, "0006_drop.sql", "DROP TABLE users;\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "expanded  0006");
}

/* ---- the way back ---- */

static void a_rollback_ends_where_it_began(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(waiting_cases); i++) {
        const char *name = waiting_cases[i];
        struct project *p = make_case(name);
        const char *before = project_schema(p);
        if (strcmp(name, "drop-table") == 0) /* what ran as written has no undo */
            project_write(p, "0001_case.sql", "DROP TABLE carts, lines CASCADE;\n");
        else if (strcmp(name, "drop-column") == 0)
            project_write(p, "0001_case.sql", "ALTER TABLE users DROP \"Name\", DROP town_id;\n");
        else
            project_write(p, "0001_case.sql", "ALTER TABLE customers RENAME TO clients;\n");
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        r = project_run(p, "rollback", "0001", "--reason", "withdrawn", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "rolled back  0001  case");
        assert_same(project_schema(p), before);
        assert_answer(p, "SELECT state, units_done FROM migrator.history", "rolled back|0");
        assert_whole(p);
        r = project_run(p, "rollback", "0001", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "nothing to do");
        r = project_run(p, "status", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "0 applied, 1 pending");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "expanded  0001");
        r = project_run(p, "contract", NOW, NULL);
        assert_exit(&r, 0);
        r = project_run(p, "rollback", "0001", NULL);
        assert_exit(&r, 2);
        assert_err(&r, "0001 cannot be taken back: it is applied");
        assert_whole(p);
    }
}

static void what_has_no_undo_is_not_taken_back(void **state UNUSED)
{
    struct project *p = make_customers("ALTER TABLE customers RENAME TO clients;\n"
                                       "CREATE TABLE more (id bigint);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "rollback", "0001", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "0001 cannot be taken back: what its step 2 did has no undo");
    assert_answer(p, "SELECT state FROM migrator.history", "expanded");
    assert_whole(p);
}

/* ---- runs that are cut off ---- */

static const char *as_written(const char *name)
{
    struct project *p = make_case(name);
    struct ran r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    return project_schema(p);
}

/* Runs the command through a connection that is cut at its n-th COMMIT. false: it has fewer, and is done. */
static bool cut_at(struct project *p, const char *command, enum proxy_cut cut, unsigned nth)
{
    struct proxy *proxy = proxy_start(cluster);
    const char *direct = p->url;
    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, cut, "COMMIT", nth);
    struct ran r = strcmp(command, "contract") == 0   ? project_run(p, command, NOW, NULL)
                   : strcmp(command, "rollback") == 0 ? project_run(p, command, "0001", NULL)
                                                      : project_run(p, command, NULL);
    bool is_cut = proxy_cuts(proxy) > 0;
    proxy_stop(proxy);
    p->url = direct;
    if (!is_cut)
        assert_exit(&r, 0);
    return is_cut;
}

static void assert_contracts(struct project *p, const char *wanted)
{
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "contract", NOW, NULL);
    assert_exit(&r, 0);
    assert_same(project_schema(p), wanted);
    assert_whole(p);
}

/* Each run comes one commit further than the one before it. */
static void cut_until_done(struct project *p, const char *command, enum proxy_cut cut)
{
    unsigned cuts = 0;
    while (cut_at(p, command, cut, cuts + 1))
        cuts++;
    assert_true(cuts > 0);
}

static void runs_that_lose_their_connection_at_a_commit_are_ended_by_the_next(void **state UNUSED)
{
    static const enum proxy_cut kinds[] = {PROXY_CUT_BEFORE, PROXY_CUT_AFTER_ANSWER};
    for (size_t i = 0; i < ARRAY_LEN(waiting_cases); i++) {
        const char *wanted = as_written(waiting_cases[i]);
        print_message("%s\n", waiting_cases[i]);
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            struct project *p = make_case(waiting_cases[i]);
            /* Sessions whose connection was cut hold their locks until the server has noticed. */
            fixture_write(p->home, "migrator.yml", "locks: { attempts: 1000, budget: 60s }\n");
            cut_until_done(p, "apply", kinds[k]);
            cut_until_done(p, "contract", kinds[k]);
            assert_contracts(p, wanted);
        }
    }
}

static void rollbacks_that_lose_their_connection_are_ended_by_the_next(void **state UNUSED)
{
    static const enum proxy_cut kinds[] = {PROXY_CUT_BEFORE, PROXY_CUT_AFTER_ANSWER};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct project *p = make_customers("CREATE INDEX by_email ON customers (email);\n"
                                           "ALTER TABLE customers RENAME TO clients;\n"
                                           "ALTER TABLE orders ADD CHECK (id > 0);\n");
        fixture_write(p->home, "migrator.yml", "locks: { attempts: 1000, budget: 60s }\n");
        project_execute(p, "INSERT INTO orders SELECT generate_series(1, 100); ANALYZE");
        const char *before = project_schema(p);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "expanded  0001");
        cut_until_done(p, "rollback", kinds[k]);
        assert_same(project_schema(p), before);
        assert_answer(p, "SELECT state FROM migrator.history", "rolled back");
        assert_whole(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_names_work_until_the_contract),
        cmocka_unit_test(the_contract_waits_for_the_soak),
        cmocka_unit_test(commands_tell_what_waits),
        cmocka_unit_test(an_expanded_file_may_not_be_edited),
        cmocka_unit_test(what_an_expanded_migration_is_about_is_not_changed),
        cmocka_unit_test(a_name_that_is_held_is_not_taken),
        cmocka_unit_test(a_run_does_not_change_what_it_expands_itself),
        cmocka_unit_test(a_first_run_is_as_written),
        cmocka_unit_test(a_first_run_that_is_continued_is_as_written),
        cmocka_unit_test(a_rollback_ends_where_it_began),
        cmocka_unit_test(what_has_no_undo_is_not_taken_back),
        cmocka_unit_test(rollbacks_that_lose_their_connection_are_ended_by_the_next),
        cmocka_unit_test(runs_that_lose_their_connection_at_a_commit_are_ended_by_the_next),
    };
    return cmocka_run_group_tests(tests, start, end);
}
