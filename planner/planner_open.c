/*
 * Migrations that are expanded and wait for their contract: until then nobody else may change what they are
 * about, since the steps that wait were chosen for what is there. Rows may be read and written, which is what
 * the time between is for.
 */
#include "planner/planner_parts.h"

#include "core/base/text.h"
#include "core/base/vec.h"

void planner_open_begin(struct pass *p)
{
    p->open = arena_new(p->a, struct open_migrations);
    for (size_t i = 0; i < p->request->open_count; i++)
        vec_push(p->a, p->open, p->request->open[i]);
}

void planner_open_add(struct pass *shared, const struct planned_migration *m)
{
    if (!m->wait_unit)
        return;
    struct str label = m->migration->version.len ? m->migration->version : m->migration->script;
    vec_push(shared->a, shared->open, (struct online_open){label, &m->online});
}

/* DDL takes SHARE or more; CONCURRENTLY, VALIDATE and their like SHARE UPDATE EXCLUSIVE, as do ANALYZE and
   VACUUM, which change nothing (explicit-locking.html). */
static bool changes(const struct statement *s, const struct effect_lock *lock)
{
    struct str kind = str_of(s->kind);
    bool is_upkeep = str_starts(kind, STR("ANALYZE")) || str_starts(kind, STR("VACUUM"));
    return lock->mode >= LOCK_SHARE_UPDATE_EXCLUSIVE && !is_upkeep;
}

static const struct online_open *find(const struct open_migrations *open, struct str relation)
{
    for (size_t i = 0; i < open->count; i++) {
        const struct online_forms *forms = open->at[i].forms;
        for (size_t k = 0; k < forms->count; k++) {
            const struct online_form *form = forms->at[k].form;
            for (size_t n = 0; n < form->relations.count; n++) {
                if (str_equal(form->relations.at[n], relation))
                    return &open->at[i];
            }
        }
    }
    return NULL;
}

void planner_open_check(struct pass *p, const struct statement *s, const struct analysis *seen)
{
    struct phase_conflict *conflict = &p->planned->conflict;
    for (size_t i = 0; p->open->count && !conflict->label.len && i < seen->effects.locks.count;
         i++) {
        const struct effect_lock *lock = &seen->effects.locks.at[i];
        const struct online_open *of = changes(s, lock) ? find(p->open, lock->relation) : NULL;
        if (of)
            *conflict = (struct phase_conflict){
                .label = of->label, .relation = arena_str(p->a, lock->relation), .line = s->line};
    }
    if (!p->open->count || conflict->label.len || !p->postgres)
        return;
    struct str made = postgres_analysis_made(p->a, p->postgres, s);
    const struct online_open *of = made.len ? find(p->open, made) : NULL;
    if (of)
        *conflict = (struct phase_conflict){
            .label = of->label, .relation = made, .is_made = true, .line = s->line};
}

bool planner_open_is_reused(const struct online_form *form, const struct statement *at,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < form->names.count; n++) {
            const struct online_name *freed = &form->names.at[n];
            if (text_mentions(at[i].text, freed->name) &&
                (!freed->of.len || text_mentions(at[i].text, freed->of)))
                return true;
        }
    }
    return false;
}
