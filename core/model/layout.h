/*
 * The layouts of migration directories that we read: names only. What each means is in
 * drivers/source/.
 */
#ifndef CORE_MODEL_LAYOUT_H
#define CORE_MODEL_LAYOUT_H

#include "core/base/str.h"

enum layout {
    LAYOUT_AUTO = 0, /* detect */
    LAYOUT_PLAIN,    /* 001_name.sql, with or without .up/.down */
    LAYOUT_FLYWAY,
    LAYOUT_GOLANG_MIGRATE,
    LAYOUT_DBMATE,
    LAYOUT_GOOSE,
    LAYOUT_PRISMA,
    LAYOUT_DRIZZLE,
    LAYOUT_DIESEL,
    LAYOUT_SQLX,
    LAYOUT_MAX,
};

/* "auto", "plain", "flyway", "golang-migrate", … */
const char *layout_name(enum layout l);
/* false where there is no such layout. */
bool layout_of_name(struct str name, enum layout *out) MUST_CHECK;

#endif
