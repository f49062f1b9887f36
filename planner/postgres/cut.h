/*
 * PostgreSQL's SQL as statements: struct dialect for the engine, made with PostgreSQL's own lexer and
 * parser (libpg_query). The lexer cuts, one pass over the window; the parser judges each statement
 * alone, so that one that it does not know spoils no other.
 */
#ifndef PLANNER_POSTGRES_CUT_H
#define PLANNER_POSTGRES_CUT_H

#include "core/model/dialect.h"

extern const struct dialect postgres_dialect;

#endif
