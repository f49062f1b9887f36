/*
 * What the text of a migration file says before its SQL is looked into: the parts that go up and
 * down (dbmate, goose), the wish for no transaction, timeouts from directives in the comments at
 * the top. Fed piece by piece; holds no more than the beginning of one line. Made by drivers/source
 * for every file; pure, so that it can be fuzzed.
 */
#ifndef DRIVERS_SOURCE_HEADER_H
#define DRIVERS_SOURCE_HEADER_H

#include "core/model/migration.h"
#include "drivers/source/marker.h"

/* Of longer lines only the beginning is looked at. Markers are short; a directive that is longer is
   refused. */
#define HEADER_LINE_BYTES 4096

struct header_rules {
    enum layout layout; /* whose markers count */
    enum engine engine; /* block comments nest in PostgreSQL and do not in SQLite */
    bool is_one_way;    /* the name says that all of it goes up */
};

struct header {
    struct file_range up;
    struct file_range down; /* where has_down */
    bool has_down;
    enum transaction_mode transaction;
    uint32_t lock_timeout_ms;      /* 0: not given */
    uint32_t statement_timeout_ms; /* 0: not given */
    bool has_placeholder;          /* "${" occurs */
    bool is_sqlx_opt_out;          /* begins with "-- no-transaction" at its first byte */
    bool has_sqlx_template;        /* carries the comment of `sqlx migrate add` */
};

struct header_scan {
    struct header_rules rules;
    struct str path;
    struct header header;
    uint32_t line;
    uint64_t offset_bytes; /* of the next byte */
    uint64_t line_offset_bytes;
    uint64_t line_len; /* so far; only HEADER_LINE_BYTES of it are held */
    size_t comment_depth;
    bool is_past_header; /* SQL was seen */
    bool has_up;
    char last; /* the last byte, for "${" */
    char head[HEADER_LINE_BYTES];
};

/* path is for messages and must outlive the scan. */
void header_scan_start(struct header_scan *s, struct header_rules rules, struct str path);
/* Fails (EXIT_USAGE, with file and line) on malformed markers and directives, on goose's ENVSUB ON,
   on several up parts, and on markers of another tool. */
bool header_scan_add(struct header_scan *s, struct str bytes, struct fail *f) MUST_CHECK;
/* Also fails where a layout's marker is missing. */
bool header_scan_finish(struct header_scan *s, struct header *out, struct fail *f) MUST_CHECK;
/* All at once. */
bool header_read(struct str text, struct header_rules rules, struct str path, struct header *out,
                 struct fail *f) MUST_CHECK;

#endif
