/*
 * The part of TOML that the files of other tools are written in: flyway.toml, migration_lock.toml,
 * metadata.toml. Debian 12 has no C library for TOML (libtoml11 and libtomlplusplus are C++), and
 * all we need is a list of keys and values.
 *
 * Read: comments, [tables] and [[arrays of tables]], bare, quoted and dotted keys, basic and
 * literal strings on one line, booleans, arrays of strings (over several lines too). Numbers and
 * dates are kept as text. Refused with their place: strings over several lines, inline tables,
 * arrays of anything else.
 */
#ifndef DRIVERS_SOURCE_TOML_H
#define DRIVERS_SOURCE_TOML_H

#include "core/base/arena.h"
#include "core/base/fail.h"

#define TOML_MAX_BYTES ((size_t)1 << 20)

enum toml_type { TOML_UNKNOWN = 0, TOML_STRING, TOML_BOOLEAN, TOML_STRINGS, TOML_OTHER };

struct toml_strings {
    struct str *at;
    size_t count, room;
};

struct toml_pair {
    struct str key; /* with its table, joined by dots: "flyway.placeholders.owner" */
    enum toml_type type;
    struct str text; /* TOML_STRING: unescaped; TOML_BOOLEAN, TOML_OTHER: as written */
    bool boolean;
    struct toml_strings strings;
    uint32_t line;
};

struct toml {
    struct toml_pair *at; /* in the order of the file */
    size_t count, room;
};

/* name is for messages. Fails (EXIT_USAGE) with file and line. */
bool toml_parse(struct arena *a, struct str text, struct str name, struct toml *out, struct fail *f)
    MUST_CHECK;
/* The pair of that key, or NULL. */
const struct toml_pair *toml_get(const struct toml *t, struct str key);

#endif
