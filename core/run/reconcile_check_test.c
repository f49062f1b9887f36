/* What of a reconciliation stops an apply, and in which words. */
#include "core/run/reconcile_testing.h"

static bool cannot_read(void *context, const struct migration *m, struct checksums *out,
                        struct fail *f)
{
    (void)context;
    (void)m;
    (void)out;
    return fail_set(f, EXIT_USAGE, "could not read it");
}

static void a_file_that_cannot_be_read_is_a_failure(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migration m = make_file(&(struct file_spec){"1", "a", "other"});
    struct history_row row = make_row(a, &(struct row_spec){"1", "a", "x", 0}, 1);
    struct migrations files = {.at = &m, .count = 1, .order = VERSION_ORDER_DOTTED};
    struct history history = {.exists = true, .at = &row, .count = 1};
    struct reconciliation r;
    assert_false(reconcile(a, &files, &history, cannot_read, NULL, &r, &f));
    assert_string_equal(f.message, "could not read it");
}

/* ---- what stops an apply ---- */

static const struct {
    struct reconcile_case c;
    bool allows_out_of_order;
    const char *message; /* part of it; NULL: nothing stops */
    const char *hint;
} checks[] = {
    {{.name = "pending", .files = {{"1", "a", "x"}}}, false, NULL, NULL},
    {{.name = "line ends", .files = {{"1", "a", "x~"}}, .rows = {{"1", "a", "x", 0}}},
     false,
     NULL,
     NULL},
    {{.name = "comments", .files = {{"1", "a", "x#"}}, .rows = {{"1", "a", "x", 0}}},
     false,
     NULL,
     NULL},
    {{.name = "sql", .files = {{"1", "a", "x2"}}, .rows = {{"1", "a", "x", 0}}},
     false,
     "was edited after it was applied on 2026-11-20",
     "Put the file back"},
    {{.name = "missing", .rows = {{"1", "a", "x", 0}}},
     false,
     "which is no longer there",
     "Put the file back"},
    {{.name = "renumbered", .files = {{"2", "a", "x"}}, .rows = {{"1", "a", "x", 0}}},
     false,
     "it was renumbered",
     "Give the file its old name back"},
    {{.name = "swapped",
      .files = {{"1", "b", "y"}, {"2", "a", "x"}},
      .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}}},
     false,
     "has the text of version 2 (b), applied on 2026-11-20 20:43:00 UTC: the two have changed "
     "places",
     "Give the file its old name back"},
    {{.name = "pushed up",
      .files = {{"1", "n", "new"}, {"2", "a", "x"}, {"3", "b", "y"}},
      .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}}},
     false,
     "was edited after it was applied",
     "Put the file back"},
    {{.name = "opaque: whether it is reached depends on what is to run",
      .files = {{"C1", "a", "x"}}},
     false,
     NULL,
     NULL},
    {{.name = "out of order",
      .files = {{"1", "a", "x"}, {"2", "b", "y"}},
      .rows = {{"2", "b", "y", 0}}},
     false,
     "sorts before",
     "--allow-out-of-order"},
    {{.name = "out of order, allowed",
      .files = {{"1", "a", "x"}, {"2", "b", "y"}},
      .rows = {{"2", "b", "y", 0}}},
     true,
     NULL,
     NULL},
    {{.name = "incomplete", .files = {{"1", "a", "x2"}}, .rows = {{"1", "a", "x", "incomplete"}}},
     false,
     NULL,
     NULL},
    {{.name = "a repeatable that changed",
      .files = {{"R", "r", "x2"}},
      .rows = {{"R", "r", "x", 0}}},
     false,
     NULL,
     NULL},
};

static void an_apply_is_stopped_by_what_is_not_as_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct reconciliation r;
        int calls;
        run_case(a, &checks[i].c, &r, &calls);
        bool is_fine = reconciliation_check(&r, checks[i].allows_out_of_order, &f);
        if (is_fine != !checks[i].message)
            fail_msg("%s: %s", checks[i].c.name, is_fine ? "nothing stops it" : f.message);
        if (is_fine)
            continue;
        if (f.code != EXIT_INTEGRITY || !strstr(f.message, checks[i].message))
            fail_msg("%s: exit %d, %s", checks[i].c.name, (int)f.code, f.message);
        if (!f.hint || !strstr(f.hint, checks[i].hint))
            fail_msg("%s: hint: %s", checks[i].c.name, f.hint);
    }
}

static void all_that_stops_an_apply_is_named_at_once(void **state)
{
    (void)state;
    static const struct reconcile_case c = {
        .name = "",
        .files = {{"1", "a", "x2"}, {"9", "d", "w"}},
        .rows = {{"1", "a", "x", 0}, {"2", "b", "y", 0}, {"3", "c", "w", 0}},
    };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct reconciliation r;
    int calls;
    run_case(a, &c, &r, &calls);
    assert_int_equal(r.problems, 3);
    assert_false(reconciliation_check(&r, false, &f));
    assert_non_null(strstr(f.message, "its statements differ"));
    assert_non_null(strstr(f.detail, "Also: version 2 was applied"));
    assert_non_null(strstr(f.detail, "has the text of version 3 (c)"));
}

static void an_incomplete_migration_without_its_file_was_begun_not_applied(void **state)
{
    (void)state;
    static const struct reconcile_case c = {.name = "", .rows = {{"1", "a", "x", "incomplete"}}};
    SCOPED(arena) struct arena *a = arena_make();
    struct reconciliation r;
    int calls;
    run_case(a, &c, &r, &calls);
    assert_int_equal(r.at[0].state, STATE_MISSING);
    assert_non_null(strstr(reconciled_sentence(a, &r.at[0]), "version 1 was begun on"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_failure),
        cmocka_unit_test(an_apply_is_stopped_by_what_is_not_as_recorded),
        cmocka_unit_test(all_that_stops_an_apply_is_named_at_once),
        cmocka_unit_test(an_incomplete_migration_without_its_file_was_begun_not_applied),
    };
    return cmocka_run_group_tests_name("core/run/reconcile_check", tests, NULL, NULL);
}
