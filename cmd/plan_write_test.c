/*
 * plan --write: the files that it makes of testdata/rewrites, run as they are written, do what the originals
 * do in their online form: the same units, the same schema and rows; what it leaves alone stays as it is.
 */
#include "cmd/rewrites_testing.h"

#include "core/base/json.h"

static const char *written_text(const struct project *p, const char *name)
{
    return fixture_text_of(fixture_text("%s/online/%s", p->home, name));
}

/* Kinds of the units that the plan has, in order. */
static const char *units_of(const struct project *p, const char *mode, int64_t *out_statements)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(buf) struct buf kinds = {0};
    struct ran r = project_run(p, "plan", "--format", "json", "--rewrite", mode, "--no-gate", NULL);
    assert_exit(&r, 0);
    SCOPED(json) struct json *plan = json_parse(str_of(r.out), STR("plan"), &f);
    const struct json *steps = json_get(json_at(json_get(plan, "migrations"), 0), "steps");
    *out_statements = 0;
    for (size_t i = 0; i < json_count(steps); i++) {
        struct str kind = json_str_of(json_get(json_at(steps, i), "transaction"));
        size_t sent = json_count(json_get(json_at(steps, i), "sql"));
        bool is_own = str_equal(kind, STR("own"));
        *out_statements += (int64_t)sent - (is_own ? 2 : 0); /* BEGIN and COMMIT */
        buf_printf(&kinds, "%s ", str_equal(kind, STR("none")) ? "alone" : "transaction");
    }
    return arena_cstr(arena, buf_str(&kinds));
}

/* Findings may say of a statement that it has no online form: so the plan is asked, not its words. */
static void assert_no_form(const struct project *p)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct ran r =
        project_run(p, "plan", "--format", "json", "--rewrite", "auto", "--no-gate", NULL);
    assert_exit(&r, 0);
    SCOPED(json) struct json *plan = json_parse(str_of(r.out), STR("plan"), &f);
    const struct json *statements =
        json_get(json_at(json_get(plan, "migrations"), 0), "statements");
    assert_true(json_count(statements) > 0);
    for (size_t i = 0; i < json_count(statements); i++)
        assert_false(json_is_object(json_get(json_at(statements, i), "online")));
}

static const char *end_of(const char *schema, const char *migration, const char *mode)
{
    struct project *p = make(schema, migration);
    struct ran r = project_run(p, "apply", "--rewrite", mode, NULL);
    assert_exit(&r, 0);
    return sorted_dump(p);
}

/* Of one migration: its written file has the units of its online form, and its end. */
static void check(const char *schema, const char *migration)
{
    int64_t online_statements;
    int64_t written_statements;
    struct project *p = make(schema, migration);
    struct ran r = project_run(p, "plan", "--write", "online", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "online/0001_case.sql: ");
    const char *online = units_of(p, "auto", &online_statements);
    p->dir = "online";
    assert_string_equal(units_of(p, "off", &written_statements), online);
    assert_int_equal(written_statements, online_statements);
    assert_no_form(p);
    r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    const char *dump = sorted_dump(p);
    assert_same(dump, end_of(schema, migration, "auto"));
    assert_same(dump, end_of(schema, migration, "off"));
    assert_answer(p, "SELECT count(*) FROM migrator.event WHERE kind = 'planned'", "0");
    assert_answer(p,
                  "SELECT (SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready) + "
                  "(SELECT count(*) FROM pg_constraint WHERE NOT convalidated)",
                  "0");
    assert_whole(p);
}

/* A step in batches is written as one statement, of which batches are made again. */
static void check_batches(const char *schema, const char *migration)
{
    int64_t online_statements;
    int64_t written_statements;
    struct project *p = make(schema, migration);
    struct ran r = project_run(p, "plan", "--write", "online", "--no-gate", NULL);
    assert_exit(&r, 0);
    const char *online = units_of(p, "auto", &online_statements);
    p->dir = "online";
    assert_string_equal(units_of(p, "auto", &written_statements), online);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_same(sorted_dump(p), end_of(schema, migration, "off"));
    assert_whole(p);
}

