/*
 * From the file into the window: pieces are digested as they are read, checked before they enter the
 * window, and lines with placeholders are replaced one by one.
 */
#include "core/model/script_parts.h"

#include "core/base/text.h"

/* A line up to what is shown behind the byte at fault: it may be as long as the window. */
struct str script_around(struct str line, const char *at)
{
    enum { BEHIND_BYTES = 1000 };
    size_t len = (size_t)(at - line.at) + BEHIND_BYTES;
    if (len >= line.len)
        return line;
    while (len && ((unsigned char)line.at[len] & 0xC0) == 0x80)
        len--; /* whole characters */
    return (struct str){line.at, len};
}

/* Place of a byte of the window, for failures about bytes rather than statements. */
bool script_fail_at(const struct script *s, size_t offset, struct fail *f)
{
    struct text_place place = text_place_of(buf_str(&s->window), offset);
    uint32_t column = place.line == 1 ? s->column + place.column - 1 : place.column;
    struct str line = script_around(place.line_text, s->window.at + offset);
    struct str excerpt = text_mentions_password(place.line_text) ? (struct str){0} : line;
    return fail_at(f, s->path, s->line + place.line - 1, column, excerpt);
}

static bool check_text(struct script *s, bool is_end, struct fail *f)
{
    struct str fresh = str_skip(buf_str(&s->window), s->checked);
    size_t valid_len;
    size_t invalid = text_find_invalid(fresh, is_end, &valid_len);
    size_t at = s->checked + (invalid == SIZE_MAX ? 0 : invalid);
    s->checked += valid_len;
    if (invalid == SIZE_MAX)
        return true;
    if (s->window.at[at] == '\0') {
        fail_set(f, EXIT_FAILED, "the file holds a NUL byte");
        fail_hint(f, "SQL is text; was the file saved as UTF-16, or is it no text at all?");
    } else {
        fail_set(f, EXIT_FAILED, "the file is not valid UTF-8: byte 0x%02x",
                 (unsigned char)s->window.at[at]);
        fail_hint(f, "Convert it, for example: iconv -f latin1 -t utf-8.");
    }
    return script_fail_at(s, at, f);
}

static const struct placeholder *find_placeholder(const struct script *s, struct str name)
{
    for (size_t i = 0; i < s->context.placeholder_count; i++) {
        if (str_equal_nocase(s->context.placeholders[i].name, name))
            return &s->context.placeholders[i];
    }
    return str_equal_nocase(s->file_name.name, name) ? &s->file_name : NULL;
}

/* Letters, digits, and what flyway's own placeholders have between them: flyway:user. */
static bool is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && !strchr("_-.:", c))
            return false;
    }
    return true;
}

static bool refuse_placeholder(const struct script *s, struct str line, size_t at, struct str name,
                               struct fail *f)
{
    struct text_place place = text_place_of(line, at);
    if (text_mentions_password(place.line_text) && !is_plain_name(name))
        name = STR("…"); /* what stands in braces may be a part of a password */
    fail_set(f, EXIT_FAILED, "placeholder ${%.*s} has no value", STR_ARG(name));
    struct str excerpt =
        text_mentions_password(place.line_text) ? (struct str){0} : place.line_text;
    fail_at(f, s->path, s->next_line, place.column, excerpt);
    return fail_hint(f,
                     "Give it with --placeholder %.*s=VALUE, or under placeholders: in "
                     "migrator.yml; flyway's placeholderReplacement=false leaves the text alone.",
                     STR_ARG(name));
}

/* One line of the file with its placeholders replaced, into the window. */
static bool replace_line(struct script *s, struct str line, struct fail *f)
{
    size_t done = 0;
    for (;;) {
        struct str rest = str_skip(line, done);
        size_t open = str_find(rest, STR("${"));
        size_t close = open == SIZE_MAX ? SIZE_MAX : str_find_char(str_skip(rest, open), '}');
        if (close == SIZE_MAX) {
            buf_add_str(&s->window, rest);
            s->next_line++;
            return true;
        }
        struct str name = {rest.at + open + 2, close - 2};
        const struct placeholder *p = find_placeholder(s, name);
        if (!p)
            return refuse_placeholder(s, line, done + open, name, f);
        buf_add(&s->window, rest.at, open);
        buf_add_str(&s->window, p->value);
        done += open + close + 1;
    }
}

