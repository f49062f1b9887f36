/*
 * Statements that are sent in their online form: the steps are cut, grouped and analysed as if they stood in
 * the file; for a run, the script is put together anew with them in it.
 */
#include "planner/planner_parts.h"

#include "core/base/vec.h"
#include "planner/postgres/rewrite.h"

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
                                              const struct analysis *seen, const char **out_why_not)
{
    *out_why_not = NULL;
    bool is_begun = p->begun && (int64_t)started.unit < p->begun->units_done;
    /* Before the first statement directives are for the whole file. */
    p->is_as_written |= number == 0 && is_as_written(s);
    bool is_bound = p->is_bound;
    p->is_bound |=
        p->postgres && p->request->rewrite != REWRITE_OFF && postgres_binds_transaction(s);
    is_begun |= p->begun && p->begun->is_expanded;
    if (p->request->rewrite == REWRITE_OFF || !p->is_whole || is_begun || p->is_as_written ||
        is_bound || is_as_written(s))
        return NULL;
    const struct online_form *form =
        p->postgres ? postgres_analysis_rewrite(p->a, p->postgres, s, seen, out_why_not)
                    : sqlite_analysis_rewrite(p->a, p->sqlite, s, seen);
    return form && planner_open_is_reused(form, p->behind, p->behind_count) ? NULL : form;
}

bool planner_online_check_batch(struct pass *p, const struct statement *s, struct fail *f)
{
    bool is_asked = p->request->rewrite == REWRITE_AUTO && s->is_analysed;
    const char *why = NULL;
    if (is_asked && p->postgres)
        why = postgres_analysis_batch_refusal(p->a, p->postgres, s);
    else if (is_asked && p->sqlite)
        why = sqlite_analysis_batch_refusal(p->a, p->sqlite, s);
    if (!why)
        return true;
    fail_set(f, EXIT_USAGE, "this statement cannot have the batches that are asked for");
    script_locate(p->script, s, 0, f);
    fail_detail(f, "-- migrate: batch is in front of it, and %s.", why);
    return fail_hint(f,
                     "Name the %s, or take the directive away: the statement runs as it is "
                     "written then.",
                     p->postgres ? "first columns of such an index" : "key of the table");
}

/* ---- steps ---- */

/* PRAGMA foreign_keys is not sent, and belongs to no unit (enforcement.h). */
static bool is_sent(const struct statement *part)
{
    return part->role != ROLE_HOISTED;
}

