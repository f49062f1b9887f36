/* What this server tells of who still uses a name: see core/model/usage.h. */
#ifndef DRIVERS_POSTGRES_USAGE_H
#define DRIVERS_POSTGRES_USAGE_H

#include "core/model/usage.h"
#include "drivers/postgres/connection.h"

bool pgdrv_read_usage(struct arena *a, struct connection *c, const struct retired_name *name,
                      struct usage *out, struct fail *f);
bool pgdrv_last_write(struct connection *c, struct str sequence, int64_t *out_us, struct fail *f);

#endif
