/*
 * PostgreSQL's two spellings: URL and key=value text. The URL is taken apart by libpq's own rules
 * (fe-connect.c, conninfo_uri_parse_options), and put together again with the scheme, the blanks
 * and the query made fit for libpq; user, password, hosts and database stay as they were written,
 * percent-encoding included.
 */
#include "core/model/target_url_parts.h"

#define ENCODE_HINT                                                                                \
    "Percent-encode special characters in the user and the password: %%40 for @, %%3A for :, "     \
    "%%2F for "                                                                                    \
    "/, %%3F for ?, %%23 for #, %%25 for %%."

static bool refuse_encoding(struct url_reader *r, const char *message)
{
    fail_set(r->fail, EXIT_USAGE, "%s", message);
    return fail_hint(r->fail, ENCODE_HINT);
}

static bool is_port(struct str s)
{
    uint64_t number;
    return s.len == 0 || (str_to_u64(s, &number) && number >= 1 && number <= 65535);
}

/* One "host:port", "[::1]:port" or "host". Neither is shown when it is wrong: it may be a password.
 */
static bool read_host(struct url_reader *r, struct str text, struct str *out_host,
                      struct str *out_port)
{
    if (str_starts(text, STR("["))) {
        size_t end = str_find_char(text, ']');
        struct str behind = end == SIZE_MAX ? (struct str){0} : str_skip(text, end + 1);
        if (end == SIZE_MAX || end == 1 || (behind.len && behind.at[0] != ':'))
            return url_refuse(r, "an IPv6 address in the connection URL is not closed by \"]\"",
                              "Write it as postgres://[2001:db8::1]:5432/database.");
        *out_host = (struct str){text.at + 1, end - 1};
        *out_port = str_skip(behind, 1);
    } else {
        *out_port = str_cut(text, ':', out_host);
    }
    if (!is_port(*out_port))
        return refuse_encoding(r, "the port in the connection URL is not a number from 1 to 65535");
    return url_decode(r, *out_host, out_host);
}

static bool read_hosts(struct url_reader *r, struct str text, struct pg_settings *s)
{
    SCOPED(buf) struct buf hosts = {0};
    SCOPED(buf) struct buf ports = {0};
    bool has_port = false;
    bool is_last;
    do {
        struct str one, host, port;
        is_last = str_find_char(text, ',') == SIZE_MAX;
        text = str_cut(text, ',', &one);
        if (!read_host(r, one, &host, &port))
            return false;
        buf_add_str(&hosts, host);
        buf_add_str(&ports, port);
        has_port = has_port || port.len;
        if (!is_last) {
            buf_add_char(&hosts, ',');
            buf_add_char(&ports, ',');
        }
    } while (!is_last);
    s->host = buf_done(r->arena, &hosts);
    s->port = has_port ? buf_done(r->arena, &ports) : (struct str){0};
    return true;
}

/* What is in front of the '?': [user[:password]@]hosts[/database]. */
static bool read_front(struct url_reader *r, struct str front, struct pg_settings *s)
{
    size_t slash = str_find_char(front, '/');
    struct str authority = {front.at, slash == SIZE_MAX ? front.len : slash};
    struct str database = slash == SIZE_MAX ? (struct str){0} : str_skip(front, slash + 1);
    size_t at = str_find_char(authority, '@');
    if (at != SIZE_MAX) {
        struct str user, password;
        password = str_cut((struct str){authority.at, at}, ':', &user);
        if (!url_decode(r, user, &s->user) || !url_decode(r, password, &password))
            return false;
        s->has_password = password.len > 0;
        authority = str_skip(authority, at + 1);
    }
    if (str_find_char(authority, '@') != SIZE_MAX || str_find_char(database, '@') != SIZE_MAX)
        return refuse_encoding(r, "there is an \"@\" too many in the connection URL");
    return read_hosts(r, authority, s) && url_decode(r, database, &s->database);
}

/* libpq looks for the '@' first and for the '?' behind it, so a '?' in a password is no query. */
static size_t find_query(struct str rest)
{
    size_t slash = str_find_char(rest, '/');
    size_t at = str_find_char((struct str){rest.at, slash == SIZE_MAX ? rest.len : slash}, '@');
    size_t from = at == SIZE_MAX ? 0 : at + 1;
    size_t query = str_find_char(str_skip(rest, from), '?');
    return query == SIZE_MAX ? rest.len : from + query;
}

static bool read_query(struct url_reader *r, struct str query, struct pg_settings *s)
{
    while (query.len) {
        struct str pair, key, value;
        query = str_cut(query, '&', &pair);
        struct str raw = str_cut(pair, '=', &key);
        if (!url_decode(r, key, &key) || !url_decode(r, raw, &value))
            return false;
        if (key.len && !pg_settings_take(r, s, key, raw, value))
            return false;
    }
    return true;
}

/* The text with these characters as %XX. */
static void add_without(struct buf *out, struct str raw, const char *characters)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (strchr(characters, raw.at[i]))
            buf_printf(out, "%%%02X", (unsigned char)raw.at[i]);
        else
            buf_add_char(out, raw.at[i]);
    }
}

static const char *print_url(struct arena *a, struct str front, const struct pg_settings *s)
{
    SCOPED(buf) struct buf url = {0};
    buf_add_cstr(&url, "postgresql://");
    add_without(&url, front, " "); /* libpq 17 refuses blanks */
    for (size_t i = 0; i < s->kept.count; i++) {
        buf_add_char(&url, i == 0 ? '?' : '&');
        buf_add_str(&url, s->kept.at[i].key);
        buf_add_char(&url, '=');
        /* libpq refuses a second '=', and takes what is in front of an '@' for the user where no
           '/' comes before it, even behind the '?'. */
        add_without(&url, s->kept.at[i].raw, " =@");
    }
    return arena_cstr(a, buf_str(&url));
}

