/*
 * Large changes of a SQLite database in batches, end to end: what is changed and how often, which statements
 * run as written, runs that are killed, and others that write meanwhile.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "drivers/testkit/project.h"

#define ROWS "12000"

#define COLUMNS "state text, n integer"
#define BY_ID "CREATE TABLE items (id integer PRIMARY KEY, part integer, " COLUMNS ");"
#define BY_ROWID "CREATE TABLE items (id integer, part integer, " COLUMNS ");"
#define BY_TWO                                                                                     \
    "CREATE TABLE items (id integer, part text COLLATE NOCASE, " COLUMNS                           \
    ", PRIMARY KEY (part, id)) WITHOUT ROWID;"
#define UPDATE "UPDATE items SET state = 'new' WHERE state = 'old';\n"

/* Each row counts how often it was changed; one that stands in the table gate keeps its batch waiting. */
static struct project *make(const char *table, const char *migration)
{
    struct project *p = project_make(NULL);
    project_execute(
        p,
        fixture_text(
            "%s CREATE TABLE gate (id integer); INSERT INTO items (id, part, state) WITH "
            "RECURSIVE g (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM g WHERE x < " ROWS ") "
            "SELECT x, (x %% 7) || 'it''s', CASE WHEN x %% 10 > 0 THEN 'old' END FROM g;"
            "CREATE TABLE changed (id integer); CREATE INDEX changed_id ON changed (id); "
            "CREATE TRIGGER note AFTER UPDATE OF state ON items BEGIN INSERT INTO changed VALUES "
            "(new.id); "
            "SELECT count(*) FROM (WITH RECURSIVE c (x) AS (SELECT 1 FROM gate WHERE id = "
            "new.id UNION ALL SELECT x + 1 FROM c) SELECT x FROM c); END",
            table));
    project_write(p, "0001_change.sql", migration);
    fixture_write(p->home, "migrator.yml",
                  "backfill: { target_batch: 20ms, pause_on_lock_wait: 1h }\n");
    return p;
}

/* 10,800 rows were 'old'; the others are as they were. */
static void assert_changed_once(const struct project *p)
{
    assert_answer(p,
                  "SELECT state, (SELECT count(*) FROM changed AS c WHERE c.id = i.id), count(*) "
                  "FROM items AS i GROUP BY 1, 2 ORDER BY 1 NULLS LAST",
                  "new|1|10800\n|0|1200");
    assert_answer(p, "SELECT count(*) FROM migrator_backfill", "0");
    assert_whole(p);
}

