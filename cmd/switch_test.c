/*
 * A change of type by the runner, on a real server: the switch, the soak behind it, the way back from there,
 * and what commands say of it. cmd/sync_test.c holds its steps against the statement as it is written,
 * cmd/retype_load_test.c runs it under load.
 */
#include "cmd/sync_testing.h"

#include "drivers/testkit/proxy.h"

static const char schema[] =
    "CREATE TABLE acc (id int PRIMARY KEY, n int CHECK (n > 0));"
    "CREATE TABLE mov (acc_id int REFERENCES acc, n int);"
    "INSERT INTO acc SELECT n, n FROM generate_series(1, 100) n;"
    "INSERT INTO mov SELECT id, id FROM acc;"
    "UPDATE pg_class SET reltuples = 1000000 WHERE relname IN ('acc', 'mov')";

#define NOW "--now", "--reason", "a test"

static struct project *make_switched(void)
{
    struct project *p = sync_project_of(schema, "ALTER TABLE acc ALTER id TYPE bigint;\n");
    struct ran r = project_run(p, "apply", NULL);

    assert_exit(&r, 0);
    assert_out(&r, "expanded  0001");
    r = project_run(p, "contract", NOW, NULL);
    assert_exit(&r, 0);
    assert_not_err(&r, "will rename index"); /* our own steps: no matter of the author's */
    assert_out(&r, "switched  0001");
    assert_out(&r, "waiting  0001 is switched since ");
    assert_answer(p, "SELECT state FROM migrator.history", "switched");
    return p;
}

