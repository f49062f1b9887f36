/* What expressions mention, prove and mean. */
#include "planner/postgres/types.h"

#include "core/base/buf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct arena *memory;
static struct catalog *catalog;
static struct catalog_relation *table;

static const PgQuery__Node *parse(const char *text)
{
    struct catalog_expression e = {.text = str_of(text)};
    const PgQuery__Node *tree = expression_tree(catalog, &e);
    if (!tree)
        fail_msg("not parsed: %s", text);
    return tree;
}

static struct type_ref type(const char *name)
{
    return (struct type_ref){.builtin = str_of(name), .typmod = -1};
}

static void add_column(const char *name, struct type_ref t)
{
    (void)catalog_add_column(catalog, table, str_of(name), &t);
}

static int set_up(void **state)
{
    (void)state;
    memory = arena_make();
    catalog = catalog_make(memory);
    catalog_add_schema(catalog, STR("public"));
    table = catalog_add_relation(catalog, RELATION_TABLE, STR("public"), STR("items"));
    add_column("a", type("int4"));
    add_column("b", type("text"));
    add_column("C d", type("timestamptz"));
    add_column("old", type("int4"));
    table->columns.at[3]->is_dropped = true;
    struct type_ref list = type("int4");
    list.is_array = true;
    add_column("list", list);
    struct type_ref row = {
        .user = catalog_add_type(catalog, TYPE_COMPOSITE, STR("public"), STR("pair")),
        .typmod = -1};
    add_column("r", row);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(memory);
    return 0;
}

/* ---- columns and functions ---- */

static void add_name(void *context, struct catalog_column *column)
{
    buf_printf(context, "%.*s,", STR_ARG(column->name));
}

static const struct {
    const char *expression, *columns;
} mentions[] = {
    {"a + 1", "a,"},
    {"items.a > 0 AND public.items.b = 'x'", "a,b,"},
    {"\"C d\" IS NULL OR upper(b) = b", "C d,b,b,"},
    {"old", ""},
    {"other.a", ""},
    {"items IS NOT NULL", "a,b,C d,list,r,"},
    {"row_to_json(items.*)", "a,b,C d,list,r,"},
    {"(items).b", "a,b,C d,list,r,"},
    {"a IN (SELECT a FROM other WHERE b = 'x')", "a,"},
    {"EXISTS (SELECT 1 FROM other o WHERE o.a = items.a AND b)", "a,"},
    {"a = (SELECT b::int)", "a,b,"},
    {"CASE WHEN a > 1 THEN list[a] ELSE coalesce(a, 2) END", "a,list,a,a,"},
    {"'a'", ""},
};

static void the_columns_of_an_expression(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mentions); i++) {
        SCOPED(buf) struct buf out = {0};
        expression_columns(parse(mentions[i].expression), table, add_name, &out);
        if (strcmp(buf_cstr(&out), mentions[i].columns) != 0)
            fail_msg("%s: %s", mentions[i].expression, buf_cstr(&out));
    }
    expression_columns(NULL, table, add_name, NULL);
    struct catalog_expression e = {.text = STR("a > 1")};
    assert_true(expression_mentions(catalog, &e, table, table->columns.at[0]));
    assert_false(expression_mentions(catalog, &e, table, table->columns.at[1]));
}

static void add_function(void *context, struct str schema, struct str name)
{
    buf_printf(context, "%.*s.%.*s,", STR_ARG(schema), STR_ARG(name));
}

static void the_functions_of_an_expression(void **state)
{
    (void)state;
    SCOPED(buf) struct buf out = {0};
    expression_functions(parse("f(g(1), x.h(a)) + coalesce(now(), a)"), add_function, &out);
    assert_string_equal(buf_cstr(&out), ".f,.g,x.h,.now,");
}

static void what_is_no_expression_has_no_tree(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "1 +", "1, 2", "1; SELECT 2", "a FROM t", "1 UNION SELECT 2", ")", "'"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct catalog_expression e = {.text = str_of(texts[i])};
        if (expression_tree(catalog, &e))
            fail_msg("%s", texts[i]);
    }
}

/* ---- NOT NULL ---- */

