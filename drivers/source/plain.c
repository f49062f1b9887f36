/*
 * Plain numbered files, of no tool in particular: 001_name.sql, 001-name.sql, 001.sql, each with an
 * optional .up or .down in front of the extension. Versions are numbers: leading zeros do not
 * count.
 */
#include "drivers/source/detect.h"

bool plain_fits(const struct numbered_name *n, struct str name)
{
    (void)name;
    return n->separator ? n->text.len > 0 : n->text.len == 0;
}

static enum fit fit(const struct directory_view *v)
{
    return v->numbered_plain ? FIT_SHAPE : FIT_NONE;
}

static bool read(struct layout_reading *r, struct fail *f)
{
    static const struct numbered_rules rules = {
        .fits = plain_fits,
        .describe = numbered_describe,
        .takes_any_case = true,
        .has_pairs = true,
        .why = "a name is a number, \"_\" or \"-\", a description and \".sql\"",
    };
    return numbered_read(r, &rules, f);
}

const struct layout_reader plain_reader = {
    .layout = LAYOUT_PLAIN,
    .order = VERSION_ORDER_NUMBER,
    .example = "001_create_users.sql",
    .fit = fit,
    .read = read,
};
