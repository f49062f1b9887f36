/*
 * Files and history rows are matched by version (compared as the layout orders them) or, for
 * repeatables, by script. Both sides are sorted once: see reconcile_rows.c.
 */
#include "core/run/reconcile_parts.h"

#include "core/base/vec.h"

/* What one pass over the files needs to know. */
struct matching {
    struct row_index index;
    struct str highest_applied; /* version; valid when has_highest */
    bool has_highest;
    struct str baseline; /* everything up to it is covered; valid when has_baseline */
    bool has_baseline;
    digest_reader *read_digests;
    void *context;
};

/* The history's baseline, or on an empty history the highest B file: flyway's rule. */
static void find_marks(struct matching *match, const struct migrations *files,
                       const struct history *h)
{
    enum version_order order = match->index.order;
    for (size_t i = 0; i < match->index.count; i++) {
        const struct history_row *row = match->index.at[i];
        if (row_is_repeatable(row))
            continue;
        match->highest_applied = row->version;
        match->has_highest = true;
        if (row_is_baseline(row) &&
            (!match->has_baseline || version_compare(order, row->version, match->baseline) > 0)) {
            match->baseline = row->version;
            match->has_baseline = true;
        }
    }
    for (size_t i = 0; h->count == 0 && i < files->count; i++) {
        const struct migration *m = &files->at[i];
        if (m->kind == MIGRATION_BASELINE &&
            (!match->has_baseline || version_compare(order, m->version, match->baseline) > 0)) {
            match->baseline = m->version;
            match->has_baseline = true;
        }
    }
}

static struct str digest_text(struct arena *a, const struct checksums *c)
{
    if (!c->tree_kind || !digest_is_set(&c->tree))
        return (struct str){0};
    return str_of(arena_printf(a, "%s:%s", c->tree_kind, c->tree.hex));
}

static bool find_change(struct arena *a, const struct matching *match, const struct migration *m,
                        const struct history_row *row, enum change_kind *out, struct fail *f)
{
    *out = CHANGE_NONE;
    if (str_equal(digest_str(&m->checksums.raw), row->digest_raw))
        return true;
    struct checksums now = m->checksums;
    if (!match->read_digests(match->context, m, &now, f))
        return false;
    struct str tree = digest_text(a, &now);
    if (str_equal(digest_str(&now.normalized), row->digest_normalized))
        *out = CHANGE_LINE_ENDINGS;
    else if (tree.len && str_equal(tree, row->digest_tree))
        *out = CHANGE_COMMENTS;
    else
        *out = CHANGE_SQL;
    return true;
}

static bool match_applied(struct arena *a, const struct matching *match, struct reconciled *r,
                          struct fail *f)
{
    if (!find_change(a, match, r->migration, r->row, &r->change, f))
        return false;
    bool is_same = r->change == CHANGE_NONE || r->change == CHANGE_LINE_ENDINGS;
    if (str_equal(r->row->state, STR(HISTORY_ROLLING_BACK)))
        r->state = STATE_ROLLING_BACK;
    else if (str_equal(r->row->state, STR(HISTORY_EXPANDED)))
        r->state =
            is_same ? STATE_EXPANDED : STATE_CHANGED; /* a repeatable, too: its rest is owed */
    else if (str_equal(r->row->state, STR(HISTORY_SWITCHED)))
        r->state = is_same ? STATE_SWITCHED : STATE_CHANGED;
    else if (row_is_incomplete(r->row))
        r->state = STATE_INCOMPLETE;
    else if (is_same)
        r->state = STATE_APPLIED;
    else
        r->state = r->migration->kind == MIGRATION_REPEATABLE ? STATE_OUTDATED : STATE_CHANGED;
    return true;
}

static enum migration_state state_of_new(const struct matching *match, const struct migration *m)
{
    enum version_order order = match->index.order;
    if (m->kind == MIGRATION_REPEATABLE)
        return m->is_opaque ? STATE_OPAQUE : STATE_PENDING;
    if (match->has_baseline) {
        int against = version_compare(order, m->version, match->baseline);
        bool is_chosen_baseline =
            m->kind == MIGRATION_BASELINE && against == 0 && !match->has_highest;
        if (against <= 0 && !is_chosen_baseline)
            return STATE_COVERED;
    }
    if (m->kind == MIGRATION_BASELINE && match->has_highest)
        return STATE_COVERED;
    if (m->is_opaque)
        return STATE_OPAQUE;
    if (match->has_highest && version_compare(order, m->version, match->highest_applied) < 0)
        return STATE_OUT_OF_ORDER;
    return STATE_PENDING;
}

/* Rows whose text is not where it was applied from, sorted by that text. */
struct lost_rows {
    size_t *at; /* places in the index */
    size_t count;
    const struct row_index *index;
};

static int compare_lost(const void *left, const void *right, void *context)
{
    const struct row_index *index = context;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    int order = str_compare(index->at[a]->digest_raw, index->at[b]->digest_raw);
    return order ? order : (a > b) - (a < b);
}

static struct lost_rows find_lost_rows(struct arena *a, struct row_index *index)
{
    struct lost_rows lost = {.at = arena_array(a, size_t, index->count + 1), .index = index};
    for (size_t i = 0; i < index->count; i++) {
        if (!index->keeps_text[i] && index->at[i]->digest_raw.len)
            lost.at[lost.count++] = i;
    }
    qsort_r(lost.at, lost.count, sizeof(*lost.at), compare_lost, index);
    return lost;
}

