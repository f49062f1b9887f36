/* Directives: every form, and every way to get one wrong. */
#include "core/model/directive.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct good {
    const char *comment;
    struct directive expected; /* texts with at == NULL are expected empty */
};

static const struct good good[] = {
    {"-- migrate: as-written", {.kind = DIRECTIVE_AS_WRITTEN}},
    {"--migrate:no-transaction", {.kind = DIRECTIVE_NO_TRANSACTION}},
    {"  --  migrate:   no-transaction  \r", {.kind = DIRECTIVE_NO_TRANSACTION}},
    {"-- migrate: phase contract",
     {.kind = DIRECTIVE_PHASE, .phase = {.at = "contract", .len = 8}}},
    {"-- migrate: allow drop-table reason=\"table is empty\"",
     {.kind = DIRECTIVE_ALLOW,
      .hazard = {.at = "drop-table", .len = 10},
      .reason = {.at = "table is empty", .len = 14}}},
    {"-- migrate: allow x2 reason=\"say \\\"when\\\" \\\\\"",
     {.kind = DIRECTIVE_ALLOW,
      .hazard = {.at = "x2", .len = 2},
      .reason = {.at = "say \"when\" \\", .len = 12}}},
    {"-- migrate: allow a reason=OPS-17",
     {.kind = DIRECTIVE_ALLOW,
      .hazard = {.at = "a", .len = 1},
      .reason = {.at = "OPS-17", .len = 6}}},
    {"-- migrate: using forward=upper(name) backward=lower(name)",
     {.kind = DIRECTIVE_USING,
      .forward = {.at = "upper(name)", .len = 11},
      .backward = {.at = "lower(name)", .len = 11}}},
    {"-- migrate: using backward=\"Old\" || ' backward=x' forward=coalesce(a, (b forward=1))",
     {.kind = DIRECTIVE_USING,
      .backward = {.at = "\"Old\" || ' backward=x'", .len = 22},
      .forward = {.at = "coalesce(a, (b forward=1))", .len = 26}}},
    {"-- migrate: using forward=a + b",
     {.kind = DIRECTIVE_USING, .forward = {.at = "a + b", .len = 5}}},
    {"-- migrate: batch key=tenant_id, \"Id\"",
     {.kind = DIRECTIVE_BATCH, .key = {.at = "tenant_id, \"Id\"", .len = 15}}},
    {"-- migrate: batch triggers=fire", {.kind = DIRECTIVE_BATCH, .triggers = BATCH_TRIGGERS_FIRE}},
    {"-- migrate: batch triggers=skip key=id, part",
     {.kind = DIRECTIVE_BATCH,
      .triggers = BATCH_TRIGGERS_SKIP,
      .key = {.at = "id, part", .len = 8}}},
    {"-- migrate: timeout lock=400ms", {.kind = DIRECTIVE_TIMEOUT, .lock_timeout_ms = 400}},
    {"-- migrate: timeout statement=10min lock=2s",
     {.kind = DIRECTIVE_TIMEOUT, .lock_timeout_ms = 2000, .statement_timeout_ms = 600000}},
    {"-- migrate: timeout statement=4294967295ms",
     {.kind = DIRECTIVE_TIMEOUT, .statement_timeout_ms = UINT32_MAX}},
    {"-- migrate: timeout statement=1h",
     {.kind = DIRECTIVE_TIMEOUT, .statement_timeout_ms = 3600000}},
    {"-- migrate:up", {.kind = DIRECTIVE_NONE}},
    {"-- migrate:down transaction:false", {.kind = DIRECTIVE_NONE}},
    {"-- to migrate: read the manual", {.kind = DIRECTIVE_NONE}},
    {"-- Migrate: the users", {.kind = DIRECTIVE_NONE}},
    {"SELECT '-- migrate: x'", {.kind = DIRECTIVE_NONE}},
    {"--", {.kind = DIRECTIVE_NONE}},
    {"", {.kind = DIRECTIVE_NONE}},
};

static void assert_same(const char *comment, const char *what, struct str a, struct str b)
{
    if (!str_equal(a, b))
        fail_msg("%s: %s is \"%.*s\", not \"%.*s\"", comment, what, STR_ARG(a), STR_ARG(b));
}

static void every_form_is_read(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct directive *e = &good[i].expected;
        struct directive d;
        struct fail f = FAIL_NONE;
        if (!directive_parse(a, str_of(good[i].comment), STR("x.sql"), 7, &d, &f))
            fail_msg("%s: %s", good[i].comment, f.message);
        assert_int_equal(d.line, 7);
        assert_same(good[i].comment, "kind", str_of(directive_name(d.kind)),
                    str_of(directive_name(e->kind)));
        assert_same(good[i].comment, "hazard", d.hazard, e->hazard);
        assert_same(good[i].comment, "reason", d.reason, e->reason);
        assert_same(good[i].comment, "phase", d.phase, e->phase);
        assert_same(good[i].comment, "forward", d.forward, e->forward);
        assert_same(good[i].comment, "backward", d.backward, e->backward);
        assert_same(good[i].comment, "key", d.key, e->key);
        assert_int_equal(d.triggers, e->triggers);
        assert_int_equal(d.lock_timeout_ms, e->lock_timeout_ms);
        assert_int_equal(d.statement_timeout_ms, e->statement_timeout_ms);
    }
}

