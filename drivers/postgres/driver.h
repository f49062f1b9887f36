/*
 * The PostgreSQL driver behind core/model/driver.h, over libpq; servers 12 and later. See
 * connection.h for how it is arranged.
 */
#ifndef DRIVERS_POSTGRES_DRIVER_H
#define DRIVERS_POSTGRES_DRIVER_H

#include "core/model/driver.h"

const struct driver *postgres_driver(void);

#endif
