/* What a state means: whether it is pending, a problem, stops an apply; its sentence and its advice. */
#include "core/run/reconcile_parts.h"

static const char *const state_names[] = {
    [STATE_UNKNOWN] = "unknown",           [STATE_APPLIED] = "applied",
    [STATE_PENDING] = "pending",           [STATE_OUTDATED] = "outdated",
    [STATE_OUT_OF_ORDER] = "out of order", [STATE_INCOMPLETE] = "incomplete",
    [STATE_CHANGED] = "changed",           [STATE_MISSING] = "missing",
    [STATE_RENUMBERED] = "renumbered",     [STATE_OPAQUE] = "opaque",
    [STATE_UNRECORDED] = "unrecorded",     [STATE_COVERED] = "covered",
    [STATE_EXPANDED] = "expanded",         [STATE_SWITCHED] = "switched",
    [STATE_ROLLING_BACK] = "rolling back",
};

const char *migration_state_name(enum migration_state s)
{
    return state_names[s];
}

struct str migration_label(const struct migration *m)
{
    return m->version.len ? m->version : m->script;
}

struct str history_row_label(const struct history_row *r)
{
    return r->version.len ? r->version : r->script;
}

const struct reconciled *reconciliation_find(const struct reconciliation *r,
                                             enum version_order order, struct str wanted)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct migration *m = r->at[i].migration;
        if (m && (str_equal(migration_label(m), wanted) ||
                  (m->version.len && version_compare(order, m->version, wanted) == 0)))
            return &r->at[i];
    }
    return NULL;
}

const struct reconciled *reconciliation_find_named(const struct reconciliation *r,
                                                   enum version_order order, struct str wanted,
                                                   struct fail *f)
{
    const struct reconciled *one = reconciliation_find(r, order, wanted);
    if (one)
        return one;
    fail_set(f, EXIT_USAGE, "there is no migration with version \"%.*s\"", STR_ARG(wanted));
    fail_hint(f, "`migrate status` lists the versions.");
    return NULL;
}

bool reconciled_is_pending(const struct reconciled *r)
{
    return r->state == STATE_PENDING || r->state == STATE_OUTDATED ||
           r->state == STATE_OUT_OF_ORDER || r->state == STATE_INCOMPLETE;
}

/* A repeatable that is no longer wanted is deleted, and no later file can bring its row back in line.
   Half done, its rest is still owed. */
static bool is_gone_for_good(const struct reconciled *r)
{
    return r->state == STATE_MISSING && row_is_repeatable(r->row) && !row_is_incomplete(r->row);
}

bool reconciled_is_problem(const struct reconciled *r)
{
    return r->state == STATE_CHANGED || r->state == STATE_RENUMBERED ||
           r->state == STATE_OUT_OF_ORDER || r->state == STATE_UNRECORDED ||
           r->state == STATE_ROLLING_BACK || (r->state == STATE_MISSING && !is_gone_for_good(r));
}

/* "2026-11-20 20:43:00 UTC" of an ISO time. */
static const char *time_text(struct arena *a, struct str iso)
{
    if (iso.len < 19)
        return arena_cstr(a, iso);
    return arena_printf(a, "%.10s %.8s UTC", iso.at, iso.at + 11);
}

