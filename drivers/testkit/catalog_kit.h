/*
 * Two catalogs beside each other: what was folded from SQL, and what a server made of the same SQL. What a
 * script cannot tell (sizes, statistics, settings, the texts of expressions, owners) is taken out, lists are
 * sorted, and what is left is text.
 */
#ifndef DRIVERS_TESTKIT_CATALOG_KIT_H
#define DRIVERS_TESTKIT_CATALOG_KIT_H

#include "core/model/catalog.h"

/* The types of columns of views that were not found out are not compared. */
void catalog_kit_forget_unknown(struct catalog *live, const struct catalog *folded);
/* The catalog as JSON, a value on each line. It is spoilt for everything else. */
struct str catalog_kit_text(struct arena *a, struct catalog *c);
/* The lines that differ, as `diff -U` shows them; "" : none. */
const char *catalog_kit_difference(struct str left, struct str right);

#endif
