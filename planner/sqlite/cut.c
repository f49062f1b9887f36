/*
 * A statement ends at a semicolon outside texts and comments; CREATE TRIGGER at the one for which
 * sqlite3_complete() says so.
 */
#include "planner/sqlite/cut.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "planner/comments.h"
#include "planner/sqlite/judge.h"

#include <sqlite3.h>

/* ---- tokens ---- */

/* Asked of each byte of each script. */
static inline bool is_word(char c)
{
    unsigned char u = (unsigned char)c;
    return (unsigned)(u | 0x20) - 'a' < 26 || (unsigned)u - '0' < 10 || u == '_' || u == '$' ||
           u >= 0x80;
}

/* A quote ends at itself, where it is not doubled ([…] cannot be doubled). */
static size_t quoted_len(struct str text, char close, enum sqlite_token_kind *out)
{
    size_t at = 1;
    while (at < text.len) {
        const char *found = memchr(text.at + at, close, text.len - at);
        if (!found)
            break;
        at = (size_t)(found - text.at) + 1;
        if (close == ']' || at >= text.len || text.at[at] != close) {
            *out = SQLITE_TOKEN_QUOTED;
            return at;
        }
        at++;
    }
    *out = SQLITE_TOKEN_OPEN;
    return text.len;
}

static size_t blank_len(struct str text, enum sqlite_token_kind *out)
{
    *out = SQLITE_TOKEN_BLANK;
    if (str_starts(text, STR("--"))) {
        size_t end = str_find_char(text, '\n');
        return end == SIZE_MAX ? text.len : end + 1;
    }
    if (str_starts(text, STR("/*"))) {
        size_t end = str_find(str_skip(text, 2), STR("*/"));
        if (end != SIZE_MAX)
            return end + 4;
        *out = SQLITE_TOKEN_OPEN;
        return text.len;
    }
    size_t len = 0;
    while (len < text.len && char_is_space(text.at[len]))
        len++;
    return len;
}

size_t sqlite_token(struct str text, enum sqlite_token_kind *out)
{
    char c = text.at[0];
    size_t len = is_word(c) ? 0 : blank_len(text, out);
    if (len)
        return len;
    if (c == '\'' || c == '"' || c == '`' || c == '[')
        return quoted_len(text, c == '[' ? ']' : c, out);
    *out = c == ';' ? SQLITE_TOKEN_SEMICOLON : SQLITE_TOKEN_OTHER;
    if (!is_word(c))
        return 1;
    *out = SQLITE_TOKEN_WORD;
    while (len < text.len && is_word(text.at[len]))
        len++;
    return len;
}

/* ---- cutting ---- */

/* A statement while its tokens go by. */
struct cutting {
    struct arena *a;
    const struct cut_request *request;
    struct cut_result *out;
    size_t from; /* of its first token; SIZE_MAX: none yet */
    size_t to;   /* behind its last token */
    bool is_trigger;
    bool is_judged;               /* is_trigger is known */
    bool is_behind_semicolon;     /* the last token was one */
    bool is_behind_end;           /* the last token was END, and the one before it a semicolon */
    struct directives directives; /* behind the statement before */
    uint32_t from_line, from_column;
    size_t counted; /* bytes that line and column stand behind */
    uint32_t line, column;
};

/* Line and column of an offset; offsets only grow, so that a window is counted once. */
static void move_place(struct cutting *c, size_t offset)
{
    const char *window = c->request->window.at;
    for (size_t i = c->counted; i < offset; i++) {
        if (window[i] == '\n') {
            c->line++;
            c->column = 1;
        } else if (((unsigned char)window[i] & 0xC0) != 0x80) {
            c->column++;
        }
    }
    c->counted = offset;
}

static void add_tree(struct digest_stream *tree, struct str text)
{
    while (tree && text.len) {
        enum sqlite_token_kind kind;
        size_t len = sqlite_token(text, &kind);
        if (kind != SQLITE_TOKEN_BLANK) {
            digest_add(tree, (struct str){text.at, len});
            digest_add(tree, (struct str){"\0", 1});
        }
        text = str_skip(text, len);
    }
    if (tree)
        digest_add(tree, STR(";"));
}

static void take_statement(struct cutting *c)
{
    const struct cut_request *r = c->request;
    struct statement s = {.text = {r->window.at + c->from, c->to - c->from}};
    s.offset_bytes = r->offset_bytes + c->from;
    s.line = c->from_line;
    s.column = c->from_column;
    s.directives = c->directives;
    c->directives = (struct directives){0};
    sqlite_judge(&s);
    sqlite_judge_record(c->a, &s, r->record);
    add_tree(r->tree, s.text);
    vec_push(c->a, &c->out->statements, s);
    c->from = SIZE_MAX;
    c->is_judged = false;
}

static void note_token(struct cutting *c, enum sqlite_token_kind kind, struct str token)
{
    c->is_behind_end =
        kind == SQLITE_TOKEN_WORD && c->is_behind_semicolon && str_equal_nocase(token, STR("end"));
    c->is_behind_semicolon = kind == SQLITE_TOKEN_SEMICOLON;
}

/* A semicolon ends the statement, unless it is one inside a trigger's body. complete.c of SQLite: a
   trigger ends nowhere but at "; END ;", so only there is its whole text looked at (once per statement of
   the body would be quadratic). */
