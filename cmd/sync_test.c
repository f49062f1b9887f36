/*
 * testdata/sync/<case>/: migration.sql behind schema.sql, as it is written and by the steps of its expand-
 * contract forms, which are run here one by one. The steps are those in the file steps; all of them end in
 * the same schema and the same rows, the order of columns aside; those of before the contract, undone
 * backwards, restore the first schema. Where steps is empty no form is exact. MIGRATE_ACCEPT=1 writes the
 * file steps anew: look at the difference.
 */
#include "cmd/sync_testing.h"

#include <unistd.h>

static void add_step(struct buf *out, const struct sync_step *step)
{
    static const char *const waits[] = {"", "waits, ", "waits again, "};
    buf_printf(out, "  %s%s%s%s: %s;\n", waits[step->waits], step->phase,
               strcmp(step->kind, "statement") == 0 ? "" : ", ",
               strcmp(step->kind, "statement") == 0 ? "" : step->kind, step->sql);
    buf_printf(out, "    undo, %s: %s\n", step->undo_cost, step->undo);
    for (size_t i = 0; i < step->undo_steps.count; i++)
        buf_printf(out, "    %zu. %s: %s;\n", i + 1, step->undo_steps.at[i].kind,
                   step->undo_steps.at[i].sql);
}

static void assert_steps(const char *name, const struct sync_case *c)
{
    SCOPED(buf) struct buf found = {0};
    const char *form = "";
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(form, c->at[i].form) != 0)
            buf_printf(&found, "%s\n", c->at[i].form);
        form = c->at[i].form;
        add_step(&found, &c->at[i]);
    }
    if (getenv("MIGRATE_ACCEPT"))
        fixture_write(SYNC_CASES, fixture_text("%s/steps", name), buf_cstr(&found));
    assert_string_equal(buf_cstr(&found), sync_text_of(name, "steps"));
}

static void there_and_back_and_there(const char *name)
{
    struct sync_case c = sync_case_make(name);
    assert_steps(name, &c);
    if (!c.count)
        return;
    const char *before = sync_state(c.project);
    unsigned last = sync_waits_twice(&c) ? 1 : 0;
    for (unsigned upto = 0; upto <= last; upto++) {
        for (unsigned waits = 0; waits <= upto; waits++)
            sync_run(&c, waits);
        sync_undo(&c, upto);
        assert_same(sync_state(c.project), before);
    }
    for (unsigned waits = 0; waits <= 2; waits++)
        sync_run(&c, waits);
    struct project *p = sync_project(name);
    const char *said = fixture_text(SYNC_CASES "/%s/as-written.sql", name);
    if (access(said, F_OK) == 0) { /* it would fail as it is written */
        project_execute(p, fixture_text_of(said));
    } else {
        struct ran r = project_run(p, "apply", "--rewrite", "off", NULL);
        assert_exit(&r, 0);
    }
    assert_same(sync_state(c.project), sync_state(p));
}

static void
all_steps_end_in_the_same_and_undone_before_the_contract_in_the_first(void **state UNUSED)
{
    sync_each_case(there_and_back_and_there);
}

/* ---- code of two versions ---- */

/* A table for each kind of column; what is renamed is a, to b. */
static const char traffic_schema[] =
    "CREATE TABLE plain (id int PRIMARY KEY, a text, n int);"
    "CREATE TABLE constant (id int PRIMARY KEY, a varchar(10) NOT NULL DEFAULT 'new' CHECK (a <> "
    "'bad'));"
    "CREATE TABLE stable (id int PRIMARY KEY, a date NOT NULL DEFAULT current_date);"
    "CREATE TABLE counted (id int PRIMARY KEY, a serial);"
    "CREATE TABLE identified (id int PRIMARY KEY, a int GENERATED ALWAYS AS IDENTITY);"
    "CREATE TABLE inexact (id int PRIMARY KEY, a numeric DEFAULT 1.0);"
    "CREATE TABLE triggered (id int PRIMARY KEY, a text, n int);"
    "CREATE TABLE keyed (id int PRIMARY KEY, a text UNIQUE);"
    "CREATE TABLE uses (a text REFERENCES keyed (a) ON UPDATE CASCADE ON DELETE CASCADE);"
    "CREATE TABLE wider (id int PRIMARY KEY, a int NOT NULL CHECK (a > 0));"
    "CREATE TABLE filled (id int PRIMARY KEY, a int DEFAULT 1);"
    "CREATE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := lower(NEW.a); "
    "RETURN NEW; END $$;"
    "CREATE FUNCTION of_n() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := 'n'; RETURN NEW; "
    "END $$;"
    "CREATE TRIGGER low BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION low();"
    "CREATE TRIGGER of_n BEFORE UPDATE OF n ON triggered FOR EACH ROW EXECUTE FUNCTION of_n();"
    "INSERT INTO wider SELECT n * 2, n FROM generate_series(1, 20) n";

