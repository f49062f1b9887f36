/* What is carried from statement to statement: rows, settings, what is new, and the class that follows. */
#include "planner/postgres/analysis.h"

#include "core/base/buf.h"
#include "core/model/script.h"
#include "planner/postgres/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_make();
    return 0;
}

static int release_arena(void **state)
{
    (void)state;
    arena_release(arena);
    return 0;
}

/* The last statement's analysis. is_schema: what was there before. */
static struct analysis run(struct postgres_analysis *p, const char *sql, bool is_schema)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct script_context how = {.dialect = &postgres_dialect, .wants_analysis = true};
    SCOPED(script) struct script *script = script_open_memory(str_of(sql), STR("t.sql"), &how);
    struct analysis last = {0};
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            fail_msg("%s: %s", f.message, sql);
        for (size_t i = 0; i < batch.count; i++) {
            if (is_schema)
                postgres_analysis_fold(p, &batch.statements[i]);
            else
                postgres_analysis_statement(arena, p, &batch.statements[i], &last);
        }
        struct str piece = {.len = batch.count &&
                                   batch.statements[batch.count - 1].is_copy_from_stdin};
        while (piece.len) {
            if (!script_copy_data(script, &piece, &f))
                fail_msg("%s: %s", f.message, sql);
        }
    }
    return last;
}

static struct postgres_analysis *with_schema(const char *sql)
{
    struct postgres_analysis *p = postgres_analysis_open(arena, NULL, 160000, NULL);
    (void)run(p, sql, true);
    postgres_analysis_fold_end(p, true);
    return p;
}

static struct analysis in_migration(struct postgres_analysis *p, const char *sql)
{
    postgres_analysis_migration(p, STR("1.sql"), TRANSACTION_AUTO);
    return run(p, sql, false);
}

static const struct catalog_relation *relation(struct postgres_analysis *p, const char *schema,
                                               const char *name)
{
    const struct catalog_relation *r =
        catalog_find_relation(postgres_analysis_catalog(p), str_of(schema), str_of(name));
    if (!r)
        fail_msg("there is no %s.%s", schema, name);
    return r;
}

/* ---- rows ---- */

static void a_script_is_taken_at_its_word_about_rows(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        enum row_state rows;
    } cases[] = {
        {"create table t (a int)", ROWS_NONE_WRITTEN},
        {"create table t (a int); insert into t values (1)", ROWS_SOME},
        {"create table t (a int); insert into t select g from generate_series(1, 9) g", ROWS_SOME},
        {"create table t (a int); with x as (insert into t values (1) returning a) select * from x",
         ROWS_SOME},
        {"create table t (a int);\ncopy t from stdin;\n1\n\\.\n", ROWS_SOME},
        {"create table t (a int); copy t to '/tmp/x'", ROWS_NONE_WRITTEN},
        {"create table t (a int); create table u (a int); insert into u select a from t",
         ROWS_NONE_WRITTEN},
        {"create table t (a int); create rule r as on insert to t do also insert into t values (1)",
         ROWS_NONE_WRITTEN},
        {"create table p (a int) partition by list (a); create table t partition of p for values "
         "in (1); insert into p values (1)",
         ROWS_SOME},
        {"set search_path = ''; create table public.t (a int)", ROWS_UNKNOWN},
        {"select pg_catalog.set_config('search_path', '', false); create table public.t (a int)",
         ROWS_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(postgres_analysis) struct postgres_analysis *p = with_schema(cases[i].sql);
        if (relation(p, "public", "t")->rows != cases[i].rows)
            fail_msg("%s: %d", cases[i].sql, (int)relation(p, "public", "t")->rows);
    }
}

