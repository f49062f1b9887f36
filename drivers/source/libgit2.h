/*
 * libgit2, opened by dlopen(): see git.h for why. Behind a successful libgit2_load() its functions
 * are called through the table, libgit2.git_repository_head(…). Private to drivers/source.
 */
#ifndef DRIVERS_SOURCE_LIBGIT2_H
#define DRIVERS_SOURCE_LIBGIT2_H

/* Before our own headers: it has a member named as a function that they ban. */
#include <git2.h>

#include "core/base/base.h"

/* Every function of libgit2 that we call. */
#define LIBGIT2_FUNCTIONS(FUNCTION)                                                                \
    FUNCTION(git_blob_free)                                                                        \
    FUNCTION(git_blob_lookup)                                                                      \
    FUNCTION(git_blob_rawcontent)                                                                  \
    FUNCTION(git_blob_rawsize)                                                                     \
    FUNCTION(git_commit_author)                                                                    \
    FUNCTION(git_commit_free)                                                                      \
    FUNCTION(git_commit_id)                                                                        \
    FUNCTION(git_commit_lookup)                                                                    \
    FUNCTION(git_commit_parent)                                                                    \
    FUNCTION(git_commit_parentcount)                                                               \
    FUNCTION(git_commit_tree)                                                                      \
    FUNCTION(git_error_last)                                                                       \
    FUNCTION(git_libgit2_init)                                                                     \
    FUNCTION(git_libgit2_opts)                                                                     \
    FUNCTION(git_libgit2_version)                                                                  \
    FUNCTION(git_merge_base)                                                                       \
    FUNCTION(git_object_free)                                                                      \
    FUNCTION(git_object_id)                                                                        \
    FUNCTION(git_object_peel)                                                                      \
    FUNCTION(git_oid_equal)                                                                        \
    FUNCTION(git_oid_tostr)                                                                        \
    FUNCTION(git_reference_free)                                                                   \
    FUNCTION(git_reference_lookup)                                                                 \
    FUNCTION(git_reference_peel)                                                                   \
    FUNCTION(git_reference_shorthand)                                                              \
    FUNCTION(git_reference_symbolic_target)                                                        \
    FUNCTION(git_reference_type)                                                                   \
    FUNCTION(git_repository_free)                                                                  \
    FUNCTION(git_repository_head)                                                                  \
    FUNCTION(git_repository_head_detached)                                                         \
    FUNCTION(git_repository_is_shallow)                                                            \
    FUNCTION(git_repository_open_ext)                                                              \
    FUNCTION(git_repository_workdir)                                                               \
    FUNCTION(git_revparse_single)                                                                  \
    FUNCTION(git_revwalk_free)                                                                     \
    FUNCTION(git_revwalk_hide)                                                                     \
    FUNCTION(git_revwalk_new)                                                                      \
    FUNCTION(git_revwalk_next)                                                                     \
    FUNCTION(git_revwalk_push)                                                                     \
    FUNCTION(git_revwalk_sorting)                                                                  \
    FUNCTION(git_status_list_entrycount)                                                           \
    FUNCTION(git_status_list_free)                                                                 \
    FUNCTION(git_status_list_new)                                                                  \
    FUNCTION(git_tree_entry_byindex)                                                               \
    FUNCTION(git_tree_entry_bypath)                                                                \
    FUNCTION(git_tree_entry_filemode)                                                              \
    FUNCTION(git_tree_entry_free)                                                                  \
    FUNCTION(git_tree_entry_id)                                                                    \
    FUNCTION(git_tree_entry_name)                                                                  \
    FUNCTION(git_tree_entrycount)                                                                  \
    FUNCTION(git_tree_free)                                                                        \
    FUNCTION(git_tree_id)                                                                          \
    FUNCTION(git_tree_lookup)

struct libgit2 {
#define FUNCTION(name) __typeof__(&name) name;
    LIBGIT2_FUNCTIONS(FUNCTION)
#undef FUNCTION
};
extern struct libgit2 libgit2;

/* Opens libgit2 once per process. Returns NULL, or (static) why it cannot be used. */
const char *libgit2_load(void) MUST_CHECK;

/* Handles are released at the end of their scope: SCOPED(git_commit) git_commit *c. */
#define LIBGIT2_SCOPED(type, release)                                                              \
    static inline void scoped_release_##type(type **owned)                                         \
    {                                                                                              \
        if (*owned)                                                                                \
            libgit2.release(*owned);                                                               \
    }
LIBGIT2_SCOPED(git_repository, git_repository_free)
LIBGIT2_SCOPED(git_reference, git_reference_free)
LIBGIT2_SCOPED(git_object, git_object_free)
LIBGIT2_SCOPED(git_blob, git_blob_free)
LIBGIT2_SCOPED(git_revwalk, git_revwalk_free)
LIBGIT2_SCOPED(git_commit, git_commit_free)
LIBGIT2_SCOPED(git_tree, git_tree_free)
LIBGIT2_SCOPED(git_tree_entry, git_tree_entry_free)
LIBGIT2_SCOPED(git_status_list, git_status_list_free)

#endif
