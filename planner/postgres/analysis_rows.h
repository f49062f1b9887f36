/*
 * What a script says of rows and of its session, beyond the objects it makes: which tables it puts rows
 * into, what set_config() sets. Called around the fold of every statement.
 */
#ifndef PLANNER_POSTGRES_ANALYSIS_ROWS_H
#define PLANNER_POSTGRES_ANALYSIS_ROWS_H

#include "planner/postgres/effects.h"

/* Behind the fold of a statement. effects: its own. first_new: relations before it. Tables that it made
   are empty, unless the fold knows better; those that it writes to have rows. */
void rows_note(struct deed *d, const PgQuery__Node *node, const struct effects *effects,
               size_t first_new);
/* SELECT set_config('name', 'value', is_local), as pg_dump begins. */
void settings_note(struct catalog *c, const PgQuery__Node *node);
/* Whether it is pg_dump's set_config('search_path', '', false), or SET search_path = ''. */
bool is_dump_header(const PgQuery__Node *node);
/* A dump of the schema alone: nothing is known of rows. */
void rows_forget(struct catalog *c);

#endif
