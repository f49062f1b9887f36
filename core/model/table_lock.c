/* Lists of locked tables: see table_lock.h. */
#include "core/model/table_lock.h"

#include "core/base/vec.h"

void table_locks_add(struct arena *a, struct table_locks *to, const struct table_lock *one)
{
    for (size_t i = 0; i < to->count; i++) {
        if (!str_equal(to->at[i].table, one->table))
            continue;
        if (one->mode > to->at[i].mode)
            to->at[i].mode = one->mode;
        return;
    }
    struct table_lock kept = *one;
    kept.table = arena_str(a, one->table);
    vec_push(a, to, kept);
}

/* Units come in order: the list is searched by halves. */
const struct table_locks *units_locks_find(const struct units_locks *of, uint32_t unit)
{
    size_t low = 0;
    size_t high = of->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (of->at[middle].unit == unit)
            return &of->at[middle].locks;
        if (of->at[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct json *table_locks_json(const struct table_locks *locks)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < locks->count; i++) {
        struct json *one = json_make_object();
        json_set_str(one, "table", locks->at[i].table);
        json_set_cstr(one, "mode", lock_mode_name(locks->at[i].mode));
        json_push(list, one);
    }
    return list;
}

bool table_locks_read(struct arena *a, const struct json *j, struct table_locks *out)
{
    *out = (struct table_locks){0};
    for (size_t i = 0; i < json_count(j); i++) {
        const struct json *of = json_at(j, i);
        struct table_lock one = {
            .table = json_str_of(json_get(of, "table")),
            .mode = lock_mode_of_name(json_str_of(json_get(of, "mode"))),
        };
        if (!one.table.len || one.mode == LOCK_NONE)
            return false;
        table_locks_add(a, out, &one);
    }
    return json_is_array(j);
}
