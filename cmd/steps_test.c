/*
 * Steps outside a transaction, one by one on a real server: the question that tells after a crash whether a
 * step is done says no before it and yes behind it, there and back. (Of all others their entry in the history
 * says so, which is committed with them: cmd/crash_test.)
 */
#include "cmd/sync_testing.h"

#include "drivers/drivers.h"
#include "drivers/testkit/driver_kit.h"
#include "planner/planner.h"

static struct kit open_kit(const struct project *p)
{
    return kit_open_run(driver_for(ENGINE_POSTGRES), p->url, NULL);
}

/* The statements of a step, as the runner has them. */
static struct statements cut_step(const char *sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct cut_result result = {0};
    const struct cut_request request = {.window = str_of(sql),
                                        .is_end = true,
                                        .line = 1,
                                        .column = 1,
                                        .path = STR("step"),
                                        .server_version =
                                            (uint32_t)pg_cluster_version(sync_cluster)};

    KIT_OK(dialect_for(ENGINE_POSTGRES)->cut(sync_arena, &request, &result, &f));
    return result.statements;
}

static enum probe_answer ask(struct kit *k, const struct probe *probe, const char *before)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    enum probe_answer answer = PROBE_UNKNOWN;

    KIT_OK(k->driver->probe(k->connection, probe, before, &answer, &f));
    return answer;
}

/* true: it was one outside a transaction, of which the catalog tells whether it is done. */
static bool run_step(const struct project *p, const char *sql)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct statements s = cut_step(sql);
    const char *before = NULL;
    bool is_alone = s.count == 1 && s.at[0].role == ROLE_ALONE;

    if (!is_alone) {
        project_execute(p, sql);
        return false;
    }
    const struct probe *probe = s.at[0].probe;
    bool is_told = probe->kind != PROBE_RERUN;
    struct kit k = open_kit(p);
    KIT_OK(k.driver->probe_before(k.arena, k.connection, probe, &before, &f));
    before = before ? fixture_text("%s", before) : NULL;
    if (ask(&k, probe, before) != PROBE_NOT_DONE)
        fail_msg("it is done before it was begun: %s", sql);
    kit_close(&k);
    project_execute(p, sql);
    k = open_kit(p);
    KIT_OK(k.driver->check_after(k.connection, probe, &f));
    /* What another step took along is tried again, which is no matter with IF EXISTS. */
    bool may_be_gone = strstr(sql, "IF EXISTS") != NULL;
    if (is_told && !may_be_gone && ask(&k, probe, before) != PROBE_IS_DONE)
        fail_msg("it is not done behind it: %s", sql);
    kit_close(&k);
    return is_told;
}

static unsigned run_steps(const struct sync_case *c)
{
    unsigned told = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->at[i].kind, "verification") != 0)
            told += run_step(c->project, c->at[i].sql);
    }
    return told;
}

static const char *text_of(const char *name, const char *file)
{
    return fixture_text_of(fixture_text("testdata/crash/%s/%s", name, file));
}

static struct project *make(const char *name)
{
    return sync_project_of(text_of(name, "schema.sql"), text_of(name, "migration.sql"));
}

static void a_step_is_done_when_it_is_and_not_before(void **state UNUSED)
{
    static const char *const names[] = {"there", "back"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct sync_case c = sync_case_of(make(names[i]));
        unsigned told = run_steps(&c);
        print_message("%s: %zu steps, %u of them told by the catalog\n", names[i], c.count, told);
        assert_true(told > 3);
    }
}

static void so_is_the_undo_of_one(void **state UNUSED)
{
    struct sync_case c = sync_case_of(make("back"));
    const char *before = sync_state(c.project);
    unsigned told = 0;

    sync_run(&c, false);
    for (size_t i = c.count; i-- > 0;) {
        if (!c.at[i].waits && c.at[i].undo[0])
            told += run_step(c.project, c.at[i].undo);
    }
    assert_true(told > 2);
    assert_same(sync_state(c.project), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_done_when_it_is_and_not_before),
        cmocka_unit_test(so_is_the_undo_of_one),
    };
    return cmocka_run_group_tests(tests, sync_start, sync_end);
}
