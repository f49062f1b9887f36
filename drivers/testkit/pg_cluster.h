/*
 * A private PostgreSQL server for one test program: initdb in a temporary directory, a socket
 * there, nothing listening on the network unless asked for. One cluster per test program (group
 * set-up), one database per test. Server, socket and data vanish with the test program, also when
 * it crashes.
 *
 * Programs are looked for in PG_BIN, then the highest /usr/lib/postgresql/N/bin, then PATH. Without
 * them the test program ends with one line and status 1: a missing server is a failure.
 */
#ifndef DRIVERS_TESTKIT_PG_CLUSTER_H
#define DRIVERS_TESTKIT_PG_CLUSTER_H

#include "core/base/base.h"

#define PG_CLUSTER_USER "postgres"
#define PG_CLUSTER_PORT 5432 /* part of the socket's name, also without TCP */

struct pg_cluster_options {
    bool is_tcp;          /* listen on a free port of 127.0.0.1, too */
    bool is_durable;      /* fsync on */
    const char *password; /* scram-sha-256 with this password of the superuser; NULL: trust */
    const char *settings; /* lines added to postgresql.conf, or NULL */
};

struct pg_cluster;

/* Makes and starts one; options may be NULL. */
struct pg_cluster *pg_cluster_start(const struct pg_cluster_options *options);
/* A standby of one without a password, streaming, on this machine: a copy of its data. */
struct pg_cluster *pg_cluster_replica(const struct pg_cluster *primary);
/* Stops it at once and removes its files; not needed at the end of a program. NULL is fine. */
void pg_cluster_stop(struct pg_cluster *c);

/* Creates an empty database and returns its URL (without password), which lives as long as the
   program. */
const char *pg_cluster_database(struct pg_cluster *c, const char *name);
/* URL of a database that exists, for a role (NULL: the superuser) through the socket. */
const char *pg_cluster_url(const struct pg_cluster *c, const char *database, const char *role);
/* The same over TCP, with the password in it where there is one. */
const char *pg_cluster_tcp_url(const struct pg_cluster *c, const char *database, const char *role);
/* The directory of the socket; for host= in a conninfo. */
const char *pg_cluster_socket_directory(const struct pg_cluster *c);
int pg_cluster_tcp_port(const struct pg_cluster *c); /* 0: no TCP */
const char *pg_cluster_data_directory(const struct pg_cluster *c);
/* 150020, as in server_version_num. */
int pg_cluster_version(const struct pg_cluster *c);
/* Directory of initdb, postgres, psql, pg_dump. */
const char *pg_cluster_bin(void);

/* Runs SQL (several statements are one simple query) as the superuser and returns the last result
   as text: columns separated by '|', rows by newlines, NULL as empty, no newline at the end. An
   error gives "ERROR: <sqlstate> <message>". Lives as long as the program. */
const char *pg_cluster_query(const struct pg_cluster *c, const char *database, const char *sql);
/* The same, but an error ends the test program. */
void pg_cluster_execute(const struct pg_cluster *c, const char *database, const char *sql);
/* Asks every few milliseconds until the answer equals `expected`, at most
   FIXTURE_PATIENCE_MS; false where
   it never did. */
bool pg_cluster_wait_for(const struct pg_cluster *c, const char *database, const char *sql,
                         const char *expected);

/* Restarts: an orderly one, or (is_crash) as after a power cut of the server process. */
void pg_cluster_restart(struct pg_cluster *c, bool is_crash);
/* SIGKILL for one backend: the server restarts all others, as it does after a crash. Returns when
   connections are accepted again. */
void pg_cluster_kill_backend(struct pg_cluster *c, int pid);

#endif
