/* Forms of later versions become trees of the parser at hand, marked with what they say. */
#include "planner/postgres/grammar.h"

#include "core/base/buf.h"
#include "planner/postgres/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct statement cut_one(struct arena *a, const char *sql, uint32_t version)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct cut_request request = {
        .window = str_of(sql),
        .is_end = true,
        .line = 1,
        .column = 1,
        .path = STR("test.sql"),
        .server_version = version,
        .wants_analysis = true,
    };
    struct cut_result result;
    if (!postgres_dialect.cut(a, &request, &result, &f))
        fail_msg("%s: %s", sql, f.message);
    assert_int_equal(result.statements.count, 1);
    return result.statements.at[0];
}

struct seen {
    unsigned bits;
    unsigned not_nulls; /* with keys */
    bool is_no_inherit;
    bool is_skipped; /* skip_validation */
    bool has_only;
    bool sets_expression;
};

static bool look(void *context, const ProtobufCMessage *message)
{
    struct seen *seen = context;
    if (message->descriptor == &pg_query__constraint__descriptor) {
        const PgQuery__Constraint *k = (const PgQuery__Constraint *)message;
        seen->bits |= k->old_pktable_oid;
        seen->is_no_inherit |= k->is_no_inherit;
        seen->is_skipped |= k->skip_validation;
        if (k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL && k->n_keys)
            seen->not_nulls++;
    } else if (message->descriptor == &pg_query__range_var__descriptor) {
        seen->has_only |= !((const PgQuery__RangeVar *)message)->inh;
    } else if (message->descriptor == &pg_query__alter_table_cmd__descriptor) {
        seen->sets_expression |= grammar_sets_expression((const PgQuery__AlterTableCmd *)message);
    }
    return false;
}

static const struct {
    const char *sql;
    struct seen seen;
} forms[] = {
    {"create table t (a int, b int generated always as (a * 2) virtual)",
     {.bits = GRAMMAR_VIRTUAL}},
    {"create table t (a int, b int generated always as (f(a, ')')))", {.bits = GRAMMAR_VIRTUAL}},
    {"create table t (a int, b int generated always as (a) stored, c int generated always as "
     "(a))",
     {.bits = GRAMMAR_VIRTUAL}},
    {"alter table t add b int generated always as (a) virtual not null", {.bits = GRAMMAR_VIRTUAL}},
    {"alter table t add constraint n not null \"A b\"", {.not_nulls = 1}},
    {"alter table t add not null a not valid", {.not_nulls = 1, .is_skipped = true}},
    {"create table t (a int, constraint n not null a, not null a no inherit)",
     {.not_nulls = 2, .is_no_inherit = true}},
    {"create table t (a int not null no inherit)", {.is_no_inherit = true}},
    {"alter table t add check (a > 0) not enforced",
     {.bits = GRAMMAR_NOT_ENFORCED, .is_skipped = true}},
    {"create table t (a int references p not enforced, check (a > 0) enforced)",
     {.bits = GRAMMAR_NOT_ENFORCED | GRAMMAR_ENFORCED, .is_skipped = true}},
    {"alter table t add column x int, alter constraint k enforced", {.bits = GRAMMAR_ENFORCED}},
    {"alter table t alter constraint k not enforced", {.bits = GRAMMAR_NOT_ENFORCED}},
    {"alter table t alter constraint k deferrable not enforced", {.bits = GRAMMAR_NOT_ENFORCED}},
    {"alter table t alter constraint k no inherit", {.bits = GRAMMAR_NO_INHERIT}},
    {"alter table t alter constraint k inherit", {.bits = GRAMMAR_INHERIT}},
    {"alter table t add primary key (a, b without overlaps)", {.bits = GRAMMAR_PERIOD}},
    {"alter table t add foreign key (a, period b) references p (a, period b)",
     {.bits = GRAMMAR_PERIOD}},
    {"alter table t add column x numeric(1,2), alter b set expression as (a + 1)",
     {.sets_expression = true}},
    {"vacuum only t", {.has_only = true}},
    {"analyze (verbose) only s.t (a)", {.has_only = true}},
    {"create statistics on a, b from t", {.bits = 0}},
    {"create statistics (ndistinct) on a, b from t", {.bits = 0}},
    {"reindex database", {.bits = 0}},
    {"create table t (a text storage external, storage int, b int storage default)", {.bits = 0}},
    {"alter table t alter a set storage default, alter a set statistics default", {.bits = 0}},
    {"alter table t set access method default", {.bits = 0}},
    {"create table t (a text check (a is not json object with unique keys))", {.bits = 0}},
    {"merge into t using s on t.a = s.a when not matched by source then delete "
     "when not matched by target then insert values (1) returning merge_action(), 'x'",
     {.bits = 0}},
    {"create table t (a int default 1_000, b int default 0xFF, c int generated always as (1))",
     {.bits = GRAMMAR_VIRTUAL}},
    {"update t set a = 1 returning with (old as o) o.a", {.bits = 0}},
    {"grant a to b with inherit false, set true granted by c", {.bits = 0}},
};

