/*
 * Which layout fits the directories. First everything is looked at once, names and the beginnings
 * of a few files, and counted in a struct directory_view; then each layout says how well it fits.
 */
#ifndef DRIVERS_SOURCE_DETECT_H
#define DRIVERS_SOURCE_DETECT_H

#include "drivers/source/layout_reader.h"

/* What lies in all the directories of a request together. */
struct directory_view {
    size_t numbered;        /* <digits>….sql, and code with such names */
    size_t numbered_golang; /* of these: <digits>_<name>.(up|down).sql */
    size_t numbered_sqlx;   /* <digits>_<name>.sql, .up.sql, .down.sql; a 64-bit number */
    size_t numbered_plain;  /* <digits>.sql, <digits>_<name>.sql, <digits>-<name>.sql */
    size_t unnumbered_sql;  /* other .sql files but schema dumps */
    size_t flyway_names;    /* V1__name.sql and the like, as flyway.conf or flyway.toml has them */
    size_t flyway_directories; /* sub-directories with such names in them; counted above too */
    size_t migration_folders;  /* <digits>_<name>/migration.sql */
    size_t diesel_folders;     /* <name>/up.sql */
    size_t snapshot_folders;   /* of these with migration.sql: with a snapshot.json too */
    bool has_journal;          /* meta/_journal.json */
    bool has_prisma_lock;      /* migration_lock.toml */
    bool has_flyway_settings;  /* flyway.conf or flyway.toml in the directory itself */
    const char *unread_tool;   /* a file of a tool whose format is not read, or NULL */
    const char *unread_path;   /* that file */
    const char *atlas_path;    /* atlas.sum, which Atlas also keeps beside files of other layouts */
    size_t markers[MARKER_MAX];          /* files looked into that carry it */
    const char *marker_path[MARKER_MAX]; /* the first of them, or NULL */
    struct {
        struct str *at;
        size_t count, room;
    } sql_directories; /* sub-directories with SQL in them, paths */
};

/* The entries of each directory of r, in the same order. Fails (EXIT_USAGE) where none or several
   fit, or where the format is known but not read. LAYOUT_PLAIN where there is nothing to read at
   all. */
bool detect_layout(struct arena *a, const struct source_request *r,
                   const struct fs_entries *entries, enum layout *out, struct fail *f) MUST_CHECK;

/* Whether the names of numbered files fit: shared by detection and reading. */
bool golang_migrate_fits(const struct numbered_name *n, struct str name);
bool sqlx_fits(const struct numbered_name *n, struct str name);
bool plain_fits(const struct numbered_name *n, struct str name);

#endif
