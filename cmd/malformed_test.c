/*
 * Files that no database would take, and files made to stop a reader: on both engines, planned and
 * applied, they end soon, in bounded memory, and with an exit code. What is refused is said with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

#define MIB ((int64_t)1 << 20)
#define DEEP 100000
#define MEMORY_MAX_BYTES (500 * MIB)
#define SOON_US INT64_C(60000000) /* on a busy machine; minutes and hours are what is looked for */

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

/* ---- files ---- */

/* head, then `open` count times, middle, `close` count times, tail. */
struct shape {
    const char *head, *open, *middle, *close, *tail;
    long count;
};
#define NESTED(open, middle, close)                                                                \
    {                                                                                              \
        "SELECT ", open, middle, close, ";\n", DEEP                                                \
    }
static const struct shape nested[] = {
    NESTED("(", "1", ")"),
    NESTED("(", "1", ""),
    NESTED("", "1", ")"),
    NESTED("CASE WHEN true THEN ", "1", " END"),
    NESTED("ARRAY[", "1", "]"),
    NESTED("NOT ", "true", ""),
    NESTED("- ", "1", ""),
    NESTED("", "1", "+1"),
    NESTED("", "1", "::int"),
    NESTED("", "1", " UNION SELECT 1"),
    NESTED("* FROM (SELECT ", "1", ") x"),
    NESTED("/*", " 1", "*/"),
    NESTED("+-", "1", ""),
    NESTED("$$ ", "1", ""),
    {"DO $$ ", "BEGIN ", "NULL; ", "END; ", "$$;\n", DEEP},
    {"DO $$ BEGIN ", "IF true THEN ", "NULL; ", "END IF; ", "END $$;\n", DEEP},
    {"", "", "", "/*", "", DEEP},
    {"", "", "", "BEGIN;\n", "", DEEP / 10},
    {"CREATE TABLE ", "a", " (x int);\n", "", "", DEEP * 10},
    {"CREATE TABLE \"", "\xc3\xa9", "\" (x int);\n", "", "", DEEP * 10},
    {"CREATE TABLE t (x int);\nALTER TABLE t ADD CHECK (x > 0)", "", "", ", ADD CHECK (x > 0)",
     ";\n", 2000},
};

static void write_times(FILE *file, const char *text, long count)
{
    for (long i = 0; i < count; i++)
        fputs(text, file);
}

static void write_shape(const struct project *p, const struct shape *s)
{
    FILE *file = project_open(p, "0001_shape.sql");
    fputs(s->head, file);
    write_times(file, s->open, s->count);
    fputs(s->middle, file);
    write_times(file, s->close, s->count);
    fputs(s->tail, file);
    (void)fclose(file);
}

static void write_bytes(const struct project *p, const void *bytes, size_t size)
{
    FILE *file = project_open(p, "0001_bytes.sql");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    (void)fclose(file);
}

/* ---- what holds for each ---- */

static void check_end(const struct ran *r)
{
    bool is_answer = r->exit_code >= 0 && r->exit_code <= 5;
    if (!is_answer || r->is_timed_out || r->duration_us > SOON_US)
        fail_msg("%s: exit %d, signal %d, %lld ms\n%s", r->command, r->exit_code, r->signal_number,
                 (long long)(r->duration_us / 1000), r->err);
#ifndef SANITIZES_ADDRESS
    assert_true(r->max_rss_bytes < MEMORY_MAX_BYTES);
#endif
    if (r->exit_code == 1 || r->exit_code == 2)
        assert_err(r, "hint: ");
}

static void run_both_commands(const struct project *p)
{
    struct ran r = project_run(p, "plan", NULL);
    check_end(&r);
    r = project_run(p, "apply", "-q", NULL);
    check_end(&r);
}

/* ---- tests ---- */

static void what_is_nested_100000_deep_ends(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(nested); i++) {
        struct project *p = project_for(state, cluster);
        write_shape(p, &nested[i]);
        run_both_commands(p);
    }
}

