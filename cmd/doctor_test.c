/*
 * migrate doctor on a real server: each thing that is wrong is made, found, told with what to do, and gone
 * from the report again when it is mended; what is removed is proved to be ours first.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "core/base/json.h"
#include "drivers/testkit/bouncer.h"
#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static struct project *make(void)
{
    struct project *p = project_make(cluster);

    project_execute(p, "CREATE TABLE users (id int, email text); "
                       "INSERT INTO users SELECT n, 'user' || n FROM generate_series(1, 1000) n");
    return p;
}

static const char invalid_count[] = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";

/* ---- healthy ---- */

static void a_healthy_database_has_nothing_but_ok_and_notes(void **state)
{
    struct project *p = project_for(state, cluster);
    struct ran r = project_run(p, "doctor", NULL);

    if (p->engine == ENGINE_POSTGRES) {
        assert_exit(&r, 0);
        assert_out(&r, "none yet: the first apply makes it");
        assert_out(&r, "fsync is off (configuration file)"); /* as the test's server is */
    } else {
        assert_exit(&r, 2); /* there is no file, and a look does not make it */
        assert_err(&r, "hint:");
    }
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    const char *before = project_dump(p);
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "problem");
    if (p->engine == ENGINE_POSTGRES)
        assert_out(&r, ", 1 warning\n");
    else
        assert_not_out(&r, "warning");
    assert_out(&r, "prove each other");
    assert_out(&r, "1 applied, none incomplete");
    assert_same(project_dump(p), before);
    assert_whole(p);
}

static void json_says_the_same(void **state)
{
    struct project *p = project_for(state, cluster);
    SCOPED(fail) struct fail f = FAIL_NONE;

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    struct ran r = project_run(p, "apply", NULL);
    r = project_run(p, "doctor", "--format", "json", NULL);
    assert_exit(&r, 0);
    SCOPED(json) struct json *root = json_parse(str_of(r.out), STR("doctor"), &f);
    const struct json *checks = json_get(root, "checks");
    assert_true(json_count(checks) > 5);
    int64_t ok = 0;
    int64_t counted = 0;
    for (size_t i = 0; i < json_count(checks); i++)
        counted += str_equal(json_str_of(json_get(json_at(checks, i), "gravity")), STR("ok"));
    assert_true(json_i64_of(json_get(root, "ok"), &ok));
    assert_int_equal(ok, counted);
    assert_int_equal(json_count(json_get(root, "cleanable")), 0);
}

static void a_history_that_is_not_whole_ends_with_4(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    struct ran r = project_run(p, "apply", NULL);
    project_execute(p, fixture_text("DELETE FROM %s", project_table(p, "history")));
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 4);
    assert_out(&r, "problem  history");
}

static void an_incomplete_migration_is_told_with_its_command(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql",
                  "BEGIN;\nCREATE TABLE a (id integer PRIMARY KEY);\nCOMMIT;\n"
                  "BEGIN;\nINSERT INTO nowhere VALUES (1);\nCOMMIT;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "warning  migrations");
    assert_out(&r, "0001 (0001_a.sql) is incomplete, 1 step done");
    assert_out(&r, "Continue with: migrate apply --url ");
}

/* SQLite keeps nothing that is half built: not even the note of a run is written. */
static void there_is_nothing_to_clean_on_sqlite(void **state UNUSED)
{
    struct project *p = project_make(NULL);

    project_execute(p, "CREATE TABLE a (id integer PRIMARY KEY)");
    struct ran r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "none yet: the first apply makes it");
    assert_answer(p, "SELECT count(*) FROM sqlite_schema", "1");
}

/* ---- PostgreSQL ---- */

