/*
 * The way back from a migration, as a plan: by the undo of the steps that are done (planner_undo.c), or, of
 * one that is applied as a whole, by the down file that its layout has. What an earlier run has begun it
 * goes on with.
 */
#include "cmd/way_back.h"

#include "cmd/phases.h"
#include "core/base/json.h"
#include "drivers/source/directory.h"
#include "planner/planner.h"

/* ---- by undo ---- */

/* Whether a statement outside a transaction was begun, and nobody knows how it ended. */
static bool weigh_intent(void *context, const struct event *e, struct fail *f UNUSED)
{
    bool *is_open = context;
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *detail = e->detail.len ? json_parse(e->detail, STR("event"), &ignored) : NULL;
    bool is_unknown = false;
    if (str_equal(e->kind, STR(EVENT_STARTED)))
        *is_open = true;
    else if (!json_bool_of(json_get(detail, "outcome_unknown"), &is_unknown) || !is_unknown)
        *is_open = false;
    return true;
}

/* A person has said that the step did happen. */
static bool says_applied(const struct event *e)
{
    bool is_applied = false;
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *detail = e->detail.len ? json_parse(e->detail, STR("event"), &ignored) : NULL;
    return json_bool_of(json_get(detail, "applied"), &is_applied) && is_applied;
}

/* Of the unit that is undone next, how many steps of its undo are done. */
struct undone {
    int64_t unit;
    size_t steps;
};

static bool count_undone(void *context, const struct event *e, struct fail *f UNUSED)
{
    struct undone *undone = context;
    if (str_equal(e->kind, STR(EVENT_PLANNED)) || str_equal(e->kind, STR(EVENT_ROLLED_BACK)))
        undone->steps = 0;
    if (str_equal(e->kind, STR(EVENT_STEP_UNDONE)))
        undone->steps += e->unit == undone->unit;
    if (str_equal(e->kind, STR(EVENT_RESOLVED)) && e->unit == undone->unit)
        undone->steps += says_applied(e);
    return true;
}

static bool read_undone(struct session *s, const struct reconciled *one, size_t *out,
                        struct fail *f)
{
    struct undone undone = {.unit = one->row->units_done};
    *out = 0;
    if (one->state != STATE_ROLLING_BACK)
        return true;
    if (!s->driver->read_events(s->connection, 1, history_row_label(one->row), count_undone,
                                &undone, f))
        return false;
    *out = undone.steps;
    return true;
}

/* The contract takes away what the way back needs. */
static bool check_begun(struct session *s, const struct reconciled *one,
                        const struct planned_migration *p, struct fail *f)
{
    bool is_open = false;
    struct str label = history_row_label(one->row);
    if (one->state == STATE_ROLLING_BACK)
        return true; /* its own intents are settled as it goes on */
    if (!s->driver->read_events(s->connection, 1, label, weigh_intent, &is_open, f))
        return false;
    if (one->row->units_done <= (int64_t)planned_last_with_undo(p) && !is_open)
        return true;
    bool is_expanded = one->state == STATE_EXPANDED || one->state == STATE_SWITCHED;
    fail_set(f, EXIT_REFUSED, "%.*s cannot be taken back: %s", STR_ARG(label),
             is_expanded ? "its contract has begun"
                         : "a step outside a transaction was cut off, and may have happened");
    return fail_hint(
        f, "Go on with it: %s",
        session_command(s, is_expanded ? "contract" : "apply", is_expanded ? label : STR("")));
}

static bool plan_undos(struct session *s, const struct reconciled *one,
                       const struct selection *selection, struct plan *plan,
                       struct planned_migration *out, struct fail *f)
{
    struct plan done;
    size_t undone;
    if (!session_plan(s, selection, false, &done, f) || !check_begun(s, one, done.migrations, f) ||
        !read_undone(s, one, &undone, f))
        return false;
    const struct undo_request request = {.dialect = dialect_for(s->url.engine),
                                         .server_version = s->server.version_number,
                                         .done = done.migrations,
                                         .units_done = one->row->units_done,
                                         .undone_steps = undone,
                                         .may_lose = s->options->lossy};
    if (!plan_undo(s->arena, &request, out, f))
        return false;
    *plan = (struct plan){.engine = done.engine, .digest = done.digest};
    return true;
}

/* ---- by the down file ---- */

/* What an earlier run has begun: the digest of the down file; "" : nothing by one. */
static bool note_down(void *context, const struct event *e, struct fail *f)
{
    struct digest *begun = context;
    if (str_equal(e->kind, STR(EVENT_ROLLED_BACK)) || str_equal(e->kind, STR(EVENT_APPLIED)) ||
        str_equal(e->kind, STR(EVENT_CONTRACTED)))
        *begun = (struct digest){0};
    if (!e->detail.len)
        return true;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("event"), f);
    struct str down = json_str_of(json_get(detail, "down"));
    return detail && (!down.len || digest_parse(down, begun));
}

