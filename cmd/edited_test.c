/*
 * Files that are renamed or edited where a run has left off, or while it is reading them: what was
 * announced is found again, and what was not planned is not committed.
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
    cluster = pg_cluster_start(NULL);
    return 0;
}

static const char indexes[] =
    "SELECT coalesce(string_agg(indexrelid::regclass || ':' || indisvalid, "
    "' ' ORDER BY 1), '') FROM (SELECT * FROM pg_index WHERE indrelid = "
    "'users'::regclass) i";

/* ---- an intent and its statement ---- */

/* A run that was killed while it built an index concurrently: its intent is open. */
static struct project *make_killed(const char *name)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE users (id int, email text)");
    struct blocker *b = blocker_start(p, "INSERT INTO users VALUES (1, 'blocker')");
    project_write(p, name,
                  "CREATE TABLE first (id int);\n"
                  "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "CREATE INDEX CONCURRENTLY");
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    blocker_stop(b);
    return p;
}

static void an_intent_is_found_under_another_spelling_of_its_version(void **state UNUSED)
{
    static const struct {
        const char *before, *after;
        const char *version;
    } cases[] = {
        {"V1__email.sql", "V01__email.sql", "1"},
        {"1_email.sql", "0001_email.sql", "1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = make_killed(cases[i].before);
        char *text =
            fixture_read(fixture_path(p->home, fixture_text("migrations/%s", cases[i].before)));
        project_remove(p, cases[i].before);
        project_write(p, cases[i].after, text);
        free(text);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "(resumed)");
        assert_answer(p, indexes, "users_email:true");
        assert_answer(p, "SELECT version, state, units_done FROM migrator.history",
                      fixture_text("%s|applied|2", cases[i].version));
        assert_whole(p);
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "nothing to do");
    }
}

static void an_intent_is_not_settled_by_another_statement(void **state UNUSED)
{
    struct project *p = make_killed("0001_email.sql");

    project_write(p, "0001_email.sql",
                  "CREATE TABLE first (id int);\n"
                  "CREATE INDEX CONCURRENTLY users_id ON users (id);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    assert_err(&r, "was edited");
    assert_err(&r, "resolve 0001 --not-applied");
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname = 'users_id'", "0");
    assert_answer(p, "SELECT state, units_done FROM migrator.history", "incomplete|1");
    /* Moved to another step it is not what was announced, either. */
    project_write(p, "0001_email.sql",
                  "CREATE TABLE first (id int);\nVACUUM users;\n"
                  "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    project_write(p, "0001_email.sql",
                  "CREATE TABLE first (id int);\n"
                  "CREATE INDEX CONCURRENTLY users_id ON users (id);\n");
    r = project_run(p, "resolve", "0001", "--not-applied", "--reason", "an invalid index", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname = 'users_id'", "1");
    assert_whole(p);
}

/* ---- while it is applied ---- */

/* Longer than what is read at once, and slow at its beginning. */
static const char *long_text(const struct project *p, const char *end)
{
    const char *rows = "";
    char *line = NULL;

    (void)!asprintf(&line, "INSERT INTO b VALUES (1); -- %0200d\n", 1);
    for (int i = 0; i < 6; i++)
        rows = fixture_text("%s%s%s%s", rows, rows, line, line);
    for (int i = 0; i < 4; i++)
        rows = fixture_text("%s%s%s", rows, rows, rows);
    free(line);
    return fixture_text("CREATE TABLE b (id integer);\n%s%s%s", project_slow_sql(p), rows, end);
}

static void a_file_that_changes_while_it_is_applied_is_not_committed(void **state)
{
    struct project *p = project_for(state, cluster);

    project_make_slow(p, 2.0);
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    const char *planned = long_text(p, "");
    assert_true(strlen(planned) > 1000000);
    project_write(p, "0002_long.sql", planned);
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "applied  0001"));
    project_hold_when_slow(p, program);
    project_write(p, "0002_long.sql", long_text(p, "CREATE TABLE smuggled (id integer);\n"));
    program_signal(program, SIGCONT);
    struct ran r = project_finish(program);
    assert_exit(&r, 4);
    assert_err(&r, "0002_long.sql was changed while it was being applied");
    assert_answer(p, fixture_text("SELECT count(*) FROM %s", project_table(p, "history")), "1");
    assert_true(!strstr(project_schema(p), "smuggled"));
    assert_whole(p);
    project_make_slow(p, 0.0);
    project_write(p, "0002_long.sql", planned);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* What fits into memory at once was read before the first statement was sent. */
static void a_short_file_that_changes_is_applied_as_planned_and_shown_as_edited(void **state)
{
    struct project *p = project_for(state, cluster);

    project_make_slow(p, 2.0);
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    const char *planned = fixture_text("%sCREATE TABLE b (id integer);\n", project_slow_sql(p));
    project_write(p, "0002_b.sql", planned);
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "applied  0001"));
    project_hold_when_slow(p, program);
    project_write(p, "0002_b.sql", "CREATE TABLE smuggled (id integer);\n");
    program_signal(program, SIGCONT);
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_true(!strstr(project_schema(p), "smuggled"));
    r = project_run(p, "status", "--exit-code", NULL);
    assert_exit(&r, 4);
    assert_out(&r, "0002");
    project_write(p, "0002_b.sql", planned);
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_is_found_under_another_spelling_of_its_version),
        cmocka_unit_test(an_intent_is_not_settled_by_another_statement),
        ON_BOTH(a_file_that_changes_while_it_is_applied_is_not_committed),
        ON_BOTH(a_short_file_that_changes_is_applied_as_planned_and_shown_as_edited),
    };

    return cmocka_run_group_tests_name("edited", tests, start_cluster, NULL);
}
