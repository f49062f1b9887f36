/* Open hashing, each chain in the order of arrival: overloads of a function are found as they came. */
#include "core/model/catalog_names.h"

#include "core/base/buf.h"

struct name_entry {
    enum name_class class;
    uint32_t hash;
    struct str schema;
    struct str name;
    void *object;
    struct name_entry *next;
};

struct name_table {
    struct name_entry **at;
    size_t room; /* a power of two */
    size_t count;
    struct name_entry *spare; /* removed ones */
    /* The search_path as it was last read, and what it was read from. */
    struct str path_text;
    bool is_path_known;
    VEC_OF(struct str) path;
};

enum { FIRST_ROOM = 256 };

struct name_table *name_table_make(struct arena *a)
{
    struct name_table *t = arena_new(a, struct name_table);
    t->room = FIRST_ROOM;
    t->at = arena_array(a, struct name_entry *, t->room);
    return t;
}

/* FNV-1a. */
static uint32_t add_to_hash(uint32_t hash, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.at[i]) * 16777619U;
    return (hash ^ 0xFF) * 16777619U;
}

static uint32_t hash_of(enum name_class class, struct str schema, struct str name)
{
    return add_to_hash(add_to_hash(2166136261U + (uint32_t) class, schema), name);
}

static void append(struct name_table *t, struct name_entry *e)
{
    struct name_entry **end = &t->at[e->hash & (t->room - 1)];
    while (*end)
        end = &(*end)->next;
    e->next = NULL;
    *end = e;
}

static void grow(struct arena *a, struct name_table *t)
{
    struct name_entry **old = t->at;
    size_t old_room = t->room;
    t->room *= 2;
    t->at = arena_array(a, struct name_entry *, t->room);
    for (size_t i = 0; i < old_room; i++) {
        struct name_entry *next;
        for (struct name_entry *e = old[i]; e; e = next) {
            next = e->next;
            append(t, e);
        }
    }
}

void name_table_add(struct catalog *c, enum name_class class, struct str schema, struct str name,
                    void *object)
{
    struct name_table *t = c->names;
    if (t->count == t->room)
        grow(c->arena, t);
    struct name_entry *e = t->spare;
    if (e)
        t->spare = e->next;
    else
        e = arena_new(c->arena, struct name_entry);
    *e = (struct name_entry){class, hash_of(class, schema, name), schema, name, object, NULL};
    append(t, e);
    t->count++;
}

static bool is_named(const struct name_entry *e, uint32_t hash, enum name_class class,
                     struct str schema, struct str name)
{
    return e->hash == hash && e->class == class && str_equal(e->name, name) &&
           str_equal(e->schema, schema);
}

void name_table_remove(struct catalog *c, enum name_class class, struct str schema, struct str name,
                       const void *object)
{
    struct name_table *t = c->names;
    uint32_t hash = hash_of(class, schema, name);
    for (struct name_entry **at = &t->at[hash & (t->room - 1)]; *at; at = &(*at)->next) {
        struct name_entry *e = *at;
        if (e->object != object || !is_named(e, hash, class, schema, name))
            continue;
        *at = e->next;
        e->next = t->spare;
        t->spare = e;
        t->count--;
        return;
    }
}

void *name_table_find(const struct catalog *c, enum name_class class, struct str schema,
                      struct str name, const void *previous)
{
    const struct name_table *t = c->names;
    uint32_t hash = hash_of(class, schema, name);
    bool is_behind = previous == NULL;
    for (const struct name_entry *e = t->at[hash & (t->room - 1)]; e; e = e->next) {
        if (!is_named(e, hash, class, schema, name))
            continue;
        if (is_behind)
            return e->object;
        is_behind = e->object == previous;
    }
    return NULL;
}

/* ---- search_path ---- */

