/* The order of versions, and the names of layouts and engines. */
#include "core/model/version.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/model/engine.h"
#include "core/model/layout.h"

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void versions_are_ordered_as_their_layout_orders_them(void **state)
{
    (void)state;
    static const struct {
        enum version_order order;
        const char *a, *b;
        int expected;
    } rows[] = {
        /* bytewise */
        {VERSION_ORDER_TEXT, "20240101", "20240102", -1},
        {VERSION_ORDER_TEXT, "10", "9", -1},
        {VERSION_ORDER_TEXT, "1", "01", 1},
        {VERSION_ORDER_TEXT, "", "a", -1},
        {VERSION_ORDER_UNKNOWN, "10", "9", -1},
        /* one number */
        {VERSION_ORDER_NUMBER, "10", "9", 1},
        {VERSION_ORDER_NUMBER, "0001", "1", 0},
        {VERSION_ORDER_NUMBER, "0", "000", 0},
        {VERSION_ORDER_NUMBER, "99999999999999999999999999999999999999",
         "100000000000000000000000000000000000000", -1},
        {VERSION_ORDER_NUMBER, "18446744073709551616", "0", 1},
        {VERSION_ORDER_NUMBER, "20240101120000", "3", 1},
        {VERSION_ORDER_NUMBER, "x", "9999", 1},
        {VERSION_ORDER_NUMBER, "", "9999", 1},
        {VERSION_ORDER_NUMBER, "-1", "1", 1},
        {VERSION_ORDER_NUMBER, "1.5", "2", 1},
        {VERSION_ORDER_NUMBER, "b", "a", 1},
        /* flyway */
        {VERSION_ORDER_DOTTED, "1", "1.0", 0},
        {VERSION_ORDER_DOTTED, "1", "01", 0},
        {VERSION_ORDER_DOTTED, "1_0", "1.0.0.0", 0},
        {VERSION_ORDER_DOTTED, "0", "0.0", 0},
        {VERSION_ORDER_DOTTED, "1.10", "1.9", 1},
        {VERSION_ORDER_DOTTED, "1.9", "1.10", -1},
        {VERSION_ORDER_DOTTED, "1_2", "1.2", 0},
        {VERSION_ORDER_DOTTED, "1.0.1", "1", 1},
        {VERSION_ORDER_DOTTED, "2", "1.999", 1},
        {VERSION_ORDER_DOTTED, "1.18446744073709551617", "1.1", 1},
        {VERSION_ORDER_DOTTED, "2013.01.15.11.35.56", "20130115", -1},
        {VERSION_ORDER_DOTTED, "1.", "9", 1},
        {VERSION_ORDER_DOTTED, "1..2", "9", 1},
        {VERSION_ORDER_DOTTED, ".1", "9", 1},
        {VERSION_ORDER_DOTTED, "1.a", "9", 1},
        {VERSION_ORDER_DOTTED, "", "9", 1},
        {VERSION_ORDER_DOTTED, "1.a", "1.b", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str a = str_of(rows[i].a), b = str_of(rows[i].b);
        int there = sign(version_compare(rows[i].order, a, b));
        int back = sign(version_compare(rows[i].order, b, a));
        if (there != rows[i].expected || back != -rows[i].expected)
            fail_msg("%s and %s in order %d: %d and %d", rows[i].a, rows[i].b, rows[i].order, there,
                     back);
        assert_int_equal(version_compare(rows[i].order, a, a), 0);
    }
}

static void every_layout_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < LAYOUT_MAX; i++) {
        enum layout found = LAYOUT_MAX;
        assert_true(layout_of_name(str_of(layout_name((enum layout)i)), &found));
        assert_int_equal(found, i);
    }
    enum layout untouched = LAYOUT_MAX;
    assert_false(layout_of_name(STR("rails"), &untouched));
    assert_false(layout_of_name(STR(""), &untouched));
    assert_int_equal(untouched, LAYOUT_MAX);
    assert_string_equal(layout_name(LAYOUT_GOLANG_MIGRATE), "golang-migrate");
}

static void engines_have_one_name_and_several_spellings(void **state)
{
    (void)state;
    assert_string_equal(engine_name(ENGINE_UNKNOWN), "unknown");
    assert_string_equal(engine_name(ENGINE_POSTGRES), "postgres");
    assert_string_equal(engine_name(ENGINE_SQLITE), "sqlite");
    assert_int_equal(engine_of_name(STR("postgresql")), ENGINE_POSTGRES);
    assert_int_equal(engine_of_name(STR("pg")), ENGINE_POSTGRES);
    assert_int_equal(engine_of_name(STR("sqlite3")), ENGINE_SQLITE);
    assert_int_equal(engine_of_name(STR("mysql")), ENGINE_UNKNOWN);
    assert_int_equal(engine_of_name(STR("")), ENGINE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_ordered_as_their_layout_orders_them),
        cmocka_unit_test(every_layout_is_found_by_its_name),
        cmocka_unit_test(engines_have_one_name_and_several_spellings),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
