/*
 * Large changes in batches, end to end on a real server: what is changed and how often, runs that are
 * cut off, and rows that others hold.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

#define ROWS 12000

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

/* Each row counts how often it was changed; one of them may be told to keep its batch waiting. */
static struct project *make(const char *table, const char *migration)
{
    struct project *p = project_make(cluster);
    project_execute(p, "CREATE TABLE gate (id bigint)");
    project_execute(p, table);
    project_execute(
        p, fixture_text(
               "INSERT INTO items (id, part, state) SELECT g, g %% 7, CASE WHEN g %% 10 > 0 THEN "
               "'old' END FROM generate_series(1, %d) g; ANALYZE items;"
               "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
               "IF EXISTS (SELECT FROM gate WHERE gate.id = OLD.id) THEN PERFORM pg_sleep(600); "
               "END IF; NEW.changes := OLD.changes + 1; RETURN NEW; END $$;"
               "CREATE TRIGGER note BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note()",
               ROWS));
    project_write(p, "0001_change.sql", migration);
    fixture_write(p->home, "migrator.yml",
                  "backfill: { target_batch: 5ms, pause_on_lock_wait: 1h }\n"
                  "locks: { timeout: 50ms, attempts: 3 }\n");
    return p;
}

#define COLUMNS "state text, changes int NOT NULL DEFAULT 0"
#define BY_ID "CREATE TABLE items (id bigint PRIMARY KEY, part int NOT NULL, " COLUMNS ")"
#define BY_TWO                                                                                     \
    "CREATE TABLE items (id bigint NOT NULL, part int NOT NULL, " COLUMNS ", UNIQUE (part, id))"
#define BY_PAGES "CREATE TABLE items (id bigint, part int, " COLUMNS ")"
#define UPDATE "UPDATE items SET state = 'new' WHERE state = 'old';\n"

/* 10,800 rows were 'old'; the others are as they were. */
static void assert_changed_once(const struct project *p)
{
    assert_answer(p,
                  "SELECT state, changes, count(*) FROM items GROUP BY 1, 2 ORDER BY 1 NULLS LAST",
                  "new|1|10800\n|0|1200");
    assert_answer(p, "SELECT count(*) FROM migrator.backfill", "0");
    assert_whole(p);
}

static void rows_are_changed_once_in_batches(void **state UNUSED)
{
    static const struct {
        const char *table, *by;
    } cases[] = {{BY_ID, "in batches by (id)"},
                 {BY_TWO, "in batches by (part, id)"},
                 {BY_PAGES, "in batches of pages"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = make(cases[i].table, UPDATE);
        struct ran r = project_run(p, "plan", "--no-gate", NULL);
        assert_out(&r, cases[i].by);
        assert_out(&r, "its trigger fires for each row: note");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_changed_once(p);
        assert_answer(p,
                      "SELECT rows, (detail::json->>'batches')::int > 5 FROM migrator.event WHERE "
                      "kind = 'applied'",
                      "10800|t");
        r = project_run(p, "apply", NULL);
        assert_out(&r, "nothing to do");
    }
}

static void rows_are_deleted_in_batches(void **state UNUSED)
{
    struct project *p = make(BY_ID, "CREATE TABLE first (id int);\n"
                                    "DELETE FROM items i WHERE i.state = 'old' OR i.part = 3;\n"
                                    "CREATE TABLE last (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM items WHERE state = 'old' OR part = 3", "0");
    assert_answer(p, "SELECT count(*) > 500 FROM items", "t");
    assert_answer(p, "SELECT kind, unit, rows > 10800 FROM migrator.event WHERE rows > 1",
                  "step done|2|t");
    assert_whole(p);
}

static void an_empty_table_has_no_batches(void **state UNUSED)
{
    struct project *p = make(BY_ID, "-- migrate: batch key=id\n" UPDATE);
    project_execute(p, "ALTER TABLE items DISABLE TRIGGER ALL; DELETE FROM items");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM migrator.backfill", "0");
    assert_whole(p);
}

/* ---- runs that are cut off ---- */

static void wait_at_gate(const struct project *p)
{
    assert_true(pg_cluster_wait_for(
        cluster, p->database,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event "
        "= 'PgSleep'",
        "1"));
}

static void end_backends(const struct project *p)
{
    project_execute(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                       "current_database() AND wait_event = 'PgSleep'");
}

static void killed_runs_go_on_behind_their_checkpoint(void **state UNUSED)
{
    static const char *const tables[] = {BY_TWO, BY_PAGES};
    static const int rows[] = {3004, 9013}; /* in the order of both keys */
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct project *p = make(tables[i], UPDATE);
        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
            project_execute(
                p, fixture_text("DELETE FROM gate; INSERT INTO gate VALUES (%d)", rows[k]));
            struct program *program = project_start(p, "apply", NULL);
            wait_at_gate(p);
            program_signal(program, SIGKILL);
            (void)project_finish(program);
            end_backends(p);
            assert_answer(p, "SELECT count(*) FROM migrator.backfill", "1");
        }
        project_execute(p, "DELETE FROM gate");
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_err(&r, "goes on behind batch");
        assert_changed_once(p);
        r = project_run(p, "doctor", NULL);
        assert_exit(&r, 0);
    }
}

