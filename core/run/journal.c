/* The chain of events: see journal.h and docs/history-format.md. */
#include "core/run/journal.h"

#include "core/base/clock.h"

struct journal journal_start(const struct run_identity *identity, const struct history *h)
{
    struct journal j = {.identity = *identity, .plan_digest = "", .next_id = h->head_id + 1};
    for (size_t i = 0; i < h->count; i++) {
        if (h->at[i].rank > j.next_rank)
            j.next_rank = h->at[i].rank;
    }
    j.next_rank++;
    if (h->head_digest.len == DIGEST_HEX_LEN)
        memcpy(j.head.hex, h->head_digest.at, DIGEST_HEX_LEN);
    return j;
}

struct str journal_now(struct arena *a, const struct journal *j)
{
    return str_of(clock_iso(a, clock_wall_us() + j->identity.clock_offset_us));
}

struct event journal_event(struct arena *a, const struct journal *j, const char *kind,
                           struct str label)
{
    const struct run_identity *who = &j->identity;
    return (struct event){
        .run = str_of(who->run),
        .at = journal_now(a, j),
        .kind = str_of(kind),
        .version = label,
        .actor = str_of(who->actor),
        .db_role = str_of(who->db_role),
        .host = str_of(who->host),
        .git_commit = str_of(who->git_commit),
        .git_author = str_of(who->git_author),
        .plan_digest = str_of(j->plan_digest),
        .lock_wait_us = -1,
        .rows = -1,
    };
}

void journal_link(struct arena *a, const struct journal *j, struct event *events, size_t count)
{
    struct str previous = digest_str(&j->head);
    for (size_t i = 0; i < count; i++) {
        events[i].id = j->next_id + (int64_t)i;
        events[i].previous = arena_str(a, previous);
        struct digest d = event_digest(&events[i]);
        events[i].digest = arena_str(a, digest_str(&d));
        previous = events[i].digest;
    }
}

void journal_committed(struct journal *j, const struct event *events, size_t count)
{
    if (count == 0)
        return;
    j->next_id += (int64_t)count;
    if (!digest_parse(events[count - 1].digest, &j->head))
        BUG("an event without a digest was committed");
}

struct history_row journal_row(struct arena *a, const struct journal *j, const struct migration *m,
                               const struct checksums *checksums)
{
    const char *tree = "";
    if (checksums->tree_kind && digest_is_set(&checksums->tree))
        tree = arena_printf(a, "%s:%s", checksums->tree_kind, checksums->tree.hex);
    return (struct history_row){
        .rank = j->next_rank,
        .version = m->version,
        .description = m->description,
        .kind = str_of(migration_kind_name(m->kind)),
        .layout = str_of(layout_name(m->layout)),
        .script = m->script,
        .state = STR("applied"),
        .digest_raw = digest_str(&checksums->raw),
        .digest_normalized = digest_str(&checksums->normalized),
        .digest_tree = str_of(tree),
        .installed_by = str_of(j->identity.db_role),
        .installed_at = journal_now(a, j),
        .run = str_of(j->identity.run),
    };
}

void journal_row_claim(struct json *detail, const struct history_row *row)
{
    struct digest d = history_row_digest(row);
    json_set_i64(detail, "rank", row->rank);
    json_set_str(detail, "row", digest_str(&d));
}
