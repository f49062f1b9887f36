/*
 * Expansion of values. What comes in is never looked at again (a password may hold "${"), and is
 * never repeated in a failure: that names the variable or the file, and where it was asked for.
 */
#include "core/model/config_parts.h"

#include "core/base/fs.h"
#include "core/base/text.h"
#include "core/model/target_url.h"

static const char dollar_hint[] = "Write $$ for a dollar sign that stands for itself.";

static bool is_variable_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (c != '_' && !char_is_alpha(c) && (i == 0 || !char_is_digit(c)))
            return false;
    }
    return name.len > 0;
}

static bool add_variable(const struct config_expander *e, struct str name, struct buf *out,
                         struct fail *f)
{
    if (!is_variable_name(name)) {
        fail_set(f, EXIT_USAGE, "\"${\" is not followed by the name of a variable and \"}\"");
        return fail_hint(f, "%s", dollar_hint);
    }
    const char *key = arena_cstr(e->arena, name);
    const char *value = e->lookup ? e->lookup(e->context, key) : NULL;
    if (!value) {
        fail_set(f, EXIT_USAGE, "environment variable \"%s\" is not set", key);
        return fail_hint(f, "Set it, or write the value here. %s", dollar_hint);
    }
    buf_add_cstr(out, value);
    return true;
}

static bool add_file(const struct config_expander *e, struct str path, struct buf *out,
                     struct fail *f)
{
    if (path.len == 0) {
        fail_set(f, EXIT_USAGE, "\"${file:\" is not followed by a path and \"}\"");
        return fail_hint(f, "Write it as ${file:/run/secrets/url}.");
    }
    struct str text;
    const char *full = fs_join(e->arena, e->directory, path);
    if (!fs_read(e->arena, full, CONFIG_MAX_FILE_VALUE_BYTES, &text, f))
        return fail_hint(f, "The value here is the content of that file.");
    size_t valid_len;
    if (text_find_invalid(text, true, &valid_len) != SIZE_MAX) {
        fail_set(f, EXIT_USAGE, "\"%s\" is not UTF-8 text", full);
        return fail_hint(f, "The value here is the content of that file.");
    }
    if (str_ends(text, STR("\n")))
        text.len--;
    if (str_ends(text, STR("\r")))
        text.len--;
    buf_add_str(out, text);
    return true;
}

bool config_expand(const struct config_expander *e, struct str raw, struct str *out, struct fail *f)
{
    if (str_find_char(raw, '$') == SIZE_MAX) {
        *out = raw;
        return true;
    }
    SCOPED(buf) struct buf text = {0};
    while (raw.len) {
        if (str_starts(raw, STR("$$"))) {
            buf_add_char(&text, '$');
            raw = str_skip(raw, 2);
            continue;
        }
        if (!str_starts(raw, STR("${"))) {
            buf_add_char(&text, raw.at[0]);
            raw = str_skip(raw, 1);
            continue;
        }
        struct str name;
        bool is_closed = str_find_char(raw, '}') != SIZE_MAX;
        raw = str_cut(str_skip(raw, 2), '}', &name);
        if (!is_closed) {
            fail_set(f, EXIT_USAGE, "\"${\" is not closed by \"}\"");
            return fail_hint(f, "%s", dollar_hint);
        }
        bool is_file = str_starts(name, STR("file:"));
        if (is_file ? !add_file(e, str_skip(name, strlen("file:")), &text, f)
                    : !add_variable(e, name, &text, f))
            return false;
    }
    *out = buf_done(e->arena, &text);
    return true;
}

struct str config_directory(struct str path)
{
    struct str directory = fs_dirname(path);
    /* "./db" for "db" would only look odd. */
    return path.len == 0 || str_equal(directory, STR(".")) ? (struct str){0} : directory;
}

static const char *scrubbed(struct fail *f, const char *text)
{
    if (!text || !f->arena)
        return text;
    char *copy = arena_cstr(f->arena, str_of(text));
    target_url_scrub(copy);
    return copy;
}

bool config_scrub_failure(struct fail *f)
{
    f->message = scrubbed(f, f->message);
    f->excerpt = scrubbed(f, f->excerpt);
    return false;
}
