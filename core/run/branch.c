/* Each side is sorted by script once; versions are compared for added files
 * only, which are few. */
#include "core/run/branch.h"

#include "core/base/vec.h"

#include <stdlib.h>

struct script_index {
    const struct migration **at;
    size_t count;
};

struct comparing {
    struct arena *a;
    const struct branch_request *request;
    struct script_index fork, base, head;
    struct branch *out;
};

static int compare_scripts(const void *left, const void *right)
{
    const struct migration *const *a = left;
    const struct migration *const *b = right;
    return str_compare((*a)->script, (*b)->script);
}

static struct script_index index_scripts(struct arena *a, const struct migrations *m)
{
    struct script_index index = {arena_array(a, const struct migration *, m->count + 1), m->count};
    for (size_t i = 0; i < m->count; i++)
        index.at[i] = &m->at[i];
    if (index.count)
        qsort(index.at, index.count, sizeof(*index.at), compare_scripts);
    return index;
}

static const struct migration *find(const struct script_index *index, struct str script)
{
    const struct migration key = {.script = script};
    const struct migration *wanted = &key;
    if (!index->count)
        return NULL;
    const struct migration **found =
        bsearch(&wanted, index->at, index->count, sizeof(*index->at), compare_scripts);
    return found ? *found : NULL;
}

static bool is_same_text(const struct migration *a, const struct migration *b)
{
    return digest_equal(&a->checksums.raw, &b->checksums.raw);
}

static bool is_versioned(const struct migration *m)
{
    return m->kind == MIGRATION_VERSIONED;
}

static int compare_versions(const struct comparing *c, const struct migration *a,
                            const struct migration *b)
{
    return version_compare(c->request->head->order, a->version, b->version);
}

static void report(struct comparing *c, const struct branch_finding *finding)
{
    vec_push(c->a, &c->out->findings, *finding);
}

/* How much the text differs. */
static bool read_change(struct comparing *c, const struct migration *now,
                        const struct migration *was, enum change_kind *out, struct fail *f)
{
    struct checksums here = now->checksums;
    struct checksums there = was->checksums;
    *out = CHANGE_NONE;
    if (is_same_text(now, was))
        return true;
    if (!c->request->read_digests(c->request->context, now, &here, f) ||
        !c->request->read_digests(c->request->context, was, &there, f))
        return false;
    if (digest_equal(&here.normalized, &there.normalized))
        *out = CHANGE_LINE_ENDINGS;
    else if (digest_is_set(&here.tree) && digest_equal(&here.tree, &there.tree))
        *out = CHANGE_COMMENTS;
    else
        *out = CHANGE_SQL;
    return true;
}

/* A file that was merged before the branch began. */
static bool compare_merged(struct comparing *c, const struct migration *m,
                           const struct migration *was, struct fail *f)
{
    const struct migration *tip = find(&c->base, m->script);
    enum change_kind change;
    if (tip && is_same_text(m, tip))
        return true; /* whatever became of it, the base has it too */
    if (!read_change(c, m, was, &change, f))
        return false;
    if (change == CHANGE_NONE || change == CHANGE_LINE_ENDINGS)
        return true;
    if (m->kind == MIGRATION_REPEATABLE)
        vec_push(c->a, &c->out->added, m);
    else
        report(c, &(struct branch_finding){BRANCH_EDITED, change, m, was, BRANCH_OF_FORK});
    return true;
}

/* A merged file that has left its place, and whose text or version this one
 * has. */
static const struct migration *find_former(const struct comparing *c, const struct migration *m)
{
    const struct migrations *fork = c->request->fork;
    const struct migration *by_version = NULL;
    for (size_t i = 0; i < fork->count; i++) {
        const struct migration *was = &fork->at[i];
        if (was->kind != m->kind || find(&c->head, was->script))
            continue;
        if (is_same_text(m, was))
            return was;
        if (is_versioned(m) && compare_versions(c, m, was) == 0)
            by_version = was;
    }
    return by_version;
}

