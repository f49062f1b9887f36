/*
 * The lexer reads a window once, from left to right; what it says of the part before a place never
 * depends on what follows, so a semicolon found in a window that was cut anywhere can be trusted.
 * Where it gives up (a quote that the window cuts, COPY data), the part before is read again alone.
 */
#include "planner/postgres/cut.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "planner/comments.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/grammar_compat.h"
#include "planner/postgres/judge.h"
#include "planner/postgres/parse.h"
#include "planner/postgres/psql.h"

struct cutting {
    struct arena *a;
    const struct cut_request *request;
    struct cut_result *out;
    struct tokens tokens;
    size_t scanned;              /* bytes of the window that were read */
    size_t first;                /* token at the statement's front; SIZE_MAX: none yet */
    unsigned parens;             /* open ones */
    unsigned bodies;             /* open BEGIN ATOMIC … and CASE … within it */
    bool is_routine;             /* CREATE [OR REPLACE] FUNCTION | PROCEDURE */
    size_t skip_to;              /* tokens before this byte belong to a line for psql */
    size_t counted;              /* bytes that line and column stand behind */
    VEC_OF(struct str) comments; /* that may direct, behind the statement before */
    uint32_t line, column;
    struct buf text;         /* of the statement, for the parser: ends in NUL */
    struct arena *forgotten; /* trees that nobody asks for */
};

/* Comments; and the vertical tab, which is a blank since PostgreSQL 16 and to the lexer at hand a token. */
static bool is_comment(int kind)
{
    return kind == PG_QUERY__TOKEN__SQL_COMMENT || kind == PG_QUERY__TOKEN__C_COMMENT ||
           kind == '\v';
}

/* ---- places and failures ---- */

/* Line and column of a byte. Asked in rising order only, so that a window is counted once. */
static void move_place(struct cutting *c, size_t offset)
{
    const char *at = c->request->window.at;
    for (size_t i = c->counted; i < offset; i++) {
        if (at[i] == '\n') {
            c->line++;
            c->column = 1;
        } else {
            c->column += ((unsigned char)at[i] & 0xC0) != 0x80;
        }
    }
    c->counted = offset;
}

/* The line of a byte. */
static struct str line_at(const struct cutting *c, size_t offset)
{
    const char *window = c->request->window.at;
    size_t from = offset;
    while (from > 0 && window[from - 1] != '\n')
        from--;
    struct str line;
    (void)str_cut_line(str_skip(c->request->window, from), &line);
    return line;
}

/* Whether the line, or the statement that it is a part of, is about a password: then neither is quoted. */
static bool hides(const struct cutting *c, size_t offset)
{
    struct str line = line_at(c, offset);
    const char *statement = c->request->window.at + c->out->consumed_bytes;
    const char *from = statement < line.at ? statement : line.at;
    return text_mentions_password(str_range(from, line.at + line.len));
}

/* What stands in front of the window in its first line is not at hand: a caret would point beside it. */
static bool has_whole_line(const struct cutting *c, size_t offset)
{
    return c->request->column == 1 || line_at(c, offset).at > c->request->window.at;
}

static bool fail_here(struct cutting *c, size_t offset, struct fail *f)
{
    move_place(c, offset);
    bool is_shown = has_whole_line(c, offset) && !hides(c, offset);
    struct str excerpt = is_shown ? line_at(c, offset) : (struct str){0};
    return fail_at(f, c->request->path, c->line, c->column, excerpt);
}

static bool refuse_psql(struct cutting *c, size_t offset, struct fail *f)
{
    struct str name = psql_command_name(str_skip(c->request->window, offset));
    if (hides(c, offset) && !psql_is_known(name)) /* a password may have a backslash in it */
        fail_set(f, EXIT_FAILED, "a backslash begins a command of psql, not SQL");
    else
        fail_set(f, EXIT_FAILED, "\"%.*s\" is a command of psql, not SQL", STR_ARG(name));
    fail_here(c, offset, f);
    return fail_hint(f, "%s", psql_hint(name));
}

