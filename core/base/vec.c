/* The one piece of a typed array that needs no type: doubling its room. */
#include "core/base/vec.h"

void *vec_grow(struct arena *a, const void *at, size_t each_bytes, size_t *room)
{
    size_t wanted = *room ? arena_array_size(*room, 2) : 8;
    void *grown = arena_alloc(a, arena_array_size(wanted, each_bytes));
    if (*room)
        memcpy(grown, at, *room * each_bytes);
    *room = wanted;
    return grown;
}
