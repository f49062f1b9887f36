/*
 * A snapshot file back to a catalog, in two passes: first every object is made with its plain fields, then
 * what refers to others is looked up by its text.
 */
#include "core/model/catalog_refs.h"

#include "core/base/text.h"

#include <stdarg.h>

/* ---- texts → objects ---- */

struct ref_entry {
    enum ref_class class;
    uint32_t hash;
    struct str text;
    void *object;
    struct ref_entry *next;
};

struct ref_table {
    struct arena *a;
    struct ref_entry **at;
    size_t room; /* a power of two */
    size_t count;
};

struct ref_table *ref_table_make(struct arena *a)
{
    struct ref_table *t = arena_new(a, struct ref_table);
    t->a = a;
    t->room = 1024;
    t->at = arena_array(a, struct ref_entry *, t->room);
    return t;
}

/* FNV-1a. */
static uint32_t hash_of(enum ref_class class, struct str text)
{
    uint32_t hash = 2166136261U + (uint32_t) class;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * 16777619U;
    return hash;
}

static void put(struct ref_table *t, struct ref_entry *e)
{
    struct ref_entry **chain = &t->at[e->hash & (t->room - 1)];
    e->next = *chain;
    *chain = e;
}

static void grow(struct ref_table *t)
{
    struct ref_entry **old = t->at;
    size_t old_room = t->room;
    t->room *= 4;
    t->at = arena_array(t->a, struct ref_entry *, t->room);
    for (size_t i = 0; i < old_room; i++) {
        struct ref_entry *next;
        for (struct ref_entry *e = old[i]; e; e = next) {
            next = e->next;
            put(t, e);
        }
    }
}

void ref_table_add(struct ref_table *t, enum ref_class class, struct str text, void *object)
{
    if (ref_table_find(t, class, text))
        return;
    if (t->count++ == t->room)
        grow(t);
    struct ref_entry *e = arena_new(t->a, struct ref_entry);
    *e = (struct ref_entry){class, hash_of(class, text), text, object, NULL};
    put(t, e);
}

void *ref_table_find(const struct ref_table *t, enum ref_class class, struct str text)
{
    uint32_t hash = hash_of(class, text);
    for (const struct ref_entry *e = t->at[hash & (t->room - 1)]; e; e = e->next) {
        if (e->hash == hash && e->class == class && str_equal(e->text, text))
            return e->object;
    }
    return NULL;
}

/* ---- where it is, and what is wrong there ---- */

void read_enter(struct catalog_reader *r, const char *key, size_t index)
{
    if (r->depth == READ_DEPTH_MAX)
        BUG("a snapshot is deeper than its format");
    r->way[r->depth++] = (struct json_step){key, index};
}

void read_leave(struct catalog_reader *r)
{
    r->depth--;
}

bool read_fail(struct catalog_reader *r, const char *key, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *message = arena_vprintf(r->a, format, values);
    va_end(values);
    size_t depth = r->depth;
    if (key)
        read_enter(r, key, 0);
    size_t offset = json_locate(r->text, r->way, r->depth);
    if (offset == SIZE_MAX)
        offset = json_locate(r->text, r->way, depth);
    r->depth = depth;
    fail_set(r->f, EXIT_USAGE, "%s", message);
    struct text_place place = text_place_of(r->text, offset == SIZE_MAX ? 0 : offset);
    fail_at(r->f, r->path, place.line, place.column, place.line_text);
    return fail_hint(r->f, "Write the file anew with `migrate snapshot`.");
}

/* ---- fields ---- */

bool read_list(struct catalog_reader *r, const struct json *object, const char *key,
               const struct json **out)
{
    *out = json_get(object, key);
    if (!*out || json_is_array(*out))
        return true;
    return read_fail(r, key, "\"%s\" is not a list", key);
}

bool read_ref(struct catalog_reader *r, const struct json *j, const char *key, enum ref_class class,
              void **out)
{
    static const char *const what[] = {"", "relation", "type", "function"};
    struct str text = json_str_of(key ? json_get(j, key) : j);
    *out = text.len ? ref_table_find(r->refs, class, text) : NULL;
    if (*out)
        return true;
    return read_fail(r, key, "there is no %s \"%.*s\" in the file", what[class], STR_ARG(text));
}

