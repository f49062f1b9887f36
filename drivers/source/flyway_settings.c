/*
 * Flyway's settings: see flyway.h. The same keys are spelt flyway.sqlMigrationPrefix in flyway.conf
 * and sqlMigrationPrefix below [flyway] in flyway.toml. Precedence as in Flyway's documentation:
 * the environment, then the file, then the default.
 */
#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/fs_view.h"
#include "core/base/vec.h"
#include "drivers/source/flyway.h"
#include "drivers/source/properties.h"
#include "drivers/source/toml.h"

#include <unistd.h>

DEFINE_SCOPED(cstr, char *, free)

#define SETTINGS_MAX_BYTES ((size_t)1 << 20)

enum setting_type { SETTING_TEXT, SETTING_BOOLEAN, SETTING_LIST, SETTING_MUST_BE };

struct setting_row {
    const char *key; /* behind "flyway." */
    enum setting_type type;
    size_t offset;       /* in struct flyway_settings */
    const char *must_be; /* SETTING_MUST_BE: the only value that is understood */
};

static const struct setting_row rows[] = {
    {"sqlMigrationPrefix", SETTING_TEXT, offsetof(struct flyway_settings, versioned_prefix), NULL},
    {"undoSqlMigrationPrefix", SETTING_TEXT, offsetof(struct flyway_settings, undo_prefix), NULL},
    {"repeatableSqlMigrationPrefix", SETTING_TEXT,
     offsetof(struct flyway_settings, repeatable_prefix), NULL},
    {"baselineMigrationPrefix", SETTING_TEXT, offsetof(struct flyway_settings, baseline_prefix),
     NULL},
    {"sqlMigrationSeparator", SETTING_TEXT, offsetof(struct flyway_settings, separator), NULL},
    {"sqlMigrationSuffixes", SETTING_LIST, 0, NULL},
    {"placeholderReplacement", SETTING_BOOLEAN,
     offsetof(struct flyway_settings, replaces_placeholders), NULL},
    {"executeInTransaction", SETTING_BOOLEAN, offsetof(struct flyway_settings, is_transactional),
     NULL},
    {"encoding", SETTING_MUST_BE, 0, "UTF-8"},
    {"placeholderPrefix", SETTING_MUST_BE, 0, "${"},
    {"placeholderSuffix", SETTING_MUST_BE, 0, "}"},
};

struct flyway_settings flyway_settings_default(struct arena *a)
{
    struct flyway_settings s = {
        .versioned_prefix = STR("V"),
        .undo_prefix = STR("U"),
        .repeatable_prefix = STR("R"),
        .baseline_prefix = STR("B"),
        .separator = STR("__"),
        .replaces_placeholders = true,
        .is_transactional = true,
    };
    vec_push(a, &s.suffixes, STR(".sql"));
    return s;
}

/* One value, wherever it comes from. */
struct setting_value {
    struct str key;  /* behind "flyway." */
    struct str text; /* lists joined by commas */
    struct str path;
    uint32_t line;
};

static bool refuse(const struct setting_value *v, const char *hint, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "invalid value \"%.*s\" for flyway.%.*s", STR_ARG(v->text),
             STR_ARG(v->key));
    fail_at(f, v->path, v->line, 0, (struct str){0});
    return fail_hint(f, "%s", hint);
}

static bool set_list(struct arena *a, struct flyway_settings *s, const struct setting_value *v,
                     struct fail *f)
{
    struct str rest = v->text;
    s->suffixes.count = 0;
    while (rest.len) {
        struct str item;
        rest = str_cut(rest, ',', &item);
        item = str_trim(item);
        if (item.len)
            vec_push(a, &s->suffixes, item);
    }
    return s->suffixes.count ? true : refuse(v, "Give at least one suffix, as .sql.", f);
}

static bool set_placeholder(struct arena *a, struct flyway_settings *s,
                            const struct setting_value *v, struct str name, struct fail *f)
{
    if (name.len == 0)
        return true;
    if (v->text.len && memchr(v->text.at, '\n', v->text.len))
        return refuse(v, "The value of a placeholder is one line.", f);
    for (size_t i = 0; i < s->placeholders.count; i++) {
        if (!str_equal_nocase(s->placeholders.at[i].name, name))
            continue;
        if (i >= s->environment_count)
            s->placeholders.at[i].value = v->text;
        return true;
    }
    vec_push(a, &s->placeholders, (struct placeholder){.name = name, .value = v->text});
    return true;
}

static bool apply_row(struct arena *a, struct flyway_settings *s, const struct setting_row *row,
                      const struct setting_value *v, struct fail *f)
{
    char *member = (char *)s + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
        if (row->offset == offsetof(struct flyway_settings, separator) && v->text.len == 0)
            return refuse(v, "The separator must not be empty.", f);
        memcpy(member, &v->text, sizeof(v->text));
        return true;
    case SETTING_LIST:
        return set_list(a, s, v, f);
    case SETTING_BOOLEAN: {
        bool is_true = str_equal_nocase(v->text, STR("true"));
        if (!is_true && !str_equal_nocase(v->text, STR("false")))
            return refuse(v, "It must be true or false.", f);
        memcpy(member, &is_true, sizeof(is_true));
        return true;
    }
    case SETTING_MUST_BE:
        if (str_equal_nocase(v->text, str_of(row->must_be)))
            return true;
        refuse(v, "Files with this setting cannot be read as Flyway would.", f);
        return fail_hint(f, "The only value that is understood is %s.", row->must_be);
    }
    BUG("setting type out of range");
}

