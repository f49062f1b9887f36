/* Copies trees, and takes them, and tokens, from the library before it packs them. */
#include "planner/postgres/parse_tree.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- members ---- */

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

static bool has_pointer(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED || field->type == PROTOBUF_C_TYPE_STRING ||
           field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static void add_members(struct parse_members *out, bool wants_messages)
{
    for (unsigned i = 0; i < out->of->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &out->of->fields[i];
        bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
        if (!has_pointer(field) || is_message != wants_messages)
            continue;
        out->at[out->count++] = (struct parse_member){
            .offset = field->offset,
            .quantifier_offset = field->quantifier_offset,
            .choice = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? field->id : 0,
            .element_bytes = (uint16_t)element_bytes(field),
            .is_list = field->label == PROTOBUF_C_LABEL_REPEATED,
            .is_string = field->type == PROTOBUF_C_TYPE_STRING,
        };
        out->message_count += is_message;
    }
}

static struct parse_members *make_members(const ProtobufCMessageDescriptor *of)
{
    struct parse_members *m =
        calloc(1, sizeof(*m) + (of->n_fields + 1) * sizeof(struct parse_member));
    if (!m)
        out_of_memory();
    m->of = of;
    add_members(m, true);
    add_members(m, false);
    return m;
}

/* Kept for the process; the grammar has fewer than 300 kinds of messages. */
#define KINDS_MAX ((size_t)1024)
static _Atomic(struct parse_members *) kinds[KINDS_MAX];

const struct parse_members *parse_members_of(const ProtobufCMessageDescriptor *of)
{
    uintptr_t address = (uintptr_t)of;
    for (size_t slot = (address >> 4 ^ address >> 14) % KINDS_MAX;; slot = (slot + 1) % KINDS_MAX) {
        struct parse_members *known = atomic_load_explicit(&kinds[slot], memory_order_acquire);
        if (known && known->of == of)
            return known;
        if (known)
            continue;
        struct parse_members *made = make_members(of);
        if (atomic_compare_exchange_strong(&kinds[slot], &known, made))
            return made;
        free(made); /* another thread was faster */
        if (known->of == of)
            return known;
    }
}

/* ---- walking ---- */

/* Of a Node, which is a choice of 238, there is one. */
static bool visit_choice(const PgQuery__Node *node, parse_visitor *visit, void *context)
{
    const ProtobufCMessage *child = (const ProtobufCMessage *)(const void *)node->alias;
    return node->node_case && child && visit(context, child);
}

bool parse_tree_each_child(const ProtobufCMessage *root, parse_visitor *visit, void *context)
{
    if (root->descriptor == &pg_query__node__descriptor)
        return visit_choice((const PgQuery__Node *)(const void *)root, visit, context);
    const char *base = (const char *)root;
    const struct parse_members *members = parse_members_of(root->descriptor);
    for (size_t i = 0; i < members->message_count; i++) {
        const struct parse_member *m = &members->at[i];
        const void *at = *(void *const *)(const void *)(base + m->offset);
        if (m->is_list) {
            size_t count = *(const size_t *)(const void *)(base + m->quantifier_offset);
            for (size_t j = 0; j < count; j++) {
                if (visit(context, ((ProtobufCMessage *const *)at)[j]))
                    return true;
            }
        } else if (at && parse_member_is_set(root, m) && visit(context, at)) {
            return true;
        }
    }
    return false;
}

struct visiting {
    parse_visitor *visit;
    void *context;
};

static bool visit_below(void *context, const ProtobufCMessage *message)
{
    const struct visiting *v = context;
    return parse_tree_visit(message, v->visit, v->context);
}

/* As deep as the tree, which PARSE_MAX_DEPTH bounds. NOLINTNEXTLINE(misc-no-recursion) */
bool parse_tree_visit(const ProtobufCMessage *root, parse_visitor *visit, void *context)
{
    struct visiting v = {.visit = visit, .context = context};
    return visit(context, root) || parse_tree_each_child(root, visit_below, &v);
}

/* ---- copies ---- */

/* Texts and messages: what a member, or an element of one, points at. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
static void *copy_pointed(struct arena *a, bool is_string, void *at)
{
    if (!is_string)
        return at ? parse_message_copy(a, at) : NULL;
    const char *text = at;
    return text && text[0] ? arena_cstr(a, str_of(text)) : (void *)(uintptr_t) "";
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, which PARSE_MAX_DEPTH bounds */
static void copy_list(struct arena *a, char *copy, const struct parse_member *m, bool is_pointer)
{
    void **member = (void **)(void *)(copy + m->offset);
    size_t count = *(const size_t *)(const void *)(copy + m->quantifier_offset);
    if (!count) {
        *member = NULL;
        return;
    }
    size_t bytes = arena_array_size(count, m->element_bytes);
    void **list = arena_alloc(a, bytes);
    memcpy(list, *member, bytes);
    for (size_t i = 0; is_pointer && i < count; i++)
        list[i] = copy_pointed(a, m->is_string, list[i]);
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
    if (descriptor == &pg_query__node__descriptor) {
        PgQuery__Node *node = (PgQuery__Node *)(void *)copy;
        if (node->node_case)
            node->alias = copy_pointed(a, false, node->alias);
        return copy;
    }
    const struct parse_members *members = parse_members_of(descriptor);
    for (size_t i = 0; i < members->count; i++) {
        const struct parse_member *m = &members->at[i];
        void **member = (void **)(void *)((char *)copy + m->offset);
        if (m->is_list)
            copy_list(a, (char *)copy, m, i < members->message_count || m->is_string);
        else if (parse_member_is_set(copy, m))
            *member = copy_pointed(a, m->is_string, *member);
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
