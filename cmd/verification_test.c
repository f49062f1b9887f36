/* A step that looks for rows that must not be, run by itself on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/vec.h"
#include "core/model/kept.h"
#include "core/run/execution.h"
#include "drivers/postgres/driver.h"
#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/project.h"
#include "planner/postgres/cut.h"

#define SQL "SELECT v.id FROM public.items AS v WHERE (v.state IS DISTINCT FROM 'right')"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static void note_done(void *context, const struct execution_result *r UNUSED)
{
    *(bool *)context = true;
}

/* The migration whose only statement is the step. */
static struct planned_migration plan(struct arena *a, struct migration *m)
{
    struct online_range *range = arena_new(a, struct online_range);
    range->table = STR("public.items");
    range->alias = STR("v");
    vec_push(a, &range->key, STR("id"));
    struct online_step *step = arena_new(a, struct online_step);
    *step = (struct online_step){.kind = STEP_VERIFICATION, .range = range, .sql = STR(SQL)};
    struct statement s = kit_statement(SQL);
    s.ranged = step;
    *m = (struct migration){.version = STR("1"),
                            .description = STR("look"),
                            .path = STR("m/1_look.sql"),
                            .script = STR("1_look.sql"),
                            .checksums = {.raw = digest_of(STR(SQL))}};
    struct kept_script *kept = kept_make_of(a, s.text, &s, 1);
    kept->raw = m->checksums.raw;
    return (struct planned_migration){.migration = m,
                                      .checksums = m->checksums,
                                      .kept = kept,
                                      .statement_count = 1,
                                      .unit_count = 1};
}

static bool run_step(const struct project *p, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct kit k = kit_open_run(postgres_driver(), p->url, NULL);
    struct history h = {0};
    kit_check(k.driver->read_history(a, k.connection, &h, f), f, "read_history()");
    const struct run_identity who = {.run = "r",
                                     .actor = "ada",
                                     .db_role = "postgres",
                                     .host = "here",
                                     .git_commit = "",
                                     .git_author = ""};
    struct journal journal = journal_start(&who, &h);
    journal.plan_digest = "";
    const struct script_context script = {.dialect = &postgres_dialect, .server_version = 150000};
    volatile sig_atomic_t stop = 0;
    struct run_context run = {.driver = k.driver,
                              .connection = k.connection,
                              .journal = &journal,
                              .script = &script,
                              .lock_attempts = 3,
                              .lock_budget_ms = 60000,
                              .stop_signal = &stop,
                              .backfill = {200, 500, 5000}};
    struct migration m;
    struct planned_migration planned = plan(a, &m);
    bool is_told = false;
    struct execution *x = execution_start(&run, &planned, NULL, note_done, &is_told);
    bool is_done = execution_run(x, f);
    assert_int_equal(is_done, is_told);
    execution_end(x);
    kit_close(&k);
    return is_done;
}

static void rows_that_must_not_be_are_counted_and_named_by_their_keys(void **state UNUSED)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct project *p = project_make(cluster);
    project_execute(p, "CREATE TABLE items (id int PRIMARY KEY, state text);"
                       "INSERT INTO items SELECT g, 'right' FROM generate_series(1, 30000) g;"
                       "UPDATE items SET state = 'secret' WHERE id BETWEEN 701 AND 725 OR id = "
                       "29000; ANALYZE items");
    assert_false(run_step(p, &f));
    assert_int_equal(f.code, EXIT_FAILED);
    assert_string_equal(f.message, "25 rows of public.items are not as the change wants them");
    assert_non_null(strstr(f.detail, "They are by id: 701, 702, "));
    assert_non_null(strstr(f.detail, "719, 720, …"));
    assert_null(strstr(f.detail, "721"));
    assert_null(strstr(f.detail, "secret"));
    assert_string_equal(f.file, "m/1_look.sql");
    assert_answer(p, "SELECT kind FROM migrator.event ORDER BY id DESC LIMIT 1", "failed");
    assert_answer(p, "SELECT count(*) FROM migrator.history", "0");
}

/* Others hold every row: nobody is waited for. */
static void good_rows_pass_while_others_hold_them(void **state UNUSED)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct project *p = project_make(cluster);
    project_execute(p, "CREATE TABLE items (id int PRIMARY KEY, state text);"
                       "INSERT INTO items SELECT g, 'right' FROM generate_series(1, 5000) g");
    struct blocker *b = blocker_start(p, "SELECT FROM items FOR UPDATE");
    bool is_done = run_step(p, &f);
    blocker_stop(b);
    if (!is_done)
        fail_msg("%s", f.message);
    assert_answer(p, "SELECT state, units_done FROM migrator.history", "applied|1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_must_not_be_are_counted_and_named_by_their_keys),
        cmocka_unit_test(good_rows_pass_while_others_hold_them),
    };
    return cmocka_run_group_tests(tests, start_cluster, NULL);
}
