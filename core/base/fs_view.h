/*
 * Files that are not on disk and are read as though they were: the tree of a commit. While a view is there,
 * fs_list(), fs_exists(), fs_is_directory() and byte_source_open() ask it first, so that whoever reads
 * migrations need not know where they are. Views are added and removed while no other thread reads files.
 */
#ifndef CORE_BASE_FS_VIEW_H
#define CORE_BASE_FS_VIEW_H

#include "core/base/fs.h"

enum fs_view_answer {
    FS_VIEW_PASS = 0, /* the path is none of its own */
    FS_VIEW_ABSENT,   /* it would be, and there is nothing */
    FS_VIEW_FILE,
    FS_VIEW_DIRECTORY,
};

struct fs_view {
    void *context;
    enum fs_view_answer (*look)(void *context, const char *path);
    /* As byte_source_open() and fs_list(); called for what is not FS_VIEW_PASS. */
    bool (*open)(void *context, const char *path, struct byte_source *out, struct fail *f);
    bool (*list)(void *context, struct arena *a, const char *path, struct fs_entries *out,
                 struct fail *f);
};

#define FS_VIEWS_MAX 4
/* The view must stay where it is until it is removed; the newest is asked first. */
void fs_view_add(const struct fs_view *v);
void fs_view_remove(const struct fs_view *v);
/* The view that a path belongs to, with what it says (out_answer may be NULL); NULL: the disk. */
const struct fs_view *fs_view_of(const char *path, enum fs_view_answer *out_answer);

#endif
