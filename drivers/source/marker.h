/*
 * Comment lines by which migration tools mark their files. Each line is looked at alone. Detection
 * counts them; reading refuses a file that carries markers of another tool than its layout's, since
 * it would run what that tool would not (both the up and the down part, for one).
 */
#ifndef DRIVERS_SOURCE_MARKER_H
#define DRIVERS_SOURCE_MARKER_H

#include "core/model/layout.h"

enum marker {
    MARKER_NONE = 0,
    MARKER_GOOSE,
    MARKER_DBMATE,
    MARKER_SQLX,
    MARKER_DRIZZLE,
    MARKER_PRISMA,
    MARKER_LIQUIBASE,
    MARKER_SQL_MIGRATE,
    MARKER_TERN,
    MARKER_GRAPHILE,
    MARKER_NODE_PG_MIGRATE,
    MARKER_MYBATIS,
    MARKER_ATLAS,
    MARKER_MAX,
};

struct marker_row {
    enum marker marker;
    const char *tool;   /* for people */
    enum layout layout; /* whose files carry it; LAYOUT_AUTO: a format that is not read */
    bool changes_text;  /* its tool does not simply run the whole file: no other layout may */
};
/* The row of a marker but MARKER_NONE. */
const struct marker_row *marker_row(enum marker m);
/* The marker that a line is (without its end), or MARKER_NONE. */
enum marker marker_of_line(struct str line);

/* Annotations of goose. */
enum goose_annotation {
    GOOSE_NONE = 0, /* not an annotation */
    GOOSE_UP,
    GOOSE_DOWN,
    GOOSE_STATEMENT_BEGIN,
    GOOSE_STATEMENT_END,
    GOOSE_NO_TRANSACTION,
    GOOSE_ENVSUB_ON,
    GOOSE_ENVSUB_OFF,
    GOOSE_INDENTED, /* goose refuses an annotation behind blanks */
    GOOSE_UNKNOWN,
};
enum goose_annotation goose_annotation_of(struct str line);

/* Blocks of dbmate. */
enum dbmate_block { DBMATE_NONE = 0, DBMATE_UP, DBMATE_DOWN };
/* *out_options is the rest of the line: "transaction:false". */
enum dbmate_block dbmate_block_of(struct str line, struct str *out_options);

#endif
