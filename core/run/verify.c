/*
 * An event proves itself (its digest is over its content) and its predecessor (it holds that one's
 * digest); ids have no gaps. A row is proved by the latest event that wrote it: its detail holds the
 * rank and the digest of the row as it was then. What nothing inside the database can prove is that
 * the newest entries were not cut off: that takes a head digest kept elsewhere (--anchor).
 */
#include "core/run/verify.h"

#include "core/base/json.h"
#include "core/base/vec.h"

#define FINDINGS_MAX 1000

struct verification verification_start(struct arena *a, struct str anchor)
{
    return (struct verification){
        .arena = a,
        .next_id = 1,
        .anchor = anchor,
        .anchor_is_found = anchor.len == 0,
    };
}

static void find(struct verification *v, const char *format, ...) PRINTF_LIKE(2, 3);
static void find(struct verification *v, const char *format, ...)
{
    if (v->findings.count >= FINDINGS_MAX)
        return;
    va_list values;
    va_start(values, format);
    const char *text = arena_vprintf(v->arena, format, values);
    va_end(values);
    vec_push(v->arena, &v->findings, (struct finding){text});
}

static bool is_true(const struct json *object, const char *key)
{
    bool value;
    return json_bool_of(json_get(object, key), &value) && value;
}

static void add_claim(struct verification *v, const struct event *e, const struct json *from,
                      bool is_accepted)
{
    struct str row = json_str_of(json_get(from, "row"));
    int64_t rank;
    if ((!row.len && !is_true(from, "withdrawn")) || !json_i64_of(json_get(from, "rank"), &rank))
        return;
    struct row_claim claim = {
        .rank = rank,
        .event_id = e->id,
        .row_digest = arena_str(v->arena, row),
        .label = arena_str(v->arena, e->version),
        .is_final = str_equal(e->kind, STR(EVENT_APPLIED)) ||
                    str_equal(e->kind, STR(EVENT_CONTRACTED)) ||
                    str_equal(e->kind, STR(EVENT_ROLLED_BACK)),
        .is_rolled_back = str_equal(e->kind, STR(EVENT_ROLLED_BACK)),
        .is_down = json_str_of(json_get(from, "down")).len > 0,
        .is_resolution = str_equal(e->kind, STR(EVENT_RESOLVED)),
        .is_accepted = is_accepted,
    };
    vec_push(v->arena, &v->claims, claim);
}

/* A person took the record as it was: what was found so far is known and answered for, and the rows
   count as they then were. */
static void accept_findings(struct verification *v, const struct event *e,
                            const struct json *detail)
{
    const struct json *rows = json_get(detail, "rows");
    v->accepted += json_count(json_get(detail, "findings"));
    v->findings.count = 0;
    v->accepted_by = e->id;
    v->acceptance = arena_str(v->arena, json_str_of(json_get(detail, "reason")));
    for (size_t i = 0; i < json_count(rows); i++)
        add_claim(v, e, json_at(rows, i), true);
}

static void read_detail(struct verification *v, const struct event *e, bool is_sound)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    if (!e->detail.len)
        return;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("detail"), &ignored);
    if (is_true(detail, "accepts_record") && is_sound && str_equal(e->kind, STR(EVENT_RESOLVED)))
        accept_findings(v, e, detail);
    add_claim(v, e, detail, false);
    if (str_equal(e->kind, STR(EVENT_RUN_STARTED)))
        v->is_first_run = is_true(detail, "first");
    else if (str_equal(e->kind, STR(EVENT_RUN_FINISHED)))
        v->is_first_run &=
            !str_equal(json_str_of(json_get(detail, "exit")), str_of(exit_code_name(EXIT_DONE)));
}

