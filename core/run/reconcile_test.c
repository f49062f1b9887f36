/* Files against history, state by state. */
#include "core/run/reconcile_testing.h"
#include "drivers/testkit/fixture.h"

static const struct reconcile_case cases[] = {
    {
        .name = "nothing at all",
    },
    {
        .name = "an empty history leaves everything pending",
        .files = {{"1", "a", "x"}, {"2", "b", "y"}, {"R", "r", "z"}},
        .expected = {{"1", STATE_PENDING, 0}, {"2", STATE_PENDING, 0}, {"r", STATE_PENDING, 0}},
    },
    {
        .name = "what is applied is applied, what follows is pending",
        .files = {{"1", "a", "x"}, {"2", "b", "y"}},
        .rows = {{"1", "a", "x", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"2", STATE_PENDING, 0}},
    },
    {
        .name = "versions are compared as the layout orders them",
        .files = {{"1.0", "a", "x"}, {"02", "b", "y"}, {"10", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}},
        .expected = {{"1.0", STATE_APPLIED, 0}, {"02", STATE_APPLIED, 0}, {"10", STATE_PENDING, 0}},
    },
    {
        .name = "line ends are no change of the migration",
        .files = {{"1", "a", "x~"}},
        .rows = {{"1", "a", "x", 0}},
        .expected = {{"1", STATE_APPLIED, CHANGE_LINE_ENDINGS}},
    },
    {
        .name = "an edited comment is named as one",
        .files = {{"1", "a", "x#"}},
        .rows = {{"1", "a", "x", 0}},
        .expected = {{"1", STATE_CHANGED, CHANGE_COMMENTS}},
    },
    {
        .name = "an edited statement is named as one",
        .files = {{"1", "a", "x2"}},
        .rows = {{"1", "a", "x", 0}},
        .expected = {{"1", STATE_CHANGED, CHANGE_SQL}},
    },
    {
        .name = "a deleted file is missing, in its place",
        .files = {{"1", "a", "x"}, {"3", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}, {"3", "c", "z", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"2", STATE_MISSING, 0}, {"3", STATE_APPLIED, 0}},
    },
    {
        .name = "a renumbered file is recognised by its text",
        .files = {{"1", "a", "x"}, {"5", "b", "y"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"5", STATE_RENUMBERED, 0}},
    },
    {
        .name = "two files with the text of one row: only one of them was renumbered",
        .files = {{"5", "b", "y"}, {"6", "c", "y"}},
        .rows = {{"2", "b", "y", 0}},
        .expected = {{"5", STATE_RENUMBERED, 0}, {"6", STATE_PENDING, 0}},
    },
    {
        .name = "two that changed places were not edited",
        .files = {{"1", "b", "y"}, {"2", "a", "x"}, {"3", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}, {"3", "c", "z", 0}},
        .expected = {{"1", STATE_RENUMBERED, CHANGE_SQL},
                     {"2", STATE_RENUMBERED, CHANGE_SQL},
                     {"3", STATE_APPLIED, 0}},
    },
    {
        .name = "a new file in between pushed the others up",
        .files = {{"1", "a", "x"}, {"2", "n", "new"}, {"3", "b", "y"}, {"4", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}, {"3", "c", "z", 0}},
        .expected = {{"1", STATE_APPLIED, 0},
                     {"2", STATE_CHANGED, CHANGE_SQL},
                     {"3", STATE_RENUMBERED, CHANGE_SQL},
                     {"4", STATE_RENUMBERED, 0}},
    },
    {
        .name = "a deleted file let the others down",
        .files = {{"1", "b", "y"}, {"2", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}, {"3", "c", "z", 0}},
        .expected = {{"1", STATE_RENUMBERED, CHANGE_SQL},
                     {"2", STATE_RENUMBERED, CHANGE_SQL},
                     {"3", STATE_MISSING, 0}},
    },
    {
        .name = "one edited into the text of another, which has it still, is an edit",
        .files = {{"1", "a", "y"}, {"2", "b", "y"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}},
        .expected = {{"1", STATE_CHANGED, CHANGE_SQL}, {"2", STATE_APPLIED, 0}},
    },
    {
        .name = "where only comments differ, changed places are no matter",
        .files = {{"1", "b", "x#"}, {"2", "a", "x"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "x#", 0}},
        .expected = {{"1", STATE_CHANGED, CHANGE_COMMENTS}, {"2", STATE_CHANGED, CHANGE_COMMENTS}},
    },
    {
        .name = "the same text twice is no renumbering while both files are there",
        .files = {{"1", "a", "x"}, {"2", "b", "x"}},
        .rows = {{"1", "a", "x", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"2", STATE_PENDING, 0}},
    },
    {
        .name = "a file that sorts before an applied one is out of order",
        .files = {{"1", "a", "x"}, {"2", "b", "y"}, {"3", "c", "z"}, {"4", "d", "w"}},
        .rows = {{"1", "a", "x", 0}, {"3", "c", "z", 0}},
        .expected = {{"1", STATE_APPLIED, 0},
                     {"2", STATE_OUT_OF_ORDER, 0},
                     {"3", STATE_APPLIED, 0},
                     {"4", STATE_PENDING, 0}},
    },
    {
        .name = "out of order is told by the set, not by the highest version",
        .files = {{"1", "a", "x"}, {"2", "b", "y"}, {"3", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"3", "c", "z", 0}, {"2", "b", "y", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"2", STATE_APPLIED, 0}, {"3", STATE_APPLIED, 0}},
    },
    {
        .name = "an incomplete migration goes on",
        .files = {{"1", "a", "x"}, {"2", "b", "y"}},
        .rows = {{"1", "a", "x", "incomplete"}},
        .expected = {{"1", STATE_INCOMPLETE, 0}, {"2", STATE_PENDING, 0}},
    },
    {
        .name = "an incomplete migration may be mended: its change is told, it is still incomplete",
        .files = {{"1", "a", "x2"}},
        .rows = {{"1", "a", "x", "incomplete"}},
        .expected = {{"1", STATE_INCOMPLETE, CHANGE_SQL}},
    },
    {
        .name = "an unchanged repeatable rests, a changed one is outdated",
        .files = {{"R", "r1", "x"}, {"R", "r2", "y2"}, {"R", "r3", "z~"}, {"R", "r4", "w#"}},
        .rows =
            {{"R", "r1", "x", 0}, {"R", "r2", "y", 0}, {"R", "r3", "z", 0}, {"R", "r4", "w", 0}},
        .expected = {{"r1", STATE_APPLIED, 0},
                     {"r2", STATE_OUTDATED, CHANGE_SQL},
                     {"r3", STATE_APPLIED, CHANGE_LINE_ENDINGS},
                     {"r4", STATE_OUTDATED, CHANGE_COMMENTS}},
    },
    {
        .name = "of several runs of a repeatable the newest counts",
        .files = {{"R", "r", "new"}},
        .rows = {{"R", "r", "old", 0}, {"1", "a", "x", 0}, {"R", "r", "new", 0}},
        .expected = {{"1", STATE_MISSING, 0}, {"r", STATE_APPLIED, 0}},
    },
    {
        .name = "a repeatable that was deleted is missing",
        .files = {{"1", "a", "x"}},
        .rows = {{"1", "a", "x", 0}, {"R", "r", "y", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"r", STATE_MISSING, 0}},
    },
    {
        .name = "a repeatable put back as it once was is outdated, not applied",
        .files = {{"R", "r", "old"}},
        .rows = {{"R", "r", "old", 0}, {"R", "r", "new", 0}},
        .expected = {{"r", STATE_OUTDATED, CHANGE_SQL}},
    },
    {
        .name = "a repeatable is never out of order",
        .files = {{"9", "a", "x"}, {"R", "r", "y"}},
        .rows = {{"9", "a", "x", 0}},
        .expected = {{"9", STATE_APPLIED, 0}, {"r", STATE_PENDING, 0}},
    },
    {
        .name = "code is listed and stays opaque until it is recorded",
        .files = {{"1", "a", "x"}, {"C2", "b", "y"}, {"C3", "c", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}},
        .expected = {{"1", STATE_APPLIED, 0}, {"2", STATE_APPLIED, 0}, {"3", STATE_OPAQUE, 0}},
    },
    {
        .name = "on an empty history the highest baseline stands for what is below it",
        .files = {{"1", "a", "x"}, {"B2", "b", "all"}, {"2", "c", "y"}, {"3", "d", "z"}},
        .expected = {{"1", STATE_COVERED, 0},
                     {"2", STATE_PENDING, 0},
                     {"2", STATE_COVERED, 0},
                     {"3", STATE_PENDING, 0}},
    },
    {
        .name = "of two baselines only the higher one is used",
        .files = {{"B2", "b", "all"}, {"B4", "d", "more"}, {"5", "e", "z"}},
        .expected = {{"2", STATE_COVERED, 0}, {"4", STATE_PENDING, 0}, {"5", STATE_PENDING, 0}},
    },
    {
        .name = "an applied baseline covers the files below it for good",
        .files = {{"1", "a", "x"}, {"B2", "b", "all"}, {"2", "c", "y"}, {"3", "d", "z"}},
        .rows = {{"B2", "b", "all", 0}},
        .expected = {{"1", STATE_COVERED, 0},
                     {"2", STATE_APPLIED, 0},
                     {"2", STATE_COVERED, 0},
                     {"3", STATE_PENDING, 0}},
    },
    {
        .name = "a baseline is ignored where the versions below it were applied one by one",
        .files = {{"1", "a", "x"}, {"B2", "b", "all"}, {"2", "c", "y"}, {"3", "d", "z"}},
        .rows = {{"1", "a", "x", 0}, {"2", "c", "y", 0}},
        .expected = {{"1", STATE_APPLIED, 0},
                     {"2", STATE_COVERED, 0},
                     {"2", STATE_APPLIED, 0},
                     {"3", STATE_PENDING, 0}},
    },
    {
        .name = "a baseline above what was applied one by one is ignored, too",
        .files = {{"1", "a", "x"}, {"2", "c", "y"}, {"B3", "b", "all"}, {"3", "d", "z"}},
        .rows = {{"1", "a", "x", 0}},
        .expected = {{"1", STATE_APPLIED, 0},
                     {"2", STATE_PENDING, 0},
                     {"3", STATE_COVERED, 0},
                     {"3", STATE_PENDING, 0}},
    },
    {
        .name = "an applied baseline that was deleted is missing",
        .files = {{"1", "a", "x"}, {"3", "d", "z"}},
        .rows = {{"B2", "b", "all", 0}},
        .expected = {{"1", STATE_COVERED, 0}, {"2", STATE_MISSING, 0}, {"3", STATE_PENDING, 0}},
    },
};

