/*
 * In which order transactions lock tables. Each table has the transactions that locked it, with the first
 * and the last statement that did; pairs are made of that when they are asked for, as a transaction over n
 * tables has n squared of them.
 */
#include "planner/postgres/file_state.h"

#include "core/base/vec.h"
#include "planner/postgres/rules_support.h"

struct locking {
    size_t transaction;
    struct str path;
    size_t first, last; /* statements, as numbered in the file */
    uint32_t first_line, last_line;
};

struct lock_order {
    struct str relation;
    VEC_OF(struct locking) all; /* in order */
    struct lock_order *next;    /* of the same hash */
};

/* ---- tables by name ---- */

static size_t hash_of(struct str relation)
{
    uint64_t hash = 1469598103934665603U;
    for (size_t i = 0; i < relation.len; i++)
        hash = (hash ^ (unsigned char)relation.at[i]) * 1099511628211U;
    return (size_t)(hash ^ hash >> 32);
}

static struct lock_order *find(const struct lock_orders *orders, struct str relation)
{
    if (!orders->room)
        return NULL;
    struct lock_order *order = orders->at[hash_of(relation) & (orders->room - 1)];
    while (order && !str_equal(order->relation, relation))
        order = order->next;
    return order;
}

static void put(struct lock_orders *orders, struct lock_order *order)
{
    struct lock_order **at = &orders->at[hash_of(order->relation) & (orders->room - 1)];
    order->next = *at;
    *at = order;
}

static void grow(struct arena *a, struct lock_orders *orders)
{
    enum { FIRST_ROOM = 64 };
    struct lock_orders old = *orders;
    orders->room = old.room ? old.room * 2 : FIRST_ROOM;
    orders->at = arena_array(a, struct lock_order *, orders->room);
    for (size_t i = 0; i < old.room; i++) {
        struct lock_order *next;
        for (struct lock_order *order = old.at[i]; order; order = next) {
            next = order->next;
            put(orders, order);
        }
    }
}

static struct lock_order *find_or_make(struct arena *a, struct lock_orders *orders,
                                       struct str relation)
{
    struct lock_order *order = find(orders, relation);
    if (order)
        return order;
    if (orders->count++ == orders->room)
        grow(a, orders);
    order = arena_new(a, struct lock_order);
    order->relation = arena_str(a, relation);
    put(orders, order);
    return order;
}

/* ---- noting ---- */

static bool is_strong(const struct rule_subject *s, const struct effect_lock *lock)
{
    bool is_table = lock->kind == RELATION_TABLE || lock->kind == RELATION_PARTITIONED_TABLE;
    return is_table && lock->mode >= LOCK_SHARE && !rule_is_new(s, lock->object);
}

void file_state_note_order(struct file_state *state, const struct rule_subject *s)
{
    for (size_t i = 0; s->file->is_in_transaction && i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        if (!is_strong(s, lock))
            continue;
        struct lock_order *order = find_or_make(state->a, state->orders, lock->relation);
        struct locking *last = order->all.count ? &order->all.at[order->all.count - 1] : NULL;
        if (last && last->transaction == state->orders->transaction) {
            last->last = s->file->statements;
            last->last_line = s->statement->line;
            continue;
        }
        struct locking one = {
            .transaction = state->orders->transaction,
            .path = s->file->path,
            .first = s->file->statements,
            .last = s->file->statements,
            .first_line = s->statement->line,
            .last_line = s->statement->line,
        };
        vec_push(state->a, &order->all, one);
    }
}

/* ---- asking ---- */

static bool is_held(const struct rule_subject *s, struct str relation)
{
    for (size_t i = 0; i < s->file->held.count; i++) {
        if (s->file->held.at[i].mode >= LOCK_SHARE &&
            str_equal(s->file->held.at[i].relation, relation))
            return true;
    }
    return false;
}

static const struct locking *of_transaction(const struct lock_order *order, size_t transaction)
{
    size_t from = 0;
    size_t to = order ? order->all.count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (order->all.at[middle].transaction < transaction)
            from = middle + 1;
        else
            to = middle;
    }
    bool is_there = order && from < order->all.count;
    return is_there && order->all.at[from].transaction == transaction ? &order->all.at[from] : NULL;
}

/* Of what is held now, the first that the transaction locked behind the other one. */
static struct lock_pair *find_behind(const struct file_state *state, const struct rule_subject *s,
                                     struct str relation, const struct locking *before)
{
    struct lock_pair *found = NULL;
    size_t earliest = SIZE_MAX;
    for (size_t i = 0; i < s->file->held.count; i++) {
        const struct held_lock *held = &s->file->held.at[i];
        const struct locking *behind =
            held->mode < LOCK_SHARE
                ? NULL
                : of_transaction(find(state->orders, held->relation), before->transaction);
        if (!behind || behind->last <= before->first)
            continue;
        bool is_first = behind->first > before->first;
        size_t at = is_first ? behind->first : behind->last;
        if (at >= earliest)
            continue;
        earliest = at;
        found = found ? found : arena_new(s->a, struct lock_pair);
        *found = (struct lock_pair){
            .first = relation,
            .second = held->relation,
            .path = behind->path,
            .line = is_first ? behind->first_line : behind->last_line,
        };
    }
    return found;
}

const struct lock_pair *file_state_opposite(const struct file_state *state,
                                            const struct rule_subject *s)
{
    for (size_t i = 0; s->file->held.count && i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        if (!is_strong(s, lock) || is_held(s, lock->relation))
            continue;
        const struct lock_order *order = find(state->orders, lock->relation);
        for (size_t n = 0; order && n < order->all.count; n++) {
            const struct lock_pair *pair = find_behind(state, s, lock->relation, &order->all.at[n]);
            if (pair)
                return pair;
        }
    }
    return NULL;
}
