/*
 * Typed arrays that grow in an arena: VEC_OF(int) numbers = {0}; vec_push(a, &numbers, 7);
 * Old storage stays in the arena until it is released: for values built once, not for queues.
 */
#ifndef CORE_BASE_VEC_H
#define CORE_BASE_VEC_H

#include "core/base/arena.h"

#define VEC_OF(type)                                                                               \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t count;                                                                              \
        size_t room;                                                                               \
    }

/* Appends a value, which may use the array itself; evaluates vec several times. */
#define vec_push(a, vec, ...)                                                                      \
    do {                                                                                           \
        if ((vec)->count == (vec)->room)                                                           \
            (vec)->at = vec_grow((a), (vec)->at, sizeof(*(vec)->at), &(vec)->room);                \
        (vec)->at[(vec)->count] = (__VA_ARGS__);                                                   \
        (vec)->count++;                                                                            \
    } while (0)

/* Makes room for so many more, where their number is known before; evaluates vec several times. */
#define vec_reserve(a, vec, more)                                                                  \
    do {                                                                                           \
        if ((vec)->room - (vec)->count < (more))                                                   \
            (vec)->at = vec_widen((a), (vec)->at, sizeof(*(vec)->at), &(vec)->room,                \
                                  (vec)->count + (more));                                          \
    } while (0)

void *vec_grow(struct arena *a, const void *at, size_t each_bytes, size_t *room);
void *vec_widen(struct arena *a, const void *at, size_t each_bytes, size_t *room, size_t wanted);

#endif
