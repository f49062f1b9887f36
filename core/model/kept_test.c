/* A kept script says what the script said. */
#include "core/model/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "drivers/testkit/fake_dialect.h"

static struct script *open_text(const char *text)
{
    struct script_context context = {.dialect = fake_dialect(), .server_version = 1};
    return script_open_memory(str_of(text), STR("1_a.sql"), &context);
}

static struct kept_script *keep(struct arena *a, const char *text, size_t most, size_t *bytes)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(script) struct script *s = open_text(text);
    struct script_batch batch;
    assert_true(script_next(s, &batch, &f));
    return kept_make(a, s, &batch, most, bytes); /* the script and its window go away */
}

static void its_statements_and_places_are_those_of_the_script(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    size_t bytes = 0;
    struct kept_script *kept = keep(a, "-- é\na;\n  alone x; b;\n", 4096, &bytes);
    assert_non_null(kept);
    assert_true(bytes > 20);
    kept->raw = digest_of(STR("raw"));
    struct migration m = {.path = STR("dir/1_a.sql")};
    for (int round = 0; round < 2; round++) { /* a retry reads it again */
        SCOPED(fail) struct fail f = FAIL_NONE;
        SCOPED(script) struct script *s = script_open_kept(&m, kept);
        struct script_batch batch;
        assert_true(script_next(s, &batch, &f));
        assert_int_equal(batch.count, 3);
        assert_true(batch.is_last);
        assert_true(str_equal(batch.statements[1].text, STR("alone x")));
        assert_int_equal(batch.statements[1].role, ROLE_ALONE);
        assert_non_null(batch.statements[1].probe);
        assert_string_equal(batch.statements[1].probe->name, "alone x");
        fail_set(&f, EXIT_FAILED, "no");
        script_locate(s, &batch.statements[1], 6, &f);
        assert_string_equal(f.file, "dir/1_a.sql");
        assert_int_equal(f.line, 3);
        assert_int_equal(f.column, 9);
        assert_string_equal(f.excerpt, "  alone x; b;");
        struct checksums checksums;
        assert_true(script_finish(s, &checksums, &f));
        assert_true(digest_equal(&checksums.raw, &kept->raw));
        assert_true(script_next(s, &batch, &f));
        assert_int_equal(batch.count, 0);
    }
}

static void what_is_large_or_not_all_is_not_kept(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    size_t bytes = 1;
    assert_null(keep(a, "a; b;", 100, &bytes));
    assert_int_equal(bytes, 0);
    assert_null(keep(a, "copy t;\n1\n\\.\n", 4096, &bytes));
    assert_null(keep(a, "a; copy t;\n1\n\\.\nb;", 4096, &bytes));
    assert_null(keep(a, "-- nothing\n", 4096, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_statements_and_places_are_those_of_the_script),
        cmocka_unit_test(what_is_large_or_not_all_is_not_kept),
    };
    return cmocka_run_group_tests_name("core/model/kept", tests, NULL, NULL);
}
