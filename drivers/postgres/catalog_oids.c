/* Open hashing by class, oid and column; and how values of results are read. */
#include "drivers/postgres/catalog_load.h"

#include "core/base/vec.h"

struct oid_entry {
    uint64_t key;
    void *object;
};

struct oid_table {
    struct arena *a;
    struct oid_entry *at; /* key 0: free */
    size_t room;          /* a power of two */
    size_t count;
};

struct oid_table *oid_table_make(struct arena *a)
{
    struct oid_table *t = arena_new(a, struct oid_table);
    t->a = a;
    t->room = 4096;
    t->at = arena_array(a, struct oid_entry, t->room);
    return t;
}

static uint64_t key_of(enum oid_class class, Oid oid, int number)
{
    return (uint64_t) class << 56 | (uint64_t)oid << 16 | (uint16_t)number;
}

/* Its entry, or the free one that it would have. */
static struct oid_entry *slot_of(const struct oid_table *t, uint64_t key)
{
    size_t i = (size_t)((key * 0x9E3779B97F4A7C15U) >> 20) & (t->room - 1);
    while (t->at[i].key && t->at[i].key != key)
        i = (i + 1) & (t->room - 1);
    return &t->at[i];
}

static void grow(struct oid_table *t)
{
    struct oid_entry *old = t->at;
    size_t old_room = t->room;
    t->room *= 4;
    t->at = arena_array(t->a, struct oid_entry, t->room);
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].key)
            *slot_of(t, old[i].key) = old[i];
    }
}

void oid_add(struct catalog_load *l, enum oid_class class, Oid oid, int number, void *object)
{
    struct oid_table *t = l->oids;
    if (t->count * 2 >= t->room)
        grow(t);
    uint64_t key = key_of(class, oid, number);
    *slot_of(t, key) = (struct oid_entry){key, object};
    t->count++;
}

void *oid_find(const struct catalog_load *l, enum oid_class class, Oid oid, int number)
{
    return slot_of(l->oids, key_of(class, oid, number))->object;
}

Oid oid_of(const PGresult *r, int row, int column)
{
    return (Oid)strtoul(PQgetvalue(r, row, column), NULL, 10);
}

void *oid_value(const struct catalog_load *l, enum oid_class class, const PGresult *r, int row,
                int column)
{
    return oid_find(l, class, oid_of(r, row, column), 0);
}

struct type_ref oid_type(const struct catalog_load *l, Oid oid, int32_t typmod)
{
    const struct type_ref *known = oid_find(l, OID_TYPE, oid, 0);
    struct type_ref t = known ? *known : (struct type_ref){0};
    t.typmod = typmod;
    return t;
}

struct oid_list oid_list_of(struct catalog_load *l, const PGresult *r, int row, int column)
{
    struct oid_list out = {0};
    const char *at = PQgetvalue(r, row, column);
    while (*at) {
        char *end;
        long long number = strtoll(at, &end, 10);
        if (end == at) {
            at++;
            continue;
        }
        vec_push(l->scratch, &out, number);
        at = end;
    }
    return out;
}

oid_columns oid_columns_of(struct catalog_load *l, Oid relation, const struct oid_list *numbers)
{
    oid_columns out = {0};
    for (size_t i = 0; i < numbers->count; i++) {
        struct catalog_column *column = oid_find(l, OID_COLUMN, relation, (int)numbers->at[i]);
        if (column)
            vec_push(l->a, &out, column);
    }
    return out;
}

struct row_map row_map_of(const PGresult *r, const struct catalog_fields *fields)
{
    struct row_map map = {.result = r, .count = PQnfields(r)};
    if (map.count > ROW_COLUMNS_MAX)
        BUG("a query of the catalog with too many columns");
    for (int i = 0; i < map.count; i++) {
        for (size_t k = 0; k < fields->count; k++) {
            if (strcmp(PQfname(r, i), fields->at[k].key) == 0)
                map.of[i] = &fields->at[k];
        }
    }
    return map;
}

void row_fill(struct catalog_load *l, const struct row_map *map, int row, void *object)
{
    for (int i = 0; i < map->count; i++) {
        if (!map->of[i] || PQgetisnull(map->result, row, i))
            continue;
        if (!catalog_field_set(l->a, map->of[i], object, pgdrv_value(map->result, row, i)))
            BUG("a value of the catalog that its field cannot take");
    }
}

struct str row_value(const struct row_map *map, int row, const char *key)
{
    for (int i = 0; i < map->count; i++) {
        if (map->of[i] && strcmp(map->of[i]->key, key) == 0)
            return pgdrv_value(map->result, row, i);
    }
    return (struct str){0};
}
