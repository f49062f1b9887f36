/* Failures on their way up: see fail.h. */
#include "core/base/fail.h"

#include <errno.h>

void fail_clear(struct fail *f)
{
    arena_release(f->arena);
    *f = FAIL_NONE;
}

bool fail_is_set(const struct fail *f)
{
    return f->code != EXIT_DONE;
}

static struct arena *arena_of(struct fail *f)
{
    if (!f->arena)
        f->arena = arena_make();
    return f->arena;
}

bool fail_set(struct fail *f, enum exit_code code, const char *format, ...)
{
    assert(code != EXIT_DONE);
    if (fail_is_set(f))
        return false;
    va_list values;
    va_start(values, format);
    f->message = arena_vprintf(arena_of(f), format, values);
    va_end(values);
    f->code = code;
    return false;
}

bool fail_errno(struct fail *f, enum exit_code code, const char *format, ...)
{
    int number = errno;
    if (fail_is_set(f))
        return false;
    char words[128];
    const char *why = strerror_r(number, words, sizeof(words));
    va_list values;
    va_start(values, format);
    const char *what = arena_vprintf(arena_of(f), format, values);
    va_end(values);
    f->message = arena_printf(arena_of(f), "%s: %s", what, why);
    f->code = code;
    if (number == ENOENT)
        f->kind = FAIL_NOT_FOUND;
    return false;
}

/* A further line behind an earlier text, or the first one. */
static void append_line(struct fail *f, const char **text, const char *format, va_list values)
    __attribute__((format(printf, 3, 0)));
static void append_line(struct fail *f, const char **text, const char *format, va_list values)
{
    const char *line = arena_vprintf(arena_of(f), format, values);
    *text = *text ? arena_printf(arena_of(f), "%s\n%s", *text, line) : line;
}

bool fail_detail(struct fail *f, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    append_line(f, &f->detail, format, values);
    va_end(values);
    return false;
}

bool fail_hint(struct fail *f, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    append_line(f, &f->hint, format, values);
    va_end(values);
    return false;
}

bool fail_wrap(struct fail *f, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    append_line(f, &f->context, format, values);
    va_end(values);
    return false;
}

bool fail_at(struct fail *f, struct str file, uint32_t line, uint32_t column, struct str excerpt)
{
    f->file = arena_cstr(arena_of(f), file);
    f->line = line;
    f->column = column;
    f->excerpt = excerpt.len ? arena_cstr(arena_of(f), excerpt) : NULL;
    return false;
}

bool fail_kind_set(struct fail *f, enum fail_kind kind)
{
    f->kind = kind;
    return false;
}

static const char *copy_text(struct arena *a, const char *text)
{
    return text ? arena_cstr(a, str_of(text)) : NULL;
}

struct fail fail_copy(struct arena *a, const struct fail *f)
{
    struct fail copy = *f;
    copy.arena = NULL;
    copy.message = copy_text(a, f->message);
    copy.detail = copy_text(a, f->detail);
    copy.hint = copy_text(a, f->hint);
    copy.context = copy_text(a, f->context);
    copy.file = copy_text(a, f->file);
    copy.excerpt = copy_text(a, f->excerpt);
    return copy;
}
