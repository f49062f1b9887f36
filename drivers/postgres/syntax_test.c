/* The server decides whether a syntax is valid, and nothing else happens on it. */
#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/pg_cluster.h"

static struct pg_cluster *cluster;
static const struct driver *driver;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    driver = postgres_driver();
    return 0;
}

static const struct {
    const char *sql;
    enum syntax_answer answer;
    size_t offset;
} cases[] = {
    {"CREATE TABLE made (a integer)", SYNTAX_TAKEN, SIZE_MAX},
    {"SELECT * FROM nowhere.to_be_found", SYNTAX_TAKEN, SIZE_MAX},
    {"SELECT $1", SYNTAX_TAKEN, SIZE_MAX},
    {"VACUUM kept", SYNTAX_TAKEN, SIZE_MAX},
    {"CREATE INDEX CONCURRENTLY ON kept (a)", SYNTAX_TAKEN, SIZE_MAX},
    {"COPY kept FROM stdin", SYNTAX_TAKEN, SIZE_MAX},
    {"DROP DATABASE postgres", SYNTAX_TAKEN, SIZE_MAX},
    {"ROLLBACK", SYNTAX_TAKEN, SIZE_MAX},
    {"COMMIT", SYNTAX_TAKEN, SIZE_MAX},
    {"DO $$ BEGIN RAISE 'no'; END $$", SYNTAX_TAKEN, SIZE_MAX},
    {"ALTER TABLE kept ALTER COLUMN a TYP bigint", SYNTAX_REFUSED, 32},
    {"SELECT '\xc3\xa4', FROM kept", SYNTAX_REFUSED, 13},
    {"INSERT INTO kept VALUES (1", SYNTAX_REFUSED, 26},
    {"CREATE SCHEMA IF NOT EXISTS x CREATE TABLE y ()", SYNTAX_REFUSED, 30}, /* 0A000 */
    {"SELECT :'name'", SYNTAX_REFUSED, 7},
};

static void the_grammar_of_the_server_decides(void **state UNUSED)
{
    const char *url = pg_cluster_database(cluster, "decides");
    struct kit k = kit_open_run(driver, url, NULL);
    SCOPED(fail) struct fail f = FAIL_NONE;
    KIT_OK(kit_unit(&k, "CREATE TABLE kept (a integer)", &f));
    /* Whoever looked at the table would wait for this. */
    struct kit other = kit_open(driver, url, NULL);
    struct statement lock = kit_statement("LOCK TABLE kept");
    KIT_OK(kit_begin(&other, &lock, 1, &f));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct syntax_verdict v;
        KIT_OK(driver->check_syntax(k.arena, k.connection, str_of(cases[i].sql), &v, &f));
        if (v.answer != cases[i].answer || v.offset != cases[i].offset ||
            (v.answer == SYNTAX_REFUSED) != (v.message != NULL))
            fail_msg("%s: answer %d, offset %zu, %s", cases[i].sql, v.answer, v.offset, v.message);
    }
    KIT_OK(driver->rollback(other.connection, &f));
    kit_close(&other);
    KIT_OK(kit_unit(&k, "CREATE TABLE next (a integer)", &f)); /* the session is as it was */
    assert_string_equal(pg_cluster_query(cluster, "decides",
                                         "SELECT string_agg(relname, ' ' ORDER BY relname) FROM "
                                         "pg_class WHERE relnamespace = 'public'::regnamespace"),
                        "kept next");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grammar_of_the_server_decides),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
