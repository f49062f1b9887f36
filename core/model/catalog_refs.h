/*
 * How an object of the catalog is named in a snapshot file: relations and types as "schema.name", functions
 * as "schema.name(type,type)", quoted where SQL needs it. Private to catalog_json.c and catalog_read*.c.
 */
#ifndef CORE_MODEL_CATALOG_REFS_H
#define CORE_MODEL_CATALOG_REFS_H

#include "core/base/json.h"
#include "core/model/catalog_fields.h"

/* ---- catalog_json.c ---- */

/* "public.f(int4,public.mood[])", in the arena. */
struct str catalog_function_text(struct arena *a, const struct catalog_function *f);

/* ---- catalog_read.c ---- */

/* Texts → objects. */
struct ref_table;
enum ref_class { REF_RELATION = 1, REF_TYPE, REF_FUNCTION };
struct ref_table *ref_table_make(struct arena *a);
/* A text that is there already keeps its first object. */
void ref_table_add(struct ref_table *t, enum ref_class class, struct str text, void *object);
void *ref_table_find(const struct ref_table *t, enum ref_class class, struct str text);

#define READ_DEPTH_MAX 8

struct catalog_reader {
    struct arena *a;
    struct catalog *c;
    struct ref_table *refs;
    struct str text;
    struct str path;
    struct fail *f;
    struct json_step way[READ_DEPTH_MAX]; /* where the reader is */
    size_t depth;
};

void read_enter(struct catalog_reader *r, const char *key, size_t index);
void read_leave(struct catalog_reader *r);
/* Fails at the key of the object that the reader is in (NULL: at that object itself). Returns false. */
bool read_fail(struct catalog_reader *r, const char *key, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Whether the value at key is an array, or not there; fails otherwise. */
bool read_list(struct catalog_reader *r, const struct json *object, const char *key,
               const struct json **out);
/* The text at key, which an object cannot be without. */
bool read_name(struct catalog_reader *r, const struct json *j, const char *key, struct str *out);
/* Every field of the table that is in the object. References are looked up only with has_refs: all
   objects are made by then. */
bool read_fields(struct catalog_reader *r, const struct json *j,
                 const struct catalog_fields *fields, void *object, bool has_refs);
bool read_type(struct catalog_reader *r, const struct json *j, const char *key,
               struct type_ref *out);
/* The object that a text in the key, or (key NULL) the value itself names. */
bool read_ref(struct catalog_reader *r, const struct json *j, const char *key, enum ref_class class,
              void **out);

/* ---- catalog_read_link.c: the second pass, when every object is made ---- */

bool read_relation_links(struct catalog_reader *r, const struct json *j,
                         struct catalog_relation *relation);
bool read_type_links(struct catalog_reader *r, const struct json *j, struct catalog_type *t);
bool read_function_links(struct catalog_reader *r, const struct json *j,
                         struct catalog_function *function);
bool read_function_uses(struct catalog_reader *r, const struct json *j);
bool read_statistics(struct catalog_reader *r, const struct json *j);
bool read_publication(struct catalog_reader *r, const struct json *j);
/* Inheritance, attached indexes and domains end somewhere: those who walk along them rely on it. */
bool read_check_chains(struct catalog_reader *r);

#endif