static void check_case(const struct reconcile_case *c, const struct reconciliation *r)
{
    size_t expected = 0;
    while (expected < ROWS_MAX && c->expected[expected].label)
        expected++;
    if (r->count != expected)
        fail_msg("%s: %zu states, not %zu", c->name, r->count, expected);
    for (size_t i = 0; i < r->count; i++) {
        const struct reconciled *one = &r->at[i];
        struct str label =
            one->migration ? migration_label(one->migration) : history_row_label(one->row);
        const struct expectation *e = &c->expected[i];
        if (!str_equal(label, str_of(e->label)) || one->state != e->state ||
            one->change != e->change)
            fail_msg("%s: [%zu] is %.*s %s (change %d), not %s %s (change %d)", c->name, i,
                     STR_ARG(label), migration_state_name(one->state), (int)one->change, e->label,
                     migration_state_name(e->state), (int)e->change);
    }
}

static void every_state_is_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct reconciliation r;
        int calls;
        run_case(a, &cases[i], &r, &calls);
        check_case(&cases[i], &r);
    }
}

static void every_state_has_a_case(void **state)
{
    (void)state;
    /* The events alone tell what is unrecorded: core/run/verify_test.c. */
    bool is_seen[STATE_COVERED + 1] = {[STATE_UNKNOWN] = true, [STATE_UNRECORDED] = true};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t k = 0; k < ROWS_MAX && cases[i].expected[k].label; k++)
            is_seen[cases[i].expected[k].state] = true;
    }
    for (size_t i = 0; i < ARRAY_LEN(is_seen); i++) {
        if (!is_seen[i])
            fail_msg("no case ends in the state \"%s\"", migration_state_name(i));
    }
}

