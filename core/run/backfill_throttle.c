/*
 * Before each batch: does anybody suffer? What cannot be measured counts as suffering, and a role that
 * may not look at the standbys is refused rather than let loose.
 */
#include "core/run/backfill.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 60000
/* Recipes 1.6: a standby so far behind takes long to catch up, whatever the time says. */
#define BEHIND_MAX_BYTES ((int64_t)512 << 20)
/* Segments that wait for the archive: what GitLab takes for red. */
#define UNARCHIVED_MAX_SEGMENTS 42
/* SQLite: until its readers end, the WAL of a database grows by all that is written. */
#define HELD_WAL_MAX_BYTES ((int64_t)256 << 20)

/* Keeps what is needed to tell how long ago a position was written: half of the samples go when all
   are there, the older ones lying further apart. */
static void take_sample(struct throttle *t, int64_t wal, int64_t now_us)
{
    if (t->count && t->samples[t->count - 1].wal == wal)
        return;
    if (t->count == LOAD_SAMPLES) {
        for (size_t i = 0; i < LOAD_SAMPLES / 2; i++)
            t->samples[i] = t->samples[2 * i];
        t->count = LOAD_SAMPLES / 2;
    }
    t->samples[t->count].wal = wal;
    t->samples[t->count++].at_us = now_us;
}

/* How long ago the first position was written that has not been replayed; 0: all of them have. */
static int64_t seen_lag_us(const struct throttle *t, int64_t replayed, int64_t now_us)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->samples[i].wal > replayed)
            return now_us - t->samples[i].at_us;
    }
    return 0;
}

static const char *judge_replica(struct arena *a, const struct throttle *t, const struct load *load,
                                 const struct replica *r, int64_t now_us)
{
    int64_t limit_us = t->limits->replica_lag_ms * 1000;
    int64_t lag_us = seen_lag_us(t, r->replayed, now_us);
    if (r->replayed < load->wal && r->lag_us > lag_us)
        lag_us = r->lag_us;
    if (lag_us > limit_us)
        return arena_printf(a, "replica %s is %s behind (backfill.max_replica_lag is %s)", r->name,
                            clock_duration_text(a, lag_us), clock_duration_text(a, limit_us));
    if (load->wal - r->replayed > BEHIND_MAX_BYTES)
        return arena_printf(a, "replica %s is %lld MB behind (limit 512 MB)", r->name,
                            (long long)((load->wal - r->replayed) >> 20));
    return NULL;
}

const char *throttle_judge(struct arena *a, struct throttle *t, const struct load *load,
                           int64_t now_us)
{
    const char *red = NULL;
    for (size_t i = 0; i < load->replicas.count && t->limits->replica_lag_ms && !red; i++)
        red = judge_replica(a, t, load, &load->replicas.at[i], now_us);
    take_sample(t, load->wal, now_us);
    if (red)
        return red;
    if (load->slot)
        return arena_printf(a,
                            "replication slot %s is about to lose the WAL that it needs "
                            "(max_slot_wal_keep_size)",
                            load->slot);
    if (load->segment_bytes && load->unarchived / load->segment_bytes > UNARCHIVED_MAX_SEGMENTS)
        return arena_printf(a, "%lld segments of WAL wait for the archive (limit %d)",
                            (long long)(load->unarchived / load->segment_bytes),
                            UNARCHIVED_MAX_SEGMENTS);
    if (load->held_wal > HELD_WAL_MAX_BYTES)
        return arena_printf(
            a, "readers keep %lld MB of the WAL from being written back (limit 256 MB)",
            (long long)(load->held_wal >> 20));
    if (load->is_vacuumed)
        return "the table is being vacuumed against wraparound";
    return NULL;
}

/* A role that sees nothing of a standby would never find it slow. */
static bool refuse_hidden(const struct throttle *t, const struct load *load, struct fail *f)
{
    size_t hidden = 0;
    for (size_t i = 0; i < load->replicas.count; i++)
        hidden += load->replicas.at[i].is_hidden;
    if (!hidden || !t->limits->replica_lag_ms)
        return true;
    fail_set(f, EXIT_FAILED, "this role may not see how far %zu replica%s behind", hidden,
             hidden == 1 ? " is" : "s are");
    fail_detail(
        f, "Batches pause while a replica is behind; what cannot be measured counts as behind.");
    return fail_hint(f, "GRANT pg_monitor TO this role; or, where nobody reads from replicas, "
                        "`backfill: { max_replica_lag: off }` in migrator.yml.");
}

static bool look(struct throttle *t, struct run_context *run, const struct online_range *range,
                 struct arena *a, const char **out, struct fail *f)
{
    struct load load;
    if (!run->driver->ranges->load(a, run->connection, range, &load, f))
        return fail_wrap(f, "while looking at the load");
    if (!refuse_hidden(t, &load, f))
        return false;
    *out = throttle_judge(a, t, &load, clock_monotonic_us());
    return true;
}

bool throttle_wait(struct throttle *t, struct run_context *run, struct str label,
                   const struct online_range *range, int64_t *paused_us, struct fail *f)
{
    int64_t started_us = clock_monotonic_us();
    bool was_red = false;
    for (;;) {
        SCOPED(arena) struct arena *a = arena_make();
        const char *red = NULL;
        if (!look(t, run, range, a, &red, f))
            return false;
        if (!red)
            break;
        was_red = true;
        t->pause_ms = t->pause_ms ? t->pause_ms : PAUSE_FIRST_MS;
        log_line(LOG_NOTE, "%.*s: paused: %s; looks again in %s", STR_ARG(label), red,
                 clock_duration_text(a, t->pause_ms * 1000));
        execution_pause(run, t->pause_ms);
        if (!execution_check_stop(run, f))
            return false;
        t->pause_ms = t->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : t->pause_ms * 2;
    }
    if (!was_red) {
        t->pause_ms = t->pause_ms / 2 < PAUSE_FIRST_MS ? 0 : t->pause_ms / 2;
        return true;
    }
    SCOPED(arena) struct arena *a = arena_make();
    int64_t took_us = clock_monotonic_us() - started_us;
    *paused_us += took_us;
    log_line(LOG_NOTE, "%.*s: goes on after %s", STR_ARG(label), clock_duration_text(a, took_us));
    return true;
}
