/*
 * Runs the seeds of a fuzz target as a plain test, so that every compiler and `make test` exercise
 * them: each file in testdata/corpus/<program's name>/ once, and the empty input. Linked with one
 * *_fuzz.c; under `make fuzz` libFuzzer's own main takes its place.
 */
#include "core/base/fs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEED_MAX_BYTES ((size_t)16 << 20)

static const char *program_name;

/* A copy without a byte to spare, so that a sanitizer sees a read past the end. */
static void run_seed(struct str seed)
{
    uint8_t *copy = malloc(seed.len ? seed.len : 1);
    assert_non_null(copy);
    if (seed.len)
        memcpy(copy, seed.at, seed.len);
    assert_int_equal(LLVMFuzzerTestOneInput(copy, seed.len), 0);
    free(copy);
}

static void the_empty_input_is_survived(void **state)
{
    (void)state;
    run_seed((struct str){0});
}

static void every_seed_is_survived(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *directory = arena_printf(a, "testdata/corpus/%s", program_name);
    struct fs_entries entries;
    if (!fs_list(a, directory, &entries, &f))
        fail_msg("%s: a fuzz target needs seeds there", f.message);
    assert_true(entries.count > 0);
    for (size_t i = 0; i < entries.count; i++) {
        struct arena_mark mark = arena_mark(a);
        const char *path = fs_join(a, str_of(directory), entries.at[i].name);
        struct str seed;
        if (!fs_read(a, path, SEED_MAX_BYTES, &seed, &f))
            fail_msg("%s", f.message);
        print_message("seed %s\n", path); /* the last one before a crash is the culprit */
        run_seed(seed);
        arena_reset(a, mark);
    }
}

int main(int argc, char **argv)
{
    program_name = argc > 0 ? fs_basename(str_of(argv[0])).at : "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_input_is_survived),
        cmocka_unit_test(every_seed_is_survived),
    };
    return cmocka_run_group_tests_name("seeds", tests, NULL, NULL);
}
