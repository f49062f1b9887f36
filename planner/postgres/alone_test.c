/* The roles of statements against a real server: what stands alone is refused in a transaction block with
   25001, and what looks like it but does not is taken. */
#include "planner/postgres/cut.h"

#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct pg_cluster *cluster;
static const char *const database = "alone";

static const char *const setup =
    "create table t (id int primary key, a int); create index i on t (a);"
    "create table u (id int primary key); create materialized view v as select 1 as a;"
    "create unique index v_a on v (a); create schema s; create type e as enum ('x');"
    "create table parts (id int) partition by range (id);"
    "create table part1 partition of parts for values from (0) to (10);"
    "create table part2 partition of parts for values from (10) to (20);"
    "create procedure p() language sql as 'select 1'; create view w as select 1 as a;"
    "create publication pub for table t;"
    "create subscription sub connection 'host=/nowhere dbname=x' publication pub, more with "
    "(connect = false);"
    "create subscription slotless connection 'host=/nowhere dbname=x' publication pub"
    "  with (connect = false, slot_name = none);"
    "alter subscription sub enable;";

/* What must be refused inside a block. */
static const char *const alone[] = {
    "create index concurrently c1 on t (a)",
    "create unique index concurrently if not exists i on t (a)",
    "create index concurrently on t (a)",
    "drop index concurrently i",
    "drop index concurrently if exists nothing",
    "reindex table concurrently t",
    "reindex index concurrently i",
    "reindex (concurrently, verbose) index i",
    "reindex schema s",
    "reindex schema concurrently s",
    "reindex database alone",
    "reindex system alone",
    "vacuum",
    "vacuum t",
    "vacuum (analyze) t",
    "vacuum full t",
    "cluster",
    "create database other",
    "drop database nothing",
    "drop database if exists nothing",
    "alter database alone set tablespace pg_default",
    "create tablespace x location '/nowhere'",
    "drop tablespace nothing",
    "drop tablespace if exists nothing",
    "alter system set work_mem = '4MB'",
    "alter system reset work_mem",
    "alter system reset all",
    "alter table parts detach partition part1 concurrently",
    "create subscription other connection 'host=/nowhere dbname=x' publication pub",
    "create subscription other connection 'host=/nowhere dbname=x' publication pub with "
    "(create_slot = on)",
    "alter subscription sub refresh publication",
    "alter subscription sub set publication pub2",
    "alter subscription sub add publication pub2",
    "alter subscription sub drop publication pub with (refresh = true)",
    "drop subscription sub",
};

/* What ends transactions itself: refused with another code, once it gets there. */
static const char *const ending[] = {
    "do $$ begin commit; end $$",
    "do $$ begin if true then perform 1; rollback; end if; end $$",
    "do language plpgsql 'begin for i in 1..2 loop update t set a = i; commit; end loop; end'",
};

/* Look-alikes that must be taken. */
static const char *const together[] = {
    "do $$ begin perform 1; end $$",
    "do $$ begin raise notice 'commit;'; end $$",
    "create index c1 on t (a)",
    "create index if not exists i on t (a)",
    "drop index i",
    "drop index if exists nothing",
    "reindex table t",
    "reindex index i",
    "reindex (concurrently false) table t",
    "analyze",
    "analyze (verbose) t",
    "cluster t using t_pkey",
    "refresh materialized view v",
    "refresh materialized view concurrently v",
    "alter database alone connection limit 5",
    "alter database alone set work_mem = '4MB'",
    "alter database alone reset all",
    "alter database alone rename to alone",
    "alter role postgres set work_mem = '4MB'",
    "alter table parts detach partition part1",
    "alter table t set tablespace pg_default",
    "alter table parts attach partition u for values from (30) to (40)",
    "create subscription other connection 'host=/nowhere dbname=x' publication pub with (connect = "
    "false)",
    "create subscription other connection 'host=/nowhere dbname=x' publication pub"
    " with (connect = off, enabled = false, create_slot = false)",
    "alter subscription sub set publication pub2 with (refresh = false)",
    "alter subscription sub add publication pub2 with (refresh = off)",
    "alter subscription sub disable",
    "alter subscription sub connection 'host=/elsewhere dbname=x'",
    "alter subscription sub set (binary = true)",
    "alter type e add value 'y'",
    "alter type e rename value 'x' to 'y'",
    "call p()",
    "do $$ begin perform 1; end $$",
    "discard plans",
    "discard temp",
    "discard sequences",
    "checkpoint",
    "create extension if not exists plpgsql",
    "truncate t",
    "lock table t",
    "explain analyze select 1",
    "create table c1 as select 1",
    "alter view w rename to w2",
    "drop table parts",
    "drop schema s",
    "create publication other for all tables",
    "drop publication pub",
    "create role r1",
    "prepare q as select 1",
    "declare c cursor with hold for select 1",
    "set work_mem = '4MB'",
    "set local work_mem = '4MB'",
    "listen x",
    "notify x",
    "select pg_catalog.set_config('work_mem', '4MB', false)",
};

