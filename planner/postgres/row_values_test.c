/* What is reckoned of a script's rows is what a server makes of them. */
#include "planner/postgres/row_values.h"

#include "drivers/testkit/pg_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct pg_cluster *cluster;

static int start(void **state)
{
    (void)state;
    cluster = pg_cluster_start(NULL);
    (void)pg_cluster_database(cluster, "rows");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pg_cluster_stop(cluster);
    return 0;
}

static const char *const known[] = {
    "1",
    "-7 / 2",
    "-7 % 3",
    "g % 4 * 3 - 100",
    "'k' || g % 7",
    "g || '-' || 'x'",
    "date '2023-01-01' + g",
    "date '2024-03-01' - 1",
    "g + date '1969-12-30'",
    "'2024-02-29'::date + interval '1 year'",
    "date '2024-01-31' + interval '1 month'",
    "timestamp '2024-01-01' + g * interval '1 hour'",
    "timestamp '2024-01-01 13:14:15' - interval '2 days'",
    "date '2024-01-01' + interval '1 mon 3 days' * 5",
    "interval '90 minutes' * g + timestamp '1999-12-31 23:30'",
    "(timestamp '2024-05-06 23:59:59')::date",
    "date '0099-12-31' + 1",
    "date '1900-02-28' + 1",
    "date '2000-02-28' + 1",
    "('2024-05-06 07:08')::timestamp",
    "case when g % 2 = 0 then 'even' else 'odd' end",
    "case g when 1 then 'a' when 41 then 'b' end",
    "case when g > 40 and g < 50 then 1 else 2 end",
    "g::text || '!'",
    "'17'::int + 1",
    "10000000000 + 1",
    "null || 'x'",
    "case when g >= 41 then date '2024-01-01' + g end",
    "date '2020-01-01' - interval '13 months'",
};

static const char *const never[] = {
    "now()",
    "random()",
    "1.5 * 2",
    "1 / 0",
    "date '2024-01-01' - date '2023-01-01'",
    "'2024-01-01 00:00:00+02'::timestamp",
    "'a' < 'b'",
    "9223372036854775807 + 1",
    "x",
    "y.g",
    "array[1]",
    "'12345'::varchar(2)",
    "interval 'P1D'",
    "date 'tomorrow'",
};

static struct row_value evaluate(struct arena *a, const char *expression)
{
    const struct row_variable g = {STR("g"), STR("g"), 41};
    struct parse_tree tree;
    parse_statement_kept(a, str_of(arena_printf(a, "select %s", expression)), &tree);
    if (!tree.node)
        fail_msg("%s: %s", expression, tree.message);
    return row_evaluate(a, tree.node->select_stmt->target_list[0]->res_target->val, &g);
}

static const char *text_of(const PgQuery__Node *node, struct arena *a)
{
    const PgQuery__AConst *c = node->a_const;
    if (c->isnull)
        return "";
    if (c->val_case == PG_QUERY__A__CONST__VAL_IVAL)
        return arena_printf(a, "%d", c->ival->ival);
    return c->val_case == PG_QUERY__A__CONST__VAL_FVAL ? c->fval->fval : c->sval->sval;
}

/* What is not told is no mistake, unless it is told everywhere else. */
static void values_are_the_servers(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    size_t told = 0;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct row_value v = evaluate(a, known[i]);
        const PgQuery__Node *node = row_constant(a, &v);
        if (!node)
            continue;
        told++;
        const char *want = pg_cluster_query(
            cluster, "rows",
            arena_printf(a, "select (%s)::text from (values (41)) v (g)", known[i]));
        if (strcmp(want, text_of(node, a)) != 0)
            fail_msg("%s: %s, the server says %s", known[i], text_of(node, a), want);
    }
    assert_int_equal(told, ARRAY_LEN(known) - 1); /* AND is not looked into */
}

static void what_cannot_be_known_is_not_told(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        struct row_value v = evaluate(a, never[i]);
        if (v.kind != ROW_UNKNOWN)
            fail_msg("%s is told", never[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_the_servers),
        cmocka_unit_test(what_cannot_be_known_is_not_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
