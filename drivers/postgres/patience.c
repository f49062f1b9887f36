/*
 * Statements that wait for others by nature: CREATE INDEX CONCURRENTLY and its like wait for every
 * transaction that has used the table, and for every old snapshot of the database. A lock_timeout would end
 * them half-way and leave an invalid index, so they have none. Nobody queues behind them, but they may wait
 * for ever: once a second the second connection of blockers.c looks whom they wait for, and whether anything
 * moves.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "sql.h"

#define LOOK_MS 1000
/* When it is first told; each time after that when it has waited twice as long. */
#define FIRST_US 3000000

void pgdrv_wait_patiently(struct connection *c, const struct patience *patience)
{
    c->patience.of = *patience;
}

bool pgdrv_patience_begin(struct connection *c, const struct statement *s)
{
    if (c->in_unit || !c->patience.of.tell || !pgdrv_waits_for_others(s))
        return false;
    pgdrv_watch_begin(c);
    c->watch.look_ms = LOOK_MS;
    c->patience.is_on = true;
    c->patience.has_given_up = false;
    c->patience.since_us = 0;
    c->patience.seen[0] = '\0';
    return true;
}

/* What must change for it to be getting on: its own progress, or those it waits for. */
static void describe(const PGresult *blockers, const PGresult *progress, struct buf *out)
{
    if (PQntuples(progress))
        buf_add_str(out, pgdrv_value(progress, 0, 1));
    for (int row = 0; row < PQntuples(blockers); row++)
        buf_printf(out, " %.*s", STR_ARG(pgdrv_value(blockers, row, 0)));
}

static void note(struct connection *c, const PGresult *blockers, const PGresult *progress)
{
    SCOPED(buf) struct buf seen = {0};
    int64_t now_us = clock_monotonic_us();

    describe(blockers, progress, &seen);
    if (!c->patience.since_us ||
        strncmp(c->patience.seen, buf_cstr(&seen), sizeof(c->patience.seen) - 1) != 0) {
        (void)snprintf(c->patience.seen, sizeof(c->patience.seen), "%s", buf_cstr(&seen));
        c->patience.since_us = now_us;
        c->patience.tell_us = FIRST_US;
    }
    arena_release(c->watch.arena);
    c->watch.arena = arena_make();
    pgdrv_blockers_take(c->watch.arena, blockers, &c->watch.seen);
    if (PQntuples(progress))
        c->watch.seen.phase = arena_cstr(c->watch.arena, pgdrv_value(progress, 0, 0));
    c->watch.has_seen = true;
}

void pgdrv_patience_look(struct connection *c)
{
    SCOPED(pg_result) PGresult *waits = pgdrv_watch_ask(c, sql_postgres_blockers_waits);

    if (!waits)
        return;
    if (PQntuples(waits) == 0 || !str_equal(pgdrv_value(waits, 0, 0), STR("t"))) {
        c->patience.since_us = 0;
        return;
    }
    SCOPED(pg_result) PGresult *blockers = pgdrv_watch_ask(c, sql_postgres_blockers_read);
    SCOPED(pg_result) PGresult *progress = pgdrv_watch_ask(c, sql_postgres_progress_read);
    if (!blockers || !progress || PQntuples(blockers) == 0)
        return;
    note(c, blockers, progress);
    int64_t waited_us = clock_monotonic_us() - c->patience.since_us;
    if (c->patience.of.limit_ms && waited_us >= c->patience.of.limit_ms * (int64_t)1000) {
        c->patience.has_given_up = true;
        c->patience.waited_us = waited_us;
        pgdrv_cancel(c);
    } else if (waited_us >= c->patience.tell_us) {
        c->patience.tell_us *= 2;
        c->patience.of.tell(c->patience.of.context, &c->watch.seen, waited_us);
    }
}

void pgdrv_patience_end(struct connection *c, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();

    c->patience.is_on = false;
    c->patience.of = (struct patience){0};
    if (!c->patience.has_given_up || f->kind != FAIL_CANCELLED)
        return;
    fail_clear(f);
    (void)fail_set(f, EXIT_BUSY, "gave up waiting for others after %s in which nothing moved",
                   clock_duration_text(a, c->patience.waited_us));
    (void)fail_kind_set(f, FAIL_LOCK_TIMEOUT);
    (void)snprintf(f->sqlstate, sizeof(f->sqlstate), "57014");
}
