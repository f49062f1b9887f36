/*
 * Statements that are sent in their online form: the steps are cut, grouped and analysed as if they stood in
 * the file; for a run, the script is put together anew with them in it.
 */
#include "planner/planner_parts.h"

#include "core/base/vec.h"

void planner_online_begin(struct pass *p, const struct script_batch *batch)
{
    bool is_copy = batch->count && batch->statements[batch->count - 1].is_copy_from_stdin;
    if (!p->planned->statement_count)
        p->is_whole = batch->is_last && !is_copy;
}

static bool is_as_written(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_AS_WRITTEN)
            return true;
    }
    return false;
}

const struct online_form *planner_online_form(struct pass *p, size_t number,
                                              const struct statement *s, struct grouping started,
                                              const struct analysis *seen)
{
    bool is_begun = p->begun && (int64_t)started.unit < p->begun->units_done;
    /* Before the first statement directives are for the whole file. */
    p->is_as_written |= number == 0 && is_as_written(s);
    bool is_bound = p->is_bound;
    p->is_bound |=
        p->postgres && p->request->rewrite != REWRITE_OFF && postgres_binds_transaction(s);
    if (!p->postgres || p->request->rewrite == REWRITE_OFF || !p->is_whole || is_begun ||
        p->is_as_written || is_bound || is_as_written(s))
        return NULL;
    return postgres_analysis_rewrite(p->a, p->postgres, s, seen);
}

/* ---- steps ---- */

/* One step as a statement of the file, in the place of the one that it is for. */
static struct statement cut_step(struct pass *p, const struct statement *of,
                                 const struct online_form *form, size_t index)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct cut_request request = {
        .window = arena_str(p->a, form->steps.at[index].sql),
        .is_end = true,
        .line = of->line,
        .column = 1,
        .path = p->planned->migration->path,
        .server_version = p->request->server_version,
        .wants_analysis = p->postgres != NULL,
    };
    struct cut_result cut;
    if (!p->request->dialect->cut(p->a, &request, &cut, &f) || cut.statements.count != 1)
        BUG("a step of an online form is not one statement");
    struct statement step = cut.statements.at[0];
    step.line = of->line;
    if (form->steps.at[index].kind != STEP_STATEMENT)
        step.ranged = &form->steps.at[index];
    step.online_step = arena_printf(p->a, "step %zu of %zu of the online form (%s)", index + 1,
                                    form->steps.count, form->recipe);
    return step;
}

static bool is_found(const struct hazards *found, const struct hazard *h)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->at[i].rule == h->rule && found->at[i].level >= HAZARD_WARN)
            return true;
    }
    return false;
}

/* A statement that adds no constraint itself has steps that do: as the proof of another rule, which it has
   findings of its own about, and not to stay. */
static bool is_about_proof(const struct hazard *h)
{
    return strcmp(h->rule->id, "add-constraint-compat") == 0;
}

/* What no step does any more is settled. What only a step does is said of the statement. */
static void settle_findings(struct arena *a, const struct online_form *form,
                            const struct hazards *of_steps, struct hazards *findings)
{
    size_t own = findings->count;
    for (size_t i = 0; i < own; i++) {
        struct hazard *h = &findings->at[i];
        if (h->level < HAZARD_WARN || is_found(of_steps, h))
            continue;
        h->settled_by = form->recipe;
    }
    for (size_t i = 0; i < of_steps->count; i++) {
        const struct hazard *h = &of_steps->at[i];
        if (h->level < HAZARD_WARN || is_found(findings, h) || is_about_proof(h))
            continue;
        vec_push(a, findings, *h);
        findings->at[findings->count - 1].offset_bytes = 0; /* it is one in the step's text */
    }
}

bool planner_online_take(struct pass *p, size_t number, const struct statement *s,
                         const struct online_form *form, struct grouping started, struct arena *a,
                         struct analysis *seen, uint32_t *out_unit, struct fail *f)
{
    struct hazards found = {0};
    bool is_kept = a == p->a && p->postgres;
    struct hazards *each =
        is_kept ? arena_array(a, struct hazards, form->steps.count) : NULL; /* for plan --write */
    p->grouping = started; /* the statement itself is not sent */
    planner_tell(p, ANALYSIS_TRANSACTION_ENDS);
    for (size_t i = 0; i < form->steps.count; i++) {
        struct statement step = cut_step(p, s, form, i);
        struct analysis analysis = {0};
        struct grouping_step how;
        if (!planner_feed(p, &step, false, &how, f))
            return false;
        if (i == 0)
            *out_unit = p->grouping.unit;
        if (p->postgres) {
            planner_look(p, &step, &how, a, &analysis);
            waivers_apply(&p->waivers, number, &analysis.hazards);
        }
        planner_note_step_locks(p, &step, how.open, &form->steps.at[i],
                                p->postgres ? &analysis.effects : NULL);
        if (p->postgres)
            planner_take(p, &step, &how, a, &analysis);
        if (each)
            each[i] = analysis.hazards;
        for (size_t k = 0; k < analysis.hazards.count; k++)
            vec_push(a, &found, analysis.hazards.at[k]);
        vec_push(p->scratch, &p->sent, step);
    }
    settle_findings(a, form, &found, &seen->hazards);
    struct online_rewritten one = {number, digest_of(s->text), form, each};
    vec_push(p->a, &p->planned->online, one);
    return true;
}

static bool is_edited(const struct online_rewritten *begun, const struct statement *s)
{
    struct digest now = digest_of(s->text);
    return !digest_equal(&now, &begun->digest);
}

bool planner_online_is_begun(const struct pass *p, size_t number, const struct statement *s,
                             struct grouping started)
{
    const struct online_rewritten *begun = p->begun ? online_find(&p->begun->forms, number) : NULL;
    return begun && !((int64_t)started.unit >= p->begun->units_done && is_edited(begun, s));
}

bool planner_online_resume(struct pass *p, size_t number, const struct statement *s,
                           struct grouping started, struct fail *f)
{
    const struct online_rewritten *begun = online_find(&p->begun->forms, number);
    struct analysis ignored = {0};
    uint32_t unit;
    if (!is_edited(begun, s))
        return planner_online_take(p, number, s, begun->form, started, p->a, &ignored, &unit, f);
    fail_set(f, EXIT_INTEGRITY, "a statement that was begun in its online form was edited");
    script_locate(p->script, s, 0, f);
    return fail_hint(f, "Put it back as it was until the migration is applied; write what must "
                        "change behind it, or in another migration.");
}

void planner_online_sent(struct pass *p, size_t number, const struct statement *s)
{
    bool runs_online = p->planned->online.count &&
                       p->planned->online.at[p->planned->online.count - 1].statement == number;
    if (p->request->is_for_run && p->is_whole && !runs_online)
        vec_push(p->scratch, &p->sent, *s);
}

struct kept_script *planner_online_kept(const struct pass *p)
{
    return kept_make_of(p->a, script_window(p->script), p->sent.at, p->sent.count);
}
