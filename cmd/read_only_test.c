/*
 * What an SQLite URL says about writing is kept to, end to end: mode=ro and immutable=1 forbid it,
 * mode=rw forbids to make the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "drivers/testkit/project.h"

/* One migration applied, one pending; the file's name is one that a URI would misread. */
static struct project *make(const char *query)
{
    struct project *p = project_make(NULL);
    p->database = fixture_path(p->home, "100%41#.db");
    p->url = fixture_text("sqlite:%s/100%%2541%%23.db", p->home);
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_write(p, "0002_b.sql", "CREATE TABLE b (id integer);\n");
    p->url = fixture_text("%s?%s", p->url, query);
    return p;
}

static void apply_refuses_a_url_that_only_reads(void **state UNUSED)
{
    static const char *const queries[] = {"mode=ro", "immutable=1", "mode=rwc&immutable=1"};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct project *p = make(queries[i]);
        const char *before = project_dump(p);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 2);
        assert_err(&r, "the URL says that database");
        assert_err(&r,
                   strstr(queries[i], "immutable") ? "Take immutable=1 out" : "Take mode=ro out");
        r = project_run(p, "resolve", "1", "--applied", "--reason", "x", NULL);
        assert_exit(&r, 2);
        assert_same(project_dump(p), before);
        assert_answer(p, "SELECT count(*) FROM migrator_event WHERE kind LIKE 'run%'", "2");
    }
}

static void reading_works(const struct project *p)
{
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 applied, 1 pending");
    r = project_run(p, "plan", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 migration to run");
    r = project_run(p, "history", "--verify", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "whole");
}

static void what_only_reads_works(void **state UNUSED)
{
    reading_works(make("mode=ro"));
    reading_works(make("immutable=1"));
    reading_works(make("mode=rw"));
    struct project *p = make("mode=ro");
    project_execute(p, "PRAGMA journal_mode = WAL");
    reading_works(p);
    p = make("immutable=1");
    project_execute(p, "PRAGMA journal_mode = WAL");
    reading_works(p);
    assert_false(fs_exists(fixture_text("%s-shm", p->database)));
}

static void a_file_that_must_exist_is_not_made(void **state UNUSED)
{
    static const char *const queries[] = {"mode=rw", "mode=ro", "immutable=1"};
    static const char *const commands[] = {"apply", "plan", "status", "history"};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct project *p = project_make(NULL);
        p->database = fixture_path(p->home, "none.db");
        p->url = fixture_text("file:%s?%s", p->database, queries[i]);
        project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
        for (size_t j = 0; j < ARRAY_LEN(commands); j++) {
            struct ran r = project_run(p, commands[j], NULL);
            assert_exit(&r, 2);
            if (i == 0 || j > 0)
                assert_err(&r, "there is no database file");
            assert_false(fs_exists(p->database));
        }
    }
}

static void with_mode_rw_an_existing_file_is_migrated(void **state UNUSED)
{
    struct project *p = make("mode=rw");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM b", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_refuses_a_url_that_only_reads),
        cmocka_unit_test(what_only_reads_works),
        cmocka_unit_test(a_file_that_must_exist_is_not_made),
        cmocka_unit_test(with_mode_rw_an_existing_file_is_migrated),
    };

    return cmocka_run_group_tests_name("read only", tests, NULL, NULL);
}
