/*
 * Whose is it? An index is ours when an intent (the event "started") to build it was never fulfilled, and
 * what the catalog held before that intent does not have it: the proof by which a run that is continued drops
 * what its predecessor left (drivers/postgres/probe.c). An intent is over with its "step done" or "applied",
 * and with a "failed" that knows the outcome, since the run has cleaned up before it said so. Where the
 * migration goes on no more, more is asked for: the index was made between the intent and the word of the
 * person who settled it, under the name that the intent gives.
 */
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "core/run/doctor_parts.h"
#include "core/run/reconcile.h"

struct intent {
    int64_t event;
    struct str label;
    int64_t unit;
    struct str before; /* OIDs, by commas */
    struct probe probe;
    int64_t resolved; /* the event by which a person settled it; 0: nobody did */
    bool is_over;
};

struct reading {
    struct arena *arena;
    struct doctor *doctor;
    const struct doctor_request *request;
    struct whose *whose;
    struct {
        struct intent *at;
        size_t count, room;
    } intents;
};

static bool is_open(const struct history *h, struct str label)
{
    for (size_t i = 0; i < h->count; i++) {
        struct str state = h->at[i].state;
        if (str_equal(history_row_label(&h->at[i]), label) &&
            !str_equal(state, STR(HISTORY_ROLLED_BACK)))
            return !str_equal(state, STR(HISTORY_APPLIED));
    }
    return false;
}

/* ---- intents ---- */

static const struct probe *probe_of(struct reading *r, struct str sql)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE; /* cut short, or redacted: it proves nothing */
    struct cut_request request = {
        .window = str_of(arena_cstr(r->arena, sql)), /* ends in NUL */
        .is_end = true,
        .line = 1,
        .column = 1,
        .path = STR("event"),
        .server_version = r->request->server->version_number,
    };
    struct cut_result cut;
    if (!r->request->dialect->cut(r->arena, &request, &cut, &ignored) || cut.statements.count != 1)
        return NULL;
    return cut.statements.at[0].probe;
}

static void add_intent(struct reading *r, const struct event *e)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("event"), &ignored);
    const struct json *before = detail ? json_get(detail, "before") : NULL;
    const struct probe *p = json_is_str(before) ? probe_of(r, e->sql) : NULL;
    if (!p)
        return;
    struct intent one = {
        .event = e->id,
        .label = arena_str(r->arena, e->version),
        .unit = e->unit,
        .before = arena_str(r->arena, json_str_of(before)),
        .probe = *p,
    };
    vec_push(r->arena, &r->intents, one);
}

static bool knows_outcome(const struct event *e)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("event"), &ignored);
    bool is_unknown = false;
    return detail &&
           !(json_bool_of(json_get(detail, "outcome_unknown"), &is_unknown) && is_unknown);
}

static void end_intents(struct reading *r, const struct event *e)
{
    for (size_t i = 0; i < r->intents.count; i++) {
        struct intent *one = &r->intents.at[i];
        if (str_equal(one->label, e->version) && (!e->unit || one->unit == e->unit))
            one->is_over = true;
    }
}

static void note_resolution(struct reading *r, const struct event *e)
{
    for (size_t i = 0; i < r->intents.count; i++) {
        struct intent *one = &r->intents.at[i];
        if (!one->resolved && str_equal(one->label, e->version))
            one->resolved = e->id;
    }
}

static bool is_in_list(struct str list, int64_t oid)
{
    while (list.len) {
        struct str one;
        int64_t number;
        list = str_cut(list, ',', &one);
        if (str_to_i64(one, &number) && number == oid)
            return true;
    }
    return false;
}

/* "users_id_idx_ccnew2" → "users_id_idx"; "" : it is no name of that kind. */
static struct str before_suffix(struct str name)
{
    while (name.len && char_is_digit(name.at[name.len - 1]))
        name.len--;
    if (!str_ends(name, STR("_ccnew")) && !str_ends(name, STR("_ccold")))
        return (struct str){0};
    name.len -= strlen("_ccnew");
    return name;
}

static bool is_made_by(const struct sighting *o, const struct probe *p)
{
    bool is_schema_known = p->schema && p->schema[0];
    bool is_there = is_schema_known ? strcmp(p->schema, o->schema) == 0 : o->is_only_of_name;
    struct str wanted = str_of(p->name);
    if (!is_there || !wanted.len)
        return false;
    struct str base = before_suffix(str_of(o->name));
    if (p->kind == PROBE_INDEX_VALID)
        return str_equal(wanted, str_of(o->name));
    if (p->kind == PROBE_INDEX_ON_TABLE)
        return str_equal(wanted, str_of(o->table)) && !base.len;
    return p->kind == PROBE_RERUN && p->is_reindex && base.len &&
           (str_equal(wanted, base) || str_equal(wanted, str_of(o->table)));
}

