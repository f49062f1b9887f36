/* What each statement is said to be; and, where the measurements are, that the roles agree with them. */
#include "planner/postgres/judge.h"

#include "core/base/fs.h"
#include "core/base/json.h"
#include "planner/postgres/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define TRUTH "../shared/truth"

static struct statement judge(struct arena *a, const char *sql, uint32_t version)
{
    struct cut_request request = {.window = str_of(sql),
                                  .is_end = true,
                                  .line = 1,
                                  .column = 1,
                                  .server_version = version,
                                  .wants_analysis = true};
    struct cut_result out;
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (!postgres_dialect.cut(a, &request, &out, &f))
        fail_msg("%s: %s", sql, f.message);
    if (out.statements.count != 1)
        fail_msg("%s: %zu statements", sql, out.statements.count);
    return out.statements.at[0];
}

struct judge_case {
    const char *sql;
    const char *kind;
    enum statement_class class;
    enum transaction_role role;
    enum session_effect session;
};

static const struct judge_case cases[] = {
#include "testdata/judge/postgres.inc"
};

static void statements_are_what_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        const struct judge_case *c = &cases[i];
        struct statement s = judge(a, c->sql, 0);
        if (strcmp(s.kind, c->kind) != 0 || s.class != c->class || s.role != c->role ||
            s.session != c->session)
            fail_msg("%s: \"%s\" class %d role %d session %d (%s)", c->sql, s.kind, s.class, s.role,
                     s.session, s.not_analysed_reason ? s.not_analysed_reason : s.class_reason);
        assert_non_null(s.class_reason);
        if (s.role == ROLE_REFUSED)
            assert_non_null(s.refusal);
    }
}

static void every_row_says_its_kind_reason_and_source(void **state)
{
    (void)state;
    size_t count = 0;
    for (unsigned i = 0; i < 300; i++) {
        const struct kind_row *row = judge_row(i);
        if (!row)
            continue;
        count++;
        assert_non_null(row->kind);
        assert_true(row->reason && row->reason[0]);
        assert_true(row->source && strstr(row->source, ".html"));
        assert_int_not_equal(row->class, CLASS_UNKNOWN);
    }
    assert_true(count > 100);
}

struct probe_case {
    const char *sql;
    enum probe_kind kind;
    const char *schema, *name, *detail;
    bool is_reindex;
};

static const struct probe_case probes[] = {
    {"create index concurrently i on s.t (a)", PROBE_INDEX_VALID, "s", "i", NULL, false},
    {"create index concurrently \"I x\" on t (a)", PROBE_INDEX_VALID, "", "I x", NULL, false},
    {"create index concurrently on s.t (a)", PROBE_INDEX_ON_TABLE, "s", "t", NULL, false},
    {"drop index concurrently s.i", PROBE_INDEX_ABSENT, "s", "i", NULL, false},
    {"drop index concurrently if exists i", PROBE_INDEX_ABSENT, "", "i", NULL, false},
    {"reindex index concurrently s.i", PROBE_RERUN, "s", "i", NULL, true},
    {"reindex database concurrently d", PROBE_RERUN, "", "d", NULL, true},
    {"reindex schema s", PROBE_RERUN, "", "s", NULL, false},
    {"vacuum full t", PROBE_RERUN, "", "", NULL, false},
    {"create database d", PROBE_DATABASE_EXISTS, "", "d", NULL, false},
    {"drop database if exists d", PROBE_DATABASE_ABSENT, "", "d", NULL, false},
    {"create tablespace t location '/x'", PROBE_TABLESPACE_EXISTS, "", "t", NULL, false},
    {"drop tablespace t", PROBE_TABLESPACE_ABSENT, "", "t", NULL, false},
    {"alter type s.e add value 'it''s'", PROBE_ENUM_VALUE, "s", "e", "it's", false},
    {"alter table t detach partition s.p concurrently", PROBE_PARTITION_DETACHED, "s", "p", NULL,
     false},
    {"create subscription x connection 'host=h' publication p", PROBE_SUBSCRIPTION_EXISTS, "", "x",
     NULL, false},
    {"drop subscription x", PROBE_SUBSCRIPTION_ABSENT, "", "x", NULL, false},
};

