/* How a unit asks for its tables, try after try, by who is in the way. */
#include "core/run/table_locks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/vec.h"
#include "core/run/unit.h"

#define LOOKS_MAX 12

/* A server of which only that is asked, and a unit that wants tables. */
static struct {
    const char *looks[LOOKS_MAX]; /* transactions that are in the way, one for each look */
    size_t look_count;
    bool gives_way;
    int64_t open_us; /* how long these transactions are open */
    uint32_t deadlock_timeout_ms;
    struct unit_options begun; /* the last begin() within a try */
    size_t begin_count;
} server;

static bool table_holders(struct arena *a, struct connection *c UNUSED,
                          const struct table_locks *tables UNUSED, struct awaited_lock *out,
                          struct fail *f UNUSED)
{
    struct lock_blocker *one = arena_new(a, struct lock_blocker);
    assert_true(server.look_count < LOOKS_MAX);
    const char *transaction = server.looks[server.look_count++];
    *one = (struct lock_blocker){.who = "process 7",
                                 .open_us = server.open_us,
                                 .query = STR(""),
                                 .transaction = transaction,
                                 .gives_way = server.gives_way};
    *out = (struct awaited_lock){
        .at = one, .count = transaction ? 1 : 0, .deadlock_timeout_ms = server.deadlock_timeout_ms};
    return true;
}

static bool begin(struct connection *c UNUSED, const struct unit_options *options,
                  struct fail *f UNUSED)
{
    server.begun = *options;
    server.begin_count++;
    return true;
}

static const struct driver driver = {.table_holders = table_holders, .begin = begin};
static const struct dialect dialect;
static const struct script_context script = {.dialect = &dialect};
static volatile sig_atomic_t stop_signal;

/* Its tries end at their first refusal, since the budget is used up. */
struct unit {
    struct arena *arena;
    struct journal journal;
    struct run_context run;
    struct migration migration;
    struct planned_migration planned;
    struct execution x;
};

static void make(struct unit *u, size_t tables, int64_t budget_ms)
{
    *u = (struct unit){.arena = arena_make()};
    u->run = (struct run_context){.driver = &driver,
                                  .journal = &u->journal,
                                  .script = &script,
                                  .lock_budget_ms = budget_ms,
                                  .stop_signal = &stop_signal};
    struct unit_locks locks = {.unit = 3};
    for (size_t i = 0; i < tables; i++) {
        struct table_lock one = {.table = str_of(arena_printf(u->arena, "public.t%zu", i)),
                                 .mode = LOCK_ACCESS_EXCLUSIVE};
        table_locks_add(u->arena, &locks.locks, &one);
    }
    vec_push(u->arena, &u->planned.locks, locks);
    u->planned.migration = &u->migration;
    u->x = (struct execution){.run = &u->run, .planned = &u->planned, .unit = 3, .kind = UNIT_OURS};
    stop_signal = 0;
    server.look_count = server.begin_count = 0;
    server.gives_way = false;
    server.open_us = -1;
    server.deadlock_timeout_ms = 1000;
}

static void release(struct unit *u)
{
    table_wait_end(&u->x);
    arena_release(u->arena);
}

static struct unit_options open(struct unit *u)
{
    struct unit_options options = {0};
    table_wait_begin(&u->x, &options);
    return options;
}

static bool refuse(struct unit *u, struct fail *f)
{
    fail_set(f, EXIT_BUSY, "could not lock public.t0");
    fail_kind_set(f, FAIL_TABLES_HELD);
    return table_wait_again(&u->x, f);
}

/* looks: who is in the way when a try begins and when it ends; a try in the queue only looks at its end. */
static const struct {
    const char *what;
    const char *looks[LOOKS_MAX];
    size_t tables;
    uint32_t deadlock_timeout_ms;
    uint32_t waits_ms[6]; /* of each try: 0 asks without waiting; ends with a 1 */
} cases[] = {
    {"who stays is not queued for", {"4/1", "4/1", "4/1", "4/1"}, 1, 1000, {0, 0, 0, 1}},
    {"who comes and goes is",
     {"4/1", "5/1", "6/1", "7/1", "8/1", "9/1"},
     1,
     1000,
     {0, 100, 100, 200, 300, 1}},
    {"and no more when one stays", {"4/1", "5/1", "5/1", "5/1", "5/1"}, 1, 1000, {0, 100, 0, 0, 1}},
    {"nobody was seen: a gap was missed", {NULL, NULL}, 1, 1000, {0, 100, 1}},
    {"half of deadlock_timeout at most", {"4/1", "5/1"}, 1, 150, {0, 75, 1}},
    {"together as long as for one table", {"4/1", "5/1"}, 4, 1000, {0, 25, 1}},
};

