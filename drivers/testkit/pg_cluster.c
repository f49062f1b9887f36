/*
 * See pg_cluster.h. The postmaster runs as a daemon of pg_ctl; the fixture's keeper ends it with
 * SIGQUIT (immediate shutdown) when the test program is gone. fsync is off unless asked for: nobody
 * needs these data after a power cut.
 */
#include "drivers/testkit/pg_cluster.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "drivers/postgres/libpq.h"
#include "drivers/testkit/fixture.h"

#define SERVERS "/usr/lib/postgresql"

struct pg_cluster {
    const char *home; /* socket, log and data are in here */
    const char *data;
    const char *password;
    int tcp_port;
    int version;
    pid_t postmaster;
};

/* ------------------------------------------------------------------------------------ programs */

static bool has_server(const char *directory)
{
    return access(fixture_path(directory, "initdb"), X_OK) == 0 &&
           access(fixture_path(directory, "postgres"), X_OK) == 0;
}

static const char *highest_server(void)
{
    DIR *servers = opendir(SERVERS);
    const char *found = NULL;
    long highest = 0;

    for (struct dirent *entry; servers && (entry = readdir(servers));) {
        long major = strtol(entry->d_name, NULL, 10);
        const char *bin = fixture_text(SERVERS "/%s/bin", entry->d_name);
        if (major > highest && has_server(bin)) {
            highest = major;
            found = bin;
        }
    }
    if (servers)
        (void)closedir(servers);
    return found;
}

static const char *server_on_path(void)
{
    const char *path = getenv("PATH");

    for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
        const char *bin = fixture_text("%.*s", (int)strcspn(path, ":"), path);
        if (has_server(bin))
            return bin;
    }
    return NULL;
}

const char *pg_cluster_bin(void)
{
    static const char *bin;

    if (bin)
        return bin;
    const char *wanted = getenv("PG_BIN");
    if (wanted && *wanted)
        bin = has_server(wanted) ? wanted : NULL;
    else
        bin = highest_server();
    if (!bin && !(wanted && *wanted))
        bin = server_on_path();
    if (!bin)
        fixture_die("these tests need a PostgreSQL server: install the package postgresql, or set "
                    "PG_BIN to the directory of initdb and postgres");
    return bin;
}

static const char *program_path(const char *name)
{
    return fixture_path(pg_cluster_bin(), name);
}

/* Runs a server program as the server's user; its output is shown when it fails. */
static void run_server_program(const char *const *argv)
{
    static const char *const env[] = {"LC_ALL=C", "PGDATA", "PGHOST", "PGPORT", "PGOPTIONS", NULL};
    struct program_result r = run_program(&(struct program_options){
        .argv = argv, .env = env, .directory = "/", .as_server_user = true});

    if (r.exit_code != 0)
        fixture_die("%s failed (status %d, signal %d):\n%s%s", argv[0], r.exit_code,
                    r.signal_number, r.out, r.err);
    program_result_release(&r);
}

/* ------------------------------------------------------------------------------------- queries */

static PGconn *connect_to(const struct pg_cluster *c, const char *database)
{
    const char *port = fixture_text("%d", PG_CLUSTER_PORT);
    const char *const keys[] = {"host", "port", "dbname", "user", "password", "application_name",
                                NULL};
    const char *const values[] = {
        c->home, port, database, PG_CLUSTER_USER, c->password ? c->password : "", "testkit", NULL};
    const char *failure = libpq_load();

    if (failure)
        fixture_die("%s", failure);
    return PQconnectdbParams(keys, values, 0);
}

static const char *result_text(const PGresult *r)
{
    SCOPED(buf) struct buf text = {0};

    for (int row = 0; row < PQntuples(r); row++) {
        if (row > 0)
            buf_add_char(&text, '\n');
        for (int column = 0; column < PQnfields(r); column++) {
            if (column > 0)
                buf_add_char(&text, '|');
            buf_add(&text, PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
        }
    }
    return fixture_text("%s", buf_cstr(&text));
}

const char *pg_cluster_query(const struct pg_cluster *c, const char *database, const char *sql)
{
    PGconn *conn = connect_to(c, database);
    const char *text;

    if (PQstatus(conn) != CONNECTION_OK) {
        text = fixture_text("ERROR: 08001 %s", PQerrorMessage(conn));
        PQfinish(conn);
        return text;
    }
    PGresult *r = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
        text = result_text(r);
    } else {
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        text = fixture_text("ERROR: %s %s", state ? state : "08006",
                            message ? message : PQerrorMessage(conn));
    }
    PQclear(r);
    PQfinish(conn);
    return text;
}

