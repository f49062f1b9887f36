/*
 * dbmate: ^(\d+).*\.sql$, both directions in one file under the lines "-- migrate:up" and
 * "-- migrate:down" (pkg/dbmate/migration.go). The version is the text of the digits and sorts as
 * text, so 10_ comes before 9_; that deserves a note, since few who see it expect it.
 */
#include "drivers/source/detect.h"

static bool fits(const struct numbered_name *n, struct str name)
{
    (void)n;
    (void)name;
    return true;
}

/* "20240830_create_users" or "20240830.create.users": what is behind the digits. */
static struct str describe(struct arena *a, const struct numbered_name *n)
{
    const char *end = n->text.at + n->text.len;
    if (n->direction != DIRECTION_NONE) /* means nothing here */
        end += n->direction == DIRECTION_UP ? strlen(".up") : strlen(".down");
    struct str text = str_range(n->text.at, end);
    while (text.len && (text.at[0] == '.' || text.at[0] == ' '))
        text = str_skip(text, 1);
    return name_description(a, text);
}

static enum fit fit(const struct directory_view *v)
{
    return v->numbered && v->markers[MARKER_DBMATE] ? FIT_MARKER : FIT_NONE;
}

/* Says once where the order of texts is not that of the numbers. */
static void note_order(struct layout_reading *r, size_t first)
{
    for (size_t i = first + 1; i < r->out->count; i++) {
        const struct migration *before = &r->out->at[i - 1];
        const struct migration *after = &r->out->at[i];
        if (version_compare(VERSION_ORDER_NUMBER, before->version, after->version) <= 0)
            continue;
        reading_note(r, before->script,
                     "comes before \"%.*s\": dbmate orders versions as text, not as numbers",
                     STR_ARG(after->script));
        return;
    }
}

static bool read(struct layout_reading *r, struct fail *f)
{
    static const struct numbered_rules rules = {
        .fits = fits,
        .describe = describe,
        .why = "a name begins with digits and ends with \".sql\"",
    };
    size_t first = r->out->count;
    if (!numbered_read(r, &rules, f))
        return false;
    note_order(r, first);
    return true;
}

const struct layout_reader dbmate_reader = {
    .layout = LAYOUT_DBMATE,
    .order = VERSION_ORDER_TEXT,
    .example = "20240131120000_create_users.sql with a line \"-- migrate:up\"",
    .fit = fit,
    .read = read,
};
