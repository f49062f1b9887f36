/*
 * Statements that stand for the application's: EXPLAIN takes the locks of the statement itself on the table
 * and its indexes (parse analysis and planner: src/backend/commands/explain.c), and neither reads nor
 * writes a row. One connection for each table and class, so that one that waits holds up no other.
 */
#include "drivers/postgres/rehearsal.h"

#include "core/base/clock.h"
#include "core/base/vec.h"

#include <pthread.h>

#define APPLICATION "migrate rehearse"
/* Pause between two statements of a connection. */
#define PAUSE_MS 5
/* What takes longer than this has waited: planning takes a millisecond or two. */
#define WAITED_US 8000
#define TABLES_MAX 16

struct probe_thread {
    struct pgdrv_probes *all;
    enum traffic class;
    struct str relation;
    const char *sql;
    PGconn *pg;
    pthread_t thread;
    bool has_thread;
    struct arena *arena;
    struct {
        struct seen_wait *at;
        size_t count, room;
    } waits;
    int64_t probes;
    bool has_ended; /* its connection broke: nobody has looked since */
};

struct pgdrv_probes {
    struct probe_thread *at;
    size_t count;
    int64_t unprobed;
    atomic_bool is_over;
};

static const char *probe_sql(struct arena *a, enum traffic class, struct str table)
{
    switch (class) {
    case TRAFFIC_READ:
        return arena_printf(a, "EXPLAIN SELECT * FROM %.*s", STR_ARG(table));
    case TRAFFIC_WRITE:
        return arena_printf(a, "EXPLAIN DELETE FROM %.*s", STR_ARG(table));
    case TRAFFIC_KEY_SHARE:
        return arena_printf(a, "EXPLAIN SELECT 1 FROM %.*s FOR KEY SHARE", STR_ARG(table));
    }
    BUG("a class of traffic that is not in the list");
}

static void *probe(void *context)
{
    struct probe_thread *t = context;
    while (!atomic_load(&t->all->is_over) && PQstatus(t->pg) == CONNECTION_OK) {
        int64_t from_us = clock_monotonic_us();
        /* A table that is renamed or dropped answers with an error, at once: nobody waits there. */
        PQclear(PQexec(t->pg, t->sql));
        int64_t to_us = clock_monotonic_us();
        t->probes++;
        if (to_us - from_us > WAITED_US) {
            struct seen_wait wait = {
                .relation = t->relation, .class = t->class, .from_us = from_us, .to_us = to_us};
            vec_push(t->arena, &t->waits, wait);
        }
        clock_sleep_ms(PAUSE_MS);
    }
    t->has_ended = !atomic_load(&t->all->is_over);
    return NULL;
}

static bool start_one(struct arena *a, struct probe_thread *t, const struct pgdrv_place *place,
                      struct fail *f)
{
    t->sql = probe_sql(a, t->class, t->relation);
    t->arena = arena_make();
    t->pg = pgdrv_place_connect(place, APPLICATION, f);
    if (!t->pg)
        return fail_hint(f,
                         "A rehearsal has a connection for each table and class of statements: "
                         "let max_connections of the copy's server be above %d.",
                         TABLES_MAX * TRAFFIC_COUNT);
    /* One that is refused would never wait. */
    PGresult *first = pgdrv_place_ask(t->pg, t->sql, f);
    PQclear(first);
    if (!first)
        return fail_wrap(f, "while \"%s\" stood for the application's", t->sql);
    if (pthread_create(&t->thread, NULL, probe, t) != 0)
        return fail_set(f, EXIT_FAILED, "cannot start a thread");
    t->has_thread = true;
    return true;
}

struct pgdrv_probes *pgdrv_probes_start(struct arena *a, const struct pgdrv_place *place,
                                        const struct observe_request *r, struct fail *f)
{
    struct pgdrv_probes *p = arena_new(a, struct pgdrv_probes);
    size_t tables = r->table_count < TABLES_MAX ? r->table_count : TABLES_MAX;
    p->at = arena_array(a, struct probe_thread, tables * TRAFFIC_COUNT + 1);
    p->unprobed = (int64_t)(r->table_count - tables);
    for (size_t i = 0; i < tables * TRAFFIC_COUNT; i++) {
        struct probe_thread *t = &p->at[p->count++];
        t->all = p;
        t->class = (enum traffic)(i % TRAFFIC_COUNT);
        t->relation = r->tables[i / TRAFFIC_COUNT];
        if (!start_one(a, t, place, f)) {
            pgdrv_probes_end(a, p, NULL);
            return NULL;
        }
    }
    return p;
}

static void cancel_all(const struct pgdrv_probes *p)
{
    for (size_t i = 0; i < p->count; i++) {
        char words[256];
        PGcancel *cancel = p->at[i].pg ? PQgetCancel(p->at[i].pg) : NULL;
        if (cancel)
            (void)PQcancel(cancel, words, sizeof(words));
        PQfreeCancel(cancel);
    }
}

void pgdrv_probes_end(struct arena *a, struct pgdrv_probes *p, struct observed *out)
{
    atomic_store(&p->is_over, true);
    cancel_all(p);
    for (size_t i = 0; i < p->count; i++) {
        struct probe_thread *t = &p->at[i];
        if (t->has_thread)
            (void)pthread_join(t->thread, NULL);
        for (size_t k = 0; out && k < t->waits.count; k++)
            vec_push(a, &out->waits, t->waits.at[k]);
        if (out) {
            out->probes += t->probes;
            out->blind_probes += t->has_ended;
        }
        PQfinish(t->pg);
        arena_release(t->arena);
    }
    if (out)
        out->unprobed = p->unprobed;
}
