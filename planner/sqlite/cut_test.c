/* Cutting SQLite's SQL, with SQLite itself as judge: of where statements end, and of what refuses a
   transaction. */
#include "planner/sqlite/cut.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "drivers/testkit/fixture.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define CORPORA "../shared/corpora"

static struct cut_result cut(struct arena *a, const char *sql, size_t len, bool is_end)
{
    struct cut_request request = {.window = {arena_cstr(a, (struct str){sql, len}), len},
                                  .is_end = is_end,
                                  .line = 1,
                                  .column = 1,
                                  .path = STR("test.sql"),
                                  .wants_analysis = true};
    struct cut_result out = {0};
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (!sqlite_dialect.cut(a, &request, &out, &f))
        fail_msg("%s: line %u column %u: %s", sql, f.line, f.column, f.message);
    return out;
}

static struct statement one(struct arena *a, const char *sql)
{
    struct cut_result r = cut(a, sql, strlen(sql), true);
    if (r.statements.count != 1)
        fail_msg("%s: %zu statements", sql, r.statements.count);
    return r.statements.at[0];
}

struct cut_case {
    const char *sql;
    const char *expected; /* texts of the statements, with | between them */
};

static const struct cut_case cases[] = {
    {"", ""},
    {" \n\t-- nothing\n/* at ; all */", ""},
    {";; ;", ""},
    {"select 1", "select 1"},
    {"select 1;\r\nselect 2 ;\r\n", "select 1|select 2"},
    {"select ';', \";\", `;`, [;], 'it''s;', \"a\"\";\", x'3b'; select 2",
     "select ';', \";\", `;`, [;], 'it''s;', \"a\"\";\", x'3b'|select 2"},
    {"-- a; b\nselect 1 /* ; */ -- ;\n;--> statement-breakpoint\nselect 2", "select 1|select 2"},
    {"select 1 /* a /* b */; select 2", "select 1|select 2"},
    {"create trigger t after insert on x begin insert into y values (';'); select case when 1 then "
     "2 end; "
     "end; select 2",
     "create trigger t after insert on x begin insert into y values (';'); select case when 1 then "
     "2 "
     "end; end|select 2"},
    {"CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; END;select 2",
     "CREATE TEMP TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; END|select 2"},
    {"create /* c */ trigger t after insert on x begin select 1; -- end;\n end ; select 2",
     "create /* c */ trigger t after insert on x begin select 1; -- end;\n end|select 2"},
    {"create trigger t after insert on x begin select 1;/* end; */\n--\n EnD /* c */\n;select 2",
     "create trigger t after insert on x begin select 1;/* end; */\n--\n EnD|select 2"},
    {"create trigger t after insert on x begin select 1 end_; select a end; end;select 2",
     "create trigger t after insert on x begin select 1 end_; select a end; end|select 2"},
    {"create trigger t after insert on x begin select 1; \"end\"; 'end'; end_; end;select 2",
     "create trigger t after insert on x begin select 1; \"end\"; 'end'; end_; end|select 2"},
    {"begin; select 1; end; select 2", "begin|select 1|end|select 2"},
    {"create table trigger1 (a); select 2", "create table trigger1 (a)|select 2"},
    {"select 'é;ü' as \"ß;\"; select 2", "select 'é;ü' as \"ß;\"|select 2"},
    {"select 1.5, 1e3, .5, a.b, @p, :q, $r, ?1, a||b, a->>'$.x'; select 2",
     "select 1.5, 1e3, .5, a.b, @p, :q, $r, ?1, a||b, a->>'$.x'|select 2"},
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
    }
}

