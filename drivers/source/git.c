/* See git.h. Every question is put to libgit2; GIT_DIR and the like are not asked. */
#include "drivers/source/libgit2.h" /* first: see there */

#include "drivers/source/git.h"

#include "core/base/fs.h"

#include <stdlib.h>

static bool fail_git(const char *path, struct fail *f)
{
    const git_error *e = libgit2.git_error_last();
    fail_set(f, EXIT_FAILED, "cannot read the git repository of \"%s\": %s", path,
             e && e->message ? e->message : "no reason given");
    return fail_hint(f, "`git status` there should say more; `git fsck` finds damage.");
}

/* Before the first commit HEAD names a branch that does not exist yet. */
static bool read_unborn(struct arena *a, git_repository *repository, struct git_place *out)
{
    SCOPED(git_reference) git_reference *head = NULL;
    if (libgit2.git_reference_lookup(&head, repository, "HEAD") != 0 ||
        libgit2.git_reference_type(head) != GIT_REFERENCE_SYMBOLIC)
        return true;
    struct str name = str_of(libgit2.git_reference_symbolic_target(head));
    if (str_starts(name, STR("refs/heads/")))
        out->branch = arena_cstr(a, str_skip(name, strlen("refs/heads/")));
    return true;
}

static const char *author_text(struct arena *a, const git_commit *commit)
{
    const git_signature *author = libgit2.git_commit_author(commit);
    return author ? arena_printf(a, "%s <%s>", author->name, author->email) : "";
}

/* Whether the commit holds anything at that path; "" is the root. */
static bool commit_holds(git_commit *commit, const char *relative)
{
    SCOPED(git_tree) git_tree *tree = NULL;
    SCOPED(git_tree_entry) git_tree_entry *entry = NULL;
    if (libgit2.git_commit_tree(&tree, commit) != 0)
        return false;
    return !relative[0] || libgit2.git_tree_entry_bypath(&entry, tree, relative) == 0;
}

static bool read_cleanness(git_repository *repository, git_commit *commit, const char *path,
                           const char *relative, struct git_place *out, struct fail *f)
{
    SCOPED(git_status_list) git_status_list *changes = NULL;
    char *only = strdup(relative); /* libgit2 wants it without const */
    git_status_options options = {
        .version = GIT_STATUS_OPTIONS_VERSION,
        .show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR,
        .flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH |
                 GIT_STATUS_OPT_EXCLUDE_SUBMODULES,
    };
    if (relative[0])
        options.pathspec = (git_strarray){.strings = &only, .count = 1};
    int code = libgit2.git_status_list_new(&changes, repository, &options);
    free(only);
    if (code != 0)
        return fail_git(path, f);
    out->is_clean =
        libgit2.git_status_list_entrycount(changes) == 0 && commit_holds(commit, relative);
    return true;
}

/* The path within the work tree, without slashes at its ends; NULL where it is not in it. */
static const char *relative_path(struct arena *a, git_repository *repository, struct str absolute)
{
    struct str tree = str_of(libgit2.git_repository_workdir(repository)); /* ends with a slash */
    if (tree.len == 0)
        return NULL;
    tree.len--;
    if (str_equal(absolute, tree))
        return "";
    if (!str_starts(absolute, tree) || absolute.at[tree.len] != '/')
        return NULL;
    return arena_cstr(a, str_skip(absolute, tree.len + 1));
}

static bool read_head(struct arena *a, git_repository *repository, const char *path,
                      struct str absolute, struct git_place *out, struct fail *f)
{
    SCOPED(git_reference) git_reference *head = NULL;
    SCOPED(git_commit) git_commit *commit = NULL;
    char id[GIT_OID_HEXSZ + 1];
    int code = libgit2.git_repository_head(&head, repository);
    if (code == GIT_EUNBORNBRANCH || code == GIT_ENOTFOUND)
        return read_unborn(a, repository, out);
    if (code != 0 ||
        libgit2.git_reference_peel((git_object **)&commit, head, GIT_OBJECT_COMMIT) != 0)
        return fail_git(path, f);
    (void)libgit2.git_oid_tostr(id, sizeof(id), libgit2.git_commit_id(commit));
    out->commit = arena_cstr(a, str_of(id));
    out->author = author_text(a, commit);
    if (libgit2.git_repository_head_detached(repository) == 0)
        out->branch = arena_cstr(a, str_of(libgit2.git_reference_shorthand(head)));
    const char *relative = relative_path(a, repository, absolute);
    return !relative || read_cleanness(repository, commit, path, relative, out, f);
}

/* Whether libgit2 may find a repository there: its .git, or a bare one's HEAD, in a directory above. Starting
   libgit2 costs 10 ms: it reads the certificates of the whole web. */
static bool may_be_in_repository(struct arena *a, struct str directory)
{
    static const char *const signs[] = {".git", "HEAD"};
    for (;;) {
        for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
            if (fs_exists(fs_join(a, directory, str_of(signs[i]))))
                return true;
        }
        if (str_equal(directory, STR("/")))
            return false;
        directory = fs_dirname(directory);
    }
}

bool git_describe_place(struct arena *a, const char *path, struct git_place *out, struct fail *f)
{
    struct git_place place = {.commit = "", .author = "", .branch = ""};
    char *real = realpath(path, NULL); /* links resolved, as libgit2 does for the work tree */
    if (!real) {
        fail_errno(f, EXIT_USAGE, "cannot open \"%s\"", path);
        return fail_hint(f, "Check the path; it is relative to the current directory.");
    }
    struct str absolute = str_of(arena_cstr(a, str_of(real)));
    free(real);
    struct str directory = fs_is_directory(absolute.at) ? absolute : fs_dirname(absolute);
    bool may_be = may_be_in_repository(a, directory);
    place.note = may_be ? libgit2_load() : NULL;
    if (!may_be || place.note) {
        *out = place;
        return true;
    }
    SCOPED(git_repository) git_repository *repository = NULL;
    int code = libgit2.git_repository_open_ext(&repository, arena_cstr(a, directory),
                                               GIT_REPOSITORY_OPEN_CROSS_FS, NULL);
    if (code == GIT_ENOTFOUND) {
        *out = place;
        return true;
    }
    if (code != 0)
        return fail_git(path, f);
    place.is_repository = true;
    if (!read_head(a, repository, path, absolute, &place, f))
        return false;
    *out = place;
    return true;
}

const char *git_library_version(bool is_runtime)
{
    static char text[32];
    int major;
    int minor;
    int revision;
    if (!is_runtime)
        return LIBGIT2_VERSION;
    if (libgit2_load())
        return "";
    if (libgit2.git_libgit2_version(&major, &minor, &revision) != 0)
        return "";
    (void)snprintf(text, sizeof(text), "%d.%d.%d", major, minor, revision);
    return text;
}
