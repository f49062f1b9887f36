/*
 * The plain fields of the catalog's structs, each with its key: what catalog_json.c writes,
 * catalog_read.c reads, and a driver fills from a row whose columns have these names. One table for
 * each struct; lists and references between objects are not in them, but for relations, types and
 * functions, which are told by their texts (catalog_refs.h).
 */
#ifndef CORE_MODEL_CATALOG_FIELDS_H
#define CORE_MODEL_CATALOG_FIELDS_H

#include "core/model/catalog.h"

enum field_kind {
    FIELD_STR,
    FIELD_BOOL,
    FIELD_CHAR,   /* a letter of the system catalogs; 0: none */
    FIELD_LETTER, /* the same in an enum */
    FIELD_WORD,   /* an enum that counts from 0; its words are in .words */
    FIELD_I64,
    FIELD_U32,
    FIELD_SIZE,
    FIELD_F64,
    FIELD_EXPRESSION, /* its text */
    FIELD_TYPE,       /* struct type_ref */
    FIELD_RELATION,   /* a pointer, by "schema.name" */
    FIELD_USER_TYPE,  /* the same */
    FIELD_FUNCTION,   /* a pointer, by "schema.name(type,type)" */
};

struct catalog_field {
    const char *key;
    enum field_kind kind;
    uint16_t at;              /* offset in the struct */
    int8_t usual;             /* the value that is left out; numbers, letters, 0 and 1 of bool */
    const char *const *words; /* ends with NULL */
};

struct catalog_fields {
    const struct catalog_field *at;
    size_t count;
};

extern const struct catalog_fields catalog_fields_relation;
extern const struct catalog_fields catalog_fields_column;
extern const struct catalog_fields catalog_fields_index;
extern const struct catalog_fields catalog_fields_index_key;
extern const struct catalog_fields catalog_fields_sequence;
extern const struct catalog_fields catalog_fields_constraint;
extern const struct catalog_fields catalog_fields_trigger;
extern const struct catalog_fields catalog_fields_rule;
extern const struct catalog_fields catalog_fields_type;
extern const struct catalog_fields catalog_fields_domain_constraint;
extern const struct catalog_fields catalog_fields_function;
extern const struct catalog_fields catalog_fields_statistics;
extern const struct catalog_fields catalog_fields_publication;
extern const struct catalog_fields catalog_fields_object;
extern const struct catalog_fields catalog_fields_query;
extern const struct catalog_fields catalog_fields_setting;
extern const struct catalog_fields catalog_fields_catalog;

/* Sets a field that is no reference from its text: numbers in decimal, t and f, letters, words. The text
   is copied into the arena. False: it is none of this kind. */
bool catalog_field_set(struct arena *a, const struct catalog_field *field, void *object,
                       struct str text) MUST_CHECK;

#endif
