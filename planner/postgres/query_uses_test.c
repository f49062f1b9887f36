/* What a query uses: relations with their columns and locks, functions, types, and what comes out. */
#include "planner/postgres/query_uses.h"

#include "core/base/buf.h"
#include "core/model/script.h"
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"
#include "planner/postgres/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static const char schema[] =
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
    "CREATE TABLE t (id integer PRIMARY KEY, note varchar(20), m mood);\n"
    "CREATE TABLE u (id integer, t_id integer, amount numeric(10,2));\n"
    "CREATE SCHEMA s;\n"
    "CREATE TABLE s.t (id integer, other text);\n"
    "CREATE SEQUENCE seq;\n"
    "CREATE FUNCTION f(x integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$;\n";

struct use_case {
    const char *name;
    const char *sql;
    const char *sources; /* relation:mode(columns), in order */
    const char *output;  /* name type, in order */
};

static const struct use_case cases[] = {
    {"a star is every column", "SELECT * FROM t", "public.t:AccessShareLock(id,note,m)",
     "id integer,note character varying(20),m public.mood"},
    {"a column of its own name", "SELECT note AS n, m FROM t", "public.t:AccessShareLock(note,m)",
     "n character varying(20),m public.mood"},
    {"an alias hides the table's name", "SELECT x.id FROM t x", "public.t:AccessShareLock(id)",
     "id integer"},
    {"a schema tells tables of one name apart",
     "SELECT s.t.other, public.t.note FROM s.t, public.t",
     "s.t:AccessShareLock(other) public.t:AccessShareLock(note)",
     "other text,note character varying(20)"},
    {"a CTE hides a table", "WITH t AS (SELECT id AS a FROM u) SELECT * FROM t",
     "public.u:AccessShareLock(id)", "a integer"},
    {"a recursive CTE is not a table",
     "WITH RECURSIVE t(n) AS (SELECT id FROM u UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
     "public.u:AccessShareLock(id)", "n integer"},
    {"USING mentions both sides", "SELECT amount FROM t JOIN u USING (id)",
     "public.t:AccessShareLock(id) public.u:AccessShareLock(id,amount)", "amount numeric(10,2)"},
    {"NATURAL mentions what both have", "SELECT 1 AS one FROM t NATURAL JOIN u",
     "public.t:AccessShareLock(id) public.u:AccessShareLock(id)", "one integer"},
    {"a subquery sees what is around it",
     "SELECT id FROM t WHERE EXISTS (SELECT FROM u WHERE t_id = t.id AND amount > 1)",
     "public.t:AccessShareLock(id) public.u:AccessShareLock(t_id,amount)", "id integer"},
    {"a subquery in FROM hands its columns on",
     "SELECT x.c FROM (SELECT count(*) AS c, m FROM t GROUP BY m) x", "public.t:AccessShareLock(m)",
     "c bigint"},
    {"a whole row is every column", "SELECT t FROM t", "public.t:AccessShareLock(id,note,m)",
     "t public.t"},
    {"FOR UPDATE locks rows of what FROM names", "SELECT t.id FROM t, u FOR UPDATE",
     "public.t:RowShareLock(id) public.u:RowShareLock()", "id integer"},
    {"FOR UPDATE OF locks one", "SELECT t.id FROM t, u FOR SHARE OF u",
     "public.t:AccessShareLock(id) public.u:RowShareLock()", "id integer"},
    {"both sides of a union", "SELECT id FROM t UNION SELECT t_id FROM u",
     "public.t:AccessShareLock(id) public.u:AccessShareLock(t_id)", "id integer"},
    {"INSERT writes its target", "INSERT INTO u (id) SELECT id FROM t RETURNING t_id",
     "public.t:AccessShareLock(id) public.u:RowExclusiveLock(id,t_id)", "t_id integer"},
    {"UPDATE FROM reads the other", "UPDATE u SET amount = 1 FROM t WHERE t.id = u.t_id",
     "public.u:RowExclusiveLock(amount,t_id) public.t:AccessShareLock(id)", ""},
    {"DELETE USING reads the other", "DELETE FROM u USING t WHERE t.id = u.id",
     "public.u:RowExclusiveLock(id) public.t:AccessShareLock(id)", ""},
    {"columns without a name", "SELECT f(1), 'x'::text, CASE WHEN true THEN 1 END, 1 + 1, now()",
     "", "f text,text text,case integer,?column? integer,now timestamp with time zone"},
    {"VALUES has column1 and so on", "VALUES (1, 'a')", "", "column1 integer,column2 text"},
    {"a renamed table has the new names", "SELECT a FROM t AS x (a)",
     "public.t:AccessShareLock(id)", "a integer"},
    {"LATERAL sees its neighbours",
     "SELECT y.n FROM t, LATERAL (SELECT amount AS n FROM u WHERE u.id = t.id) y",
     "public.t:AccessShareLock(id) public.u:AccessShareLock(amount,id)", "n numeric(10,2)"},
    {"a function in FROM has a column of its name", "SELECT g FROM generate_series(1, 3) g", "",
     "g integer"},
    {"an unknown table is kept by name", "SELECT a FROM nothing", "nothing:AccessShareLock()",
     "a ?"},
};

