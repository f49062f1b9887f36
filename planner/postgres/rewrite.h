/*
 * Gives a PostgreSQL statement its online form (core/model/online.h). One row for each recipe, in rewrite.c:
 * the kind of statement, the hazards that it settles, and its function, in rewrite_<subject>.c. A recipe is
 * asked where one of its hazards was found at level warn or block and nobody has waived it: what is exempt
 * there (a new, empty or small table) runs as it is written, and policy rules both.
 *
 * The text of a step is made of pieces of the statement itself, cut between tokens, and of words and quoted
 * names; never from a parse tree. What a recipe cannot do exactly it does not do: it gives no form, and the
 * hazard stands.
 */
#ifndef PLANNER_POSTGRES_REWRITE_H
#define PLANNER_POSTGRES_REWRITE_H

#include "core/base/buf.h"
#include "core/model/hazard.h"
#include "core/model/online.h"
#include "core/model/statement.h"
#include "planner/analysis.h"
#include "planner/postgres/effects.h"

/* What a recipe looks at, and what it writes. */
struct rewrite {
    struct arena *a;
    const struct statement *statement;
    const PgQuery__Node *tree;
    struct catalog *catalog; /* as it is in front of the statement */
    const struct analysis *found;
    unsigned major;
    struct tokens
        tokens; /* of the statement's text, without comments; each ends where the next thing begins */
    struct online_form *form; /* that is written */
    const char
        *why_not; /* a sentence: what the author can do about that there is no form; or NULL */
    bool skips_triggers; /* batches do */
    const char *
        triggers_say; /* what becomes of the table's triggers, as a clause behind batches; or NULL */
};

/* false: it gives no form; what it has written is forgotten. */
typedef bool rewrite_recipe(struct rewrite *r);

/* The form of a statement, of which found was found (waivers applied); NULL: it is run as it is written, and
   *out_why_not is a sentence for its author, or NULL. In the arena. */
const struct online_form *rewrite_statement(struct arena *a, const struct statement *s,
                                            struct catalog *catalog, const struct analysis *found,
                                            unsigned major, const char **out_why_not);

/* The relation that a statement makes, or gives another name; "" : it is none of that. In the arena. */
struct str rewrite_made(struct arena *a, const struct statement *s, const struct catalog *catalog);

/* Whether a recipe has steps of which this is found, and knows that it is no matter there. */
bool rewrite_expects(const char *recipe, const char *rule_id);
/* Whether a finding of the statement stands though no step of the recipe's is found to do it. */
bool rewrite_keeps(const char *recipe, const char *rule_id);

/* ---- for recipes: writing steps ---- */

/* A step with a transaction of its own; sql is formatted. The step is returned for its undo. */
struct online_step *rewrite_step(struct rewrite *r, enum phase phase, const char *does,
                                 const char *format, ...) PRINTF_LIKE(4, 5);
/* The same for a statement that refuses a transaction. */
struct online_step *rewrite_step_alone(struct rewrite *r, enum phase phase, const char *does,
                                       const char *format, ...) PRINTF_LIKE(4, 5);
void rewrite_undo(struct rewrite *r, struct online_step *step, enum undo_cost cost,
                  const char *format, ...) PRINTF_LIKE(4, 5);

/* Until the steps that wait have run no other migration may change this relation ("public.orders"); in this
   one, no statement behind may use a name that they set free: then the statement runs as written. */
void rewrite_holds(struct rewrite *r, struct str relation);
void rewrite_frees(struct rewrite *r, struct str name);
/* The same of a column, which matters only where the table is mentioned as well. */
void rewrite_frees_column(struct rewrite *r, const struct catalog_relation *table, struct str name);

/* The same of what must be used by nobody when they run: `migrate contract` looks for it. Members of `how`
   that say more are taken over. */
void rewrite_retires(struct rewrite *r, const struct catalog_relation *table, struct str column,
                     struct retired_name how);

/* ---- for recipes: pieces of the statement's text ---- */

/* The token that begins at this byte, or the first one behind it; count of tokens: none. */
size_t rewrite_token_at(const struct rewrite *r, size_t offset_bytes);
/* The first token of this kind from `from` on, outside of parentheses that open behind it; count: none. */
size_t rewrite_token_find(const struct rewrite *r, size_t from, int kind);
/* The text of tokens [from, to). to may be the count. */
struct str rewrite_piece(const struct rewrite *r, size_t from, size_t to);

/* ---- for recipes: names ---- */

/* "public.orders", quoted where it must be, as the catalog has it, else as it is written. */
const char *rewrite_relation_sql(struct rewrite *r, const PgQuery__RangeVar *name);
/* An identifier, quoted where it must be. */
const char *rewrite_identifier(struct rewrite *r, const char *name);

/* ---- the recipes ---- */

rewrite_recipe rewrite_create_index;             /* rewrite_index.c */
rewrite_recipe rewrite_create_index_partitioned; /* rewrite_index_partitioned.c */
rewrite_recipe rewrite_drop_index;
rewrite_recipe rewrite_reindex;
rewrite_recipe rewrite_refresh;
rewrite_recipe rewrite_alter_table;      /* rewrite_alter_table.c */
rewrite_recipe rewrite_add_column;       /* rewrite_add_column.c */
rewrite_recipe rewrite_attach_partition; /* rewrite_attach.c */
rewrite_recipe rewrite_create_partition; /* rewrite_create_partition.c */
rewrite_recipe rewrite_detach_partition; /* rewrite_detach.c */
rewrite_recipe rewrite_update;           /* rewrite_dml.c */
rewrite_recipe rewrite_delete;
/* Why a statement cannot have the batches that its author asks for; NULL: it asks for none, or that is left
   to the recipe. In the arena. */
const char *rewrite_batch_refusal(struct arena *a, const struct statement *s,
                                  struct catalog *catalog, unsigned major);
rewrite_recipe rewrite_rename_column; /* rewrite_rename_column.c */
rewrite_recipe rewrite_retype;        /* rewrite_retype.c */
rewrite_recipe rewrite_fill_column;   /* rewrite_fill_column.c */

rewrite_recipe rewrite_rename_table; /* rewrite_rename.c */
rewrite_recipe rewrite_set_schema;
rewrite_recipe rewrite_drop_table; /* rewrite_drop.c */
rewrite_recipe rewrite_drop_column;

#endif
