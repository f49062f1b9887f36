/*
 * Lines are cut out of the pieces that come in; one that spans two pieces is joined in s->head.
 * Each line is shown to the markers of the layout first, then, as long as nothing but blanks and
 * comments was seen, to the directives. Markers count wherever they stand at the start of a line,
 * inside string literals too: that is how dbmate and goose read their files.
 */
#include "drivers/source/header.h"

#include "core/model/directive.h"

struct line {
    struct str text;     /* without its end; at most HEADER_LINE_BYTES */
    bool is_cut_short;   /* there was more of it */
    uint64_t from, next; /* its first byte, and that of the line behind it */
};

/* Where the failure is: the line, from its first column. */
static bool at_line(const struct header_scan *s, const struct line *l, struct fail *f)
{
    return fail_at(f, s->path, s->line, 1, l->text);
}

void header_scan_start(struct header_scan *s, struct header_rules rules, struct str path)
{
    s->rules = rules;
    s->path = path;
    s->header = (struct header){.up = {.to = UINT64_MAX}};
    s->line = 0;
    s->offset_bytes = 0;
    s->line_offset_bytes = 0;
    s->line_len = 0;
    s->comment_depth = 0;
    s->is_past_header = false;
    s->has_up = false;
    s->last = '\0';
}

static bool begin_up(struct header_scan *s, const struct line *l, const char *marker,
                     struct fail *f)
{
    if (!s->has_up) {
        s->has_up = true;
        s->header.up.from = l->next;
        return true;
    }
    fail_set(f, EXIT_USAGE, "a second \"%s\" in one file", marker);
    at_line(s, l, f);
    return fail_hint(f, "Split the file: one migration has one up and one down part.");
}

static bool begin_down(struct header_scan *s, const struct line *l, const char *marker,
                       struct fail *f)
{
    if (s->has_up && !s->header.has_down) {
        s->header.has_down = true;
        s->header.up.to = l->from;
        s->header.down = (struct file_range){.from = l->next, .to = UINT64_MAX};
        return true;
    }
    fail_set(f, EXIT_USAGE,
             s->has_up ? "a second \"%s\" in one file" : "\"%s\" comes before the up part", marker);
    at_line(s, l, f);
    return fail_hint(f, "Write the up part first, then at most one down part.");
}

static bool take_goose(struct header_scan *s, const struct line *l, bool *out_is_marker,
                       struct fail *f)
{
    *out_is_marker = true;
    switch (goose_annotation_of(l->text)) {
    case GOOSE_NONE:
        *out_is_marker = false;
        return true;
    case GOOSE_UP:
        return begin_up(s, l, "-- +goose Up", f);
    case GOOSE_DOWN:
        return begin_down(s, l, "-- +goose Down", f);
    case GOOSE_STATEMENT_BEGIN:
    case GOOSE_STATEMENT_END:
    case GOOSE_ENVSUB_OFF:
        return true; /* statements are cut by the SQL parser, which needs no help */
    case GOOSE_NO_TRANSACTION:
        s->header.transaction = TRANSACTION_NONE;
        return true;
    case GOOSE_ENVSUB_ON:
        fail_set(f, EXIT_USAGE, "environment variables in SQL (\"+goose ENVSUB ON\") are not read");
        at_line(s, l, f);
        return fail_hint(f, "Write the values into the file and remove the annotation: what runs "
                            "must be what was reviewed.");
    case GOOSE_INDENTED:
        fail_set(f, EXIT_USAGE, "a goose annotation must begin at the first column");
        at_line(s, l, f);
        return fail_hint(f, "Remove the blanks in front of \"--\"; goose refuses them too.");
    case GOOSE_UNKNOWN:
        fail_set(f, EXIT_USAGE, "unknown goose annotation");
        at_line(s, l, f);
        return fail_hint(f, "Known are: Up, Down, StatementBegin, StatementEnd, NO TRANSACTION.");
    }
    BUG("goose annotation out of range");
}

static bool take_dbmate_options(struct header_scan *s, const struct line *l, struct str options,
                                bool is_up, struct fail *f)
{
    while (options.len) {
        struct str word;
        options = str_trim(str_cut(options, ' ', &word));
        word = str_trim(word);
        bool is_off = str_equal(word, STR("transaction:false"));
        if (!is_off && !str_equal(word, STR("transaction:true"))) {
            fail_set(f, EXIT_USAGE, "unknown option \"%.*s\"", STR_ARG(word));
            at_line(s, l, f);
            return fail_hint(f, "The only option is transaction:false (or true).");
        }
        if (is_up && is_off)
            s->header.transaction = TRANSACTION_NONE;
    }
    return true;
}

