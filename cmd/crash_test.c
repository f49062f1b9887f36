/*
 * For every recipe: apply, contract and rollback are killed again and again, at the boundaries of their
 * steps, at any message and at any time, and called again until they come to their end. The end is that of
 * the migration as it is written, or the beginning where it is taken back; nothing is left behind, nothing is
 * done twice, and the history proves itself. MIGRATE_LONG=1 (`make test-long`) tries every case and every way
 * to die. MIGRATE_QUICK=1 kills less often. MIGRATE_SEED says which
 * moments are chosen; CASE, which case.
 */
#include "cmd/crash_testing.h"

static uint64_t seed = 1;

static int start(void **state UNUSED)
{
    const char *given = getenv("MIGRATE_SEED");

    crash_cluster = pg_cluster_start(NULL);
    crash_arena = arena_make();
    seed = given ? strtoull(given, NULL, 10) : 1;
    return 0;
}

static int end(void **state UNUSED)
{
    arena_release(crash_arena);
    return 0;
}

/* Xorshift, by George Marsaglia. */
static unsigned pick(unsigned count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % count);
}

static enum proxy_cut pick_moment(void)
{
    return pick(2) ? PROXY_HOLD_BEFORE : PROXY_HOLD_AFTER_ANSWER;
}

/* Numbers of a sequence have gaps where a run was killed, and random ones are others each time. */
static const char *state_to_compare(const struct crash_case *c, const struct project *p)
{
    bool is_computed = strncmp(c->name, "add-column", strlen("add-column")) == 0;

    return is_computed ? state_schema_of(crash_arena, p) : state_of(crash_arena, p);
}

static const char *as_written(const struct crash_case *c)
{
    struct project *p = crash_project(c);

    if (c->as_written) {
        project_execute(p, c->as_written);
    } else {
        struct ran r = project_run(p, "apply", "--rewrite", "off", NULL);
        assert_exit(&r, 0);
    }
    return state_to_compare(c, p);
}

static void assert_clean(const struct crash_case *c, const struct project *p, const char *wanted)
{
    assert_string_equal(state_difference(crash_arena, wanted, state_to_compare(c, p)), "");
    assert_answer(p, "SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready", "0");
    if (strcmp(project_query(p, "SELECT to_regclass('migrator.backfill') IS NULL"), "f") == 0)
        assert_answer(p, "SELECT count(*) FROM migrator.backfill", "0");
    struct ran r = project_run(p, "doctor", NULL);
    assert_exit(&r, 0);
    assert_not_out(&r, "left");
    assert_whole(p);
}

/* ---- one run behind the other, each killed ---- */

#define MOST_KILLS (getenv("MIGRATE_QUICK") ? 12u : 200u)
#define RANDOM_US 400000

/* At any time. */
static void kill_at_random(struct project *p, const char *command, enum crash_kind kind)
{
    struct program *program = crash_start(p, command);

    (void)usleep((useconds_t)pick(RANDOM_US));
    crash_do(p, kind, program);
    (void)project_finish(program);
}

/* At any time, at any message, and then at the first COMMIT that brings it further, before it or behind it,
   until it is done, or was killed so often. Its exit code in the end. */
static int kill_until_done(struct project *p, const char *command, enum crash_kind kind,
                           unsigned most)
{
    static const char progress[] = "SELECT state, units_done FROM migrator.history";
    unsigned nth = 1;

    kill_at_random(p, command, kind);
    int code = crash_run(p, command, kind, pick_moment(), "", 1 + pick(80));
    const char *last = project_query(p, progress);
    for (unsigned kills = 0; code == -1 && kills < most; kills++) {
        enum proxy_cut moment = pick_moment();
        code = crash_run(p, command, kind, moment, "COMMIT",
                         nth + (moment == PROXY_HOLD_BEFORE ? 1 : 0));
        const char *now = project_query(p, progress);
        nth += strcmp(now, last) == 0;
        last = now;
    }
    return code == -1 ? crash_run(p, command, kind, PROXY_PASS, "", 1) : code;
}

/* A migration may wait twice. */
static bool is_waiting(const struct project *p)
{
    return strcmp(project_query(p, "SELECT state FROM migrator.history"), "applied") != 0;
}

