/* Runs pgbouncer in the foreground as a child: see bouncer.h. */
#include "drivers/testkit/bouncer.h"

#include <signal.h>
#include <unistd.h>

#include "drivers/testkit/fixture.h"

struct bouncer {
    const char *directory;
    struct program *program;
};

static const char *bouncer_program(void)
{
    static const char *const places[] = {"/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (access(places[i], X_OK) == 0)
            return places[i];
    }
    fixture_die("these tests need pgbouncer: install the package pgbouncer");
}

static const char *mode_name(enum bouncer_mode mode)
{
    switch (mode) {
    case BOUNCER_SESSION:
        return "session";
    case BOUNCER_TRANSACTION:
        return "transaction";
    case BOUNCER_STATEMENT:
        return "statement";
    }
    BUG("a pool mode without a name");
}

struct bouncer *bouncer_start(const struct pg_cluster *c, enum bouncer_mode mode, int pool_size)
{
    struct bouncer *b = calloc(1, sizeof(*b));

    if (!b)
        fixture_die("out of memory");
    b->directory = fixture_directory();
    fixture_give_to_server_user(b->directory);
    fixture_write(b->directory, "users", "\"" PG_CLUSTER_USER "\" \"\"\n");
    fixture_write(b->directory, "pgbouncer.ini",
                  fixture_text("[databases]\n"
                               "* = host=%s port=%d\n"
                               "[pgbouncer]\n"
                               "unix_socket_dir = %s\n"
                               "listen_port = %d\n"
                               "auth_type = trust\n"
                               "auth_file = %s/users\n"
                               "pool_mode = %s\n"
                               "default_pool_size = %d\n",
                               pg_cluster_socket_directory(c), PG_CLUSTER_PORT, b->directory,
                               PG_CLUSTER_PORT, b->directory, mode_name(mode), pool_size));
    const char *const argv[] = {bouncer_program(), fixture_path(b->directory, "pgbouncer.ini"),
                                NULL};
    b->program = program_start(
        &(struct program_options){.argv = argv, .as_server_user = true, .timeout_ms = INT32_MAX});
    fixture_kill_at_end(program_pid(b->program), SIGKILL);
    if (!program_wait_for_text(b->program, "process up"))
        fixture_die("pgbouncer did not start: %s", program_finish(b->program).err);
    return b;
}

void bouncer_stop(struct bouncer *b)
{
    if (!b)
        return;
    program_signal(b->program, SIGKILL);
    struct program_result r = program_finish(b->program);
    program_result_release(&r);
    fixture_remove(b->directory);
    free(b);
}

const char *bouncer_url(const struct bouncer *b, const char *database)
{
    return fixture_text("postgres://" PG_CLUSTER_USER "@/%s?host=%s&port=%d", database,
                        b->directory, PG_CLUSTER_PORT);
}

const char *bouncer_socket_directory(const struct bouncer *b)
{
    return b->directory;
}
