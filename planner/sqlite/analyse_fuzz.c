/* Any text as a schema and a migration of SQLite: run in the scratch database, never outside of it. */
#include "planner/analysis_fuzzing.h"
#include "planner/sqlite/analyse.h"
#include "planner/sqlite/cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct arena *a;
    struct fuzz_input input;
    struct sqlite_scratch *scratch;
    bool is_failed;
};

static void load(void *context, struct statement *s)
{
    struct run *run = context;
    const char *why = sqlite_scratch_load(run->a, run->scratch, s->text);
    assert(!why || why[0]);
}

static void analyse(void *context, struct statement *s)
{
    struct run *run = context;
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (run->is_failed)
        return;
    run->is_failed = !sqlite_scratch_analyse(run->a, run->scratch, s, &f);
    assert(run->is_failed == fail_is_set(&f));
    assert(s->is_analysed || s->not_analysed_reason);
}

static void *run_input(void *context)
{
    struct run *run = context;
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(sqlite_scratch) struct sqlite_scratch *scratch = run->scratch = sqlite_scratch_open(&f);
    assert(scratch);
    fuzz_each_statement(run->input.schema, &sqlite_dialect, 0, load, run);
    fuzz_each_statement(run->input.migration, &sqlite_dialect, 0, analyse, run);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct run run = {.a = a};
    if (fuzz_input_read(a, data, size, &run.input))
        fuzz_with_stack(run_input, &run);
    return 0;
}
