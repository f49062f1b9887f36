/* Which statements share a transaction, told as a line of marks per script. */
#include "core/model/grouping.h"

#include "core/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

/* Scripts are written as letters: s ordinary, a alone, b begin, c commit, r rollback, x refused,
   h hoisted, v a new enum value that is used later, w one that is not, n not analysed. */
static struct statement statement_of(char letter)
{
    struct statement s = {
        .text = STR("x"), .kind = "X", .is_analysed = true, .line = 7, .column = 3};
    switch (letter) {
    case 'a':
        s.role = ROLE_ALONE;
        break;
    case 'b':
        s.role = ROLE_BEGIN;
        break;
    case 'c':
        s.role = ROLE_COMMIT;
        break;
    case 'r':
        s.role = ROLE_ROLLBACK;
        break;
    case 'x':
        s.role = ROLE_REFUSED;
        s.refusal = "Do otherwise.";
        break;
    case 'h':
        s.role = ROLE_HOISTED;
        break;
    case 'v':
    case 'w':
        s.new_enum_value = "value";
        break;
    case 'n':
        s.is_analysed = false;
        s.session = SESSION_PERHAPS;
        break;
    default:
        break;
    }
    return s;
}

/* What must be done, as text: '(' our BEGIN, ')' our COMMIT; '<' unit of the file's own, '>' its COMMIT,
   '}' its ROLLBACK; '[' ']' around what stands alone; letters that are sent; '!' a warning. */
static bool run(const char *script, enum transaction_mode mode, struct buf *out,
                uint32_t *out_units, struct fail *f)
{
    struct grouping g = grouping_start(ENGINE_POSTGRES, mode);
    enum unit_kind open = UNIT_NONE;
    for (const char *at = script; *at; at++) {
        struct statement s = statement_of(*at);
        struct grouping_step step;
        if (!grouping_feed(&g, &s, *at == 'v', STR("t.sql"), &step, f))
            return false;
        static const char opening[] = {[UNIT_OURS] = '(', [UNIT_OWN] = '<', [UNIT_ALONE] = '['};
        static const char closing[] = {[UNIT_OURS] = ')', [UNIT_OWN] = '>', [UNIT_ALONE] = ']'};
        if (step.commit_before) {
            buf_add_char(out, closing[open]);
            open = UNIT_NONE;
        }
        if (step.open) {
            assert_int_equal(open, UNIT_NONE);
            open = step.open;
            buf_add_char(out, opening[open]);
        }
        if (step.warning)
            buf_add_char(out, '!');
        if (step.send)
            buf_add_char(out, *at);
        if (step.commit_after)
            buf_add_char(out, closing[open]);
        if (step.rollback_after)
            buf_add_char(out, '}');
        if (step.commit_after || step.rollback_after)
            open = UNIT_NONE;
        assert_int_equal(open != UNIT_NONE, grouping_is_open(&g));
    }
    if (grouping_is_open(&g))
        buf_add_cstr(out, open == UNIT_OURS ? ")" : ">");
    *out_units = g.unit;
    return true;
}

struct grouping_case {
    const char *script;
    enum transaction_mode mode;
    const char *expected;
    uint32_t units;
};