bool read_type(struct catalog_reader *r, const struct json *j, const char *key,
               struct type_ref *out)
{
    const struct json *t = key ? json_get(j, key) : j;
    int64_t typmod = -1;
    void *user = NULL;
    if (!json_is_object(t))
        return read_fail(r, key, "this is no type");
    if (key)
        read_enter(r, key, 0);
    *out = (struct type_ref){.typmod = -1};
    bool is_known = !json_get(t, "user") || read_ref(r, t, "user", REF_TYPE, &user);
    if (key)
        read_leave(r);
    if (!is_known)
        return false;
    if (json_get(t, "typmod") &&
        (!json_i64_of(json_get(t, "typmod"), &typmod) || typmod < INT32_MIN || typmod > INT32_MAX))
        return read_fail(r, key, "\"typmod\" is no number that a type can have");
    out->user = user;
    if (user)
        out->user->may_be_used = true;
    out->builtin = arena_str(r->a, json_str_of(json_get(t, "builtin")));
    out->unknown = arena_str(r->a, json_str_of(json_get(t, "unknown")));
    out->typmod = (int32_t)typmod;
    if (json_get(t, "is_array") && !json_bool_of(json_get(t, "is_array"), &out->is_array))
        return read_fail(r, key, "\"is_array\" is neither true nor false");
    if (!user && !out->builtin.len && !out->unknown.len)
        return read_fail(r, key, "this is no type");
    return true;
}

static bool read_number(struct catalog_reader *r, const struct json *value,
                        const struct catalog_field *field, void *object)
{
    int64_t number;
    double real;
    bool is_set = false;
    if (field->kind == FIELD_F64 && json_f64_of(value, &real)) {
        *(double *)((char *)object + field->at) = real;
        is_set = true;
    } else if (field->kind != FIELD_F64 && json_i64_of(value, &number)) {
        char text[32];
        int len = snprintf(text, sizeof(text), "%lld", (long long)number);
        is_set = catalog_field_set(r->a, field, object, (struct str){text, (size_t)len});
    }
    return is_set || read_fail(r, field->key, "\"%s\" is no number that it can be", field->key);
}

static bool read_text(struct catalog_reader *r, const struct json *value,
                      const struct catalog_field *field, void *object)
{
    if (json_is_str(value) && catalog_field_set(r->a, field, object, json_str_of(value)))
        return true;
    return read_fail(r, field->key, "\"%s\" is no text that it can be", field->key);
}

static bool read_reference(struct catalog_reader *r, const struct json *j,
                           const struct catalog_field *field, void *object)
{
    void **at = (void **)(void *)((char *)object + field->at);
    switch (field->kind) {
    case FIELD_TYPE:
        return read_type(r, j, field->key, (struct type_ref *)(void *)at);
    case FIELD_RELATION:
        return read_ref(r, j, field->key, REF_RELATION, at);
    case FIELD_USER_TYPE:
        return read_ref(r, j, field->key, REF_TYPE, at);
    default:
        return read_ref(r, j, field->key, REF_FUNCTION, at);
    }
}

static bool is_reference(enum field_kind kind)
{
    return kind == FIELD_TYPE || kind == FIELD_RELATION || kind == FIELD_USER_TYPE ||
           kind == FIELD_FUNCTION;
}

static bool read_plain(struct catalog_reader *r, const struct json *value,
                       const struct catalog_field *field, void *object)
{
    switch (field->kind) {
    case FIELD_BOOL:
        return json_bool_of(value, (bool *)((char *)object + field->at)) ||
               read_fail(r, field->key, "\"%s\" is neither true nor false", field->key);
    case FIELD_I64:
    case FIELD_U32:
    case FIELD_SIZE:
    case FIELD_F64:
        return read_number(r, value, field, object);
    default:
        return read_text(r, value, field, object);
    }
}

bool read_fields(struct catalog_reader *r, const struct json *j,
                 const struct catalog_fields *fields, void *object, bool has_refs)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct catalog_field *field = &fields->at[i];
        const struct json *value = json_get(j, field->key);
        if (!value || is_reference(field->kind) != has_refs)
            continue;
        if (!(has_refs ? read_reference(r, j, field, object) : read_plain(r, value, field, object)))
            return false;
    }
    return true;
}

