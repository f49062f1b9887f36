/*
 * What somebody does behind migrate's back, end to end: files that are edited, deleted, renumbered;
 * history rows and events that are edited, deleted, added. Each is named by `status` or `history
 * --verify`, with exit code 4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/integrity_testing.h"

/* --------------------------------------------------------------------------------------- files */

enum edit { EDIT_TEXT, EDIT_DELETE, EDIT_RENUMBER };

struct file_case {
    const char *name;
    enum edit edit;
    const char *text;     /* of 0002_b.sql, or the new name */
    const char *sentence; /* what is said */
    bool stops_apply;
};

static const struct file_case file_cases[] = {
    {"statements", EDIT_TEXT,
     "-- the second\nCREATE TABLE b (id integer, more text);\n"
     "INSERT INTO b VALUES (1);\n",
     "0002_b.sql was edited after it was applied on 2", true},
    {"one statement more", EDIT_TEXT,
     "-- the second\nCREATE TABLE b (id integer);\n"
     "INSERT INTO b VALUES (1);\nINSERT INTO b VALUES (2);\n",
     "0002_b.sql was edited after it was applied on 2", true},
    {"a string", EDIT_TEXT,
     "-- the second\nCREATE TABLE b (id integer);\nINSERT INTO b VALUES (2);\n",
     "its statements differ", true},
    {"emptied", EDIT_TEXT, "", "its statements differ", true},
    {"broken", EDIT_TEXT, "CREATE TABLE b (id integer;\n'", "its statements differ", true},
    {"comments", EDIT_TEXT,
     "-- the 2nd, as /* it */ were\nCREATE TABLE b (id integer);\n\n"
     "INSERT INTO b VALUES (1) /* one */;\n",
     "only comments or white space differ", false},
    {"deleted", EDIT_DELETE, NULL, "version 0002 was applied on 2", true},
    {"renumbered", EDIT_RENUMBER, "0004_b.sql", "0004_b.sql has the text of version 0002", true},
    {"renumbered to the front", EDIT_RENUMBER, "0000_b.sql",
     "0000_b.sql has the text of version 0002", true},
};

static void edit_file(const struct project *p, const struct file_case *c)
{
    if (c->edit == EDIT_TEXT) {
        project_write(p, "0002_b.sql", c->text);
        return;
    }
    project_remove(p, "0002_b.sql");
    if (c->edit == EDIT_RENUMBER)
        project_write(p, c->text, file_2);
}

static void edited_files_are_named(void **state)
{
    struct project *p = make(state);

    for (size_t i = 0; i < ARRAY_LEN(file_cases); i++) {
        const struct file_case *c = &file_cases[i];
        print_message("%s\n", c->name);
        edit_file(p, c);
        struct ran r = project_run(p, "status", NULL);
        assert_exit(&r, 4);
        assert_out(&r, c->sentence);
        assert_out(&r, "1 problem\n");
        r = project_run(p, "history", "--verify", NULL);
        assert_exit(&r, 4);
        assert_out(&r, c->sentence);
        assert_out(&r, "1 finding: ");
        project_write(p, "0009_next.sql", "CREATE TABLE next (id integer);\n");
        r = project_run(p, "apply", "--to", "0003", NULL);
        assert_exit(&r, c->stops_apply ? 4 : 0);
        assert_err(&r, c->sentence);
        project_remove(p, "0009_next.sql");
        if (c->edit == EDIT_RENUMBER)
            project_remove(p, c->text);
        project_write(p, "0002_b.sql", file_2);
        assert_whole(p);
    }
}

static void line_ends_alone_are_no_edit(void **state)
{
    struct project *p = make(state);

    project_write(p, "0002_b.sql",
                  "-- the second\r\nCREATE TABLE b (id integer);\r\n"
                  "INSERT INTO b VALUES (1);\r\n");
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "line ends differ");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_string_equal(r.err, "");
    assert_whole(p);
    project_write(p, "0002_b.sql", fixture_text("\xEF\xBB\xBF%s\n\n", file_2));
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* ------------------------------------------------------------------------------- rows and events */

