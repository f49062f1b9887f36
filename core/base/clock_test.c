/* Time: clocks that go forward, and the texts for times and durations. */
#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void clocks_go_forward_and_agree_on_the_century(void **state)
{
    (void)state;
    int64_t first_us = clock_monotonic_us();
    for (int i = 0; i < 1000; i++) {
        int64_t next_us = clock_monotonic_us();
        assert_true(next_us >= first_us);
        first_us = next_us;
    }
    assert_true(clock_wall_us() > INT64_C(1600000000) * 1000000);
    assert_true(clock_wall_us() < INT64_C(7000000000) * 1000000);
}

static void a_pause_is_at_least_as_long_as_asked(void **state)
{
    (void)state;
    int64_t from_us = clock_monotonic_us();
    clock_sleep_ms(5);
    assert_true(clock_monotonic_us() - from_us >= 5000);
    clock_sleep_ms(0);
    clock_sleep_ms(-5); /* a deadline that has passed */
}

static void times_are_written_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-1000000, "1969-12-31T23:59:59.000000Z"},
        {INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
        {INT64_C(1795207380123456), "2026-11-20T20:43:00.123456Z"},
        {INT64_C(2147483648000000), "2038-01-19T03:14:08.000000Z"},
        {INT64_C(253402300800000000), "10000-01-01T00:00:00.000000Z"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t read_us = -7;
        assert_string_equal(clock_iso(a, rows[i].wall_us), rows[i].text);
        bool has_four_digits = rows[i].text[4] == '-';
        assert_int_equal(clock_parse_iso(str_of(rows[i].text), &read_us), has_four_digits);
        assert_int_equal(read_us, has_four_digits ? rows[i].wall_us : -7);
    }
}

static void what_is_no_time_is_not_read_as_one(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "2026",
                                        "2026-11-20 20:43:00Z",
                                        "2026-11-20T20:43:00",
                                        "2026-11-20T20:43:00.12",
                                        "2026-11-20T20:43:00.5Zx"};
    int64_t us;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(clock_parse_iso(str_of(texts[i]), &us));
    assert_true(clock_parse_iso(STR("1970-01-01T00:00:01Z"), &us));
    assert_int_equal(us, 1000000);
    assert_true(clock_parse_iso(STR("1970-01-01T00:00:01.25Z"), &us));
    assert_int_equal(us, 1250000);
}

static void durations_are_written_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t duration_us;
        const char *text;
    } rows[] = {
        {-5, "0.0 ms"},
        {0, "0.0 ms"},
        {400, "0.4 ms"},
        {949, "0.9 ms"},
        {950, "1 ms"},
        {340000, "340 ms"},
        {999499, "999 ms"},
        {999500, "1.0 s"},
        {1240000, "1.2 s"},
        {59940000, "59.9 s"},
        {59960000, "1 min 00 s"},
        {123000000, "2 min 03 s"},
        {INT64_C(3599400000), "59 min 59 s"},
        {INT64_C(3599600000), "1 h 00 min"},
        {INT64_C(3900000000), "1 h 05 min"},
        {INT64_C(360000000000), "100 h 00 min"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(clock_duration_text(a, rows[i].duration_us), rows[i].text);
}

static void durations_are_read_with_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_duration;
        int64_t ms;
    } rows[] = {
        {"400ms", true, 400},
        {"2s", true, 2000},
        {"10m", true, 600000},
        {"10min", true, 600000},
        {"24h", true, 86400000},
        {"7d", true, 604800000},
        {"0", true, 0},
        {"0s", true, 0},
        {"2 s", true, 2000},
        {"9223372036854775807ms", true, INT64_MAX},
        {"9223372036854775808ms", false, 0},
        {"9223372036854775s", true, INT64_C(9223372036854775000)},
        {"9223372036854776s", false, 0},
        {"", false, 0},
        {"5", false, 0},
        {"s", false, 0},
        {"-1s", false, 0},
        {"1.5s", false, 0},
        {"1S", false, 0},
        {"1s ago", false, 0},
        {" 1s", false, 0},
        {"1w", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = 42;
        bool is_duration = clock_parse_duration(str_of(rows[i].text), &ms);
        if (is_duration != rows[i].is_duration || ms != (is_duration ? rows[i].ms : 42))
            fail_msg("\"%s\" was read as %lld ms", rows[i].text, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward_and_agree_on_the_century),
        cmocka_unit_test(a_pause_is_at_least_as_long_as_asked),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(what_is_no_time_is_not_read_as_one),
        cmocka_unit_test(durations_are_written_for_people),
        cmocka_unit_test(durations_are_read_with_their_unit),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
