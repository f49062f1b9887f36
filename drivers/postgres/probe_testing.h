/* What the tests of probes ask with. Included once, by the test program itself. */
#ifndef DRIVERS_POSTGRES_PROBE_TESTING_H
#define DRIVERS_POSTGRES_PROBE_TESTING_H

#include "drivers/postgres/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/pg_cluster.h"

static struct pg_cluster *cluster;
static const struct driver *driver;

static inline int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    driver = postgres_driver();
    return 0;
}

static inline const char *ask(const char *database, const char *sql)
{
    return pg_cluster_query(cluster, database, sql);
}

static inline enum probe_answer probe(struct kit *k, const struct probe *p, const char *before)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    enum probe_answer answer = PROBE_UNKNOWN;

    KIT_OK(driver->probe(k->connection, p, before, &answer, &f));
    return answer;
}

static inline const char *probe_before(struct kit *k, const struct probe *p)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *before = NULL;

    KIT_OK(driver->probe_before(k->arena, k->connection, p, &before, &f));
    return before;
}

#define INVALID                                                                                    \
    "SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready) AND indrelid = "          \
    "'t'::regclass"

#endif
