/* Any text as a schema and a migration: parsed, predicted, judged by the rules, folded. */
#include "planner/analysis_fuzzing.h"
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct arena *a;
    struct fuzz_input input;
    struct postgres_analysis *analysis;
};

static void fold(void *context, struct statement *s)
{
    postgres_analysis_fold(((struct run *)context)->analysis, s);
}

static void analyse(void *context, struct statement *s)
{
    struct run *run = context;
    struct analysis out;
    if (s->role == ROLE_BEGIN)
        postgres_analysis_event(run->analysis, ANALYSIS_TRANSACTION_BEGINS);
    postgres_analysis_statement(run->a, run->analysis, s, &out);
    assert(out.class != CLASS_ADDITIVE || !s->tree || !out.effects.opaque || s->is_analysed);
    for (size_t i = 0; i < out.effects.locks.count; i++)
        assert(out.effects.locks.at[i].relation.len && out.effects.locks.at[i].mode);
    for (size_t i = 0; i < out.hazards.count; i++)
        assert(out.hazards.at[i].message);
    if (s->role == ROLE_COMMIT || s->role == ROLE_ROLLBACK)
        postgres_analysis_event(run->analysis, s->role == ROLE_COMMIT
                                                   ? ANALYSIS_TRANSACTION_ENDS
                                                   : ANALYSIS_TRANSACTION_ROLLED_BACK);
}

static void *run_version(void *context)
{
    static const uint32_t versions[] = {0, 130000, 150004, 180000};
    struct run *run = context;
    const struct fuzz_input *input = &run->input;
    uint32_t version = versions[input->migration.len % ARRAY_LEN(versions)];
    SCOPED(postgres_analysis)
    struct postgres_analysis *analysis = run->analysis =
        postgres_analysis_open(run->a, NULL, version, NULL);
    if (input->has_schema) {
        fuzz_each_statement(input->schema, &postgres_dialect, version, fold, run);
        postgres_analysis_fold_end(analysis, true);
    }
    postgres_analysis_migration(analysis, STR("fuzz.sql"), TRANSACTION_AUTO);
    fuzz_each_statement(input->migration, &postgres_dialect, version, analyse, run);
    struct hazards hazards;
    postgres_analysis_migration_end(run->a, analysis, &hazards);
    postgres_analysis_event(analysis, ANALYSIS_TRANSACTION_ENDS);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct run run = {.a = a};
    if (fuzz_input_read(a, data, size, &run.input))
        fuzz_with_stack(run_version, &run);
    return 0;
}
