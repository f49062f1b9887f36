/*
 * Text that grows, up to a maximum. Always NUL-terminated. The first piece that does not fit is
 * dropped whole, with all that follows it; is_overflown remembers that and is asked once at the
 * end. Owns malloc'ed memory: SCOPED(buf) or buf_release().
 */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <stdarg.h>

#include "core/base/arena.h"
#include "core/base/base.h"
#include "core/base/str.h"

struct buf {
    char *at;
    size_t len;
    size_t room;
    size_t max; /* 0: BUF_MAX_DEFAULT */
    bool is_overflown;
};
#define BUF_MAX_DEFAULT ((size_t)1 << 30)

static inline void scoped_release_buf(struct buf *b);
void buf_release(struct buf *b);
static inline void scoped_release_buf(struct buf *b)
{
    buf_release(b);
}

/* Empties it; memory is kept. */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *at, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_add_cstr(struct buf *b, const char *cstr);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list values)
    __attribute__((format(printf, 2, 0)));
/* Drops len bytes from the front. */
void buf_drop(struct buf *b, size_t len);
/* Makes room for len more bytes behind at + len, without another allocation until they are there.
   false: over the maximum. */
bool buf_reserve(struct buf *b, size_t len) MUST_CHECK;
struct str buf_str(const struct buf *b);
/* NUL-terminated, never NULL, valid until the next change. */
const char *buf_cstr(struct buf *b);
/* Copy in the arena. */
struct str buf_done(struct arena *a, const struct buf *b);

#endif
