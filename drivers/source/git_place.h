/* Where directories are in their repository. Private to drivers/source. */
#ifndef DRIVERS_SOURCE_GIT_PLACE_H
#define DRIVERS_SOURCE_GIT_PLACE_H

#include "drivers/source/libgit2.h" /* first: see there */

#include "core/base/fail.h"

/* Opens the repository that all the directories are in, which need not exist in the work tree, and fills
   out_paths (as many) with their paths in it: "db/migrations", "" for its root. In a bare repository the
   paths are taken as they are. Fails: EXIT_USAGE. */
bool git_find_repository(struct arena *a, const struct str *directories, size_t count,
                         git_repository **out, struct str *out_paths, struct fail *f) MUST_CHECK;

#endif
