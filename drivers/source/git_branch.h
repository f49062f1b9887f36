/*
 * What a branch adds, as git knows it: three trees (the tip of the base, the commit where the branch left it,
 * the head of the branch) whose migrations are read without a checkout, and who changed what.
 */
#ifndef DRIVERS_SOURCE_GIT_BRANCH_H
#define DRIVERS_SOURCE_GIT_BRANCH_H

#include "drivers/source/directory.h"

enum git_side {
    GIT_HEAD = 0, /* --rev, else HEAD: its paths are those of the repository */
    GIT_BASE,     /* --base: "origin/main:db/migrations/…" */
    GIT_FORK,     /* the merge base of both: "1a2b3c4d5e6f:db/migrations/…" */
    GIT_SIDES,
};

struct git_branch_request {
    const struct str *directories; /* of the migrations, as the user wrote them */
    size_t count;
    const char *base; /* NULL: there are no base and no fork */
    const char *rev;  /* NULL: HEAD */
};

struct git_branch {
    const char *names[GIT_SIDES];   /* for people: "HEAD", "origin/main", "1a2b3c4d5e6f" */
    const char *commits[GIT_SIDES]; /* ids; "" where there is none */
    struct str *directories;        /* within the repository; "" is its root */
    size_t count;
};

/*
 * Its files can be read by their paths until it is closed, also through core/base/fs.h. One at a time.
 * Fails (EXIT_USAGE): libgit2 is missing, no repository, no commit, no such revision, no common history (a
 * shallow clone), a directory outside of the repository or in none of the trees.
 */
bool git_branch_open(struct arena *a, const struct git_branch_request *r, struct git_branch **out,
                     struct fail *f) MUST_CHECK;
void git_branch_close(struct git_branch *b); /* NULL is fine */

/* The migrations of one side; none where it does not have the directories. Files of one version are all
   given. Fails as directory_read() does. */
bool git_branch_read(struct arena *a, const struct git_branch *b, enum git_side side,
                     enum layout layout, enum engine engine, struct migrations *out, struct fail *f)
    MUST_CHECK;
/* The path within the repository of a file of git_branch_read(). */
struct str git_branch_path(const struct git_branch *b, enum git_side side, struct str path);

struct git_change {
    const char *commit; /* "" : not found */
    const char *author; /* name only */
};
/* The newest commit of side, behind the fork, that changed what is at this path in the repository. */
struct git_change git_branch_last_change(struct arena *a, const struct git_branch *b,
                                         enum git_side side, struct str path);

#endif
