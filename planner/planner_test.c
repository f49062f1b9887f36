/* Scripts become plans: groups, classes, digests, what is kept and what is shown. */
#include "planner/planner.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/vec.h"
#include "drivers/testkit/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define CORPORA "../shared/corpora"

/* A migration that is one file, as drivers/source would make it. */
static struct migration *migration_of_file(struct arena *a, const char *path, const char *version)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    if (!fs_read(a, path, (size_t)64 << 20, &text, &f))
        fail_msg("%s", f.message);
    struct migration *m = arena_new(a, struct migration);
    *m = (struct migration){
        .version = arena_str(a, str_of(version)),
        .description = STR("a test"),
        .kind = MIGRATION_VERSIONED,
        .path = arena_str(a, str_of(path)),
        .script = arena_str(a, fs_basename(str_of(path))),
        .up = {0, UINT64_MAX},
        .size_bytes = text.len,
        .checksums = {.raw = digest_of(text)},
    };
    return m;
}

static struct migration *migration_of(struct arena *a, const char *sql)
{
    const char *directory = fixture_directory();
    fixture_write(directory, "1_test.sql", sql);
    return migration_of_file(a, fixture_path(directory, "1_test.sql"), "1");
}

static bool plan(struct arena *a, enum engine engine, const struct migration *const *list,
                 size_t count, bool wants_statements, struct plan *out, struct fail *f)
{
    struct plan_request request = {.migrations = list,
                                   .count = count,
                                   .dialect = dialect_for(engine),
                                   .history_head = STR("head"),
                                   .wants_statements = wants_statements};
    return plan_make(a, &request, out, f);
}

static struct plan plan_sql(struct arena *a, enum engine engine, const char *sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct migration *m = migration_of(a, sql);
    struct plan p;
    if (!plan(a, engine, &m, 1, true, &p, &f))
        fail_msg("%s: %s", sql, f.message);
    return p;
}

/* ---- findings ---- */

/* The script, and with it the tree that the name is in, is gone by then. */
static void what_a_finding_is_about_outlives_the_script(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct plan p = plan_sql(a, ENGINE_POSTGRES, "drop schema archive cascade;");
    const struct hazards *found = &p.migrations[0].statements.at[0].hazards;
    SCOPED(arena) struct arena *next = arena_make(); /* takes the memory that was given back */
    for (size_t i = 0; i < 256; i++)
        memset(arena_alloc(next, 4096), 'x', 4096);
    for (size_t i = 0; i < found->count; i++) {
        if (strcmp(found->at[i].rule->id, "drop-schema-cascade") == 0) {
            assert_string_equal(arena_cstr(a, found->at[i].relation), "archive");
            return;
        }
    }
    fail();
}

/* ---- groups ---- */

static void a_plan_says_which_statements_share_a_transaction(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct plan p = plan_sql(a, ENGINE_POSTGRES,
                             "create table t (a int);\ncreate index concurrently i on t (a);\n"
                             "begin; drop table t; commit;");
    const struct planned_migration *m = &p.migrations[0];
    assert_int_equal(m->unit_count, 3);
    assert_false(m->is_single);
    assert_int_equal(m->class, CLASS_ADDITIVE); /* it drops what it has made */
    assert_int_equal(m->statement_count, 5);
    static const struct {
        uint32_t unit;
        enum unit_kind kind;
        bool is_transactional;
    } expected[] = {{1, UNIT_OURS, true},
                    {2, UNIT_ALONE, false},
                    {3, UNIT_OWN, true},
                    {3, UNIT_OWN, true},
                    {3, UNIT_OWN, true}};
    assert_int_equal(m->statements.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_int_equal(m->statements.at[i].unit, expected[i].unit);
        assert_int_equal(m->statements.at[i].unit_kind, expected[i].kind);
        assert_int_equal(m->statements.at[i].is_transactional, expected[i].is_transactional);
    }
    assert_int_equal(m->statements.at[1].statement.line, 2);
}

