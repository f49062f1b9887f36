/*
 * Flyway's settings and names, as far as they decide which files are migrations: read from
 * flyway.toml or flyway.conf in the directory or up to three above it, and the environment.
 */
#ifndef DRIVERS_SOURCE_FLYWAY_H
#define DRIVERS_SOURCE_FLYWAY_H

#include "core/base/fail.h"
#include "core/model/migration.h"

/* How far above the directory a settings file is looked for. */
#define FLYWAY_PARENTS 3

struct flyway_settings {
    struct str path; /* the file they come from; "" : none */
    struct str versioned_prefix, undo_prefix, repeatable_prefix, baseline_prefix;
    struct str separator;
    struct {
        struct str *at;
        size_t count, room;
    } suffixes;
    bool replaces_placeholders;
    bool is_transactional; /* executeInTransaction */
    struct {
        struct placeholder *at;
        size_t count, room;
    } placeholders;           /* those of the environment first: they win */
    size_t environment_count; /* of these */
};

/* Fails (EXIT_USAGE) on what cannot be read and on settings that would change the text in ways not
   known here (another encoding, other placeholder brackets). */
bool flyway_settings_load(struct arena *a, struct str directory, struct flyway_settings *out,
                          struct fail *f) MUST_CHECK;
/* The defaults of Flyway. */
struct flyway_settings flyway_settings_default(struct arena *a);
/* Reads the text of a settings file into settings that hold defaults. is_toml: else properties. */
bool flyway_settings_parse(struct arena *a, struct str text, struct str path, bool is_toml,
                           struct flyway_settings *out, struct fail *f) MUST_CHECK;

enum flyway_kind {
    FLYWAY_NONE = 0,
    FLYWAY_VERSIONED,
    FLYWAY_UNDO,
    FLYWAY_REPEATABLE,
    FLYWAY_BASELINE,
    FLYWAY_CALLBACK,
    FLYWAY_MALFORMED, /* begins like a migration; why says what is wrong */
};
struct flyway_name {
    enum flyway_kind kind;
    struct str version;     /* with dots; "" for repeatables. In the arena. */
    struct str description; /* in the arena */
    bool is_code;           /* V1__name.java and the like */
    const char *why;
};
struct flyway_name flyway_name_parse(struct arena *a, const struct flyway_settings *s,
                                     struct str name);

#endif
