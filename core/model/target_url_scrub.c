/*
 * Hiding passwords in a command-line argument that may be anything: an option with a value, a URL
 * that is written wrongly, key=value text. What is hidden is only ever shown by ps, so in doubt
 * more is hidden rather than less.
 */
#include "core/model/target_url.h"

static void hide(char *from, const char *to)
{
    while (from < to)
        *from++ = 'x';
}

static int hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    char lower = char_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* If the word stands at `at`, in any case and with any letter written as %XX: behind it, else NULL.
 */
static char *behind_word(char *at, const char *word)
{
    for (; *word; word++) {
        char c = *at;
        size_t len = 1;
        if (c == '%' && at[1] && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
            c = (char)(hex_value(at[1]) * 16 + hex_value(at[2]));
            len = 3;
        }
        if (char_lower(c) != *word)
            return NULL;
        at += len;
    }
    return at;
}

/* Where a value ends: at the quote that closes it; in a query at '&'; else at a blank. */
static char *value_end(char *value, bool is_query)
{
    char quote = *value == '\'' || *value == '"' ? *value : '\0';
    char *p = value + (quote != '\0');
    for (; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (quote ? *p == quote : is_query ? *p == '&' : char_is_space(*p))
            break;
    }
    return p;
}

/* "password = value", "&sslpassword=value", "password: value". */
static void scrub_settings(char *argument)
{
    static const char *const words[] = {"password", "passwd",           "pwd",
                                        "pass",     "scram_client_key", "scram_server_key",
                                        "key",      "hexkey",           "secret"};
    bool is_query = false;
    for (char *p = argument; *p; p++) {
        is_query = is_query || *p == '?';
        char *found = NULL;
        for (size_t i = 0; !found && i < ARRAY_LEN(words); i++)
            found = behind_word(p, words[i]);
        if (!found)
            continue;
        while (char_is_space(*found))
            found++;
        char sign = *found;
        if (sign != '=' && sign != ':')
            continue;
        found++;
        while (char_is_space(*found))
            found++;
        char *end = sign == ':' ? found + strcspn(found, "\n") : value_end(found, is_query);
        hide(found, end);
        p = end - 1;
    }
}

/* Between the first ':' and the last '@' behind it, in case the password holds one or a '/'. */
static void scrub_userinfo(char *from)
{
    char *colon = strchr(from, ':');
    char *at = colon ? strrchr(colon, '@') : NULL;
    if (at)
        hide(colon + 1, at);
}

static bool has_space(const char *text)
{
    while (*text && !char_is_space(*text))
        text++;
    return *text != '\0';
}

void target_url_scrub(char *argument)
{
    char *authority = strstr(argument, "://");
    if (authority)
        scrub_userinfo(authority + 3);
    else if (!has_space(argument))
        scrub_userinfo(argument);
    scrub_settings(argument);
}
