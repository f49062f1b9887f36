/* Texts go to libpg_query as C strings, trees come back as protobuf messages. */
#include "planner/postgres/parse.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "planner/postgres/grammar_compat.h"
#include "planner/postgres/parse_tree.h"

#include <pg_query.h>
#include <stdlib.h>
#ifdef SANITIZES_ADDRESS
#include <sanitizer/lsan_interface.h>
#endif

const char *postgres_parser_version(bool is_runtime)
{
    (void)
        is_runtime; /* the library does not tell its version at run time; its file name is bound to it */
    return PG_VERSION;
}

/* ---- trees ---- */

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void leave(void *arena, void *at)
{
    (void)arena;
    (void)at;
}

static PgQuery__ParseResult *unpack(struct arena *a, const PgQueryProtobuf *packed)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = leave, .allocator_data = a};
    PgQuery__ParseResult *root =
        pg_query__parse_result__unpack(&allocator, packed->len, (const uint8_t *)packed->data);
    if (!root)
        BUG("a tree of libpg_query that cannot be read");
    return root;
}

/* The tree in the arena; NULL with the place and words of an error, in out. */
static PgQuery__ParseResult *parse(struct arena *a, struct str text, struct parse_tree *out)
{
    *out = (struct parse_tree){.error_at = SIZE_MAX};
    parse_taking_begin(a);
    PgQueryProtobufParseResult result = pg_query_parse_protobuf(text.at);
    PgQuery__ParseResult *root = parse_taking_end();
    if (result.error) {
        out->message = postgres_error_message(a, result.error->message);
        out->error_at = postgres_error_offset(text, result.error->cursorpos);
        root = NULL;
    } else if (!root) {
        root = unpack(a, &result.parse_tree);
    }
    if (root)
        grammar_settle(a, text, root);
    pg_query_free_protobuf_parse_result(result);
    return root;
}

void parse_statement_kept(struct arena *a, struct str text, struct parse_tree *out)
{
    PgQuery__ParseResult *root = parse(a, text, out);
    if (!root)
        return;
    if (root->n_stmts == 1)
        out->node = root->stmts[0]->stmt;
    else
        out->message = "it holds several statements";
}

static bool is_too_deep(struct arena *a, struct str text)
{
    struct tokens tokens = {0};
    parse_scan(a, text, &tokens);
    bool is_deep = tokens.is_tangled || parse_depth(tokens.at, tokens.count) > PARSE_MAX_DEPTH;
    parse_tokens_free(&tokens);
    return is_deep;
}

const PgQuery__ParseResult *parse_script_kept(struct arena *a, struct str text)
{
    struct parse_tree tree;
    return is_too_deep(a, text) ? NULL : parse(a, str_of(arena_cstr(a, text)), &tree);
}

PgQuery__Node *parse_node_copy(struct arena *a, const PgQuery__Node *node)
{
    return (PgQuery__Node *)parse_message_copy(a, &node->base);
}

/* Where it finds an error in a body, the library forgets the (empty) text of its warnings: one byte, which is
   no leak of ours. */
static void forgets_begin(void)
{
#ifdef SANITIZES_ADDRESS
    __lsan_disable();
#endif
}

static void forgets_end(void)
{
#ifdef SANITIZES_ADDRESS
    __lsan_enable();
#endif
}

const char *parse_fence_for(struct arena *a, struct str text)
{
    const char *fence = "$migrate$";
    for (unsigned n = 1; str_find(text, str_of(fence)) != SIZE_MAX; n++)
        fence = arena_printf(a, "$migrate%u$", n);
    return fence;
}

struct str parse_plpgsql_block(struct arena *a, struct str body, const char **out_message)
{
    const char *fence = parse_fence_for(a, body);
    const char *text = arena_printf(a, "DO %s%.*s%s", fence, STR_ARG(body), fence);
    return parse_plpgsql(a, str_of(text), body, out_message);
}

struct str parse_plpgsql(struct arena *a, struct str text, struct str body,
                         const char **out_message)
{
    *out_message = NULL;
    if (is_too_deep(a, body)) {
        *out_message = "it is nested too deeply";
        return (struct str){0};
    }
    forgets_begin();
    PgQueryPlpgsqlParseResult result = pg_query_parse_plpgsql(arena_cstr(a, text));
    forgets_end();
    struct str out = {0};
    if (result.error)
        *out_message = postgres_error_message(a, result.error->message);
    else if (result.plpgsql_funcs)
        out = arena_str(a, str_of(result.plpgsql_funcs));
    pg_query_free_plpgsql_parse_result(result);
    return out;
}

/* The members of a message that are messages, one by one. A repeated one is an array of pointers. */
static ProtobufCMessage *const *member_messages(const ProtobufCMessage *message,
                                                const ProtobufCFieldDescriptor *field,
                                                size_t *out_count)
{
    const char *base = (const char *)message;
    *out_count = 0;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return NULL;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *out_count = *(const size_t *)(base + field->quantifier_offset);
        return *(ProtobufCMessage *const *const *)(base + field->offset);
    }
    bool is_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (is_oneof && *(const uint32_t *)(base + field->quantifier_offset) != field->id)
        return NULL;
    ProtobufCMessage *const *at = (ProtobufCMessage *const *)(base + field->offset);
    *out_count = *at != NULL;
    return at;
}

