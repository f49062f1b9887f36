/*
 * The port through which model and run read SQL: how text is cut into statements and what each one
 * is. Implemented by planner/postgres and planner/sqlite with the engine's own parser; cmd hands the
 * right one in.
 */
#ifndef CORE_MODEL_DIALECT_H
#define CORE_MODEL_DIALECT_H

#include "core/base/digest.h"
#include "core/model/engine.h"
#include "core/model/statement.h"

/* Why cut() stopped. */
enum cut_stop {
    CUT_NEEDS_MORE = 0, /* the rest is the beginning of a statement: give a longer window */
    CUT_AT_COPY, /* the last statement is COPY … FROM stdin; its data begin at consumed_bytes */
    CUT_AT_END,  /* all is consumed (blanks and comments included) */
};

/* The record that migrate keeps of itself: what a file must not write to. */
struct cut_record {
    struct str name; /* schema (PostgreSQL), or prefix of its tables (SQLite) */
    /* PostgreSQL: the file has it in its search_path, here; carried from one window to the next */
    bool is_in_path;
};

struct cut_request {
    struct str window;     /* valid UTF-8 without NUL; window.at[window.len] is readable and NUL */
    bool is_end;           /* nothing follows the window */
    uint64_t offset_bytes; /* of the window in the script */
    uint32_t line;         /* of the window's first byte, in the file */
    uint32_t column;
    struct str path;         /* for failures */
    uint32_t server_version; /* 150004, 3040001; 0: not known */
    bool
        wants_analysis; /* false: text, place and roles only (kind may be set, class need not be) */
    struct cut_record *record;  /* statements that write to it are refused; NULL: none are */
    struct digest_stream *tree; /* the trees are added to it, in order; NULL: not wanted */
};

struct cut_result {
    struct statements statements; /* in the arena; texts are slices of the window */
    size_t consumed_bytes; /* from the window's start; ends behind a semicolon, or at the end */
    enum cut_stop stop;
    bool is_tree_whole;       /* every statement had a tree */
    struct directives behind; /* in consumed comments that no statement of this window follows */
};

struct dialect {
    enum engine engine;
    const char *tree_kind; /* see struct checksums */
    /* Cuts as many whole statements off the window as there are. A statement that the parser does not
       know is not a failure (is_analysed == false). Fails (EXIT_FAILED, with place) on what can be no
       SQL: an unterminated quote or comment at the end, psql commands other than \restrict and
       \unrestrict (refused by name and line). */
    bool (*cut)(struct arena *a, const struct cut_request *request, struct cut_result *out,
                struct fail *f);
    /* The statement as it may be shown and stored: itself, or with its literals replaced. */
    struct str (*redact)(struct arena *a, const struct statement *s);
};

#endif