static const struct {
    const char *check;
    bool is_proof; /* of a */
} proofs[] = {
    {"a IS NOT NULL", true},
    {"items.a IS NOT NULL", true},
    {"a IS NOT NULL AND b <> ''", true},
    {"b <> '' AND (b IS NULL AND a IS NOT NULL)", true},
    {"a IS NOT NULL OR b IS NOT NULL", false},
    {"(a IS NOT NULL AND b = 'x') OR (a IS NOT NULL AND b = 'y')", true},
    {"NOT (a IS NULL)", true},
    {"NOT (a IS NULL OR b IS NULL)", true},
    {"NOT (a IS NULL AND b IS NULL)", false},
    {"NOT (a IS NOT NULL)", false},
    {"a > 0", false},
    {"a IS NULL", false},
    {"b IS NOT NULL", false},
    {"(a + 1) IS NOT NULL", false},
    {"(a IS NOT NULL) = true", true},
    {"(a IS NULL) = false", true},
    {"(a IS NULL) <> true", true},
    {"(a IS NULL) = true", false},
    {"a IS DISTINCT FROM NULL", true},
    {"NULL IS DISTINCT FROM a", true},
    {"a IS NOT DISTINCT FROM NULL", false},
    {"a IS DISTINCT FROM 3", false},
    {"ROW(b, a) IS NOT NULL", true},
    {"ROW(b, a) IS NULL", false},
    {"NOT (ROW(a, b) IS NULL)", false},
    {"a > 0 AND a < 9", false},
};

static void a_check_proves_that_a_column_is_not_null(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
        if (expression_proves_not_null(catalog, table, parse(proofs[i].check),
                                       table->columns.at[0]) != proofs[i].is_proof)
            fail_msg("%s", proofs[i].check);
    }
    assert_false(
        expression_proves_not_null(catalog, table, parse("r IS NOT NULL"), table->columns.at[5]));
}

/* ---- types ---- */

static const struct {
    const char *expression, *type;
} types[] = {
    {"1", "integer"},
    {"3000000000", "bigint"},
    {"1.5", "numeric"},
    {"a + 1", "integer"},
    {"a + 1.5", "numeric"},
    {"a::bigint", "bigint"},
    {"b || 'x'", "text"},
    {"lower(b)", "text"},
    {"now()", "timestamp with time zone"},
    {"\"C d\" - interval '1 day'", "timestamp with time zone"},
    {"now() - \"C d\"", "interval"},
    {"\"C d\"::date + 1", "date"},
    {"date_trunc('day', \"C d\")", "timestamp with time zone"},
    {"a > 1 AND b IS NULL", "boolean"},
    {"count(*)", "bigint"},
    {"sum(a)", "bigint"},
    {"avg(a)", "numeric"},
    {"max(b)", "text"},
    {"array_agg(a)", "integer[]"},
    {"list || 1", "integer[]"},
    {"list[1]", "integer"},
    {"ARRAY[a, 2]", "integer[]"},
    {"coalesce(NULL, a)", "integer"},
    {"CASE WHEN true THEN b END", "text"},
    {"CURRENT_DATE", "date"},
    {"jsonb_build_object('a', 1) ->> 'a'", "text"},
    {"'{}'::jsonb -> 'a'", "jsonb"},
    {"length(b)", "integer"},
    {"round(1.5, 1)", "numeric"},
    {"gen_random_uuid()", "uuid"},
    {"a = ANY (list)", "boolean"},
    {"extract(year FROM \"C d\")", "numeric"},
    {"nextval('s')", "bigint"},
    {"nothing_known(a)", ""},
};

static void the_type_of_an_expression(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct type_ref t = expression_type(catalog, table, parse(types[i].expression));
        struct str text = type_text(memory, &t);
        if (!str_equal(text, str_of(types[i].type)))
            fail_msg("%s: %.*s", types[i].expression, STR_ARG(text));
    }
}

/* ---- volatility where the columns are known ---- */

static const struct {
    const char *expression;
    enum volatility volatility;
} volatilities[] = {
    {"a + 1", VOLATILITY_IMMUTABLE},
    {"lower(b)", VOLATILITY_IMMUTABLE},
    {"b || 'x'", VOLATILITY_IMMUTABLE},
    {"b || a", VOLATILITY_STABLE},
    {"to_tsvector('english', b)", VOLATILITY_IMMUTABLE},
    {"to_tsvector(b)", VOLATILITY_STABLE},
    {"\"C d\"::date", VOLATILITY_STABLE},
    {"(\"C d\" AT TIME ZONE 'UTC')::date", VOLATILITY_IMMUTABLE},
    {"date_trunc('day', \"C d\")", VOLATILITY_STABLE},
    {"a::text", VOLATILITY_IMMUTABLE},
    {"\"C d\"::text", VOLATILITY_STABLE},
    {"b::timestamptz", VOLATILITY_STABLE},
    {"random()", VOLATILITY_VOLATILE},
    {"nothing_known(a)", VOLATILITY_UNKNOWN},
    {"nothing_known(a) + random()", VOLATILITY_VOLATILE},
    {"a ### b", VOLATILITY_UNKNOWN},
};

