/*
 * What stands in migration files, end to end: odd texts that must run, sessions that must not leak,
 * and texts that must be refused before anything is changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

/* ------------------------------------------------------------------------------ texts that run */

struct text {
    const char *name;
    const char *sql;
    const char *question; /* asked behind it … */
    const char *answer;
};

static const struct text texts_of_both[] = {
    {"no_last_semicolon", "CREATE TABLE a (id integer);\nINSERT INTO a VALUES (1)",
     "SELECT id FROM a", "1"},
    {"carriage_returns", "CREATE TABLE a (t text);\r\nINSERT INTO a VALUES ('x;\r\ny');\r\n",
     "SELECT length(t) FROM a", "5"},
    {"byte_order_mark",
     "\xEF\xBB\xBF"
     "CREATE TABLE a (id integer);\nINSERT INTO a VALUES (1);\n",
     "SELECT id FROM a", "1"},
    {"empty", "", "SELECT 1", "1"},
    {"blank_lines", "\n\n  \n", "SELECT 1", "1"},
    {"comments_only", "-- nothing to do; really\n/* nor; here */\n", "SELECT 1", "1"},
    {"lone_semicolons", ";;\nCREATE TABLE a (id integer);;\n;", "SELECT count(*) FROM a", "0"},
    {"quoted_semicolons",
     "CREATE TABLE \"a;b\" (t text);\n"
     "INSERT INTO \"a;b\" VALUES ('it''s; -- here'), ('/* ; */');\n",
     "SELECT count(*) FROM \"a;b\"", "2"},
    {"other_scripts",
     "CREATE TABLE \"größe\" (\"名前\" text);\nINSERT INTO \"größe\" VALUES ('🐘');\n",
     "SELECT \"名前\" FROM \"größe\"", "🐘"},
};

static const struct text texts_of_postgres[] = {
    {"nested_comments", "/* a /* b; */ c; */ CREATE TABLE a (id int); -- ;\n/* /* */ */",
     "SELECT count(*) FROM a", "0"},
    {"dollar_quotes",
     "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$\n"
     "BEGIN\n  RETURN $$a;b$$; -- ;\nEND;\n$body$;\n"
     "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$;\n",
     "SELECT f()", "a;b"},
    {"begin_atomic",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;\n"
     "CREATE TABLE a (id int);\n",
     "SELECT f() + count(*) FROM a", "2"},
    {"rule_with_two_actions",
     "CREATE TABLE a (id int);\nCREATE TABLE l (id int);\n"
     "CREATE RULE r AS ON INSERT TO a DO ALSO (INSERT INTO l VALUES (1); INSERT INTO l VALUES "
     "(2));\n"
     "INSERT INTO a VALUES (1);\n",
     "SELECT count(*) FROM l", "2"},
    {"trigger",
     "CREATE TABLE a (id int, seen boolean);\n"
     "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := true; RETURN "
     "NEW; "
     "END';\n"
     "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION see();\n"
     "INSERT INTO a VALUES (1);\n",
     "SELECT seen FROM a", "t"},
    {"copy_block",
     "CREATE TABLE a (id int, t text);\n"
     "COPY a (id, t) FROM stdin;\n1\tone; --\n2\t\\N\n3\ttab\\there\n\\.\n\n"
     "INSERT INTO a VALUES (4, 'four');\n"
     "COPY a FROM stdin WITH (FORMAT csv);\n5,\"a\n\"\"b\"\"\"\n\\.\n",
     "SELECT count(*), count(t), max(length(t)) FROM a", "5|4|8"},
    {"copy_block_crlf",
     "CREATE TABLE a (id int);\r\nCOPY a FROM stdin;\r\n1\r\n2\r\n\\.\r\nINSERT INTO a VALUES "
     "(3);\r\n",
     "SELECT sum(id) FROM a", "6"},
    {"copy_without_rows", "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n\\.\n",
     "SELECT count(*) FROM a", "0"},
    {"restrict_lines", "\\restrict abcDEF123\nCREATE TABLE a (id int);\n\\unrestrict abcDEF123\n",
     "SELECT count(*) FROM a", "0"},
    {"enum_value_used_at_once",
     "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE a (m mood);\n"
     "ALTER TYPE mood ADD VALUE 'happy';\nINSERT INTO a VALUES ('happy');\n",
     "SELECT m FROM a", "happy"},
    {"old_enum_value_used_at_once",
     "ALTER TYPE grade ADD VALUE 'good';\nINSERT INTO grades VALUES ('good');\n",
     "SELECT g FROM grades", "good"},
    {"alone_among_others",
     "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nVACUUM a;\n"
     "CREATE INDEX CONCURRENTLY a_id ON a (id);\nINSERT INTO a VALUES (2);\n",
     "SELECT count(*), (SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass) FROM "
     "a",
     "2|t"},
};

