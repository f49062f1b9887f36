/* Files and directories: see fs.h. */
#include "core/base/fs.h"

#include "core/base/fs_view.h"
#include "core/base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The failure of a system call on a path, from errno, with the hint that fits. verb: "open". */
static bool fail_path(struct fail *f, const char *verb, const char *path)
{
    static const struct {
        int number;
        const char *hint;
    } rows[] = {
        {ENOENT, "Check the path; it is read from the directory in which migrate "
                 "was started."},
        {EACCES, "Check its owner and permissions, and those of the directories "
                 "above it."},
        {ENOTDIR, "A part of the path is a file where a directory is needed."},
        {EEXIST, "It is there already and is left as it is."},
        {ENOSPC, "Make room on the file system and run again."},
        {EROFS, "The file system is mounted read-only."},
    };
    int number = errno;
    if (fail_is_set(f))
        return false;
    fail_errno(f, EXIT_USAGE, "could not %s \"%s\"", verb, path);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].number == number)
            fail_hint(f, "%s", rows[i].hint);
    }
    return false;
}

bool byte_source_open(const char *path, struct byte_source *out, struct fail *f)
{
    const struct fs_view *view = fs_view_of(path, NULL);
    if (view)
        return view->open(view->context, path, out, f);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not stop us */
    if (fd < 0)
        return fail_path(f, "open", path);
    struct stat about;
    if (fstat(fd, &about) != 0) {
        fail_path(f, "look at", path);
        close(fd);
        return false;
    }
    if (!S_ISREG(about.st_mode)) {
        close(fd);
        fail_set(f, EXIT_USAGE, "\"%s\" is not a regular file", path);
        return fail_hint(f, "Give the name of a file, or of a directory with --dir.");
    }
    *out = (struct byte_source){.fd = fd, .size_bytes = (uint64_t)about.st_size, .name = path};
    return true;
}

struct byte_source byte_source_of_memory(struct str bytes, const char *name)
{
    return (struct byte_source){.fd = -1, .memory = bytes, .size_bytes = bytes.len, .name = name};
}

