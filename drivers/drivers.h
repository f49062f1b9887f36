/*
 * The database drivers: one per engine. cmd asks here; nothing below knows which engines there are.
 */
#ifndef DRIVERS_DRIVERS_H
#define DRIVERS_DRIVERS_H

#include "core/model/driver.h"

/* The driver of an engine; NULL for ENGINE_UNKNOWN. */
const struct driver *driver_for(enum engine engine);

#endif
