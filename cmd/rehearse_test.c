/*
 * Rehearsals on copies of real databases: what they find, what they refuse, and that nothing is left of
 * them. No test asks how quick something was: budgets are so large that a plan that passes always does, and
 * what is to block blocks for seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/digest.h"
#include "core/base/json.h"
#include "drivers/testkit/project.h"

#define GENEROUS                                                                                   \
    "policy: { max_blocked: 10m, max_strong_lock: 10m, max_duration: 2h, evidence_key: secret }\n"

static struct pg_cluster *cluster;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static struct project *make(const char *config)
{
    struct project *p = project_make(cluster);
    fixture_write(p->home, "migrator.yml", config);
    project_write(p, "0001_begin.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_execute(p,
                    "INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 20000) n; ANALYZE");
    return p;
}

/* The project's database by pg_dump, in one of its formats. */
static const char *dump(const struct project *p, const char *format)
{
    const char *path = fixture_path(p->home, fixture_text("dump.%s", format));
    const char *argv[] = {fixture_path(pg_cluster_bin(), "pg_dump"),
                          "-d",
                          pg_cluster_url(cluster, p->database, NULL),
                          fixture_text("-F%s", format),
                          "-f",
                          path,
                          NULL};
    struct program_result r = run_argv(argv);
    if (r.exit_code != 0)
        fail_msg("pg_dump: %s", r.err);
    program_result_release(&r);
    return path;
}

static const char *server_url(void)
{
    return pg_cluster_url(cluster, "postgres", NULL);
}

static void assert_nothing_is_left(const struct project *p)
{
    assert_answer(p, "SELECT count(*) FROM pg_database WHERE datname LIKE 'migrate_rehearsal%'",
                  "0");
}

/* ---- what is found ---- */

static void assert_signed(const char *path, const char *key)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(json) struct json *j = json_parse(str_of(fixture_text_of(path)), str_of(path), &f);
    assert_non_null(j);
    struct str value = arena_str(a, json_str_of(json_get(json_get(j, "signature"), "value")));
    json_remove(j, "signature");
    struct digest expected = digest_hmac(str_of(key), json_line(a, j));
    assert_true(str_equal(value, digest_str(&expected)));
    assert_int_equal(json_count(json_get(j, "steps")), 2);
    assert_true(str_equal(json_str_of(json_get(j, "verdict")), STR("pass")));
}

static void a_plan_that_hurts_nobody_passes(void **state UNUSED)
{
    static const char *const formats[] = {"c", "d", "t", "p"};
    struct project *p = make(GENEROUS);
    project_write(p, "0002_index.sql",
                  "CREATE INDEX by_note ON orders (note);\n"
                  "ALTER TABLE orders ADD COLUMN total numeric;\n");
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        const char *copy = fixture_text("dump:%s", dump(p, formats[i]));
        const char *out = fixture_path(p->home, "evidence.json");
        struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), "--out",
                                   out, NULL);
        assert_exit(&r, 0);
        assert_out(&r, "CREATE INDEX CONCURRENTLY");
        assert_out(&r, "pass: plan ");
        assert_signed(out, "secret");
        assert_nothing_is_left(p);
    }
    /* The target was only read. */
    assert_answer(p, "SELECT to_regclass('by_note') IS NULL, count(*) FROM migrator.history",
                  "t|1");
}

static void what_blocks_is_told_with_its_figure(void **state UNUSED)
{
    struct project *p = make("policy: { max_blocked: 200ms, max_strong_lock: 10m }\n");
    project_write(p, "0002_slow.sql",
                  "-- migrate: as-written\n"
                  "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;\n"
                  "SELECT pg_sleep(3);\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 3);
    assert_out(&r, "ACCESS EXCLUSIVE ");
    assert_out(&r, "block: plan ");
    assert_err(&r, "0002 line 2 made a statement of the application (read, public.orders) wait ");
    assert_err(&r, "policy.max_blocked is 200 ms");
    fixture_write(p->home, "migrator.yml", "policy: { max_blocked: 10m, max_strong_lock: 1s }\n");
    r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 3);
    assert_err(&r, "0002 line 2 held ACCESS EXCLUSIVE on public.orders for ");
    assert_nothing_is_left(p);
}

/* Also where the same step gives the table another name. */
static void what_is_written_anew_is_told(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_anew.sql",
                  "-- migrate: as-written\n"
                  "ALTER TABLE orders ALTER id TYPE numeric;\n"
                  "ALTER TABLE orders RENAME TO sales;\n"
                  "CREATE TABLE other (id int);\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), "--format",
                               "json", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "\"rewritten\": [\n        \"public.orders\"\n      ]");
}

