/*
 * Facts about text: UTF-8, lines and columns, display width. Offsets are bytes from 0; lines and
 * columns are from 1 and exist only for people.
 */
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include "core/base/buf.h"
#include "core/base/str.h"

/* Offset of the first byte that is not valid UTF-8 (or is NUL), or SIZE_MAX. An incomplete sequence
   at the very end counts as invalid only when is_end. *out_valid_len: bytes up to which all is
   complete characters. */
size_t text_find_invalid(struct str s, bool is_end, size_t *out_valid_len);

struct text_place {
    uint32_t line;
    uint32_t column;      /* in characters */
    struct str line_text; /* without its end */
};
/* Place of an offset within s (offset == s.len is the end). */
struct text_place text_place_of(struct str s, size_t offset);
/* Byte offset of the n-th character (0-based), at most s.len: PostgreSQL counts positions so. */
size_t text_offset_of_character(struct str s, size_t character);
size_t text_count_lines(struct str s); /* number of '\n' */
/* Whether "password" or "passwd" is in it, in any case, within words too, and with a letter or two of "pass"
   missing or too many. What surrounds it may be
   one, so such a text is not quoted in failures. */
bool text_mentions_password(struct str s);
/* Adds a text so that a terminal can be told it: what is no printable character (control characters,
   what turns the direction of writing, bytes that are no UTF-8) as \n, \x1b, \u202e. */
void text_escape(struct buf *out, struct str s, bool keeps_tabs);
/* Whether text_escape() would change it. */
bool text_needs_escape(struct str s, bool keeps_tabs);
/* Columns on a terminal. */
size_t text_width(struct str s);
/* Characters of the word typed and of each candidate that differ, for "did you mean". */
size_t text_edit_distance(struct str a, struct str b);

/* Whether the text has the name as a word of its own, in any case (ASCII letters only). "" is in no text. */
bool text_mentions(struct str text, struct str name);

#endif
