/* The catalog of a live server: whole, as JSON and back, with rights missing, beside somebody's locks. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/json.h"
#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

static struct pg_cluster *cluster;
static const struct driver *driver;

static int start(void **state UNUSED)
{
    static const struct pg_cluster_options options = {
        .settings = "shared_preload_libraries = 'pg_stat_statements'\n"
                    "max_prepared_transactions = 2\n",
    };
    cluster = pg_cluster_start(&options);
    driver = postgres_driver();
    return 0;
}

static const char everything[] =
    "CREATE SCHEMA \"Odd one\";"
    "CREATE TYPE mood AS ENUM ('sad', 'glad');"
    "CREATE DOMAIN word AS varchar(20) DEFAULT 'x' NOT NULL CHECK (VALUE <> '');"
    "CREATE TYPE pair AS (a int, b word[]);"
    "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, w word, p pair,"
    " d numeric(10, 2) DEFAULT 0, n serial, g int GENERATED ALWAYS AS (1 + 1) STORED,"
    " CONSTRAINT positive CHECK (d >= 0));"
    "CREATE TABLE \"Odd one\".\"T 2\" (t bigint REFERENCES t ON DELETE CASCADE DEFERRABLE);"
    "CREATE TABLE parts (at date, k int, z text) PARTITION BY RANGE (at, lower(z));"
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01', 'a') TO ('2025-01-01', "
    "'a');"
    "CREATE TABLE parts_rest PARTITION OF parts DEFAULT;"
    "CREATE INDEX ON parts (k);"
    "CREATE UNIQUE INDEX partial ON t (lower(w::varchar), d DESC) INCLUDE (n) WHERE m = 'sad';"
    "CREATE FUNCTION f(a int, b mood[] DEFAULT NULL) RETURNS SETOF t LANGUAGE sql STABLE AS "
    "'SELECT * FROM t';"
    "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    "CREATE TRIGGER tr BEFORE UPDATE OF d ON t FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION "
    "stamp();"
    "CREATE TRIGGER rows AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION stamp();"
    "CREATE VIEW v AS SELECT id, m::text AS m FROM t;"
    "CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM v WITH NO DATA;"
    "CREATE RULE r AS ON DELETE TO t DO ALSO SELECT 1 FROM parts;"
    "CREATE POLICY pol ON t USING (EXISTS (SELECT FROM parts));"
    "CREATE STATISTICS st ON m, d FROM t;"
    "CREATE PUBLICATION pub FOR TABLE t;"
    "CREATE EXTENSION citext; CREATE EXTENSION pg_stat_statements;"
    "ALTER TABLE t ADD CONSTRAINT later CHECK (n > 0) NOT VALID;"
    "INSERT INTO t (m, w) VALUES ('sad', 'a'), (NULL, 'b');"
    "ANALYZE t;"
    "ALTER DATABASE whole SET timezone = 'Europe/Oslo';"
    "ALTER DATABASE whole SET lock_timeout = '7s'";

static struct catalog *read_catalog(struct kit *k)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct server_identity identity;
    KIT_OK(driver->identity(k->arena, k->connection, &identity, &f));
    struct catalog *c = driver->read_catalog(k->arena, k->connection, &f);
    KIT_OK(c != NULL);
    return c;
}

static struct str text_of(struct arena *a, const struct catalog *c)
{
    SCOPED(json) struct json *j = catalog_json(c);
    return json_line(a, j);
}

static const struct catalog_relation *relation(const struct catalog *c, const char *name)
{
    const struct catalog_relation *r = catalog_find_relation(c, STR("public"), str_of(name));
    assert_non_null(r);
    return r;
}

static void check_table(const struct catalog *c)
{
    const struct catalog_relation *t = relation(c, "t");
    assert_int_equal(t->rows, ROWS_SOME);
    assert_true(t->row_estimate == 2);
    assert_true(t->size_bytes > 0);
    assert_int_equal(t->indexes.count, 2);
    assert_int_equal(t->referencing.count, 1);
    assert_int_equal(t->rules.count, 2);
    assert_false(catalog_find_constraint(t, STR("later"))->is_valid);
    const struct catalog_column *m = catalog_find_column(t, STR("m"));
    assert_true(m->null_fraction == 0.5);
    assert_ptr_equal(m->type.user, catalog_find_type(c, STR("public"), STR("mood")));
    assert_int_equal(catalog_find_column(t, STR("d"))->type.typmod, (10 << 16 | 2) + 4);
    assert_ptr_equal(catalog_find_column(t, STR("n"))->sequence, relation(c, "t_n_seq"));
    const struct catalog_trigger *tr = catalog_find_trigger(t, STR("tr"));
    assert_int_equal(tr->update_count, 1);
    assert_int_equal(tr->columns.count, 2);
    assert_true(
        catalog_find_type(c, STR("public"), STR("pair"))->composite->columns.at[1]->type.is_array);
}

static void check_the_rest(const struct catalog *c)
{
    assert_int_equal(relation(c, "parts")->rows, ROWS_NONE);
    assert_int_equal(relation(c, "parts")->partition_keys.count, 2);
    assert_non_null(catalog_find_trigger(relation(c, "parts_1"), STR("rows"))->parent);
    assert_ptr_equal(catalog_default_partition(relation(c, "parts")), relation(c, "parts_rest"));
    assert_ptr_equal(relation(c, "parts_1_k_idx")->index->parent, relation(c, "parts_k_idx"));
    assert_int_equal(relation(c, "v")->uses.count, 2);
    assert_true(relation(c, "v")->query.text.len > 0);
    assert_false(relation(c, "mv")->is_populated);
    const struct catalog_function *f = catalog_find_function(c, STR("public"), STR("f"), NULL);
    assert_int_equal(f->arguments.count, 2);
    assert_int_equal(f->default_count, 1);
    assert_true(str_equal(f->argument_names.at[1], STR("b")));
    assert_true(
        str_equal(catalog_find_type(c, STR("public"), STR("citext"))->extension, STR("citext")));
    /* A session's own, whatever ours has set. */
    assert_true(str_equal(catalog_setting(c, "lock_timeout"), STR("7000")));
    assert_true(str_equal(catalog_setting(c, "timezone"), STR("Europe/Oslo")));
    assert_true(c->queries.count > 0);
}

