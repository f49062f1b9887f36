/* Lists of effects: once each, the strongest lock stays, merging loses nothing. */
#include "core/model/effect.h"

#include "core/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct catalog_relation *table(struct catalog *c, const char *name)
{
    return catalog_add_relation(c, RELATION_TABLE, STR("public"), str_of(name));
}

static void lock(struct arena *a, struct effects *e, const struct catalog_relation *r,
                 enum lock_mode mode, bool is_named)
{
    struct effect_lock one = {
        .relation = catalog_relation_text(a, r),
        .kind = r->kind,
        .mode = mode,
        .object = r,
        .is_named = is_named,
    };
    effects_add_lock(a, e, &one);
}

static void the_strongest_lock_of_each_relation_stays(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = catalog_make(a);
    struct effects e = {0};
    lock(a, &e, table(c, "t"), LOCK_SHARE, false);
    const struct catalog_relation *t = e.locks.at[0].object;
    lock(a, &e, t, LOCK_ACCESS_SHARE, true);
    lock(a, &e, table(c, "u"), LOCK_ROW_SHARE, false);
    lock(a, &e, t, LOCK_EXCLUSIVE, false);
    assert_int_equal(e.locks.count, 2);
    assert_int_equal(e.locks.at[0].mode, LOCK_EXCLUSIVE);
    assert_true(e.locks.at[0].is_named);
    assert_int_equal(e.locks.at[1].mode, LOCK_ROW_SHARE);
    assert_false(e.locks.at[1].is_named);
}

/* A table that was dropped and the one that took its name are two. */
static void objects_tell_relations_apart_and_names_where_there_are_none(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = catalog_make(a);
    struct effects e = {0};
    struct catalog_relation *first = table(c, "t");
    catalog_drop_relation(c, first);
    lock(a, &e, first, LOCK_SHARE, true);
    lock(a, &e, table(c, "t"), LOCK_SHARE, true);
    assert_int_equal(e.locks.count, 2);
    struct effect_lock unknown = {.relation = STR("public.x"), .mode = LOCK_SHARE};
    effects_add_lock(a, &e, &unknown);
    effects_add_lock(a, &e, &unknown);
    assert_int_equal(e.locks.count, 3);
}

static void lists_hold_each_relation_once(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = catalog_make(a);
    struct effects e = {0};
    const struct catalog_relation *t = table(c, "t");
    for (int i = 0; i < 2; i++) {
        effects_add_rewrite(a, &e, t, "why");
        effects_add_scan(a, &e, t, "why");
        effects_add_build(a, &e, t, "why");
        effects_add_loss(a, &e, LOSS_DATA, "TABLE", STR("public.t"), t, i == 1);
    }
    effects_add_loss(a, &e, LOSS_NAME, "TABLE", STR("public.t"), t, false);
    assert_int_equal(e.rewrites.count, 1);
    assert_int_equal(e.scans.count, 1);
    assert_int_equal(e.builds.count, 1);
    assert_int_equal(e.losses.count, 2);
    assert_true(e.losses.at[0].is_named);
    assert_string_equal(e.rewrites.at[0].why, "why");
}

static void merging_takes_all_and_keeps_what_was_said_first(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = catalog_make(a);
    const struct catalog_relation *t = table(c, "t");
    struct effects into = {.opaque = "first"};
    struct effects from = {.opaque = "second", .missing = "m", .failure = "f"};
    from.refuses_transaction = true;
    lock(a, &into, t, LOCK_SHARE, false);
    lock(a, &from, t, LOCK_ACCESS_EXCLUSIVE, true);
    effects_add_rewrite(a, &from, t, "r");
    effects_add_scan(a, &from, t, "s");
    effects_add_build(a, &from, t, "b");
    effects_add_loss(a, &from, LOSS_DATA, "COLUMN", STR("public.t.a"), t, true);
    effects_merge(a, &into, &from);
    assert_int_equal(into.locks.count, 1);
    assert_int_equal(into.locks.at[0].mode, LOCK_ACCESS_EXCLUSIVE);
    assert_int_equal(into.rewrites.count + into.scans.count + into.builds.count, 3);
    assert_int_equal(into.losses.count, 1);
    assert_true(into.losses.at[0].object == t);
    assert_true(into.refuses_transaction);
    assert_string_equal(into.opaque, "first");
    assert_string_equal(into.missing, "m");
    assert_string_equal(into.failure, "f");
}

static void the_json_is_the_documented_one(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = catalog_make(a);
    struct effects e = {0};
    struct catalog_relation *t = table(c, "Two words");
    lock(a, &e, t, LOCK_SHARE_UPDATE_EXCLUSIVE, true);
    lock(a, &e, catalog_add_index(c, t, STR("i")), LOCK_SHARE, false);
    effects_add_scan(a, &e, t, "why");
    effects_add_loss(a, &e, LOSS_ACCESS, "POLICY", STR("p"), t, false);
    e.missing = "relation x is not there";
    SCOPED(json) struct json *j = effects_json(&e);
    struct str text = json_line(a, j);
    static const char expected[] =
        "{\"locks\":[{\"relation\":\"public.\\\"Two words\\\"\",\"kind\":\"table\","
        "\"mode\":\"ShareUpdateExclusiveLock\"},{\"relation\":\"public.i\",\"kind\":\"index\","
        "\"mode\":\"ShareLock\"}],\"rewrites\":[],\"scans\":[\"public.\\\"Two words\\\"\"],"
        "\"builds\":[],\"writes\":null,\"losses\":[{\"kind\":\"access\",\"object\":\"POLICY\","
        "\"name\":\"p\","
        "\"named\":false}],\"opaque\":null,\"missing\":\"relation x is not there\","
        "\"failure\":null}";
    assert_string_equal(arena_cstr(a, text), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strongest_lock_of_each_relation_stays),
        cmocka_unit_test(objects_tell_relations_apart_and_names_where_there_are_none),
        cmocka_unit_test(lists_hold_each_relation_once),
        cmocka_unit_test(merging_takes_all_and_keeps_what_was_said_first),
        cmocka_unit_test(the_json_is_the_documented_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
