/* Directives reach the statement that they stand in front of; verdicts follow. */
#include "planner/planner.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "drivers/testkit/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static bool plan_text(struct arena *a, const char *sql, struct plan *out, struct fail *f)
{
    const char *directory = fixture_directory();
    fixture_write(directory, "1_test.sql", sql);
    struct migration *m = arena_new(a, struct migration);
    *m = (struct migration){
        .version = STR("1"),
        .path = str_of(fixture_path(directory, "1_test.sql")),
        .script = STR("1_test.sql"),
        .up = {0, UINT64_MAX},
        .size_bytes = strlen(sql),
        .checksums = {.raw = digest_of(str_of(sql))},
    };
    const struct migration *list[] = {m};
    const struct plan_request request = {
        .migrations = list,
        .count = 1,
        .dialect = dialect_for(ENGINE_POSTGRES),
        .wants_statements = true,
        .is_lenient = true,
    };
    return plan_make(a, &request, out, f);
}

static struct planned_migration plan_of(struct arena *a, const char *sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct plan p;
    if (!plan_text(a, sql, &p, &f))
        fail_msg("%s: %s", sql, f.message);
    return p.migrations[0];
}

/* The reason with which the finding of this id about a statement is allowed; "" : it is not. */
static const char *reason(const struct planned_migration *m, size_t statement, const char *id)
{
    const struct hazards *list = &m->statements.at[statement].hazards;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].rule->id, id) == 0)
            return list->at[i].waiver ? list->at[i].waiver : "";
    }
    return NULL;
}

static size_t unused(const struct planned_migration *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->hazards.count; i++)
        count += strcmp(m->hazards.at[i].rule->id, "unused-suppression") == 0;
    return count;
}

static void in_front_of_a_statement_it_is_for_that_one(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct planned_migration m = plan_of(a, "SELECT 1;\n"
                                            "-- migrate: allow drop-table reason=\"first\"\n"
                                            "-- why\n"
                                            "DROP TABLE a;\n"
                                            "DROP TABLE b;\n");
    assert_string_equal(reason(&m, 1, "drop-table"), "first");
    assert_string_equal(reason(&m, 2, "drop-table"), "");
    assert_int_equal(m.verdict, VERDICT_BLOCK);
    assert_int_equal(unused(&m), 0);
}

static void at_the_top_it_is_for_the_whole_file(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct planned_migration m = plan_of(a, "-- migrate: allow drop-table reason=\"all of it\"\n"
                                            "DROP TABLE a;\n"
                                            "DROP TABLE b;\n");
    assert_string_equal(reason(&m, 0, "drop-table"), "all of it");
    assert_string_equal(reason(&m, 1, "drop-table"), "all of it");
    assert_int_equal(m.verdict, VERDICT_PASS);
}

static void within_a_statement_it_is_for_that_one(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct planned_migration m = plan_of(a, "DROP TABLE\n"
                                            "-- migrate: allow drop-table reason=\"inside\"\n"
                                            "a;\nDROP TABLE b;");
    assert_string_equal(reason(&m, 0, "drop-table"), "inside");
    assert_string_equal(reason(&m, 1, "drop-table"), "");
}

static void what_hits_nothing_is_told(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct planned_migration m = plan_of(a, "SELECT 1;\n"
                                            "-- migrate: allow drop-table reason=\"x\"\n"
                                            "SELECT 2;\n"
                                            "-- migrate: allow drop-column reason=\"behind\"\n");
    assert_int_equal(unused(&m), 2);
    assert_int_equal(m.verdict, VERDICT_PASS);
}

static void comments_longer_than_a_window_lose_nothing(void **state)
{
    (void)state;
    enum { LINES = 12000 };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf sql = {0};
    buf_add_cstr(&sql, "SELECT 1;\n-- migrate: allow drop-table reason=\"far away\"\n");
    for (int i = 0; i < LINES; i++)
        buf_add_cstr(&sql, "-- a line of a comment that goes on and on and on\n");
    buf_add_cstr(&sql, "DROP TABLE a;\n");
    struct planned_migration m = plan_of(a, buf_cstr(&sql));
    assert_string_equal(reason(&m, 1, "drop-table"), "far away");
    assert_int_equal(m.statements.at[1].statement.line, LINES + 3);
}

static void findings_about_the_file_are_allowed_at_their_statement(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct planned_migration m =
        plan_of(a, "SELECT 1;\n"
                   "-- migrate: allow not-valid-left reason=\"next release\"\n"
                   "ALTER TABLE a ADD CONSTRAINT k CHECK (b > 0) NOT VALID;\n");
    assert_int_equal(unused(&m), 0);
    assert_int_equal(m.hazards.count, 1);
    assert_string_equal(m.hazards.at[0].waiver, "next release");
}

static void what_is_not_understood_is_unknown_until_it_is_allowed(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct planned_migration m = plan_of(a, "SELECT 1;\nFROBNICATE;\n");
    assert_int_equal(m.verdict, VERDICT_UNKNOWN);
    m = plan_of(a, "SELECT 1;\n-- migrate: allow opaque-statement reason=\"of our extension\"\n"
                   "FROBNICATE;\n");
    assert_int_equal(m.verdict, VERDICT_PASS);
}

static void a_hazard_that_there_is_not_is_refused_with_its_place(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct plan p;
    assert_false(
        plan_text(a, "SELECT 1;\n\t-- migrate: allow drop-tabel reason=\"x\"\nSELECT 2;", &p, &f));
    assert_int_equal(f.code, EXIT_USAGE);
    assert_int_equal(f.line, 2);
    assert_int_equal(f.column, 20);
    assert_non_null(strstr(f.hint, "drop-table"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_front_of_a_statement_it_is_for_that_one),
        cmocka_unit_test(at_the_top_it_is_for_the_whole_file),
        cmocka_unit_test(within_a_statement_it_is_for_that_one),
        cmocka_unit_test(what_hits_nothing_is_told),
        cmocka_unit_test(comments_longer_than_a_window_lose_nothing),
        cmocka_unit_test(findings_about_the_file_are_allowed_at_their_statement),
        cmocka_unit_test(what_is_not_understood_is_unknown_until_it_is_allowed),
        cmocka_unit_test(a_hazard_that_there_is_not_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
