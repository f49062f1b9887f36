/*
 * libpg_query, the lexer and parser of PostgreSQL (15, or 17: grammar_compat.h) as a library: tokens of a
 * text, the tree of one statement, a digest of that tree, a text without its literals. scan.c, parse.c and
 * parse_tree.c are the only files that call it; the files beside them read the trees.
 *
 * The library has no check of its stack. Trees are as deep as the SQL is nested, and reading one takes
 * about 2 KB of stack a level: run everything that parses in a thread with PARSE_STACK_BYTES.
 */
#ifndef PLANNER_POSTGRES_PARSE_H
#define PLANNER_POSTGRES_PARSE_H

#include "core/base/arena.h"
#include "core/base/digest.h"
#include "core/base/str.h"

#include <pg_query/pg_query.pb-c.h>

/* Statements whose depth (parse_depth()) is above this are not parsed: generated SQL stays below 1,000,
   and the library's time grows with the square of the depth. */
#define PARSE_MAX_DEPTH ((size_t)20000)
/* Trees of PARSE_MAX_DEPTH need more than 16 and less than 32 MB (1+1+…, 1::a::a…), several times that
   with sanitizers. Pages that are not touched cost nothing. Held by parse_test.c. */
#define PARSE_STACK_BYTES ((size_t)256 << 20)

/* One token of a text. Offsets are bytes. Of a string constant only `from` of the token behind it can
   be relied on: the lexer joins 'a' 'b' and reads U&'…' ahead, and reports odd places for both. */
struct token {
    int kind; /* enum PgQuery__Token; or a character */
    uint32_t from, to;
};

struct tokens {
    struct token *at;
    size_t count, room;
    size_t error_at;      /* byte where the lexer gave up; SIZE_MAX: it did not */
    const char *message;  /* its words, in the arena; meaningless without error */
    bool is_unterminated; /* the text ends within a quote or comment */
    bool is_tangled;      /* signs or comments in a row that the lexer does not get through */
};

/* Tokens of a text; parse_tokens_free() frees them. After an error there are those before error_at. The
   message is in the arena. */
void parse_scan(struct arena *a, struct str text, struct tokens *out);

void parse_tokens_free(struct tokens *t);
static inline void scoped_release_tokens(struct tokens *t)
{
    parse_tokens_free(t);
}

/* The same, with chunks of another size, for tests. */
void parse_scan_in_chunks(struct arena *a, struct str text, size_t chunk_bytes, struct tokens *out);

/* Byte offset of a position in the library's errors: characters from 1; SIZE_MAX for 0, "nowhere". */
size_t postgres_error_offset(struct str text, int position);
/* The library's message as one short line, in the arena. */
const char *postgres_error_message(struct arena *a, const char *message);

/* How deep the tree of these tokens may be at most: tokens since the last comma, over all open
   parentheses. */
size_t parse_depth(const struct token *at, size_t count);

/* The tree of one statement, in the arena. */
struct parse_tree {
    PgQuery__Node *node; /* NULL: the parser does not know it, */
    const char *message; /* why not, */
    size_t error_at;     /* and the byte in the text, or SIZE_MAX */
};
/* text.at[text.len] is NUL. */
void parse_statement_kept(struct arena *a, struct str text, struct parse_tree *out);
/* A CREATE FUNCTION or DO in PL/pgSQL, and the body in it: its statements as the library's JSON, in the
   arena; the empty str, and why, where the library cannot read it, which does not mean that the server
   cannot. */
struct str parse_plpgsql(struct arena *a, struct str text, struct str body,
                         const char **out_message);
/* The same of the text within DO '…'. */
struct str parse_plpgsql_block(struct arena *a, struct str body, const char **out_message);
/* A dollar quote that a text does not hold: "$migrate$". In the arena. */
const char *parse_fence_for(struct arena *a, struct str text);
/* All statements of a text, in the arena: the body of an SQL function. NULL: not parsable, or too deep. */
const PgQuery__ParseResult *parse_script_kept(struct arena *a, struct str text);

/* A copy in the arena, with all that is below it. */
PgQuery__Node *parse_node_copy(struct arena *a, const PgQuery__Node *node);

/* Adds the tree, without the places of its parts, to a digest: two texts that differ in blanks, comments
   and the case of keywords only add the same. */
void parse_tree_digest(const struct parse_tree *tree, struct digest_stream *digest);

/* Whether two trees are the same but for the places of their parts. */
bool parse_tree_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);

/* Calls visit for every message in a tree, parents first, until it returns true; whether it did. */
typedef bool parse_visitor(void *context, const ProtobufCMessage *message);
bool parse_tree_visit(const ProtobufCMessage *root, parse_visitor *visit, void *context);
/* The same for the messages right below root only. */
bool parse_tree_each_child(const ProtobufCMessage *root, parse_visitor *visit, void *context);

/* Version of the PostgreSQL parser at build and at run time: "15.1". Static. */
const char *postgres_parser_version(bool is_runtime);

/* The statement with $1, $2 … for its literals, in the arena; the empty str where one would stay, or a
   comment. */
struct str parse_without_literals(struct arena *a, struct str text);

#endif
