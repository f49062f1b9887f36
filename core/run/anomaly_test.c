/*
 * Everything that talks to the database fails once, at every call, in every way: afterwards the history
 * says what happened, the chain is whole, and the next run finishes with every statement executed
 * exactly once. Where nothing can tell whether a statement outside a transaction happened, the run
 * stops (exit 5) and says how to settle it; it never guesses.
 */
#include "core/run/run_testing.h"

#include "core/base/log.h"

/* Pauses between retries are nothing to wait for here. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}

struct scenario {
    const char *name;
    struct file_text files[FILES_MAX];
};

static const struct scenario scenarios[] = {
    {"one unit", {{"1_a.sql", "a; b; c;", 0}}},
    {"many files",
     {{"1_a.sql", "a;", 0}, {"2_b.sql", "b; c", 0}, {"3_c.sql", "d;", 0}, {"r.sql", "e;", 0}}},
    {"an empty file", {{"1_a.sql", "", 0}, {"2_b.sql", "-- nothing\n", 0}, {"3_c.sql", "a;", 0}}},
    {"several units", {{"1_a.sql", "a; b; alone x; c; alone y; d;", 0}, {"2_b.sql", "e;", 0}}},
    {"alone at both ends", {{"1_a.sql", "alone x; a; alone y;", 0}}},
    {"nothing but one alone", {{"1_a.sql", "alone x;", 0}, {"2_b.sql", "a;", 0}}},
    {"what may be run again", {{"1_a.sql", "a; again x; b;", 0}}},
    {"what nobody can tell", {{"1_a.sql", "a; blind x; b;", 0}, {"2_b.sql", "c;", 0}}},
    {"no transaction", {{"1_a.sql", "a; b; alone x; c;", TRANSACTION_NONE}, {"2_b.sql", "d;", 0}}},
    {"the file's own transactions",
     {{"1_a.sql", "BEGIN; a; b; COMMIT; BEGIN; c; COMMIT; d; alone x;", 0}, {"2_b.sql", "e;", 0}}},
    {"the file's own transaction alone", {{"1_a.sql", "BEGIN; a; b; COMMIT;", 0}}},
    {"the file's own rollback", {{"1_a.sql", "a; BEGIN; b; ROLLBACK; c; BEGIN; d; ROLLBACK;", 0}}},
    {"session settings",
     {{"1_a.sql", "set s; a; alone x; b; perhaps c; alone y; d;", 0}, {"2_b.sql", "e;", 0}}},
    {"data",
     {{"1_a.sql", "a; copy t;\n1\n2\n\\.\nalone x; copy u;\n3\n\\.\nb; alone y; c;", 0},
      {"2_b.sql", "e;", 0}}},
};

static const char *directory;

static int make_directory(void **state)
{
    (void)state;
    directory = fixture_directory();
    log_configure(-2, false); /* thousands of failures are meant */
    return 0;
}

static bool has_blind(const struct scenario *s)
{
    return strstr(s->files[0].text, "blind ") != NULL;
}

/* A session setting must be there wherever it was set before, also when the run was resumed. */
static void assert_session(const struct fake_project *p, const char *when)
{
    bool is_set = false;
    for (size_t i = 0; i < p->statements.count; i++) {
        const struct expected_statement *e = &p->statements.at[i];
        is_set = e->file == 0 && strstr(p->files.at[0].script.at, "1_a.sql") != NULL;
        for (size_t k = 0; is_set && k < p->db->effects.count; k++) {
            const struct fake_effect *effect = &p->db->effects.at[k];
            if (str_equal(effect->text, e->text) && !str_starts(effect->session, STR("set s")))
                fail_msg("%s: \"%.*s\" ran with the session \"%.*s\"", when, STR_ARG(e->text),
                         STR_ARG(effect->session));
        }
    }
}

