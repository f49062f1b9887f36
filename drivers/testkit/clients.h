/*
 * Applications that work on a database side by side with a test: each a thread with a connection of its own,
 * which does one thing after another until it is stopped, and never does anything twice: the first error
 * ends it, and is what the test hears of.
 */
#ifndef DRIVERS_TESTKIT_CLIENTS_H
#define DRIVERS_TESTKIT_CLIENTS_H

#include "drivers/testkit/pg_cluster.h"

struct client;
struct clients;

/* Does one thing, in the client's thread: no assertions, nothing of the fixture. */
typedef void client_work(struct client *c, void *own);

/* own: one element of `size` bytes for each of them. */
struct clients *clients_start(const struct pg_cluster *cluster, const char *database, size_t count,
                              client_work *work, void *own, size_t size);
/* Sends SQL and waits: the first column of the first row, "" where there is none; until the next call. An
   error of the server, or one before that, gives NULL. */
const char *client_ask(struct client *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* It found what must not be. */
void client_fail(struct client *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* A number below that, in an order of the client's own. */
unsigned client_pick(struct client *c, unsigned below);

/* Waits until each of them has done so many things more, or has ended. */
void clients_work_on(struct clients *all, unsigned more);
/* Waits for what is under way. "": none of them met an error; else the first. */
const char *clients_stop(struct clients *all);

#endif
