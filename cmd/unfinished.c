/*
 * What is left of a migration that was cut off, and the command that goes on with it: found by planning
 * its file again.
 */
#include "cmd/session.h"

static bool is_plain(const char *word)
{
    for (const char *at = word; *at; at++) {
        if (!char_is_alpha(*at) && !char_is_digit(*at) && !strchr("_-./:@=,+%", *at))
            return false;
    }
    return word[0] != '\0';
}

/* As a shell reads it. */
static void add_word(struct buf *out, const char *value)
{
    if (is_plain(value)) {
        buf_add_cstr(out, value);
        return;
    }
    buf_add_char(out, '\'');
    for (const char *at = value; *at; at++) {
        if (*at == '\'')
            buf_add_cstr(out, "'\\''");
        else
            buf_add_char(out, *at);
    }
    buf_add_char(out, '\'');
}

static void add_option(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, " --%s ", name);
    add_word(out, value);
}

const char *session_apply_command(const struct session *s)
{
    return session_command(s, "apply", STR(""));
}

const char *session_command(const struct session *s, const char *verb, struct str argument)
{
    const struct options *o = s->options;
    SCOPED(buf) struct buf text = {0};
    buf_printf(&text, "migrate %s", verb);
    if (argument.len) {
        buf_add_char(&text, ' ');
        add_word(&text, arena_cstr(s->arena, argument));
    }
    add_option(&text, "config", o->config);
    add_option(&text, "env-file", o->env_file);
    add_option(&text, "target", o->target);
    add_option(&text, "url", o->url ? s->url.safe : NULL);
    for (size_t i = 0; i < o->dirs.count; i++)
        add_option(&text, "dir", o->dirs.at[i]);
    add_option(&text, "layout", o->layout);
    add_option(&text, "engine", o->engine);
    for (size_t i = 0; i < o->placeholders.count; i++) {
        struct str name;
        (void)str_cut(str_of(o->placeholders.at[i]), '=', &name);
        add_option(&text, "placeholder", arena_printf(s->arena, "%.*s=…", STR_ARG(name)));
    }
    return arena_cstr(s->arena, buf_str(&text));
}

struct work_left {
    int64_t steps, steps_total;
    uint32_t line;    /* of its first statement; 0: not known */
    const char *kind; /* of that; "" where it is not known */
};

static bool find_left(struct session *s, const struct reconciled *one, struct work_left *out)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE; /* an apply says it */
    struct plan plan;
    const struct migration *only[] = {one->migration};
    const struct history_row *rows[] = {one->row};
    struct selection selection = {.migrations = only, .rows = rows, .count = 1};
    *out = (struct work_left){0};
    if (one->state != STATE_INCOMPLETE || !session_plan(s, &selection, true, &plan, &ignored))
        return false;
    const struct planned_migration *p = &plan.migrations[0];
    out->steps_total = planned_last_at_once(p);
    out->steps = out->steps_total - one->row->units_done;
    for (size_t i = 0; i < p->statements.count && !out->line; i++) {
        if ((int64_t)p->statements.at[i].unit > one->row->units_done) {
            out->line = p->statements.at[i].statement.line;
            out->kind = p->statements.at[i].statement.kind;
        }
    }
    return out->steps > 0;
}

const char *session_left_sentence(struct session *s, const struct reconciled *one)
{
    struct work_left left;
    if (!find_left(s, one, &left))
        return "";
    const char *from =
        left.line
            ? arena_printf(s->arena, ", from %.*s:%u on%s%s%s", STR_ARG(one->migration->path),
                           left.line, left.kind[0] ? " (" : "", left.kind, left.kind[0] ? ")" : "")
            : "";
    return arena_printf(s->arena, "left: %lld of %lld steps%s; continue with: %s",
                        (long long)left.steps, (long long)left.steps_total, from,
                        session_apply_command(s));
}

void session_set_left(struct session *s, const struct reconciled *one, struct json *j)
{
    struct work_left left;
    if (!find_left(s, one, &left))
        return;
    struct json *object = json_make_object();
    json_set_i64(object, "steps", left.steps);
    json_set_i64(object, "steps_total", left.steps_total);
    json_set_str(object, "file", one->migration->path);
    if (left.line)
        json_set_i64(object, "line", left.line);
    else
        json_set_null(object, "line");
    json_set_cstr(object, "kind", left.line && left.kind[0] ? left.kind : NULL);
    json_set_cstr(object, "continue", session_apply_command(s));
    json_set(j, "left", object);
}
