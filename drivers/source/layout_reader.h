/*
 * The interface between directory.c, detect.c and the layouts: one row per layout in
 * layout_readers[], its functions in the file of that name. A layout only says which names are its
 * own and what they mean; opening, digesting, ordering and checking for duplicates is done once, in
 * layout_reader.c and directory.c.
 */
#ifndef DRIVERS_SOURCE_LAYOUT_READER_H
#define DRIVERS_SOURCE_LAYOUT_READER_H

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "drivers/source/directory.h"
#include "drivers/source/file_name.h"
#include "drivers/source/header.h"

struct directory_view; /* see detect.h */

/* How well a layout fits what lies in the directories. */
enum fit {
    FIT_NONE = 0,
    FIT_SHAPE,    /* the names have its shape */
    FIT_TELLTALE, /* a file that only its tool writes lies beside them */
    FIT_MARKER,   /* the files themselves carry its marks */
};

/* A file that takes a migration back; matched by version when all directories are read. */
struct down_file {
    struct str version;
    struct str path;
};

/* The directories that are being read, one after the other. */
struct layout_reading {
    struct arena *a; /* of the result */
    enum layout layout;
    bool is_detected; /* nobody named the layout */
    enum engine engine;
    struct str directory; /* as the user wrote it */
    const struct fs_entries *entries;
    struct migrations *out;
    struct buf *bytes;        /* scratch for the bytes of a file */
    struct header_scan *scan; /* scratch: too large for the stack of every reader */
    struct {
        struct down_file *at;
        size_t count, room;
    } downs;
    struct {
        size_t *at;
        size_t count, room;
    } sqlx_opt_outs;        /* migrations that begin with sqlx's "-- no-transaction" */
    bool has_sqlx_template; /* some file carries the comment of `sqlx migrate add` */
};

struct layout_reader {
    enum layout layout;
    enum version_order order;
    const char *example; /* names as they look in it, for messages */
    enum fit (*fit)(const struct directory_view *v);
    /* Adds the migrations of r->directory to r->out, in any order, and a note for each file that
       looks like a migration but is none. */
    bool (*read)(struct layout_reading *r, struct fail *f);
};
extern const struct layout_reader flyway_reader, golang_migrate_reader, dbmate_reader, goose_reader,
    prisma_reader, drizzle_reader, diesel_reader, sqlx_reader, plain_reader;

/* LAYOUT_AUTO has no reader. */
const struct layout_reader *layout_reader_of(enum layout l);

/* "directory/script", in the arena, NUL-terminated. */
struct str reading_path(struct layout_reading *r, struct str script);
/* The entry of that name, or NULL; by bisection. */
const struct fs_entry *entries_find(const struct fs_entries *entries, struct str name);
/* Why a file is not a migration of this layout: one sentence without a full stop. */
void reading_note(struct layout_reading *r, struct str script, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same, only for a name that looks like a migration. */
void reading_note_unfit(struct layout_reading *r, struct str name, const char *why);
/* Notes for sub-directories with SQL in them, which this layout does not read. */
void reading_note_directories(struct layout_reading *r);
/* At least one .sql file lies in the directory or in a directory of it, down to depth levels. */
bool directory_holds_sql(const char *path, unsigned depth);

/* Remembers a down file. */
void reading_add_down(struct layout_reading *r, struct str version, struct str script);

/*
 * Opens the file of m->path once, fills size_bytes and checksums.raw and, unless it is opaque, what
 * its text says: up, down, transaction, timeouts. m->path must be NUL-terminated. Fails as
 * byte_source_open() does, FAIL_NOT_FOUND among them, and as header.h says.
 */
bool reading_open(struct layout_reading *r, struct migration *m, bool is_one_way,
                  struct header *out_header, struct fail *f) MUST_CHECK;
/* reading_open() and adding it to r->out. version, description, kind and script must be set; script
   may begin with sub-directories. In flyway's layout has_placeholders: whether "${" occurs. */
bool reading_add(struct layout_reading *r, struct migration *m, bool is_one_way, struct fail *f)
    MUST_CHECK;

/* Reading directories of numbered files, with or without a file per direction. */
struct numbered_rules {
    bool (*fits)(const struct numbered_name *n, struct str name);
    /* The text of the name as people read it. */
    struct str (*describe)(struct arena *a, const struct numbered_name *n);
    bool takes_any_case; /* .SQL too */
    bool has_pairs;      /* .up.sql and .down.sql are two directions of one migration */
    bool drops_zeros;    /* the version is shown without leading zeros */
    bool has_folders;    /* sub-directories are read by the caller: no notes about them */
    const char *why;     /* said of a name that looks like a migration but does not fit */
};
bool numbered_read(struct layout_reading *r, const struct numbered_rules *rules, struct fail *f)
    MUST_CHECK;
/* A number without leading zeros; "0" for zeros alone. */
struct str number_without_zeros(struct str number);
/* '_' becomes a space. */
struct str numbered_describe(struct arena *a, const struct numbered_name *n);

#endif
