/* Which hazards there are only the rules know; so the word behind "allow" is looked at here. */
#include "planner/comments.h"

#include "core/base/text.h"
#include "core/base/vec.h"
#include "planner/rules.h"

bool comment_may_direct(struct str comment)
{
    return str_starts(comment, STR("--")) && str_find(comment, STR("migrate:")) != SIZE_MAX;
}

/* A failure within the comment is one within its line. */
static bool fail_within(const struct cut_request *request, struct str comment, uint32_t line,
                        uint32_t column, struct fail *f)
{
    const char *from = comment.at;
    while (from > request->window.at && from[-1] != '\n')
        from--;
    struct str whole;
    (void)str_cut_line(str_range(from, request->window.at + request->window.len), &whole);
    uint32_t at = f->column ? f->column + column - 1 : column;
    f->file = NULL;
    return fail_at(f, request->path, line, at, whole);
}

static bool refuse_hazard(const struct cut_request *request, struct str comment, struct str text,
                          const struct directive *d, uint32_t column, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "there is no hazard \"%.*s\"", STR_ARG(d->hazard));
    f->column = text_place_of(comment, (size_t)(d->hazard.at - text.at)).column;
    fail_within(request, comment, d->line, column, f);
    const char *near = hazard_rule_like(d->hazard);
    if (near)
        return fail_hint(f, "Did you mean \"%s\"?", near);
    return fail_hint(f, "`migrate explain` lists the hazards.");
}

bool comment_read(struct arena *a, const struct cut_request *request, struct str comment,
                  uint32_t line, uint32_t column, struct directives *out, struct fail *f)
{
    struct directive d;
    /* It is needed for longer than the window stays where it is. */
    struct str text = arena_str(a, str_trim(comment));
    if (!directive_parse(a, text, request->path, line, &d, f))
        return fail_within(request, comment, line, column, f);
    if (d.kind == DIRECTIVE_NONE)
        return true;
    if (d.kind == DIRECTIVE_ALLOW && !hazard_rule_find(d.hazard))
        return refuse_hazard(request, comment, text, &d, column, f);
    vec_push(a, out, d);
    return true;
}
