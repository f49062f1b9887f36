/* What is said of bodies, views and rules where the catalog knows them only as a server tells them, and where
   it knows little. What servers do is compared in truth_test.c. */
#include "planner/postgres/effects.h"
#include "planner/postgres/grammar_compat.h"

#include "core/base/fs.h"
#include "core/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct deed deed_on(struct arena *a, struct catalog *c, const PgQuery__Node *node)
{
    return (struct deed){
        .a = a,
        .catalog = c,
        .major = POSTGRES_NEWEST,
        .node = node,
        .effects = arena_new(a, struct effects),
        .old_relations = c->relations.count,
    };
}

static struct catalog *folded(struct arena *a, const char *script)
{
    struct catalog *c = catalog_make(a);
    catalog_add_schema(c, STR("public"));
    const PgQuery__ParseResult *parsed = parse_script_kept(a, str_of(script));
    assert_non_null(parsed);
    for (size_t i = 0; i < parsed->n_stmts; i++) {
        struct deed d = deed_on(a, c, parsed->stmts[i]->stmt);
        effects_predict(&d);
        effects_fold(&d);
    }
    c->is_complete = true;
    return c;
}

static const struct effects *foretold(struct arena *a, struct catalog *c, const char *sql)
{
    const PgQuery__ParseResult *parsed = parse_script_kept(a, str_of(sql));
    assert_non_null(parsed);
    assert_int_equal(parsed->n_stmts, 1);
    struct deed d = deed_on(a, c, parsed->stmts[0]->stmt);
    effects_predict(&d);
    return d.effects;
}

static enum lock_mode lock_on(const struct effects *e, const char *relation)
{
    for (size_t i = 0; i < e->locks.count; i++) {
        if (str_equal(e->locks.at[i].relation, str_of(relation)))
            return e->locks.at[i].mode;
    }
    return LOCK_NONE;
}

static const char tables[] = "CREATE TABLE t (id integer PRIMARY KEY, n integer);"
                             "CREATE TABLE log (what text);"
                             "INSERT INTO t VALUES (1, 2);";

static struct catalog_relation *relation(struct catalog *c, const char *name)
{
    struct catalog_relation *r = catalog_find_relation(c, STR(""), str_of(name));
    assert_non_null(r);
    return r;
}

static void views_and_rules_are_read_from_their_texts(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = folded(a, arena_printf(a, "%s%s", tables,
                                               "CREATE VIEW v AS SELECT id, n FROM t;"
                                               "CREATE RULE r AS ON DELETE TO t DO INSTEAD "
                                               "INSERT INTO log VALUES ('x');"));
    relation(c, "v")->query =
        (struct catalog_expression){.text = STR(" SELECT t.id,\n    t.n\n   FROM t;")};
    relation(c, "t")->rules.at[0]->definition = (struct catalog_expression){
        .text =
            STR("CREATE RULE r AS\n    ON DELETE TO public.t DO INSTEAD  INSERT INTO log (what)\n"
                "  VALUES ('x'::text);")};
    const struct effects *e = foretold(a, c, "SELECT * FROM v FOR UPDATE");
    assert_int_equal(lock_on(e, "public.v"), LOCK_ROW_SHARE);
    assert_int_equal(lock_on(e, "public.t"), LOCK_ROW_SHARE);
    e = foretold(a, c, "DELETE FROM t WHERE id = 1");
    assert_int_equal(lock_on(e, "public.log"), LOCK_ROW_EXCLUSIVE);
}

static void functions_are_read_from_what_a_server_keeps_of_them(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c =
        folded(a, arena_printf(a, "%s%s", tables,
                               "CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE plpgsql AS "
                               "'BEGIN x := x + 1; UPDATE t SET n = x; RETURN x; END';"));
    catalog_find_function(c, STR(""), STR("f"), NULL)->tree = NULL;
    const struct effects *e = foretold(a, c, "SELECT f(1)");
    assert_int_equal(lock_on(e, "public.t"), LOCK_ROW_EXCLUSIVE);
    assert_null(e->opaque);
}

