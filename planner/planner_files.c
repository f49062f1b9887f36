/* See planner_files.h. An edited file is merged, so it is not planned: only its directives are read. */
#include "planner/planner_files.h"

#include "core/base/vec.h"
#include "planner/planner_schema.h"

void planner_waive_files(struct waivers *w, const struct migration *m, struct plan *plan)
{
    for (size_t i = 0; i < plan->files.count; i++) {
        if (plan->files.at[i].migration == m)
            waivers_apply_file(w, &plan->files.at[i].hazard);
    }
}

static bool read_waivers(struct arena *a, struct script *script, struct waivers *out,
                         struct fail *f)
{
    struct script_batch batch = {.count = 1};
    size_t number = 0;
    while (batch.count) {
        if (!script_next(script, &batch, f))
            return false;
        for (size_t i = 0; i < batch.count; i++)
            waivers_add(a, out, &batch.statements[i], number++);
        if (!batch.count || batch.is_last)
            waivers_add_behind(a, out, &batch.behind);
        const struct statement *last = batch.count ? &batch.statements[batch.count - 1] : NULL;
        if (last && last->is_copy_from_stdin && !planner_skip_copy_data(script, f))
            return false;
    }
    return true;
}

static bool waive_unplanned(struct arena *a, const struct plan_request *r,
                            const struct migration *m, struct plan *out, struct fail *f)
{
    const struct script_context context = {
        .dialect = r->dialect,
        .server_version = r->server_version,
        .placeholders = r->placeholders,
        .placeholder_count = r->placeholder_count,
    };
    struct waivers waivers = {0};
    SCOPED(script) struct script *script = script_open(m, false, &context, f);
    bool is_read = script && read_waivers(a, script, &waivers, f);
    if (!is_read && f->code == EXIT_USAGE)
        return false;
    if (!is_read)
        fail_clear(f); /* no SQL: it allows what it said up to there */
    planner_waive_files(&waivers, m, out);
    return true;
}

static bool is_planned(const struct plan_request *r, const struct migration *m)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->migrations[i] == m)
            return true;
    }
    return false;
}

bool planner_take_files(struct arena *a, const struct plan_request *request, struct plan *out,
                        struct fail *f)
{
    for (size_t i = 0; i < request->file_count; i++)
        vec_push(a, &out->files, request->files[i]);
    for (size_t i = 0; i < out->files.count; i++) {
        const struct migration *m = out->files.at[i].migration;
        if (m && !m->is_opaque && !is_planned(request, m) &&
            !waive_unplanned(a, request, m, out, f))
            return false;
    }
    return true;
}