static void fold_one(void *context, const struct statement *s)
{
    postgres_analysis_fold(context, s);
}

/* The catalog of the schema above. */
static struct catalog *catalog_of(struct arena *a)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(postgres_analysis)
    struct postgres_analysis *p = postgres_analysis_open(a, NULL, 160000, NULL);
    const struct script_context how = {
        .dialect = &postgres_dialect,
        .server_version = 160000,
        .wants_analysis = true,
    };
    SCOPED(script)
    struct script *script = script_open_memory(str_of(schema), STR("schema.sql"), &how);
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            fail_msg("%s", f.message);
        for (size_t i = 0; i < batch.count; i++)
            fold_one(p, &batch.statements[i]);
        if (batch.is_last)
            break;
    }
    return postgres_analysis_catalog(p);
}

static const char *sources_text(struct arena *a, const struct query_uses *uses)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < uses->sources.count; i++) {
        const struct query_source *s = &uses->sources.at[i];
        struct str name =
            s->relation ? catalog_relation_text(a, s->relation) : str_of(s->name->relname);
        buf_printf(&out, "%s%.*s:%s(", i ? " " : "", STR_ARG(name), lock_mode_name(s->mode));
        for (size_t j = 0; j < s->columns.count; j++)
            buf_printf(&out, "%s%.*s", j ? "," : "", STR_ARG(s->columns.at[j]->name));
        buf_add_char(&out, ')');
    }
    return arena_cstr(a, buf_str(&out));
}

static const char *output_text(struct arena *a, const struct query_uses *uses)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < uses->output.count; i++) {
        const struct query_column *column = &uses->output.at[i];
        bool is_known = column->type.builtin.len || column->type.user;
        struct str type = is_known ? type_text(a, &column->type) : STR("?");
        buf_printf(&out, "%s%.*s %.*s", i ? "," : "", STR_ARG(column->name), STR_ARG(type));
    }
    return arena_cstr(a, buf_str(&out));
}

static void queries_are_read_column_by_column(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct effects effects = {0};
    struct deed d = {.a = a, .catalog = catalog_of(a), .major = 16, .effects = &effects};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const PgQuery__ParseResult *tree = parse_script_kept(a, str_of(cases[i].sql));
        assert_non_null(tree);
        struct query_uses uses;
        query_uses_read(&d, tree->stmts[0]->stmt, &uses);
        const char *sources = sources_text(a, &uses);
        const char *output = output_text(a, &uses);
        if (strcmp(sources, cases[i].sources) != 0 || strcmp(output, cases[i].output) != 0)
            fail_msg("%s: %s\n  sources %s\n  instead %s\n  output %s\n  instead %s", cases[i].name,
                     cases[i].sql, sources, cases[i].sources, output, cases[i].output);
    }
}

static void functions_types_and_sequences_are_found(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct effects effects = {0};
    struct deed d = {.a = a, .catalog = catalog_of(a), .major = 16, .effects = &effects};
    const char *sql = "SELECT f(id), nextval('seq'), 'ok'::mood FROM t";
    const PgQuery__ParseResult *tree = parse_script_kept(a, str_of(sql));
    struct query_uses uses;
    query_uses_read(&d, tree->stmts[0]->stmt, &uses);
    assert_int_equal(uses.calls.count, 2);
    assert_non_null(uses.calls.at[0].function);
    assert_null(uses.calls.at[1].function);
    assert_int_equal(uses.sequences.count, 1);
    assert_int_equal(uses.types.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_are_read_column_by_column),
        cmocka_unit_test(functions_types_and_sequences_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
