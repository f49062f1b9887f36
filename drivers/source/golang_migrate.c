/*
 * golang-migrate: 000001_name.up.sql and 000001_name.down.sql; the version is a number, leading
 * zeros do not count, either file may be missing (source/parse.go:
 * ^([0-9]+)_(.*)\.(down|up)\.(.*)$). The whole up file is applied.
 */
#include "drivers/source/detect.h"

bool golang_migrate_fits(const struct numbered_name *n, struct str name)
{
    (void)name;
    return n->separator == '_' && n->direction != DIRECTION_NONE;
}

static enum fit fit(const struct directory_view *v)
{
    return v->numbered_golang && v->numbered_golang == v->numbered ? FIT_SHAPE : FIT_NONE;
}

static bool read(struct layout_reading *r, struct fail *f)
{
    static const struct numbered_rules rules = {
        .fits = golang_migrate_fits,
        .describe = numbered_describe,
        .takes_any_case = true,
        .has_pairs = true,
        .why = "a name is a number, \"_\", a description and \".up.sql\" or \".down.sql\"",
    };
    return numbered_read(r, &rules, f);
}

const struct layout_reader golang_migrate_reader = {
    .layout = LAYOUT_GOLANG_MIGRATE,
    .order = VERSION_ORDER_NUMBER,
    .example = "000001_create_users.up.sql",
    .fit = fit,
    .read = read,
};
