/* Copies trees, and takes them, and tokens, from the library before it packs them. */
#include "planner/postgres/parse_tree.h"

/* ---- copies ---- */

static bool is_unset(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
           *(const uint32_t *)((const char *)message + field->quantifier_offset) != field->id;
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    default:
        return 8;
    }
}

/* Texts and messages: what a member, or an element of one, points at. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
static void *copy_pointed(struct arena *a, const ProtobufCFieldDescriptor *field, void *at)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return at ? parse_message_copy(a, at) : NULL;
    const char *text = at;
    return text && text[0] ? arena_cstr(a, str_of(text)) : (void *)(uintptr_t) "";
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
static void copy_member(struct arena *a, char *copy, const ProtobufCFieldDescriptor *field)
{
    bool is_pointer =
        field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING;
    void **member = (void **)(void *)(copy + field->offset);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        if (is_pointer)
            *member = copy_pointed(a, field, *member);
        return;
    }
    size_t count = *(const size_t *)(const void *)(copy + field->quantifier_offset);
    if (!count) {
        *member = NULL;
        return;
    }
    void **list = arena_alloc(a, arena_array_size(count, element_bytes(field)));
    memcpy(list, *member, count * element_bytes(field));
    for (size_t i = 0; is_pointer && i < count; i++)
        list[i] = copy_pointed(a, field, list[i]);
    *member = list;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
ProtobufCMessage *parse_message_copy(struct arena *a, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    ProtobufCMessage *copy = arena_alloc(a, descriptor->sizeof_message);
    memcpy(copy, message, descriptor->sizeof_message);
    copy->n_unknown_fields = 0;
    copy->unknown_fields = NULL;
    unsigned from;
    unsigned to;
    parse_member_range(message, &from, &to);
    for (unsigned i = from; i < to; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (!is_unset(message, field))
            copy_member(a, (char *)copy, field);
    }
    return copy;
}

/* ---- taking ---- */

static _Thread_local struct arena *taking_into;
static _Thread_local PgQuery__ParseResult *taken;

void parse_taking_begin(struct arena *a)
{
    taking_into = a;
    taken = NULL;
}

PgQuery__ParseResult *parse_taking_end(void)
{
    PgQuery__ParseResult *result = taken;
    taking_into = NULL;
    taken = NULL;
    return result;
}

#define SEEN_BY_THE_LIBRARY __attribute__((visibility("default")))

SEEN_BY_THE_LIBRARY size_t
pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *message)
{
    if (!taking_into)
        return protobuf_c_message_get_packed_size(&message->base);
    taken = (PgQuery__ParseResult *)parse_message_copy(taking_into, &message->base);
    return 0;
}

SEEN_BY_THE_LIBRARY size_t pg_query__parse_result__pack(const PgQuery__ParseResult *message,
                                                        uint8_t *out)
{
    return taking_into ? 0 : protobuf_c_message_pack(&message->base, out);
}

/* ---- tokens ---- */

static _Thread_local struct token_taking *taking_tokens;

void parse_taking_tokens_begin(struct token_taking *t)
{
    t->is_taken = false;
    taking_tokens = t;
}

void parse_taking_tokens_end(void)
{
    taking_tokens = NULL;
}

SEEN_BY_THE_LIBRARY size_t
pg_query__scan_result__get_packed_size(const PgQuery__ScanResult *message)
{
    struct token_taking *t = taking_tokens;
    if (!t)
        return protobuf_c_message_get_packed_size(&message->base);
    for (size_t i = 0; i < message->n_tokens; i++) {
        const PgQuery__ScanToken *one = message->tokens[i];
        parse_add_token(t->out, (struct token){
                                    .kind = (int)one->token,
                                    .from = (uint32_t)one->start + (uint32_t)t->offset,
                                    .to = (uint32_t)one->end + (uint32_t)t->offset,
                                });
    }
    t->is_taken = true;
    return 0;
}

SEEN_BY_THE_LIBRARY size_t pg_query__scan_result__pack(const PgQuery__ScanResult *message,
                                                       uint8_t *out)
{
    return taking_tokens ? 0 : protobuf_c_message_pack(&message->base, out);
}
