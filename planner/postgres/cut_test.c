/* Cutting PostgreSQL's SQL: what ends a statement, what does not, and that windows make no difference. */
#include "planner/postgres/cut.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/text.h"
#include "core/base/vec.h"

#include <pg_query.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define CORPORA "../shared/corpora"

/* Cuts a window; prints and fails the test where the cut fails although it must not. */
static struct cut_result cut(struct arena *a, const char *sql, size_t len, bool is_end)
{
    struct cut_request request = {.window = {arena_cstr(a, (struct str){sql, len}), len},
                                  .is_end = is_end,
                                  .line = 1,
                                  .column = 1,
                                  .path = STR("test.sql"),
                                  .wants_analysis = true};
    struct cut_result out;
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (!postgres_dialect.cut(a, &request, &out, &f))
        fail_msg("%s: line %u column %u: %s", sql, f.line, f.column, f.message);
    return out;
}

struct cut_case {
    const char *sql;
    const char *expected; /* texts of the statements, with | between them */
};

static const struct cut_case cases[] = {
    {"", ""},
    {" \n\t", ""},
    {"-- nothing\n/* at /* all */ */", ""},
    {";;; ;", ""},
    {"select 1", "select 1"},
    {"select 1;", "select 1"},
    {"select 1;select 2", "select 1|select 2"},
    {"select 1;\r\nselect 2;\r\n", "select 1|select 2"},
    {"-- a; b\nselect 1 /* ; */ -- ;\n;\nselect 2", "select 1|select 2"},
    {"/* x */ select 1 -- behind", "select 1"},
    {"select ';', \";\", $$;$$, $a$;$$;$a$, E'\\';', 'a'';';select 2",
     "select ';', \";\", $$;$$, $a$;$$;$a$, E'\\';', 'a'';'|select 2"},
    {"select 'a'\n  ';b'; select 2", "select 'a'\n  ';b'|select 2"},
    {"select U&'d\\0061t' uescape '!'; select U&'a'; select 3",
     "select U&'d\\0061t' uescape '!'|select U&'a'|select 3"},
    {"create rule r as on insert to t do also (select 1; select 2); select 3",
     "create rule r as on insert to t do also (select 1; select 2)|select 3"},
    {"create function f() returns int begin atomic select 1; select case when true then 2 end; "
     "end; "
     "select 3",
     "create function f() returns int begin atomic select 1; select case when true then 2 end; end|"
     "select 3"},
    {"create or replace procedure p() language sql begin atomic insert into t values (1); end; "
     "select 3",
     "create or replace procedure p() language sql begin atomic insert into t values (1); "
     "end|select 3"},
    {"create function f() returns int language sql begin atomic select t.end, 1 as end from t; "
     "end; "
     "begin; select 4; end;",
     "create function f() returns int language sql begin atomic select t.end, 1 as end from t; end|"
     "begin|select 4|end"},
    {"begin; select case when a then b end; commit; select 1",
     "begin|select case when a then b end|commit|select 1"},
    {"create function begin() returns int as $$ begin; end; $$ language plpgsql; select 1",
     "create function begin() returns int as $$ begin; end; $$ language plpgsql|select 1"},
    {"select 1); select 2", "select 1)|select 2"},
    {"select 1; SELEC 2; select 3", "select 1|SELEC 2|select 3"},
    {"select 1_000, 0x1F, 0b1, 0o7, x_1_2, $t_1$;$t_1$; select 2",
     "select 1_000, 0x1F, 0b1, 0o7, x_1_2, $t_1$;$t_1$|select 2"},
    {"select :'x', :y; select 2", "select :'x', :y|select 2"},
    {"\\restrict abc123\nselect 1;\n\\unrestrict abc123\n", "select 1"},
    {"select 1;\n\\unrestrict abc123", "select 1"},
    {"select 'é;ü' as \"ß;\"; select 2", "select 'é;ü' as \"ß;\"|select 2"},
};

static void joined(struct buf *out, const struct statements *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_add_char(out, '|');
        buf_add_str(out, list->at[i].text);
    }
}

static void statements_end_at_their_semicolons(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(buf) struct buf got = {0};
        struct cut_result r = cut(a, cases[i].sql, strlen(cases[i].sql), true);
        joined(&got, &r.statements);
        assert_string_equal(buf_cstr(&got), cases[i].expected);
        assert_int_equal(r.stop, CUT_AT_END);
        assert_int_equal(r.consumed_bytes, strlen(cases[i].sql));
    }
}