static enum transaction_role role_of(const char *sql)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct cut_request request = {.window = str_of(sql),
                                  .is_end = true,
                                  .line = 1,
                                  .column = 1,
                                  .server_version = (uint32_t)pg_cluster_version(cluster),
                                  .wants_analysis = true};
    struct cut_result out;
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (!postgres_dialect.cut(a, &request, &out, &f) || out.statements.count != 1)
        fail_msg("%s: %s", sql, f.message ? f.message : "not one statement");
    assert_true(out.statements.at[0].is_analysed);
    return out.statements.at[0].role;
}

static const char *in_a_block(const char *sql)
{
    return pg_cluster_query(cluster, database, fixture_text("begin; %s; rollback", sql));
}

static void what_stands_alone_is_refused_in_a_transaction(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
        const char *answer = in_a_block(alone[i]);
        if (!strstr(answer, "ERROR: 25001"))
            fail_msg("%s: the server says: %s", alone[i], answer);
        if (role_of(alone[i]) != ROLE_ALONE)
            fail_msg("%s: role %d", alone[i], role_of(alone[i]));
    }
}

static void what_ends_transactions_stands_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
        const char *answer = in_a_block(ending[i]);
        if (!strstr(answer, "ERROR: 2D000"))
            fail_msg("%s: the server says: %s", ending[i], answer);
        if (role_of(ending[i]) != ROLE_ALONE)
            fail_msg("%s: role %d", ending[i], role_of(ending[i]));
    }
}

/* It would let go of the run lock, in a transaction or not. */
static void discard_all_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(in_a_block("discard all"), "ERROR: 25001"));
    assert_int_equal(role_of("discard all"), ROLE_REFUSED);
}

static void what_only_looks_like_it_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(together); i++) {
        const char *answer = in_a_block(together[i]);
        /* Renaming the database that one is in is refused for another reason, behind that check. */
        if (strstr(answer, "ERROR: 25001"))
            fail_msg("%s: the server says: %s", together[i], answer);
        if (strstr(answer, "ERROR") && !strstr(together[i], "rename to alone"))
            fail_msg("%s: the server says: %s", together[i], answer);
        if (role_of(together[i]) != ROLE_ORDINARY)
            fail_msg("%s: role %d", together[i], role_of(together[i]));
    }
}

/* What grouping.c builds on: values may be added one behind another, but not used. */
static void new_enum_values_may_neighbour_each_other_but_not_be_used(void **state)
{
    (void)state;
    const char *answer =
        in_a_block("alter type e add value 'p'; alter type e add value 'q' after 'p'");
    assert_null(strstr(answer, "ERROR"));
    answer = in_a_block("alter type e add value 'p'; select 'p'::e");
    assert_non_null(strstr(answer, "ERROR: 55P04"));
}

static int start(void **state)
{
    (void)state;
    cluster = pg_cluster_start(NULL);
    (void)pg_cluster_database(cluster, database);
    /* One by one: subscriptions cannot be made in the implicit block of a multi-statement query. */
    char *text = strdup(setup);
    for (char *at = text, *end; at && *at; at = end) {
        end = strchr(at, ';');
        if (end)
            *end++ = '\0';
        pg_cluster_execute(cluster, database, at);
    }
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_alone_is_refused_in_a_transaction),
        cmocka_unit_test(what_ends_transactions_stands_alone),
        cmocka_unit_test(discard_all_is_refused),
        cmocka_unit_test(what_only_looks_like_it_is_taken),
        cmocka_unit_test(new_enum_values_may_neighbour_each_other_but_not_be_used),
    };
    return cmocka_run_group_tests_name("planner/postgres/alone", tests, start, NULL);
}
