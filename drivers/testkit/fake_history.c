/* History rows and events in memory. */
#include "core/base/vec.h"
#include "drivers/testkit/fake_parts.h"

bool fake_read_history(struct arena *a, struct connection *c, struct history *out, struct fail *f)
{
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    *out = c->db->history;
    out->exists = c->db->has_history;
    out->at = arena_array(a, struct history_row, out->count + 1);
    for (size_t i = 0; i < out->count; i++)
        out->at[i] = c->db->history.at[i];
    return fake_finish(c, then_lost, f);
}

bool fake_read_events(struct connection *c, int64_t from_id, struct str version,
                      event_visitor *visit, void *context, struct fail *f)
{
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    for (size_t i = 0; i < c->db->events.count; i++) {
        const struct event *e = &c->db->events.at[i];
        bool is_wanted = e->id >= from_id && (!version.len || str_equal(e->version, version));
        if (is_wanted && !visit(context, e, f))
            return false;
    }
    return fake_finish(c, then_lost, f);
}

static struct history_row copy_row(struct arena *a, const struct history_row *row)
{
    struct history_row copy = *row;
    struct str *const texts[] = {
        &copy.version,     &copy.description,  &copy.kind,         &copy.layout,
        &copy.script,      &copy.state,        &copy.digest_raw,   &copy.digest_normalized,
        &copy.digest_tree, &copy.installed_by, &copy.installed_at, &copy.run,
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
    return copy;
}

static struct event copy_event(struct arena *a, const struct event *e)
{
    struct event copy = *e;
    struct str *const texts[] = {
        &copy.run,
        &copy.at,
        &copy.kind,
        &copy.version,
        &copy.actor,
        &copy.db_role,
        &copy.host,
        &copy.git_commit,
        &copy.git_author,
        &copy.plan_digest,
        &copy.evidence_digest,
        &copy.sql,
        &copy.sqlstate,
        &copy.detail,
        &copy.previous,
        &copy.digest,
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
    return copy;
}

static size_t find_rank(const struct history *h, int64_t rank)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->at[i].rank == rank)
            return i;
    }
    return SIZE_MAX;
}

bool fake_check_entries(struct connection *c, const struct journal_entries *entries, struct fail *f)
{
    const struct history *h = &c->db->history;
    for (size_t i = 0; i < entries->event_count; i++) {
        if (entries->events[i].id != h->head_id + 1 + (int64_t)i)
            return fake_refuse_moved(c, f);
    }
    if (entries->insert_row && find_rank(h, entries->insert_row->rank) != SIZE_MAX)
        return fake_refuse_moved(c, f);
    if (entries->update_row && find_rank(h, entries->update_row->rank) == SIZE_MAX)
        return fake_refuse(c, EXIT_FAILED, "no such row", "02000", FAIL_SERVER, f);
    return true;
}

void fake_store_entries(struct fake_database *db, const struct journal_entries *entries)
{
    struct history *h = &db->history;
    db->has_history = true;
    if (entries->insert_row)
        vec_push(db->arena, h, copy_row(db->arena, entries->insert_row));
    if (entries->update_row)
        h->at[find_rank(h, entries->update_row->rank)] = copy_row(db->arena, entries->update_row);
    for (size_t i = 0; i < entries->event_count; i++) {
        struct event e = copy_event(db->arena, &entries->events[i]);
        vec_push(db->arena, &db->events, e);
        h->head_id = e.id;
        h->head_digest = e.digest;
    }
}

bool fake_append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                 struct fail *f)
{
    (void)is_durable;
    bool then_lost;
    if (!fake_pass_connected(c, &then_lost, f) || !fake_check_entries(c, entries, f))
        return false;
    fake_store_entries(c->db, entries);
    return fake_finish(c, then_lost, f);
}
