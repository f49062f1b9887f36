/*
 * The tree that libpg_query has made, and its tokens, taken from it as they stand. Its
 * pg_query_parse_protobuf() packs the tree into bytes, for which it looks at every one of 238 possible
 * members of each node, twice; reading the bytes again costs as much as half of that. All that together is
 * six times the parsing itself. Packing and reading tokens costs as much as finding them.
 *
 * So parse_tree.c defines the functions of the generated code that the library calls to pack its results,
 * two for each. A program's own definition comes before that of a shared library: while a parse of ours
 * runs, they copy the tree into an arena, or the tokens into a list, and give no bytes. Anybody else gets
 * the packed bytes. Where the library does not ask them (linked in another way), there are bytes, and
 * parse.c and scan.c read those.
 */
#ifndef PLANNER_POSTGRES_PARSE_TREE_H
#define PLANNER_POSTGRES_PARSE_TREE_H

#include "planner/postgres/parse.h"

/* A copy in the arena, with all that is below it. Absent strings are "". */
ProtobufCMessage *parse_message_copy(struct arena *a, const ProtobufCMessage *message);

/* Until parse_taking_end(), what this thread's parser makes is copied into the arena. */
void parse_taking_begin(struct arena *a);
/* What was taken, without packing; NULL: nothing was, there are bytes to be read. */
PgQuery__ParseResult *parse_taking_end(void);

/* Until parse_taking_tokens_end(), what this thread's lexer finds is added to a list. */
struct token_taking {
    struct tokens *out;
    size_t offset; /* of the text that is read, added to places */
    bool is_taken; /* false: there are bytes to be read */
};
void parse_taking_tokens_begin(struct token_taking *t);
void parse_taking_tokens_end(void);
/* Adds one to a list. */
void parse_add_token(struct tokens *out, struct token t);

/* A member that points at something: a message, a text, or a list of anything. */
struct parse_member {
    uint32_t offset;
    uint32_t quantifier_offset; /* of a list's length, or of the choice */
    uint32_t choice;            /* it is set where this one was made; 0: it is none of several */
    uint16_t element_bytes;
    bool is_list;
    bool is_string;
};

/* Those of one kind of message: first the messages, in their order. */
struct parse_members {
    const ProtobufCMessageDescriptor *of;
    size_t message_count, count;
    struct parse_member at[];
};
/* Made once for each kind, and kept for the process. Safe from any thread. */
const struct parse_members *parse_members_of(const ProtobufCMessageDescriptor *of);

static inline bool parse_member_is_set(const ProtobufCMessage *message,
                                       const struct parse_member *m)
{
    return !m->choice || *(const uint32_t *)(const void *)((const char *)message +
                                                           m->quantifier_offset) == m->choice;
}

/* The members of a message that may be set: all; of a Node, which is a choice of 238, the one that is. */
static inline void parse_member_range(const ProtobufCMessage *message, unsigned *out_from,
                                      unsigned *out_to)
{
    *out_from = 0;
    *out_to = message->descriptor->n_fields;
    if (message->descriptor != &pg_query__node__descriptor)
        return;
    unsigned number = (unsigned)((const PgQuery__Node *)message)->node_case;
    *out_from = number ? number - 1 : 0;
    *out_to = number;
}

#endif
