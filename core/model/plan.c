/* The plan as JSON, "format": 1. The shape is documented in docs/plan-format.md. */
#include "core/model/plan.h"

const char *verdict_name(enum verdict v)
{
    switch (v) {
    case VERDICT_PASS:
        return "pass";
    case VERDICT_BLOCK:
        return "block";
    case VERDICT_UNKNOWN:
        break;
    }
    return "unknown";
}

static bool has_blocking_file(const struct plan *p)
{
    for (size_t i = 0; i < p->files.count; i++) {
        if (p->files.at[i].hazard.level == HAZARD_BLOCK)
            return true;
    }
    return false;
}

const struct planned_step *planned_step_find(const struct planned_migration *m, uint32_t unit)
{
    for (size_t i = 0; i < m->steps.count; i++) {
        if (m->steps.at[i].unit == unit)
            return &m->steps.at[i];
    }
    return NULL;
}

uint32_t planned_last_at_once(const struct planned_migration *m)
{
    return m->wait_unit ? m->wait_unit - 1 : m->unit_count;
}

uint32_t planned_last_with_undo(const struct planned_migration *m)
{
    return m->again_unit ? m->again_unit - 1 : planned_last_at_once(m);
}

uint32_t planned_last_of_contract(const struct planned_migration *m, int64_t units_done)
{
    bool is_first = m->again_unit && units_done + 1 < m->again_unit;
    return is_first ? m->again_unit - 1 : m->unit_count;
}

enum verdict plan_verdict(const struct plan *p)
{
    enum verdict worst = VERDICT_PASS;
    if (has_blocking_file(p))
        return VERDICT_BLOCK;
    for (size_t i = 0; i < p->count; i++) {
        enum verdict v = p->migrations[i].verdict;
        if (v == VERDICT_BLOCK)
            return v;
        if (v == VERDICT_UNKNOWN)
            worst = v;
    }
    return worst;
}

bool plan_is_refused(const struct plan *p)
{
    if (has_blocking_file(p))
        return true;
    for (size_t i = 0; i < p->count; i++) {
        if (p->migrations[i].is_analysed && p->migrations[i].verdict != VERDICT_PASS)
            return true;
    }
    return false;
}

static struct json *hazards_json(const struct hazards *hazards)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < hazards->count; i++)
        json_push(list, hazard_json(&hazards->at[i]));
    return list;
}

static struct json *statement_json(const struct planned_migration *m,
                                   const struct planned_statement *p)
{
    const struct statement *s = &p->statement;
    struct json *j = json_make_object();
    json_set_str(j, "sql", s->text);
    json_set_str(j, "file", m->migration->path);
    json_set_i64(j, "line", s->line);
    json_set_i64(j, "column", s->column);
    json_set_cstr(j, "kind", s->kind[0] ? s->kind : NULL);
    json_set_cstr(j, "class", statement_class_name(s->class));
    json_set_cstr(j, "class_reason", s->class_reason);
    json_set_bool(j, "transactional", p->is_transactional);
    if (p->unit)
        json_set_i64(j, "step", p->unit);
    else
        json_set_null(j, "step");
    json_set_bool(j, "analysed", s->is_analysed);
    json_set_cstr(j, "not_analysed_reason", s->not_analysed_reason);
    /* An empty list would claim that there are none. */
    if (p->effects && (s->is_analysed || p->effects->tells_writes))
        json_set(j, "effects", effects_json(p->effects));
    else
        json_set_null(j, "effects");
    if (p->effects)
        json_set(j, "hazards", hazards_json(&p->hazards));
    else
        json_set_null(j, "hazards");
    if (p->online) {
        struct json *online = online_form_json(p->online);
        json_set_bool(online, "runs", p->runs_online);
        json_set(j, "online", online);
    } else {
        json_set_null(j, "online");
    }
    if (p->why_not_online)
        json_set_cstr(j, "why_not_online", p->why_not_online);
    return j;
}

static void set_lock_timeout(struct json *j, const struct migration *m)
{
    if (m->lock_timeout_ms)
        json_set_i64(j, "lock_timeout_ms", m->lock_timeout_ms);
    else
        json_set_null(j, "lock_timeout_ms");
}

