/* See usage.h. */
#include "cmd/usage.h"

#include "cmd/terminal.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "planner/postgres/mentions.h"

#define KEPT_AGAIN_US ((int64_t)10 * 60 * 1000000)

/* ---- earlier counts ---- */

struct count {
    int64_t at_us;
    struct str since; /* as of phase_usage.counted_since */
    struct json *detail;
};

struct counts {
    struct arena *arena;
    struct count *at;
    size_t count, room;
    bool is_contracting;
};

static void forget(struct counts *c)
{
    for (size_t i = 0; i < c->count; i++)
        json_release(c->at[i].detail);
    c->count = 0;
    c->is_contracting = false;
}
static inline void scoped_release_counts(struct counts *c)
{
    forget(c);
}

static bool note_event(void *context, const struct event *e, struct fail *f)
{
    struct counts *c = context;
    if (str_equal(e->kind, STR(EVENT_EXPANDED)) || str_equal(e->kind, STR(EVENT_ROLLED_BACK)) ||
        str_equal(e->kind, STR(EVENT_CONTRACTED)))
        forget(c);
    if (str_equal(e->kind, STR(EVENT_SWITCHED)))
        c->is_contracting = false; /* it waits again */
    c->is_contracting |= str_equal(e->kind, STR(EVENT_STEP_DONE));
    if (!str_equal(e->kind, STR(EVENT_COUNTED)))
        return true;
    struct count one = {.detail = json_parse(e->detail, STR("event"), f)};
    if (!one.detail)
        return false;
    if (!clock_parse_iso(e->at, &one.at_us))
        one.at_us = 0;
    one.since = json_str_of(json_get(one.detail, "counted_since"));
    vec_push(c->arena, c, one);
    return true;
}

/* Now, by the server's clock. Whoever made the counts knew that clock from a question of its own, some
   microseconds off: what is in the history has happened. */
static int64_t now_behind(const struct session *s, int64_t counted_us)
{
    int64_t now_us = clock_wall_us() + s->server.clock_offset_us;
    return now_us > counted_us ? now_us : counted_us;
}

/* The newest one that is old enough, else the oldest. */
static const struct count *to_compare_with(const struct counts *c, int64_t upto_us)
{
    const struct count *found = c->count ? &c->at[0] : NULL;
    for (size_t i = 1; i < c->count; i++) {
        if (c->at[i].at_us <= upto_us)
            found = &c->at[i];
    }
    return found;
}

/* Counting that was begun anew since has lost what there was before: all of it is new. */
static int64_t calls_before(const struct count *c, struct str since, struct str id)
{
    const struct json *calls = c ? json_get(c->detail, "calls") : NULL;
    if (!c || !str_equal(c->since, since))
        return 0;
    for (size_t i = 0; i < json_count(calls); i++) {
        int64_t n;
        const struct json *one = json_at(calls, i);
        if (str_equal(json_str_of(json_get(one, "id")), id) &&
            json_i64_of(json_get(one, "calls"), &n))
            return n;
    }
    return 0;
}

/* ---- what there is now ---- */

static void add_statement(struct session *s, const struct counted_statement *c,
                          const struct retired_name *name, const struct count *base,
                          struct phase_usage *u)
{
    enum mention how = postgres_mention(s->arena, c->text, name);
    if (how == MENTION_NONE)
        return;
    for (size_t i = 0; i < u->statements.count; i++) {
        if (str_equal(u->statements.at[i].id, c->id))
            return; /* it has another of the names as well */
    }
    int64_t before = calls_before(base, u->counted_since, c->id);
    struct used_by_statement one = {
        .id = c->id,
        .shown = postgres_mention_shown(s->arena, c->text),
        .calls = c->calls < before ? c->calls : c->calls - before,
        .calls_total = c->calls,
        .is_possible = how == MENTION_POSSIBLE,
    };
    vec_push(s->arena, &u->statements, one);
}

static void add_function(struct session *s, const struct seen_function *seen,
                         const struct retired_name *name, struct phase_usage *u)
{
    enum mention how = postgres_mention_in_function(s->arena, seen, name);
    if (how == MENTION_NONE)
        return;
    const char *text = arena_printf(s->arena, "%.*s%s", STR_ARG(seen->name),
                                    how == MENTION_POSSIBLE ? " (perhaps)" : "");
    for (size_t i = 0; i < u->functions.count; i++) {
        if (strcmp(u->functions.at[i], text) == 0)
            return;
    }
    vec_push(s->arena, &u->functions, text);
}

static bool look_for(struct session *s, const struct retired_name *name, const struct count *base,
                     struct phase_usage *u, struct fail *f)
{
    struct usage seen;
    if (!s->driver->read_usage(s->arena, s->connection, name, &seen, f))
        return false;
    u->is_asked = true;
    u->unknown = seen.unknown;
    u->hidden = seen.hidden;
    u->counted_since = seen.counted_since;
    for (size_t i = 0; i < seen.statements.count; i++)
        add_statement(s, &seen.statements.at[i], name, base, u);
    for (size_t i = 0; i < seen.functions.count; i++)
        add_function(s, &seen.functions.at[i], name, u);
    for (size_t i = 0; i < seen.dependents.count; i++)
        vec_push(s->arena, &u->dependents, seen.dependents.at[i]);
    return true;
}

