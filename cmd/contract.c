/*
 * migrate contract: what waits of expanded migrations, when the soak is over. Some wait twice: a call
 * of it ends where the next soak begins. The gate in front of either is policy.contract_after; --now
 * passes it, and its reason goes into the history.
 */
#include "cmd/command.h"
#include "cmd/running.h"
#include "cmd/signals.h"
#include "cmd/usage.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "core/run/run_lock.h"

static bool check_options(const struct options *o, struct fail *f)
{
    if (!o->now || (o->reason && o->reason[0]))
        return true;
    fail_set(f, EXIT_USAGE, "--now needs a reason");
    return fail_hint(f,
                     "Add --reason \"why the soak is not waited for\"; it is kept in the history.");
}

/* The migration that was named, as the history has it. */
static const struct reconciled *find_named(const struct session *s, const struct reconciliation *r,
                                           struct fail *f)
{
    struct str wanted = str_of(s->options->arguments.at[0]);
    const struct reconciled *one = reconciliation_find_named(r, s->migrations.order, wanted, f);
    if (!one)
        return NULL;
    if (one->state == STATE_EXPANDED || one->state == STATE_SWITCHED ||
        one->state == STATE_APPLIED ||
        (one->row && (str_equal(one->row->state, STR(HISTORY_EXPANDED)) ||
                      str_equal(one->row->state, STR(HISTORY_SWITCHED)))))
        return one;
    fail_set(f, EXIT_USAGE, "there is nothing to contract: %.*s is %s", STR_ARG(wanted),
             migration_state_name(one->state));
    fail_hint(f, "`migrate apply` expands it first.");
    return NULL;
}

static bool refuse_early(const struct session *s, const struct open_phase *p, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    fail_set(f, EXIT_REFUSED, "the soak of %.*s is not over: it ends at %s", STR_ARG(p->label),
             p->until);
    fail_detail(f, "It is %s since %s, and policy.contract_after is %s.",
                p->is_switched ? "switched" : "expanded", p->since,
                clock_duration_text(a, s->config.contract_after_ms * 1000));
    fail_hint(f, "Run it then: %s", p->command);
    if (p->last_write_us)
        fail_detail(f, "It was last written by its old form at %s, and the soak begins with that.",
                    phase_time(a, p->last_write_us));
    return fail_hint(f, "If nothing needs the old form any more, say how you know: --now --reason "
                        "\"…\".");
}

/* What does not go on, while others may. */
struct held_up {
    struct open_phases all;
    const struct open_phase *early, *used; /* the first one of each; or NULL */
};

static bool is_held_up(const struct session *s, const struct open_phase *p, struct held_up *out)
{
    bool is_used = usage_is_found(p->usage);
    if (s->options->now || (p->is_over && !is_used))
        return false;
    if (!p->is_over)
        out->early = out->early ? out->early : p;
    else
        out->used = out->used ? out->used : p;
    vec_push(s->arena, &out->all, *p);
    return true;
}

/* The counts are kept, as with a refusal: else what has grown until now would count for ever. */
static bool pass_over(struct session *s, const struct held_up *held, struct fail *f)
{
    for (size_t i = 0; i < held->all.count; i++) {
        const struct open_phase *p = &held->all.at[i];
        if (p->is_over)
            log_line(LOG_WARN, "%.*s is passed over: what it takes away is still used; by whom: %s",
                     STR_ARG(p->label), p->command);
        else
            log_line(LOG_NOTE, "%.*s is passed over: its soak ends at %s", STR_ARG(p->label),
                     p->until);
    }
    /* The run goes on behind what is kept. */
    return !held->all.count || (usage_keep(s, &held->all, f) && session_read_history(s, f));
}

/* Those that may go on: each to its end, or to where it waits again. */
static bool select_open(struct running *run, const struct reconciliation *r, struct selection *out,
                        struct fail *f)
{
    struct session *s = run->session;
    const struct options *o = s->options;
    const struct reconciled *only = NULL;
    if (o->arguments.count && !(only = find_named(s, r, f)))
        return false;
    struct open_phases phases = phases_find(s, r);
    struct held_up held = {0};
    if (!usage_look(s, &phases, f))
        return false;
    *out = (struct selection){
        .migrations = arena_array(s->arena, const struct migration *, phases.count + 1),
        .rows = arena_array(s->arena, const struct history_row *, phases.count + 1),
    };
    for (size_t i = 0; i < phases.count; i++) {
        const struct open_phase *p = &phases.at[i];
        if ((only && p->one != only) || !p->one->migration || is_held_up(s, p, &held))
            continue;
        if (!o->now)
            usage_warn(s->arena, p);
        run->is_early |= !p->is_over || usage_is_found(p->usage);
        out->migrations[out->count] = p->one->migration;
        out->rows[out->count++] = p->one->row;
    }
    if (out->count || !held.all.count)
        return pass_over(s, &held, f);
    if (!usage_keep(s, &phases, f))
        return false;
    return held.used ? usage_refuse(s, held.used, f) : refuse_early(s, held.early, f);
}

static bool contract_locked(struct running *run, struct open_phases *phases, struct fail *f)
{
    struct session *s = run->session;
    struct reconciliation r;
    struct selection selection;
    struct plan plan;
    if (!s->driver->prepare_history(s->connection, f) || !session_read_history(s, f) ||
        !session_check_record(s, f) || !session_reconcile(s, &r, f) ||
        !reconciliation_check(&r, true, f) || !select_open(run, &r, &selection, f))
        return false;
    if (selection.count == 0)
        return true;
    return session_plan(s, &selection, false, &plan, f) && running_run(run, &selection, &plan, f) &&
           phases_read(s, phases, f);
}

static bool contract(struct running *run, struct open_phases *phases, struct fail *f)
{
    struct session *s = run->session;
    const struct options *o = s->options;
    int64_t wait_ms = o->wait_is_given ? o->wait_ms : SESSION_WAIT_MS;
    if (!check_options(o, f) || !session_start(s->arena, o, s, f) || !session_open(s, false, f))
        return false;
    session_print_notes(s);
    if (!session_require_direct(s, f) ||
        !run_lock_acquire(s->driver, s->connection, s->run, wait_ms, &stop_signal, f))
        return false;
    bool is_done = contract_locked(run, phases, f);
    s->driver->unlock(s->connection);
    return is_done;
}

enum exit_code cmd_contract(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s = {.arena = a, .options = o};
    struct running run;
    struct open_phases phases = {0};
    if (!running_start(&run, &s, GOAL_CONTRACT, f))
        return f->code;
    run.reason = o->reason;
    signals_expect_run(true);
    (void)contract(&run, &phases, f);
    running_print(&run, &phases, f);
    session_close(&s);
    return f->code;
}
