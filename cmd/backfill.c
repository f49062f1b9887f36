/* How far a step has come that runs in batches: while it runs, and what `migrate status` says of it. */
#include "cmd/backfill.h"

#include "cmd/terminal.h"
#include "core/base/clock.h"
#include "core/base/log.h"

/* Where there is no terminal. */
#define LOG_EVERY_US ((int64_t)60000000)

/* "1,234,567", in the arena. */
static const char *number_text(struct arena *a, int64_t n)
{
    SCOPED(buf) struct buf out = {0};
    const char *digits = arena_printf(a, "%lld", (long long)n);
    size_t len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_add_char(&out, ',');
        buf_add_char(&out, digits[i]);
    }
    return arena_cstr(a, buf_str(&out));
}

/* The end is never said to be reached before it is: the total is an estimate. */
static int64_t percent(int64_t visited, int64_t total)
{
    int64_t share = total > 0 ? visited * 100 / total : 0;
    return share > 99 ? 99 : share;
}

static const char *progress_text(struct arena *a, const struct backfill_progress *p)
{
    SCOPED(buf) struct buf out = {0};
    const char *what = p->is_by_pages ? "pages" : "rows";
    buf_printf(&out, "%.*s: %s %.*s: %s", STR_ARG(p->label),
               p->is_verification ? "looks at" : "changes", STR_ARG(p->table),
               number_text(a, p->visited));
    if (p->total)
        buf_printf(&out, " of about %s %s (%lld %%)", number_text(a, p->total), what,
                   (long long)percent(p->visited, p->total));
    else
        buf_printf(&out, " %s", what);
    if (!p->is_verification)
        buf_printf(&out, ", %s changed", number_text(a, p->rows));
    if (p->per_second >= 1)
        buf_printf(&out, ", %s/s", number_text(a, (int64_t)p->per_second));
    if (p->left_us >= 0)
        buf_printf(&out, ", %s left", clock_duration_text(a, p->left_us));
    if (p->paused_us)
        buf_printf(&out, ", %s paused", clock_duration_text(a, p->paused_us));
    return arena_cstr(a, buf_str(&out));
}

void backfill_show(struct backfill_view *view, const struct backfill_progress *p)
{
    SCOPED(arena) struct arena *a = arena_make();
    int64_t now_us = clock_monotonic_us();
    view->begun_us = view->begun_us ? view->begun_us : now_us;
    if (terminal_has_progress())
        progress_show("%s", progress_text(a, p));
    else if (now_us - (view->logged_us ? view->logged_us : view->begun_us) >= LOG_EVERY_US) {
        log_line(LOG_NOTE, "%s", progress_text(a, p));
        view->logged_us = now_us;
    }
}

bool backfill_read_points(struct session *s, struct backfill_points *out, struct fail *f)
{
    *out = (struct backfill_points){0};
    return !s->connection || !s->driver->ranges ||
           s->driver->ranges->read(s->arena, s->connection, out, f);
}

static const struct backfill_point *point_of(const struct backfill_points *points,
                                             const struct reconciled *one)
{
    for (size_t i = 0; one->row && one->state == STATE_INCOMPLETE && i < points->count; i++) {
        if (str_equal(points->at[i].version, history_row_label(one->row)))
            return &points->at[i];
    }
    return NULL;
}

const char *backfill_sentence(struct arena *a, const struct backfill_points *points,
                              const struct reconciled *one)
{
    const struct backfill_point *p = point_of(points, one);
    if (!p)
        return "";
    const char *what = p->key.len ? "rows" : "pages";
    const char *share = p->total
                            ? arena_printf(a, " of about %s (%lld %%)", number_text(a, p->total),
                                           (long long)percent(p->visited, p->total))
                            : "";
    return arena_printf(
        a,
        "step %lld is under way in batches: %s %s%s of %.*s, %s changed; last batch "
        "at %s",
        (long long)p->unit, number_text(a, p->visited), what, share, STR_ARG(p->table),
        number_text(a, p->rows), terminal_time(a, p->updated_at));
}

void backfill_set(struct json *j, const struct backfill_points *points,
                  const struct reconciled *one)
{
    const struct backfill_point *p = point_of(points, one);
    if (!p)
        return;
    struct json *object = json_make_object();
    json_set_i64(object, "step", p->unit);
    json_set_str(object, "table", p->table);
    json_set_str(object, "key", p->key);
    json_set_i64(object, "visited", p->visited);
    json_set_i64(object, "total", p->total);
    json_set_cstr(object, "counts", p->key.len ? "rows" : "pages");
    json_set_i64(object, "rows", p->rows);
    json_set_i64(object, "batches", p->batches);
    json_set_i64(object, "paused_us", p->paused_us);
    json_set_str(object, "started_at", p->started_at);
    json_set_str(object, "updated_at", p->updated_at);
    json_set(j, "backfill", object);
}
