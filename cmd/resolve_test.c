/*
 * A history that somebody changed, and what a person then says of it with `migrate resolve`: afterwards the
 * record proves itself again and an apply goes on, without any SQL by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/integrity_testing.h"

static void a_deleted_row_is_put_back_by_a_resolution(void **state)
{
    struct project *p = make(state);

    delete_row(p, "0002");
    struct ran r =
        project_run(p, "resolve", "0002", "--applied", "--reason", "table b is there", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "row 2 of the history was removed");
    assert_out(&r, "resolved: 0002 is applied");
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
    assert_answer(p,
                  fixture_text("SELECT version FROM %s WHERE installed_rank = 2",
                               project_table(p, "history")),
                  "0002");
}

static void a_deleted_row_is_withdrawn_by_a_resolution(void **state)
{
    struct project *p = make(state);

    delete_row(p, "0003");
    project_execute(p, "DROP TABLE c");
    struct ran r =
        project_run(p, "resolve", "0003", "--not-applied", "--reason", "c is gone", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "2 applied, 1 pending");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

static void a_withdrawn_row_in_the_middle_is_run_out_of_order(void **state)
{
    struct project *p = make(state);

    delete_row(p, "0002");
    project_execute(p, "DROP TABLE b");
    struct ran r =
        project_run(p, "resolve", "0002", "--not-applied", "--reason", "b is gone", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "`migrate apply --allow-out-of-order` runs it");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 4);
    r = project_run(p, "apply", "--allow-out-of-order", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* With its events: the place that it had is empty, and a person can still say that it was applied. */
static void a_row_deleted_with_its_events_leaves_a_gap(void **state)
{
    struct project *p = make(state);
    const char *events = project_table(p, "event");
    const struct tampering cut = {"event", "DELETE FROM %s WHERE id = 3", "event", ""};

    delete_row(p, "0002");
    tamper(p, &cut);
    struct ran r = project_run(p, "status", NULL);
    assert_exit(&r, 4);
    assert_out(&r, "history row 2 is missing, and so is every event that wrote it");
    assert_out(&r, "event 3 is missing");
    r = project_run(p, "apply", "--allow-out-of-order", NULL);
    assert_exit(&r, 4);
    r = project_run(p, "resolve", "0002", "--applied", "--reason", "table b is there", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "resolve", "--record", "--reason", "cut by the DBA", NULL);
    assert_exit(&r, 0);
    assert_not_err(&r, "counts as not applied");
    assert_whole(p);
    r = project_run(p, "status", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "3 applied, 0 pending");
    assert_answer(p, fixture_text("SELECT count(*) FROM %s WHERE kind = 'applied'", events), "2");
}

static const struct tampering edited = {
    "row: description", "UPDATE %s SET description = 'other' WHERE version = '0002'", "history",
    ""};

