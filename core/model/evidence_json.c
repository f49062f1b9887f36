/* Evidence as JSON, signed: docs/rehearsal.md. */
#include "core/model/evidence.h"

#include "core/base/clock.h"

static struct json *copy_json(const struct copy *c, const char *server)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct json *j = json_make_object();
    struct json *parts = json_make_object();
    json_set_cstr(j, "kind", copy_kind_name(c->kind));
    json_set_cstr(j, "from", c->from);
    json_set_cstr(j, "fidelity", fidelity_name(c->fidelity));
    if (c->made_at_us)
        json_set_cstr(j, "state_at", clock_iso(a, c->made_at_us));
    else
        json_set_null(j, "state_at");
    json_set_cstr(j, "server", server);
    json_set_i64(j, "bytes", c->bytes);
    json_set_i64(j, "roles_missing", c->roles_missing);
    for (size_t i = 0; i < c->parts.count; i++)
        json_set_i64(parts, arena_printf(a, "%s_us", c->parts.at[i].name),
                     c->parts.at[i].duration_us);
    json_set(j, "restore", parts);
    return j;
}

static struct json *locks_json(const struct evidence_step *s)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < s->locks.count; i++) {
        struct json *one = json_make_object();
        json_set_str(one, "relation", s->locks.at[i].relation);
        json_set_cstr(one, "mode", lock_mode_name(s->locks.at[i].mode));
        json_set_i64(one, "held_us", s->locks.at[i].held_us);
        json_push(list, one);
    }
    return list;
}

static struct json *waits_json(const struct evidence_step *s)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < s->waits.count; i++) {
        const struct evidence_wait *w = &s->waits.at[i];
        struct json *one = json_make_object();
        json_set_str(one, "relation", w->relation);
        json_set_cstr(one, "class", traffic_name(w->class));
        json_set_i64(one, "longest_us", w->longest_us);
        json_set_i64(one, "total_us", w->total_us);
        json_set_i64(one, "count", w->count);
        json_push(list, one);
    }
    return list;
}

static struct json *step_json(const struct evidence_step *s)
{
    struct json *j = json_make_object();
    struct json *rewritten = json_make_array();
    json_set_str(j, "migration", s->migration);
    json_set_i64(j, "unit", s->unit);
    json_set_i64(j, "line", s->line);
    json_set_cstr(j, "phase", s->phase);
    json_set_str(j, "sql", s->sql);
    json_set_i64(j, "duration_us", s->to_us - s->from_us);
    json_set_i64(j, "tries", s->tries);
    json_set_i64(j, "rows", s->rows);
    json_set_i64(j, "wal_bytes", s->wal_bytes);
    json_set_i64(j, "temporary_bytes", s->temporary_bytes);
    json_set_i64(j, "growth_bytes", s->growth_bytes);
    for (size_t i = 0; i < s->rewritten.count; i++)
        json_push_str(rewritten, s->rewritten.at[i]);
    json_set(j, "rewritten", rewritten);
    json_set(j, "locks", locks_json(s));
    json_set(j, "waits", waits_json(s));
    return j;
}

static struct json *limits_json(const struct evidence_limits *l)
{
    struct json *j = json_make_object();
    json_set_i64(j, "max_blocked_ms", l->blocked_ms);
    json_set_i64(j, "max_strong_lock_ms", l->strong_lock_ms);
    json_set_i64(j, "max_duration_ms", l->duration_ms);
    return j;
}

static struct json *failure_json_of(const struct fail *f)
{
    struct json *j = json_make_object();
    json_set_cstr(j, "message", f->message);
    json_set_cstr(j, "sqlstate", f->sqlstate[0] ? f->sqlstate : NULL);
    json_set_cstr(j, "file", f->file);
    json_set_i64(j, "line", f->line);
    return j;
}

struct json *evidence_json(const struct evidence *e)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct json *j = json_make_object();
    struct json *steps = json_make_array();
    struct json *reasons = json_make_array();
    json_set_i64(j, "format", EVIDENCE_FORMAT);
    json_set_cstr(j, "tool", e->tool);
    json_set_str(j, "plan", digest_str(&e->plan));
    json_set_cstr(j, "target", e->target);
    json_set_cstr(j, "verdict", verdict_name(e->verdict));
    for (size_t i = 0; i < e->reasons.count; i++)
        json_push_str(reasons, str_of(e->reasons.at[i]));
    json_set(j, "reasons", reasons);
    json_set_cstr(j, "started_at", clock_iso(a, e->started_us));
    json_set_i64(j, "duration_us", e->duration_us);
    json_set(j, "limits", limits_json(&e->limits));
    json_set(j, "copy", copy_json(e->copy, e->server));
    json_set_i64(j, "probes", e->seen->probes);
    json_set_i64(j, "longest_look_us", e->seen->longest_look_us);
    json_set_i64(j, "waiting_steps", (int64_t)e->waiting);
    if (e->failure)
        json_set(j, "failure", failure_json_of(e->failure));
    else
        json_set_null(j, "failure");
    for (size_t i = 0; i < e->steps.count; i++)
        json_push(steps, step_json(&e->steps.at[i]));
    json_set(j, "steps", steps);
    return j;
}

void evidence_print(struct buf *out, const struct evidence *e, struct str key)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(json) struct json *j = evidence_json(e);
    if (key.len) {
        struct digest signature = digest_hmac(key, json_line(a, j));
        struct json *s = json_make_object();
        json_set_cstr(s, "algorithm", "HMAC-SHA-256");
        json_set_str(s, "value", digest_str(&signature));
        json_set(j, "signature", s);
    } else {
        json_set_null(j, "signature");
    }
    json_print(out, j, true);
    buf_add_char(out, '\n');
}
