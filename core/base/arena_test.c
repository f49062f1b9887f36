/* Arena: alignment, zeroed memory, blocks of any size, mark and reset; and typed arrays in it. */
#include "core/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/vec.h"

static bool is_zeroed(const char *at, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (at[i] != 0)
            return false;
    }
    return true;
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 32767, 32768, 32769, 1 << 20, 1};
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            char *at = arena_alloc(a, sizes[i]);
            assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
            if (!is_zeroed(at, sizes[i]))
                fail_msg("%zu bytes are not zeroed", sizes[i]);
            memset(at, 0xAB, sizes[i]); /* the next one would show it, were it handed out twice */
        }
    }
}

static void memory_given_back_is_zeroed_when_handed_out_again(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    (void)arena_alloc(a, 8);
    struct arena_mark mark = arena_mark(a);
    char *first = arena_alloc(a, 64);
    memset(first, 0xCD, 64);
    arena_reset(a, mark);
    char *again = arena_alloc(a, 64);
    assert_ptr_equal(first, again);
    assert_true(is_zeroed(again, 64));
}

static void a_reset_gives_back_what_was_made_since_the_mark(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    char *kept = arena_printf(a, "kept %d", 7);
    size_t before_bytes = arena_used_bytes(a);
    struct arena_mark mark = arena_mark(a);
    for (int i = 0; i < 1000; i++)
        (void)arena_alloc(a, 1000);
    assert_true(arena_used_bytes(a) >= 1000 * 1000);
    arena_reset(a, mark);
    assert_int_equal(arena_used_bytes(a), before_bytes);
    assert_string_equal(kept, "kept 7");
}

static void a_mark_of_an_empty_arena_gives_back_everything(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct arena_mark mark = arena_mark(a);
    (void)arena_alloc(a, 100000);
    arena_reset(a, mark);
    assert_int_equal(arena_used_bytes(a), 0);
    assert_non_null(arena_alloc(a, 1));
}

static void a_loop_that_resets_needs_no_more_memory(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    (void)arena_alloc(a, 32);
    for (int i = 0; i < 100000; i++) {
        struct arena_mark mark = arena_mark(a);
        (void)arena_alloc(a, 3000);
        arena_reset(a, mark);
    }
    assert_int_equal(arena_used_bytes(a), 32);
}

static void copies_end_with_nul_and_may_be_empty(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct str slice = str_skip(STR("select 1; select 2"), 10);
    assert_string_equal(arena_cstr(a, slice), "select 2");
    assert_string_equal(arena_cstr(a, (struct str){0}), "");
    struct str copy = arena_str(a, (struct str){"a\0b", 3});
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.at, "a\0b\0", 4);
}

static void printf_takes_texts_longer_than_a_block(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    char *text = arena_printf(a, "%*d|%s", 100000, 5, "end");
    assert_int_equal(strlen(text), 100004);
    assert_string_equal(text + 99999, "5|end");
}

static void releasing_nothing_is_fine(void **state)
{
    (void)state;
    arena_release(NULL);
}

static void an_array_grows_and_keeps_its_values(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    VEC_OF(size_t) numbers = {0};
    for (size_t i = 0; i < 1000; i++)
        vec_push(a, &numbers, i * i);
    assert_int_equal(numbers.count, 1000);
    assert_true(numbers.room >= numbers.count);
    for (size_t i = 0; i < numbers.count; i++)
        assert_int_equal(numbers.at[i], i * i);
}

static void an_array_takes_structs_and_its_own_members(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    VEC_OF(struct str) names = {0};
    vec_push(a, &names, (struct str){.at = "one", .len = 3});
    while (names.count < 9) /* past the first room, so that storage moves under the copied member */
        vec_push(a, &names, names.at[names.count - 1]);
    assert_true(str_equal(names.at[8], STR("one")));
}

static void a_size_is_the_product(void **state)
{
    (void)state;
    assert_int_equal(arena_array_size(3, 7), 21);
    assert_int_equal(arena_array_size(0, 7), 0);
    assert_int_equal(arena_array_size(1, SIZE_MAX), SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(memory_given_back_is_zeroed_when_handed_out_again),
        cmocka_unit_test(a_reset_gives_back_what_was_made_since_the_mark),
        cmocka_unit_test(a_mark_of_an_empty_arena_gives_back_everything),
        cmocka_unit_test(a_loop_that_resets_needs_no_more_memory),
        cmocka_unit_test(copies_end_with_nul_and_may_be_empty),
        cmocka_unit_test(printf_takes_texts_longer_than_a_block),
        cmocka_unit_test(releasing_nothing_is_fine),
        cmocka_unit_test(an_array_grows_and_keeps_its_values),
        cmocka_unit_test(an_array_takes_structs_and_its_own_members),
        cmocka_unit_test(a_size_is_the_product),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