/* A file cannot wait: nothing is written. */
static void check_waiting(const char *name)
{
    struct project *p = make_case(name);
    struct ran r = project_run(p, "plan", "--write", "online", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "0001_case.sql is not written: some of its steps wait for migrate contract");
    assert_not_out(&r, "online/");
}

static void check_case(const char *name)
{
    if (!text_of(name, "steps")[0]) /* no form of it is exact */
        return;
    if (strstr(text_of(name, "steps"), "\n  contract, ")) {
        check_waiting(name);
        return;
    }
    bool has_batches = strstr(text_of(name, "steps"), "transaction batches") != NULL;
    (has_batches ? check_batches : check)(text_of(name, "schema.sql"),
                                          text_of(name, "migration.sql"));
}

static void written_files_run_as_the_online_form_does(void **state UNUSED)
{
    for_each_case(check_case);
}

#define LARGE                                                                                      \
    "CREATE TABLE t (id int PRIMARY KEY, a text, b text);"                                         \
    "INSERT INTO t SELECT n, n, n FROM generate_series(1, 20000) n; ANALYZE;"

static void statements_around_keep_their_transactions(void **state UNUSED)
{
    check(LARGE, "CREATE TABLE one (id int);\n"
                 "INSERT INTO one VALUES (1); ALTER TABLE t ALTER a SET NOT NULL; "
                 "CREATE TABLE two (id int);\n"
                 "BEGIN;\nINSERT INTO two VALUES (2);\nCOMMIT;\n"
                 "INSERT INTO two VALUES (3);\nCREATE INDEX ON t (b) -- no semicolon behind it");
}

static void a_file_that_wants_no_transaction_has_none(void **state UNUSED)
{
    check(LARGE, "-- migrate: no-transaction\nCREATE TABLE one (id int);\n"
                 "INSERT INTO one VALUES (1);\nALTER TABLE t ALTER a SET NOT NULL;\n"
                 "INSERT INTO one VALUES (2);\n");
}

static void all_other_bytes_stay(void **state UNUSED)
{
    struct project *p = make(LARGE, "\xEF\xBB\xBF-- über all\r\nSELECT 'ä';\r\n\r\n"
                                    "CREATE INDEX t_a ON t (a) /* here */ ; -- and there\r\n"
                                    "SELECT 2;");
    struct ran r = project_run(p, "plan", "--write", "online", NULL);
    assert_exit(&r, 0);
    const char *text = written_text(p, "0001_case.sql");
    assert_int_equal(
        strncmp(text, "\xEF\xBB\xBF-- über all\r\nSELECT 'ä';\r\n\r\n-- Line 4 of ", 45), 0);
    assert_non_null(strstr(text, "\nCREATE INDEX CONCURRENTLY t_a ON t (a) /* here */ ; -- and "
                                 "there\r\nSELECT 2;"));
}

static void what_a_statement_is_allowed_its_steps_are(void **state UNUSED)
{
    struct project *p =
        make(LARGE "CREATE TABLE u (id int); INSERT INTO u SELECT id FROM t; ANALYZE;",
             "SELECT 1; -- migrate: allow drop-column reason=\"nobody \\\"reads\\\" it\"\n"
             "-- a word\n"
             "ALTER TABLE t DROP COLUMN b, ALTER COLUMN a SET NOT NULL;\n");
    struct ran r = project_run(p, "plan", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "runs in its online form");
    assert_not_out(&r, "unused-suppression");
    r = project_run(p, "plan", "--write", "online", NULL);
    assert_exit(&r, 0);
    const char *text = written_text(p, "0001_case.sql");
    assert_non_null(strstr(text, "SELECT 1; \n-- a word\n-- Line 3 of 0001_case.sql"));
    assert_non_null(strstr(text, "BEGIN;\n-- migrate: allow drop-column reason=\"nobody "
                                 "\\\"reads\\\" it\"\nALTER TABLE t "));
    p->dir = "online";
    r = project_run(p, "plan", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "unused-suppression");
    assert_out(&r, "waived");
}

