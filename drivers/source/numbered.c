/*
 * Directories of numbered files: plain, golang-migrate, sqlx, dbmate and goose differ only in which
 * names they take.
 */
#include "drivers/source/layout_reader.h"

struct str numbered_describe(struct arena *a, const struct numbered_name *n)
{
    return name_description(a, n->text);
}

struct str number_without_zeros(struct str number)
{
    while (number.len > 1 && number.at[0] == '0')
        number = str_skip(number, 1);
    return number;
}

static bool is_test_file(struct str name)
{
    return str_ends(name, STR("_test.go"));
}

static bool read_entry(struct layout_reading *r, const struct numbered_rules *rules,
                       struct str name, struct fail *f)
{
    struct numbered_name n;
    bool is_numbered = numbered_name_parse(name, &n);
    bool is_sql = is_numbered && (rules->takes_any_case ? extension_is_sql(n.extension)
                                                        : str_equal(n.extension, STR("sql")));
    bool is_code = is_numbered && extension_is_code(n.extension) && !is_test_file(name);
    if ((!is_sql && !is_code) || !rules->fits(&n, name)) {
        reading_note_unfit(r, name, rules->why);
        return true;
    }
    if (rules->has_pairs && n.direction == DIRECTION_DOWN) {
        if (is_sql)
            reading_add_down(r, n.number, name);
        return true;
    }
    struct migration m = {
        .version = rules->drops_zeros ? number_without_zeros(n.number) : n.number,
        .description = rules->describe(r->a, &n),
        .kind = MIGRATION_VERSIONED,
        .script = name,
        .is_opaque = is_code,
    };
    return reading_add(r, &m, rules->has_pairs && n.direction == DIRECTION_UP, f);
}

bool numbered_read(struct layout_reading *r, const struct numbered_rules *rules, struct fail *f)
{
    for (size_t i = 0; i < r->entries->count; i++) {
        const struct fs_entry *e = &r->entries->at[i];
        if (!e->is_directory && !read_entry(r, rules, e->name, f))
            return false;
    }
    if (!rules->has_folders)
        reading_note_directories(r);
    return true;
}
