/* Java properties: see properties.h. A logical line is joined first, then cut at its separator. */
#include "drivers/source/properties.h"

#include "core/base/buf.h"
#include "core/base/vec.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static struct str skip_blanks(struct str s)
{
    while (s.len && is_blank(s.at[0]))
        s = str_skip(s, 1);
    return s;
}

/* An odd number of backslashes at the end escapes the line end. */
static bool continues(struct str line)
{
    size_t backslashes = 0;
    while (backslashes < line.len && line.at[line.len - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

static bool add_code_point(struct buf *out, struct str digits)
{
    uint32_t c = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char d = char_lower(digits.at[i]);
        if (!char_is_digit(d) && !(d >= 'a' && d <= 'f'))
            return false;
        c = c * 16 + (uint32_t)(char_is_digit(d) ? d - '0' : d - 'a' + 10);
    }
    if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
        return false;
    if (c < 0x80) {
        buf_add_char(out, (char)c);
    } else if (c < 0x800) {
        buf_add_char(out, (char)(0xC0 | c >> 6));
        buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_add_char(out, (char)(0xE0 | c >> 12));
        buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    }
    return true;
}

/* One character, or the escape that begins the text. Returns what is behind it. */
static bool take_character(struct str *rest, struct buf *out)
{
    static const char names[] = "tnrf";
    static const char values[] = "\t\n\r\f";
    if (rest->at[0] != '\\' || rest->len == 1) {
        buf_add_char(out, rest->at[0]);
        *rest = str_skip(*rest, 1);
        return true;
    }
    char c = rest->at[1];
    if (c == 'u') {
        if (rest->len < 6 || !add_code_point(out, (struct str){.at = rest->at + 2, .len = 4}))
            return false;
        *rest = str_skip(*rest, 6);
        return true;
    }
    const char *found = memchr(names, c, sizeof(names) - 1);
    buf_add_char(out, found ? values[found - names] : c);
    *rest = str_skip(*rest, 2);
    return true;
}

static bool read_property(struct arena *a, struct str line, struct property *out)
{
    SCOPED(buf) struct buf key = {0};
    SCOPED(buf) struct buf value = {0};
    struct str rest = line;
    while (rest.len && !is_blank(rest.at[0]) && rest.at[0] != '=' && rest.at[0] != ':')
        if (!take_character(&rest, &key))
            return false;
    rest = skip_blanks(rest);
    if (rest.len && (rest.at[0] == '=' || rest.at[0] == ':'))
        rest = skip_blanks(str_skip(rest, 1));
    while (rest.len)
        if (!take_character(&rest, &value))
            return false;
    out->key = buf_done(a, &key);
    out->value = buf_done(a, &value);
    return true;
}

bool properties_parse(struct arena *a, struct str text, struct str name, struct properties *out,
                      struct fail *f)
{
    *out = (struct properties){0};
    SCOPED(buf) struct buf joined = {0};
    uint32_t line_number = 0;
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_skip(text, 3);
    while (text.len) {
        struct property p = {.line = line_number + 1};
        struct str line;
        buf_clear(&joined);
        do {
            text = str_cut_line(text, &line);
            line_number++;
            line = skip_blanks(line);
            bool is_comment =
                joined.len == 0 && line.len && (line.at[0] == '#' || line.at[0] == '!');
            if (is_comment)
                line.len = 0;
            buf_add(&joined, line.at, line.len - continues(line));
        } while (text.len && continues(line));
        struct str whole = buf_str(&joined);
        if (whole.len == 0)
            continue;
        if (!read_property(a, whole, &p)) {
            fail_set(f, EXIT_USAGE, "invalid \\u escape");
            fail_at(f, name, p.line, 1, (struct str){0});
            return fail_hint(f, "It is followed by four hexadecimal digits.");
        }
        vec_push(a, out, p);
    }
    return true;
}
