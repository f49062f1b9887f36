/* See git_branch.h. */
#include "drivers/source/git_tree.h" /* first: see libgit2.h */

#include "drivers/source/git_branch.h"
#include "drivers/source/git_place.h"

#include "core/base/vec.h"

/* Commits that are looked at to find who changed a file. */
#define WALK_MAX 20000
#define SHORT_ID 12

struct whole_branch {
    struct git_branch facts; /* first: what the caller holds */
    git_repository *repository;
    git_commit *commits[GIT_SIDES];
    struct git_tree_view views[GIT_SIDES];
};

static const struct whole_branch *whole_of(const struct git_branch *b)
{
    return (const struct whole_branch *)b;
}

static const char *last_error(void)
{
    const git_error *e = libgit2.git_error_last();
    return e && e->message ? e->message : "no reason given";
}

static const char *id_text(struct arena *a, const git_oid *id)
{
    char text[GIT_OID_HEXSZ + 1];
    return arena_cstr(a, str_of(libgit2.git_oid_tostr(text, sizeof(text), id)));
}

static bool is_known(git_repository *repository, const char *name)
{
    SCOPED(git_object) git_object *object = NULL;
    return libgit2.git_revparse_single(&object, repository, name) == 0;
}

/* "origin/main" is fetched with `git fetch origin main`; "main" may only be there as "origin/main". */
static bool hint_revision(git_repository *repository, const char *name, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct str remote;
    const char *tracked = arena_printf(a, "origin/%s", name);
    struct str branch = str_cut(str_of(name), '/', &remote);
    if (is_known(repository, tracked))
        return fail_hint(f, "Did you mean %s?", tracked);
    if (branch.len && str_equal(remote, STR("origin")))
        return fail_hint(f,
                         "Fetch it: git fetch origin %.*s (GitHub Actions: fetch-depth: 0 of "
                         "actions/checkout; GitLab: GIT_DEPTH: 0).",
                         STR_ARG(branch));
    return fail_hint(f, "Fetch it: git fetch origin %s, then name it origin/%s.", name, name);
}

static bool resolve(struct arena *a, struct whole_branch *b, enum git_side side, const char *name,
                    struct fail *f)
{
    SCOPED(git_object) git_object *object = NULL;
    int code = libgit2.git_revparse_single(&object, b->repository, name);
    if (code != 0 && strcmp(name, "HEAD") == 0) {
        fail_set(f, EXIT_USAGE, "the repository has no commit yet");
        return fail_hint(f, "Commit the migrations, or plan without --base and --rev.");
    }
    if (code == GIT_EAMBIGUOUS) {
        fail_set(f, EXIT_USAGE, "\"%s\" stands for several things in the repository", name);
        return fail_hint(f, "Write more of it.");
    }
    if (code != 0) {
        fail_set(f, EXIT_USAGE, "there is no revision \"%s\" in the repository", name);
        return hint_revision(b->repository, name, f);
    }
    if (libgit2.git_object_peel((git_object **)&b->commits[side], object, GIT_OBJECT_COMMIT) != 0) {
        fail_set(f, EXIT_USAGE, "\"%s\" is no commit", name);
        return fail_hint(f, "Give a branch, a tag or the id of a commit.");
    }
    b->facts.names[side] = name;
    b->facts.commits[side] = id_text(a, libgit2.git_commit_id(b->commits[side]));
    return true;
}

static bool find_fork(struct arena *a, struct whole_branch *b, struct fail *f)
{
    git_oid id;
    int code =
        libgit2.git_merge_base(&id, b->repository, libgit2.git_commit_id(b->commits[GIT_BASE]),
                               libgit2.git_commit_id(b->commits[GIT_HEAD]));
    if (code != 0) {
        bool is_shallow = libgit2.git_repository_is_shallow(b->repository) == 1;
        fail_set(f, EXIT_USAGE, "%s and %s have no commit in common%s", b->facts.names[GIT_BASE],
                 b->facts.names[GIT_HEAD], is_shallow ? ": the clone is shallow" : "");
        if (is_shallow)
            return fail_hint(f, "Fetch the history: git fetch --unshallow (GitHub Actions: "
                                "fetch-depth: 0 of actions/checkout; GitLab: GIT_DEPTH: 0).");
        return fail_hint(f, "Name the branch that this one will be merged into.");
    }
    const char *text = id_text(a, &id);
    b->facts.commits[GIT_FORK] = text;
    b->facts.names[GIT_FORK] = arena_printf(a, "%.*s", SHORT_ID, text);
    if (libgit2.git_commit_lookup(&b->commits[GIT_FORK], b->repository, &id) == 0)
        return true;
    fail_set(f, EXIT_FAILED, "cannot read commit %s: %s", text, last_error());
    return fail_hint(f, "`git fsck` finds damage.");
}

