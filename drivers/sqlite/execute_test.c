/* Statements of migrations: exact bytes in, the exact place of an error out. */
#include "drivers/sqlite/testing.h"

#include "core/base/clock.h"

static void errors_point_at_their_byte(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    static const struct {
        const char *sql;
        const char *message;
        const char *at; /* the text at fault, NULL: no place */
    } cases[] = {
        {"SELECT 1 FORM t", "near \"t\"", "t"},
        {"CREATE TABLE x (a INTEGER,, b)", "near \",\"", ", b"},
        {"SELECT 'äöü€😀', nowhere", "no such column", "nowhere"},
        {"/* ünï */ INSERT INTO nïrgends VALUES (1)", "no such table", NULL},
        {"INSERT INTO t (ä, x) VALUES ('€', nope)", "no such column", "nope"},
        {"INSERT INTO t VALUES ('€', 2); SELECT 2", "more text follows", " SELECT"},
        {"INSERT INTO t VALUES (NULL, 1)", "NOT NULL constraint", NULL},
        {"SELECT 'unterminated", "unrecognized token", "'unt"},
    };
    must(b, test_execute(b, c, "CREATE TABLE t (ä TEXT NOT NULL, x)"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct statement st = test_statement(cases[i].sql);
        struct statement_result result;
        size_t done;
        size_t offset;
        assert_false(b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail));
        assert_contains(b->fail.message, cases[i].message);
        assert_int_equal(b->fail.kind == FAIL_SERVER,
                         cases[i].at == NULL || strcmp(cases[i].at, " SELECT") != 0);
        if (!cases[i].at) {
            assert_int_equal(offset, SIZE_MAX);
        } else {
            if (offset >= strlen(cases[i].sql))
                fail_msg("%s: no offset", cases[i].sql);
            assert_memory_equal(cases[i].sql + offset, cases[i].at, strlen(cases[i].at));
        }
        fail_clear(&b->fail);
    }
}

static void the_statement_at_fault_is_counted(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct statement st[] = {
        test_statement("CREATE TABLE t (a UNIQUE)"),
        test_statement("INSERT INTO t VALUES (1), (2)"),
        test_statement("INSERT INTO t VALUES (2)"),
        test_statement("DROP TABLE t"),
    };
    struct statement_result results[4];
    size_t done;
    size_t offset;
    assert_false(b->driver->execute(c, st, 4, NULL, results, &done, &offset, &b->fail));
    assert_int_equal(done, 2);
    assert_int_equal(results[1].rows, 2);
    assert_contains(b->fail.detail, "SQLITE_CONSTRAINT_UNIQUE (2067)");
}

static void rows_are_those_of_the_statement_itself(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    static const struct {
        const char *sql;
        int64_t rows;
    } cases[] = {
        {"CREATE TABLE t (a)", 0},
        {"INSERT INTO t VALUES (1), (2), (3)", 3},
        {"CREATE INDEX i ON t (a)", 0},
        {"SELECT a FROM t", 3},
        {"UPDATE t SET a = a WHERE a > 9", 0},
        {"UPDATE t SET a = a + 1", 3},
        {"DELETE FROM t WHERE a = 2 RETURNING a", 1},
        {"PRAGMA user_version = 7", 0},
        {"/* nothing */", 0},
        {"", 0},
        {"DELETE FROM t", 2},
        {"DROP TABLE t", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct statement st = test_statement(cases[i].sql);
        struct statement_result result;
        size_t done;
        size_t offset;
        must(b, b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail));
        if (result.rows != cases[i].rows)
            fail_msg("%s: %lld rows", cases[i].sql, (long long)result.rows);
        assert_int_equal(done, 1);
    }
}

static void a_slice_in_the_middle_of_a_text_is_run_exactly(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    const char *file = "CREATE TABLE a (x); CREATE TABLE b (x) -- tail\n; DROP TABLE a";
    struct statement st = test_statement("");
    struct statement_result result;
    size_t done;
    size_t offset;
    st.text = (struct str){.at = file + 20, .len = strlen("CREATE TABLE b (x)")};
    must(b, b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail));
    assert_string_equal(test_ask(b, "SELECT sql FROM sqlite_schema WHERE name = 'b'"),
                        "CREATE TABLE b (x)");
    assert_string_equal(test_ask(b, "SELECT count(*) FROM sqlite_schema WHERE name = 'a'"), "0");
}

