/* Paths are looked up from the root each time: libgit2 keeps the trees that it has read. */
#include "drivers/source/git_tree.h"

#include "core/base/vec.h"

#define LINKS_MAX 8
#define LFS_MARK "version https://git-lfs.github.com/spec/"

/* One thing in the tree: its root, or an entry, links followed. */
struct found {
    enum fs_view_answer kind;
    git_oid id;
    bool is_submodule;
};

static bool is_below(struct str path, struct str directory)
{
    return str_starts(path, directory) &&
           (path.len == directory.len || path.at[directory.len] == '/');
}

/* Without slashes at the end. */
static struct str trimmed(struct str path)
{
    while (path.len && path.at[path.len - 1] == '/')
        path.len--;
    return path;
}

/* "a/b/../c", as the target of a link in directory "a/b" says it. NULL: it leads out of the tree. */
static const char *join_link(struct arena *a, struct str directory, struct str target)
{
    struct str path = directory;
    if (target.len && target.at[0] == '/')
        return NULL;
    while (target.len) {
        struct str part;
        target = str_cut(target, '/', &part);
        if (!part.len || str_equal(part, STR(".")))
            continue;
        if (!str_equal(part, STR(".."))) {
            path = str_of(path.len ? fs_join(a, path, part) : arena_cstr(a, part));
            continue;
        }
        if (!path.len)
            return NULL;
        path = str_find_char(path, '/') == SIZE_MAX ? (struct str){0} : fs_dirname(path);
    }
    return arena_cstr(a, path);
}

/* The text of a link; "" where it cannot be read. */
static struct str read_link(struct arena *a, const struct git_tree_view *v, const git_oid *id)
{
    SCOPED(git_blob) git_blob *blob = NULL;
    if (libgit2.git_blob_lookup(&blob, v->repository, id) != 0)
        return (struct str){0};
    return arena_str(
        a, (struct str){libgit2.git_blob_rawcontent(blob), (size_t)libgit2.git_blob_rawsize(blob)});
}

static struct found find(const struct git_tree_view *v, struct str where)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *path = arena_cstr(a, trimmed(where));
    for (unsigned hops = 0; path && hops < LINKS_MAX; hops++) {
        SCOPED(git_tree_entry) git_tree_entry *entry = NULL;
        if (!path[0])
            return (struct found){FS_VIEW_DIRECTORY, *libgit2.git_tree_id(v->root), false};
        if (libgit2.git_tree_entry_bypath(&entry, v->root, path) != 0)
            break;
        git_filemode_t mode = libgit2.git_tree_entry_filemode(entry);
        const git_oid *id = libgit2.git_tree_entry_id(entry);
        if (mode == GIT_FILEMODE_TREE || mode == GIT_FILEMODE_COMMIT)
            return (struct found){FS_VIEW_DIRECTORY, *id, mode == GIT_FILEMODE_COMMIT};
        if (mode != GIT_FILEMODE_LINK)
            return (struct found){FS_VIEW_FILE, *id, false};
        struct str all = str_of(path);
        bool is_at_root = str_find_char(all, '/') == SIZE_MAX;
        path = join_link(a, is_at_root ? (struct str){0} : fs_dirname(all), read_link(a, v, id));
    }
    return (struct found){.kind = FS_VIEW_ABSENT};
}

/* The path in the tree; false where the path is none of this view's. */
static bool path_in_tree(const struct git_tree_view *v, struct str path, struct str *out)
{
    *out = path;
    if (v->prefix.len) {
        *out = str_skip(path, v->prefix.len);
        if (out->len && out->at[0] == '/')
            *out = str_skip(*out, 1);
        return str_starts(path, v->prefix);
    }
    return !str_starts(path, STR("/")) && !str_starts(path, STR("./")) &&
           !str_starts(path, STR("../"));
}

static bool is_disk_hidden(const struct git_tree_view *v, struct str path)
{
    for (size_t i = 0; i < v->directory_count; i++) {
        if (v->directories[i].len && is_below(path, v->directories[i]))
            return true;
    }
    return v->prefix.len != 0;
}