static bool open_tree(struct arena *a, struct whole_branch *b, enum git_side side, struct fail *f)
{
    struct git_tree_view *v = &b->views[side];
    if (!b->commits[side])
        return true;
    if (libgit2.git_commit_tree(&v->root, b->commits[side]) != 0) {
        fail_set(f, EXIT_FAILED, "cannot read the tree of %s: %s", b->facts.names[side],
                 last_error());
        return fail_hint(f, "`git fsck` finds damage.");
    }
    v->repository = b->repository;
    v->name = b->facts.names[side];
    if (side != GIT_HEAD)
        v->prefix = str_of(arena_printf(a, "%s:", v->name));
    v->directories = b->facts.directories;
    v->directory_count = b->facts.count;
    git_tree_view_start(v);
    fs_view_add(&v->view);
    return true;
}

/* Each directory must be in one of the trees: else its name is wrong, and nothing would be planned. */
static bool check_directories(const struct whole_branch *b, const struct git_branch_request *r,
                              struct fail *f)
{
    for (size_t i = 0; i < b->facts.count; i++) {
        bool is_found = false;
        for (int side = 0; side < GIT_SIDES && !is_found; side++)
            is_found = b->commits[side] &&
                       git_tree_view_has_directory(&b->views[side], b->facts.directories[i]);
        if (is_found)
            continue;
        fail_set(f, EXIT_USAGE, "there is no directory \"%.*s\" in %s", STR_ARG(r->directories[i]),
                 b->facts.names[GIT_HEAD]);
        f->kind = FAIL_NOT_FOUND;
        return fail_hint(f, "Only what is committed is planned with --base and --rev; --dir is "
                            "relative to the current directory.");
    }
    return true;
}

static bool open_all(struct arena *a, struct whole_branch *b, const struct git_branch_request *r,
                     struct fail *f)
{
    if (!git_find_repository(a, r->directories, r->count, &b->repository, b->facts.directories, f))
        return false;
    if (!resolve(a, b, GIT_HEAD, r->rev ? r->rev : "HEAD", f))
        return false;
    if (r->base && (!resolve(a, b, GIT_BASE, r->base, f) || !find_fork(a, b, f)))
        return false;
    for (int side = 0; side < GIT_SIDES; side++) {
        if (!open_tree(a, b, (enum git_side)side, f))
            return false;
    }
    return check_directories(b, r, f);
}

bool git_branch_open(struct arena *a, const struct git_branch_request *r, struct git_branch **out,
                     struct fail *f)
{
    const char *why = libgit2_load();
    if (why) {
        fail_set(f, EXIT_USAGE, "%s", why);
        return fail_hint(f, "Install libgit2, or plan without --base and --rev.");
    }
    struct whole_branch *b = arena_new(a, struct whole_branch);
    *b = (struct whole_branch){.facts = {.names = {"", "", ""}, .commits = {"", "", ""}}};
    b->facts.directories = arena_array(a, struct str, r->count + 1);
    b->facts.count = r->count;
    if (open_all(a, b, r, f)) {
        *out = &b->facts;
        return true;
    }
    git_branch_close(&b->facts);
    return false;
}

void git_branch_close(struct git_branch *facts)
{
    struct whole_branch *b = (struct whole_branch *)facts;
    if (!b)
        return;
    for (int side = 0; side < GIT_SIDES; side++) {
        fs_view_remove(&b->views[side].view);
        if (b->views[side].root)
            libgit2.git_tree_free(b->views[side].root);
        if (b->commits[side])
            libgit2.git_commit_free(b->commits[side]);
    }
    if (b->repository)
        libgit2.git_repository_free(b->repository);
    b->repository = NULL;
}

