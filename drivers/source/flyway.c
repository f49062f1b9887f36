/*
 * Flyway: V<version>__<description>.sql, U (undo), R (repeatable, no version), B (baseline),
 * searched for in all sub-directories; <name>.sql.conf beside a file overrides settings for it
 * (Flyway's documentation "Migrations" and ResourceNameParser.java). refinery uses V in the same
 * way and U in a different one ("may run out of order"), so a U without its V is never guessed
 * about.
 */
#include "drivers/source/flyway.h"

#include "core/base/vec.h"
#include "drivers/source/detect.h"
#include "drivers/source/properties.h"

#define DIRECTORY_DEPTH_MAX 16

/* The events of Flyway's callbacks (org.flywaydb.core.api.callback.Event). */
static const char *const callback_events[] = {
    "beforeClean",
    "afterClean",
    "afterCleanError",
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterMigrate",
    "afterEachMigrate",
    "afterEachMigrateStatement",
    "afterMigrateError",
    "afterEachMigrateError",
    "afterEachMigrateStatementError",
    "afterMigrateApplied",
    "afterMigrateOperationFinish",
    "beforeUndo",
    "beforeEachUndo",
    "beforeEachUndoStatement",
    "afterUndo",
    "afterEachUndo",
    "afterEachUndoStatement",
    "afterUndoError",
    "afterEachUndoError",
    "afterEachUndoStatementError",
    "afterUndoOperationFinish",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "afterRepairOperationFinish",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "afterValidateOperationFinish",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "afterBaselineOperationFinish",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "afterInfoOperationFinish",
    "afterVersioned",
    "beforeRepeatables",
    "beforeConnect",
    "afterConnect",
    "createSchema",
    "beforeCreateSchema",
};

/* Cuts a suffix off, in any case; is_code where it is an extension of code instead. */
static bool cut_suffix(const struct flyway_settings *s, struct str *name, bool *out_is_code)
{
    for (size_t i = 0; i < s->suffixes.count; i++) {
        struct str suffix = s->suffixes.at[i];
        if (suffix.len < name->len &&
            str_equal_nocase(str_skip(*name, name->len - suffix.len), suffix)) {
            name->len -= suffix.len;
            return true;
        }
    }
    struct str extension = name_extension(*name);
    *out_is_code = extension_is_code(extension);
    if (*out_is_code)
        name->len -= extension.len + 1;
    return *out_is_code;
}

static bool is_callback(const struct flyway_settings *s, struct str stem)
{
    for (size_t i = 0; stem.len && i < ARRAY_LEN(callback_events); i++) {
        if (callback_events[i][0] != stem.at[0])
            continue;
        struct str event = str_of(callback_events[i]);
        if (str_starts(stem, event) &&
            (stem.len == event.len || str_starts(str_skip(stem, event.len), s->separator)))
            return true;
    }
    return false;
}

/* The kind whose prefix the name has; of several the longest. */
static enum flyway_kind take_prefix(const struct flyway_settings *s, struct str *stem)
{
    const struct {
        enum flyway_kind kind;
        struct str prefix;
    } prefixes[] = {
        {FLYWAY_VERSIONED, s->versioned_prefix},
        {FLYWAY_UNDO, s->undo_prefix},
        {FLYWAY_REPEATABLE, s->repeatable_prefix},
        {FLYWAY_BASELINE, s->baseline_prefix},
    };
    enum flyway_kind kind = FLYWAY_NONE;
    size_t longest = 0;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        bool is_better = kind == FLYWAY_NONE || prefixes[i].prefix.len > longest;
        if (str_starts(*stem, prefixes[i].prefix) && is_better) {
            kind = prefixes[i].kind;
            longest = prefixes[i].prefix.len;
        }
    }
    *stem = str_skip(*stem, longest);
    return kind;
}

/* "1_2" → "1.2"; the empty str where it is no version: parts of digits between dots. */
static struct str version_of(struct arena *a, struct str text)
{
    char *version = arena_cstr(a, text);
    char before = '.';
    for (size_t i = 0; i < text.len; i++) {
        if (version[i] == '_')
            version[i] = '.';
        if (!char_is_digit(version[i]) && (version[i] != '.' || before == '.'))
            return (struct str){0};
        before = version[i];
    }
    return before == '.' ? (struct str){0} : (struct str){.at = version, .len = text.len};
}

