/* What SQLite says of its own statements, one behind the other. */
#include "planner/sqlite/analyse.h"

#include "planner/sqlite/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static const struct str schema[] = {
    STR("create table t (id integer primary key, a text, b text)"),
    STR("create index i on t (a)"),
    STR("create view v as select a from t"),
    STR("create table u (id integer primary key, t_id references t (id) on delete cascade)"),
};

struct analyse_case {
    const char *sql;
    const char *kind;
    enum statement_class class;
    const char *reason; /* NULL: any */
};

static struct statement analyse(struct arena *a, struct sqlite_scratch *scratch, const char *sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct cut_request request = {.window = str_of(sql), .is_end = true, .line = 1, .column = 1};
    struct cut_result out = {0};
    if (!sqlite_dialect.cut(a, &request, &out, &f) || out.statements.count != 1)
        fail_msg("%s", sql);
    struct statement s = out.statements.at[0];
    assert_true(sqlite_scratch_analyse(a, scratch, &s, &f));
    return s;
}

static struct sqlite_scratch *open_scratch(void)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(arena) struct arena *a = arena_make();
    struct sqlite_scratch *s = sqlite_scratch_open(&f);
    assert_non_null(s);
    for (size_t i = 0; i < ARRAY_LEN(schema); i++) {
        const char *why = sqlite_scratch_load(a, s, schema[i]);
        if (why)
            fail_msg("%.*s: %s", STR_ARG(schema[i]), why);
    }
    return s;
}

static const struct analyse_case cases[] = {
    {"create table x (a)", "CREATE TABLE", CLASS_ADDITIVE, NULL},
    {"create table x as select * from t", "CREATE TABLE", CLASS_ADDITIVE, NULL},
    {"create temp table x (a)", "CREATE TABLE", CLASS_ADDITIVE, NULL},
    {"create unique index x on t (b)", "CREATE INDEX", CLASS_ADDITIVE, NULL},
    {"create view x as select 1", "CREATE VIEW", CLASS_ADDITIVE, NULL},
    {"create trigger x after insert on t begin delete from u; end", "CREATE TRIGGER",
     CLASS_ADDITIVE, NULL},
    {"insert into t (a) values ('x')", "INSERT", CLASS_ADDITIVE, NULL},
    {"insert into t (a) select a from t", "INSERT", CLASS_ADDITIVE, NULL},
    {"with x as (select 1) insert into t (a) select * from x", "INSERT", CLASS_ADDITIVE, NULL},
    {"with x as (select 1) select * from x", "SELECT", CLASS_ADDITIVE, NULL},
    {"with x as (select 1) delete from t where id in x", "DELETE", CLASS_DESTRUCTIVE,
     "deletes from t"},
    {"select * from t", "SELECT", CLASS_ADDITIVE, NULL},
    {"alter table t add column c text default ' drop it, rename it '", "ALTER TABLE",
     CLASS_ADDITIVE, NULL},
    {"alter table t rename to t2", "ALTER TABLE", CLASS_DESTRUCTIVE, "renames in table t"},
    {"alter table main.t rename column a to c", "ALTER TABLE", CLASS_DESTRUCTIVE,
     "renames in table t"},
    {"alter table t drop column b", "ALTER TABLE", CLASS_DESTRUCTIVE, "drops a column of table t"},
    {"drop table t", "DROP TABLE", CLASS_DESTRUCTIVE, "drops table t"},
    {"drop index i", "DROP INDEX", CLASS_DESTRUCTIVE, "drops index i"},
    {"drop view v", "DROP VIEW", CLASS_DESTRUCTIVE, "drops view v"},
    {"delete from t", "DELETE", CLASS_DESTRUCTIVE, "deletes from t"},
    {"update t set a = 1", "UPDATE", CLASS_DESTRUCTIVE, "updates t"},
    {"replace into t (id) values (1)", "REPLACE", CLASS_DESTRUCTIVE,
     "overwrites rows that are there"},
    {"insert or replace into t (id) values (1)", "INSERT", CLASS_DESTRUCTIVE,
     "overwrites rows that are there"},
    {"insert into t (id) values (1) on conflict (id) do update set a = 'x'", "INSERT",
     CLASS_DESTRUCTIVE, "updates t"},
    {"pragma user_version = 3", "PRAGMA", CLASS_ADDITIVE, NULL},
    {"pragma writable_schema = on", "PRAGMA", CLASS_DESTRUCTIVE, NULL},
    {"vacuum", "VACUUM", CLASS_ADDITIVE, NULL},
    {"begin", "BEGIN", CLASS_ADDITIVE, NULL},
    {"savepoint s", "SAVEPOINT", CLASS_ADDITIVE, NULL},
    {"reindex", "REINDEX", CLASS_ADDITIVE, NULL},
    {"analyze", "ANALYZE", CLASS_ADDITIVE, NULL},
};

