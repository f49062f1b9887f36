/*
 * SQLite's spellings. All that is taken from one is a path, whether foreign keys are to be
 * enforced, and whether the file may be written or made (mode=, immutable=):
 *   sqlite:rel.db  sqlite3:rel.db  sqlite://rel.db   relative (sqlx, goose, golang-migrate)
 *   sqlite:/a.db   sqlite:///a.db                    absolute (dbmate; not so SQLAlchemy)
 *   file:rel.db    file:/a.db  file:///a.db  file://localhost/a.db   as SQLite reads them
 *   jdbc:sqlite:…  and these with file: inside
 * A path in a URL is percent-decoded; a bare path is taken as it is.
 */
#include "core/model/target_url_parts.h"

static bool refuse_memory(struct url_reader *r)
{
    return url_refuse(r, "an in-memory database is gone when the program ends",
                      "Give the path of a file, as in sqlite:dev.db.");
}

static bool set_path(struct url_reader *r, struct str path)
{
    if (path.len == 0)
        return url_refuse(r, "the SQLite URL names no file",
                          "Give the path of a file, as in sqlite:dev.db.");
    if (str_equal_nocase(path, STR(":memory:")))
        return refuse_memory(r);
    if (str_ends(path, STR("/")))
        return url_refuse(r, "the path of the SQLite database is a directory",
                          "Give the path of a file, as in sqlite:dev.db.");
    for (size_t i = 0; i < path.len; i++) {
        if ((unsigned char)path.at[i] < ' ' || path.at[i] == 0x7F)
            return url_refuse(r, "there is a control character in the path of the SQLite database",
                              "Give the path of a file, as in sqlite:dev.db.");
    }
    r->out->engine = ENGINE_SQLITE;
    r->out->path = arena_cstr(r->arena, path);
    r->out->safe = arena_printf(r->arena, "sqlite:%s", r->out->path);
    return true;
}

static const char *on_or_off(struct str value)
{
    static const struct str on[] = {{"on", 2}, {"1", 1}, {"true", 4}, {"yes", 3}};
    static const struct str off[] = {{"off", 3}, {"0", 1}, {"false", 5}, {"no", 2}};
    for (size_t i = 0; i < ARRAY_LEN(on); i++) {
        if (str_equal_nocase(value, on[i]))
            return "on";
    }
    for (size_t i = 0; i < ARRAY_LEN(off); i++) {
        if (str_equal_nocase(value, off[i]))
            return "off";
    }
    return NULL;
}

static bool take_foreign_keys(struct url_reader *r, struct str value)
{
    r->out->query = on_or_off(value);
    if (r->out->query)
        return true;
    return url_refuse(r, "the value of foreign_keys in the SQLite URL is neither on nor off",
                      "Write ?foreign_keys=on.");
}

/* https://www.sqlite.org/uri.html, 3.3 */
static bool take_mode(struct url_reader *r, struct str value)
{
    if (str_equal_nocase(value, STR("memory")))
        return refuse_memory(r);
    if (str_equal_nocase(value, STR("ro")))
        r->out->mode = "ro";
    else if (str_equal_nocase(value, STR("rw")))
        r->out->mode = "rw";
    else if (str_equal_nocase(value, STR("rwc")))
        r->out->mode = NULL;
    else
        return url_refuse(r, "the value of mode in the SQLite URL is none of ro, rw and rwc",
                          "Write ?mode=ro to read only, or leave mode out.");
    return true;
}

static bool take_immutable(struct url_reader *r, struct str value)
{
    const char *is_on = on_or_off(value);
    if (!is_on)
        return url_refuse(r, "the value of immutable in the SQLite URL is neither 1 nor 0",
                          "Write ?immutable=1 for a file that nothing writes to.");
    r->out->is_immutable = strcmp(is_on, "on") == 0;
    return true;
}

/* _pragma=foreign_keys(1) or foreign_keys=1: modernc.org/sqlite. */
static bool is_foreign_keys_pragma(struct str value, struct str *out_value)
{
    if (!str_starts_nocase(value, STR("foreign_keys")))
        return false;
    struct str rest = str_trim(str_skip(value, strlen("foreign_keys")));
    bool is_call = str_starts(rest, STR("(")) && str_ends(rest, STR(")"));
    if (!is_call && !str_starts(rest, STR("=")))
        return false;
    rest = str_skip(rest, 1);
    rest.len -= is_call;
    *out_value = str_trim(rest);
    return true;
}