static bool replace_lines(struct script *s, struct str bytes, bool is_end, struct fail *f)
{
    buf_add_str(&s->unfinished, bytes);
    struct str rest = buf_str(&s->unfinished);
    for (;;) {
        size_t newline = str_find_char(rest, '\n');
        if (newline == SIZE_MAX && !(is_end && rest.len))
            break;
        struct str line = {rest.at, newline == SIZE_MAX ? rest.len : newline + 1};
        if (!replace_line(s, line, f))
            return false;
        rest = str_skip(rest, line.len);
    }
    buf_drop(&s->unfinished, s->unfinished.len - rest.len);
    if (!s->unfinished.is_overflown)
        return true;
    fail_set(f, EXIT_FAILED, "a line with placeholders is longer than %zu MB",
             LIMIT_STATEMENT_BYTES >> 20);
    fail_at(f, s->path, s->next_line, 1, (struct str){0});
    return fail_hint(f, "Break the line.");
}

/* The part of a piece that lies within the range. */
static struct str part_in_range(struct script *s, struct str piece)
{
    uint64_t from = s->read_offset;
    struct str bytes = piece;
    if (from < s->range.from) {
        uint64_t skip = s->range.from - from < piece.len ? s->range.from - from : piece.len;
        uint32_t lines = (uint32_t)text_count_lines((struct str){piece.at, (size_t)skip});
        s->line += lines;
        s->next_line += lines;
        bytes = str_skip(piece, (size_t)skip);
    } else if (from == 0 && str_starts(piece, STR("\xEF\xBB\xBF"))) {
        bytes = str_skip(piece, 3);
    }
    uint64_t end = from + piece.len;
    if (end > s->range.to)
        bytes.len -= end - s->range.to < bytes.len ? (size_t)(end - s->range.to) : bytes.len;
    return bytes;
}

/* Placeholders made far more of a piece of the file than it holds. */
static bool refuse_expansion(const struct script *s, struct fail *f)
{
    fail_set(f, EXIT_FAILED, "placeholders make more than %zu MB of one part of the file",
             s->window.max >> 20);
    fail_at(f, s->path, s->next_line, 1, (struct str){0});
    return fail_hint(f, "Give shorter values, or use them on fewer lines.");
}

/* Reads one piece; digests it; what lies in the range goes into the window. */
bool script_read_piece(struct script *s, size_t *out_len, struct fail *f)
{
    if (!byte_source_read(&s->source, s->read_offset, s->piece, sizeof(s->piece), out_len, f))
        return false;
    struct str piece = {s->piece, *out_len};
    digest_add(s->raw, piece);
    normalizer_add(&s->normalizer, piece);
    if (s->is_at_end && s->read_offset >= s->range.to) {
        s->read_offset += piece.len;
        return true;
    }
    struct str bytes = part_in_range(s, piece);
    s->read_offset += piece.len;
    s->is_at_end = piece.len == 0 || s->read_offset >= s->range.to ||
                   (s->source.fd < 0 && s->read_offset >= s->source.size_bytes) ||
                   piece.len < sizeof(s->piece);
    if (s->has_placeholders) {
        if (!replace_lines(s, bytes, s->is_at_end, f))
            return false;
    } else {
        buf_add_str(&s->window, bytes);
    }
    if (s->window.is_overflown)
        return refuse_expansion(s, f);
    return check_text(s, s->is_at_end, f);
}

/* Fills the window up to size bytes, or to the end of the range. */
bool script_fill(struct script *s, size_t size, struct fail *f)
{
    size_t len;
    while (!s->is_at_end && s->window.len < size) {
        if (!script_read_piece(s, &len, f))
            return false;
    }
    return true;
}