/* Names without a schema mean there what they mean on the target. */
static void the_search_path_is_that_of_the_target(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_execute(p, "CREATE SCHEMA \"App one\"; CREATE TABLE \"App one\".hidden (id int)");
    p->url = fixture_text("%s&search_path=%%22App%%20one%%22", p->url);
    project_write(p, "0002_hidden.sql", "ALTER TABLE hidden ADD COLUMN note text;\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 0);
    assert_out(&r, "pass: plan ");
}

static void a_plan_that_fails_there_fails_here(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_execute(p, "INSERT INTO orders VALUES (0, NULL)");
    project_write(p, "0002_not_null.sql", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), "--format",
                               "json", NULL);
    assert_exit(&r, 3);
    assert_out(&r, "\"verdict\": \"block\"");
    assert_out(&r, "\"sqlstate\": \"23514\"");
    assert_err(&r, "it failed on the copy: ");
    assert_nothing_is_left(p);
}

/* ---- what is no copy, or not of this ---- */

static void only_a_copy_is_written_to(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    struct ran r = project_run(p, "rehearse", "--copy", fixture_text("url:%s", p->url), NULL);
    assert_exit(&r, 2);
    assert_err(&r, "the copy is the target itself");
    const char *clone = fixture_text("clone_of_%s", p->database);
    pg_cluster_execute(cluster, "postgres",
                       fixture_text("CREATE DATABASE %s TEMPLATE %s", clone, p->database));
    const char *copy = fixture_text("url:%s", pg_cluster_url(cluster, clone, NULL));
    r = project_run(p, "rehearse", "--copy", copy, NULL);
    assert_exit(&r, 2);
    assert_err(&r, "nothing says that ");
    assert_err(
        &r, fixture_text("COMMENT ON DATABASE \"%s\" IS 'migrate: copy for rehearsals';", clone));
    pg_cluster_execute(
        cluster, "postgres",
        fixture_text("COMMENT ON DATABASE %s IS 'migrate: copy for rehearsals'", clone));
    r = project_run(p, "rehearse", "--copy", copy, NULL);
    assert_exit(&r, 0);
    assert_out(&r, "made of url ");
    /* It is somebody else's: it stays, and is no longer what the target is. */
    r = project_run(p, "rehearse", "--copy", copy, NULL);
    assert_exit(&r, 4);
    assert_err(&r, "take a newer one");
}

static void a_template_is_copied(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    const char *template = fixture_text("template_of_%s", p->database);
    pg_cluster_execute(cluster, "postgres",
                       fixture_text("CREATE DATABASE %s TEMPLATE %s", template, p->database));
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    fixture_write(p->home, "migrator.yml",
                  fixture_text(GENEROUS "rehearsal:\n  copy: { template: %s }\n  server: \"%s\"\n",
                               template, server_url()));
    struct ran r = project_run(p, "rehearse", NULL);
    assert_exit(&r, 0);
    assert_out(&r, fixture_text("made of template %s (physical", template));
    assert_nothing_is_left(p);
}

static void a_copy_of_another_state_proves_nothing(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_write(p, "0003_more.sql", "ALTER TABLE orders ADD COLUMN more numeric;\n");
    r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 4);
    assert_err(&r, "the copy is not what the target is");
    assert_err(&r, "take a newer one");
    assert_nothing_is_left(p);
}

/* ---- restores ---- */

static void a_dump_that_cannot_be_restored_is_told(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    fixture_write(p->home, "broken.sql", "CREATE TABLE a (id nonsense);\n");
    struct ran r =
        project_run(p, "rehearse", "--copy", "dump:broken.sql", "--server", server_url(), NULL);
    assert_exit(&r, 1);
    assert_err(&r, "broken.sql cannot be restored: psql ended with ");
    assert_err(&r, "type \"nonsense\" does not exist");
    assert_nothing_is_left(p);
    r = project_run(p, "rehearse", "--copy", "dump:missing.dump", "--server", server_url(), NULL);
    assert_exit(&r, 2);
    assert_err(&r, "missing.dump");
    assert_nothing_is_left(p);
}

/* psql would follow it into another database. */
static void a_dump_that_leaves_its_database_is_refused(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    fixture_write(p->home, "wide.sql",
                  fixture_text("COPY t FROM stdin;\n\\connect is data\n\\.\n\\connect %s\nDROP "
                               "TABLE orders;\n",
                               p->database));
    struct ran r =
        project_run(p, "rehearse", "--copy", "dump:wide.sql", "--server", server_url(), NULL);
    assert_exit(&r, 2);
    assert_err(&r, "wide.sql does not keep to one database: \\connect");
    assert_err(&r, "at wide.sql:4");
    assert_answer(p, "SELECT count(*) FROM orders", "20000");
    assert_nothing_is_left(p);
}

