/*
 * A chain of blocks, newest first. A block is at least ARENA_BLOCK_BYTES; a larger request gets a
 * block of its own size. arena_reset() frees the blocks made since the mark.
 */
#include "core/base/arena.h"

#include <stdalign.h>

#define ARENA_BLOCK_BYTES ((size_t)32 << 10)

struct block {
    struct block *older;
    size_t used_bytes;
    size_t room_bytes;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *newest;
};

/* A block for one large request comes zeroed from calloc(), which leaves fresh pages untouched: what a
   vector has in reserve then costs nothing. */
static struct block *block_make(struct block *older, size_t room_bytes, bool is_zeroed)
{
    size_t size_bytes = sizeof(struct block) + room_bytes;
    struct block *b = is_zeroed ? calloc(1, size_bytes) : malloc(size_bytes);
    if (!b)
        out_of_memory();
    b->older = older;
    b->used_bytes = 0;
    b->room_bytes = room_bytes;
    return b;
}

struct arena *arena_make(void)
{
    struct arena *a = malloc(sizeof(*a));
    if (!a)
        out_of_memory();
    a->newest = NULL;
    return a;
}

void arena_release(struct arena *a)
{
    if (!a)
        return;
    arena_reset(a, (struct arena_mark){0});
    free(a);
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    const size_t align = alignof(max_align_t);
    if (size_bytes > SIZE_MAX / 2)
        out_of_memory();
    size_bytes = (size_bytes + align - 1) / align * align;
    struct block *b = a->newest;
    if (!b || b->room_bytes - b->used_bytes < size_bytes) {
        if (size_bytes > ARENA_BLOCK_BYTES) {
            b = a->newest = block_make(b, size_bytes, true);
            b->used_bytes = size_bytes;
            return b->bytes;
        }
        b = a->newest = block_make(b, ARENA_BLOCK_BYTES, false);
    }
    void *at = b->bytes + b->used_bytes;
    b->used_bytes += size_bytes;
    return memset(at, 0, size_bytes);
}

size_t arena_array_size(size_t count, size_t each_bytes)
{
    size_t size;
    if (__builtin_mul_overflow(count, each_bytes, &size))
        out_of_memory();
    return size;
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (s.len)
        memcpy(copy, s.at, s.len);
    return copy;
}

struct str arena_str(struct arena *a, struct str s)
{
    return (struct str){.at = arena_cstr(a, s), .len = s.len};
}

char *arena_vprintf(struct arena *a, const char *format, va_list values)
{
    char piece[256]; /* as in buf_vprintf() */
    va_list again;
    va_copy(again, values);
    int len = vsnprintf(piece, sizeof(piece), format, values);
    if (len < 0)
        BUG("a format that printf does not take");
    char *text = arena_alloc(a, (size_t)len + 1);
    if ((size_t)len < sizeof(piece))
        memcpy(text, piece, (size_t)len);
    else
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *text = arena_vprintf(a, format, values);
    va_end(values);
    return text;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){
        .block = a->newest,
        .used_bytes = a->newest ? a->newest->used_bytes : 0,
    };
}

void arena_reset(struct arena *a, struct arena_mark mark)
{
    while (a->newest && a->newest != mark.block) {
        struct block *older = a->newest->older;
        free(a->newest);
        a->newest = older;
    }
    if (a->newest)
        a->newest->used_bytes = mark.used_bytes;
}

size_t arena_used_bytes(const struct arena *a)
{
    size_t sum = 0;
    for (const struct block *b = a->newest; b; b = b->older)
        sum += b->used_bytes;
    return sum;
}