static bool refuse_text(struct cutting *c, struct fail *f)
{
    struct str message = str_of(c->tokens.message);
    size_t quoted = str_find(message, STR(" at or near "));
    if (quoted != SIZE_MAX && (hides(c, c->tokens.error_at) || text_mentions_password(message)))
        message.len = quoted;
    fail_set(f, EXIT_FAILED, "%.*s", STR_ARG(message));
    fail_here(c, c->tokens.error_at, f);
    return fail_hint(
        f, c->tokens.is_unterminated
               ? "What begins here has no end in this file."
               : "No version of PostgreSQL reads this; where the file goes on cannot be told.");
}

/* ---- directives ---- */

/* Those in front of byte `to` are read; places are asked for in rising order. */
static bool read_comments(struct cutting *c, size_t to, struct directives *out, struct fail *f)
{
    size_t done = 0;
    while (done < c->comments.count) {
        struct str comment = c->comments.at[done];
        size_t from = (size_t)(comment.at - c->request->window.at);
        if (from >= to)
            break;
        move_place(c, from);
        if (!comment_read(c->a, c->request, comment, c->line, c->column, out, f))
            return false;
        done++;
    }
    c->comments.count -= done;
    if (done)
        memmove(c->comments.at, c->comments.at + done, c->comments.count * sizeof(*c->comments.at));
    return true;
}

static void keep_comment(struct cutting *c, const struct token *t)
{
    struct str comment = str_range(c->request->window.at + t->from, c->request->window.at + t->to);
    if (t->from >= c->skip_to && comment_may_direct(comment))
        vec_push(c->a, &c->comments, comment);
}

/* ---- one statement ---- */

static void analyse(struct cutting *c, struct statement *s, const struct token *at, size_t count)
{
    enum { NEWER = 160000 };
    struct judging j = {c->a, c->request->server_version, s};
    struct arena *trees = c->request->wants_analysis ? c->a : c->forgotten;
    const struct arena_mark mark = arena_mark(c->forgotten);
    const char *why = NULL;
    s->has_secret = judge_has_secret(s->text, at, count);
    if (s->text.len > LIMIT_PARSE_BYTES)
        why = arena_printf(c->a, "it is longer than %zu KB", LIMIT_PARSE_BYTES >> 10);
    else if (parse_depth(at, count) > PARSE_MAX_DEPTH)
        why = "it is nested too deeply";
    struct parse_tree tree = {0};
    if (!why) {
        buf_clear(&c->text);
        buf_add_str(&c->text, s->text);
        parse_statement_kept(trees, buf_str(&c->text), &tree);
        s->has_own_places = tree.node != NULL;
        if (!tree.node && (!c->request->server_version || c->request->server_version >= NEWER))
            grammar_parse_newer(trees, buf_str(&c->text), &tree);
        if (!tree.node) {
            s->is_beyond_grammar = true;
            s->syntax.offset = tree.error_at;
            s->has_secret |= judge_may_have_secret(s->text, at, count);
            why = arena_printf(c->a, "%s (PostgreSQL " GRAMMAR_VERSION_TEXT " grammar)",
                               s->has_secret ? "syntax error" : tree.message);
        }
    }
    if (why) {
        judge_tokens(&j, at, count, why);
        c->out->is_tree_whole = false;
    } else {
        s->is_analysed = true;
        s->tree = c->request->wants_analysis ? tree.node : NULL;
        judge_tree(&j, tree.node);
        judge_record(&j, c->request->record, tree.node);
        if (c->request->tree)
            parse_tree_digest(&tree, c->request->tree);
    }
    arena_reset(c->forgotten, mark);
}

/* COPY … FROM stdin, told from its words, so that a COPY with options the parser does not know still
   finds its data. */
