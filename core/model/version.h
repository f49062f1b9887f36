/*
 * The version of a migration as its layout writes it, and how versions of that layout are ordered.
 * Two texts may be the same version: 1, 01 and 1.0 in flyway.
 */
#ifndef CORE_MODEL_VERSION_H
#define CORE_MODEL_VERSION_H

#include "core/base/str.h"

enum version_order {
    VERSION_ORDER_UNKNOWN = 0,
    VERSION_ORDER_TEXT,   /* bytewise: dbmate, prisma, diesel */
    VERSION_ORDER_NUMBER, /* one whole number of any length, leading zeros ignored */
    VERSION_ORDER_DOTTED, /* flyway: parts split at '.' or '_', each a whole number of any length */
};

/* <0, 0 (the same version), >0. Texts that do not fit the order compare bytewise, after those that do. */
int version_compare(enum version_order order, struct str a, struct str b);

#endif