bool git_branch_read(struct arena *a, const struct git_branch *facts, enum git_side side,
                     enum layout layout, enum engine engine, struct migrations *out, struct fail *f)
{
    const struct whole_branch *b = whole_of(facts);
    const struct git_tree_view *v = &b->views[side];
    struct str *directories = arena_array(a, struct str, facts->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++) {
        if (git_tree_view_has_directory(v, facts->directories[i]))
            directories[count++] = str_of(
                arena_printf(a, "%.*s%.*s", STR_ARG(v->prefix), STR_ARG(facts->directories[i])));
    }
    *out = (struct migrations){.layout = layout, .order = layout_version_order(layout)};
    const struct source_request request = {
        .directories = directories,
        .count = count,
        .layout = layout,
        .engine = engine,
        .keeps_duplicates = true,
    };
    return count == 0 || directory_read(a, &request, out, f);
}

struct str git_branch_path(const struct git_branch *facts, enum git_side side, struct str path)
{
    struct str prefix = whole_of(facts)->views[side].prefix;
    path = str_starts(path, prefix) ? str_skip(path, prefix.len) : path;
    return prefix.len && path.len && path.at[0] == '/' ? str_skip(path, 1) : path;
}

/* ---- who changed it ---- */

/* What the commit has at the path; false: nothing. */
static bool entry_of(git_commit *commit, const char *path, git_oid *out)
{
    SCOPED(git_tree) git_tree *tree = NULL;
    SCOPED(git_tree_entry) git_tree_entry *entry = NULL;
    if (libgit2.git_commit_tree(&tree, commit) != 0 ||
        libgit2.git_tree_entry_bypath(&entry, tree, path) != 0)
        return false;
    *out = *libgit2.git_tree_entry_id(entry);
    return true;
}

/* It differs from all of its parents: a merge that took one side as it was has changed nothing. */
static bool has_changed(git_commit *commit, const char *path)
{
    git_oid here;
    bool is_here = entry_of(commit, path, &here);
    unsigned parents = libgit2.git_commit_parentcount(commit);
    for (unsigned i = 0; i < parents; i++) {
        SCOPED(git_commit) git_commit *parent = NULL;
        git_oid there;
        if (libgit2.git_commit_parent(&parent, commit, i) != 0)
            return false;
        bool is_there = entry_of(parent, path, &there);
        if (is_here == is_there && (!is_here || libgit2.git_oid_equal(&here, &there)))
            return false;
    }
    return parents != 0 || is_here;
}

struct git_change git_branch_last_change(struct arena *a, const struct git_branch *facts,
                                         enum git_side side, struct str where)
{
    const struct whole_branch *b = whole_of(facts);
    const char *path = arena_cstr(a, where);
    struct git_change out = {"", ""};
    SCOPED(git_revwalk) git_revwalk *walk = NULL;
    git_oid id;
    if (!b->commits[side] || libgit2.git_revwalk_new(&walk, b->repository) != 0 ||
        libgit2.git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME) != 0 ||
        libgit2.git_revwalk_push(walk, libgit2.git_commit_id(b->commits[side])) != 0)
        return out;
    if (b->commits[GIT_FORK] &&
        libgit2.git_revwalk_hide(walk, libgit2.git_commit_id(b->commits[GIT_FORK])) != 0)
        return out;
    for (unsigned i = 0; i < WALK_MAX && libgit2.git_revwalk_next(&id, walk) == 0; i++) {
        SCOPED(git_commit) git_commit *commit = NULL;
        if (libgit2.git_commit_lookup(&commit, b->repository, &id) != 0)
            return out;
        if (!has_changed(commit, path))
            continue;
        const git_signature *author = libgit2.git_commit_author(commit);
        out.commit = id_text(a, &id);
        out.author = author && author->name ? arena_cstr(a, str_of(author->name)) : "";
        return out;
    }
    return out;
}
