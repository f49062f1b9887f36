/*
 * What a branch adds to the migrations that are merged, and what it does to
 * those. Pure but for the digests of files that differ, which are asked for
 * through a callback, as by reconcile(). Files are the same where their script
 * is; what counts as merged is what the base had when the branch left it
 * (fork), or has now.
 */
#ifndef CORE_RUN_BRANCH_H
#define CORE_RUN_BRANCH_H

#include "core/run/reconcile.h"

enum branch_problem {
    BRANCH_EDITED = 1,   /* merged before the branch began, and another file now */
    BRANCH_DELETED,      /* merged, and not there any more */
    BRANCH_RENAMED,      /* merged under another name or version */
    BRANCH_DUPLICATE,    /* a version that a merged file has, or another one of the
                        branch */
    BRANCH_OUT_OF_ORDER, /* sorts before a merged one */
};

/* Where the other file of a finding lies. */
enum branch_side { BRANCH_OF_HEAD = 0, BRANCH_OF_BASE, BRANCH_OF_FORK };

struct branch_finding {
    enum branch_problem problem;
    enum change_kind change;           /* BRANCH_EDITED, BRANCH_RENAMED */
    const struct migration *migration; /* of the branch; BRANCH_DELETED: of the fork */
    const struct migration *other;     /* what it was, or whose version it takes, or is before */
    enum branch_side other_side;
};

struct branch_request {
    const struct migrations *fork, *base, *head;
    digest_reader *read_digests;
    void *context;
};

struct branch {
    struct {
        const struct migration **at; /* in order: new ones, and repeatables with another text */
        size_t count, room;
    } added;
    struct {
        struct branch_finding *at;
        size_t count, room;
    } findings;
};

/* Fails only where a file cannot be read. */
bool branch_compare(struct arena *a, const struct branch_request *r, struct branch *out,
                    struct fail *f) MUST_CHECK;

#endif
