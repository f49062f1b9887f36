/* Slices of text: see str.h. */
#include "core/base/str.h"

struct str str_range(const char *from, const char *to)
{
    assert(to >= from);
    return (struct str){.at = from, .len = (size_t)(to - from)};
}

bool str_is_empty(struct str s)
{
    return s.len == 0;
}

bool str_equal_nocase(struct str a, struct str b)
{
    return a.len == b.len && str_starts_nocase(a, b);
}

int str_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str with)
{
    return s.len >= with.len && (with.len == 0 || memcmp(s.at, with.at, with.len) == 0);
}

bool str_starts_nocase(struct str s, struct str with)
{
    if (s.len < with.len)
        return false;
    for (size_t i = 0; i < with.len; i++) {
        if (char_lower(s.at[i]) != char_lower(with.at[i]))
            return false;
    }
    return true;
}

bool str_ends(struct str s, struct str with)
{
    return s.len >= with.len && str_equal(str_skip(s, s.len - with.len), with);
}

struct str str_trim(struct str s)
{
    while (s.len && char_is_space(s.at[0]))
        s = str_skip(s, 1);
    while (s.len && char_is_space(s.at[s.len - 1]))
        s.len--;
    return s;
}

size_t str_find(struct str s, struct str what)
{
    if (what.len == 0)
        return 0;
    const char *found = s.len >= what.len ? memmem(s.at, s.len, what.at, what.len) : NULL;
    return found ? (size_t)(found - s.at) : SIZE_MAX;
}

size_t str_find_nocase(struct str s, struct str what)
{
    if (what.len == 0)
        return 0;
    char lower = char_lower(what.at[0]);
    char upper = lower >= 'a' && lower <= 'z' ? (char)(lower - 'a' + 'A') : lower;
    for (size_t i = 0; i + what.len <= s.len; i++) {
        if ((s.at[i] == lower || s.at[i] == upper) && str_starts_nocase(str_skip(s, i), what))
            return i;
    }
    return SIZE_MAX;
}

size_t str_find_char(struct str s, char c)
{
    const char *found = s.len ? memchr(s.at, c, s.len) : NULL;
    return found ? (size_t)(found - s.at) : SIZE_MAX;
}

struct str str_cut(struct str s, char c, struct str *out_head)
{
    size_t at = str_find_char(s, c);
    if (at == SIZE_MAX) {
        *out_head = s;
        return str_skip(s, s.len);
    }
    *out_head = (struct str){.at = s.at, .len = at};
    return str_skip(s, at + 1);
}

struct str str_cut_line(struct str s, struct str *out_line)
{
    struct str rest = str_cut(s, '\n', out_line);
    if (out_line->len && out_line->at[out_line->len - 1] == '\r')
        out_line->len--;
    return rest;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!char_is_digit(s.at[i]))
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool is_negative = s.len > 0 && s.at[0] == '-';
    uint64_t size;
    if (!str_to_u64(is_negative ? str_skip(s, 1) : s, &size) ||
        size > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return false;
    *out = is_negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

bool char_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
