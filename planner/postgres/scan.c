/*
 * Tokens of a text, read in chunks: the library needs some hundred bytes for each while it works. A chunk
 * ends anywhere; its last token may be cut, so the next chunk begins with that token. Positions are bytes
 * in tokens, but characters, from 1, in errors (scan.l: scanner_errposition).
 */
#include "planner/postgres/parse.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "planner/postgres/parse_tree.h"

#include <pg_query.h>

#define CHUNK_BYTES ((size_t)512 << 10)

size_t postgres_error_offset(struct str text, int position)
{
    return position > 0 ? text_offset_of_character(text, (size_t)position - 1) : SIZE_MAX;
}

/* The library quotes the text from the fault on, in some errors all of it. */
const char *postgres_error_message(struct arena *a, const char *message)
{
    enum { MOST_QUOTED = 40 };
    struct str whole = str_of(message);
    size_t quoted = str_find(whole, STR(" at or near \""));
    if (quoted != SIZE_MAX &&
        (whole.len - quoted > MOST_QUOTED || str_find_char(whole, '\n') != SIZE_MAX))
        whole.len = quoted;
    char *copy = arena_cstr(a, whole);
    for (char *at = copy; *at; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
    return copy;
}

/* ---- the library's answer ---- */

/* Reads one varint; a negative number has ten bytes. */
static uint64_t read_varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

/* message ScanToken: start = 1, end = 2, token = 4, keyword_kind = 5, all varints (pg_query.proto). */
static struct token read_token(const uint8_t *at, const uint8_t *end)
{
    struct token t = {0};
    while (at < end) {
        uint64_t tag = read_varint(&at, end);
        uint64_t value = read_varint(&at, end);
        if (tag == (1 << 3))
            t.from = (uint32_t)value;
        else if (tag == (2 << 3))
            t.to = (uint32_t)value;
        else if (tag == (4 << 3))
            t.kind = (int)value;
    }
    return t;
}

/* Not in an arena, where every growth would leave the array before it behind. */
void parse_add_token(struct tokens *out, struct token t)
{
    if (out->count == out->room) {
        out->room = out->room ? out->room + out->room / 2 : 64;
        struct token *grown = realloc(out->at, out->room * sizeof(*grown));
        if (!grown) {
            fputs("migrate: out of memory\n", stderr);
            exit(EXIT_FAILURE);
        }
        out->at = grown;
    }
    out->at[out->count++] = t;
}

void parse_tokens_free(struct tokens *t)
{
    free(t->at);
    *t = (struct tokens){0};
}

/* message ScanResult: version = 1, a varint; tokens = 2, messages. Read by hand: unpacking costs a
   malloc() per token. */
static void take_tokens(const PgQueryProtobuf *bytes, size_t offset, struct tokens *out)
{
    const uint8_t *at = (const uint8_t *)bytes->data;
    const uint8_t *end = at + bytes->len;
    while (at < end) {
        uint64_t tag = read_varint(&at, end);
        uint64_t value = read_varint(&at, end);
        if (tag != ((2 << 3) | 2))
            continue;
        if (value > (uint64_t)(end - at))
            BUG("tokens of libpg_query that cannot be read");
        struct token t = read_token(at, at + value);
        t.from += (uint32_t)offset;
        t.to += (uint32_t)offset;
        parse_add_token(out, t);
        at += value;
    }
}

/* One try at text, which lies offset bytes behind the front; false where the lexer gave up. Of several
   failures the first one's words are kept. */
static bool scan(struct arena *a, struct str text, size_t offset, struct tokens *out,
                 size_t *out_error_at)
{
    struct token_taking taking = {.out = out, .offset = offset};
    parse_taking_tokens_begin(&taking);
    PgQueryScanResult result = pg_query_scan(text.at);
    parse_taking_tokens_end();
    *out_error_at = SIZE_MAX;
    bool is_done = !result.error;
    if (is_done && !taking.is_taken) {
        take_tokens(&result.pbuf, offset, out);
    } else if (!is_done) {
        *out_error_at = postgres_error_offset(text, result.error->cursorpos);
        if (!out->message) {
            out->message = postgres_error_message(a, result.error->message);
            out->is_unterminated = strncmp(result.error->message, "unterminated", 12) == 0;
        }
    }
    pg_query_free_scan_result(result);
    return is_done;
}

/* ---- errors ---- */

static bool is_word_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* PostgreSQL 16 reads 1_000 and 0x1F, the lexer at hand does not. Where a text ends or a statement does
   hangs on neither, so they become plain digits in the copy that is scanned: same length, same tokens
   around. In names ($tag_1$ too) the change is the same everywhere, so quotes still match. */
static void flatten_numbers(char *at, size_t len)
{
    for (size_t i = 1; i + 1 < len; i++) {
        if (at[i] == '_' && char_is_digit(at[i - 1]) && char_is_digit(at[i + 1]))
            at[i] = '0';
        char c = char_lower(at[i]);
        bool is_prefix = at[i - 1] == '0' && (c == 'x' || c == 'o' || c == 'b') &&
                         (i < 2 || !is_word_char(at[i - 2]));
        while (is_prefix && i < len &&
               (char_is_digit(at[i]) || char_is_alpha(at[i]) || at[i] == '_'))
            at[i++] = '0';
    }
}

/* An E'' text whose escapes are no UTF-8 is refused without a place, once its closing quote is read: the
   shortest beginning that is refused so ends with that quote, and one byte less is an unterminated text,
   which has a place. */
static size_t find_error(struct arena *a, char *text, size_t len)
{
    size_t low = 0;
    size_t high = len;
    size_t error_at;
    struct tokens ignored;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        char kept = text[middle];
        text[middle] = '\0';
        ignored = (struct tokens){0};
        bool is_refused = !scan(a, (struct str){text, middle}, 0, &ignored, &error_at) &&
                          !ignored.is_unterminated && error_at == SIZE_MAX;
        parse_tokens_free(&ignored);
        text[middle] = kept;
        if (is_refused)
            high = middle;
        else
            low = middle;
    }
    char kept = text[low];
    text[low] = '\0';
    ignored = (struct tokens){0};
    (void)scan(a, (struct str){text, low}, 0, &ignored, &error_at);
    parse_tokens_free(&ignored);
    text[low] = kept;
    return error_at == SIZE_MAX ? low : error_at;
}