static void bytes_that_are_no_text_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *place, *message;
    } files[] = {
        {"SELECT 1;\nSELECT 'a\0b';\n", 24, "0001_bytes.sql:2:10", "NUL byte"},
        {"SELECT 1;\nSELECT '\xe9';\n", 22, "0001_bytes.sql:2:9", "not valid UTF-8"},
        {"SELECT '\xed\xa0\x80';\n", 14, "0001_bytes.sql:1:9", "not valid UTF-8"},
        {"SELECT '\xc0\xaf';\n", 13, "0001_bytes.sql:1:9", "not valid UTF-8"},
        {"SELECT '\xe2\x82", 10, "0001_bytes.sql:1:9", "not valid UTF-8"},
        {"\xff\xfeS\0E\0L\0", 8, "0001_bytes.sql:1:1", "not valid UTF-8"},
        {"SELECT 1;\nSELECT 'a\n", 20, "0001_bytes.sql:2:8", ""},
        {"SELECT 1;\nSELECT \"a\n", 20, "0001_bytes.sql:2:8", ""},
        {"SELECT 1;\n/* a\n", 15, "0001_bytes.sql:2:1", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct project *p = project_for(state, cluster);
        write_bytes(p, files[i].bytes, files[i].size);
        const char *before = project_dump(p);
        static const char *const commands[] = {"plan", "apply"};
        for (size_t n = 0; n < ARRAY_LEN(commands); n++) {
            struct ran r = project_run(p, commands[n], NULL);
            assert_exit(&r, 1);
            assert_err(&r, files[i].place);
            assert_err(&r, files[i].message);
            assert_err(&r, "hint: ");
        }
        assert_same(project_dump(p), before);
    }
}

/* A file as an editor that crashed leaves it: cut off behind each of its bytes. */
static void a_file_that_is_cut_off_anywhere_ends(void **state)
{
    static const char text[] =
        "-- migrate: no-transaction\n"
        "CREATE TABLE \"t 1\" (id int PRIMARY KEY, n text DEFAULT 'it''s' CHECK (n <> '')); /* a "
        "/* b */ */\n"
        "CREATE INDEX i ON \"t 1\" (lower(n)) WHERE id > 1e3;\n"
        "DO $body$ BEGIN IF true THEN EXECUTE format('DROP TABLE %I', 'x'); END IF; END $body$;\n"
        "CREATE TRIGGER g AFTER INSERT ON \"t 1\" BEGIN UPDATE \"t 1\" SET n = E'\\'\xc3\xa9'; "
        "END;\n"
        "INSERT INTO \"t 1\" SELECT 1, CASE WHEN a THEN b ELSE c END FROM (VALUES (1)) v (a);\n";
    size_t step = getenv("MIGRATE_QUICK") ? 7 : 1;
    const struct project *p = project_for(state, NULL);
    for (size_t size = 0; size < sizeof(text); size += step) {
        write_bytes(p, text, size);
        struct ran r =
            project_call(p, "plan", "--offline", "--engine", *state ? "sqlite" : "postgres",
                         "migrations/0001_bytes.sql", NULL);
        check_end(&r);
    }
}

static void a_long_line_and_many_statements_end(void **state)
{
    bool is_quick = getenv("MIGRATE_QUICK") != NULL;
    struct project *p = project_for(state, cluster);
    const struct shape line = {"SELECT 1 ", "", "", "      ", ";\n", (is_quick ? 5 : 50) * MIB / 6};
    write_shape(p, &line);
    run_both_commands(p);
    p = project_for(state, cluster);
    const struct shape many = {"", "", "", "SELECT 1;\n", "", is_quick ? 20000 : 200000};
    write_shape(p, &many);
    run_both_commands(p);
}