static void windows_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases) * 40; i++) {
        const char *sql = cases[i / 40].sql;
        size_t step = 1 + i % 40;
        size_t len = strlen(sql);
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(buf) struct buf got = {0};
        struct statements all = {0};
        size_t from = 0;
        for (size_t to = step;; to += step) {
            to = to < len ? to : len;
            struct cut_result r = cut(a, sql + from, to - from, to == len);
            for (size_t j = 0; j < r.statements.count; j++)
                vec_push(a, &all, r.statements.at[j]);
            from += r.consumed_bytes;
            if (r.stop == CUT_AT_END)
                break;
        }
        joined(&got, &all);
        if (strcmp(buf_cstr(&got), cases[i / 40].expected) != 0)
            fail_msg("step %zu of %s: %s", step, sql, buf_cstr(&got));
    }
}

static void a_trigger_of_many_statements_is_cut_at_once(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf sql = {0};
    buf_add_cstr(&sql, "create trigger t after insert on x begin\n");
    for (int i = 0; i < 5000; i++)
        buf_printf(&sql, "insert into y values ('%0100d'); select case when 1 then 2 END;\n", i);
    size_t body = sql.len;
    buf_add_cstr(&sql, "end; select 2");
    int64_t from_us = fixture_work_us();
    struct cut_result r = cut(a, buf_cstr(&sql), sql.len, true);
    int64_t took_us = fixture_work_us() - from_us;
    print_message("a trigger of 10,000 statements: %lld us\n", (long long)took_us);
    assert_int_equal(r.statements.count, 2);
    assert_int_equal(r.statements.at[0].text.len, body + 3);
    assert_true(took_us < 500000);
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

struct failure_case {
    const char *sql;
    const char *message;
    uint32_t line, column;
};

static const struct failure_case failures[] = {
    {"select 1;\nselect 'abc; select 2", "the quote ' opened at line 2, column 8 is not closed", 2,
     8},
    {"select 1;\n select \"abc;\nselect 2;\n", "the quote \" opened at line 2, column 9", 2, 9},
    {"select 'it's'; select `x`", "the quote ' opened at line 1, column 13", 1, 13},
    {"select 1; select 'ü', `abc", "the quote ` opened at line 1, column 23", 1, 23},
    {"create trigger t after insert on a begin\n  select 'x; end;\n", "the quote '", 2, 10},
    {"select 1 /* abc; select 2", "the comment /* opened at line 1, column 10", 1, 10},
    {"select 1;\n\n\t/* a\n * b\n", "the comment /* opened at line 3, column 2", 3, 2},
    {"select [abc", "the bracket [ opened at line 1, column 8", 1, 8},
    {".tables\nselect 1;", "\".tables\" is a command of the sqlite3 shell", 1, 1},
    {"select 1;\n.mode csv\n", "\".mode\" is a command of the sqlite3 shell", 2, 1},
    {"select 1;\n  .read x.sql", "\".read\" is a command of the sqlite3 shell", 2, 3},
};

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
        struct cut_result out = {0};
        if (sqlite_dialect.cut(a, &request, &out, &f))
            fail_msg("did not fail: %s", failures[i].sql);
        if (!strstr(f.message, failures[i].message) || f.line != failures[i].line ||
            f.column != failures[i].column)
            fail_msg("%s: %u:%u %s", failures[i].sql, f.line, f.column, f.message);
        assert_int_equal(f.code, EXIT_FAILED);
        assert_non_null(f.hint);
        /* The whole line is shown, so that the caret stands right. */
        const char *shown = strstr(failures[i].sql, f.excerpt);
        assert_true(shown && (shown == failures[i].sql || shown[-1] == '\n'));
    }
}

/* A window that begins within a line: its place is known, its beginning is not there to be shown. */
static void a_line_without_its_beginning_is_not_shown(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct cut_request request = {.window = STR(" select 'x\n;"),
                                  .is_end = true,
                                  .line = 7,
                                  .column = 20,
                                  .path = STR("t.sql")};
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct cut_result out = {0};
    assert_false(sqlite_dialect.cut(a, &request, &out, &f));
    assert_int_equal(f.line, 7);
    assert_int_equal(f.column, 28);
    assert_null(f.excerpt);
}

/* ---- roles ---- */

