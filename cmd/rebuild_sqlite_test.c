/*
 * Columns that SQLite does not add to a table with rows: the table is built anew, and nothing of it is lost.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "drivers/testkit/project.h"

/* A parent and a child, an index, a trigger, a view, numbers that were given out once, a name that needs its
   quotes, a constraint behind the columns. */
static const char schema[] =
    "PRAGMA foreign_keys = ON; CREATE TABLE gate (id integer);"
    "CREATE TABLE teams (id integer PRIMARY KEY);"
    "CREATE TABLE \"our users\" (id integer PRIMARY KEY AUTOINCREMENT, mail text NOT NULL, -- a "
    "note\n"
    " team integer REFERENCES teams, boss integer REFERENCES \"our users\",\n"
    " twice text AS (mail || mail) VIRTUAL, CONSTRAINT c CHECK (mail <> '')\n);"
    "CREATE TABLE posts (id integer PRIMARY KEY, author integer REFERENCES \"our users\" ON DELETE "
    "CASCADE);"
    "CREATE TABLE log (what text);"
    "CREATE INDEX users_mail ON \"our users\" (mail);"
    "CREATE TRIGGER users_note AFTER INSERT ON \"our users\" BEGIN INSERT INTO log VALUES "
    "(new.mail); END;"
    "CREATE TRIGGER posts_note AFTER INSERT ON posts BEGIN UPDATE \"our users\" SET mail = mail || "
    "'+' "
    "WHERE id = new.author; END;"
    "CREATE VIEW mails AS SELECT mail FROM \"our users\";"
    "INSERT INTO teams VALUES (1);"
    "INSERT INTO \"our users\" (id, mail, team, boss) VALUES (3, 'a', 1, NULL), (7, 'b', NULL, 3), "
    "(90, "
    "'x', 1, 3);"
    "DELETE FROM \"our users\" WHERE id = 90; DELETE FROM log;"
    "INSERT INTO posts VALUES (1, 3), (2, 7)";

static struct project *make(const char *migration)
{
    struct project *p = project_make(NULL);
    project_execute(p, schema);
    project_write(p, "0001_add.sql", migration);
    return p;
}

#define ADD "ALTER TABLE \"our users\" ADD COLUMN "

static const struct {
    const char *migration;
    const char *asked, *answer; /* of the rows */
    const char *column; /* that SQLite would have added to an empty table, for the comparison */
} cases[] = {
    {"-- migrate: using forward=upper(mail)\n" ADD "code text NOT NULL;\n",
     "SELECT id, code FROM \"our users\"", "3|A+\n7|B+", "code text NOT NULL"},
    {ADD "made text DEFAULT (date('2026-12-01', '-1 day'));\n",
     "SELECT id, made FROM \"our users\"", "3|2026-11-30\n7|2026-11-30",
     "made text DEFAULT (date('2026-12-01', '-1 day'))"},
    {ADD "lower_mail text AS (lower(mail)) STORED;\n", "SELECT id, lower_mail FROM \"our users\"",
     "3|a+\n7|b+", "lower_mail text AS (lower(mail)) STORED"},
    {ADD "badge integer UNIQUE;\nUPDATE \"our users\" SET badge = id WHERE id = 3;\n",
     "SELECT id, badge FROM \"our users\" ORDER BY id", "3|3\n7|", NULL},
    {"-- migrate: using forward=length(mail)\n"
     "ALTER TABLE main.\"our users\" ADD \"a b\" integer DEFAULT 0 CHECK (\"a b\" > 0);\n",
     "SELECT id, \"a b\" FROM \"our users\"", "3|2\n7|2",
     "\"a b\" integer DEFAULT 0 CHECK (\"a b\" > 0)"},
    {"-- migrate: using forward=max(length(mail), 1) -- of each row\n" ADD "code integer NOT "
     "NULL;\n",
     "SELECT id, code FROM \"our users\"", "3|2\n7|2", "code integer NOT NULL"},
};

#define TEXT "SELECT sql FROM sqlite_schema WHERE name = 'our users'"

static void the_table_is_as_if_sqlite_had_added_the_column(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = make(cases[i].migration);
        print_message("%s", cases[i].migration);
        struct ran r = project_run(p, "plan", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "(rebuild-table)");
        assert_not_out(&r, "not analysed");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(p, cases[i].asked, cases[i].answer);
        if (cases[i].column) {
            struct project *empty = project_make(NULL);
            project_execute(empty, schema);
            project_execute(empty, "PRAGMA foreign_keys = OFF; DELETE FROM \"our users\"");
            project_execute(
                empty, fixture_text("ALTER TABLE \"our users\" ADD COLUMN %s", cases[i].column));
            assert_same(project_query(p, TEXT), project_query(empty, TEXT));
        }
        assert_whole(p);
    }
}