/* jdbc:postgresql:database, jdbc:postgresql:/ and an empty host all mean localhost (pgJDBC). */
static struct str complete_jdbc(struct arena *a, struct str rest)
{
    if (str_starts(rest, STR("///")) || str_equal(rest, STR("//")))
        rest = str_skip(rest, 2);
    else if (str_starts(rest, STR("//")))
        return rest;
    if (str_starts(rest, STR("/")))
        rest = str_skip(rest, 1);
    return str_of(arena_printf(a, "//localhost/%.*s", STR_ARG(rest)));
}

bool url_read_postgres(struct url_reader *r, struct str rest, bool is_jdbc)
{
    for (size_t i = 0; i < rest.len; i++) {
        if ((unsigned char)rest.at[i] < ' ' || rest.at[i] == 0x7F)
            return refuse_encoding(r, "there is a control character in the connection URL");
    }
    if (is_jdbc)
        rest = complete_jdbc(r->arena, rest);
    if (!str_starts(rest, STR("//")))
        return url_refuse(r, "\"//\" is missing behind the scheme of the connection URL",
                          "Write it as postgres://user@host:5432/database.");
    rest = str_skip(rest, 2);
    size_t front_len = find_query(rest);
    struct str front = {rest.at, front_len};
    struct str query = str_skip(rest, front_len + 1);
    /* user:pass?word/1@host: what looks like a host is the user, what looks like a query the
     * password. */
    if (str_find_char(front, '/') == SIZE_MAX && str_find_char(front, '@') == SIZE_MAX &&
        str_find_char(front, ':') != SIZE_MAX && str_find_char(query, '@') != SIZE_MAX)
        return refuse_encoding(r, "there is an \"@\" behind the \"?\" of the connection URL");
    struct pg_settings s = {.is_jdbc = is_jdbc};
    if (!read_front(r, front, &s) || !read_query(r, query, &s))
        return false;
    pg_settings_finish(r, &s);
    r->out->conninfo = print_url(r->arena, front, &s);
    return pg_settings_describe(r, &s);
}

/* ---- key=value ---- */

static struct str skip_space(struct str s)
{
    while (s.len && char_is_space(s.at[0]))
        s = str_skip(s, 1);
    return s;
}

/* Cuts off "key =" with the blanks around it. false: there is no such thing at the front. */
static bool cut_key(struct str *s, struct str *out_key)
{
    struct str rest = skip_space(*s);
    size_t len = 0;
    while (len < rest.len && rest.at[len] != '=' && !char_is_space(rest.at[len]))
        len++;
    *out_key = (struct str){rest.at, len};
    rest = skip_space(str_skip(rest, len));
    if (len == 0 || rest.len == 0 || rest.at[0] != '=')
        return false;
    *s = skip_space(str_skip(rest, 1));
    return true;
}

/* Cuts off a value by the rules of libpq (conninfo_parse): quoted by '…' or up to a blank; a
   backslash takes the character behind it as it is. false: a quote is not closed. */
static bool cut_value(struct arena *a, struct str *s, struct str *out_value)
{
    SCOPED(buf) struct buf value = {0};
    bool is_quoted = str_starts(*s, STR("'"));
    struct str rest = str_skip(*s, is_quoted);
    while (rest.len && (is_quoted ? rest.at[0] != '\'' : !char_is_space(rest.at[0]))) {
        if (rest.at[0] == '\\')
            rest = str_skip(rest, 1);
        if (rest.len)
            buf_add_char(&value, rest.at[0]);
        rest = str_skip(rest, 1);
    }
    if (is_quoted && rest.len == 0)
        return false;
    *out_value = buf_done(a, &value);
    *s = str_skip(rest, is_quoted);
    return true;
}

static struct str quote_value(struct arena *a, struct str value)
{
    SCOPED(buf) struct buf out = {0};
    buf_add_char(&out, '\'');
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\'' || value.at[i] == '\\')
            buf_add_char(&out, '\\');
        buf_add_char(&out, value.at[i]);
    }
    buf_add_char(&out, '\'');
    return buf_done(a, &out);
}

bool url_is_conninfo(struct str text)
{
    struct str key;
    return cut_key(&text, &key) && pg_settings_knows(key);
}

bool url_read_conninfo(struct url_reader *r, struct str text)
{
    struct pg_settings s = {.is_strict = true};
    text = str_trim(text);
    while (text.len) {
        struct str key, value;
        if (!cut_key(&text, &key))
            return url_refuse(r, "the connection text has a word that is not followed by \"=\"",
                              "Put values that hold blanks in quotes: password='two words'.");
        if (!cut_value(r->arena, &text, &value))
            return url_refuse(r, "a quote in the connection text is not closed",
                              "Close it with ', and write \\' for a quote inside.");
        if (!pg_settings_take(r, &s, key, quote_value(r->arena, value), value))
            return false;
        text = skip_space(text);
    }
    pg_settings_finish(r, &s);
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < s.kept.count; i++)
        buf_printf(&out, "%s%.*s=%.*s", i == 0 ? "" : " ", STR_ARG(s.kept.at[i].key),
                   STR_ARG(s.kept.at[i].raw));
    r->out->conninfo = arena_cstr(r->arena, buf_str(&out));
    return pg_settings_describe(r, &s);
}