struct role_case {
    const char *sql;
    const char *kind;
    enum transaction_role role;
    enum session_effect session;
};

static const struct role_case roles[] = {
    {"begin", "BEGIN", ROLE_BEGIN, SESSION_NONE},
    {"BEGIN IMMEDIATE TRANSACTION", "BEGIN", ROLE_BEGIN, SESSION_NONE},
    {"commit transaction", "COMMIT", ROLE_COMMIT, SESSION_NONE},
    {"end", "COMMIT", ROLE_COMMIT, SESSION_NONE},
    {"rollback", "ROLLBACK", ROLE_ROLLBACK, SESSION_NONE},
    {"rollback to s", "ROLLBACK", ROLE_ORDINARY, SESSION_NONE},
    {"rollback transaction to savepoint s", "ROLLBACK", ROLE_ORDINARY, SESSION_NONE},
    {"savepoint s", "SAVEPOINT", ROLE_ORDINARY, SESSION_NONE},
    {"release s", "RELEASE", ROLE_ORDINARY, SESSION_NONE},
    {"vacuum", "VACUUM", ROLE_ALONE, SESSION_NONE},
    {"vacuum into 'x'", "VACUUM", ROLE_ALONE, SESSION_NONE},
    {"pragma foreign_keys = off", "PRAGMA", ROLE_HOISTED, SESSION_SETS},
    {"PRAGMA foreign_keys=OFF", "PRAGMA", ROLE_HOISTED, SESSION_SETS},
    {"pragma main.foreign_keys = 0", "PRAGMA", ROLE_HOISTED, SESSION_SETS},
    {"pragma foreign_keys(1)", "PRAGMA", ROLE_HOISTED, SESSION_SETS},
    {"pragma \"foreign_keys\" = on", "PRAGMA", ROLE_HOISTED, SESSION_SETS},
    {"pragma foreign_keys", "PRAGMA", ROLE_ORDINARY, SESSION_NONE},
    {"pragma foreign_key_check", "PRAGMA", ROLE_ORDINARY, SESSION_NONE},
    {"pragma user_version = 3", "PRAGMA", ROLE_ORDINARY, SESSION_SETS},
    {"pragma journal_mode = wal", "PRAGMA", ROLE_ALONE, SESSION_SETS},
    {"pragma journal_mode", "PRAGMA", ROLE_ORDINARY, SESSION_NONE},
    {"pragma synchronous = normal", "PRAGMA", ROLE_ALONE, SESSION_SETS},
    {"pragma wal_checkpoint", "PRAGMA", ROLE_ALONE, SESSION_NONE},
    {"create temp table t (a)", "CREATE TABLE", ROLE_ORDINARY, SESSION_PERHAPS},
    {"create temporary view t as select 1", "CREATE VIEW", ROLE_ORDINARY, SESSION_PERHAPS},
    {"create table temp.t (a)", "CREATE TABLE", ROLE_ORDINARY, SESSION_PERHAPS},
    {"create unique index i on t (a)", "CREATE INDEX", ROLE_ORDINARY, SESSION_NONE},
    {"insert into t values (1)", "INSERT", ROLE_ORDINARY, SESSION_NONE},
    {"alter table t add a", "ALTER TABLE", ROLE_ORDINARY, SESSION_NONE},
};

static void roles_come_from_the_first_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct statement s = one(a, roles[i].sql);
        if (strcmp(s.kind, roles[i].kind) != 0 || s.role != roles[i].role ||
            s.session != roles[i].session)
            fail_msg("%s: \"%s\" role %d session %d", roles[i].sql, s.kind, s.role, s.session);
    }
}

static void what_cannot_run_twice_is_not_run_again(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool is_rerun;
    } table[] = {{"vacuum", true},
                 {"vacuum main", true},
                 {"pragma journal_mode = wal", true},
                 {"vacuum into 'x'", false},
                 {"VACUUM main INTO 'x'", false}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct statement s = one(a, table[i].sql);
        if ((s.probe && s.probe->kind == PROBE_RERUN) != table[i].is_rerun)
            fail_msg("%s", table[i].sql);
    }
}