const char *reconciled_sentence(struct arena *a, const struct reconciled *r)
{
    struct str name = r->migration ? r->migration->path : r->row->script;
    switch (r->state) {
    case STATE_CHANGED:
        return arena_printf(a, "%.*s was edited after it was applied on %s: %s", STR_ARG(name),
                            time_text(a, r->row->installed_at),
                            r->change == CHANGE_COMMENTS ? "only comments or white space differ"
                                                         : "its statements differ");
    case STATE_MISSING:
        if (row_is_repeatable(r->row))
            return arena_printf(a, "repeatable migration %.*s was %s on %s and is no longer there",
                                STR_ARG(name), row_is_incomplete(r->row) ? "begun" : "applied",
                                time_text(a, r->row->installed_at));
        return arena_printf(a, "version %.*s was %s on %s from %.*s, which is no longer there",
                            STR_ARG(history_row_label(r->row)),
                            row_is_incomplete(r->row) ? "begun" : "applied",
                            time_text(a, r->row->installed_at), STR_ARG(name));
    case STATE_RENUMBERED:
        return arena_printf(a, "%.*s has the text of version %.*s (%.*s), applied on %s: %s",
                            STR_ARG(name), STR_ARG(history_row_label(r->other)),
                            STR_ARG(r->other->script), time_text(a, r->other->installed_at),
                            r->is_swapped ? "the two have changed places" : "it was renumbered");
    case STATE_OUT_OF_ORDER:
        return arena_printf(a,
                            "%.*s is pending but sorts before a migration that is already applied",
                            STR_ARG(name));
    case STATE_UNRECORDED:
        return arena_printf(a, "%.*s was applied, but its row was removed from the history",
                            STR_ARG(name));
    case STATE_OPAQUE:
        return arena_printf(a, "%.*s is written as code, which migrate cannot run", STR_ARG(name));
    case STATE_INCOMPLETE:
        if (r->row->units_done == 0)
            return arena_printf(a, "%.*s was cut off on %s: none of its steps is committed",
                                STR_ARG(name), time_text(a, r->row->installed_at));
        return arena_printf(
            a, "%.*s was cut off on %s: %lld of its steps %s committed, the rest is not",
            STR_ARG(name), time_text(a, r->row->installed_at), (long long)r->row->units_done,
            r->row->units_done == 1 ? "is" : "are");
    case STATE_ROLLING_BACK:
        return arena_printf(a, "the rollback of %.*s was cut off on %s: %lld of its steps %s left",
                            STR_ARG(name), time_text(a, r->row->installed_at),
                            (long long)r->row->units_done, r->row->units_done == 1 ? "is" : "are");
    case STATE_EXPANDED: /* who knows the policy says it: cmd/phases.c */
    case STATE_SWITCHED:
    case STATE_UNKNOWN:
    case STATE_APPLIED:
    case STATE_PENDING:
    case STATE_OUTDATED:
    case STATE_COVERED:
        break;
    }
    return "";
}

const char *reconciled_hint(const struct reconciled *r)
{
    switch (r->state) {
    case STATE_CHANGED:
        return "Put the file back as it was, and write what must change as a new migration.";
    case STATE_MISSING:
        if (is_gone_for_good(r))
            return "If it was deleted on purpose, nothing is to be done.";
        return "Put the file back (git log --diff-filter=D names the commit that removed it).";
    case STATE_RENUMBERED:
        return "Give the file its old name back; an applied migration keeps its version.";
    case STATE_OUT_OF_ORDER:
        return "Give it a version behind the last applied one, or run it where it is with "
               "--allow-out-of-order.";
    case STATE_UNRECORDED:
        return "Look at the database, then: migrate resolve VERSION --applied --reason \"…\" puts "
               "the row back, --not-applied lets it run again.";
    case STATE_OPAQUE:
        return "Apply what is before it with --to, run it with its own tool, then record it: "
               "migrate resolve VERSION --applied --reason \"…\". Or rewrite it as SQL.";
    case STATE_INCOMPLETE:
        return "`migrate apply` goes on where it was cut off; what failed may be corrected first.";
    case STATE_ROLLING_BACK:
        return "`migrate rollback VERSION` goes on where it was cut off.";
    case STATE_EXPANDED:
    case STATE_SWITCHED:
    case STATE_UNKNOWN:
    case STATE_APPLIED:
    case STATE_PENDING:
    case STATE_OUTDATED:
    case STATE_COVERED:
        break;
    }
    return "Look at `migrate status`.";
}

static bool stops_apply(const struct reconciled *r, bool allow_out_of_order)
{
    if (r->state == STATE_CHANGED)
        return r->change == CHANGE_SQL;
    if (r->state == STATE_OUT_OF_ORDER)
        return !allow_out_of_order;
    return reconciled_is_problem(r);
}

bool reconciliation_check(const struct reconciliation *r, bool allow_out_of_order, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    size_t more = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct reconciled *one = &r->at[i];
        if (!stops_apply(one, allow_out_of_order))
            continue;
        if (!fail_is_set(f)) {
            fail_set(f, EXIT_INTEGRITY, "%s", reconciled_sentence(a, one));
            fail_hint(f, "%s", reconciled_hint(one));
        } else if (++more <= 20) {
            fail_detail(f, "Also: %s.", reconciled_sentence(a, one));
        }
    }
    if (more > 20)
        fail_detail(f, "And %zu more: see `migrate status`.", more - 20);
    return !fail_is_set(f);
}