static bool apply(struct arena *a, struct flyway_settings *s, const struct setting_value *v,
                  struct fail *f)
{
    if (str_starts(v->key, STR("placeholders.")))
        return set_placeholder(a, s, v, str_skip(v->key, strlen("placeholders.")), f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_equal(v->key, str_of(rows[i].key)))
            return apply_row(a, s, &rows[i], v, f);
    return true; /* Flyway has a hundred more, for what is not ours to do */
}

static struct str join(struct arena *a, const struct toml_strings *strings)
{
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < strings->count; i++) {
        if (i)
            buf_add_char(&text, ',');
        buf_add_str(&text, strings->at[i]);
    }
    return buf_done(a, &text);
}

static bool parse_toml(struct arena *a, struct str text, struct str path,
                       struct flyway_settings *out, struct fail *f)
{
    struct toml t;
    if (!toml_parse(a, text, path, &t, f))
        return false;
    for (size_t i = 0; i < t.count; i++) {
        const struct toml_pair *p = &t.at[i];
        if (!str_starts(p->key, STR("flyway.")))
            continue;
        struct setting_value v = {
            .key = str_skip(p->key, strlen("flyway.")),
            .text = p->type == TOML_STRINGS ? join(a, &p->strings) : p->text,
            .path = path,
            .line = p->line,
        };
        if (!apply(a, out, &v, f))
            return false;
    }
    return true;
}

static bool parse_properties(struct arena *a, struct str text, struct str path,
                             struct flyway_settings *out, struct fail *f)
{
    struct properties p;
    if (!properties_parse(a, text, path, &p, f))
        return false;
    for (size_t i = 0; i < p.count; i++) {
        if (!str_starts(p.at[i].key, STR("flyway.")))
            continue;
        struct setting_value v = {
            .key = str_skip(p.at[i].key, strlen("flyway.")),
            .text = p.at[i].value,
            .path = path,
            .line = p.at[i].line,
        };
        if (!apply(a, out, &v, f))
            return false;
    }
    return true;
}

bool flyway_settings_parse(struct arena *a, struct str text, struct str path, bool is_toml,
                           struct flyway_settings *out, struct fail *f)
{
    out->path = path;
    return is_toml ? parse_toml(a, text, path, out, f) : parse_properties(a, text, path, out, f);
}

/* FLYWAY_PLACEHOLDERS_OWNER=app is ${owner}: Flyway compares names of placeholders without case. */
static void take_environment(struct arena *a, struct flyway_settings *s)
{
    static const char prefix[] = "FLYWAY_PLACEHOLDERS_";
    for (char **at = environ; at && *at; at++) {
        struct str name;
        struct str value = str_cut(str_of(*at), '=', &name);
        if (!str_starts(name, str_of(prefix)) || name.len == sizeof(prefix) - 1)
            continue;
        char *lower = arena_cstr(a, str_skip(name, sizeof(prefix) - 1));
        for (char *c = lower; *c; c++)
            *c = char_lower(*c);
        struct placeholder p = {.name = str_of(lower), .value = arena_str(a, value)};
        vec_push(a, &s->placeholders, p);
    }
    s->environment_count = s->placeholders.count;
}

/* Where the path within a tree begins: behind the colon of "origin/main:db". */
static size_t view_root(struct str path)
{
    size_t colon = str_find_char(path, ':');
    return colon == SIZE_MAX ? 0 : colon + 1;
}

static struct str view_parent(struct str path)
{
    size_t root = view_root(path);
    struct str inside = str_skip(path, root);
    size_t len = str_find_char(inside, '/') == SIZE_MAX ? 0 : fs_dirname(inside).len;
    return (struct str){path.at, root + len};
}

/* The nearest settings file; false where there is none. */
static bool find_file(struct arena *a, struct str directory, struct str *out_path,
                      bool *out_is_toml)
{
    const char *given = arena_cstr(a, directory);
    bool is_in_view =
        fs_view_of(given, NULL) != NULL; /* such a path is from the root of its tree */
    SCOPED(cstr) char *real = is_in_view ? NULL : realpath(given, NULL);
    if (!real && !is_in_view)
        return false;
    struct str at = is_in_view ? directory : str_of(real);
    for (unsigned up = 0; up <= FLYWAY_PARENTS; up++) {
        char *toml = fs_join(a, at, STR("flyway.toml"));
        char *conf = fs_join(a, at, STR("flyway.conf"));
        *out_is_toml = fs_exists(toml);
        if (*out_is_toml || fs_exists(conf)) {
            *out_path = str_of(*out_is_toml ? toml : conf);
            return true;
        }
        if (is_in_view ? at.len <= view_root(at) : at.len <= 1)
            return false;
        at = is_in_view ? view_parent(at) : fs_dirname(at);
    }
    return false;
}

bool flyway_settings_load(struct arena *a, struct str directory, struct flyway_settings *out,
                          struct fail *f)
{
    struct flyway_settings s = flyway_settings_default(a);
    take_environment(a, &s);
    struct str path;
    struct str text;
    bool is_toml;
    if (find_file(a, directory, &path, &is_toml) &&
        (!fs_read(a, path.at, SETTINGS_MAX_BYTES, &text, f) ||
         !flyway_settings_parse(a, text, path, is_toml, &s, f)))
        return false;
    *out = s;
    return true;
}
