/* How large batches are, and when there may be one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/vec.h"
#include "core/run/backfill.h"

/* Rows that take each_us: after a while a batch takes its time. */
static int64_t size_for(double each_us)
{
    struct servo s = servo_start(false, 200, 0);
    for (int i = 0; i < 60; i++)
        servo_note(&s, (int64_t)((double)s.size * each_us));
    return s.size;
}

static void batches_are_made_to_fit_a_time(void **state UNUSED)
{
    assert_in_range(size_for(20), 9000, 11000);
    assert_in_range(size_for(1000), 190, 210);
    assert_int_equal(size_for(0.01), 100000);
    assert_int_equal(size_for(1e6), 10);
}

static void what_meets_a_lock_is_halved(void **state UNUSED)
{
    struct servo s = servo_start(false, 200, 640);
    servo_shrink(&s);
    assert_int_equal(s.size, 320);
    for (int i = 0; i < 20; i++)
        servo_shrink(&s);
    assert_int_equal(s.size, s.floor);
}

static const struct backfill_limits limits = {.replica_lag_ms = 5000};

static const char *judge_at(struct arena *a, struct throttle *t, const struct replica *r,
                            int64_t wal, int64_t now_s)
{
    struct load load = {.wal = wal, .segment_bytes = 16 << 20};
    vec_push(a, &load.replicas, *r);
    return throttle_judge(a, t, &load, now_s * 1000000);
}

static void a_replica_that_stands_still_is_seen_without_the_servers_word(void **state UNUSED)
{
    struct arena *a = arena_make();
    struct throttle t = {.limits = &limits};
    struct replica still = {.name = "b", .replayed = 1000, .lag_us = -1};
    assert_null(judge_at(a, &t, &still, 1000, 100));
    assert_null(judge_at(a, &t, &still, 2000, 101));
    assert_null(judge_at(a, &t, &still, 3000, 105));
    assert_string_equal(judge_at(a, &t, &still, 4000, 107),
                        "replica b is 6.0 s behind (backfill.max_replica_lag is 5.0 s)");
    still.replayed = 4000;
    assert_null(judge_at(a, &t, &still, 4000, 108));
    still.lag_us = 9000000; /* of before: it has all there is */
    assert_null(judge_at(a, &t, &still, 4000, 109));
    assert_non_null(judge_at(a, &t, &still, 5000, 110));
    still.lag_us = 0;
    assert_non_null(judge_at(a, &t, &still, (int64_t)1 << 30, 110));
    arena_release(a);
}

static void what_suffers_is_named(void **state UNUSED)
{
    struct arena *a = arena_make();
    struct throttle t = {.limits = &limits};
    struct load load = {.segment_bytes = 16 << 20, .slot = "cdc"};
    assert_non_null(strstr(throttle_judge(a, &t, &load, 1), "replication slot cdc"));
    load.slot = NULL;
    load.unarchived = (int64_t)43 * (16 << 20);
    assert_non_null(strstr(throttle_judge(a, &t, &load, 1), "43 segments of WAL"));
    load.unarchived = (int64_t)42 * (16 << 20);
    assert_null(throttle_judge(a, &t, &load, 1));
    load.is_vacuumed = true;
    assert_non_null(strstr(throttle_judge(a, &t, &load, 1), "wraparound"));
    load = (struct load){.held_wal = (int64_t)256 << 20};
    assert_null(throttle_judge(a, &t, &load, 1));
    load.held_wal++;
    assert_non_null(strstr(throttle_judge(a, &t, &load, 1), "readers keep 256 MB of the WAL"));
    arena_release(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_made_to_fit_a_time),
        cmocka_unit_test(what_meets_a_lock_is_halved),
        cmocka_unit_test(a_replica_that_stands_still_is_seen_without_the_servers_word),
        cmocka_unit_test(what_suffers_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
