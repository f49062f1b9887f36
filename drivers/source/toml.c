/* A reader for a subset of TOML 1.0: see toml.h. One cursor, one token ahead at most. */
#include "drivers/source/toml.h"

#include "core/base/buf.h"
#include "core/base/vec.h"

struct reader {
    struct arena *a;
    struct str rest;
    struct str name;
    uint32_t line;
    struct str table; /* "flyway.placeholders", or "" */
    struct toml *out;
};

static bool refuse(struct reader *r, const char *what, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "%s", what);
    fail_at(f, r->name, r->line, 0, (struct str){0});
    return fail_hint(f, "Tables, strings on one line, booleans and arrays of strings are read.");
}

static char peek(const struct reader *r)
{
    return r->rest.len ? r->rest.at[0] : '\0';
}

static void skip(struct reader *r, size_t len)
{
    r->rest = str_skip(r->rest, len);
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t')
        skip(r, 1);
}

static void skip_comment(struct reader *r)
{
    if (peek(r) == '#')
        while (r->rest.len && peek(r) != '\n')
            skip(r, 1);
}

/* Blanks and a comment up to the end of the line, which is consumed. */
static bool end_line(struct reader *r, struct fail *f)
{
    skip_blanks(r);
    skip_comment(r);
    if (str_starts(r->rest, STR("\r\n")))
        skip(r, 1);
    if (r->rest.len && peek(r) != '\n')
        return refuse(r, "unexpected text at the end of the line", f);
    skip(r, 1);
    r->line++;
    return true;
}

