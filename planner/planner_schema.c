/* A schema file is read as a migration is, but nothing of it will be sent. */
#include "planner/planner_schema.h"

#include "core/base/vec.h"

bool planner_skip_copy_data(struct script *script, struct fail *f)
{
    struct str piece;
    do {
        if (!script_copy_data(script, &piece, f))
            return false;
    } while (piece.len);
    return true;
}

static void leave_out(struct arena *a, const struct statement *s, struct plan *out)
{
    struct schema_left_out one = {
        .line = s->line,
        .why = s->not_analysed_reason ? arena_cstr(a, str_of(s->not_analysed_reason)) : NULL,
    };
    vec_push(a, &out->left_out, one);
}

bool planner_fold_schema(struct arena *a, const struct plan_request *request,
                         struct postgres_analysis *analysis, struct plan *out, struct fail *f)
{
    const struct migration file = {.path = request->schema_path, .up = {.to = UINT64_MAX}};
    const struct script_context context = {
        .dialect = request->dialect,
        .server_version = request->server_version,
        .wants_analysis = true,
    };
    SCOPED(script) struct script *script = script_open(&file, false, &context, f);
    if (!script)
        return fail_hint(f, "--schema names a file of SQL, as pg_dump -s prints.");
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, f))
            return false;
        for (size_t i = 0; i < batch.count; i++) {
            if (!batch.statements[i].is_analysed)
                leave_out(a, &batch.statements[i], out);
            postgres_analysis_fold(analysis, &batch.statements[i]);
        }
        if (batch.count && batch.statements[batch.count - 1].is_copy_from_stdin &&
            !planner_skip_copy_data(script, f))
            return false;
    }
    postgres_analysis_fold_end(analysis, out->left_out.count == 0);
    return true;
}

struct sqlite_analysis *planner_open_sqlite(struct arena *a, const struct plan_request *request,
                                            struct plan *plan, struct fail *f)
{
    struct sqlite_analysis *p =
        sqlite_analysis_open(a, request->server_version, request->policy, f);
    if (p)
        sqlite_analysis_count_with(p, request->counter);
    for (size_t i = 0; p && i < request->schema_count; i++) {
        const char *why = sqlite_analysis_load(a, p, request->schema_texts[i]);
        if (why)
            vec_push(a, &plan->left_out, (struct schema_left_out){.index = i, .why = why});
    }
    if (p && request->schema_texts)
        sqlite_analysis_loaded(p);
    return p;
}