/* ---- the first pass ---- */

bool read_name(struct catalog_reader *r, const struct json *j, const char *key, struct str *out)
{
    if (!json_is_object(j))
        return read_fail(r, NULL, "this is no object");
    *out = json_str_of(json_get(j, key));
    return out->len || read_fail(r, key, "it has no %s", key);
}

static bool make_columns(struct catalog_reader *r, const struct json *list,
                         struct catalog_relation *relation)
{
    read_enter(r, "columns", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *j = json_at(list, i);
        struct str name;
        read_enter(r, NULL, i);
        if (!read_name(r, j, "name", &name))
            return false;
        if (catalog_find_column(relation, name))
            return read_fail(r, "name", "there are two columns \"%.*s\"", STR_ARG(name));
        struct type_ref none = {.typmod = -1};
        struct catalog_column *column = catalog_add_column(r->c, relation, name, &none);
        if (!read_fields(r, j, &catalog_fields_column, column, false))
            return false;
        read_leave(r);
    }
    read_leave(r);
    return true;
}

static bool make_constraints(struct catalog_reader *r, const struct json *list,
                             struct catalog_relation *relation)
{
    read_enter(r, "constraints", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *j = json_at(list, i);
        struct str name;
        read_enter(r, NULL, i);
        if (!read_name(r, j, "name", &name))
            return false;
        struct catalog_constraint *k =
            catalog_add_constraint(r->c, relation, CONSTRAINT_UNKNOWN, name);
        if (!read_fields(r, j, &catalog_fields_constraint, k, false))
            return false;
        read_leave(r);
    }
    read_leave(r);
    return true;
}

static bool is_relation_kind(enum relation_kind kind)
{
    return kind != RELATION_UNKNOWN && strchr("rpiISvmfc", (char)kind) != NULL;
}

static bool make_relation(struct catalog_reader *r, const struct json *j)
{
    struct str name;
    struct str schema;
    struct catalog_relation probe = {0};
    const struct json *columns;
    const struct json *constraints;
    if (!read_name(r, j, "name", &name) || !read_name(r, j, "schema", &schema) ||
        !read_fields(r, j, &catalog_fields_relation, &probe, false))
        return false;
    if (!is_relation_kind(probe.kind))
        return read_fail(r, "kind", "there is no such kind of relation");
    struct catalog_relation *relation = catalog_add_relation(r->c, probe.kind, schema, name);
    struct str text = catalog_relation_text(r->a, relation);
    if (ref_table_find(r->refs, REF_RELATION, text))
        return read_fail(r, "name", "there are two relations %.*s", STR_ARG(text));
    ref_table_add(r->refs, REF_RELATION, text, relation);
    if (relation->row_type)
        ref_table_add(r->refs, REF_TYPE, text, relation->row_type);
    if (!read_fields(r, j, &catalog_fields_relation, relation, false) ||
        !read_list(r, j, "columns", &columns) || !read_list(r, j, "constraints", &constraints))
        return false;
    return make_columns(r, columns, relation) && make_constraints(r, constraints, relation);
}

static bool make_type(struct catalog_reader *r, const struct json *j)
{
    struct str name;
    struct str schema;
    if (!read_name(r, j, "name", &name) || !read_name(r, j, "schema", &schema))
        return false;
    struct catalog_type *t = catalog_add_type(r->c, TYPE_UNKNOWN, schema, name);
    ref_table_add(r->refs, REF_TYPE, catalog_name_text(r->a, schema, name), t);
    return read_fields(r, j, &catalog_fields_type, t, false);
}

/* Its arguments may be of types that are not made yet: they are read when all are. */
static bool make_function(struct catalog_reader *r, const struct json *j)
{
    struct str name;
    struct str schema;
    if (!read_name(r, j, "name", &name) || !read_name(r, j, "schema", &schema))
        return false;
    return read_fields(r, j, &catalog_fields_function, catalog_add_function(r->c, schema, name),
                       false);
}

static bool make_schema(struct catalog_reader *r, const struct json *j)
{
    struct str name = json_str_of(j);
    if (!name.len)
        return read_fail(r, NULL, "this is no name of a schema");
    catalog_add_schema(r->c, name);
    return true;
}