static bool is_copy_from_stdin(const struct token *at, size_t count)
{
    if (count == 0 || at[0].kind != PG_QUERY__TOKEN__COPY)
        return false;
    unsigned parens = 0;
    for (size_t i = 1; i + 1 < count; i++) {
        parens += at[i].kind == '(';
        parens -= at[i].kind == ')' && parens > 0;
        if (!parens && at[i].kind == PG_QUERY__TOKEN__FROM &&
            at[i + 1].kind == PG_QUERY__TOKEN__STDIN)
            return true;
    }
    return false;
}

/* Ends the statement before token `end` (the semicolon, or tokens.count), which begins at byte `limit`.
   The text's end comes from the comments behind it, whose places the lexer gives exactly. */
static bool take_statement(struct cutting *c, size_t end, size_t limit, struct fail *f)
{
    const struct token *first = &c->tokens.at[c->first];
    const char *window = c->request->window.at;
    size_t count = end - c->first;
    size_t to = limit;
    while (count > 1 && is_comment(first[count - 1].kind))
        to = first[--count].from;
    size_t from = first->from;
    while (from < to && char_is_space(window[from]))
        from++;
    while (to > from && char_is_space(window[to - 1]))
        to--;
    struct directives directives = {0};
    if (!read_comments(c, from, &directives, f))
        return false;
    move_place(c, from);
    struct statement s = {
        .text = {window + from, to - from},
        .offset_bytes = c->request->offset_bytes + from,
        .line = c->line,
        .column = c->column,
        .is_copy_from_stdin = is_copy_from_stdin(first, count),
    };
    if (!read_comments(c, to, &directives, f))
        return false;
    s.directives = directives;
    analyse(c, &s, first, count);
    vec_push(c->a, &c->out->statements, s);
    c->first = SIZE_MAX;
    c->parens = c->bodies = 0;
    return true;
}

/* ---- where statements end ---- */

/* The token before i that is no comment, within the statement; NULL at its front. */
static const struct token *token_before(const struct cutting *c, size_t i)
{
    while (i > c->first) {
        if (!is_comment(c->tokens.at[--i].kind))
            return &c->tokens.at[i];
    }
    return NULL;
}

static int next_kind(const struct cutting *c, size_t i)
{
    while (++i < c->tokens.count) {
        if (!is_comment(c->tokens.at[i].kind))
            return c->tokens.at[i].kind;
    }
    return 0;
}

/* CREATE [OR REPLACE] FUNCTION | PROCEDURE: the statements whose body may be BEGIN ATOMIC … END, with
   semicolons in it (gram.y: routine_body; psqlscan.l counts in the same way). */
static bool starts_routine(const struct cutting *c, size_t first)
{
    static const int words[] = {PG_QUERY__TOKEN__CREATE, PG_QUERY__TOKEN__OR,
                                PG_QUERY__TOKEN__REPLACE};
    size_t word = 0;
    for (size_t i = first; i < c->tokens.count && i < first + 16; i++) {
        int kind = c->tokens.at[i].kind;
        if (is_comment(kind))
            continue;
        if (word != 0 && word != 2 &&
            (kind == PG_QUERY__TOKEN__FUNCTION || kind == PG_QUERY__TOKEN__PROCEDURE))
            return true;
        if (word == ARRAY_LEN(words) || kind != words[word++])
            return false;
    }
    return false;
}

static void count_bodies(struct cutting *c, size_t i)
{
    int kind = c->tokens.at[i].kind;
    const struct token *before = token_before(c, i);
    /* As a name behind a dot or AS, these words are only names. */
    if (before && (before->kind == '.' || before->kind == PG_QUERY__TOKEN__AS))
        return;
    bool begins = kind == PG_QUERY__TOKEN__BEGIN_P && next_kind(c, i) == PG_QUERY__TOKEN__ATOMIC;
    if (begins || (kind == PG_QUERY__TOKEN__CASE && c->bodies))
        c->bodies++;
    else if (kind == PG_QUERY__TOKEN__END_P && c->bodies)
        c->bodies--;
}

