/* What the pragmas of a file say about each of its units: see enforcement.h. */
#include "core/model/enforcement.h"

enum { STATE_NONE = 1, STATE_OFF = 2, STATE_ON = 4 };

struct enforcement_pass enforcement_start(struct arena *a, struct enforcements *out)
{
    *out = (struct enforcements){0};
    return (struct enforcement_pass){.arena = a, .out = out, .state = STATE_NONE};
}

static enum enforcement enforcement_for(unsigned seen)
{
    if (seen & STATE_OFF)
        return ENFORCEMENT_OFF;
    if (seen == STATE_ON)
        return ENFORCEMENT_ON;
    return seen & STATE_ON ? ENFORCEMENT_ON_LATER : ENFORCEMENT_AS_OPENED;
}

static void end_unit(struct enforcement_pass *p)
{
    struct enforcement_change now = {
        .unit = p->unit,
        .enforcement = enforcement_for(p->seen),
        .is_deferred = p->is_deferred,
    };
    bool is_change =
        now.enforcement != p->last.enforcement || now.is_deferred != p->last.is_deferred;
    if (p->unit && is_change) {
        vec_push(p->arena, p->out, now);
        p->last = now;
    }
    p->seen = 0;
    p->is_deferred = false;
}

/* The pragma lasts until the next transaction ends: that of the statement behind it, or the file's own. */
static void note_deferral(struct enforcement_pass *p, const struct grouping *g,
                          const struct grouping_step *step, const struct statement *s)
{
    if (step->open != UNIT_NONE && p->defers_next)
        p->is_deferred = true;
    if (s->sets_deferral && g->open != UNIT_OWN)
        p->defers_next = s->is_switched_on;
    else if (s->role != ROLE_HOISTED)
        p->defers_next = false;
}

static const char *note_pragma(struct enforcement_pass *p, const struct grouping *g,
                               const struct statement *s)
{
    if (g->open != UNIT_OWN) {
        p->state = s->is_switched_on ? STATE_ON : STATE_OFF;
        return NULL;
    }
    if (!s->is_switched_on) {
        p->seen |= STATE_OFF;
        return NULL;
    }
    bool is_missed = p->state != STATE_ON && !(p->seen & STATE_OFF);
    return is_missed ? "PRAGMA foreign_keys = ON has no effect inside the file's own transaction; "
                       "put it before the BEGIN"
                     : NULL;
}

const char *enforcement_feed(struct enforcement_pass *p, const struct grouping *g,
                             const struct grouping_step *step, const struct statement *s)
{
    if (p->unit != g->unit) {
        end_unit(p);
        p->unit = g->unit;
    }
    note_deferral(p, g, step, s);
    if (s->role == ROLE_HOISTED)
        return note_pragma(p, g, s);
    if (step->send && s->heeds_foreign_keys)
        p->seen |= p->state;
    return NULL;
}

void enforcement_end(struct enforcement_pass *p)
{
    end_unit(p);
}

struct enforcement_change enforcement_of(const struct enforcements *e, uint32_t unit)
{
    struct enforcement_change found = {.unit = unit};
    for (size_t i = 0; i < e->count && e->at[i].unit <= unit; i++)
        found = e->at[i];
    return found;
}
