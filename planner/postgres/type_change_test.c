/*
 * Changes of type: what is foretold is what a server does, for every pair of the types in
 * testdata/types/spellings.txt, with and without USING, with and without an index. That takes a minute:
 * without ALL_PAIRS in the environment every eleventh pair is looked at; ALL_PAIRS=server takes all types
 * that the server has. PG_BIN picks another version of it.
 */
#include "planner/postgres/types.h"

#include "core/base/buf.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct pg_cluster *cluster;
static struct arena *memory;
static struct catalog *catalog;

static const PgQuery__Node *parse_expression(const char *text)
{
    struct parse_tree tree;
    parse_statement_kept(memory, str_of(fixture_text("SELECT %s", text)), &tree);
    if (!tree.node)
        fail_msg("not parsed: %s: %s", text, tree.message);
    return tree.node->select_stmt->target_list[0]->res_target->val;
}

static struct type_ref type_of(const char *spelling)
{
    const PgQuery__Node *cast = parse_expression(fixture_text("NULL::%s", spelling));
    return type_resolve(catalog, cast->type_cast->type_name, NULL);
}

/* ---- the same types as in testdata/types/setup.sql ---- */

static struct catalog_type *add_type(enum type_kind kind, const char *name)
{
    return catalog_add_type(catalog, kind, STR("public"), str_of(name));
}

static struct catalog_type *add_domain(const char *name, const char *base)
{
    struct type_ref type = type_of(base);
    struct catalog_type *t = add_type(TYPE_DOMAIN, name);
    t->base = type;
    return t;
}

static void constrain(struct catalog_type *t, bool is_not_null)
{
    vec_push(memory, &t->constraints,
             (struct domain_constraint){.is_not_null = is_not_null, .is_valid = true});
}

static void add_extension(const char *name)
{
    struct catalog_object *o = arena_new(memory, struct catalog_object);
    o->kind = "EXTENSION";
    o->name = str_of(name);
    vec_push(memory, &catalog->objects, o);
}

static void add_cast(const char *definition)
{
    struct parse_tree tree;
    parse_statement_kept(memory, str_of(fixture_text("CREATE CAST %s", definition)), &tree);
    assert_non_null(tree.node);
    type_add_cast(catalog, tree.node->create_cast_stmt);
}

static void add_types(void)
{
    add_extension("citext");
    add_extension("hstore");
    struct catalog_type *mood = add_type(TYPE_ENUM, "mood");
    vec_push(memory, &mood->labels, STR("sad"));
    (void)add_type(TYPE_ENUM, "colour");
    (void)add_type(TYPE_COMPOSITE, "pair");
    (void)add_type(TYPE_RANGE, "floatrange");
    if (catalog->server_version >= 140000)
        (void)add_type(TYPE_MULTIRANGE, "floatmultirange");
    (void)add_domain("plain", "text");
    constrain(add_domain("checked", "text"), false);
    constrain(add_domain("filled", "text"), true);
    (void)add_domain("short", "varchar(20)");
    constrain(add_domain("shorter", "short"), false);
    (void)add_domain("money2", "numeric(10, 2)");
    (void)add_domain("ids", "int[]");
    (void)add_domain("feeling", "mood");
    (void)add_domain("moment", "timestamptz");
    (void)add_domain("lowered", "citext");
    add_cast("(varchar AS mood) WITH INOUT AS ASSIGNMENT");
    add_cast("(colour AS mood) WITH INOUT AS IMPLICIT");
    add_cast("(bigint AS timestamp) WITHOUT FUNCTION AS ASSIGNMENT");
    add_cast("(bigint AS uuid) WITH INOUT");
}

static int set_up(void **state)
{
    (void)state;
    memory = arena_make();
    catalog = catalog_make(memory);
    cluster = pg_cluster_start(NULL);
    catalog->server_version = (uint32_t)pg_cluster_version(cluster);
    (void)pg_cluster_database(cluster, "types");
    pg_cluster_execute(cluster, "types", fixture_read("testdata/types/setup.sql"));
    add_types();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_cluster_stop(cluster);
    arena_release(memory);
    return 0;
}