static bool take_dbmate(struct header_scan *s, const struct line *l, bool *out_is_marker,
                        struct fail *f)
{
    struct str options = {0};
    enum dbmate_block block = dbmate_block_of(l->text, &options);
    *out_is_marker = block != DBMATE_NONE;
    switch (block) {
    case DBMATE_NONE:
        return true;
    case DBMATE_UP:
        return take_dbmate_options(s, l, options, true, f) && begin_up(s, l, "-- migrate:up", f);
    case DBMATE_DOWN:
        return take_dbmate_options(s, l, options, false, f) &&
               begin_down(s, l, "-- migrate:down", f);
    }
    BUG("dbmate block out of range");
}

/* Markers that mean nothing in this layout, but would in another. */
static bool check_foreign(struct header_scan *s, const struct line *l, struct fail *f)
{
    enum marker m = marker_of_line(l->text);
    if (m == MARKER_NONE)
        return true;
    const struct marker_row *row = marker_row(m);
    s->header.has_sqlx_template |= m == MARKER_SQLX;
    if (!row->changes_text || row->layout == s->rules.layout)
        return true;
    if (m == MARKER_NODE_PG_MIGRATE && s->rules.is_one_way)
        return true; /* an ordinary heading there */
    fail_set(f, EXIT_USAGE, "this file is marked for %s, but is read as %s", row->tool,
             layout_name(s->rules.layout));
    at_line(s, l, f);
    if (row->layout != LAYOUT_AUTO)
        return fail_hint(f, "Give --layout %s, or remove the marker from the file.",
                         layout_name(row->layout));
    return fail_hint(f, "%s is not read. Leave in the file only what is to be applied.", row->tool);
}

static bool take_directive(struct header_scan *s, const struct line *l, struct str comment,
                           struct fail *f)
{
    size_t at = str_find(comment, STR("migrate:"));
    if (at == SIZE_MAX)
        return true;
    if (l->is_cut_short) {
        fail_set(f, EXIT_USAGE, "a directive is longer than %d bytes", HEADER_LINE_BYTES);
        fail_at(f, s->path, s->line, 1, (struct str){0});
        return fail_hint(f, "Shorten the comment.");
    }
    SCOPED(arena) struct arena *a = arena_make();
    struct directive d;
    if (!directive_parse(a, l->text, s->path, s->line, &d, f))
        return false;
    if (d.kind == DIRECTIVE_NO_TRANSACTION)
        s->header.transaction = TRANSACTION_NONE;
    if (d.lock_timeout_ms)
        s->header.lock_timeout_ms = d.lock_timeout_ms;
    if (d.statement_timeout_ms)
        s->header.statement_timeout_ms = d.statement_timeout_ms;
    return true;
}

/* Goes over a block comment from *text on; what is behind its end stays in *text. */
static void skip_block_comment(struct header_scan *s, struct str *text)
{
    while (text->len && s->comment_depth) {
        if (str_starts(*text, STR("*/"))) {
            s->comment_depth--;
            *text = str_skip(*text, 2);
        } else if (s->rules.engine != ENGINE_SQLITE && str_starts(*text, STR("/*"))) {
            s->comment_depth++;
            *text = str_skip(*text, 2);
        } else {
            *text = str_skip(*text, 1);
        }
    }
}

/* Blanks, comments and directives above the first SQL. */
static bool take_header_line(struct header_scan *s, const struct line *l, struct fail *f)
{
    struct str rest = l->text;
    bool is_whole_line = s->comment_depth == 0;
    for (;;) {
        skip_block_comment(s, &rest);
        rest = str_trim(rest);
        if (s->comment_depth && l->is_cut_short) /* its end may lie in what is not held */
            s->is_past_header = true;
        if (rest.len == 0 || s->comment_depth)
            return true;
        if (str_starts(rest, STR("--")))
            return is_whole_line ? take_directive(s, l, rest, f) : true;
        if (!str_starts(rest, STR("/*"))) {
            s->is_past_header = true;
            return true;
        }
        s->comment_depth = 1;
        rest = str_skip(rest, 2);
        is_whole_line = false;
    }
}

static bool has_markers(enum layout l)
{
    return l == LAYOUT_DBMATE || l == LAYOUT_GOOSE;
}

static const char *up_marker(enum layout l)
{
    return l == LAYOUT_GOOSE ? "-- +goose Up" : "-- migrate:up";
}