bool verification_event(void *context, const struct event *e, struct fail *f)
{
    struct verification *v = context;
    (void)f;
    v->events++;
    if (e->id > v->next_id + 1)
        find(v, "events %lld to %lld are missing", (long long)v->next_id, (long long)e->id - 1);
    else if (e->id == v->next_id + 1)
        find(v, "event %lld is missing", (long long)v->next_id);
    else if (e->id < v->next_id)
        find(v, "event %lld is out of place", (long long)e->id);
    bool follows = e->id == v->next_id;
    struct digest d = event_digest(e);
    bool is_intact = str_equal(digest_str(&d), e->digest);
    if (!is_intact)
        find(v, "event %lld (%.*s %.*s) was edited: its digest does not match its content",
             (long long)e->id, STR_ARG(e->kind), STR_ARG(e->version));
    else if (follows && !str_equal(e->previous, digest_str(&v->previous)))
        find(v, "event %lld does not follow event %lld: one of them was replaced", (long long)e->id,
             (long long)e->id - 1);
    if (str_equal(e->digest, v->anchor))
        v->anchor_is_found = true;
    read_detail(v, e, is_intact && follows);
    v->next_id = e->id + 1;
    if (!digest_parse(e->digest, &v->previous))
        v->previous = (struct digest){0}; /* reported above */
    return true;
}