static void rows_are_changed_once_in_batches(void **state UNUSED)
{
    static const struct {
        const char *table, *by;
    } cases[] = {{BY_ID, "in batches by (id)"},
                 {BY_ROWID, "in batches by (rowid)"},
                 {BY_TWO, "in batches by (part, id)"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = make(cases[i].table, UPDATE);
        struct ran r = project_run(p, "plan", "--no-gate", NULL);
        assert_out(&r, cases[i].by);
        assert_out(&r, "its trigger fires for each row: note");
        assert_out(&r, "settled sqlite-long-write-lock");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_changed_once(p);
        assert_answer(p,
                      "SELECT \"rows\", detail ->> 'batches' >= 5 FROM migrator_event WHERE kind = "
                      "'applied'",
                      "10800|1");
        assert_answer(p, "SELECT count(*) FROM migrator_event WHERE kind = 'planned'", "1");
        r = project_run(p, "apply", NULL);
        assert_out(&r, "nothing to do");
    }
}

static void rows_are_deleted_in_batches(void **state UNUSED)
{
    struct project *p = make(BY_ID, "CREATE TABLE first (id int);\n"
                                    "DELETE FROM main.items AS i WHERE i.state = 'old' OR i.part = "
                                    "'3it''s';\nCREATE TABLE last (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM items WHERE state = 'old' OR part = '3it''s'", "0");
    assert_answer(p, "SELECT count(*) > 500 FROM items", "1");
    assert_answer(p, "SELECT kind, unit, \"rows\" > 10800 FROM migrator_event WHERE \"rows\" > 1",
                  "step done|2|1");
    assert_whole(p);
}

/* ---- which ones ---- */

#define VOUCHED "-- migrate: batch key=id\n"

static const struct {
    const char *migration;
    bool is_in_batches;
} batched[] = {
    {UPDATE, true},
    {"UPDATE items SET state = 'all';", true},
    {"UPDATE items SET n = id * 2, state = upper(state);", false}, /* begun anew it would do more */
    {VOUCHED "UPDATE items SET n = id * 2, state = upper(state);", true},
    {"UPDATE items SET n = length(state) WHERE n IS NULL;", true},
    {"UPDATE items SET n = random() WHERE n IS NULL;", false},
    {"UPDATE items SET state = datetime('now') WHERE state IS NULL;", false},
    {"UPDATE items SET state = CURRENT_TIMESTAMP WHERE state IS NULL;", false},
    {"UPDATE items SET state = datetime(n, 'unixepoch') WHERE state < datetime('now');", true},
    {"UPDATE items SET state = strftime('%Y', items.\"n\", 'unixepoch') || "
     "date('2026-12-01');",
     true},
    {"UPDATE items SET n = strftime('%s') WHERE state IS NULL;", false},
    {"UPDATE items SET n = unixepoch('subsec') WHERE state IS NULL;", false},
    {"UPDATE items SET n = \"unixepoch\"() WHERE state IS NULL;", false},
    {"UPDATE items SET n = julianday('NO' || 'W') WHERE state IS NULL;", false},
    {VOUCHED "UPDATE items SET n = strftime('%s') WHERE state IS NULL;", true},
    {"UPDATE touched SET a = 1;", false}, /* its trigger changes other rows of it */
    {VOUCHED "UPDATE touched SET a = 1;", true},
    {"PRAGMA defer_foreign_keys = ON;\n" UPDATE, false},
    {"DELETE FROM items WHERE n < unixepoch() - 86400 AND state IS NULL;", true},
    {"DELETE FROM items WHERE random() % 2 = 0;", false},
    {"DELETE FROM items WHERE id IN (SELECT max(id) FROM items GROUP BY n);", false},
    {"UPDATE items SET n = (SELECT count(*) FROM gate);", false},
    {VOUCHED "UPDATE items SET n = (SELECT count(*) FROM gate);", true},
    {"UPDATE items SET n = g.id FROM gate AS g WHERE g.id = items.part;", false},
    {"UPDATE items SET n = -id;", true},
    {"UPDATE items SET id = -id;", false}, /* rows move */
    {"UPDATE OR IGNORE items SET n = 1 WHERE n IS NULL;", false},
    {"UPDATE items SET n = 1 WHERE n IS NULL RETURNING id;", false},
    {"UPDATE items SET n = 1 WHERE id = 4;", false}, /* one row */
    {"BEGIN;\n" UPDATE "COMMIT;", false},
    {"SAVEPOINT s;\n" UPDATE "RELEASE s;", false},
    {"CREATE TEMP TABLE t (a);\n" UPDATE, false},
    {"-- migrate: as-written\n" UPDATE, false},
    {"-- migrate: allow sqlite-long-write-lock reason=\"at night\"\n" UPDATE, false},
    {"CREATE TABLE fresh AS SELECT * FROM items;\nUPDATE fresh SET n = 1;", false},
    {"DELETE FROM gate;", false}, /* small: but for the finding, all is quiet */
    {"DELETE FROM family WHERE name IS NOT NULL;", false},
};

static void what_is_not_the_same_in_batches_runs_as_written(void **state UNUSED)
{
    struct project *p =
        make(BY_ID "CREATE TABLE family (id integer PRIMARY KEY, mother integer "
                   "REFERENCES family, name text);"
                   "CREATE TABLE touched (id integer PRIMARY KEY, a, b);"
                   "CREATE TRIGGER touches AFTER UPDATE OF a ON touched BEGIN UPDATE touched SET b "
                   "= 1 WHERE id = new.id + 1; END;"
                   "INSERT INTO touched (id) WITH RECURSIVE g (x) AS (VALUES (1) UNION ALL SELECT "
                   "x + 1 FROM g WHERE x < 10000) SELECT x FROM g;"
                   "INSERT INTO family (id) WITH RECURSIVE g (x) AS (VALUES (1) UNION "
                   "ALL SELECT x + 1 FROM g WHERE x < 10000) SELECT x FROM g;",
             UPDATE);
    for (size_t i = 0; i < ARRAY_LEN(batched); i++) {
        project_write(p, "0001_change.sql", batched[i].migration);
        struct ran r = project_run(p, "plan", "--no-gate", NULL);
        print_message("%s\n", batched[i].migration);
        assert_exit(&r, 0);
        assert_int_equal(strstr(r.out, "in batches by (") != NULL, batched[i].is_in_batches);
    }
}

static void what_is_asked_for_in_vain_is_an_error(void **state UNUSED)
{
    static const struct {
        const char *migration, *why;
    } cases[] = {
        {"-- migrate: batch key=part\n" UPDATE, "batches of items go by (id), not by (part)"},
        {"-- migrate: batch key=id, part\n" UPDATE, "go by (id), not by (id, part)"},
        {VOUCHED "UPDATE items SET id = -id;\n", "it sets a column of the key"},
        {VOUCHED "DELETE FROM items RETURNING id;\n", "with WITH or RETURNING it cannot"},
        {VOUCHED "WITH w AS (SELECT 1) DELETE FROM items;\n", "with WITH or RETURNING it cannot"},
        {VOUCHED "UPDATE OR IGNORE items SET n = 1;\n", "with OR or LIMIT it cannot"},
        {VOUCHED "INSERT INTO gate VALUES (1);\n", "batches are for UPDATE and DELETE"},
    };
    static const char *const commands[] = {"plan", "apply"};
    struct project *p = make(BY_ID, UPDATE);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        project_write(p, "0001_change.sql", fixture_text("SELECT 1;\n%s", cases[i].migration));
        print_message("%s\n", cases[i].migration);
        for (size_t k = 0; k < ARRAY_LEN(commands); k++) {
            struct ran r = project_run(p, commands[k], NULL);
            assert_exit(&r, 2);
            assert_err(&r, "this statement cannot have the batches that are asked for");
            assert_err(&r, "0001_change.sql:3:1");
            assert_err(&r, cases[i].why);
        }
    }
    project_write(p, "0001_change.sql", "-- migrate: batch key=id\nDELETE FROM gate;\n");
    struct ran r = project_run(p, "plan", "--no-gate", NULL); /* gate has no key but the rowid */
    assert_exit(&r, 2);
    project_write(p, "0001_change.sql", "-- migrate: batch key=rowid\nDELETE FROM gate;\n");
    r = project_run(p, "apply", NULL); /* as written, since it is small */
    assert_exit(&r, 0);
}

