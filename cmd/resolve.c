/*
 * migrate resolve: a person says what no catalog can tell, with a reason, after the evidence was
 * shown. A step outside a transaction that was cut off; a migration written as code that was run by its
 * own tool; a row that was removed from the history. --record is in cmd/resolve_record.c.
 */
#include "cmd/resolve.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "cmd/way_back.h"
#include "core/base/json.h"
#include "core/run/execution.h"
#include "core/run/run_lock.h"

static bool check_options(const struct options *o, struct fail *f)
{
    if (o->record ? o->arguments.count || o->applied || o->not_applied : !o->arguments.count) {
        fail_set(f, EXIT_USAGE,
                 o->record ? "--record is about the whole history: no VERSION, --applied or "
                             "--not-applied goes with it"
                           : "resolve needs the VERSION that it is about, or --record");
        return fail_hint(f, "`migrate status` lists what is to be settled.");
    }
    if (!o->record && o->applied == o->not_applied) {
        fail_set(f, EXIT_USAGE, "say either --applied or --not-applied");
        return fail_hint(f, "--applied: the step did happen. --not-applied: it will be run again.");
    }
    if (!o->reason || !o->reason[0]) {
        fail_set(f, EXIT_USAGE, "a resolution needs a reason");
        return fail_hint(f, "Add --reason \"how you know\"; it is kept in the history.");
    }
    return true;
}

/* Enough of the statement to know it again. */
#define SHOWN_LINES 20
#define SHOWN_COLUMNS 100

static void show_sql(struct str sql)
{
    for (int lines = 0; sql.len; lines++) {
        struct str line;
        sql = str_cut_line(sql, &line);
        if (lines == SHOWN_LINES) {
            puts("      | …");
            return;
        }
        struct str shown = terminal_cut(line, SHOWN_COLUMNS);
        terminal_print("      | %.*s%s\n", STR_ARG(shown), shown.len < line.len ? "…" : "");
    }
}

/* What the events say about the step behind the last one done. */
struct evidence {
    int64_t unit;
    bool is_open; /* it was begun outside a transaction, and nobody knows how it ended */
};

static void weigh(struct evidence *known, const struct event *e)
{
    bool is_unknown = false;
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *detail = e->detail.len ? json_parse(e->detail, STR("event"), &ignored) : NULL;
    if (e->unit != known->unit)
        return;
    if (str_equal(e->kind, STR(EVENT_STARTED)))
        known->is_open = !json_get(detail, "batches"); /* those are in transactions */
    else if (!json_bool_of(json_get(detail, "outcome_unknown"), &is_unknown) || !is_unknown)
        known->is_open = false;
}

static bool show_evidence(void *context, const struct event *e, struct fail *f)
{
    (void)f;
    weigh(context, e);
    SCOPED(arena) struct arena *a = arena_make();
    terminal_print("  event %lld  %s  %.*s", (long long)e->id, terminal_time(a, e->at),
                   STR_ARG(e->kind));
    if (e->unit)
        terminal_print("  step %lld", (long long)e->unit);
    terminal_print("  by %.*s@%.*s\n", STR_ARG(e->actor), STR_ARG(e->host));
    if (str_equal(e->kind, STR(EVENT_STARTED)))
        show_sql(e->sql);
    return true;
}

/* One step further back. That it is all is for the next rollback to say. */
static bool resolved_way_back(struct session *s, const struct journal *journal,
                              const struct reconciled *one, struct history_row *out, struct fail *f)
{
    struct plan plan;
    if (!way_back_plan(s, one, &plan, f))
        return false;
    const struct planned_migration *way = plan.migrations;
    *out = *one->row;
    out->units_done = way->units_left[way->units_passed + 1];
    out->installed_at = journal_now(s->arena, journal);
    return true;
}

/* The row as it is once the person's word is taken. lost: what the events say of one that was removed;
   or NULL. */
static bool resolved_row(struct session *s, const struct journal *journal,
                         const struct reconciled *one, const struct row_claim *lost,
                         struct history_row *out, struct fail *f)
{
    const struct migration *m = one->migration;
    if (m->is_opaque) {
        *out = journal_row(s->arena, journal, m, &m->checksums);
        out->rank = lost ? lost->rank : out->rank;
        return true;
    }
    if (one->row && !str_equal(digest_str(&m->checksums.raw), one->row->digest_raw)) {
        fail_set(f, EXIT_INTEGRITY, "%.*s was edited since its step was cut off", STR_ARG(m->path));
        return fail_hint(f,
                         "Put it back as it was, resolve, and write what must change behind it.");
    }
    if (one->state == STATE_ROLLING_BACK)
        return resolved_way_back(s, journal, one, out, f);
    struct plan plan;
    const struct migration *only[] = {m};
    const struct history_row *rows[] = {one->row};
    struct selection selection = {.migrations = only, .rows = rows, .count = 1};
    if (!session_plan(s, &selection, false, &plan, f))
        return false;
    if (!one->row) {
        *out = journal_row(s->arena, journal, m, &plan.migrations[0].checksums);
        out->rank = lost ? lost->rank : out->rank;
        out->units_done = plan.migrations[0].unit_count;
        out->statements = (int64_t)plan.migrations[0].statement_count;
        return true;
    }
    *out = *one->row;
    out->units_done++;
    const struct planned_migration *p = plan.migrations;
    if (out->units_done >= (int64_t)p->unit_count)
        out->state = STR(HISTORY_APPLIED);
    else if (one->state == STATE_INCOMPLETE && out->units_done >= planned_last_at_once(p))
        out->state = STR(HISTORY_EXPANDED);
    else if (one->state == STATE_EXPANDED && p->again_unit && out->units_done + 1 >= p->again_unit)
        out->state = STR(HISTORY_SWITCHED);
    /* Of an expanded or switched one it tells since when. */
    if (one->state == STATE_INCOMPLETE || !str_equal(out->state, one->row->state))
        out->installed_at = journal_now(s->arena, journal);
    return true;
}