static void a_lost_connection_does_not_end_the_run(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(p, "INSERT INTO gate VALUES (6001)");
    struct program *program = project_start(p, "apply", NULL);
    wait_at_gate(p);
    project_execute(p, "DELETE FROM gate");
    end_backends(p);
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_err(&r, "a smaller batch follows");
    assert_changed_once(p);
}

static void a_signal_ends_the_run_between_batches(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(p, "INSERT INTO gate VALUES (6001)");
    struct program *program = project_start(p, "apply", NULL);
    wait_at_gate(p);
    program_signal(program, SIGTERM);
    struct ran r = project_finish(program);
    assert_exit(&r, 143);
    assert_err(&r, "its batches stay, but for the last one");
    r = project_run(p, "status", NULL);
    assert_out(&r, "incomplete");
    project_execute(p, "DELETE FROM gate");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_changed_once(p);
}

/* ---- others ---- */

static void a_row_that_others_hold_is_tried_again_and_named(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    struct blocker *b = blocker_start(p, "SELECT FROM items WHERE id = 8002 FOR UPDATE");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_err(&r, "a smaller batch follows, try 2 of 3");
    assert_err(&r, "SQLSTATE 55P03");
    assert_err(&r, "Others held the rows of one batch through 3 tries");
    assert_err(&r, "0001_change.sql:1");
    assert_answer(p, "SELECT rows > 4000 FROM migrator.backfill", "t");
    blocker_stop(b);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_changed_once(p);
}

static void a_batch_that_takes_too_long_is_undone_and_made_smaller(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(
        p,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_sleep(0.002); RETURN NEW; END $$; CREATE TRIGGER slow BEFORE UPDATE ON items "
        "FOR EACH ROW WHEN (OLD.id < 900) EXECUTE FUNCTION slow()");
    fixture_write(p->home, "migrator.yml",
                  "backfill: { target_batch: 100ms, pause_on_lock_wait: 400ms }\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_changed_once(p);
}

static void break_off(struct project *p)
{
    project_execute(p, "INSERT INTO gate VALUES (6001)");
    struct program *program = project_start(p, "apply", NULL);
    wait_at_gate(p);
    program_signal(program, SIGTERM);
    (void)project_finish(program);
    project_execute(p, "DELETE FROM gate");
}

static void a_checkpoint_of_another_version_is_refused(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    break_off(p);
    project_execute(p, "UPDATE migrator.backfill SET format = 99");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    assert_err(&r, "the checkpoint of 0001 is of another version of migrate (format 99)");
    project_execute(p, "DELETE FROM migrator.backfill");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_changed_once(p);
}

static void another_file_of_the_table_begins_its_pages_anew(void **state UNUSED)
{
    struct project *p = make(BY_PAGES, UPDATE);
    break_off(p);
    project_execute(p, "VACUUM FULL items");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "its batches begin anew");
    assert_changed_once(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_changed_once_in_batches),
        cmocka_unit_test(rows_are_deleted_in_batches),
        cmocka_unit_test(an_empty_table_has_no_batches),
        cmocka_unit_test(killed_runs_go_on_behind_their_checkpoint),
        cmocka_unit_test(a_lost_connection_does_not_end_the_run),
        cmocka_unit_test(a_signal_ends_the_run_between_batches),
        cmocka_unit_test(a_row_that_others_hold_is_tried_again_and_named),
        cmocka_unit_test(a_batch_that_takes_too_long_is_undone_and_made_smaller),
        cmocka_unit_test(a_checkpoint_of_another_version_is_refused),
        cmocka_unit_test(another_file_of_the_table_begins_its_pages_anew),
    };
    return cmocka_run_group_tests(tests, start_cluster, NULL);
}