/* One element of the list, as SplitIdentifierString() (varlena.c) reads it: quoted, or in lower case. */
static struct str read_element(struct arena *a, struct str *rest)
{
    SCOPED(buf) struct buf out = {0};
    *rest = str_trim(*rest);
    if (!str_starts(*rest, STR("\""))) {
        struct str word;
        *rest = str_cut(*rest, ',', &word);
        word = str_trim(word);
        for (size_t i = 0; i < word.len; i++)
            buf_add_char(&out, char_lower(word.at[i]));
        return buf_done(a, &out);
    }
    *rest = str_skip(*rest, 1);
    while (rest->len) {
        if (str_starts(*rest, STR("\"\""))) {
            *rest = str_skip(*rest, 1);
        } else if (rest->at[0] == '"') {
            *rest = str_skip(*rest, 1);
            break;
        }
        buf_add_char(&out, rest->at[0]);
        *rest = str_skip(*rest, 1);
    }
    struct str between;
    *rest = str_cut(*rest, ',', &between);
    return buf_done(a, &out);
}

static void read_path(const struct catalog *c, struct str text)
{
    struct name_table *t = c->names;
    t->path_text = text;
    t->is_path_known = true;
    t->path.count = 0;
    bool has_temporary = false;
    struct str rest = text.at ? text : STR("\"$user\", public");
    while (str_trim(rest).len) {
        struct str name = read_element(c->arena, &rest);
        if (!name.len || str_equal(name, STR("$user")) || str_equal(name, STR("pg_catalog")))
            continue;
        has_temporary |= str_equal(name, STR("pg_temp"));
        vec_push(c->arena, &t->path, name);
    }
    if (has_temporary)
        return;
    vec_push(c->arena, &t->path, STR("pg_temp"));
    for (size_t i = t->path.count - 1; i > 0; i--)
        t->path.at[i] = t->path.at[i - 1];
    t->path.at[0] = STR("pg_temp");
}

const struct str *catalog_search_path(const struct catalog *c, size_t *out_count)
{
    const struct name_table *t = c->names;
    struct str text = catalog_setting(c, "search_path");
    if (!t->is_path_known || text.at != t->path_text.at || text.len != t->path_text.len)
        read_path(c, text);
    *out_count = t->path.count;
    return t->path.at;
}

struct str catalog_creation_schema(const struct catalog *c)
{
    size_t count;
    const struct str *path = catalog_search_path(c, &count);
    const struct str *first = NULL;
    bool is_temporary_named =
        str_find(catalog_setting(c, "search_path"), STR("pg_temp")) != SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!is_temporary_named && str_equal(path[i], STR("pg_temp")))
            continue;
        if (catalog_has_schema(c, path[i]))
            return path[i];
        if (!first)
            first = &path[i];
    }
    return first ? *first : STR("public");
}

/* ---- by name ---- */

static void *find(const struct catalog *c, enum name_class class, struct str schema,
                  struct str name)
{
    if (schema.len)
        return name_table_find(c, class, schema, name, NULL);
    size_t count;
    const struct str *path = catalog_search_path(c, &count);
    for (size_t i = 0; i < count; i++) {
        void *found = name_table_find(c, class, path[i], name, NULL);
        if (found)
            return found;
    }
    return NULL;
}

struct catalog_relation *catalog_find_relation(const struct catalog *c, struct str schema,
                                               struct str name)
{
    return find(c, NAME_RELATION, schema, name);
}

struct catalog_type *catalog_find_type(const struct catalog *c, struct str schema, struct str name)
{
    return find(c, NAME_TYPE, schema, name);
}

struct catalog_function *catalog_find_function(const struct catalog *c, struct str schema,
                                               struct str name,
                                               const struct catalog_function *previous)
{
    if (schema.len)
        return name_table_find(c, NAME_FUNCTION, schema, name, previous);
    size_t count;
    const struct str *path = catalog_search_path(c, &count);
    size_t i = 0;
    while (previous && i < count && !str_equal(path[i], previous->schema))
        i++;
    for (; i < count; i++, previous = NULL) {
        if (str_equal(path[i], STR("pg_temp")))
            continue; /* functions are never looked for there */
        void *found = name_table_find(c, NAME_FUNCTION, path[i], name, previous);
        if (found)
            return found;
    }
    return NULL;
}

bool catalog_has_schema(const struct catalog *c, struct str name)
{
    for (size_t i = 0; i < c->schemas.count; i++) {
        if (str_equal(c->schemas.at[i], name))
            return true;
    }
    return false;
}