/* The exit code tells truly whether anything was changed. */
static void assert_code(const struct fake_project *p, const struct fake_run *run, size_t before,
                        const char *when)
{
    if (run->code == EXIT_DONE)
        return;
    bool is_changed = p->db->effects.count != before;
    if (is_changed && run->code == EXIT_FAILED)
        fail_msg("%s: exit 1, but the database is changed: %s", when, run->fail.message);
    if (!run->fail.hint)
        fail_msg("%s: no hint: %s", when, run->fail.message);
}

/* A person looks and says what happened, as migrate resolve does. */
static void settle_by_hand(struct fake_project *p)
{
    struct history *h = &p->db->history;
    struct history_row *row = &h->at[h->count - 1];
    struct run_identity who = {.run = "by hand",
                               .actor = "eve",
                               .db_role = "",
                               .host = "",
                               .git_commit = "",
                               .git_author = ""};
    struct journal j = journal_start(&who, h);
    bool is_done = fake_count(p->db, STR("blind x")) > 0;
    SCOPED(json) struct json *detail = json_make_object();
    struct history_row next = *row;
    next.units_done += is_done;
    if (is_done)
        journal_row_claim(detail, &next);
    struct event e = journal_event(p->arena, &j, EVENT_RESOLVED, next.version);
    e.unit = row->units_done + 1;
    e.detail = json_line(p->arena, detail);
    journal_link(p->arena, &j, &e, 1);
    struct journal_entries entries = {
        .update_row = is_done ? &next : NULL, .events = &e, .event_count = 1};
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct connection *c = fake_connect(p->arena, p->db, FAKE_NO_FAULT, 0);
    assert_true(fake_driver()->append(c, &entries, true, &f));
}

/* Runs until all is done; at most twice, plus once for a person's word. */
static void finish(struct fake_project *p, const struct scenario *s, const char *when)
{
    struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
    if (run.code == EXIT_INCOMPLETE && has_blind(s)) {
        assert_non_null(strstr(run.fail.hint, "migrate resolve 1"));
        run = run_project(p, FAKE_NO_FAULT, 0);
        if (run.code != EXIT_INCOMPLETE)
            fail_msg("%s: asked once, the second run guesses", when);
        assert_truthful(p, when);
        settle_by_hand(p);
        run = run_project(p, FAKE_NO_FAULT, 0);
    }
    if (run.code != EXIT_DONE)
        fail_msg("%s: the next run ends with %d: %s", when, (int)run.code, run.fail.message);
    assert_truthful(p, when);
    assert_whole(p, when);
    assert_finished(p, when);
    if (strstr(s->name, "session"))
        assert_session(p, when);
}

/* One fault at one call; false when there are no more calls to strike. */
static bool strike(const struct scenario *s, enum fake_fault fault, int64_t at, bool goes_ahead)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, s->files);
    const char *when = arena_printf(a, "%s, %s at call %lld%s", s->name, fake_fault_name(fault),
                                    (long long)at, goes_ahead ? ", commits ahead" : "");
    p->goes_ahead = goes_ahead;
    struct fake_run run = run_project(p, fault, at);
    assert_truthful(p, when);
    assert_whole(p, when);
    assert_code(p, &run, 0, when);
    finish(p, s, when);
    return run.was_struck;
}

static void every_call_may_fail(void **state)
{
    const struct scenario *s = *state;
    size_t struck = 0;
    for (int fault = FAKE_NO_FAULT + 1; fault < FAKE_FAULT_MAX; fault++) {
        for (int64_t at = 1; strike(s, (enum fake_fault)fault, at, false); at++)
            struck++;
        for (int64_t at = 1; strike(s, (enum fake_fault)fault, at, true); at++)
            struck++;
    }
    print_message("%s: %zu failures survived\n", s->name, struck);
    assert_true(struck >= (size_t)(FAKE_FAULT_MAX - 1) * 10);
}

