/*
 * Rows of the history, sorted once, so that 5,000 files cost 5,000 look-ups by bisection and no more.
 */
#include "core/run/reconcile_parts.h"

bool row_is_repeatable(const struct history_row *r)
{
    return str_equal(r->kind, str_of(migration_kind_name(MIGRATION_REPEATABLE)));
}

bool row_is_baseline(const struct history_row *r)
{
    return str_equal(r->kind, str_of(migration_kind_name(MIGRATION_BASELINE)));
}

bool row_is_incomplete(const struct history_row *r)
{
    return str_equal(r->state, STR(HISTORY_INCOMPLETE)) ||
           str_equal(r->state, STR(HISTORY_EXPANDED)) ||
           str_equal(r->state, STR(HISTORY_SWITCHED)) ||
           str_equal(r->state, STR(HISTORY_ROLLING_BACK));
}

bool row_is_rolled_back(const struct history_row *r)
{
    return str_equal(r->state, STR(HISTORY_ROLLED_BACK));
}

int compare_labels(enum version_order order, bool a_repeatable, struct str a, bool b_repeatable,
                   struct str b)
{
    if (a_repeatable != b_repeatable)
        return a_repeatable - b_repeatable;
    return a_repeatable ? str_compare(a, b) : version_compare(order, a, b);
}

static int compare_rows(const void *left, const void *right, void *context)
{
    const struct history_row *a = *(const struct history_row *const *)left;
    const struct history_row *b = *(const struct history_row *const *)right;
    const struct row_index *index = context;
    int order = compare_labels(index->order, row_is_repeatable(a), history_row_label(a),
                               row_is_repeatable(b), history_row_label(b));
    return order ? order : (a->rank < b->rank) - (a->rank > b->rank); /* newest first */
}

struct row_index index_rows(struct arena *a, const struct history *h, enum version_order order)
{
    struct row_index index = {.order = order};
    index.at = arena_array(a, const struct history_row *, h->count + 1);
    index.is_matched = arena_array(a, bool, h->count + 1);
    index.keeps_text = arena_array(a, bool, h->count + 1);
    index.matched_by = arena_array(a, size_t, h->count + 1);
    index.is_taken = arena_array(a, bool, h->count + 1);
    for (size_t i = 0; i < h->count; i++)
        index.at[i] = &h->at[i];
    size_t sorted = 1; /* as they mostly are */
    while (sorted < h->count && compare_rows(&index.at[sorted - 1], &index.at[sorted], &index) <= 0)
        sorted++;
    if (sorted < h->count)
        qsort_r(index.at, h->count, sizeof(*index.at), compare_rows, &index);
    for (size_t i = 0; i < h->count; i++) {
        const struct history_row *row = index.at[i];
        const struct history_row *last = index.count ? index.at[index.count - 1] : NULL;
        if (!last || compare_labels(order, row_is_repeatable(last), history_row_label(last),
                                    row_is_repeatable(row), history_row_label(row)) != 0)
            index.at[index.count++] = row;
    }
    /* What was taken back counts no longer, and neither does what it was the newest run of. */
    size_t kept = 0;
    for (size_t i = 0; i < index.count; i++) {
        if (!row_is_rolled_back(index.at[i]))
            index.at[kept++] = index.at[i];
    }
    index.count = kept;
    return index;
}

size_t index_find(const struct row_index *index, const struct migration *m, size_t guess)
{
    bool is_repeatable = m->kind == MIGRATION_REPEATABLE;
    struct str label = is_repeatable ? m->script : m->version;
    size_t from = 0;
    size_t to = index->count;
    size_t middle = guess;
    while (from < to) {
        if (middle < from || middle >= to)
            middle = from + (to - from) / 2;
        const struct history_row *row = index->at[middle];
        int order = compare_labels(index->order, row_is_repeatable(row), history_row_label(row),
                                   is_repeatable, label);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
        middle = SIZE_MAX;
    }
    return SIZE_MAX;
}