/* Feeds a text in windows that grow by `step`, as core/model/script.c does. */
static void cut_in_windows(struct arena *a, const char *sql, size_t step, struct statements *all)
{
    size_t len = strlen(sql);
    size_t from = 0;
    size_t to = step < len ? step : len;
    for (;;) {
        struct cut_result r = cut(a, sql + from, to - from, to == len);
        for (size_t i = 0; i < r.statements.count; i++)
            vec_push(a, all, r.statements.at[i]);
        from += r.consumed_bytes;
        if (r.stop != CUT_NEEDS_MORE)
            return;
        if (to == len && !r.consumed_bytes)
            fail_msg("no progress in: %s", sql);
        to = to + step < len ? to + step : len;
    }
}

static void windows_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step < strlen(cases[i].sql); step++) {
            bool is_character = ((unsigned char)cases[i].sql[step] & 0xC0) != 0x80;
            if (!is_character || strstr(cases[i].sql, "é"))
                continue; /* windows end between characters; script.c sees to that */
            SCOPED(arena) struct arena *a = arena_make();
            SCOPED(buf) struct buf got = {0};
            struct statements all = {0};
            cut_in_windows(a, cases[i].sql, step, &all);
            joined(&got, &all);
            if (strcmp(buf_cstr(&got), cases[i].expected) != 0)
                fail_msg("step %zu of %s: %s", step, cases[i].sql, buf_cstr(&got));
        }
    }
}

static void lines_and_columns_are_those_of_the_first_token(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    const char *sql = "-- x\n  select 1;\n/* ü */ select\n 2;select 3";
    struct cut_result r = cut(a, sql, strlen(sql), true);
    assert_int_equal(r.statements.count, 3);
    const uint32_t expected[3][2] = {{2, 3}, {3, 9}, {4, 4}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(r.statements.at[i].line, expected[i][0]);
        assert_int_equal(r.statements.at[i].column, expected[i][1]);
        assert_memory_equal(sql + r.statements.at[i].offset_bytes, "select", 6);
    }
}

/* pg_dump's keys are letters and digits in any order; the lexer takes 1a for a broken number. */
static void keys_of_psql_may_begin_with_digits(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf got = {0};
    const char *sql = "\\restrict 1aB2\nselect 1;\n\\unrestrict 1aB2\nselect 2;";
    struct statements all = {0};
    cut_in_windows(a, sql, strlen(sql), &all);
    joined(&got, &all);
    assert_string_equal(buf_cstr(&got), "select 1|select 2");
}

static void copy_stops_where_its_data_begin(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    static const char *const copies[] = {
        "select 1; copy t (a, b) from stdin; -- data\n",
        "select 1; COPY public.t FROM STDIN WITH (FORMAT text);\n",
        "select 1; copy t from stdin reject limit 3; \r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        char *sql = arena_printf(a, "%s1\tit's (\n\\.\nselect 2;", copies[i]);
        struct cut_result r = cut(a, sql, strlen(sql), true);
        assert_int_equal(r.stop, CUT_AT_COPY);
        assert_int_equal(r.statements.count, 2);
        assert_true(r.statements.at[1].is_copy_from_stdin);
        assert_int_equal(r.consumed_bytes, strlen(copies[i]));
        assert_int_equal(r.statements.at[1].is_analysed, i < 2);
        /* The line of the semicolon is not whole yet: nothing of the COPY is given. */
        r = cut(a, copies[i], strlen(copies[i]) - 1, false);
        assert_int_equal(r.stop, CUT_NEEDS_MORE);
        assert_int_equal(r.statements.count, 1);
    }
    const char *other = "copy t from 'file.csv'; copy (select 1) to 'x'; select 'from stdin';";
    assert_int_equal(cut(a, other, strlen(other), true).stop, CUT_AT_END);
}

/* Data of one COPY after another must not be read as SQL again and again. */
static void many_small_copies_are_cut_in_linear_time(void **state)
{
    (void)state;
    SCOPED(buf) struct buf sql = {0};
    enum { COPIES = 3000 };
    for (int i = 0; i < COPIES; i++)
        buf_printf(&sql, "COPY t%d FROM stdin;\n1\tit's ( \"x\n2\t$$\n\\.\n", i);
    SCOPED(arena) struct arena *a = arena_make();
    struct str rest = buf_str(&sql);
    int seen = 0;
    while (rest.len) {
        struct arena_mark mark = arena_mark(a);
        struct cut_request request = {.window = rest, .is_end = true, .line = 1, .column = 1};
        struct cut_result out;
        SCOPED(fail) struct fail f = FAIL_NONE;
        assert_true(postgres_dialect.cut(a, &request, &out, &f));
        if (out.stop == CUT_AT_END)
            break;
        seen++;
        rest = str_skip(rest, out.consumed_bytes);
        rest = str_skip(rest, str_find(rest, STR("\n\\.\n")) + 4);
        arena_reset(a, mark);
    }
    assert_int_equal(seen, COPIES);
}