static void the_foreign_key_pragma_says_which_way(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_on; /* as sqlite3GetBoolean() in pragma.c reads it */
    } values[] = {{"on", true},        {"yes", true},    {"true", true},   {"1", true},
                  {"'on'", true},      {"2", true},      {"\"ON\"", true}, {"off", false},
                  {"no", false},       {"false", false}, {"0", false},     {"'off'", false},
                  {"nonsense", false}, {"full", false},  {"extra", false}, {"-1", false},
                  {"0x0", false},      {"00", false},    {"0x2", true},    {"+1", true},
                  {"+0", false}};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        const char *sql = arena_printf(a, "pragma foreign_keys = %s", values[i].value);
        sqlite3 *db;
        assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
        (void)sqlite3_exec(
            db, values[i].is_on ? "pragma foreign_keys = off" : "pragma foreign_keys = on", NULL,
            NULL, NULL);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        int is_on = -1;
        assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &is_on), SQLITE_OK);
        sqlite3_close(db);
        if (is_on != values[i].is_on || one(a, sql).is_switched_on != values[i].is_on)
            fail_msg("%s: SQLite %d, ours %d", sql, is_on, one(a, sql).is_switched_on);
    }
}

/* In a transaction on a real file: refused, without effect, or taken. */
struct effect_case {
    const char *sql;
    const char *ask; /* a query whose answer the statement changes; NULL: it fails instead */
};

static const struct effect_case in_transaction[] = {
    {"vacuum", NULL},
    {"pragma journal_mode = wal", "pragma journal_mode"},
    {"pragma synchronous = off", NULL},
    {"pragma temp_store = memory", NULL},
    {"pragma wal_checkpoint", NULL},
    {"pragma foreign_keys = on", "pragma foreign_keys"},
    {"detach x", NULL},
};

static char *answer(struct arena *a, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    (void)sqlite3_step(s);
    const unsigned char *text = sqlite3_column_text(s, 0);
    char *copy = arena_printf(a, "%s", text ? (const char *)text : "");
    sqlite3_finalize(s);
    return copy;
}

static void what_stands_alone_does_not_work_in_a_transaction(void **state)
{
    (void)state;
    char path[] = "/tmp/migrate-cut-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_LEN(in_transaction); i++) {
        const struct effect_case *c = &in_transaction[i];
        SCOPED(arena) struct arena *a = arena_make();
        sqlite3 *db;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        const char *setup = "attach ':memory:' as x; create table x.t (a);"
                            "create table if not exists t (a); create temp table tt (a);"
                            "pragma foreign_keys = off; begin; insert into t values (1);"
                            "insert into tt values (1); insert into x.t values (1);";
        assert_int_equal(sqlite3_exec(db, setup, NULL, NULL, NULL), SQLITE_OK);
        const char *before = c->ask ? answer(a, db, c->ask) : NULL;
        int code = sqlite3_exec(db, c->sql, NULL, NULL, NULL);
        bool works = c->ask ? strcmp(before, answer(a, db, c->ask)) != 0 : code == SQLITE_OK;
        (void)sqlite3_exec(db, "rollback", NULL, NULL, NULL);
        sqlite3_close(db);
        if (works)
            fail_msg("%s works in a transaction", c->sql);
        enum transaction_role role = one(a, c->sql).role;
        if (role != ROLE_ALONE && role != ROLE_HOISTED)
            fail_msg("%s: role %d", c->sql, role);
    }
    (void)fclose(fdopen(fd, "r"));
    (void)remove(path);
}

/* ---- SQLite as judge ---- */