static void objects_that_nobody_finished_are_told_apart(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "CREATE INDEX theirs ON users (email)");
    project_execute(p,
                    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'theirs'::regclass");
    project_execute(p,
                    "ALTER TABLE users ADD CONSTRAINT users_id_positive CHECK (id > 0) NOT VALID");
    project_execute(p, "CREATE SEQUENCE far MAXVALUE 1000; SELECT setval('far', 600); "
                       "CREATE SEQUENCE near MAXVALUE 1000; SELECT setval('near', 900); "
                       "CREATE TABLE small (id smallserial); SELECT setval('small_id_seq', 20000)");
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 1);
    assert_out(&r, "index public.theirs on public.users is invalid, and no migration proves");
    assert_out(&r, "DROP INDEX CONCURRENTLY public.theirs;");
    assert_out(&r, "check users_id_positive on public.users is NOT VALID, and no open migration");
    assert_out(&r, "ALTER TABLE public.users VALIDATE CONSTRAINT users_id_positive;");
    assert_out(&r, "problem  sequences      sequence public.near has used 90 %");
    assert_out(&r, "warning  sequences      sequence public.far has used 60 %");
    assert_out(&r, "sequence public.small_id_seq (small.id) has used 61 % of smallint");
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 1); /* the sequence; what is not ours stays */
    assert_answer(p, invalid_count, "1");
}

static void old_transactions_are_named(void **state UNUSED)
{
    struct project *p = make();
    struct blocker *b = blocker_start(p, "INSERT INTO users VALUES (0, 'blocker')");

    struct ran r = project_run(p, "doctor", NULL);
    assert_out(&r, "none is open for more than a minute");
    blocker_stop(b);
}

static void half_detached_partitions_are_told(void **state UNUSED)
{
    struct project *p = make();
    project_execute(p, "CREATE TABLE logs (id int) PARTITION BY RANGE (id); "
                       "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (10)");
    if (strcmp(project_query(p, "SELECT current_setting('server_version_num')::int < 140000"),
               "t") == 0)
        skip();
    project_execute(p, "UPDATE pg_inherits SET inhdetachpending = true "
                       "WHERE inhrelid = 'logs_1'::regclass");
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "partition public.logs_1 is half detached from public.logs");
    assert_out(&r, "ALTER TABLE public.logs DETACH PARTITION public.logs_1 FINALIZE;");
    project_execute(p, "ALTER TABLE logs DETACH PARTITION logs_1 FINALIZE");
    r = project_run(p, "doctor", NULL);
    assert_out(&r, "none is half detached");
}

static void missing_rights_and_tables_of_others_are_told(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "CREATE ROLE clerk LOGIN PASSWORD 'x'");
    const char *owner_url = p->url;
    p->url = fixture_text("%s&options=-crole%%3Dclerk", owner_url);
    if (!strchr(owner_url, '?'))
        p->url = fixture_text("%s?options=-crole%%3Dclerk", owner_url);
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 1);
    assert_out(&r, "the right CREATE on database");
    assert_out(&r, "GRANT CREATE ON DATABASE");
    p->url = owner_url;
    project_write(p, "0001_a.sql", "ALTER TABLE users ADD COLUMN name text;\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_execute(p, "GRANT USAGE ON SCHEMA migrator TO clerk; "
                       "GRANT SELECT ON ALL TABLES IN SCHEMA migrator TO clerk");
    p->url = strchr(owner_url, '?') ? fixture_text("%s&options=-crole%%3Dclerk", owner_url)
                                    : fixture_text("%s?options=-crole%%3Dclerk", owner_url);
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 1);
    assert_out(&r, "the right INSERT on table migrator.history is missing");
    assert_out(&r, "table public.users belongs to");
    assert_out(&r, "migration 0001 speaks of it");
    project_execute(p, "REVOKE SELECT ON ALL TABLES IN SCHEMA migrator FROM clerk");
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 1);
    assert_out(&r, "problem  history        cannot be read: ");
}

static void settings_that_matter_are_told(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, fixture_text("ALTER DATABASE %s SET default_transaction_read_only = on; "
                                    "ALTER DATABASE %s SET statement_timeout = '30s'",
                                    p->database, p->database));
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 1);
    assert_out(&r, "default_transaction_read_only is on (database): every apply fails");
    assert_out(&r, "statement_timeout is 30000 ms (database): a run lifts it");
    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 1); /* as it said */
}

static void a_pooler_that_shares_sessions_is_a_problem(void **state UNUSED)
{
    struct project *p = make();
    struct bouncer *b = bouncer_start(cluster, BOUNCER_TRANSACTION, 2);

    p->url = bouncer_url(b, p->database);
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 1);
    assert_out(&r, "problem  pooler");
    assert_out(&r, "MIGRATE_DIRECT_URL");
    bouncer_stop(b);
}