static void a_changed_record_is_accepted_with_a_reason(void **state)
{
    struct project *p = make(state);

    tamper(p, &edited);
    struct ran r = project_run(p, "resolve", "--record", NULL);
    assert_exit(&r, 2); /* without a reason */
    r = project_run(p, "resolve", "--record", "0002", "--reason", "x", NULL);
    assert_exit(&r, 2);
    r = project_run(p, "resolve", "--record", "--reason", "renamed by the DBA", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "accepted: 1 finding, as event 6");
    r = project_run(p, "history", "--verify", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "1 earlier finding was accepted by event 6: renamed by the DBA");
    project_write(p, "0009_next.sql", "CREATE TABLE next (id integer);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    r = project_run(p, "resolve", "--record", "--reason", "again", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "nothing to accept");
    delete_row(p, "0001");
    r = project_run(p, "resolve", "--record", "--reason", "x", NULL);
    assert_exit(&r, 4); /* whether it runs again must be said */
    assert_err(&r, "migrate resolve 0001 --applied");
    project_remove(p, "0001_a.sql");
    r = project_run(p, "resolve", "--record", "--reason", "table a is no longer ours", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

/* Rows that somebody changed so that they do not fit their files; taken as they are, they would stop every
   apply, and only SQL by hand would help. */
static const struct tampering misfits[] = {
    {"state", "UPDATE %s SET state = 'incomplete' WHERE version = '0002'", "history", "0002"},
    {"units", "UPDATE %s SET state = 'incomplete', units_done = 7 WHERE version = '0003'",
     "history", "0003"},
    {"version", "UPDATE %s SET version = '0007' WHERE version = '0002'", "history", "0002"},
    {"digest",
     "UPDATE %s SET digest_raw = 'x', digest_normalized = 'y', digest_tree = 'z' WHERE version = "
     "'0002'",
     "history", "0002"},
};

static void an_accepted_row_that_does_not_fit_is_put_right_by_a_resolution(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(misfits); i++) {
        print_message("%s\n", misfits[i].name);
        struct project *p = make(state);
        const char *version = misfits[i].sentence;
        tamper(p, &misfits[i]);
        struct ran r = project_run(p, "resolve", "--record", "--reason", "by the DBA", NULL);
        assert_exit(&r, 0);
        assert_err(&r, fixture_text("migrate resolve %s --applied", version));
        r = project_run(p, "resolve", version, "--applied", "--reason", "it is there", NULL);
        assert_exit(&r, 0);
        assert_out(&r, fixture_text("resolved: %s is applied", version));
        assert_whole(p);
        project_write(p, "0009_next.sql", "CREATE TABLE next (id integer);\n");
        r = project_run(p, "apply", NULL);
        assert_exit(&r, 0);
        r = project_run(p, "status", NULL);
        assert_exit(&r, 0);
        assert_out(&r, "4 applied, 0 pending");
        assert_whole(p);
        r = project_run(p, "resolve", version, "--applied", "--reason", "again", NULL);
        assert_exit(&r, 2);
    }
}

static void an_accepted_row_that_was_not_applied_runs_from_its_start(void **state)
{
    struct project *p = make(state);

    tamper(p, &misfits[0]);
    struct ran r = project_run(p, "resolve", "--record", "--reason", "by the DBA", NULL);
    assert_exit(&r, 0);
    project_execute(p, "DROP TABLE b");
    r = project_run(p, "resolve", "0002", "--not-applied", "--reason", "b is gone", NULL);
    assert_exit(&r, 0);
    assert_out(&r, "the next apply runs it from its start");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT count(*) FROM b", "1");
    assert_whole(p);
}

/* Ranks are numbers that migrate gives; one far away must not ask for a million rows before it. */
static void an_accepted_rank_is_taken_as_it_is(void **state)
{
    struct project *p = make(state);
    const struct tampering far = {
        "rank", "UPDATE %s SET installed_rank = 900000000 WHERE version = '0002'", "history", ""};

    tamper(p, &far);
    struct ran r = project_run(p, "resolve", "--record", "--reason", "by the DBA", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
    project_write(p, "0009_next.sql", "CREATE TABLE next (id integer);\n");
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_whole(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_deleted_row_is_put_back_by_a_resolution),
        ON_BOTH(a_deleted_row_is_withdrawn_by_a_resolution),
        ON_BOTH(a_withdrawn_row_in_the_middle_is_run_out_of_order),
        ON_BOTH(a_row_deleted_with_its_events_leaves_a_gap),
        ON_BOTH(a_changed_record_is_accepted_with_a_reason),
        ON_BOTH(an_accepted_row_that_does_not_fit_is_put_right_by_a_resolution),
        ON_BOTH(an_accepted_row_that_was_not_applied_runs_from_its_start),
        ON_BOTH(an_accepted_rank_is_taken_as_it_is),
    };

    return cmocka_run_group_tests_name("resolve", tests, start_cluster, NULL);
}
