/*
 * Connection strings as people and other tools write them, understood without connecting:
 * postgres://, postgresql://, jdbc:postgresql:, postgresql+psycopg:, postgis:, key=value conninfo,
 * sqlite:, sqlite3:, jdbc:sqlite:, file:, a bare path. Keys that libpq does not know (?schema=,
 * pgbouncer=, x-migrations-table=, …) are translated or dropped with a note.
 */
#ifndef CORE_MODEL_TARGET_URL_H
#define CORE_MODEL_TARGET_URL_H

#include "core/base/fail.h"
#include "core/model/engine.h"

struct target_url {
    enum engine engine;
    const char *conninfo;    /* PostgreSQL: what libpq is given (URI or key=value) */
    const char *search_path; /* PostgreSQL: from ?schema=, currentSchema=, search_path=; or NULL */
    const char *path;        /* SQLite: the file, decoded; ":memory:" is refused */
    const char *query;       /* SQLite: foreign_keys "on"/"off" asked for in the URL, or NULL */
    const char *mode;  /* SQLite: "ro", "rw" (must exist), or NULL: made where it is not there */
    bool is_immutable; /* SQLite: nobody else writes it either; mode is "ro" then */
    bool has_password;
    const char *safe;   /* without password, for people */
    const char **notes; /* what was translated or dropped; notes[note_count] */
    size_t note_count;
};

/* An empty text is PostgreSQL with libpq's own defaults. hint: --engine, or ENGINE_UNKNOWN. Fails
   (EXIT_USAGE) without ever repeating a password. */
bool target_url_parse(struct arena *a, struct str text, enum engine hint, struct target_url *out,
                      struct fail *f) MUST_CHECK;
/* Overwrites every password in a command-line argument with 'x', in place, for /proc/<pid>/cmdline. */
void target_url_scrub(char *argument);

#endif
