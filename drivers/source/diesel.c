/*
 * diesel: <version>_<name>/{up.sql,down.sql,metadata.toml}. The version is the text before the
 * first "_" without dashes and sorts bytewise (migrations_internals, migration_source). A
 * metadata.toml without run_in_transaction means false, no such file means true.
 */
#include "drivers/source/detect.h"
#include "drivers/source/toml.h"

static enum fit fit(const struct directory_view *v)
{
    return v->diesel_folders ? FIT_SHAPE : FIT_NONE;
}

static struct str version_of(struct arena *a, struct str folder)
{
    struct str version;
    str_cut(folder, '_', &version);
    char *text = arena_cstr(a, version);
    size_t len = 0;
    for (size_t i = 0; i < version.len; i++)
        if (version.at[i] != '-')
            text[len++] = version.at[i];
    text[len] = '\0';
    return (struct str){.at = text, .len = len};
}

static bool read_metadata(struct layout_reading *r, struct str path, enum transaction_mode *out,
                          struct fail *f)
{
    struct str text;
    struct toml metadata;
    if (!fs_read(r->a, path.at, TOML_MAX_BYTES, &text, f) ||
        !toml_parse(r->a, text, path, &metadata, f))
        return false;
    const struct toml_pair *pair = toml_get(&metadata, STR("run_in_transaction"));
    if (pair && pair->type != TOML_BOOLEAN) {
        fail_set(f, EXIT_USAGE, "run_in_transaction must be true or false");
        fail_at(f, path, pair->line, 1, (struct str){0});
        return fail_hint(f, "Write it without quotes.");
    }
    if (!pair || !pair->boolean)
        *out = TRANSACTION_NONE;
    return true;
}

static struct str in_folder(struct layout_reading *r, struct str folder, const char *name)
{
    return str_of(arena_printf(r->a, "%.*s/%s", STR_ARG(folder), name));
}

static bool read_folder(struct layout_reading *r, struct str folder, struct fail *f)
{
    struct str description = str_cut(folder, '_', &(struct str){0});
    struct migration m = {
        .version = version_of(r->a, folder),
        .description = name_description(r->a, description),
        .kind = MIGRATION_VERSIONED,
        .script = in_folder(r, folder, "up.sql"),
    };
    if (!reading_add(r, &m, true, f)) {
        if (f->kind != FAIL_NOT_FOUND)
            return false;
        fail_clear(f);
        reading_note(r, folder, "not a migration: the directory has no up.sql");
        return true;
    }
    struct migration *added = &r->out->at[r->out->count - 1];
    struct str down = reading_path(r, in_folder(r, folder, "down.sql"));
    if (fs_exists(down.at)) {
        added->down_path = down;
        added->down = (struct file_range){.to = UINT64_MAX};
    }
    struct str metadata = reading_path(r, in_folder(r, folder, "metadata.toml"));
    return !fs_exists(metadata.at) || read_metadata(r, metadata, &added->transaction, f);
}

static bool read(struct layout_reading *r, struct fail *f)
{
    for (size_t i = 0; i < r->entries->count; i++) {
        const struct fs_entry *e = &r->entries->at[i];
        if (!e->is_directory)
            reading_note_unfit(r, e->name, "diesel reads <version>_<name>/up.sql");
        else if (e->name.at[0] != '.' && !read_folder(r, e->name, f))
            return false;
    }
    return true;
}

const struct layout_reader diesel_reader = {
    .layout = LAYOUT_DIESEL,
    .order = VERSION_ORDER_TEXT,
    .example = "2024-01-31-120000_create_users/up.sql",
    .fit = fit,
    .read = read,
};
