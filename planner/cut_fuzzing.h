/*
 * What holds for any text and either dialect, for fuzz targets: statements lie within the text, in order,
 * with the right line; and windows of any size give the same ones.
 */
#ifndef PLANNER_CUT_FUZZING_H
#define PLANNER_CUT_FUZZING_H

#include "core/base/text.h"
#include "core/base/vec.h"
#include "core/model/dialect.h"

struct fuzz_cut {
    struct statements list;
    bool is_failed;
};

/* Behind the closing line of COPY data. */
static inline size_t fuzz_copy_end(struct str text, size_t from)
{
    while (from < text.len) {
        struct str line;
        struct str rest = str_cut_line(str_skip(text, from), &line);
        from = text.len - rest.len;
        if (str_equal(line, STR("\\.")))
            break;
    }
    return from;
}

/* Cuts the text in windows that grow by step, as core/model/script.c does; the text ends in NUL. */
static inline struct fuzz_cut fuzz_cut_text(struct arena *a, const struct dialect *dialect,
                                            struct str text, size_t step)
{
    struct fuzz_cut all = {0};
    size_t from = 0;
    size_t to = 0;
    while (!all.is_failed) {
        to = to + step < text.len ? to + step : text.len;
        while (to < text.len && ((unsigned char)text.at[to] & 0xC0) == 0x80)
            to++;
        to = to < from ? from : to;
        struct text_place place = text_place_of(text, from);
        char *window = arena_cstr(a, (struct str){text.at + from, to - from});
        struct cut_request request = {.window = {window, to - from},
                                      .is_end = to == text.len,
                                      .offset_bytes = from,
                                      .line = place.line,
                                      .column = place.column,
                                      .path = STR("fuzz.sql"),
                                      .wants_analysis = true};
        struct cut_result out = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        all.is_failed = !dialect->cut(a, &request, &out, &f);
        assert(all.is_failed == fail_is_set(&f));
        if (all.is_failed) {
            assert(f.hint && f.line > 0 && f.column > 0 && !strchr(f.message, '\n'));
            break;
        }
        for (size_t i = 0; i < out.statements.count; i++)
            vec_push(a, &all.list, out.statements.at[i]);
        assert(out.consumed_bytes <= to - from);
        from += out.consumed_bytes;
        if (out.stop == CUT_AT_END)
            break;
        if (out.stop == CUT_AT_COPY)
            from = fuzz_copy_end(text, from);
        assert(to < text.len || out.consumed_bytes > 0); /* no progress would be no end */
    }
    return all;
}

static inline void fuzz_check_places(struct str text, const struct statements *list)
{
    uint64_t end = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct statement *s = &list->at[i];
        assert(s->text.len > 0 && s->offset_bytes >= end);
        end = s->offset_bytes + s->text.len;
        assert(end <= text.len && memcmp(text.at + s->offset_bytes, s->text.at, s->text.len) == 0);
        struct text_place place = text_place_of(text, (size_t)s->offset_bytes);
        assert(s->line == place.line && s->column == place.column);
        assert(s->kind && (s->is_analysed || s->not_analysed_reason || s->class == CLASS_UNKNOWN));
        assert(s->role != ROLE_REFUSED || s->refusal);
    }
}

static inline void fuzz_check_cut(const struct dialect *dialect, const uint8_t *data, size_t size)
{
    size_t valid_len;
    struct str bytes = {(const char *)data, size};
    if (size == 0 || text_find_invalid(bytes, true, &valid_len) != SIZE_MAX)
        return; /* core/model/script.c refuses it before */
    SCOPED(arena) struct arena *a = arena_make();
    struct str text = arena_str(a, bytes);
    struct fuzz_cut whole = fuzz_cut_text(a, dialect, text, text.len);
    struct fuzz_cut parts = fuzz_cut_text(a, dialect, text, 1 + data[0] % 61);
    fuzz_check_places(text, &whole.list);
    fuzz_check_places(text, &parts.list);
    /* A text that fails may do so before or behind the statements in front of its fault. */
    assert(whole.is_failed == parts.is_failed);
    assert(whole.is_failed || whole.list.count == parts.list.count);
    for (size_t i = 0; i < whole.list.count && i < parts.list.count; i++) {
        const struct statement *s = &whole.list.at[i];
        assert(str_equal(s->text, parts.list.at[i].text) && s->role == parts.list.at[i].role);
        struct str shown = dialect->redact(a, s);
        assert(shown.len > 0);
    }
}

#endif
