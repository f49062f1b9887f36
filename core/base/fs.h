/*
 * Files, directories and the environment a process is in. All paths are NUL-terminated.
 */
#ifndef CORE_BASE_FS_H
#define CORE_BASE_FS_H

#include "core/base/arena.h"
#include "core/base/fail.h"

/* Bytes read piece by piece: a file, or a blob in memory. Closed by byte_source_close(). */
struct byte_source {
    int fd; /* -1: in memory */
    struct str memory;
    uint64_t size_bytes;
    const char *name; /* for messages */
    void *owner;      /* of the memory; NULL: the caller's matter */
    void (*release)(void *owner);
};
/* Opens a regular file. Fails: FAIL_NOT_FOUND, permissions, not a regular file (EXIT_USAGE). */
bool byte_source_open(const char *path, struct byte_source *out, struct fail *f) MUST_CHECK;
struct byte_source byte_source_of_memory(struct str bytes, const char *name);
/* Reads at most room bytes at offset; *out_len == 0 only at the end. */
bool byte_source_read(const struct byte_source *s, uint64_t offset_bytes, void *into,
                      size_t room_bytes, size_t *out_len, struct fail *f) MUST_CHECK;
void byte_source_close(struct byte_source *s);

/* The whole file, at most max_bytes, NUL-terminated behind len. */
bool fs_read(struct arena *a, const char *path, size_t max_bytes, struct str *out, struct fail *f)
    MUST_CHECK;
/* Writes a new file (never over an existing one), durable before it returns. */
bool fs_write_new(const char *path, struct str text, struct fail *f) MUST_CHECK;
/* The same in place of what is there: the old file or the whole new one, never a part of it. A pipe or
   device is written to. */
bool fs_replace(const char *path, struct str text, struct fail *f) MUST_CHECK;

struct fs_entry {
    struct str name;
    bool is_directory;
};
struct fs_entries {
    struct fs_entry *at;
    size_t count, room;
};
/* Names in a directory but "." and "..", sorted bytewise; links are followed for is_directory. */
bool fs_list(struct arena *a, const char *path, struct fs_entries *out, struct fail *f) MUST_CHECK;
void fs_sort(struct fs_entries *entries); /* bytewise by name */
bool fs_is_directory(const char *path);
bool fs_exists(const char *path);
bool fs_make_directories(const char *path, struct fail *f) MUST_CHECK;
/* "a" + "b" → "a/b"; an absolute b stays itself. */
char *fs_join(struct arena *a, struct str directory, struct str name);
struct str fs_basename(struct str path);
struct str fs_dirname(struct str path); /* "." where there is none */

#endif