static void statements_are_what_sqlite_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = open_scratch();
        struct statement s = analyse(a, scratch, cases[i].sql);
        if (!s.is_analysed || s.class != cases[i].class || strcmp(s.kind, cases[i].kind) != 0)
            fail_msg("%s: \"%s\" class %d %s", cases[i].sql, s.kind, s.class,
                     s.not_analysed_reason ? s.not_analysed_reason : "");
        if (cases[i].reason && (!s.class_reason || strcmp(s.class_reason, cases[i].reason) != 0))
            fail_msg("%s: %s", cases[i].sql, s.class_reason ? s.class_reason : "(no reason)");
    }
}

static void a_statement_sees_what_the_ones_before_it_did(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = open_scratch();
    assert_false(analyse(a, scratch, "insert into x values (1)").is_analysed);
    assert_true(analyse(a, scratch, "create table x (a)").is_analysed);
    assert_true(analyse(a, scratch, "insert into x values (1)").is_analysed);
    assert_true(analyse(a, scratch, "alter table x rename to y").is_analysed);
    assert_false(analyse(a, scratch, "insert into x values (1)").is_analysed);
    assert_true(analyse(a, scratch, "alter table y add column b").is_analysed);
    assert_true(analyse(a, scratch, "update y set b = 1").is_analysed);
    assert_true(analyse(a, scratch, "drop table y").is_analysed);
    assert_false(analyse(a, scratch, "drop table y").is_analysed);
}

static void what_sqlite_does_not_know_is_destructive_in_its_words(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = open_scratch();
    struct statement s = analyse(a, scratch, "insert into nowhere values (1)");
    assert_false(s.is_analysed);
    assert_int_equal(s.class, CLASS_DESTRUCTIVE);
    assert_string_equal(s.not_analysed_reason, "no such table: nowhere");
    s = analyse(a, scratch, "selec 1");
    assert_string_equal(s.not_analysed_reason, "near \"selec\": syntax error");
}

/* A plan must end and must touch nothing: rows are not written, and endless queries are given up. */
static void nothing_endless_is_run(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = open_scratch();
    const char *endless =
        "with recursive c(x) as (select 1 union all select x + 1 from c) select x from c";
    assert_true(analyse(a, scratch, endless).is_analysed);
    assert_true(analyse(a, scratch, arena_printf(a, "insert into t (a) %s", endless)).is_analysed);
    assert_true(analyse(a, scratch, arena_printf(a, "create table x as %s", endless)).is_analysed);
    assert_true(analyse(a, scratch, "select * from t").is_analysed);
}

static void other_files_are_not_reached(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = open_scratch();
    (void)remove("/tmp/migrate-analyse-test.db");
    (void)analyse(a, scratch, "attach '/tmp/migrate-analyse-test.db' as x");
    (void)analyse(a, scratch, "vacuum into '/tmp/migrate-analyse-test.db'");
    FILE *file = fopen("/tmp/migrate-analyse-test.db", "r");
    assert_null(file);
}

static void a_schema_is_loaded_and_what_cannot_be_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *why;
    } loads[] = {
        {"create table old (a)", NULL},
        {"alter table old rename to new", NULL},
        {"insert into new values (1)", NULL},
        {"pragma query_only = on", NULL}, /* and is not obeyed */
        {"create table other (a)", NULL},
        {"CREATE TABLE sqlite_sequence(name,seq)", NULL},
        {"CREATE TABLE \"sqlite_stat1\"(tbl,idx,stat)", NULL},
        {"create virtual table f using nothing_like_it (x)", "no such module: nothing_like_it"},
        {"create table new (b)", "table new already exists"},
        {"attach '/tmp/migrate-analyse-test.db' as x", "it reaches outside the database"},
        {"vacuum into '/tmp/migrate-analyse-test.db'", "it reaches outside the database"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = sqlite_scratch_open(&f);
    assert_non_null(scratch);
    for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
        const char *why = sqlite_scratch_load(a, scratch, str_of(loads[i].sql));
        if ((why && !loads[i].why) || strcmp(why ? why : "", loads[i].why ? loads[i].why : ""))
            fail_msg("%s: %s", loads[i].sql, why ? why : "(fine)");
    }
    assert_true(analyse(a, scratch, "drop table new").is_analysed);
    assert_null(fopen("/tmp/migrate-analyse-test.db", "r"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_what_sqlite_says),
        cmocka_unit_test(a_statement_sees_what_the_ones_before_it_did),
        cmocka_unit_test(a_schema_is_loaded_and_what_cannot_be_is_told),
        cmocka_unit_test(what_sqlite_does_not_know_is_destructive_in_its_words),
        cmocka_unit_test(nothing_endless_is_run),
        cmocka_unit_test(other_files_are_not_reached),
    };
    return cmocka_run_group_tests_name("planner/sqlite/analyse", tests, NULL, NULL);
}
