/*
 * What PostgreSQL 16 to 18 write and the parser at hand (15, or 17) does not know: told from the tokens, said
 * in the older grammar, and marked in the tree, in members that a tree from the parser leaves at zero. So a
 * tree says the same after it was copied. Only tried where the parser has given up. What 17 knows itself is
 * brought into the same form by grammar_settle().
 *
 *   GENERATED ALWAYS AS (…) VIRTUAL         CONSTR_GENERATED with GRAMMAR_VIRTUAL; also without a word (18)
 *   [CONSTRAINT n] NOT NULL column …        as a table's: CONSTR_NOTNULL, keys = the column; of ALTER DOMAIN:
 *                                           without keys (18; 17)
 *   … NOT NULL NO INHERIT                   is_no_inherit (18)
 *   [NOT] ENFORCED                          GRAMMAR_ENFORCED, GRAMMAR_NOT_ENFORCED, which is skip_validation
 *                                           as well; of ALTER CONSTRAINT too (18)
 *   ALTER CONSTRAINT n [NO] INHERIT         GRAMMAR_INHERIT, GRAMMAR_NO_INHERIT (18)
 *   WITHOUT OVERLAPS, PERIOD                GRAMMAR_PERIOD (18)
 *   ALTER COLUMN c SET EXPRESSION AS (…)    AT_ColumnDefault with grammar_sets_expression() (17)
 *   VACUUM | ANALYZE ONLY t                 a RangeVar without inh (18)
 *   CREATE STATISTICS ON …                  no defnames (16)
 *   REINDEX DATABASE | SYSTEM               name "" (16)
 *
 * Said and forgotten, since nothing depends on it: STORAGE of a new column and SET STORAGE DEFAULT (16), SET
 * STATISTICS DEFAULT and SET ACCESS METHOD DEFAULT (17), IS JSON (16), MERGE … NOT MATCHED BY SOURCE and
 * RETURNING (17), RETURNING WITH (…) (18), GRANT role … WITH INHERIT | SET (16), 1_000 and 0x1F (16).
 */
#ifndef PLANNER_POSTGRES_GRAMMAR_H
#define PLANNER_POSTGRES_GRAMMAR_H

#include "planner/postgres/parse.h"

enum grammar_bit {
    GRAMMAR_VIRTUAL = 1,
    GRAMMAR_ENFORCED = 2,
    GRAMMAR_NOT_ENFORCED = 4,
    GRAMMAR_INHERIT = 8,
    GRAMMAR_NO_INHERIT = 16,
    GRAMMAR_PERIOD = 32,
};

static inline bool grammar_has(const PgQuery__Constraint *k, enum grammar_bit bit)
{
    return (k->old_pktable_oid & (unsigned)bit) != 0;
}

/* ALTER COLUMN … SET EXPRESSION AS (def). */
static inline bool grammar_sets_expression(const PgQuery__AlterTableCmd *cmd)
{
    return cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault && cmd->num != 0;
}

/* Parses a statement that parse_statement_kept() did not know. The tree is in the arena; out is left as it is
   where this does not help. */
void grammar_parse_newer(struct arena *a, struct str text, struct parse_tree *out);

/* A number as PostgreSQL 16 may spell it (1_000, 0x1F) in plain decimals, in the arena; NULL: it is plain. */
const char *grammar_plain_number(struct arena *a, struct str token);

/* ---- for the files behind it ---- */

/* What was said otherwise, to be marked in the tree. */
enum grammar_mark {
    MARK_BITS = 1,     /* of the constraint before this place */
    MARK_NOT_NULL,     /* a CHECK (column) that stands for NOT NULL column; (value): of a domain */
    MARK_NO_INHERIT,   /* of the NOT NULL before it */
    MARK_COMMAND_BITS, /* of the definition in this command of ALTER TABLE */
    MARK_EXPRESSION,
    MARK_ONLY,
    MARK_NO_NAME,
};
struct grammar_note {
    enum grammar_mark mark;
    unsigned bits;
    size_t at;      /* byte in the text that is parsed */
    size_t command; /* of ALTER TABLE, from 0 */
};
struct grammar_notes {
    struct grammar_note *at;
    size_t count, room;
};

/* The text in the older grammar, with what must be marked. Empty: nothing of it is known. */
struct str grammar_rewrite(struct arena *a, struct str text, struct grammar_notes *out);

#endif