static void report_order(struct comparing *c, const struct migration *m)
{
    const struct migrations *sides[] = {c->request->base, c->request->fork};
    for (size_t side = 0; side < ARRAY_LEN(sides); side++) {
        const struct migration *highest = NULL;
        for (size_t i = 0; i < sides[side]->count; i++) {
            const struct migration *other = &sides[side]->at[i];
            if (is_versioned(other) && (!highest || compare_versions(c, other, highest) > 0))
                highest = other;
        }
        if (highest && compare_versions(c, m, highest) < 0) {
            report(c, &(struct branch_finding){BRANCH_OUT_OF_ORDER, CHANGE_NONE, m, highest,
                                               side ? BRANCH_OF_FORK : BRANCH_OF_BASE});
            return;
        }
    }
}

/* Whether the version is taken; of two files of the branch the second one is
 * told. */
static bool report_duplicate(struct comparing *c, const struct migration *m)
{
    const struct migrations *sides[] = {c->request->base, c->request->head};
    for (size_t side = 0; side < ARRAY_LEN(sides); side++) {
        bool is_head = sides[side] == c->request->head;
        for (size_t i = 0; i < sides[side]->count; i++) {
            const struct migration *other = &sides[side]->at[i];
            if (is_head && other >= m)
                break;
            if (!is_versioned(other) || compare_versions(c, m, other) != 0)
                continue;
            report(c, &(struct branch_finding){BRANCH_DUPLICATE, CHANGE_NONE, m, other,
                                               is_head ? BRANCH_OF_HEAD : BRANCH_OF_BASE});
            return true;
        }
    }
    return false;
}

static bool compare_new(struct comparing *c, const struct migration *m, struct fail *f)
{
    const struct migration *tip = find(&c->base, m->script);
    enum change_kind change = CHANGE_SQL;
    if (tip && !read_change(c, m, tip, &change, f))
        return false;
    if (change == CHANGE_NONE || change == CHANGE_LINE_ENDINGS)
        return true; /* merged meanwhile, by another way */
    const struct migration *was = find_former(c, m);
    if (was) {
        if (!read_change(c, m, was, &change, f))
            return false;
        report(c, &(struct branch_finding){BRANCH_RENAMED, change, m, was, BRANCH_OF_FORK});
        return true;
    }
    if (is_versioned(m) && !report_duplicate(c, m))
        report_order(c, m);
    /* On a database that has migrations a baseline is never run. */
    if (m->kind != MIGRATION_BASELINE || c->request->base->count == 0)
        vec_push(c->a, &c->out->added, m);
    return true;
}

static bool is_renamed(const struct branch *b, const struct migration *was)
{
    for (size_t i = 0; i < b->findings.count; i++) {
        if (b->findings.at[i].problem == BRANCH_RENAMED && b->findings.at[i].other == was)
            return true;
    }
    return false;
}

/* The base may have deleted it as well. */
static void report_deleted(struct comparing *c)
{
    const struct migrations *fork = c->request->fork;
    for (size_t i = 0; i < fork->count; i++) {
        const struct migration *was = &fork->at[i];
        if (!find(&c->head, was->script) && find(&c->base, was->script) && !is_renamed(c->out, was))
            report(c,
                   &(struct branch_finding){BRANCH_DELETED, CHANGE_NONE, was, was, BRANCH_OF_FORK});
    }
}

bool branch_compare(struct arena *a, const struct branch_request *r, struct branch *out,
                    struct fail *f)
{
    *out = (struct branch){0};
    struct comparing c = {
        .a = a,
        .request = r,
        .fork = index_scripts(a, r->fork),
        .base = index_scripts(a, r->base),
        .head = index_scripts(a, r->head),
        .out = out,
    };
    for (size_t i = 0; i < r->head->count; i++) {
        const struct migration *m = &r->head->at[i];
        const struct migration *was = find(&c.fork, m->script);
        if (!(was ? compare_merged(&c, m, was, f) : compare_new(&c, m, f)))
            return false;
    }
    report_deleted(&c);
    return true;
}