static void everything_is_read_and_survives_json(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "whole");
    pg_cluster_execute(cluster, "whole", everything);
    struct kit k = kit_open(driver, url, NULL);
    const struct catalog *c = read_catalog(&k);
    assert_int_equal(c->left_out.count, 0);
    assert_true(c->is_complete);
    check_table(c);
    check_the_rest(c);

    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text = text_of(k.arena, c);
    const struct catalog *again = catalog_read(k.arena, text, STR("s.json"), &f);
    KIT_OK(again != NULL);
    assert_string_equal(text_of(k.arena, again).at, text.at);
    check_table(again);
    check_the_rest(again);
    /* The session is as it was. */
    KIT_OK(kit_alone(
        &k, &(struct statement){.text = STR("CREATE TABLE public.after_it ()"), .kind = ""}, &f));
    kit_close(&k);
}

static void a_locked_table_is_not_waited_for(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "locked");
    pg_cluster_execute(
        cluster, "locked",
        "CREATE TABLE t (id int); CREATE TABLE other (id int); CREATE VIEW v AS SELECT * FROM t");
    struct kit holder = kit_open(driver, url, NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement lock = kit_statement("LOCK TABLE t");
    KIT_OK(kit_begin(&holder, &lock, 1, &f));

    struct kit k = kit_open(driver, url, NULL);
    const struct catalog *c = read_catalog(&k);
    assert_int_equal(relation(c, "t")->rows, ROWS_UNKNOWN);
    assert_int_equal(relation(c, "t")->size_bytes, -1);
    assert_int_equal(relation(c, "other")->rows, ROWS_NONE);
    assert_int_equal(relation(c, "t")->columns.count, 1);
    kit_close(&k);
    KIT_OK(driver->rollback(holder.connection, &f));
    kit_close(&holder);
}

/* The transaction of that name, and its only lock. */
static const struct catalog_transaction *transaction(const struct catalog *c, const char *state)
{
    const struct catalog_transaction *found = NULL;
    for (size_t i = 0; i < c->transactions.count; i++) {
        if (str_equal(c->transactions.at[i]->state, str_of(state)))
            found = c->transactions.at[i];
    }
    assert_non_null(found);
    assert_int_equal(found->locks.count, 1);
    assert_true(found->open_us > 0);
    assert_false(found->is_wraparound);
    return found;
}

static void open_transactions_are_read_with_their_locks(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "open");
    pg_cluster_execute(cluster, "open", "CREATE TABLE t (id int); CREATE TABLE u (id int)");
    struct kit holder = kit_open(driver, url, NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement lock = kit_statement("LOCK TABLE t IN SHARE MODE");
    KIT_OK(kit_begin(&holder, &lock, 1, &f));
    pg_cluster_execute(cluster, "open", "BEGIN; LOCK TABLE u; PREPARE TRANSACTION 'gone'");

    struct kit k = kit_open(driver, url, NULL);
    const struct catalog *c = read_catalog(&k);
    assert_int_equal(c->transactions.count, 2);
    const struct catalog_transaction *idle = transaction(c, "idle in transaction");
    assert_ptr_equal(idle->locks.at[0].relation, relation(c, "t"));
    assert_int_equal(idle->locks.at[0].mode, LOCK_SHARE);
    assert_string_equal(idle->role.at, "postgres");
    const struct catalog_transaction *prepared = transaction(c, "prepared");
    assert_string_equal(prepared->who.at, "'gone'");
    assert_false(prepared->has_snapshot);
    assert_ptr_equal(prepared->locks.at[0].relation, relation(c, "u"));
    assert_int_equal(prepared->locks.at[0].mode, LOCK_ACCESS_EXCLUSIVE);
    kit_close(&k);
    KIT_OK(driver->rollback(holder.connection, &f));
    kit_close(&holder);
    pg_cluster_execute(cluster, "open", "ROLLBACK PREPARED 'gone'");
}

static void a_right_that_is_missing_is_told(void **state UNUSED)
{
    (void)pg_cluster_database(cluster, "guarded");
    pg_cluster_execute(cluster, "guarded",
                       "CREATE TABLE t (id int DEFAULT 7); CREATE EXTENSION pg_stat_statements;"
                       "REVOKE ALL ON pg_stat_statements FROM PUBLIC;"
                       "REVOKE ALL ON pg_catalog.pg_stats FROM PUBLIC; CREATE ROLE visitor LOGIN");
    struct kit k = kit_open(driver, pg_cluster_url(cluster, "guarded", "visitor"), NULL);
    const struct catalog *c = read_catalog(&k);
    assert_int_equal(c->left_out.count, 2);
    assert_string_equal(c->left_out.at[0].at,
                        "statistics of columns: permission denied for view pg_stats");
    assert_string_equal(
        c->left_out.at[1].at,
        "queries of the application: permission denied for view pg_stat_statements");
    assert_true(catalog_has_expression(&relation(c, "t")->columns.at[0]->default_value));
    assert_int_equal(relation(c, "t")->rows, ROWS_NONE);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read_and_survives_json),
        cmocka_unit_test(a_locked_table_is_not_waited_for),
        cmocka_unit_test(open_transactions_are_read_with_their_locks),
        cmocka_unit_test(a_right_that_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
