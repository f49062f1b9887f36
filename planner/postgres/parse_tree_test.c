/* A tree that is taken from the library says what its packed bytes say. */
#include "planner/postgres/parse_tree.h"

#include "planner/postgres/parse.h"

#include <pg_query.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const statements[] = {
    "SELECT 1",
    "SELECT a.*, count(*) FILTER (WHERE b > 1.5) OVER w, 'x', NULL, true FROM s.t a JOIN u USING "
    "(k) WHERE x IN (1, 2)"
    " WINDOW w AS (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "CREATE TABLE t (a int PRIMARY KEY, b text[] DEFAULT '{}', c numeric(3, 1) CHECK (c > 0),"
    " FOREIGN KEY (a) REFERENCES u (b) ON DELETE SET NULL (a)) PARTITION BY RANGE (a)",
    "ALTER TABLE ONLY s.t ADD COLUMN x int, DROP COLUMN y CASCADE, ALTER z TYPE bigint USING "
    "z::bigint",
    "CREATE FUNCTION f(a int DEFAULT 1) RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC SELECT a; "
    "SELECT 2; END",
    "INSERT INTO t VALUES (1, DEFAULT) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *",
    "GRANT SELECT (a, b) ON t TO PUBLIC",
    "COPY t FROM STDIN WITH (FORMAT csv, HEADER)",
    "DO $$ BEGIN NULL; END $$",
};

static uint8_t *pack(const PgQuery__ParseResult *root, size_t *out_size)
{
    *out_size = protobuf_c_message_get_packed_size(&root->base);
    uint8_t *bytes = malloc(*out_size + 1);
    assert_non_null(bytes);
    assert_int_equal(protobuf_c_message_pack(&root->base, bytes), *out_size);
    return bytes;
}

static void a_taken_tree_packs_to_the_bytes_of_the_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        PgQueryProtobufParseResult result = pg_query_parse_protobuf(statements[i]);
        assert_null(result.error);
        assert_true(result.parse_tree.len > 0); /* nobody was taking */
        const PgQuery__ParseResult *root = parse_script_kept(a, str_of(statements[i]));
        assert_non_null(root);
        size_t size;
        uint8_t *bytes = pack(root, &size);
        assert_int_equal(size, result.parse_tree.len);
        assert_memory_equal(bytes, result.parse_tree.data, size);
        free(bytes);
        pg_query_free_protobuf_parse_result(result);
    }
}

/* Otherwise planning takes twice as long, and nobody would notice. */
static void the_library_asks_our_functions(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    parse_taking_begin(a);
    PgQueryProtobufParseResult result = pg_query_parse_protobuf("SELECT 1");
    const PgQuery__ParseResult *taken = parse_taking_end();
    assert_non_null(taken);
    assert_int_equal(taken->n_stmts, 1);
    assert_int_equal(result.parse_tree.len, 0);
    pg_query_free_protobuf_parse_result(result);
}

static void nothing_is_taken_of_a_text_with_an_error(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct parse_tree tree;
    parse_statement_kept(a, STR("SELEC 1"), &tree);
    assert_null(tree.node);
    assert_non_null(tree.message);
    assert_int_equal(tree.error_at, 0);
    parse_statement_kept(a, STR("SELECT 1; SELECT 2"), &tree);
    assert_null(tree.node);
    assert_non_null(tree.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_tree_packs_to_the_bytes_of_the_library),
        cmocka_unit_test(the_library_asks_our_functions),
        cmocka_unit_test(nothing_is_taken_of_a_text_with_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