static const struct tampering tamperings[] = {
    {"row: description", "UPDATE %s SET description = 'x' WHERE version = '0002'", "history",
     "history row 2 (version 0002) was edited"},
    {"row: who", "UPDATE %s SET installed_by = 'nobody' WHERE version = '0001'", "history",
     "history row 1 (version 0001) was edited"},
    {"row: duration", "UPDATE %s SET duration_us = duration_us + 1 WHERE version = '0003'",
     "history", "history row 3 (version 0003) was edited"},
    {"row: state", "UPDATE %s SET state = 'incomplete' WHERE version = '0003'", "history",
     "history row 3 (version 0003)"},
    {"row: first deleted", "DELETE FROM %s WHERE installed_rank = 1", "history",
     "history row 1 (version 0001) is missing"},
    {"row: middle deleted", "DELETE FROM %s WHERE installed_rank = 2", "history",
     "history row 2 (version 0002) is missing"},
    {"row: last deleted", "DELETE FROM %s WHERE installed_rank = 3", "history",
     "history row 3 (version 0003) is missing"},
    {"row: added",
     "INSERT INTO %s SELECT 4, '0003.5', description, kind, layout, script, state, units_done, "
     "statements, digest_raw, digest_normalized, digest_tree, installed_by, installed_on, "
     "duration_us, "
     "run FROM migrator.history WHERE installed_rank = 3",
     "history", "no event speaks of history row 4 (version 0003.5)"},
    {"event: sql", "UPDATE %s SET sql = 'SELECT 1' WHERE id = 3", "event",
     "event 3 (applied 0002) was edited"},
    {"event: first", "UPDATE %s SET actor = 'nobody' WHERE id = 1", "event",
     "event 1 (run started ) was edited"},
    {"event: last", "UPDATE %s SET duration_us = 1 WHERE id = 5", "event",
     "event 5 (run finished ) was edited"},
    {"event: digest",
     "UPDATE %s SET digest = CASE substr(digest, 1, 1) WHEN 'f' THEN '0' ELSE 'f' END || "
     "substr(digest, 2) WHERE id = 2",
     "event", "event 2 (applied 0001) was edited"},
    {"event: first deleted", "DELETE FROM %s WHERE id = 1", "event", "event 1 is missing"},
    {"event: middle deleted", "DELETE FROM %s WHERE id = 3", "event", "event 3 is missing"},
    {"event: two deleted", "DELETE FROM %s WHERE id IN (2, 3)", "event",
     "events 2 to 3 are missing"},
    {"event: last two deleted", "DELETE FROM %s WHERE id >= 4", "event",
     "history row 3 (version 0003)"},
    {"event: added",
     "INSERT INTO %s SELECT 6, run, at, 'applied', '0007', unit, actor, db_role, host, git_commit, "
     "git_author, plan_digest, evidence_digest, sql, duration_us, lock_wait_us, \"rows\", "
     "sqlstate, detail, "
     "digest, digest FROM migrator.event WHERE id = 5",
     "event", "event 6 (applied 0007) was edited"},
};

static void keep(const struct project *p)
{
    project_execute(p, fixture_text("CREATE TABLE kept_history AS SELECT * FROM %s",
                                    project_table(p, "history")));
    project_execute(
        p, fixture_text("CREATE TABLE kept_event AS SELECT * FROM %s", project_table(p, "event")));
}

static void restore(const struct project *p)
{
    static const char *const names[] = {"history", "event"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *table = project_table(p, names[i]);
        project_execute(p, fixture_text("%sDELETE FROM %s; INSERT INTO %s SELECT * FROM kept_%s",
                                        p->engine == ENGINE_POSTGRES
                                            ? "SET session_replication_role = replica; "
                                            : "",
                                        table, table, names[i]));
    }
}

static void edited_entries_are_named(void **state)
{
    struct project *p = make(state);

    keep(p);
    assert_answer(p, fixture_text("SELECT id, kind FROM %s ORDER BY id", project_table(p, "event")),
                  "1|run started\n2|applied\n3|applied\n4|applied\n5|run finished");
    for (size_t i = 0; i < ARRAY_LEN(tamperings); i++) {
        const struct tampering *t = &tamperings[i];
        print_message("%s\n", t->name);
        tamper(p, t);
        struct ran r = project_run(p, "history", "--verify", NULL);
        assert_exit(&r, 4);
        assert_out(&r, t->sentence);
        assert_out(&r, "the record is not whole");
        r = project_run(p, "history", "--verify", "--format", "json", NULL);
        assert_exit(&r, 4);
        assert_out(&r, "\"whole\": false");
        r = project_run(p, "status", NULL);
        assert_exit(&r, 4);
        assert_out(&r, t->sentence);
        r = project_run(p, "status", "--format", "json", NULL);
        assert_exit(&r, 4);
        assert_out(&r, t->sentence);
        /* Nothing is built on it. */
        project_write(p, "0009_next.sql", "CREATE TABLE next (id integer);\n");
        r = project_run(p, "plan", NULL);
        assert_exit(&r, 4);
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 4);
        assert_err(&r, t->sentence);
        project_remove(p, "0009_next.sql");
        restore(p);
        assert_whole(p);
    }
}

