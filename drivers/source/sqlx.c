/*
 * sqlx: <i64>_<description>.sql, or .up.sql and .down.sql (sqlx-core migrate/source.rs); other
 * names are left alone. A file whose first bytes are "-- no-transaction" runs outside a
 * transaction; a byte order mark or blank line in front of it defeats that, as it does in sqlx.
 */
#include "drivers/source/detect.h"

#define I64_DIGITS_MAX 19

bool sqlx_fits(const struct numbered_name *n, struct str name)
{
    (void)name;
    int64_t version;
    return n->separator == '_' && n->number.len <= I64_DIGITS_MAX && n->text.len &&
           str_to_i64(n->number, &version);
}

static enum fit fit(const struct directory_view *v)
{
    if (v->numbered_sqlx == 0 || v->numbered_sqlx != v->numbered)
        return FIT_NONE;
    return v->markers[MARKER_SQLX] ? FIT_MARKER : FIT_SHAPE;
}

static bool read(struct layout_reading *r, struct fail *f)
{
    static const struct numbered_rules rules = {
        .fits = sqlx_fits,
        .describe = numbered_describe,
        .has_pairs = true,
        .why = "a name is a 64-bit number, \"_\", a description and \".sql\"",
    };
    return numbered_read(r, &rules, f);
}

const struct layout_reader sqlx_reader = {
    .layout = LAYOUT_SQLX,
    .order = VERSION_ORDER_NUMBER,
    .example = "20240131120000_create_users.up.sql",
    .fit = fit,
    .read = read,
};
