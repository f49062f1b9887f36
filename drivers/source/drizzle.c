/*
 * Drizzle Kit. Up to 0.x: NNNN_name.sql, and meta/_journal.json is the order, not the directory; a
 * migration's version is its idx there. From 1.0: <timestamp>_<name>/migration.sql without a
 * journal. "--> statement-breakpoint" is a comment to both engines, so nothing is to be done about
 * it.
 */
#include "core/base/json.h"
#include "core/base/vec.h"
#include "drivers/source/detect.h"

#define JOURNAL_MAX_BYTES ((size_t)64 << 20)

struct names {
    struct str *at;
    size_t count, room;
};

static enum fit fit(const struct directory_view *v)
{
    bool has_files = v->numbered || v->migration_folders;
    if (has_files && v->markers[MARKER_DRIZZLE])
        return FIT_MARKER;
    if (v->has_journal || v->snapshot_folders)
        return FIT_TELLTALE;
    return v->migration_folders ? FIT_SHAPE : FIT_NONE;
}

static bool check_dialect(struct layout_reading *r, const struct json *journal, struct str path,
                          struct fail *f)
{
    struct str dialect = json_str_of(json_get(journal, "dialect"));
    if (r->engine == ENGINE_UNKNOWN || dialect.len == 0 || engine_of_name(dialect) == r->engine)
        return true;
    bool is_like_sqlite = str_equal(dialect, STR("turso"));
    if (is_like_sqlite && r->engine == ENGINE_SQLITE)
        return true;
    fail_set(f, EXIT_USAGE, "these migrations are written for %.*s, not for %s", STR_ARG(dialect),
             engine_name(r->engine));
    fail_at(f, path, 0, 0, (struct str){0});
    return fail_hint(f, "Give the directory with the migrations for this database.");
}

static bool refuse_entry(struct str path, size_t number, const char *what, struct fail *f)
{
    fail_set(f, EXIT_INTEGRITY, "entry %zu of the journal %s", number, what);
    fail_at(f, path, 0, 0, (struct str){0});
    return fail_hint(f, "The order of the journal is the order of the migrations: give its entries "
                        "rising idx and the tags of files that are there.");
}

static bool is_plain_name(struct str tag)
{
    return tag.len && tag.at[0] != '.' && str_find_char(tag, '/') == SIZE_MAX &&
           !memchr(tag.at, '\0', tag.len);
}

/* "0003_add_index" → "add index" */
static struct str describe(struct arena *a, struct str tag)
{
    size_t digits = 0;
    while (digits < tag.len && char_is_digit(tag.at[digits]))
        digits++;
    bool has_number = digits && digits < tag.len && tag.at[digits] == '_';
    return name_description(a, has_number ? str_skip(tag, digits + 1) : tag);
}

static bool read_journal_entry(struct layout_reading *r, const struct json *entry, size_t number,
                               int64_t *last_idx, struct str path, struct names *listed,
                               struct fail *f)
{
    int64_t idx;
    struct str tag = json_str_of(json_get(entry, "tag"));
    if (!json_i64_of(json_get(entry, "idx"), &idx) || !is_plain_name(tag))
        return refuse_entry(path, number, "has no valid idx and tag", f);
    if (idx <= *last_idx)
        return refuse_entry(path, number, "does not come behind the entry before it", f);
    *last_idx = idx;
    struct migration m = {
        .version = str_of(arena_printf(r->a, "%lld", (long long)idx)),
        .description = describe(r->a, arena_str(r->a, tag)),
        .kind = MIGRATION_VERSIONED,
        .script = str_of(arena_printf(r->a, "%.*s.sql", STR_ARG(tag))),
    };
    vec_push(r->a, listed, m.script);
    if (reading_add(r, &m, true, f))
        return true;
    if (f->kind != FAIL_NOT_FOUND)
        return false;
    fail_clear(f);
    fail_set(f, EXIT_INTEGRITY, "the journal names \"%.*s\", which is not there",
             STR_ARG(m.script));
    fail_at(f, path, 0, 0, (struct str){0});
    return fail_hint(f, "Restore the file, or take its entry out of the journal.");
}

static int compare_names(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Files that the journal does not name would never be run by drizzle. */
static void note_unlisted(struct layout_reading *r, struct names *listed)
{
    if (listed->count)
        qsort(listed->at, listed->count, sizeof(*listed->at), compare_names);
    for (size_t i = 0; i < r->entries->count; i++) {
        const struct fs_entry *e = &r->entries->at[i];
        bool is_listed = listed->count && bsearch(&e->name, listed->at, listed->count,
                                                  sizeof(*listed->at), compare_names);
        if (!e->is_directory && !is_listed)
            reading_note_unfit(r, e->name, "meta/_journal.json does not name it");
    }
}

static bool read_journal(struct layout_reading *r, struct str text, struct str path, struct fail *f)
{
    SCOPED(json) struct json *journal = json_parse(text, path, f);
    if (!journal || !check_dialect(r, journal, path, f))
        return false;
    const struct json *entries = json_get(journal, "entries");
    if (!json_is_array(entries)) {
        fail_set(f, EXIT_USAGE, "the journal has no list of entries");
        fail_at(f, path, 0, 0, (struct str){0});
        return fail_hint(f, "Is it a journal of drizzle-kit?");
    }
    struct names listed = {0};
    int64_t last_idx = -1;
    for (size_t i = 0; i < json_count(entries); i++)
        if (!read_journal_entry(r, json_at(entries, i), i + 1, &last_idx, path, &listed, f))
            return false;
    note_unlisted(r, &listed);
    return true;
}

static bool numbered_fits(const struct numbered_name *n, struct str name)
{
    (void)name;
    return n->separator == '_' && n->direction == DIRECTION_NONE;
}

static bool read_folder(struct layout_reading *r, struct str folder, struct fail *f)
{
    size_t digits = 0;
    while (digits < folder.len && char_is_digit(folder.at[digits]))
        digits++;
    struct migration m = {
        .version = number_without_zeros((struct str){.at = folder.at, .len = digits}),
        .description = describe(r->a, folder),
        .kind = MIGRATION_VERSIONED,
        .script = str_of(arena_printf(r->a, "%.*s/migration.sql", STR_ARG(folder))),
    };
    if (digits == 0) {
        if (folder.at[0] != '.' && directory_holds_sql(reading_path(r, folder).at, 0))
            reading_note(r, folder, "not a migration: the name has no number in front");
        return true;
    }
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
    static const struct numbered_rules rules = {
        .fits = numbered_fits,
        .describe = numbered_describe,
        .drops_zeros = true,
        .has_folders = true,
        .why = "drizzle reads <number>_<name>.sql",
    };
    struct str journal = reading_path(r, STR("meta/_journal.json"));
    if (entries_find(r->entries, STR("meta")) && fs_exists(journal.at)) {
        struct str text;
        return fs_read(r->a, journal.at, JOURNAL_MAX_BYTES, &text, f) &&
               read_journal(r, text, journal, f);
    }
    for (size_t i = 0; i < r->entries->count; i++) {
        const struct fs_entry *e = &r->entries->at[i];
        if (e->is_directory && !read_folder(r, e->name, f))
            return false;
    }
    return numbered_read(r, &rules, f);
}

const struct layout_reader drizzle_reader = {
    .layout = LAYOUT_DRIZZLE,
    .order = VERSION_ORDER_NUMBER,
    .example = "0000_create_users.sql with meta/_journal.json",
    .fit = fit,
    .read = read,
};
