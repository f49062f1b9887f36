/* Merged migrations are read as those that are planned, and looked at as far as
 * the catalog needs it. */
#include "planner/planner_schema.h"

#include "core/base/vec.h"

struct folding {
    struct arena *a;
    const struct plan_request *request;
    struct postgres_analysis *postgres;
    struct sqlite_analysis *sqlite;
    struct plan *out;
    const struct migration *migration;
};

static void leave_out(struct folding *fold, uint32_t line, const char *why)
{
    struct schema_left_out one = {
        .path = fold->migration->path,
        .line = line,
        .why = why ? arena_cstr(fold->a, str_of(why)) : NULL,
    };
    vec_push(fold->a, &fold->out->left_out, one);
}

/* Rows are not followed, and need not be there for a schema. */
static bool is_data(const struct statement *s)
{
    static const char *const kinds[] = {"INSERT", "UPDATE", "DELETE", "SELECT"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(s->kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

static void fold_statement(struct folding *fold, const struct statement *s)
{
    if (fold->postgres) {
        if (!s->is_analysed)
            leave_out(fold, s->line, s->not_analysed_reason);
        postgres_analysis_fold(fold->postgres, s);
    } else if (!is_data(s)) {
        SCOPED(arena) struct arena *scratch = arena_make();
        const char *why = sqlite_analysis_load(scratch, fold->sqlite, s->text);
        if (why)
            leave_out(fold, s->line, why);
    }
}

static bool fold_script(struct folding *fold, struct script *script, struct fail *f)
{
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, f))
            return false;
        for (size_t i = 0; i < batch.count; i++)
            fold_statement(fold, &batch.statements[i]);
        const struct statement *last = batch.count ? &batch.statements[batch.count - 1] : NULL;
        if (last && last->is_copy_from_stdin && !planner_skip_copy_data(script, f))
            return false;
    }
    return true;
}

static void fold_migration(struct folding *fold)
{
    const struct plan_request *r = fold->request;
    const struct script_context context = {
        .dialect = r->dialect,
        .server_version = r->server_version,
        .wants_analysis = true,
        .placeholders = r->placeholders,
        .placeholder_count = r->placeholder_count,
    };
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(script)
    struct script *script = script_open(fold->migration, false, &context, &f);
    if (!script || !fold_script(fold, script, &f))
        leave_out(fold, f.line, f.message);
    if (fold->postgres)
        postgres_analysis_fold_next(fold->postgres);
}

void planner_fold_before(struct arena *a, const struct plan_request *request,
                         struct postgres_analysis *postgres, struct sqlite_analysis *sqlite,
                         struct plan *out)
{
    struct folding fold = {a, request, postgres, sqlite, out, NULL};
    size_t left_out = out->left_out.count;
    for (size_t i = 0; i < request->before_count; i++) {
        fold.migration = request->before[i];
        fold_migration(&fold);
    }
    if (postgres)
        postgres_analysis_fold_merged_end(postgres, out->left_out.count == left_out);
    else if (out->left_out.count == left_out)
        sqlite_analysis_loaded(sqlite);
}