/* Only the last one: what came behind it may stand on it. */
static bool check_last(const struct session *s, const struct reconciled *one, struct fail *f)
{
    const struct history_row *behind = NULL;
    for (size_t i = 0; i < s->history.count; i++) {
        const struct history_row *row = &s->history.at[i];
        if (row->rank > one->row->rank && !str_equal(row->state, STR(HISTORY_ROLLED_BACK)) &&
            row->version.len)
            behind = !behind || row->rank > behind->rank ? row : behind;
    }
    if (!behind)
        return true;
    struct str label = history_row_label(behind);
    fail_set(f, EXIT_REFUSED, "%.*s cannot be taken back: %.*s was applied behind it",
             STR_ARG(history_row_label(one->row)), STR_ARG(label));
    return fail_hint(f, "Take that one back first: %s", session_command(s, "rollback", label));
}

static bool is_lossy(const struct planned_migration *p)
{
    return p->class != CLASS_ADDITIVE && p->statement_count;
}

/* A line for each statement that loses something, or cannot be looked into. */
static bool refuse_loss(const struct planned_migration *p, struct str label, struct fail *f)
{
    fail_set(f, EXIT_REFUSED, "taking %.*s back by its down file loses something", STR_ARG(label));
    fail_at(f, p->migration->path, 0, 0, (struct str){0});
    for (size_t i = 0; i < p->statements.count; i++) {
        const struct statement *st = &p->statements.at[i].statement;
        if (st->class != CLASS_ADDITIVE)
            fail_detail(f, "Line %u: %s.", st->line,
                        st->class_reason ? st->class_reason : st->kind);
    }
    return fail_hint(f, "If that may go, say so, and why: --lossy --reason \"…\".");
}

/* The down part as a migration of its own, which runs as it is written. */
static bool open_down(struct session *s, const struct migration *m, struct migration *out,
                      struct fail *f)
{
    *out = *m;
    if (!str_equal(m->down_path, m->path)) {
        if (!directory_read_file(s->arena, m->down_path, s->url.engine, out, f))
            return false;
        out->version = m->version;
        out->description = m->description;
        out->script = m->script;
        out->kind = m->kind;
        out->layout = m->layout;
        out->has_placeholders = m->layout == LAYOUT_FLYWAY;
        return true;
    }
    out->up = m->down;
    out->down_path = STR("");
    return true;
}

static bool refuse_edited(const struct migration *down, struct fail *f)
{
    fail_set(f, EXIT_INTEGRITY, "%.*s was edited since it was begun", STR_ARG(down->path));
    return fail_hint(f, "Put it back as it was until the migration is taken back.");
}

static bool plan_down(struct session *s, const struct reconciled *one, const struct digest *begun,
                      struct plan *plan, struct planned_migration *out, struct fail *f)
{
    struct migration *down = arena_new(s->arena, struct migration);
    const struct migration *only[] = {down};
    const struct selection selection = {.migrations = only, .count = 1};
    struct plan looked;
    struct str label = history_row_label(one->row);
    bool is_continued = one->state == STATE_ROLLING_BACK;
    if ((!is_continued && !check_last(s, one, f)) || !open_down(s, one->migration, down, f))
        return false;
    s->is_as_written = true;
    if (!session_plan(s, &selection, true, &looked, f) || !phases_check(s, &looked, f))
        return false;
    if (is_lossy(looked.migrations) && !s->options->lossy && !is_continued)
        return refuse_loss(looked.migrations, label, f);
    if (!session_plan(s, &selection, false, plan, f))
        return false;
    *out = plan->migrations[0];
    if (is_continued && !digest_equal(begun, &out->checksums.raw))
        return refuse_edited(down, f);
    int64_t *left = arena_array(s->arena, int64_t, out->unit_count + 1);
    for (uint32_t i = 0; i <= out->unit_count; i++)
        left[i] = out->unit_count - i;
    out->units_left = left;
    out->is_down = true;
    out->units_passed = is_continued ? out->unit_count - one->row->units_done : 0;
    return true;
}

/* ---- either ---- */

bool way_back_plan(struct session *s, const struct reconciled *one, struct plan *out,
                   struct fail *f)
{
    const struct migration *only[] = {one->migration};
    const struct history_row *rows[] = {one->row};
    const struct selection selection = {.migrations = only, .rows = rows, .count = 1};
    struct planned_migration *way = arena_new(s->arena, struct planned_migration);
    struct digest begun = {0};
    if (one->state == STATE_ROLLING_BACK &&
        !s->driver->read_events(s->connection, 1, history_row_label(one->row), note_down, &begun,
                                f))
        return false;
    bool is_down = one->state == STATE_APPLIED || digest_is_set(&begun);
    if (is_down && !plan_down(s, one, &begun, out, way, f))
        return false;
    if (!is_down && !plan_undos(s, one, &selection, out, way, f))
        return false;
    out->migrations = way;
    out->count = 1;
    return true;
}