/* Also where the run has analysed it, since tables were there. */
static void comments_of_a_later_run_are_no_edit(void **state)
{
    struct project *p = make(state);

    project_write(p, "0004_d.sql", "CREATE TABLE d (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_write(p, "0004_d.sql", "-- the fourth\nCREATE TABLE d (id integer);\n");
    r = project_run(p, "status", NULL);
    assert_out(&r, "only comments or white space differ");
}

/* As docs/operations.md says: it costs one round trip, and runs nothing that could rely on the chain. */
static void nothing_to_do_leaves_the_events_to_status(void **state)
{
    struct project *p = make(state);
    const struct tampering edit = {"sql", "UPDATE %s SET sql = 'SELECT 1' WHERE id = 3", "event",
                                   ""};

    tamper(p, &edit);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 4);
    project_write(p, "0009_next.sql", "CREATE TABLE next (id integer);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
}

/* The newest as well as one in the middle: the file is neither pending nor out of order, and is not run
   a second time. */
static void a_deleted_row_does_not_let_its_migration_run_again(void **state)
{
    struct project *p = make(state);
    static const char *const versions[] = {"0003", "0002"};

    keep(p);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        delete_row(p, versions[i]);
        struct ran r = project_run(p, "status", NULL);
        assert_exit(&r, 4);
        assert_out(&r, fixture_text("unrecorded  %s", versions[i]));
        assert_out(&r, "2 applied, 0 pending, 1 problem");
        assert_out(&r, fixture_text("(version %s) is missing: event", versions[i]));
        assert_not_out(&r, "sorts before");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 4);
        assert_err(&r, fixture_text("(version %s) is missing: event", versions[i]));
        assert_answer(p,
                      fixture_text("SELECT count(*) FROM %s WHERE kind = 'applied'",
                                   project_table(p, "event")),
                      "3");
        restore(p);
    }
}

/* ------------------------------------------------------------------------------------- the anchor */

static void an_anchor_proves_that_nothing_was_cut_off(void **state)
{
    struct project *p = make(state);
    struct ran r = project_run(p, "history", "--anchor", NULL);

    assert_exit(&r, 0);
    const char *anchor = fixture_text("%.64s", r.out);
    assert_int_equal(strlen(anchor), 64);
    r = project_run(p, "history", "--verify", "--check-anchor", anchor, NULL);
    assert_exit(&r, 0);
    /* It is still in the chain when more has been added … */
    project_write(p, "0004_d.sql", "CREATE TABLE d (id integer);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "history", "--verify", "--check-anchor", anchor, NULL);
    assert_exit(&r, 0);
    r = project_run(p, "history", "--anchor", NULL);
    anchor = fixture_text("%.64s", r.out);
    /* … and no longer when the newest entries are gone, rows and events alike. */
    const struct tampering cut[] = {
        {"events", "DELETE FROM %s WHERE id > 5", "event", ""},
        {"row", "DELETE FROM %s WHERE installed_rank = 4", "history", ""},
    };
    tamper(p, &cut[0]);
    tamper(p, &cut[1]);
    project_remove(p, "0004_d.sql");
    assert_whole(p); /* nothing inside the database can tell */
    r = project_run(p, "history", "--verify", "--check-anchor", anchor, NULL);
    assert_exit(&r, 4);
    assert_out(&r, fixture_text("the anchor %s is not in the chain", anchor));
    r = project_run(p, "history", "--check-anchor", anchor, NULL);
    assert_exit(&r, 2);
}

static void a_chain_goes_on_over_many_runs(void **state)
{
    struct project *p = make(state);

    for (int i = 4; i <= 8; i++) {
        project_write(p, fixture_text("%04d_more.sql", i),
                      fixture_text("CREATE TABLE t%d (id integer);\n", i));
        if (i % 2)
            project_write(p, "0099_bad.sql", "INSERT INTO nowhere VALUES (1);\n");
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, i % 2 ? 5 : 0);
        if (i % 2)
            project_remove(p, "0099_bad.sql");
    }
    assert_whole(p);
    assert_answer(
        p, fixture_text("SELECT count(*) FROM %s WHERE kind = 'failed'", project_table(p, "event")),
        "2");
}

/* Nothing tells beforehand; the COMMIT does. Alone, and with another migration behind it, when its COMMIT is
   not waited for. */
static void a_migration_that_empties_the_history_while_it_runs_is_blamed(void **state UNUSED)
{
    for (int others = 0; others < 2; others++) {
        struct project *p = make((void *[]){NULL});
        project_write(p, "0004_wipe.sql",
                      "CREATE TABLE d (id int);\n"
                      "DO $$ BEGIN EXECUTE 'DELETE FROM migrator.' || 'event'; END $$;\n");
        if (others)
            project_write(p, "0005_next.sql", "CREATE TABLE e (id int);\n");
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 1);
        assert_err(&r, "0004_wipe.sql removes or changes entries of migrate's own history");
        assert_not_err(&r, "somebody else");
        assert_answer(p, "SELECT to_regclass('d')", "");
        assert_answer(p,
                      "SELECT kind, version FROM migrator.event WHERE id > 5 AND kind <> 'run "
                      "finished' ORDER BY id",
                      "run started|\nfailed|0004");
        assert_whole(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(edited_files_are_named),
        ON_BOTH(line_ends_alone_are_no_edit),
        ON_BOTH(edited_entries_are_named),
        ON_BOTH(comments_of_a_later_run_are_no_edit),
        ON_BOTH(nothing_to_do_leaves_the_events_to_status),
        ON_BOTH(a_deleted_row_does_not_let_its_migration_run_again),
        ON_BOTH(an_anchor_proves_that_nothing_was_cut_off),
        ON_BOTH(a_chain_goes_on_over_many_runs),
        cmocka_unit_test(a_migration_that_empties_the_history_while_it_runs_is_blamed),
    };

    return cmocka_run_group_tests_name("integrity", tests, start_cluster, NULL);
}
