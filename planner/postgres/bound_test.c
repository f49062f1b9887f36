/*
 * What CHECKs prove of partitions: whether ATTACH PARTITION reads the partition and the default partition,
 * as foretold and as a server does it; for each line of testdata/types/bounds.txt, and for conditions and
 * bounds that are put together by chance. ALL_PAIRS makes more of those; PG_BIN picks another server.
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

static int set_up(void **state)
{
    (void)state;
    cluster = pg_cluster_start(NULL);
    (void)pg_cluster_database(cluster, "bounds");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_cluster_stop(cluster);
    return 0;
}

/* ---- what is foretold ---- */

static const PgQuery__Node *parse(struct arena *a, struct str sql)
{
    struct parse_tree tree;
    parse_statement_kept(a, str_of(arena_cstr(a, sql)), &tree);
    if (!tree.node)
        fail_msg("not parsed: %.*s: %s", STR_ARG(sql), tree.message);
    return tree.node;
}

static void fold(struct arena *a, struct catalog *c, const PgQuery__Node *node)
{
    struct effects effects = {0};
    struct deed d = {.a = a,
                     .catalog = c,
                     .major = c->server_version / 10000,
                     .node = node,
                     .effects = &effects,
                     .old_relations = c->relations.count};
    effects_fold(&d);
}

/* "partition is read, default partition is read": "tf". */
static const char *foretell(struct arena *a, struct catalog *c, const PgQuery__Node *attach)
{
    const PgQuery__AlterTableStmt *s = attach->alter_table_stmt;
    const PgQuery__PartitionCmd *cmd = s->cmds[0]->alter_table_cmd->def->partition_cmd;
    struct catalog_relation *parent =
        catalog_find_relation(c, STR(""), str_of(s->relation->relname));
    struct catalog_relation *child = catalog_find_relation(c, STR(""), str_of(cmd->name->relname));
    struct catalog_relation *rest = catalog_default_partition(parent);
    assert_non_null(child);
    bool is_read = !constraints_prove_bound(c, child, parent, cmd->bound);
    bool is_rest_read = rest && !constraints_exclude_bound(c, rest, parent, cmd->bound);
    return arena_printf(a, "%s%s", is_read ? "t" : "f", is_rest_read ? "t" : "f");
}

/* Statements in one line, told apart by "; ". */
static const char *foretell_line(struct arena *a, struct str line)
{
    struct catalog *c = catalog_make(a);
    c->server_version = (uint32_t)pg_cluster_version(cluster);
    catalog_add_schema(c, STR("public"));
    while (true) {
        size_t end = str_find(line, STR("; "));
        if (end == SIZE_MAX)
            return foretell(a, c, parse(a, line));
        fold(a, c, parse(a, (struct str){line.at, end}));
        line = str_skip(line, end + 2);
    }
}

/* How many times q and r have been read in full in this transaction. */
#define SCANS(name) "coalesce(pg_stat_get_xact_numscans(to_regclass('" name "')), 0)"

static const char *see_line(struct str line)
{
    size_t last = 0;
    for (size_t at = 0; at != SIZE_MAX; last += at) {
        at = str_find(str_skip(line, last), STR("; "));
        if (at == SIZE_MAX)
            break;
        at += 2;
    }
    return pg_cluster_query(
        cluster, "bounds",
        fixture_text(
            "BEGIN; SET client_min_messages = error; %.*s"
            "SELECT set_config('seen.q', " SCANS(
                "q") "::text, true),"
                     " set_config('seen.r', " SCANS(
                         "r") "::text, true); %.*s;"
                              "SELECT concat(" SCANS("q") " > "
                                                          "current_setting('seen.q')::int, " SCANS(
                                                              "r") " > "
                                                                   "current_setting('seen.r')::"
                                                                   "int)",
            (int)last, line.at, STR_ARG(str_skip(line, last))));
}

/* Whether it was foretold right; what the server refuses counts as nothing. */
static bool compare(struct str line, size_t *seen_count)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *seen = see_line(line);
    const char *foretold = foretell_line(a, line);
    if (strncmp(seen, "ERROR", 5) == 0)
        return true;
    *seen_count += 1;
    if (strcmp(seen, foretold) == 0)
        return true;
    print_error("foretold %s, seen %s: %.*s\n", foretold, seen, STR_ARG(line));
    return false;
}

static void attaching_reads_what_is_not_proven(void **state)
{
    (void)state;
    struct str lines = str_of(fixture_read("testdata/types/bounds.txt"));
    size_t count = 0;
    size_t seen = 0;
    size_t wrong = 0;
    while (lines.len) {
        struct str line;
        lines = str_cut_line(lines, &line);
        wrong += !compare(line, &seen);
        count++;
    }
    print_message("%zu bounds, %zu foretold wrong\n", count, wrong);
    assert_int_equal(seen, count);
    assert_int_equal(wrong, 0);
}

/* ---- by chance ---- */

static uint64_t chance_state = 7;

static size_t chance(size_t below)
{
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(chance_state >> 33) % below;
}

struct key_type {
    const char *type;
    const char *values[5]; /* in order */
};
static const struct key_type key_types[] = {
    {"int", {"1", "5", "10", "20", "-3"}},
    {"bigint", {"'1'", "5", "10::bigint", "20", "30"}},
    {"numeric(10, 2)", {"1", "5.5", "10.00", "20", "30"}},
    {"date", {"'2024-01-01'", "'2024-02-01'", "DATE '2024-03-01'", "'2025-01-01'", "'infinity'"}},
    {"timestamp",
     {"'2024-01-01'", "'2024-01-01 12:00'", "'2024-03-01'::date", "'2025-01-01'", "'2026-01-01'"}},
    {"timestamptz",
     {"'2024-01-01'", "'2024-02-01 00:00'", "'2024-03-01'::timestamptz", "'2025-01-01'",
      "'infinity'"}},
    {"text COLLATE \"C\"", {"'a'", "'b'", "'c'", "'d'", "'e'"}},
    {"varchar", {"'2020'", "'2021'", "'2022'::text", "'2023'::varchar", "'2024'"}},
};