/* A line for psql where a statement could begin. */
static bool take_psql_line(struct cutting *c, size_t offset, bool *out_stop, struct fail *f)
{
    struct str rest = str_skip(c->request->window, offset);
    if (!c->request->is_end && str_find_char(rest, '\n') == SIZE_MAX) {
        *out_stop = true; /* the window cuts the line */
        return true;
    }
    if (!psql_is_harmless(psql_command_name(rest)))
        return refuse_psql(c, offset, f);
    struct str line;
    struct str behind = str_cut_line(rest, &line);
    for (size_t i = 1; i < line.len; i++) {
        if (!char_is_alpha(line.at[i]) && !char_is_digit(line.at[i]) && !char_is_space(line.at[i]))
            return refuse_psql(c, offset, f); /* its key is letters and digits */
    }
    c->skip_to = c->request->window.len - behind.len;
    c->out->consumed_bytes = c->skip_to;
    return true;
}

/* The data of COPY begin behind the line that its semicolon is on. False where that line's end is not
   in the window. */
static bool find_copy_data(struct cutting *c, size_t behind, size_t *out_from, struct fail *f)
{
    struct str rest = str_skip(c->request->window, behind);
    size_t newline = str_find_char(rest, '\n');
    if (newline == SIZE_MAX && !c->request->is_end)
        return false;
    struct str between = {rest.at, newline == SIZE_MAX ? rest.len : newline};
    struct str trimmed = str_trim(between);
    if (trimmed.len && !str_starts(trimmed, STR("--"))) {
        fail_set(f, EXIT_FAILED, "text between COPY … FROM stdin and its data");
        fail_here(c, behind + (size_t)(trimmed.at - rest.at), f);
        fail_hint(f, "The data begin on the line behind the semicolon.");
        return false;
    }
    *out_from = behind + (newline == SIZE_MAX ? rest.len : newline + 1);
    return true;
}

/* At a semicolon that ends a statement. *out_stop: nothing more of the window may be read. */
static bool end_statement(struct cutting *c, size_t i, bool *out_stop, struct fail *f)
{
    const struct token *semicolon = &c->tokens.at[i];
    size_t behind = semicolon->from + 1;
    if (c->first != SIZE_MAX && is_copy_from_stdin(&c->tokens.at[c->first], i - c->first)) {
        *out_stop = true;
        if (!find_copy_data(c, behind, &behind, f))
            return !fail_is_set(f);
        c->out->stop = CUT_AT_COPY;
    }
    if (c->first != SIZE_MAX && !take_statement(c, i, semicolon->from, f))
        return false;
    c->out->consumed_bytes = behind;
    return true;
}

static bool walk(struct cutting *c, bool *out_stop, struct fail *f)
{
    for (size_t i = 0; i < c->tokens.count && !*out_stop; i++) {
        const struct token *t = &c->tokens.at[i];
        if (is_comment(t->kind))
            keep_comment(c, t);
        if (is_comment(t->kind) || t->from < c->skip_to)
            continue;
        if (t->kind == '\\' && c->first != SIZE_MAX)
            return refuse_psql(c, t->from, f);
        if (t->kind == '\\') {
            if (!take_psql_line(c, t->from, out_stop, f))
                return false;
            continue;
        }
        if (t->kind == ';' && !c->parens && !c->bodies) {
            if (!end_statement(c, i, out_stop, f))
                return false;
            continue;
        }
        if (c->first == SIZE_MAX) {
            c->first = i;
            c->is_routine = starts_routine(c, i);
        }
        c->parens += t->kind == '(';
        c->parens -= t->kind == ')' && c->parens > 0;
        if (c->is_routine && !c->parens)
            count_bodies(c, i);
    }
    return true;
}

/* ---- the window ---- */