/* ---- all pairs ---- */

static const char *const verdicts[] = {
    [TYPE_CHANGE_UNKNOWN] = "unknown",  [TYPE_CHANGE_NONE] = "none",
    [TYPE_CHANGE_CATALOG] = "none",     [TYPE_CHANGE_REWRITE] = "rewrite",
    [TYPE_CHANGE_IMPOSSIBLE] = "error",
};

static const char *foretold(const char *from, const char *to, const char *mode, const char *zone)
{
    struct catalog_column column = {.name = STR("c"), .type = type_of(from)};
    struct type_ref target = type_of(to);
    const PgQuery__Node *using = NULL;
    if (mode[0] == 'c')
        using = parse_expression(fixture_text("c::%s", to));
    enum type_change change = type_change_using(catalog, &column, &target, using, str_of(zone));
    bool is_kept = change == TYPE_CHANGE_NONE || change == TYPE_CHANGE_CATALOG;
    if (mode[0] == 'i' && is_kept &&
        type_change_rebuilds_index(catalog, &column.type, &target, STR(""), STR("")))
        return "index";
    return verdicts[change];
}

/* Whether a type has an index of the default kind at all is not asked of the planner. */
static bool is_excused(const char *mode, const char *what, const char *seen)
{
    return mode[0] == 'i' && strcmp(seen, "error") == 0 && strcmp(what, "error") != 0;
}

static size_t compare_line(struct str line, const char *zone, size_t *wrong)
{
    struct str part[4];
    for (size_t i = 0; i < ARRAY_LEN(part); i++)
        line = str_cut(line, '|', &part[i]);
    const char *from = arena_cstr(memory, part[0]);
    const char *to = arena_cstr(memory, part[1]);
    const char *mode = arena_cstr(memory, part[2]);
    const char *seen = arena_cstr(memory, part[3]);
    const char *what = foretold(from, to, mode, zone);
    if (strcmp(what, seen) != 0 && !is_excused(mode, what, seen)) {
        print_error("%s -> %s %s (%s): foretold %s, seen %s\n", from, to, mode, zone, what, seen);
        *wrong += 1;
    }
    return 1;
}

/* $$a$$, $$b$$, … for an array of SQL: the spellings that contain the word. */
static void add_list(struct buf *out, struct str lines, const char *word)
{
    struct str line;
    while (lines.len) {
        lines = str_cut_line(lines, &line);
        if (str_find(line, str_of(word)) != SIZE_MAX)
            buf_printf(out, "%s$$%.*s$$", out->len ? ", " : "", STR_ARG(line));
    }
}

static const char *const all_types =
    "SELECT format_type(t.oid, -1) FROM pg_type t WHERE typisdefined AND typrelid = 0"
    " AND typtype <> 'p' AND typnamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace)"
    " AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid"
    " AND (e.typtype = 'p' OR (e.typrelid <> 0 AND e.typnamespace = 'pg_catalog'::regnamespace)))";

static struct str spellings(void)
{
    const char *asked = getenv("ALL_PAIRS");
    if (asked && strcmp(asked, "server") == 0)
        return str_of(pg_cluster_query(cluster, "types", all_types));
    return str_of(fixture_read("testdata/types/spellings.txt"));
}

static void all_pairs(const char *zone, const char *word, size_t step)
{
    SCOPED(buf) struct buf list = {0};
    add_list(&list, spellings(), word);
    SCOPED(buf) struct buf sql = {0};
    buf_printf(&sql, "SET timezone = '%s'; SET client_min_messages = error;\n%s\n", zone,
               fixture_read("testdata/types/probe.sql"));
    buf_printf(&sql, "SELECT pg_temp.probe(ARRAY[%s], %zu);", buf_cstr(&list), step);
    struct str rows = str_of(pg_cluster_query(cluster, "types", buf_cstr(&sql)));
    if (str_starts(rows, STR("ERROR")))
        fail_msg("%.*s", STR_ARG(rows));
    size_t count = 0;
    size_t wrong = 0;
    while (rows.len) {
        struct str line;
        rows = str_cut_line(rows, &line);
        count += compare_line(line, zone, &wrong);
    }
    print_message("%zu changes in %s, %zu foretold wrong\n", count, zone, wrong);
    assert_true(count > 150);
    assert_int_equal(wrong, 0);
}