static bool take_line(struct header_scan *s, struct line *l, struct fail *f)
{
    s->line++;
    if (l->text.len && l->text.at[l->text.len - 1] == '\r')
        l->text.len--;
    if (s->line == 1) {
        s->header.is_sqlx_opt_out = str_starts(l->text, STR("-- no-transaction"));
        if (str_starts(l->text, STR("\xEF\xBB\xBF")))
            l->text = str_skip(l->text, 3);
    }
    bool is_marker = false;
    if (s->rules.layout == LAYOUT_GOOSE && !take_goose(s, l, &is_marker, f))
        return false;
    if (s->rules.layout == LAYOUT_DBMATE && !take_dbmate(s, l, &is_marker, f))
        return false;
    if (is_marker)
        return true;
    if (!check_foreign(s, l, f))
        return false;
    if (s->is_past_header)
        return true;
    if (!take_header_line(s, l, f))
        return false;
    if (!s->is_past_header || s->has_up || !has_markers(s->rules.layout))
        return true;
    fail_set(f, EXIT_USAGE, "SQL in front of \"%s\"", up_marker(s->rules.layout));
    at_line(s, l, f);
    return fail_hint(f, "Put the line \"%s\" above the SQL.", up_marker(s->rules.layout));
}

/* Joins what was held of the line with its continuation, as far as there is room. */
static struct str hold(struct header_scan *s, struct str piece)
{
    size_t held = s->line_len < HEADER_LINE_BYTES ? (size_t)s->line_len : HEADER_LINE_BYTES;
    size_t fits = HEADER_LINE_BYTES - held;
    if (fits > piece.len)
        fits = piece.len;
    if (fits)
        memcpy(s->head + held, piece.at, fits);
    s->line_len += piece.len;
    return (struct str){.at = s->head, .len = held + fits};
}

static bool end_line(struct header_scan *s, struct str piece, uint64_t next, struct fail *f)
{
    bool is_in_one_piece = s->line_len == 0;
    uint64_t len = s->line_len + piece.len;
    struct line l = {
        .text = is_in_one_piece ? piece : hold(s, piece),
        .is_cut_short = len > HEADER_LINE_BYTES,
        .from = s->line_offset_bytes,
        .next = next,
    };
    if (l.text.len > HEADER_LINE_BYTES)
        l.text.len = HEADER_LINE_BYTES;
    s->line_len = 0;
    s->line_offset_bytes = next;
    return take_line(s, &l, f);
}

static void find_placeholder(struct header_scan *s, struct str bytes)
{
    if (s->header.has_placeholder || bytes.len == 0)
        return;
    s->header.has_placeholder = s->last == '$' && bytes.at[0] == '{';
    s->last = bytes.at[bytes.len - 1];
    while (!s->header.has_placeholder) {
        size_t at = str_find_char(bytes, '$');
        if (at == SIZE_MAX || at + 1 >= bytes.len)
            return;
        s->header.has_placeholder = bytes.at[at + 1] == '{';
        bytes = str_skip(bytes, at + 1);
    }
}

bool header_scan_add(struct header_scan *s, struct str bytes, struct fail *f)
{
    find_placeholder(s, bytes);
    while (bytes.len) {
        const char *end = memchr(bytes.at, '\n', bytes.len);
        if (!end) {
            hold(s, bytes);
            s->offset_bytes += bytes.len;
            return true;
        }
        struct str piece = str_range(bytes.at, end);
        s->offset_bytes += piece.len + 1;
        if (!end_line(s, piece, s->offset_bytes, f))
            return false;
        bytes = str_skip(bytes, piece.len + 1);
    }
    return true;
}

bool header_scan_finish(struct header_scan *s, struct header *out, struct fail *f)
{
    if (s->line_len && !end_line(s, (struct str){.at = s->head}, s->offset_bytes, f))
        return false;
    if (has_markers(s->rules.layout) && !s->has_up) {
        fail_set(f, EXIT_USAGE, "no line \"%s\"", up_marker(s->rules.layout));
        fail_at(f, s->path, s->line ? s->line : 1, 1, (struct str){0});
        return fail_hint(f,
                         "Put it above the SQL that is to be applied, or give another --layout.");
    }
    *out = s->header;
    return true;
}

bool header_read(struct str text, struct header_rules rules, struct str path, struct header *out,
                 struct fail *f)
{
    struct header_scan s;
    header_scan_start(&s, rules, path);
    return header_scan_add(&s, text, f) && header_scan_finish(&s, out, f);
}
