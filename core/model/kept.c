/* See kept.h. */
#include "core/model/kept.h"

#include "core/base/buf.h"

static const char *copy_text(struct arena *a, const char *text)
{
    return text ? arena_cstr(a, str_of(text)) : NULL;
}

static const struct probe *copy_probe(struct arena *a, const struct probe *probe)
{
    if (!probe)
        return NULL;
    struct probe *copy = arena_new(a, struct probe);
    *copy = *probe;
    copy->schema = copy_text(a, probe->schema);
    copy->name = copy_text(a, probe->name);
    copy->detail = copy_text(a, probe->detail);
    return copy;
}

static void copy_statement(struct arena *a, const struct statement *s, const char *from,
                           const char *to, struct statement *out)
{
    *out = *s;
    out->text.at = to + (s->text.at - from);
    out->class_reason = copy_text(a, s->class_reason);
    out->not_analysed_reason = copy_text(a, s->not_analysed_reason);
    out->refusal = copy_text(a, s->refusal);
    out->refused_because = copy_text(a, s->refused_because);
    out->new_enum_value = copy_text(a, s->new_enum_value);
    out->probe = copy_probe(a, s->probe);
    out->tree = NULL; /* the plan has read both; the run needs neither */
    out->directives = (struct directives){0};
}

struct kept_script *kept_make(struct arena *a, const struct script *s,
                              const struct script_batch *batch, size_t max_bytes, size_t *out_bytes)
{
    struct str window = script_window(s);
    size_t bytes = sizeof(struct kept_script) + window.len + 1;
    *out_bytes = 0;
    bytes += batch->count * sizeof(struct statement);
    bool is_copy = batch->count && batch->statements[batch->count - 1].is_copy_from_stdin;
    if (!batch->is_last || !batch->count || is_copy || bytes > max_bytes)
        return NULL;
    *out_bytes = bytes;
    struct kept_script *kept = arena_new(a, struct kept_script);
    kept->window = arena_str(a, window);
    struct statement *copies = arena_array(a, struct statement, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        copy_statement(a, &batch->statements[i], window.at, kept->window.at, &copies[i]);
    kept->batch =
        (struct script_batch){.statements = copies, .count = batch->count, .is_last = true};
    return kept;
}

/* What is not a slice of the window is written behind it, each on lines of its own. */
struct kept_script *kept_make_of(struct arena *a, struct str window, const struct statement *at,
                                 size_t count)
{
    SCOPED(buf) struct buf all = {0};
    size_t *offsets = arena_array(a, size_t, count + 1);
    buf_add_str(&all, window);
    for (size_t i = 0; i < count; i++) {
        bool is_within = at[i].text.at >= window.at && at[i].text.at < window.at + window.len;
        offsets[i] = is_within ? (size_t)(at[i].text.at - window.at) : all.len + 1;
        if (!is_within)
            buf_printf(&all, "\n%.*s;", STR_ARG(at[i].text));
    }
    struct kept_script *kept = arena_new(a, struct kept_script);
    struct statement *copies = arena_array(a, struct statement, count);
    kept->window = buf_done(a, &all);
    for (size_t i = 0; i < count; i++)
        copy_statement(a, &at[i], at[i].text.at, kept->window.at + offsets[i], &copies[i]);
    kept->batch = (struct script_batch){.statements = copies, .count = count, .is_last = true};
    return kept;
}