static struct project *there_by_pieces(const struct crash_case *c, enum crash_kind kind,
                                       unsigned most)
{
    struct project *p = crash_project(c);

    print_message("%s: %s\n", c->name, crash_names[kind]);
    assert_int_equal(kill_until_done(p, "apply", kind, most), 0);
    for (int i = 0; i < 2 && is_waiting(p); i++)
        assert_int_equal(kill_until_done(p, "contract", kind, most), 0);
    assert_clean(c, p, as_written(c));
    assert_answer(p, "SELECT state FROM migrator.history", "applied");
    return p;
}

static void back_by_pieces(const struct crash_case *c, enum crash_kind kind, unsigned most)
{
    struct project *p = crash_project(c);
    const char *before = state_to_compare(c, p);

    print_message("back from %s: %s\n", c->name, crash_names[kind]);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    if (kill_until_done(p, "rollback", kind, most) != 0) { /* refused: says why */
        r = project_run(p, "rollback", "0001", "--lossy", "--reason", "a test", NULL);
        assert_exit(&r, 0);
    }
    assert_clean(c, p, before);
}

/* Those with steps that have no way back, and those with one. */
static struct crash_case case_there(void)
{
    return crash_case_of("testdata/crash", "there");
}

static struct crash_case case_back(void)
{
    return crash_case_of("testdata/crash", "back");
}

static void add_recipes(struct buf *known, const struct project *p)
{
    buf_printf(known, " %s ",
               project_query(p, "SELECT string_agg(form ->> 'recipe', '  ') FROM migrator.event, "
                                "json_array_elements((detail::json) -> 'online') AS form WHERE "
                                "kind = 'planned'"));
}

static void runs_that_are_killed_are_ended_by_the_next(void **state UNUSED)
{
    SCOPED(buf) struct buf known = {0};
    const struct crash_case whole[] = {case_there(), case_back()};

    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        add_recipes(&known, there_by_pieces(&whole[i], CRASH_PROGRAM, MOST_KILLS));
    struct crash_cases rest = crash_cases_read(&known); /* of recipes that they do not have */
    for (size_t i = 0; i < rest.count; i++)
        (void)there_by_pieces(&rest.at[i], CRASH_PROGRAM, MOST_KILLS);
}

static void rollbacks_that_are_killed_are_ended_by_the_next(void **state UNUSED)
{
    const struct crash_case back = case_back();

    back_by_pieces(&back, CRASH_PROGRAM, MOST_KILLS);
}

static void runs_whose_sessions_or_server_end_are_ended_by_the_next(void **state UNUSED)
{
    const struct crash_case there = case_there();
    const struct crash_case back = case_back();

    (void)there_by_pieces(pick(2) ? &there : &back, CRASH_BACKENDS, 4);
    (void)there_by_pieces(pick(2) ? &there : &back, CRASH_SERVER, 2);
    back_by_pieces(&back, pick(2) ? CRASH_BACKENDS : CRASH_SERVER, 3);
}

/* Hours. */
static void all_of_it(void **state UNUSED)
{
    const struct crash_case back = case_back();

    struct crash_cases all = crash_cases_read(NULL);
    vec_push(crash_arena, &all, case_there());
    vec_push(crash_arena, &all, case_back());
    for (enum crash_kind kind = CRASH_PROGRAM; kind <= CRASH_SERVER; kind++) {
        back_by_pieces(&back, kind, MOST_KILLS);
        for (size_t i = 0; i < all.count; i++)
            (void)there_by_pieces(&all.at[i], kind, MOST_KILLS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_that_are_killed_are_ended_by_the_next),
        cmocka_unit_test(rollbacks_that_are_killed_are_ended_by_the_next),
        cmocka_unit_test(runs_whose_sessions_or_server_end_are_ended_by_the_next),
    };
    const struct CMUnitTest long_tests[] = {cmocka_unit_test(all_of_it)};
    if (getenv("MIGRATE_LONG"))
        return cmocka_run_group_tests(long_tests, start, end);
    return cmocka_run_group_tests(tests, start, end);
}