/* Behind the last semicolon: nothing but blanks, or a statement whose end is not in sight. */
static bool finish(struct cutting *c, struct fail *f)
{
    struct cut_result *out = c->out;
    bool is_whole = c->scanned == c->request->window.len && c->tokens.error_at == SIZE_MAX;
    if (is_whole && c->request->is_end) {
        if (c->first != SIZE_MAX) {
            bool is_copy = is_copy_from_stdin(&c->tokens.at[c->first], c->tokens.count - c->first);
            if (!take_statement(c, c->tokens.count, c->scanned, f))
                return false;
            out->consumed_bytes = c->scanned;
            out->stop = is_copy ? CUT_AT_COPY : CUT_AT_END;
            return true;
        }
        out->consumed_bytes = c->scanned;
        out->stop = CUT_AT_END;
        return true;
    }
    /* Long comments are given up piece by piece; the last one may go on behind the window. */
    if (is_whole && c->first == SIZE_MAX && c->tokens.count) {
        size_t last = c->tokens.at[c->tokens.count - 1].from;
        if (c->comments.count) /* what directs the next statement stays with it */
            last = (size_t)(c->comments.at[0].at - c->request->window.at);
        if (last > out->consumed_bytes && is_comment(c->tokens.at[c->tokens.count - 1].kind))
            out->consumed_bytes = last;
    }
    out->stop = CUT_NEEDS_MORE;
    /* What the lexer stumbles over may be the key in a line for psql: go on behind that line. */
    bool is_in_skipped = c->tokens.error_at < c->skip_to;
    if (out->statements.count || !c->request->is_end || c->scanned < c->request->window.len ||
        is_in_skipped)
        return true;
    return refuse_text(c, f);
}

/* Cuts off the first `size` bytes of the window. */
static bool cut_part(struct cutting *c, size_t size, struct fail *f)
{
    struct str part = {c->request->window.at, size};
    c->scanned = size;
    c->first = SIZE_MAX;
    c->parens = c->bodies = 0;
    c->skip_to = 0;
    c->comments.count = 0;
    parse_tokens_free(&c->tokens);
    parse_scan(c->a, part, &c->tokens);
    bool is_stopped = false;
    if (!walk(c, &is_stopped, f))
        return false;
    if (is_stopped)
        return true;
    return finish(c, f);
}

/* Where the data of a first COPY end, if there is one: reading on would only read data as if they were
   SQL, again for each COPY in the window. SIZE_MAX: no such line. */
static size_t find_data_end(struct str window)
{
    size_t at = 0;
    size_t found;
    while ((found = str_find_char(str_skip(window, at), '\\')) != SIZE_MAX) {
        at += found + 1;
        struct str behind = str_skip(window, at);
        bool is_end = at > 1 && window.at[at - 2] == '\n' && str_starts(behind, STR("."));
        if (is_end && (behind.len == 1 || behind.at[1] == '\n' || behind.at[1] == '\r'))
            return at - 1;
    }
    return SIZE_MAX;
}

static bool cut_window(struct cutting *c, struct fail *f)
{
    size_t data_end = find_data_end(c->request->window);
    if (data_end != SIZE_MAX) {
        if (!cut_part(c, data_end, f))
            return false;
        if (c->out->statements.count || c->out->stop == CUT_AT_COPY || c->out->consumed_bytes)
            return true;
    }
    return cut_part(c, c->request->window.len, f);
}

static bool cut(struct arena *a, const struct cut_request *request, struct cut_result *out,
                struct fail *f)
{
    *out = (struct cut_result){.is_tree_whole = true};
    struct cutting c = {
        .a = a,
        .request = request,
        .out = out,
        .line = request->line,
        .column = request->column,
        .text = {.max = LIMIT_PARSE_BYTES + 1},
        .forgotten = arena_make(),
    };
    bool is_done = cut_window(&c, f) && read_comments(&c, out->consumed_bytes, &out->behind, f);
    arena_release(c.forgotten);
    buf_release(&c.text);
    parse_tokens_free(&c.tokens);
    return is_done;
}

const struct dialect postgres_dialect = {
    .engine = ENGINE_POSTGRES,
    .tree_kind = GRAMMAR_TREE_KIND,
    .cut = cut,
    .redact = judge_redact,
};