static void files_are_only_read_where_their_bytes_differ(void **state)
{
    (void)state;
    static const struct reconcile_case c = {
        .name = "",
        .files = {{"1", "a", "x"}, {"2", "b", "y#"}, {"3", "c", "new"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}},
    };
    SCOPED(arena) struct arena *a = arena_make();
    struct reconciliation r;
    int calls;
    run_case(a, &c, &r, &calls);
    assert_int_equal(calls, 1);
    assert_int_equal(r.applied, 2);
    assert_int_equal(r.pending, 1);
    assert_int_equal(r.problems, 1);
}

static void a_deleted_repeatable_is_told_and_stops_nothing(void **state)
{
    (void)state;
    static const struct reconcile_case c = {
        .name = "",
        .files = {{"1", "a", "x"}, {"2", "b", "new"}},
        .rows = {{"1", "a", "x", 0}, {"R", "r", "y", 0}},
    };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct reconciliation r;
    int calls;
    run_case(a, &c, &r, &calls);
    const struct reconciled *gone = &r.at[2];
    assert_int_equal(gone->state, STATE_MISSING);
    assert_false(reconciled_is_problem(gone));
    assert_int_equal(r.problems, 0);
    assert_true(reconciliation_check(&r, false, &f));
    assert_non_null(strstr(reconciled_sentence(a, gone), "repeatable migration r was applied on"));
    assert_non_null(strstr(reconciled_hint(gone), "nothing is to be done"));
}