/* One step as statements of the file, in the place of the one that it is for. */
static struct statements cut_step(struct pass *p, const struct statement *of,
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
    bool is_one =
        form->steps.at[index].refuses_transaction || form->steps.at[index].kind != STEP_STATEMENT;
    if (!p->request->dialect->cut(p->a, &request, &cut, &f) || !cut.statements.count ||
        (is_one && cut.statements.count != 1))
        BUG("a step of an online form is not what it should be");
    bool is_begun = false;
    for (size_t i = 0; i < cut.statements.count; i++) {
        struct statement *step = &cut.statements.at[i];
        step->line = of->line;
        if (form->steps.at[index].kind != STEP_STATEMENT)
            step->ranged = &form->steps.at[index];
        step->online_step = arena_printf(p->a, "step %zu of %zu of the online form (%s)", index + 1,
                                         form->steps.count, form->recipe);
        step->continues_step = is_begun;
        step->step_continues = i + 1 < cut.statements.count;
        is_begun |= is_sent(step);
    }
    return cut.statements;
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

static bool settles(const struct online_form *form, const struct hazard *h)
{
    for (size_t i = 0; form->settles && form->settles[i]; i++) {
        if (strcmp(form->settles[i], h->rule->id) == 0)
            return true;
    }
    return rewrite_expects(form->recipe, h->rule->id);
}

/* What no step does any more is settled. What only a step does is said of the statement. On SQLite nobody
   looks at steps: there a form says itself what it settles. */
static void settle_findings(const struct pass *p, struct arena *a, const struct online_form *form,
                            const struct hazards *of_steps, struct hazards *findings)
{
    size_t own = findings->count;
    for (size_t i = 0; i < own; i++) {
        struct hazard *h = &findings->at[i];
        bool is_left = p->sqlite ? !settles(form, h) : is_found(of_steps, h) && !settles(form, h);
        bool is_mere_note = h->level < HAZARD_WARN && !settles(form, h);
        if (is_mere_note || rewrite_keeps(form->recipe, h->rule->id) || is_left)
            continue;
        h->settled_by = form->recipe;
    }
    for (size_t i = 0; i < of_steps->count; i++) {
        const struct hazard *h = &of_steps->at[i];
        if (h->level < HAZARD_WARN || is_found(findings, h) || is_about_proof(h) ||
            settles(form, h))
            continue;
        vec_push(a, findings, *h);
        findings->at[findings->count - 1].offset_bytes = 0; /* it is one in the step's text */
    }
}

/* Sent as the next unit, which is noted. */
static bool feed_part(struct pass *p, const struct statement *part, const struct online_form *form,
                      size_t index, struct grouping_step *how, struct fail *f)
{
    if (!planner_feed(p, part, false, how, f))
        return false;
    (void)enforcement_feed(&p->enforcement, &p->grouping, how, part);
    vec_push(p->scratch, &p->sent, *part);
    if (part->continues_step || !is_sent(part))
        return true;
    struct planned_step unit = {p->grouping.unit, part->line, form, index};
    vec_push(p->a, &p->planned->steps, unit);
    return true;
}

/* A DO block in a step is ours: it does to names that are not known before what the step says, and what could
   not be looked into is no news. */
static bool is_ours(const struct statement *part)
{
    return strcmp(part->kind, "DO") == 0;
}

/* found: what was found of it is added. */
static bool take_step(struct pass *p, size_t number, const struct statement *of,
                      const struct online_form *form, size_t index, struct arena *a,
                      struct hazards *found, struct fail *f)
{
    struct statements parts = cut_step(p, of, form, index);
    enum unit_kind kind = UNIT_NONE;
    for (size_t i = 0; i < parts.count; i++) {
        struct statement *part = &parts.at[i];
        struct analysis analysis = {0};
        struct grouping_step how;
        if (!feed_part(p, part, form, index, &how, f))
            return false;
        bool is_seen = p->postgres && !is_ours(part);
        if (is_seen)
            planner_look(p, part, &how, a, &analysis);
        kind = i ? kind : how.open;
        planner_note_step_locks(p, part, kind, &form->steps.at[index],
                                is_seen ? &analysis.effects : NULL);
        if (!is_seen)
            continue;
        waivers_apply(&p->waivers, number, &analysis.hazards);
        planner_take(p, part, &how, a, &analysis);
        for (size_t k = 0; k < analysis.hazards.count; k++)
            vec_push(a, found, analysis.hazards.at[k]);
    }
    return true;
}

bool planner_online_take(struct pass *p, size_t number, const struct statement *s,
                         const struct online_form *form, struct grouping started, struct arena *a,
                         struct analysis *seen, uint32_t *out_unit, struct fail *f)
{
    struct hazards found = {0};
    bool is_kept = a == p->a && p->postgres;
    size_t at_once = online_steps_at_once(form);
    struct hazards *each =
        is_kept ? arena_array(a, struct hazards, form->steps.count) : NULL; /* for plan --write */
    p->grouping = started; /* the statement itself is not sent */
    p->enforcement = p->enforcement_before;
    p->planned->enforcements.count = p->enforcement_count_before;
    planner_tell(p, ANALYSIS_TRANSACTION_ENDS);
    for (size_t i = at_once; i < form->steps.count; i++) {
        struct waiting_step waiting = {cut_step(p, s, form, i), form, i};
        vec_push(p->scratch, &p->waiting, waiting);
    }
    *out_unit = 0;
    for (size_t i = 0; i < at_once; i++) {
        struct hazards of_step = {0};
        if (!take_step(p, number, s, form, i, a, &of_step, f))
            return false;
        if (i == 0)
            *out_unit = p->planned->steps.at[p->planned->steps.count - 1].unit;
        if (each)
            each[i] = of_step;
        for (size_t k = 0; k < of_step.count; k++)
            vec_push(a, &found, of_step.at[k]);
    }
    p->enforcement.state = p->enforcement_before.state; /* a step's pragma is for the step alone */
    if (p->sqlite)
        sqlite_analysis_take_form(p->sqlite, form);
    settle_findings(p, a, form, &found, &seen->hazards);
    struct online_rewritten one = {number, digest_of(s->text), form, each};
    vec_push(p->a, &p->planned->online, one);
    return true;
}

/* Where one form waits twice, the others wait with it before they take anything away: until then there is a
   way back from all of them. What an earlier version began waits once, also for its switch: that stays. */
static void wait_for_the_last(const struct pass *p)
{
    bool is_any = false;
    for (size_t i = 0; i < p->waiting.count; i++)
        is_any |= p->waiting.at[i].form->steps.at[p->waiting.at[i].index].waits_again;
    for (size_t i = 0; is_any && i < p->waiting.count; i++) {
        const struct online_form *form = p->waiting.at[i].form;
        bool has_switch = false;
        for (size_t k = 0; k < form->steps.count; k++)
            has_switch |= form->steps.at[k].waits && form->steps.at[k].phase == PHASE_SWITCH;
        if (!has_switch)
            form->steps.at[p->waiting.at[i].index].waits_again = true;
    }
}

static bool feed_waiting(struct pass *p, const struct waiting_step *w, struct fail *f)
{
    enum unit_kind kind = UNIT_NONE;
    for (size_t k = 0; k < w->parts.count; k++) {
        struct grouping_step how;
        struct analysis analysis = {0};
        if (!feed_part(p, &w->parts.at[k], w->form, w->index, &how, f))
            return false;
        bool is_seen = p->postgres && !is_ours(&w->parts.at[k]);
        if (is_seen) /* only for what it locks: it is not folded in */
            planner_look(p, &w->parts.at[k], &how, p->scratch, &analysis);
        kind = k ? kind : how.open;
        struct online_step *step = &w->form->steps.at[w->index];
        if (p->postgres && is_ours(&w->parts.at[k]))
            planner_note_switch_locks(p, &w->parts.at[k], w->form, step);
        planner_note_step_locks(p, &w->parts.at[k], kind, step, is_seen ? &analysis.effects : NULL);
    }
    return true;
}

/* Behind the last statement, so that all of the file but this is done when `migrate apply` ends. They are not
   looked at: what comes after this migration runs before them, and finds what was there before. */
bool planner_online_end(struct pass *p, struct fail *f)
{
    wait_for_the_last(p);
    for (size_t i = 0; i < 2 * p->waiting.count; i++) { /* those that wait once, then the others */
        bool is_again = i >= p->waiting.count;
        const struct waiting_step *w = &p->waiting.at[i % p->waiting.count];
        if (w->form->steps.at[w->index].waits_again != is_again)
            continue;
        if (!feed_waiting(p, w, f))
            return false;
        uint32_t unit = p->planned->steps.at[p->planned->steps.count - 1].unit;
        if (!p->planned->wait_unit)
            p->planned->wait_unit = unit;
        if (is_again && !p->planned->again_unit)
            p->planned->again_unit = unit;
    }
    return true;
}

void planner_online_settle_class(struct statement *s)
{
    s->is_analysed = true;
    s->class = CLASS_ADDITIVE;
    s->class_reason = "its steps only add";
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
    bool is_untouched =
        begun && !p->begun->is_expanded && (int64_t)started.unit >= p->begun->units_done;
    return begun && !(is_untouched && is_edited(begun, s));
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