struct flyway_name flyway_name_parse(struct arena *a, const struct flyway_settings *s,
                                     struct str name)
{
    struct flyway_name n = {0};
    struct str stem = name;
    if (!cut_suffix(s, &stem, &n.is_code))
        return n;
    if (is_callback(s, stem)) {
        n.kind = FLYWAY_CALLBACK;
        return n;
    }
    n.kind = take_prefix(s, &stem);
    if (n.kind == FLYWAY_NONE)
        return n;
    size_t at = str_find(stem, s->separator);
    struct str version = at == SIZE_MAX ? stem : (struct str){.at = stem.at, .len = at};
    struct str text = at == SIZE_MAX ? (struct str){0} : str_skip(stem, at + s->separator.len);
    n.description = name_description(a, text);
    if (n.kind == FLYWAY_REPEATABLE) {
        if (at == 0 && text.len)
            return n;
        n.why = "the name of a repeatable migration is R__<description>";
    } else {
        n.version = version_of(a, version);
        if (n.version.len)
            return n;
        n.why = at == SIZE_MAX ? "the name has no \"__\" between version and description"
                               : "the version is not made of numbers";
    }
    n.kind = FLYWAY_MALFORMED;
    return n;
}

static enum fit fit(const struct directory_view *v)
{
    if (v->flyway_names == 0)
        return FIT_NONE;
    return v->has_flyway_settings ? FIT_TELLTALE : FIT_SHAPE;
}

/* What <name>.sql.conf says. */
struct file_settings {
    bool is_transactional;
    bool replaces_placeholders;
    bool should_execute;
};

static bool refuse_property(struct str path, const struct property *p, const char *hint,
                            struct fail *f)
{
    fail_set(f, EXIT_USAGE, "\"%.*s = %.*s\" is not understood", STR_ARG(p->key),
             STR_ARG(p->value));
    fail_at(f, path, p->line, 1, (struct str){0});
    return fail_hint(f, "%s", hint);
}

static bool apply_property(struct file_settings *s, struct str path, const struct property *p,
                           struct fail *f)
{
    bool *into = str_equal(p->key, STR("executeInTransaction"))     ? &s->is_transactional
                 : str_equal(p->key, STR("placeholderReplacement")) ? &s->replaces_placeholders
                 : str_equal(p->key, STR("shouldExecute"))          ? &s->should_execute
                                                                    : NULL;
    if (into) {
        bool is_true = str_equal_nocase(p->value, STR("true"));
        if (!is_true && !str_equal_nocase(p->value, STR("false")))
            return refuse_property(path, p, "Write true or false; expressions are not evaluated.",
                                   f);
        *into = is_true;
        return true;
    }
    if (!str_equal(p->key, STR("encoding")))
        return refuse_property(path, p,
                               "Known are executeInTransaction, placeholderReplacement, "
                               "shouldExecute and encoding.",
                               f);
    if (str_equal_nocase(p->value, STR("UTF-8")) || str_equal_nocase(p->value, STR("US-ASCII")))
        return true;
    return refuse_property(path, p, "Convert the file to UTF-8 and remove the setting.", f);
}

static bool read_file_settings(struct layout_reading *r, struct str script,
                               struct file_settings *out, struct fail *f)
{
    struct str path = reading_path(r, str_of(arena_printf(r->a, "%.*s.conf", STR_ARG(script))));
    struct str text;
    struct properties properties;
    if (!fs_read(r->a, path.at, PROPERTIES_MAX_BYTES, &text, f) ||
        !properties_parse(r->a, text, path, &properties, f))
        return false;
    for (size_t i = 0; i < properties.count; i++)
        if (!apply_property(out, path, &properties.at[i], f))
            return false;
    return true;
}

/* One directory on the way down. */
struct level {
    const struct flyway_settings *settings;
    const struct fs_entries *entries;
    struct str prefix; /* of scripts: "2024/", or "" */
    unsigned depth;
};

static bool has_file_settings(const struct layout_reading *r, const struct level *l,
                              struct str name)
{
    return entries_find(l->entries, str_of(arena_printf(r->a, "%.*s.conf", STR_ARG(name))));
}

