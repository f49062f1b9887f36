/*
 * What earlier runs of a migration left in the chain of events about its units: digests of those that are
 * done, intents of statements outside transactions that nobody knows the end of.
 */
#include "core/run/unit.h"

#include "core/base/json.h"
#include "core/base/vec.h"

static struct unit_record *record_of(struct execution *x, int64_t unit)
{
    while ((int64_t)x->records.count < unit)
        vec_push(x->arena, &x->records, (struct unit_record){0});
    return &x->records.at[unit - 1];
}

/* What comes behind it is another run of a repeatable, or of what was taken back. */
static bool ends_migration(const struct event *e)
{
    return str_equal(e->kind, STR(EVENT_APPLIED)) || str_equal(e->kind, STR(EVENT_CONTRACTED)) ||
           str_equal(e->kind, STR(EVENT_ROLLED_BACK));
}

/* Which unit of a way back undoes this one; 0: none. */
static int64_t undo_of(const struct planned_migration *p, int64_t unit)
{
    for (uint32_t i = 0; i < p->unit_count; i++) {
        if (p->units_left[i] == unit)
            return i + 1;
    }
    return 0;
}

static bool note_event(void *context, const struct event *e, struct fail *f)
{
    struct execution *x = context;
    if (ends_migration(e)) {
        x->records.count = 0;
        return true;
    }
    int64_t unit = e->unit;
    if (unit <= 0 || unit > UINT32_MAX)
        return true;
    if (x->run->goal == GOAL_ROLLBACK) /* its own begin at the last unit that is done */
        unit = undo_of(x->planned, unit);
    if (unit <= 0)
        return true;
    struct unit_record *record = record_of(x, unit);
    SCOPED(json) struct json *detail = NULL;
    if (e->detail.len) {
        detail = json_parse(e->detail, STR("event"), f);
        if (!detail)
            return fail_hint(f, "Look at `migrate history --verify`.");
    }
    if (str_equal(e->kind, STR(EVENT_STARTED)) && json_get(detail, "batches")) {
        return true; /* its checkpoint tells the rest */
    } else if (str_equal(e->kind, STR(EVENT_STARTED))) {
        const struct json *before = json_get(detail, "before");
        record->has_intent = true;
        record->has_before = before != NULL;
        record->before = arena_str(x->arena, json_str_of(before));
        record->intent = arena_str(x->arena, json_str_of(json_get(detail, "statement")));
    } else if (str_equal(e->kind, STR(EVENT_STEP_DONE)) ||
               str_equal(e->kind, STR(EVENT_EXPANDED)) || str_equal(e->kind, STR(EVENT_SWITCHED)) ||
               str_equal(e->kind, STR(EVENT_STEP_UNDONE))) {
        record->has_intent = false;
        if (x->run->goal != GOAL_ROLLBACK) /* there it is that of what is to be undone */
            record->digest = arena_str(x->arena, json_str_of(json_get(detail, "unit")));
    } else if (str_equal(e->kind, STR(EVENT_FAILED)) || str_equal(e->kind, STR(EVENT_RETRIED)) ||
               str_equal(e->kind, STR(EVENT_RESOLVED))) {
        bool is_unknown = false;
        if (json_bool_of(json_get(detail, "outcome_unknown"), &is_unknown) && is_unknown)
            return true;            /* a failure to find out changes nothing */
        record->has_intent = false; /* the server said no, or a person settled it */
    }
    return true;
}

bool unit_records_read(struct execution *x, struct fail *f)
{
    return execution_await(x->run, f) &&
           x->run->driver->read_events(x->run->connection, 1, x->label, note_event, x, f);
}

/* ---- what is kept of a unit, and told of it ---- */

/* Adds to what the event will show; where it gets too long, the beginning and "…". */
static void record_sql(struct buf *sql, struct str shown)
{
    static const char more[] = "…";
    size_t room = EVENT_SQL_MAX_BYTES - sql->len;
    if (sql->is_overflown)
        return;
    if (shown.len + sizeof(";\n") + sizeof(more) <= room) {
        buf_add_str(sql, shown);
        buf_add_cstr(sql, ";\n");
        return;
    }
    size_t len = room - sizeof(more);
    len = len < shown.len ? len : shown.len;
    while (len && len < shown.len && ((unsigned char)shown.at[len] & 0xC0) == 0x80)
        len--; /* whole characters */
    buf_add(sql, shown.at, len);
    buf_add_cstr(sql, more);
    sql->is_overflown = true;
}

void unit_record_statement(struct execution *x, const struct statement *s)
{
    struct arena_mark mark = arena_mark(x->arena);
    record_sql(&x->sql, x->run->script->dialect->redact(x->arena, s));
    arena_reset(x->arena, mark);
    if (x->digest)
        unit_digest_add(x->digest, s);
}

void unit_tell_begin(struct execution *x)
{
    const struct unit_watch *watch = &x->run->watch;
    if (watch->begins)
        watch->begins(watch->context, x->planned, x->unit);
}

void unit_tell_end(struct execution *x)
{
    const struct unit_watch *watch = &x->run->watch;
    if (watch->ends)
        watch->ends(watch->context, x->planned, x->unit, x->rows, buf_str(&x->sql));
}