static void the_holder_of_the_run_lock_is_named(void **state UNUSED)
{
    struct project *p = make();

    project_make_slow(p, 60);
    project_write(p, "0001_slow.sql", fixture_text("%s;\n", project_slow_sql(p)));
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "speed");
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "note     run lock       held by migrate run=");
    r = project_run(p, "doctor", "--clean", "--yes", "--wait", "0", NULL);
    assert_exit(&r, 6);
    program_signal(program, SIGKILL);
    (void)project_finish(program);
}

/* ---- what is removed ---- */

/* A build that was killed: its index stays behind, its intent is open. */
static void leave_index(struct project *p)
{
    struct blocker *b = blocker_start(p, "INSERT INTO users VALUES (0, 'blocker')");

    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "CREATE INDEX CONCURRENTLY");
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    blocker_stop(b);
    project_execute(
        p, "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_progress_create_index) OR EXISTS "
           "(SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND state <> "
           "'idle' AND pid <> pg_backend_pid()) LOOP PERFORM pg_sleep(0.05); PERFORM "
           "pg_stat_clear_snapshot(); END LOOP; END $$");
    /* The build may have come to its end behind its client's back. */
    project_execute(p, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
                       "to_regclass('users_email')");
    assert_answer(p, invalid_count, "1");
}

static void what_an_open_migration_left_is_for_apply_to_clean(void **state UNUSED)
{
    struct project *p = make();

    leave_index(p);
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "left behind by 0001, which is incomplete");
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 0);
    assert_answer(p, invalid_count, "1");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, invalid_count, "0");
    r = project_run(p, "doctor", NULL);
    assert_out(&r, "ok       indexes        all are valid");
}

static void what_nobody_goes_on_with_is_removed(void **state UNUSED)
{
    struct project *p = make();

    leave_index(p);
    project_execute(p,
                    "CREATE INDEX theirs ON users (id); "
                    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'theirs'::regclass");
    struct ran r = project_run(p, "resolve", "0001", "--applied", "--reason", "done by hand", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "left behind by 0001 (event ");
    assert_out(&r,
               "`migrate doctor --clean` removes it: DROP INDEX CONCURRENTLY public.users_email;");
    r = project_run(p, "doctor", "--clean", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "DROP INDEX CONCURRENTLY public.users_email;");
    assert_err(&r, "--clean --yes");
    assert_answer(p, invalid_count, "2");
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 leftover removed");
    assert_answer(p, invalid_count, "1");
    assert_answer(p, "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid", "theirs");
    assert_answer(p, "SELECT kind, sql FROM migrator.event WHERE kind LIKE 'clean%' ORDER BY id",
                  "cleaning|DROP INDEX CONCURRENTLY public.users_email\n"
                  "cleaned|DROP INDEX CONCURRENTLY public.users_email");
    assert_whole(p);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "nothing to do");
}

/* An index of that name that was there before, or is valid, or was made when the migration was done: not
   ours to remove. */
static void what_is_not_proved_to_be_ours_stays(void **state UNUSED)
{
    struct project *p = make();

    project_write(p, "0001_email.sql", "CREATE INDEX CONCURRENTLY users_email ON users (email);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    project_execute(p, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
                       "'users_email'::regclass");
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "index public.users_email on public.users is invalid, and no migration proves");
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 0);
    assert_answer(p, invalid_count, "1");
}

/* The build came to nothing, the person built the index by hand, and failed: theirs. */
static void what_was_made_behind_the_resolution_stays(void **state UNUSED)
{
    struct project *p = make();

    leave_index(p);
    project_execute(p, "DROP INDEX users_email");
    struct ran r = project_run(p, "resolve", "0001", "--applied", "--reason", "by hand", NULL);
    assert_exit(&r, 0);
    project_execute(p, "CREATE INDEX users_email ON users (email); UPDATE pg_index SET indisvalid "
                       "= false WHERE indexrelid = 'users_email'::regclass");
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "no migration proves to have left it");
    assert_answer(p, invalid_count, "1");
}

