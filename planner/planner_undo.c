/*
 * The way back from a migration that is expanded or switched, or was cut off on its way there: the undo of
 * each step that is done, the last one first, as a plan that the runner runs like any other.
 */
#include "planner/planner.h"

#include "core/base/vec.h"
#include "core/model/kept.h"
#include "core/model/script.h"

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

struct undoing {
    struct arena *a;
    const struct undo_request *request;
    struct statements all;
    struct units_locks locks;
    int64_t *left; /* behind each unit of the way back, how many of the migration's are left */
    uint32_t count;
};

/* One unit more, of this text. step: what it is a step of, where the undo has several; else NULL. */
static bool add_unit(struct undoing *u, const struct planned_step *at,
                     const struct online_step *step, struct str sql, struct fail *f)
{
    struct arena *a = u->a;
    const struct cut_request cut = {
        .window = arena_str(a, sql),
        .is_end = true,
        .line = at->line,
        .column = 1,
        .path = u->request->done->migration->path,
        .server_version = u->request->server_version,
    };
    struct cut_result parts;
    if (!u->request->dialect->cut(a, &cut, &parts, f))
        return false;
    for (size_t i = 0; i < parts.statements.count; i++) {
        struct statement s = parts.statements.at[i];
        s.line = at->line;
        s.online_step = arena_printf(a, "the undo of step %zu of the online form (%s)",
                                     at->index + 1, at->form->recipe);
        s.continues_step = i > 0;
        s.step_continues = i + 1 < parts.statements.count;
        if (step && step->kind != STEP_STATEMENT)
            s.ranged = step;
        vec_push(a, &u->all, s);
    }
    u->count++;
    if (step && step->locks) {
        struct unit_locks locks = {.unit = u->count, .locks = *step->locks};
        vec_push(a, &u->locks, locks);
    }
    return true;
}

/* skip: so many steps of it are done. */
static bool add_undo(struct undoing *u, const struct planned_step *at, int64_t unit, size_t skip,
                     struct fail *f)
{
    const struct online_step *step = &at->form->steps.at[at->index];
    u->left[u->count] = unit;
    if (step->undo.len) {
        if (!add_unit(u, at, NULL, step->undo, f))
            return false;
    } else {
        /* None of either: it has left nothing, as VALIDATE CONSTRAINT. */
        for (size_t i = skip; i < step->undo_steps.count; i++) {
            const struct online_step *one = &step->undo_steps.at[i];
            u->left[u->count] = unit;
            if (!add_unit(u, at, one, one->sql, f))
                return false;
        }
    }
    u->left[u->count] = unit - 1;
    return true;
}

static size_t count_units(const struct planned_migration *done)
{
    size_t count = done->unit_count;
    for (size_t i = 0; i < done->steps.count; i++) {
        const struct planned_step *at = &done->steps.at[i];
        count += at->form->steps.at[at->index].undo_steps.count;
    }
    return count;
}

bool plan_undo(struct arena *a, const struct undo_request *request, struct planned_migration *out,
               struct fail *f)
{
    const struct planned_migration *done = request->done;
    struct undoing u = {
        .a = a, .request = request, .left = arena_array(a, int64_t, count_units(done) + 2)};
    u.left[0] = request->units_done;
    for (int64_t unit = request->units_done; unit > 0; unit--) {
        const struct planned_step *at = planned_step_find(done, (uint32_t)unit);
        const struct online_step *step = at ? &at->form->steps.at[at->index] : NULL;
        size_t skip = unit == request->units_done ? request->undone_steps : 0;
        if (!step || step->undo_cost == UNDO_IMPOSSIBLE)
            return refuse(done, at, (uint32_t)unit, f);
        if (step->undo_cost == UNDO_LOSSY && !request->may_lose)
            return refuse_lossy(done, at, f);
        if (!add_undo(&u, at, unit, skip, f))
            return false;
    }
    struct kept_script *kept = kept_make_of(a, STR(""), u.all.at, u.all.count);
    kept->raw = done->checksums.raw;
    *out = (struct planned_migration){
        .migration = done->migration,
        .checksums = done->checksums,
        .class = CLASS_DESTRUCTIVE,
        .kept = kept,
        .statement_count = u.all.count,
        .unit_count = u.count,
        .units_left = u.left,
        .locks = u.locks,
    };
    return true;
}
