/*
 * What a plan does to a copy, seen from other connections: a thread looks at the locks of its sessions all
 * the time, and between two steps the sizes and files of the tables are read. Statements in place of the
 * application's: observe_probes.c.
 */
#include "drivers/postgres/rehearsal.h"

#include "core/base/clock.h"
#include "core/base/vec.h"
#include "sql.h"

#include <pthread.h>

#define LOOK_MS 3
#define CLOCK_TRIES 10
#define APPLICATION "migrate rehearse"

/* A lock as the looks go on; the newest are at the end. */
struct open_lock {
    struct seen_lock lock;
    bool is_held; /* in the newest look */
};

struct observer {
    struct arena *arena;
    const char *application_name;
    const char *oids; /* "{1,2}": what was there before */
    PGconn *locks, *states;
    struct pgdrv_probes *probes;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_over;
    /* Of the thread, until it has ended. */
    struct {
        struct open_lock *at;
        size_t count, room;
    } seen;
    int64_t longest_look_us;
    int64_t clock_ahead_us; /* the server's clock minus our monotonic one */
};

static struct open_lock *find_held(struct observer *o, struct str relation, enum lock_mode mode,
                                   int64_t transaction_us)
{
    for (size_t i = o->seen.count; i-- > 0;) {
        struct open_lock *l = &o->seen.at[i];
        if (l->is_held && l->lock.mode == mode && l->lock.transaction_us == transaction_us &&
            str_equal(l->lock.relation, relation))
            return l;
    }
    return NULL;
}

/* asked_us, answered_us: what the server saw is of some time between them. */
static void note_locks(struct observer *o, const PGresult *r, int64_t asked_us, int64_t answered_us)
{
    for (int row = 0; row < PQntuples(r); row++) {
        enum lock_mode mode = lock_mode_of_name(pgdrv_value(r, row, 1));
        int64_t transaction_us = pgdrv_value_i64(r, row, 2) - o->clock_ahead_us;
        struct open_lock *held = find_held(o, pgdrv_value(r, row, 0), mode, transaction_us);
        if (held) {
            held->lock.to_us = answered_us;
            continue;
        }
        struct open_lock one = {
            .lock = {.relation = arena_str(o->arena, pgdrv_value(r, row, 0)),
                     .mode = mode,
                     .transaction_us = transaction_us,
                     .from_us = asked_us,
                     .to_us = answered_us},
            .is_held = true,
        };
        vec_push(o->arena, &o->seen, one);
    }
    for (size_t i = 0; i < o->seen.count; i++)
        o->seen.at[i].is_held = o->seen.at[i].is_held && o->seen.at[i].lock.to_us == answered_us;
}

static void *look_on(void *context)
{
    struct observer *o = context;
    const char *values[] = {o->application_name, o->oids};
    static const Oid types[] = {OID_TEXT, 0};
    int64_t last_us = clock_monotonic_us();
    while (!atomic_load(&o->is_over)) {
        int64_t asked_us = clock_monotonic_us();
        if (!PQsendQueryParams(o->locks, sql_postgres_observe_locks, 2, types, values, NULL, NULL,
                               0))
            break;
        PGresult *r = PQgetResult(o->locks);
        int64_t answered_us = clock_monotonic_us();
        bool is_seen = PQresultStatus(r) == PGRES_TUPLES_OK;
        if (is_seen)
            note_locks(o, r, asked_us, answered_us);
        PQclear(r);
        while ((r = PQgetResult(o->locks)))
            PQclear(r);
        if (!is_seen)
            break;
        int64_t gap_us = answered_us - last_us;
        o->longest_look_us = gap_us > o->longest_look_us ? gap_us : o->longest_look_us;
        last_us = answered_us;
        clock_sleep_ms(LOOK_MS);
    }
    /* Whoever broke off early has not looked since. */
    int64_t gap_us = clock_monotonic_us() - last_us;
    o->longest_look_us = gap_us > o->longest_look_us ? gap_us : o->longest_look_us;
    return NULL;
}

/* The server's clock against ours, of some questions the one that was answered most quickly. Taken as read
   when the answer came: a transaction so begins a moment later than it did, never before its step. */
