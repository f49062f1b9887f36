/*
 * A window over the executed text: filled from the file in pieces (script_fill.c), emptied from the
 * front as statements are handed out, so that nothing needs the whole file.
 */
#include "core/model/script_parts.h"

#include "core/base/text.h"
#include "core/base/vec.h"
#include "core/model/kept.h"

static struct script *script_allocate(struct str path)
{
    struct script *s = malloc(sizeof(*s));
    if (!s) {
        fputs("migrate: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    memset(s, 0, offsetof(struct script, piece));
    s->source.fd = -1;
    s->path = path;
    return s;
}

static struct script *script_make(struct str path, const struct script_context *context)
{
    struct script *s = script_allocate(path);
    s->context = *context;
    /* Of a schema where everybody's tables are, plain names count, too. */
    s->record = (struct cut_record){context->record, str_equal(context->record, STR("public"))};
    s->line = s->column = s->next_line = 1;
    s->arena = arena_make();
    s->path = arena_str(s->arena, path);
    s->window.max = 2 * LIMIT_STATEMENT_BYTES + WINDOW_BYTES;
    s->unfinished.max = LIMIT_STATEMENT_BYTES;
    s->raw = digest_start();
    /* What is analysed only is not recorded. */
    bool is_recorded = context->is_recorded || !context->wants_analysis;
    s->tree = is_recorded && context->dialect->tree_kind ? digest_start() : NULL;
    s->is_tree_whole = true;
    normalizer_start(&s->normalizer);
    s->batch_from = arena_mark(s->arena);
    return s;
}

struct script *script_open(const struct migration *m, bool is_down,
                           const struct script_context *context, struct fail *f)
{
    struct script *s = script_make(is_down ? m->down_path : m->path, context);
    s->range = is_down ? m->down : m->up;
    s->has_placeholders = m->has_placeholders;
    s->file_name = (struct placeholder){STR("flyway:filename"), fs_basename(s->path)};
    if (byte_source_open(arena_cstr(s->arena, s->path), &s->source, f))
        return s;
    script_close(s);
    return NULL;
}

struct script *script_open_memory(struct str text, struct str path,
                                  const struct script_context *context)
{
    struct script *s = script_make(path, context);
    s->source = byte_source_of_memory(text, "memory");
    s->range = (struct file_range){0, UINT64_MAX};
    return s;
}

struct script *script_open_kept(const struct migration *m, const struct kept_script *kept)
{
    struct script *s = script_allocate(m->path);
    s->kept = kept;
    return s;
}

void script_close(struct script *s)
{
    if (!s)
        return;
    if (s->kept) {
        free(s);
        return;
    }
    byte_source_close(&s->source);
    buf_release(&s->window);
    buf_release(&s->unfinished);
    digest_abandon(s->raw);
    digest_abandon(s->tree);
    if (s->normalizer.stream)
        (void)normalizer_finish(&s->normalizer);
    arena_release(s->arena);
    free(s);
}

/* ---- out of the window ---- */

/* Drops from the window's front what was handed out. */
static void drop_handed_out(struct script *s)
{
    struct str gone = {s->window.at, s->handed_out};
    if (!gone.len)
        return;
    struct text_place place = text_place_of(gone, gone.len);
    s->column = place.line == 1 ? s->column + place.column - 1 : place.column;
    s->line += place.line - 1;
    s->window_offset += gone.len;
    s->checked -= gone.len;
    buf_drop(&s->window, gone.len);
    s->handed_out = 0;
}

static bool refuse_length(const struct script *s, struct fail *f)
{
    size_t from = 0;
    while (from < s->window.len && char_is_space(s->window.at[from]))
        from++;
    bool is_sqlite = s->context.dialect->engine == ENGINE_SQLITE;
    fail_set(f, EXIT_FAILED, "a statement is longer than %zu MB", LIMIT_STATEMENT_BYTES >> 20);
    script_fail_at(s, from, f);
    return fail_hint(f, "%s A quote that is never closed looks the same.",
                     is_sqlite ? "Split it into several statements."
                               : "Split it; large data belong in COPY … FROM stdin, which is read "
                                 "in pieces.");
}

static bool cut_window(struct script *s, struct cut_result *out, struct fail *f)
{
    struct cut_request request = {
        .window = s->window.at ? buf_str(&s->window) : STR(""),
        .is_end = s->is_at_end,
        .offset_bytes = s->window_offset,
        .line = s->line,
        .column = s->column,
        .path = s->path,
        .server_version = s->context.server_version,
        .wants_analysis = s->context.wants_analysis,
        .record = s->record.name.len ? &s->record : NULL,
        .tree = s->tree,
    };
    *out = (struct cut_result){.is_tree_whole = true};
    /* An incomplete character at the end waits for the rest of it; the window ends in NUL. */
    char *end = s->window.at ? s->window.at + s->checked : NULL;
    char kept = end ? *end : '\0';
    if (end)
        *end = '\0';
    request.window.len = s->checked;
    bool is_cut = s->context.dialect->cut(s->arena, &request, out, f);
    if (end)
        *end = kept;
    s->is_tree_whole &= out->is_tree_whole;
    return is_cut;
}

static bool check_lengths(const struct script *s, const struct cut_result *r, struct fail *f)
{
    for (size_t i = 0; i < r->statements.count; i++) {
        if (r->statements.at[i].text.len > LIMIT_STATEMENT_BYTES) {
            refuse_length(s, f);
            script_locate(s, &r->statements.at[i], 0, f);
            return false;
        }
    }
    return true;
}

/* What does not fit grows twofold, but hardly beyond what it may have: whoever reads the window takes a
   multiple of it. */
static size_t larger_window(const struct script *s)
{
    size_t size = s->window.len * 2 > WINDOW_BYTES ? s->window.len * 2 : WINDOW_BYTES;
    return size < WINDOW_MAX_BYTES ? size : WINDOW_MAX_BYTES;
}

/* No statement ends without a semicolon in it: what has none is not cut again, since a parser takes many
   times the memory of what it reads. */
static bool fill_up_to_an_end(struct script *s, size_t size, struct fail *f)
{
    size_t searched = s->window.len;
    if (searched > LIMIT_STATEMENT_BYTES)
        return refuse_length(s, f);
    if (!script_fill(s, size, f))
        return false;
    while (!s->is_at_end &&
           str_find_char(str_skip(buf_str(&s->window), searched), ';') == SIZE_MAX) {
        searched = s->window.len;
        if (searched > LIMIT_STATEMENT_BYTES)
            return refuse_length(s, f);
        if (!script_fill(s, searched + PIECE_BYTES, f))
            return false;
    }
    return true;
}

/* Comments may be longer than a window: what they direct is carried on to the statement behind them. */
static void take_directives(struct script *s, struct cut_result *r, struct directives *before)
{
    struct directives *to = r->statements.count ? &r->statements.at[0].directives : &r->behind;
    if (before->count) {
        for (size_t i = 0; i < to->count; i++)
            vec_push(s->arena, before, to->at[i]);
        *to = *before;
    }
    *before = r->behind;
}

bool script_read_ahead(struct script *s, struct fail *f)
{
    s->is_ahead = script_next(s, &s->ahead, f);
    return s->is_ahead;
}

bool script_next(struct script *s, struct script_batch *out, struct fail *f)
{
    if (s->is_ahead) {
        *out = s->ahead;
        s->is_ahead = false;
        return true;
    }
    assert(!s->is_in_copy);
    if (s->kept) {
        *out = s->is_at_end ? (struct script_batch){.is_last = true} : s->kept->batch;
        s->is_at_end = true;
        return true;
    }
    drop_handed_out(s);
    arena_reset(s->arena, s->batch_from);
    size_t size = WINDOW_BYTES;
    struct cut_result r;
    struct directives before = {0};
    for (;;) {
        if (!script_fill(s, size, f) || !cut_window(s, &r, f))
            return false;
        take_directives(s, &r, &before);
        if (r.statements.count || r.stop == CUT_AT_END)
            break;
        s->handed_out = r.consumed_bytes; /* ignored lines, such as \restrict */
        drop_handed_out(s);
        if (s->is_at_end && !r.consumed_bytes)
            BUG("a dialect that wants more than there is");
        size = larger_window(s);
        if (!fill_up_to_an_end(s, size, f))
            return false;
    }
    if (!check_lengths(s, &r, f))
        return false;
    s->handed_out = r.consumed_bytes;
    s->is_in_copy = r.stop == CUT_AT_COPY;
    *out = (struct script_batch){
        .statements = r.statements.at,
        .count = r.statements.count,
        .is_last = r.stop == CUT_AT_END,
        .behind = r.behind,
    };
    return true;
}

/* Length of the whole lines at the window's front, up to the closing \. line: *out_end is behind that
   line, or SIZE_MAX. */
static size_t copy_lines(const struct script *s, size_t *out_end)
{
    struct str rest = {s->window.at, s->checked};
    size_t done = 0;
    *out_end = SIZE_MAX;
    while (rest.len) {
        size_t newline = str_find_char(rest, '\n');
        if (newline == SIZE_MAX && !s->is_at_end)
            break;
        size_t len = newline == SIZE_MAX ? rest.len : newline + 1;
        struct str line;
        (void)str_cut_line(rest, &line);
        if (str_equal(line, STR("\\."))) {
            *out_end = done + len;
            break;
        }
        done += len;
        rest = str_skip(rest, len);
    }
    return done;
}

bool script_copy_data(struct script *s, struct str *out, struct fail *f)
{
    *out = (struct str){0};
    if (!s->is_in_copy)
        return true;
    drop_handed_out(s);
    size_t size = WINDOW_BYTES;
    for (;;) {
        if (!script_fill(s, size, f))
            return false;
        size_t end;
        size_t len = copy_lines(s, &end);
        s->is_in_copy = end == SIZE_MAX;
        if (len || !s->is_in_copy) {
            s->handed_out = len ? len : end;
            s->is_in_copy = s->is_in_copy || len; /* the closing line comes with the next call */
            *out = (struct str){s->window.at, len};
            return true;
        }
        if (s->is_at_end) {
            fail_set(f, EXIT_FAILED, "the data of COPY … FROM stdin have no end");
            script_fail_at(s, s->window.len, f);
            return fail_hint(f, "A line that holds only \\. must follow the data.");
        }
        if (s->window.len > LIMIT_STATEMENT_BYTES)
            return refuse_length(s, f);
        size = larger_window(s);
    }
}

bool script_finish(struct script *s, struct checksums *out, struct fail *f)
{
    size_t len = 1;
    if (s->kept) {
        *out = (struct checksums){.raw = s->kept->raw};
        return true;
    }
    s->is_at_end = true;
    s->range.to = s->range.to < s->read_offset ? s->range.to : s->read_offset;
    while (len) {
        if (!script_read_piece(s, &len, f))
            return false;
    }
    *out = (struct checksums){.raw = digest_finish(s->raw)};
    s->raw = NULL;
    out->normalized = normalizer_finish(&s->normalizer);
    s->normalizer.stream = NULL;
    if (s->tree && s->is_tree_whole) {
        out->tree = digest_finish(s->tree);
        out->tree_kind = s->context.dialect->tree_kind;
        s->tree = NULL;
    }
    return true;
}

struct str script_window(const struct script *s)
{
    return s->kept ? s->kept->window : buf_str(&s->window);
}

void script_locate(const struct script *s, const struct statement *statement, size_t offset_bytes,
                   struct fail *f)
{
    struct text_place place = text_place_of(statement->text, offset_bytes);
    struct str window = script_window(s);
    const char *end = window.at + window.len;
    size_t offset = offset_bytes < statement->text.len ? offset_bytes : statement->text.len;
    const char *from = statement->text.at + offset;
    const char *to = from;
    while (from > window.at && from[-1] != '\n')
        from--;
    while (to < end && *to != '\n' && *to != '\r')
        to++;
    uint32_t column = place.line == 1 ? statement->column + place.column - 1 : place.column;
    /* The line of a statement with a password in it is not shown; it may be another one's line, too. */
    const char *behind = statement->text.at + statement->text.len;
    bool is_hidden = statement->has_secret ||
                     (from < statement->text.at &&
                      text_mentions_password(str_range(from, statement->text.at))) ||
                     (behind < to && text_mentions_password(str_range(behind, to)));
    struct str excerpt = is_hidden
                             ? (struct str){0}
                             : script_around(str_range(from, to), statement->text.at + offset);
    fail_at(f, s->path, statement->line + place.line - 1, column, excerpt);
    if (statement->online_step)
        fail_detail(f, "It is %s of the statement in line %u.", statement->online_step,
                    statement->line);
}
