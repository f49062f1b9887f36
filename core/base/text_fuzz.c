/*
 * Any bytes as text: the fast UTF-8 check agrees with a slow one written from the definition, in
 * one piece and cut in two; places and character offsets are inverse to each other.
 */
#include "core/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of the character at p (at most left bytes) by decoding it and looking at the number.
 */
static size_t decode(const uint8_t *p, size_t left)
{
    size_t len = p[0] < 0x80             ? 1
                 : (p[0] & 0xE0) == 0xC0 ? 2
                 : (p[0] & 0xF0) == 0xE0 ? 3
                 : (p[0] & 0xF8) == 0xF0 ? 4
                                         : 0;
    if (len == 0 || len > left)
        return 0;
    uint32_t point = len == 1 ? p[0] : p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
    bool is_character =
        point >= least[len] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    return is_character ? len : 0;
}

static size_t slow_valid_len(struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        size_t len = decode((const uint8_t *)s.at + at, s.len - at);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

static void check_places(struct str valid)
{
    size_t character = 0;
    uint32_t line = 1;
    uint32_t column = 1;
    for (size_t at = 0; at < valid.len && at < 128; character++) {
        assert(text_offset_of_character(valid, character) == at);
        struct text_place place = text_place_of(valid, at);
        assert(place.line == line && place.column == column);
        assert(str_find_char(place.line_text, '\n') == SIZE_MAX);
        bool is_line_end = valid.at[at] == '\n';
        line += is_line_end;
        column = is_line_end ? 1 : column + 1;
        at += decode((const uint8_t *)valid.at + at, valid.len - at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    size_t wanted = slow_valid_len(text);
    size_t valid_len;
    size_t invalid = text_find_invalid(text, true, &valid_len);
    assert(valid_len == wanted);
    assert(invalid == (wanted == size ? SIZE_MAX : wanted));

    /* In two pieces, as a large file is read: what the first leaves over begins the second. */
    size_t cut = size / 2;
    size_t first_len;
    struct str first = {text.at, cut};
    if (text_find_invalid(first, false, &first_len) == SIZE_MAX) {
        assert(cut - first_len < 4);
        size_t rest_len;
        (void)text_find_invalid(str_skip(text, first_len), true, &rest_len);
        assert(first_len + rest_len == wanted);
    } else {
        assert(first_len == wanted);
    }

    check_places((struct str){text.at, wanted});
    for (size_t i = 0; i < size && i < 64; i++)
        (void)text_place_of(text, i); /* any bytes have a place */
    assert(text_width(text) <= 2 * size);
    assert(text_count_lines(text) <= size);
    struct str other = str_skip(text, cut);
    assert(text_edit_distance(first, other) == text_edit_distance(other, first));
    return 0;
}