static const struct grouping_case cases[] = {
    {"", TRANSACTION_AUTO, "", 0},
    {"s", TRANSACTION_AUTO, "(s)", 1},
    {"sss", TRANSACTION_AUTO, "(sss)", 1},
    {"a", TRANSACTION_AUTO, "[a]", 1},
    {"sas", TRANSACTION_AUTO, "(s)[a](s)", 3},
    {"aa", TRANSACTION_AUTO, "[a][a]", 2},
    {"bssc", TRANSACTION_AUTO, "<bssc>", 1},
    {"sbsc", TRANSACTION_AUTO, "(s)<bsc>", 2},
    {"bscs", TRANSACTION_AUTO, "<bsc>(s)", 2},
    {"bscabsc", TRANSACTION_AUTO, "<bsc>[a]<bsc>", 3},
    {"bsr", TRANSACTION_AUTO, "<bs}", 1},
    {"bs", TRANSACTION_AUTO, "<bs>", 1},
    {"bbsc", TRANSACTION_AUTO, "<b!sc>", 1},
    {"c", TRANSACTION_AUTO, "", 0},
    {"scs", TRANSACTION_AUTO, "(s)(s)", 2},
    {"scc", TRANSACTION_AUTO, "(s)!", 1},
    {"sr", TRANSACTION_AUTO, "(s!)", 1},
    {"hsh", TRANSACTION_AUTO, "(s)", 1},
    {"bhsc", TRANSACTION_AUTO, "<bsc>", 1},
    {"chbssch", TRANSACTION_AUTO, "<bssc>", 1},
    {"vs", TRANSACTION_AUTO, "(v)(s)", 2},
    {"ws", TRANSACTION_AUTO, "(ws)", 1},
    {"bvsc", TRANSACTION_AUTO, "<bvsc>", 1},
    {"ss", TRANSACTION_NONE, "(s)(s)", 2},
    {"sn", TRANSACTION_NONE, "(s)[n]", 2},
    {"n", TRANSACTION_AUTO, "(n)", 1},
    {"bssc", TRANSACTION_NONE, "<bssc>", 1},
    {"sas", TRANSACTION_NONE, "(s)[a](s)", 3},
};

static void statements_are_grouped_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        uint32_t units;
        assert_true(run(cases[i].script, cases[i].mode, &got, &units, &f));
        if (strcmp(buf_cstr(&got), cases[i].expected) != 0 || units != cases[i].units)
            fail_msg("%s: %s, %u units", cases[i].script, buf_cstr(&got), units);
    }
}

static void what_cannot_be_run_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const scripts[] = {"x", "bsa", "sx", "bx"};
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        uint32_t units;
        assert_false(run(scripts[i], TRANSACTION_AUTO, &got, &units, &f));
        assert_int_equal(f.code, EXIT_FAILED);
        assert_int_equal(f.line, 7);
        assert_int_equal(f.column, 3);
        assert_string_equal(f.file, "t.sql");
        assert_non_null(f.hint);
    }
}

static void a_new_value_is_mentioned_where_it_may_be_used(void **state)
{
    (void)state;
    struct statement list[2] = {{.text = STR("select 1")},
                                {.text = STR("insert into t values ('new')")}};
    assert_true(grouping_mentions(list, 2, "new"));
    assert_false(grouping_mentions(list, 1, "new"));
    assert_false(grouping_mentions(list, 2, "other"));
    list[0].session = SESSION_PERHAPS; /* code that is not looked into */
    assert_true(grouping_mentions(list, 1, "other"));
    assert_false(grouping_mentions(list, 0, "other"));
}

/* A text may spell a value otherwise than it is: then nothing can be told. */
static void a_value_that_is_spelled_otherwise_counts_as_mentioned(void **state)
{
    (void)state;
    struct statement quoted = {.text = STR("insert into t values ('it''s')")};
    assert_true(grouping_mentions(&quoted, 1, "it's"));
    struct statement escaped = {.text = STR("insert into t values (E'n\\145w')")};
    assert_true(grouping_mentions(&escaped, 1, "new"));
    struct statement another = {.text = STR("alter type f add value 'new'"),
                                .new_enum_value = "new"};
    assert_false(grouping_mentions(&another, 1, "new"));
    struct statement copy = {.text = STR("copy t from stdin"), .is_copy_from_stdin = true};
    assert_true(grouping_mentions(&copy, 1, "new"));
}

static void units_have_names_for_the_plan(void **state)
{
    (void)state;
    assert_string_equal(unit_kind_name(UNIT_OURS), "single");
    assert_string_equal(unit_kind_name(UNIT_OWN), "own");
    assert_string_equal(unit_kind_name(UNIT_ALONE), "none");
    assert_string_equal(unit_kind_name(UNIT_NONE), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_grouped_as_written),
        cmocka_unit_test(what_cannot_be_run_is_refused_with_its_place),
        cmocka_unit_test(a_new_value_is_mentioned_where_it_may_be_used),
        cmocka_unit_test(a_value_that_is_spelled_otherwise_counts_as_mentioned),
        cmocka_unit_test(units_have_names_for_the_plan),
    };
    return cmocka_run_group_tests_name("core/model/grouping", tests, NULL, NULL);
}