struct failure_case {
    const char *sql;
    const char *message; /* a part of it */
    uint32_t line, column;
};

static const struct failure_case failures[] = {
    {"select 1;\nselect 'abc; select 2", "unterminated quoted string", 2, 8},
    {"select\n  \"abc; select 2", "unterminated quoted identifier", 2, 3},
    {"select 'é', $x$ abc $y$", "unterminated dollar-quoted string", 1, 13},
    {"select 1; /* abc /* */", "unterminated /* comment", 1, 11},
    {"select 1;\n  select E'ab\\xff';", "invalid byte sequence", 2, 10},
    {"select 1;\n\\connect other\nselect 2;", "\"\\connect\" is a command of psql", 2, 1},
    {"\\i 'it is", "\"\\i\" is a command of psql", 1, 1},
    {"select 'x' \\gexec", "\"\\gexec\" is a command of psql", 1, 12},
    {"select 1;\n\\.\n", "\"\\.\" is a command of psql", 2, 1},
    {"\\set x 1\nselect 1;", "\"\\set\" is a command of psql", 1, 1},
    {"\\restrict 'x\nselect 1;", "\"\\restrict\" is a command of psql", 1, 1},
    {"copy t from stdin; select 1;\n1\n\\.\n", "text between COPY", 1, 20},
    {"select 1abc_;", "trailing junk", 1, 8},
};

/* What can be no SQL fails with its place, after the statements before it were given. */
static void what_is_no_sql_fails_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct cut_request request = {.window = str_of(failures[i].sql),
                                      .is_end = true,
                                      .line = 1,
                                      .column = 1,
                                      .path = STR("t.sql")};
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct cut_result out;
        while (postgres_dialect.cut(a, &request, &out, &f)) {
            if (out.stop != CUT_NEEDS_MORE || !out.consumed_bytes)
                fail_msg("did not fail: %s", failures[i].sql);
            struct text_place p = text_place_of(request.window, out.consumed_bytes);
            request.column = p.line == 1 ? request.column + p.column - 1 : p.column;
            request.line += p.line - 1;
            request.window = str_skip(request.window, out.consumed_bytes);
        }
        if (!strstr(f.message, failures[i].message) || f.line != failures[i].line ||
            f.column != failures[i].column)
            fail_msg("%s: %u:%u %s", failures[i].sql, f.line, f.column, f.message);
        assert_int_equal(f.code, EXIT_FAILED);
        assert_non_null(f.hint);
    }
}

/* Neither the line nor the words of the lexer are shown where they may hold a password. */
static void what_is_no_sql_is_not_quoted_near_passwords(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "create role r password 'geheim",       "create role r PassWord\n  'geheim",
        "alter role r password \"geheim",       "alter role r password geheim \\gexec",
        "alter role r password a\\geheim",      "alter role r passwd $a$geheim",
        "alter role r password E'geheim\\xff'", "\\set password geheim",
        "alter role r password 1geheim",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct cut_request request = {.window = str_of(texts[i]),
                                      .is_end = true,
                                      .line = 1,
                                      .column = 1,
                                      .path = STR("t.sql")};
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct cut_result out;
        if (postgres_dialect.cut(a, &request, &out, &f))
            fail_msg("did not fail: %s", texts[i]);
        if (strstr(f.message, "geheim") || strstr(f.hint, "geheim") || (f.excerpt && f.excerpt[0]))
            fail_msg("%s: %s: %s", texts[i], f.message, f.excerpt);
        assert_int_not_equal(f.line, 0);
    }
}

/* The caret belongs to the whole line, of which the window has the end only. */
static void a_line_whose_beginning_is_gone_is_not_quoted(void **state)
{
    (void)state;
    static const char *const texts[] = {" /* open", "\n /* open"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct cut_request request = {.window = str_of(texts[i]),
                                      .is_end = true,
                                      .line = 1,
                                      .column = 33,
                                      .path = STR("t.sql")};
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct cut_result out;
        assert_false(postgres_dialect.cut(a, &request, &out, &f));
        assert_int_equal(f.column, i == 0 ? 34 : 2);
        assert_string_equal(f.excerpt ? f.excerpt : "", i == 0 ? "" : " /* open");
    }
}