/* The soak begins again with the last write. */
static bool note_last_write(struct session *s, const struct online_form *form,
                            struct open_phase *phase, struct fail *f)
{
    int64_t at_us;
    if (!form->last_write.len)
        return true;
    if (!s->driver->last_write(s->connection, form->last_write, &at_us, f))
        return false;
    if (at_us > phase->last_write_us)
        phase->last_write_us = at_us;
    return true;
}

static bool look(struct session *s, struct open_phase *phase, const struct online_forms *forms,
                 struct fail *f)
{
    SCOPED(counts) struct counts counts = {.arena = s->arena};
    struct phase_usage *u = arena_new(s->arena, struct phase_usage);
    if (!s->driver->read_events(s->connection, 1, phase->label, note_event, &counts, f))
        return false;
    u->counted_us = counts.count ? counts.at[counts.count - 1].at_us : 0;
    const struct count *base =
        to_compare_with(&counts, now_behind(s, u->counted_us) - s->config.contract_after_ms * 1000);
    phase->usage = u;
    u->is_contracting = counts.is_contracting;
    u->has_count = base != NULL;
    u->since = base ? phase_time(s->arena, base->at_us) : NULL;
    const struct json *known = counts.count ? json_get(counts.at[0].detail, "dependents") : NULL;
    for (size_t i = 0; i < json_count(known); i++)
        vec_push(s->arena, &u->known, arena_str(s->arena, json_str_of(json_at(known, i))));
    for (size_t i = 0; !u->is_contracting && i < forms->count; i++) {
        const struct online_form *form = forms->at[i].form;
        if (!phase->is_switched && online_is_left_alone(form))
            continue;
        for (size_t k = 0; k < form->retires.count; k++) {
            if (!look_for(s, &form->retires.at[k], base, u, f))
                return false;
        }
        if (!note_last_write(s, form, phase, f))
            return false;
    }
    phase_settle(s, phase);
    return true;
}

bool usage_look(struct session *s, struct open_phases *phases, struct fail *f)
{
    struct online_open *open;
    size_t count;
    if (!s->driver->read_usage || !phases->count)
        return true;
    if (!session_read_open(s, &open, &count, f))
        return false;
    for (size_t i = 0; i < phases->count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (str_equal(open[k].label, phases->at[i].label) &&
                !look(s, &phases->at[i], open[k].forms, f))
                return false;
        }
    }
    return true;
}

static bool is_new(const struct phase_usage *u, struct str dependent)
{
    for (size_t i = 0; i < u->known.count; i++) {
        if (str_equal(u->known.at[i], dependent))
            return false;
    }
    return true;
}

bool usage_is_found(const struct phase_usage *u)
{
    if (!u || u->is_contracting)
        return false;
    bool is_found = u->functions.count > 0;
    for (size_t i = 0; i < u->statements.count; i++)
        is_found |= u->statements.at[i].calls > 0;
    for (size_t i = 0; i < u->dependents.count; i++)
        is_found |= is_new(u, u->dependents.at[i]);
    return is_found;
}

/* ---- keeping ---- */

static bool keep(struct session *s, struct journal *journal, const struct open_phase *p,
                 struct fail *f)
{
    const struct phase_usage *u = p->usage;
    SCOPED(json) struct json *detail = json_make_object();
    struct json *calls = json_make_array();
    struct json *dependents = json_make_array();
    for (size_t i = 0; i < u->statements.count; i++) {
        struct json *one = json_make_object();
        json_set_str(one, "id", u->statements.at[i].id);
        json_set_i64(one, "calls", u->statements.at[i].calls_total);
        json_push(calls, one);
    }
    for (size_t i = 0; i < u->dependents.count; i++)
        json_push_str(dependents, u->dependents.at[i]);
    json_set(detail, "calls", calls);
    json_set_str(detail, "counted_since", u->counted_since);
    json_set(detail, "dependents", dependents);
    struct event e = journal_event(s->arena, journal, EVENT_COUNTED, p->label);
    e.detail = json_line(s->arena, detail);
    journal_link(s->arena, journal, &e, 1);
    const struct journal_entries entries = {.events = &e, .event_count = 1};
    if (!s->driver->append(s->connection, &entries, true, f))
        return false;
    journal_committed(journal, &e, 1);
    return true;
}

bool usage_keep(struct session *s, const struct open_phases *phases, struct fail *f)
{
    struct run_identity who = session_identity(s);
    struct journal journal = journal_start(&who, &s->history);
    int64_t soak_us = s->config.contract_after_ms * 1000;
    int64_t pause_us = soak_us < KEPT_AGAIN_US ? soak_us : KEPT_AGAIN_US;
    for (size_t i = 0; i < phases->count; i++) {
        const struct phase_usage *u = phases->at[i].usage;
        bool is_told =
            u && u->is_asked && !u->is_contracting && (!u->unknown || u->dependents.count);
        bool is_due =
            is_told && (!u->has_count || now_behind(s, u->counted_us) - u->counted_us >= pause_us);
        if (is_due && !keep(s, &journal, &phases->at[i], f))
            return false;
    }
    return true;
}

