/*
 * migrate resolve --record: a person answers for a history that somebody changed. The event holds the
 * reason, what was found, and the digest of every row that no longer was what the events say, so that
 * from here on the record proves itself again. Nothing is repaired, nothing forgotten.
 */
#include "cmd/resolve.h"
#include "cmd/terminal.h"
#include "core/base/json.h"
#include "core/base/log.h"

static void push_withdrawn(struct json *rows, int64_t rank)
{
    struct json *one = json_make_object();
    json_set_i64(one, "rank", rank);
    json_set_bool(one, "withdrawn", true);
    json_push(rows, one);
}

/* The rows that the events do not prove; those that are gone count as withdrawn. */
static struct json *settled_rows(const struct session *s, const struct verification *v)
{
    struct json *rows = json_make_array();
    for (size_t i = 0; i < s->history.count; i++) {
        const struct history_row *row = &s->history.at[i];
        const struct row_claim *claim = verification_claim(v, row->rank);
        struct digest d = history_row_digest(row);
        if (claim && str_equal(claim->row_digest, digest_str(&d)))
            continue;
        struct json *one = json_make_object();
        journal_row_claim(one, row);
        json_push(rows, one);
    }
    for (size_t i = 0; i < v->claims.count; i++) {
        const struct row_claim *claim = &v->claims.at[i];
        if (!claim->is_seen && claim->row_digest.len)
            push_withdrawn(rows, claim->rank);
    }
    for (size_t i = 0; i < v->gaps.count; i++)
        push_withdrawn(rows, v->gaps.at[i]);
    return rows;
}

static bool refuse_unrecorded(const struct reconciliation *r, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].state != STATE_UNRECORDED)
            continue;
        struct str label = migration_label(r->at[i].migration);
        fail_set(f, EXIT_INTEGRITY, "%s", reconciled_sentence(a, &r->at[i]));
        return fail_hint(f,
                         "Say first whether it happened: migrate resolve %.*s --applied (or "
                         "--not-applied) --reason \"…\".",
                         STR_ARG(label));
    }
    return true;
}

/* Rows that somebody changed and that no longer fit their files: accepted, they would stop every apply. */
static void warn_of_misfits(const struct reconciliation *r, const struct verification *v)
{
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < r->count; i++) {
        const struct reconciled *one = &r->at[i];
        const struct history_row *row = one->row ? one->row : one->other;
        const struct row_claim *claim = row ? verification_claim(v, row->rank) : NULL;
        struct digest d = row ? history_row_digest(row) : (struct digest){0};
        bool is_changed = row && !(claim && str_equal(claim->row_digest, digest_str(&d)));
        if (!is_changed || !one->migration || one->state == STATE_APPLIED)
            continue;
        struct str label = migration_label(one->migration);
        log_line(LOG_WARN,
                 "%s; say whether it was applied: migrate resolve %.*s --applied (or "
                 "--not-applied) --reason \"…\"",
                 reconciled_sentence(a, one), STR_ARG(label));
    }
}

/* Where rows and events are gone nobody knows any more what was applied. */
static void warn_of_pending(const struct reconciliation *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!reconciled_is_pending(&r->at[i]) || r->at[i].row)
            continue;
        struct str label = migration_label(r->at[i].migration);
        log_line(
            LOG_WARN,
            "%.*s counts as not applied from here on; if it was, say so before the next apply: "
            "migrate resolve %.*s --applied --reason \"…\"",
            STR_ARG(label), STR_ARG(label));
    }
}

bool resolve_record(struct session *s, const struct reconciliation *r, const struct verification *v,
                    struct fail *f)
{
    size_t count = v->findings.count;
    if (!count) {
        puts("nothing to accept: the history is whole");
        return true;
    }
    if (!refuse_unrecorded(r, f))
        return false;
    struct run_identity who = session_identity(s);
    struct journal journal = journal_start(&who, &s->history);
    struct event e = journal_event(s->arena, &journal, EVENT_RESOLVED, (struct str){0});
    SCOPED(json) struct json *detail = json_make_object();
    struct json *findings = json_make_array();
    for (size_t i = 0; i < count; i++) {
        terminal_print("%s\n", v->findings.at[i].text);
        json_push_str(findings, str_of(v->findings.at[i].text));
    }
    json_set_cstr(detail, "reason", s->options->reason);
    json_set_bool(detail, "accepts_record", true);
    json_set(detail, "findings", findings);
    json_set(detail, "rows", settled_rows(s, v));
    e.detail = json_line(s->arena, detail);
    if (!resolution_write(s, &journal, &e, NULL, NULL, f))
        return false;
    warn_of_misfits(r, v);
    warn_of_pending(r);
    printf("accepted: %zu finding%s, as event %lld\n", count, count == 1 ? "" : "s",
           (long long)e.id);
    return true;
}