static const char traffic_migration[] =
    "ALTER TABLE plain RENAME a TO b; ALTER TABLE constant RENAME a TO b; ALTER TABLE stable "
    "RENAME a TO b; ALTER TABLE counted RENAME a TO b; ALTER TABLE identified RENAME a TO b; ALTER "
    "TABLE inexact RENAME a TO b; ALTER TABLE triggered RENAME a TO b; ALTER TABLE keyed RENAME a "
    "TO "
    "b; ALTER TABLE wider ALTER a TYPE bigint;\n"
    "-- migrate: using forward=a + 1\n"
    "ALTER TABLE filled ADD b int NOT NULL;\n";

#define UPSERT(table, column, value)                                                               \
    "INSERT INTO " table " (id) VALUES (1); INSERT INTO " table " (id, " column                    \
    ") VALUES (1, " value ") ON CONFLICT (id) DO UPDATE SET " column " = excluded." column

/* What is written after the expansion by the old name or the new one, and what row 1 then says in both. */
static const struct written {
    const char *table, *sql;
    const char *both; /* "old|new"; NULL: it is refused */
} traffic[] = {
    {"plain", "INSERT INTO plain (id, a) VALUES (1, 'x')", "x|x"},
    {"plain", "INSERT INTO plain (id, b) VALUES (1, 'x')", "x|x"},
    {"plain", "INSERT INTO plain (id) VALUES (1)", "|"},
    {"plain", "INSERT INTO plain (id, b) VALUES (1, NULL)", "|"},
    {"plain", "INSERT INTO plain (id, a, b) VALUES (1, 'old', 'new')", "old|old"},
    {"plain", "INSERT INTO plain (id, a) VALUES (1, 'x'); UPDATE plain SET b = 'y' WHERE id = 1",
     "y|y"},
    {"plain", "INSERT INTO plain (id, b) VALUES (1, 'x'); UPDATE plain SET a = 'y' WHERE id = 1",
     "y|y"},
    {"plain", "INSERT INTO plain (id, b) VALUES (1, 'x'); UPDATE plain SET a = NULL WHERE id = 1",
     "|"},
    {"plain", "INSERT INTO plain (id, a) VALUES (1, 'x'); UPDATE plain SET b = NULL WHERE id = 1",
     "|"},
    {"plain", "INSERT INTO plain (id, a) VALUES (1, 'x'); UPDATE plain SET n = 2 WHERE id = 1",
     "x|x"},
    {"plain",
     "INSERT INTO plain (id, a) VALUES (1, 'x'); UPDATE plain SET a = 'y', b = 'z' WHERE id = 1",
     "y|y"},
    {"plain", UPSERT("plain", "a", "'up'"), "up|up"},
    {"plain", UPSERT("plain", "b", "'up'"), "up|up"},
    {"plain", UPSERT("plain", "b", "NULL"), "|"},
    {"constant", "INSERT INTO constant (id) VALUES (1)", "new|new"},
    {"constant", "INSERT INTO constant (id, a) VALUES (1, 'x')", "x|x"},
    {"constant", "INSERT INTO constant (id, b) VALUES (1, 'x')", "x|x"},
    {"constant", "INSERT INTO constant (id, b) VALUES (1, 'new')", "new|new"},
    {"constant", "INSERT INTO constant (id, a) VALUES (1, 'new')", "new|new"},
    {"constant", "INSERT INTO constant (id, a) VALUES (1, DEFAULT)", "new|new"},
    {"constant", "INSERT INTO constant (id, b) VALUES (1, DEFAULT)", "new|new"},
    {"constant", "INSERT INTO constant (id, a) VALUES (1, NULL)", NULL},
    {"constant", "INSERT INTO constant (id, b) VALUES (1, NULL)", NULL},
    {"constant", "INSERT INTO constant (id, b) VALUES (1, 'too long for it')", NULL},
    {"constant", "INSERT INTO constant (id, b) VALUES (1, 'bad')", NULL},
    {"constant",
     "INSERT INTO constant (id, b) VALUES (1, 'x'); UPDATE constant SET b = DEFAULT WHERE id = 1",
     "new|new"},
    {"constant", UPSERT("constant", "b", "'up'"), "up|up"},
    {"stable", "INSERT INTO stable (id, a) VALUES (1, '2001-01-01')", "2001-01-01|2001-01-01"},
    {"stable", "INSERT INTO stable (id, b) VALUES (1, '2001-01-01')", "2001-01-01|2001-01-01"},
    {"counted", "INSERT INTO counted (id, a) VALUES (1, 5)", "5|5"},
    {"counted", "INSERT INTO counted (id, b) VALUES (1, 5)", "5|5"},
    {"counted", "ALTER SEQUENCE counted_a_seq RESTART 77; INSERT INTO counted (id) VALUES (1)",
     "77|77"},
    {"identified", "INSERT INTO identified (id) VALUES (1)", "21|21"},
    {"inexact", "INSERT INTO inexact (id, b) VALUES (1, 1.00)", "1.00|1.00"},
    {"inexact", "INSERT INTO inexact (id, a) VALUES (1, 1.00)", "1.00|1.00"},
    {"inexact",
     "INSERT INTO inexact (id, a) VALUES (1, 2.0); UPDATE inexact SET b = 2.00 WHERE id = 1",
     "2.00|2.00"},
    /* BEFORE triggers of the table see what either version wrote in the old column, and have the last
       word. */
    {"triggered", "INSERT INTO triggered (id, a) VALUES (1, 'Mixed')", "mixed|mixed"},
    {"triggered", "INSERT INTO triggered (id, b) VALUES (1, 'Mixed')", "mixed|mixed"},
    {"triggered",
     "INSERT INTO triggered (id, b) VALUES (1, 'x'); UPDATE triggered SET n = 1 WHERE id = 1",
     "n|n"},
    {"triggered",
     "INSERT INTO triggered (id, b) VALUES (1, 'x'); UPDATE triggered SET b = 'y', n = 1 WHERE id "
     "= "
     "1",
     "n|n"},
    /* Keys work by either name. */
    {"keyed", "INSERT INTO keyed (id, b) VALUES (1, 'x') ON CONFLICT (b) DO NOTHING", "x|x"},
    {"keyed",
     "INSERT INTO keyed (id, b) VALUES (1, 'x'); INSERT INTO keyed (id, b) VALUES (3, 'x') ON "
     "CONFLICT (b) DO UPDATE SET b = 'y'",
     "y|y"},
    {"keyed",
     "INSERT INTO keyed (id, a) VALUES (1, 'x'); INSERT INTO keyed (id, b) VALUES (3, 'x') ON "
     "CONFLICT ON CONSTRAINT keyed_a_key DO UPDATE SET b = 'y'",
     "y|y"},
    {"keyed",
     "INSERT INTO keyed (id, a) VALUES (1, 'x'); INSERT INTO keyed (id, b) VALUES (3, 'x')", NULL},
    {"keyed", "INSERT INTO uses VALUES ('x'); INSERT INTO keyed (id, b) VALUES (1, 'x')", NULL},
    {"keyed",
     "INSERT INTO keyed (id, b) VALUES (1, 'x'); INSERT INTO uses VALUES ('x'); UPDATE keyed SET b "
     "= 'y' WHERE id = 1; UPDATE keyed SET b = (SELECT a || 'z' FROM uses) WHERE id = 1",
     "yz|yz"},
    /* A change of type, and a column that is filled: code knows the old one only, and the new one as well. */
    {"wider", "INSERT INTO wider (id, a) VALUES (1, 5); UPDATE wider SET a = a + 1 WHERE id = 1",
     "6|6"},
    {"wider", "INSERT INTO wider VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET a = 7", "5|5"},
    {"wider", "INSERT INTO wider (id, a) VALUES (1, 0)", NULL},
    {"wider", "INSERT INTO wider (id) VALUES (1)", NULL},
    {"filled", "INSERT INTO filled (id) VALUES (1)", "1|2"},
    {"filled", "INSERT INTO filled (id, b) VALUES (1, 7)", "1|7"},
    {"filled", "INSERT INTO filled (id, a) VALUES (1, NULL)", NULL},
};

