/* Growing text with a maximum: see buf.h. */
#include "core/base/buf.h"

static size_t max_of(const struct buf *b)
{
    return b->max ? b->max : BUF_MAX_DEFAULT;
}

void buf_release(struct buf *b)
{
    free(b->at);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->is_overflown = false;
    if (b->at)
        b->at[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t len)
{
    /* Sticky: a short piece behind one that was dropped would leave a hole. */
    if (b->is_overflown || len > max_of(b) || b->len > max_of(b) - len) {
        b->is_overflown = true;
        return false;
    }
    size_t wanted = b->len + len + 1;
    if (wanted <= b->room)
        return true;
    size_t room = b->room ? b->room : 128;
    while (room < wanted)
        room *= 2;
    char *grown = realloc(b->at, room);
    if (!grown)
        out_of_memory();
    b->at = grown;
    b->room = room;
    b->at[b->len] = '\0';
    return true;
}

void buf_add(struct buf *b, const void *at, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len)
        memcpy(b->at + b->len, at, len);
    b->len += len;
    b->at[b->len] = '\0';
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.at, s.len);
}

void buf_add_cstr(struct buf *b, const char *cstr)
{
    buf_add(b, cstr, strlen(cstr));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *format, va_list values)
{
    char piece[256]; /* formatting twice, to know the length first, is what most texts need not */
    va_list again;
    va_copy(again, values);
    int len = vsnprintf(piece, sizeof(piece), format, values);
    if (len < 0)
        BUG("a format that printf does not take");
    if ((size_t)len < sizeof(piece)) {
        buf_add(b, piece, (size_t)len);
    } else if (buf_reserve(b, (size_t)len)) {
        (void)vsnprintf(b->at + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    buf_vprintf(b, format, values);
    va_end(values);
}

void buf_drop(struct buf *b, size_t len)
{
    if (len > b->len)
        len = b->len;
    if (!len)
        return;
    memmove(b->at, b->at + len, b->len - len);
    b->len -= len;
    b->at[b->len] = '\0';
}

struct str buf_str(const struct buf *b)
{
    return (struct str){.at = b->at, .len = b->len};
}

const char *buf_cstr(struct buf *b)
{
    return b->at ? b->at : "";
}

struct str buf_done(struct arena *a, const struct buf *b)
{
    return arena_str(a, buf_str(b));
}
