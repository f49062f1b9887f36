/*
 * Which kind of connection text it is, decided from the text alone: no file is looked for, so that
 * the same text always means the same. A scheme decides; then key= with a key of libpq's; a bare
 * path is one that has a '/' or ends as SQLite files do (with --engine sqlite, anything else too).
 */
#include "core/model/target_url.h"

#include "core/model/target_url_parts.h"

static const char forms_hint[] = "Use postgres://user@host:5432/database, \"host=... dbname=...\", "
                                 "sqlite:file.db, or a path such "
                                 "as ./file.db.";

struct scheme_row {
    struct str name;
    enum engine engine;
    bool is_file;
};

/* Of libpq, SQLite, Rails, Symfony, Django and golang-migrate. "+driver" may follow (SQLAlchemy).
 */
static const struct scheme_row schemes[] = {
    {{"postgres", 8}, ENGINE_POSTGRES, false}, {{"postgresql", 10}, ENGINE_POSTGRES, false},
    {{"postgis", 7}, ENGINE_POSTGRES, false},  {{"pgsql", 5}, ENGINE_POSTGRES, false},
    {{"psql", 4}, ENGINE_POSTGRES, false},     {{"pgx", 3}, ENGINE_POSTGRES, false},
    {{"pgx4", 4}, ENGINE_POSTGRES, false},     {{"pgx5", 4}, ENGINE_POSTGRES, false},
    {{"sqlite", 6}, ENGINE_SQLITE, false},     {{"sqlite3", 7}, ENGINE_SQLITE, false},
    {{"file", 4}, ENGINE_SQLITE, true},
};

bool url_refuse(struct url_reader *r, const char *message, const char *hint)
{
    fail_set(r->fail, EXIT_USAGE, "%s", message);
    return fail_hint(r->fail, "%s", hint);
}

void url_note(struct url_reader *r, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *note = arena_vprintf(r->arena, format, values);
    va_end(values);
    vec_push(r->arena, &r->notes, note);
}

static bool is_word(struct str s)
{
    enum { LONGEST = 40 };
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '_' && c != '-' && c != '.')
            return false;
    }
    return s.len > 0 && s.len <= LONGEST;
}

void url_note_dropped(struct url_reader *r, struct str key, const char *why)
{
    if (r->has_seen_secret || !is_word(key))
        url_note(r, "dropped a parameter, %s", why);
    else
        url_note(r, "dropped %.*s, %s", STR_ARG(key), why);
}

static int hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    char lower = char_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that the %XX at the front of s stands for, or -1. */
static int escaped_byte(struct str s)
{
    int high = s.len >= 3 && s.at[0] == '%' ? hex_value(s.at[1]) : -1;
    int low = high >= 0 ? hex_value(s.at[2]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}

bool url_decode(struct url_reader *r, struct str text, struct str *out)
{
    SCOPED(buf) struct buf decoded = {0};
    while (text.len) {
        if (text.at[0] != '%') {
            buf_add_char(&decoded, text.at[0]);
            text = str_skip(text, 1);
            continue;
        }
        int byte = escaped_byte(text);
        if (byte <= 0)
            return url_refuse(r,
                              byte < 0 ? "a \"%\" in the connection URL is not followed by two "
                                         "hexadecimal digits"
                                       : "the connection URL holds a NUL character (%00)",
                              "Write %25 for a % that stands for itself.");
        buf_add_char(&decoded, (char)byte);
        text = str_skip(text, 3);
    }
    *out = buf_done(r->arena, &decoded);
    return true;
}

void url_encode(struct buf *out, struct str text, const char *plain)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (char_is_alpha(c) || char_is_digit(c) || (unsigned char)c > 0x7F ||
            (c && strchr(plain, c)))
            buf_add_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

bool url_holds_userinfo(struct str text)
{
    size_t colon = str_find_char(text, ':');
    return colon != SIZE_MAX && str_find_char(str_skip(text, colon), '@') != SIZE_MAX;
}

/* Cuts "scheme:" off. false: the text does not begin with one (RFC 3986, 3.1). */
static bool cut_scheme(struct str *text, struct str *out_scheme)
{
    size_t len = 0;
    while (len < text->len && (char_is_alpha(text->at[len]) || char_is_digit(text->at[len]) ||
                               strchr("+-.", text->at[len])))
        len++;
    if (len == 0 || len == text->len || text->at[len] != ':' || !char_is_alpha(text->at[0]))
        return false;
    *out_scheme = (struct str){text->at, len};
    *text = str_skip(*text, len + 1);
    return true;
}

static const struct scheme_row *find_scheme(struct str scheme)
{
    struct str name;
    (void)str_cut(scheme, '+', &name);
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_equal_nocase(name, schemes[i].name))
            return &schemes[i];
    }
    return NULL;
}

