/*
 * What the name of a file says: number, direction, extension, and whether it deserves a word when
 * no layout wants it. Slices of the name; nothing is allocated, nothing is opened.
 */
#ifndef DRIVERS_SOURCE_FILE_NAME_H
#define DRIVERS_SOURCE_FILE_NAME_H

#include "core/base/str.h"

enum direction { DIRECTION_NONE = 0, DIRECTION_UP, DIRECTION_DOWN };

/* "007_add_index.up.sql": number "007", separator '_', text "add_index", up, extension "sql". */
struct numbered_name {
    struct str number;        /* digits, never empty */
    char separator;           /* the byte behind the number where that is '_' or '-', else 0 */
    struct str text;          /* between separator and direction or extension; may be empty */
    enum direction direction; /* ".up" or ".down" in front of the extension */
    struct str extension;     /* behind the last dot; never empty */
};
/* false where the name does not begin with a digit or has no extension. */
bool numbered_name_parse(struct str name, struct numbered_name *out) MUST_CHECK;

/* "sql", in any case. */
bool extension_is_sql(struct str extension);
/* Extensions of migrations written as code: go, java, js, py, rb, … */
bool extension_is_code(struct str extension);
/* Behind the last dot; "" where there is none. */
struct str name_extension(struct str name);
/* Hidden files, licences, schema dumps, configuration: what lies beside migrations anywhere. */
bool name_is_companion(struct str name);
/* A name somebody may have meant as a migration: SQL, or a version in front. */
bool name_looks_like_migration(struct str name);
/* "mysql", "postgresql", "sqlite" …: a directory per database, of which only one can be meant. */
bool name_is_engine(struct str name);
/* Words with '_' between them, for people: '_' becomes a space. In the arena where it changes. */
struct arena;
struct str name_description(struct arena *a, struct str text);

#endif