/* The next run fails as well, and so does the one behind it. */
static void every_pair_of_calls_may_fail(void **state)
{
    (void)state;
    static const enum fake_fault faults[] = {FAKE_KILL_AFTER, FAKE_CUT_AFTER, FAKE_KILL_BEFORE};
    const struct scenario *s = &scenarios[3];
    for (size_t i = 0; i < ARRAY_LEN(faults) * ARRAY_LEN(faults); i++) {
        enum fake_fault first = faults[i % ARRAY_LEN(faults)];
        enum fake_fault second = faults[i / ARRAY_LEN(faults)];
        for (int64_t at = 1; at < 30; at++) {
            for (int64_t then = 1; then < 30; then++) {
                SCOPED(arena) struct arena *a = arena_make();
                struct fake_project *p = fake_project_make(a, directory, s->files);
                const char *when =
                    arena_printf(a, "%s at call %lld, then %s at call %lld", fake_fault_name(first),
                                 (long long)at, fake_fault_name(second), (long long)then);
                (void)run_project(p, first, at);
                (void)run_project(p, second, then);
                assert_truthful(p, when);
                assert_whole(p, when);
                finish(p, s, when);
            }
        }
    }
}

/* A build that fails leaves something behind, which the next run must not trip over. */
static void leftovers_of_failed_builds_are_cleaned(void **state)
{
    (void)state;
    static const enum fake_fault faults[] = {FAKE_REFUSED, FAKE_CANCELLED};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        bool was_struck = true;
        for (int64_t at = 1; was_struck; at++) {
            SCOPED(arena) struct arena *a = arena_make();
            struct fake_project *p = fake_project_make(a, directory, scenarios[3].files);
            p->db->leaves_leftovers = true;
            const char *when =
                arena_printf(a, "%s at call %lld", fake_fault_name(faults[i]), (long long)at);
            struct fake_run run = run_project(p, faults[i], at);
            was_struck = run.was_struck;
            assert_whole(p, when);
            finish(p, &scenarios[3], when);
            for (size_t k = 0; k < p->db->effects.count; k++)
                assert_false(str_starts(p->db->effects.at[k].text, STR("leftover")));
        }
    }
}

/* The catalog cannot be asked behind a crash: nothing is guessed, nothing runs twice. */
static void without_an_answer_of_the_catalog_a_person_is_asked(void **state)
{
    (void)state;
    static const struct file_text files[FILES_MAX] = {{"1_a.sql", "a; alone x; b;", 0}};
    for (int64_t at = 1; at < 30; at++) {
        SCOPED(arena) struct arena *a = arena_make();
        struct fake_project *p = fake_project_make(a, directory, files);
        const char *when = arena_printf(a, "killed after call %lld", (long long)at);
        (void)run_project(p, FAKE_KILL_AFTER, at);
        p->db->cannot_probe = true;
        struct fake_run run = run_project(p, FAKE_NO_FAULT, 0);
        assert_true(fake_count(p->db, STR("alone x")) <= 1);
        assert_truthful(p, when);
        if (run.code == EXIT_DONE)
            continue;
        assert_int_equal(run.code, EXIT_INCOMPLETE);
        p->db->cannot_probe = false;
        assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
        assert_finished(p, when);
        assert_whole(p, when);
    }
}

int main(void)
{
    static char names[ARRAY_LEN(scenarios)][100];
    struct CMUnitTest tests[ARRAY_LEN(scenarios) + 3];
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
        snprintf(names[i], sizeof(names[i]), "every_call_may_fail: %s", scenarios[i].name);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = every_call_may_fail,
            .initial_state = (void *)(uintptr_t)&scenarios[i],
        };
    }
    tests[ARRAY_LEN(scenarios)] = (struct CMUnitTest)cmocka_unit_test(every_pair_of_calls_may_fail);
    tests[ARRAY_LEN(scenarios) + 1] =
        (struct CMUnitTest)cmocka_unit_test(leftovers_of_failed_builds_are_cleaned);
    tests[ARRAY_LEN(scenarios) + 2] =
        (struct CMUnitTest)cmocka_unit_test(without_an_answer_of_the_catalog_a_person_is_asked);
    return cmocka_run_group_tests_name("core/run/anomaly", tests, make_directory, NULL);
}
