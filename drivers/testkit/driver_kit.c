/* See driver_kit.h. */
#include "drivers/testkit/driver_kit.h"

#include "core/base/clock.h"
#include "drivers/testkit/fixture.h"

void kit_check(bool ok, const struct fail *f, const char *what)
{
    if (ok)
        return;
    fixture_die("%s failed: %s (%s)\n  detail: %s\n  hint: %s\n  context: %s", what,
                f->message ? f->message : "no reason", f->sqlstate, f->detail ? f->detail : "",
                f->hint ? f->hint : "", f->context ? f->context : "");
}

struct kit kit_open(const struct driver *driver, const char *url,
                    const struct connect_options *options)
{
    struct connect_options with_url = options ? *options : (struct connect_options){0};
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct kit k = {.driver = driver, .arena = arena_make(), .next_id = 1, .next_rank = 1};

    with_url.url = str_of(url);
    if (!with_url.application_name)
        with_url.application_name = "migrate run=12345678";
    if (!with_url.connect_timeout_ms)
        with_url.connect_timeout_ms = FIXTURE_PATIENCE_MS;
    k.connection = driver->open(k.arena, &with_url, &f);
    kit_check(k.connection != NULL, &f, "open");
    return k;
}

struct kit kit_open_run(const struct driver *driver, const char *url,
                        const struct connect_options *options)
{
    struct kit k = kit_open(driver, url, options);
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct history h;
    struct lock_holder holder;
    bool is_ours = false;

    KIT_OK(driver->check_session(k.connection, &f));
    /* The session of the test before may still be ending. */
    for (int i = 0; i < FIXTURE_PATIENCE_MS / 2 && !is_ours; i++) {
        KIT_OK(driver->try_lock(k.arena, k.connection, "12345678", &is_ours, &holder, &f));
        if (!is_ours)
            clock_sleep_ms(2);
    }
    kit_check(is_ours, &f, "try_lock");
    KIT_OK(driver->prepare_history(k.connection, &f));
    KIT_OK(driver->read_history(k.arena, k.connection, &h, &f));
    k.next_id = h.head_id + 1;
    k.next_rank = h.count ? h.at[h.count - 1].rank + 1 : 1;
    k.head = h.head_digest;
    return k;
}

void kit_close(struct kit *k)
{
    k->driver->close(k->connection);
    arena_release(k->arena);
    *k = (struct kit){0};
}

struct statement kit_statement(const char *sql)
{
    return (struct statement){
        .text = str_of(sql), .line = 1, .column = 1, .kind = "", .is_analysed = true};
}

struct statement kit_session_statement(const char *sql)
{
    struct statement s = kit_statement(sql);

    s.session = SESSION_SETS;
    return s;
}

bool kit_begin(struct kit *k, const struct statement *at, size_t count, struct fail *f)
{
    struct statement_result *results = arena_array(k->arena, struct statement_result, count + 1);
    struct unit_options options = {.expected_head_id = k->next_id - 1};

    k->done = 0;
    k->offset = SIZE_MAX;
    return k->driver->begin(k->connection, &options, f) &&
           k->driver->execute(k->connection, at, count, NULL, results, &k->done, &k->offset, f);
}

static struct event make_event(struct kit *k, const char *kind)
{
    const char *unique = arena_printf(k->arena, "%lld of %lld", (long long)k->next_id,
                                      (long long)clock_monotonic_us());
    struct digest d = digest_of(str_of(unique));

    return (struct event){
        .id = k->next_id,
        .run = STR("12345678"),
        .at = STR("2026-11-20T20:43:00.123456Z"),
        .kind = str_of(kind),
        .version = str_of(arena_printf(k->arena, "%lld", (long long)k->next_rank)),
        .lock_wait_us = -1,
        .rows = -1,
        .previous = k->head,
        .digest = arena_str(k->arena, digest_str(&d)),
    };
}

static struct history_row make_row(struct kit *k)
{
    return (struct history_row){
        .rank = k->next_rank,
        .version = str_of(arena_printf(k->arena, "%lld", (long long)k->next_rank)),
        .description = STR("a row of a test"),
        .kind = STR("versioned"),
        .layout = STR("plain"),
        .script = STR("1.sql"),
        .state = STR("applied"),
        .units_done = 1,
        .statements = 1,
        .installed_by = STR("tester"),
        .installed_at = STR("2026-11-20T20:43:00.000001Z"),
        .duration_us = 42,
        .run = STR("12345678"),
    };
}

bool kit_commit_own(struct kit *k, const char *own_commit, struct fail *f)
{
    struct event e = make_event(k, EVENT_APPLIED);
    struct history_row row = make_row(k);
    struct journal_entries entries = {.insert_row = &row, .events = &e, .event_count = 1};
    struct statement own = kit_statement(own_commit ? own_commit : "");

    if (!k->driver->commit(k->connection, &entries, own_commit ? &own : NULL, f))
        return false;
    k->next_id++;
    k->next_rank++;
    k->head = e.digest;
    return true;
}

bool kit_commit(struct kit *k, struct fail *f)
{
    return kit_commit_own(k, NULL, f);
}

static void note_committed(void *context)
{
    struct kit_ahead *ahead = context;

    assert(!ahead->is_committed);
    ahead->is_committed = true;
}

bool kit_commit_ahead(struct kit *k, struct kit_ahead *out, struct fail *f)
{
    *out = (struct kit_ahead){.event = make_event(k, EVENT_APPLIED), .row = make_row(k)};
    out->entries =
        (struct journal_entries){.insert_row = &out->row, .events = &out->event, .event_count = 1};
    k->next_id++;
    k->next_rank++;
    k->head = out->event.digest;
    return k->driver->commit_ahead(k->connection, &out->entries, note_committed, out, f);
}

bool kit_unit(struct kit *k, const char *sql, struct fail *f)
{
    struct statement s = kit_statement(sql);
    SCOPED(fail) struct fail second = FAIL_NONE;

    if (kit_begin(k, &s, 1, f) && kit_commit(k, f))
        return true;
    kit_check(k->driver->rollback(k->connection, &second), &second, "rollback");
    return false;
}

bool kit_alone(struct kit *k, const struct statement *s, struct fail *f)
{
    struct statement_result result;

    return k->driver->execute(k->connection, s, 1, NULL, &result, &k->done, &k->offset, f);
}

bool kit_append(struct kit *k, bool is_durable, struct fail *f)
{
    struct event e = make_event(k, EVENT_STARTED);
    struct journal_entries entries = {.events = &e, .event_count = 1};

    if (!k->driver->append(k->connection, &entries, is_durable, f))
        return false;
    k->next_id++;
    k->head = e.digest;
    return true;
}
