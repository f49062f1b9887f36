/*
 * goose: <digits>_<name>.sql, both directions in one file under the lines "-- +goose Up" and
 * "-- +goose Down"; the version is a number from 1 (migration.go NumericComponent). Files ending in
 * .go are migrations too, written as code; *_test.go are not.
 */
#include "drivers/source/detect.h"

static bool fits(const struct numbered_name *n, struct str name)
{
    (void)name;
    bool is_zero = true;
    for (size_t i = 0; i < n->number.len; i++)
        is_zero = is_zero && n->number.at[i] == '0';
    return n->separator == '_' && !is_zero;
}

static enum fit fit(const struct directory_view *v)
{
    return v->numbered && v->markers[MARKER_GOOSE] ? FIT_MARKER : FIT_NONE;
}

static bool read(struct layout_reading *r, struct fail *f)
{
    static const struct numbered_rules rules = {
        .fits = fits,
        .describe = numbered_describe,
        .why = "a name is a number from 1, \"_\", a description and \".sql\"",
    };
    return numbered_read(r, &rules, f);
}

const struct layout_reader goose_reader = {
    .layout = LAYOUT_GOOSE,
    .order = VERSION_ORDER_NUMBER,
    .example = "00001_create_users.sql with a line \"-- +goose Up\"",
    .fit = fit,
    .read = read,
};
