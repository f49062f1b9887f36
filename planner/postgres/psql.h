/*
 * Lines for psql in SQL files: which are left out without harm, and what to say about the others.
 */
#ifndef PLANNER_POSTGRES_PSQL_H
#define PLANNER_POSTGRES_PSQL_H

#include "core/base/str.h"

/* The name of the command at the text's front, with its backslash: "\connect". */
struct str psql_command_name(struct str text);
/* \restrict and \unrestrict only fence psql off from commands in a dump (pg_dump 17.6 and later). */
bool psql_is_harmless(struct str name);
/* Whether psql_hint() has words of its own for it. */
bool psql_is_known(struct str name);
/* What to do instead; a sentence. Static. */
const char *psql_hint(struct str name);

#endif
