/*
 * Where migrations come from, as git knows it: the commit that is checked out, who wrote it, and
 * whether the files are those of the commit. For the audit trail; nothing is decided by it.
 *
 * libgit2 is opened when it is needed and not before: linking it costs every command 1.5 ms of
 * start-up. Where it is not installed, the audit trail has no commit and a note says why.
 */
#ifndef DRIVERS_SOURCE_GIT_H
#define DRIVERS_SOURCE_GIT_H

#include "core/base/fail.h"

struct git_place {
    bool is_repository; /* the path is inside of one */
    const char *commit; /* id of HEAD, 40 (or 64) hex digits; "" before the first commit */
    const char *author; /* of that commit: "Name <mail>"; "" where there is none */
    const char *branch; /* "main"; "" where HEAD is detached */
    bool is_clean;      /* the commit holds the path, and nothing in it is changed or untracked */
    const char *note;   /* why less is known than could be: a sentence without full stop; or NULL */
};

/* Looks at a file or directory; all texts are in the arena. A path outside of any repository is no
   failure. Fails where the path does not exist (FAIL_NOT_FOUND), or where the repository cannot be
   read. */
bool git_describe_place(struct arena *a, const char *path, struct git_place *out, struct fail *f)
    MUST_CHECK;

/* Version of libgit2 at build time; at run time "" where it is not installed. */
const char *git_library_version(bool is_runtime);

#endif
