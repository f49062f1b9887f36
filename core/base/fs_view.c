/* The views that are there, oldest first: see fs_view.h. */
#include "core/base/fs_view.h"

static const struct fs_view *views[FS_VIEWS_MAX];
static size_t view_count;

void fs_view_add(const struct fs_view *v)
{
    if (view_count == FS_VIEWS_MAX)
        BUG("too many views of files");
    views[view_count++] = v;
}

void fs_view_remove(const struct fs_view *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < view_count; i++) {
        if (views[i] != v)
            views[kept++] = views[i];
    }
    view_count = kept;
}

const struct fs_view *fs_view_of(const char *path, enum fs_view_answer *out_answer)
{
    for (size_t i = view_count; i > 0; i--) {
        enum fs_view_answer answer = views[i - 1]->look(views[i - 1]->context, path);
        if (out_answer)
            *out_answer = answer;
        if (answer != FS_VIEW_PASS)
            return views[i - 1];
    }
    return NULL;
}
