/* See phases.h. Times are the server's: those of the entries, and that of now. */
#include "cmd/phases.h"

#include "cmd/terminal.h"
#include "cmd/usage.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/vec.h"

const char *phase_time(struct arena *a, int64_t wall_us)
{
    return arena_printf(a, "%s UTC", terminal_time(a, str_of(clock_iso(a, wall_us))));
}

void phase_settle(struct session *s, struct open_phase *phase)
{
    int64_t now_us = clock_wall_us() + s->server.clock_offset_us;
    int64_t from_us =
        phase->last_write_us > phase->since_us ? phase->last_write_us : phase->since_us;
    if (now_us < from_us) /* clocks that differ a little: what is in the history has happened */
        now_us = from_us;
    int64_t until_us = from_us + s->config.contract_after_ms * 1000;
    phase->until = phase_time(s->arena, until_us);
    phase->is_over = now_us >= until_us;
}

static struct open_phase open_phase(struct session *s, const struct reconciled *one)
{
    struct arena *a = s->arena;
    struct open_phase phase = {.one = one, .label = history_row_label(one->row)};
    if (!clock_parse_iso(one->row->installed_at, &phase.since_us))    /* not one of ours: */
        phase.since_us = clock_wall_us() + s->server.clock_offset_us; /* the longest wait is safe */
    phase.since = phase_time(a, phase.since_us);
    phase.command = session_command(s, "contract", phase.label);
    phase.is_switched = str_equal(one->row->state, STR(HISTORY_SWITCHED));
    phase_settle(s, &phase);
    return phase;
}

struct open_phases phases_find(struct session *s, const struct reconciliation *r)
{
    struct open_phases phases = {0};
    for (size_t i = 0; i < r->count; i++) {
        const struct reconciled *one = &r->at[i];
        if (one->row && (str_equal(one->row->state, STR(HISTORY_EXPANDED)) ||
                         str_equal(one->row->state, STR(HISTORY_SWITCHED))))
            vec_push(s->arena, &phases, open_phase(s, one));
    }
    return phases;
}

bool phases_read(struct session *s, struct open_phases *out, struct fail *f)
{
    struct reconciliation r;
    *out = (struct open_phases){0};
    if (!session_read_history(s, f) || !session_reconcile(s, &r, f))
        return false;
    *out = phases_find(s, &r);
    return true;
}

void phases_print(const struct open_phases *phases)
{
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < phases->count; i++) {
        const struct open_phase *p = &phases->at[i];
        terminal_print("%swaiting%s  %.*s is %s since %s; what is left of it %s %s:\n",
                       ink_on(INK_WARN), ink_off(INK_WARN), STR_ARG(p->label),
                       p->is_switched ? "switched" : "expanded", p->since,
                       p->is_over ? "may run since" : "may run from", p->until);
        terminal_print("         %s\n", p->command);
        usage_print(a, p);
    }
}

struct json *phases_json(const struct open_phases *phases)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct json *list = json_make_array();
    for (size_t i = 0; i < phases->count; i++) {
        const struct open_phase *p = &phases->at[i];
        struct json *one = json_make_object();
        json_set_str(one, "version", p->label);
        json_set_cstr(one, "state", p->is_switched ? "switched" : "expanded");
        json_set_cstr(one, "since", p->since);
        json_set_cstr(one, "until", p->until);
        json_set_bool(one, "soak_is_over", p->is_over);
        json_set_cstr(one, "continue", p->command);
        if (p->last_write_us)
            json_set_cstr(one, "last_write", phase_time(a, p->last_write_us));
        usage_set(one, p);
        json_push(list, one);
    }
    return list;
}

bool phases_check(struct session *s, const struct plan *plan, struct fail *f)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *p = &plan->migrations[i];
        const struct phase_conflict *c = &p->conflict;
        if (!c->label.len)
            continue;
        fail_set(f, EXIT_REFUSED, "%.*s %s %.*s, and %.*s, which %s, waits for its contract",
                 STR_ARG(migration_label(p->migration)), c->is_made ? "makes" : "changes",
                 STR_ARG(c->relation), STR_ARG(c->label),
                 c->is_made ? "still holds that name" : "is about it");
        fail_at(f, p->migration->path, c->line, 1, (struct str){0});
        fail_detail(f, "Steps of %.*s that wait were chosen for %.*s as it is.", STR_ARG(c->label),
                    STR_ARG(c->relation));
        fail_hint(f, "End it first: %s", session_command(s, "contract", c->label));
        if (i) {
            struct str before = migration_label(plan->migrations[i - 1].migration);
            fail_hint(f, "What is in front of it can be applied: migrate apply --to %.*s",
                      STR_ARG(before));
        }
        return false;
    }
    return true;
}
