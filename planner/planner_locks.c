/*
 * What each unit must have for itself when it begins. The runner takes those locks in front of the first
 * statement, all or none; so only locks belong here that are taken soon: those of the statements at the
 * beginning of a unit, up to the first that may take long. Of what comes behind that, the statements ask
 * themselves, each with a lock timeout: locked ahead, their tables would be held through the long one.
 */
#include "planner/planner_parts.h"

#include "core/base/vec.h"

/* Others can meet it: not what this plan makes, nor what LOCK TABLE cannot have alone (a view is locked with
   all that it reads). */
static bool is_lockable(const struct pass *p, const struct effect_lock *lock)
{
    const struct catalog_relation *r = lock->object;
    return r && !r->created_in && !r->is_dropped && r->persistence != PERSISTENCE_TEMPORARY &&
           (r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE) &&
           !str_equal(r->schema, STR("pg_catalog")) && !str_equal(r->schema, p->request->record);
}

/* Runs code or queries, which may take any time before a lock is taken. */
static bool is_work(const struct statement *s, const struct effects *e)
{
    static const char *const kinds[] = {"SELECT",
                                        "SELECT INTO",
                                        "CALL",
                                        "COPY",
                                        "EXECUTE",
                                        "CREATE TABLE AS",
                                        "CREATE MATERIALIZED VIEW"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(s->kind, kinds[i]) == 0 && e->locks.count)
            return true;
    }
    for (size_t i = 0; i < e->locks.count; i++) { /* also within a DO block */
        if (e->locks.at[i].mode == LOCK_ROW_EXCLUSIVE)
            return true;
    }
    return !s->is_analysed || e->opaque;
}

static bool takes_long(const struct effects *e)
{
    return e->scans.count || e->rewrites.count || e->builds.count;
}

/* What a relation was called when the open unit began. */
static struct str name_of(struct pass *p, const struct catalog_relation *r)
{
    for (size_t i = 0; i < p->locked.count; i++) {
        if (p->locked.at[i].object == r)
            return p->locked.at[i].name;
    }
    struct locked_table one = {.object = r, .name = catalog_relation_text(p->scratch, r)};
    vec_push(p->scratch, &p->locked, one);
    return one.name;
}

static void begin_unit(struct pass *p, uint32_t unit)
{
    p->locked_unit = unit;
    p->locked.count = 0;
    p->is_locked_late = false;
}

static void add(struct pass *p, uint32_t unit, struct str table, enum lock_mode mode, uint32_t line)
{
    struct units_locks *all = &p->planned->locks;
    const struct table_lock one = {.table = table, .mode = mode, .line = line};
    if (!all->count || all->at[all->count - 1].unit != unit)
        vec_push(p->a, all, (struct unit_locks){.unit = unit});
    table_locks_add(p->a, &all->at[all->count - 1].locks, &one);
}

void planner_note_locks(struct pass *p, const struct statement *s, enum unit_kind kind,
                        const struct effects *e)
{
    uint32_t unit = p->grouping.unit;
    if (!p->postgres || kind == UNIT_ALONE || !unit)
        return;
    if (unit != p->locked_unit)
        begin_unit(p, unit);
    bool is_work_itself = s->role == ROLE_ORDINARY && is_work(s, e);
    for (size_t i = 0; i < e->locks.count && !p->is_locked_late && !is_work_itself; i++) {
        const struct effect_lock *lock = &e->locks.at[i];
        if (lock_blocks_traffic(lock->mode) && is_lockable(p, lock))
            add(p, unit, name_of(p, lock->object), lock->mode, s->line);
    }
    p->is_locked_late |= is_work_itself || takes_long(e);
}

void planner_note_step_locks(struct pass *p, const struct statement *s, enum unit_kind kind,
                             struct online_step *step, const struct effects *seen)
{
    if (step->locks && !s->continues_step) {
        for (size_t i = 0; i < step->locks->count; i++) {
            const struct table_lock *one = &step->locks->at[i];
            add(p, p->grouping.unit, one->table, one->mode, s->line);
        }
        p->has_step_locks = true;
    } else if (!s->continues_step) {
        p->has_step_locks = false;
    }
    if (!seen || p->has_step_locks)
        return;
    planner_note_locks(p, s, kind, seen);
    struct table_locks *locks = arena_new(p->a, struct table_locks);
    const struct table_locks *noted = units_locks_find(&p->planned->locks, p->grouping.unit);
    if (noted)
        *locks = *noted;
    step->locks = locks;
}

void planner_note_switch_locks(struct pass *p, const struct statement *s,
                               const struct online_form *form, struct online_step *step)
{
    if (step->locks || s->continues_step)
        return;
    struct table_locks *locks = arena_new(p->a, struct table_locks);
    for (size_t i = 0; i < form->relations.count; i++)
        add(p, p->grouping.unit, form->relations.at[i], LOCK_ACCESS_EXCLUSIVE, s->line);
    const struct table_locks *noted = units_locks_find(&p->planned->locks, p->grouping.unit);
    if (noted)
        *locks = *noted;
    step->locks = locks;
}
