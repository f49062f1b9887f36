/*
 * SQLite's SQL as statements: struct dialect for the engine. SQLite has no public tokenizer, so the few
 * rules that tell where a text or comment ends are here; whether a trigger is complete is asked of
 * sqlite3_complete(). Knows nothing of a database; see analyse.h for what statements do.
 */
#ifndef PLANNER_SQLITE_CUT_H
#define PLANNER_SQLITE_CUT_H

#include "core/model/dialect.h"

extern const struct dialect sqlite_dialect;

/* A token of SQL text: where it ends, and what it is. */
enum sqlite_token_kind {
    SQLITE_TOKEN_BLANK = 0, /* white space or a comment */
    SQLITE_TOKEN_WORD,      /* keyword, identifier or number, not quoted */
    SQLITE_TOKEN_QUOTED,    /* '…' "…" `…` […] */
    SQLITE_TOKEN_SEMICOLON,
    SQLITE_TOKEN_OTHER, /* one character */
    SQLITE_TOKEN_OPEN,  /* a quote or block comment that does not end in the text */
};
/* Length of the token at the text's front; text is not empty. */
size_t sqlite_token(struct str text, enum sqlite_token_kind *out);

#endif
