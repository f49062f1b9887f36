/* What was seen, put to steps and judged. */
#include "core/model/evidence.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/base/vec.h"

#define SECOND ((int64_t)1000000)

static struct arena *arena;

static int start(void **state UNUSED)
{
    arena = arena_make();
    return 0;
}

static int end(void **state UNUSED)
{
    arena_release(arena);
    return 0;
}

/* Two steps, from 10 to 20 s and from 20 to 30 s. */
static struct evidence make(struct observed *seen)
{
    struct evidence e = {
        .seen = seen,
        .limits = {.blocked_ms = 500, .strong_lock_ms = 300, .duration_ms = 3600000},
    };
    struct evidence_step one = {.migration = STR("0001"), .unit = 1, .line = 4};
    struct evidence_step two = {
        .migration = STR("0001"), .unit = 2, .line = 4, .phase = "backfill"};
    one.from_us = 10 * SECOND;
    one.to_us = two.from_us = 20 * SECOND;
    two.to_us = 30 * SECOND;
    vec_push(arena, &e.steps, one);
    vec_push(arena, &e.steps, two);
    return e;
}

static void add_lock(struct observed *seen, enum lock_mode mode, int64_t transaction_us,
                     int64_t held_us)
{
    struct seen_lock lock = {.relation = STR("public.t"),
                             .mode = mode,
                             .transaction_us = transaction_us,
                             .from_us = transaction_us,
                             .to_us = transaction_us + held_us};
    vec_push(arena, &seen->locks, lock);
}

static void add_wait(struct observed *seen, enum traffic class, int64_t from_us, int64_t waited_us)
{
    struct seen_wait wait = {.relation = STR("public.t"),
                             .class = class,
                             .from_us = from_us,
                             .to_us = from_us + waited_us};
    vec_push(arena, &seen->waits, wait);
}

static struct evidence judge(struct observed *seen)
{
    struct evidence e = make(seen);
    evidence_attribute(arena, &e);
    evidence_judge(arena, &e);
    return e;
}

static void what_was_seen_belongs_to_the_step_of_its_time(void **state UNUSED)
{
    struct observed seen = {0};
    add_lock(&seen, LOCK_SHARE, 9 * SECOND, SECOND / 2); /* by the clock before the first */
    add_lock(&seen, LOCK_SHARE, 12 * SECOND, SECOND);
    add_lock(&seen, LOCK_SHARE, 15 * SECOND, 3 * SECOND);
    add_lock(&seen, LOCK_ACCESS_EXCLUSIVE, 21 * SECOND, 0);
    add_wait(&seen, TRAFFIC_WRITE, 19 * SECOND, SECOND + 20); /* ends with the COMMIT */
    add_wait(&seen, TRAFFIC_WRITE, 12 * SECOND, SECOND / 10);
    add_wait(&seen, TRAFFIC_READ, 29 * SECOND, 10 * SECOND);
    struct evidence e = judge(&seen);
    const struct evidence_step *one = &e.steps.at[0], *two = &e.steps.at[1];
    assert_int_equal(one->locks.count, 1);
    assert_int_equal(one->locks.at[0].held_us, 3 * SECOND);
    assert_int_equal(two->locks.count, 1);
    assert_int_equal(two->locks.at[0].mode, LOCK_ACCESS_EXCLUSIVE);
    assert_int_equal(one->waits.count, 1);
    assert_int_equal(one->waits.at[0].count, 2);
    assert_int_equal(one->waits.at[0].longest_us, SECOND + 20);
    assert_int_equal(one->waits.at[0].total_us, SECOND + 20 + SECOND / 10);
    assert_int_equal(two->waits.count, 1);
}

/* The clocks of two machines agree up to the time that a question takes. */
static void no_lock_is_left_out(void **state UNUSED)
{
    struct observed seen = {0};
    add_lock(&seen, LOCK_ACCESS_EXCLUSIVE, 9 * SECOND, 2 * SECOND);
    struct evidence e = judge(&seen);
    assert_int_equal(e.steps.at[0].locks.count, 1);
    assert_int_equal(e.verdict, VERDICT_BLOCK);
}

static void budgets_decide(void **state UNUSED)
{
    struct observed none = {0};
    assert_int_equal(judge(&none).verdict, VERDICT_PASS);
    struct observed within = {0};
    add_lock(&within, LOCK_ACCESS_EXCLUSIVE, 12 * SECOND, 300000);
    add_lock(&within, LOCK_SHARE_UPDATE_EXCLUSIVE, 12 * SECOND, 8 * SECOND); /* in nobody's way */
    add_wait(&within, TRAFFIC_READ, 12 * SECOND, 500000);
    assert_int_equal(judge(&within).verdict, VERDICT_PASS);
    struct observed waits = {0};
    add_wait(&waits, TRAFFIC_KEY_SHARE, 12 * SECOND, 500001);
    struct evidence e = judge(&waits);
    assert_int_equal(e.verdict, VERDICT_BLOCK);
    assert_string_equal(
        e.reasons.at[0],
        "0001 line 4 made a statement of the application (key share, public.t) wait "
        "500 ms; policy.max_blocked is 500 ms");
    struct observed locks = {0};
    add_lock(&locks, LOCK_SHARE, 22 * SECOND, 2 * SECOND);
    e = judge(&locks);
    assert_false(e.steps.at[0].is_over);
    assert_true(e.steps.at[1].is_over);
    assert_int_equal(e.verdict, VERDICT_BLOCK);
    assert_string_equal(e.reasons.at[0],
                        "0001 line 4 (step 2, backfill) held SHARE on public.t for "
                        "2.0 s; policy.max_strong_lock is 300 ms");
}

static void what_nobody_looked_at_is_no_pass(void **state UNUSED)
{
    struct observed blind = {.longest_look_us = 300001};
    assert_int_equal(judge(&blind).verdict, VERDICT_UNKNOWN);
    struct observed broken = {.blind_probes = 1};
    assert_int_equal(judge(&broken).verdict, VERDICT_UNKNOWN);
    struct observed many = {.unprobed = 3};
    assert_int_equal(judge(&many).verdict, VERDICT_UNKNOWN);
    add_wait(&many, TRAFFIC_READ, 12 * SECOND, 2 * SECOND);
    struct evidence e = judge(&many);
    assert_int_equal(e.verdict, VERDICT_BLOCK); /* the worse of both, */
    assert_int_equal(e.reasons.count, 2);       /* and both are told */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_belongs_to_the_step_of_its_time),
        cmocka_unit_test(no_lock_is_left_out),
        cmocka_unit_test(budgets_decide),
        cmocka_unit_test(what_nobody_looked_at_is_no_pass),
    };
    return cmocka_run_group_tests(tests, start, end);
}