static void a_window_cut_within_a_quote_wants_more(void **state)
{
    (void)state;
    static const char *const windows[] = {
        "select 1; select 'ab", "select 1; select $$a;b",   "select 1; /* x",
        "select 1; select 1e",  "select 1; select E'\\u00", "select 1; select U&'\\00",
    };
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct cut_result r = cut(a, windows[i], strlen(windows[i]), false);
        assert_int_equal(r.stop, CUT_NEEDS_MORE);
        assert_int_equal(r.statements.count, 1);
        assert_int_equal(r.consumed_bytes, 9);
    }
}

/* ---- the parser as judge ---- */

/* Texts of libpg_query's own splitting, without blanks and comments around them: in a file that the
   parser takes whole, ours must be the same. */
static size_t check_against_parser(struct arena *a, const char *name, struct str sql)
{
    PgQuerySplitResult split = pg_query_split_with_parser(sql.at);
    if (split.error)
        fail_msg("%s: %s", name, split.error->message);
    struct cut_result r = cut(a, sql.at, sql.len, true);
    if ((int)r.statements.count != split.n_stmts)
        fail_msg("%s: %zu statements, the parser says %d", name, r.statements.count, split.n_stmts);
    for (size_t i = 0; i < r.statements.count; i++) {
        const struct statement *s = &r.statements.at[i];
        size_t from = (size_t)split.stmts[i]->stmt_location;
        size_t to = from + (size_t)split.stmts[i]->stmt_len;
        if (s->offset_bytes < from || s->offset_bytes + s->text.len > to)
            fail_msg("%s: statement %zu lies elsewhere: %.*s", name, i, STR_ARG(s->text));
        if (!s->is_analysed)
            fail_msg("%s: %s", name, s->not_analysed_reason);
    }
    pg_query_free_split_result(split);
    return r.statements.count;
}

static size_t check_corpus(const char *corpus)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str steps;
    char *path = arena_printf(a, CORPORA "/%s/steps.tsv", corpus);
    assert_true(fs_read(a, path, 1 << 20, &steps, &f));
    size_t count = 0;
    while (steps.len) {
        struct str line;
        steps = str_cut_line(steps, &line);
        struct str rest = line;
        struct str script = {0};
        for (int i = 0; i < 6; i++)
            rest = str_cut(rest, '\t', &script);
        if (!script.len)
            continue;
        struct str sql;
        char *file = arena_printf(a, CORPORA "/%s/%.*s", corpus, STR_ARG(script));
        assert_true(fs_read(a, file, 64 << 20, &sql, &f));
        if (str_starts(sql, STR("\xEF\xBB\xBF")))
            sql = str_skip(sql, 3);
        count += check_against_parser(a, file, sql);
    }
    return count;
}

static void real_histories_are_cut_as_the_parser_cuts_them(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t statements; /* n_statements of its MANIFEST.json */
    } corpora[] = {{"crates-io", 620},  {"docs-rs", 136}, {"homarr-pg", 97}, {"langfuse", 1117},
                   {"lydia-api", 1440}, {"measure", 394}, {"minder", 567},   {"ncps-pg", 82}};
    if (!fs_is_directory(CORPORA)) {
        printf("NOTICE: %s is not there\n", CORPORA);
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(corpora); i++) {
        size_t count = check_corpus(corpora[i].name);
        if (count != corpora[i].statements)
            fail_msg("%s: %zu statements, not %zu", corpora[i].name, count, corpora[i].statements);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_at_their_semicolons),
        cmocka_unit_test(windows_make_no_difference),
        cmocka_unit_test(lines_and_columns_are_those_of_the_first_token),
        cmocka_unit_test(keys_of_psql_may_begin_with_digits),
        cmocka_unit_test(copy_stops_where_its_data_begin),
        cmocka_unit_test(many_small_copies_are_cut_in_linear_time),
        cmocka_unit_test(what_is_no_sql_fails_with_its_place),
        cmocka_unit_test(what_is_no_sql_is_not_quoted_near_passwords),
        cmocka_unit_test(a_line_whose_beginning_is_gone_is_not_quoted),
        cmocka_unit_test(a_window_cut_within_a_quote_wants_more),
        cmocka_unit_test(real_histories_are_cut_as_the_parser_cuts_them),
    };
    return cmocka_run_group_tests_name("planner/postgres/cut", tests, NULL, NULL);
}
