/* Notes by kind, relation, name and object: a file of 100,000 statements has as many. */
#include "planner/postgres/file_state.h"

/* What a note is found by: one entry of the table leads to the newest of a chain. */
enum chain { BY_RELATION = 1, BY_NAME, BY_OBJECT };

static size_t hash_of(enum chain chain, const struct noted *key)
{
    uint64_t hash = 1469598103934665603U + (uint64_t)chain;
    if (chain == BY_OBJECT)
        return (size_t)((hash ^ (uint64_t)(uintptr_t)key->object) * 1099511628211U >> 16);
    struct str text = chain == BY_RELATION ? key->relation : key->name;
    hash = (hash ^ (uint64_t)key->kind) * 1099511628211U;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211U;
    return (size_t)(hash ^ hash >> 32);
}

static bool is_same(enum chain chain, const struct noted *a, const struct noted *b)
{
    switch (chain) {
    case BY_RELATION:
        return a->kind == b->kind && str_equal(a->relation, b->relation);
    case BY_NAME:
        return a->kind == b->kind && str_equal(a->name, b->name);
    case BY_OBJECT:
        return a->object == b->object;
    }
    return false;
}

/* Each entry is a note's number and its chain in the two lowest bits. The place of the newest note like the
   key, or the empty one where it belongs. */
static size_t *find(const struct file_state *state, enum chain chain, const struct noted *key)
{
    size_t mask = state->index.room - 1;
    for (size_t i = hash_of(chain, key) & mask;; i = (i + 1) & mask) {
        size_t entry = state->index.at[i];
        if (!entry ||
            ((entry & 3) == chain && is_same(chain, key, &state->all.at[(entry >> 2) - 1])))
            return &state->index.at[i];
    }
}

static size_t newest(const struct file_state *state, enum chain chain, const struct noted *key)
{
    return state->index.room ? *find(state, chain, key) >> 2 : 0;
}

static bool is_found_by(enum chain chain, const struct noted *one)
{
    return chain == BY_RELATION ? one->relation.len > 0
           : chain == BY_NAME   ? one->name.len > 0
                                : one->object != NULL;
}

static void enter(struct file_state *state, size_t number)
{
    struct noted *one = &state->all.at[number - 1];
    size_t *const before[] = {[BY_RELATION] = &one->same_relation,
                              [BY_NAME] = &one->same_name,
                              [BY_OBJECT] = &one->same_object};
    for (enum chain chain = BY_RELATION; chain <= BY_OBJECT; chain++) {
        if (!is_found_by(chain, one))
            continue;
        size_t *at = find(state, chain, one);
        *before[chain] = *at >> 2;
        *at = number << 2 | chain;
    }
}

/* At most half full: a note has three entries. */
static void make_room(struct file_state *state)
{
    enum { FIRST_ROOM = 64, ENTRIES = 6 };
    if (state->index.room >= state->all.count * ENTRIES && state->index.room)
        return;
    size_t room = state->index.room ? state->index.room * 4 : FIRST_ROOM;
    state->index.at = arena_array(state->a, size_t, room);
    state->index.room = room;
    for (size_t number = 1; number < state->all.count; number++)
        enter(state, number);
}

void file_state_add(struct file_state *state, struct noted one)
{
    if (one.object && !file_state_about(state, one.object))
        vec_push(state->a, &state->touched, (struct catalog_relation *)(uintptr_t)one.object);
    one.same_kind = state->newest[one.kind];
    vec_push(state->a, &state->all, one);
    state->newest[one.kind] = state->all.count;
    make_room(state);
    enter(state, state->all.count);
}

const struct noted *file_state_find(const struct file_state *state, enum noted_kind kind,
                                    struct str relation, struct str name)
{
    const struct noted key = {.kind = kind, .relation = relation, .name = name};
    size_t number = relation.len ? newest(state, BY_RELATION, &key)
                    : name.len   ? newest(state, BY_NAME, &key)
                                 : state->newest[kind];
    while (number) {
        const struct noted *one = &state->all.at[number - 1];
        if (one->kind == kind && (!name.len || str_equal(one->name, name)))
            return one;
        number = relation.len ? one->same_relation : name.len ? one->same_name : one->same_kind;
    }
    return NULL;
}

const struct noted *file_state_about(const struct file_state *state,
                                     const struct catalog_relation *object)
{
    size_t number = object ? newest(state, BY_OBJECT, &(struct noted){.object = object}) : 0;
    return number ? &state->all.at[number - 1] : NULL;
}