/* The steps that a statement is sent in. */
static void add_online_steps(struct json *list, const struct planned_migration *m,
                             const struct planned_statement *p)
{
    for (size_t i = 0; i < p->online->steps.count; i++) {
        struct json *j = online_step_json(&p->online->steps.at[i]);
        struct json *sql = json_make_array();
        json_set_i64(j, "step", p->unit + (int64_t)i);
        json_push_str(sql, p->online->steps.at[i].sql);
        json_set(j, "sql", sql);
        set_lock_timeout(j, m->migration);
        json_push(list, j);
    }
}

/* One entry per transaction: its kind and how many of the listed statements it holds. */
static struct json *steps_json(const struct planned_migration *m)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < m->statements.count;) {
        uint32_t unit = m->statements.at[i].unit;
        enum unit_kind kind = m->statements.at[i].unit_kind;
        if (!unit) { /* not sent */
            i++;
            continue;
        }
        if (m->statements.at[i].runs_online) {
            add_online_steps(list, m, &m->statements.at[i++]);
            continue;
        }
        struct json *sql = json_make_array();
        for (; i < m->statements.count && !m->statements.at[i].runs_online &&
               (m->statements.at[i].unit == unit || !m->statements.at[i].unit);
             i++) {
            if (m->statements.at[i].unit)
                json_push_str(sql, m->statements.at[i].statement.text);
        }
        struct json *j = json_make_object();
        json_set_i64(j, "step", unit);
        json_set_null(j, "phase");
        json_set_cstr(j, "transaction", unit_kind_name(kind));
        json_set(j, "sql", sql);
        set_lock_timeout(j, m->migration);
        const struct table_locks *locks = units_locks_find(&m->locks, unit);
        if (locks)
            json_set(j, "locks", table_locks_json(locks));
        json_set_null(j, "undo");
        json_push(list, j);
    }
    return list;
}

static struct json *migration_json(const struct planned_migration *m)
{
    struct json *j = json_make_object();
    json_set_str(j, "version", m->migration->version);
    json_set_str(j, "description", m->migration->description);
    json_set_cstr(j, "kind", migration_kind_name(m->migration->kind));
    json_set_str(j, "path", m->migration->path);
    json_set_cstr(j, "class", statement_class_name(m->class));
    json_set_cstr(j, "verdict", verdict_name(m->verdict));
    if (m->is_analysed)
        json_set(j, "hazards", hazards_json(&m->hazards));
    else
        json_set_null(j, "hazards");
    json_set_i64(j, "statement_count", (int64_t)m->statement_count);
    json_set_i64(j, "step_count", m->unit_count);
    if (m->wait_unit)
        json_set_i64(j, "waits_at_step", m->wait_unit);
    if (m->again_unit)
        json_set_i64(j, "waits_again_at_step", m->again_unit);
    json_set_bool(j, "listed", !m->is_streamed);
    struct json *statements = json_make_array();
    for (size_t i = 0; i < m->statements.count; i++)
        json_push(statements, statement_json(m, &m->statements.at[i]));
    json_set(j, "statements", statements);
    json_set(j, "steps", steps_json(m));
    struct json *warnings = json_make_array();
    for (size_t i = 0; i < m->warnings.count; i++)
        json_push_str(warnings, str_of(m->warnings.at[i]));
    json_set(j, "warnings", warnings);
    return j;
}

struct json *plan_json(const struct plan *p)
{
    struct json *root = json_make_object();
    json_set_i64(root, "format", 1);
    json_set_cstr(root, "engine", engine_name(p->engine));
    json_set_str(root, "digest", digest_str(&p->digest));
    struct json *list = json_make_array();
    for (size_t i = 0; i < p->count; i++)
        json_push(list, migration_json(&p->migrations[i]));
    json_set_cstr(root, "verdict", verdict_name(plan_verdict(p)));
    json_set(root, "migrations", list);
    return root;
}

bool planned_skips_triggers(const struct planned_migration *m)
{
    for (size_t i = 0; i < m->steps.count; i++) {
        const struct planned_step *step = &m->steps.at[i];
        const struct online_range *range =
            step->form ? step->form->steps.at[step->index].range : NULL;
        if (range && range->skips_triggers)
            return true;
    }
    return false;
}