static bool take_parameter(struct url_reader *r, struct str key, struct str value)
{
    struct str pragma;
    if (str_equal(key, STR("foreign_keys")) || str_equal(key, STR("_foreign_keys")) ||
        str_equal(key, STR("_fk")))
        return take_foreign_keys(r, value);
    if (str_equal(key, STR("_pragma")) && is_foreign_keys_pragma(value, &pragma))
        return take_foreign_keys(r, pragma);
    if (str_equal(key, STR("mode")))
        return take_mode(r, value);
    if (str_equal(key, STR("immutable")))
        return take_immutable(r, value);
    url_note_dropped(r, key, "which means nothing to a migration");
    static const struct str secrets[] = {
        {"key", 3}, {"_key", 4}, {"hexkey", 6}, {"password", 8}, {"_auth_pass", 10}};
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        bool is_secret = str_equal_nocase(key, secrets[i]);
        r->has_seen_secret = r->has_seen_secret || is_secret;
        r->out->has_password = r->out->has_password || (is_secret && value.len);
    }
    return true;
}

static bool read_query(struct url_reader *r, struct str query)
{
    while (query.len) {
        struct str pair, key, value;
        query = str_cut(query, '&', &pair);
        value = str_cut(pair, '=', &key);
        if (!url_decode(r, key, &key) || !url_decode(r, value, &value))
            return false;
        if (key.len && !take_parameter(r, key, value))
            return false;
    }
    if (r->out->is_immutable)
        r->out->mode = "ro";
    return true;
}

/* Behind "//": a file URL has a host there, which can only be this one; elsewhere the path begins.
 */
static bool skip_authority(struct url_reader *r, struct str *path, bool is_file)
{
    struct str rest = str_skip(*path, 2);
    if (str_starts_nocase(rest, STR("localhost/")))
        rest = str_skip(rest, strlen("localhost"));
    else if (is_file && rest.len && rest.at[0] != '/')
        return url_refuse(
            r, "the file URL names another host",
            "Write file:rel.db for a relative path and file:///a.db for an absolute one.");
    *path = rest;
    return true;
}

bool url_read_sqlite(struct url_reader *r, struct str rest, bool is_file)
{
    if (str_starts(rest, STR("file:"))) {
        rest = str_skip(rest, strlen("file:"));
        is_file = true;
    }
    if (is_file)
        (void)str_cut(rest, '#', &rest);
    struct str path;
    struct str query = str_cut(rest, '?', &path);
    if (str_starts(path, STR("//")) && !skip_authority(r, &path, is_file))
        return false;
    if (url_holds_userinfo(path))
        return url_refuse(r, "the SQLite URL looks like one with a user and a password",
                          "SQLite has neither. Write %40 for an @ in the name of a file.");
    bool has_authority = path.at != rest.at;
    while (str_starts(path, STR("//")))
        path = str_skip(path, 1);
    if (has_authority && (str_starts(path, STR("/./")) || str_starts(path, STR("/../"))))
        path = str_skip(path, 1);
    if (!read_query(r, query) || !url_decode(r, path, &path) || !set_path(r, path))
        return false;
    if (has_authority && !is_file && strrchr(r->out->path, '/') == r->out->path)
        url_note(r, "took %s as an absolute path; a relative one is sqlite:%s", r->out->path,
                 r->out->path + 1);
    return true;
}

bool url_read_sqlite_path(struct url_reader *r, struct str path)
{
    if (url_holds_userinfo(path))
        return url_refuse(
            r, "the connection text looks like a URL without its scheme",
            "Write postgres:// in front, or sqlite: in front of a path and %40 for its @.");
    if (str_find_char(path, '?') != SIZE_MAX)
        return url_refuse(r, "there is a \"?\" in the path of the SQLite database",
                          "Write sqlite: in front to give parameters, and %3F for a ? in a name.");
    return set_path(r, path);
}