/* The columns of the pair, whatever they are called. */
static const char *pair_of(const struct project *p, const char *table)
{
    return project_query(
        p,
        fixture_text("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM "
                     "pg_attribute WHERE attrelid = '%s'::regclass AND (attname IN ('a', 'b') OR "
                     "attname LIKE 'migrate%%')",
                     table));
}

static void assert_written(const struct project *p, const struct written *w)
{
    project_execute(p, fixture_text("DELETE FROM %s WHERE id = 1", w->table));
    const char *answer = project_query(p, w->sql);
    bool is_refused = strncmp(answer, "ERROR: ", 7) == 0;
    if (is_refused != !w->both)
        fail_msg("%s: %s", w->sql, answer);
    if (!w->both)
        return;
    const char *row = project_query(
        p, fixture_text("SELECT %s FROM %s WHERE id = 1", pair_of(p, w->table), w->table));
    if (strcmp(row, w->both) != 0)
        fail_msg("%s: %s, not %s", w->sql, row, w->both);
}

static void rows_of_either_version_say_the_same_in_both_columns(void **state UNUSED)
{
    SCOPED(buf) struct buf schema = {0};
    const char *last = "";
    buf_add_cstr(&schema, traffic_schema);
    for (size_t i = 0; i < ARRAY_LEN(traffic); i++) {
        if (strcmp(last, traffic[i].table) != 0 && strcmp(traffic[i].table, "wider") != 0)
            buf_printf(&schema, "; INSERT INTO %s (id) SELECT n * 2 FROM generate_series(1, 20) n",
                       traffic[i].table);
        last = traffic[i].table;
    }
    buf_add_cstr(&schema, "; UPDATE pg_class SET reltuples = -1");
    struct sync_case c = sync_case_of(sync_project_of(buf_cstr(&schema), traffic_migration));
    assert_int_equal(sync_forms(&c), 10);
    sync_run(&c, 0);
    for (size_t i = 0; i < ARRAY_LEN(traffic); i++)
        assert_written(c.project, &traffic[i]);
    sync_run(&c, 1); /* which proves it first */
}

