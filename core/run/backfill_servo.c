/* How large the next batch is: see backfill.h. */
#include "core/run/backfill.h"

/* Rows: small enough to be quick on any table, and not so many that one transaction gets large. Pages
   hold some dozens of rows each. */
#define ROWS_FIRST 1000
#define ROWS_FLOOR 10
#define ROWS_CAP 100000
#define PAGES_FIRST 16
#define PAGES_FLOOR 1
#define PAGES_CAP 2000

/* Weight of the newest batch; and how much one step may change the size. */
#define NEWEST 0.3
#define GROWTH_MAX 1.5
#define SHRINK_MAX 0.5

static int64_t within(int64_t size, const struct servo *s)
{
    return size < s->floor ? s->floor : size > s->cap ? s->cap : size;
}

struct servo servo_start(bool is_by_pages, int64_t target_ms, int64_t size)
{
    struct servo s = {
        .floor = is_by_pages ? PAGES_FLOOR : ROWS_FLOOR,
        .cap = is_by_pages ? PAGES_CAP : ROWS_CAP,
        .target_us = target_ms * 1000,
    };
    s.size = within(size ? size : is_by_pages ? PAGES_FIRST : ROWS_FIRST, &s);
    return s;
}

void servo_note(struct servo *s, int64_t took_us)
{
    double each_us = (double)(took_us > 0 ? took_us : 1) / (double)s->size;
    s->each_us = s->each_us > 0 ? NEWEST * each_us + (1 - NEWEST) * s->each_us : each_us;
    double change = (double)s->target_us / s->each_us / (double)s->size;
    change = change > GROWTH_MAX ? GROWTH_MAX : change < SHRINK_MAX ? SHRINK_MAX : change;
    int64_t size = (int64_t)((double)s->size * change);
    s->size = within(size == s->size && change > 1 ? size + 1 : size, s);
}

void servo_shrink(struct servo *s)
{
    s->size = within(s->size / 2, s);
}
