/* See rehearse.h. */
#include "core/run/rehearse.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "core/run/reconcile.h"

#define SQL_SHOWN 400

struct table_names {
    struct str *at;
    size_t count, room;
};

struct rehearsing {
    struct arena *arena;
    const struct rehearsal_request *request;
    struct evidence *out;
    struct observer *observer;
    struct seen_state before; /* the step that runs */
    int64_t looked_us;        /* spent on that: no part of the plan */
    struct fail failure;      /* of looking: the first one */
};

/* ---- what is looked at ---- */

static void add_name(struct arena *a, struct table_names *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_equal(names->at[i], name))
            return;
    }
    vec_push(a, names, name);
}

/* Tables that are there before, and that the plan locks in any way. */
static struct table_names find_tables(struct arena *a, const struct plan *plan)
{
    struct table_names names = {0};
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *m = &plan->migrations[i];
        for (size_t k = 0; k < m->statements.count; k++) {
            const struct effects *e = m->statements.at[k].effects;
            for (size_t l = 0; e && l < e->locks.count; l++) {
                const struct effect_lock *lock = &e->locks.at[l];
                bool is_table =
                    lock->kind == RELATION_TABLE || lock->kind == RELATION_PARTITIONED_TABLE;
                if (is_table && lock->object && !lock->object->created_in)
                    add_name(a, &names, lock->relation);
            }
        }
        for (size_t k = 0; k < m->locks.count; k++) {
            const struct table_locks *of = &m->locks.at[k].locks;
            for (size_t l = 0; l < of->count; l++)
                add_name(a, &names, of->at[l].table);
        }
    }
    return names;
}

static void look(struct rehearsing *r, struct seen_state *out)
{
    int64_t since_us = clock_monotonic_us();
    *out = (struct seen_state){0};
    if (!fail_is_set(&r->failure))
        (void)!r->request->driver->look(r->arena, r->observer, out, &r->failure);
    r->looked_us += clock_monotonic_us() - since_us;
}

/* ---- steps ---- */

static uint32_t line_of(const struct plan *shown, const struct migration *m, uint32_t unit)
{
    const struct planned_migration *p = NULL;
    for (size_t i = 0; i < shown->count; i++) {
        if (shown->migrations[i].migration == m)
            p = &shown->migrations[i];
    }
    for (size_t i = 0; p && i < p->statements.count; i++) {
        if (p->statements.at[i].unit == unit)
            return p->statements.at[i].statement.line;
    }
    return 0;
}

/* What has become of the tables, and of the disk. */
static void compare(struct rehearsing *r, struct evidence_step *step, const struct seen_state *now)
{
    const struct seen_state *before = &r->before;
    step->wal_bytes = now->wal - before->wal;
    step->temporary_bytes = now->temporary_bytes - before->temporary_bytes;
    for (size_t i = 0, k = 0; i < now->tables.count; i++) {
        const struct seen_table *t = &now->tables.at[i];
        while (k < before->tables.count && before->tables.at[k].id < t->id)
            k++; /* it is gone */
        if (k == before->tables.count || before->tables.at[k].id != t->id)
            continue;
        const struct seen_table *was = &before->tables.at[k];
        step->growth_bytes += t->bytes - was->bytes;
        if (was->file != t->file)
            vec_push(r->arena, &step->rewritten, was->relation);
    }
}

static void end_step(struct rehearsing *r, struct evidence_step *step)
{
    struct seen_state now;
    step->to_us = clock_monotonic_us();
    look(r, &now);
    if (fail_is_set(&r->failure))
        return;
    compare(r, step, &now);
    r->before = now;
}

static void begins(void *context, const struct planned_migration *p, uint32_t unit)
{
    struct rehearsing *r = context;
    struct evidence_step *last =
        r->out->steps.count ? &r->out->steps.at[r->out->steps.count - 1] : NULL;
    struct str label = migration_label(p->migration);
    if (last && last->unit == unit && !last->to_us && str_equal(last->migration, label)) {
        last->tries++;
        return;
    }
    if (last && !last->to_us) /* it was rolled back, as its file says */
        end_step(r, last);
    const struct planned_step *step = planned_step_find(p, unit);
    struct evidence_step one = {
        .migration = arena_str(r->arena, label),
        .unit = unit,
        .line = step ? step->line : line_of(r->request->shown, p->migration, unit),
        .phase = step ? phase_name(step->form->steps.at[step->index].phase) : NULL,
        .tries = 1,
        .rows = -1,
        .from_us = clock_monotonic_us(),
    };
    vec_push(r->arena, &r->out->steps, one);
}