static enum fs_view_answer look(void *context, const char *path)
{
    const struct git_tree_view *v = context;
    struct str inside;
    if (!path_in_tree(v, str_of(path), &inside))
        return FS_VIEW_PASS;
    enum fs_view_answer kind = find(v, inside).kind;
    return kind == FS_VIEW_ABSENT && !is_disk_hidden(v, inside) ? FS_VIEW_PASS : kind;
}

static bool fail_absent(const struct git_tree_view *v, struct str inside, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "there is no \"%.*s\" in %s", STR_ARG(inside), v->name);
    f->kind = FAIL_NOT_FOUND;
    return fail_hint(f, "`git ls-tree -r --name-only %s` lists what is there.", v->name);
}

static void release_blob(void *owner)
{
    libgit2.git_blob_free(owner);
}

static bool open_blob(void *context, const char *path, struct byte_source *out, struct fail *f)
{
    const struct git_tree_view *v = context;
    struct str inside;
    git_blob *blob = NULL;
    (void)path_in_tree(v, str_of(path), &inside);
    struct found found = find(v, inside);
    if (found.kind == FS_VIEW_ABSENT)
        return fail_absent(v, inside, f);
    if (found.kind == FS_VIEW_DIRECTORY) {
        fail_set(f, EXIT_USAGE, "\"%s\" is not a regular file", path);
        return fail_hint(f, "Give the name of a file, or of a directory with --dir.");
    }
    if (libgit2.git_blob_lookup(&blob, v->repository, &found.id) != 0) {
        fail_set(f, EXIT_FAILED, "git does not have the content of \"%s\"", path);
        return fail_hint(f, "A partial clone fetches it with: git cat-file -p %s:%.*s > /dev/null",
                         v->name, STR_ARG(inside));
    }
    struct str bytes = {libgit2.git_blob_rawcontent(blob), (size_t)libgit2.git_blob_rawsize(blob)};
    if (str_starts(bytes, STR(LFS_MARK))) {
        libgit2.git_blob_free(blob);
        fail_set(f, EXIT_USAGE, "\"%s\" is kept by Git LFS: the commit holds only a pointer", path);
        return fail_hint(f, "Take *.sql out of LFS (git lfs migrate export), or plan the files of "
                            "the work tree: without --base and --rev.");
    }
    *out = byte_source_of_memory(bytes, path);
    out->owner = blob;
    out->release = release_blob;
    return true;
}

static bool list_tree(void *context, struct arena *a, const char *path, struct fs_entries *out,
                      struct fail *f)
{
    const struct git_tree_view *v = context;
    struct str inside;
    SCOPED(git_tree) git_tree *tree = NULL;
    (void)path_in_tree(v, str_of(path), &inside);
    struct found found = find(v, inside);
    if (found.kind == FS_VIEW_ABSENT)
        return fail_absent(v, inside, f);
    if (found.is_submodule) {
        fail_set(f, EXIT_USAGE, "\"%s\" is a submodule: its files are in another repository", path);
        return fail_hint(f, "git submodule update --init, then run migrate within it.");
    }
    if (found.kind != FS_VIEW_DIRECTORY ||
        libgit2.git_tree_lookup(&tree, v->repository, &found.id) != 0) {
        fail_set(f, EXIT_USAGE, "\"%s\" is not a directory in %s", path, v->name);
        return fail_hint(f, "Give the directory of the migrations with --dir.");
    }
    *out = (struct fs_entries){0};
    for (size_t i = 0; i < libgit2.git_tree_entrycount(tree); i++) {
        struct str name =
            str_of(libgit2.git_tree_entry_name(libgit2.git_tree_entry_byindex(tree, i)));
        struct str whole =
            str_of(trimmed(inside).len ? fs_join(a, trimmed(inside), name) : arena_cstr(a, name));
        struct fs_entry e = {arena_str(a, name), find(v, whole).kind == FS_VIEW_DIRECTORY};
        vec_push(a, out, e);
    }
    fs_sort(out);
    return true;
}

void git_tree_view_start(struct git_tree_view *v)
{
    v->view = (struct fs_view){.context = v, .look = look, .open = open_blob, .list = list_tree};
}

bool git_tree_view_has_directory(const struct git_tree_view *v, struct str path)
{
    return find(v, path).kind == FS_VIEW_DIRECTORY;
}
