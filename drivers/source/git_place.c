/* See git_place.h. Links are resolved as far as the path exists, as libgit2 does for the work tree. */
#include "drivers/source/git_place.h"

#include "core/base/fs.h"

#include <stdlib.h>
#include <unistd.h>

DEFINE_SCOPED(cstr, char *, free)

/* "a/./b/../c" → "a/c"; absolute stays absolute, ".." at the front of a
 * relative one stays. */
static struct str without_dots(struct arena *a, struct str path)
{
    bool is_absolute = path.len && path.at[0] == '/';
    struct str out = {0};
    while (path.len) {
        struct str part;
        path = str_cut(path, '/', &part);
        if (!part.len || str_equal(part, STR(".")))
            continue;
        bool is_up = str_equal(part, STR(".."));
        if (is_up && out.len && !str_equal(fs_basename(out), STR("..")))
            out = str_find_char(out, '/') == SIZE_MAX ? (struct str){0} : fs_dirname(out);
        else if (!is_up || !is_absolute)
            out = str_of(out.len ? fs_join(a, out, part) : arena_cstr(a, part));
    }
    return is_absolute ? str_of(arena_printf(a, "/%.*s", STR_ARG(out))) : out;
}

/* The nearest directory that exists, real, and what is left behind it. */
static struct str existing_part(struct arena *a, struct str absolute, struct str *out_rest)
{
    struct str at = absolute;
    *out_rest = (struct str){0};
    for (;;) {
        SCOPED(cstr) char *real = realpath(arena_cstr(a, at), NULL);
        if (real && fs_is_directory(real)) {
            *out_rest = str_skip(absolute, at.len);
            while (out_rest->len && out_rest->at[0] == '/')
                *out_rest = str_skip(*out_rest, 1);
            return arena_str(a, str_of(real));
        }
        if (at.len <= 1)
            return STR("/");
        at = fs_dirname(at);
    }
}

static bool open_repository(struct arena *a, struct str directory, struct str given,
                            git_repository **out, struct fail *f)
{
    int code = libgit2.git_repository_open_ext(out, arena_cstr(a, directory),
                                               GIT_REPOSITORY_OPEN_CROSS_FS, NULL);
    if (code == 0)
        return true;
    if (code == GIT_ENOTFOUND) {
        fail_set(f, EXIT_USAGE, "\"%.*s\" is in no git repository", STR_ARG(given));
        return fail_hint(f, "--base and --rev compare what is committed; without them the files "
                            "themselves are planned.");
    }
    const git_error *e = libgit2.git_error_last();
    fail_set(f, EXIT_FAILED, "cannot read the git repository of \"%.*s\": %s", STR_ARG(given),
             e && e->message ? e->message : "no reason given");
    return fail_hint(f, "`git status` there should say more; `git fsck` finds damage.");
}

/* The path in a work tree, without slashes at its ends. */
static bool relative_to(struct str tree, struct str absolute, struct str *out)
{
    while (tree.len > 1 && tree.at[tree.len - 1] == '/')
        tree.len--;
    if (!str_starts(absolute, tree))
        return false;
    struct str rest = str_skip(absolute, tree.len);
    if (rest.len && rest.at[0] != '/' && tree.len > 1)
        return false;
    while (rest.len && rest.at[0] == '/')
        rest = str_skip(rest, 1);
    *out = rest;
    return true;
}

bool git_find_repository(struct arena *a, const struct str *directories, size_t count,
                         git_repository **out, struct str *out_paths, struct fail *f)
{
    SCOPED(cstr) char *here = getcwd(NULL, 0);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        struct str rest;
        struct str whole = str_of(fs_join(a, str_of(here ? here : "/"), directories[i]));
        struct str real = existing_part(a, without_dots(a, whole), &rest);
        if (!*out && !open_repository(a, real, directories[i], out, f))
            return false;
        const char *tree = libgit2.git_repository_workdir(*out);
        struct str absolute = rest.len ? str_of(fs_join(a, real, rest)) : real;
        if (!tree) {
            out_paths[i] = without_dots(a, directories[i]);
        } else if (!relative_to(str_of(tree), absolute, &out_paths[i])) {
            fail_set(f, EXIT_USAGE, "\"%.*s\" is not in the repository at %s",
                     STR_ARG(directories[i]), tree);
            return fail_hint(f, "With --base and --rev all directories are in one repository.");
        }
    }
    return true;
}