static bool add_migration(struct layout_reading *r, const struct level *l, struct str name,
                          const struct flyway_name *n, struct fail *f)
{
    struct migration m = {
        .version = n->version,
        .description = n->description,
        .kind = n->kind == FLYWAY_REPEATABLE ? MIGRATION_REPEATABLE
                : n->kind == FLYWAY_BASELINE ? MIGRATION_BASELINE
                                             : MIGRATION_VERSIONED,
        .script = l->prefix.len
                      ? str_of(arena_printf(r->a, "%.*s%.*s", STR_ARG(l->prefix), STR_ARG(name)))
                      : name,
        .is_opaque = n->is_code,
    };
    struct file_settings s = {
        .is_transactional = l->settings->is_transactional,
        .replaces_placeholders = l->settings->replaces_placeholders,
        .should_execute = true,
    };
    if (has_file_settings(r, l, name) && !read_file_settings(r, m.script, &s, f))
        return false;
    if (!s.should_execute) {
        reading_note(r, m.script, "left out: shouldExecute is false in its .conf file");
        return true;
    }
    if (!reading_add(r, &m, true, f))
        return false;
    struct migration *added = &r->out->at[r->out->count - 1];
    added->has_placeholders = added->has_placeholders && s.replaces_placeholders;
    if (!s.is_transactional)
        added->transaction = TRANSACTION_NONE;
    return true;
}

static bool read_file(struct layout_reading *r, const struct level *l, struct str name,
                      struct fail *f)
{
    struct flyway_name n = flyway_name_parse(r->a, l->settings, name);
    struct str script = str_of(arena_printf(r->a, "%.*s%.*s", STR_ARG(l->prefix), STR_ARG(name)));
    switch (n.kind) {
    case FLYWAY_NONE:
        if (name_looks_like_migration(name))
            reading_note(
                r, script,
                "not a migration: the name does not begin with %.*s, %.*s or "
                "%.*s, or does not end with %.*s",
                STR_ARG(l->settings->versioned_prefix), STR_ARG(l->settings->repeatable_prefix),
                STR_ARG(l->settings->baseline_prefix), STR_ARG(l->settings->suffixes.at[0]));
        return true;
    case FLYWAY_MALFORMED:
        if (name_looks_like_migration(name))
            reading_note(r, script, "not a migration: %s", n.why);
        return true;
    case FLYWAY_CALLBACK:
        reading_note(r, script, "a callback, which is not run");
        return true;
    case FLYWAY_UNDO:
        if (!n.is_code)
            reading_add_down(r, n.version, script);
        return true;
    case FLYWAY_VERSIONED:
    case FLYWAY_REPEATABLE:
    case FLYWAY_BASELINE:
        return add_migration(r, l, name, &n, f);
    }
    BUG("flyway kind out of range");
}

static bool read_level(struct layout_reading *r, const struct level *l, struct fail *f);

static bool read_below(struct layout_reading *r, const struct level *l, struct str name,
                       struct fail *f)
{
    struct str prefix = str_of(arena_printf(r->a, "%.*s%.*s/", STR_ARG(l->prefix), STR_ARG(name)));
    struct str path = reading_path(r, prefix);
    if (l->depth == DIRECTORY_DEPTH_MAX) {
        fail_set(f, EXIT_USAGE, "directories are nested more than %d deep at \"%s\"",
                 DIRECTORY_DEPTH_MAX, path.at);
        return fail_hint(f, "Is there a symbolic link to a directory above?");
    }
    struct fs_entries entries;
    if (!fs_list(r->a, path.at, &entries, f))
        return false;
    struct level below = {
        .settings = l->settings, .entries = &entries, .prefix = prefix, .depth = l->depth + 1};
    return read_level(r, &below, f);
}

/* Recursion is bounded by DIRECTORY_DEPTH_MAX. */
static bool read_level(struct layout_reading *r, const struct level *l, struct fail *f)
{
    for (size_t i = 0; i < l->entries->count; i++) {
        const struct fs_entry *e = &l->entries->at[i];
        if (e->name.at[0] == '.')
            continue;
        if (!(e->is_directory ? read_below(r, l, e->name, f) : read_file(r, l, e->name, f)))
            return false;
    }
    return true;
}

/* The first directory that names a placeholder wins, as the environment does. */
static void add_placeholders(struct layout_reading *r, const struct flyway_settings *s)
{
    for (size_t i = 0; i < s->placeholders.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < r->out->placeholders.count && !is_known; k++)
            is_known =
                str_equal_nocase(r->out->placeholders.at[k].name, s->placeholders.at[i].name);
        if (!is_known)
            vec_push(r->a, &r->out->placeholders, s->placeholders.at[i]);
    }
}

static bool read(struct layout_reading *r, struct fail *f)
{
    struct flyway_settings settings;
    if (!flyway_settings_load(r->a, r->directory, &settings, f))
        return false;
    add_placeholders(r, &settings);
    struct level top = {.settings = &settings, .entries = r->entries};
    return read_level(r, &top, f);
}

const struct layout_reader flyway_reader = {
    .layout = LAYOUT_FLYWAY,
    .order = VERSION_ORDER_DOTTED,
    .example = "V1__create_users.sql",
    .fit = fit,
    .read = read,
};
