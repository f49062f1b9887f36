/*
 * What a walk has been to already. Inheritance is no tree: a table may have several parents, and thirty
 * such tables, each under both children of the one before, are reached along a billion ways.
 */
#ifndef PLANNER_POSTGRES_VISITED_H
#define PLANNER_POSTGRES_VISITED_H

#include "core/base/arena.h"

/* A set of pointers; all zero: empty. */
struct visited {
    const void **slots; /* a power of two; NULL: free */
    size_t slot_count;
    size_t count;
};

/* Puts an object in; its storage comes from the arena. False: it is in already. */
bool visited_add(struct arena *a, struct visited *v, const void *object);

#endif