static void an_enum_value_ends_its_transaction_only_where_it_is_used(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    assert_int_equal(plan_sql(a, ENGINE_POSTGRES, "alter type e add value 'new'; select 1;")
                         .migrations[0]
                         .unit_count,
                     1);
    assert_int_equal(
        plan_sql(a, ENGINE_POSTGRES, "alter type e add value 'new'; insert into t values ('new');")
            .migrations[0]
            .unit_count,
        2);
}

static bool is_off(const struct planned_migration *m)
{
    for (size_t i = 0; i < m->enforcements.count; i++) {
        if (m->enforcements.at[i].enforcement == ENFORCEMENT_OFF)
            return true;
    }
    return false;
}

/* The column tx of steps.tsv says how each file was run. */
static void check_grouping(const char *corpus, const char *file, struct str tx, enum engine engine,
                           const struct planned_migration *m)
{
    bool has_own = false;
    bool has_alone = false;
    for (size_t i = 0; i < m->statements.count; i++) {
        has_own |= m->statements.at[i].unit_kind == UNIT_OWN;
        has_alone |= m->statements.at[i].unit_kind == UNIT_ALONE;
    }
    bool is_as_said = true;
    if (str_equal(tx, STR("single")))
        is_as_said = m->unit_count <= 1 && !has_own && !has_alone;
    else if (str_equal(tx, STR("own")))
        is_as_said = has_own && !has_alone;
    else if (str_equal(tx, STR("none")))
        is_as_said = engine == ENGINE_SQLITE ? is_off(m) : has_alone;
    else if (str_equal(tx, STR("escapes")))
        is_as_said = has_own && is_off(m);
    if (!is_as_said)
        fail_msg("%s: %s: not %.*s but %u units", corpus, file, STR_ARG(tx), m->unit_count);
}

static void plan_corpus(const char *corpus, enum engine engine)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str steps;
    assert_true(fs_read(a, arena_printf(a, CORPORA "/%s/steps.tsv", corpus), 1 << 20, &steps, &f));
    VEC_OF(const struct migration *) list = {0};
    VEC_OF(struct str) tx = {0};
    while (steps.len) {
        struct str column[6] = {{0}};
        struct str rest;
        steps = str_cut_line(steps, &rest);
        for (size_t i = 0; i < ARRAY_LEN(column); i++)
            rest = str_cut(rest, '\t', &column[i]);
        if (!column[5].len)
            continue;
        const char *path = arena_printf(a, CORPORA "/%s/%.*s", corpus, STR_ARG(column[5]));
        const struct migration *m = migration_of_file(a, path, arena_cstr(a, column[3]));
        vec_push(a, &list, m);
        vec_push(a, &tx, column[1]);
    }
    struct plan p;
    if (!plan(a, engine, list.at, list.count, true, &p, &f))
        fail_msg("%s: %s", corpus, f.message);
    for (size_t i = 0; i < p.count; i++) {
        const struct planned_migration *m = &p.migrations[i];
        check_grouping(corpus, m->migration->path.at, tx.at[i], engine, m);
        assert_true(digest_is_set(&m->checksums.raw));
        for (size_t j = 0; j < m->statements.count; j++) {
            const struct statement *s = &m->statements.at[j].statement;
            if (!s->is_analysed)
                fail_msg("%s line %u: %s", m->migration->path.at, s->line, s->not_analysed_reason);
        }
    }
}

static void real_histories_are_grouped_as_they_were_run(void **state)
{
    (void)state;
    if (!fs_is_directory(CORPORA)) {
        printf("NOTICE: %s is not there\n", CORPORA);
        skip();
    }
    static const char *const postgres[] = {"crates-io", "docs-rs", "homarr-pg", "langfuse",
                                           "lydia-api", "measure", "minder",    "ncps-pg"};
    static const char *const sqlite[] = {"atuin-sqlite", "homarr-sqlite", "komga-sqlite",
                                         "ncps-sqlite"};
    for (size_t i = 0; i < ARRAY_LEN(postgres); i++)
        plan_corpus(postgres[i], ENGINE_POSTGRES);
    for (size_t i = 0; i < ARRAY_LEN(sqlite); i++)
        plan_corpus(sqlite[i], ENGINE_SQLITE);
}