static void statements_that_stand_alone_carry_their_question(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        const struct probe_case *c = &probes[i];
        struct statement s = judge(a, c->sql, 110000); /* before 12, ADD VALUE stands alone too */
        if (s.role != ROLE_ALONE || !s.probe || s.probe->kind != c->kind ||
            strcmp(s.probe->schema, c->schema) != 0 || strcmp(s.probe->name, c->name) != 0 ||
            s.probe->is_reindex != c->is_reindex)
            fail_msg("%s: role %d", c->sql, s.role);
        assert_int_equal(s.probe->detail == NULL, c->detail == NULL);
        if (c->detail)
            assert_string_equal(s.probe->detail, c->detail);
    }
}

static void a_new_enum_value_is_alone_only_before_12(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    const char *sql = "alter type e add value if not exists 'x' before 'y'";
    assert_int_equal(judge(a, sql, 110022).role, ROLE_ALONE);
    assert_int_equal(judge(a, sql, 120000).role, ROLE_ORDINARY);
    assert_string_equal(judge(a, sql, 0).new_enum_value, "x");
    assert_null(judge(a, "alter type e rename value 'a' to 'b'", 0).new_enum_value);
}

struct secret_case {
    const char *sql;
    const char *shown; /* NULL: as it is */
};

static const struct secret_case secrets[] = {
    {"copy accounts from '/etc/passwd'", NULL},
    {"select 'x' as passwd, '/passwd=geheim'", "select $1 as passwd, $2"},
    {"create role r login", NULL},
    {"create role r password null", NULL},
    {"create table t (password text)", NULL},
    {"create role r password 'geheim'", "create role r password $1"},
    {"alter user u with encrypted password 'geheim' valid until '2030-01-01'",
     "alter user u with encrypted password $1 valid until $2"},
    {"create user mapping for u server s options (user 'u', password 'geheim')", ""},
    {"create subscription s connection 'host=h password=geheim' publication p", ""},
    {"alter subscription s connection 'postgres://u:geheim@h/d'", ""},
    {"create server s foreign data wrapper f options (host 'h', password 'geheim')", ""},
    {"select dblink_connect('host=h password=geheim')", "select dblink_connect($1)"},
    {"select dblink_connect('postgresql://u:geheim@h/d')", "select dblink_connect($1)"},
    {"update users set \"password\" = 'geheim'", "update users set \"password\" = $1"},
    {"select 'see https://example.com/a:b@c'", NULL},
    {"do $$ begin create role r password 'geheim'; end $$", ""},
    {"create role r password 'geheim' newer_syntax here", "<hidden: CREATE ROLE with a secret>"},
    {"alter system set primary_conninfo = 'host=h user=u passfile=geheim'", ""},
    {"insert into settings values ('password = geheim')", ""},
    {"alter role r PASSWORD E'geheim'", ""},
    {"alter role r PASSWORD geheim", "<hidden: ALTER ROLE with a secret>"},
    {"create user r with password /* it */ geheim", "<hidden: CREATE ROLE with a secret>"},
    {"alter role r password null", NULL},
    {"DO $$ BEGIN EXECUTE format('CREATE ROLE x PASSWORD %L', 'geheim'); END $$", ""},
    {"do $$ declare Password text := 'geheim'; begin null; end $$", ""},
    {"do $$ begin password := 'geheim'; end $$", ""},
    {"do $$ begin insert into u (name, password) values ('u', 'geheim'); end $$", ""},
    {"create function f() returns void language sql as 'alter role r password geheim'", ""},
    {"create or /* c */ replace procedure f() language sql as 'alter role r password geheim'", ""},
    {"create function f() returns int language sql as 'select 1'", NULL},
    {"select run(format('alter role r password %1$L', 'geheim'))", ""},
    {"select * from t where a like '%password%'", NULL},
};

static void secrets_are_not_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct statement s = judge(a, secrets[i].sql, 0);
        struct str shown = postgres_dialect.redact(a, &s);
        if (str_find(shown, STR("geheim")) != SIZE_MAX)
            fail_msg("shown: %.*s", STR_ARG(shown));
        const char *expected = secrets[i].shown ? secrets[i].shown : secrets[i].sql;
        if (expected[0] && !str_equal(shown, str_of(expected)))
            fail_msg("%s: %.*s", secrets[i].sql, STR_ARG(shown));
        if (s.has_secret != (secrets[i].shown != NULL))
            fail_msg("%s: has_secret %d", secrets[i].sql, s.has_secret);
        if (s.not_analysed_reason && strstr(s.not_analysed_reason, "geheim"))
            fail_msg("%s: %s", secrets[i].sql, s.not_analysed_reason);
    }
}

