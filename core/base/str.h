/*
 * A slice of text: pointer and length, not NUL-terminated, not owned. SQL text is full of them.
 * An empty str may have at == NULL.
 */
#ifndef CORE_BASE_STR_H
#define CORE_BASE_STR_H

#include "core/base/base.h"

struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){.at = "" literal, .len = sizeof(literal) - 1})
/* For printf's "%.*s". */
#define STR_ARG(s) ((int)(s).len), ((s).at ? (s).at : "")

/* NULL gives the empty str. */
static inline struct str str_of(const char *cstr)
{
    return (struct str){.at = cstr, .len = cstr ? strlen(cstr) : 0};
}
struct str str_range(const char *from, const char *to);
bool str_is_empty(struct str s);
static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
bool str_equal_nocase(struct str a, struct str b); /* ASCII letters only */
/* Bytewise order, as memcmp: <0, 0, >0. */
int str_compare(struct str a, struct str b);
bool str_starts(struct str s, struct str with);
bool str_starts_nocase(struct str s, struct str with);
bool str_ends(struct str s, struct str with);
/* Drops len bytes from the front (at most all). */
static inline struct str str_skip(struct str s, size_t len)
{
    if (len > s.len)
        len = s.len;
    return (struct str){.at = s.at ? s.at + len : NULL, .len = s.len - len};
}
/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);
/* Offset of the first occurrence, or SIZE_MAX. */
size_t str_find(struct str s, struct str what);
size_t str_find_nocase(struct str s, struct str what); /* ASCII letters only */
size_t str_find_char(struct str s, char c);
/* Cuts at the first c: *out_head is before it, the result after it; without c, head is all. */
struct str str_cut(struct str s, char c, struct str *out_head);
/* Cuts off the first line, without its end (\n or \r\n). */
struct str str_cut_line(struct str s, struct str *out_line);

/* Whole decimal number without sign that fits; false otherwise. */
bool str_to_u64(struct str s, uint64_t *out) MUST_CHECK;
bool str_to_i64(struct str s, int64_t *out) MUST_CHECK;
static inline bool char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
bool char_is_alpha(char c);
char char_lower(char c);

#endif