bool byte_source_read(const struct byte_source *s, uint64_t offset_bytes, void *into,
                      size_t room_bytes, size_t *out_len, struct fail *f)
{
    if (s->fd < 0) {
        struct str rest = str_skip(s->memory, offset_bytes > s->memory.len ? s->memory.len
                                                                           : (size_t)offset_bytes);
        *out_len = rest.len < room_bytes ? rest.len : room_bytes;
        if (*out_len)
            memcpy(into, rest.at, *out_len);
        return true;
    }
    size_t done = 0;
    while (done < room_bytes) {
        ssize_t got =
            pread(s->fd, (char *)into + done, room_bytes - done, (off_t)(offset_bytes + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_path(f, "read", s->name);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *out_len = done;
    return true;
}

void byte_source_close(struct byte_source *s)
{
    if (s->fd > 0)
        close(s->fd);
    if (s->owner)
        s->release(s->owner);
    *s = (struct byte_source){.fd = -1};
}

bool fs_read(struct arena *a, const char *path, size_t max_bytes, struct str *out, struct fail *f)
{
    struct byte_source source;
    if (!byte_source_open(path, &source, f))
        return false;
    bool is_done = false;
    if (source.size_bytes > max_bytes) {
        fail_set(f, EXIT_USAGE, "\"%s\" has %llu bytes, more than %zu", path,
                 (unsigned long long)source.size_bytes, max_bytes);
        fail_hint(f, "Is it the right file?");
    } else {
        char *bytes = arena_alloc(a, (size_t)source.size_bytes + 1);
        size_t len;
        is_done = byte_source_read(&source, 0, bytes, (size_t)source.size_bytes, &len, f);
        if (is_done)
            *out = (struct str){.at = bytes, .len = len};
    }
    byte_source_close(&source);
    return is_done;
}

static bool write_all(int fd, struct str text)
{
    while (text.len) {
        ssize_t done = write(fd, text.at, text.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        text = str_skip(text, (size_t)done);
    }
    return fsync(fd) == 0;
}

/* A new name is durable once its directory is. A file system that cannot sync a directory (EINVAL)
   gives no such promise to anyone. */
static bool sync_directory(struct str directory)
{
    SCOPED(arena) struct arena *a = arena_make();
    int fd = open(arena_cstr(a, directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES; /* writable but not readable: cannot be synced */
    int number = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    errno = number;
    return number == 0;
}

bool fs_write_new(const char *path, struct str text, struct fail *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_path(f, "make", path);
    int number = write_all(fd, text) ? 0 : errno;
    if (close(fd) != 0 && number == 0)
        number = errno;
    if (number == 0 && !sync_directory(fs_dirname(str_of(path))))
        number = errno;
    if (number == 0)
        return true;
    unlink(path);
    errno = number;
    return fail_path(f, "write", path);
}

static bool write_to_device(const char *path, struct str text, struct fail *f)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_path(f, "open", path);
    int number = write_all(fd, text) ? 0 : errno;
    (void)close(fd);
    errno = number == EINVAL ? 0 : number; /* a pipe cannot be synced */
    return errno == 0 || fail_path(f, "write", path);
}

bool fs_replace(const char *path, struct str text, struct fail *f)
{
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
        return write_to_device(path, text, f);
    SCOPED(arena) struct arena *a = arena_make();
    const char *new_path = arena_printf(a, "%s.%ld.new", path, (long)getpid());
    if (!fs_write_new(new_path, text, f))
        return false;
    if (rename(new_path, path) == 0 && sync_directory(fs_dirname(str_of(path))))
        return true;
    int number = errno;
    (void)unlink(new_path);
    errno = number;
    return fail_path(f, "write", path);
}

static int compare_entries(const void *a, const void *b)
{
    return str_compare(((const struct fs_entry *)a)->name, ((const struct fs_entry *)b)->name);
}

void fs_sort(struct fs_entries *entries)
{
    if (entries->count)
        qsort(entries->at, entries->count, sizeof(*entries->at), compare_entries);
}

static bool entry_is_directory(int directory_fd, const struct dirent *entry)
{
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    struct stat about;
    return fstatat(directory_fd, entry->d_name, &about, 0) == 0 && S_ISDIR(about.st_mode);
}

bool fs_list(struct arena *a, const char *path, struct fs_entries *out, struct fail *f)
{
    const struct fs_view *view = fs_view_of(path, NULL);
    if (view)
        return view->list(view->context, a, path, out, f);
    DIR *directory = opendir(path);
    if (!directory)
        return fail_path(f, "open directory", path);
    struct fs_entries entries = {0};
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(directory))) {
        struct str name = str_of(entry->d_name);
        if (str_equal(name, STR(".")) || str_equal(name, STR("..")))
            continue;
        vec_push(a, &entries,
                 (struct fs_entry){
                     .name = arena_str(a, name),
                     .is_directory = entry_is_directory(dirfd(directory), entry),
                 });
        errno = 0;
    }
    bool is_read = errno == 0;
    if (!is_read)
        fail_path(f, "read directory", path);
    closedir(directory);
    if (!is_read)
        return false;
    fs_sort(&entries);
    *out = entries;
    return true;
}

bool fs_is_directory(const char *path)
{
    struct stat about;
    enum fs_view_answer answer;
    if (fs_view_of(path, &answer))
        return answer == FS_VIEW_DIRECTORY;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

bool fs_exists(const char *path)
{
    enum fs_view_answer answer;
    if (fs_view_of(path, &answer))
        return answer != FS_VIEW_ABSENT;
    return access(path, F_OK) == 0;
}

bool fs_make_directories(const char *path, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    char *partial = arena_cstr(a, str_of(path));
    for (char *at = partial + 1; *partial; at++) {
        bool is_last = *at == '\0';
        if (*at != '/' && !is_last)
            continue;
        *at = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST)
            return fail_path(f, "make directory", partial);
        if (is_last)
            break;
        *at = '/';
    }
    if (fs_is_directory(path))
        return true;
    fail_set(f, EXIT_USAGE, "\"%s\" is not a directory", path);
    return fail_hint(f, "Something else has that name; choose another.");
}

char *fs_join(struct arena *a, struct str directory, struct str name)
{
    if (directory.len == 0 || (name.len && name.at[0] == '/'))
        return arena_cstr(a, name);
    bool has_slash = directory.at[directory.len - 1] == '/';
    char *path = arena_alloc(a, directory.len + !has_slash + name.len + 1);
    memcpy(path, directory.at, directory.len);
    char *end = path + directory.len;
    if (!has_slash)
        *end++ = '/';
    if (name.len)
        memcpy(end, name.at, name.len);
    end[name.len] = '\0';
    return path;
}

static size_t last_slash(struct str path)
{
    const char *found = path.len ? memrchr(path.at, '/', path.len) : NULL;
    return found ? (size_t)(found - path.at) : SIZE_MAX;
}

struct str fs_basename(struct str path)
{
    size_t at = last_slash(path);
    return at == SIZE_MAX ? path : str_skip(path, at + 1);
}

struct str fs_dirname(struct str path)
{
    size_t at = last_slash(path);
    if (at == SIZE_MAX)
        return STR(".");
    return (struct str){.at = path.at, .len = at ? at : 1};
}