/* The tokens before an error. An error within a quoted text leaves that text without an end: once more, up
   to where it begins. Returns where reading ended. */
static size_t scan_before(struct arena *a, char *text, size_t error_at, size_t offset,
                          struct tokens *out)
{
    bool is_read = false;
    for (int i = 0; i < 3 && !is_read; i++) {
        char kept = text[error_at];
        size_t earlier;
        text[error_at] = '\0';
        is_read = scan(a, (struct str){text, error_at}, offset, out, &earlier);
        text[error_at] = kept;
        error_at = earlier < error_at ? earlier : error_at;
    }
    return error_at;
}

/* ---- chunks ---- */

struct chunk {
    char *at; /* ends in NUL */
    size_t len;
    size_t offset; /* in the text */
    bool is_last;
};

/* Whether the next chunk may begin with this token. Of texts in quotes the lexer gives odd places; and
   without a blank in front, what is cut may have been one token with what is before it ($ta|g$). */
static bool may_begin_chunk(const struct chunk *c, const struct token *t)
{
    size_t at = t->from - c->offset;
    return t->kind != PG_QUERY__TOKEN__SCONST && t->kind != PG_QUERY__TOKEN__USCONST &&
           t->kind != PG_QUERY__TOKEN__BCONST && t->kind != PG_QUERY__TOKEN__XCONST && at > 0 &&
           char_is_space(c->at[at - 1]);
}

/* Reads a chunk. Returns how much of it is settled: up to its last token (which is left for the next
   chunk), up to an error, or all. */
static size_t scan_chunk(struct arena *a, const struct chunk *c, struct tokens *out)
{
    size_t count_before = out->count;
    size_t error_at;
    const struct tokens clean = {0};
    out->message = NULL;
    out->is_unterminated = false;
    bool is_done = scan(a, (struct str){c->at, c->len}, c->offset, out, &error_at);
    if (!is_done && strncmp(out->message, "trailing junk", 13) == 0) {
        out->message = clean.message;
        flatten_numbers(c->at, c->len);
        is_done = scan(a, (struct str){c->at, c->len}, c->offset, out, &error_at);
    }
    if (!is_done) {
        if (error_at == SIZE_MAX)
            error_at = find_error(a, c->at, c->len);
        error_at = scan_before(a, c->at, error_at, c->offset, out);
        if (c->is_last)
            out->error_at = c->offset + error_at;
        return error_at;
    }
    if (c->is_last)
        return c->len;
    while (out->count > count_before) {
        const struct token last = out->at[--out->count];
        if (may_begin_chunk(c, &last))
            return last.from - c->offset;
    }
    return 0;
}

/* ---- what the lexer does not get through ---- */

