/* The one piece of a typed array that needs no type: doubling its room. Most of them stay at one or two
   elements, so that of large ones no more are made at first. */
#include "core/base/vec.h"

void *vec_grow(struct arena *a, const void *at, size_t each_bytes, size_t *room)
{
    size_t first = each_bytes <= 16 ? 8 : each_bytes <= 48 ? 4 : 2;
    size_t wanted = *room ? arena_array_size(*room, 2) : first;
    return vec_widen(a, at, each_bytes, room, wanted);
}

void *vec_widen(struct arena *a, const void *at, size_t each_bytes, size_t *room, size_t wanted)
{
    void *grown = arena_alloc(a, arena_array_size(wanted, each_bytes));
    if (*room)
        memcpy(grown, at, *room * each_bytes);
    *room = wanted;
    return grown;
}
