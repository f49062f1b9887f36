/*
 * Cases of testdata/rewrites in their online form: a run that is cut off, at any of its commits or by SIGKILL
 * at any time, is ended by the next one without leftovers, where the statements as written would end.
 */
#include "cmd/rewrites_testing.h"

#include <signal.h>
#include <unistd.h>

#include "drivers/testkit/proxy.h"

#define KILLS 4

/* Those with every kind of step; CUT=case for another one, CASE=case for none. */
static const char *const cut_cases[] = {"create-index-partitioned", "primary-key-replaced",
                                        "many-commands"};

static void for_each_cut_case(void (*check)(const char *name))
{
    const char *only = getenv("CUT");
    for (size_t i = 0; !only && !getenv("CASE") && i < ARRAY_LEN(cut_cases); i++) {
        print_message("%s\n", cut_cases[i]);
        check(cut_cases[i]);
    }
    if (only)
        check(only);
}

static void assert_ends(struct project *p, const char *wanted)
{
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_same(sorted_dump(p), wanted);
    assert_no_leftovers(p);
    assert_whole(p);
}

/* false: the run has fewer commits. */
static bool cut_at_commit(const char *name, enum proxy_cut cut, unsigned nth, const char *wanted)
{
    struct project *p = make_case(name);
    struct proxy *proxy = proxy_start(cluster);
    const char *direct = p->url;
    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, cut, "COMMIT", nth);
    (void)project_run(p, "apply", NULL);
    bool is_cut = proxy_cuts(proxy) > 0;
    proxy_stop(proxy);
    p->url = direct;
    assert_ends(p, wanted);
    return is_cut;
}

static void cut_at_every_commit(const char *name)
{
    const char *wanted = end_as_written(name);
    unsigned cuts = 0;
    for (unsigned nth = 1; cut_at_commit(name, PROXY_CUT_BEFORE, nth, wanted); nth++)
        cuts++;
    for (unsigned nth = 1; cut_at_commit(name, PROXY_CUT_AFTER_ANSWER, nth, wanted); nth++)
        cuts++;
    assert_true(cuts > 4);
}

static void a_run_that_loses_its_connection_at_a_commit_is_ended_by_the_next(void **state UNUSED)
{
    for_each_cut_case(cut_at_every_commit);
}

static void kill_at_times(const char *name)
{
    const char *wanted = end_as_written(name);
    struct project *p = make_case(name);
    struct ran whole = project_run(p, "apply", NULL);
    for (int i = 1; i <= KILLS; i++) {
        p = make_case(name);
        struct program *program = project_start(p, "apply", NULL);
        usleep((useconds_t)(whole.duration_us * i / (KILLS + 1)));
        program_signal(program, SIGKILL);
        (void)project_finish(program);
        assert_ends(p, wanted);
    }
}

static void a_run_that_is_killed_is_ended_by_the_next(void **state UNUSED)
{
    for_each_cut_case(kill_at_times);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_loses_its_connection_at_a_commit_is_ended_by_the_next),
        cmocka_unit_test(a_run_that_is_killed_is_ended_by_the_next),
    };
    return cmocka_run_group_tests(tests, start, end);
}