static void newer_forms_are_marked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct statement s = cut_one(a, forms[i].sql, 180000);
        if (!s.is_analysed)
            fail_msg("%s: %s", forms[i].sql, s.not_analysed_reason);
        const PgQuery__Node *copy = parse_node_copy(a, s.tree); /* keeps the marks */
        struct seen seen = {0};
        (void)parse_tree_visit(&copy->base, look, &seen);
        const struct seen *want = &forms[i].seen;
        if (seen.bits != want->bits || seen.not_nulls != want->not_nulls ||
            seen.is_no_inherit != want->is_no_inherit || seen.is_skipped != want->is_skipped ||
            seen.has_only != want->has_only || seen.sets_expression != want->sets_expression)
            fail_msg("%s: bits %u, not null %u", forms[i].sql, seen.bits, seen.not_nulls);
    }
}

static void nonsense_stays_nonsense(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "alter table t add constraint n not null",
        "create table t (a int virtual)",
        "selec 1 not enforced",
        "vacuum only",
        "enforced",
        "not enforced",
        "generated always as (",
        "create statistics on",
        "'a' not null no inherit",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct statement s = cut_one(a, cases[i], 180000);
        if (s.is_analysed)
            fail_msg("%s is a statement", cases[i]);
    }
}

static bool find_numbers(void *context, const ProtobufCMessage *message)
{
    struct buf *out = context;
    if (message->descriptor == &pg_query__a__const__descriptor) {
        const PgQuery__AConst *c = (const PgQuery__AConst *)message;
        if (c->val_case == PG_QUERY__A__CONST__VAL_IVAL)
            buf_printf(out, " %d", c->ival->ival);
        else if (c->val_case == PG_QUERY__A__CONST__VAL_FVAL)
            buf_printf(out, " %s", c->fval->fval);
    }
    return false;
}

static void numbers_keep_their_value(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(buf) struct buf numbers = {0};
    struct statement s =
        cut_one(a, "select 1_000, 0xFf, 0o17, 0b1_01, 1_0.5e1_0, 0xFFFFFFFF, '1_000'", 160000);
    assert_true(s.is_analysed);
    (void)parse_tree_visit(&((const PgQuery__Node *)s.tree)->base, find_numbers, &numbers);
    assert_string_equal(buf_cstr(&numbers), " 1000 255 15 5 10.5e10 4294967295");
}

static void an_older_server_is_told_what_it_would_say(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    const char *sql = "create table t (a int generated always as (1) virtual)";
    assert_false(cut_one(a, sql, 150004).is_analysed);
    assert_true(cut_one(a, sql, 0).is_analysed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer_forms_are_marked),
        cmocka_unit_test(nonsense_stays_nonsense),
        cmocka_unit_test(numbers_keep_their_value),
        cmocka_unit_test(an_older_server_is_told_what_it_would_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