/* ---- failures ---- */

static void a_file_that_changed_since_it_was_listed_is_refused(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migration *m = migration_of(a, "select 1;");
    m->checksums.raw = digest_of(STR("select 2;"));
    const struct migration *list = m;
    struct plan p;
    assert_false(plan(a, ENGINE_POSTGRES, &list, 1, false, &p, &f));
    assert_int_equal(f.code, EXIT_INTEGRITY);
    assert_non_null(f.hint);
}

static void what_cannot_run_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        uint32_t line;
    } refused[] = {{"select 1;\nprepare transaction 'x';", 2},
                   {"begin;\nselect 1;\nvacuum;\ncommit;", 3},
                   {"set names 'latin1';", 1},
                   {"select 1;\n\n\\connect x", 3}};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        const struct migration *m = migration_of(a, refused[i].sql);
        struct plan p;
        assert_false(plan(a, ENGINE_POSTGRES, &m, 1, false, &p, &f));
        assert_int_equal(f.code, EXIT_FAILED);
        assert_int_equal(f.line, refused[i].line);
        assert_non_null(f.hint);
    }
}

/* ---- digests ---- */

static struct digest digest_of_plan(const char *sql, enum transaction_mode mode, struct str head)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migration *m = migration_of(a, sql);
    m->transaction = mode;
    const struct migration *list = m;
    struct plan_request request = {.migrations = &list,
                                   .count = 1,
                                   .dialect = dialect_for(ENGINE_POSTGRES),
                                   .history_head = head};
    struct plan p;
    assert_true(plan_make(a, &request, &p, &f));
    return p.digest;
}

static void the_digest_covers_what_will_be_run_and_behind_what(void **state)
{
    (void)state;
    struct digest first = digest_of_plan("select 1;", TRANSACTION_AUTO, STR("h"));
    struct digest same = digest_of_plan("select 1;", TRANSACTION_AUTO, STR("h"));
    struct digest text = digest_of_plan("select 2;", TRANSACTION_AUTO, STR("h"));
    struct digest mode = digest_of_plan("select 1;", TRANSACTION_NONE, STR("h"));
    struct digest head = digest_of_plan("select 1;", TRANSACTION_AUTO, STR("i"));
    assert_true(digest_equal(&first, &same));
    assert_false(digest_equal(&first, &text));
    assert_false(digest_equal(&first, &mode));
    assert_false(digest_equal(&first, &head));
}

/* ---- what is kept ---- */

static void statements_are_kept_only_when_they_are_wanted(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct migration *m = migration_of(a, "create table t (a int); drop table u;");
    struct plan p;
    assert_true(plan(a, ENGINE_POSTGRES, &m, 1, false, &p, &f));
    assert_int_equal(p.migrations[0].statements.count, 0);
    assert_int_equal(p.migrations[0].statement_count, 2);
}

static void a_large_script_is_counted_and_not_kept(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf sql = {0};
    while (sql.len <= 2 * LIMIT_RETAIN_BYTES)
        buf_add_cstr(&sql, "insert into t values (1, 'some text');\n");
    struct plan p = plan_sql(a, ENGINE_POSTGRES, buf_cstr(&sql));
    assert_true(p.migrations[0].is_streamed);
    assert_int_equal(p.migrations[0].statements.count, 0);
    assert_true(p.migrations[0].statement_count > 12000);
    assert_int_equal(p.migrations[0].class, CLASS_ADDITIVE);
}

