/* See clients.h. */
#include "drivers/testkit/clients.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "drivers/postgres/libpq.h"
#include "drivers/testkit/fixture.h"

#define PAUSE_US 1000 /* between two things: the machine is for others, too */

struct client {
    pthread_t thread;
    PGconn *conn;
    PGresult *result;
    client_work *work;
    void *own;
    unsigned random;
    atomic_uint done;
    atomic_bool *is_over;
    atomic_bool has_failed;
    char sql[512];
    char error[1024]; /* read by others when the thread has ended */
};

struct clients {
    struct client *at;
    size_t count;
    atomic_bool is_over;
};

void client_fail(struct client *c, const char *format, ...)
{
    va_list values;

    if (atomic_load(&c->has_failed))
        return;
    va_start(values, format);
    (void)vsnprintf(c->error, sizeof(c->error), format, values);
    va_end(values);
    atomic_store(&c->has_failed, true);
}

const char *client_ask(struct client *c, const char *format, ...)
{
    va_list values;

    if (atomic_load(&c->has_failed))
        return NULL;
    va_start(values, format);
    (void)vsnprintf(c->sql, sizeof(c->sql), format, values);
    va_end(values);
    PQclear(c->result);
    c->result = PQexec(c->conn, c->sql);
    ExecStatusType status = PQresultStatus(c->result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        client_fail(c, "%s: %s", c->sql, PQerrorMessage(c->conn));
        return NULL;
    }
    return PQntuples(c->result) ? PQgetvalue(c->result, 0, 0) : "";
}

unsigned client_pick(struct client *c, unsigned below)
{
    c->random = c->random * 1103515245 + 12345;
    return (c->random >> 8) % below;
}

static void *run(void *context)
{
    struct client *c = context;

    while (!atomic_load(c->is_over) && !atomic_load(&c->has_failed)) {
        c->work(c, c->own);
        atomic_fetch_add(&c->done, 1);
        (void)usleep(PAUSE_US);
    }
    return NULL;
}

static PGconn *connect_to(const struct pg_cluster *cluster, const char *database)
{
    const char *const keys[] = {"host", "port", "user", "dbname", NULL};
    const char *const values[] = {pg_cluster_socket_directory(cluster),
                                  fixture_text("%d", PG_CLUSTER_PORT), PG_CLUSTER_USER, database,
                                  NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 0);

    if (PQstatus(conn) != CONNECTION_OK)
        fixture_die("a client cannot connect: %s", PQerrorMessage(conn));
    return conn;
}

struct clients *clients_start(const struct pg_cluster *cluster, const char *database, size_t count,
                              client_work *work, void *own, size_t size)
{
    struct clients *all = calloc(1, sizeof(*all));

    if (all)
        all->at = calloc(count, sizeof(*all->at));
    if (!all || !all->at)
        fixture_die("no memory for clients");
    all->count = count;
    for (size_t i = 0; i < count; i++) {
        struct client *c = &all->at[i];
        c->conn = connect_to(cluster, database);
        c->work = work;
        c->own = (char *)own + i * size;
        c->random = (unsigned)i * 7919 + 1;
        c->is_over = &all->is_over;
    }
    for (size_t i = 0; i < count; i++) {
        if (pthread_create(&all->at[i].thread, NULL, run, &all->at[i]) != 0)
            fixture_die("no thread for a client");
    }
    return all;
}

void clients_work_on(struct clients *all, unsigned more)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)FIXTURE_PATIENCE_MS * 1000;

    for (size_t i = 0; i < all->count; i++) {
        struct client *c = &all->at[i];
        unsigned upto = atomic_load(&c->done) + more;
        while (atomic_load(&c->done) < upto && !atomic_load(&c->has_failed)) {
            if (clock_monotonic_us() > until_us)
                fixture_die("a client hangs in: %s", c->sql);
            (void)usleep(PAUSE_US);
        }
    }
}

const char *clients_stop(struct clients *all)
{
    const char *error = "";

    atomic_store(&all->is_over, true);
    for (size_t i = 0; i < all->count; i++) {
        struct client *c = &all->at[i];
        (void)pthread_join(c->thread, NULL);
        if (atomic_load(&c->has_failed) && !*error)
            error = fixture_text("%s", c->error);
        PQclear(c->result);
        PQfinish(c->conn);
    }
    free(all->at);
    free(all);
    return error;
}
