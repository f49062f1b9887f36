/*
 * The way back from a migration that is expanded, or was cut off on its way there: the undo of each step that
 * is done, the last one first, as a plan that the runner runs like any other.
 */
#include "planner/planner.h"

#include "core/base/vec.h"
#include "core/model/kept.h"
#include "core/model/script.h"

static const struct planned_step *step_of(const struct planned_migration *m, uint32_t unit)
{
    for (size_t i = 0; i < m->steps.count; i++) {
        if (m->steps.at[i].unit == unit)
            return &m->steps.at[i];
    }
    return NULL;
}

static bool refuse(const struct planned_migration *m, const struct planned_step *at, uint32_t unit,
                   struct fail *f)
{
    struct str label = m->migration->version.len ? m->migration->version : m->migration->script;
    if (!at) {
        fail_set(f, EXIT_REFUSED, "%.*s cannot be taken back: what its step %u did has no undo",
                 STR_ARG(label), unit);
        fail_at(f, m->migration->path, 0, 0, (struct str){0});
        fail_detail(f,
                    "It is a statement that ran as it is written, not a step of an online form.");
    } else {
        const struct online_step *step = &at->form->steps.at[at->index];
        fail_set(f, EXIT_REFUSED, "%.*s cannot be taken back: step %zu of %s has no undo",
                 STR_ARG(label), at->index + 1, at->form->recipe);
        fail_at(f, m->migration->path, at->line, 1, (struct str){0});
        fail_detail(f, "The step %s.", step->does);
    }
    return fail_hint(f, "Write what takes it back as another migration.");
}

static bool refuse_lossy(const struct planned_migration *m, const struct planned_step *at,
                         struct fail *f)
{
    const struct online_step *step = &at->form->steps.at[at->index];
    struct str label = m->migration->version.len ? m->migration->version : m->migration->script;
    fail_set(f, EXIT_REFUSED, "taking %.*s back loses what was written since", STR_ARG(label));
    fail_at(f, m->migration->path, at->line, 1, (struct str){0});
    fail_detail(f, "Step %zu of %s (%s) is undone by: %.*s", at->index + 1, at->form->recipe,
                step->does, STR_ARG(step->undo));
    return fail_hint(f, "If that may go, say so, and why: --lossy --reason \"…\".");
}

/* The statements of one undo, as one unit. */
static bool cut_undo(struct arena *a, const struct dialect *dialect, uint32_t server_version,
                     const struct planned_migration *m, const struct planned_step *at,
                     struct statements *out, struct fail *f)
{
    const struct online_step *step = &at->form->steps.at[at->index];
    const struct cut_request cut = {
        .window = arena_str(a, step->undo),
        .is_end = true,
        .line = at->line,
        .column = 1,
        .path = m->migration->path,
        .server_version = server_version,
    };
    struct cut_result parts;
    if (!dialect->cut(a, &cut, &parts, f))
        return false;
    for (size_t i = 0; i < parts.statements.count; i++) {
        struct statement s = parts.statements.at[i];
        s.line = at->line;
        s.online_step = arena_printf(a, "the undo of step %zu of the online form (%s)",
                                     at->index + 1, at->form->recipe);
        s.continues_step = i > 0;
        s.step_continues = i + 1 < parts.statements.count;
        vec_push(a, out, s);
    }
    return true;
}

bool plan_undo(struct arena *a, const struct dialect *dialect, uint32_t server_version,
               const struct planned_migration *done, int64_t units_done, bool may_lose,
               struct planned_migration *out, struct fail *f)
{
    struct statements all = {0};
    int64_t *left = arena_array(a, int64_t, (size_t)units_done + 2);
    uint32_t count = 0;
    left[0] = units_done;
    *out = (struct planned_migration){
        .migration = done->migration, .checksums = done->checksums, .class = CLASS_DESTRUCTIVE};
    for (int64_t unit = units_done; unit > 0; unit--) {
        const struct planned_step *at = step_of(done, (uint32_t)unit);
        const struct online_step *step = at ? &at->form->steps.at[at->index] : NULL;
        if (!step || step->undo_cost == UNDO_IMPOSSIBLE)
            return refuse(done, at, (uint32_t)unit, f);
        if (step->undo_cost == UNDO_LOSSY && !may_lose)
            return refuse_lossy(done, at, f);
        left[count] = unit;
        if (!step->undo.len) /* it has left nothing, as VALIDATE CONSTRAINT */
            continue;
        if (!cut_undo(a, dialect, server_version, done, at, &all, f))
            return false;
        left[++count] = unit - 1;
    }
    left[count] = 0;
    struct kept_script *kept = kept_make_of(a, STR(""), all.at, all.count);
    kept->raw = done->checksums.raw;
    out->kept = kept;
    out->statement_count = all.count;
    out->unit_count = count;
    out->units_left = left;
    return true;
}
