/*
 * Volatility of expressions: whether adding a column with such a default rewrites the table, as foretold
 * and as a server does it, for each line of testdata/types/defaults.txt. PG_BIN picks another version of
 * the server; what that version does not know is left out.
 */
#include "planner/postgres/types.h"

#include "core/base/buf.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct pg_cluster *cluster;
static struct arena *memory;
static struct catalog *catalog;

static const PgQuery__Node *parse(const char *sql)
{
    struct parse_tree tree;
    parse_statement_kept(memory, str_of(sql), &tree);
    if (!tree.node)
        fail_msg("not parsed: %s: %s", sql, tree.message);
    return tree.node;
}

static const PgQuery__Node *parse_expression(const char *text)
{
    const PgQuery__Node *node = parse(fixture_text("SELECT %s", text));
    return node->select_stmt->target_list[0]->res_target->val;
}

/* ---- functions of testdata/types/functions.sql ---- */

static void add_option(struct catalog_function *f, const PgQuery__DefElem *option)
{
    const char *name = option->defname;
    if (strcmp(name, "as") == 0)
        f->body = str_of(option->arg->list->items[0]->string->sval);
    else if (strcmp(name, "language") == 0)
        f->language = str_of(option->arg->string->sval);
    else if (strcmp(name, "volatility") == 0)
        f->volatility = option->arg->string->sval[0];
    else if (strcmp(name, "strict") == 0)
        f->is_strict = true;
    else if (strcmp(name, "security") == 0)
        f->is_security_definer = true;
    else if (strcmp(name, "set") == 0)
        f->has_settings = true;
}

static void add_function(const char *sql)
{
    const PgQuery__Node *node = parse(sql);
    const PgQuery__CreateFunctionStmt *s = node->create_function_stmt;
    struct catalog_function *f =
        catalog_add_function(catalog, STR("public"), str_of(s->funcname[0]->string->sval));
    f->tree = s;
    f->volatility = 'v';
    f->result = type_resolve(catalog, s->return_type, NULL);
    for (size_t i = 0; i < s->n_parameters; i++) {
        const PgQuery__FunctionParameter *p = s->parameters[i]->function_parameter;
        vec_push(memory, &f->arguments, type_resolve(catalog, p->arg_type, NULL));
        vec_push(memory, &f->argument_names, str_of(p->name));
        f->default_count += p->defexpr != NULL;
    }
    for (size_t i = 0; i < s->n_options; i++)
        add_option(f, s->options[i]->def_elem);
}

static const char *const setup =
    "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION \"uuid-ossp\";"
    "CREATE EXTENSION pgcrypto; CREATE SEQUENCE counter; SELECT nextval('counter');"
    "CREATE TABLE probe (a int); INSERT INTO probe VALUES (1)";

static int set_up(void **state)
{
    (void)state;
    memory = arena_make();
    catalog = catalog_make(memory);
    cluster = pg_cluster_start(NULL);
    catalog->server_version = (uint32_t)pg_cluster_version(cluster);
    (void)pg_cluster_database(cluster, "defaults");
    pg_cluster_execute(cluster, "defaults", setup);
    struct str lines = str_of(fixture_read("testdata/types/functions.sql"));
    while (lines.len) {
        struct str line;
        lines = str_cut_line(lines, &line);
        pg_cluster_execute(cluster, "defaults", arena_cstr(memory, line));
        add_function(arena_cstr(memory, line));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_cluster_stop(cluster);
    arena_release(memory);
    return 0;
}

/* Whether the server rewrites: "t", "f", or an error. */
static const char *see(const char *type, const char *expression)
{
    const char *before =
        pg_cluster_query(cluster, "defaults", "SELECT pg_relation_filenode('probe')");
    return pg_cluster_query(cluster, "defaults",
                            fixture_text("BEGIN; ALTER TABLE probe ADD COLUMN c %s DEFAULT (%s);"
                                         "SELECT pg_relation_filenode('probe') <> %s",
                                         type, expression, before));
}

static void a_default_rewrites_when_it_is_volatile(void **state)
{
    (void)state;
    struct str lines = str_of(fixture_read("testdata/types/defaults.txt"));
    size_t count = 0;
    size_t left_out = 0;
    size_t wrong = 0;
    while (lines.len) {
        struct str line;
        struct str type;
        lines = str_cut_line(lines, &line);
        const char *expression = arena_cstr(memory, str_cut(line, '|', &type));
        const char *seen = see(arena_cstr(memory, type), expression);
        enum volatility v = expression_volatility(catalog, parse_expression(expression));
        count++;
        if (strncmp(seen, "ERROR", 5) == 0) {
            print_message("left out: %s: %s\n", expression, seen);
            left_out++;
        } else if (v == VOLATILITY_UNKNOWN || (v == VOLATILITY_VOLATILE) != (seen[0] == 't')) {
            print_error("%s: foretold %d, the server says %s\n", expression, (int)v, seen);
            wrong++;
        }
    }
    print_message("%zu defaults, %zu left out, %zu foretold wrong\n", count, left_out, wrong);
    assert_true(count > 150 && left_out < count / 10);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_default_rewrites_when_it_is_volatile),
    };
    return cmocka_run_group_tests_name("planner/postgres/volatility", tests, set_up, tear_down);
}