static void planning_thousands_of_files_takes_little_memory(void **state)
{
    (void)state;
    enum { FILES = 5000 };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migration *m = migration_of(a, "create table t (id bigint primary key, name text);\n"
                                          "create index i on t (name);\n");
    const struct migration **list = arena_array(a, const struct migration *, FILES);
    for (size_t i = 0; i < FILES; i++)
        list[i] = m;
    size_t before = arena_used_bytes(a);
    struct plan p;
    assert_true(plan(a, ENGINE_POSTGRES, list, FILES, false, &p, &f));
    assert_int_equal(p.migrations[FILES - 1].statement_count, 2);
    assert_true(arena_used_bytes(a) - before < (size_t)8 << 20);
}

/* ---- JSON ---- */

static struct str json_of(struct arena *a, enum engine engine, const char *sql)
{
    struct plan p = plan_sql(a, engine, sql);
    SCOPED(json) struct json *j = plan_json(&p);
    return json_line(a, j);
}

static void the_json_has_the_documented_shape(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text = json_of(a, ENGINE_POSTGRES, "-- x\ndrop table t;\nvacuum;\nselec 1;");
    SCOPED(json) struct json *root = json_parse(text, STR("plan"), &f);
    int64_t number = 0;
    bool yes = false;
    assert_true(json_i64_of(json_get(root, "format"), &number) && number == 1);
    const struct json *m = json_at(json_get(root, "migrations"), 0);
    assert_true(str_equal(json_str_of(json_get(m, "class")), STR("destructive")));
    assert_true(str_equal(json_str_of(json_get(m, "verdict")), STR("block")));
    assert_true(json_is_array(json_get(m, "hazards")));
    const struct json *list = json_get(m, "statements");
    assert_int_equal(json_count(list), 3);
    const struct json *s = json_at(list, 0);
    assert_true(str_equal(json_str_of(json_get(s, "sql")), STR("drop table t")));
    assert_true(str_equal(json_str_of(json_get(s, "kind")), STR("DROP TABLE")));
    assert_true(json_i64_of(json_get(s, "line"), &number) && number == 2);
    assert_true(json_bool_of(json_get(s, "transactional"), &yes) && yes);
    assert_true(json_is_array(json_get(json_get(s, "effects"), "locks")));
    s = json_at(list, 2);
    assert_true(json_get(s, "effects") && !json_is_object(json_get(s, "effects"))); /* null */
    assert_true(json_bool_of(json_get(json_at(list, 1), "transactional"), &yes) && !yes);
    assert_true(json_bool_of(json_get(json_at(list, 2), "analysed"), &yes) && !yes);
    assert_int_equal(json_count(json_get(m, "steps")), 3);
}

/* Every name that the printed plan has is explained in the document, and its example is true. */
static void the_document_names_every_member(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str document;
    assert_true(fs_read(a, "docs/plan-format.md", 1 << 20, &document, &f));
    struct str text = json_of(a, ENGINE_POSTGRES, "drop table t;");
    while (text.len) {
        size_t quote = str_find_char(text, '"');
        if (quote == SIZE_MAX)
            break;
        struct str token;
        text = str_cut(str_skip(text, quote + 1), '"', &token);
        if (!text.len || text.at[0] != ':')
            continue;
        if (str_find(document, str_of(arena_printf(a, "`%.*s`", STR_ARG(token)))) == SIZE_MAX)
            fail_msg("docs/plan-format.md does not name %.*s", STR_ARG(token));
    }
}

static void secrets_are_not_in_the_plan(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct str text = json_of(a, ENGINE_POSTGRES,
                              "create role r password 'geheim';\n"
                              "create user mapping for r server s options (password 'geheim');\n"
                              "create role q password 'geheim' newer_words;");
    assert_int_equal(str_find(text, STR("geheim")), SIZE_MAX);
}

/* ---- what the parser does not know ---- */

static unsigned asked;

static bool answer(void *verdict, struct arena *a, struct str text, struct syntax_verdict *out,
                   struct fail *f)
{
    (void)a;
    (void)f;
    assert_true(str_starts(text, STR("ALTER TABLE t FROBNICATE")));
    asked++;
    *out = *(const struct syntax_verdict *)verdict;
    return true;
}

