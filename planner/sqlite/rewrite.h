/*
 * Gives a SQLite statement its online form (core/model/online.h). One row for each recipe, in rewrite.c: the
 * kind of statement, the hazards that it settles, and its function, in rewrite_<subject>.c. As for
 * PostgreSQL (planner/postgres/rewrite.h) a recipe is asked where one of its hazards was found at level warn
 * or block and nobody has waived it.
 *
 * The text of a step is made of pieces of the statement, cut between tokens. What the pieces mean SQLite is
 * asked: each is prepared in the scratch database, and the authorizer says which columns it reads and sets,
 * and which functions it calls. What a recipe cannot do exactly it does not do.
 */
#ifndef PLANNER_SQLITE_REWRITE_H
#define PLANNER_SQLITE_REWRITE_H

#include "core/base/vec.h"
#include "core/model/online.h"
#include "planner/sqlite/cut.h"
#include "planner/sqlite/state.h"

struct sqlite_piece {
    struct str text;
    enum sqlite_token_kind kind;
    unsigned depth; /* of parentheses around it; of one itself: outside of it */
};

/* What a recipe looks at, and what it writes. */
struct sqlite_rewrite {
    struct arena *a;
    struct sqlite_analysis *p;
    const struct statement *statement;
    const struct sqlite_object *table;  /* that it changes, as it was before; never NULL */
    VEC_OF(struct sqlite_piece) tokens; /* without blanks */
    struct online_form *form;
};

/* false: it gives no form; what it has written is forgotten. */
typedef bool sqlite_recipe(struct sqlite_rewrite *r);

/* The form of the statement that was looked at last, of which found was found (waivers applied); NULL: it is
   run as it is written. In the arena. */
const struct online_form *sqlite_rewrite_statement(struct arena *a, struct sqlite_analysis *p,
                                                   const struct statement *s,
                                                   const struct analysis *found);

/* Why the statement that was looked at last cannot have the batches that its directive asks for; NULL: it
   can, or asks for none, or nobody knows. In the arena. */
const char *sqlite_rewrite_batch_refusal(struct arena *a, struct sqlite_analysis *p,
                                         const struct statement *s);

/* ---- for recipes ---- */

struct online_step *sqlite_rewrite_step(struct sqlite_rewrite *r, enum phase phase,
                                        const char *does, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The first token from `from` on that is this word, outside of parentheses; count: none. */
size_t sqlite_rewrite_find(const struct sqlite_rewrite *r, size_t from, const char *word);
bool sqlite_rewrite_is(const struct sqlite_rewrite *r, size_t token, const char *word);
/* The text of tokens [from, to). to may be the count. */
struct str sqlite_rewrite_piece(const struct sqlite_rewrite *r, size_t from, size_t to);
/* A name as SQLite's SQL writes it: quoted unless it is a plain word and none of SQLite's keywords, which are
   others than PostgreSQL's (catalog_identifier()). */
struct str sqlite_identifier(struct arena *a, struct str name);

/* ---- the recipes ---- */

sqlite_recipe sqlite_rewrite_update; /* rewrite_dml.c */
sqlite_recipe sqlite_rewrite_delete;
/* Of an UPDATE or DELETE that asks for batches by a key. */
const char *sqlite_rewrite_dml_refusal(struct sqlite_rewrite *r);
sqlite_recipe sqlite_rewrite_rebuild; /* rewrite_rebuild.c */

#endif