/* What somebody has made of the copy meanwhile would go with it: the contract refuses. */
static void the_contract_takes_nothing_along(void **state UNUSED)
{
    struct sync_case c = sync_case_of(
        sync_project_of("CREATE TABLE items (id int PRIMARY KEY, a text); INSERT INTO items VALUES "
                        "(1, 'x'); CREATE INDEX ON items (a)",
                        "ALTER TABLE items RENAME a TO b;"));
    sync_run(&c, 0);
    project_execute(c.project, "CREATE INDEX late ON items (lower(b))");
    const char *answer = project_query(c.project, c.at[c.count - 1].sql);
    assert_non_null(strstr(answer, "index late was made on the copy of the column"));
    project_execute(c.project, "DROP INDEX late; CREATE INDEX late ON items (lower(a))");
    sync_run(&c, 1);
    assert_answer(c.project, "SELECT pg_get_indexdef('late'::regclass)",
                  "CREATE INDEX late ON public.items USING btree (lower(b))");
}

/* ---- by the runner ---- */

static const char runner_schema[] =
    "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age int CHECK (age > 0));"
    "INSERT INTO users SELECT n, 'n' || n, n FROM generate_series(1, 500) n;"
    "CREATE INDEX users_name ON users (lower(name));"
    "UPDATE pg_class SET reltuples = 1000000 WHERE relname = 'users'";
static const char runner_migration[] = "ALTER TABLE users RENAME name TO full_name;\n"
                                       "ALTER TABLE users ALTER age TYPE bigint;\n";

static void apply_expands_and_contract_ends_in_the_statement_as_it_is_written(void **state UNUSED)
{
    struct project *p = sync_project_of(runner_schema, runner_migration);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT state FROM migrator.history", "expanded");
    project_execute(p, "INSERT INTO users (id, name, age) VALUES (501, 'n501', 501);"
                       "INSERT INTO users (id, full_name, age) VALUES (502, 'n502', 502)");
    r = project_run(p, "contract", "--now", "--reason", "a test", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "switched  0001");
    assert_answer(p, "SELECT state FROM migrator.history", "switched");
    assert_answer(p, "SELECT full_name FROM users WHERE name = 'n501'", "n501");
    r = project_run(p, "contract", "--now", "--reason", "a test", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "contracted  0001");
    assert_answer(p, "SELECT state FROM migrator.history", "applied");
    assert_whole(p);
    struct project *written = sync_project_of(runner_schema, runner_migration);
    project_execute(written, "INSERT INTO users VALUES (501, 'n501', 501), (502, 'n502', 502)");
    r = project_run(written, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    assert_same(sync_state(p), sync_state(written));
}

static void rollback_of_what_is_expanded_restores_the_first_schema(void **state UNUSED)
{
    struct project *p = sync_project_of(runner_schema, runner_migration);
    const char *before = sync_state(p);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "rollback", "0001", NULL);
    assert_exit(&r, 0);
    assert_same(sync_state(p), before);
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_steps_end_in_the_same_and_undone_before_the_contract_in_the_first),
        cmocka_unit_test(rows_of_either_version_say_the_same_in_both_columns),
        cmocka_unit_test(the_contract_takes_nothing_along),
        cmocka_unit_test(apply_expands_and_contract_ends_in_the_statement_as_it_is_written),
        cmocka_unit_test(rollback_of_what_is_expanded_restores_the_first_schema),
    };
    return cmocka_run_group_tests(tests, sync_start, sync_end);
}