/* Words of SQLite that are none of PostgreSQL's. */
static void names_may_be_words_of_sqlite(void **state UNUSED)
{
    static const char *const keys[] = {"", "-- migrate: batch key=transaction\n",
                                       "-- migrate: batch key=\"Transaction\"\n"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct project *p = project_make(NULL);
        project_execute(p, "CREATE TABLE \"index\" (\"transaction\" integer PRIMARY KEY, \"set\" "
                           "text); INSERT INTO \"index\" (\"transaction\") WITH RECURSIVE g (x) AS "
                           "(VALUES (1) UNION ALL SELECT x + 1 FROM g WHERE x < " ROWS ") SELECT x "
                           "FROM g");
        project_write(p, "0001_change.sql",
                      fixture_text("%sUPDATE \"index\" SET \"set\" = 'new';\n", keys[i]));
        struct ran r = project_run(p, "plan", "--no-gate", NULL);
        assert_out(&r, "in batches by (\"transaction\")");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(p, "SELECT count(*) FROM \"index\" WHERE \"set\" = 'new'", ROWS);
        assert_whole(p);
    }
    struct project *p = make(BY_ID, "UPDATE items SET \"ID\" = -id;\n");
    struct ran r = project_run(p, "plan", "--no-gate", NULL);
    assert_not_out(&r, "in batches by");
}

static void forms_may_be_refused(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    struct ran r = project_run(p, "plan", "--no-gate", "--rewrite", "suggest", NULL);
    assert_out(&r, "in batches by (id)");
    r = project_run(p, "plan", "--no-gate", "--rewrite", "off", NULL);
    assert_not_out(&r, "in batches");
    r = project_run(p, "apply", "--rewrite", "suggest", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM migrator_event WHERE kind = 'planned'", "0");
    assert_answer(p, "SELECT count(*) FROM items WHERE state = 'new'", "10800");
}

static void without_the_database_nobody_knows_how_large_a_table_is(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    fixture_write(p->home, "schema.sql", BY_ID);
    project_write(p, "0001_change.sql", "UPDATE items SET state = 'new';\n");
    struct ran r = project_call(p, "plan", "--offline", "--engine", "sqlite", "--schema",
                                "schema.sql", "--dir", "migrations", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "with fewer than 10000 rows in the table, which is not known here");
}

/* Nobody waits for what was not there before. */
static void a_first_run_makes_no_batches(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    project_write(
        p, "0001_make.sql",
        BY_ID "INSERT INTO items (id) WITH RECURSIVE g (x) AS (VALUES (1) UNION ALL SELECT x + 1 "
              "FROM g WHERE x < " ROWS ") SELECT x FROM g;");
    project_write(p, "0002_change.sql", "UPDATE items SET state = 'new';\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM migrator_event WHERE kind = 'planned'", "0");
}

/* ---- runs that are cut off ---- */

static void wait_for(const struct project *p, const char *sql, const char *answer)
{
    for (int i = 0; i < 6000 && strcmp(project_query(p, sql), answer) != 0; i++)
        clock_sleep_ms(10);
    assert_answer(p, sql, answer);
}

static void killed_runs_go_on_behind_their_checkpoint(void **state UNUSED)
{
    static const char *const tables[] = {BY_ID, BY_TWO};
    static const char *const journals[] = {"PRAGMA journal_mode = wal",
                                           "PRAGMA journal_mode = delete"};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct project *p = make(tables[i], UPDATE);
        project_execute(p, journals[i]);
        for (int k = 0; k < 3; k++) {
            static const int rows[] = {3004, 7011, 11996}; /* in the order of both keys */
            project_execute(
                p, fixture_text("DELETE FROM gate; INSERT INTO gate VALUES (%d)", rows[k]));
            struct program *program = project_start(p, "apply", NULL);
            wait_for(p, fixture_text("SELECT batches > %d FROM migrator_backfill", k), "1");
            program_signal(program, SIGKILL);
            (void)project_finish(program);
        }
        struct ran r = project_run(p, "status", NULL);
        assert_out(&r, "is under way in batches");
        project_execute(p, "DELETE FROM gate");
        r = project_run(p, "apply", "--rewrite", "off", NULL); /* what is begun is ended so */
        assert_exit(&r, 0);
        assert_err(&r, "goes on behind batch");
        assert_changed_once(p);
        r = project_run(p, "doctor", NULL);
        assert_exit(&r, 0);
    }
}