/* ---- telling ---- */

/* In lines; nothing where nobody uses it. */
static void tell(struct buf *out, const struct phase_usage *u)
{
    for (size_t i = 0; i < u->statements.count; i++) {
        const struct used_by_statement *one = &u->statements.at[i];
        if (one->calls)
            buf_printf(out, "%lld call%s%s: %s\n", (long long)one->calls,
                       one->calls == 1 ? "" : "s",
                       one->is_possible ? ", as far as its words tell" : "", one->shown);
    }
    for (size_t i = 0; i < u->functions.count; i++)
        buf_printf(out, "function %s has it in its text\n", u->functions.at[i]);
    for (size_t i = 0; i < u->dependents.count; i++) {
        if (is_new(u, u->dependents.at[i]))
            buf_printf(out, "%.*s is made of it\n", STR_ARG(u->dependents.at[i]));
    }
}

/* What is not known of statements; "" : all of it is. */
static const char *gap(struct arena *a, const struct phase_usage *u)
{
    if (u->unknown)
        return arena_printf(a, "which statements still need the old form is not known: %s",
                            u->unknown);
    if (u->hidden)
        return arena_printf(a,
                            "the text of %lld statement%s of other roles cannot be read: "
                            "GRANT pg_read_all_stats would show it",
                            (long long)u->hidden, u->hidden == 1 ? "" : "s");
    return "";
}

void usage_warn(struct arena *a, const struct open_phase *p)
{
    const struct phase_usage *u = p->usage;
    const char *missing = u && u->is_asked && !u->is_contracting ? gap(a, u) : "";
    if (missing[0])
        log_line(LOG_WARN, "%.*s: %s", STR_ARG(p->label), missing);
}

static bool has_calls(const struct phase_usage *u)
{
    for (size_t i = 0; i < u->statements.count; i++) {
        if (u->statements.at[i].calls)
            return true;
    }
    return false;
}

bool usage_refuse(const struct session *s, const struct open_phase *p, struct fail *f)
{
    const struct phase_usage *u = p->usage;
    SCOPED(buf) struct buf lines = {0};
    tell(&lines, u);
    fail_set(f, EXIT_REFUSED, "what %.*s takes away is still used", STR_ARG(p->label));
    if (has_calls(u))
        fail_detail(f, "Calls are those since %s.", u->since ? u->since : "counting began");
    fail_detail(f, "%.*s", (int)(lines.len - 1), buf_cstr(&lines));
    if (has_calls(u))
        fail_hint(f, "What was counted is kept now: %s from now on only calls from now on count.",
                  s->config.contract_after_ms
                      ? clock_duration_text(s->arena, s->config.contract_after_ms * 1000)
                      : "next time");
    fail_hint(f, "Change them, and run it then: %s", p->command);
    return fail_hint(f, "If that is no matter, say how you know: --now --reason \"…\".");
}

void usage_print(struct arena *a, const struct open_phase *p)
{
    const struct phase_usage *u = p->usage;
    SCOPED(buf) struct buf lines = {0};
    if (!u || !u->is_asked || u->is_contracting)
        return;
    tell(&lines, u);
    struct str rest = buf_str(&lines);
    if (p->last_write_us)
        terminal_print("         last written by its old form at %s\n",
                       phase_time(a, p->last_write_us));
    if (rest.len)
        terminal_print("         still used%s%s:\n",
                       has_calls(u) && u->since ? ", calls since " : "",
                       has_calls(u) && u->since ? u->since : "");
    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        terminal_print("           %.*s\n", STR_ARG(line));
    }
    const char *missing = gap(a, u);
    if (missing[0])
        terminal_print("         %s\n", missing);
}

void usage_set(struct json *phase, const struct open_phase *p)
{
    const struct phase_usage *u = p->usage;
    if (!u || !u->is_asked || u->is_contracting)
        return;
    struct json *j = json_make_object();
    struct json *statements = json_make_array();
    struct json *functions = json_make_array();
    struct json *dependents = json_make_array();
    for (size_t i = 0; i < u->statements.count; i++) {
        struct json *one = json_make_object();
        json_set_cstr(one, "sql", u->statements.at[i].shown);
        json_set_i64(one, "calls", u->statements.at[i].calls);
        json_push(statements, one);
    }
    for (size_t i = 0; i < u->functions.count; i++)
        json_push_str(functions, str_of(u->functions.at[i]));
    for (size_t i = 0; i < u->dependents.count; i++) {
        if (is_new(u, u->dependents.at[i]))
            json_push_str(dependents, u->dependents.at[i]);
    }
    json_set_bool(j, "is_used", usage_is_found(u));
    json_set_cstr(j, "calls_since", u->since);
    json_set(j, "statements", statements);
    json_set(j, "functions", functions);
    json_set(j, "dependents", dependents);
    json_set_cstr(j, "unknown", u->unknown);
    json_set_i64(j, "hidden_statements", u->hidden);
    json_set(phase, "usage", j);
}
