/*
 * The SQLite driver behind core/model/driver.h. drivers/drivers.c hands it out; nothing else of
 * this directory is for others.
 */
#ifndef DRIVERS_SQLITE_DRIVER_H
#define DRIVERS_SQLITE_DRIVER_H

#include "core/model/driver.h"

const struct driver *sqlite_driver(void);

#endif