static void nothing_is_written_over(void **state UNUSED)
{
    struct project *p = make(LARGE, "CREATE INDEX t_a ON t (a);");
    project_write(p, "0002_more.sql", "CREATE INDEX t_b ON t (b);");
    project_write(p, "0003_none.sql", "SELECT 1;");
    struct ran r = project_run(p, "plan", "--write", "migrations", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "migrations/0001_case.sql is already there");
    r = project_run(p, "plan", "--write", "online", NULL);
    assert_exit(&r, 0);
    assert_false(fs_exists(fixture_text("%s/online/0003_none.sql", p->home)));
    assert_non_null(strstr(written_text(p, "0002_more.sql"), "CONCURRENTLY"));
    fixture_remove(fixture_text("%s/online/0001_case.sql", p->home));
    r = project_run(p, "plan", "--write", "online", NULL);
    assert_exit(&r, 2);
    assert_err(&r, "online/0002_more.sql is already there");
    assert_false(fs_exists(fixture_text("%s/online/0001_case.sql", p->home)));
}

static void what_was_begun_is_not_written(void **state UNUSED)
{
    struct project *p = make(LARGE "UPDATE t SET a = NULL WHERE id = 7;",
                             "CREATE INDEX t_b ON t (b);\nALTER TABLE t ALTER a SET NOT NULL;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    r = project_run(p, "plan", "--write", "online", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "0001_case.sql is not written: it is begun");
    assert_false(fs_exists(fixture_text("%s/online", p->home)));
}

static void passwords_are_not_printed(void **state UNUSED)
{
    struct project *p = make(LARGE, "CREATE INDEX t_a ON t (a);\n"
                                    "ALTER ROLE CURRENT_USER PASSWORD 'geheim';\n");
    struct ran r = project_run(p, "plan", "--write", "-", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "geheim");
    assert_err(&r, "since it holds a password");
    r = project_run(p, "plan", "--write", "online", "--no-gate", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "geheim");
    assert_non_null(strstr(written_text(p, "0001_case.sql"), "'geheim'"));
}

static void a_file_with_placeholders_is_not_written(void **state UNUSED)
{
    struct project *p = make(LARGE, "SELECT 1;");
    project_remove(p, "0001_case.sql");
    project_write(p, "V1__a.sql", "CREATE INDEX t_a ON t (${column});");
    project_write(p, "V2__b.sql", "CREATE INDEX t_b ON t (b);");
    struct ran r = project_run(p, "plan", "--write", "online", "--placeholder", "column=a", NULL);
    assert_exit(&r, 0);
    assert_err(&r, "V1__a.sql is not written: placeholders are replaced in it");
    assert_false(fs_exists(fixture_text("%s/online/V1__a.sql", p->home)));
    assert_non_null(strstr(written_text(p, "V2__b.sql"), "CREATE INDEX CONCURRENTLY t_b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_files_run_as_the_online_form_does),
        cmocka_unit_test(statements_around_keep_their_transactions),
        cmocka_unit_test(a_file_that_wants_no_transaction_has_none),
        cmocka_unit_test(all_other_bytes_stay),
        cmocka_unit_test(what_a_statement_is_allowed_its_steps_are),
        cmocka_unit_test(nothing_is_written_over),
        cmocka_unit_test(what_was_begun_is_not_written),
        cmocka_unit_test(passwords_are_not_printed),
        cmocka_unit_test(a_file_with_placeholders_is_not_written),
    };
    return cmocka_run_group_tests_name("cmd/plan_write", tests, start, end);
}
