/* Online forms come back from the history as they were written into it. */
#include "core/model/online.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/vec.h"

/* A step that waits again, and whose undo takes two. */
static void add_end(struct arena *a, struct online_form *form, const struct online_range *range,
                    const struct table_locks *locks)
{
    struct online_step look = {.kind = STEP_VERIFICATION,
                               .range = range,
                               .phase = PHASE_SWITCH,
                               .sql = STR("SELECT t.id FROM users AS t WHERE (a <> b)"),
                               .does = "looks"};
    struct online_step back = {.locks = locks,
                               .phase = PHASE_SWITCH,
                               .sql = STR("ALTER TABLE users RENAME b TO a"),
                               .does = "gives the name back"};
    struct online_step end = {.phase = PHASE_CONTRACT,
                              .waits = true,
                              .waits_again = true,
                              .sql = STR("ALTER TABLE users DROP c"),
                              .does = "drops it",
                              .undo_cost = UNDO_COSTLY};
    vec_push(a, &end.undo_steps, look);
    vec_push(a, &end.undo_steps, back);
    vec_push(a, &form->steps, end);
}

static void forms_come_back_as_they_were(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct online_range range = {.table = STR("public.users"), .alias = STR("users")};
    vec_push(a, &range.key, STR("tenant"));
    vec_push(a, &range.key, STR("\"Id\""));
    struct online_form form = {.recipe = "rename-column", .why = "Code breaks."};
    struct online_step add = {.sql = STR("ALTER TABLE users ADD b text"),
                              .does = "adds the new column",
                              .undo = STR("ALTER TABLE users DROP b"),
                              .undo_cost = UNDO_FREE};
    struct online_step copy = {.kind = STEP_BATCHES,
                               .range = &range,
                               .phase = PHASE_BACKFILL,
                               .sql = STR("UPDATE users SET b = a WHERE b IS DISTINCT FROM a"),
                               .does = "copies"};
    struct table_locks locks = {0};
    table_locks_add(a, &locks,
                    &(struct table_lock){.table = STR("public.users"), .mode = LOCK_SHARE});
    table_locks_add(
        a, &locks,
        &(struct table_lock){.table = STR("public.\"Roles\""), .mode = LOCK_SHARE_ROW_EXCLUSIVE});
    table_locks_add(
        a, &locks,
        &(struct table_lock){.table = STR("public.users"), .mode = LOCK_ACCESS_EXCLUSIVE});
    struct online_step drop = {.locks = &locks,
                               .phase = PHASE_CONTRACT,
                               .waits = true,
                               .sql = STR("ALTER TABLE users DROP a"),
                               .does = "drops the old column"};
    vec_push(a, &form.steps, add);
    vec_push(a, &form.steps, copy);
    vec_push(a, &form.steps, drop);
    add_end(a, &form, &range, &locks);
    struct online_forms forms = {0};
    struct online_rewritten one = {.statement = 2, .digest = digest_of(STR("x")), .form = &form};
    vec_push(a, &forms, one);

    SCOPED(json) struct json *kept = online_forms_json(&forms);
    struct online_forms again;
    assert_true(online_forms_read(a, kept, &again, &f));
    assert_int_equal(again.count, 1);
    const struct online_form *got = again.at[0].form;
    assert_int_equal(online_steps_at_once(got), 2);
    assert_int_equal(got->steps.at[1].kind, STEP_BATCHES);
    assert_int_equal(got->steps.at[1].range->key.count, 2);
    assert_null(got->steps.at[0].locks);
    const struct table_locks *kept_locks = got->steps.at[2].locks;
    assert_int_equal(kept_locks->count, 2);
    assert_int_equal(kept_locks->at[0].mode, LOCK_ACCESS_EXCLUSIVE);
    assert_true(str_equal(kept_locks->at[1].table, STR("public.\"Roles\"")));
    assert_false(got->steps.at[2].waits_again);
    assert_true(got->steps.at[3].waits_again);
    assert_int_equal(got->steps.at[3].undo_steps.count, 2);
    assert_int_equal(got->steps.at[3].undo_steps.at[0].kind, STEP_VERIFICATION);
    assert_int_equal(got->steps.at[3].undo_steps.at[1].locks->count, 2);
    SCOPED(json) struct json *second = online_forms_json(&again);
    assert_string_equal(json_line(a, kept).at, json_line(a, second).at);
}

/* What a later version may write is refused, not guessed at. */
static void unknown_kinds_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"kind\": \"shadow\"",
        "\"kind\": \"batches\"",
        "\"kind\": \"batches\", \"range\": {\"table\": \"t\", \"alias\": \"t\"}",
        "\"waits\": 3",
        "\"waits_again\": 3",
        "\"undo_steps\": [{}]",
        "\"locks\": 3",
        "\"locks\": [{\"table\": \"t\", \"mode\": \"StrongLock\"}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct digest d = digest_of(STR("x"));
        const char *text = arena_printf(a,
                                        "[{\"statement\": 1, \"digest\": \"%.*s\", \"recipe\": "
                                        "\"r\", \"why\": \"w\", \"steps\": "
                                        "[{\"phase\": \"expand\", \"transaction\": \"single\", "
                                        "\"sql\": \"SELECT\", \"does\": \"d\", "
                                        "\"undo\": null, \"undo_cost\": \"free\", %s}]}]",
                                        STR_ARG(digest_str(&d)), bad[i]);
        SCOPED(json) struct json *j = json_parse(str_of(text), STR("test"), &f);
        struct online_forms out;
        assert_non_null(j);
        assert_false(online_forms_read(a, j, &out, &f));
        assert_int_equal(f.code, EXIT_INTEGRITY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_come_back_as_they_were),
        cmocka_unit_test(unknown_kinds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
