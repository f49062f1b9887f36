/*
 * Debian's pgbouncer in front of a test cluster, as people have it in front of production. Runs as
 * the server's user, listens on a socket in a directory of its own, vanishes with the test program.
 */
#ifndef DRIVERS_TESTKIT_BOUNCER_H
#define DRIVERS_TESTKIT_BOUNCER_H

#include "drivers/testkit/pg_cluster.h"

enum bouncer_mode { BOUNCER_SESSION, BOUNCER_TRANSACTION, BOUNCER_STATEMENT };

struct bouncer;

/* pool_size: server connections per database and role (default_pool_size). Without pgbouncer the
   test program ends with one line and status 1. */
struct bouncer *bouncer_start(const struct pg_cluster *c, enum bouncer_mode mode, int pool_size);
void bouncer_stop(struct bouncer *b); /* NULL is fine */
/* URL of a database through it; lives as long as the program. */
const char *bouncer_url(const struct bouncer *b, const char *database);
const char *bouncer_socket_directory(const struct bouncer *b);

#endif
