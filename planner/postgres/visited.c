/* Open addressing; half of the slots stay free. */
#include "planner/postgres/visited.h"

static const void **slot_of(const struct visited *v, const void *object)
{
    /* Fibonacci hashing: the low bits of a pointer are always the same. */
    size_t at = (size_t)(((uint64_t)(uintptr_t)object * 0x9E3779B97F4A7C15U) >> 32);
    while (v->slots[at & (v->slot_count - 1)] && v->slots[at & (v->slot_count - 1)] != object)
        at++;
    return &v->slots[at & (v->slot_count - 1)];
}

static void grow(struct arena *a, struct visited *v)
{
    enum { FIRST_SLOTS = 16 };
    const struct visited old = *v;
    v->slot_count = old.slot_count ? old.slot_count * 2 : FIRST_SLOTS;
    v->slots = arena_array(a, const void *, v->slot_count);
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i])
            *slot_of(v, old.slots[i]) = old.slots[i];
    }
}

bool visited_add(struct arena *a, struct visited *v, const void *object)
{
    if (v->count * 2 >= v->slot_count)
        grow(a, v);
    const void **slot = slot_of(v, object);
    if (*slot)
        return false;
    *slot = object;
    v->count++;
    return true;
}
