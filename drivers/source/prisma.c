/*
 * Prisma Migrate: <14 digits>_<name>/migration.sql and migration_lock.toml. The version is the
 * whole name of the directory and sorts bytewise (schema-engine, migrations_directory.rs): real
 * projects have many directories with one timestamp.
 */
#include "drivers/source/detect.h"
#include "drivers/source/toml.h"

static enum fit fit(const struct directory_view *v)
{
    if (v->migration_folders && v->markers[MARKER_PRISMA])
        return FIT_MARKER;
    if (v->has_prisma_lock)
        return FIT_TELLTALE;
    return v->migration_folders ? FIT_SHAPE : FIT_NONE;
}

static bool check_lock(struct layout_reading *r, struct fail *f)
{
    struct str path = reading_path(r, STR("migration_lock.toml"));
    struct str text;
    struct toml lock;
    if (!fs_read(r->a, path.at, TOML_MAX_BYTES, &text, f) ||
        !toml_parse(r->a, text, path, &lock, f))
        return false;
    const struct toml_pair *provider = toml_get(&lock, STR("provider"));
    if (!provider || r->engine == ENGINE_UNKNOWN)
        return true;
    enum engine engine = engine_of_name(provider->text);
    if (engine == r->engine)
        return true;
    fail_set(f, EXIT_USAGE, "these migrations are written for %.*s, not for %s",
             STR_ARG(provider->text), engine_name(r->engine));
    fail_at(f, path, provider->line, 1, (struct str){0});
    return fail_hint(f, "Give the directory with the migrations for this database.");
}

static struct str describe(struct arena *a, struct str folder)
{
    size_t digits = 0;
    while (digits < folder.len && char_is_digit(folder.at[digits]))
        digits++;
    bool has_number = digits && digits < folder.len && folder.at[digits] == '_';
    return name_description(a, has_number ? str_skip(folder, digits + 1) : folder);
}

static bool read_folder(struct layout_reading *r, struct str folder, struct fail *f)
{
    struct migration m = {
        .version = folder,
        .description = describe(r->a, folder),
        .kind = MIGRATION_VERSIONED,
        .script = str_of(arena_printf(r->a, "%.*s/migration.sql", STR_ARG(folder))),
    };
    if (reading_add(r, &m, true, f))
        return true;
    if (f->kind != FAIL_NOT_FOUND)
        return false;
    fail_clear(f);
    reading_note(r, folder, "not a migration: the directory has no migration.sql");
    return true;
}

static bool read(struct layout_reading *r, struct fail *f)
{
    if (entries_find(r->entries, STR("migration_lock.toml")) && !check_lock(r, f))
        return false;
    for (size_t i = 0; i < r->entries->count; i++) {
        const struct fs_entry *e = &r->entries->at[i];
        if (!e->is_directory)
            reading_note_unfit(r, e->name, "prisma reads <number>_<name>/migration.sql");
        else if (e->name.at[0] != '.' && !read_folder(r, e->name, f))
            return false;
    }
    return true;
}

const struct layout_reader prisma_reader = {
    .layout = LAYOUT_PRISMA,
    .order = VERSION_ORDER_TEXT,
    .example = "20240131120000_create_users/migration.sql",
    .fit = fit,
    .read = read,
};