/* A path, and nothing that was meant to be something else? */
static bool is_path(struct str text, enum engine hint)
{
    static const struct str ends[] = {
        {".db", 3}, {".db3", 4}, {".sqlite", 7}, {".sqlite3", 8}, {".sdb", 4}};
    if (hint == ENGINE_SQLITE || str_find_char(text, '/') != SIZE_MAX)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (str_ends(text, ends[i]))
            return true;
    }
    return false;
}

/* A text with a scheme that we do not have. Only in front of "://" it is surely no user's name. */
static bool refuse_scheme(struct url_reader *r, struct str scheme, struct str rest)
{
    if (str_starts(rest, STR("//")) && is_word(scheme))
        fail_set(r->fail, EXIT_USAGE, "the scheme \"%.*s\" is neither PostgreSQL nor SQLite",
                 STR_ARG(scheme));
    else
        fail_set(r->fail, EXIT_USAGE, "the connection text names neither PostgreSQL nor SQLite");
    return fail_hint(r->fail, "%s", forms_hint);
}

static bool read_scheme(struct url_reader *r, struct str scheme, struct str rest)
{
    bool is_jdbc = str_equal_nocase(scheme, STR("jdbc"));
    if (is_jdbc && !cut_scheme(&rest, &scheme))
        return url_refuse(r, "the connection text names neither PostgreSQL nor SQLite", forms_hint);
    const struct scheme_row *row = find_scheme(scheme);
    if (!row)
        return refuse_scheme(r, scheme, rest);
    return row->engine == ENGINE_POSTGRES ? url_read_postgres(r, rest, is_jdbc)
                                          : url_read_sqlite(r, rest, row->is_file);
}

static bool read_text(struct url_reader *r, struct str text, enum engine hint)
{
    struct str scheme, rest = text;
    if (text.len == 0 && hint == ENGINE_SQLITE)
        return url_refuse(r, "SQLite needs the path of a database",
                          "Give it with --url, as in --url sqlite:dev.db.");
    if (text.len == 0 || url_is_conninfo(text))
        return url_read_conninfo(r, text);
    if (cut_scheme(&rest, &scheme))
        return read_scheme(r, scheme, rest);
    if (is_path(text, hint))
        return url_read_sqlite_path(r, text);
    return url_refuse(r, "the connection text is neither a URL, nor key=value, nor a path",
                      forms_hint);
}

bool target_url_parse(struct arena *a, struct str text, enum engine hint, struct target_url *out,
                      struct fail *f)
{
    struct target_url parsed = {0};
    struct url_reader r = {.arena = a, .fail = f, .out = &parsed};
    text = str_trim(text);
    if (str_find_char(text, '\0') != SIZE_MAX)
        return url_refuse(&r, "the connection text holds a NUL character", forms_hint);
    if (!read_text(&r, text, hint))
        return false;
    if (hint != ENGINE_UNKNOWN && hint != parsed.engine) {
        fail_set(f, EXIT_USAGE, "the connection text is for %s, not for %s",
                 engine_name(parsed.engine), engine_name(hint));
        return fail_hint(f, "Leave --engine out: the connection text decides.");
    }
    parsed.notes = r.notes.at;
    parsed.note_count = r.notes.count;
    *out = parsed;
    return true;
}