void pg_cluster_execute(const struct pg_cluster *c, const char *database, const char *sql)
{
    const char *answer = pg_cluster_query(c, database, sql);

    if (strncmp(answer, "ERROR: ", 7) == 0)
        fixture_die("%s\nin database %s: %s", answer, database, sql);
}

bool pg_cluster_wait_for(const struct pg_cluster *c, const char *database, const char *sql,
                         const char *expected)
{
    int64_t deadline_us = clock_monotonic_us() + (int64_t)FIXTURE_PATIENCE_MS * 1000;

    for (;;) {
        if (strcmp(pg_cluster_query(c, database, sql), expected) == 0)
            return true;
        if (clock_monotonic_us() > deadline_us)
            return false;
        (void)usleep(3000);
    }
}

/* ------------------------------------------------------------------------------ life of a server
   */

static pid_t read_postmaster(const struct pg_cluster *c)
{
    char *text = fixture_read(fixture_path(c->data, "postmaster.pid"));
    pid_t pid = (pid_t)strtol(text, NULL, 10);

    free(text);
    if (pid <= 1)
        fixture_die("no process id in postmaster.pid");
    return pid;
}

static void start_server(struct pg_cluster *c)
{
    const char *log = fixture_path(c->home, "log");
    const char *const argv[] = {
        program_path("pg_ctl"), "start", "-w", "-s", "-D", c->data, "-l", log, NULL};

    run_server_program(argv);
    c->postmaster = read_postmaster(c);
    fixture_kill_at_end(c->postmaster, SIGQUIT);
}

static void write_settings(const struct pg_cluster *c, const struct pg_cluster_options *options)
{
    char *base = fixture_read(fixture_path(c->data, "postgresql.conf"));

    fixture_write(c->data, "postgresql.conf",
                  fixture_text("%s\n"
                               "unix_socket_directories = '%s'\n"
                               "listen_addresses = '%s'\n"
                               "port = %d\n"
                               "fsync = %s\n"
                               "full_page_writes = %s\n"
                               "shared_buffers = 32MB\n"
                               "max_connections = 60\n"
                               "max_wal_size = 2GB\n"
                               "autovacuum = off\n"
                               "log_line_prefix = '%%m [%%p] %%a '\n"
                               "%s\n",
                               base, c->home, options->is_tcp ? "127.0.0.1" : "",
                               options->is_tcp ? c->tcp_port : PG_CLUSTER_PORT,
                               options->is_durable ? "on" : "off",
                               options->is_durable ? "on" : "off",
                               options->settings ? options->settings : ""));
    free(base);
}

/* With TCP the port is a free one, and the socket is named after it; a link gives it the usual
   name. */
static void link_socket(const struct pg_cluster *c)
{
    const char *usual = fixture_text("%s/.s.PGSQL.%d", c->home, PG_CLUSTER_PORT);

    if (c->tcp_port && symlink(fixture_text(".s.PGSQL.%d", c->tcp_port), usual) != 0 &&
        errno != EEXIST)
        fixture_die("symlink %s: %s", usual, strerror(errno));
}

struct pg_cluster *pg_cluster_start(const struct pg_cluster_options *options)
{
    static const struct pg_cluster_options defaults;
    struct pg_cluster *c = calloc(1, sizeof(*c));

    if (!c)
        fixture_die("out of memory");
    if (!options)
        options = &defaults;
    c->home = fixture_directory();
    c->data = fixture_path(c->home, "data");
    c->password = options->password;
    c->tcp_port = options->is_tcp ? fixture_free_port() : 0;
    fixture_give_to_server_user(c->home);
    fixture_write(c->home, "password", options->password ? options->password : "none");
    fixture_give_to_server_user(fixture_path(c->home, "password"));
    const char *const initdb[] = {program_path("initdb"),
                                  "-D",
                                  c->data,
                                  "-U",
                                  PG_CLUSTER_USER,
                                  "-E",
                                  "UTF8",
                                  "--locale=C.UTF-8",
                                  "--no-sync",
                                  "-A",
                                  options->password ? "scram-sha-256" : "trust",
                                  "--pwfile",
                                  fixture_path(c->home, "password"),
                                  NULL};
    run_server_program(initdb);
    write_settings(c, options);
    start_server(c);
    link_socket(c);
    c->version = (int)strtol(
        pg_cluster_query(c, "postgres", "SELECT current_setting('server_version_num')"), NULL, 10);
    if (c->version == 0)
        fixture_die("the server does not answer: %s", pg_cluster_query(c, "postgres", "SELECT 1"));
    return c;
}