static bool hex_value(struct str digits, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = char_lower(digits.at[i]);
        bool is_hex = char_is_digit(c) || (c >= 'a' && c <= 'f');
        if (!is_hex)
            return false;
        value = value * 16 + (uint32_t)(char_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

static void add_utf8(struct buf *text, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(text, (char)c);
    } else if (c < 0x800) {
        buf_add_char(text, (char)(0xC0 | c >> 6));
        buf_add_char(text, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_add_char(text, (char)(0xE0 | c >> 12));
        buf_add_char(text, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_add_char(text, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_add_char(text, (char)(0xF0 | c >> 18));
        buf_add_char(text, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_add_char(text, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_add_char(text, (char)(0x80 | (c & 0x3F)));
    }
}

/* Behind the backslash. */
static bool read_escape(struct reader *r, struct buf *text, struct fail *f)
{
    static const char names[] = "btnfr\"\\";
    static const char values[] = "\b\t\n\f\r\"\\";
    char c = peek(r);
    const char *found = c ? strchr(names, c) : NULL;
    if (found) {
        buf_add_char(text, values[found - names]);
        skip(r, 1);
        return true;
    }
    size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t value = 0;
    bool is_valid = digits && r->rest.len > digits &&
                    hex_value((struct str){.at = r->rest.at + 1, .len = digits}, &value) && value &&
                    value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    if (!is_valid)
        return refuse(r, "invalid escape in a string", f);
    add_utf8(text, value);
    skip(r, digits + 1);
    return true;
}

static bool read_string(struct reader *r, struct str *out, struct fail *f)
{
    char quote = peek(r);
    if (str_starts(r->rest, STR("\"\"\"")) || str_starts(r->rest, STR("'''")))
        return refuse(r, "strings over several lines are not read", f);
    skip(r, 1);
    SCOPED(buf) struct buf text = {0};
    while (r->rest.len && peek(r) != quote && peek(r) != '\n') {
        char c = peek(r);
        skip(r, 1);
        if (c != '\\' || quote == '\'')
            buf_add_char(&text, c);
        else if (!read_escape(r, &text, f))
            return false;
    }
    if (peek(r) != quote)
        return refuse(r, "unterminated string", f);
    skip(r, 1);
    *out = buf_done(r->a, &text);
    return true;
}

static bool is_bare(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '-';
}

/* a.b."c d", joined by dots; a part with a dot in quotes cannot be told from two parts, which no
   file we read cares about. */
static bool read_key(struct reader *r, struct str *out, struct fail *f)
{
    struct str key = {0};
    for (;;) {
        skip_blanks(r);
        struct str part = {.at = r->rest.at};
        if (peek(r) == '"' || peek(r) == '\'') {
            if (!read_string(r, &part, f))
                return false;
        } else {
            while (part.len < r->rest.len && is_bare(part.at[part.len]))
                part.len++;
            skip(r, part.len);
            if (part.len == 0)
                return refuse(r, "expected a key", f);
        }
        key = key.len ? str_of(arena_printf(r->a, "%.*s.%.*s", STR_ARG(key), STR_ARG(part))) : part;
        skip_blanks(r);
        if (peek(r) != '.')
            break;
        skip(r, 1);
    }
    *out = key;
    return true;
}

static bool read_table(struct reader *r, struct fail *f)
{
    size_t brackets = str_starts(r->rest, STR("[[")) ? 2 : 1;
    skip(r, brackets);
    if (!read_key(r, &r->table, f))
        return false;
    for (size_t i = 0; i < brackets; i++) {
        if (peek(r) != ']')
            return refuse(r, "expected \"]\"", f);
        skip(r, 1);
    }
    return end_line(r, f);
}

/* Blanks, comments and line ends inside an array. */
static bool skip_between(struct reader *r, struct fail *f)
{
    for (;;) {
        skip_blanks(r);
        if (peek(r) != '#' && peek(r) != '\n' && peek(r) != '\r')
            return true;
        if (!end_line(r, f))
            return false;
    }
}

static bool read_array(struct reader *r, struct toml_pair *pair, struct fail *f)
{
    pair->type = TOML_STRINGS;
    skip(r, 1);
    for (;;) {
        if (!skip_between(r, f))
            return false;
        if (peek(r) == ']')
            break;
        struct str item;
        if (peek(r) != '"' && peek(r) != '\'')
            return refuse(r, "only arrays of strings are read", f);
        if (!read_string(r, &item, f))
            return false;
        vec_push(r->a, &pair->strings, item);
        if (!skip_between(r, f))
            return false;
        if (peek(r) == ',')
            skip(r, 1);
        else if (peek(r) != ']')
            return refuse(r, "expected \",\" or \"]\"", f);
    }
    skip(r, 1);
    return true;
}

static bool read_value(struct reader *r, struct toml_pair *pair, struct fail *f)
{
    char c = peek(r);
    if (c == '"' || c == '\'') {
        pair->type = TOML_STRING;
        return read_string(r, &pair->text, f);
    }
    if (c == '[')
        return read_array(r, pair, f);
    if (c == '{')
        return refuse(r, "inline tables are not read", f);
    struct str word = {.at = r->rest.at};
    while (word.len < r->rest.len &&
           (is_bare(word.at[word.len]) || memchr("+.:", word.at[word.len], 3)))
        word.len++;
    skip(r, word.len);
    if (word.len == 0)
        return refuse(r, "expected a value", f);
    pair->text = word;
    pair->boolean = str_equal(word, STR("true"));
    pair->type = pair->boolean || str_equal(word, STR("false")) ? TOML_BOOLEAN : TOML_OTHER;
    return true;
}

static bool read_pair(struct reader *r, struct fail *f)
{
    struct toml_pair pair = {.line = r->line};
    if (!read_key(r, &pair.key, f))
        return false;
    if (peek(r) != '=')
        return refuse(r, "expected \"=\"", f);
    skip(r, 1);
    skip_blanks(r);
    if (!read_value(r, &pair, f))
        return false;
    if (r->table.len)
        pair.key = str_of(arena_printf(r->a, "%.*s.%.*s", STR_ARG(r->table), STR_ARG(pair.key)));
    vec_push(r->a, r->out, pair);
    return end_line(r, f);
}

bool toml_parse(struct arena *a, struct str text, struct str name, struct toml *out, struct fail *f)
{
    *out = (struct toml){0};
    struct reader r = {.a = a, .rest = text, .name = name, .line = 1, .out = out};
    if (str_starts(r.rest, STR("\xEF\xBB\xBF")))
        skip(&r, 3);
    while (r.rest.len) {
        skip_blanks(&r);
        char c = peek(&r);
        bool is_read = r.rest.len == 0 || c == '#' || c == '\n' || c == '\r' ? end_line(&r, f)
                       : c == '['                                            ? read_table(&r, f)
                                                                             : read_pair(&r, f);
        if (!is_read)
            return false;
    }
    return true;
}

const struct toml_pair *toml_get(const struct toml *t, struct str key)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_equal(t->at[i].key, key))
            return &t->at[i];
    return NULL;
}
