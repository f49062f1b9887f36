/*
 * YAML as a small tree with the place of every node, made from libyaml's events (this is the only
 * file that knows libyaml). One document; aliases, anchors, tags and duplicate keys are refused with
 * their place. Depth and size are bounded.
 */
#ifndef CORE_BASE_YAML_H
#define CORE_BASE_YAML_H

#include "core/base/arena.h"
#include "core/base/fail.h"

#define YAML_MAX_BYTES ((size_t)1 << 20)
#define YAML_MAX_DEPTH 32

enum yaml_type { YAML_NOTHING, YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_type type;
    uint32_t line, column; /* from 1 */
    struct str text;       /* YAML_SCALAR; NUL-terminated behind len */
    bool is_quoted;        /* YAML_SCALAR: was written in quotes (so `"null"` is a text) */
    struct str key;        /* set on a member of a map */
    uint32_t key_line, key_column;
    struct yaml *children; /* YAML_LIST, YAML_MAP: first child */
    struct yaml *next;     /* next sibling, in file order */
};

/* The root of the document; an empty document gives a YAML_NOTHING node. name is for messages.
   Fails (EXIT_USAGE) with file, line, column and the source line. */
struct yaml *yaml_parse(struct arena *a, struct str text, struct str name, struct fail *f)
    MUST_CHECK;
/* The source line with a number, without its end; lines are counted as YAML does, so a node's line
   fits. Empty behind the last. */
struct str yaml_line(struct str text, uint32_t line);
/* Member of a map, or NULL. */
const struct yaml *yaml_get(const struct yaml *map, struct str key);

#endif