static void what_the_grammar_does_not_know_keeps_its_role(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *kind;
        enum transaction_role role;
    } unknown[] = {
        {"alter table t add constraint c brand new", "ALTER TABLE", ROLE_ORDINARY},
        {"create table t (a int brand new)", "CREATE TABLE", ROLE_ORDINARY},
        {"vacuum (brand new thing) t", "VACUUM", ROLE_ALONE},
        {"create unique index concurrently i on t (a) brand new", "CREATE INDEX", ROLE_ALONE},
        {"alter table t split partition p concurrently x", "ALTER TABLE", ROLE_ALONE},
        {"refresh materialized view concurrently v brand new", "", ROLE_ORDINARY},
        {"create database d brand new thing", "CREATE DATABASE", ROLE_ALONE},
        {"select :'x'", "SELECT", ROLE_ORDINARY},
    };
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct statement s = judge(a, unknown[i].sql, 0);
        if (s.is_analysed)
            fail_msg("the parser knows: %s", unknown[i].sql);
        assert_non_null(s.not_analysed_reason);
        assert_string_equal(s.kind, unknown[i].kind);
        if (s.role != unknown[i].role)
            fail_msg("%s: role %d", unknown[i].sql, s.role);
        assert_int_equal(s.class, CLASS_DESTRUCTIVE);
        assert_int_equal(s.session, SESSION_PERHAPS);
    }
}

/* ---- the measurements ---- */

/* Cases whose refusal no text tells: it lies in what the named thing is, or in a body. */
static const char *const not_in_the_text[] = {
    "reindex.partitioned_table", "reindex.partitioned_index", "cluster.partitioned",
    "function.call_commits",     "do_block.commit_inside",    "do_block.concurrently_error",
};

static bool is_not_in_the_text(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(not_in_the_text); i++) {
        if (str_equal(id, str_of(not_in_the_text[i])))
            return true;
    }
    return false;
}

static struct str next_line(struct str *rest)
{
    struct str line;
    *rest = str_cut_line(*rest, &line);
    return line;
}

static size_t check_version(struct arena *a, struct str cases_text, int major)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str measured;
    char *path = arena_printf(a, TRUTH "/measured/open-%d.jsonl", major);
    assert_true(fs_read(a, path, 64 << 20, &measured, &f));
    size_t checked = 0;
    while (measured.len && cases_text.len) {
        struct arena_mark mark = arena_mark(a);
        SCOPED(json) struct json *result = json_parse(next_line(&measured), STR("measured"), &f);
        SCOPED(json) struct json *row = json_parse(next_line(&cases_text), STR("case"), &f);
        struct str id = json_str_of(json_get(result, "id"));
        assert_true(str_equal(id, json_str_of(json_get(row, "id"))));
        bool is_ok;
        if (json_bool_of(json_get(result, "in_transaction_ok"), &is_ok) &&
            !is_not_in_the_text(id)) {
            const char *sql = arena_cstr(a, json_str_of(json_get(row, "sql")));
            struct statement s = judge(a, sql, (uint32_t)major * 10000);
            bool is_alone = s.role == ROLE_ALONE;
            if (s.role != ROLE_REFUSED && is_alone == is_ok)
                fail_msg("%.*s on %d: %s", STR_ARG(id), major, sql);
            checked++;
        }
        arena_reset(a, mark);
    }
    return checked;
}

static void roles_agree_with_what_servers_did(void **state)
{
    (void)state;
    if (!fs_is_directory(TRUTH)) {
        printf("NOTICE: %s is not there\n", TRUTH);
        skip();
    }
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str cases_text;
    assert_true(fs_read(a, TRUTH "/cases/open.jsonl", 64 << 20, &cases_text, &f));
    for (int major = 13; major <= 18; major++)
        assert_true(check_version(a, cases_text, major) > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_what_they_are),
        cmocka_unit_test(every_row_says_its_kind_reason_and_source),
        cmocka_unit_test(statements_that_stand_alone_carry_their_question),
        cmocka_unit_test(a_new_enum_value_is_alone_only_before_12),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(what_the_grammar_does_not_know_keeps_its_role),
        cmocka_unit_test(roles_agree_with_what_servers_did),
    };
    return cmocka_run_group_tests_name("planner/postgres/judge", tests, NULL, NULL);
}