static void what_cannot_be_known_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool is_opaque;
    } cases[] = {
        {"DO $$ BEGIN EXECUTE current_setting('x.y'); END $$", true},
        {"DO $$ BEGIN EXECUTE 'TRUNCATE t'; END $$", false},
        {"DO $$ BEGIN EXECUTE 'no SQL at all'; END $$", true},
        {"DO LANGUAGE plperl 'spi_exec_query(1)'", true},
        {"DO $$ DECLARE r record; BEGIN FOR r IN SELECT n FROM t LOOP EXECUTE 'DROP TABLE t' || "
         "r.n; "
         "END LOOP; END $$",
         true},
        /* The library of 15 takes a declared cursor for an error: that says nothing about the server. */
        {"DO $$ DECLARE c CURSOR FOR SELECT 1; BEGIN OPEN c; END $$", PG_VERSION_NUM < 160000},
        {"CALL nobody_knows(1)", true},
        {"EXECUTE nobody_knows", true},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct effects *e = foretold(a, folded(a, tables), cases[i].sql);
        if ((e->opaque != NULL) != cases[i].is_opaque || e->failure)
            fail_msg("%s: opaque %s, failure %s", cases[i].sql, e->opaque, e->failure);
    }
}

/* Where the library reads them (17). */
static void the_query_of_a_declared_cursor_runs_when_it_is_opened(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum lock_mode on_t, on_log;
    } cases[] = {
        {"DECLARE c CURSOR FOR SELECT n FROM t FOR UPDATE; BEGIN OPEN c; CLOSE c; END",
         LOCK_ROW_SHARE, LOCK_NONE},
        {"DECLARE c CURSOR FOR SELECT n FROM t; BEGIN NULL; END", LOCK_NONE, LOCK_NONE},
        {"DECLARE c CURSOR FOR SELECT n FROM t; r record; BEGIN FOR r IN c LOOP "
         "INSERT INTO log VALUES (r.n); END LOOP; END",
         LOCK_ACCESS_SHARE, LOCK_ROW_EXCLUSIVE},
        {"DECLARE c CURSOR (k bigint, x integer) FOR SELECT n FROM t WHERE id = k; BEGIN "
         "OPEN c((SELECT count(*) FROM log), 2); END",
         LOCK_ACCESS_SHARE, LOCK_ACCESS_SHARE},
        {"DECLARE c refcursor; BEGIN OPEN c FOR SELECT n FROM t; END", LOCK_ACCESS_SHARE,
         LOCK_NONE},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct effects *e =
            foretold(a, folded(a, tables), arena_printf(a, "DO $$ %s $$", cases[i].body));
        if (e->opaque && PG_VERSION_NUM < 160000)
            continue;
        if (e->opaque || e->failure || lock_on(e, "public.t") != cases[i].on_t ||
            lock_on(e, "public.log") != cases[i].on_log)
            fail_msg("%s: opaque %s, failure %s, locks %d, %d", cases[i].body, e->opaque,
                     e->failure, lock_on(e, "public.t"), lock_on(e, "public.log"));
    }
}

static void a_guard_decides_only_where_the_catalog_is_whole(void **state)
{
    (void)state;
    static const char guarded[] =
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 'gone') THEN "
        "TRUNCATE t; END IF; END $$";
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = folded(a, tables);
    assert_int_equal(lock_on(foretold(a, c, guarded), "public.t"), LOCK_NONE);
    c->is_complete = false;
    assert_int_equal(lock_on(foretold(a, c, guarded), "public.t"), LOCK_ACCESS_EXCLUSIVE);
}