bool resolution_write(struct session *s, struct journal *journal, struct event *e,
                      const struct history_row *insert_row, const struct history_row *update_row,
                      struct fail *f)
{
    struct run_context run = {
        .driver = s->driver,
        .connection = s->connection,
        .journal = journal,
        .stop_signal = &stop_signal,
    };
    return execution_append(&run, insert_row, update_row, e, 1, true, f);
}

/* The row of a file, where a person took it as somebody had left it: nothing but a word tells any more
   whether the file was applied. NULL: there is none. */
static const struct history_row *accepted_row(const struct verification *v,
                                              const struct reconciled *one)
{
    const struct history_row *row = one->row ? one->row : one->other;
    const struct row_claim *claim = row ? verification_claim(v, row->rank) : NULL;
    bool is_in_order = one->state == STATE_APPLIED || one->state == STATE_OUTDATED;
    return claim && claim->is_accepted && !is_in_order ? row : NULL;
}

/* Writes that row anew, as the file is: complete, or with nothing done. */
static bool resolve_accepted(struct session *s, const struct reconciled *one,
                             const struct history_row *row, struct fail *f)
{
    const struct options *o = s->options;
    const struct migration *m = one->migration;
    struct run_identity who = session_identity(s);
    struct journal journal = journal_start(&who, &s->history);
    struct plan plan = {0};
    struct selection selection = {.migrations = &m, .count = 1};
    if (!m->is_opaque && !session_plan(s, &selection, false, &plan, f))
        return false;
    const struct planned_migration *planned = m->is_opaque ? NULL : plan.migrations;
    struct history_row now =
        journal_row(s->arena, &journal, m, planned ? &planned->checksums : &m->checksums);
    now.rank = row->rank;
    now.state = o->applied ? STR("applied") : STR("incomplete");
    now.units_done = o->applied && planned ? planned->unit_count : 0;
    now.statements = o->applied && planned ? (int64_t)planned->statement_count : 0;
    SCOPED(json) struct json *detail = json_make_object();
    json_set_cstr(detail, "reason", o->reason);
    json_set_bool(detail, "applied", o->applied);
    journal_row_claim(detail, &now);
    struct event e = journal_event(s->arena, &journal, EVENT_RESOLVED, migration_label(m));
    e.detail = json_line(s->arena, detail);
    if (!resolution_write(s, &journal, &e, NULL, &now, f))
        return false;
    terminal_print("resolved: %.*s is %s\n", STR_ARG(migration_label(m)),
                   o->applied ? "applied" : "not applied; the next apply runs it from its start");
    return true;
}

/* A later version is applied: a plain apply would refuse it as out of order. */
static bool is_behind_others(const struct session *s, const struct migration *m)
{
    for (size_t i = 0; m->version.len && i < s->history.count; i++) {
        struct str version = s->history.at[i].version;
        if (version.len && version_compare(s->migrations.order, version, m->version) > 0)
            return true;
    }
    return false;
}