static void a_signal_ends_the_run_between_batches(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(p, "INSERT INTO gate VALUES (6001)");
    struct program *program = project_start(p, "apply", NULL);
    wait_for(p, "SELECT batches >= 1 FROM migrator_backfill", "1");
    program_signal(program, SIGTERM);
    struct ran r = project_finish(program);
    assert_exit(&r, 143);
    assert_err(&r, "its batches stay, but for the last one");
    project_execute(p, "DELETE FROM gate");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_changed_once(p);
}

static void an_edited_statement_begins_anew(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(p, "INSERT INTO gate VALUES (6001)");
    struct program *program = project_start(p, "apply", NULL);
    wait_for(p, "SELECT batches >= 1 FROM migrator_backfill", "1");
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    project_execute(p, "DELETE FROM gate");
    project_write(p, "0001_change.sql", "UPDATE items SET state = 'other' WHERE state = 'old';\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "its batches begin anew");
    assert_answer(p,
                  "SELECT count(*) FROM items WHERE state = 'old' OR (SELECT count(*) FROM "
                  "changed AS c WHERE c.id = items.id AND state = 'other') > 2",
                  "0");
}

/* ---- others ---- */

static void a_batch_that_takes_too_long_is_undone_and_made_smaller(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(p,
                    "CREATE TRIGGER slow AFTER UPDATE OF state ON items WHEN new.id < 300 BEGIN "
                    "SELECT count(*) FROM (WITH RECURSIVE c (x) AS (VALUES (1) UNION ALL SELECT x "
                    "+ 1 FROM c WHERE x < 3000) SELECT x FROM c); END");
    fixture_write(p->home, "migrator.yml",
                  "backfill: { target_batch: 20ms, pause_on_lock_wait: 50ms }\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_changed_once(p);
}

static void others_write_between_batches(void **state UNUSED)
{
    struct project *p = make(BY_ID, UPDATE);
    project_execute(p, "PRAGMA journal_mode = wal; CREATE TABLE other (id integer)");
    struct program *program = project_start(p, "apply", NULL);
    for (int i = 0; i < 20; i++)
        project_execute(p, "INSERT INTO other VALUES (1); INSERT INTO items (state) VALUES ('old');"
                           "DELETE FROM items WHERE id = (SELECT max(id) FROM items)");
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM other", "20");
    assert_changed_once(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_changed_once_in_batches),
        cmocka_unit_test(rows_are_deleted_in_batches),
        cmocka_unit_test(what_is_not_the_same_in_batches_runs_as_written),
        cmocka_unit_test(what_is_asked_for_in_vain_is_an_error),
        cmocka_unit_test(names_may_be_words_of_sqlite),
        cmocka_unit_test(forms_may_be_refused),
        cmocka_unit_test(without_the_database_nobody_knows_how_large_a_table_is),
        cmocka_unit_test(a_first_run_makes_no_batches),
        cmocka_unit_test(killed_runs_go_on_behind_their_checkpoint),
        cmocka_unit_test(a_signal_ends_the_run_between_batches),
        cmocka_unit_test(an_edited_statement_begins_anew),
        cmocka_unit_test(a_batch_that_takes_too_long_is_undone_and_made_smaller),
        cmocka_unit_test(others_write_between_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
