/* libpg_query behind its adapter: depth, digests of trees, texts without literals. */
#include "planner/postgres/parse.h"

#include "core/base/buf.h"
#include "core/model/engine.h"
#include "planner/postgres/cut.h"
#include "planner/postgres/grammar_compat.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

/* ---- depth ---- */

/* A statement that nests: head, `each` repeated, core, `close` repeated. */
struct nest {
    const char *head, *each, *core, *close;
};

static const struct nest nests[] = {
    {"select ", "1+", "1", ""},
    {"select ", "'a'||", "'a'", ""},
    {"select ", "(", "1", ")"},
    {"select ", "(", "", ""},
    {"select ", "not ", "true", ""},
    {"select ", "- ", "1", ""},
    {"select 1", "::int", "", ""},
    {"select a", "[1]", "", ""},
    {"select a", ".b", "", ""},
    {"select ", "(select ", "1", ")"},
    {"", "select * from (", "select 1", ") x"},
    {"", "select 1 union ", "select 1", ""},
    {"select * from ", "a cross join ", "b", ""},
    {"select ", "a and ", "a", ""},
    {"select ", "a or not a and ", "a", ""},
    {"select ", "f(", "1", ")"},
    {"select array", "[", "1", "]"},
    {"select ", "case when ", "a", " then 1 end"},
    {"select ", "a between 1 and ", "2", ""},
    {"select ", "a collate \"C\" || ", "a", ""},
    {"select (1,", "2,", "3", ")"},
    {"insert into t values (1)", ", (2)", "", ""},
};

/* As long as a statement may be for the parser, or with as many levels as given. */
static void build(struct buf *out, const struct nest *n, size_t size, size_t levels)
{
    size_t unit = strlen(n->each) + strlen(n->close);
    size_t most = (size - strlen(n->head) - strlen(n->core)) / unit;
    size_t count = levels && levels < most ? levels : most;
    buf_add_cstr(out, n->head);
    for (size_t i = 0; i < count; i++)
        buf_add_cstr(out, n->each);
    buf_add_cstr(out, n->core);
    for (size_t i = 0; i < count; i++)
        buf_add_cstr(out, n->close);
}

static void *cut_nests(void *result)
{
    bool *is_ok = result;
    /* The levels step over PARSE_MAX_DEPTH tokens whatever a unit has of them. */
    static const size_t levels[] = {100, 2000, 4990, 9990, 19990, 0};
    for (size_t i = 0; i < ARRAY_LEN(nests) * ARRAY_LEN(levels); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(buf) struct buf sql = {0};
        build(&sql, &nests[i / ARRAY_LEN(levels)], LIMIT_PARSE_BYTES,
              levels[i % ARRAY_LEN(levels)]);
        struct digest_stream *tree = digest_start();
        struct cut_request request = {.window = buf_str(&sql),
                                      .is_end = true,
                                      .line = 1,
                                      .column = 1,
                                      .wants_analysis = true,
                                      .tree = tree};
        struct cut_result out;
        SCOPED(fail) struct fail f = FAIL_NONE;
        *is_ok &= postgres_dialect.cut(a, &request, &out, &f) && out.statements.count == 1;
        digest_abandon(tree);
    }
    return NULL;
}

static void any_nesting_survives_in_the_stack_that_is_asked_for(void **state)
{
    (void)state;
    pthread_attr_t attributes;
    pthread_t thread;
    bool is_ok = true;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, cut_nests, &is_ok), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(is_ok);
}

static size_t depth_of(const char *sql)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(tokens) struct tokens t;
    parse_scan(a, str_of(sql), &t);
    assert_int_equal(t.error_at, SIZE_MAX);
    return parse_depth(t.at, t.count);
}

static void depth_counts_chains_and_parentheses_but_not_lists(void **state)
{
    (void)state;
    assert_int_equal(depth_of("select 1"), 2);
    assert_int_equal(depth_of("select 1,2,3,4,5,6"), 2);
    assert_int_equal(depth_of("1+1+1+1"), 7);
    assert_true(depth_of("select ((((1))))") >= 5);
    assert_true(depth_of("insert into t values (1,2),(3,4),(5,6),(7,8),(9,10)") < 10);
    assert_int_equal(depth_of("select 1 /* a b c */ -- d\n"), 2);
}

static const char *const scanned[] = {
    "select 'a', $tag$ x $ y $tag$, $$ $$, E'\\'', U&'\\0061' uescape '!', b'1', x'ff', 'é' \"ü\" "
    "from t; -- end",
    "select 'a'\n  'b'\n 'c' , 1..2, 1.5e3 :: int, a->>'x', a||b /* c /* d */ e */ , $1 <= :x -- "
    "é\n;",
    "create function f() returns int as $body$ begin ; 'x' end $body$ language plpgsql; select "
    "1_000, 0x1F",
};