static bool write_resolution(struct session *s, const struct reconciled *one,
                             const struct row_claim *lost, struct fail *f)
{
    const struct options *o = s->options;
    struct run_identity who = session_identity(s);
    struct journal journal = journal_start(&who, &s->history);
    SCOPED(json) struct json *detail = json_make_object();
    json_set_cstr(detail, "reason", o->reason);
    json_set_bool(detail, "applied", o->applied);
    struct str label = one->row ? history_row_label(one->row) : migration_label(one->migration);
    struct event e = journal_event(s->arena, &journal, EVENT_RESOLVED, label);
    struct history_row row;
    if (o->applied) {
        if (!resolved_row(s, &journal, one, lost, &row, f))
            return false;
        journal_row_claim(detail, &row);
    } else if (lost) {
        json_set_i64(detail, "rank", lost->rank);
        json_set_bool(detail, "withdrawn", true);
    }
    bool is_back = one->state == STATE_ROLLING_BACK;
    e.unit = one->row ? one->row->units_done + !is_back : 0;
    e.detail = json_line(s->arena, detail);
    bool is_new = o->applied && !one->row;
    bool is_update = o->applied && one->row;
    if (!resolution_write(s, &journal, &e, is_new ? &row : NULL, is_update ? &row : NULL, f))
        return false;
    terminal_print("resolved: %.*s is %s\n", STR_ARG(migration_label(one->migration)),
                   !o->applied && lost && is_behind_others(s, one->migration)
                       ? "not applied; `migrate apply --allow-out-of-order` runs it from its "
                         "start, since migrations behind it are applied"
                   : is_back && o->applied ? "one step further back; the next rollback goes on"
                   : is_back               ? "as it was; the next rollback runs the step again"
                   : !o->applied && lost   ? "not applied; the next apply runs it from its start"
                   : !o->applied           ? "not applied; the next apply runs the step again"
                   : str_equal(row.state, STR("applied"))
                       ? "applied"
                       : "one step further; the next apply goes on");
    return true;
}

/* Shows what the events know; only a step whose end they do not know needs a person. */
static bool check_evidence(struct session *s, const struct history_row *row, struct fail *f)
{
    struct str label = history_row_label(row);
    bool is_back = str_equal(row->state, STR(HISTORY_ROLLING_BACK));
    struct evidence known = {.unit = row->units_done + !is_back};
    terminal_print("%.*s: %lld step%s done. What is known:\n", STR_ARG(label),
                   (long long)row->units_done, row->units_done == 1 ? "" : "s");
    if (!s->driver->read_events(s->connection, 1, label, show_evidence, &known, f))
        return false;
    if (known.is_open)
        return true;
    fail_set(f, EXIT_USAGE, "there is nothing to resolve: step %lld of %.*s did not happen",
             (long long)known.unit, STR_ARG(label));
    if (is_back)
        return fail_hint(f, "Go on: %s", session_command(s, "rollback", label));
    return fail_hint(
        f, "Correct the file where it failed, and run `migrate apply`: it goes on there.");
}

/* Shows what the events know of a row that was removed. */
static bool show_lost_row(struct session *s, const struct row_claim *lost, struct fail *f)
{
    struct evidence ignored = {0};
    printf("%.*s: row %lld of the history was removed. What is known:\n", STR_ARG(lost->label),
           (long long)lost->rank);
    return s->driver->read_events(s->connection, 1, lost->label, show_evidence, &ignored, f);
}

static bool resolve(struct session *s, struct fail *f)
{
    struct reconciliation r;
    struct verification v;
    if (!s->driver->prepare_history(s->connection, f) || !session_read_history(s, f) ||
        !session_reconcile(s, &r, f) ||
        !verification_run(s->arena, s->driver, s->connection, &s->history, (struct str){0}, &v, f))
        return false;
    verification_mark(&v, &r);
    if (s->options->record)
        return resolve_record(s, &r, &v, f);
    const struct reconciled *one =
        reconciliation_find_named(&r, s->migrations.order, str_of(s->options->arguments.at[0]), f);
    if (!one)
        return false;
    if (one->state == STATE_UNRECORDED) {
        const struct row_claim *lost = verification_lost_row(&v, migration_label(one->migration));
        return show_lost_row(s, lost, f) && write_resolution(s, one, lost, f);
    }
    const struct history_row *accepted = accepted_row(&v, one);
    if (accepted)
        return resolve_accepted(s, one, accepted, f);
    bool is_code = one->state == STATE_OPAQUE && s->options->applied;
    /* Its row may have gone with its events, or before somebody accepted the record. */
    bool was_whole = !v.findings.count && !v.accepted;
    if (!one->row && reconciled_is_pending(one) && s->options->applied && !was_whole)
        is_code = true;
    if (one->state != STATE_INCOMPLETE && one->state != STATE_EXPANDED &&
        one->state != STATE_SWITCHED && one->state != STATE_ROLLING_BACK && !is_code) {
        fail_set(f, EXIT_USAGE, "there is nothing to resolve: %s is %s",
                 s->options->arguments.at[0], migration_state_name(one->state));
        return fail_hint(
            f, "Only a migration that was cut off, one written as code, or one whose row was "
               "removed needs it.");
    }
    return (!one->row || check_evidence(s, one->row, f)) && write_resolution(s, one, NULL, f);
}

enum exit_code cmd_resolve(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s;
    if (!check_options(o, f) || !session_start(a, o, &s, f))
        return f->code;
    int64_t wait_ms = o->wait_is_given ? o->wait_ms : SESSION_WAIT_MS;
    signals_expect_run(true);
    if (session_open(&s, false, f) && session_require_direct(&s, f) &&
        run_lock_acquire(s.driver, s.connection, s.run, wait_ms, &stop_signal, f)) {
        (void)resolve(&s, f);
        s.driver->unlock(s.connection);
    }
    session_close(&s);
    return f->code;
}
