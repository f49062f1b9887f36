/*
 * What the files behind config.h share: the reader, the table of keys, and expansion. Nobody else
 * includes this.
 */
#ifndef CORE_MODEL_CONFIG_PARTS_H
#define CORE_MODEL_CONFIG_PARTS_H

#include "core/base/yaml.h"
#include "core/model/config.h"

/* A secret is a line or a certificate, not more. */
#define CONFIG_MAX_FILE_VALUE_BYTES ((size_t)64 << 10)

struct config_expander {
    struct arena *arena;
    struct str directory; /* of migrator.yml, for relative ${file:…} */
    config_lookup *lookup;
    void *context;
};

/* Replaces ${VAR}, ${file:/path} and $$. A text without '$' is taken as it is; the last line end of
   a file is dropped. Fails (EXIT_USAGE) without a place: the caller knows it. */
bool config_expand(const struct config_expander *e, struct str raw, struct str *out, struct fail *f)
    MUST_CHECK;
/* The directory that relative paths in a configuration file are against; "" : the current one. */
struct str config_directory(struct str path);
/* Makes sure that no password shows in what a failure says; false. */
bool config_scrub_failure(struct fail *f);

/* A file that is being read. */
struct config_reading {
    struct config_expander expander;
    struct str text;
    struct config *config;
    struct config_target *target; /* the one whose keys are being read, or NULL */
    const struct yaml *default_target;
    struct fail *fail;
};

struct config_key;
typedef bool config_setter(struct config_reading *r, const struct config_key *key,
                           const struct yaml *value);

struct config_key {
    const char *path;     /* with '*' for a name that the user chooses */
    const char *type;     /* for messages: "a text" */
    const char *fallback; /* the default as a user would write it; NULL: none */
    const char *example;  /* where there is none: what the example shows */
    const char *name;     /* what the example puts for '*' */
    const char *comment;  /* one line, without a full stop */
    size_t offset;        /* numbers: of the member in struct config */
    config_setter *set;
};

/* config_values.c: one for each kind of value. */
config_setter config_set_directories, config_set_layout, config_set_base, config_set_rewrite,
    config_set_placeholder, config_set_default_target, config_set_url, config_set_history,
    config_set_duration, config_set_duration_or_off, config_set_count, config_set_soak,
    config_set_hazard, config_set_late, config_set_dump, config_set_text;

/* All rows; keys of one section stand together, in the order in which they are explained. */
extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* ": auto, plain, …" behind a comment or in a hint. */
void config_add_layouts(struct buf *out);
/* Was nothing written behind the key? */
bool config_is_null(const struct yaml *value);
/* Put the place of a value, or of a key (without its value), into a failure; false. */
bool config_fail_value(struct config_reading *r, const struct yaml *value);
bool config_fail_key(struct config_reading *r, const struct yaml *member);

#endif