static bool ends_statement(struct cutting *c, size_t semicolon)
{
    struct str text = {c->request->window.at + c->from, semicolon + 1 - c->from};
    if (!c->is_judged) {
        c->is_trigger = sqlite_starts_trigger(text);
        c->is_judged = true;
    }
    if (!c->is_trigger)
        return true;
    if (!c->is_behind_end)
        return false;
    SCOPED(buf) struct buf copy = {0};
    buf_add_str(&copy, text);
    return sqlite3_complete(buf_cstr(&copy)) != 0;
}

/* The failure is at this byte. What stands in front of the window in its first line is not at hand: then
   a caret would point beside it. */
static void fail_here(struct cutting *c, size_t at, struct fail *f)
{
    const char *window = c->request->window.at;
    size_t from = at;
    while (from > 0 && window[from - 1] != '\n')
        from--;
    struct str line = {0};
    if (from > 0 || c->request->column == 1)
        (void)str_cut_line(str_skip(c->request->window, from), &line);
    move_place(c, at);
    fail_at(f, c->request->path, c->line, c->column, line);
}

static bool refuse_dot_command(struct cutting *c, size_t at, struct fail *f)
{
    struct str line;
    (void)str_cut_line(str_skip(c->request->window, at), &line);
    struct str name;
    (void)str_cut(line, ' ', &name);
    fail_set(f, EXIT_FAILED, "\"%.*s\" is a command of the sqlite3 shell, not SQL", STR_ARG(name));
    fail_here(c, at, f);
    return fail_hint(f, "Take it out, or write it as SQL; migrate runs SQL only.");
}

static bool refuse_open(struct cutting *c, size_t at, struct fail *f)
{
    char open = c->request->window.at[at];
    move_place(c, at);
    if (open == '/')
        fail_set(f, EXIT_FAILED, "the comment /* opened at line %u, column %u is not closed",
                 c->line, c->column);
    else
        fail_set(f, EXIT_FAILED, "the %s %c opened at line %u, column %u is not closed",
                 open == '[' ? "bracket" : "quote", open, c->line, c->column);
    fail_here(c, at, f);
    if (open == '/')
        return fail_hint(f, "Close it with */.");
    if (open == '[')
        return fail_hint(f, "Close it with ].");
    return fail_hint(f,
                     "Close it. If it was to close another one, a quote inside a text before it is "
                     "not doubled: write %c%c for one.",
                     open, open);
}

static void at_semicolon(struct cutting *c, size_t at)
{
    if (c->from != SIZE_MAX && ends_statement(c, at))
        take_statement(c);
    if (c->from != SIZE_MAX)
        c->to = at + 1; /* within a trigger */
    else
        c->out->consumed_bytes = at + 1;
}

static void begin_statement(struct cutting *c, size_t at)
{
    c->from = at;
    move_place(c, at);
    c->from_line = c->line;
    c->from_column = c->column;
}

static bool note_comment(struct cutting *c, size_t at, size_t len, struct fail *f)
{
    struct str comment = {c->request->window.at + at, len};
    if (!comment_may_direct(comment))
        return true;
    move_place(c, at);
    return comment_read(c->a, c->request, comment, c->line, c->column, &c->directives, f);
}

static bool cut(struct arena *a, const struct cut_request *request, struct cut_result *out,
                struct fail *f)
{
    struct cutting c = {.a = a,
                        .request = request,
                        .out = out,
                        .from = SIZE_MAX,
                        .line = request->line,
                        .column = request->column};
    struct str window = request->window;
    size_t at = 0;
    *out = (struct cut_result){.is_tree_whole = true};
    while (at < window.len) {
        enum sqlite_token_kind kind;
        size_t len = sqlite_token(str_skip(window, at), &kind);
        bool may_grow =
            at + len == window.len && !request->is_end && kind != SQLITE_TOKEN_SEMICOLON;
        if (kind == SQLITE_TOKEN_OPEN && !may_grow) {
            return refuse_open(&c, at, f);
        } else if (may_grow && (kind == SQLITE_TOKEN_OPEN || kind == SQLITE_TOKEN_BLANK ||
                                c.from != SIZE_MAX)) {
            break; /* half a comment is no directive yet */
        } else if (kind == SQLITE_TOKEN_SEMICOLON) {
            at_semicolon(&c, at);
        } else if (kind != SQLITE_TOKEN_BLANK) {
            if (c.from == SIZE_MAX && window.at[at] == '.')
                return refuse_dot_command(&c, at, f);
            if (c.from == SIZE_MAX)
                begin_statement(&c, at);
            c.to = at + len;
        }
        if (kind == SQLITE_TOKEN_BLANK && !note_comment(&c, at, len, f))
            return false;
        if (kind != SQLITE_TOKEN_BLANK)
            note_token(&c, kind, (struct str){window.at + at, len});
        at += len;
    }
    if (!request->is_end)
        return true;
    if (c.from != SIZE_MAX)
        take_statement(&c);
    out->behind = c.directives;
    out->consumed_bytes = window.len;
    out->stop = CUT_AT_END;
    return true;
}

/* SQLite has no statement that carries a password. */
static struct str redact(struct arena *a, const struct statement *s)
{
    return arena_str(a, s->text);
}

const struct dialect sqlite_dialect = {
    .engine = ENGINE_SQLITE,
    .tree_kind = "sqlite-tokens",
    .cut = cut,
    .redact = redact,
};
