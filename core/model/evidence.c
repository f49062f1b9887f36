/* What a rehearsal saw, put to its steps, and judged: see evidence.h. */
#include "core/model/evidence.h"

#include "core/base/clock.h"
#include "core/base/vec.h"

/* ---- what was seen in which step ---- */

/* The step under way at that time, or the last one before. SIZE_MAX: it was before the first one. */
static size_t step_at(const struct evidence *e, int64_t at_us)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < e->steps.count && e->steps.at[i].from_us <= at_us; i++)
        found = i;
    return found;
}

static void add_lock(struct arena *a, struct evidence_step *step, const struct seen_lock *seen)
{
    int64_t held_us = seen->to_us - seen->from_us;
    for (size_t i = 0; i < step->locks.count; i++) {
        struct evidence_lock *l = &step->locks.at[i];
        if (l->mode == seen->mode && str_equal(l->relation, seen->relation)) {
            l->held_us = held_us > l->held_us ? held_us : l->held_us;
            return;
        }
    }
    struct evidence_lock one = {.relation = seen->relation, .mode = seen->mode, .held_us = held_us};
    vec_push(a, &step->locks, one);
}

static void add_wait(struct arena *a, struct evidence_step *step, const struct seen_wait *seen)
{
    int64_t waited_us = seen->to_us - seen->from_us;
    struct evidence_wait *wait = NULL;
    for (size_t i = 0; i < step->waits.count; i++) {
        struct evidence_wait *w = &step->waits.at[i];
        if (w->class == seen->class && str_equal(w->relation, seen->relation))
            wait = w;
    }
    if (!wait) {
        struct evidence_wait one = {.relation = seen->relation, .class = seen->class};
        vec_push(a, &step->waits, one);
        wait = &step->waits.at[step->waits.count - 1];
    }
    wait->count++;
    wait->total_us += waited_us;
    wait->longest_us = waited_us > wait->longest_us ? waited_us : wait->longest_us;
}

void evidence_attribute(struct arena *a, struct evidence *e)
{
    for (size_t i = 0; i < e->seen->locks.count; i++) {
        /* Whatever the run has locked, a step of it has. */
        size_t step = step_at(e, e->seen->locks.at[i].transaction_us);
        if (e->steps.count)
            add_lock(a, &e->steps.at[step == SIZE_MAX ? 0 : step], &e->seen->locks.at[i]);
    }
    for (size_t i = 0; i < e->seen->waits.count; i++) {
        /* Its end may be that of the COMMIT, when the next step has begun. */
        const struct seen_wait *w = &e->seen->waits.at[i];
        size_t step = step_at(e, w->from_us + (w->to_us - w->from_us) / 2);
        if (step != SIZE_MAX)
            add_wait(a, &e->steps.at[step], &e->seen->waits.at[i]);
    }
}

/* ---- verdict ---- */

/* "0002 line 3", "0002 line 3 (step 4, expand)". */
static const char *step_place(struct arena *a, const struct evidence_step *s)
{
    const char *at = s->line ? arena_printf(a, " line %u", s->line) : "";
    if (!s->phase)
        return arena_printf(a, "%.*s%s", STR_ARG(s->migration), at);
    return arena_printf(a, "%.*s%s (step %u, %s)", STR_ARG(s->migration), at, s->unit, s->phase);
}

static void add_reason(struct arena *a, struct evidence *e, enum verdict verdict,
                       const char *sentence)
{
    if (e->verdict != VERDICT_BLOCK)
        e->verdict = verdict;
    vec_push(a, &e->reasons, sentence);
}

static void judge_waits(struct arena *a, struct evidence *e, struct evidence_step *s)
{
    int64_t limit_us = e->limits.blocked_ms * 1000;
    for (size_t i = 0; limit_us && i < s->waits.count; i++) {
        const struct evidence_wait *w = &s->waits.at[i];
        if (w->longest_us <= limit_us)
            continue;
        s->is_over = true;
        add_reason(a, e, VERDICT_BLOCK,
                   arena_printf(a,
                                "%s made a statement of the application (%s, %.*s) wait %s; "
                                "policy.max_blocked is %s",
                                step_place(a, s), traffic_name(w->class), STR_ARG(w->relation),
                                clock_duration_text(a, w->longest_us),
                                clock_duration_text(a, limit_us)));
    }
}

static void judge_locks(struct arena *a, struct evidence *e, struct evidence_step *s)
{
    int64_t limit_us = e->limits.strong_lock_ms * 1000;
    for (size_t i = 0; limit_us && i < s->locks.count; i++) {
        const struct evidence_lock *l = &s->locks.at[i];
        if (l->held_us <= limit_us || !lock_blocks_traffic(l->mode))
            continue;
        s->is_over = true;
        add_reason(a, e, VERDICT_BLOCK,
                   arena_printf(a, "%s held %s on %.*s for %s; policy.max_strong_lock is %s",
                                step_place(a, s), lock_mode_sql(l->mode), STR_ARG(l->relation),
                                clock_duration_text(a, l->held_us),
                                clock_duration_text(a, limit_us)));
    }
}

/* What was not looked at is no pass. */
static void judge_looking(struct arena *a, struct evidence *e)
{
    int64_t limit_us = e->limits.strong_lock_ms * 1000;
    if (e->seen->unprobed)
        add_reason(a, e, VERDICT_UNKNOWN,
                   arena_printf(a,
                                "%lld tables are too many to be watched: rehearse fewer "
                                "migrations at once (--to, --steps)",
                                (long long)e->seen->unprobed));
    if (e->seen->blind_probes)
        add_reason(a, e, VERDICT_UNKNOWN,
                   arena_printf(a, "%lld connections that stood for the application's broke",
                                (long long)e->seen->blind_probes));
    if (limit_us && e->seen->longest_look_us > limit_us)
        add_reason(a, e, VERDICT_UNKNOWN,
                   arena_printf(a,
                                "for %s nobody looked at the locks: the machine was too busy; "
                                "rehearse again",
                                clock_duration_text(a, e->seen->longest_look_us)));
}

void evidence_judge(struct arena *a, struct evidence *e)
{
    e->verdict = VERDICT_PASS;
    if (e->failure)
        add_reason(a, e, VERDICT_BLOCK,
                   arena_printf(a, "it failed on the copy: %s", e->failure->message));
    for (size_t i = 0; i < e->steps.count; i++) {
        judge_waits(a, e, &e->steps.at[i]);
        judge_locks(a, e, &e->steps.at[i]);
    }
    if (e->limits.duration_ms && e->duration_us > e->limits.duration_ms * 1000)
        add_reason(a, e, VERDICT_BLOCK,
                   arena_printf(a, "it took %s; policy.max_duration is %s",
                                clock_duration_text(a, e->duration_us),
                                clock_duration_text(a, e->limits.duration_ms * 1000)));
    judge_looking(a, e);
}
