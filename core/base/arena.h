/*
 * Memory that lives as long as a run. Values are made in an arena and never freed one by one;
 * malloc failing ends the program. Loops mark and reset. An arena is not shared between threads.
 */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stdarg.h>

#include "core/base/base.h"
#include "core/base/str.h"

struct arena;

/* Makes an empty arena. The caller releases it. */
struct arena *arena_make(void);
/* Frees the arena and all that was made in it. NULL is fine. */
void arena_release(struct arena *a);
DEFINE_SCOPED(arena, struct arena *, arena_release)

/* size_bytes zeroed bytes, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size_bytes) __attribute__((malloc, returns_nonnull));
/* A zeroed TYPE, or an array of them. */
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count)                                                                \
    ((type *)arena_alloc((a), arena_array_size((count), sizeof(type))))
/* count * each_bytes, or the end of the program where that overflows. */
size_t arena_array_size(size_t count, size_t each_bytes);

/* Copies, NUL-terminated. */
char *arena_cstr(struct arena *a, struct str s) __attribute__((returns_nonnull));
struct str arena_str(struct arena *a, struct str s);
/* printf into the arena. */
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3)
    __attribute__((returns_nonnull));
char *arena_vprintf(struct arena *a, const char *format, va_list values)
    __attribute__((format(printf, 2, 0), returns_nonnull));

/* Remembers how full the arena is; arena_reset() gives back all that was made since. */
struct arena_mark {
    void *block;
    size_t used_bytes;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_reset(struct arena *a, struct arena_mark mark);

/* Bytes handed out and not reset; for the memory bound in tests. */
size_t arena_used_bytes(const struct arena *a);

#endif
