/*
 * Migrations: what drivers/source makes of files, in the order in which they are applied. A value:
 * immutable once made. The bytes of a script are not kept here; core/model/script.h reads them again
 * when they are needed and proves by the raw digest that they are the same.
 */
#ifndef CORE_MODEL_MIGRATION_H
#define CORE_MODEL_MIGRATION_H

#include "core/base/digest.h"
#include "core/base/fail.h"
#include "core/model/engine.h"
#include "core/model/layout.h"
#include "core/model/version.h"

enum migration_kind {
    MIGRATION_UNKNOWN = 0,
    MIGRATION_VERSIONED,
    MIGRATION_REPEATABLE, /* run again when its text changes; after all versioned ones */
    MIGRATION_BASELINE,   /* flyway B: replaces all versions up to its own on an empty database */
};
const char *migration_kind_name(enum migration_kind k); /* "versioned", … */

/* How the author wants it run, beyond what the statements themselves demand. */
enum transaction_mode {
    TRANSACTION_AUTO = 0, /* decided per statement */
    TRANSACTION_NONE,     /* each statement on its own: NO TRANSACTION and its many spellings */
};

/* A part of a file: [from, to) in bytes. to == UINT64_MAX: to the end. */
struct file_range {
    uint64_t from, to;
};

/* Digests in three strengths. "" where one could not be made. */
struct checksums {
    struct digest raw; /* the bytes of the file */
    struct digest
        normalized; /* without BOM, \r\n → \n, without trailing blanks on lines and at the end */
    struct digest tree; /* the parse trees of its statements, without places and comments */
    const char
        *tree_kind; /* what made the tree digest, e.g. "pg15" or "sqlite-tokens"; NULL: none */
};

struct migration {
    struct str version;     /* as displayed; repeatables: "" */
    struct str description; /* for people */
    enum migration_kind kind;
    enum layout layout;
    struct str path;      /* for people: as given on the command line + name */
    struct str script;    /* relative to its directory, as stored in the history */
    struct file_range up; /* the part of the file that is applied */
    struct str down_path; /* "" where it has no way back */
    struct file_range down;
    enum transaction_mode transaction;
    bool is_opaque;                /* written as code (.go, .java, .js …): listed, never run */
    bool has_placeholders;         /* ${name} is replaced in its text (flyway) */
    uint32_t lock_timeout_ms;      /* directive; 0: the configured one */
    uint32_t statement_timeout_ms; /* directive; 0: none */
    uint64_t size_bytes;
    struct checksums checksums; /* raw is always set (but for opaque ones without text) */
};

/* A name → value pair for ${name}. */
struct placeholder {
    struct str name;
    struct str value; /* one line */
};

/* Something in a directory that deserves a word: never skipped silently. */
struct source_note {
    struct str path;
    struct str text; /* "not a migration: the name has no number in front" */
};

struct migrations {
    struct migration *at; /* in the order of application */
    size_t count, room;
    enum layout layout;
    enum version_order order;
    struct {
        struct source_note *at;
        size_t count, room;
    } notes;
    struct {
        struct placeholder *at;
        size_t count, room;
    } placeholders; /* from flyway.conf and the like */
};

/* Digest of the normalised text of a script, for checksums.normalized: without a UTF-8 byte order
   mark, line ends as \n, without blanks before a line end, without blanks and empty lines at the end.
   Runs of more than NORMALIZER_MAX_BLANKS blanks stay, so that memory is bounded. */
struct digest checksum_normalized(struct str text);

/* The same, piece by piece: where the text is cut makes no difference. */
#define NORMALIZER_MAX_BLANKS 4096
struct normalizer {
    struct digest_stream *stream;
    uint64_t offset_bytes;
    uint64_t newlines;  /* seen but not yet added: they count only when text follows */
    size_t blank_count; /* the same for blanks since the last of them */
    size_t mark_bytes;  /* of a byte order mark seen so far */
    char blanks[NORMALIZER_MAX_BLANKS];
};
void normalizer_start(struct normalizer *n);
void normalizer_add(struct normalizer *n, struct str bytes);
struct digest normalizer_finish(struct normalizer *n); /* also releases what it owns */

#endif