struct bad {
    const char *comment;
    const char *message; /* part of it */
    const char *hint;    /* part of it */
    uint32_t column;
};

static const struct bad bad[] = {
    {"-- migrate: no-transacton", "unknown directive \"no-transacton\"", "no-transaction", 13},
    {"-- migrate: allowed x", "unknown directive \"allowed\"", "Did you mean", 13},
    {"-- migrate: the users to the new table", "unknown directive \"the\"", "Reword", 13},
    {"-- migrate: up", "unknown directive \"up\"", "directive", 13},
    {"-- migrate:", "unknown directive \"\"", "directive", 12},
    {"-- migrate: allow", "id of a hazard", "migrate explain", 18},
    {"-- migrate: allow Drop_Table reason=\"x\"", "id of a hazard", "reason=", 19},
    {"-- migrate: allow drop-table", "\"allow drop-table\" has no reason", "reason=", 29},
    {"-- migrate: allow drop-table reason=\"  \"", "has no reason", "reason=", 30},
    {"-- migrate: allow drop-table reason=", "has no reason", "reason=", 30},
    {"-- migrate: allow drop-table because", "must be followed by reason", "reason=", 30},
    {"-- migrate: allow a reason=\"x", "unterminated", "reason=", 28},
    {"-- migrate: allow a reason=\"x\\\"", "unterminated", "reason=", 28},
    {"-- migrate: allow a reason=\"x\" b", "unexpected text", "reason=", 32},
    {"-- migrate: as-written please", "unexpected text", "as-written", 24},
    {"-- migrate: phase later", "unknown phase \"later\"", "phase contract", 19},
    {"-- migrate: phase", "unknown phase", "phase contract", 18},
    {"-- migrate: using", "must be followed by forward", "forward=", 18},
    {"-- migrate: using forward=", "has no expression", "forward=", 19},
    {"-- migrate: using forward= backward=x", "has no expression", "forward=", 19},
    {"-- migrate: using forward=a forward=b", "given twice", "forward=", 29},
    {"-- migrate: using x=1", "must be followed by forward", "forward=", 19},
    {"-- migrate: batch", "must be followed by triggers=… or key=", "batch triggers=", 18},
    {"-- migrate: batch key= ", "must be followed by triggers=… or key=", "batch triggers=", 19},
    {"-- migrate: batch triggers=maybe", "is fire or skip, not \"maybe\"", "batch triggers=", 19},
    {"-- migrate: batch triggers=fire triggers=skip", "is given twice", "batch triggers=", 33},
    {"-- migrate: batch triggers=fire id", "must be followed by", "batch triggers=", 19},
    {"-- migrate: timeout", "must be followed by lock", "timeout lock=", 20},
    {"-- migrate: timeout lock", "invalid duration \"\"", "400ms", 21},
    {"-- migrate: timeout lock=5", "invalid duration \"5\"", "400ms", 21},
    {"-- migrate: timeout lock=0s", "invalid duration \"0s\"", "400ms", 21},
    {"-- migrate: timeout lock=-1s", "invalid duration", "400ms", 21},
    {"-- migrate: timeout lock=50d", "invalid duration", "400ms", 21},
    {"-- migrate: timeout lock=99999999999999999999s", "invalid duration", "400ms", 21},
    {"-- migrate: timeout lock=1s lock=2s", "given twice", "timeout", 29},
    {"-- \xC3\xA9 \xC3\xA9", NULL, NULL, 0},
    {"  -- migrate: f\xC3\xB6rw\xC3\xA4rts", "unknown directive", "directive", 15},
};

static void every_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct directive d;
        struct fail f = FAIL_NONE;
        bool is_read = directive_parse(a, str_of(bad[i].comment), STR("x.sql"), 7, &d, &f);
        if (is_read != (bad[i].message == NULL))
            fail_msg("%s: %s", bad[i].comment, is_read ? "was read" : f.message);
        if (is_read)
            continue;
        if (!strstr(f.message, bad[i].message))
            fail_msg("%s: \"%s\"", bad[i].comment, f.message);
        if (!f.hint || !strstr(f.hint, bad[i].hint))
            fail_msg("%s: hint \"%s\"", bad[i].comment, f.hint ? f.hint : "");
        if (f.column != bad[i].column)
            fail_msg("%s: column %u", bad[i].comment, f.column);
        assert_int_equal(f.line, 7);
        assert_int_equal(f.code, EXIT_USAGE);
        fail_clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(every_mistake_is_named_with_its_place),
    };
    return cmocka_run_group_tests_name("directive", tests, NULL, NULL);
}