static const struct text texts_of_sqlite[] = {
    {"trigger",
     "CREATE TABLE a (id integer);\nCREATE TABLE l (id integer);\n"
     "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  INSERT INTO l VALUES (NEW.id); -- ;\n"
     "  UPDATE l SET id = CASE WHEN id > 1 THEN 9 ELSE 8 END;\nEND;\nINSERT INTO a VALUES (2);\n",
     "SELECT id FROM l", "9"},
    {"comment_is_not_nested", "/* a /* b; */ CREATE TABLE a (id integer);",
     "SELECT count(*) FROM a", "0"},
    {"table_rebuild",
     "PRAGMA foreign_keys = OFF;\n"
     "CREATE TABLE p2 (id integer PRIMARY KEY, note text);\n"
     "INSERT INTO p2 (id) SELECT id FROM parents;\nDROP TABLE parents;\n"
     "ALTER TABLE p2 RENAME TO parents;\nPRAGMA foreign_keys = ON;\n",
     "SELECT (SELECT count(*) FROM parents), (SELECT count(*) FROM children)", "1|1"},
    {"table_rebuild_in_own_transaction",
     "BEGIN;\nPRAGMA foreign_keys = OFF;\n"
     "CREATE TABLE p2 (id integer PRIMARY KEY, note text);\n"
     "INSERT INTO p2 (id) SELECT id FROM parents;\nDROP TABLE parents;\n"
     "ALTER TABLE p2 RENAME TO parents;\nCOMMIT;\nPRAGMA foreign_keys = ON;\n",
     "SELECT (SELECT count(*) FROM parents), (SELECT count(*) FROM children)", "1|1"},
    {"many_quotes",
     "CREATE TABLE a (`b;c` text, [d;e] text);\nINSERT INTO a VALUES (';', x'3b');\n",
     "SELECT count(*) FROM a", "1"},
};

static void prepare(const struct project *p)
{
    if (p->engine == ENGINE_POSTGRES) {
        project_execute(p, "CREATE TYPE grade AS ENUM ('bad'); CREATE TABLE grades (g grade)");
        return;
    }
    project_execute(p, "CREATE TABLE parents (id integer PRIMARY KEY)");
    project_execute(p, "CREATE TABLE children (id integer REFERENCES parents ON DELETE CASCADE)");
    project_execute(p, "INSERT INTO parents VALUES (1)");
    project_execute(p, "INSERT INTO children VALUES (1)");
}