/* What nobody would write by hand: everything doubles with each line. */
static void what_doubles_with_each_line_ends(void **state UNUSED)
{
    struct project *p = project_make(cluster);
    FILE *file = project_open(p, "0001_double.sql");
    fputs("CREATE TABLE t0 (x int);\nCREATE TYPE c0 AS (a int, b int);\nCREATE VIEW v0 AS SELECT 1 "
          "AS x;\n",
          file);
    for (int i = 1; i <= 30; i++) {
        fprintf(file, "CREATE TABLE a%d () INHERITS (t%d);\nCREATE TABLE b%d () INHERITS (t%d);\n",
                i, i - 1, i, i - 1);
        fprintf(file, "CREATE TABLE t%d () INHERITS (a%d, b%d);\n", i, i, i);
        fprintf(file, "CREATE VIEW v%d AS SELECT x FROM v%d WHERE x IN (SELECT x FROM v%d);\n", i,
                i - 1, i - 1);
    }
    fputs("ALTER TABLE t0 ADD COLUMN y int DEFAULT 1;\nUPDATE t0 SET x = 1;\n"
          "ALTER TABLE t0 ADD CONSTRAINT c CHECK (x > 0);\nALTER TABLE t0 DROP CONSTRAINT c;\n"
          "ALTER TABLE t0 INHERIT t30;\nDO $$ DECLARE s text := 'x'; BEGIN\n",
          file);
    write_times(file, "s := s || s;\n", 40);
    fputs("EXECUTE s; END $$;\n", file);
    (void)fclose(file);
    struct ran r = project_call(p, "plan", "--offline", "migrations/0001_double.sql", NULL);
    check_end(&r);
}

/* Eight levels of eight: views on views, functions that call functions in loops, triggers. */
static void what_stands_on_eight_others_ends(void **state UNUSED)
{
    const char *const kinds[] = {"LOCK TABLE v8;\nCREATE TABLE q AS SELECT * FROM v8;\n",
                                 "DO $$ BEGIN PERFORM f8(); END $$;\n",
                                 "INSERT INTO t0 VALUES (1);\n"};
    struct project *p = project_make(cluster);
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        FILE *file = project_open(p, "0001_eight.sql");
        fputs(
            "CREATE TABLE v0 (x int);\nCREATE TABLE t0 (x int);\n"
            "CREATE FUNCTION f0() RETURNS int LANGUAGE sql AS 'UPDATE v0 SET x = 1 RETURNING x';\n",
            file);
        for (int i = 1; i <= 8; i++) {
            fprintf(file, "CREATE VIEW v%d AS SELECT a.x FROM v%d a", i, i - 1);
            for (int n = 1; n < 8; n++)
                fprintf(file, " JOIN v%d a%d ON a.x = a%d.x", i - 1, n, n);
            fprintf(file,
                    ";\nCREATE FUNCTION f%d() RETURNS int LANGUAGE plpgsql AS $$ BEGIN FOR i IN "
                    "1..1000 "
                    "LOOP PERFORM f%d(); END LOOP; RETURN 1; END $$;\nCREATE TABLE t%d (x int);\n"
                    "CREATE FUNCTION g%d() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT "
                    "INTO t%d "
                    "VALUES (1); RETURN NEW; END $$;\n",
                    i, i - 1, i, i, i);
            for (int n = 0; n < 8; n++)
                fprintf(file,
                        "CREATE TRIGGER g%d BEFORE INSERT ON t%d FOR EACH ROW EXECUTE FUNCTION "
                        "g%d();\n",
                        n, i - 1, i);
        }
        fputs(kinds[kind], file);
        (void)fclose(file);
        struct ran r = project_call(p, "plan", "--offline", "migrations/0001_eight.sql", NULL);
        check_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(what_is_nested_100000_deep_ends),
        ON_BOTH(bytes_that_are_no_text_are_refused_with_their_place),
        ON_BOTH(a_file_that_is_cut_off_anywhere_ends),
        ON_BOTH(a_long_line_and_many_statements_end),
        cmocka_unit_test(what_doubles_with_each_line_ends),
        cmocka_unit_test(what_stands_on_eight_others_ends),
    };

    return cmocka_run_group_tests_name("malformed", tests, start_cluster, NULL);
}