static void what_is_foretold_is_what_the_server_does(void **state)
{
    (void)state;
    all_pairs("UTC", "", getenv("ALL_PAIRS") ? 1 : 11);
}

static void and_where_the_time_zone_is_another(void **state)
{
    (void)state;
    all_pairs("Europe/London", "time", getenv("ALL_PAIRS") ? 1 : 2);
}

/* ---- indexes of all kinds ---- */

static const struct {
    const char *from, *to, *method, *opclass;
} indexed[] = {
    {"varchar(10)", "text", "hash", ""},
    {"varchar(10)", "varchar(20)", "hash", ""},
    {"varchar(10)", "text", "brin", ""},
    {"varchar(10)", "text", "brin", "text_minmax_ops"},
    {"varchar(10)", "text", "gin", "gin_trgm_ops"},
    {"varchar(10)", "text", "gist", "gist_trgm_ops"},
    {"varchar(10)", "text", "btree", "varchar_pattern_ops"},
    {"varchar(10)", "text", "btree", "text_pattern_ops"},
    {"varchar(10)", "text", "btree", "varchar_ops"},
    {"varchar(10)", "text", "btree", "text_ops"},
    {"varchar(10)", "text", "spgist", ""},
    {"text", "citext", "hash", ""},
    {"text", "citext", "btree", ""},
    {"text", "citext", "btree", "text_pattern_ops"},
    {"text", "plain", "btree", ""},
    {"text", "plain", "gin", "gin_trgm_ops"},
    {"short", "text", "btree", ""},
    {"int", "oid", "btree", ""},
    {"int", "oid", "hash", ""},
    {"int", "oid", "brin", ""},
    {"oid", "int", "btree", ""},
    {"oid", "regclass", "btree", ""},
    {"cidr", "inet", "btree", ""},
    {"cidr", "inet", "gist", "inet_ops"},
    {"cidr", "inet", "spgist", ""},
    {"cidr", "inet", "hash", ""},
    {"timestamp", "timestamptz", "btree", ""},
    {"timestamp", "timestamptz", "hash", ""},
    {"timestamp", "timestamptz", "brin", ""},
    {"timestamp(3)", "timestamp", "brin", ""},
    {"timestamptz", "moment", "btree", ""},
    {"bit(8)", "varbit", "btree", ""},
    {"varbit(8)", "varbit(16)", "btree", ""},
    {"int[]", "ids", "gin", ""},
    {"int[]", "ids", "btree", ""},
    {"varchar(10)[]", "varchar[]", "gin", ""},
    {"mood", "feeling", "btree", ""},
    {"mood", "feeling", "hash", ""},
    {"int[]", "int[]", "gin", ""},
    {"int[]", "int[]", "btree", ""},
    {"tstzrange", "tstzrange", "gist", ""},
    {"tstzrange", "tstzrange", "brin", ""},
    {"tstzrange", "tstzrange", "spgist", ""},
    {"tsvector", "tsvector", "gin", ""},
    {"jsonb", "jsonb", "gin", ""},
    {"jsonb", "jsonb", "gin", "jsonb_path_ops"},
    {"pair", "pair", "btree", ""},
    {"numeric(10,2)", "numeric(12,2)", "btree", ""},
    {"numeric(10,2)", "money2", "btree", ""},
    {"hstore", "hstore", "gin", ""},
};