/* sqlite3_prepare() says where a statement ends, if the schema it needs is there: the files are run. */
static size_t check_file(struct arena *a, sqlite3 *db, const char *path)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str sql;
    assert_true(fs_read(a, path, 64 << 20, &sql, &f));
    struct cut_result r = cut(a, sql.at, sql.len, true);
    const char *at = sql.at;
    size_t count = 0;
    while (*at) {
        sqlite3_stmt *s = NULL;
        const char *tail = at;
        if (sqlite3_prepare_v2(db, at, -1, &s, &tail) != SQLITE_OK)
            fail_msg("%s: %s", path, sqlite3_errmsg(db));
        if (s) {
            const struct statement *ours = &r.statements.at[count];
            size_t end = (size_t)(tail - sql.at);
            if (count >= r.statements.count || ours->offset_bytes < (size_t)(at - sql.at) ||
                ours->offset_bytes + ours->text.len > end)
                fail_msg("%s: statement %zu lies elsewhere", path, count);
            while (sqlite3_step(s) == SQLITE_ROW)
                continue;
            count++;
        }
        (void)sqlite3_finalize(s);
        at = tail;
    }
    if (count != r.statements.count)
        fail_msg("%s: %zu statements, SQLite says %zu", path, r.statements.count, count);
    return count;
}

static void check_corpus(const char *corpus, size_t expected)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str steps;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_true(fs_read(a, arena_printf(a, CORPORA "/%s/steps.tsv", corpus), 1 << 20, &steps, &f));
    size_t count = 0;
    while (steps.len) {
        struct str rest;
        steps = str_cut_line(steps, &rest);
        struct str script = {0};
        for (int i = 0; i < 6; i++)
            rest = str_cut(rest, '\t', &script);
        if (script.len)
            count +=
                check_file(a, db, arena_printf(a, CORPORA "/%s/%.*s", corpus, STR_ARG(script)));
    }
    sqlite3_close(db);
    if (count != expected)
        fail_msg("%s: %zu statements, not %zu", corpus, count, expected);
}

static void real_histories_are_cut_as_sqlite_cuts_them(void **state)
{
    (void)state;
    if (!fs_is_directory(CORPORA)) {
        printf("NOTICE: %s is not there\n", CORPORA);
        skip();
    }
    check_corpus("atuin-sqlite", 17);
    check_corpus("homarr-sqlite", 187);
    check_corpus("komga-sqlite", 316);
    check_corpus("ncps-sqlite", 154);
}

static struct digest tree_of(const char *sql)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct digest_stream *tree = digest_start();
    struct cut_request request = {.window = str_of(sql), .is_end = true, .tree = tree};
    struct cut_result out = {0};
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_true(sqlite_dialect.cut(a, &request, &out, &f));
    return digest_finish(tree);
}

static void trees_do_not_count_blanks_and_comments(void **state)
{
    (void)state;
    struct digest one_way = tree_of("create table t (a int); select 1");
    struct digest same = tree_of("create  table t(a int) ;-- x\n select/**/1;");
    struct digest other = tree_of("create table t (aint); select 1");
    assert_true(digest_equal(&one_way, &same));
    assert_false(digest_equal(&one_way, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_end_at_their_semicolons),
        cmocka_unit_test(windows_make_no_difference),
        cmocka_unit_test(a_trigger_of_many_statements_is_cut_at_once),
        cmocka_unit_test(lines_and_columns_are_those_of_the_first_token),
        cmocka_unit_test(what_is_no_sql_fails_with_its_place),
        cmocka_unit_test(a_line_without_its_beginning_is_not_shown),
        cmocka_unit_test(roles_come_from_the_first_words),
        cmocka_unit_test(what_cannot_run_twice_is_not_run_again),
        cmocka_unit_test(the_foreign_key_pragma_says_which_way),
        cmocka_unit_test(what_stands_alone_does_not_work_in_a_transaction),
        cmocka_unit_test(real_histories_are_cut_as_sqlite_cuts_them),
        cmocka_unit_test(trees_do_not_count_blanks_and_comments),
    };
    return cmocka_run_group_tests_name("planner/sqlite/cut", tests, NULL, NULL);
}
