/*
 * Steps that are run range by range, each committed by itself with a checkpoint: backfill.c runs batches,
 * backfill_verify.c looks for rows that must not be, backfill_servo.c decides how large a batch is,
 * backfill_throttle.c when there may be one. Private to core/run, but for struct backfill_progress.
 *
 * A run that is cut off loses the batch that was under way, nothing else: the next one goes on behind the
 * checkpoint. Where statement or table are others than those it speaks of, the step begins anew, which is
 * harmless: what it has done already no longer fulfils its WHERE clause.
 */
#ifndef CORE_RUN_BACKFILL_H
#define CORE_RUN_BACKFILL_H

#include "core/run/unit.h"

/* ---- backfill_servo.c: so many rows as fit into a time ---- */

struct servo {
    int64_t size; /* of the next batch: rows, or pages */
    int64_t floor, cap;
    int64_t target_us;
    double each_us; /* of a row, smoothed; 0: nothing measured */
};
/* size: of the last run; 0: none. */
struct servo servo_start(bool is_by_pages, int64_t target_ms, int64_t size);
/* A batch of servo.size took so long. */
void servo_note(struct servo *s, int64_t took_us);
/* A batch met a lock, or took too long. */
void servo_shrink(struct servo *s);

/* ---- backfill_throttle.c: not while others suffer ---- */

#define LOAD_SAMPLES 64

struct throttle {
    const struct backfill_limits *limits;
    /* Positions of the WAL, and when they were seen: a standby that has not replayed one is behind at least
       since then. The server's own figure says nothing of one whose replay stands still. */
    struct {
        int64_t wal, at_us;
    } samples[LOAD_SAMPLES];
    size_t count;
    int64_t pause_ms; /* the next one */
};
/* What is red, as a clause in the arena ("replica b is 6.1 s behind"); NULL: nothing. now_us: monotonic. */
const char *throttle_judge(struct arena *a, struct throttle *t, const struct load *load,
                           int64_t now_us);
/* Waits until nothing is red; *paused_us grows by what that took. Fails where the load cannot be
   measured, or on a signal. */
bool throttle_wait(struct throttle *t, struct run_context *run, struct str label,
                   const struct online_range *range, int64_t *paused_us, struct fail *f) MUST_CHECK;

/* ---- backfill_verify.c ---- */

bool unit_run_verification(struct execution *x, uint32_t number, const struct statement *s,
                           struct fail *f) MUST_CHECK;

/* ---- backfill.c, for backfill_verify.c ---- */

/* A failure of a range that smaller ones, or another try, may not meet again. took_us: of it. */
bool backfill_may_try_again(struct execution *x, struct servo *servo, int64_t *tries,
                            int64_t took_us, struct fail *f) MUST_CHECK;
/* "id, part" of a range; "" : pages. In the arena. */
struct str backfill_key_text(struct arena *a, const struct online_range *range);
/* The step as a failure shows it: in its place in the file. */
void backfill_locate(const struct execution *x, const struct statement *s, size_t offset,
                     struct fail *f);
/* The unit is done: "step done" or "applied", with the row; the checkpoint goes. */
bool backfill_finish(struct execution *x, const struct backfill_point *point, struct fail *f)
    MUST_CHECK; /* of a format 0 there is none */

#endif