/* ---- digest ---- */

/* Places in the text: int32 members location, stmt_location, stmt_len. (The location of CREATE
   TABLESPACE is a text, and counts.) */
static bool is_place(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_INT32 &&
           (strcmp(field->name, "location") == 0 || strcmp(field->name, "stmt_location") == 0 ||
            strcmp(field->name, "stmt_len") == 0);
}

static bool scalar_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
                         const ProtobufCFieldDescriptor *field)
{
    const char *at = (const char *)a + field->offset;
    const char *of = (const char *)b + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED || is_place(field))
        return true;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return strcmp(*(const char *const *)at, *(const char *const *)of) == 0;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)at == *(const protobuf_c_boolean *)of;
    case PROTOBUF_C_TYPE_UINT64:
        return *(const uint64_t *)at == *(const uint64_t *)of;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_ENUM:
        return *(const uint32_t *)at == *(const uint32_t *)of;
    default:
        return true;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
bool parse_tree_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    unsigned from;
    unsigned to;
    unsigned to_b;
    if (a->descriptor != b->descriptor)
        return false;
    parse_member_range(b, &from, &to_b);
    parse_member_range(a, &from, &to);
    if (to != to_b)
        return false;
    for (unsigned i = from; i < to; i++) {
        const ProtobufCFieldDescriptor *field = &a->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            if (!scalar_equal(a, b, field))
                return false;
            continue;
        }
        size_t count;
        size_t count_b;
        ProtobufCMessage *const *at = member_messages(a, field, &count);
        ProtobufCMessage *const *of = member_messages(b, field, &count_b);
        if (count != count_b)
            return false;
        for (size_t j = 0; j < count; j++) {
            if (!parse_tree_equal(at[j], of[j]))
                return false;
        }
    }
    return true;
}

static void add_number(struct buf *out, uint64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    buf_add(out, digits + at, sizeof(digits) - at);
}

/* A member that is no message, as number=value; or number=length:text. Members at their default are left
   out, as protobuf does. Lists of numbers and floating point are only in trees behind the parser
   (analysed, planned). */
static void add_scalar(struct buf *out, const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field)
{
    const char *at = (const char *)message + field->offset;
    uint64_t number = 0;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)at;
        if (!text || !text[0])
            return;
        add_number(out, field->id);
        buf_add_char(out, '=');
        add_number(out, strlen(text));
        buf_add_char(out, ':');
        buf_add_cstr(out, text);
        return;
    }
    case PROTOBUF_C_TYPE_BOOL:
        number = *(const protobuf_c_boolean *)at != 0;
        break;
    case PROTOBUF_C_TYPE_UINT64:
        number = *(const uint64_t *)at;
        break;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_ENUM:
        number = *(const uint32_t *)at;
        break;
    default:
        return;
    }
    if (!number)
        return;
    add_number(out, field->id);
    buf_add_char(out, '=');
    add_number(out, number);
    buf_add_char(out, ';');
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
static void add_message(struct buf *out, struct digest_stream *digest,
                        const ProtobufCMessage *message)
{
    enum { FLUSH_BYTES = 8192 };
    unsigned from;
    unsigned to;
    parse_member_range(message, &from, &to);
    for (unsigned i = from; i < to; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            if (!is_place(field))
                add_scalar(out, message, field);
            continue;
        }
        size_t count;
        ProtobufCMessage *const *at = member_messages(message, field, &count);
        for (size_t j = 0; j < count; j++) {
            add_number(out, field->id);
            buf_add_char(out, '(');
            add_message(out, digest, at[j]);
            buf_add_char(out, ')');
        }
    }
    if (out->len > FLUSH_BYTES) {
        digest_add(digest, buf_str(out));
        buf_clear(out);
    }
}

void parse_tree_digest(const struct parse_tree *tree, struct digest_stream *digest)
{
    SCOPED(buf) struct buf out = {0};
    add_message(&out, digest, &tree->node->base);
    buf_add_char(&out, '\n');
    digest_add(digest, buf_str(&out));
}

/* pg_query_normalize() leaves texts in options of servers and mappings, and some more, as they are. */
static bool has_text(struct arena *a, struct str text)
{
    SCOPED(tokens) struct tokens tokens;
    parse_scan(a, text, &tokens);
    for (size_t i = 0; i < tokens.count; i++) {
        int kind = tokens.at[i].kind;
        if (kind == PG_QUERY__TOKEN__SCONST || kind == PG_QUERY__TOKEN__USCONST ||
            kind == PG_QUERY__TOKEN__BCONST || kind == PG_QUERY__TOKEN__XCONST ||
            kind == PG_QUERY__TOKEN__C_COMMENT || kind == PG_QUERY__TOKEN__SQL_COMMENT)
            return true;
    }
    return tokens.error_at != SIZE_MAX;
}

struct str parse_without_literals(struct arena *a, struct str text)
{
    PgQueryNormalizeResult result = pg_query_normalize(arena_cstr(a, text));
    struct str out = {0};
    if (!result.error)
        out = arena_str(a, str_of(result.normalized_query));
    pg_query_free_normalize_result(result);
    return has_text(a, out) ? (struct str){0} : out;
}
