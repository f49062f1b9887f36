/*
 * Names and the normalised digest of migrations: see migration.h. Normalising holds back line ends
 * and blanks until text follows them, since only then it is known whether they are trailing.
 */
#include "core/model/migration.h"

const char *migration_kind_name(enum migration_kind k)
{
    switch (k) {
    case MIGRATION_UNKNOWN:
        return "unknown";
    case MIGRATION_VERSIONED:
        return "versioned";
    case MIGRATION_REPEATABLE:
        return "repeatable";
    case MIGRATION_BASELINE:
        return "baseline";
    }
    BUG("migration kind out of range");
}

static const char byte_order_mark[] = "\xEF\xBB\xBF";
#define BYTE_ORDER_MARK_BYTES (sizeof(byte_order_mark) - 1)

void normalizer_start(struct normalizer *n)
{
    n->stream = digest_start();
    n->offset_bytes = 0;
    n->newlines = 0;
    n->blank_count = 0;
    n->mark_bytes = 0;
}

/* Adds what was held back: text follows it. */
static void add_held_back(struct normalizer *n)
{
    static const char newlines[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
    while (n->newlines) {
        size_t len = sizeof(newlines) - 1;
        if (n->newlines < len)
            len = (size_t)n->newlines;
        digest_add(n->stream, (struct str){.at = newlines, .len = len});
        n->newlines -= len;
    }
    if (n->blank_count)
        digest_add(n->stream, (struct str){.at = n->blanks, .len = n->blank_count});
    n->blank_count = 0;
}

static void add_text(struct normalizer *n, struct str text)
{
    add_held_back(n);
    digest_add(n->stream, text);
}

/* Drops the mark from the front of the script, which may come in single bytes. */
static struct str skip_byte_order_mark(struct normalizer *n, struct str bytes)
{
    while (bytes.len && n->mark_bytes < BYTE_ORDER_MARK_BYTES && n->offset_bytes == n->mark_bytes &&
           bytes.at[0] == byte_order_mark[n->mark_bytes]) {
        n->mark_bytes++;
        n->offset_bytes++;
        bytes = str_skip(bytes, 1);
    }
    bool is_cut_short = bytes.len && n->mark_bytes && n->mark_bytes < BYTE_ORDER_MARK_BYTES &&
                        n->offset_bytes == n->mark_bytes;
    if (is_cut_short) /* it began like a mark but is text */
        add_text(n, (struct str){.at = byte_order_mark, .len = n->mark_bytes});
    n->offset_bytes += bytes.len;
    return bytes;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static size_t text_len(struct str bytes)
{
    const char *end = bytes.len ? memchr(bytes.at, '\n', bytes.len) : NULL;
    size_t len = end ? (size_t)(end - bytes.at) : bytes.len;
    while (len && is_blank(bytes.at[len - 1]))
        len--;
    return len;
}

static void hold_back(struct normalizer *n, char c)
{
    if (c == '\n') {
        n->newlines++;
        n->blank_count = 0;
        return;
    }
    if (n->blank_count == NORMALIZER_MAX_BLANKS)
        add_held_back(n);
    n->blanks[n->blank_count++] = c;
}

void normalizer_add(struct normalizer *n, struct str bytes)
{
    bytes = skip_byte_order_mark(n, bytes);
    while (bytes.len) {
        /* Up to its first blank behind the last text, a line is text whatever follows. */
        size_t len = text_len(bytes);
        size_t lead = 0;
        while (lead < len && is_blank(bytes.at[lead]))
            hold_back(n, bytes.at[lead++]);
        if (len > lead)
            add_text(n, (struct str){.at = bytes.at + lead, .len = len - lead});
        bytes = str_skip(bytes, len);
        while (bytes.len && (bytes.at[0] == '\n' || is_blank(bytes.at[0]))) {
            hold_back(n, bytes.at[0]);
            bool is_line_end = bytes.at[0] == '\n';
            bytes = str_skip(bytes, 1);
            if (is_line_end)
                break;
        }
    }
}

struct digest normalizer_finish(struct normalizer *n)
{
    if (n->mark_bytes && n->mark_bytes < BYTE_ORDER_MARK_BYTES && n->offset_bytes == n->mark_bytes)
        add_text(n, (struct str){.at = byte_order_mark, .len = n->mark_bytes});
    struct digest digest = digest_finish(n->stream);
    n->stream = NULL;
    return digest;
}

struct digest checksum_normalized(struct str text)
{
    struct normalizer n;
    normalizer_start(&n);
    normalizer_add(&n, text);
    return normalizer_finish(&n);
}