/* Three partitions: below 100, below 200, the rest. */
static void rows_are_put_where_the_server_would(void **state)
{
    (void)state;
    static const struct {
        const char *insert;
        const char *filled; /* of p1 p2 p3 */
    } cases[] = {
        {"insert into p values (1), (150)", "yy-"},
        {"insert into p select g from generate_series(1, 99) g", "y--"},
        {"insert into p select g from generate_series(1, 100) g", "yy-"},
        {"insert into p select g % 100 + 100 from generate_series(1, 100000) as x(g)", "-y-"},
        {"insert into p (i) select 100 + series.n from generate_series(0, 300, 50) series(n)",
         "-yy"},
        {"insert into p select g from generate_series(5, 1) g", "---"},
        {"insert into p select 1", "y--"},
        {"insert into p values (null)", "--y"},
        {"insert into p select i from s", "yyy"}, /* who knows */
        {"insert into p select i from s where false", "---"},
        {"insert into p select i from empty", "---"},
        {"insert into p2 values (150)", "-y-"},
        {"insert into p values (random() * 100)", "yyy"},
        {"copy p from stdin;\n1\n\\.\n", "yyy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(postgres_analysis)
        SCOPED(postgres_analysis)
        struct postgres_analysis *p = with_schema(arena_printf(
            arena,
            "create table empty (i int); create table s (i int); insert into s values (1);"
            "create table p (i int) partition by range (i);"
            "create table p1 partition of p for values from (minvalue) to (100);"
            "create table p2 partition of p for values from (100) to (200);"
            "create table p3 partition of p default; %s",
            cases[i].insert));
        for (int k = 0; k < 3; k++) {
            const char *name = arena_printf(arena, "p%d", k + 1);
            bool has_rows = relation(p, "public", name)->rows == ROWS_SOME;
            if (has_rows != (cases[i].filled[k] == 'y'))
                fail_msg("%s: %s", cases[i].insert, name);
        }
    }
}

static void a_table_of_this_plan_is_empty_until_it_is_filled(void **state)
{
    (void)state;
    SCOPED(postgres_analysis) struct postgres_analysis *p = with_schema("create table old (a int)");
    (void)in_migration(p, "create table t (a int)");
    assert_int_equal(relation(p, "public", "t")->rows, ROWS_NONE);
    assert_int_equal(relation(p, "public", "t")->created_in, 1);
    (void)in_migration(p, "insert into t select a from old");
    assert_int_equal(relation(p, "public", "t")->rows, ROWS_SOME);
    assert_int_equal(relation(p, "public", "old")->created_in, 0);
}

/* ---- settings ---- */

static void settings_of_a_script_count_and_those_of_a_dump_end_with_it(void **state)
{
    (void)state;
    SCOPED(postgres_analysis)
    struct postgres_analysis *p =
        with_schema("create schema app; set search_path = app, public; create table t (a int)");
    (void)relation(p, "app", "t");
    (void)in_migration(p, "create table u (a int)");
    (void)relation(p, "app", "u");
    postgres_analysis_close(p);
    p = with_schema("SELECT pg_catalog.set_config('search_path', '', false);"
                    "create table public.t (a int)");
    (void)in_migration(p, "alter table t rename to u; create table v (a int)");
    (void)relation(p, "public", "u");
    (void)relation(p, "public", "v");
}

static void set_local_ends_with_its_transaction(void **state)
{
    (void)state;
    SCOPED(postgres_analysis) struct postgres_analysis *p = with_schema("create schema app");
    postgres_analysis_migration(p, STR("1.sql"), TRANSACTION_AUTO);
    postgres_analysis_event(p, ANALYSIS_TRANSACTION_BEGINS);
    (void)run(p, "set local search_path = app; create table t (a int)", false);
    postgres_analysis_event(p, ANALYSIS_TRANSACTION_ENDS);
    (void)run(p, "create table u (a int)", false);
    (void)relation(p, "app", "t");
    (void)relation(p, "public", "u");
}

/* ---- classes ---- */

static void the_class_is_what_it_does(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        enum statement_class class;
    } cases[] = {
        {"alter table t add column b int", CLASS_ADDITIVE},
        {"drop table t", CLASS_DESTRUCTIVE},
        {"alter table t drop column a", CLASS_DESTRUCTIVE},
        {"create table n (a int); drop table n", CLASS_ADDITIVE},
        {"create table n (a int); alter table n drop column a", CLASS_ADDITIVE},
        {"create table n (a int); insert into n values (1); truncate n", CLASS_ADDITIVE},
        {"create table n (a int); drop table n, t", CLASS_DESTRUCTIVE},
        {"create table n (a int); do $$ begin execute 'drop table t'; end $$", CLASS_DESTRUCTIVE},
        {"this is no SQL", CLASS_DESTRUCTIVE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(postgres_analysis)
        SCOPED(postgres_analysis)
        struct postgres_analysis *p = with_schema("create table t (a int)");
        struct analysis last = in_migration(p, cases[i].sql);
        bool is_additive = last.class == CLASS_ADDITIVE;
        if (is_additive != (cases[i].class == CLASS_ADDITIVE))
            fail_msg("%s: %s", cases[i].sql, last.class_reason);
    }
}

static void what_is_not_there_is_said_where_all_is_known(void **state)
{
    (void)state;
    SCOPED(postgres_analysis) struct postgres_analysis *p = with_schema("create table t (a int)");
    struct analysis last = in_migration(p, "alter table gone add column a int");
    assert_non_null(last.effects.missing);
    postgres_analysis_close(p);
    p = postgres_analysis_open(arena, NULL, 160000, NULL); /* nothing is known */
    last = in_migration(p, "alter table gone add column a int");
    assert_null(last.effects.missing);
    assert_int_equal(last.effects.locks.count, 1);
    assert_int_equal(last.effects.locks.at[0].mode, LOCK_ACCESS_EXCLUSIVE);
    assert_true(str_equal(last.effects.locks.at[0].relation, STR("public.gone")));
}

static void each_statement_sees_what_those_before_it_did(void **state)
{
    (void)state;
    SCOPED(postgres_analysis)
    SCOPED(postgres_analysis)
    struct postgres_analysis *p = with_schema("create table t (a int); insert into t values (1)");
    struct analysis last =
        in_migration(p, "alter table t rename to u; alter table u rename column a to b;"
                        "create index i on u (b); drop index i; create index i on u (b)");
    assert_int_equal(last.effects.builds.count, 1);
    assert_true(str_equal(last.effects.builds.at[0].relation, STR("public.i")));
    assert_true(str_equal(last.effects.scans.at[0].relation, STR("public.u")));
    assert_null(last.effects.missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_taken_at_its_word_about_rows),
        cmocka_unit_test(rows_are_put_where_the_server_would),
        cmocka_unit_test(a_table_of_this_plan_is_empty_until_it_is_filled),
        cmocka_unit_test(settings_of_a_script_count_and_those_of_a_dump_end_with_it),
        cmocka_unit_test(set_local_ends_with_its_transaction),
        cmocka_unit_test(the_class_is_what_it_does),
        cmocka_unit_test(what_is_not_there_is_said_where_all_is_known),
        cmocka_unit_test(each_statement_sees_what_those_before_it_did),
    };
    return cmocka_run_group_tests(tests, make_arena, release_arena);
}