/* Whether a settled intent proves it: anybody may have built an index on that table since. */
static bool is_proved(struct reading *r, const struct sighting *o, const struct intent *one,
                      bool *out, struct fail *f)
{
    *out = false;
    if (!one->resolved || one->probe.kind == PROBE_INDEX_ON_TABLE)
        return true;
    return r->request->driver->index_made_between(r->request->connection, o->number, one->event,
                                                  one->resolved, out, f);
}

static bool settle_index(struct reading *r, size_t at, struct fail *f)
{
    const struct sighting *o = &r->doctor->seen.at[at];
    for (size_t i = 0; i < r->intents.count; i++) {
        const struct intent *one = &r->intents.at[i];
        if (one->is_over || is_in_list(one->before, o->number) || !is_made_by(o, &one->probe))
            continue;
        bool is_ours = is_open(r->request->history, one->label);
        if (!is_ours && !is_proved(r, o, one, &is_ours, f))
            return false;
        if (is_ours)
            r->whose[at] = (struct whose){
                .label = one->label,
                .is_open = is_open(r->request->history, one->label),
                .intent = one->event,
            };
    }
    return true;
}

/* ---- names ---- */

struct naming {
    const struct event *event;
    struct reading *reading;
    enum check check;
};

static bool note_names(void *context, struct str sql)
{
    struct naming *n = context;
    struct reading *r = n->reading;
    for (size_t i = 0; i < r->doctor->seen.count; i++) {
        const struct sighting *o = &r->doctor->seen.at[i];
        if (o->check == n->check && !r->whose[i].label.len && text_mentions(sql, str_of(o->name)))
            r->whose[i].label = arena_str(r->arena, n->event->version);
    }
    return false; /* go on */
}

/* What an open migration runs, or is going to: its SQL so far, and the online forms it was begun with. */
static void note_open(struct reading *r, const struct event *e)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    struct naming naming = {e, r, CHECK_CONSTRAINTS};
    if (!e->version.len || !is_open(r->request->history, e->version))
        return;
    (void)note_names(&naming, e->sql);
    if (!str_equal(e->kind, STR(EVENT_PLANNED)))
        return;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("event"), &ignored);
    if (detail)
        (void)json_visit_texts(detail, "sql", note_names, &naming);
}

static bool take_event(void *context, const struct event *e, struct fail *f UNUSED)
{
    struct reading *r = context;
    if (str_equal(e->kind, STR(EVENT_STARTED)))
        add_intent(r, e);
    else if (str_equal(e->kind, STR(EVENT_STEP_DONE)) || str_equal(e->kind, STR(EVENT_APPLIED)) ||
             str_equal(e->kind, STR(EVENT_EXPANDED)) || str_equal(e->kind, STR(EVENT_SWITCHED)) ||
             str_equal(e->kind, STR(EVENT_CONTRACTED)) ||
             str_equal(e->kind, STR(EVENT_STEP_UNDONE)) ||
             str_equal(e->kind, STR(EVENT_ROLLED_BACK)) ||
             (str_equal(e->kind, STR(EVENT_FAILED)) && knows_outcome(e)))
        end_intents(r, e);
    else if (str_equal(e->kind, STR(EVENT_RESOLVED)))
        note_resolution(r, e);
    struct naming naming = {e, r, CHECK_OWNERSHIP};
    if (e->sql.len && e->version.len)
        (void)note_names(&naming, e->sql);
    note_open(r, e);
    return true;
}

bool doctor_read_owners(struct doctor *d, const struct doctor_request *request, struct whose **out,
                        struct fail *f)
{
    struct reading r = {
        .arena = d->arena,
        .doctor = d,
        .request = request,
        .whose = arena_array(d->arena, struct whose, d->seen.count + 1),
    };
    *out = r.whose;
    if (!request->history->exists || request->history_failure)
        return true;
    if (!request->driver->read_events(request->connection, 1, STR(""), take_event, &r, f))
        return false;
    for (size_t i = 0; i < d->seen.count; i++) {
        if (d->seen.at[i].check == CHECK_INDEXES && !settle_index(&r, i, f))
            return false;
        if (d->seen.at[i].check == CHECK_CONSTRAINTS)
            r.whose[i].is_open = r.whose[i].label.len > 0;
    }
    return true;
}