static void ends(void *context, const struct planned_migration *p, uint32_t unit, int64_t rows,
                 struct str sql)
{
    struct rehearsing *r = context;
    struct evidence_step *step =
        r->out->steps.count ? &r->out->steps.at[r->out->steps.count - 1] : NULL;
    /* A file without statements ends without having begun. */
    if (!step || step->to_us || step->unit != unit ||
        !str_equal(step->migration, migration_label(p->migration)))
        return;
    step->rows = rows;
    sql.len = text_offset_of_character(sql, SQL_SHOWN);
    step->sql = arena_str(r->arena, sql);
    end_step(r, step);
}

static size_t count_waiting(const struct plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *m = &plan->migrations[i];
        count += m->wait_unit ? m->unit_count - m->wait_unit + 1 : 0;
    }
    return count;
}

/* ---- the whole ---- */

/* Whether it is the plan that has failed, and not who tries it. */
static bool is_of_plan(const struct fail *f)
{
    return f->kind != FAIL_CONNECTION && f->kind != FAIL_COMMIT_UNKNOWN &&
           f->kind != FAIL_HISTORY_MOVED && f->code != EXIT_BUG && f->code != EXIT_SIGINT &&
           f->code != EXIT_SIGTERM;
}

static bool run_observed(struct rehearsing *r, struct run_context *run,
                         const struct apply_request *request, struct fail *f)
{
    struct outcome outcome;
    struct evidence *out = r->out;
    SCOPED(fail) struct fail failure = FAIL_NONE;
    look(r, &r->before);
    r->looked_us = 0;
    int64_t since_us = clock_monotonic_us();
    bool is_done = apply_run(run, request, &outcome, &failure);
    out->duration_us = clock_monotonic_us() - since_us - r->looked_us;
    struct evidence_step *last = out->steps.count ? &out->steps.at[out->steps.count - 1] : NULL;
    if (last && !last->to_us)
        end_step(r, last);
    if (!is_done && !is_of_plan(&failure)) {
        *f = failure;
        failure = FAIL_NONE;
        return fail_wrap(f, "while the plan was rehearsed");
    }
    if (!is_done) {
        struct fail *kept = arena_new(r->arena, struct fail);
        *kept = fail_copy(r->arena, &failure);
        out->failure = kept;
    }
    if (!fail_is_set(&r->failure))
        return true;
    *f = r->failure;
    r->failure = FAIL_NONE;
    return fail_wrap(f, "while the copy was looked at");
}

bool rehearse_run(struct arena *a, struct run_context *run, const struct apply_request *request,
                  const struct rehearsal_request *how, struct evidence *out, struct fail *f)
{
    struct table_names tables = find_tables(a, how->shown);
    struct observe_request observed = {
        .url = how->copy->url,
        .application_name = how->application_name,
        .tables = tables.at,
        .table_count = tables.count,
    };
    struct rehearsing r = {.arena = a, .request = how, .out = out};
    struct observed *seen = arena_new(a, struct observed);
    *out = (struct evidence){
        .tool = how->tool,
        .plan = request->plan->digest,
        .target = how->target,
        .copy = how->copy,
        .server = how->server,
        .started_us = clock_wall_us(),
        .limits = how->limits,
        .seen = seen,
        .waiting = count_waiting(request->plan),
    };
    r.observer = how->driver->observe(a, &observed, f);
    if (!r.observer)
        return fail_wrap(f, "while the rehearsal was begun");
    run->watch = (struct unit_watch){.begins = begins, .ends = ends, .context = &r};
    bool is_run = run_observed(&r, run, request, f);
    run->watch = (struct unit_watch){0};
    how->driver->observe_end(a, r.observer, seen);
    fail_clear(&r.failure);
    if (!is_run)
        return false;
    evidence_attribute(a, out);
    evidence_judge(a, out);
    return true;
}