static void the_volatility_of_an_expression(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(volatilities); i++) {
        enum volatility v =
            expression_volatility_of(catalog, table, parse(volatilities[i].expression));
        if (v != volatilities[i].volatility)
            fail_msg("%s: %d", volatilities[i].expression, (int)v);
    }
    assert_int_equal(builtin_volatility(STR("now")), VOLATILITY_STABLE);
    assert_int_equal(builtin_volatility(STR("clock_timestamp")), VOLATILITY_VOLATILE);
    assert_int_equal(builtin_volatility(STR("lower")), VOLATILITY_IMMUTABLE);
    assert_int_equal(builtin_volatility(STR("lowest")), VOLATILITY_UNKNOWN);
    assert_int_equal(builtin_volatility(STR("")), VOLATILITY_UNKNOWN);
    assert_int_equal(builtin_volatility(STR("~")), VOLATILITY_UNKNOWN);
}

/* ---- the same ---- */

static void trees_are_equal_but_for_places(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool is_equal;
    } pairs[] = {
        {"a + 1", "a  +   1", true},     {"a + 1", "1 + a", false},
        {"a + 1", "a + 2", false},       {"lower(b)", "lower( b )", true},
        {"lower(b)", "upper(b)", false}, {"NULL", "0", false},
        {"'x'", "'y'", false},           {"f(a, b)", "f(a)", false},
        {"a = 1", "a IN (1)", false},    {"a", "items.a", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (expression_equal(parse(pairs[i].one), parse(pairs[i].other)) != pairs[i].is_equal)
            fail_msg("%s | %s", pairs[i].one, pairs[i].other);
    }
    assert_true(expression_equal(NULL, NULL));
    assert_false(expression_equal(parse("a"), NULL));
}

/* ---- depth ---- */

/* Nested as deep as the parser takes it. */
static const struct {
    const char *each, *core, *close;
} nests[] = {
    {"1 + ", "1", ""},
    {"lower(", "b", ")"},
    {"coalesce(a, ", "1", ")"},
    {"list || (", "list", ")"},
    {"array_append(", "list", ", 1)"},
    {"CASE WHEN true THEN ", "a", " END"},
    {"NOT (a > 1 OR ", "a < 2", ")"},
    {"ARRAY[", "1", "]"},
    {"twice(", "1", ")"},
    {"- ", "a", ""},
    {"(a IS NOT NULL AND ", "a > 1", ")"},
};

static void *judge_nests(void *unused)
{
    for (size_t i = 0; i < ARRAY_LEN(nests); i++) {
        SCOPED(buf) struct buf text = {0};
        for (size_t j = 0; j < 1500; j++)
            buf_add_cstr(&text, nests[i].each);
        buf_add_cstr(&text, nests[i].core);
        for (size_t j = 0; j < 1500; j++)
            buf_add_cstr(&text, nests[i].close);
        struct catalog_expression e = {.text = buf_str(&text)};
        const PgQuery__Node *tree = expression_tree(catalog, &e);
        if (!tree)
            return (void *)(uintptr_t)nests[i].each;
        (void)expression_volatility_of(catalog, table, tree);
        (void)expression_type(catalog, table, tree);
        (void)expression_proves_not_null(catalog, table, tree, table->columns.at[0]);
        if (!expression_equal(tree, tree) || !expression_mentions(catalog, &e, table, NULL))
            continue;
        return (void *)(uintptr_t)nests[i].each;
    }
    return unused;
}

static void deep_expressions_are_judged(void **state)
{
    (void)state;
    struct catalog_function *f = catalog_add_function(catalog, STR("public"), STR("twice"));
    struct type_ref number = type("int4");
    vec_push(memory, &f->arguments, number);
    vec_push(memory, &f->argument_names, STR("x"));
    f->language = STR("sql");
    f->body = STR("SELECT twice(x) + twice(x)");
    f->volatility = 'v';
    f->result = number;
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, judge_nests, NULL), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    if (result)
        fail_msg("%s", (const char *)result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_columns_of_an_expression),
        cmocka_unit_test(the_functions_of_an_expression),
        cmocka_unit_test(what_is_no_expression_has_no_tree),
        cmocka_unit_test(a_check_proves_that_a_column_is_not_null),
        cmocka_unit_test(the_type_of_an_expression),
        cmocka_unit_test(the_volatility_of_an_expression),
        cmocka_unit_test(trees_are_equal_but_for_places),
        cmocka_unit_test(deep_expressions_are_judged),
    };
    return cmocka_run_group_tests_name("planner/postgres/expression", tests, set_up, tear_down);
}