static void a_nul_byte_does_not_cut_a_statement_short(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct statement st = test_statement("");
    struct statement_result result;
    size_t done;
    size_t offset;
    st.text = STR("SELECT 1\0 garbage");
    assert_false(b->driver->execute(c, &st, 1, NULL, &result, &done, &offset, &b->fail));
    assert_contains(b->fail.message, "more text follows");
}

static void triggers_hold_semicolons(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    must(b, test_execute(b, c,
                         "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = 1; "
                         "DELETE FROM t WHERE a = 2; END"));
    must(b, test_execute(b, c, "INSERT INTO t VALUES (5)"));
    assert_string_equal(test_ask(b, "SELECT a FROM t"), "1");
}

static void ten_megabytes_in_one_statement_arrive(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    const size_t bytes = 10 << 20;
    char *sql = malloc(2 * bytes + 64);
    assert_non_null(sql);
    size_t len = (size_t)snprintf(sql, 64, "INSERT INTO t VALUES (x'");
    for (size_t i = 0; i < bytes; i++) {
        static const char digits[] = "0123456789abcdef";
        sql[len++] = digits[i % 16];
        sql[len++] = digits[i / 16 % 16];
    }
    len += (size_t)snprintf(sql + len, 64, "')");
    must(b, test_execute(b, c, "CREATE TABLE t (a)"));
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, sql));
    must(b, test_commit(b, c));
    free(sql);
    assert_string_equal(test_ask(b, "SELECT length(a) FROM t"), "10485760");
}

static void statements_outside_transactions_run_by_themselves(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    enum probe_answer answer;
    const char *before = "x";
    struct probe rerun = {.kind = PROBE_RERUN};
    struct probe none = {.kind = PROBE_NONE};
    must(b, test_execute(b, c, "VACUUM"));
    must(b, test_execute(b, c, "PRAGMA journal_mode = WAL"));
    assert_string_equal(test_ask(b, "PRAGMA journal_mode"), "wal");
    must(b, test_begin(b, c));
    assert_false(test_execute(b, c, "VACUUM"));
    assert_contains(b->fail.message, "cannot VACUUM from within a transaction");
    fail_clear(&b->fail);
    must(b, b->driver->rollback(c, &b->fail));
    must(b, b->driver->probe(c, &rerun, NULL, &answer, &b->fail));
    assert_int_equal(answer, PROBE_NOT_DONE);
    must(b, b->driver->probe(c, &none, NULL, &answer, &b->fail));
    assert_int_equal(answer, PROBE_UNKNOWN);
    must(b, b->driver->probe_before(b->arena, c, &rerun, &before, &b->fail));
    assert_null(before);
    must(b, b->driver->check_after(c, &rerun, &b->fail));
    must(b, b->driver->flush(c, &b->fail));
    must(b, b->driver->check_session(c, &b->fail));
}

static void copy_is_refused_by_name(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct statement st = test_statement("COPY t FROM stdin");
    struct copy_source copy = {0};
    struct statement_result result;
    size_t done;
    size_t offset;
    assert_false(b->driver->execute(c, &st, 1, &copy, &result, &done, &offset, &b->fail));
    assert_contains(b->fail.message, "COPY");
    assert_int_equal(done, 0);
    assert_non_null(b->fail.hint);
}

/* A schema change by somebody else while we hold prepared statements. */
static void schema_changes_of_others_are_followed(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    for (int i = 0; i < 3; i++) {
        test_run(b, fixture_text("CREATE TABLE other%d (a)", i));
        must(b,
             test_unit(b, c, false, STATEMENTS(fixture_text("INSERT INTO other%d VALUES (1)", i))));
    }
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(errors_point_at_their_byte),
        TEST(the_statement_at_fault_is_counted),
        TEST(rows_are_those_of_the_statement_itself),
        TEST(a_slice_in_the_middle_of_a_text_is_run_exactly),
        TEST(a_nul_byte_does_not_cut_a_statement_short),
        TEST(triggers_hold_semicolons),
        TEST(ten_megabytes_in_one_statement_arrive),
        TEST(statements_outside_transactions_run_by_themselves),
        TEST(copy_is_refused_by_name),
        TEST(schema_changes_of_others_are_followed),
    };
    return cmocka_run_group_tests_name("sqlite statements", tests, NULL, NULL);
}
