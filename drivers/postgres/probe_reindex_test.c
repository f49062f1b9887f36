/* What a REINDEX … CONCURRENTLY that did not finish leaves behind: indexes named _ccnew or _ccold. */
#include "drivers/postgres/probe_testing.h"

static void what_broken_reindexing_leaves_is_dropped_before_the_next_try(void **state UNUSED)
{
    static const struct probe p = {
        .kind = PROBE_RERUN, .schema = "", .name = "t_a", .is_reindex = true};
    const char *url = pg_cluster_database(cluster, "reindexed");
    pg_cluster_execute(cluster, "reindexed",
                       "CREATE TABLE t (a int); CREATE TABLE other ();"
                       "CREATE INDEX t_a ON t (a);"
                       "CREATE INDEX innocent_ccnew ON t (a)");
    struct kit old = kit_open(driver, url, NULL);
    struct statement snapshot[] = {kit_statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
                                   kit_statement("SELECT * FROM other")};
    struct statement reindex = kit_statement("REINDEX INDEX CONCURRENTLY t_a");
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit k = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 100});

    KIT_OK(kit_begin(&old, snapshot, 2, &f));
    assert_false(kit_alone(&k, &reindex, &f));
    fail_clear(&f);
    KIT_OK(driver->rollback(old.connection, &f));
    assert_string_equal(ask("reindexed", INVALID), "1");
    KIT_OK(driver->check_after(k.connection, &p, &f));
    /* There before: somebody else's. */
    const char *before = probe_before(&old, &p);
    assert_int_equal(probe(&k, &p, before), PROBE_NOT_DONE);
    assert_string_equal(ask("reindexed", INVALID), "1");
    assert_int_equal(probe(&k, &p, ""), PROBE_NOT_DONE);
    assert_string_equal(ask("reindexed", INVALID), "0");
    assert_string_equal(ask("reindexed", "SELECT count(*) FROM pg_index WHERE indrelid = "
                                         "'t'::regclass"),
                        "2");
    reindex.probe = &p;
    KIT_OK(kit_alone(&k, &reindex, &f));
    kit_close(&old);
    kit_close(&k);
}

/* REINDEX TABLE builds the index of its TOAST table, too, and those of its partitions; REINDEX SCHEMA
   those of all its tables. */
static void what_broken_reindexing_of_tables_leaves_is_found(void **state UNUSED)
{
    static const struct {
        const char *sql;
        struct probe probe;
        const char *left; /* as many */
    } cases[] = {
        {"REINDEX TABLE CONCURRENTLY s.t",
         {.kind = PROBE_RERUN, .schema = "s", .name = "t", .is_reindex = true},
         "2"},
        {"REINDEX TABLE CONCURRENTLY s.p",
         {.kind = PROBE_RERUN, .schema = "s", .name = "p", .is_reindex = true},
         "2"},
        {"REINDEX SCHEMA CONCURRENTLY s",
         {.kind = PROBE_RERUN, .schema = "", .name = "s", .is_reindex = true},
         "2"},
    };
    static const char invalid[] = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    const char *url = pg_cluster_database(cluster, "toasted");
    pg_cluster_execute(cluster, "toasted",
                       "CREATE SCHEMA s; CREATE TABLE s.t (a text); CREATE INDEX ON s.t (a);"
                       "CREATE TABLE other ();"
                       "CREATE TABLE s.p (a text) PARTITION BY LIST (a);"
                       "CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES IN ('x');"
                       "CREATE INDEX ON s.p1 (a)");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (pg_cluster_version(cluster) < 140000 && i == 1)
            continue; /* partitioned tables are reindexed since 14 */
        struct kit old = kit_open(driver, url, NULL);
        struct statement snapshot[] = {
            kit_statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
            kit_statement("SELECT * FROM other")};
        struct statement reindex = kit_statement(cases[i].sql);
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct kit k = kit_open_run(driver, url, &(struct connect_options){.lock_timeout_ms = 100});
        KIT_OK(kit_begin(&old, snapshot, 2, &f));
        const char *before = probe_before(&k, &cases[i].probe);
        assert_false(kit_alone(&k, &reindex, &f));
        fail_clear(&f);
        KIT_OK(driver->rollback(old.connection, &f));
        assert_string_equal(ask("toasted", invalid), cases[i].left);
        assert_int_equal(probe(&k, &cases[i].probe, before), PROBE_NOT_DONE);
        assert_string_equal(ask("toasted", invalid), "0");
        kit_close(&old);
        kit_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_broken_reindexing_leaves_is_dropped_before_the_next_try),
        cmocka_unit_test(what_broken_reindexing_of_tables_leaves_is_found),
    };

    return cmocka_run_group_tests_name("postgres probe of reindexing", tests, start, NULL);
}
