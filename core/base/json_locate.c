/*
 * Finds a value in JSON that was parsed before and is known to be well-formed, for the place in a message:
 * jansson forgets where values came from.
 */
#include "core/base/json.h"

static size_t skip_space(struct str s, size_t at)
{
    while (at < s.len && char_is_space(s.at[at]))
        at++;
    return at;
}

/* Behind a string that begins at at. */
static size_t skip_string(struct str s, size_t at)
{
    for (at++; at < s.len && s.at[at] != '"'; at++)
        at += s.at[at] == '\\';
    return at < s.len ? at + 1 : s.len;
}

/* Behind a value. */
static size_t skip_value(struct str s, size_t at)
{
    size_t depth = 0;
    while (at < s.len) {
        char c = s.at[at];
        if (c == '"') {
            at = skip_string(s, at);
        } else if (c == '[' || c == '{') {
            depth++;
            at++;
        } else if (c == ']' || c == '}') {
            if (depth == 0)
                return at;
            depth--;
            at++;
        } else if (depth == 0 && (c == ',' || char_is_space(c))) {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0)
            return at;
    }
    return at;
}

/* Behind the comma that follows the value; SIZE_MAX: it was the last. */
static size_t skip_comma(struct str s, size_t at)
{
    at = skip_space(s, skip_value(s, at));
    return at < s.len && s.at[at] == ',' ? skip_space(s, at + 1) : SIZE_MAX;
}

/* Keys with escapes in them are not found: ours have none. */
static size_t find_key(struct str s, size_t at, struct str key)
{
    while (at < s.len && s.at[at] == '"') {
        size_t end = skip_string(s, at);
        bool is_it = str_equal(str_range(s.at + at + 1, s.at + end - 1), key);
        at = skip_space(s, end);
        at = skip_space(s, at + 1); /* the colon */
        if (is_it)
            return at;
        at = skip_comma(s, at);
    }
    return SIZE_MAX;
}

static size_t find_index(struct str s, size_t at, size_t index)
{
    for (; index && at < s.len; index--)
        at = skip_comma(s, at);
    return at < s.len && s.at[at] != ']' ? at : SIZE_MAX;
}

size_t json_locate(struct str text, const struct json_step *way, size_t count)
{
    size_t at = skip_space(text, 0);
    for (size_t i = 0; i < count && at < text.len; i++) {
        bool is_key = way[i].key != NULL;
        if (text.at[at] != (is_key ? '{' : '['))
            return SIZE_MAX;
        at = skip_space(text, at + 1);
        at = is_key ? find_key(text, at, str_of(way[i].key)) : find_index(text, at, way[i].index);
    }
    return at < text.len ? at : SIZE_MAX;
}