static const char *value(const struct key_type *t)
{
    return t->values[chance(ARRAY_LEN(t->values))];
}

static void add_condition(struct buf *out, const struct key_type *t, const char *column, int depth)
{
    static const char *const operators[] = {"<", "<=", "=", ">=", ">", "<>"};
    switch (chance(depth > 0 ? 9 : 6)) {
    case 0:
    case 1:
        buf_printf(out, "%s %s %s", column, operators[chance(6)], value(t));
        return;
    case 2:
        buf_printf(out, "%s %s (%s, %s)", column, chance(3) ? "IN" : "NOT IN", value(t), value(t));
        return;
    case 3:
        buf_printf(out, "%s %s %s AND %s", column, chance(3) ? "BETWEEN" : "NOT BETWEEN", value(t),
                   value(t));
        return;
    case 4:
        buf_printf(out, "%s IS NOT NULL", column);
        return;
    case 5:
        buf_printf(out, "%s %s %s", value(t), operators[chance(6)], column);
        return;
    default:
        break;
    }
    buf_add_cstr(out, chance(6) ? "(" : "NOT (");
    add_condition(out, t, column, depth - 1);
    buf_add_cstr(out, chance(3) ? ") AND (" : ") OR (");
    add_condition(out, t, column, depth - 1);
    buf_add_cstr(out, ")");
}

static void add_bound(struct buf *out, const struct key_type *t, bool is_list)
{
    if (is_list)
        buf_printf(out, chance(2) ? "IN (%s, %s)" : "IN (%s)", value(t), value(t));
    else
        buf_printf(out, "FROM (%s) TO (%s)", chance(6) ? value(t) : "MINVALUE",
                   chance(6) ? value(t) : "MAXVALUE");
}

/* Two columns, which conditions mix. */
static const struct key_type pairs[] = {{"a", {"1", "2", "3", "4", "5"}}};

static void add_pair_condition(struct buf *out, int depth)
{
    if (depth == 0 || chance(3) == 0) {
        add_condition(out, &pairs[0], chance(2) ? "a" : "b", 0);
        return;
    }
    buf_add_cstr(out, "(");
    add_pair_condition(out, depth - 1);
    buf_add_cstr(out, chance(2) ? ") AND (" : ") OR (");
    add_pair_condition(out, depth - 1);
    buf_add_cstr(out, ")");
}

static void add_end(struct buf *out, const char *word)
{
    const struct key_type *t = &pairs[0];
    buf_printf(out, "%s (%s, %s)", word, value(t),
               chance(3)   ? value(t)
               : chance(2) ? "MINVALUE"
                           : "MAXVALUE");
}

static void make_pair_case(struct buf *out)
{
    buf_clear(out);
    buf_add_cstr(out, "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a, b); ");
    if (chance(2)) {
        buf_add_cstr(out, "CREATE TABLE r PARTITION OF p DEFAULT; ALTER TABLE r ADD CHECK (");
        add_pair_condition(out, 3);
        buf_add_cstr(out, "); ");
    }
    buf_add_cstr(out, "CREATE TABLE q (a int NOT NULL, b int NOT NULL, CHECK (");
    add_pair_condition(out, 3);
    buf_add_cstr(out, "), CHECK (");
    add_pair_condition(out, 1);
    buf_add_cstr(out, ")); ALTER TABLE p ATTACH PARTITION q FOR VALUES ");
    add_end(out, "FROM");
    add_end(out, " TO");
}

static void make_case(struct buf *out)
{
    const struct key_type *t = &key_types[chance(ARRAY_LEN(key_types))];
    bool is_list = chance(3) == 0;
    bool has_default = chance(3) == 0;
    buf_clear(out);
    buf_printf(out, "CREATE TABLE p (c %s) PARTITION BY %s (c); ", t->type,
               is_list ? "LIST" : "RANGE");
    if (has_default) {
        buf_add_cstr(out, "CREATE TABLE r PARTITION OF p DEFAULT; ALTER TABLE r ADD CHECK (");
        add_condition(out, t, "c", 2);
        buf_add_cstr(out, "); ");
    }
    buf_printf(out, "CREATE TABLE q (c %s%s CHECK (", t->type, chance(4) ? " NOT NULL" : "");
    add_condition(out, t, "c", 2);
    buf_add_cstr(out, ") CHECK (");
    add_condition(out, t, "q.c", 1);
    buf_add_cstr(out, ")); ALTER TABLE p ATTACH PARTITION q FOR VALUES ");
    add_bound(out, t, is_list);
}

static void and_so_do_conditions_made_by_chance(void **state)
{
    (void)state;
    size_t seen = 0;
    size_t wrong = 0;
    SCOPED(buf) struct buf line = {0};
    for (size_t i = 0; i < (getenv("ALL_PAIRS") ? 20000 : 600); i++) {
        if (i % 3)
            make_case(&line);
        else
            make_pair_case(&line);
        wrong += !compare(buf_str(&line), &seen);
    }
    print_message("%zu bounds by chance, %zu foretold wrong\n", seen, wrong);
    assert_true(seen > 200);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attaching_reads_what_is_not_proven),
        cmocka_unit_test(and_so_do_conditions_made_by_chance),
    };
    return cmocka_run_group_tests_name("planner/postgres/bound", tests, set_up, tear_down);
}