static void chunks_make_no_difference_to_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scanned); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(tokens) struct tokens whole;
        parse_scan(a, str_of(scanned[i]), &whole);
        assert_int_equal(whole.error_at, SIZE_MAX);
        for (size_t size = 1; size < strlen(scanned[i]) + 2; size++) {
            SCOPED(tokens) struct tokens parts;
            parse_scan_in_chunks(a, str_of(scanned[i]), size, &parts);
            assert_int_equal(parts.error_at, SIZE_MAX);
            if (parts.count != whole.count)
                fail_msg("chunks of %zu: %s", size, scanned[i]);
            for (size_t j = 0; j < whole.count; j++) {
                assert_int_equal(parts.at[j].kind, whole.at[j].kind);
                if (parts.at[j].from != whole.at[j].from)
                    fail_msg("chunks of %zu, token %zu: %s", size, j, scanned[i]);
            }
        }
    }
}

/* ---- digests ---- */

static struct digest digest_of_sql(const char *sql, bool *out_is_whole)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct digest_stream *tree = digest_start();
    struct cut_request request = {.window = str_of(sql),
                                  .is_end = true,
                                  .line = 1,
                                  .column = 1,
                                  .wants_analysis = true,
                                  .tree = tree};
    struct cut_result out;
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_true(postgres_dialect.cut(a, &request, &out, &f));
    *out_is_whole = out.is_tree_whole;
    return digest_finish(tree);
}

struct digest_case {
    const char *one, *other;
    bool is_same;
};

static const struct digest_case digests[] = {
    {"create table t (a int, b text)", "CREATE  TABLE t\n(a INT, -- x\n b text);", true},
    {"select 1; select 2", "select 1;\n\n/* x */select 2;", true},
    {"select 1; select 2", "select 2; select 1", false},
    {"select 1", "select 2", false},
    {"select 1", "select 1; select 1", false},
    {"select 'a'", "select $$a$$", true},
    {"select \"A\"", "select a", false},
    {"select true", "select false", false},
    {"select null", "select 0", false},
    {"select 1 from a, b", "select 1 from b, a", false},
    {"alter table t add a int", "alter table t add b int", false},
    {"drop table t", "drop table t cascade", false},
    {"create tablespace t location '/a'", "create tablespace t location '/b'", false},
    {"insert into t values (0)", "insert into t values ('')", false},
    {"insert into t (a) values (1)", "insert into t values (1)", false},
    {"select a as b", "select a b", true},
    {"select 12.50", "select 12.5", false},
};

static void trees_are_the_same_when_only_blanks_and_comments_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        bool is_whole[2];
        struct digest one = digest_of_sql(digests[i].one, &is_whole[0]);
        struct digest other = digest_of_sql(digests[i].other, &is_whole[1]);
        assert_true(is_whole[0] && is_whole[1]);
        if (digest_equal(&one, &other) != digests[i].is_same)
            fail_msg("%s | %s", digests[i].one, digests[i].other);
    }
    bool is_whole;
    (void)digest_of_sql("select 1; selec 2", &is_whole);
    assert_false(is_whole);
}

/* ---- limits ---- */

static void a_statement_just_over_the_limit_is_not_parsed(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(buf) struct buf sql = {0};
        buf_add_cstr(&sql, "insert into t values ('");
        while (sql.len < LIMIT_PARSE_BYTES - 2 + over)
            buf_add_char(&sql, 'x');
        buf_add_cstr(&sql, "')");
        struct cut_request request = {
            .window = buf_str(&sql), .is_end = true, .line = 1, .column = 1};
        struct cut_result out;
        SCOPED(fail) struct fail f = FAIL_NONE;
        assert_true(postgres_dialect.cut(a, &request, &out, &f));
        assert_int_equal(out.statements.at[0].is_analysed, over == 0);
        assert_string_equal(out.statements.at[0].kind, "INSERT");
        assert_int_equal(out.statements.at[0].text.len, LIMIT_PARSE_BYTES + over);
    }
}

static void the_version_is_that_of_the_grammar(void **state)
{
    (void)state;
    const char *version = postgres_parser_version(false);
    if (strncmp(version, GRAMMAR_VERSION_TEXT ".", strlen(GRAMMAR_VERSION_TEXT) + 1) != 0)
        fail_msg("%s is not of " GRAMMAR_VERSION_TEXT, version);
    /* What it is called is what it reads: JSON_TABLE came with 17. */
    SCOPED(arena) struct arena *a = arena_make();
    struct parse_tree tree;
    parse_statement_kept(
        a, STR("SELECT * FROM JSON_TABLE(js, '$[*]' COLUMNS (n integer PATH '$.n'))"), &tree);
    assert_int_equal(tree.node != NULL, PG_VERSION_NUM >= 170000);
    assert_non_null(postgres_parser_version(true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_nesting_survives_in_the_stack_that_is_asked_for),
        cmocka_unit_test(depth_counts_chains_and_parentheses_but_not_lists),
        cmocka_unit_test(chunks_make_no_difference_to_tokens),
        cmocka_unit_test(trees_are_the_same_when_only_blanks_and_comments_differ),
        cmocka_unit_test(a_statement_just_over_the_limit_is_not_parsed),
        cmocka_unit_test(the_version_is_that_of_the_grammar),
    };
    return cmocka_run_group_tests_name("planner/postgres/parse", tests, NULL, NULL);
}