static struct planned_migration plan_asking(struct arena *a, const char *sql,
                                            struct syntax_verdict verdict)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct migration *m = migration_of(a, sql);
    const struct syntax_judge judge = {"PostgreSQL 19.1", answer, &verdict};
    struct plan_request request = {.migrations = &m,
                                   .count = 1,
                                   .dialect = dialect_for(ENGINE_POSTGRES),
                                   .wants_statements = true,
                                   .syntax = &judge};
    struct plan p;
    asked = 0;
    if (!plan_make(a, &request, &p, &f))
        fail_msg("%s", f.message);
    assert_int_equal(p.migrations[0].class, CLASS_DESTRUCTIVE);
    return p.migrations[0];
}

static void a_server_decides_what_the_parser_does_not_know(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    static const char sql[] = "SELECT 1;\nALTER TABLE t FROBNICATE x;\n"
                              "CREATE ROLE r PASSWORD 'secret' FROBNICATE;\n";
    static const char allowed[] = "-- migrate: allow opaque-statement reason=\"rehearsed\"\n"
                                  "ALTER TABLE t FROBNICATE x;\n";
    struct planned_migration m =
        plan_asking(a, sql, (struct syntax_verdict){SYNTAX_UNKNOWN, NULL, 0});
    assert_int_equal(asked, 1); /* not for what it knows, and never with a secret */
    assert_int_equal(m.verdict, VERDICT_UNKNOWN);

    m = plan_asking(a, sql, (struct syntax_verdict){SYNTAX_TAKEN, NULL, SIZE_MAX});
    assert_int_equal(m.verdict, VERDICT_UNKNOWN);
    assert_int_equal(m.statements.at[1].statement.syntax.answer, SYNTAX_TAKEN);
    assert_non_null(strstr(m.statements.at[1].statement.not_analysed_reason,
                           "valid for the server (PostgreSQL 19.1), but the parser here does not "
                           "know it: syntax error at or near \"FROBNICATE\""));
    assert_null(m.statements.at[1].effects->failure);
    m = plan_asking(a, allowed, (struct syntax_verdict){SYNTAX_TAKEN, NULL, SIZE_MAX});
    assert_int_equal(m.verdict, VERDICT_PASS);

    /* What would fail for certain is not allowed by any reason. */
    const struct syntax_verdict refused = {SYNTAX_REFUSED, "no \"x\" there", 25};
    m = plan_asking(a, sql, refused);
    assert_int_equal(m.verdict, VERDICT_BLOCK);
    assert_string_equal(m.statements.at[1].statement.not_analysed_reason,
                        "no \"x\" there, says the server (PostgreSQL 19.1)");
    assert_string_equal(m.statements.at[1].effects->failure, "no \"x\" there");
    assert_int_equal(m.statements.at[1].hazards.count, 1);
    assert_int_equal(m.statements.at[1].hazards.at[0].offset_bytes, 25);
    m = plan_asking(a, allowed, refused);
    assert_int_equal(m.verdict, VERDICT_BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_decides_what_the_parser_does_not_know),
        cmocka_unit_test(what_a_finding_is_about_outlives_the_script),
        cmocka_unit_test(a_plan_says_which_statements_share_a_transaction),
        cmocka_unit_test(an_enum_value_ends_its_transaction_only_where_it_is_used),
        cmocka_unit_test(real_histories_are_grouped_as_they_were_run),
        cmocka_unit_test(a_file_that_changed_since_it_was_listed_is_refused),
        cmocka_unit_test(what_cannot_run_is_refused_with_its_line),
        cmocka_unit_test(the_digest_covers_what_will_be_run_and_behind_what),
        cmocka_unit_test(statements_are_kept_only_when_they_are_wanted),
        cmocka_unit_test(a_large_script_is_counted_and_not_kept),
        cmocka_unit_test(planning_thousands_of_files_takes_little_memory),
        cmocka_unit_test(the_json_has_the_documented_shape),
        cmocka_unit_test(the_document_names_every_member),
        cmocka_unit_test(secrets_are_not_in_the_plan),
    };
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
