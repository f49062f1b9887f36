/*
 * A change of many rows in batches, killed again and again at any time: each row is changed once. Here
 * 20,000 rows; with MIGRATE_LONG=1 (`make test-long`) 200,000. MIGRATE_SEED says when.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

#define ROWS 20000
#define MANY_ROWS 200000
#define KILLS 8
#define MANY_KILLS 60
#define LONGEST_US 600000

static struct pg_cluster *cluster;
static unsigned seed = 1;

static int start_cluster(void **state UNUSED)
{
    const char *given = getenv("MIGRATE_SEED");

    cluster = pg_cluster_start(NULL);
    seed = given ? (unsigned)strtoul(given, NULL, 10) : 1;
    return 0;
}

static bool is_long(void)
{
    return getenv("MIGRATE_LONG") != NULL;
}

/* Each row counts how often it was changed. By a key nothing but the checkpoint tells what is done; without
   one the rows have to. */
static const struct keyed {
    const char *key, *change;
} tables[] = {
    {", PRIMARY KEY (id)", "-- migrate: batch key=id\nUPDATE items SET n = n + 1;\n"},
    {", UNIQUE (part, id)", "-- migrate: batch key=part, id\nUPDATE items SET n = n + 1;\n"},
    {"", "UPDATE items SET n = 1 WHERE n = 0;\n"},
};

static struct project *make(const struct keyed *table)
{
    struct project *p = project_make(cluster);

    project_execute(
        p, fixture_text(
               "CREATE TABLE items (id bigint NOT NULL, part int NOT NULL, n int NOT NULL DEFAULT "
               "0, changes int NOT NULL DEFAULT 0%s);"
               "INSERT INTO items SELECT g, g %% 7 FROM generate_series(1, %d) g; ANALYZE items;"
               "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changes := "
               "OLD.changes + 1; RETURN NEW; END $$;"
               "CREATE TRIGGER note BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note()",
               table->key, is_long() ? MANY_ROWS : ROWS));
    project_write(p, "0001_change.sql", table->change);
    fixture_write(p->home, "migrator.yml",
                  "backfill: { target_batch: 20ms, pause_on_lock_wait: 1h }\n"
                  "locks: { attempts: 1000, budget: 60s }\n");
    return p;
}

static bool is_done(const struct project *p)
{
    return strcmp(project_query(p, "SELECT state FROM migrator.history"), "applied") == 0;
}

/* Kills runs until so many were, or one was faster. How many were. */
static int kill_runs(const struct project *p, int most)
{
    int killed = 0;

    while (killed < most && !is_done(p)) {
        struct program *program = project_start(p, "apply", NULL);
        (void)usleep((useconds_t)(rand_r(&seed) % LONGEST_US));
        program_signal(program, SIGKILL);
        struct ran r = project_finish(program);
        if (r.signal_number == SIGKILL)
            killed++;
        else
            assert_exit(&r, 0);
    }
    return killed;
}

static void rows_are_changed_once_however_often_runs_are_killed(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct project *p = make(&tables[i]);
        int killed = kill_runs(p, is_long() ? MANY_KILLS : KILLS);
        print_message("killed %d times\n", killed);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        assert_answer(p, "SELECT n, changes, count(*) FROM items GROUP BY 1, 2",
                      fixture_text("1|1|%d", is_long() ? MANY_ROWS : ROWS));
        assert_answer(p, "SELECT count(*) FROM migrator.backfill", "0");
        r = project_run(p, "doctor", NULL);
        assert_exit(&r, 0);
        assert_whole(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_changed_once_however_often_runs_are_killed),
    };
    return cmocka_run_group_tests(tests, start_cluster, NULL);
}