static bool read_clock(struct observer *o, struct fail *f)
{
    int64_t quickest_us = INT64_MAX;
    for (int i = 0; i < CLOCK_TRIES; i++) {
        int64_t asked_us = clock_monotonic_us();
        SCOPED(pg_result) PGresult *r = pgdrv_place_ask(o->states, sql_postgres_observe_clock, f);
        int64_t answered_us = clock_monotonic_us();
        if (!r)
            return false;
        if (answered_us - asked_us >= quickest_us)
            continue;
        quickest_us = answered_us - asked_us;
        o->clock_ahead_us = pgdrv_value_i64(r, 0, 0) - answered_us;
    }
    return true;
}

static bool begin_looking(struct observer *o, const struct pgdrv_place *place, struct fail *f)
{
    o->locks = pgdrv_place_connect(place, APPLICATION, f);
    o->states = o->locks ? pgdrv_place_connect(place, APPLICATION, f) : NULL;
    SCOPED(pg_result)
    PGresult *oids =
        o->states ? pgdrv_place_ask(o->states, sql_postgres_observe_relations, f) : NULL;
    if (!oids)
        return false;
    if (!read_clock(o, f))
        return false;
    o->oids = PQgetisnull(oids, 0, 0) ? "{}" : arena_cstr(o->arena, pgdrv_value(oids, 0, 0));
    if (pthread_create(&o->thread, NULL, look_on, o) != 0)
        return fail_set(f, EXIT_FAILED, "cannot start a thread");
    o->has_thread = true;
    return true;
}

struct observer *pgdrv_observe(struct arena *a, const struct observe_request *r, struct fail *f)
{
    struct observer *o = arena_new(a, struct observer);
    struct pgdrv_place place;
    o->arena = arena_make();
    o->application_name = r->application_name;
    bool is_looking = pgdrv_place_of_url(a, r->url, NULL, &place, f) &&
                      begin_looking(o, &place, f) &&
                      (o->probes = pgdrv_probes_start(a, &place, r, f));
    if (is_looking)
        return o;
    pgdrv_observe_end(a, o, NULL);
    return NULL;
}

bool pgdrv_look(struct arena *a, struct observer *o, struct seen_state *out, struct fail *f)
{
    const char *values[] = {o->oids};
    static const Oid types[] = {0};
    *out = (struct seen_state){0};
    SCOPED(pg_result) PGresult *state = pgdrv_place_ask(o->states, sql_postgres_observe_state, f);
    if (!state)
        return false;
    out->wal = pgdrv_value_i64(state, 0, 0);
    out->temporary_bytes = pgdrv_value_i64(state, 0, 1);
    if (!PQsendQueryParams(o->states, sql_postgres_observe_tables, 1, types, values, NULL, NULL, 0))
        return fail_set(f, EXIT_FAILED, "the copy cannot be looked at: %s",
                        PQerrorMessage(o->states));
    SCOPED(pg_result) PGresult *tables = PQgetResult(o->states);
    for (PGresult *more; (more = PQgetResult(o->states));)
        PQclear(more);
    if (PQresultStatus(tables) != PGRES_TUPLES_OK)
        return fail_set(f, EXIT_FAILED, "the copy cannot be looked at: %s",
                        PQerrorMessage(o->states));
    for (int row = 0; row < PQntuples(tables); row++) {
        struct seen_table one = {.relation = arena_str(a, pgdrv_value(tables, row, 0)),
                                 .file = pgdrv_value_i64(tables, row, 1),
                                 .bytes = pgdrv_value_i64(tables, row, 2),
                                 .id = pgdrv_value_i64(tables, row, 3)};
        vec_push(a, &out->tables, one);
    }
    return true;
}

void pgdrv_observe_end(struct arena *a, struct observer *o, struct observed *out)
{
    atomic_store(&o->is_over, true);
    if (o->has_thread)
        (void)pthread_join(o->thread, NULL);
    if (out)
        out->longest_look_us = o->longest_look_us;
    for (size_t i = 0; out && i < o->seen.count; i++) {
        struct seen_lock one = o->seen.at[i].lock;
        one.relation = arena_str(a, one.relation);
        vec_push(a, &out->locks, one);
    }
    if (o->probes)
        pgdrv_probes_end(a, o->probes, out);
    PQfinish(o->locks);
    PQfinish(o->states);
    arena_release(o->arena);
}
