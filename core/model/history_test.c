/* Digests of the audit trail. The expected values were made by the program in
 * docs/history-format.md. */
#include <setjmp.h> /* cmocka.h wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/model/history.h"

static const struct history_row row = {
    .rank = 7,
    .version = {"20261120.1", 10},
    .description = {"na\xc3\xafve", 6},
    .kind = {"versioned", 9},
    .layout = {"flyway", 6},
    .script = {"V1__x.sql", 9},
    .state = {"applied", 7},
    .units_done = 1,
    .statements = 3,
    .digest_raw = {"aa", 2},
    .digest_normalized = {"bb", 2},
    .digest_tree = {"pg15:cc", 7},
    .installed_by = {"app", 3},
    .installed_at = {"2026-11-20T20:43:00.123456Z", 27},
    .duration_us = 1234,
    .run = {"0123456789abcdef", 16},
};

static const struct event event = {
    .id = 2,
    .run = {"0123456789abcdef", 16},
    .at = {"2026-11-20T20:43:00.123456Z", 27},
    .kind = {"applied", 7},
    .version = {"20261120.1", 10},
    .actor = {"ann", 3},
    .db_role = {"app", 3},
    .host = {"db1", 3},
    .git_commit = {"0123", 4},
    .git_author = {"Ann <ann@example.org>", 21},
    .plan_digest = {"11", 2},
    .sql = {"CREATE TABLE t (a);\n", 20},
    .duration_us = 1234,
    .lock_wait_us = -1,
    .rows = -1,
    .detail = {"{\"rank\":7}", 10},
    .previous = {"ff", 2},
    .digest = {"not part of it", 14},
};

static void digests_are_those_of_the_documented_format(void **state)
{
    (void)state;
    struct digest of_row = history_row_digest(&row);
    struct digest of_event = event_digest(&event);
    assert_string_equal(of_row.hex,
                        "7652b0d9449c5a6cc1b9e0e232d43ad5c4fb52eff70656ec6d7afd624e2120e6");
    assert_string_equal(of_event.hex,
                        "2a1d5c6b067acc6e2ab11e912548a975c492ff15a09e7f46d5b5884d2c395677");
}

static void assert_row_differs(const struct history_row *other)
{
    struct digest a = history_row_digest(&row);
    struct digest b = history_row_digest(other);
    assert_string_not_equal(a.hex, b.hex);
}

static void assert_event_differs(const struct event *other)
{
    struct digest a = event_digest(&event);
    struct digest b = event_digest(other);
    assert_string_not_equal(a.hex, b.hex);
}

static void every_field_of_a_row_counts(void **state)
{
    (void)state;
    struct history_row r = row;
    struct str *const texts[] = {
        &r.version,     &r.description,  &r.kind,         &r.layout,
        &r.script,      &r.state,        &r.digest_raw,   &r.digest_normalized,
        &r.digest_tree, &r.installed_by, &r.installed_at, &r.run,
    };
    int64_t *const numbers[] = {&r.rank, &r.units_done, &r.statements, &r.duration_us};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str kept = *texts[i];
        *texts[i] = STR("changed");
        assert_row_differs(&r);
        *texts[i] = kept;
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        ++*numbers[i];
        assert_row_differs(&r);
        --*numbers[i];
    }
    static_assert(ARRAY_LEN(texts) * sizeof(struct str) + ARRAY_LEN(numbers) * sizeof(int64_t) ==
                      sizeof(struct history_row),
                  "a field is not tested");
}

static void every_field_of_an_event_counts_but_its_digest(void **state)
{
    (void)state;
    struct event e = event;
    struct str *const texts[] = {
        &e.run,      &e.at,         &e.kind,       &e.version,     &e.actor,           &e.db_role,
        &e.host,     &e.git_commit, &e.git_author, &e.plan_digest, &e.evidence_digest, &e.sql,
        &e.sqlstate, &e.detail,     &e.previous,
    };
    int64_t *const numbers[] = {&e.id, &e.unit, &e.duration_us, &e.lock_wait_us, &e.rows};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str kept = *texts[i];
        *texts[i] = STR("changed");
        assert_event_differs(&e);
        *texts[i] = kept;
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        ++*numbers[i];
        assert_event_differs(&e);
        --*numbers[i];
    }
    static_assert((ARRAY_LEN(texts) + 1) * sizeof(struct str) +
                          ARRAY_LEN(numbers) * sizeof(int64_t) ==
                      sizeof(struct event),
                  "a field is not tested");
    e.digest = STR("changed");
    struct digest a = event_digest(&event);
    struct digest b = event_digest(&e);
    assert_string_equal(a.hex, b.hex);
}

static void bytes_do_not_move_between_fields(void **state)
{
    (void)state;
    struct history_row one = row;
    struct history_row other = row;
    one.version = STR("1");
    one.description = STR("2x");
    other.version = STR("12");
    other.description = STR("x");
    struct digest a = history_row_digest(&one);
    struct digest b = history_row_digest(&other);
    assert_string_not_equal(a.hex, b.hex);
}

static void empty_texts_are_one_text(void **state)
{
    (void)state;
    struct history_row one = row;
    struct history_row other = row;
    one.digest_tree = STR("");
    other.digest_tree = (struct str){0};
    struct digest a = history_row_digest(&one);
    struct digest b = history_row_digest(&other);
    assert_string_equal(a.hex, b.hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_documented_format),
        cmocka_unit_test(every_field_of_a_row_counts),
        cmocka_unit_test(every_field_of_an_event_counts_but_its_digest),
        cmocka_unit_test(bytes_do_not_move_between_fields),
        cmocka_unit_test(empty_texts_are_one_text),
    };
    return cmocka_run_group_tests_name("history digests", tests, NULL, NULL);
}
