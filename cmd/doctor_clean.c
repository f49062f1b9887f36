/*
 * migrate doctor --clean: removes what the history proves to be ours and nobody goes on with: invalid
 * indexes. "cleaning" is durable before the server hears of it, "cleaned" or "cleaning failed" follows:
 * whatever happens in between, the record says who wanted to remove what.
 */
#include "cmd/doctor.h"

#include "cmd/signals.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "core/run/execution.h"

static struct event event_of(struct session *s, const struct run_context *run, const char *kind,
                             const struct leftover *l, const char *message)
{
    struct event e = journal_event(s->arena, run->journal, kind, l->label);
    SCOPED(json) struct json *detail = json_make_object();
    json_set_cstr(detail, "index", l->of->subject);
    json_set_i64(detail, "oid", l->of->number);
    json_set_i64(detail, "left_by", l->event);
    if (message)
        json_set_cstr(detail, "message", message);
    e.sql = str_of(l->of->text);
    e.rows = -1;
    e.detail = json_line(s->arena, detail);
    return e;
}

static bool clean_one(struct session *s, struct run_context *run, const struct leftover *l,
                      struct fail *f)
{
    struct event e = event_of(s, run, EVENT_CLEANING, l, NULL);
    if (!execution_append(run, NULL, NULL, &e, 1, true, f))
        return false;
    int64_t started_us = clock_monotonic_us();
    bool is_done = s->driver->drop_invalid_index(s->connection, l->of->number, f);
    e = event_of(s, run, is_done ? EVENT_CLEANED : EVENT_CLEANING_FAILED, l, f->message);
    e.duration_us = clock_monotonic_us() - started_us;
    SCOPED(fail) struct fail second = FAIL_NONE;
    bool is_written = execution_append(run, NULL, NULL, &e, 1, true, is_done ? f : &second);
    if (!is_done && !is_written)
        log_line(LOG_WARN, "the failure could not be written to the history: %s", second.message);
    return is_done && is_written;
}

bool doctor_clean(struct session *s, const struct doctor *d, struct cleaned *out, struct fail *f)
{
    if (d->is_record_broken && d->leftovers.count) {
        fail_set(
            f, EXIT_INTEGRITY,
            "the history is not whole, so it does not prove what is ours: nothing was removed");
        return fail_hint(f, "`migrate history --verify` says what is wrong with it.");
    }
    struct run_identity who = session_identity(s);
    struct journal journal = journal_start(&who, &s->history);
    struct run_context run = {
        .driver = s->driver,
        .connection = s->connection,
        .journal = &journal,
        .stop_signal = &stop_signal,
    };
    for (size_t i = 0; i < d->leftovers.count && !stop_signal; i++) {
        if (!clean_one(s, &run, &d->leftovers.at[i], f))
            return false;
        vec_push(s->arena, out, str_of(d->leftovers.at[i].of->text));
    }
    return true;
}
