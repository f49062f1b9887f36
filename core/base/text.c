/* UTF-8, places in a text, display width: see text.h. */
#include "core/base/text.h"

#include <wchar.h>

/* Length of the valid character at s.at[at] (RFC 3629 table 3-7: no overlong forms, no surrogates,
   nothing above U+10FFFF, and no NUL), 0 if invalid, -1 if the text ends within it. */
static int character_len(struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.at + at;
    size_t left = s.len - at;
    if (p[0] == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    int len = p[0] >= 0xC2 && p[0] <= 0xDF   ? 2
              : (p[0] & 0xF0) == 0xE0        ? 3
              : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                             : 0;
    if (len == 0)
        return 0;
    unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    for (int i = 1; i < len; i++) {
        if ((size_t)i >= left)
            return -1;
        if (p[i] < low || p[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return len;
}

/* Bytes from at on that are plain ASCII and not NUL, eight at a time: migrations mostly are. */
static size_t ascii_run(struct str s, size_t at)
{
    size_t from = at;
    while (at + 8 <= s.len) {
        uint64_t word;
        memcpy(&word, s.at + at, 8);
        bool has_zero = (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
        if (has_zero || (word & 0x8080808080808080u))
            break;
        at += 8;
    }
    return at - from;
}

size_t text_find_invalid(struct str s, bool is_end, size_t *out_valid_len)
{
    size_t at = 0;
    while (at < s.len) {
        at += ascii_run(s, at);
        if (at >= s.len)
            break;
        int len = character_len(s, at);
        if (len <= 0) {
            *out_valid_len = at;
            return len < 0 && !is_end ? SIZE_MAX : at;
        }
        at += (size_t)len;
    }
    *out_valid_len = at;
    return SIZE_MAX;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

struct text_place text_place_of(struct str s, size_t offset)
{
    if (offset > s.len)
        offset = s.len;
    while (offset > 0 && offset < s.len && is_continuation(s.at[offset]))
        offset--; /* within a character: its place */
    struct text_place place = {.line = 1, .column = 1};
    size_t line_from = 0;
    const char *newline;
    while (line_from < offset && (newline = memchr(s.at + line_from, '\n', offset - line_from))) {
        place.line++;
        line_from = (size_t)(newline - s.at) + 1;
    }
    for (size_t i = line_from; i < offset; i++)
        place.column += !is_continuation(s.at[i]);
    (void)str_cut_line(str_skip(s, line_from), &place.line_text);
    return place;
}

size_t text_offset_of_character(struct str s, size_t character)
{
    size_t at = 0;
    while (at < s.len && character > 0) {
        at++;
        while (at < s.len && is_continuation(s.at[at]))
            at++;
        character--;
    }
    return at;
}

size_t text_count_lines(struct str s)
{
    size_t count = 0;
    while (s.len) {
        size_t at = str_find_char(s, '\n');
        if (at == SIZE_MAX)
            break;
        count++;
        s = str_skip(s, at + 1);
    }
    return count;
}

/* Characters that a terminal obeys or lets a text pretend: C1 controls, line and paragraph separators,
   marks that turn the direction of writing. p: a valid character of two or three bytes. */
static bool is_unsafe(const unsigned char *p, int len)
{
    if (len == 2)
        return (p[0] == 0xC2 && p[1] < 0xA0) || (p[0] == 0xD8 && p[1] == 0x9C);
    if (len != 3 || p[0] != 0xE2)
        return false;
    bool is_separator_or_turn = p[1] == 0x80 && p[2] >= 0xA8 && p[2] <= 0xAE;
    bool is_mark = p[1] == 0x80 && (p[2] == 0x8E || p[2] == 0x8F);
    bool is_isolate = p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
    return is_separator_or_turn || is_mark || is_isolate;
}

/* Length of the character at s.at[at] that may be shown as it is, 0 where there is none. */
static size_t plain_len(struct str s, size_t at, bool keeps_tabs)
{
    const unsigned char *p = (const unsigned char *)s.at + at;
    if (p[0] < 0x80)
        return (p[0] >= ' ' && p[0] != 127) || (p[0] == '\t' && keeps_tabs);
    int len = character_len(s, at);
    return len > 0 && !is_unsafe(p, len) ? (size_t)len : 0;
}

bool text_needs_escape(struct str s, bool keeps_tabs)
{
    size_t len = 1;
    for (size_t at = 0; at < s.len && len; at += len)
        len = plain_len(s, at, keeps_tabs);
    return !len;
}

static void add_escape(struct buf *out, const unsigned char *p, int len)
{
    if (len == 2)
        buf_printf(out, "\\u%04x", (unsigned)((p[0] & 0x1F) << 6 | (p[1] & 0x3F)));
    else if (len == 3)
        buf_printf(out, "\\u%04x",
                   (unsigned)((p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F)));
    else if (p[0] == '\n' || p[0] == '\r' || p[0] == '\t')
        buf_printf(out, "\\%c", p[0] == '\n' ? 'n' : p[0] == '\r' ? 'r' : 't');
    else
        buf_printf(out, "\\x%02x", p[0]);
}

void text_escape(struct buf *out, struct str s, bool keeps_tabs)
{
    size_t from = 0; /* of what is plain */
    for (size_t at = 0; at < s.len;) {
        size_t len = plain_len(s, at, keeps_tabs);
        if (len) {
            at += len;
            continue;
        }
        buf_add(out, s.at + from, at - from);
        int unsafe_len = character_len(s, at);
        add_escape(out, (const unsigned char *)s.at + at, unsafe_len);
        from = at += unsafe_len > 1 ? (size_t)unsafe_len : 1;
    }
    buf_add(out, s.at + from, s.len - from);
}

size_t text_width(struct str s)
{
    size_t width = 0;
    mbstate_t state = {0};
    while (s.len) {
        /* One column in every locale; asking the C library takes a hundred times as long. */
        if (s.at[0] >= ' ' && s.at[0] < 0x7F && mbsinit(&state)) {
            s = str_skip(s, 1);
            width++;
            continue;
        }
        wchar_t wide;
        size_t len = mbrtowc(&wide, s.at, s.len, &state);
        if (len == 0 || len > s.len) { /* not in this locale: one column a byte */
            state = (mbstate_t){0};
            len = 1;
            width++;
        } else {
            int columns = wcwidth(wide);
            width += columns > 0 ? (size_t)columns : 0;
        }
        s = str_skip(s, len);
    }
    return width;
}

size_t text_edit_distance(struct str a, struct str b)
{
    enum { LONGEST = 64 };
    if (a.len > LONGEST || b.len > LONGEST)
        return a.len > b.len ? a.len : b.len;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t changed = diagonal + (a.at[i - 1] != b.at[j - 1]);
            size_t least = above < row[j - 1] ? above + 1 : row[j - 1] + 1;
            row[j] = changed < least ? changed : least;
            diagonal = above;
        }
    }
    return row[b.len];
}

/* passw, pasw, passsw, pssw: nobody mistypes a secret word on purpose. */
static bool starts_password(struct str s)
{
    size_t at = 1;
    if (at < s.len && char_lower(s.at[at]) == 'a')
        at++;
    size_t first_s = at;
    while (at < s.len && char_lower(s.at[at]) == 's')
        at++;
    bool is_spelt = at > first_s && (first_s == 2 || at > first_s + 1);
    struct str rest = str_skip(s, at);
    return is_spelt && (str_starts_nocase(rest, STR("wor")) || str_starts_nocase(rest, STR("wr")) ||
                        str_starts_nocase(rest, STR("wd")));
}

bool text_mentions_password(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (char_lower(s.at[i]) == 'p' && starts_password(str_skip(s, i)))
            return true;
    }
    return false;
}

static bool is_of_word(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

bool text_mentions(struct str text, struct str name)
{
    for (size_t from = 0; name.len && from < text.len;) {
        size_t at = str_find_nocase(str_skip(text, from), name);
        if (at == SIZE_MAX)
            return false;
        at += from;
        bool begins = at == 0 || !is_of_word(text.at[at - 1]);
        bool ends = at + name.len == text.len || !is_of_word(text.at[at + name.len]);
        if (begins && ends)
            return true;
        from = at + 1;
    }
    return false;
}