static void a_deleted_repeatable_that_is_half_done_still_stops(void **state)
{
    (void)state;
    static const struct reconcile_case c = {.name = "", .rows = {{"R", "r", "y", "incomplete"}}};
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct reconciliation r;
    int calls;
    run_case(a, &c, &r, &calls);
    assert_int_equal(r.problems, 1);
    assert_false(reconciliation_check(&r, false, &f));
    assert_non_null(strstr(f.message, "repeatable migration r was begun on"));
    assert_non_null(strstr(f.hint, "Put the file back"));
}

/* ---- size ---- */

static void make_many(struct arena *a, size_t count, struct migrations *files,
                      struct history *history)
{
    for (size_t i = 0; i < count; i++) {
        const char *version = arena_printf(a, "%06zu", i + 1);
        struct file_spec file = {version, arena_printf(a, "%s_name.sql", version), version};
        vec_push(a, files, make_file(&file));
        struct row_spec row = {version, file.name, version, NULL};
        vec_push(a, history, make_row(a, &row, (int64_t)i + 1));
    }
}

static int64_t time_many(size_t count)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migrations files = {.layout = LAYOUT_PLAIN, .order = VERSION_ORDER_NUMBER};
    struct history history = {.exists = true};
    make_many(a, count, &files, &history);
    history.count -= count / 10;
    int calls = 0;
    int64_t from_us = fixture_work_us();
    struct reconciliation r;
    assert_true(reconcile(a, &files, &history, read_digests, &calls, &r, &f));
    int64_t took_us = fixture_work_us() - from_us;
    assert_int_equal(r.applied, history.count);
    assert_int_equal(r.pending, count / 10);
    assert_int_equal(calls, 0);
    return took_us;
}

static void five_thousand_files_cost_little(void **state)
{
    (void)state;
    int64_t took_us = time_many(5000);
    print_message("5,000 files: %lld us\n", (long long)took_us);
    assert_true(took_us < 200000);
}

static void five_thousand_rows_without_files_cost_little(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migrations files = {.layout = LAYOUT_PLAIN, .order = VERSION_ORDER_NUMBER};
    struct migrations others = {.layout = LAYOUT_PLAIN, .order = VERSION_ORDER_NUMBER};
    struct history history = {.exists = true};
    make_many(a, 5000, &files, &history);
    for (size_t i = 0; i < files.count; i++) {
        struct file_spec file = {arena_printf(a, "%zu", i + 100001), "b",
                                 arena_printf(a, "b%zu", i)};
        vec_push(a, &others, make_file(&file));
    }
    int calls = 0;
    int64_t from_us = fixture_work_us();
    struct reconciliation r;
    assert_true(reconcile(a, &others, &history, read_digests, &calls, &r, &f));
    int64_t took_us = fixture_work_us() - from_us;
    print_message("5,000 missing, 5,000 pending: %lld us\n", (long long)took_us);
    assert_int_equal(r.count, 10000);
    assert_int_equal(r.pending, 5000);
    assert_true(took_us < 500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_recognised),
        cmocka_unit_test(every_state_has_a_case),
        cmocka_unit_test(files_are_only_read_where_their_bytes_differ),
        cmocka_unit_test(a_deleted_repeatable_is_told_and_stops_nothing),
        cmocka_unit_test(a_deleted_repeatable_that_is_half_done_still_stops),
        cmocka_unit_test(five_thousand_files_cost_little),
        cmocka_unit_test(five_thousand_rows_without_files_cost_little),
    };
    return cmocka_run_group_tests_name("core/run/reconcile", tests, NULL, NULL);
}