static bool make_setting(struct catalog_reader *r, const struct json *j)
{
    struct str name;
    struct catalog_setting setting = {0};
    if (!read_name(r, j, "name", &name) ||
        !read_fields(r, j, &catalog_fields_setting, &setting, false))
        return false;
    catalog_set(r->c, setting.name, setting.value.at ? setting.value : STR(""), false);
    return true;
}

static bool make_object(struct catalog_reader *r, const struct json *j)
{
    struct str kind;
    if (!read_name(r, j, "kind", &kind))
        return false;
    struct catalog_object *o = arena_new(r->a, struct catalog_object);
    o->kind = arena_cstr(r->a, kind);
    vec_push(r->a, &r->c->objects, o);
    return read_fields(r, j, &catalog_fields_object, o, false);
}

static bool make_left_out(struct catalog_reader *r, const struct json *j)
{
    vec_push(r->a, &r->c->left_out, arena_str(r->a, json_str_of(j)));
    return true;
}

static bool make_query(struct catalog_reader *r, const struct json *j)
{
    struct str text;
    struct catalog_query query = {0};
    if (!read_name(r, j, "text", &text) || !read_fields(r, j, &catalog_fields_query, &query, false))
        return false;
    vec_push(r->a, &r->c->queries, query);
    return true;
}

/* ---- the second pass ---- */

static bool link_relation(struct catalog_reader *r, const struct json *j)
{
    return read_relation_links(r, j, r->c->relations.at[r->way[r->depth - 1].index]);
}

static bool link_type(struct catalog_reader *r, const struct json *j)
{
    void *t = ref_table_find(r->refs, REF_TYPE,
                             catalog_name_text(r->a, json_str_of(json_get(j, "schema")),
                                               json_str_of(json_get(j, "name"))));
    return read_type_links(r, j, t);
}

static bool link_function(struct catalog_reader *r, const struct json *j)
{
    return read_function_links(r, j, r->c->functions.at[r->way[r->depth - 1].index]);
}

typedef bool one_reader(struct catalog_reader *r, const struct json *j);

static bool each(struct catalog_reader *r, const struct json *root, const char *key,
                 one_reader *read)
{
    const struct json *list;
    if (!read_list(r, root, key, &list))
        return false;
    read_enter(r, key, 0);
    for (size_t i = 0; i < json_count(list); i++) {
        read_enter(r, NULL, i);
        if (!read(r, json_at(list, i)))
            return false;
        read_leave(r);
    }
    read_leave(r);
    return true;
}

static bool read_root(struct catalog_reader *r, const struct json *root)
{
    int64_t format;
    if (!json_i64_of(json_get(root, "format"), &format))
        return read_fail(r, "format", "this is no snapshot");
    if (format != 1)
        return read_fail(r, "format", "it has format %lld, and this program reads 1",
                         (long long)format);
    /* Functions are told by the types of their arguments, so those come first. */
    return read_fields(r, root, &catalog_fields_catalog, r->c, false) &&
           each(r, root, "schemas", make_schema) && each(r, root, "settings", make_setting) &&
           each(r, root, "types", make_type) && each(r, root, "relations", make_relation) &&
           each(r, root, "functions", make_function) && each(r, root, "types", link_type) &&
           each(r, root, "functions", link_function) && each(r, root, "relations", link_relation) &&
           each(r, root, "functions", read_function_uses) &&
           each(r, root, "statistics", read_statistics) &&
           each(r, root, "publications", read_publication) &&
           each(r, root, "objects", make_object) && each(r, root, "queries", make_query) &&
           each(r, root, "left_out", make_left_out) && read_check_chains(r);
}

struct catalog *catalog_read(struct arena *a, struct str text, struct str path, struct fail *f)
{
    SCOPED(json) struct json *root = json_parse(text, path, f);
    if (!root)
        return NULL;
    struct catalog_reader r = {
        .a = a,
        .c = catalog_make(a),
        .refs = ref_table_make(a),
        .text = text,
        .path = path,
        .f = f,
    };
    r.c->source = CATALOG_SNAPSHOT;
    return read_root(&r, root) ? r.c : NULL;
}
