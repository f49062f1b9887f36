/* Engine → driver: see drivers.h. */
#include "drivers/drivers.h"

#include "drivers/postgres/driver.h"
#include "drivers/sqlite/driver.h"

static const struct driver *(*const drivers[])(void) = {
    [ENGINE_POSTGRES] = postgres_driver,
    [ENGINE_SQLITE] = sqlite_driver,
};

const struct driver *driver_for(enum engine engine)
{
    if ((size_t)engine >= ARRAY_LEN(drivers) || !drivers[engine])
        return NULL;
    return drivers[engine]();
}
