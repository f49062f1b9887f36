/*
 * The tree of a commit as a view of files (core/base/fs_view.h): blobs are read, nothing is checked out, no
 * filter is applied. Private to drivers/source.
 */
#ifndef DRIVERS_SOURCE_GIT_TREE_H
#define DRIVERS_SOURCE_GIT_TREE_H

#include "drivers/source/libgit2.h" /* first: see there */

#include "core/base/fs_view.h"

struct git_tree_view {
    struct fs_view view; /* its context is the struct itself: it must not move */
    git_repository *repository;
    git_tree *root;
    const char *name; /* of the revision, for messages */
    /* In front of the paths of this view ("origin/main:"); "" : paths as they are in the repository. */
    struct str prefix;
    /* Without prefix: below these nothing is taken from the disk, elsewhere what the tree does not have
       is. What begins with "/", "./" or "../" always is. */
    const struct str *directories;
    size_t directory_count;
};

/* Fills view; the other fields are there. */
void git_tree_view_start(struct git_tree_view *v);
/* Whether the tree has a directory of that path in the repository; "" is its root. A submodule is one. */
bool git_tree_view_has_directory(const struct git_tree_view *v, struct str path);

#endif