const struct row_claim *verification_claim(const struct verification *v, int64_t rank)
{
    size_t from = 0;
    size_t to = v->claims.count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (v->claims.at[middle].rank == rank)
            return &v->claims.at[middle];
        if (v->claims.at[middle].rank < rank)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static int compare_claims(const void *left, const void *right)
{
    const struct row_claim *a = left;
    const struct row_claim *b = right;
    int order = (a->rank > b->rank) - (a->rank < b->rank);
    return order ? order : (a->event_id > b->event_id) - (a->event_id < b->event_id);
}

/* A row that was complete is written again only by a person's resolution, or by its down file. Whatever
   else took its rank found the row gone. */
static void check_reuse(struct verification *v, const struct row_claim *before,
                        const struct row_claim *after)
{
    /* The loosest order: V1 that goes on as V01 is no other. */
    bool is_other = version_compare(VERSION_ORDER_DOTTED, before->label, after->label) != 0;
    bool is_way_back = after->is_down && !before->is_rolled_back && !is_other;
    if (after->is_resolution || is_way_back || !before->row_digest.len ||
        !(before->is_final || is_other) || after->event_id <= v->accepted_by)
        return;
    find(
        v,
        "history row %lld (version %.*s), which event %lld wrote, was removed: event %lld gave its "
        "place to version %.*s%s",
        (long long)before->rank, STR_ARG(before->label), (long long)before->event_id,
        (long long)after->event_id, STR_ARG(after->label), is_other ? "" : " once more");
}

/* Sorted by rank; of each rank the newest only. */
static void settle_claims(struct verification *v)
{
    size_t kept = 0;
    if (v->claims.count)
        qsort(v->claims.at, v->claims.count, sizeof(*v->claims.at), compare_claims);
    for (size_t i = 0; i < v->claims.count; i++) {
        if (kept && v->claims.at[kept - 1].rank == v->claims.at[i].rank)
            check_reuse(v, &v->claims.at[--kept], &v->claims.at[i]);
        v->claims.at[kept++] = v->claims.at[i];
    }
    v->claims.count = kept;
}

static void check_row(struct verification *v, const struct history_row *row)
{
    const struct row_claim *claim = verification_claim(v, row->rank);
    struct str label = history_row_label(row);
    if (!claim) {
        find(v,
             "no event speaks of history row %lld (version %.*s): it was added by hand, or events "
             "were removed",
             (long long)row->rank, STR_ARG(label));
        return;
    }
    v->claims.at[claim - v->claims.at].is_seen = true;
    if (!claim->row_digest.len) {
        find(v, "history row %lld (version %.*s) was added by hand: event %lld withdrew it",
             (long long)row->rank, STR_ARG(label), (long long)claim->event_id);
        return;
    }
    struct digest d = history_row_digest(row);
    if (!str_equal(digest_str(&d), claim->row_digest))
        find(v, "history row %lld (version %.*s) was edited: it is not what event %lld recorded",
             (long long)row->rank, STR_ARG(label), (long long)claim->event_id);
}

/* Ranks are given without gaps: a row that is gone together with its events leaves one. */
static void check_gap(struct verification *v, int64_t from, int64_t to)
{
    for (int64_t rank = from; rank < to && v->gaps.count < FINDINGS_MAX; rank++) {
        if (verification_claim(v, rank))
            continue;
        find(v, "history row %lld is missing, and so is every event that wrote it",
             (long long)rank);
        vec_push(v->arena, &v->gaps, rank);
    }
}

void verification_rows(struct verification *v, const struct history *h)
{
    settle_claims(v);
    int64_t expected = 1;
    for (size_t i = 0; i < h->count; i++) {
        check_row(v, &h->at[i]);
        const struct row_claim *claim = verification_claim(v, h->at[i].rank);
        if (!claim)
            continue;            /* added by hand, wherever it says it is */
        if (!claim->is_accepted) /* its place, too */
            check_gap(v, expected, h->at[i].rank);
        expected = h->at[i].rank + 1;
    }
    for (size_t i = 0; i < v->claims.count; i++) {
        const struct row_claim *claim = &v->claims.at[i];
        if (!claim->is_seen && claim->row_digest.len)
            find(v, "history row %lld (version %.*s) is missing: event %lld wrote it",
                 (long long)claim->rank, STR_ARG(claim->label), (long long)claim->event_id);
    }
    if (!v->anchor_is_found)
        find(v,
             "the anchor %.*s is not in the chain: entries were removed or rewritten since it was "
             "kept",
             STR_ARG(v->anchor));
}

const struct row_claim *verification_lost_row(const struct verification *v, struct str label)
{
    for (size_t i = 0; i < v->claims.count; i++) {
        const struct row_claim *claim = &v->claims.at[i];
        if (!claim->is_seen && claim->row_digest.len && str_equal(claim->label, label))
            return claim;
    }
    return NULL;
}

/* A run that goes on meanwhile adds events, and rows that were not read: up to the head that was read
   with the rows, both are of one moment. */
struct up_to_head {
    struct verification *verification;
    int64_t head_id;
};

static bool event_up_to_head(void *context, const struct event *e, struct fail *f)
{
    struct up_to_head *up_to = context;
    return e->id > up_to->head_id || verification_event(up_to->verification, e, f);
}

bool verification_run(struct arena *a, const struct driver *driver, struct connection *c,
                      const struct history *h, struct str anchor, struct verification *out,
                      struct fail *f)
{
    *out = verification_start(a, anchor);
    struct up_to_head up_to = {out, h->head_id};
    if (h->exists && !driver->read_events(c, 1, (struct str){0}, event_up_to_head, &up_to, f))
        return false;
    verification_rows(out, h);
    return true;
}

/* More of them than anybody reads at once. */
#define FINDINGS_SHOWN 10

bool verification_check(const struct verification *v, struct fail *f)
{
    size_t count = v->findings.count;
    if (!count)
        return true;
    fail_set(f, EXIT_INTEGRITY, "the history is not whole: %s", v->findings.at[0].text);
    for (size_t i = 1; i < count && i < FINDINGS_SHOWN; i++)
        fail_detail(f, "Also: %s.", v->findings.at[i].text);
    if (count > FINDINGS_SHOWN)
        fail_detail(f, "And %zu more: see `migrate history --verify`.", count - FINDINGS_SHOWN);
    return fail_hint(f, "Find out who changed it. A row that was removed is settled with `migrate "
                        "resolve VERSION`, anything else is accepted as it is with `migrate "
                        "resolve --record`; both keep your reason.");
}

void verification_mark(const struct verification *v, struct reconciliation *r)
{
    for (size_t i = 0; v->claims.count && i < r->count; i++) {
        struct reconciled *one = &r->at[i];
        if (one->row || !one->migration ||
            !verification_lost_row(v, migration_label(one->migration)))
            continue;
        r->pending -= reconciled_is_pending(one);
        r->problems += !reconciled_is_problem(one);
        one->state = STATE_UNRECORDED;
    }
}
