/* A waiver is a directive with a place; what it hits becomes a note that carries the reason. */
#include "core/base/vec.h"
#include "planner/rules_history.h"

static void add(struct arena *a, struct waivers *w, const struct directive *d, size_t statement,
                uint32_t line)
{
    if (d->kind != DIRECTIVE_ALLOW)
        return;
    struct waiver waiver = {
        .hazard = arena_str(a, d->hazard),
        .reason = arena_str(a, d->reason),
        .line = d->line,
        .statement = statement,
        .statement_line = line,
    };
    vec_push(a, w, waiver);
}

void waivers_add(struct arena *a, struct waivers *w, const struct statement *s, size_t number)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        const struct directive *d = &s->directives.at[i];
        bool is_at_top = number == 0 && d->line < s->line;
        add(a, w, d, is_at_top ? SIZE_MAX : number, s->line);
    }
}

void waivers_add_behind(struct arena *a, struct waivers *w, const struct directives *behind)
{
    for (size_t i = 0; i < behind->count; i++)
        add(a, w, &behind->at[i], SIZE_MAX - 1, 0);
}

static bool covers(const struct waiver *w, size_t statement, const struct hazard *h)
{
    if (!str_equal(w->hazard, str_of(h->rule->id)))
        return false;
    if (w->statement == SIZE_MAX || w->statement == statement)
        return true;
    return statement == SIZE_MAX && h->line && w->statement_line == h->line;
}

static void waive(struct waiver *w, struct hazard *h)
{
    w->is_used = true;
    h->waiver = w->reason.at;
    h->waiver_line = w->line;
    h->level = HAZARD_NOTE;
}

void waivers_apply_file(struct waivers *w, struct hazard *h)
{
    for (size_t i = 0; i < w->count; i++) {
        if (str_equal(w->at[i].hazard, str_of(h->rule->id)))
            waive(&w->at[i], h);
    }
}

void waivers_leave_files(struct waivers *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->at[i].is_used |= rule_is_about_files(w->at[i].hazard);
}

void waivers_apply(struct waivers *w, size_t statement, struct hazards *findings)
{
    for (size_t i = 0; i < w->count; i++) {
        struct waiver *waiver = &w->at[i];
        for (size_t k = 0; k < findings->count; k++) {
            struct hazard *h = &findings->at[k];
            if (covers(waiver, statement, h))
                waive(waiver, h);
        }
    }
}

void waivers_report_unused(struct arena *a, const struct waivers *w,
                           const struct hazard_policy *policy, struct hazards *out)
{
    const struct hazard_rule *rule = hazard_rule_find(STR("unused-suppression"));
    enum hazard_level level = rules_policy_level(policy, rule->id, rule->level);
    for (size_t i = 0; i < w->count; i++) {
        const struct waiver *waiver = &w->at[i];
        if (waiver->is_used || level == HAZARD_OFF)
            continue;
        struct hazard h = {
            .rule = rule,
            .level = level,
            .message = arena_printf(a, "nothing here raises %.*s", STR_ARG(waiver->hazard)),
            .fix = rule->fix,
            .line = waiver->line,
        };
        vec_push(a, out, h);
    }
}