struct pg_cluster *pg_cluster_replica(const struct pg_cluster *primary)
{
    struct pg_cluster *c = calloc(1, sizeof(*c));

    if (!c)
        fixture_die("out of memory");
    c->home = fixture_directory();
    c->data = fixture_path(c->home, "data");
    c->version = primary->version;
    fixture_give_to_server_user(c->home);
    const char *from =
        fixture_text("host=%s port=%d user=%s", primary->home, PG_CLUSTER_PORT, PG_CLUSTER_USER);
    const char *const backup[] = {program_path("pg_basebackup"),
                                  "-d",
                                  from,
                                  "-D",
                                  c->data,
                                  "-R",
                                  "-X",
                                  "stream",
                                  "-c",
                                  "fast",
                                  "--no-sync",
                                  NULL};
    run_server_program(backup);
    char *base = fixture_read(fixture_path(c->data, "postgresql.conf"));
    fixture_write(c->data, "postgresql.conf",
                  fixture_text("%s\nunix_socket_directories = '%s'\n", base, c->home));
    free(base);
    start_server(c);
    return c;
}

static void wait_until_gone(pid_t pid)
{
    int64_t deadline_us = clock_monotonic_us() + (int64_t)FIXTURE_PATIENCE_MS * 1000;

    while (fixture_is_running(pid)) {
        if (clock_monotonic_us() > deadline_us)
            fixture_die("the server did not stop");
        (void)usleep(3000);
    }
}

void pg_cluster_stop(struct pg_cluster *c)
{
    if (!c)
        return;
    (void)kill(c->postmaster, SIGQUIT);
    wait_until_gone(c->postmaster);
    fixture_remove(c->home);
    free(c);
}

void pg_cluster_restart(struct pg_cluster *c, bool is_crash)
{
    (void)kill(c->postmaster, is_crash ? SIGQUIT : SIGINT);
    wait_until_gone(c->postmaster);
    start_server(c);
}

void pg_cluster_kill_backend(struct pg_cluster *c, int pid)
{
    if (kill(pid, SIGKILL) != 0)
        fixture_die("no backend %d: %s", pid, strerror(errno));
    if (!pg_cluster_wait_for(
            c, "postgres",
            fixture_text("SELECT count(*) FROM pg_stat_activity WHERE pid = %d", pid), "0"))
        fixture_die("the server did not come back");
}

/* ---------------------------------------------------------------------------------------- URLs */

const char *pg_cluster_database(struct pg_cluster *c, const char *name)
{
    pg_cluster_execute(c, "postgres", fixture_text("CREATE DATABASE \"%s\"", name));
    return pg_cluster_url(c, name, NULL);
}

const char *pg_cluster_url(const struct pg_cluster *c, const char *database, const char *role)
{
    return fixture_text("postgres://%s@/%s?host=%s&port=%d", role ? role : PG_CLUSTER_USER,
                        database, c->home, PG_CLUSTER_PORT);
}

const char *pg_cluster_tcp_url(const struct pg_cluster *c, const char *database, const char *role)
{
    return fixture_text("postgres://%s%s%s@127.0.0.1:%d/%s", role ? role : PG_CLUSTER_USER,
                        c->password ? ":" : "", c->password ? c->password : "", c->tcp_port,
                        database);
}

const char *pg_cluster_socket_directory(const struct pg_cluster *c)
{
    return c->home;
}

int pg_cluster_tcp_port(const struct pg_cluster *c)
{
    return c->tcp_port;
}

const char *pg_cluster_data_directory(const struct pg_cluster *c)
{
    return c->data;
}

int pg_cluster_version(const struct pg_cluster *c)
{
    return c->version;
}