/* A change that needs no new table: "t": the index is built again. */
static const char *see_index(size_t i)
{
    return pg_cluster_query(
        cluster, "types",
        fixture_text("BEGIN; SET timezone = 'UTC'; CREATE EXTENSION IF NOT EXISTS pg_trgm;"
                     "CREATE TABLE probe_index (c %s);"
                     "CREATE INDEX probe_i ON probe_index USING %s (c %s);"
                     "SELECT set_config('seen.i', pg_relation_filenode('probe_i')::text, true),"
                     " set_config('seen.t', pg_relation_filenode('probe_index')::text, true);"
                     "ALTER TABLE probe_index ALTER c TYPE %s;"
                     "SELECT concat(pg_relation_filenode('probe_index')::text"
                     " <> current_setting('seen.t'), pg_relation_filenode('probe_i')::text"
                     " <> current_setting('seen.i'))",
                     indexed[i].from, indexed[i].method, indexed[i].opclass, indexed[i].to));
}

static void an_index_of_any_kind_is_kept_or_not(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(indexed); i++) {
        struct type_ref from = type_of(indexed[i].from);
        struct type_ref to = type_of(indexed[i].to);
        bool is_built = type_change_rebuilds_index(catalog, &from, &to, str_of(indexed[i].method),
                                                   str_of(indexed[i].opclass));
        const char *seen = see_index(i);
        if (strcmp(seen, is_built ? "ft" : "ff") != 0) {
            print_error("%s -> %s, %s %s: foretold %d, seen %s\n", indexed[i].from, indexed[i].to,
                        indexed[i].method, indexed[i].opclass, is_built, seen);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---- names ---- */

/* The modifier as it is stored, and the name as it is printed. */
static void types_are_stored_and_printed_alike(void **state)
{
    (void)state;
    struct str lines = str_of(fixture_read("testdata/types/spellings.txt"));
    size_t wrong = 0;
    while (lines.len) {
        struct str line;
        lines = str_cut_line(lines, &line);
        const char *seen = pg_cluster_query(
            cluster, "types",
            fixture_text(
                "BEGIN; CREATE TABLE probe_name (c %.*s);"
                "SELECT atttypmod || ' ' || format_type(atttypid, atttypmod)"
                " FROM pg_attribute WHERE attrelid = 'probe_name'::regclass AND attnum > 0",
                STR_ARG(line)));
        struct type_ref t = type_of(arena_cstr(memory, line));
        struct str text = type_text(memory, &t);
        /* Types of the search_path are printed without their schema. */
        if (str_starts(text, STR("public.")))
            text = str_skip(text, strlen("public."));
        const char *own = arena_printf(memory, "%d %.*s", (int)t.typmod, STR_ARG(text));
        if (strcmp(own, seen) != 0) {
            print_error("%.*s: %s, the server says %s\n", STR_ARG(line), own, seen);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---- time zones ---- */

static const char *const zone_probe =
    "CREATE FUNCTION pg_temp.is_free(zone text) RETURNS bool LANGUAGE plpgsql AS $$"
    " DECLARE before oid := pg_relation_filenode('zoned'); after oid; BEGIN BEGIN"
    " PERFORM set_config('timezone', zone, true);"
    " ALTER TABLE zoned ALTER c TYPE timestamptz; after := pg_relation_filenode('zoned');"
    " RAISE EXCEPTION USING errcode = 'P0099';"
    " EXCEPTION WHEN SQLSTATE 'P0099' THEN NULL; END; RETURN before = after; END $$;"
    "CREATE TEMP TABLE zoned (c timestamp);"
    "SELECT name, pg_temp.is_free(name) FROM (SELECT name FROM pg_timezone_names"
    " WHERE name !~ '^(posix/|right/|localtime$|posixrules$)' UNION ALL"
    " SELECT unnest(ARRAY['utc', 'gMt', 'FOO0', 'FOO+0', 'FOO1', '<+00>+00', '<+01>-01', '0', '-0',"
    " '1', 'ABC00:00', 'ABC0DEF', 'UTC0', 'Etc/utc'])) z";

static void a_zone_has_always_been_at_utc(void **state)
{
    (void)state;
    struct str rows = str_of(pg_cluster_query(cluster, "types", zone_probe));
    size_t count = 0;
    size_t wrong = 0;
    while (rows.len) {
        struct str line;
        struct str name;
        rows = str_cut_line(rows, &line);
        bool is_free = str_equal(str_cut(line, '|', &name), STR("t"));
        count++;
        if (time_zone_is_always_utc(name) != is_free) {
            print_error("%.*s: the server says %d\n", STR_ARG(line), is_free);
            wrong++;
        }
    }
    print_message("%zu time zones\n", count);
    assert_true(count > 400);
    assert_int_equal(wrong, 0);
}

/* ---- what is lost ---- */

static const struct {
    const char *from, *to;
    bool is_lossy;
} losses[] = {
    {"int", "bigint", false},
    {"bigint", "int", true},
    {"int", "smallint", true},
    {"int", "real", true},
    {"int", "double precision", false},
    {"double precision", "real", true},
    {"real", "double precision", false},
    {"numeric", "double precision", true},
    {"int", "numeric", false},
    {"int", "numeric(10,2)", true},
    {"int", "numeric(12,2)", false},
    {"numeric(10,2)", "numeric(12,2)", false},
    {"numeric(10,2)", "numeric(12,4)", false},
    {"numeric(10,2)", "numeric(10,4)", true},
    {"numeric(10,2)", "numeric(10,1)", true},
    {"numeric", "numeric(10,2)", true},
    {"numeric(10,2)", "numeric", false},
    {"numeric", "int", true},
    {"varchar(20)", "varchar(40)", false},
    {"varchar(40)", "varchar(20)", true},
    {"text", "varchar(20)", true},
    {"varchar(20)", "text", false},
    {"char(10)", "varchar(10)", false},
    {"char(10)", "char(20)", false},
    {"int", "varchar(11)", false},
    {"int", "varchar(10)", true},
    {"uuid", "text", false},
    {"uuid", "varchar(36)", false},
    {"text", "uuid", true},
    {"text", "int", true},
    {"timestamp", "date", true},
    {"date", "timestamp", false},
    {"timestamp", "timestamp(3)", true},
    {"timestamp(3)", "timestamp(6)", false},
    {"timestamp", "timestamptz", false},
    {"timestamptz", "timestamp", false},
    {"timestamptz", "time", true},
    {"interval(3)", "interval", false},
    {"interval", "interval(3)", true},
    {"interval", "interval year", true},
    {"json", "jsonb", false},
    {"text", "jsonb", true},
    {"mood", "text", false},
    {"text", "mood", true},
    {"mood", "colour", true},
    {"colour", "mood", false},
    {"text", "checked", true},
    {"text", "plain", false},
    {"checked", "text", false},
    {"int[]", "bigint[]", false},
    {"bigint[]", "int[]", true},
    {"inet", "cidr", true},
    {"cidr", "inet", false},
    {"text", "citext", false},
    {"citext", "text", false},
    {"boolean", "int", false},
    {"date", "timestamptz", false},
};

static void what_may_be_lost_is_said(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
        struct type_ref from = type_of(losses[i].from);
        struct type_ref to = type_of(losses[i].to);
        if (type_change_is_lossy(catalog, &from, &to) != losses[i].is_lossy) {
            print_error("%s -> %s\n", losses[i].from, losses[i].to);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_foretold_is_what_the_server_does),
        cmocka_unit_test(and_where_the_time_zone_is_another),
        cmocka_unit_test(an_index_of_any_kind_is_kept_or_not),
        cmocka_unit_test(types_are_stored_and_printed_alike),
        cmocka_unit_test(a_zone_has_always_been_at_utc),
        cmocka_unit_test(what_may_be_lost_is_said),
    };
    return cmocka_run_group_tests_name("planner/postgres/type_change", tests, set_up, tear_down);
}