static void the_queue_is_only_for_those_who_come_and_go(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct unit u;
        print_message("%s\n", cases[i].what);
        make(&u, cases[i].tables, 0);
        memcpy(server.looks, cases[i].looks, sizeof(server.looks));
        server.deadlock_timeout_ms = cases[i].deadlock_timeout_ms;
        for (size_t k = 0; cases[i].waits_ms[k] != 1; k++) {
            SCOPED(fail) struct fail f = FAIL_NONE;
            struct unit_options options = open(&u);
            assert_int_equal(options.tables->count, cases[i].tables);
            assert_int_equal(options.tables_wait_ms, cases[i].waits_ms[k]);
            assert_int_equal(options.vacuum_wait_ms, 0);
            assert_false(refuse(&u, &f));
            assert_int_equal(f.kind, FAIL_TABLES_HELD);
            assert_non_null(strstr(f.message, "could not lock public.t0 within "));
        }
        release(&u);
    }
}

/* It came after the first look, and is none of those that go soon. */
static void a_long_transaction_is_not_queued_for_either(void **state UNUSED)
{
    struct unit u;
    SCOPED(fail) struct fail f = FAIL_NONE;
    make(&u, 1, 0);
    server.looks[0] = "4/1";
    server.looks[1] = "5/1";
    server.open_us = 1500000;
    (void)open(&u);
    assert_false(refuse(&u, &f));
    assert_int_equal(open(&u).tables_wait_ms, 0);
    release(&u);
}

static void autovacuum_is_waited_for_once_in_a_try(void **state UNUSED)
{
    struct unit u;
    SCOPED(fail) struct fail f = FAIL_NONE;
    make(&u, 1, 60000);
    server.looks[0] = "4/1";
    server.gives_way = true;
    (void)open(&u);
    assert_true(refuse(&u, &f));
    assert_int_equal(server.begin_count, 1);
    assert_int_equal(server.begun.vacuum_wait_ms, 1300);
    assert_int_equal(server.begun.tables_wait_ms, 0);
    assert_true(refuse(&u, &f));
    assert_int_equal(server.begin_count, 2);
    assert_int_equal(server.begun.vacuum_wait_ms, 0);
    assert_true(refuse(&u, &f)); /* from here on as anybody else */
    assert_int_equal(server.begin_count, 2);
    assert_int_equal(server.look_count, 1);
    release(&u);
}

static void what_it_waited_is_known_when_it_has_them(void **state UNUSED)
{
    struct unit u;
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statement_result result = {.duration_us = 1};
    make(&u, 1, 60000);
    server.looks[0] = "4/1";
    assert_int_equal(table_wait_us(&u.x), -1);
    (void)open(&u);
    assert_int_equal(table_wait_us(&u.x), 0);
    assert_true(refuse(&u, &f));
    assert_false(fail_is_set(&f));
    table_wait_over(&u.x, u.x.wait.since_us + 70, &result, 1);
    assert_int_equal(table_wait_us(&u.x), 70);
    table_wait_reset(&u.x);
    assert_int_equal(table_wait_us(&u.x), -1);
    release(&u);
}

static void a_signal_ends_the_try(void **state UNUSED)
{
    struct unit u;
    SCOPED(fail) struct fail f = FAIL_NONE;
    make(&u, 1, 60000);
    (void)open(&u);
    stop_signal = SIGTERM;
    assert_false(refuse(&u, &f));
    assert_int_equal(f.code, EXIT_SIGTERM);
    assert_int_equal(server.look_count, 0);
    release(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_is_only_for_those_who_come_and_go),
        cmocka_unit_test(a_long_transaction_is_not_queued_for_either),
        cmocka_unit_test(autovacuum_is_waited_for_once_in_a_try),
        cmocka_unit_test(what_it_waited_is_known_when_it_has_them),
        cmocka_unit_test(a_signal_ends_the_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