static void the_switch_has_a_soak_of_its_own(void **state UNUSED)
{
    struct project *p = make_switched();
    struct ran r = project_run(p, "contract", NULL);

    assert_exit(&r, 3);
    assert_err(&r, "the soak of 0001 is not over: it ends at ");
    assert_err(&r, "It is switched since ");
    fixture_write(p->home, "migrator.yml", "policy: { contract_after: 0 }\n");
    r = project_run(p, "contract", "0001", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001");
    assert_answer(p, "SELECT state FROM migrator.history", "applied");
    assert_answer(p,
                  "SELECT string_agg(kind, ', ' ORDER BY id) FROM migrator.event WHERE kind IN "
                  "('expanded', 'switched', 'contracted')",
                  "expanded, switched, contracted");
    r = project_run(p, "rollback", "0001", NULL);
    assert_exit(&r, 2);
    assert_whole(p);
}

static void what_is_taken_back_counts_no_longer(void **state UNUSED)
{
    struct project *p = make_switched();
    struct ran r = project_run(p, "rollback", "0001", NULL);

    assert_exit(&r, 0);
    r = project_run(p, "doctor", NULL);
    assert_out(&r, "0 applied, none incomplete");
}

static void commands_tell_of_it(void **state UNUSED)
{
    struct project *p = make_switched();
    struct ran r = project_run(p, "status", NULL);

    assert_exit(&r, 0);
    assert_out(&r, "waiting  0001 is switched since ");
    assert_out(&r, "0 applied, 0 pending, 1 switched");
    assert_out(&r, "has a way back until its contract");
    r = project_run(p, "status", "--exit-code", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "\"switched\": 1");
    assert_out(&r, "\"state\": \"switched\"");
    r = project_run(p, "doctor", NULL);
    assert_out(&r, "0001 (0001_case.sql) is switched and waits for `migrate contract`");
    project_write(p, "0002_other.sql", "ALTER TABLE acc ADD note text;\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "0002 changes public.acc, and 0001, which is about it, waits for its contract");
    project_write(p, "0001_case.sql", "ALTER TABLE acc ALTER id TYPE numeric;\n");
    r = project_run(p, "contract", NOW, NULL);
    assert_exit(&r, 4);
}

/* ---- the way back ---- */

static void what_the_old_type_cannot_hold_is_counted_and_refused(void **state UNUSED)
{
    struct project *p = make_switched();
    const char *before = sync_schema(p);

    project_execute(
        p, "INSERT INTO acc (id, n) SELECT 3000000000 + n, n FROM generate_series(1, 30) n;"
           "INSERT INTO acc (id, n) VALUES (101, 101); INSERT INTO mov VALUES (101, 1)");
    struct ran r = project_run(p, "rollback", "0001", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "0001 cannot be taken back: 30 rows of public.acc have a value that the old "
                   "form cannot hold");
    assert_err(&r, "They are by id: 3000000001, ");
    assert_answer(p, "SELECT state FROM migrator.history", "switched");
    assert_same(sync_schema(p), before);
    assert_answer(p, "SELECT count(*) FROM acc", "131");
    project_execute(p, "DELETE FROM acc WHERE id > 3000000000");
    r = project_run(p, "rollback", "0001", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT n FROM acc WHERE id = 101", "101");
    assert_same(sync_schema(p), sync_schema(sync_project_of(schema, "")));
    assert_whole(p);
}

/* Loses its connection in front of its n-th COMMIT. false: it has fewer, and is done. */
static bool is_cut(struct project *p, unsigned nth)
{
    struct proxy *proxy = proxy_start(sync_cluster);
    const char *direct = p->url;

    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, PROXY_CUT_BEFORE, "COMMIT", nth);
    struct ran r = project_run(p, "rollback", "0001", NULL);
    bool was_cut = proxy_cuts(proxy) > 0;
    proxy_stop(proxy);
    p->url = direct;
    if (!was_cut)
        assert_exit(&r, 0);
    return was_cut;
}

/* Each run comes a step or two further than the one before. */
static void a_rollback_that_is_cut_off_goes_on_behind_its_last_step(void **state UNUSED)
{
    struct project *p = make_switched();
    const char *done = "";
    unsigned cuts = 0, nth = 3;

    /* Sessions whose connection was cut hold their locks until the server has noticed. */
    fixture_write(p->home, "migrator.yml", "locks: { attempts: 1000, budget: 60s }\n");
    while (is_cut(p, nth)) {
        const char *now =
            project_query(p, "SELECT count(*) FROM migrator.event WHERE kind = 'step undone'");
        nth = strcmp(done, now) == 0 ? nth + 1 : 3;
        done = now;
        cuts++;
    }
    assert_true(cuts > 4);
    assert_same(sync_schema(p), sync_schema(sync_project_of(schema, "")));
    assert_answer(p, "SELECT state FROM migrator.history", "rolled back");
    assert_whole(p);
}

/* Who still uses what only the second contract takes away does not hold up the first. */
static void what_is_taken_away_later_holds_up_nothing_now(void **state UNUSED)
{
    struct project *p = sync_project_of(
        schema, "ALTER TABLE acc RENAME n TO m;\nALTER TABLE acc ALTER id TYPE bigint;\n");

    fixture_write(p->home, "migrator.yml", "policy: { contract_after: 0 }\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_execute(p, "CREATE FUNCTION uses() RETURNS int LANGUAGE sql AS 'SELECT n FROM acc "
                       "WHERE id = 1'");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "switched  0001");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 3);
    assert_err(&r, "uses()");
    project_execute(p, "DROP FUNCTION uses()");
    r = project_run(p, "contract", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001");
    assert_whole(p);
}

/* Whose expression only its author could turn round: one wait, as histories of earlier versions have it. */
static void without_a_way_back_one_contract_ends_it(void **state UNUSED)
{
    struct project *p =
        sync_project_of(schema, "ALTER TABLE acc ALTER n TYPE bigint USING n * 2;\n");
    struct ran r = project_run(p, "apply", NULL);

    assert_exit(&r, 0);
    assert_out(&r, "expanded  0001");
    r = project_run(p, "contract", NOW, NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001");
    assert_answer(p, "SELECT n FROM acc WHERE id = 100", "200");
    assert_answer(p, "SELECT state FROM migrator.history", "applied");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_switch_has_a_soak_of_its_own),
        cmocka_unit_test(what_is_taken_back_counts_no_longer),
        cmocka_unit_test(commands_tell_of_it),
        cmocka_unit_test(what_the_old_type_cannot_hold_is_counted_and_refused),
        cmocka_unit_test(a_rollback_that_is_cut_off_goes_on_behind_its_last_step),
        cmocka_unit_test(what_is_taken_away_later_holds_up_nothing_now),
        cmocka_unit_test(without_a_way_back_one_contract_ends_it),
    };
    return cmocka_run_group_tests(tests, sync_start, sync_end);
}
