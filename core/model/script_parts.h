/* What script.c and script_fill.c share. Nobody else includes this. */
#ifndef CORE_MODEL_SCRIPT_PARTS_H
#define CORE_MODEL_SCRIPT_PARTS_H

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/model/script.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define WINDOW_BYTES ((size_t)256 << 10)
#define WINDOW_MAX_BYTES (LIMIT_STATEMENT_BYTES + WINDOW_BYTES)

struct script {
    struct script_context context;
    const struct kept_script *kept; /* or NULL: only path and is_at_end matter then */
    struct str path;
    struct cut_record record; /* without a name: nothing is refused for it */
    bool has_placeholders;
    struct placeholder file_name; /* the one placeholder whose value is each file's own */
    struct byte_source source;
    struct file_range range;
    uint64_t read_offset; /* of the next byte of the file */
    bool is_at_end;       /* the range is read to its end */

    struct buf window;
    size_t handed_out;      /* bytes of the window that the last call used up */
    size_t checked;         /* bytes of the window known to be UTF-8 without NUL */
    uint64_t window_offset; /* of its first byte, in the executed text */
    uint32_t line, column;  /* of its first byte */
    struct buf unfinished;  /* beginning of a line whose placeholders are not yet replaced */
    uint32_t next_line;     /* number of that line */

    bool is_ahead; /* the next batch is read already: */
    struct script_batch ahead;

    bool is_in_copy;
    struct arena *arena; /* of the current batch, behind batch_from */
    struct arena_mark batch_from;
    struct digest_stream *raw;
    struct digest_stream *tree;
    struct normalizer normalizer;
    bool is_tree_whole;
    char piece[PIECE_BYTES];
};

/* Reads one piece; digests it; what lies in the range goes into the window. */
bool script_read_piece(struct script *s, size_t *out_len, struct fail *f) MUST_CHECK;
/* Fills the window up to size bytes, or to the end of the range. */
bool script_fill(struct script *s, size_t size, struct fail *f) MUST_CHECK;
/* Gives a failure the place of a byte of the window, for failures about bytes rather than statements. */
bool script_fail_at(const struct script *s, size_t offset, struct fail *f);
/* A line up to what is shown behind the byte at fault: it may be as long as the window. */
struct str script_around(struct str line, const char *at);

#endif
