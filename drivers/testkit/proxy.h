/*
 * A proxy between a client and a PostgreSQL server that understands the framing of the protocol and
 * cuts connections at chosen moments. A thread serves it. It also counts round trips: how often the
 * client spoke after it had waited for an answer; answers are held back while the client still runs, so
 * that the count is the same on a busy machine.
 */
#ifndef DRIVERS_TESTKIT_PROXY_H
#define DRIVERS_TESTKIT_PROXY_H

#include "core/base/base.h"
#include "drivers/testkit/pg_cluster.h"

enum proxy_cut {
    PROXY_PASS = 0,         /* forwards everything */
    PROXY_CUT_BEFORE,       /* the message with the text is not forwarded: both sides are closed */
    PROXY_CUT_AFTER_SEND,   /* its request is forwarded to its end, then both sides are closed */
    PROXY_CUT_AFTER_ANSWER, /* … after its answer (to ReadyForQuery) has come and been dropped */
    PROXY_CUT_AFTER_BYTES,  /* behind so many bytes from client and server together */
    /* As with a cut, but nothing is closed: the connection stands still, until proxy_release().
       For what is killed meanwhile. */
    PROXY_HOLD_BEFORE,
    PROXY_HOLD_AFTER_ANSWER, /* the answer has come, and the client does not have it yet */
};

struct proxy;

/* Listens on a socket in a directory of its own and forwards to the cluster's socket. */
struct proxy *proxy_start(const struct pg_cluster *c);
/* The same in front of another socket, e.g. a pooler's: path of the socket file. */
struct proxy *proxy_start_at(const char *socket_path);
void proxy_stop(struct proxy *p); /* NULL is fine */
/* URL of a database through the proxy; role NULL: the superuser. Lives as long as the program. */
const char *proxy_url(const struct proxy *p, const char *database, const char *role);
/* host= of a conninfo; the port is PG_CLUSTER_PORT. */
const char *proxy_socket_directory(const struct proxy *p);

/* Arms one cut, for connections that are open and those that come; after it the proxy passes again.
   text: bytes in a message of the client, such as "COMMIT". */
void proxy_cut_at_text(struct proxy *p, enum proxy_cut cut, const char *text);
/* The same at the nth message that contains it, from 1. */
void proxy_cut_at_nth_text(struct proxy *p, enum proxy_cut cut, const char *text, unsigned nth);
/* Counts from now, over all connections. */
void proxy_cut_after_bytes(struct proxy *p, uint64_t bytes);
/* While set, new connections are closed at once. */
void proxy_refuse(struct proxy *p, bool is_refusing);
/* How many connections stand still. */
unsigned proxy_held(const struct proxy *p);
/* What stands still goes on with what was held back, or is closed on both sides. */
void proxy_release(struct proxy *p, bool goes_on);
/* How many cuts have happened, bytes and round trips were seen since the start. */
unsigned proxy_cuts(const struct proxy *p);
uint64_t proxy_bytes(const struct proxy *p);
unsigned proxy_round_trips(const struct proxy *p);

#endif