static bool is_operator_char(char c)
{
    return c && strchr("~!@#^&|`?+-*%<>=/", c) != NULL;
}

/* Within a comment the lexer reads from each opening of another one to the end of the operator characters
   (scan.l: xcstart), and goes back. Returns the steps; *at moves behind the characters. */
static uint64_t opening_steps(struct str text, size_t *at)
{
    size_t from = *at;
    uint64_t openings = 0;
    for (; *at < text.len && is_operator_char(text.at[*at]); (*at)++)
        openings += text.at[*at] == '*' && *at > from && text.at[*at - 1] == '/';
    return openings > 1 ? openings * (*at - from) : 0;
}

/* Signs in a row are one operator, of which it takes the last sign off until one is left, looking through
   all of them each time (scan.l: operator); then the next ones are read. */
static uint64_t sign_steps(struct str text, size_t *at)
{
    size_t from = *at;
    while (*at < text.len &&
           (text.at[*at] == '+' || (text.at[*at] == '-' && text.at[*at - 1] == '+')))
        (*at)++;
    uint64_t count = *at - from;
    return count < 10000 ? count * count * count / 6 : UINT64_MAX / 2;
}

static size_t find_slow(struct str text, struct str what,
                        uint64_t (*steps_of)(struct str text, size_t *at))
{
    const uint64_t most_steps = 100000000;
    uint64_t steps = 0;
    size_t at = 0;
    for (;;) {
        size_t found = str_find(str_skip(text, at), what);
        if (found == SIZE_MAX)
            return SIZE_MAX;
        at += found;
        size_t from = at;
        steps += steps_of(text, &at);
        if (steps > most_steps)
            return from;
    }
}

/* Where the lexer would stay for minutes: 100,000 comments that begin within each other are enough, or
   10,000 signs. SIZE_MAX: nowhere. */
static size_t find_tangle(struct str text)
{
    size_t openings = find_slow(text, STR("/*"), opening_steps);
    size_t signs = find_slow(text, STR("+"), sign_steps);
    return openings < signs ? openings : signs;
}

void parse_scan(struct arena *a, struct str text, struct tokens *out)
{
    size_t tangle = find_tangle(text);
    if (tangle != SIZE_MAX) {
        parse_scan_in_chunks(a, (struct str){text.at, tangle}, CHUNK_BYTES, out);
        out->error_at = tangle;
        out->message = "more signs, or comments within each other, than can be read in a row";
        out->is_unterminated = false;
        out->is_tangled = true;
        return;
    }
    parse_scan_in_chunks(a, text, CHUNK_BYTES, out);
}

void parse_scan_in_chunks(struct arena *a, struct str text, size_t chunk_bytes, struct tokens *out)
{
    *out = (struct tokens){.error_at = SIZE_MAX};
    SCOPED(buf) struct buf copy = {0};
    size_t done = 0;
    size_t size = chunk_bytes;
    for (;;) {
        struct chunk c = {.offset = done, .len = text.len - done};
        if (c.len > size)
            c.len = size;
        while (done + c.len < text.len && ((unsigned char)text.at[done + c.len] & 0xC0) == 0x80)
            c.len++; /* not within a character */
        c.is_last = done + c.len == text.len;
        buf_clear(&copy);
        buf_add(&copy, text.at + done, c.len);
        c.at = copy.at;
        size_t settled = scan_chunk(a, &c, out);
        if (c.is_last)
            return;
        /* A token as long as the chunk: a longer chunk. */
        size = settled ? chunk_bytes : size * 2;
        done += settled;
    }
}

size_t parse_depth(const struct token *at, size_t count)
{
    enum { MOST_LEVELS = 1000 };
    size_t run[MOST_LEVELS]; /* tokens since the last comma of each open parenthesis */
    run[0] = 0;
    size_t level = 0;
    size_t open = 0; /* sum of run[] below level */
    size_t deepest = 0;
    for (size_t i = 0; i < count; i++) {
        int kind = at[i].kind;
        if (kind == PG_QUERY__TOKEN__SQL_COMMENT || kind == PG_QUERY__TOKEN__C_COMMENT)
            continue;
        if (kind == ',') {
            run[level] = 0;
        } else if (kind == '(' || kind == '[') {
            open += ++run[level];
            if (++level == MOST_LEVELS)
                return SIZE_MAX;
            run[level] = 0;
        } else if ((kind == ')' || kind == ']') && level > 0) {
            level--;
            open -= run[level];
        } else {
            run[level]++;
        }
        if (open + run[level] > deepest)
            deepest = open + run[level];
    }
    return deepest;
}
