/* Batches and a replica that does not follow: they pause, say so, and go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static struct pg_cluster *cluster, *replica;

static int start_clusters(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    replica = pg_cluster_replica(cluster);
    return 0;
}

/* Changing the rows takes 24 times 20 ms at least, much longer than a replica may be behind. */
static struct project *make(const char *lag)
{
    struct project *p = project_make(cluster);
    project_execute(p, "CREATE TABLE items (id bigint PRIMARY KEY, state text);"
                       "INSERT INTO items SELECT g FROM generate_series(1, 12000) g;"
                       "ANALYZE items;"
                       "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "PERFORM pg_sleep(0.02); RETURN NEW; END $$;"
                       "CREATE TRIGGER slow BEFORE UPDATE ON items FOR EACH ROW "
                       "WHEN (OLD.id % 500 = 0) EXECUTE FUNCTION slow()");
    project_write(p, "0001_change.sql", "UPDATE items SET state = 'new' WHERE state IS NULL;\n");
    fixture_write(p->home, "migrator.yml",
                  fixture_text("backfill: { target_batch: 20ms, pause_on_lock_wait: 1h, "
                               "max_replica_lag: %s }\n",
                               lag));
    return p;
}

static void batches_pause_while_a_replica_is_behind(void **state UNUSED)
{
    struct project *p = make("100ms");
    pg_cluster_execute(replica, "postgres", "SELECT pg_wal_replay_pause()");
    struct program *program = project_start(p, "apply", NULL);
    assert_true(program_wait_for_text(program, "0001: paused: replica walreceiver is"));
    pg_cluster_execute(replica, "postgres", "SELECT pg_wal_replay_resume()");
    struct ran r = project_finish(program);
    assert_exit(&r, 0);
    assert_err(&r, "behind (backfill.max_replica_lag is 100 ms); looks again in 1.0 s");
    assert_err(&r, "0001: goes on after");
    assert_answer(p, "SELECT count(*) FROM items WHERE state = 'new'", "12000");
    assert_answer(p,
                  "SELECT (detail::json->>'paused_us')::bigint > 900000 FROM migrator.event WHERE "
                  "kind = 'applied'",
                  "t");
    assert_whole(p);
}

static void a_role_that_cannot_see_replicas_is_refused(void **state UNUSED)
{
    struct project *p = make("5s");
    project_execute(p, fixture_text("CREATE ROLE plain LOGIN; ALTER TABLE items OWNER TO plain; "
                                    "ALTER DATABASE \"%s\" OWNER TO plain",
                                    p->database));
    p->url = pg_cluster_url(cluster, p->database, "plain");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "this role may not see how far 1 replica is behind");
    assert_err(&r, "GRANT pg_monitor");
    assert_answer(p, "SELECT count(*) FROM items WHERE state = 'new'", "0");
    fixture_write(p->home, "migrator.yml", "backfill: { max_replica_lag: off }\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM items WHERE state = 'new'", "12000");
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_pause_while_a_replica_is_behind),
        cmocka_unit_test(a_role_that_cannot_see_replicas_is_refused),
    };
    return cmocka_run_group_tests(tests, start_clusters, NULL);
}