static void run_text(struct project *p, const struct text *t)
{
    print_message("%s\n", t->name);
    prepare(p);
    project_write(p, "0001_text.sql", t->sql);
    project_write(p, "0002_next.sql", "CREATE TABLE behind (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, t->question, t->answer);
    assert_answer(p, "SELECT count(*) FROM behind", "0");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
    assert_whole(p);
}

static void odd_texts_run_as_they_are(void **state)
{
    bool is_sqlite = *state == &project_on_sqlite;
    const struct text *own = is_sqlite ? texts_of_sqlite : texts_of_postgres;
    size_t own_count = is_sqlite ? ARRAY_LEN(texts_of_sqlite) : ARRAY_LEN(texts_of_postgres);

    for (size_t i = 0; i < ARRAY_LEN(texts_of_both); i++)
        run_text(project_for(state, cluster), &texts_of_both[i]);
    for (size_t i = 0; i < own_count; i++)
        run_text(project_for(state, cluster), &own[i]);
}

/* ---------------------------------------------------------------------------------- what leaks */

static void settings_do_not_reach_the_next_migration(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    pg_cluster_execute(cluster, "postgres", "DROP ROLE IF EXISTS humble; CREATE ROLE humble");
    project_write(p, "0001_set.sql",
                  "CREATE SCHEMA elsewhere;\nSET search_path = elsewhere;\n"
                  "CREATE TABLE a (id int);\n");
    project_write(p, "0002_plain.sql", "CREATE TABLE b (id int);\n");
    project_write(p, "0003_do.sql",
                  "DO $$ BEGIN PERFORM set_config('search_path', 'elsewhere', "
                  "false); END $$;\n");
    project_write(p, "0004_plain.sql", "CREATE TABLE c (id int);\n");
    project_write(p, "0005_role.sql",
                  "SET ROLE humble;\nSET standard_conforming_strings = on;\n"
                  "SET statement_timeout = '1ms';\n");
    project_write(p, "0006_plain.sql", "CREATE TABLE d (id int);\nSELECT pg_sleep(0.02);\n");
    project_write(p, "0007_temporary.sql",
                  "CREATE TEMP TABLE t (id int);\nPREPARE q AS SELECT 1;\n");
    project_write(p, "0008_temporary.sql",
                  "CREATE TEMP TABLE t (other text);\n"
                  "PREPARE q AS SELECT 2;\n");
    project_write(p, "0009_session_authorization.sql", "SET SESSION AUTHORIZATION humble;\n");
    project_write(p, "0010_plain.sql", "CREATE TABLE e (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(
        p,
        "SELECT string_agg(n.nspname || '.' || c.relname || ':' || "
        "pg_get_userbyid(relowner), ' ' ORDER BY relname) FROM pg_class c JOIN pg_namespace "
        "n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname IN ('public', 'elsewhere')",
        "elsewhere.a:postgres public.b:postgres public.c:postgres public.d:postgres "
        "public.e:postgres");
    assert_whole(p);
}

static void a_history_in_reach_of_no_search_path_is_still_written(void **state UNUSED)
{
    struct project *p = project_make(cluster);

    project_write(p, "0001_dump.sql",
                  "SELECT pg_catalog.set_config('search_path', '', false);\n"
                  "CREATE TABLE public.a (id integer);\n");
    project_write(p, "0002_plain.sql", "CREATE TABLE b (id int);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM public.b", "0");
    assert_whole(p);
}

static void pragmas_and_temporary_tables_do_not_leak(void **state UNUSED)
{
    struct project *p = project_make(NULL);

    project_write(p, "0001_pragma.sql",
                  "CREATE TABLE seen (what text, value integer);\n"
                  "PRAGMA recursive_triggers = ON;\n"
                  "CREATE TEMP TABLE t (id integer);\n");
    project_write(
        p, "0002_plain.sql",
        "CREATE TEMP TABLE t (other text);\n"
        "INSERT INTO seen SELECT 'r', recursive_triggers FROM pragma_recursive_triggers;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT what, value FROM seen", "r|0");
    assert_whole(p);
}

/* The session is opened anew behind a file that changed it; ATTACH makes a file as it did before. */
static void a_new_session_attaches_new_files(void **state UNUSED)
{
    struct project *p = project_make(NULL);

    project_write(p, "0001_wal.sql", "PRAGMA journal_mode = wal;\n");
    project_write(p, "0002_plain.sql", "CREATE TABLE a (id integer);\n");
    project_write(p, "0003_attach.sql",
                  "ATTACH 'other.db' AS o;\nCREATE TABLE o.t (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* A rebuild that forgets a parent leaves children without one: SQLite itself says nothing. */
static void a_broken_reference_is_found_before_commit(void **state UNUSED)
{
    struct project *p = project_make(NULL);

    prepare(p);
    const char *before = project_dump(p);
    project_write(p, "0001_rebuild.sql",
                  "PRAGMA foreign_keys = OFF;\nCREATE TABLE p2 (id integer PRIMARY KEY);\n"
                  "DROP TABLE parents;\nALTER TABLE p2 RENAME TO parents;\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "children");
    assert_same(project_dump(p), before);
    assert_whole(p);
}

/* ------------------------------------------------------------------------------- what is refused */

struct refused {
    const char *name;
    const char *sql;
    size_t len; /* 0: strlen */
    const char *place;
    const char *message; /* part of it */
};

static const struct refused refused_by_both[] = {
    {"invalid_utf8", "SELECT 1;\nSELECT '\xFF\xFE';\n", 0, "0002_bad.sql:2", "UTF-8"},
    {"cut_utf8", "SELECT 1;\nSELECT '\xC3", 0, "0002_bad.sql:2", "UTF-8"},
    {"nul_byte", "SELECT 1;\nSELECT '\0';\n", 22, "0002_bad.sql:2", "NUL"},
    {"open_quote", "SELECT 1;\nSELECT 'abc;\n", 0, "0002_bad.sql:2", ""},
};

static const struct refused refused_by_postgres[] = {
    {"connect", "SELECT 1;\n\\connect other\nSELECT 2;\n", 0, "0002_bad.sql:2", "\\connect"},
    {"set_variable", "\\set ON_ERROR_STOP on\nSELECT 1;\n", 0, "0002_bad.sql:1", "\\set"},
    {"open_comment", "SELECT 1;\n/* a /* b */\nSELECT 2;\n", 0, "0002_bad.sql:2", ""},
    {"open_dollar_quote", "DO $$ BEGIN\nEND;\n", 0, "0002_bad.sql:1", ""},
    {"copy_without_end", "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\n2\n", 0, "0002_bad.sql",
     "COPY"},
    {"prepared_transaction", "BEGIN;\nSELECT 1;\nPREPARE TRANSACTION 'x';\n", 0, "0002_bad.sql:3",
     ""},
    {"vacuum_inside_own_transaction", "BEGIN;\nVACUUM;\nCOMMIT;\n", 0, "0002_bad.sql:2", ""},
};

/* Writes to the record of migrate itself. */
static const struct refused record_of_postgres[] = {
    {"insert", "SELECT 1;\nINSERT INTO migrator.event (id) VALUES (7);\n", 0, "0002_bad.sql:2",
     "INSERT would change migrator.event"},
    {"update", "UPDATE \"migrator\".history SET state = 'x';\n", 0, "0002_bad.sql:1",
     "UPDATE would change migrator.history"},
    {"delete_in_with",
     "SELECT 1;\n\nWITH gone AS (DELETE FROM migrator.event RETURNING id) SELECT * FROM gone;\n", 0,
     "0002_bad.sql:3", "migrator.event"},
    {"truncate", "CREATE TABLE a ();\nTRUNCATE a, Migrator.Event;\n", 0, "0002_bad.sql:2",
     "migrator.event"},
    {"drop", "DROP TABLE IF EXISTS migrator.history;\n", 0, "0002_bad.sql:1",
     "DROP TABLE would change migrator.history"},
    {"drop_schema", "DROP SCHEMA migrator CASCADE;\n", 0, "0002_bad.sql:1", "schema migrator"},
    {"rename_schema", "ALTER SCHEMA migrator RENAME TO old;\n", 0, "0002_bad.sql:1",
     "schema migrator"},
    {"alter", "ALTER TABLE migrator.event ADD COLUMN note text;\n", 0, "0002_bad.sql:1",
     "ALTER TABLE would change migrator.event"},
    {"move", "ALTER TABLE migrator.event SET SCHEMA public;\n", 0, "0002_bad.sql:1",
     "migrator.event"},
    {"trigger",
     "CREATE TRIGGER t BEFORE INSERT ON migrator.event FOR EACH ROW EXECUTE FUNCTION f();\n", 0,
     "0002_bad.sql:1", "migrator.event"},
    {"copy", "COPY migrator.event FROM stdin;\n\\.\n", 0, "0002_bad.sql:1", "migrator.event"},
    {"by_search_path", "SET search_path TO migrator, public;\nDELETE FROM event;\n", 0,
     "0002_bad.sql:2", "migrator.event"},
    {"by_code_points", "DELETE FROM U&\"migr\\0061tor\".event;\n", 0, "0002_bad.sql:1",
     "migrator.event"},
    {"in_block",
     "DO $$\nBEGIN\n  IF true THEN\n    DELETE FROM migrator.event;\n  END IF;\nEND $$;\n", 0,
     "0002_bad.sql:1", "DO would change migrator.event"},
};
static const struct refused record_of_sqlite[] = {
    {"insert", "SELECT 1;\nINSERT INTO migrator_event (id) VALUES (7);\n", 0, "0002_bad.sql:2",
     "INSERT would change migrator_event"},
    {"update_or", "UPDATE OR IGNORE main.[migrator_history] SET state = 'x';\n", 0,
     "0002_bad.sql:1", "UPDATE would change migrator_history"},
    {"delete_in_with", "SELECT 1;\nWITH a AS (SELECT 1) DELETE FROM \"main\".Migrator_Event;\n", 0,
     "0002_bad.sql:2", "Migrator_Event"},
    {"replace", "REPLACE INTO migrator_lock VALUES (1);\n", 0, "0002_bad.sql:1", "migrator_lock"},
    {"drop", "DROP TABLE IF EXISTS `migrator_history`;\n", 0, "0002_bad.sql:1",
     "DROP TABLE would change migrator_history"},
    {"alter", "ALTER TABLE migrator_event ADD COLUMN note text;\n", 0, "0002_bad.sql:1",
     "migrator_event"},
    {"trigger", "CREATE TRIGGER t AFTER INSERT ON migrator_event BEGIN SELECT 1; END;\n", 0,
     "0002_bad.sql:1", "migrator_event"},
};

/* And what is nobody's business but the author's. */
static const char reads_of_postgres[] =
    "CREATE VIEW done AS SELECT version FROM migrator.history;\n"
    "GRANT SELECT ON migrator.history TO public;\n"
    "COMMENT ON TABLE migrator.event IS 'x';\n"
    "CREATE SCHEMA other;\nCREATE TABLE other.event (id int);\nDELETE FROM other.event;\n"
    "SET search_path = migrator;\nRESET search_path;\n"
    "CREATE TABLE event (why text);\nINSERT INTO event VALUES ('DELETE FROM migrator.event');\n"
    "INSERT INTO event SELECT kind FROM migrator.event;\n";
static const char reads_of_sqlite[] =
    "CREATE VIEW done AS SELECT version FROM migrator_history;\n"
    "CREATE TABLE event (why text);\nINSERT INTO event VALUES ('DELETE FROM migrator_event');\n"
    "INSERT INTO event SELECT kind FROM migrator_event;\n"
    "CREATE TABLE my_migrator_event (id);\nDELETE FROM my_migrator_event;\n";

static void refuse_text(struct project *p, const struct refused *t)
{
    print_message("%s\n", t->name);
    const char *before = project_dump(p);
    project_write(p, "0001_good.sql", "CREATE TABLE good (id integer);\n");
    fixture_write_bytes(p->home, "migrations/0002_bad.sql", t->sql,
                        t->len ? t->len : strlen(t->sql));
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, t->place);
    assert_err(&r, t->message);
    assert_err(&r, "hint: ");
    assert_not_out(&r, "applied");
    assert_same(project_dump(p), before);
    project_remove(p, "0002_bad.sql");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

static void a_placeholder_without_a_value_is_refused(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "V1__good.sql", "CREATE TABLE good (id integer);\n");
    project_write(p, "V2__filled.sql", "CREATE TABLE ${name} (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "V2__filled.sql:1:14");
    assert_err(&r, "--placeholder name=VALUE");
    assert_not_out(&r, "applied");
    r = project_run(p, "apply", "--placeholder", "name=named", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM named", "0");
    r = project_run(p, "apply", NULL); /* nothing is pending, nothing is asked for */
    assert_exit(&r, 0);
    assert_string_equal(r.out, "nothing to do\n");
}

static void broken_texts_are_refused_before_anything_is_changed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(refused_by_both); i++)
        refuse_text(project_for(state, cluster), &refused_by_both[i]);
    for (size_t i = 0; *state != &project_on_sqlite && i < ARRAY_LEN(refused_by_postgres); i++)
        refuse_text(project_for(state, cluster), &refused_by_postgres[i]);
}

static void what_writes_to_the_history_is_refused_before_anything_is_changed(void **state)
{
    bool is_sqlite = *state == &project_on_sqlite;
    const struct refused *at = is_sqlite ? record_of_sqlite : record_of_postgres;
    size_t count = is_sqlite ? ARRAY_LEN(record_of_sqlite) : ARRAY_LEN(record_of_postgres);
    for (size_t i = 0; i < count; i++)
        refuse_text(project_for(state, cluster), &at[i]);

    struct project *p = project_for(state, cluster);
    project_write(p, "0001_reads.sql", is_sqlite ? reads_of_sqlite : reads_of_postgres);
    struct ran r = project_run(p, "plan", "--no-gate", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
    project_write(p, "0002_bad.sql", at[0].sql);
    r = project_run(p, "plan", NULL);
    assert_exit(&r, 1);
    assert_err(&r, at[0].place);
    assert_err(&r, at[0].message);
}

static void write_statement_of(const struct project *p, const char *name, size_t len)
{
    FILE *file = project_open(p, name);
    static const char head[] = "INSERT INTO big VALUES ('";

    fputs("CREATE TABLE big (t text);\n", file);
    fputs(head, file);
    for (size_t i = sizeof(head) - 1 + 2; i < len; i++)
        fputc('x', file);
    fputs("');\n", file);
    (void)fclose(file);
}

static void a_statement_at_the_limit_runs_and_one_over_it_is_refused(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_good.sql", "CREATE TABLE good (id integer);\n");
    write_statement_of(p, "0002_big.sql", LIMIT_STATEMENT_BYTES + 1);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "0002_big.sql:2");
    assert_err(&r, "hint: ");
    assert_not_out(&r, "applied");
    write_statement_of(p, "0002_big.sql", LIMIT_STATEMENT_BYTES);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT length(t) FROM big", fixture_text("%zu", LIMIT_STATEMENT_BYTES - 27));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(odd_texts_run_as_they_are),
        cmocka_unit_test(settings_do_not_reach_the_next_migration),
        cmocka_unit_test(a_history_in_reach_of_no_search_path_is_still_written),
        cmocka_unit_test(pragmas_and_temporary_tables_do_not_leak),
        cmocka_unit_test(a_new_session_attaches_new_files),
        cmocka_unit_test(a_broken_reference_is_found_before_commit),
        ON_BOTH(a_placeholder_without_a_value_is_refused),
        ON_BOTH(broken_texts_are_refused_before_anything_is_changed),
        ON_BOTH(what_writes_to_the_history_is_refused_before_anything_is_changed),
        ON_BOTH(a_statement_at_the_limit_runs_and_one_over_it_is_refused),
    };

    return cmocka_run_group_tests_name("statements", tests, start_cluster, NULL);
}