static void nothing_of_it_is_lost(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = make(cases[i].migration);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(p, "PRAGMA integrity_check", "ok");
        assert_answer(p, "SELECT count(*) FROM pragma_foreign_key_check", "0");
        assert_answer(p, "SELECT id, author FROM posts", "1|3\n2|7");
        assert_answer(p, "SELECT mail FROM mails", "a+\nb+");
        assert_answer(p, "SELECT seq FROM sqlite_sequence WHERE name LIKE '%users'", "90");
        assert_answer(p, "SELECT count(*) FROM log", "0");
        assert_answer(p,
                      "SELECT type, name FROM sqlite_schema WHERE name LIKE 'users%' OR name LIKE "
                      "'posts_%' ORDER BY name",
                      "trigger|posts_note\nindex|users_mail\ntrigger|users_note");
        assert_answer(p, "SELECT \"table\" FROM pragma_foreign_key_list('posts')", "our users");
        project_execute(p, "PRAGMA foreign_keys = ON; DELETE FROM \"our users\" WHERE id = 7");
        assert_answer(p, "SELECT id FROM posts", "1");
        r = project_run(p, "doctor", NULL);
        assert_exit(&r, 0);
    }
}

static void what_nobody_can_know_runs_as_written(void **state UNUSED)
{
    static const char *const migrations[] = {
        ADD "code text NOT NULL;\n", /* which value? */
        "-- migrate: as-written\n" ADD "badge integer UNIQUE;\n",
        ADD "other integer PRIMARY KEY;\n",
        /* one row for all */
        "-- migrate: using forward=coalesce(max(id), 0)\n" ADD "code integer NOT NULL;\n",
        "-- migrate: using forward=(SELECT max(mail))\n" ADD "code text NOT NULL;\n",
        "-- migrate: using forward=code\n" ADD "code text NOT NULL;\n",
        /* no row could have it */
        ADD "code text NOT NULL UNIQUE;\n",
        ADD "code text NOT NULL DEFAULT NULL UNIQUE;\n",
        ADD "code text UNIQUE CHECK (code IS NOT NULL);\n",
        ADD "code text UNIQUE CHECK (\"our users\".code <> '');\n",
        "-- migrate: using forward=upper(mail)\n" ADD "code text AS (lower(mail)) STORED;\n",
        "BEGIN;\n" ADD "badge integer UNIQUE;\nCOMMIT;\n",
        "PRAGMA defer_foreign_keys = ON;\n" ADD "badge integer UNIQUE;\n",
        "PRAGMA legacy_alter_table = ON;\n" ADD "badge integer UNIQUE;\n",
    };
    struct project *p = make(ADD "plain text;\n");
    for (size_t i = 0; i < ARRAY_LEN(migrations); i++) {
        project_write(p, "0001_add.sql", migrations[i]);
        struct ran r = project_run(p, "plan", NULL);
        assert_exit(&r, 3);
        assert_not_out(&r, "rebuild-table");
    }
}

static void no_file_is_written_of_it(void **state UNUSED)
{
    struct project *p = make(ADD "badge integer UNIQUE;\n");
    struct ran r = project_run(p, "plan", "--write", "-", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "0001_add.sql is not written: it builds a table anew with foreign keys off");
    assert_not_out(&r, "PRAGMA");
}

/* Words of SQLite that are none of PostgreSQL's. */
static void names_may_be_words_of_sqlite(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    project_execute(p, "CREATE TABLE \"index\" (\"transaction\" integer PRIMARY KEY, \"set\" text);"
                       "INSERT INTO \"index\" VALUES (4, 'a'), (5, 'b')");
    project_write(p, "0001_add.sql", "ALTER TABLE \"index\" ADD COLUMN \"key\" integer UNIQUE;\n");
    struct ran r = project_run(p, "plan", NULL);
    assert_out(&r, "(rebuild-table)");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT * FROM \"index\"", "4|a|\n5|b|");
    assert_whole(p);
}

static void rows_that_break_the_rule_undo_all_of_it(void **state UNUSED)
{
    struct project *p = make(ADD "badge integer DEFAULT 1 UNIQUE;\n");
    const char *before = project_dump(p);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "UNIQUE constraint failed");
    assert_err(&r, "step 1 of 1 of the online form (rebuild-table)");
    assert_same(project_dump(p), before);
}

static void wait_for(const struct project *p, const char *sql, const char *answer)
{
    for (int i = 0; i < 6000 && strcmp(project_query(p, sql), answer) != 0; i++)
        clock_sleep_ms(10);
    assert_answer(p, sql, answer);
}

/* The copy takes as long as there is a row in the table gate. */
static void a_run_that_is_killed_leaves_nothing(void **state UNUSED)
{
    struct project *p =
        make("-- migrate: using forward=(SELECT count(*) FROM (WITH RECURSIVE c (x) AS (SELECT 1 "
             "FROM gate "
             "UNION ALL SELECT x + 1 FROM c) SELECT x FROM c))\n" ADD "code text NOT NULL;\n");
    project_execute(p, "INSERT INTO gate VALUES (1)");
    const char *before = project_dump(p);
    struct program *program = project_start(p, "apply", NULL);
    wait_for(p, "SELECT count(*) FROM migrator_event WHERE kind = 'planned'", "1");
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    assert_same(project_dump(p), before);
    project_execute(p, "DELETE FROM gate");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT id, code FROM \"our users\"", "3|0\n7|0");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_as_if_sqlite_had_added_the_column),
        cmocka_unit_test(nothing_of_it_is_lost),
        cmocka_unit_test(what_nobody_can_know_runs_as_written),
        cmocka_unit_test(no_file_is_written_of_it),
        cmocka_unit_test(names_may_be_words_of_sqlite),
        cmocka_unit_test(rows_that_break_the_rule_undo_all_of_it),
        cmocka_unit_test(a_run_that_is_killed_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