/* A REINDEX that was killed leaves its new index beside the old one. */
static void what_a_reindex_left_is_removed(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "CREATE INDEX users_email ON users (email)");
    struct blocker *b = blocker_start(p, "INSERT INTO users VALUES (0, 'blocker')");
    project_write(p, "0001_email.sql", "REINDEX INDEX CONCURRENTLY users_email;\n");
    struct program *program = project_start(p, "apply", NULL);
    project_wait_until_slow(p, program, "REINDEX");
    project_execute(p, "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = "
                       "'users_email_ccnew') LOOP PERFORM pg_sleep(0.02); END LOOP; END $$");
    program_signal(program, SIGKILL);
    (void)project_finish(program);
    project_execute(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE query LIKE 'REINDEX%' AND pid <> pg_backend_pid()");
    project_execute(p,
                    "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_progress_create_index) LOOP "
                    "PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$");
    blocker_stop(b);
    assert_answer(p, invalid_count, "1");
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "index public.users_email_ccnew on public.users");
    assert_out(&r, "left behind by 0001, which is incomplete");
    r = project_run(p, "resolve", "0001", "--applied", "--reason", "not needed", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 leftover removed");
    assert_answer(p, invalid_count, "0");
    assert_answer(p, "SELECT count(*) FROM pg_class WHERE relname = 'users_email'", "1");
    assert_whole(p);
}

/* VALIDATE, the second step of the online form, refuses a row: the constraint stays NOT VALID. */
static void a_constraint_of_an_open_migration_is_a_note(void **state UNUSED)
{
    struct project *p = make();

    project_execute(p, "INSERT INTO users VALUES (-1, 'below')");
    project_write(p, "0001_check.sql",
                  "ALTER TABLE users ADD CONSTRAINT users_positive CHECK (id > 0);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    project_execute(p,
                    "ALTER TABLE users ADD CONSTRAINT users_positive_too CHECK (id > 0) NOT VALID");
    r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_out(
        &r, "note     constraints    check users_positive on public.users is NOT VALID, a step of "
            "0001, which is incomplete");
    assert_out(&r,
               "warning  constraints    check users_positive_too on public.users is NOT VALID, and "
               "no open migration");
}

static void a_broken_history_proves_nothing(void **state UNUSED)
{
    struct project *p = make();

    leave_index(p);
    struct ran r = project_run(p, "resolve", "0001", "--applied", "--reason", "by hand", NULL);
    assert_exit(&r, 0);
    project_execute(p, "UPDATE migrator.event SET actor = 'eve' WHERE id = 1");
    r = project_run(p, "doctor", "--clean", "--yes", NULL);
    assert_exit(&r, 4);
    assert_err(&r, "nothing was removed");
    assert_answer(p, invalid_count, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_healthy_database_has_nothing_but_ok_and_notes),
        ON_BOTH(json_says_the_same),
        ON_BOTH(a_history_that_is_not_whole_ends_with_4),
        ON_BOTH(an_incomplete_migration_is_told_with_its_command),
        cmocka_unit_test(there_is_nothing_to_clean_on_sqlite),
        cmocka_unit_test(objects_that_nobody_finished_are_told_apart),
        cmocka_unit_test(old_transactions_are_named),
        cmocka_unit_test(half_detached_partitions_are_told),
        cmocka_unit_test(missing_rights_and_tables_of_others_are_told),
        cmocka_unit_test(settings_that_matter_are_told),
        cmocka_unit_test(a_pooler_that_shares_sessions_is_a_problem),
        cmocka_unit_test(the_holder_of_the_run_lock_is_named),
        cmocka_unit_test(what_an_open_migration_left_is_for_apply_to_clean),
        cmocka_unit_test(what_nobody_goes_on_with_is_removed),
        cmocka_unit_test(what_is_not_proved_to_be_ours_stays),
        cmocka_unit_test(what_was_made_behind_the_resolution_stays),
        cmocka_unit_test(what_a_reindex_left_is_removed),
        cmocka_unit_test(a_constraint_of_an_open_migration_is_a_note),
        cmocka_unit_test(a_broken_history_proves_nothing),
    };
    return cmocka_run_group_tests_name("doctor", tests, start_cluster, NULL);
}
