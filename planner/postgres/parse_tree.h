/*
 * The tree that libpg_query has made, taken from it as it stands. Its pg_query_parse_protobuf() packs the
 * tree into bytes, for which it looks at every one of 238 possible members of each node, twice; reading the
 * bytes again costs as much as half of that. All that together is six times the parsing itself.
 *
 * So parse_tree.c defines the two functions of the generated code that the library calls to pack its
 * result. A program's own definition comes before that of a shared library: while a parse of ours runs,
 * they copy the tree into an arena and give no bytes. Anybody else gets the packed bytes. Where the
 * library does not ask them (linked in another way), there are bytes, and parse.c reads those.
 */
#ifndef PLANNER_POSTGRES_PARSE_TREE_H
#define PLANNER_POSTGRES_PARSE_TREE_H

#include "core/base/arena.h"

#include <pg_query/pg_query.pb-c.h>

/* A copy in the arena, with all that is below it. Absent strings are "". */
ProtobufCMessage *parse_message_copy(struct arena *a, const ProtobufCMessage *message);

/* Until parse_taking_end(), what this thread's parser makes is copied into the arena. */
void parse_taking_begin(struct arena *a);
/* What was taken, without packing; NULL: nothing was, there are bytes to be read. */
PgQuery__ParseResult *parse_taking_end(void);

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