static void the_environment_does_not_lead_elsewhere(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    const char *env[] = {"PGHOSTADDR=127.0.0.9", NULL};
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    p->url = fixture_text("%s&hostaddr=", p->url); /* the target's own way is the user's matter */
    p->env = env;
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 0);
    assert_nothing_is_left(p);
}

static void what_reaches_beyond_the_copy_is_refused(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_role.sql", "CREATE ROLE rehearsed_role;\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 2);
    assert_err(&r, "CREATE ROLE reaches beyond the copy, which is on the target's server");
    assert_err(&r, "0002_role.sql:1");
    assert_answer(p, "SELECT count(*) FROM pg_roles WHERE rolname = 'rehearsed_role'", "0");
    assert_nothing_is_left(p);
}

static void a_statement_that_runs_out_of_time_fails_the_plan(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_slow.sql", "-- migrate: timeout statement=1s\nSELECT pg_sleep(60);\n");
    project_write(p, "0003_nothing.sql", "-- nothing\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 3);
    assert_err(&r, "it failed on the copy: ");
    assert_out(&r, "block: plan ");
}

static void roles_that_are_missing_are_counted(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    project_execute(p, "CREATE ROLE keeper; GRANT SELECT ON orders TO keeper");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    project_execute(p, "DROP OWNED BY keeper; DROP ROLE keeper");
    struct ran r = project_run(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 owners or rights were left out");
}

static void a_private_server_comes_and_goes(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    const char *tmp = fixture_path(fixture_directory(), "private_server");
    const char *env[] = {fixture_text("TMPDIR=%s", tmp), NULL};
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    assert_int_equal(mkdir(tmp, 0755), 0);
    p->env = env;
    struct ran r = project_run(p, "rehearse", "--copy", copy, NULL);
    assert_exit(&r, 0);
    assert_out(&r, "  server: ");
    assert_out(&r, "  restore: ");
    assert_int_equal(rmdir(tmp), 0); /* nothing is in it */
}

static void a_signal_takes_the_copy_away(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_slow.sql", "SELECT pg_sleep(120);\n");
    const char *copy = fixture_text("dump:%s", dump(p, "c"));
    struct program *program =
        project_start(p, "rehearse", "--copy", copy, "--server", server_url(), NULL);
    assert_true(pg_cluster_wait_for(cluster, "postgres",
                                    "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE "
                                    "'migrate_rehearsal%' AND query LIKE '%pg_sleep(120)%'",
                                    "1"));
    program_signal(program, SIGTERM);
    struct ran r = project_finish(program);
    assert_exit(&r, 143);
    assert_nothing_is_left(p);
}

static void wrong_calls_are_told(void **state UNUSED)
{
    struct project *p = make(GENEROUS);
    project_write(p, "0002_note.sql", "ALTER TABLE orders ADD COLUMN total numeric;\n");
    struct ran r = project_run(p, "rehearse", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "it is not said what to rehearse on");
    r = project_run(p, "rehearse", "--copy", "backup.dump", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "\"backup.dump\" says no copy");
    r = project_run(p, "rehearse", "--copy", "template:x", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "it is not said on which server the template is");
    r = project_run(p, "rehearse", "--copy", "template:x", "--out", "nowhere/evidence.json", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "cannot write nowhere/evidence.json");
    project_remove(p, "0002_note.sql");
    r = project_run(p, "rehearse", "--copy", "template:x", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "nothing to do");
    r = project_run(p, "rehearse", "--copy", "template:x", "--format", "json", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "\"verdict\": \"pass\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_that_hurts_nobody_passes),
        cmocka_unit_test(what_blocks_is_told_with_its_figure),
        cmocka_unit_test(what_is_written_anew_is_told),
        cmocka_unit_test(the_search_path_is_that_of_the_target),
        cmocka_unit_test(a_plan_that_fails_there_fails_here),
        cmocka_unit_test(only_a_copy_is_written_to),
        cmocka_unit_test(a_template_is_copied),
        cmocka_unit_test(a_copy_of_another_state_proves_nothing),
        cmocka_unit_test(a_dump_that_cannot_be_restored_is_told),
        cmocka_unit_test(a_dump_that_leaves_its_database_is_refused),
        cmocka_unit_test(the_environment_does_not_lead_elsewhere),
        cmocka_unit_test(what_reaches_beyond_the_copy_is_refused),
        cmocka_unit_test(a_statement_that_runs_out_of_time_fails_the_plan),
        cmocka_unit_test(roles_that_are_missing_are_counted),
        cmocka_unit_test(a_private_server_comes_and_goes),
        cmocka_unit_test(a_signal_takes_the_copy_away),
        cmocka_unit_test(wrong_calls_are_told),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
