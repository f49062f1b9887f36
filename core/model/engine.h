/*
 * The two engines, and the limits on what comes from outside. Every limit has a reason and a test
 * just under and just over it.
 */
#ifndef CORE_MODEL_ENGINE_H
#define CORE_MODEL_ENGINE_H

#include "core/base/str.h"

enum engine { ENGINE_UNKNOWN = 0, ENGINE_POSTGRES, ENGINE_SQLITE };

/* "postgres", "sqlite", "unknown". */
const char *engine_name(enum engine e);
/* Also "postgresql", "pg", "sqlite3". ENGINE_UNKNOWN where it is none. */
enum engine engine_of_name(struct str name);

/* One statement: PostgreSQL's own message buffer ends at 1 GB, but a statement is held in memory
   twice while it is cut and sent; more than this belongs in COPY. */
#define LIMIT_STATEMENT_BYTES ((size_t)32 << 20)
/* Statements up to here are parsed into a tree (about 60 bytes of tree per byte of SQL). */
#define LIMIT_PARSE_BYTES ((size_t)1 << 20)
/* Scripts up to here are kept as a list of statements between planning and applying. */
#define LIMIT_RETAIN_BYTES ((size_t)256 << 10)
/* Files in all migration directories together. */
#define LIMIT_MIGRATIONS 200000

#endif