static void what_fails_for_certain_is_said_unless_it_is_handled(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = folded(a, tables);
    const struct effects *e =
        foretold(a, c, "DO $$ BEGIN CREATE INDEX CONCURRENTLY i ON t (n); END $$");
    assert_non_null(e->failure);
    e = foretold(a, c, "DO $$ BEGIN VACUUM t; EXCEPTION WHEN OTHERS THEN TRUNCATE log; END $$");
    assert_null(e->failure);
    assert_int_equal(lock_on(e, "public.log"), LOCK_ACCESS_EXCLUSIVE);
    e = foretold(a, c, "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$");
    assert_non_null(e->failure);
    e = foretold(a, c, "DO $$ BEGIN COMMIT; END $$");
    assert_true(e->refuses_transaction);
}

static void functions_that_call_each_other_come_to_an_end(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c =
        folded(a, arena_printf(a, "%s%s", tables,
                               "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS "
                               "'BEGIN DELETE FROM t; RETURN g(); END';"
                               "CREATE FUNCTION g() RETURNS integer LANGUAGE sql AS 'SELECT f()';"
                               "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS "
                               "'BEGIN UPDATE t SET n = 1; RETURN NEW; END';"
                               "CREATE TRIGGER again AFTER UPDATE ON t FOR EACH ROW EXECUTE "
                               "FUNCTION again();"
                               "CREATE RULE more AS ON INSERT TO log DO ALSO "
                               "INSERT INTO log VALUES ('y');"));
    assert_int_equal(lock_on(foretold(a, c, "SELECT f()"), "public.t"), LOCK_ROW_EXCLUSIVE);
    assert_int_equal(lock_on(foretold(a, c, "UPDATE t SET n = 3"), "public.t"), LOCK_ROW_EXCLUSIVE);
    assert_non_null(foretold(a, c, "INSERT INTO log VALUES ('x')"));
    assert_non_null(foretold(a, c, "DO $$ BEGIN WHILE true LOOP PERFORM f(); END LOOP; END $$"));
}

/* ---- anything may be asked of anything ---- */

static void try_on(struct arena *a, const PgQuery__ParseResult *script, struct catalog *c)
{
    for (size_t i = 0; i < script->n_stmts; i++) {
        if (!script->stmts[i]->stmt)
            continue;
        struct deed d = deed_on(a, c, script->stmts[i]->stmt);
        effects_predict(&d);
        effects_fold(&d);
    }
}

static void try_file(const char *path)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    struct str line;
    assert_true(fs_read(a, path, (size_t)64 << 20, &text, &f));
    size_t count = 0;
    struct catalog *heap = catalog_make(a); /* takes in whatever comes, in any order */
    heap->is_complete = true;
    while (text.len) {
        text = str_cut_line(text, &line);
        SCOPED(json) struct json *j = json_parse(line, str_of(path), &f);
        assert_non_null(j);
        const PgQuery__ParseResult *script =
            parse_script_kept(a, arena_str(a, json_str_of(json_get(j, "sql"))));
        if (!script)
            continue;
        struct catalog *empty = catalog_make(a);
        try_on(a, script, empty);
        empty->is_complete = true;
        try_on(a, script, empty);
        try_on(a, script, heap);
        count++;
    }
    assert_true(count > 100);
}

static void any_statement_may_meet_any_catalog(void **state)
{
    (void)state;
    try_file("testdata/truth/other.jsonl");
    try_file("testdata/truth/create_drop.jsonl");
    try_file("testdata/truth/woven.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_and_rules_are_read_from_their_texts),
        cmocka_unit_test(functions_are_read_from_what_a_server_keeps_of_them),
        cmocka_unit_test(what_cannot_be_known_is_said),
        cmocka_unit_test(the_query_of_a_declared_cursor_runs_when_it_is_opened),
        cmocka_unit_test(a_guard_decides_only_where_the_catalog_is_whole),
        cmocka_unit_test(what_fails_for_certain_is_said_unless_it_is_handled),
        cmocka_unit_test(functions_that_call_each_other_come_to_an_end),
        cmocka_unit_test(any_statement_may_meet_any_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