/* The first of them with this text that was not found yet; SIZE_MAX: none. */
static size_t lost_row_find(const struct lost_rows *lost, struct str digest)
{
    size_t from = 0;
    size_t to = lost->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_compare(lost->index->at[lost->at[middle]]->digest_raw, digest) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < lost->count; from++) {
        size_t at = lost->at[from];
        if (!str_equal(lost->index->at[at]->digest_raw, digest))
            break;
        if (!lost->index->is_taken[at])
            return at;
    }
    return SIZE_MAX;
}

/* Never applied, or with other statements than those applied under its label. */
static bool may_be_renumbered(const struct reconciled *r)
{
    if (r->row)
        return r->state == STATE_CHANGED && r->change == CHANGE_SQL;
    return r->migration && reconciled_is_pending(r);
}

/* Files that have the very text of a row whose own file does not have it. A row that found its file so is
   not missing, unless that file stands in the place of another row. */
static void find_renumbered(struct arena *a, struct matching *match, struct reconciliation *r)
{
    struct row_index *index = &match->index;
    struct lost_rows lost = find_lost_rows(a, index);
    for (size_t i = 0; lost.count && i < r->count; i++) {
        struct reconciled *one = &r->at[i];
        if (!may_be_renumbered(one))
            continue;
        size_t at = lost_row_find(&lost, digest_str(&one->migration->checksums.raw));
        if (at == SIZE_MAX)
            continue;
        one->state = STATE_RENUMBERED;
        one->other = index->at[at];
        index->is_taken[at] = true;
        struct reconciled *there = index->is_matched[at] ? &r->at[index->matched_by[at]] : NULL;
        index->is_matched[at] |= !one->row;
        if (one->row && there && there->other == one->row)
            one->is_swapped = there->is_swapped = true;
    }
}

static int compare_reconciled(const void *left, const void *right, void *context)
{
    const struct reconciled *a = left;
    const struct reconciled *b = right;
    const enum version_order *order = context;
    bool a_repeatable =
        a->migration ? a->migration->kind == MIGRATION_REPEATABLE : row_is_repeatable(a->row);
    bool b_repeatable =
        b->migration ? b->migration->kind == MIGRATION_REPEATABLE : row_is_repeatable(b->row);
    return compare_labels(*order, a_repeatable,
                          a->migration ? migration_label(a->migration) : history_row_label(a->row),
                          b_repeatable,
                          b->migration ? migration_label(b->migration) : history_row_label(b->row));
}

static void add_missing(struct arena *a, const struct matching *match, struct reconciliation *r)
{
    size_t before = r->count;
    for (size_t k = 0; k < match->index.count; k++) {
        if (!match->index.is_matched[k])
            vec_push(a, r, (struct reconciled){.state = STATE_MISSING, .row = match->index.at[k]});
    }
    enum version_order order = match->index.order;
    if (r->count !=
        before) /* a drizzle journal may order otherwise: files alone keep their order */
        qsort_r(r->at, r->count, sizeof(*r->at), compare_reconciled, &order);
}

bool reconcile(struct arena *a, const struct migrations *files, const struct history *history,
               digest_reader *read_digests, void *context, struct reconciliation *out,
               struct fail *f)
{
    struct matching match = {
        .index = index_rows(a, history, files->order),
        .read_digests = read_digests,
        .context = context,
    };
    find_marks(&match, files, history);
    struct reconciliation r = {0};
    for (size_t i = 0; i < files->count; i++) {
        struct reconciled one = {.migration = &files->at[i]};
        size_t at = index_find(&match.index, one.migration, i);
        /* A baseline and the version that it stands for are different migrations. */
        bool is_other = at != SIZE_MAX && (one.migration->kind == MIGRATION_BASELINE) !=
                                              row_is_baseline(match.index.at[at]);
        if (at == SIZE_MAX || is_other) {
            one.state = state_of_new(&match, one.migration);
        } else {
            one.row = match.index.at[at];
            match.index.is_matched[at] = true;
            match.index.matched_by[at] = i;
            if (!match_applied(a, &match, &one, f))
                return false;
            match.index.keeps_text[at] = one.state != STATE_CHANGED || one.change != CHANGE_SQL;
        }
        vec_push(a, &r, one);
    }
    find_renumbered(a, &match, &r);
    add_missing(a, &match, &r);
    for (size_t i = 0; i < r.count; i++) {
        r.applied += r.at[i].state == STATE_APPLIED || r.at[i].state == STATE_CHANGED ||
                     (r.at[i].state == STATE_RENUMBERED && r.at[i].row);
        r.expanded += r.at[i].state == STATE_EXPANDED;
        r.switched += r.at[i].state == STATE_SWITCHED;
        r.pending += reconciled_is_pending(&r.at[i]);
        r.problems += reconciled_is_problem(&r.at[i]);
    }
    *out = r;
    return true;
}

bool reconcile_is_settled(struct arena *a, const struct migrations *files,
                          const struct history *history)
{
    struct row_index index = index_rows(a, history, files->order);
    if (index.count != files->count)
        return false;
    for (size_t i = 0; i < files->count; i++) {
        const struct migration *m = &files->at[i];
        size_t at = index_find(&index, m, i);
        if (at == SIZE_MAX || index.is_matched[at] || m->kind == MIGRATION_BASELINE ||
            !str_equal(index.at[at]->state, STR("applied")) ||
            !str_equal(index.at[at]->digest_raw, digest_str(&m->checksums.raw)))
            return false;
        index.is_matched[at] = true;
    }
    return true;
}
