/*
 * Java properties (java.util.Properties.load), the syntax of flyway.conf and of the .conf files
 * beside migrations: "key = value", "key: value" or "key value", comments with # and !, a backslash
 * at the end of a line continues it. Text is taken as UTF-8.
 */
#ifndef DRIVERS_SOURCE_PROPERTIES_H
#define DRIVERS_SOURCE_PROPERTIES_H

#include "core/base/arena.h"
#include "core/base/fail.h"

#define PROPERTIES_MAX_BYTES ((size_t)1 << 20)

struct property {
    struct str key;
    struct str value;
    uint32_t line;
};
struct properties {
    struct property *at; /* in the order of the file; of two with one key the later counts */
    size_t count, room;
};

/* name is for messages. Fails (EXIT_USAGE, with line) on a malformed \u escape only. */
bool properties_parse(struct arena *a, struct str text, struct str name, struct properties *out,
                      struct fail *f) MUST_CHECK;

#endif
